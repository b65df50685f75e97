//! The rules for encodings, line ends and blank lines, which apply before a format parses a line.
//!
//! - A list is UTF-8. Byte order marks at its start are removed; UTF-16, UTF-32 and compressed files are refused.
//! - A carriage return before a line break is part of the line break.
//! - A blank line is an empty item in a list of lines, and is ignored in other formats.
//! - NUL bytes and carriage returns inside a line are kept, unless they replace line breaks.
//!
//! A note reports what was removed, and what was kept but may be a mistake. With `-0` all bytes belong to the items.

use super::ListOrigin;
use crate::args::ItemsFormat;
use crate::error::{Error, Hint, quoted};

/// The mark that some editors put at the start of a text.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The number of bytes that show the encoding of a text without a mark.
const SAMPLE_BYTES: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Encoding {
    /// The name in `iconv`.
    name: &'static str,
    width: usize,
    little_endian: bool,
    /// Bytes of the byte order mark.
    mark: usize,
}

/// A kind of compressed file.
#[derive(Clone, Copy)]
struct Compression {
    /// The first bytes of a file.
    start: &'static [u8],
    name: &'static str,
    /// Unpacks the file that follows to stdout.
    unpack: &'static str,
    /// Unpacks stdin to stdout.
    filter: &'static str,
}

const COMPRESSIONS: [Compression; 6] = [
    Compression { start: b"\x1f\x8b\x08", name: "gzip", unpack: "gzip -dc", filter: "gzip -dc" },
    Compression { start: b"PK\x03\x04", name: "zip", unpack: "unzip -p", filter: "funzip" },
    Compression { start: b"PK\x05\x06", name: "zip", unpack: "unzip -p", filter: "funzip" },
    Compression { start: b"\x28\xb5\x2f\xfd", name: "zstd", unpack: "zstd -dc", filter: "zstd -dc" },
    Compression { start: b"\xfd7zXZ", name: "xz", unpack: "xz -dc", filter: "xz -dc" },
    Compression { start: b"BZh91AY&SY", name: "bzip2", unpack: "bzip2 -dc", filter: "bzip2 -dc" },
];

/// Endings of spreadsheet files, which are zip files.
const WORKBOOKS: [&str; 3] = [".xlsx", ".xlsm", ".ods"];

/// Returns the encoding that a byte order mark names.
fn encoding_by_mark(text: &[u8]) -> Option<Encoding> {
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

/// Returns the encoding of a text without a mark: all bytes but one of an ASCII character are NUL. The last character may
/// be incomplete, because a line break cuts it.
fn encoding_by_sample(text: &[u8]) -> Option<Encoding> {
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

/// Decodes a template from UTF-16 or UTF-32 to UTF-8; other bytes are left to the parser.
///
/// # Errors
/// If the file is compressed, or ends inside a character.
pub(crate) fn decode(origin: &str, bytes: Vec<u8>) -> Result<Vec<u8>, Error> {
    if let Some(Compression { name, unpack, .. }) = find_compression(&bytes) {
        return Err(Error::usage(format!("{origin} is a {name} file")).hint(format!("unpack it first: {unpack} FILE")));
    }
    let Some(encoding) = encoding_by_mark(&bytes).or_else(|| encoding_by_sample(&bytes)) else {
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
        Error::usage(format!("{origin} looks like {name}, but is not valid {name}"))
            .hint(format!("iconv -f {name} -t UTF-8 FILE shows where"))
    })
}

fn find_compression(bytes: &[u8]) -> Option<Compression> {
    COMPRESSIONS.into_iter().find(|compression| bytes.starts_with(compression.start))
}

/// Lines that the rules changed, or that may be a mistake: their number and the first one.
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

    /// Returns a sentence about these lines, with the verb for one and for several; `None` if there are none.
    fn sentence(&self, origin: ListOrigin<'_>, one: &str, several: &str) -> Option<String> {
        match self.count {
            0 => None,
            1 => Some(format!("line {} of {origin} {one}", self.first)),
            n => Some(format!("{n} lines of {origin} {several} (the first is line {})", self.first)),
        }
    }
}

/// Cleans the pieces of a list before its format parses them.
#[derive(Debug)]
pub(super) struct ListText<'a> {
    origin: ListOrigin<'a>,
    format: ItemsFormat,
    lines: u64,
    /// Whether byte order marks were removed.
    marked: bool,
    /// Lines that begin with a byte order mark, as in concatenated files.
    late_marks: OddLines,
    windows: OddLines,
    blank: OddLines,
    nul: OddLines,
    carriage_returns: OddLines,
}

impl<'a> ListText<'a> {
    pub(super) fn new(origin: ListOrigin<'a>, format: ItemsFormat) -> Self {
        let met = OddLines::default;
        let (late_marks, windows, blank, nul, carriage_returns) = (met(), met(), met(), met(), met());
        Self { origin, format, lines: 0, marked: false, late_marks, windows, blank, nul, carriage_returns }
    }

    /// Returns the part of the next piece, a line or a whole document, that belongs to the items; `None` at the end of the
    /// text. `ended` says whether a separator ended the piece.
    ///
    /// # Errors
    /// If the text is UTF-16 or UTF-32, is compressed, or has other bytes in place of line breaks.
    pub(super) fn clean_piece<'p>(&mut self, piece: &'p [u8], ended: bool) -> Result<Option<&'p [u8]>, Error> {
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

    /// Checks the first piece for other encodings and compressed files. If all bytes belong to the items, only their marks
    /// count.
    fn check_start(&self, piece: &[u8], ended: bool) -> Result<(), Error> {
        let origin = self.origin;
        if let Some(Compression { name, unpack, filter, .. }) = find_compression(piece) {
            if let ListOrigin::File(path) = origin
                && WORKBOOKS.iter().any(|ending| path.to_ascii_lowercase().ends_with(ending))
            {
                return Err(Error::usage(format!("{origin} is a spreadsheet, not a list"))
                    .hint("save its sheet as CSV UTF-8, and use that file"));
            }
            return Err(self.unconverted_error(&format!("is a {name} file, not a list"), unpack, filter));
        }
        let unmarked = if self.format == ItemsFormat::Null { None } else { encoding_by_sample(piece) };
        let Some(encoding) = encoding_by_mark(piece).or(unmarked) else { return Ok(()) };
        let name = encoding.name;
        let iconv = format!("iconv -f {name} -t UTF-8");
        let mut error = self.unconverted_error(&format!("is {name}, and a list must be UTF-8"), &iconv, &iconv);
        if encoding.width == 2 {
            error = error.hint("in PowerShell, write UTF-8 with Out-File -Encoding utf8 instead of >");
        }
        if encoding.mark == 0 && !ended {
            error = error.hint("if NUL bytes end its items, add -0");
        }
        Err(error)
    }

    /// Checks that a text has no NUL bytes or carriage returns in place of line breaks.
    fn check_line_breaks(&self, text: &[u8], is_first: bool, ended: bool) -> Result<(), Error> {
        let origin = self.origin;
        let is_lines = self.format == ItemsFormat::Lines;
        if !ended && (text.ends_with(b"\0") || (is_lines && is_first && text.contains(&0))) {
            return Err(Error::usage(format!("NUL bytes, not line breaks, end the items of {origin}"))
                .hint("add -0")
                .hint("if the NUL bytes are part of the items, end the last line with a line break"));
        }
        if is_lines && is_first && !ended && text.strip_suffix(b"\r").unwrap_or(text).contains(&b'\r') {
            let problem = "has carriage returns instead of line breaks";
            return Err(self
                .unconverted_error(problem, "tr '\\r' '\\n' <", "tr '\\r' '\\n'")
                .hint("if all of it is one item, add -0"));
        }
        Ok(())
    }

    /// Returns the error of a text that must be converted first. The file follows after `command`; `filter` reads stdin.
    fn unconverted_error(&self, problem: &str, command: &str, filter: &str) -> Error {
        let origin = self.origin;
        // The name of a compressed file has the ending of the list before its own.
        let inner = match origin {
            ListOrigin::File(path) => path.rsplit_once('.').map(|(name, _)| ItemsFormat::from_name(name)),
            ListOrigin::Stdin | ListOrigin::ConfigMap(_) => None,
        };
        let format: &[&str] = match inner.filter(|_| self.format == ItemsFormat::Lines).unwrap_or(self.format) {
            ItemsFormat::Lines => &[],
            ItemsFormat::Csv => &["--format", "csv"],
            ItemsFormat::Tsv => &["--format", "tsv"],
            ItemsFormat::Json => &["--format", "json"],
            ItemsFormat::Jsonl => &["--format", "jsonl"],
            ItemsFormat::Null => &["-0"],
        };
        let run = Hint::indexed(&[&["run", "-a", "-"], format, &["--", "CMD"]].concat(), "");
        Error::usage(format!("{origin} {problem}")).hint(match origin {
            ListOrigin::Stdin => Hint::from(format!("convert it: ... | {filter} | ")).then(run),
            ListOrigin::ConfigMap(_) => format!("create the configmap from a converted file: {filter} <FILE").into(),
            ListOrigin::File(path) => Hint::from(format!("convert it: {command} {} | ", quoted(path))).then(run),
        })
    }

    /// Returns notes about what was removed, and about what may be a mistake.
    pub(super) fn into_notes(self) -> Vec<String> {
        let origin = self.origin;
        let mark = format!("the byte order mark at the start of {origin} is removed");
        let windows = if self.windows.first == 1 && self.windows.count > 1 {
            Some(format!("{origin} has Windows line ends: the carriage returns are removed"))
        } else {
            let one = "has a Windows line end: the carriage return is removed";
            self.windows.sentence(origin, one, "have Windows line ends: the carriage returns are removed")
        };
        let kept = |met: &OddLines, one: &str, several: &str, what: &str| {
            Some(format!("{}; {what}", met.sentence(origin, one, several)?))
        };
        let notes = [
            self.marked.then_some(mark),
            windows,
            kept(&self.blank, "is blank: an empty item", "are blank: empty items", "grep . removes such lines"),
            kept(
                &self.nul,
                "has NUL bytes, which are kept",
                "have NUL bytes, which are kept",
                "-0 splits items at them",
            ),
            kept(
                &self.carriage_returns,
                "has carriage returns inside, which are kept",
                "have carriage returns inside, which are kept",
                "tr '\\r' '\\n' turns them into line breaks",
            ),
            kept(
                &self.late_marks,
                "begins with a byte order mark, which is kept",
                "begin with a byte order mark, which is kept",
                "sed 's/^\\xEF\\xBB\\xBF//' removes it",
            ),
        ];
        notes.into_iter().flatten().collect()
    }
}
