//! Follows a script through its quotes, and writes a reference for each placeholder.

use super::Evaluated;
use super::code::CodeEnd;
use super::commands::Attributes;
use super::reader::{Piece, ScriptChar, ScriptReader, is_name, split_pieces};
use crate::error::Error;
use crate::spec::template::{Placeholder, Segment};

/// The deepest nesting of quotes and substitutions: far more than scripts have, and far less than the stack holds.
const MAX_DEPTH: usize = 100;

/// Returns the script with references, and the variables whose values the shell evaluates again.
pub(super) fn rewrite(
    segments: &[Segment],
    names: &[String],
    name: &dyn Fn(&Placeholder) -> String,
) -> Result<(String, Vec<(String, Evaluated)>), Error> {
    let (source, pieces) = split_pieces(segments);
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
        writer.write_code(&mut ScriptReader { pieces: &pieces, at: 0 }, CodeEnd::Input)?;
        // A function may assign to a variable before the line that declares it an integer.
        if writer.attributes == known {
            return Ok((writer.out, writer.evaluated));
        }
        attributes = writer.attributes;
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct ScriptWord {
    /// The text without quotes, up to the first expansion.
    pub(super) literal: String,
    pub(super) evaluated: Option<Evaluated>,
    pub(super) variables: Vec<String>,
}

/// The place of a reference, which decides its quotes.
#[derive(Clone, Copy)]
pub(super) enum QuotePlace {
    /// Inside double quotes, or where the shell does not split words.
    Bare,
    Unquoted,
    Single,
    /// Inside the quotes of `$'…'`.
    Ansi,
}

/// What follows the name in `${name…}`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum BraceContent {
    /// A default text, as in `${x:-text}`.
    Word,
    /// A pattern: quotes inside count even if the expansion is quoted.
    Pattern,
    /// Arithmetic in brackets, with quotes as in a pattern.
    Subscript,
    /// Arithmetic, as in `${x:2:3}`.
    Offset,
}

pub(super) struct Writer<'a> {
    /// All texts in order.
    source: &'a str,
    names: &'a [String],
    name: &'a dyn Fn(&Placeholder) -> String,
    pub(super) out: String,
    pub(super) evaluated: Vec<(String, Evaluated)>,
    pub(super) word: ScriptWord,
    pub(super) attributes: Attributes,
    /// Whether this is text of a here-document, in which shells read quotes in a pattern differently.
    pub(super) document: bool,
    /// The number of enclosing backtick pairs. Each removes one layer of backslashes.
    pub(super) backticks: usize,
    pub(super) depth: usize,
}

impl Writer<'_> {
    /// Copies the next `count` pieces from the source.
    pub(super) fn copy(&mut self, reader: &mut ScriptReader<'_, '_>, count: usize) {
        for piece in reader.pieces.iter().skip(reader.at).take(count) {
            self.out.push_str(&self.source[piece.start..piece.end]);
            reader.at += 1;
        }
    }

    /// Writes the reference for a placeholder.
    pub(super) fn write_reference(
        &mut self,
        reader: &mut ScriptReader<'_, '_>,
        placeholder: &Placeholder,
        place: QuotePlace,
    ) {
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

    fn note_variable(&mut self, variable: String) {
        self.evaluated.extend(self.word.evaluated.map(|evaluated| (variable.clone(), evaluated)));
        self.word.variables.push(variable);
    }

    /// Copies an ordinary character; in arithmetic it may begin the name of a variable.
    fn copy_plain(&mut self, reader: &mut ScriptReader<'_, '_>) {
        if self.word.evaluated == Some(Evaluated::Arithmetic) && !reader.previous().is_some_and(is_name) {
            let name = reader.name();
            if !name.is_empty() {
                self.note_variable(name);
            }
        }
        self.copy(reader, 1);
    }

    pub(super) fn deepen(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::usage(format!(
                "quotes and substitutions in the script nest more than {MAX_DEPTH} levels deep"
            ))
            .hint("put the script into the image, or use --item-as env and no placeholders"));
        }
        Ok(())
    }

    pub(super) fn refuse(&self, placeholder: &Placeholder, why: &str, hint: Option<&str>) -> Error {
        let text = placeholder.to_text(self.names);
        Error::usage(format!("{text} can't be replaced at its place in the script: {why}"))
            .hint_if(hint)
            .hint(format!("write {{{text}}} for the text {text} itself"))
    }

    /// Writes what means the same in code and in braces: quotes, backslashes, expansions, values, any other character.
    pub(super) fn write_expansion(
        &mut self,
        reader: &mut ScriptReader<'_, '_>,
        seen: ScriptChar<'_>,
        quoted: bool,
    ) -> Result<(), Error> {
        match seen {
            ScriptChar::Value(placeholder) if quoted => self.write_reference(reader, placeholder, QuotePlace::Bare),
            ScriptChar::Value(placeholder) => self.write_reference(reader, placeholder, QuotePlace::Unquoted),
            ScriptChar::Char('\\') => match reader.value(1) {
                // In quotes, a backslash before an ordinary character is literal; before a reference it must be doubled.
                Some(_) if quoted => {
                    reader.at += 1;
                    self.out.push_str(&"\\".repeat(2 << self.backticks));
                }
                Some(placeholder) => return Err(self.refuse_escaped(placeholder)),
                None => self.copy(reader, 2),
            },
            ScriptChar::Char('$') => self.write_dollar(reader, quoted)?,
            ScriptChar::Char('`') => self.write_backticks(reader, quoted)?,
            ScriptChar::Char('"') => self.write_double_quoted(reader)?,
            ScriptChar::Char('\'') if !quoted => self.write_single_quoted(reader, QuotePlace::Single)?,
            ScriptChar::Char(_) => self.copy_plain(reader),
        }
        Ok(())
    }

    fn refuse_escaped(&self, placeholder: &Placeholder) -> Error {
        self.refuse(placeholder, "the backslash before it would escape the quotes around its value", None)
    }

    /// Writes text in double quotes.
    fn write_double_quoted(&mut self, reader: &mut ScriptReader<'_, '_>) -> Result<(), Error> {
        self.deepen()?;
        self.copy(reader, 1);
        while let Some(seen) = reader.peek(0) {
            if let ScriptChar::Char('"') = seen {
                self.copy(reader, 1);
                break;
            }
            self.write_expansion(reader, seen, true)?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Writes text in single quotes; in `$'…'` a backslash escapes.
    fn write_single_quoted(&mut self, reader: &mut ScriptReader<'_, '_>, place: QuotePlace) -> Result<(), Error> {
        self.copy(reader, if matches!(place, QuotePlace::Ansi) { 2 } else { 1 });
        while let Some(seen) = reader.peek(0) {
            match seen {
                ScriptChar::Value(placeholder) => self.write_reference(reader, placeholder, place),
                ScriptChar::Char('\\') if matches!(place, QuotePlace::Ansi) => match reader.value(1) {
                    Some(placeholder) => return Err(self.refuse_escaped(placeholder)),
                    None => self.copy(reader, 2),
                },
                ScriptChar::Char(c) => {
                    self.copy_plain(reader);
                    if c == '\'' {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    fn write_dollar(&mut self, reader: &mut ScriptReader<'_, '_>, quoted: bool) -> Result<(), Error> {
        match reader.char(1) {
            Some('(') if reader.char(2) == Some('(') && reader.is_arithmetic(3) => self.write_formula(reader, 3)?,
            Some('(') => {
                self.copy(reader, 2);
                self.write_code(reader, CodeEnd::Paren)?;
            }
            Some('{') => self.write_parameter(reader, quoted)?,
            Some('[') => {
                self.copy(reader, 2);
                self.write_braces(reader, ']', BraceContent::Offset, true)?;
            }
            Some('\'') if !quoted => self.write_single_quoted(reader, QuotePlace::Ansi)?,
            Some(c) if is_name(c) => {
                self.copy(reader, 1);
                let name = reader.name();
                self.copy(reader, name.len());
                self.note_variable(name);
            }
            Some('#' | '$' | '!' | '?' | '*' | '@' | '-') => self.copy(reader, 2),
            _ => self.copy(reader, 1),
        }
        Ok(())
    }

    /// Writes a formula. `opening` is the number of pieces that open it.
    pub(super) fn write_formula(&mut self, reader: &mut ScriptReader<'_, '_>, opening: usize) -> Result<(), Error> {
        self.deepen()?;
        self.copy(reader, opening);
        let before = self.word.evaluated.replace(Evaluated::Arithmetic);
        let mut depth = 0;
        while let Some(seen) = reader.peek(0) {
            match seen {
                ScriptChar::Char(')') if depth == 0 => {
                    self.copy(reader, 1 + usize::from(reader.char(1) == Some(')')));
                    break;
                }
                ScriptChar::Char(c @ ('(' | ')')) => {
                    depth = if c == '(' { depth + 1 } else { depth - 1 };
                    self.copy(reader, 1);
                }
                // Quotes change nothing in a formula.
                ScriptChar::Char('"') => self.copy(reader, 1),
                _ => self.write_expansion(reader, seen, true)?,
            }
        }
        self.word.evaluated = before;
        self.depth -= 1;
        Ok(())
    }

    /// Writes `${…}`.
    fn write_parameter(&mut self, reader: &mut ScriptReader<'_, '_>, quoted: bool) -> Result<(), Error> {
        self.copy(reader, 2);
        // A length or an indirection, but not the variables `#` and `!` themselves.
        let prefix = reader.char(0).filter(|c| "#!".contains(*c));
        let prefix = prefix.filter(|_| reader.char(1).is_some_and(|c| is_name(c) || "@*?$".contains(c)));
        self.copy(reader, usize::from(prefix.is_some()));
        let name = reader.name();
        match reader.char(0) {
            Some(c) if is_name(c) => {
                self.copy(reader, reader.count(is_name));
                let evaluated = match reader.char(0) {
                    Some('@') if reader.char(1) == Some('P') => Some(Evaluated::Code),
                    Some('[' | '@' | '*') => None,
                    _ => prefix.filter(|c| *c == '!').map(|_| Evaluated::Name),
                };
                self.evaluated.extend(evaluated.map(|evaluated| (name.clone(), evaluated)));
                self.note_variable(name.clone());
            }
            Some('@' | '*' | '#' | '?' | '$' | '!' | '-') => self.copy(reader, 1),
            _ => {}
        }
        if reader.char(0) == Some('[') {
            self.copy(reader, 1);
            self.write_braces(reader, ']', BraceContent::Subscript, quoted)?;
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
        self.write_braces(reader, '}', inner, quoted)?;
        self.word.evaluated = before;
        Ok(())
    }

    /// Writes up to the character that closes braces or brackets.
    pub(super) fn write_braces(
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
        while let Some(seen) = reader.peek(0) {
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
                let hint = "assign the value to a variable before the here-document, and use that";
                return Err(self.refuse(placeholder, why, Some(hint)));
            }
            self.write_expansion(reader, seen, quoted)?;
        }
        self.word.evaluated = before;
        self.depth -= 1;
        Ok(())
    }

    /// Writes a substitution in backticks. It ends at the next backtick without a backslash. Its content is code, after
    /// one layer of backslashes is removed.
    fn write_backticks(&mut self, reader: &mut ScriptReader<'_, '_>, quoted: bool) -> Result<(), Error> {
        self.copy(reader, 1);
        let mut inner = Vec::new();
        while let Some(&piece) =
            reader.pieces.get(reader.at).filter(|piece| !matches!(piece.value, ScriptChar::Char('`')))
        {
            reader.at += 1;
            let escaped = |c: char| "\\`$".contains(c) || quoted && c == '"';
            match (piece.value, reader.pieces.get(reader.at)) {
                (ScriptChar::Char('\\'), Some(&Piece { value: ScriptChar::Char(c), end, .. })) if escaped(c) => {
                    inner.push(Piece { end, value: ScriptChar::Char(c), ..piece });
                    reader.at += 1;
                }
                _ => inner.push(piece),
            }
        }
        self.backticks += 1;
        self.write_code(&mut ScriptReader { pieces: &inner, at: 0 }, CodeEnd::Input)?;
        self.backticks -= 1;
        self.copy(reader, 1);
        Ok(())
    }
}
