//! The script as a shell sees it: characters and values, one after the other.

use crate::spec::template::{Placeholder, Segment};

/// What a shell sees at a place of the script.
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

/// A character with where it is in the source; inside of backticks that may be several bytes, as in `\$`.
#[derive(Clone, Copy)]
pub(super) struct Piece<'a> {
    pub(super) seen: ScriptChar<'a>,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The texts of a script, one after the other, and its pieces.
pub(super) fn pieces(segments: &[Segment]) -> (String, Vec<Piece<'_>>) {
    let mut source = String::new();
    let mut pieces = Vec::new();
    for segment in segments {
        let start = source.len();
        match segment {
            Segment::Text(text) => {
                source.push_str(text);
                pieces.extend(text.char_indices().map(|(at, c)| {
                    let start = start + at;
                    Piece { seen: ScriptChar::Char(c), start, end: start + c.len_utf8() }
                }));
            }
            Segment::Value(placeholder) => {
                pieces.push(Piece { seen: ScriptChar::Value(placeholder), start, end: start });
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
    pub(super) fn seen(&self, ahead: usize) -> Option<ScriptChar<'a>> {
        self.pieces.get(self.at + ahead).map(|piece| piece.seen)
    }

    pub(super) fn char(&self, ahead: usize) -> Option<char> {
        self.seen(ahead)?.char()
    }

    pub(super) fn value(&self, ahead: usize) -> Option<&'a Placeholder> {
        match self.seen(ahead)? {
            ScriptChar::Char(_) => None,
            ScriptChar::Value(placeholder) => Some(placeholder),
        }
    }

    pub(super) fn starts_with(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(ahead, c)| self.char(ahead) == Some(c))
    }

    /// The word that begins here, if it is one without quotes and expansions.
    pub(super) fn plain_word(&self) -> Option<String> {
        let mut word = String::new();
        for ahead in 0.. {
            match self.seen(ahead) {
                Some(ScriptChar::Char(c)) if !is_meta(c) && !"'\"\\$`".contains(c) => word.push(c),
                None => break,
                Some(ScriptChar::Char(c)) if is_meta(c) => break,
                Some(_) => return None,
            }
        }
        Some(word)
    }

    /// The text of the word that begins here, without its quotes and up to its first expansion.
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

    /// How many characters that begin here are of a kind.
    pub(super) fn length(&self, kind: impl Fn(char) -> bool) -> usize {
        let rest = self.pieces.iter().skip(self.at);
        rest.take_while(|piece| matches!(piece.seen, ScriptChar::Char(c) if kind(c))).count()
    }

    /// The name of a variable that begins here; empty if none does.
    pub(super) fn name(&self) -> String {
        let name: String = (0..self.length(is_name)).filter_map(|ahead| self.char(ahead)).collect();
        if name.starts_with(|c: char| c.is_ascii_digit()) { String::new() } else { name }
    }

    /// Whether what begins `ahead`, after two opening parentheses, is closed by two together: arithmetic, not a subshell
    /// in a subshell.
    pub(super) fn is_arithmetic(&self, mut ahead: usize) -> bool {
        let mut depth = 0;
        let mut quote = None;
        while let Some(seen) = self.seen(ahead) {
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

/// Ends a word where it is not quoted.
pub(super) fn is_meta(c: char) -> bool {
    " \t\n;&|()<>".contains(c)
}

/// Whether a character can be part of the name of a variable.
pub(super) fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
