//! One rule for encodings, line ends and blank lines, applied before any format reads a line.
//!
//! - A list is UTF-8. Byte order marks at its start are left out; UTF-16, UTF-32 and packed files are refused.
//! - A carriage return before a line break is part of the line break.
//! - A blank line is an empty item in a list of lines, and nothing in every other format.
//! - NUL bytes and carriage returns inside a line stay, unless they stand in place of line breaks.
//!
//! Whatever was left out, or stays and may not be meant, becomes a note. With `-0` all bytes belong to the items.

use crate::args::ItemsFormat;
use crate::error::Error;

/// The mark that some editors put at the start of a text.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// How many bytes show the encoding of a text without a mark.
const SAMPLE_BYTES: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Encoding {
    /// As `iconv` calls it.
    name: &'static str,
    width: usize,
    little_endian: bool,
    /// Bytes of the byte order mark.
    mark: usize,
}

/// Files that hold another file, with the bytes that they begin with and the command that unpacks to stdout.
const PACKED: [(&[u8], &str, &str); 6] = [
    (b"\x1f\x8b\x08", "gzip", "gzip -dc"),
    (b"PK\x03\x04", "zip", "unzip -p"),
    (b"PK\x05\x06", "zip", "unzip -p"),
    (b"\x28\xb5\x2f\xfd", "zstd", "zstd -dc"),
    (b"\xfd7zXZ", "xz", "xz -dc"),
    (b"BZh91AY&SY", "bzip2", "bzip2 -dc"),
];

/// Endings of the names of workbooks, which are zip files.
const WORKBOOKS: [&str; 3] = [".xlsx", ".xlsm", ".ods"];

/// Returns the encoding that a byte order mark names.
fn marked(text: &[u8]) -> Option<Encoding> {
    let encoding = |name, width, little_endian, mark| Some(Encoding { name, width, little_endian, mark });
    match text {
        // Also the mark of UTF-16 and a NUL character, which no text begins with.
        [0xff, 0xfe, 0, 0, ..] => encoding("UTF-32", 4, true, 4),
        [0, 0, 0xfe, 0xff, ..] => encoding("UTF-32", 4, false, 4),
        [0xff, 0xfe, ..] => encoding("UTF-16", 2, true, 2),
        [0xfe, 0xff, ..] => encoding("UTF-16", 2, false, 2),
        _ => None,
    }
}

/// Returns the encoding of a text without a mark: all bytes of an ASCII character are NUL but one. A line break cuts a
/// character, so a last one may be in part.
fn unmarked(text: &[u8]) -> Option<Encoding> {
    let sample = &text[..text.len().min(SAMPLE_BYTES)];
    let candidates = [("UTF-32LE", 4, true), ("UTF-32BE", 4, false), ("UTF-16LE", 2, true), ("UTF-16BE", 2, false)];
    let found = candidates.into_iter().find(|&(_, width, little_endian)| {
        let units = sample.chunks_exact(width);
        let is_ascii = |unit: &[u8]| {
            let at = if little_endian { 0 } else { width - 1 };
            unit.iter().enumerate().all(|(place, byte)| (*byte == 0) != (place == at))
        };
        let (count, ascii) = (units.len(), units.filter(|unit| is_ascii(unit)).count());
        count >= 2 && ascii * 4 >= count * 3
    });
    found.map(|(name, width, little_endian)| Encoding { name, width, little_endian, mark: 0 })
}

/// Returns a template as UTF-8, decoded where it is UTF-16 or UTF-32; bytes that are neither stay for the parser.
///
/// # Errors
/// If it is a packed file, or ends inside a character.
pub(crate) fn decode(origin: &str, bytes: Vec<u8>) -> Result<Vec<u8>, Error> {
    if let Some((_, kind, command)) = packing(&bytes) {
        return Err(Error::usage(format!("{origin} is a {kind} file")).hint(format!("unpack it first: {command} FILE")));
    }
    let Some(encoding) = marked(&bytes).or_else(|| unmarked(&bytes)) else {
        return Ok(bytes.strip_prefix(BYTE_ORDER_MARK).map(<[u8]>::to_vec).unwrap_or(bytes));
    };
    let value = |unit: &[u8]| {
        let add = |value: u32, byte: &u8| (value << 8) | u32::from(*byte);
        if encoding.little_endian { unit.iter().rev().fold(0, add) } else { unit.iter().fold(0, add) }
    };
    let units = bytes[encoding.mark..].chunks(encoding.width);
    let is_whole = units.clone().all(|unit| unit.len() == encoding.width);
    let text: Option<String> = if encoding.width == 4 {
        units.map(|unit| char::from_u32(value(unit))).collect()
    } else {
        let units = units.map(|unit| u16::try_from(value(unit)).unwrap_or_default());
        char::decode_utf16(units).collect::<Result<_, _>>().ok()
    };
    text.filter(|_| is_whole).map(String::into_bytes).ok_or_else(|| {
        let name = encoding.name;
        Error::usage(format!("{origin} looks like {name}, and is not valid {name}"))
            .hint(format!("iconv -f {name} -t UTF-8 FILE shows where"))
    })
}

fn packing(bytes: &[u8]) -> Option<(&'static [u8], &'static str, &'static str)> {
    PACKED.into_iter().find(|(start, _, _)| bytes.starts_with(start))
}

/// Lines that the rules did something to, or that are odd: how many, and the first of them.
#[derive(Debug, Default)]
struct OddLines {
    count: u64,
    first: u64,
}

impl OddLines {
    fn add(&mut self, line: u64) {
        if self.count == 0 {
            self.first = line;
        }
        self.count += 1;
    }

    /// Returns the sentence about these lines with a verb for one and for several; None if there are none.
    fn sentence(&self, origin: &str, one: &str, several: &str) -> Option<String> {
        match self.count {
            0 => None,
            1 => Some(format!("line {} of {origin} {one}", self.first)),
            n => Some(format!("{n} lines of {origin} {several} (the first is line {})", self.first)),
        }
    }
}

/// A list as the formats see it.
#[derive(Debug)]
pub(super) struct Text<'a> {
    origin: &'a str,
    format: ItemsFormat,
    lines: u64,
    /// Whether byte order marks were left out.
    marked: bool,
    /// Lines with a byte order mark in front, as in files that were put together.
    late_marks: OddLines,
    windows: OddLines,
    blank: OddLines,
    nul: OddLines,
    carriage_returns: OddLines,
}

impl<'a> Text<'a> {
    pub(super) fn new(origin: &'a str, format: ItemsFormat) -> Self {
        let met = OddLines::default;
        let (late_marks, windows, blank, nul, carriage_returns) = (met(), met(), met(), met(), met());
        Self { origin, format, lines: 0, marked: false, late_marks, windows, blank, nul, carriage_returns }
    }

    /// Returns what belongs to the items in the next piece, a line or all of a document; None at the end of the text.
    /// `ended` says whether a separator ended the piece.
    ///
    /// # Errors
    /// If the text is not UTF-8 but UTF-16 or UTF-32, is packed, or has no line breaks but other bytes in their place.
    pub(super) fn take<'p>(&mut self, piece: &'p [u8], ended: bool) -> Result<Option<&'p [u8]>, Error> {
        self.lines += 1;
        let is_first = self.lines == 1;
        if is_first {
            self.check_start(piece, ended)?;
        }
        if self.format == ItemsFormat::Null {
            return Ok((ended || !piece.is_empty()).then_some(piece));
        }
        let mut text = piece;
        while let Some(rest) = text.strip_prefix(BYTE_ORDER_MARK).filter(|_| is_first) {
            (text, self.marked) = (rest, true);
        }
        if self.format == ItemsFormat::Json {
            return Ok(Some(text));
        }
        if text.is_empty() && !ended {
            return Ok(None);
        }
        self.check_line_breaks(text, is_first, ended)?;
        if text.starts_with(BYTE_ORDER_MARK) {
            self.late_marks.add(self.lines);
        }
        if self.format == ItemsFormat::Lines {
            if let Some(bare) = text.strip_suffix(b"\r").filter(|_| ended) {
                self.windows.add(self.lines);
                text = bare;
            }
            if text.is_empty() {
                self.blank.add(self.lines);
            }
            if text.contains(&0) {
                self.nul.add(self.lines);
            }
            if text.contains(&b'\r') {
                self.carriage_returns.add(self.lines);
            }
        }
        Ok(Some(text))
    }

    /// Checks the first piece for other encodings and packed files. Where all bytes belong to the items, only what
    /// begins like such a file is one.
    fn check_start(&self, piece: &[u8], ended: bool) -> Result<(), Error> {
        let origin = self.origin;
        if let Some((_, kind, command)) = packing(piece) {
            let name = origin.to_ascii_lowercase();
            if WORKBOOKS.iter().any(|ending| name.ends_with(ending)) {
                return Err(Error::usage(format!("{origin} is a workbook of a spreadsheet program, not a list"))
                    .hint("save its sheet as CSV UTF-8, and name that file"));
            }
            return Err(self.convert(&format!("a {kind} file, not a list"), command));
        }
        let unmarked = if self.format == ItemsFormat::Null { None } else { unmarked(piece) };
        let Some(encoding) = marked(piece).or(unmarked) else { return Ok(()) };
        let name = encoding.name;
        let mut error = self.convert(&format!("{name}, and a list is UTF-8"), &format!("iconv -f {name} -t UTF-8"));
        if encoding.width == 2 {
            error = error.hint("PowerShell writes UTF-8 by Out-File -Encoding utf8 in place of >");
        }
        if encoding.mark == 0 && !ended {
            error = error.hint("if NUL bytes end its items, add -0");
        }
        Err(error)
    }

    /// Checks that a text has line breaks, and not NUL bytes or carriage returns in their place.
    fn check_line_breaks(&self, text: &[u8], is_first: bool, ended: bool) -> Result<(), Error> {
        let origin = self.origin;
        let is_lines = self.format == ItemsFormat::Lines;
        if !ended && (text.ends_with(b"\0") || (is_lines && is_first && text.contains(&0))) {
            return Err(Error::usage(format!("NUL bytes, not line breaks, end the items of {origin}"))
                .hint("add -0")
                .hint("if the NUL bytes belong to the items, end the last line with a line break"));
        }
        if is_lines && is_first && !ended && text.strip_suffix(b"\r").unwrap_or(text).contains(&b'\r') {
            return Err(self
                .convert("one line with carriage returns, as old Macs end lines", "tr '\\r' '\\n' <")
                .hint("if all of it is one item, add -0"));
        }
        Ok(())
    }

    /// The error of a text that a command turns into a list.
    fn convert(&self, what: &str, command: &str) -> Error {
        let origin = self.origin;
        // The name of a packed file has the ending of the list before its own.
        let packed = origin.rsplit_once('.').map(|(name, _)| ItemsFormat::from_name(name));
        let format = match packed.filter(|_| self.format == ItemsFormat::Lines).unwrap_or(self.format) {
            ItemsFormat::Lines => "",
            ItemsFormat::Csv => " --format csv",
            ItemsFormat::Tsv => " --format tsv",
            ItemsFormat::Json => " --format json",
            ItemsFormat::Jsonl => " --format jsonl",
            ItemsFormat::Null => " -0",
        };
        let run = format!("kubectl indexed run -a -{format} …");
        let bare = command.trim_end_matches(" <");
        Error::usage(format!("{origin} is {what}")).hint(if origin == "stdin" {
            let bare = if bare == "unzip -p" { "funzip" } else { bare };
            format!("convert it: … | {bare} | {run}")
        } else if origin.starts_with("configmap ") {
            format!("make the configmap of a file that this command wrote: {bare}")
        } else {
            let name = shlex::try_quote(origin).unwrap_or(origin.into());
            let space = if command.ends_with('<') { "" } else { " " };
            format!("convert it: {command}{space}{name} | {run}")
        })
    }

    /// Returns what was done to the text, and what is odd about it.
    pub(super) fn into_notes(self) -> Vec<String> {
        let origin = self.origin;
        let mark = format!("the byte order mark at the start of {origin} is left out");
        let windows = if self.windows.first == 1 && self.windows.count > 1 {
            Some(format!("the lines of {origin} end as on Windows: the carriage return is taken off each"))
        } else {
            let end = "as on Windows: the carriage return is taken off";
            self.windows.sentence(origin, &format!("ends {end}"), &format!("end {end}"))
        };
        let stays = |met: &OddLines, one: &str, several: &str, what: &str| {
            Some(format!("{}; {what}", met.sentence(origin, one, several)?))
        };
        let blank = "grep . leaves such lines out";
        let notes = [
            self.marked.then_some(mark),
            windows,
            stays(&self.blank, "is blank and an empty item", "are blank and empty items", blank),
            stays(&self.nul, "has NUL bytes, which stay", "have NUL bytes, which stay", "-0 ends an item at each"),
            stays(
                &self.carriage_returns,
                "has carriage returns inside, which stay",
                "have carriage returns inside, which stay",
                "tr '\\r' '\\n' makes lines of them",
            ),
            stays(
                &self.late_marks,
                "begins with a byte order mark, which stays",
                "begin with a byte order mark, which stays",
                "sed 's/^\\xEF\\xBB\\xBF//' takes it off",
            ),
        ];
        notes.into_iter().flatten().collect()
    }
}
