//! Lines of logs: their prefix, and what a terminal shows of them.

use std::borrow::Cow;
use std::fmt::Write as _;

use jiff::Timestamp;
use owo_colors::{AnsiColors, Style as Color};
use serde::Serialize;

use super::{Painted, Style, cut};
use crate::state::ItemParams;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinePrefix {
    /// `[3 qux] `.
    Index,
    /// `[pod/NAME/CONTAINER] `, as `kubectl logs --prefix` prints it.
    Pod,
    None,
}

/// The index and the container that wrote a line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineOrigin<'a> {
    pub(crate) index: u32,
    pub(crate) item: Option<&'a str>,
    pub(crate) params: Option<ItemParams<'a>>,
    /// From 1 on.
    pub(crate) attempt: u32,
    pub(crate) pod: &'a str,
    pub(crate) container: &'a str,
    /// Whether lines of other containers of the index are printed too.
    pub(crate) one_of_several: bool,
}

/// Colours that are readable on light and on dark terminals; neighbouring indexes differ.
const COLORS: [AnsiColors; 6] = [
    AnsiColors::Cyan,
    AnsiColors::Green,
    AnsiColors::Magenta,
    AnsiColors::Yellow,
    AnsiColors::Blue,
    AnsiColors::BrightRed,
];

/// The number of columns of an item in a prefix; `-o jsonl` has the whole item.
const ITEM: usize = 32;

/// Returns the prefix of a line, without the blank after it.
pub(crate) fn prefix(prefix: LinePrefix, origin: &LineOrigin<'_>, style: Style) -> String {
    match prefix {
        LinePrefix::Index => {
            let mut text = format!("[{}", origin.index);
            if let Some(item) = origin.item.filter(|item| !item.is_empty()) {
                text.push(' ');
                text.push_str(&cut(item, ITEM, style));
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
        LinePrefix::Pod => format!("[pod/{}/{}]", origin.pod, origin.container),
        LinePrefix::None => String::new(),
    }
}

/// Adds one line of a log with its prefix and line break; an index keeps the colour of its prefix.
///
/// Bytes are unchanged unless lines are `redrawn`: then only the last state that a terminal would show.
pub(crate) fn push_line(
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

/// Returns the last state of each line that progress bars and spinners redraw by `\r`, by backspaces, or by sequences that
/// erase it. Blanks that only wipe a line leave its last state.
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
/// Sequences that erase a part of the line or move to its start, each with whether the next character replaces the whole
/// line.
const ERASING: [(&str, bool); 6] =
    [("\x1b[K", false), ("\x1b[0K", false), ("\x1b[1K", true), ("\x1b[2K", true), ("\x1b[G", true), ("\x1b[1G", true)];

fn last_state_of_line(line: &str) -> String {
    let mut shown = String::new();
    // The number of characters that the next visible one replaces, and the blanks before it.
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

/// A line for `-o json` and `-o jsonl`; fields without a value are left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogEntry<'a> {
    index: u32,
    /// The item of the index; U+FFFD replaces bytes that are no UTF-8.
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

impl<'a> LogEntry<'a> {
    pub(crate) fn new(origin: &LineOrigin<'a>, time: Option<Timestamp>, bytes: &'a [u8]) -> Self {
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
    use crate::view::Printable as _;

    const ORIGIN: LineOrigin<'static> = LineOrigin {
        index: 3,
        item: None,
        params: None,
        attempt: 1,
        pod: "rev-3-abcde",
        container: "worker",
        one_of_several: false,
    };
    const STYLE: Style = Style { color: false, terminal: false, plain: false };

    fn printed(time: Option<Timestamp>, bytes: &[u8], redrawn: bool) -> Painted {
        let mut to = Painted::default();
        push_line(&mut to, ("[0]", 0), time, bytes, redrawn);
        to
    }

    #[test]
    fn control_characters_of_a_log_are_escaped_on_a_terminal() {
        let terminal = Style { terminal: true, ..Style::default() };
        let on_terminal = printed(None, b"a\x1b]0;title\x07\tb\xff\r", true).encoded(terminal).into_owned();
        assert_eq!(String::from_utf8_lossy(&on_terminal), "[0] a\\u{1b}]0;title\\u{7}\tb\u{fffd}\n");
        assert_eq!(*printed(None, b"a\x1b\xff\r", false).encoded(Style::default()), *b"[0] a\x1b\xff\r\n");
        let colored = printed(None, b"\x1b[31m", true).encoded(Style { color: true, ..terminal }).into_owned();
        assert_eq!(String::from_utf8_lossy(&colored), "\u{1b}[36m[0]\u{1b}[0m \\u{1b}[31m\n");
    }

    #[test]
    fn a_time_stands_between_prefix_and_line() {
        let time = "2026-01-01T00:00:00.5Z".parse().ok();
        assert_eq!(printed(time, b"a", false).text, b"[0] 2026-01-01T00:00:00.500000000Z a\n");
    }

    #[test]
    fn only_the_last_state_of_a_line_is_kept() {
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
    fn a_prefix_names_the_index_its_item_and_its_attempt() {
        assert_eq!(prefix(LinePrefix::Index, &ORIGIN, STYLE), "[3]");
        assert_eq!(prefix(LinePrefix::Index, &LineOrigin { item: Some("qux"), ..ORIGIN }, STYLE), "[3 qux]");
        assert_eq!(
            prefix(LinePrefix::Index, &LineOrigin { item: Some("a\nb"), attempt: 2, ..ORIGIN }, STYLE),
            "[3 a\\nb #2]"
        );
        assert_eq!(prefix(LinePrefix::Index, &LineOrigin { one_of_several: true, ..ORIGIN }, STYLE), "[3 worker]");
        assert_eq!(
            prefix(LinePrefix::Index, &LineOrigin { item: Some(&"x".repeat(40)), ..ORIGIN }, STYLE),
            format!("[3 {}…]", "x".repeat(31))
        );
        let plain = Style { plain: true, ..STYLE };
        let long = "… ".repeat(20);
        assert_eq!(
            prefix(LinePrefix::Index, &LineOrigin { item: Some(&long), ..ORIGIN }, plain),
            format!("[3 {}…...]", "… ".repeat(14))
        );
        assert_eq!(prefix(LinePrefix::Pod, &ORIGIN, STYLE), "[pod/rev-3-abcde/worker]");
        assert_eq!(prefix(LinePrefix::None, &ORIGIN, STYLE), "");
    }

    #[test]
    fn an_entry_has_the_line_as_text_or_in_base64() {
        let time = "2026-01-01T00:00:00.5Z".parse().ok();
        let json = |origin, time, bytes| serde_json::to_string(&LogEntry::new(origin, time, bytes)).unwrap();
        assert_eq!(
            json(&LineOrigin { item: Some("qux"), ..ORIGIN }, time, b"a\x1bb"),
            r#"{"index":3,"item":"qux","attempt":1,"pod":"rev-3-abcde","container":"worker","time":"2026-01-01T00:00:00.5Z","line":"a\u001bb"}"#
        );
        assert_eq!(
            json(&ORIGIN, None, b"\xff"),
            r#"{"index":3,"attempt":1,"pod":"rev-3-abcde","container":"worker","lineBase64":"/w=="}"#
        );
    }
}
