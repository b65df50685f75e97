//! Words, colour, and what a terminal gets of them.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use owo_colors::Style as Color;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::index_set::IndexSet;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) color: bool,
    /// Whether a terminal shows the text, so that control characters of items and logs must not reach it.
    pub(crate) terminal: bool,
    /// Whether text is plain ASCII, without drawn symbols, and nothing is redrawn in place (`--plain`).
    pub(crate) plain: bool,
}

impl Style {
    /// Returns the mark of text that was cut off.
    pub(crate) fn ellipsis(self) -> &'static str {
        if self.plain { "..." } else { "…" }
    }

    /// Returns the sign between a count and what was counted.
    pub(crate) fn times(self) -> &'static str {
        if self.plain { "times" } else { "×" }
    }
}

/// How text is worded for its reader.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wording<'a> {
    /// The flags with which a command reaches the same cluster, each after a blank.
    pub(crate) flags: &'a str,
    pub(crate) style: Style,
    /// The number of columns that a line may have; None for no limit.
    pub(crate) width: Option<usize>,
}

/// Text for a stream. All text from items, logs and the cluster passes [`Printable::encoded`] before a terminal gets it.
pub(crate) trait Printable {
    fn bytes(&self) -> &[u8];

    /// Returns the coloured parts, in order and without overlap.
    fn colors(&self) -> &[(Range<usize>, Color)] {
        &[]
    }

    /// Returns the bytes for a stream of this style. For a terminal, characters that drive it or reorder text are escaped.
    fn encoded(&self, style: Style) -> Cow<'_, [u8]> {
        let (bytes, colors) = (self.bytes(), if style.color { self.colors() } else { &[] });
        if !style.terminal && colors.is_empty() {
            return Cow::Borrowed(bytes);
        }
        let mut encoded = Vec::with_capacity(bytes.len() + 64);
        let mut end = 0;
        for (range, color) in colors {
            push_encoded(&mut encoded, &bytes[end..range.start], style);
            encoded.extend_from_slice(color.prefix_formatter().to_string().as_bytes());
            push_encoded(&mut encoded, &bytes[range.clone()], style);
            encoded.extend_from_slice(color.suffix_formatter().to_string().as_bytes());
            end = range.end;
        }
        push_encoded(&mut encoded, &bytes[end..], style);
        Cow::Owned(encoded)
    }
}

impl<T: AsRef<[u8]>> Printable for T {
    fn bytes(&self) -> &[u8] {
        self.as_ref()
    }
}

fn push_encoded(to: &mut Vec<u8>, bytes: &[u8], style: Style) {
    if !style.terminal {
        to.extend_from_slice(bytes);
        return;
    }
    for (number, line) in String::from_utf8_lossy(bytes).split('\n').enumerate() {
        to.extend((number > 0).then_some(b'\n'));
        to.extend_from_slice(escape_control(line).as_bytes());
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Painted {
    pub(crate) text: Vec<u8>,
    colors: Vec<(Range<usize>, Color)>,
}

impl Painted {
    pub(crate) fn push(&mut self, text: impl AsRef<[u8]>) {
        self.text.extend_from_slice(text.as_ref());
    }

    pub(crate) fn paint(&mut self, text: &str, color: Color) {
        let start = self.text.len();
        self.push(text);
        self.colors.push((start..self.text.len(), color));
    }

    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.colors.clear();
    }
}

impl Printable for Painted {
    fn bytes(&self) -> &[u8] {
        &self.text
    }

    fn colors(&self) -> &[(Range<usize>, Color)] {
        &self.colors
    }
}

pub(crate) fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Returns indexes with their noun, as in `index 3` and `indexes 3,5-7`.
pub(crate) fn numbered(indexes: &IndexSet) -> String {
    format!("{} {indexes}", if indexes.len() == 1 { "index" } else { "indexes" })
}

/// Returns whether a character drives a terminal, or changes the order in which it shows others.
fn is_control(c: char) -> bool {
    c.is_control() && c != '\t'
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}')
}

/// Returns text with visible escapes for the characters that drive a terminal, line breaks too; tabs stay. Text is
/// escaped before it is measured or cut.
pub(crate) fn escape_control(text: &str) -> Cow<'_, str> {
    if !text.contains(is_control) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_control(c) {
            let _ = write!(escaped, "{}", c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// Returns text on one line, with one blank between words.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns text of at most that many columns of a terminal. An ellipsis stands for what is cut off.
pub(crate) fn cut(text: &str, columns: usize, style: Style) -> Cow<'_, str> {
    let text = escape_control(text);
    if text.width() <= columns {
        return text;
    }
    let ellipsis = style.ellipsis();
    let mut kept = String::new();
    let mut used = ellipsis.width();
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > columns {
            break;
        }
        kept.push(c);
    }
    kept.extend(ellipsis.chars().take(columns));
    Cow::Owned(kept)
}

/// Returns the first `limit` characters of a text. An ellipsis stands for the rest.
pub(crate) fn beginning(text: &str, limit: usize, style: Style) -> Cow<'_, str> {
    match text.char_indices().nth(limit) {
        Some((end, _)) => Cow::Owned(format!("{}{}", &text[..end], style.ellipsis())),
        None => Cow::Borrowed(text),
    }
}

/// Returns rows in columns, three blanks apart, as kubectl prints lists. Cells are printed whole.
pub(crate) fn aligned(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(header.to_vec());
    table.add_rows(rows.iter().map(|row| row.iter().map(|cell| escape_control(cell))));
    for column in table.column_iter_mut() {
        column.set_padding((0, if column.index + 1 == header.len() { 0 } else { 3 }));
    }
    table.trim_fmt() + "\n"
}

/// Returns the start of a list up to its first comma at this position or after it; None if there is none.
pub(super) fn up_to_comma(list: &str, position: usize) -> Option<&str> {
    let comma = position + list.get(position..)?.find(',')?;
    Some(&list[..=comma])
}

#[cfg(test)]
mod tests {
    use owo_colors::AnsiColors;

    use super::*;

    const TERMINAL: Style = Style { color: false, terminal: true, plain: false };

    #[test]
    fn control_characters_are_escaped_on_a_terminal() {
        let hostile = "a\u{1b}]52;c;ZXZpbA==\u{7}\u{9b}2J\r\u{7f}\u{202e}b\u{2066}c\u{200f}\td\n\u{61c}e 👩\u{200d}🚀";
        let shown =
            "a\\u{1b}]52;c;ZXZpbA==\\u{7}\\u{9b}2J\\r\\u{7f}\\u{202e}b\\u{2066}c\\u{200f}\td\n\\u{61c}e 👩\u{200d}🚀";
        assert_eq!(String::from_utf8_lossy(&hostile.encoded(TERMINAL)), shown);
        assert_eq!(*hostile.encoded(Style::default()), *hostile.as_bytes());
        assert_eq!(*b"\xff\x9b2J".encoded(TERMINAL), *"\u{fffd}\u{fffd}2J".as_bytes());
        assert_eq!(*b"\xff\x9b2J".encoded(Style::default()), *b"\xff\x9b2J");
    }

    #[test]
    fn only_the_programs_own_colours_pass() {
        let mut painted = Painted::default();
        painted.push("\u{1b}[32mgood ");
        painted.paint("Failed\u{1b}[0m", Color::new().color(AnsiColors::Red));
        painted.push(" \u{1b}[8m\n");
        let text = |color, terminal| {
            String::from_utf8_lossy(&painted.encoded(Style { color, terminal, plain: false })).into_owned()
        };
        assert_eq!(text(true, true), "\\u{1b}[32mgood \u{1b}[31mFailed\\u{1b}[0m\u{1b}[0m \\u{1b}[8m\n");
        assert_eq!(text(false, true), "\\u{1b}[32mgood Failed\\u{1b}[0m \\u{1b}[8m\n");
        assert_eq!(text(true, false), "\u{1b}[32mgood \u{1b}[31mFailed\u{1b}[0m\u{1b}[0m \u{1b}[8m\n");
        assert_eq!(text(false, false), "\u{1b}[32mgood Failed\u{1b}[0m \u{1b}[8m\n");
    }

    #[test]
    fn text_is_measured_as_it_is_shown() {
        assert_eq!(cut("\u{1b}[2J", 6, TERMINAL), "\\u{1b…");
        let row = vec!["\u{202e}".to_owned(), "b".to_owned()];
        assert_eq!(aligned(&["A", "B"], std::slice::from_ref(&row)), "A          B\n\\u{202e}   b\n");
        let plain = Style { plain: true, ..TERMINAL };
        assert_eq!(cut("日本語日本語", 8, plain), "日本...");
        assert_eq!(cut("12345", 2, plain), "..");
        assert_eq!(beginning("a … b × c", 5, plain), "a … b...", "only the mark of what is cut off is ASCII");
    }
}
