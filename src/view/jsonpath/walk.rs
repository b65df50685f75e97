//! Applies a template to a document.

use std::cmp::Ordering;
use std::sync::LazyLock;

use serde_json::Value;

use super::{PathFilter, PathStep, TemplateFault, TemplatePart};
use crate::view::go;

/// All values of a byte, as numbers.
static BYTES: LazyLock<Vec<Value>> = LazyLock::new(|| (0..=u8::MAX).map(Value::from).collect());

#[derive(Clone, Copy, Debug)]
pub(crate) enum PathMatch<'a> {
    /// A value of the document, a literal of the template, or a byte of a text.
    Node(&'a Value),
    Text(&'a [u8]),
    /// Stands for the elements of an empty list, and for a root that is null.
    Nothing,
}

impl<'a> PathMatch<'a> {
    /// Writes the value as kubectl's jsonpath does.
    pub(super) fn write(&self, to: &mut Vec<u8>) {
        match self {
            Self::Node(value @ (Value::Null | Value::Array(_) | Value::Object(_))) => {
                to.extend(go::json(value, None).bytes());
            }
            Self::Node(value) => to.extend(go::plain(value).bytes()),
            Self::Text(bytes) => to.extend_from_slice(bytes),
            Self::Nothing => to.extend(b"<no value>"),
        }
    }

    /// Returns the value as kubectl's custom columns have it.
    pub(crate) fn plain(&self) -> String {
        match self {
            Self::Node(value) => go::plain(value),
            Self::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Self::Nothing => go::plain(&Value::Null),
        }
    }

    pub(super) fn to_json(self) -> Value {
        match self {
            Self::Node(value) => value.clone(),
            Self::Text(bytes) => String::from_utf8_lossy(bytes).into(),
            Self::Nothing => Value::Null,
        }
    }

    fn member(self, name: &str) -> Option<Self> {
        if let Self::Node(value) = self { value.get(name).map(Self::Node) } else { None }
    }

    fn is_null(self) -> bool {
        matches!(self, Self::Node(Value::Null))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Node(Value::Array(_)) => "an array",
            Self::Node(Value::Object(_)) => "an object",
            Self::Node(Value::String(_)) | Self::Text(_) => "a text",
            Self::Node(Value::Number(_)) => "a number",
            Self::Node(Value::Bool(_)) => "true or false",
            Self::Node(Value::Null) | Self::Nothing => "null",
        }
    }

    fn text(self) -> Option<&'a [u8]> {
        match self {
            Self::Node(Value::String(text)) => Some(text.as_bytes()),
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the members of an object, the elements of an array, or the bytes of a text.
    fn children(self) -> Vec<PathMatch<'a>> {
        match self {
            Self::Node(Value::Object(object)) => {
                go::members(object).into_iter().map(|(_, value)| PathMatch::Node(value)).collect()
            }
            Self::Node(Value::Array(items)) => items.iter().map(PathMatch::Node).collect(),
            _ => {
                self.text().unwrap_or_default().iter().map(|&byte| PathMatch::Node(&BYTES[usize::from(byte)])).collect()
            }
        }
    }
}

pub(super) fn find<'a>(
    blocks: &'a [TemplatePart],
    document: &'a Value,
) -> Result<Vec<Vec<PathMatch<'a>>>, TemplateFault> {
    Walk { blocks, begun: 0, inside: 0, ended: 0, last_end: None }.apply_from(0, PathMatch::Node(document))
}

/// The state of an application. A `range` or an `end` is counted when it is reached, and takes effect after its part.
struct Walk<'a> {
    blocks: &'a [TemplatePart],
    begun: usize,
    inside: usize,
    ended: usize,
    /// The position where the last range ended.
    last_end: Option<usize>,
}

impl<'a> Walk<'a> {
    /// Applies the parts from `first` on to one root.
    fn apply_from(&mut self, first: usize, root: PathMatch<'a>) -> Result<Vec<Vec<PathMatch<'a>>>, TemplateFault> {
        let mut all = Vec::new();
        let mut position = first;
        while let Some(block) = self.blocks.get(position) {
            let found = match block {
                TemplatePart::Text(text) => vec![PathMatch::Text(text.as_bytes())],
                TemplatePart::Action(steps) => self.apply_steps(steps, vec![root])?,
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
                // Applied to nothing, to find its end.
                self.apply_from(position + 1, PathMatch::Nothing)?;
            }
            for value in found {
                let value = if value.is_null() { PathMatch::Nothing } else { value };
                all.extend(self.apply_from(position + 1, value)?);
            }
            self.inside -= 1;
            // A range without an end continues right after its start, as in kubectl.
            position = self.last_end.filter(|&end| end > position).unwrap_or(position) + 1;
        }
        Ok(all)
    }

    fn apply_steps(
        &mut self,
        steps: &'a [PathStep],
        mut values: Vec<PathMatch<'a>>,
    ) -> Result<Vec<PathMatch<'a>>, TemplateFault> {
        for step in steps {
            values = match step {
                PathStep::Word(word) => self.apply_word(word, values)?,
                PathStep::Text(text) => vec![PathMatch::Text(text)],
                PathStep::Literal(literal) => vec![PathMatch::Node(literal); values.len()],
                PathStep::Field(name) => values.into_iter().filter_map(|value| value.member(name)).collect(),
                PathStep::Wildcard => values.into_iter().flat_map(PathMatch::children).collect(),
                PathStep::Descend => descend(values),
                PathStep::Slice { start, end, step } => slice((*start, *end, *step), values)?,
                PathStep::Union(parts) => {
                    let mut all = Vec::new();
                    for part in parts {
                        all.extend(self.apply_steps(part, values.clone())?);
                    }
                    all
                }
                PathStep::PathFilter(filter) => self.apply_filter(filter, values)?,
            };
        }
        Ok(values)
    }

    fn apply_word(&mut self, word: &str, values: Vec<PathMatch<'a>>) -> Result<Vec<PathMatch<'a>>, TemplateFault> {
        match word {
            "range" => {
                self.begun += 1;
                Ok(values)
            }
            "end" if self.inside > 0 => {
                self.ended += 1;
                Ok(Vec::new())
            }
            _ => Err(TemplateFault::of_data(format!("{word:?} is not a known word here"))),
        }
    }

    fn apply_filter(
        &mut self,
        filter: &'a PathFilter,
        values: Vec<PathMatch<'a>>,
    ) -> Result<Vec<PathMatch<'a>>, TemplateFault> {
        let mut kept = Vec::new();
        for value in values {
            let PathMatch::Node(Value::Array(items)) = value else {
                return Err(TemplateFault::of_data(format!("a filter needs an array, not {}", value.name())));
            };
            for item in items.iter().map(PathMatch::Node) {
                let passes = match filter {
                    // In kubectl, an error counts as found.
                    PathFilter::Exists(steps) => {
                        self.apply_steps(steps, vec![item]).map_or(true, |found| !found.is_empty())
                    }
                    PathFilter::Compare(left, operator, right) => {
                        let left = single_value(&self.apply_steps(left, vec![item])?)?;
                        let right =
                            if left.is_some() { single_value(&self.apply_steps(right, vec![item])?)? } else { None };
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

/// Returns all values that have children, each before its children.
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

fn slice(
    (given, end, step): (i64, Option<i64>, i64),
    values: Vec<PathMatch<'_>>,
) -> Result<Vec<PathMatch<'_>>, TemplateFault> {
    let mut all = Vec::new();
    for value in values {
        if value.is_null() {
            continue;
        }
        let PathMatch::Node(Value::Array(items)) = value else {
            return Err(TemplateFault::of_data(format!("an index needs an array, not {}", value.name())));
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
            return Err(TemplateFault::of_data(format!("a slice from {start} to {end} ends before its start")));
        }
        if step <= 0 {
            return Err(TemplateFault::of_data(format!("a slice needs a step above 0, not {step}")));
        }
        let index = |index: i64| usize::try_from(index).unwrap_or(usize::MAX);
        all.extend(items[index(start)..index(end)].iter().step_by(index(step)).map(PathMatch::Node));
    }
    Ok(all)
}

/// Returns the only value, if there is one.
///
/// # Errors
/// If there are several.
fn single_value<'a>(values: &[PathMatch<'a>]) -> Result<Option<PathMatch<'a>>, TemplateFault> {
    match *values {
        [] => Ok(None),
        [value] => Ok(Some(value)),
        _ => Err(TemplateFault::of_data(format!("{} values can't be compared, only one", values.len()))),
    }
}

fn compare(left: PathMatch<'_>, passes: fn(Ordering) -> bool, right: PathMatch<'_>) -> Result<bool, TemplateFault> {
    use PathMatch::Node;

    let refused = |what: &str| Err(TemplateFault::of_data(format!("{what} can't be compared")));
    for side in [left, right] {
        if matches!(side, Node(Value::Null | Value::Array(_) | Value::Object(_)) | PathMatch::Nothing) {
            return refused(side.name());
        }
    }
    Ok(passes(match (left, right) {
        // This operator needs an order.
        (Node(Value::Bool(_)), Node(Value::Bool(_))) if passes(Ordering::Less) != passes(Ordering::Greater) => {
            return Err(TemplateFault::of_data("true and false have no order"));
        }
        (Node(Value::Bool(left)), Node(Value::Bool(right))) => left.cmp(right),
        (Node(Value::Number(left)), Node(Value::Number(right))) => match (left.as_i64(), right.as_i64()) {
            (Some(left), Some(right)) => left.cmp(&right),
            (None, None) => left.as_f64().partial_cmp(&right.as_f64()).unwrap_or(Ordering::Equal),
            _ => return refused("an integer and a fraction"),
        },
        _ => match (left.text(), right.text()) {
            (Some(left), Some(right)) => left.cmp(right),
            _ => return refused(&format!("{} and {}", left.name(), right.name())),
        },
    }))
}
