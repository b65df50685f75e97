//! From a document to what a template finds in it.

use std::cmp::Ordering;

use serde_json::Value;

use super::{Block, End, Fault, Filter, Literal, Operator, Slice, Step, go};

/// A value that was found.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found<'a> {
    /// In the document.
    Here(&'a Value),
    /// In the template, or a byte of a text.
    Text(&'a [u8]),
    Integer(i64),
    Float(f64),
    Bool(bool),
    /// What stands for the elements of an empty list, and for null as a root.
    Nothing,
}

impl<'a> Found<'a> {
    /// What kubectl's jsonpath prints.
    pub(super) fn write(&self, to: &mut Vec<u8>) {
        match self {
            Self::Here(Value::Null) => to.extend(b"null"),
            Self::Here(value @ (Value::Array(_) | Value::Object(_))) => {
                let mut text = String::new();
                go::json(&mut text, value, None);
                to.extend(text.bytes());
            }
            Self::Text(bytes) => to.extend_from_slice(bytes),
            Self::Nothing => to.extend(b"<no value>"),
            _ => to.extend(self.plain().bytes()),
        }
    }

    /// What kubectl's custom columns hold.
    pub(crate) fn plain(&self) -> String {
        let mut text = String::new();
        match self {
            Self::Here(value) => go::plain(&mut text, value),
            Self::Text(bytes) => text = String::from_utf8_lossy(bytes).into_owned(),
            Self::Integer(integer) => text = integer.to_string(),
            Self::Float(float) => text = go::plain_float(*float),
            Self::Bool(bool) => text = bool.to_string(),
            Self::Nothing => text.push_str("<nil>"),
        }
        text
    }

    pub(super) fn to_json(self) -> Value {
        match self {
            Self::Here(value) => value.clone(),
            Self::Text(bytes) => String::from_utf8_lossy(bytes).into(),
            Self::Integer(integer) => integer.into(),
            Self::Float(float) => float.into(),
            Self::Bool(bool) => bool.into(),
            Self::Nothing => Value::Null,
        }
    }

    fn is_null(self) -> bool {
        matches!(self, Self::Here(Value::Null))
    }

    /// What it is called in a sentence.
    fn name(self) -> &'static str {
        match self {
            Self::Here(Value::Array(_)) => "an array",
            Self::Here(Value::Object(_)) => "an object",
            Self::Here(Value::String(_)) | Self::Text(_) => "a text",
            Self::Here(Value::Number(_)) | Self::Integer(_) | Self::Float(_) => "a number",
            Self::Here(Value::Bool(_)) | Self::Bool(_) => "true or false",
            Self::Here(Value::Null) | Self::Nothing => "null",
        }
    }

    /// The members of an object, the elements of an array, the bytes of a text.
    fn children(self) -> Vec<Found<'a>> {
        let bytes = |bytes: &[u8]| bytes.iter().map(|&byte| Found::Integer(byte.into())).collect();
        match self {
            Self::Here(Value::Object(object)) => {
                go::members(object).into_iter().map(|(_, value)| Found::Here(value)).collect()
            }
            Self::Here(Value::Array(items)) => items.iter().map(Found::Here).collect(),
            Self::Here(Value::String(text)) => bytes(text.as_bytes()),
            Self::Text(text) => bytes(text),
            _ => Vec::new(),
        }
    }
}

/// What each block of a template finds.
pub(super) fn find<'a>(blocks: &'a [Block], document: &'a Value) -> Result<Vec<Vec<Found<'a>>>, Fault> {
    Walk { blocks, begun: 0, inside: 0, ended: 0, last_end: None }.from(0, Found::Here(document))
}

/// A way through a template. A `range` is counted when it is met, and begins behind its block; so is an `end`.
struct Walk<'a> {
    blocks: &'a [Block],
    begun: usize,
    inside: usize,
    ended: usize,
    /// Where the innermost range ended that was gone through last.
    last_end: Option<usize>,
}

impl<'a> Walk<'a> {
    /// All blocks from one on, for one root.
    fn from(&mut self, first: usize, root: Found<'a>) -> Result<Vec<Vec<Found<'a>>>, Fault> {
        let mut all = Vec::new();
        let mut position = first;
        while let Some(block) = self.blocks.get(position) {
            let found = match block {
                Block::Text(text) => vec![Found::Text(text.as_bytes())],
                Block::Action(steps) => self.steps(steps, vec![root])?,
            };
            if self.ended > 0 && self.ended <= self.inside {
                self.ended -= 1;
                self.last_end = Some(position);
                break;
            }
            if self.begun == 0 {
                all.push(found);
                position += 1;
                continue;
            }
            self.begun -= 1;
            self.inside += 1;
            if found.is_empty() {
                // Gone through all the same, to learn where it ends.
                self.from(position + 1, Found::Nothing)?;
            }
            for value in found {
                let value = if value.is_null() { Found::Nothing } else { value };
                all.extend(self.from(position + 1, value)?);
            }
            self.inside -= 1;
            // One without an end goes on right behind its beginning, as kubectl has it.
            position = self.last_end.filter(|&end| end > position).unwrap_or(position) + 1;
        }
        Ok(all)
    }

    fn steps(&mut self, steps: &'a [Step], mut values: Vec<Found<'a>>) -> Result<Vec<Found<'a>>, Fault> {
        for step in steps {
            values = match step {
                Step::Word(word) => self.word(word, values)?,
                Step::Literal(Literal::Text(text)) => vec![Found::Text(text)],
                Step::Literal(literal) => values.iter().map(|_| value_of(literal)).collect(),
                Step::Field(name) => values.into_iter().filter_map(|value| member(value, name)).collect(),
                Step::Wildcard => values.into_iter().flat_map(Found::children).collect(),
                Step::Descend => descend(values),
                Step::Slice(slice) => sliced(*slice, values)?,
                Step::Union(parts) => {
                    let mut all = Vec::new();
                    for part in parts {
                        all.extend(self.steps(part, values.clone())?);
                    }
                    all
                }
                Step::Filter(filter) => self.filtered(filter, values)?,
            };
        }
        Ok(values)
    }

    fn word(&mut self, word: &str, values: Vec<Found<'a>>) -> Result<Vec<Found<'a>>, Fault> {
        match word {
            "range" => {
                self.begun += 1;
                Ok(values)
            }
            "end" if self.inside > 0 => {
                self.ended += 1;
                Ok(Vec::new())
            }
            _ => Err(Fault::of_data(format!("{word:?} is no word that means something here"))),
        }
    }

    fn filtered(&mut self, filter: &'a Filter, values: Vec<Found<'a>>) -> Result<Vec<Found<'a>>, Fault> {
        let mut kept = Vec::new();
        for value in values {
            let Found::Here(Value::Array(items)) = value else {
                return Err(Fault::of_data(format!("{} is not an array, and a filter needs one", value.name())));
            };
            for item in items.iter().map(Found::Here) {
                let passes = match filter {
                    // Whatever goes wrong on the way there is there.
                    Filter::Exists(steps) => self.steps(steps, vec![item]).map_or(true, |found| !found.is_empty()),
                    Filter::Compare(left, operator, right) => {
                        let left = only(&self.steps(left, vec![item])?)?;
                        let right = if left.is_some() { only(&self.steps(right, vec![item])?)? } else { None };
                        match (left, right) {
                            (Some(left), Some(right)) => compare(left, *operator, right)?,
                            _ => false,
                        }
                    }
                };
                if passes {
                    kept.push(item);
                }
            }
        }
        Ok(kept)
    }
}

fn value_of(literal: &Literal) -> Found<'_> {
    match literal {
        Literal::Text(text) => Found::Text(text),
        Literal::Integer(integer) => Found::Integer(*integer),
        Literal::Float(float) => Found::Float(*float),
        Literal::Bool(bool) => Found::Bool(*bool),
    }
}

fn member<'a>(value: Found<'a>, name: &str) -> Option<Found<'a>> {
    match value {
        Found::Here(Value::Object(object)) => object.get(name).map(Found::Here),
        _ => None,
    }
}

/// All values that have something in them, each before what it has.
fn descend(values: Vec<Found<'_>>) -> Vec<Found<'_>> {
    let mut all = Vec::new();
    for value in values {
        let children = value.children();
        if !children.is_empty() {
            all.push(value);
            all.extend(descend(children));
        }
    }
    all
}

fn sliced(slice: Slice, values: Vec<Found<'_>>) -> Result<Vec<Found<'_>>, Fault> {
    let mut all = Vec::new();
    for value in values {
        if value.is_null() {
            continue;
        }
        let Found::Here(Value::Array(items)) = value else {
            return Err(Fault::of_data(format!("{} is not an array, and has no element by index", value.name())));
        };
        let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let from_end = |index: i64| if index < 0 { index.saturating_add(length) } else { index };
        let given = slice.start.unwrap_or(0);
        let start = from_end(given);
        let end = match slice.end {
            End::Open => length,
            End::Before(end) => from_end(end),
            End::One if given == -1 => length,
            End::One => from_end(given.saturating_add(1)),
        };
        if start == end {
            return Ok(all);
        }
        let outside = |index: i64| Fault::of_data(format!("index {index} is outside of an array of length {length}"));
        if !(0..length).contains(&start) {
            return Err(outside(given));
        }
        if !(0..=length).contains(&end) {
            return Err(outside(end - 1));
        }
        if start > end {
            return Err(Fault::of_data(format!("a slice from {start} to {end} ends before it begins")));
        }
        let step = slice.step.unwrap_or(1);
        if step <= 0 {
            return Err(Fault::of_data(format!("a slice goes on by steps of {step}, which leads nowhere")));
        }
        let index = |index: i64| usize::try_from(index).unwrap_or(usize::MAX);
        all.extend(items[index(start)..index(end)].iter().step_by(index(step)).map(Found::Here));
    }
    Ok(all)
}

/// # Errors
/// If there are several.
fn only<'a>(values: &[Found<'a>]) -> Result<Option<Found<'a>>, Fault> {
    match *values {
        [] => Ok(None),
        [value] => Ok(Some(value)),
        _ => Err(Fault::of_data(format!("{} values can't be compared, only one", values.len()))),
    }
}

/// What can be compared.
enum Scalar<'a> {
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(&'a [u8]),
}

fn scalar(value: Found<'_>) -> Result<Scalar<'_>, Fault> {
    Ok(match value {
        Found::Bool(bool) | Found::Here(&Value::Bool(bool)) => Scalar::Bool(bool),
        Found::Integer(integer) => Scalar::Integer(integer),
        Found::Float(float) => Scalar::Float(float),
        Found::Here(Value::Number(number)) => match number.as_i64() {
            Some(integer) => Scalar::Integer(integer),
            None => Scalar::Float(number.as_f64().unwrap_or_default()),
        },
        Found::Text(text) => Scalar::Text(text),
        Found::Here(Value::String(text)) => Scalar::Text(text.as_bytes()),
        _ => return Err(Fault::of_data(format!("{} can't be compared", value.name()))),
    })
}

fn compare(left: Found<'_>, operator: Operator, right: Found<'_>) -> Result<bool, Fault> {
    let order = match (scalar(left)?, scalar(right)?) {
        (Scalar::Bool(left), Scalar::Bool(right)) => match operator {
            Operator::Equal => return Ok(left == right),
            Operator::NotEqual => return Ok(left != right),
            _ => return Err(Fault::of_data("true and false have no order")),
        },
        (Scalar::Integer(left), Scalar::Integer(right)) => left.cmp(&right),
        (Scalar::Float(left), Scalar::Float(right)) => left.partial_cmp(&right).unwrap_or(Ordering::Equal),
        (Scalar::Text(left), Scalar::Text(right)) => left.cmp(right),
        _ => {
            let (left, right) = (left.name(), right.name());
            let of =
                if left == right { "a whole number and a fraction".to_owned() } else { format!("{left} and {right}") };
            return Err(Fault::of_data(format!("{of} can't be compared")));
        }
    };
    Ok(match operator {
        Operator::Equal => order.is_eq(),
        Operator::NotEqual => order.is_ne(),
        Operator::Less => order.is_lt(),
        Operator::LessOrEqual => order.is_le(),
        Operator::Greater => order.is_gt(),
        Operator::GreaterOrEqual => order.is_ge(),
    })
}
