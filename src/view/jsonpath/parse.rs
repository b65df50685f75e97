//! From the text of a template to its steps.

use std::cmp::Ordering;

use regex::Regex;
use serde_json::Value;

use super::{Block, End, Fault, Filter, Slice, Step};

/// Reads a template.
pub(super) fn template(text: &str) -> Result<Vec<Block>, Fault> {
    let (mut blocks, mut at) = (Vec::new(), 0);
    let mut open_ranges = 0;
    while let Some(brace) = text[at..].find('{') {
        if brace > 0 {
            blocks.push(Block::Text(text[at..at + brace].to_owned()));
        }
        let mut reader = Reader { text, before: 0, at: at + brace + 1, nested: false };
        let steps = reader.steps().map_err(|fault| fault.in_characters(text))?;
        check_words(&steps, &mut open_ranges, at + brace).map_err(|fault| fault.in_characters(text))?;
        blocks.push(Block::Action(steps));
        at = reader.at;
    }
    if at < text.len() {
        blocks.push(Block::Text(text[at..].to_owned()));
    }
    Ok(blocks)
}

impl Fault {
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
fn check_words(steps: &[Step], open_ranges: &mut usize, at: usize) -> Result<(), Fault> {
    for step in steps {
        match step {
            Step::Word(word) if word == "range" => *open_ranges += 1,
            Step::Word(word) if word == "end" => {
                *open_ranges = open_ranges
                    .checked_sub(1)
                    .ok_or_else(|| Fault::at(at, "{end} without a {range} before it, which it would end"))?;
            }
            Step::Word(word) => return Err(unknown(word, at)),
            Step::Union(parts) => {
                for part in parts {
                    check_words(part, open_ranges, at)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn unknown(word: &str, at: usize) -> Fault {
    Fault::at(at, format!("{word:?} is no word that means something here"))
        .with("a path begins with a dot, as in {.metadata.name}; a text stands in quotes")
}

/// Reads the inside of braces, or of what stands in it.
struct Reader<'a> {
    text: &'a str,
    /// How many bytes of the template stand before the text.
    before: usize,
    at: usize,
    /// Whether the end of the text is the end of the steps too.
    nested: bool,
}

impl<'a> Reader<'a> {
    /// The steps of a text that is itself a part of a template.
    fn part(text: &str, before: usize) -> Result<Vec<Step>, Fault> {
        Reader { text, before, at: 0, nested: true }.steps()
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

    /// All steps up to the brace that ends them.
    fn steps(&mut self) -> Result<Vec<Step>, Fault> {
        let opened = self.here().saturating_sub(1);
        let mut steps = Vec::new();
        while !self.take_if("}") {
            let next = self.rest().chars().next();
            match next {
                None if self.nested => break,
                None | Some('\r' | '\n') => {
                    return Err(Fault::at(opened, "{ is not closed by } on its line").with("{\"\\n\"} is a line break"));
                }
                Some(' ' | '@' | '$') => self.at += 1,
                Some('[') => self.bracket(&mut steps)?,
                Some('"' | '\'') => steps.push(Step::Text(self.quoted()?)),
                Some('.') => self.dot(&mut steps)?,
                Some('+' | '-') => steps.push(self.number()?),
                Some(c) if c.is_ascii_digit() => steps.push(self.number()?),
                Some(c) if c == '_' || c.is_alphanumeric() => steps.push(self.word()),
                Some(c) => {
                    let fault = Fault::at(self.here(), format!("{c:?} does not belong into braces"));
                    return Err(fault.with("text stands outside of the braces, or in quotes"));
                }
            }
        }
        Ok(steps)
    }

    fn dot(&mut self, steps: &mut Vec<Step>) -> Result<(), Fault> {
        let here = self.here();
        if !self.take_if("..") {
            self.at += 1;
            steps.push(self.field());
            return Ok(());
        }
        if matches!(steps.last(), Some(Step::Descend)) {
            return Err(Fault::at(here, ".. stands twice"));
        }
        steps.push(Step::Descend);
        if self.rest().starts_with(|c: char| c == '_' || c.is_alphanumeric()) {
            steps.push(self.field());
        }
        Ok(())
    }

    /// A name up to what ends it; a backslash takes away the meaning of what follows.
    fn field(&mut self) -> Step {
        let (mut name, mut escaped) = (String::new(), false);
        let start = self.at;
        for (position, c) in self.text[start..].char_indices() {
            if !escaped && ends_word(c) {
                break;
            }
            escaped = c == '\\' && !escaped;
            if c != '\\' {
                name.push(c);
            }
            self.at = start + position + c.len_utf8();
        }
        let written = &self.text[start..self.at];
        if written == "*" { Step::Wildcard } else { Step::Field(name) }
    }

    fn word(&mut self) -> Step {
        let rest = self.rest();
        let word = &rest[..rest.find(ends_word).unwrap_or(rest.len())];
        self.at += word.len();
        match word {
            "true" | "false" => Step::Literal(Value::Bool(word == "true")),
            _ => Step::Word(word.to_owned()),
        }
    }

    fn number(&mut self) -> Result<Step, Fault> {
        let (here, rest) = (self.here(), self.rest());
        let signless = rest.strip_prefix(['+', '-']).unwrap_or(rest);
        let digits = signless.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(signless.len());
        let number = &rest[..rest.len() - signless.len() + digits];
        self.at += number.len();
        let float = || number.parse().ok().filter(|float: &f64| float.is_finite()).map(Value::from);
        let literal = number.parse::<i64>().ok().map(Value::from).or_else(float);
        literal.map(Step::Literal).ok_or_else(|| Fault::at(here, format!("{number:?} is not a number")))
    }

    /// A text in quotes.
    fn quoted(&mut self) -> Result<Vec<u8>, Fault> {
        let here = self.here();
        let rest = self.rest();
        let quote = if rest.starts_with('"') { '"' } else { '\'' };
        let mut before = quote;
        for (position, c) in rest.char_indices().skip(1) {
            if c == '\n' {
                break;
            }
            if c == quote && before != '\\' {
                self.at += position + 1;
                return unescape(&rest[1..position], quote)
                    .ok_or_else(|| Fault::at(here, format!("{} has an escape that is unknown", &rest[..=position])));
            }
            before = c;
        }
        Err(Fault::at(here, format!("{quote} is not closed by another {quote} on its line")))
    }

    fn bracket(&mut self, steps: &mut Vec<Step>) -> Result<(), Fault> {
        if self.take_if("[?(") {
            steps.push(Step::Filter(self.filter()?));
            return Ok(());
        }
        let here = self.here();
        let rest = self.rest();
        let end = rest.find([']', '\n']).filter(|&end| rest[end..].starts_with(']'));
        let end = end.ok_or_else(|| Fault::at(here, "[ is not closed by ] on its line"))?;
        let inside = &rest[1..end];
        self.at += end + 1;
        if !inside.contains(',') {
            return inside_bracket(inside, here + 1, steps);
        }
        let mut parts = Vec::new();
        let mut before = here + 1;
        for part in inside.split(',') {
            let mut part_steps = Vec::new();
            let trimmed = part.trim_matches(' ');
            let offset = part.len() - part.trim_start_matches(' ').len();
            if trimmed.starts_with("?(") {
                part_steps = Reader::part(&format!("[{trimmed}]"), (before + offset).saturating_sub(1))?;
            } else {
                inside_bracket(trimmed, before + offset, &mut part_steps)?;
            }
            parts.push(part_steps);
            before += part.len() + 1;
        }
        steps.push(Step::Union(parts));
        Ok(())
    }

    /// What stands behind `[?(`.
    fn filter(&mut self) -> Result<Filter, Fault> {
        let here = self.here();
        let rest = self.rest();
        // The first quote decides which one it is that counts.
        let (mut quote, mut closed, mut before) = (None, false, '(');
        let mut end = None;
        for (position, c) in rest.char_indices() {
            match c {
                '\n' => break,
                '"' | '\'' => match quote {
                    None => quote = Some(c),
                    Some(quote) => closed |= c == quote && before != '\\',
                },
                ')' if quote.is_some() == closed => {
                    end = Some(position);
                    break;
                }
                _ => {}
            }
            before = c;
        }
        let end = end.ok_or_else(|| Fault::at(here - 3, "[?( is not closed by )] on its line"))?;
        self.at += end + 1;
        if !self.take_if("]") {
            return Err(
                Fault::at(self.here(), "a filter is closed by )]").with("write it as in [?(@.type==\"Ready\")]")
            );
        }
        let text = &rest[..end];
        let Some((left, operator, right)) = comparison(text) else {
            return Ok(Filter::Exists(Reader::part(text, here)?));
        };
        let at = here + left.len();
        let passes: fn(Ordering) -> bool = match operator {
            "==" => Ordering::is_eq,
            "!=" => Ordering::is_ne,
            "<" => Ordering::is_lt,
            "<=" => Ordering::is_le,
            ">" => Ordering::is_gt,
            ">=" => Ordering::is_ge,
            _ => {
                return Err(Fault::at(at, format!("{operator:?} compares nothing"))
                    .with("filters know ==, !=, <, <=, > and >="));
            }
        };
        let sides = (Reader::part(left, here)?, Reader::part(right, at + operator.len())?);
        for (side, at) in [(&sides.0, here), (&sides.1, at + operator.len())] {
            if let Some(word) = side.iter().find_map(|step| if let Step::Word(word) = step { Some(word) } else { None })
            {
                let fault = unknown(word, at);
                return Err(
                    fault.with("a text is compared in quotes, as in [?(@.type==\"Ready\")], a path begins with @.")
                );
            }
        }
        Ok(Filter::Compare(sides.0, passes, sides.1))
    }
}

fn ends_word(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}')
}

/// The two sides of a comparison and what is between them, if it is one: each of the three has at least a character.
fn comparison(text: &str) -> Option<(&str, &str, &str)> {
    let compares = ['!', '<', '>', '='];
    let start = text.find(compares).filter(|&start| start > 0)?;
    let length = text[start..].find(|c| !compares.contains(&c)).unwrap_or(text.len() - start);
    let end = if start + length == text.len() { text.len() - 1 } else { start + length };
    (end > start).then(|| (&text[..start], &text[start..end], &text[end..]))
}

/// What a pair of brackets holds that is neither a filter nor a union.
fn inside_bracket(inside: &str, before: usize, steps: &mut Vec<Step>) -> Result<(), Fault> {
    let quoted = inside.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    if let Some(name) = quoted.filter(|name| !name.contains('\'')) {
        // The same as after a dot: dots divide unless a backslash stands before them.
        steps.extend(Reader::part(&format!(".{name}"), before)?);
        return Ok(());
    }
    let inside = if inside == "*" { ":" } else { inside };
    let wrong = || {
        Fault::at(before, format!("[{inside}] is neither an index nor a name"))
            .with("write [0], [-1], [1:3], [*], ['name'] or [?(@.type==\"Ready\")]")
    };
    let slice = Regex::new("^(-?[0-9]+)?(:(-?[0-9]+)?)?(:(-?[0-9]+)?)?$").expect("an expression");
    let slice = slice.captures(inside).ok_or_else(wrong)?;
    let number = |group| slice.get(group).map(|number| number.as_str().parse()).transpose().map_err(|_| wrong());
    let end = match number(3)? {
        Some(end) => End::Before(end),
        None if slice.get(2).is_some() => End::Open,
        None => End::One,
    };
    steps.push(Step::Slice(Slice { start: number(1)?, end, step: number(5)? }));
    Ok(())
}

/// The bytes that a text in quotes means, as in a literal of Go.
fn unescape(text: &str, quote: char) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            bytes.extend(c.to_string().bytes());
            continue;
        }
        let escape = rest.next()?;
        let mut digits = |first: Option<char>, count: usize, radix: u32| {
            let digits: String = first.into_iter().chain(rest.by_ref().take(count)).collect();
            let all = digits.len() == count + usize::from(first.is_some());
            u32::from_str_radix(&digits, radix).ok().filter(|_| all && !digits.starts_with('+'))
        };
        match escape {
            'a' => bytes.push(7),
            'b' => bytes.push(8),
            'f' => bytes.push(12),
            'n' => bytes.push(b'\n'),
            'r' => bytes.push(b'\r'),
            't' => bytes.push(b'\t'),
            'v' => bytes.push(11),
            '\\' => bytes.push(b'\\'),
            'x' => bytes.push(u8::try_from(digits(None, 2, 16)?).ok()?),
            '0'..='7' => bytes.push(u8::try_from(digits(Some(escape), 2, 8)?).ok()?),
            'u' | 'U' => {
                let c = char::from_u32(digits(None, if escape == 'u' { 4 } else { 8 }, 16)?)?;
                bytes.extend(c.to_string().bytes());
            }
            _ if escape == quote => bytes.extend(escape.to_string().bytes()),
            _ => return None,
        }
    }
    Some(bytes)
}
