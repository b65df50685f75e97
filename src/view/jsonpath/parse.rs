//! Parses the text of a template.

use std::cmp::Ordering;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::{PathFilter, PathStep, TemplateFault, TemplatePart};
use crate::view::go;

macro_rules! patterns {
    ($($name:ident $pattern:literal)*) => {$(
        static $name: LazyLock<Regex> = LazyLock::new(|| Regex::new($pattern).expect("an expression"));
    )*};
}

patterns! {
    BRACKET r"^\[[^\]\n]*\]"
    COMPARISON r"^([^!<>=]+)([!<>=]+)(.+)$"
    // The first quote is closed by the next of its kind; any character may stand between them.
    FILTER r#"^[^"')\n]*("([^\n]*?[^\\\n])??"[^)\n]*|'([^\n]*?[^\\\n])??'[^)\n]*)?\)"#
    // A backslash escapes the next character.
    NAME r"(?s)^(\\.|[^ \t\r\n.,\[\]$@{}])*"
    NUMBER r"^[+-]?[.0-9]*"
    QUOTED r#"^("([^\n]*?[^\\\n])??"|'([^\n]*?[^\\\n])??')"#
    SLICE r"^(-?[0-9]+)?(:(-?[0-9]+)?)?(:(-?[0-9]+)?)?$"
    WORD r"^[^ \t\r\n.,\[\]$@{}]*"
}

pub(super) fn template(text: &str) -> Result<Vec<TemplatePart>, TemplateFault> {
    let (mut blocks, mut at) = (Vec::new(), 0);
    let mut open_ranges = 0;
    while let Some(brace) = text[at..].find('{') {
        if brace > 0 {
            blocks.push(TemplatePart::Text(text[at..at + brace].to_owned()));
        }
        let mut reader = TemplateReader { text, before: 0, at: at + brace + 1, nested: false };
        let steps = reader.read_steps().map_err(|fault| fault.in_characters(text))?;
        check_words(&steps, &mut open_ranges, at + brace).map_err(|fault| fault.in_characters(text))?;
        blocks.push(TemplatePart::Action(steps));
        at = reader.at;
    }
    if at < text.len() {
        blocks.push(TemplatePart::Text(text[at..].to_owned()));
    }
    Ok(blocks)
}

impl TemplateFault {
    /// Returns an error at a byte of the template; [`Self::in_characters`] converts the position.
    fn at(at: usize, problem: impl Into<String>) -> Self {
        Self { at: Some(at), problem: problem.into(), hint: None }
    }

    fn in_characters(mut self, text: &str) -> Self {
        let bytes = self.at.unwrap_or_default();
        self.at = Some(text.char_indices().take_while(|(position, _)| *position <= bytes).count().max(1));
        self
    }
}

/// Checks that all words are known, and that each `end` has a `range`.
fn check_words(steps: &[PathStep], open_ranges: &mut usize, at: usize) -> Result<(), TemplateFault> {
    for step in steps {
        match step {
            PathStep::Word(word) if word == "range" => *open_ranges += 1,
            PathStep::Word(word) if word == "end" => {
                *open_ranges = open_ranges
                    .checked_sub(1)
                    .ok_or_else(|| TemplateFault::at(at, "{end} has no {range} before it"))?;
            }
            PathStep::Word(word) => return Err(unknown(word, at)),
            PathStep::Union(parts) => {
                for part in parts {
                    check_words(part, open_ranges, at)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn unknown(word: &str, at: usize) -> TemplateFault {
    TemplateFault::at(at, format!("{word:?} is not a known word here"))
        .with("a path begins with a dot, as in {.metadata.name}; text needs quotes")
}

/// Reads the text between braces, or a part of it.
struct TemplateReader<'a> {
    text: &'a str,
    /// The number of bytes of the template before the text.
    before: usize,
    at: usize,
    /// Whether the end of the text also ends the steps.
    nested: bool,
}

impl<'a> TemplateReader<'a> {
    fn read_part(text: &str, before: usize) -> Result<Vec<PathStep>, TemplateFault> {
        TemplateReader { text, before, at: 0, nested: true }.read_steps()
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn position(&self) -> usize {
        self.before + self.at
    }

    fn take_if(&mut self, start: &str) -> bool {
        let taken = self.rest().starts_with(start);
        if taken {
            self.at += start.len();
        }
        taken
    }

    fn take_match(&mut self, pattern: &Regex) -> Option<&'a str> {
        let taken = pattern.find(self.rest())?.as_str();
        self.at += taken.len();
        Some(taken)
    }

    /// Reads all steps up to the closing brace.
    fn read_steps(&mut self) -> Result<Vec<PathStep>, TemplateFault> {
        let opened = self.position().saturating_sub(1);
        let mut steps = Vec::new();
        while !self.take_if("}") {
            match self.rest().chars().next() {
                None if self.nested => break,
                None | Some('\r' | '\n') => {
                    return Err(
                        TemplateFault::at(opened, "{ is not closed by } on its line").with("{\"\\n\"} is a line break")
                    );
                }
                Some(' ' | '@' | '$') => self.at += 1,
                Some('[') => steps.extend(self.read_bracket()?),
                Some('"' | '\'') => steps.push(PathStep::Text(self.read_quoted()?)),
                Some('.') => self.read_dot(&mut steps)?,
                Some('+' | '-' | '0'..='9') => steps.push(self.read_number()?),
                Some(c) if begins_word(c) => steps.push(self.read_word()),
                Some(c) => {
                    let fault = TemplateFault::at(self.position(), format!("{c:?} is not allowed in braces"));
                    return Err(fault.with("write text outside of the braces, or in quotes"));
                }
            }
        }
        Ok(steps)
    }

    fn read_dot(&mut self, steps: &mut Vec<PathStep>) -> Result<(), TemplateFault> {
        let here = self.position();
        if self.take_if("..") {
            if matches!(steps.last(), Some(PathStep::Descend)) {
                return Err(TemplateFault::at(here, ".. is repeated"));
            }
            steps.push(PathStep::Descend);
            if !self.rest().starts_with(begins_word) {
                return Ok(());
            }
        } else {
            self.at += 1;
        }
        let name = self.take_match(&NAME).unwrap_or_default();
        steps.push(if name == "*" { PathStep::Wildcard } else { PathStep::Field(name.replace('\\', "")) });
        Ok(())
    }

    fn read_word(&mut self) -> PathStep {
        match self.take_match(&WORD).unwrap_or_default() {
            word @ ("true" | "false") => PathStep::Literal(Value::Bool(word == "true")),
            word => PathStep::Word(word.to_owned()),
        }
    }

    fn read_number(&mut self) -> Result<PathStep, TemplateFault> {
        let here = self.position();
        let number = self.take_match(&NUMBER).unwrap_or_default();
        let float = || number.parse().ok().filter(|float: &f64| float.is_finite()).map(Value::from);
        let literal = number.parse::<i64>().ok().map(Value::from).or_else(float);
        literal.map(PathStep::Literal).ok_or_else(|| TemplateFault::at(here, format!("{number:?} is not a number")))
    }

    fn read_quoted(&mut self) -> Result<Vec<u8>, TemplateFault> {
        let here = self.position();
        let Some(text) = self.take_match(&QUOTED) else {
            let quote = &self.rest()[..1];
            return Err(TemplateFault::at(here, format!("{quote} is not closed by another {quote} on its line")));
        };
        unescape(text).ok_or_else(|| TemplateFault::at(here, format!("{text} has an unknown escape")))
    }

    fn read_bracket(&mut self) -> Result<Vec<PathStep>, TemplateFault> {
        if self.take_if("[?(") {
            return Ok(vec![PathStep::PathFilter(self.read_filter()?)]);
        }
        let mut at = self.position() + 1;
        let bracket =
            self.take_match(&BRACKET).ok_or_else(|| TemplateFault::at(at - 1, "[ is not closed by ] on its line"))?;
        let inside = &bracket[1..bracket.len() - 1];
        if !inside.contains(',') {
            return parse_bracket(inside, at);
        }
        let mut parts = Vec::new();
        for part in inside.split(',') {
            let start = at + part.len() - part.trim_start_matches(' ').len();
            at += part.len() + 1;
            let part = part.trim_matches(' ');
            parts.push(if part.starts_with("?(") {
                TemplateReader::read_part(&format!("[{part}]"), start - 1)?
            } else {
                parse_bracket(part, start)?
            });
        }
        Ok(vec![PathStep::Union(parts)])
    }

    /// Reads a filter after its `[?(`.
    fn read_filter(&mut self) -> Result<PathFilter, TemplateFault> {
        let here = self.position();
        let text = self.take_match(&FILTER).and_then(|text| text.strip_suffix(')'));
        let text = text.ok_or_else(|| TemplateFault::at(here - 3, "[?( is not closed by )] on its line"))?;
        if !self.take_if("]") {
            let fault = TemplateFault::at(self.position(), "a filter is closed by )]");
            return Err(fault.with("write a filter as in [?(@.type==\"Ready\")]"));
        }
        let Some(comparison) = COMPARISON.captures(text) else {
            return Ok(PathFilter::Exists(TemplateReader::read_part(text, here)?));
        };
        let (_, [left, operator, right]) = comparison.extract();
        let at = here + left.len();
        let passes: fn(Ordering) -> bool = match operator {
            "==" => Ordering::is_eq,
            "!=" => Ordering::is_ne,
            "<" => Ordering::is_lt,
            "<=" => Ordering::is_le,
            ">" => Ordering::is_gt,
            ">=" => Ordering::is_ge,
            _ => {
                let fault = TemplateFault::at(at, format!("{operator:?} is not an operator"));
                return Err(fault.with("use ==, !=, <, <=, > or >="));
            }
        };
        let behind = at + operator.len();
        let (left, right) = (TemplateReader::read_part(left, here)?, TemplateReader::read_part(right, behind)?);
        for (side, at) in [(&left, here), (&right, behind)] {
            if let Some(word) =
                side.iter().find_map(|step| if let PathStep::Word(word) = step { Some(word) } else { None })
            {
                return Err(
                    unknown(word, at).with("text needs quotes, as in [?(@.type==\"Ready\")]; a path begins with @.")
                );
            }
        }
        Ok(PathFilter::Compare(left, passes, right))
    }
}

fn begins_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Parses the text in a pair of brackets that is neither a filter nor a union.
fn parse_bracket(inside: &str, before: usize) -> Result<Vec<PathStep>, TemplateFault> {
    let quoted = inside.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    if let Some(name) = quoted.filter(|name| !name.contains('\'')) {
        // As after a dot: a dot separates names unless a backslash escapes it.
        return TemplateReader::read_part(&format!(".{name}"), before);
    }
    let inside = if inside == "*" { ":" } else { inside };
    let wrong = || {
        TemplateFault::at(before, format!("[{inside}] is neither an index nor a name"))
            .with("write [0], [-1], [1:3], [*], ['name'] or [?(@.type==\"Ready\")]")
    };
    let slice = SLICE.captures(inside).ok_or_else(wrong)?;
    let number = |group| slice.get(group).map(|number| number.as_str().parse()).transpose().map_err(|_| wrong());
    let start: i64 = number(1)?.unwrap_or(0);
    let end = match number(3)? {
        // Without a colon, only the element at the start.
        None if slice.get(2).is_none() => Some(start.saturating_add(1)).filter(|&end| end != 0),
        end => end,
    };
    Ok(vec![PathStep::Slice { start, end, step: number(5)?.unwrap_or(1) }])
}

/// Returns the bytes of a text in quotes, with the escapes of Go.
fn unescape(quoted: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut rest) = (Vec::new(), &quoted[1..quoted.len() - 1]);
    while let Some((plain, escaped)) = rest.split_once('\\') {
        bytes.extend(plain.bytes());
        let escape = escaped.chars().next()?;
        let end = match escape {
            'x' | '0'..='7' => 3,
            'u' => 5,
            'U' => 9,
            _ => 1,
        };
        let number = |start: usize, radix: u32| {
            let digits = escaped.get(start..end).filter(|digits| !digits.starts_with('+'))?;
            u32::from_str_radix(digits, radix).ok()
        };
        match escape {
            'x' => bytes.push(u8::try_from(number(1, 16)?).ok()?),
            '0'..='7' => bytes.push(u8::try_from(number(0, 8)?).ok()?),
            'u' | 'U' => bytes.extend(char::from_u32(number(1, 16)?)?.to_string().bytes()),
            _ if quoted.starts_with(escape) => bytes.extend(escape.to_string().bytes()),
            _ => bytes.push(go::ESCAPES.iter().find(|(name, _)| *name == escape)?.1),
        }
        rest = &escaped[end..];
    }
    bytes.extend(rest.bytes());
    Some(bytes)
}
