//! Lines of logs: what stands before them, and what of them reaches a terminal.

use std::fmt::Write as _;

use jiff::Timestamp;
use owo_colors::{AnsiColors, Style as Color};
use serde::Serialize;

use super::{Style, cut, escape_control};

/// What starts each line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prefix {
    /// `[3 qux] `.
    Index,
    /// `[pod/NAME/CONTAINER] `, as `kubectl logs --prefix` prints it.
    Pod,
    None,
}

/// What a line is of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'a> {
    pub(crate) index: u32,
    /// The item, where it is known.
    pub(crate) item: Option<&'a str>,
    /// From 1 on.
    pub(crate) attempt: u32,
    pub(crate) pod: &'a str,
    pub(crate) container: &'a str,
    /// Whether lines of other containers stand beside it.
    pub(crate) one_of_several: bool,
}

/// Colours that read well on light and on dark ground; neighbours in index differ.
const COLORS: [AnsiColors; 6] = [
    AnsiColors::Cyan,
    AnsiColors::Green,
    AnsiColors::Magenta,
    AnsiColors::Yellow,
    AnsiColors::Blue,
    AnsiColors::BrightRed,
];

/// How many columns of an item stand before each line; `-o jsonl` has the whole of it.
const ITEM: usize = 32;

/// The start of every line of an index; an index keeps its colour.
pub(crate) fn prefix(prefix: Prefix, origin: &Origin<'_>, style: Style) -> String {
    let text = match prefix {
        Prefix::Index => {
            let mut text = format!("[{}", origin.index);
            if let Some(item) = origin.item.filter(|item| !item.is_empty()) {
                text.push(' ');
                text.push_str(&cut(&escape_control(item), ITEM));
            }
            if origin.attempt > 1 {
                let _ = write!(text, " #{}", origin.attempt);
            }
            if origin.one_of_several {
                text.push(' ');
                text.push_str(origin.container);
            }
            text + "]"
        }
        Prefix::Pod => format!("[pod/{}/{}]", origin.pod, origin.container),
        Prefix::None => return String::new(),
    };
    let color = Color::new().color(COLORS[origin.index as usize % COLORS.len()]);
    format!("{} ", style.paint(&text, color))
}

/// Adds one line of a log with its prefix and line break.
///
/// Bytes pass as they are, except to a terminal: there a log must not drive the cursor, the title or the clipboard.
pub(crate) fn line(to: &mut Vec<u8>, prefix: &str, time: Option<Timestamp>, bytes: &[u8], escape: bool) {
    to.extend_from_slice(prefix.as_bytes());
    if let Some(time) = time {
        to.extend_from_slice(format!("{time:.9} ").as_bytes());
    }
    if escape {
        let text = String::from_utf8_lossy(bytes);
        // A carriage return at the end only says that the line came from another system.
        to.extend_from_slice(escape_control(text.trim_end_matches('\r')).as_bytes());
    } else {
        to.extend_from_slice(bytes);
    }
    to.push(b'\n');
}

/// A line as `-o json` and `-o jsonl` print it; a field that has no value is left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry<'a> {
    /// The completion index, from 0.
    index: u32,
    /// The item that it works on; bytes that are no UTF-8 are replaced by U+FFFD.
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<&'a str>,
    /// Which attempt of the index wrote it, from 1 on.
    attempt: u32,
    pod: &'a str,
    container: &'a str,
    /// When it was written (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<Timestamp>,
    /// The line without its break, where it is UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<&'a str>,
    /// Any other line, in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    line_base64: Option<String>,
}

impl<'a> Entry<'a> {
    pub(crate) fn new(origin: &Origin<'a>, time: Option<Timestamp>, bytes: &'a [u8]) -> Self {
        use base64::Engine as _;
        use base64::prelude::BASE64_STANDARD;
        let line = std::str::from_utf8(bytes).ok();
        Self {
            index: origin.index,
            item: origin.item,
            attempt: origin.attempt,
            pod: origin.pod,
            container: origin.container,
            time,
            line,
            line_base64: line.is_none().then(|| BASE64_STANDARD.encode(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: Origin<'static> =
        Origin { index: 3, item: None, attempt: 1, pod: "rev-3-abcde", container: "worker", one_of_several: false };

    fn one(prefix: &str, time: Option<Timestamp>, bytes: &[u8], escape: bool) -> Vec<u8> {
        let mut to = Vec::new();
        line(&mut to, prefix, time, bytes, escape);
        to
    }

    #[test]
    fn a_terminal_is_not_driven_by_a_log() {
        assert_eq!(one("[0] ", None, b"a\x1b]0;title\x07\tb\r", true), b"[0] a\\u{1b}]0;title\\u{7}\tb\n");
        assert_eq!(one("[0] ", None, b"a\x1b\xff\r", false), b"[0] a\x1b\xff\r\n");
    }

    #[test]
    fn a_time_stands_between_prefix_and_line() {
        let time = "2026-01-01T00:00:00.5Z".parse().ok();
        assert_eq!(one("[0] ", time, b"a", false), b"[0] 2026-01-01T00:00:00.500000000Z a\n");
    }

    #[test]
    fn prefixes() {
        let plain = |kind, origin: &Origin<'_>| prefix(kind, origin, Style::default());
        assert_eq!(plain(Prefix::Index, &ORIGIN), "[3] ");
        assert_eq!(plain(Prefix::Index, &Origin { item: Some("qux"), ..ORIGIN }), "[3 qux] ");
        assert_eq!(plain(Prefix::Index, &Origin { item: Some("a\nb"), attempt: 2, ..ORIGIN }), "[3 a\\nb #2] ");
        assert_eq!(plain(Prefix::Index, &Origin { one_of_several: true, ..ORIGIN }), "[3 worker] ");
        assert_eq!(
            plain(Prefix::Index, &Origin { item: Some(&"x".repeat(40)), ..ORIGIN }),
            format!("[3 {}…] ", "x".repeat(31))
        );
        assert_eq!(plain(Prefix::Pod, &ORIGIN), "[pod/rev-3-abcde/worker] ");
        assert_eq!(plain(Prefix::None, &ORIGIN), "");
        let colored = prefix(Prefix::Index, &ORIGIN, Style { color: true, terminal: true });
        assert_eq!(colored, "\u{1b}[33m[3]\u{1b}[0m ");
    }

    #[test]
    fn objects() {
        let time = "2026-01-01T00:00:00.5Z".parse().ok();
        let json = |origin, time, bytes| serde_json::to_string(&Entry::new(origin, time, bytes)).unwrap();
        assert_eq!(
            json(&Origin { item: Some("qux"), ..ORIGIN }, time, b"a\x1bb"),
            r#"{"index":3,"item":"qux","attempt":1,"pod":"rev-3-abcde","container":"worker","time":"2026-01-01T00:00:00.5Z","line":"a\u001bb"}"#
        );
        assert_eq!(
            json(&ORIGIN, None, b"\xff"),
            r#"{"index":3,"attempt":1,"pod":"rev-3-abcde","container":"worker","lineBase64":"/w=="}"#
        );
    }
}
