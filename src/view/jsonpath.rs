//! Templates of `kubectl get -o jsonpath=…`: text, and paths in braces into a JSON document.
//!
//! This is kubectl's own language, not RFC 9535. Output and errors follow kubectl, even where it is odd: `[]` is the first
//! element, an unclosed `range` continues at the root, a text has bytes. A test compares both. Two things differ. An unknown
//! word and an operator such as `=` are errors at once; kubectl reports them only when it has data. The members of an object
//! are sorted by name; in kubectl their order is random.

mod columns;
mod parse;
mod walk;

use std::cmp::Ordering;

use serde_json::Value;

use super::go;
pub(crate) use columns::PathColumns;
use walk::{PathMatch, find};

#[derive(Clone, Debug)]
pub(crate) struct PathTemplate(Vec<TemplatePart>);

/// An error in a template, or in its application to a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}{}", at.map_or_else(String::new, |at| format!(" (at character {at})")))]
pub(crate) struct TemplateFault {
    /// The position of the character in the template, from 1 on; None for an error about the document.
    at: Option<usize>,
    problem: String,
    hint: Option<&'static str>,
}

impl TemplateFault {
    pub(super) fn of_data(problem: impl Into<String>) -> Self {
        Self { at: None, problem: problem.into(), hint: None }
    }

    pub(super) fn with(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    pub(crate) fn hint(&self) -> Option<&'static str> {
        self.hint
    }
}

#[derive(Clone, Debug)]
enum TemplatePart {
    Text(String),
    /// The steps in a pair of braces.
    Action(Vec<PathStep>),
}

#[derive(Clone, Debug)]
enum PathStep {
    /// `range` or `end`; in a filter also an unknown word.
    Word(String),
    /// With escapes it may not be UTF-8.
    Text(Vec<u8>),
    Literal(Value),
    Field(String),
    Wildcard,
    Descend,
    /// `[start:end:step]`; without an end, up to the last element.
    Slice {
        start: i64,
        end: Option<i64>,
        step: i64,
    },
    Union(Vec<Vec<PathStep>>),
    PathFilter(PathFilter),
}

#[derive(Clone, Debug)]
enum PathFilter {
    Exists(Vec<PathStep>),
    /// The left side, the check of its order, and the right side.
    Compare(Vec<PathStep>, fn(Ordering) -> bool, Vec<PathStep>),
}

impl PathTemplate {
    pub(crate) fn parse(text: &str) -> Result<Self, TemplateFault> {
        parse::template(text).map(Self)
    }

    /// Applies the template to a document; no line break is added.
    ///
    /// # Errors
    /// If a step does not fit the document, such as an index outside of an array.
    pub(crate) fn text(&self, document: &Value) -> Result<Vec<u8>, TemplateFault> {
        let mut text = Vec::new();
        for found in find(&self.0, document)? {
            for (position, value) in found.iter().enumerate() {
                if position > 0 {
                    text.push(b' ');
                }
                value.write(&mut text);
            }
        }
        Ok(text)
    }

    /// Returns the same as JSON: an array for each part of the template.
    pub(crate) fn json(&self, document: &Value) -> Result<Vec<u8>, TemplateFault> {
        let mut text = String::new();
        for found in find(&self.0, document)? {
            let values = found.into_iter().map(PathMatch::to_json).collect();
            text += &go::json(&Value::Array(values), Some(0));
            text.push('\n');
        }
        Ok(text.into_bytes())
    }
}

#[cfg(test)]
mod tests;
