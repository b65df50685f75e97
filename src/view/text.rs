//! Words, columns and colour.

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
    /// Whether a person reads it on a terminal, so that control characters of others must not reach it.
    pub(crate) terminal: bool,
}

/// Text on its way to a stream. All text of others passes [`Printable::encoded`] on its way to a terminal.
pub(crate) trait Printable {
    fn bytes(&self) -> &[u8];

    /// Which parts are coloured, in order and without overlap.
    fn colors(&self) -> &[(Range<usize>, Color)] {
        &[]
    }

    /// The bytes for a stream of that style; for a terminal, what could drive it or reorder its text is made visible.
    fn encoded(&self, style: Style) -> Cow<'_, [u8]> {
        let (bytes, colors) = (self.bytes(), if style.color { self.colors() } else { &[] });
        if !style.terminal && colors.is_empty() {
            return Cow::Borrowed(bytes);
        }
        let mut encoded = Vec::with_capacity(bytes.len() + 64);
        let mut end = 0;
        for (range, color) in colors {
            put(&mut encoded, &bytes[end..range.start], style);
            encoded.extend_from_slice(color.prefix_formatter().to_string().as_bytes());
            put(&mut encoded, &bytes[range.clone()], style);
            encoded.extend_from_slice(color.suffix_formatter().to_string().as_bytes());
            end = range.end;
        }
        put(&mut encoded, &bytes[end..], style);
        Cow::Owned(encoded)
    }
}

impl<T: AsRef<[u8]>> Printable for T {
    fn bytes(&self) -> &[u8] {
        self.as_ref()
    }
}

fn put(to: &mut Vec<u8>, bytes: &[u8], style: Style) {
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

/// Indexes with their noun, as in `index 3` and `indexes 3,5-7`.
pub(crate) fn numbered(indexes: &IndexSet) -> String {
    format!("{} {indexes}", if indexes.len() == 1 { "index" } else { "indexes" })
}

/// Whether a character drives a terminal, or changes the order in which it shows others.
fn drives(c: char) -> bool {
    c.is_control() && c != '\t'
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}')
}

/// Returns text with the characters made visible that drive a terminal, line breaks too; tabs stay. Text that is
/// measured or cut passes here first, so that what is measured is what is shown.
pub(crate) fn escape_control(text: &str) -> Cow<'_, str> {
    if !text.contains(drives) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if drives(c) {
            let _ = write!(escaped, "{}", c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// Returns text on one line, its words a blank apart.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns text of at most that many columns of a terminal; where something is cut off, an ellipsis says so.
pub(crate) fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    let text = escape_control(text);
    if text.width() <= columns {
        return text;
    }
    let mut kept = String::new();
    let mut taken = 1;
    for c in text.chars() {
        taken += c.width().unwrap_or(0);
        if taken > columns {
            break;
        }
        kept.push(c);
    }
    if columns > 0 {
        kept.push('…');
    }
    Cow::Owned(kept)
}

/// The first characters of a text; where there are more, an ellipsis says so.
pub(crate) fn beginning(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// How wide each column is of a table that is printed row by row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Widths(Vec<usize>);

impl Widths {
    pub(crate) fn fit(&mut self, cells: &[String]) {
        self.0.resize(self.0.len().max(cells.len()), 0);
        for (width, cell) in self.0.iter_mut().zip(cells) {
            *width = (*width).max(escape_control(cell).width());
        }
    }

    /// The cells three blanks apart, as kubectl prints lists; a cell that is too wide moves the rest.
    pub(crate) fn line(&self, cells: &[String]) -> String {
        let mut line = String::new();
        for (position, cell) in cells.iter().enumerate() {
            let cell = escape_control(cell);
            line.push_str(&cell);
            if position + 1 < cells.len() {
                let width = self.0.get(position).copied().unwrap_or(0);
                line.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width()) + 3));
            }
        }
        line.push('\n');
        line
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

/// The start of a list up to its first comma at this position or behind it; None if there is none.
pub(super) fn up_to_comma(list: &str, position: usize) -> Option<&str> {
    let comma = position + list.get(position..)?.find(',')?;
    Some(&list[..=comma])
}

#[cfg(test)]
mod tests {
    use owo_colors::AnsiColors;

    use super::*;

    const TERMINAL: Style = Style { color: false, terminal: true };

    #[test]
    fn a_terminal_gets_nothing_that_drives_it() {
        let hostile = "a\u{1b}]52;c;ZXZpbA==\u{7}\u{9b}2J\r\u{7f}\u{202e}b\u{2066}c\u{200f}\td\n\u{61c}e 👩\u{200d}🚀";
        let shown =
            "a\\u{1b}]52;c;ZXZpbA==\\u{7}\\u{9b}2J\\r\\u{7f}\\u{202e}b\\u{2066}c\\u{200f}\td\n\\u{61c}e 👩\u{200d}🚀";
        assert_eq!(String::from_utf8_lossy(&hostile.encoded(TERMINAL)), shown);
        assert_eq!(*hostile.encoded(Style::default()), *hostile.as_bytes());
        assert_eq!(*b"\xff\x9b2J".encoded(TERMINAL), *"\u{fffd}\u{fffd}2J".as_bytes());
        assert_eq!(*b"\xff\x9b2J".encoded(Style::default()), *b"\xff\x9b2J");
    }

    #[test]
    fn only_our_own_colours_pass() {
        let mut painted = Painted::default();
        painted.push("\u{1b}[32mgood ");
        painted.paint("Failed\u{1b}[0m", Color::new().color(AnsiColors::Red));
        painted.push(" \u{1b}[8m\n");
        let text = |color, terminal| String::from_utf8_lossy(&painted.encoded(Style { color, terminal })).into_owned();
        assert_eq!(text(true, true), "\\u{1b}[32mgood \u{1b}[31mFailed\\u{1b}[0m\u{1b}[0m \\u{1b}[8m\n");
        assert_eq!(text(false, true), "\\u{1b}[32mgood Failed\\u{1b}[0m \\u{1b}[8m\n");
        assert_eq!(text(true, false), "\u{1b}[32mgood \u{1b}[31mFailed\u{1b}[0m\u{1b}[0m \u{1b}[8m\n");
        assert_eq!(text(false, false), "\u{1b}[32mgood Failed\u{1b}[0m \u{1b}[8m\n");
    }

    #[test]
    fn what_is_cut_or_aligned_is_measured_as_it_is_shown() {
        assert_eq!(cut("\u{1b}[2J", 6), "\\u{1b…");
        let row = vec!["\u{202e}".to_owned(), "b".to_owned()];
        assert_eq!(aligned(&["A", "B"], std::slice::from_ref(&row)), "A          B\n\\u{202e}   b\n");
        let mut widths = Widths::default();
        widths.fit(&row);
        assert_eq!(widths.line(&row), "\\u{202e}   b\n");
    }
}
