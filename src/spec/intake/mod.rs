//! From the bytes of a file to items, as they come: what is held at a time is bounded, whatever is fed.

mod document;
mod splitter;
mod table;

use std::fmt;

use super::items::{Columns, Item, MAX_ITEM_BYTES};
use super::select::{Collector, Flow, Taken, too_large};
use crate::error::Error;
use document::Shape;
use splitter::Splitter;
use table::Table;

/// The mark that some editors put at the start of a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
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
    /// What may turn out to be a byte order mark, as long as that is not known.
    start: Option<Vec<u8>>,
    parser: Parser,
    collector: Collector,
    notes: Vec<String>,
    enough: bool,
}

#[derive(Debug)]
enum Parser {
    Lines(Splitter, LineEnds),
    Null(Splitter),
    Table(Box<Table>),
    Json(Vec<u8>),
    Jsonl(Splitter, Shape),
}

/// What the first line that ended told about the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LineEnds {
    Unknown,
    Plain,
    /// A carriage return before each.
    Windows,
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
            Format::Lines => Parser::Lines(Splitter::new(b'\n'), LineEnds::Unknown),
            Format::Null => Parser::Null(Splitter::new(0)),
            Format::Csv => Parser::Table(Box::new(Table::new(b','))),
            Format::Tsv => Parser::Table(Box::new(Table::new(b'\t'))),
            Format::Json => Parser::Json(Vec::new()),
            Format::Jsonl => Parser::Jsonl(Splitter::new(b'\n'), Shape::default()),
        };
        // What is separated by NUL is bytes, and no text that an editor wrote.
        let start = (format != Format::Null).then(Vec::new);
        Self { origin: origin.into(), start, parser, collector, notes: Vec::new(), enough: false }
    }

    /// Takes the next bytes, cut anywhere.
    ///
    /// # Errors
    /// A usage error that says where the input can't be used.
    pub(crate) fn push(&mut self, chunk: &[u8]) -> Result<Flow, Error> {
        let Some(mut start) = self.start.take() else { return self.feed(chunk) };
        let missing = BYTE_ORDER_MARK.len() - start.len();
        let (head, rest) = chunk.split_at(missing.min(chunk.len()));
        start.extend_from_slice(head);
        if start == BYTE_ORDER_MARK {
            self.notes.push(format!("the byte order mark at the start of {} is left out", self.origin));
            return self.feed(rest);
        }
        if BYTE_ORDER_MARK.starts_with(&start) {
            self.start = Some(start);
            return Ok(Flow::More);
        }
        match self.feed(&start)? {
            Flow::More => self.feed(rest),
            Flow::Enough => Ok(Flow::Enough),
        }
    }

    fn feed(&mut self, chunk: &[u8]) -> Result<Flow, Error> {
        if self.enough {
            return Ok(Flow::Enough);
        }
        // To the CSV reader, nothing would mean the end.
        if chunk.is_empty() {
            return Ok(Flow::More);
        }
        let Self { origin, parser, collector, notes, .. } = self;
        let flow = match parser {
            Parser::Lines(splitter, ends) => splitter.feed(chunk, origin, collector, |place, line, collector| {
                if *ends == LineEnds::Unknown {
                    *ends = if line.ends_with(b"\r") { LineEnds::Windows } else { LineEnds::Plain };
                    if *ends == LineEnds::Windows {
                        notes.push(format!(
                            "the lines of {origin} end as on Windows: the carriage return is taken off each"
                        ));
                    }
                }
                let bare = if *ends == LineEnds::Windows { line.strip_suffix(b"\r") } else { None };
                take_whole(place, bare.unwrap_or(line), collector)
            }),
            Parser::Null(splitter) => splitter.feed(chunk, origin, collector, take_whole),
            Parser::Table(table) => table.feed(chunk, origin, collector),
            Parser::Json(document) => {
                if document.len() + chunk.len() > MAX_DOCUMENT_BYTES {
                    return Err(document::over_the_limit(origin, MAX_DOCUMENT_BYTES));
                }
                document.extend_from_slice(chunk);
                Ok(Flow::More)
            }
            Parser::Jsonl(splitter, shape) => splitter
                .feed(chunk, origin, collector, |place, line, collector| shape.take_line(place, line, collector)),
        }?;
        self.enough = flow == Flow::Enough;
        Ok(flow)
    }

    /// What was selected of all that was pushed.
    ///
    /// # Errors
    /// A usage error that says where the input can't be used, or that there is nothing or too much to be had from it.
    pub(crate) fn finish(mut self) -> Result<Taken, Error> {
        if let Some(start) = self.start.take() {
            let _ = self.feed(&start)?;
        }
        let Self { origin, parser, mut collector, notes, enough, .. } = self;
        let columns = match parser {
            Parser::Lines(splitter, _) | Parser::Null(splitter) => {
                if !enough && !splitter.rest().is_empty() {
                    let _ = take_whole(&splitter.place(&origin, &collector), splitter.rest(), &mut collector)?;
                }
                Columns::None
            }
            Parser::Table(mut table) => {
                if !enough {
                    table.finish(&origin, &mut collector)?;
                }
                table.into_columns()
            }
            Parser::Json(document) => document::read(&document, &origin, &mut collector)?,
            Parser::Jsonl(splitter, mut shape) => {
                if !enough {
                    let place = splitter.place(&origin, &collector);
                    let _ = shape.take_line(&place, splitter.rest(), &mut collector)?;
                }
                shape.into_columns()
            }
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
