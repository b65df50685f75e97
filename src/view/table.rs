//! Tables that are printed row by row, and fit the terminal.

use std::borrow::Cow;

use unicode_width::UnicodeWidthStr as _;

use super::{Style, cut, escape_control};

/// The blanks between two columns, as kubectl prints lists.
const GAP: usize = 3;

/// The widths of the columns of a table, measured by its first rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct ColumnWidths {
    /// None for a column that is left out.
    widths: Vec<Option<usize>>,
    /// The columns of the terminal, and the style in which cells are cut to fit; None prints them whole.
    room: Option<(usize, Style)>,
}

/// A cell as it is printed.
pub(super) struct Cell<'a> {
    pub(super) column: usize,
    pub(super) text: Cow<'a, str>,
    /// The number of blanks before the cell.
    pub(super) blanks: usize,
}

impl ColumnWidths {
    /// Makes each column at least as wide as its cell.
    pub(crate) fn fit(&mut self, cells: &[impl AsRef<str>]) {
        self.widths.resize(self.widths.len().max(cells.len()), Some(0));
        for (width, cell) in self.widths.iter_mut().zip(cells) {
            *width = width.map(|width| width.max(escape_control(cell.as_ref()).width()));
        }
    }

    pub(super) fn leave_out(&mut self, column: usize) {
        self.widths[column] = None;
    }

    /// Makes all columns fit `room` columns of a terminal. The `elastic` ones are cut, in this order, to no less than the
    /// given width. If that is not enough, `spare` ones are left out, in this order. Returns those.
    pub(super) fn narrow(
        &mut self,
        room: usize,
        elastic: &[(usize, usize)],
        spare: &[usize],
        style: Style,
    ) -> Vec<usize> {
        self.room = Some((room, style));
        let mut left_out = Vec::new();
        for &column in spare {
            let mut narrowest = self.clone();
            narrowest.shrink(room, elastic);
            if narrowest.total() <= room {
                break;
            }
            if self.widths.get_mut(column).is_some_and(|width| width.take().is_some()) {
                left_out.push(column);
            }
        }
        self.shrink(room, elastic);
        left_out
    }

    fn shrink(&mut self, room: usize, elastic: &[(usize, usize)]) {
        for &(column, least) in elastic {
            let over = self.total().saturating_sub(room);
            if let Some(Some(width)) = self.widths.get_mut(column) {
                *width = (*width).min(least.max(width.saturating_sub(over)));
            }
        }
    }

    fn total(&self) -> usize {
        self.widths.iter().flatten().map(|width| width + GAP).sum::<usize>().saturating_sub(GAP)
    }

    /// Returns the cells of a row as they are printed. A cell that is too wide moves the rest, unless the table is narrowed.
    pub(super) fn cells<'a>(&self, cells: &'a [impl AsRef<str>]) -> Vec<Cell<'a>> {
        let mut shown = Vec::with_capacity(cells.len());
        let (mut blanks, mut left) = (0, self.room.map(|(room, _)| room));
        for (column, (cell, width)) in cells.iter().zip(&self.widths).enumerate() {
            let Some(width) = *width else { continue };
            let text = match (self.room, &mut left) {
                (Some((_, style)), Some(left)) => {
                    let text = cut(cell.as_ref(), width.min(*left), style);
                    if *left == 0 {
                        break;
                    }
                    *left = left.saturating_sub(width + GAP);
                    text
                }
                _ => escape_control(cell.as_ref()),
            };
            let next_blanks = width.saturating_sub(text.width()) + GAP;
            shown.push(Cell { column, text, blanks });
            blanks = next_blanks;
        }
        shown
    }

    /// Returns a row as a line.
    pub(crate) fn line(&self, cells: &[impl AsRef<str>]) -> String {
        let mut line = String::new();
        for Cell { text, blanks, .. } in self.cells(cells) {
            line.extend(std::iter::repeat_n(' ', blanks));
            line.push_str(&text);
        }
        line.push('\n');
        line
    }
}

/// Returns the sentence about columns that a terminal has no room for; None if there are none.
pub(super) fn left_out_note(names: &[&str]) -> Option<String> {
    (!names.is_empty()).then(|| format!("left out: {} (a pipe shows all)", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(room: usize, elastic: &[(usize, usize)], spare: &[usize]) -> (String, Vec<usize>) {
        let row = ["12345", "an item that is long", "abc", "a message that is long"];
        let mut widths = ColumnWidths::default();
        widths.fit(&row);
        let left_out = widths.narrow(room, elastic, spare, Style::default());
        (widths.line(&row), left_out)
    }

    #[test]
    fn columns_are_cut_before_others_are_left_out() {
        let elastic = [(3, 10), (1, 8), (3, 4)];
        assert_eq!(table(80, &elastic, &[2]).0, "12345   an item that is long   abc   a message that is long\n");
        assert_eq!(table(50, &elastic, &[2]).0, "12345   an item that is long   abc   a message th…\n");
        assert_eq!(table(40, &elastic, &[2]).0, "12345   an item that…   abc   a message…\n");
        assert_eq!(table(30, &elastic, &[2]).0, "12345   an item…   abc   a me…\n");
        assert_eq!(table(25, &elastic, &[2, 0]), ("12345   an item…   a mes…\n".to_owned(), vec![2]));
        for room in 0..80 {
            let (line, _) = table(room, &elastic, &[2, 0]);
            assert!(line.trim_end_matches('\n').width() <= room, "{room}: {line}");
        }
    }

    #[test]
    fn without_a_terminal_cells_are_whole() {
        let mut widths = ColumnWidths::default();
        widths.fit(&["\u{202e}", "b"]);
        assert_eq!(widths.line(&["\u{202e}", "b"]), "\\u{202e}   b\n");
        assert_eq!(widths.line(&["a cell that is wider", "b"]), "a cell that is wider   b\n");
    }
}
