//! Words, columns and colour.

use std::borrow::Cow;
use std::fmt::Write as _;

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::index_set::IndexSet;

/// How text is to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Style {
    /// Whether colour codes may be written.
    pub(crate) color: bool,
    /// Whether a person reads it on a terminal, so that control characters of others must not reach it.
    pub(crate) terminal: bool,
}

impl Style {
    /// `text` in `color`, where colour is wanted.
    pub(crate) fn paint(self, text: &str, color: owo_colors::Style) -> String {
        if self.color { color.style(text).to_string() } else { text.to_owned() }
    }
}

/// A count and its noun.
pub(crate) fn plural(count: usize, one: &str, many: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {many}"),
    }
}

/// Indexes with their noun, as in `index 3` and `indexes 3,5-7`.
pub(crate) fn numbered(indexes: &IndexSet) -> String {
    format!("{} {indexes}", if indexes.len() == 1 { "index" } else { "indexes" })
}

/// Text from the cluster or from items, with the control characters made visible that would otherwise drive the
/// terminal; tabs stay.
pub(crate) fn escape_control(text: &str) -> Cow<'_, str> {
    let drives = |c: char| c.is_control() && c != '\t';
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

/// Puts a cell of comma-separated values (RFC 4180) behind others, quoted where it has to be; bytes stay as they are.
pub(crate) fn csv_cell(line: &mut Vec<u8>, cell: &[u8]) {
    if !cell.iter().any(|byte| matches!(byte, b'"' | b',' | b'\n' | b'\r')) {
        line.extend_from_slice(cell);
        return;
    }
    line.push(b'"');
    for &byte in cell {
        line.extend((byte == b'"').then_some(b'"'));
        line.push(byte);
    }
    line.push(b'"');
}

/// Text of at most that many columns of a terminal; where something is cut off, an ellipsis says so.
pub(crate) fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    if text.width() <= columns {
        return Cow::Borrowed(text);
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
    /// Makes room for the cells of a row.
    pub(crate) fn fit(&mut self, cells: &[String]) {
        self.0.resize(self.0.len().max(cells.len()), 0);
        for (width, cell) in self.0.iter_mut().zip(cells) {
            *width = (*width).max(cell.width());
        }
    }

    /// The cells three blanks apart, as kubectl prints lists; a cell that is too wide moves the rest.
    pub(crate) fn line(&self, cells: &[String]) -> String {
        let mut line = String::new();
        for (position, cell) in cells.iter().enumerate() {
            line.push_str(cell);
            if position + 1 < cells.len() {
                let width = self.0.get(position).copied().unwrap_or(0);
                line.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width()) + 3));
            }
        }
        line.push('\n');
        line
    }
}

/// Rows in columns, three blanks apart, as kubectl prints lists. Cells are printed whole.
pub(crate) fn aligned(header: Option<&[&str]>, rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    if let Some(header) = header {
        table.set_header(header.to_vec());
    }
    let columns = header.map_or_else(|| rows.first().map_or(0, Vec::len), <[&str]>::len);
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        let last = column.index + 1 == columns;
        column.set_padding((0, if last { 0 } else { 3 }));
    }
    let mut text = table.trim_fmt();
    text.push('\n');
    text
}
