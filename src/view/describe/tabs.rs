//! Elastic tab stops, as Go's `text/tabwriter` sets them for kubectl.
//!
//! The tabwriter crate is no replacement: it measures terminal columns where Go counts code points, and its only separators
//! are tab and newline. Names and values of a Job can have any text, so the output would differ.

const PADDING: usize = 2;

/// Replaces the tabs in `text` by the blanks that align its columns.
///
/// A cell ends at a tab, or at a vertical tab; what follows the last one in a line is in no column. A column is as wide
/// as its widest cell in consecutive lines. A form feed is a newline after which all columns start anew.
pub(super) fn align(text: &str) -> String {
    let mut aligned = String::with_capacity(text.len() * 2);
    for block in text.split_inclusive('\x0c') {
        let lines: Vec<Vec<&str>> = block
            .split_inclusive(['\n', '\x0c'])
            .map(|line| line.trim_end_matches(['\n', '\x0c']).split(['\t', '\x0b']).collect())
            .collect();
        for (cells, widths) in lines.iter().zip(widths(&lines)) {
            for (cell, width) in cells.iter().zip(&widths) {
                aligned.push_str(cell);
                aligned.extend(std::iter::repeat_n(' ', width - cell.chars().count()));
            }
            aligned.push_str(cells.last().copied().unwrap_or_default());
            aligned.push('\n');
        }
    }
    aligned
}

/// The width of every cell but the last, for each line.
fn widths(lines: &[Vec<&str>]) -> Vec<Vec<usize>> {
    let mut widths: Vec<Vec<usize>> = lines.iter().map(|cells| Vec::with_capacity(cells.len() - 1)).collect();
    for first in 0..lines.len() {
        // The columns that began in a line above are already measured.
        for column in widths[first].len()..lines[first].len() - 1 {
            let in_column = lines[first..].iter().take_while(|cells| column + 1 < cells.len());
            let (count, widest) =
                in_column.fold((0, 0), |(count, widest), cells| (count + 1, cells[column].chars().count().max(widest)));
            for widths in &mut widths[first..first + count] {
                widths.push(widest + PADDING);
            }
        }
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::align;

    #[test]
    fn a_line_without_a_tab_ends_the_columns() {
        assert_eq!(align("a\tb\nccc\td\nlonger than all\ne\tf\n"), "a    b\nccc  d\nlonger than all\ne  f\n");
    }

    #[test]
    fn a_column_ends_where_a_line_lacks_it() {
        assert_eq!(align("a\tbbbb\tc\nd\te\nf\tg\th\n"), "a  bbbb  c\nd  e\nf  g  h\n");
    }

    #[test]
    fn an_empty_cell_keeps_its_column() {
        assert_eq!(align("Labels:\ta=1\n\tb=2\n"), "Labels:  a=1\n         b=2\n");
    }

    #[test]
    fn code_points_count_not_the_columns_of_a_terminal() {
        assert_eq!(align("日本\tb\naa\tb\n"), "日本  b\naa  b\n");
    }

    #[test]
    fn vertical_tab_and_form_feed_separate_too() {
        assert_eq!(align("a\x0bb\nccc\td\x0ce\tf\n"), "a    b\nccc  d\ne  f\n");
    }
}
