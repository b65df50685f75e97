//! Records of values between separators, below a header or without one.

use std::collections::HashMap;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::{Collector, Columns, Error, FileLayout, Item, ItemPlace, ItemsFormat, MAX_ITEM_BYTES, too_large};

/// Most fields of a record, far more than there are variables to put them in.
const MAX_FIELDS: usize = 65_536;
/// Characters that separate columns in some file or other.
const SEPARATORS: [char; 4] = [',', ';', '\t', '|'];

#[derive(Debug)]
pub(super) struct TableReader {
    reader: Reader,
    layout: FileLayout,
    separator: u8,
    /// Whether double quotes enclose fields. Those of TSV never do (IANA, text/tab-separated-values).
    quoting: bool,
    /// The fields of the record that is being read, one behind the other, and where each ends.
    text: Vec<u8>,
    ends: Vec<usize>,
    /// How much of the two is in use.
    text_used: usize,
    ends_used: usize,
    began: Option<u64>,
    columns: Columns,
    /// Whether names in the header have blanks around them.
    trimmed: bool,
    /// The first line with a value between double quotes, where those are no quoting.
    quoted: Option<u64>,
}

impl TableReader {
    pub(super) fn new(layout: FileLayout) -> Self {
        let separator = layout.separator.unwrap_or(if layout.format == ItemsFormat::Tsv { b'\t' } else { b',' });
        let quoting = layout.format == ItemsFormat::Csv;
        let mut reader = ReaderBuilder::new().delimiter(separator).quoting(quoting).build();
        // The reader drops a byte order mark of its own if it comes in one piece; a blank line ends its looking.
        let _ = reader.read_record(b"\n", &mut [0], &mut [0]);
        let (text, ends) = (vec![0; MAX_ITEM_BYTES + 1], vec![0; MAX_FIELDS + 1]);
        Self {
            reader,
            layout,
            separator,
            quoting,
            text,
            ends,
            text_used: 0,
            ends_used: 0,
            began: None,
            columns: Columns::None,
            trimmed: false,
            quoted: None,
        }
    }

    /// Takes a line without its end, which a field between quotes may go beyond.
    pub(super) fn take_line(&mut self, at: &ItemPlace, line: &[u8], collector: &mut Collector) -> Result<bool, Error> {
        for mut chunk in [line, b"\n"] {
            // To the reader, nothing would mean the end.
            while !chunk.is_empty() {
                let (result, read, text, ends) =
                    self.reader.read_record(chunk, &mut self.text[self.text_used..], &mut self.ends[self.ends_used..]);
                self.text_used += text;
                self.ends_used += ends;
                // Blank lines before the record are none of it.
                if self.began.is_none() && chunk[..read].iter().any(|byte| !matches!(byte, b'\r' | b'\n')) {
                    self.began = at.line;
                }
                chunk = &chunk[read..];
                let place = self.place(at.origin, collector);
                match result {
                    ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
                    ReadRecordResult::OutputFull => {
                        let hint = "a double quote that never closes makes one item of all that follows";
                        return Err(too_large(place).hint(hint));
                    }
                    ReadRecordResult::OutputEndsFull => {
                        return Err(Error::usage(format!("{place} has more than {MAX_FIELDS} fields")));
                    }
                    ReadRecordResult::Record => {
                        if self.record(&place, collector)? {
                            return Ok(true);
                        }
                    }
                }
            }
        }
        Ok(false)
    }

    fn place<'a>(&self, origin: &'a str, collector: &Collector) -> ItemPlace<'a> {
        ItemPlace { origin, item: collector.pushed(), line: self.began }
    }

    /// Takes the record that just ended: the first is the header.
    fn record(&mut self, place: &ItemPlace, collector: &mut Collector) -> Result<bool, Error> {
        let mut start = 0;
        let fields = self.ends[..self.ends_used].iter().map(|&end| {
            let field = self.text[start..end].to_vec();
            start = end;
            field
        });
        let fields: Vec<_> = fields.collect();
        (self.text_used, self.ends_used, self.began) = (0, 0, None);
        let is_quoted = |field: &Vec<u8>| field.len() > 1 && field.starts_with(b"\"") && field.ends_with(b"\"");
        if !self.quoting && self.quoted.is_none() && fields.iter().any(is_quoted) {
            self.quoted = place.line;
        }
        let expected = self.columns.len();
        if expected == 0 && self.layout.has_header() {
            self.trimmed = fields.iter().any(|field| field.trim_ascii() != field.as_slice());
            self.columns = Columns::Named(header(fields, place.origin)?);
            return Ok(false);
        }
        if expected == 0 {
            self.columns = Columns::Numbered(fields.len());
        } else if fields.len() != expected {
            return Err(self.uneven(place, fields.len()));
        }
        if collector.pushed() == 0 {
            self.check_separator(place.origin, &fields)?;
        }
        let item = Item::of(&self.columns, fields).map_err(|column| {
            Error::usage(format!(
                "{place} has bytes in the column {} that are not UTF-8, which a record can't carry",
                self.columns.label(column)
            ))
            .hint("give the list as lines by --format lines, or NUL-separated by -0: both carry any bytes")
        })?;
        collector.push(item)
    }

    /// The error of a record with more or fewer fields than the table has columns.
    fn uneven(&self, place: &ItemPlace, fields: usize) -> Error {
        let expected = self.columns.len();
        let first = if self.layout.has_header() { "the header names" } else { "the first line has" };
        let (fields_there, columns) = (count(fields, "field"), count(expected, "column"));
        let error = Error::usage(format!("{place} has {fields_there}, but {first} {columns}"));
        let separator = match self.separator {
            b'\t' => "tab".to_owned(),
            b',' => "comma".to_owned(),
            other => format!("{:?}", char::from(other)),
        };
        if fields < expected {
            error.hint(format!("a field may be empty, but its {separator} must be there"))
        } else if self.quoting {
            error.hint(format!("put a field with a {separator} in it between double quotes"))
        } else {
            error.hint(format!("a field can't have a {separator} in it; in CSV it can, between double quotes"))
        }
    }

    /// Checks that one column is not several with another separator between them, by the first line and the next.
    fn check_separator(&self, origin: &str, row: &[Vec<u8>]) -> Result<(), Error> {
        let (Columns::Named(names), [value], None) = (&self.columns, row, self.layout.separator) else { return Ok(()) };
        let [name] = names.as_slice() else { return Ok(()) };
        let value = String::from_utf8_lossy(value);
        let separates = |c: &char| name.contains(*c) && name.matches(*c).count() == value.matches(*c).count();
        let Some(separator) = SEPARATORS.into_iter().find(separates) else { return Ok(()) };
        let own = if self.separator == b'\t' { "'\\t'" } else { "," };
        Err(Error::usage(format!("{origin} has one column, {name:?}, with {separator:?} in it")).hint(
            match separator {
                '\t' => format!("if tabs separate its columns, add --format tsv; if not, add --colsep {own}"),
                ',' => format!("if commas separate its columns, add --format csv; if not, add --colsep {own}"),
                other => format!("if it separates columns, add --colsep '{other}'; if not, add --colsep {own}"),
            },
        ))
    }

    pub(super) fn take_notes(&mut self, origin: &str) -> Vec<String> {
        let trimmed =
            format!("the blanks around names in the header of {origin} are left out; those around values stay");
        let quoted = self.quoted.take().map(|line| {
            let name = if self.layout.format == ItemsFormat::Tsv { "TSV" } else { "a list with --colsep" };
            format!("{name} has no quoting: the double quotes in line {line} of {origin} belong to the values")
        });
        self.trimmed.then_some(trimmed).into_iter().chain(quoted).collect()
    }

    /// The columns, where every record is whole or nothing more was asked for.
    pub(super) fn finish(self, origin: &str, collector: &Collector, enough: bool) -> Result<Columns, Error> {
        if enough {
            return Ok(self.columns);
        }
        if self.began.is_some() {
            let place = self.place(origin, collector);
            let subject = if self.columns.len() == 0 { format!("the header of {origin}") } else { place.to_string() };
            return Err(Error::usage(format!("a double quote opens in {subject} and never closes"))
                .hint("double it if it is meant: \"say \"\"hi\"\"\""));
        }
        if self.columns.len() == 0 && !self.layout.has_header() {
            return Err(Error::usage(format!("there are no items in {origin}")));
        }
        if self.columns.len() == 0 {
            return Err(Error::usage(format!("{origin} is empty: its first line must name the columns")));
        }
        if collector.pushed() == 0 {
            return Err(Error::usage(format!("there are no items in {origin}: it has a header and no rows")));
        }
        Ok(self.columns)
    }
}

fn count(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// The names of the columns. Columns are counted from 1, as placeholders count them.
fn header(fields: Vec<Vec<u8>>, origin: &str) -> Result<Vec<String>, Error> {
    let plain = "the first line names the columns; --no-header reads a table without names";
    let mut names = Vec::with_capacity(fields.len());
    let mut seen = HashMap::new();
    for (number, field) in (1..).zip(fields) {
        let Ok(name) = String::from_utf8(field) else {
            return Err(Error::usage(format!("the name of column {number} of {origin} is not UTF-8")).hint(plain));
        };
        let name = name.trim().to_owned();
        if name.is_empty() {
            return Err(Error::usage(format!("column {number} of {origin} has no name")).hint(plain));
        }
        if let Some(earlier) = seen.insert(name.clone(), number) {
            return Err(Error::usage(format!(
                "two columns of {origin} are called {name:?}: column {earlier} and column {number}"
            ))
            .hint(plain));
        }
        names.push(name);
    }
    Ok(names)
}
