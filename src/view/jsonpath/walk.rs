//! From a document to what a template finds in it.

use std::cmp::Ordering;
use std::sync::LazyLock;

use serde_json::Value;

use super::{PathFilter, PathStep, TemplateFault, TemplatePart};
use crate::view::go;

/// The numbers that the bytes of a text are.
static BYTES: LazyLock<Vec<Value>> = LazyLock::new(|| (0..=u8::MAX).map(Value::from).collect());

#[derive(Clone, Copy, Debug)]
pub(crate) enum PathMatch<'a> {
    /// In the document, a literal of the template, or a byte of a text.
    Here(&'a Value),
    Text(&'a [u8]),
    /// What stands for the elements of an empty list, and for null as a root.
    Nothing,
}

impl<'a> PathMatch<'a> {
    /// What kubectl's jsonpath prints.
    pub(super) fn write(&self, to: &mut Vec<u8>) {
        match self {
            Self::Here(value @ (Value::Null | Value::Array(_) | Value::Object(_))) => {
                to.extend(go::json(value, None).bytes());
            }
            Self::Here(value) => to.extend(go::plain(value).bytes()),
            Self::Text(bytes) => to.extend_from_slice(bytes),
            Self::Nothing => to.extend(b"<no value>"),
        }
    }

    /// What kubectl's custom columns hold.
    pub(crate) fn plain(&self) -> String {
        match self {
            Self::Here(value) => go::plain(value),
            Self::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Self::Nothing => go::plain(&Value::Null),
        }
    }

    pub(super) fn to_json(self) -> Value {
        match self {
            Self::Here(value) => value.clone(),
            Self::Text(bytes) => String::from_utf8_lossy(bytes).into(),
            Self::Nothing => Value::Null,
        }
    }

    fn member(self, name: &str) -> Option<Self> {
        if let Self::Here(value) = self { value.get(name).map(Self::Here) } else { None }
    }

    fn is_null(self) -> bool {
        matches!(self, Self::Here(Value::Null))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Here(Value::Array(_)) => "an array",
            Self::Here(Value::Object(_)) => "an object",
            Self::Here(Value::String(_)) | Self::Text(_) => "a text",
            Self::Here(Value::Number(_)) => "a number",
            Self::Here(Value::Bool(_)) => "true or false",
            Self::Here(Value::Null) | Self::Nothing => "null",
        }
    }

    fn text(self) -> Option<&'a [u8]> {
        match self {
            Self::Here(Value::String(text)) => Some(text.as_bytes()),
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The members of an object, the elements of an array, the bytes of a text.
    fn children(self) -> Vec<PathMatch<'a>> {
        match self {
            Self::Here(Value::Object(object)) => {
                go::members(object).into_iter().map(|(_, value)| PathMatch::Here(value)).collect()
            }
            Self::Here(Value::Array(items)) => items.iter().map(PathMatch::Here).collect(),
            _ => {
                self.text().unwrap_or_default().iter().map(|&byte| PathMatch::Here(&BYTES[usize::from(byte)])).collect()
            }
        }
    }
}

pub(super) fn find<'a>(
    blocks: &'a [TemplatePart],
    document: &'a Value,
) -> Result<Vec<Vec<PathMatch<'a>>>, TemplateFault> {
    Walk { blocks, begun: 0, inside: 0, ended: 0, last_end: None }.from(0, PathMatch::Here(document))
}

/// A way through a template. A `range` is counted when it is met, and begins behind its block; so is an `end`.
struct Walk<'a> {
    blocks: &'a [TemplatePart],
    begun: usize,
    inside: usize,
    ended: usize,
    /// Where the innermost range ended that was gone through last.
    last_end: Option<usize>,
}

impl<'a> Walk<'a> {
    /// All blocks from one on, for one root.
    fn from(&mut self, first: usize, root: PathMatch<'a>) -> Result<Vec<Vec<PathMatch<'a>>>, TemplateFault> {
        let mut all = Vec::new();
        let mut position = first;
        while let Some(block) = self.blocks.get(position) {
            let found = match block {
                TemplatePart::Text(text) => vec![PathMatch::Text(text.as_bytes())],
                TemplatePart::Action(steps) => self.steps(steps, vec![root])?,
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
                self.from(position + 1, PathMatch::Nothing)?;
            }
            for value in found {
                let value = if value.is_null() { PathMatch::Nothing } else { value };
                all.extend(self.from(position + 1, value)?);
            }
            self.inside -= 1;
            // One without an end goes on right behind its beginning, as kubectl has it.
            position = self.last_end.filter(|&end| end > position).unwrap_or(position) + 1;
        }
        Ok(all)
    }

    fn steps(
        &mut self,
        steps: &'a [PathStep],
        mut values: Vec<PathMatch<'a>>,
    ) -> Result<Vec<PathMatch<'a>>, TemplateFault> {
        for step in steps {
            values = match step {
                PathStep::Word(word) => self.word(word, values)?,
                PathStep::Text(text) => vec![PathMatch::Text(text)],
                PathStep::Literal(literal) => vec![PathMatch::Here(literal); values.len()],
                PathStep::Field(name) => values.into_iter().filter_map(|value| value.member(name)).collect(),
                PathStep::Wildcard => values.into_iter().flat_map(PathMatch::children).collect(),
                PathStep::Descend => descend(values),
                PathStep::Slice { start, end, step } => sliced((*start, *end, *step), values)?,
                PathStep::Union(parts) => {
                    let mut all = Vec::new();
                    for part in parts {
                        all.extend(self.steps(part, values.clone())?);
                    }
                    all
                }
                PathStep::PathFilter(filter) => self.filtered(filter, values)?,
            };
        }
        Ok(values)
    }

    fn word(&mut self, word: &str, values: Vec<PathMatch<'a>>) -> Result<Vec<PathMatch<'a>>, TemplateFault> {
        match word {
            "range" => {
                self.begun += 1;
                Ok(values)
            }
            "end" if self.inside > 0 => {
                self.ended += 1;
                Ok(Vec::new())
            }
            _ => Err(TemplateFault::of_data(format!("{word:?} is no word that means something here"))),
        }
    }

    fn filtered(
        &mut self,
        filter: &'a PathFilter,
        values: Vec<PathMatch<'a>>,
    ) -> Result<Vec<PathMatch<'a>>, TemplateFault> {
        let mut kept = Vec::new();
        for value in values {
            let PathMatch::Here(Value::Array(items)) = value else {
                return Err(TemplateFault::of_data(format!(
                    "{} is not an array, and a filter needs one",
                    value.name()
                )));
            };
            for item in items.iter().map(PathMatch::Here) {
                let passes = match filter {
                    // Whatever goes wrong on the way there is there.
                    PathFilter::Exists(steps) => self.steps(steps, vec![item]).map_or(true, |found| !found.is_empty()),
                    PathFilter::Compare(left, operator, right) => {
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

/// All values that have something in them, each before what it has.
fn descend(values: Vec<PathMatch<'_>>) -> Vec<PathMatch<'_>> {
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

fn sliced(
    (given, end, step): (i64, Option<i64>, i64),
    values: Vec<PathMatch<'_>>,
) -> Result<Vec<PathMatch<'_>>, TemplateFault> {
    let mut all = Vec::new();
    for value in values {
        if value.is_null() {
            continue;
        }
        let PathMatch::Here(Value::Array(items)) = value else {
            return Err(TemplateFault::of_data(format!(
                "{} is not an array, and has no element by index",
                value.name()
            )));
        };
        let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let from_end = |index: i64| if index < 0 { index.saturating_add(length) } else { index };
        let (start, end) = (from_end(given), end.map_or(length, from_end));
        if start == end {
            return Ok(all);
        }
        let outside =
            |index: i64| TemplateFault::of_data(format!("index {index} is outside of an array of length {length}"));
        if !(0..length).contains(&start) {
            return Err(outside(given));
        }
        if !(0..=length).contains(&end) {
            return Err(outside(end - 1));
        }
        if start > end {
            return Err(TemplateFault::of_data(format!("a slice from {start} to {end} ends before it begins")));
        }
        if step <= 0 {
            return Err(TemplateFault::of_data(format!("a slice goes on by steps of {step}, which leads nowhere")));
        }
        let index = |index: i64| usize::try_from(index).unwrap_or(usize::MAX);
        all.extend(items[index(start)..index(end)].iter().step_by(index(step)).map(PathMatch::Here));
    }
    Ok(all)
}

/// # Errors
/// If there are several.
fn only<'a>(values: &[PathMatch<'a>]) -> Result<Option<PathMatch<'a>>, TemplateFault> {
    match *values {
        [] => Ok(None),
        [value] => Ok(Some(value)),
        _ => Err(TemplateFault::of_data(format!("{} values can't be compared, only one", values.len()))),
    }
}

fn compare(left: PathMatch<'_>, passes: fn(Ordering) -> bool, right: PathMatch<'_>) -> Result<bool, TemplateFault> {
    use PathMatch::Here;

    let refused = |what: &str| Err(TemplateFault::of_data(format!("{what} can't be compared")));
    for side in [left, right] {
        if matches!(side, Here(Value::Null | Value::Array(_) | Value::Object(_)) | PathMatch::Nothing) {
            return refused(side.name());
        }
    }
    Ok(passes(match (left, right) {
        // A comparison that tells less from greater needs an order.
        (Here(Value::Bool(_)), Here(Value::Bool(_))) if passes(Ordering::Less) != passes(Ordering::Greater) => {
            return Err(TemplateFault::of_data("true and false have no order"));
        }
        (Here(Value::Bool(left)), Here(Value::Bool(right))) => left.cmp(right),
        (Here(Value::Number(left)), Here(Value::Number(right))) => match (left.as_i64(), right.as_i64()) {
            (Some(left), Some(right)) => left.cmp(&right),
            (None, None) => left.as_f64().partial_cmp(&right.as_f64()).unwrap_or(Ordering::Equal),
            _ => return refused("a whole number and a fraction"),
        },
        _ => match (left.text(), right.text()) {
            (Some(left), Some(right)) => left.cmp(right),
            _ => return refused(&format!("{} and {}", left.name(), right.name())),
        },
    }))
}
