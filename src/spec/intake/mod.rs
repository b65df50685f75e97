//! From the bytes of a file to items, as they come: what is held at a time is bounded, whatever is fed.

mod document;
mod table;

use std::fmt;
use std::io::{self, BufRead, Read as _};

use super::items::{Columns, Item, MAX_ITEM_BYTES};
use super::select::{Collector, Taken, too_large};
use crate::args::ItemsFormat;
use crate::error::Error;
use document::Shape;
use table::Table;

/// The mark that some editors put at the start of a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// Most bytes of what holds one item, with the mark before it and the carriage return of its line end.
const MAX_PIECE_BYTES: usize = MAX_ITEM_BYTES + BYTE_ORDER_MARK.len() + 1;
/// Most bytes of a JSON document, which must be held until its end.
const MAX_DOCUMENT_BYTES: usize = 64 * 1024 * 1024;

/// Where an item stands, to be read by a person. Items are counted from 0, as indexes are, and lines from 1.
#[derive(Clone, Copy, Debug)]
struct Place<'a> {
    origin: &'a str,
    item: usize,
    line: Option<u64>,
}

impl ItemsFormat {
    /// The format that the ending of a file's name means; lines unless it is known.
    pub(super) fn from_name(name: &str) -> Self {
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

/// Reads items from what is called `origin`, as many as `collector` asks for.
pub(super) fn read(
    origin: &str,
    format: ItemsFormat,
    mut input: impl BufRead,
    mut collector: Collector,
    unreadable: impl Fn(io::Error) -> Error,
) -> Result<Taken, Error> {
    use ItemsFormat::{Csv, Json, Jsonl, Lines, Null, Tsv};
    let (mut table, mut shape) = (Table::new(if format == Tsv { b'\t' } else { b',' }), Shape::default());
    // Whether the first line has a carriage return before its end, which then belongs to none.
    let mut windows = false;
    let (mut notes, mut piece, mut enough) = (Vec::new(), Vec::new(), false);
    for number in 1.. {
        let is_first = number == 1;
        let place =
            Place { origin, item: collector.pushed(), line: Some(number).filter(|_| !matches!(format, Null | Json)) };
        piece.clear();
        let ended = next_piece(format, &mut input, &mut piece).map_err(&unreadable)?;
        if piece.len() > limit(format) {
            return Err(if format == Json { document::over_the_limit(origin) } else { too_large(place) });
        }
        // What is separated by NUL is bytes, and no text that an editor wrote.
        let bare = piece.strip_prefix(BYTE_ORDER_MARK).filter(|_| is_first && format != Null);
        let text = bare.unwrap_or(&piece);
        if text.is_empty() && !ended && format != Json {
            break;
        }
        if bare.is_some() {
            notes.push(format!("the byte order mark at the start of {origin} is left out"));
        }
        enough = match format {
            Lines => {
                let bare = text.strip_suffix(b"\r").filter(|_| ended && (is_first || windows));
                if is_first && bare.is_some() {
                    windows = true;
                    notes.push(format!(
                        "the lines of {origin} end as on Windows: the carriage return is taken off each"
                    ));
                }
                take_whole(&place, bare.unwrap_or(text), &mut collector)?
            }
            Null => take_whole(&place, text, &mut collector)?,
            Csv | Tsv => table.take_line(&place, text, &mut collector)?,
            Jsonl => shape.take_line(&place, text, &mut collector)?,
            Json => document::read(text, origin, &mut shape, &mut collector).map(|()| true)?,
        };
        if enough {
            break;
        }
    }
    let columns = match format {
        Lines | Null => Columns::None,
        Csv | Tsv => table.finish(origin, &collector, enough)?,
        Json | Jsonl => shape.into_columns(),
    };
    Ok(Taken { items: collector.finish(origin, columns)?, notes })
}

/// Most bytes that are held at a time.
fn limit(format: ItemsFormat) -> usize {
    if format == ItemsFormat::Json { MAX_DOCUMENT_BYTES } else { MAX_PIECE_BYTES }
}

/// Reads what holds the next item, and one byte at most beyond the limit; returns whether a separator ended it.
fn next_piece(format: ItemsFormat, input: impl BufRead, piece: &mut Vec<u8>) -> io::Result<bool> {
    let mut input = input.take(limit(format) as u64 + 1);
    if format == ItemsFormat::Json {
        return input.read_to_end(piece).map(|_| false);
    }
    let separator = if format == ItemsFormat::Null { 0 } else { b'\n' };
    input.read_until(separator, piece)?;
    Ok(piece.pop_if(|byte| *byte == separator).is_some())
}

/// Takes an item that is all there is between two separators.
fn take_whole(place: &Place, bytes: &[u8], collector: &mut Collector) -> Result<bool, Error> {
    if bytes.len() > MAX_ITEM_BYTES {
        return Err(too_large(place));
    }
    collector.push(Item::new(bytes))
}

#[cfg(test)]
mod tests;
