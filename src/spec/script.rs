//! Placeholders in the script of a shell: each becomes a reference to a variable of the environment, quoted for the place
//! where it stands. So a value is never parsed as code, whatever bytes are in it, and arrives as it is.
//!
//! What the script itself does with a value is its own: `eval`, a shell inside of the shell and `test -v` parse their
//! arguments again, as they do with any `"$variable"` written by hand.

use crate::error::Error;
use crate::spec::template::{Placeholder, Segment};

/// Programs that take a script after `-c`.
const SHELLS: [&str; 6] = ["sh", "bash", "dash", "ash", "ksh", "zsh"];
/// Long options, of bash, that take the next word.
const OPTIONS_WITH_VALUE: [&str; 2] = ["--init-file", "--rcfile"];
/// Words after which a command may begin, where they stand for one.
const OPENERS: [&str; 12] = ["!", "{", "coproc", "do", "elif", "else", "if", "in", "then", "time", "until", "while"];
/// How deep quotes and substitutions may nest: far more than anyone writes, and far less than the stack holds.
const MAX_DEPTH: usize = 100;

/// The shell that the command itself is, as it is called there.
pub(crate) fn shell_of(command: &[String]) -> Option<&str> {
    command.first().map(String::as_str).filter(|word| is_shell(word))
}

fn is_shell(word: &str) -> bool {
    SHELLS.contains(&word.rsplit('/').next().unwrap_or(word))
}

/// The index in `command` of each argument that is the script of a shell, as in `timeout 9 bash -euo pipefail -c SCRIPT`.
pub(crate) fn scripts(command: &[String]) -> Vec<usize> {
    let shells = (0..command.len()).filter(|&at| is_shell(&command[at]));
    let mut scripts: Vec<_> = shells.filter_map(|at| script_after(command, at + 1)).collect();
    // A word that is called like a shell may stand among the options of another.
    scripts.dedup();
    scripts
}

/// Where the script is, of a shell whose first argument is at `at`.
fn script_after(command: &[String], mut at: usize) -> Option<usize> {
    let mut takes_script = false;
    while let Some(word) = command.get(at) {
        let cluster = match word.strip_prefix(['-', '+']) {
            _ if word == "-" || word == "--" => {
                at += 1;
                break;
            }
            Some(cluster) => cluster,
            None => break,
        };
        at += 1;
        if word.starts_with("--") {
            at += usize::from(OPTIONS_WITH_VALUE.contains(&word.as_str()));
        } else {
            takes_script |= word.starts_with('-') && cluster.contains('c');
            at += cluster.matches(['o', 'O']).count();
        }
    }
    (takes_script && at < command.len()).then_some(at)
}

/// The script with each placeholder replaced by a quoted reference to the variable that `name` gives it; `names` are
/// those of the columns, for messages. Not for a script that is one placeholder and nothing else: see
/// [`crate::spec::template::Shape::Sole`].
///
/// # Errors
/// A usage error where a shell would not replace a reference: in a here-document with a quoted delimiter, in a
/// delimiter itself, and after a backslash that would take the reference's own quotes for text.
pub(crate) fn refer(
    segments: &[Segment],
    names: &[String],
    name: &dyn Fn(&Placeholder) -> String,
) -> Result<String, Error> {
    Ok(rewrite(segments, names, name)?.out)
}

/// The placeholders that stand in arithmetic, as in `$(({} + 1))`. There a shell reads the value as a formula, and bash
/// even runs the commands in a subscript, so they are safe only where every value [is a number](is_number).
///
/// # Errors
/// As of [`refer`].
pub(crate) fn numbers(segments: &[Segment], names: &[String]) -> Result<Vec<Placeholder>, Error> {
    Ok(rewrite(segments, names, &|_| String::new())?.numbers)
}

/// Whether a value is a number to every shell: decimal with sign, fraction and exponent, or hexadecimal.
pub(crate) fn is_number(value: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(value) else { return false };
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => text.starts_with(|c: char| c.is_ascii_digit() || c == '.') && text.parse::<f64>().is_ok(),
    }
}

fn rewrite<'a>(
    segments: &'a [Segment],
    names: &'a [String],
    name: &'a dyn Fn(&Placeholder) -> String,
) -> Result<Writer<'a>, Error> {
    let mut source = String::new();
    let mut pieces = Vec::new();
    for segment in segments {
        match segment {
            Segment::Text(text) => {
                let start = source.len();
                source.push_str(text);
                pieces.extend(text.char_indices().map(|(at, c)| Piece {
                    seen: Seen::Char(c),
                    start: start + at,
                    end: start + at + c.len_utf8(),
                }));
            }
            Segment::Value(placeholder) => {
                pieces.push(Piece { seen: Seen::Value(placeholder), start: source.len(), end: source.len() });
            }
        }
    }
    let out = String::with_capacity(2 * source.len());
    let mut writer =
        Writer { source, names, name, out, numbers: Vec::new(), arithmetic: false, backticks: 0, depth: 0 };
    writer.code(&mut Reader { pieces: &pieces, at: 0 }, End::Input)?;
    Ok(writer)
}

/// What a shell sees at a place of the script.
#[derive(Clone, Copy)]
enum Seen<'a> {
    Char(char),
    Value(&'a Placeholder),
}

/// A character with where it is in the source; inside of backticks that may be several bytes, as in `\$`.
#[derive(Clone, Copy)]
struct Piece<'a> {
    seen: Seen<'a>,
    start: usize,
    end: usize,
}

struct Reader<'p, 'a> {
    pieces: &'p [Piece<'a>],
    at: usize,
}

impl<'a> Reader<'_, 'a> {
    fn seen(&self, ahead: usize) -> Option<Seen<'a>> {
        self.pieces.get(self.at + ahead).map(|piece| piece.seen)
    }

    fn char(&self, ahead: usize) -> Option<char> {
        self.seen(ahead).and_then(|seen| match seen {
            Seen::Char(c) => Some(c),
            Seen::Value(_) => None,
        })
    }

    fn value(&self, ahead: usize) -> Option<&'a Placeholder> {
        self.seen(ahead).and_then(|seen| match seen {
            Seen::Char(_) => None,
            Seen::Value(placeholder) => Some(placeholder),
        })
    }

    fn starts_with(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(ahead, c)| self.char(ahead) == Some(c))
    }

    /// The word that begins here, if it is one without quotes and expansions.
    fn plain_word(&self) -> Option<String> {
        let mut word = String::new();
        for ahead in 0.. {
            match self.seen(ahead) {
                Some(Seen::Char(c)) if !is_meta(c) && !"'\"\\$`".contains(c) => word.push(c),
                None => break,
                Some(Seen::Char(c)) if is_meta(c) => break,
                Some(_) => return None,
            }
        }
        Some(word)
    }

    /// Whether what begins `ahead`, after two opening parentheses, is closed by two together: arithmetic, not a subshell
    /// in a subshell.
    fn is_arithmetic(&self, mut ahead: usize) -> bool {
        let mut depth = 0;
        let mut quote = None;
        while let Some(seen) = self.seen(ahead) {
            ahead += 1;
            match seen {
                Seen::Char('\\') if quote != Some('\'') => ahead += 1,
                Seen::Char(c) if quote == Some(c) => quote = None,
                _ if quote.is_some() => {}
                Seen::Char(c @ ('\'' | '"')) => quote = Some(c),
                Seen::Char('(') => depth += 1,
                Seen::Char(')') if depth == 0 => return self.char(ahead) == Some(')'),
                Seen::Char(')') => depth -= 1,
                _ => {}
            }
        }
        false
    }
}

/// Ends a word where it is not quoted.
fn is_meta(c: char) -> bool {
    " \t\n;&|()<>".contains(c)
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

/// A here-document whose body is still to come.
struct Document {
    delimiter: String,
    quoted: bool,
    /// Whether tabs at the start of its lines go.
    tabs: bool,
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

struct Writer<'a> {
    /// All texts, one after the other.
    source: String,
    names: &'a [String],
    name: &'a dyn Fn(&Placeholder) -> String,
    out: String,
    numbers: Vec<Placeholder>,
    /// Whether a value here is part of a formula.
    arithmetic: bool,
    /// In how many pairs of backticks this is: each takes away one layer of backslashes.
    backticks: usize,
    depth: usize,
}

impl Writer<'_> {
    /// Writes the next `count` pieces as they are in the source.
    fn copy(&mut self, reader: &mut Reader<'_, '_>, count: usize) {
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

    fn refuse(&self, placeholder: &Placeholder, why: &str) -> Error {
        let written = placeholder.written(self.names);
        Error::usage(format!("{written} can't be replaced where it stands in the script: {why}"))
            .hint(format!("write {{{written}}} for the braces themselves"))
    }

    /// Commands, up to their end and with it.
    fn code(&mut self, reader: &mut Reader<'_, '_>, end: End) -> Result<(), Error> {
        self.deepen()?;
        let arithmetic = std::mem::replace(&mut self.arithmetic, false);
        let stage = if end == End::Esac { Stage::Subject(0) } else { Stage::Commands };
        let mut code = Code { end, stage, word: true, command: end != End::List, documents: Vec::new() };
        while let Some(seen) = reader.seen(0) {
            let over = match seen {
                Seen::Char(c) if is_meta(c) => self.operator(reader, &mut code, c)?,
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
        self.depth -= 1;
        Ok(())
    }

    /// A character that stands between words; whether it ends the code.
    fn operator(&mut self, reader: &mut Reader<'_, '_>, code: &mut Code, c: char) -> Result<bool, Error> {
        match c {
            ' ' | '\t' | '>' => {
                code.word = true;
                self.copy(reader, 1);
            }
            '<' if reader.starts_with("<<<") => self.copy(reader, 3),
            '<' if reader.starts_with("<<") => {
                let document = self.delimiter(reader)?;
                code.documents.extend(document);
                code.word = true;
            }
            '<' => {
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
                self.code(reader, if list { End::List } else { End::Paren })?;
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
                self.code(reader, End::Esac)?;
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
    fn expansion(&mut self, reader: &mut Reader<'_, '_>, seen: Seen<'_>, quoted: bool) -> Result<(), Error> {
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
        self.refuse(placeholder, "the backslash before it would quote the quotes that keep the value together")
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
                    self.copy(reader, 2);
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
            self.expansion(reader, seen, quoted)?;
        }
        self.arithmetic = before;
        self.depth -= 1;
        Ok(())
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

    /// `<<` and the word after it; none if there is none.
    fn delimiter(&mut self, reader: &mut Reader<'_, '_>) -> Result<Option<Document>, Error> {
        self.copy(reader, 2);
        let tabs = reader.char(0) == Some('-');
        self.copy(reader, usize::from(tabs));
        while matches!(reader.char(0), Some(' ' | '\t')) {
            self.copy(reader, 1);
        }
        let mut document = Document { delimiter: String::new(), quoted: false, tabs };
        let mut quote = None;
        while let Some(seen) = reader.seen(0) {
            let c = match seen {
                Seen::Char(c) if quote.is_none() && is_meta(c) => break,
                Seen::Char(c) => c,
                Seen::Value(placeholder) => {
                    return Err(self.refuse(placeholder, "the delimiter of a here-document is never replaced"));
                }
            };
            self.copy(reader, 1);
            match (c, quote) {
                ('\\', None) => {
                    document.delimiter.extend(reader.char(0));
                    self.copy(reader, usize::from(reader.char(0).is_some()));
                }
                (c @ ('\'' | '"'), None) => quote = Some(c),
                (c, Some(open)) if c == open => quote = None,
                _ => {
                    document.delimiter.push(c);
                    continue;
                }
            }
            document.quoted = true;
        }
        Ok((document.quoted || !document.delimiter.is_empty()).then_some(document))
    }

    /// The lines of a here-document, with the one that ends it.
    fn document(&mut self, reader: &mut Reader<'_, '_>, document: &Document) -> Result<(), Error> {
        let rest = &reader.pieces[reader.at..];
        let mut body = 0;
        let mut continued = false;
        let mut ending = 0;
        for line in rest.split_inclusive(|piece| matches!(piece.seen, Seen::Char('\n'))) {
            let text = line.iter().map(|piece| match piece.seen {
                Seen::Char(c) => Some(c),
                Seen::Value(_) => None,
            });
            let text = text.skip_while(|c| document.tabs && *c == Some('\t')).take_while(|c| *c != Some('\n'));
            if !continued && text.eq(document.delimiter.chars().map(Some)) {
                ending = line.len();
                break;
            }
            let backslash = |piece: &&Piece<'_>| matches!(piece.seen, Seen::Char('\\'));
            continued = !document.quoted && line.iter().rev().skip(1).take_while(backslash).count() % 2 == 1;
            body += line.len();
        }
        let mut inner = Reader { pieces: &rest[..body], at: 0 };
        while let Some(seen) = inner.seen(0) {
            match seen {
                Seen::Value(placeholder) if document.quoted => return Err(self.refuse_document(placeholder, document)),
                Seen::Char('"') => self.copy(&mut inner, 1),
                _ if document.quoted => self.copy(&mut inner, 1),
                _ => self.expansion(&mut inner, seen, true)?,
            }
        }
        reader.at += body;
        self.copy(reader, ending);
        Ok(())
    }

    fn refuse_document(&self, placeholder: &Placeholder, document: &Document) -> Error {
        let delimiter = &document.delimiter;
        self.refuse(placeholder, &format!("the here-document up to {delimiter} is quoted, so a shell replaces nothing"))
            .hint(format!("or write <<{delimiter} without quotes"))
            .hint("or use --item-as env, if what reads the here-document can look into its environment")
    }
}
