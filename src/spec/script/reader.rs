//! The script as a sequence of characters and values.

use crate::spec::template::{Placeholder, Segment};

/// A character, or a placeholder whose value replaces it.
#[derive(Clone, Copy)]
pub(super) enum ScriptChar<'a> {
    Char(char),
    Value(&'a Placeholder),
}

impl ScriptChar<'_> {
    pub(super) fn char(self) -> Option<char> {
        match self {
            Self::Char(c) => Some(c),
            Self::Value(_) => None,
        }
    }
}

/// A character with its bytes in the source; inside backticks these may be several, as in `\$`.
#[derive(Clone, Copy)]
pub(super) struct Piece<'a> {
    pub(super) value: ScriptChar<'a>,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Splits a script into pieces. Returns its texts, in order, and the pieces.
pub(super) fn split_pieces(segments: &[Segment]) -> (String, Vec<Piece<'_>>) {
    let mut source = String::new();
    let mut pieces = Vec::new();
    for segment in segments {
        let start = source.len();
        match segment {
            Segment::Text(text) => {
                source.push_str(text);
                pieces.extend(text.char_indices().map(|(at, c)| {
                    let start = start + at;
                    Piece { value: ScriptChar::Char(c), start, end: start + c.len_utf8() }
                }));
            }
            Segment::Value(placeholder) => {
                pieces.push(Piece { value: ScriptChar::Value(placeholder), start, end: start });
            }
        }
    }
    (source, pieces)
}

pub(super) struct ScriptReader<'p, 'a> {
    pub(super) pieces: &'p [Piece<'a>],
    pub(super) at: usize,
}

impl<'a> ScriptReader<'_, 'a> {
    pub(super) fn peek(&self, ahead: usize) -> Option<ScriptChar<'a>> {
        self.pieces.get(self.at + ahead).map(|piece| piece.value)
    }

    /// Returns the character before this place; `None` for a value.
    pub(super) fn previous(&self) -> Option<char> {
        self.pieces.get(self.at.checked_sub(1)?)?.value.char()
    }

    pub(super) fn char(&self, ahead: usize) -> Option<char> {
        self.peek(ahead)?.char()
    }

    pub(super) fn value(&self, ahead: usize) -> Option<&'a Placeholder> {
        match self.peek(ahead)? {
            ScriptChar::Char(_) => None,
            ScriptChar::Value(placeholder) => Some(placeholder),
        }
    }

    pub(super) fn starts_with(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(ahead, c)| self.char(ahead) == Some(c))
    }

    /// Returns the word that begins here, if it has no quotes and no expansions.
    pub(super) fn plain_word(&self) -> Option<String> {
        let mut word = String::new();
        for ahead in 0.. {
            match self.peek(ahead) {
                Some(ScriptChar::Char(c)) if !is_meta(c) && !"'\"\\$`".contains(c) => word.push(c),
                None => break,
                Some(ScriptChar::Char(c)) if is_meta(c) => break,
                Some(_) => return None,
            }
        }
        Some(word)
    }

    /// Returns the text of the word that begins here, without quotes and up to its first expansion.
    pub(super) fn literal(&self) -> String {
        let mut literal = String::new();
        let mut quote = None;
        let mut ahead = 0;
        while let Some(c) = self.char(ahead) {
            ahead += 1;
            match (c, quote) {
                (c, Some(open)) if c == open => quote = None,
                ('$' | '`', None | Some('"')) => break,
                ('\\', None | Some('"')) => {
                    literal.extend(self.char(ahead));
                    ahead += 1;
                }
                (c @ ('\'' | '"'), None) => quote = Some(c),
                (c, None) if is_meta(c) => break,
                (c, _) => literal.push(c),
            }
        }
        literal
    }

    /// Returns the number of characters of a kind that begin here.
    pub(super) fn count(&self, kind: impl Fn(char) -> bool) -> usize {
        let rest = self.pieces.iter().skip(self.at);
        rest.take_while(|piece| matches!(piece.value, ScriptChar::Char(c) if kind(c))).count()
    }

    /// Returns the name of the variable that begins here; empty if there is none.
    pub(super) fn name(&self) -> String {
        let name: String = (0..self.count(is_name)).filter_map(|ahead| self.char(ahead)).collect();
        if name.starts_with(|c: char| c.is_ascii_digit()) { String::new() } else { name }
    }

    /// Returns whether two parentheses together close what begins `ahead`, after two opening ones: arithmetic, not a
    /// subshell in a subshell.
    pub(super) fn is_arithmetic(&self, mut ahead: usize) -> bool {
        let mut depth = 0;
        let mut quote = None;
        while let Some(seen) = self.peek(ahead) {
            ahead += 1;
            match seen {
                ScriptChar::Char('\\') if quote != Some('\'') => ahead += 1,
                ScriptChar::Char(c) if quote == Some(c) => quote = None,
                _ if quote.is_some() => {}
                ScriptChar::Char(c @ ('\'' | '"')) => quote = Some(c),
                ScriptChar::Char('(') => depth += 1,
                ScriptChar::Char(')') if depth == 0 => return self.char(ahead) == Some(')'),
                ScriptChar::Char(')') => depth -= 1,
                _ => {}
            }
        }
        false
    }
}

/// Returns whether an unquoted character ends a word.
pub(super) fn is_meta(c: char) -> bool {
    " \t\n;&|()<>".contains(c)
}

/// Returns whether a character may be part of the name of a variable.
pub(super) fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
