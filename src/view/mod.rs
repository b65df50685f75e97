//! Renders values as text, from a style and the current time. Nothing here reads a clock, a terminal or a variable.

pub(crate) mod cause;
pub(crate) mod config;
pub(crate) mod describe;
pub(crate) mod detail;
pub(crate) mod duration;
mod go;
pub(crate) mod gotemplate;
mod group;
pub(crate) mod indexes;
pub(crate) mod joblog;
pub(crate) mod json;
pub(crate) mod jsonpath;
pub(crate) mod line;
pub(crate) mod list;
pub(crate) mod manual;
pub(crate) mod progress;
pub(crate) mod results;
pub(crate) mod summary;
mod table;
mod text;
pub(crate) mod version;
pub(crate) mod watch;

pub(crate) use table::ColumnWidths;
pub(crate) use text::{
    Painted, Printable, Style, Wording, aligned, beginning, cut, escape_control, numbered, one_line, plural,
};

#[cfg(test)]
mod tests;
