//! The lines of a description before their columns are aligned.

use std::fmt::{Display, Write as _};

use super::tabs;

/// Text under way: lines indented by two blanks a level, whose cells end with a tab.
#[derive(Default)]
pub(super) struct Page {
    text: String,
    /// Levels that everything is moved to the right by.
    moved: usize,
}

impl Page {
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

    /// Moves every piece that `write` adds to the right: pieces, not lines, which is why columns after the first move
    /// once more than those before.
    pub(super) fn nested(&mut self, levels: usize, write: impl FnOnce(&mut Self)) {
        self.moved += levels;
        write(self);
        self.moved -= levels;
    }

    /// The text with its columns aligned and with nothing in it that steers a terminal.
    ///
    /// The two characters replaced, and what by, are kubectl's own choice. It makes it also for output that goes to no
    /// terminal, and before it measures the columns.
    pub(super) fn finish(self) -> String {
        tabs::align(&self.text.replace('\x1b', "^[").replace('\r', "\\r"))
    }
}
