//! The lines of a description, before their columns are aligned.

use std::fmt::{Display, Write as _};

use super::tabs;

/// Lines that are indented by two blanks per level, and whose cells end with a tab.
#[derive(Default)]
pub(super) struct DescribePage {
    text: String,
    /// The number of levels that all pieces are indented.
    moved: usize,
}

impl DescribePage {
    /// Adds a piece of a line, with the indentation of `level` before it.
    pub(super) fn put(&mut self, level: usize, piece: impl Display) {
        for _ in 0..self.moved + level {
            self.text.push_str("  ");
        }
        write!(self.text, "{piece}").expect("a string takes any text");
    }

    pub(super) fn line(&mut self, level: usize, text: impl Display) {
        self.put(level, text);
        self.text.push('\n');
    }

    pub(super) fn field(&mut self, level: usize, name: &str, value: impl Display) {
        self.line(level, format_args!("{name}:\t{value}"));
    }

    pub(super) fn optional(&mut self, level: usize, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.field(level, name, value);
        }
    }

    /// Indents every piece that `write` adds. Pieces, not lines: a line of several pieces is indented several times, as in
    /// kubectl.
    pub(super) fn nested(&mut self, levels: usize, write: impl FnOnce(&mut Self)) {
        self.moved += levels;
        write(self);
        self.moved -= levels;
    }

    /// Returns the text with aligned columns.
    ///
    /// As in kubectl, two control characters are replaced before the columns are measured, also without a terminal.
    pub(super) fn finish(self) -> String {
        tabs::align(&self.text.replace('\x1b', "^[").replace('\r', "\\r"))
    }
}
