//! The machine that follows a script through its quotes and writes a reference for each placeholder.

use super::documents::Document;
use super::reader::{Piece, Reader, Seen, is_meta, pieces};
use crate::error::Error;
use crate::spec::template::{Placeholder, Segment};

/// Words after which a command may begin, where they stand for one.
const OPENERS: [&str; 11] = ["!", "{", "coproc", "do", "elif", "else", "if", "then", "time", "until", "while"];
/// How deep quotes and substitutions may nest: far more than anyone writes, and far less than the stack holds.
const MAX_DEPTH: usize = 100;

/// A script with references, and the placeholders of it that stand in arithmetic.
pub(super) struct Rewritten {
    pub(super) text: String,
    pub(super) numbers: Vec<Placeholder>,
}

pub(super) fn rewrite(
    segments: &[Segment],
    names: &[String],
    name: &dyn Fn(&Placeholder) -> String,
) -> Result<Rewritten, Error> {
    let (source, pieces) = pieces(segments);
    let out = String::with_capacity(2 * source.len());
    let mut writer = Writer {
        source,
        names,
        name,
        out,
        numbers: Vec::new(),
        arithmetic: false,
        document: false,
        backticks: 0,
        depth: 0,
    };
    writer.code(&mut Reader { pieces: &pieces, at: 0 }, End::Input)?;
    Ok(Rewritten { text: writer.out, numbers: writer.numbers })
}

/// What ends a stretch of code.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Input,
    /// A closing parenthesis.
    Paren,
    /// The same, around words that are no commands: an array, or a pattern.
    List,
    /// The word `esac`. Until then a parenthesis that closes nothing ends a pattern.
    Esac,
}

/// Where in code the next word stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Commands,
    /// Between `case` and `in`, with so many words seen.
    Subject(usize),
    Patterns,
}

/// What is known in a stretch of code.
struct Code {
    end: End,
    stage: Stage,
    /// Whether a word would begin here.
    word: bool,
    /// Whether that word would be a command.
    command: bool,
    documents: Vec<Document>,
}

impl Code {
    /// After something that ends a command.
    fn separate(&mut self) {
        self.word = true;
        self.command = self.end != End::List;
    }
}

/// How a reference is written.
#[derive(Clone, Copy)]
enum Place {
    /// Where double quotes are open already, and where there is nothing that could split it.
    Bare,
    Unquoted,
    /// In single quotes.
    Single,
    /// In the quotes of `$'…'`.
    Ansi,
}

/// What stands in the braces of `${name…}` after the name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inner {
    /// Text to use instead, as in `${x:-text}`.
    Word,
    /// A pattern or a subscript: quotes count even if the whole is quoted.
    Pattern,
    /// Arithmetic, as in `${x:2:3}`.
    Offset,
}

pub(super) struct Writer<'a> {
    /// All texts, one after the other.
    source: String,
    names: &'a [String],
    name: &'a dyn Fn(&Placeholder) -> String,
    out: String,
    numbers: Vec<Placeholder>,
    /// Whether a value here is part of a formula.
    arithmetic: bool,
    /// Whether this is text of a here-document, where shells don't agree that quotes in a pattern quote.
    pub(super) document: bool,
    /// In how many pairs of backticks this is: each takes away one layer of backslashes.
    backticks: usize,
    depth: usize,
}

impl Writer<'_> {
    /// Writes the next `count` pieces as they are in the source.
    pub(super) fn copy(&mut self, reader: &mut Reader<'_, '_>, count: usize) {
        for piece in reader.pieces.iter().skip(reader.at).take(count) {
            self.out.push_str(&self.source[piece.start..piece.end]);
            reader.at += 1;
        }
    }

    fn place(&mut self, reader: &mut Reader<'_, '_>, placeholder: &Placeholder, place: Place) {
        reader.at += 1;
        let name = (self.name)(placeholder);
        let (before, after) = match place {
            Place::Bare => ("", ""),
            Place::Unquoted => ("\"", "\""),
            Place::Single => ("'\"", "\"'"),
            Place::Ansi => ("'\"", "\"$'"),
        };
        self.out.extend([before, "${", &name, "}", after]);
        if self.arithmetic && !self.numbers.contains(placeholder) {
            self.numbers.push(placeholder.clone());
        }
    }

    fn deepen(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::usage(format!(
                "quotes and substitutions nest more than {MAX_DEPTH} deep in the script"
            ))
            .hint("put the script into the image, or leave placeholders out of it and use --item-as env"));
        }
        Ok(())
    }

    pub(super) fn refuse(&self, placeholder: &Placeholder, why: &str, instead: Option<String>) -> Error {
        let written = placeholder.written(self.names);
        let error = Error::usage(format!("{written} can't be replaced where it stands in the script: {why}"));
        let error = instead.into_iter().fold(error, Error::hint);
        error.hint(format!("write {{{written}}} for the braces themselves"))
    }

    /// Commands, up to their end and with it; the here-documents that began there and are still to come.
    fn code(&mut self, reader: &mut Reader<'_, '_>, end: End) -> Result<Vec<Document>, Error> {
        self.deepen()?;
        let arithmetic = std::mem::take(&mut self.arithmetic);
        let document = std::mem::take(&mut self.document);
        let stage = if end == End::Esac { Stage::Subject(0) } else { Stage::Commands };
        let mut code = Code { end, stage, word: end != End::List, command: end != End::List, documents: Vec::new() };
        while let Some(seen) = reader.seen(0) {
            let over = match seen {
                Seen::Char(c) if is_meta(c) => self.operator(reader, &mut code, c)?,
                // Nothing at all to a shell.
                Seen::Char('\\') if reader.char(1) == Some('\n') => {
                    self.copy(reader, 2);
                    false
                }
                _ if code.word => self.word(reader, &mut code)?,
                _ => {
                    self.expansion(reader, seen, false)?;
                    false
                }
            };
            if over {
                break;
            }
        }
        self.arithmetic = arithmetic;
        self.document = document;
        self.depth -= 1;
        Ok(code.documents)
    }

    /// A character that stands between words; whether it ends the code.
    fn operator(&mut self, reader: &mut Reader<'_, '_>, code: &mut Code, c: char) -> Result<bool, Error> {
        match c {
            '<' if reader.starts_with("<<<") => self.copy(reader, 3),
            '<' if reader.starts_with("<<") => {
                let document = self.delimiter(reader)?;
                code.documents.extend(document);
                code.word = true;
            }
            ' ' | '\t' | '<' | '>' => {
                code.word = true;
                self.copy(reader, 1);
            }
            '\n' => {
                code.separate();
                self.copy(reader, 1);
                for document in std::mem::take(&mut code.documents) {
                    self.document(reader, &document)?;
                }
            }
            '(' if reader.char(1) == Some('(') && reader.is_arithmetic(2) => {
                self.copy(reader, 2);
                self.formula(reader)?;
                code.separate();
            }
            '(' => {
                let list = !code.word && self.out.ends_with(['=', '?', '*', '+', '@', '!']);
                self.copy(reader, 1);
                let documents = self.code(reader, if list { End::List } else { End::Paren })?;
                code.documents.extend(documents);
                code.separate();
            }
            ')' => {
                self.copy(reader, 1);
                code.separate();
                if code.end == End::Esac {
                    code.stage = Stage::Commands;
                }
                return Ok(matches!(code.end, End::Paren | End::List));
            }
            _ => {
                if code.end == End::Esac && (reader.starts_with(";;") || reader.starts_with(";&")) {
                    code.stage = Stage::Patterns;
                }
                self.copy(reader, 1);
                code.separate();
            }
        }
        Ok(false)
    }

    /// The beginning of a word, or all of a comment or keyword; whether it ends the code.
    fn word(&mut self, reader: &mut Reader<'_, '_>, code: &mut Code) -> Result<bool, Error> {
        if reader.char(0) == Some('#') {
            while let Some(seen) = reader.seen(0).filter(|seen| !matches!(seen, Seen::Char('\n'))) {
                match seen {
                    Seen::Value(placeholder) => self.place(reader, placeholder, Place::Bare),
                    Seen::Char(_) => self.copy(reader, 1),
                }
            }
            return Ok(false);
        }
        code.word = false;
        let command = std::mem::replace(&mut code.command, false);
        let keyword = reader.plain_word().unwrap_or_default();
        match code.stage {
            Stage::Subject(0) => code.stage = Stage::Subject(1),
            Stage::Subject(_) => {
                self.copy(reader, keyword.chars().count());
                code.stage = Stage::Patterns;
                code.command = true;
            }
            _ if !command => {}
            _ if keyword == "esac" && code.end == End::Esac => {
                self.copy(reader, 4);
                return Ok(true);
            }
            Stage::Patterns => {}
            Stage::Commands if keyword == "case" => {
                self.copy(reader, 4);
                let documents = self.code(reader, End::Esac)?;
                code.documents.extend(documents);
            }
            Stage::Commands => {
                self.copy(reader, keyword.chars().count());
                code.command = OPENERS.contains(&keyword.as_str());
            }
        }
        if let Some(seen) = reader.seen(0).filter(|seen| !matches!(seen, Seen::Char(c) if is_meta(*c))) {
            self.expansion(reader, seen, false)?;
        }
        Ok(false)
    }

    /// What means the same in code and in braces: quotes, backslashes, expansions, values, any other character.
    pub(super) fn expansion(&mut self, reader: &mut Reader<'_, '_>, seen: Seen<'_>, quoted: bool) -> Result<(), Error> {
        match seen {
            Seen::Value(placeholder) if quoted => self.place(reader, placeholder, Place::Bare),
            Seen::Value(placeholder) => self.place(reader, placeholder, Place::Unquoted),
            Seen::Char('\\') => match reader.value(1) {
                // Here a backslash before an ordinary character is one itself; before a reference it must be doubled.
                Some(_) if quoted => {
                    reader.at += 1;
                    self.out.push_str(&"\\".repeat(2 << self.backticks));
                }
                Some(placeholder) => return Err(self.refuse_escaped(placeholder)),
                None => self.copy(reader, 2),
            },
            Seen::Char('$') => self.dollar(reader, quoted)?,
            Seen::Char('`') => self.backtick(reader, quoted)?,
            Seen::Char('"') => {
                self.copy(reader, 1);
                self.double(reader)?;
            }
            Seen::Char('\'') if !quoted => {
                self.copy(reader, 1);
                self.single(reader, Place::Single)?;
            }
            Seen::Char(_) => self.copy(reader, 1),
        }
        Ok(())
    }

    fn refuse_escaped(&self, placeholder: &Placeholder) -> Error {
        self.refuse(placeholder, "the backslash before it would quote the quotes that keep its value together", None)
    }

    /// What follows an opening double quote, with the closing one.
    fn double(&mut self, reader: &mut Reader<'_, '_>) -> Result<(), Error> {
        self.deepen()?;
        while let Some(seen) = reader.seen(0) {
            if let Seen::Char('"') = seen {
                self.copy(reader, 1);
                break;
            }
            self.expansion(reader, seen, true)?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// What follows an opening single quote, with the closing one; in `$'…'` a backslash counts.
    fn single(&mut self, reader: &mut Reader<'_, '_>, place: Place) -> Result<(), Error> {
        while let Some(seen) = reader.seen(0) {
            match seen {
                Seen::Value(placeholder) => self.place(reader, placeholder, place),
                Seen::Char('\\') if matches!(place, Place::Ansi) => match reader.value(1) {
                    Some(placeholder) => return Err(self.refuse_escaped(placeholder)),
                    None => self.copy(reader, 2),
                },
                Seen::Char(c) => {
                    self.copy(reader, 1);
                    if c == '\'' {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    fn dollar(&mut self, reader: &mut Reader<'_, '_>, quoted: bool) -> Result<(), Error> {
        match reader.char(1) {
            Some('(') if reader.char(2) == Some('(') && reader.is_arithmetic(3) => {
                self.copy(reader, 3);
                self.formula(reader)?;
            }
            Some('(') => {
                self.copy(reader, 2);
                self.code(reader, End::Paren)?;
            }
            Some('{') => {
                self.copy(reader, 2);
                self.parameter(reader, quoted)?;
            }
            Some('\'') if !quoted => {
                self.copy(reader, 2);
                self.single(reader, Place::Ansi)?;
            }
            Some('#' | '$' | '!' | '?' | '*' | '@' | '-') => self.copy(reader, 2),
            _ => self.copy(reader, 1),
        }
        Ok(())
    }

    /// What follows two opening parentheses of arithmetic, with the closing ones.
    fn formula(&mut self, reader: &mut Reader<'_, '_>) -> Result<(), Error> {
        self.deepen()?;
        let arithmetic = std::mem::replace(&mut self.arithmetic, true);
        let mut depth = 0;
        while let Some(seen) = reader.seen(0) {
            match seen {
                Seen::Char(')') if depth == 0 => {
                    self.copy(reader, 1 + usize::from(reader.char(1) == Some(')')));
                    break;
                }
                Seen::Char(c @ ('(' | ')')) => {
                    depth = if c == '(' { depth + 1 } else { depth - 1 };
                    self.copy(reader, 1);
                }
                // Neither kind of quotes changes what a value may be here.
                Seen::Char('"') => self.copy(reader, 1),
                _ => self.expansion(reader, seen, true)?,
            }
        }
        self.arithmetic = arithmetic;
        self.depth -= 1;
        Ok(())
    }

    /// What follows `${`, with the closing brace.
    fn parameter(&mut self, reader: &mut Reader<'_, '_>, quoted: bool) -> Result<(), Error> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        // A length or an indirection, but not the variables `#` and `!`.
        if matches!(reader.char(0), Some('#' | '!')) && reader.char(1).is_some_and(|c| is_name(c) || "@*?$".contains(c))
        {
            self.copy(reader, 1);
        }
        match reader.char(0) {
            Some(c) if is_name(c) => {
                while reader.char(0).is_some_and(is_name) {
                    self.copy(reader, 1);
                }
            }
            Some('@' | '*' | '#' | '?' | '$' | '!' | '-') => self.copy(reader, 1),
            _ => {}
        }
        if reader.char(0) == Some('[') {
            self.copy(reader, 1);
            self.braces(reader, ']', Inner::Pattern, quoted)?;
        }
        let inner = match (reader.char(0), reader.char(1)) {
            (Some(':'), Some('-' | '=' | '?' | '+')) => Inner::Word,
            (Some(':'), _) => Inner::Offset,
            (Some('#' | '%' | '/' | '^' | ',' | '~'), _) => Inner::Pattern,
            _ => Inner::Word,
        };
        self.braces(reader, '}', inner, quoted)
    }

    fn braces(&mut self, reader: &mut Reader<'_, '_>, close: char, inner: Inner, quoted: bool) -> Result<(), Error> {
        self.deepen()?;
        let before = self.arithmetic;
        self.arithmetic |= inner == Inner::Offset;
        let quoted = match inner {
            Inner::Word => quoted,
            Inner::Pattern => false,
            Inner::Offset => true,
        };
        while let Some(seen) = reader.seen(0) {
            if matches!(seen, Seen::Char(c) if c == close) {
                self.copy(reader, 1);
                break;
            }
            if let Seen::Value(placeholder) = seen
                && self.document
                && inner == Inner::Pattern
            {
                return Err(self.refuse_pattern(placeholder));
            }
            self.expansion(reader, seen, quoted)?;
        }
        self.arithmetic = before;
        self.depth -= 1;
        Ok(())
    }

    fn refuse_pattern(&self, placeholder: &Placeholder) -> Error {
        let instead = "put the value into a variable before the here-document, and write that there".to_owned();
        self.refuse(placeholder, "shells differ in how they read a pattern in a here-document", Some(instead))
    }

    /// A substitution in backticks. It ends at the next one that has no backslash, whatever stands between; what is left
    /// when a layer of backslashes is taken away is code of its own.
    fn backtick(&mut self, reader: &mut Reader<'_, '_>, quoted: bool) -> Result<(), Error> {
        self.copy(reader, 1);
        let mut inner = Vec::new();
        while let Some(&piece) = reader.pieces.get(reader.at).filter(|piece| !matches!(piece.seen, Seen::Char('`'))) {
            reader.at += 1;
            let escaped = |c: char| "\\`$".contains(c) || quoted && c == '"';
            match (piece.seen, reader.pieces.get(reader.at)) {
                (Seen::Char('\\'), Some(&Piece { seen: Seen::Char(c), end, .. })) if escaped(c) => {
                    inner.push(Piece { end, seen: Seen::Char(c), ..piece });
                    reader.at += 1;
                }
                _ => inner.push(piece),
            }
        }
        self.backticks += 1;
        self.code(&mut Reader { pieces: &inner, at: 0 }, End::Input)?;
        self.backticks -= 1;
        self.copy(reader, 1);
        Ok(())
    }
}
