//! Finds commands: where their words begin, which command each word belongs to, and what ends them.

use super::Evaluated;
use super::commands::{Assigned, COMPARISONS, PREFIXES, assigned, is_test, prints_its_arguments};
use super::documents::Document;
use super::reader::{ScriptChar, ScriptReader, is_meta};
use super::writer::{BraceContent, QuotePlace, ScriptWord, Writer};
use crate::error::Error;

/// Words after which a command may begin, if they are at the place of a command.
const OPENERS: [&str; 11] = ["!", "{", "coproc", "do", "elif", "else", "if", "then", "time", "until", "while"];

/// What ends a piece of code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum CodeEnd {
    Input,
    /// A closing parenthesis.
    Paren,
    /// That of a pattern.
    Pattern,
    /// That of the elements of an array.
    Array,
    /// The word `esac`. Before it, a parenthesis that closes nothing ends a pattern.
    Esac,
}

impl CodeEnd {
    fn is_around_commands(self) -> bool {
        !matches!(self, Self::Pattern | Self::Array)
    }
}

/// The place of the next word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CodeStage {
    Commands,
    /// Between `case` and `in`, after this number of words.
    PlaceholderSubject(usize),
    Patterns,
}

struct Code {
    end: CodeEnd,
    stage: CodeStage,
    /// Whether a word may begin here.
    word: bool,
    /// Whether that word is a command.
    command: bool,
    documents: Vec<Document>,
    /// The words of the command so far, each without quotes and up to its first expansion.
    words: Vec<String>,
    /// The variables in the latest of them.
    previous: Vec<String>,
    /// Whether the next word is the target of a redirection.
    target: bool,
    of_target: Option<Evaluated>,
    /// How the shell evaluates what this code prints.
    printed: Option<Evaluated>,
    /// The variables that the code prints unchanged.
    prints: Vec<String>,
}

impl Code {
    fn new(end: CodeEnd, printed: Option<Evaluated>) -> Self {
        Self {
            end,
            stage: if end == CodeEnd::Esac { CodeStage::PlaceholderSubject(0) } else { CodeStage::Commands },
            word: end != CodeEnd::Pattern,
            command: end.is_around_commands(),
            documents: Vec::new(),
            words: Vec::new(),
            previous: Vec::new(),
            target: false,
            of_target: None,
            printed,
            prints: Vec::new(),
        }
    }

    fn separate(&mut self) {
        self.word = true;
        self.command = self.end.is_around_commands() && !self.in_brackets();
        if self.command {
            self.words.clear();
        }
    }

    /// Returns whether this is between `[[` and `]]`, where operators end no command.
    fn in_brackets(&self) -> bool {
        self.words.first().is_some_and(|word| word == "[[") && self.words.last().is_some_and(|word| word != "]]")
    }
}

impl Writer<'_> {
    /// Writes commands up to their end. Returns the here-documents that began there and follow later.
    pub(super) fn write_code(
        &mut self,
        reader: &mut ScriptReader<'_, '_>,
        end: CodeEnd,
    ) -> Result<Vec<Document>, Error> {
        self.deepen()?;
        let element = end == CodeEnd::Array && self.attributes.integers.contains(assigned(&self.word.literal).name());
        let outer = std::mem::take(&mut self.word);
        self.word.evaluated = element.then_some(Evaluated::Arithmetic);
        let document = std::mem::take(&mut self.document);
        let mut code = Code::new(end, outer.evaluated);
        while let Some(seen) = reader.peek(0) {
            let over = match seen {
                ScriptChar::Char(c) if is_meta(c) => self.write_operator(reader, &mut code, c)?,
                // A shell removes a backslash with a line break.
                ScriptChar::Char('\\') if reader.char(1) == Some('\n') => {
                    self.copy(reader, 2);
                    false
                }
                _ if code.word => self.write_word(reader, &mut code)?,
                _ => self.write_expansion(reader, seen, false).map(|()| false)?,
            };
            if over {
                break;
            }
        }
        self.finish_word(&mut code);
        self.word = outer;
        self.word.variables.append(&mut code.prints);
        self.document = document;
        self.depth -= 1;
        Ok(code.documents)
    }

    /// Writes a character between words. Returns whether it ends the code.
    fn write_operator(&mut self, reader: &mut ScriptReader<'_, '_>, code: &mut Code, c: char) -> Result<bool, Error> {
        if ")\n;&|".contains(c) && !code.in_brackets() {
            self.finish_word(code);
        }
        match c {
            '<' if reader.starts_with("<<<") => {
                self.copy(reader, 3);
                let reads = code.words.first().is_some_and(|word| word == "read");
                let evaluated = reads && !self.attributes.integers.is_empty();
                code.word = true;
                code.target = true;
                code.of_target = evaluated.then_some(Evaluated::Arithmetic);
            }
            '<' if reader.starts_with("<<") => {
                code.documents.extend(self.parse_delimiter(reader)?);
                code.word = true;
            }
            '<' | '>' if !code.in_brackets() => {
                // The target of `>&` is expanded twice by bash, unless it is a number.
                let doubled = reader.char(1) == Some('&');
                self.copy(reader, 1 + usize::from(doubled));
                code.word = true;
                // A process substitution begins a command.
                code.target = reader.char(0) != Some('(');
                code.of_target = doubled.then_some(Evaluated::Code);
            }
            _ if " \t<>".contains(c) || code.in_brackets() && "()|&".contains(c) => {
                code.word = true;
                self.copy(reader, 1);
            }
            '&' if reader.char(1) == Some('>') => self.copy(reader, 1),
            '\n' => {
                code.separate();
                self.copy(reader, 1);
                for document in std::mem::take(&mut code.documents) {
                    self.write_document(reader, &document)?;
                }
            }
            '(' if reader.char(1) == Some('(') && reader.is_arithmetic(2) => {
                self.write_formula(reader, 2)?;
                code.separate();
            }
            '(' => {
                let end = match reader.previous() {
                    Some('=') if !code.word => CodeEnd::Array,
                    Some('?' | '*' | '+' | '@' | '!') if !code.word => CodeEnd::Pattern,
                    _ => CodeEnd::Paren,
                };
                if let (CodeEnd::Array, Assigned::Value(name)) = (end, assigned(&self.word.literal)) {
                    self.attributes.arrays.insert(name.to_owned());
                }
                self.copy(reader, 1);
                code.documents.extend(self.write_code(reader, end)?);
                code.separate();
            }
            ')' => {
                self.copy(reader, 1);
                code.separate();
                if code.end == CodeEnd::Esac {
                    code.stage = CodeStage::Commands;
                }
                return Ok(matches!(code.end, CodeEnd::Paren | CodeEnd::Pattern | CodeEnd::Array));
            }
            _ => {
                if c == ';' {
                    code.words.clear();
                }
                if code.end == CodeEnd::Esac && (reader.starts_with(";;") || reader.starts_with(";&")) {
                    code.stage = CodeStage::Patterns;
                }
                self.copy(reader, 1);
                code.separate();
            }
        }
        Ok(false)
    }

    /// Writes the beginning of a word, or all of a comment or keyword. Returns whether it ends the code.
    fn write_word(&mut self, reader: &mut ScriptReader<'_, '_>, code: &mut Code) -> Result<bool, Error> {
        if reader.char(0) == Some('#') {
            while let Some(seen) = reader.peek(0).filter(|seen| !matches!(seen, ScriptChar::Char('\n'))) {
                match seen {
                    ScriptChar::Value(placeholder) => self.write_reference(reader, placeholder, QuotePlace::Bare),
                    ScriptChar::Char(_) => self.copy(reader, 1),
                }
            }
            return Ok(false);
        }
        code.word = false;
        self.finish_word(code);
        if std::mem::take(&mut code.target) {
            self.word.evaluated = code.of_target;
            return self.write_first_piece(reader).map(|()| false);
        }
        let command = std::mem::replace(&mut code.command, false);
        let keyword = reader.plain_word().unwrap_or_default();
        match code.stage {
            CodeStage::PlaceholderSubject(0) => code.stage = CodeStage::PlaceholderSubject(1),
            CodeStage::PlaceholderSubject(_) => {
                self.copy(reader, keyword.chars().count());
                code.stage = CodeStage::Patterns;
                code.command = true;
            }
            _ if !command => self.read_argument(reader, code)?,
            _ if keyword == "esac" && code.end == CodeEnd::Esac => {
                self.copy(reader, 4);
                return Ok(true);
            }
            CodeStage::Patterns => {}
            CodeStage::Commands if keyword == "case" => {
                self.copy(reader, 4);
                code.documents.extend(self.write_code(reader, CodeEnd::Esac)?);
            }
            CodeStage::Commands => {
                code.command = self.read_command_word(reader, code, &keyword)?;
                self.copy(reader, keyword.chars().count());
            }
        }
        self.write_first_piece(reader).map(|()| false)
    }

    /// Writes the first piece of a word, unless the word has ended.
    fn write_first_piece(&mut self, reader: &mut ScriptReader<'_, '_>) -> Result<(), Error> {
        match reader.peek(0) {
            Some(seen) if !matches!(seen, ScriptChar::Char(c) if is_meta(c)) => {
                self.write_expansion(reader, seen, false)
            }
            _ => Ok(()),
        }
    }

    /// Reads a word at the place of a command. Returns whether the next word may be a command too.
    fn read_command_word(
        &mut self,
        reader: &mut ScriptReader<'_, '_>,
        code: &mut Code,
        keyword: &str,
    ) -> Result<bool, Error> {
        if OPENERS.contains(&keyword) {
            return Ok(true);
        }
        let literal = reader.literal();
        match assigned(&literal) {
            Assigned::Element(name) => {
                self.word.literal.clone_from(&literal);
                self.copy(reader, name.chars().count() + 1);
                self.write_braces(reader, ']', BraceContent::Subscript, false)?;
                self.word.evaluated = self.attributes.integers.contains(name).then_some(Evaluated::Arithmetic);
                return Ok(true);
            }
            Assigned::Value(_) => {
                self.word.evaluated = self.attributes.evaluated(std::slice::from_ref(&literal));
                self.word.literal = literal;
                return Ok(true);
            }
            Assigned::Nothing => {}
        }
        // Options of `command`, `exec` and `time`.
        if PREFIXES.contains(&literal.as_str()) || literal.starts_with('-') {
            return Ok(true);
        }
        code.words = vec![literal];
        Ok(false)
    }

    /// Reads a word after a command's name, or in a list.
    fn read_argument(&mut self, reader: &mut ScriptReader<'_, '_>, code: &mut Code) -> Result<(), Error> {
        if code.end == CodeEnd::Array {
            if reader.char(0) == Some('[') {
                let element = self.word.evaluated;
                self.copy(reader, 1);
                self.write_braces(reader, ']', BraceContent::Subscript, false)?;
                self.word.evaluated = element;
            }
            return Ok(());
        }
        let literal = reader.literal();
        if literal == "{" && code.words.first().is_some_and(|word| word == "function") {
            code.separate();
            return Ok(());
        }
        let compares = is_test(&code.words) && COMPARISONS.contains(&literal.as_str());
        if let (true, Some(before)) = (compares, code.words.last()) {
            let operands = code.previous.drain(..).chain([before.clone()]);
            self.evaluated.extend(operands.map(|name| (name, Evaluated::Arithmetic)));
        }
        code.words.push(literal.clone());
        self.word.literal = literal;
        self.attributes.learn(&code.words);
        self.word.evaluated = self.attributes.evaluated(&code.words);
        if self.word.evaluated.is_none() && prints_its_arguments(&code.words) {
            self.word.evaluated = code.printed;
        }
        Ok(())
    }

    /// Ends a word before the next one begins.
    fn finish_word(&mut self, code: &mut Code) {
        let element = if code.end == CodeEnd::Array { self.word.evaluated } else { None };
        let word = std::mem::replace(&mut self.word, ScriptWord { evaluated: element, ..ScriptWord::default() });
        if prints_its_arguments(&code.words) {
            code.prints.extend(word.variables.iter().cloned());
        }
        code.previous = word.variables;
    }
}
