//! From the bytes of a file to items, as they come: what is held at a time is bounded, whatever is fed.

mod document;
mod table;

use std::fmt;

use super::items::{Columns, Item, MAX_ITEM_BYTES};
use super::select::{Collector, Flow, Taken, too_large};
use crate::error::Error;
use document::Shape;
use table::Table;

/// The mark that some editors put at the start of a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// Most bytes of what holds one item, with the mark before it and the carriage return of its line end.
const MAX_PIECE_BYTES: usize = MAX_ITEM_BYTES + BYTE_ORDER_MARK.len() + 1;
/// Most bytes of a JSON document, which must be held until its end.
const MAX_DOCUMENT_BYTES: usize = 64 * 1024 * 1024;

/// How a file holds its items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// One on each line.
    Lines,
    /// A NUL byte behind each.
    Null,
    /// Records of comma-separated values, below a header that names them.
    Csv,
    /// The same, separated by tabs.
    Tsv,
    /// One array of values, or of flat objects.
    Json,
    /// A value or a flat object on each line.
    Jsonl,
}

/// Where an item stands, to be read by a person. Items are counted from 0, as indexes are, and lines from 1.
#[derive(Clone, Copy, Debug)]
struct Place<'a> {
    origin: &'a str,
    item: usize,
    line: Option<u64>,
}

/// Reads items out of bytes that are pushed into it.
#[derive(Debug)]
pub(crate) struct Intake {
    origin: String,
    parser: Parser,
    /// What came behind the last separator: not yet a piece, as its separator may still come.
    rest: Vec<u8>,
    /// How many separators came.
    ended: u64,
    collector: Collector,
    notes: Vec<String>,
    enough: bool,
}

#[derive(Debug)]
enum Parser {
    Lines {
        /// Whether the first line has a carriage return before its end, which then belongs to none.
        windows: bool,
    },
    Null,
    Table(Box<Table>),
    Json(Shape),
    Jsonl(Shape),
}

impl Format {
    /// The format that the ending of a file's name means; lines unless it is known.
    pub(crate) fn from_name(name: &str) -> Self {
        let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        match ending.as_deref() {
            Some("csv") => Self::Csv,
            Some("tsv") => Self::Tsv,
            Some("json") => Self::Json,
            Some("jsonl" | "ndjson") => Self::Jsonl,
            _ => Self::Lines,
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "item {}", self.item)?;
        if let Some(line) = self.line {
            write!(f, " (line {line})")?;
        }
        write!(f, " of {}", self.origin)
    }
}

impl Place<'_> {
    fn too_large(&self) -> Error {
        too_large(&self.to_string())
    }
}

impl Intake {
    /// Reads `format` from what is called `origin`, as the name of a file, and gives the items to `collector`.
    pub(crate) fn new(origin: impl Into<String>, format: Format, collector: Collector) -> Self {
        let parser = match format {
            Format::Lines => Parser::Lines { windows: false },
            Format::Null => Parser::Null,
            Format::Csv => Parser::Table(Box::new(Table::new(b','))),
            Format::Tsv => Parser::Table(Box::new(Table::new(b'\t'))),
            Format::Json => Parser::Json(Shape::default()),
            Format::Jsonl => Parser::Jsonl(Shape::default()),
        };
        Self { origin: origin.into(), parser, rest: Vec::new(), ended: 0, collector, notes: Vec::new(), enough: false }
    }

    /// Takes the next bytes, cut anywhere.
    ///
    /// # Errors
    /// A usage error that says where the input can't be used.
    pub(crate) fn push(&mut self, mut chunk: &[u8]) -> Result<Flow, Error> {
        let (separator, limit) = match self.parser {
            Parser::Json(_) => (None, MAX_DOCUMENT_BYTES),
            Parser::Null => (Some(0), MAX_PIECE_BYTES),
            Parser::Lines { .. } | Parser::Table(_) | Parser::Jsonl(_) => (Some(b'\n'), MAX_PIECE_BYTES),
        };
        while !self.enough {
            let end = chunk.iter().position(|byte| Some(*byte) == separator);
            let piece = &chunk[..end.unwrap_or(chunk.len())];
            if self.rest.len() + piece.len() > limit {
                return Err(match self.parser {
                    Parser::Json(_) => document::over_the_limit(&self.origin, limit),
                    _ => self.place().too_large(),
                });
            }
            self.rest.extend_from_slice(piece);
            let Some(end) = end else { break };
            self.take(true)?;
            chunk = &chunk[end + 1..];
        }
        Ok(if self.enough { Flow::Enough } else { Flow::More })
    }

    /// Where the next piece stands.
    fn place(&self) -> Place<'_> {
        let has_lines = !matches!(self.parser, Parser::Null | Parser::Json(_));
        Place { origin: &self.origin, item: self.collector.pushed(), line: has_lines.then_some(self.ended + 1) }
    }

    /// Takes the piece that came, which a separator ended or the end of the input.
    fn take(&mut self, by_separator: bool) -> Result<(), Error> {
        let rest = std::mem::take(&mut self.rest);
        let is_first = self.ended == 0;
        // What is separated by NUL is bytes, and no text that an editor wrote.
        let mark = rest.strip_prefix(BYTE_ORDER_MARK).filter(|_| is_first && !matches!(self.parser, Parser::Null));
        let Place { item, line, .. } = self.place();
        let Self { origin, parser, collector, notes, .. } = self;
        if mark.is_some() {
            notes.push(format!("the byte order mark at the start of {origin} is left out"));
        }
        let (piece, place) = (mark.unwrap_or(&rest), Place { origin, item, line });
        let flow = match parser {
            Parser::Lines { windows } => {
                let bare = piece.strip_suffix(b"\r").filter(|_| by_separator && (is_first || *windows));
                if is_first && bare.is_some() {
                    *windows = true;
                    notes.push(format!(
                        "the lines of {origin} end as on Windows: the carriage return is taken off each"
                    ));
                }
                take_whole(&place, bare.unwrap_or(piece), collector)
            }
            Parser::Null => take_whole(&place, piece, collector),
            Parser::Table(table) => table.take_line(&place, piece, collector),
            Parser::Json(shape) => document::read(piece, origin, shape, collector),
            Parser::Jsonl(shape) => shape.take_line(&place, piece, collector),
        }?;
        self.enough = flow == Flow::Enough;
        self.ended += 1;
        self.rest = rest;
        self.rest.clear();
        Ok(())
    }

    /// What was selected of all that was pushed.
    ///
    /// # Errors
    /// A usage error that says where the input can't be used, or that there is nothing or too much to be had from it.
    pub(crate) fn finish(mut self) -> Result<Taken, Error> {
        let is_mark = self.ended == 0 && self.rest == BYTE_ORDER_MARK && !matches!(self.parser, Parser::Null);
        let is_left = matches!(self.parser, Parser::Json(_)) || !(self.rest.is_empty() || is_mark);
        if is_left && !self.enough {
            self.take(false)?;
        }
        let Self { origin, parser, collector, notes, enough, .. } = self;
        let columns = match parser {
            Parser::Lines { .. } | Parser::Null => Columns::None,
            Parser::Table(table) if enough => table.into_columns(),
            Parser::Table(table) => table.finish(&origin, &collector)?,
            Parser::Json(shape) | Parser::Jsonl(shape) => shape.into_columns(),
        };
        let items = collector.finish(&origin, columns)?;
        Ok(Taken { items, notes })
    }
}

/// Takes an item that is all there is between two separators.
fn take_whole(place: &Place, bytes: &[u8], collector: &mut Collector) -> Result<Flow, Error> {
    if bytes.len() > MAX_ITEM_BYTES {
        return Err(place.too_large());
    }
    collector.push(Item::new(bytes))
}

#[cfg(test)]
mod tests;
