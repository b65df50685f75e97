//! From the text of a template to its steps.

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
    // The first quote decides which one it is that counts; up to the next of its kind all may stand.
    FILTER r#"^[^"')\n]*("([^\n]*?[^\\\n])??"[^)\n]*|'([^\n]*?[^\\\n])??'[^)\n]*)?\)"#
    // A backslash takes away the meaning of what follows.
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
        let steps = reader.steps().map_err(|fault| fault.in_characters(text))?;
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
    /// A fault at a byte of the template, which is told as a character in the end.
    fn at(at: usize, problem: impl Into<String>) -> Self {
        Self { at: Some(at), problem: problem.into(), hint: None }
    }

    fn in_characters(mut self, text: &str) -> Self {
        let bytes = self.at.unwrap_or_default();
        self.at = Some(text.char_indices().take_while(|(position, _)| *position <= bytes).count().max(1));
        self
    }
}

/// Words are obeyed wherever the template comes by, so one that is unknown, and an `end` too many, are faults always.
fn check_words(steps: &[PathStep], open_ranges: &mut usize, at: usize) -> Result<(), TemplateFault> {
    for step in steps {
        match step {
            PathStep::Word(word) if word == "range" => *open_ranges += 1,
            PathStep::Word(word) if word == "end" => {
                *open_ranges = open_ranges
                    .checked_sub(1)
                    .ok_or_else(|| TemplateFault::at(at, "{end} without a {range} before it, which it would end"))?;
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
    TemplateFault::at(at, format!("{word:?} is no word that means something here"))
        .with("a path begins with a dot, as in {.metadata.name}; a text stands in quotes")
}

/// Reads the inside of braces, or of what stands in it.
struct TemplateReader<'a> {
    text: &'a str,
    /// How many bytes of the template stand before the text.
    before: usize,
    at: usize,
    /// Whether the end of the text is the end of the steps too.
    nested: bool,
}

impl<'a> TemplateReader<'a> {
    fn part(text: &str, before: usize) -> Result<Vec<PathStep>, TemplateFault> {
        TemplateReader { text, before, at: 0, nested: true }.steps()
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn here(&self) -> usize {
        self.before + self.at
    }

    fn take_if(&mut self, start: &str) -> bool {
        let taken = self.rest().starts_with(start);
        if taken {
            self.at += start.len();
        }
        taken
    }

    fn take(&mut self, pattern: &Regex) -> Option<&'a str> {
        let taken = pattern.find(self.rest())?.as_str();
        self.at += taken.len();
        Some(taken)
    }

    /// All steps up to the brace that ends them.
    fn steps(&mut self) -> Result<Vec<PathStep>, TemplateFault> {
        let opened = self.here().saturating_sub(1);
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
                Some('[') => steps.extend(self.bracket()?),
                Some('"' | '\'') => steps.push(PathStep::Text(self.quoted()?)),
                Some('.') => self.dot(&mut steps)?,
                Some('+' | '-' | '0'..='9') => steps.push(self.number()?),
                Some(c) if begins_word(c) => steps.push(self.word()),
                Some(c) => {
                    let fault = TemplateFault::at(self.here(), format!("{c:?} does not belong into braces"));
                    return Err(fault.with("text stands outside of the braces, or in quotes"));
                }
            }
        }
        Ok(steps)
    }

    fn dot(&mut self, steps: &mut Vec<PathStep>) -> Result<(), TemplateFault> {
        let here = self.here();
        if self.take_if("..") {
            if matches!(steps.last(), Some(PathStep::Descend)) {
                return Err(TemplateFault::at(here, ".. stands twice"));
            }
            steps.push(PathStep::Descend);
            if !self.rest().starts_with(begins_word) {
                return Ok(());
            }
        } else {
            self.at += 1;
        }
        let name = self.take(&NAME).unwrap_or_default();
        steps.push(if name == "*" { PathStep::Wildcard } else { PathStep::Field(name.replace('\\', "")) });
        Ok(())
    }

    fn word(&mut self) -> PathStep {
        match self.take(&WORD).unwrap_or_default() {
            word @ ("true" | "false") => PathStep::Literal(Value::Bool(word == "true")),
            word => PathStep::Word(word.to_owned()),
        }
    }

    fn number(&mut self) -> Result<PathStep, TemplateFault> {
        let here = self.here();
        let number = self.take(&NUMBER).unwrap_or_default();
        let float = || number.parse().ok().filter(|float: &f64| float.is_finite()).map(Value::from);
        let literal = number.parse::<i64>().ok().map(Value::from).or_else(float);
        literal.map(PathStep::Literal).ok_or_else(|| TemplateFault::at(here, format!("{number:?} is not a number")))
    }

    fn quoted(&mut self) -> Result<Vec<u8>, TemplateFault> {
        let here = self.here();
        let Some(text) = self.take(&QUOTED) else {
            let quote = &self.rest()[..1];
            return Err(TemplateFault::at(here, format!("{quote} is not closed by another {quote} on its line")));
        };
        unescape(text).ok_or_else(|| TemplateFault::at(here, format!("{text} has an escape that is unknown")))
    }

    fn bracket(&mut self) -> Result<Vec<PathStep>, TemplateFault> {
        if self.take_if("[?(") {
            return Ok(vec![PathStep::PathFilter(self.filter()?)]);
        }
        let mut at = self.here() + 1;
        let bracket =
            self.take(&BRACKET).ok_or_else(|| TemplateFault::at(at - 1, "[ is not closed by ] on its line"))?;
        let inside = &bracket[1..bracket.len() - 1];
        if !inside.contains(',') {
            return inside_bracket(inside, at);
        }
        let mut parts = Vec::new();
        for part in inside.split(',') {
            let start = at + part.len() - part.trim_start_matches(' ').len();
            at += part.len() + 1;
            let part = part.trim_matches(' ');
            parts.push(if part.starts_with("?(") {
                TemplateReader::part(&format!("[{part}]"), start - 1)?
            } else {
                inside_bracket(part, start)?
            });
        }
        Ok(vec![PathStep::Union(parts)])
    }

    /// What stands behind `[?(`.
    fn filter(&mut self) -> Result<PathFilter, TemplateFault> {
        let here = self.here();
        let text = self.take(&FILTER).and_then(|text| text.strip_suffix(')'));
        let text = text.ok_or_else(|| TemplateFault::at(here - 3, "[?( is not closed by )] on its line"))?;
        if !self.take_if("]") {
            let fault = TemplateFault::at(self.here(), "a filter is closed by )]");
            return Err(fault.with("write it as in [?(@.type==\"Ready\")]"));
        }
        let Some(comparison) = COMPARISON.captures(text) else {
            return Ok(PathFilter::Exists(TemplateReader::part(text, here)?));
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
                let fault = TemplateFault::at(at, format!("{operator:?} compares nothing"));
                return Err(fault.with("filters know ==, !=, <, <=, > and >="));
            }
        };
        let behind = at + operator.len();
        let (left, right) = (TemplateReader::part(left, here)?, TemplateReader::part(right, behind)?);
        for (side, at) in [(&left, here), (&right, behind)] {
            if let Some(word) =
                side.iter().find_map(|step| if let PathStep::Word(word) = step { Some(word) } else { None })
            {
                return Err(unknown(word, at)
                    .with("a text is compared in quotes, as in [?(@.type==\"Ready\")], a path begins with @."));
            }
        }
        Ok(PathFilter::Compare(left, passes, right))
    }
}

fn begins_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// What a pair of brackets holds that is neither a filter nor a union.
fn inside_bracket(inside: &str, before: usize) -> Result<Vec<PathStep>, TemplateFault> {
    let quoted = inside.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    if let Some(name) = quoted.filter(|name| !name.contains('\'')) {
        // The same as after a dot: dots divide unless a backslash stands before them.
        return TemplateReader::part(&format!(".{name}"), before);
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
        // Without a colon the element at the start alone: behind the last one comes no other.
        None if slice.get(2).is_none() => Some(start.saturating_add(1)).filter(|&end| end != 0),
        end => end,
    };
    Ok(vec![PathStep::Slice { start, end, step: number(5)?.unwrap_or(1) }])
}

/// The bytes that a text in quotes means, as in a literal of Go.
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
