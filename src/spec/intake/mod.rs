//! Parses the bytes of a list into items, in bounded memory.

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
use text::{BYTE_ORDER_MARK, ListText};

/// The most bytes of one piece: an item with a byte order mark and the carriage return of its line end.
const MAX_PIECE_BYTES: usize = MAX_ITEM_BYTES + BYTE_ORDER_MARK.len() + 1;
/// The most bytes of a JSON document, which is read as a whole.
const MAX_DOCUMENT_BYTES: usize = 64 * 1024 * 1024;

/// Where a list comes from, as a message names it.
#[derive(Clone, Copy, Debug)]
pub(super) enum ListOrigin<'a> {
    Stdin,
    /// A file by its path.
    File(&'a str),
    /// `NAME/KEY` of a ConfigMap.
    ConfigMap(&'a str),
}

impl fmt::Display for ListOrigin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("stdin"),
            Self::File(path) => f.write_str(path),
            Self::ConfigMap(name) => write!(f, "configmap {name:?}"),
        }
    }
}

/// The place of an item, as a message names it. Items are counted from 0, as indexes are, and lines from 1.
#[derive(Clone, Copy, Debug)]
struct ItemPlace<'a> {
    origin: ListOrigin<'a>,
    item: usize,
    line: Option<u64>,
}

impl ItemsFormat {
    /// Returns the format by the ending of a file's name; the default is lines.
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

/// The format of a file and its columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct FileLayout {
    pub(super) format: ItemsFormat,
    /// The separator of `--colsep`; it makes lines a table without a header.
    pub(super) separator: Option<u8>,
    /// Whether the first line of a table is an item; `None` without `--no-header`.
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

/// Reads items from `input` until `collector` needs no more. `unreadable` makes the error of a failed read.
pub(super) fn read(
    origin: ListOrigin<'_>,
    layout: FileLayout,
    mut input: impl BufRead,
    mut collector: Collector,
    unreadable: impl Fn(io::Error) -> Error,
) -> Result<LoadedItems, Error> {
    use ItemsFormat::{Csv, Json, Jsonl, Lines, Null, Tsv};
    let format = layout.format;
    let (mut table, mut shape) = (TableReader::new(layout), JsonShape::default());
    // In a table, a blank line is no row.
    let mut text = ListText::new(origin, if layout.is_table() && format == Lines { Tsv } else { format });
    let (mut piece, mut is_enough) = (Vec::new(), false);
    for number in 1.. {
        let place = ItemPlace {
            origin,
            item: collector.pushed(),
            line: Some(number).filter(|_| !matches!(format, Null | Json)),
        };
        piece.clear();
        let ended = read_piece(format, &mut input, &mut piece).map_err(&unreadable)?;
        if piece.len() > limit(format) {
            return Err(if format == Json { document::over_limit_error(origin) } else { too_large(place) });
        }
        let Some(text) = text.clean_piece(&piece, ended)? else { break };
        is_enough = match format {
            _ if layout.is_table() => table.read_line(&place, text, &mut collector)?,
            Lines | Null | Csv | Tsv => read_whole(&place, text, &mut collector)?,
            Jsonl => shape.read_line(&place, text, &mut collector)?,
            Json => document::read_array(text, origin, &mut shape, &mut collector).map(|()| true)?,
        };
        if is_enough {
            break;
        }
    }
    let mut notes = text.into_notes();
    let columns = match format {
        _ if layout.is_table() => {
            notes.extend(table.take_notes(origin));
            table.finish(origin, &collector, is_enough)?
        }
        Lines | Null | Csv | Tsv => Columns::None,
        Json | Jsonl => shape.into_columns(),
    };
    let has_header = layout.has_header() && layout.no_header.is_none();
    Ok(LoadedItems {
        items: collector.finish(origin, columns)?,
        notes,
        header_of: has_header.then(|| origin.to_string()),
    })
}

/// Returns the most bytes that are held at a time.
fn limit(format: ItemsFormat) -> usize {
    if format == ItemsFormat::Json { MAX_DOCUMENT_BYTES } else { MAX_PIECE_BYTES }
}

/// Reads the next piece, and at most one byte beyond the limit. Returns whether a separator ended it.
fn read_piece(format: ItemsFormat, input: impl BufRead, piece: &mut Vec<u8>) -> io::Result<bool> {
    let mut input = input.take(limit(format) as u64 + 1);
    if format == ItemsFormat::Json {
        return input.read_to_end(piece).map(|_| false);
    }
    let separator = if format == ItemsFormat::Null { 0 } else { b'\n' };
    input.read_until(separator, piece)?;
    Ok(piece.pop_if(|byte| *byte == separator).is_some())
}

/// Reads an item that fills a whole piece.
fn read_whole(place: &ItemPlace, bytes: &[u8], collector: &mut Collector) -> Result<bool, Error> {
    if bytes.len() > MAX_ITEM_BYTES {
        return Err(too_large(place));
    }
    collector.push(Item::new(bytes))
}

#[cfg(test)]
mod tests;
