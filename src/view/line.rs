//! Lines of logs: what stands before them, and what of them reaches a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

use jiff::Timestamp;
use owo_colors::{AnsiColors, Style as Color};
use serde::Serialize;

use super::{Painted, cut};
use crate::state::ItemParams;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prefix {
    /// `[3 qux] `.
    Index,
    /// `[pod/NAME/CONTAINER] `, as `kubectl logs --prefix` prints it.
    Pod,
    None,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'a> {
    pub(crate) index: u32,
    pub(crate) item: Option<&'a str>,
    pub(crate) params: Option<ItemParams<'a>>,
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

pub(crate) fn prefix(prefix: Prefix, origin: &Origin<'_>) -> String {
    match prefix {
        Prefix::Index => {
            let mut text = format!("[{}", origin.index);
            if let Some(item) = origin.item.filter(|item| !item.is_empty()) {
                text.push(' ');
                text.push_str(&cut(item, ITEM));
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
        Prefix::None => String::new(),
    }
}

/// Adds one line of a log with its prefix and line break; an index keeps the colour of its prefix.
///
/// Bytes pass as they are, unless lines are `redrawn`: then only what a terminal would show in the end.
pub(crate) fn line(
    to: &mut Painted,
    (prefix, index): (&str, u32),
    time: Option<Timestamp>,
    bytes: &[u8],
    redrawn: bool,
) {
    if !prefix.is_empty() {
        to.paint(prefix, Color::new().color(COLORS[index as usize % COLORS.len()]));
        to.push(" ");
    }
    if let Some(time) = time {
        to.push(format!("{time:.9} "));
    }
    if redrawn {
        to.push(last_state(&String::from_utf8_lossy(bytes)).as_bytes());
    } else {
        to.push(bytes);
    }
    to.push("\n");
}

/// Returns what each line shows in the end, where progress bars and spinners redraw it: by `\r`, by backspaces, or by
/// sequences that erase it. Blanks that only wipe a line leave its last state.
pub(crate) fn last_state(text: &str) -> Cow<'_, str> {
    if !text.contains(['\r', BACKSPACE, ESCAPE]) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for (number, line) in text.split('\n').enumerate() {
        shown.extend((number > 0).then_some('\n'));
        shown.push_str(&last_state_of_line(line));
    }
    Cow::Owned(shown)
}

const BACKSPACE: char = '\x08';
const ESCAPE: char = '\x1b';
/// Sequences that erase a part of the line, or move to its start, and whether what comes next replaces the whole line.
const ERASING: [(&str, bool); 6] =
    [("\x1b[K", false), ("\x1b[0K", false), ("\x1b[1K", true), ("\x1b[2K", true), ("\x1b[G", true), ("\x1b[1G", true)];

fn last_state_of_line(line: &str) -> String {
    let mut shown = String::new();
    // How many characters the next one that shows replaces, and the blanks before it.
    let (mut replaced, mut blanks) = (0, String::new());
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let erasing = ERASING.iter().find(|(sequence, _)| rest.starts_with(sequence));
        rest = &rest[erasing.map_or(c.len_utf8(), |(sequence, _)| sequence.len())..];
        match (c, erasing) {
            (_, Some((_, false))) => {}
            ('\r', _) | (_, Some(_)) => (replaced, blanks) = (usize::MAX, String::new()),
            (BACKSPACE, _) if blanks.pop().is_none() => replaced = replaced.saturating_add(1),
            (BACKSPACE, _) => {}
            (' ', _) if replaced > 0 => blanks.push(c),
            _ => {
                if replaced > 0 {
                    let kept = shown.chars().count().saturating_sub(replaced);
                    shown.truncate(shown.char_indices().nth(kept).map_or(shown.len(), |(at, _)| at));
                    shown.push_str(&std::mem::take(&mut blanks));
                    replaced = 0;
                }
                shown.push(c);
            }
        }
    }
    shown
}

/// A line as `-o json` and `-o jsonl` print it; a field that has no value is left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry<'a> {
    index: u32,
    /// The item that it works on; bytes that are no UTF-8 are replaced by U+FFFD.
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<&'a str>,
    /// The item's values by name, where its columns have names.
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<ItemParams<'a>>,
    attempt: u32,
    pod: &'a str,
    container: &'a str,
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
            params: origin.params,
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
    use crate::view::{Printable as _, Style};

    const ORIGIN: Origin<'static> = Origin {
        index: 3,
        item: None,
        params: None,
        attempt: 1,
        pod: "rev-3-abcde",
        container: "worker",
        one_of_several: false,
    };

    fn one(time: Option<Timestamp>, bytes: &[u8], redrawn: bool) -> Painted {
        let mut to = Painted::default();
        line(&mut to, ("[0]", 0), time, bytes, redrawn);
        to
    }

    #[test]
    fn a_terminal_is_not_driven_by_a_log() {
        let terminal = Style { terminal: true, color: false };
        let on_terminal = one(None, b"a\x1b]0;title\x07\tb\xff\r", true).encoded(terminal).into_owned();
        assert_eq!(String::from_utf8_lossy(&on_terminal), "[0] a\\u{1b}]0;title\\u{7}\tb\u{fffd}\n");
        assert_eq!(*one(None, b"a\x1b\xff\r", false).encoded(Style::default()), *b"[0] a\x1b\xff\r\n");
        let colored = one(None, b"\x1b[31m", true).encoded(Style { color: true, ..terminal }).into_owned();
        assert_eq!(String::from_utf8_lossy(&colored), "\u{1b}[36m[0]\u{1b}[0m \\u{1b}[31m\n");
    }

    #[test]
    fn a_time_stands_between_prefix_and_line() {
        let time = "2026-01-01T00:00:00.5Z".parse().ok();
        assert_eq!(one(time, b"a", false).text, b"[0] 2026-01-01T00:00:00.500000000Z a\n");
    }

    #[test]
    fn the_last_state_of_a_line_counts() {
        for (written, shown) in [
            ("plain \u{1b}[31mred\u{1b}[0m", "plain \u{1b}[31mred\u{1b}[0m"),
            ("a\r\nb\r\n", "a\nb\n"),
            (",  4.5it/s]\r 84%|### |\rCUDA error: out of memory", "CUDA error: out of memory"),
            ("\r  1%\r100%\r\ndone", "100%\ndone"),
            ("\r  1%\r\u{1b}[Kfailed", "failed"),
            ("  1%\u{1b}[2K\u{1b}[1Gfailed", "failed"),
            ("  1%\u{1b}[0K", "  1%"),
            (" 50%\r     \r", " 50%"),
            ("work |\u{8}/\u{8}-\u{8}", "work -"),
            ("10%\u{8}\u{8}\u{8}\u{8} 9%", " 9%"),
            ("abc\u{8} \u{8}d", "abd"),
            ("\r", ""),
        ] {
            assert_eq!(last_state(written), shown, "{written:?}");
        }
    }

    #[test]
    fn prefixes() {
        assert_eq!(prefix(Prefix::Index, &ORIGIN), "[3]");
        assert_eq!(prefix(Prefix::Index, &Origin { item: Some("qux"), ..ORIGIN }), "[3 qux]");
        assert_eq!(prefix(Prefix::Index, &Origin { item: Some("a\nb"), attempt: 2, ..ORIGIN }), "[3 a\\nb #2]");
        assert_eq!(prefix(Prefix::Index, &Origin { one_of_several: true, ..ORIGIN }), "[3 worker]");
        assert_eq!(
            prefix(Prefix::Index, &Origin { item: Some(&"x".repeat(40)), ..ORIGIN }),
            format!("[3 {}…]", "x".repeat(31))
        );
        assert_eq!(prefix(Prefix::Pod, &ORIGIN), "[pod/rev-3-abcde/worker]");
        assert_eq!(prefix(Prefix::None, &ORIGIN), "");
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
