//! Records of comma- or tab-separated values below a header.

use std::collections::HashMap;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::{Collector, Columns, Error, Item, MAX_ITEM_BYTES, Place, too_large};

/// Most fields of a record, far more than there are variables to put them in.
const MAX_FIELDS: usize = 65_536;

#[derive(Debug)]
pub(super) struct Table {
    reader: Reader,
    separator: u8,
    /// The fields of the record that is being read, one behind the other, and where each ends.
    text: Vec<u8>,
    ends: Vec<usize>,
    /// How much of the two is in use.
    text_used: usize,
    ends_used: usize,
    /// The line in which the record began.
    began: Option<u64>,
    columns: Columns,
}

impl Table {
    pub(super) fn new(separator: u8) -> Self {
        let mut reader = ReaderBuilder::new().delimiter(separator).build();
        // The reader drops a byte order mark of its own if it comes in one piece; a blank line ends its looking.
        let _ = reader.read_record(b"\n", &mut [0], &mut [0]);
        let (text, ends) = (vec![0; MAX_ITEM_BYTES + 1], vec![0; MAX_FIELDS + 1]);
        let columns = Columns::None;
        Self { reader, separator, text, ends, text_used: 0, ends_used: 0, began: None, columns }
    }

    /// Takes a line without its end, which a field between quotes may go beyond.
    pub(super) fn take_line(&mut self, at: &Place, line: &[u8], collector: &mut Collector) -> Result<bool, Error> {
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

    fn place<'a>(&self, origin: &'a str, collector: &Collector) -> Place<'a> {
        Place { origin, item: collector.pushed(), line: self.began }
    }

    /// Takes the record that just ended: the first is the header.
    fn record(&mut self, place: &Place, collector: &mut Collector) -> Result<bool, Error> {
        let mut start = 0;
        let fields = self.ends[..self.ends_used].iter().map(|&end| {
            let field = self.text[start..end].to_vec();
            start = end;
            field
        });
        let fields: Vec<_> = fields.collect();
        (self.text_used, self.ends_used, self.began) = (0, 0, None);
        let expected = self.columns.len();
        if expected == 0 {
            self.columns = Columns::Named(header(fields, place.origin)?);
            return Ok(false);
        }
        if fields.len() != expected {
            let error = Error::usage(format!(
                "{place} has {}, but the header names {}",
                count(fields.len(), "field"),
                count(expected, "column")
            ));
            let separator = if self.separator == b'\t' { "tab" } else { "comma" };
            return Err(if fields.len() > expected {
                error.hint(format!("put a field with a {separator} in it between double quotes"))
            } else {
                error.hint(format!("a field may be empty, but its {separator} must be there"))
            });
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
    let plain = "the first line names the columns; a list without names is read by --format lines";
    let mut names = Vec::with_capacity(fields.len());
    let mut seen = HashMap::new();
    for (number, field) in (1..).zip(fields) {
        let Ok(name) = String::from_utf8(field) else {
            return Err(Error::usage(format!("the name of column {number} of {origin} is not UTF-8")).hint(plain));
        };
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
