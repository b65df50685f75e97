//! The machine that follows a script through its quotes and writes a reference for each placeholder.

use super::Evaluated;
use super::code::CodeEnd;
use super::commands::Attributes;
use super::reader::{Piece, ScriptChar, ScriptReader, is_name, pieces};
use crate::error::Error;
use crate::spec::template::{Placeholder, Segment};

/// How deep quotes and substitutions may nest: far more than anyone writes, and far less than the stack holds.
const MAX_DEPTH: usize = 100;

/// The script with references, and the variables whose values the shell evaluates again.
pub(super) fn rewrite(
    segments: &[Segment],
    names: &[String],
    name: &dyn Fn(&Placeholder) -> String,
) -> Result<(String, Vec<(String, Evaluated)>), Error> {
    let (source, pieces) = pieces(segments);
    let mut attributes = Attributes::default();
    loop {
        let out = String::with_capacity(2 * source.len());
        let known = attributes.clone();
        let mut writer = Writer {
            source: &source,
            names,
            name,
            out,
            evaluated: Vec::new(),
            word: ScriptWord::default(),
            attributes,
            document: false,
            backticks: 0,
            depth: 0,
        };
        writer.code(&mut ScriptReader { pieces: &pieces, at: 0 }, CodeEnd::Input)?;
        // A function may assign to a variable before the line that declares it an integer.
        if writer.attributes == known {
            return Ok((writer.out, writer.evaluated));
        }
        attributes = writer.attributes;
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct ScriptWord {
    /// Its text without quotes, up to the first expansion.
    pub(super) literal: String,
    pub(super) evaluated: Option<Evaluated>,
    pub(super) variables: Vec<String>,
}

/// How a reference is written.
#[derive(Clone, Copy)]
pub(super) enum QuotePlace {
    /// Where double quotes are open already, and where there is nothing that could split it.
    Bare,
    Unquoted,
    Single,
    /// In the quotes of `$'…'`.
    Ansi,
}

/// What stands in the braces of `${name…}` after the name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum BraceContent {
    /// Text to use instead, as in `${x:-text}`.
    Word,
    /// A pattern: quotes count even if the whole is quoted.
    Pattern,
    /// Arithmetic in brackets, with quotes as in a pattern.
    Subscript,
    /// Arithmetic, as in `${x:2:3}`.
    Offset,
}

pub(super) struct Writer<'a> {
    /// All texts, one after the other.
    source: &'a str,
    names: &'a [String],
    name: &'a dyn Fn(&Placeholder) -> String,
    pub(super) out: String,
    pub(super) evaluated: Vec<(String, Evaluated)>,
    pub(super) word: ScriptWord,
    pub(super) attributes: Attributes,
    /// Whether this is text of a here-document, where shells don't agree that quotes in a pattern quote.
    pub(super) document: bool,
    /// In how many pairs of backticks this is: each takes away one layer of backslashes.
    pub(super) backticks: usize,
    pub(super) depth: usize,
}

impl Writer<'_> {
    /// Writes the next `count` pieces as they are in the source.
    pub(super) fn copy(&mut self, reader: &mut ScriptReader<'_, '_>, count: usize) {
        for piece in reader.pieces.iter().skip(reader.at).take(count) {
            self.out.push_str(&self.source[piece.start..piece.end]);
            reader.at += 1;
        }
    }

    pub(super) fn place(&mut self, reader: &mut ScriptReader<'_, '_>, placeholder: &Placeholder, place: QuotePlace) {
        reader.at += 1;
        let name = (self.name)(placeholder);
        let (before, after) = match place {
            QuotePlace::Bare => ("", ""),
            QuotePlace::Unquoted => ("\"", "\""),
            QuotePlace::Single => ("'\"", "\"'"),
            QuotePlace::Ansi => ("'\"", "\"$'"),
        };
        self.out.extend([before, "${", &name, "}", after]);
    }

    fn note(&mut self, variable: String) {
        self.evaluated.extend(self.word.evaluated.map(|evaluated| (variable.clone(), evaluated)));
        self.word.variables.push(variable);
    }

    /// Copies a character that stands for itself; in arithmetic it may begin the name of a variable.
    fn plain(&mut self, reader: &mut ScriptReader<'_, '_>) {
        if self.word.evaluated == Some(Evaluated::Arithmetic) && !self.out.ends_with(is_name) {
            let name = reader.name();
            if !name.is_empty() {
                self.note(name);
            }
        }
        self.copy(reader, 1);
    }

    pub(super) fn deepen(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::usage(format!(
                "quotes and substitutions nest more than {MAX_DEPTH} deep in the script"
            ))
            .hint("put the script into the image, or leave placeholders out of it and use --item-as env"));
        }
        Ok(())
    }

    pub(super) fn refuse(&self, placeholder: &Placeholder, why: &str, instead: Option<&str>) -> Error {
        let written = placeholder.written(self.names);
        Error::usage(format!("{written} can't be replaced where it stands in the script: {why}"))
            .hint_if(instead)
            .hint(format!("write {{{written}}} for the braces themselves"))
    }

    /// What means the same in code and in braces: quotes, backslashes, expansions, values, any other character.
    pub(super) fn expansion(
        &mut self,
        reader: &mut ScriptReader<'_, '_>,
        seen: ScriptChar<'_>,
        quoted: bool,
    ) -> Result<(), Error> {
        match seen {
            ScriptChar::Value(placeholder) if quoted => self.place(reader, placeholder, QuotePlace::Bare),
            ScriptChar::Value(placeholder) => self.place(reader, placeholder, QuotePlace::Unquoted),
            ScriptChar::Char('\\') => match reader.value(1) {
                // Here a backslash before an ordinary character is one itself; before a reference it must be doubled.
                Some(_) if quoted => {
                    reader.at += 1;
                    self.out.push_str(&"\\".repeat(2 << self.backticks));
                }
                Some(placeholder) => return Err(self.refuse_escaped(placeholder)),
                None => self.copy(reader, 2),
            },
            ScriptChar::Char('$') => self.dollar(reader, quoted)?,
            ScriptChar::Char('`') => self.backtick(reader, quoted)?,
            ScriptChar::Char('"') => self.double(reader)?,
            ScriptChar::Char('\'') if !quoted => self.single(reader, QuotePlace::Single)?,
            ScriptChar::Char(_) => self.plain(reader),
        }
        Ok(())
    }

    fn refuse_escaped(&self, placeholder: &Placeholder) -> Error {
        self.refuse(placeholder, "the backslash before it would quote the quotes that keep its value together", None)
    }

    /// Text in double quotes, with them.
    fn double(&mut self, reader: &mut ScriptReader<'_, '_>) -> Result<(), Error> {
        self.deepen()?;
        self.copy(reader, 1);
        while let Some(seen) = reader.seen(0) {
            if let ScriptChar::Char('"') = seen {
                self.copy(reader, 1);
                break;
            }
            self.expansion(reader, seen, true)?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Text in single quotes, with them; in `$'…'` a backslash counts.
    fn single(&mut self, reader: &mut ScriptReader<'_, '_>, place: QuotePlace) -> Result<(), Error> {
        self.copy(reader, if matches!(place, QuotePlace::Ansi) { 2 } else { 1 });
        while let Some(seen) = reader.seen(0) {
            match seen {
                ScriptChar::Value(placeholder) => self.place(reader, placeholder, place),
                ScriptChar::Char('\\') if matches!(place, QuotePlace::Ansi) => match reader.value(1) {
                    Some(placeholder) => return Err(self.refuse_escaped(placeholder)),
                    None => self.copy(reader, 2),
                },
                ScriptChar::Char(c) => {
                    self.plain(reader);
                    if c == '\'' {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    fn dollar(&mut self, reader: &mut ScriptReader<'_, '_>, quoted: bool) -> Result<(), Error> {
        match reader.char(1) {
            Some('(') if reader.char(2) == Some('(') && reader.is_arithmetic(3) => self.formula(reader, 3)?,
            Some('(') => {
                self.copy(reader, 2);
                self.code(reader, CodeEnd::Paren)?;
            }
            Some('{') => self.parameter(reader, quoted)?,
            Some('[') => {
                self.copy(reader, 2);
                self.braces(reader, ']', BraceContent::Offset, true)?;
            }
            Some('\'') if !quoted => self.single(reader, QuotePlace::Ansi)?,
            Some(c) if is_name(c) => {
                self.copy(reader, 1);
                let name = reader.name();
                self.copy(reader, name.len());
                self.note(name);
            }
            Some('#' | '$' | '!' | '?' | '*' | '@' | '-') => self.copy(reader, 2),
            _ => self.copy(reader, 1),
        }
        Ok(())
    }

    /// Arithmetic, with what opens it, so many pieces, and the parentheses that close it.
    pub(super) fn formula(&mut self, reader: &mut ScriptReader<'_, '_>, opening: usize) -> Result<(), Error> {
        self.deepen()?;
        self.copy(reader, opening);
        let before = self.word.evaluated.replace(Evaluated::Arithmetic);
        let mut depth = 0;
        while let Some(seen) = reader.seen(0) {
            match seen {
                ScriptChar::Char(')') if depth == 0 => {
                    self.copy(reader, 1 + usize::from(reader.char(1) == Some(')')));
                    break;
                }
                ScriptChar::Char(c @ ('(' | ')')) => {
                    depth = if c == '(' { depth + 1 } else { depth - 1 };
                    self.copy(reader, 1);
                }
                // Neither kind of quotes changes what a value may be here.
                ScriptChar::Char('"') => self.copy(reader, 1),
                _ => self.expansion(reader, seen, true)?,
            }
        }
        self.word.evaluated = before;
        self.depth -= 1;
        Ok(())
    }

    /// `${` and what follows, with the closing brace.
    fn parameter(&mut self, reader: &mut ScriptReader<'_, '_>, quoted: bool) -> Result<(), Error> {
        self.copy(reader, 2);
        // A length or an indirection, but not the variables `#` and `!`.
        let prefix = reader.char(0).filter(|c| "#!".contains(*c));
        let prefix = prefix.filter(|_| reader.char(1).is_some_and(|c| is_name(c) || "@*?$".contains(c)));
        self.copy(reader, usize::from(prefix.is_some()));
        let name = reader.name();
        match reader.char(0) {
            Some(c) if is_name(c) => {
                self.copy(reader, reader.length(is_name));
                let evaluated = match reader.char(0) {
                    Some('@') if reader.char(1) == Some('P') => Some(Evaluated::Code),
                    Some('[' | '@' | '*') => None,
                    _ => prefix.filter(|c| *c == '!').map(|_| Evaluated::Name),
                };
                self.evaluated.extend(evaluated.map(|evaluated| (name.clone(), evaluated)));
                self.note(name.clone());
            }
            Some('@' | '*' | '#' | '?' | '$' | '!' | '-') => self.copy(reader, 1),
            _ => {}
        }
        if reader.char(0) == Some('[') {
            self.copy(reader, 1);
            self.braces(reader, ']', BraceContent::Subscript, quoted)?;
        }
        let inner = match (reader.char(0), reader.char(1)) {
            (Some(':'), Some('-' | '=' | '?' | '+')) => BraceContent::Word,
            (Some(':'), _) => BraceContent::Offset,
            (Some('#' | '%' | '/' | '^' | ',' | '~'), _) => BraceContent::Pattern,
            _ => BraceContent::Word,
        };
        let before = self.word.evaluated;
        let assigns = reader.starts_with("=") || reader.starts_with(":=");
        if assigns && self.attributes.integers.contains(&name) {
            self.word.evaluated = Some(Evaluated::Arithmetic);
        }
        self.braces(reader, '}', inner, quoted)?;
        self.word.evaluated = before;
        Ok(())
    }

    pub(super) fn braces(
        &mut self,
        reader: &mut ScriptReader<'_, '_>,
        close: char,
        inner: BraceContent,
        quoted: bool,
    ) -> Result<(), Error> {
        self.deepen()?;
        let before = self.word.evaluated;
        if matches!(inner, BraceContent::Offset | BraceContent::Subscript) {
            self.word.evaluated = Some(Evaluated::Arithmetic);
        }
        let quoted = match inner {
            BraceContent::Word => quoted,
            BraceContent::Pattern | BraceContent::Subscript => false,
            BraceContent::Offset => true,
        };
        let mut open = 0;
        while let Some(seen) = reader.seen(0) {
            match seen {
                ScriptChar::Char(c) if c == close && open == 0 => {
                    self.copy(reader, 1);
                    break;
                }
                ScriptChar::Char('[') if close == ']' => open += 1,
                ScriptChar::Char(']') if close == ']' => open -= 1,
                _ => {}
            }
            if let ScriptChar::Value(placeholder) = seen
                && self.document
                && matches!(inner, BraceContent::Pattern | BraceContent::Subscript)
            {
                let why = "shells differ in how they read a pattern in a here-document";
                let instead = "put the value into a variable before the here-document, and write that there";
                return Err(self.refuse(placeholder, why, Some(instead)));
            }
            self.expansion(reader, seen, quoted)?;
        }
        self.word.evaluated = before;
        self.depth -= 1;
        Ok(())
    }

    /// A substitution in backticks. It ends at the next one that has no backslash, whatever stands between; what is left
    /// when a layer of backslashes is taken away is code of its own.
    fn backtick(&mut self, reader: &mut ScriptReader<'_, '_>, quoted: bool) -> Result<(), Error> {
        self.copy(reader, 1);
        let mut inner = Vec::new();
        while let Some(&piece) =
            reader.pieces.get(reader.at).filter(|piece| !matches!(piece.seen, ScriptChar::Char('`')))
        {
            reader.at += 1;
            let escaped = |c: char| "\\`$".contains(c) || quoted && c == '"';
            match (piece.seen, reader.pieces.get(reader.at)) {
                (ScriptChar::Char('\\'), Some(&Piece { seen: ScriptChar::Char(c), end, .. })) if escaped(c) => {
                    inner.push(Piece { end, seen: ScriptChar::Char(c), ..piece });
                    reader.at += 1;
                }
                _ => inner.push(piece),
            }
        }
        self.backticks += 1;
        self.code(&mut ScriptReader { pieces: &inner, at: 0 }, CodeEnd::Input)?;
        self.backticks -= 1;
        self.copy(reader, 1);
        Ok(())
    }
}
