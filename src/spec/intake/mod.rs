//! From the bytes of a file to items, as they come: what is held at a time is bounded, whatever is fed.

mod document;
mod table;
pub(crate) mod text;

use std::fmt;
use std::io::{self, BufRead, Read as _};

use super::items::{Columns, Item, MAX_ITEM_BYTES};
use super::select::{Collector, LoadedItems, too_large};
use crate::args::ItemsFormat;
use crate::error::Error;
use document::JsonShape;
use table::TableReader;
use text::{BYTE_ORDER_MARK, Text};

/// Most bytes of what holds one item, with a mark before it and the carriage return of its line end.
const MAX_PIECE_BYTES: usize = MAX_ITEM_BYTES + BYTE_ORDER_MARK.len() + 1;
/// Most bytes of a JSON document, which must be held until its end.
const MAX_DOCUMENT_BYTES: usize = 64 * 1024 * 1024;

/// Where an item stands, to be read by a person. Items are counted from 0, as indexes are, and lines from 1.
#[derive(Clone, Copy, Debug)]
struct ItemPlace<'a> {
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

impl fmt::Display for ItemPlace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "item {}", self.item)?;
        if let Some(line) = self.line {
            write!(f, " (line {line})")?;
        }
        write!(f, " of {}", self.origin)
    }
}

/// How a file holds its items, and what the flags say about its columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct FileLayout {
    pub(super) format: ItemsFormat,
    /// The separator of columns that the user named; of lines it makes a table without a header.
    pub(super) separator: Option<u8>,
    /// Whether the first line of a table is an item; None if the user did not say.
    pub(super) no_header: Option<bool>,
}

impl FileLayout {
    fn is_table(self) -> bool {
        matches!(self.format, ItemsFormat::Csv | ItemsFormat::Tsv) || self.separator.is_some()
    }

    fn has_header(self) -> bool {
        self.is_table() && !self.no_header.unwrap_or(self.format == ItemsFormat::Lines)
    }
}

/// Reads items from what is called `origin`, as many as `collector` asks for.
pub(super) fn read(
    origin: &str,
    layout: FileLayout,
    mut input: impl BufRead,
    mut collector: Collector,
    unreadable: impl Fn(io::Error) -> Error,
) -> Result<LoadedItems, Error> {
    use ItemsFormat::{Csv, Json, Jsonl, Lines, Null, Tsv};
    let format = layout.format;
    let (mut table, mut shape) = (TableReader::new(layout), JsonShape::default());
    // A table has rows, in which a blank line is nothing.
    let mut text = Text::new(origin, if layout.is_table() && format == Lines { Tsv } else { format });
    let (mut piece, mut enough) = (Vec::new(), false);
    for number in 1.. {
        let place = ItemPlace {
            origin,
            item: collector.pushed(),
            line: Some(number).filter(|_| !matches!(format, Null | Json)),
        };
        piece.clear();
        let ended = next_piece(format, &mut input, &mut piece).map_err(&unreadable)?;
        if piece.len() > limit(format) {
            return Err(if format == Json { document::over_the_limit(origin) } else { too_large(place) });
        }
        let Some(text) = text.take(&piece, ended)? else { break };
        enough = match format {
            _ if layout.is_table() => table.take_line(&place, text, &mut collector)?,
            Lines | Null | Csv | Tsv => take_whole(&place, text, &mut collector)?,
            Jsonl => shape.take_line(&place, text, &mut collector)?,
            Json => document::read(text, origin, &mut shape, &mut collector).map(|()| true)?,
        };
        if enough {
            break;
        }
    }
    let mut notes = text.into_notes();
    let columns = match format {
        _ if layout.is_table() => {
            notes.extend(table.take_notes(origin));
            table.finish(origin, &collector, enough)?
        }
        Lines | Null | Csv | Tsv => Columns::None,
        Json | Jsonl => shape.into_columns(),
    };
    let has_header = layout.has_header() && layout.no_header.is_none();
    Ok(LoadedItems {
        items: collector.finish(origin, columns)?,
        notes,
        header_of: has_header.then(|| origin.to_owned()),
    })
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
fn take_whole(place: &ItemPlace, bytes: &[u8], collector: &mut Collector) -> Result<bool, Error> {
    if bytes.len() > MAX_ITEM_BYTES {
        return Err(too_large(place));
    }
    collector.push(Item::new(bytes))
}

#[cfg(test)]
mod tests;
