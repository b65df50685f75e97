//! Tables: records of fields between separators, with or without a header.

use std::collections::HashMap;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::{
    Collector, Columns, Error, FileLayout, Item, ItemPlace, ItemsFormat, ListOrigin, MAX_ITEM_BYTES, too_large,
};

/// The most fields of a record, far more than variables can hold.
const MAX_FIELDS: usize = 65_536;
/// The usual separators of columns.
const SEPARATORS: [char; 4] = [',', ';', '\t', '|'];

#[derive(Debug)]
pub(super) struct TableReader {
    reader: Reader,
    layout: FileLayout,
    separator: u8,
    /// Whether double quotes enclose fields. In TSV they do not (IANA, text/tab-separated-values).
    quoting: bool,
    /// The fields of the current record in one buffer, and the end of each.
    text: Vec<u8>,
    ends: Vec<usize>,
    /// The used parts of the two buffers.
    text_used: usize,
    ends_used: usize,
    began: Option<u64>,
    columns: Columns,
    /// Whether names in the header have spaces around them.
    trimmed: bool,
    /// The first line with a value between double quotes, in a format without quoting.
    quoted: Option<u64>,
}

impl TableReader {
    pub(super) fn new(layout: FileLayout) -> Self {
        let separator = layout.separator.unwrap_or(if layout.format == ItemsFormat::Tsv { b'\t' } else { b',' });
        let quoting = layout.format == ItemsFormat::Csv;
        let mut reader = ReaderBuilder::new().delimiter(separator).quoting(quoting).build();
        // The reader would drop a byte order mark, but only an unsplit one; a blank line stops that.
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

    /// Reads a line without its end. A quoted field may continue on the next line.
    pub(super) fn read_line(&mut self, at: &ItemPlace, line: &[u8], collector: &mut Collector) -> Result<bool, Error> {
        for mut chunk in [line, b"\n"] {
            // The reader takes an empty chunk for the end.
            while !chunk.is_empty() {
                let (result, read, text, ends) =
                    self.reader.read_record(chunk, &mut self.text[self.text_used..], &mut self.ends[self.ends_used..]);
                self.text_used += text;
                self.ends_used += ends;
                // Blank lines before the record don't belong to it.
                if self.began.is_none() && chunk[..read].iter().any(|byte| !matches!(byte, b'\r' | b'\n')) {
                    self.began = at.line;
                }
                chunk = &chunk[read..];
                let place = self.current_place(at.origin, collector);
                match result {
                    ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
                    ReadRecordResult::OutputFull => {
                        return Err(too_large(place).hint("check for a double quote that never closes"));
                    }
                    ReadRecordResult::OutputEndsFull => {
                        return Err(Error::usage(format!("{place} has more than {MAX_FIELDS} fields")));
                    }
                    ReadRecordResult::Record => {
                        if self.read_record(&place, collector)? {
                            return Ok(true);
                        }
                    }
                }
            }
        }
        Ok(false)
    }

    fn current_place<'a>(&self, origin: ListOrigin<'a>, collector: &Collector) -> ItemPlace<'a> {
        ItemPlace { origin, item: collector.pushed(), line: self.began }
    }

    /// Reads the record that just ended. The first may be the header.
    fn read_record(&mut self, place: &ItemPlace, collector: &mut Collector) -> Result<bool, Error> {
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
            self.columns = Columns::Named(parse_header(fields, place.origin)?);
            return Ok(false);
        }
        if expected == 0 {
            self.columns = Columns::Numbered(fields.len());
        } else if fields.len() != expected {
            return Err(self.uneven_error(place, fields.len()));
        }
        if collector.pushed() == 0 {
            self.check_separator(place.origin, &fields)?;
        }
        let item = Item::from_values(&self.columns, fields).map_err(|column| {
            let label = self.columns.label(column);
            Error::usage(format!("{label} of {place} is not UTF-8, so a record can't hold it"))
                .hint("write the list as lines (--format lines) or NUL-separated (-0): both accept any bytes")
        })?;
        collector.push(item)
    }

    /// Returns the error of a record whose fields are more or fewer than the columns.
    fn uneven_error(&self, place: &ItemPlace, fields: usize) -> Error {
        let expected = self.columns.len();
        let first = if self.layout.has_header() { "the header names" } else { "the first line has" };
        let (found, columns) = (plural(fields, "field"), plural(expected, "column"));
        let error = Error::usage(format!("{place} has {found}, but {first} {columns}"));
        let separator = match self.separator {
            b'\t' => "tab".to_owned(),
            b',' => "comma".to_owned(),
            other => format!("{:?}", char::from(other)),
        };
        if fields < expected {
            error.hint(format!("an empty field needs its {separator} too"))
        } else if self.quoting {
            error.hint(format!("put a field that has a {separator} between double quotes"))
        } else {
            error.hint(format!("a field can't have a {separator}; use CSV, which allows it between double quotes"))
        }
    }

    /// Checks the first two lines for another separator, which would make one column of several.
    fn check_separator(&self, origin: ListOrigin<'_>, row: &[Vec<u8>]) -> Result<(), Error> {
        let (Columns::Named(names), [value], None) = (&self.columns, row, self.layout.separator) else { return Ok(()) };
        let [name] = names.as_slice() else { return Ok(()) };
        let value = String::from_utf8_lossy(value);
        let separates = |c: &char| name.contains(*c) && name.matches(*c).count() == value.matches(*c).count();
        let Some(separator) = SEPARATORS.into_iter().find(separates) else { return Ok(()) };
        let own = if self.separator == b'\t' { "'\\t'" } else { "," };
        Err(Error::usage(format!("{origin} has only the column {name:?}, which has {separator:?} in its name")).hint(
            match separator {
                '\t' => format!("if tabs separate its columns, add --format tsv; if not, add --colsep {own}"),
                ',' => format!("if commas separate its columns, add --format csv; if not, add --colsep {own}"),
                other => {
                    format!("if {other:?} separates its columns, add --colsep '{other}'; if not, add --colsep {own}")
                }
            },
        ))
    }

    pub(super) fn take_notes(&mut self, origin: ListOrigin<'_>) -> Vec<String> {
        let trimmed =
            format!("spaces around names in the header of {origin} are removed; those around values are kept");
        let quoted = self.quoted.take().map(|line| {
            let name = if self.layout.format == ItemsFormat::Tsv { "TSV" } else { "a list with --colsep" };
            format!("{name} has no quoting: the double quotes in line {line} of {origin} are part of the values")
        });
        self.trimmed.then_some(trimmed).into_iter().chain(quoted).collect()
    }

    /// Returns the columns. Unless reading ended early, every record must be complete.
    pub(super) fn finish(
        self,
        origin: ListOrigin<'_>,
        collector: &Collector,
        is_enough: bool,
    ) -> Result<Columns, Error> {
        if is_enough {
            return Ok(self.columns);
        }
        if self.began.is_some() {
            let place = self.current_place(origin, collector);
            let subject = if self.columns.len() == 0 { format!("the header of {origin}") } else { place.to_string() };
            return Err(Error::usage(format!("a double quote opens in {subject} and never closes"))
                .hint("write a literal double quote twice: \"say \"\"hi\"\"\""));
        }
        if self.columns.len() == 0 && !self.layout.has_header() {
            return Err(Error::usage(format!("there are no items in {origin}")));
        }
        if self.columns.len() == 0 {
            return Err(Error::usage(format!("{origin} is empty: its first line must name the columns")));
        }
        if collector.pushed() == 0 {
            return Err(Error::usage(format!("there are no items in {origin}: it has a header but no rows")));
        }
        Ok(self.columns)
    }
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Returns the names of the columns. Columns are counted from 1, as in placeholders.
fn parse_header(fields: Vec<Vec<u8>>, origin: ListOrigin<'_>) -> Result<Vec<String>, Error> {
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
                "columns {earlier} and {number} of {origin} have the same name {name:?}"
            ))
            .hint(plain));
        }
        names.push(name);
    }
    Ok(names)
}
