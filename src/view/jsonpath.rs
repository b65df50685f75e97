//! Templates as `kubectl get -o jsonpath=…` takes them: text, and paths in braces into a JSON document.
//!
//! This is kubectl's own language, which is not that of RFC 9535. What a template prints, and what it refuses, follows
//! kubectl down to its oddities (`[]` is the first element, an unclosed `range` goes on at the root, a text has bytes);
//! a test runs both beside each other. Only where kubectl takes what can't have been meant, and says so once there is
//! data, is it refused here at once: an unknown word, or an operator such as `=`. The members of an object come sorted
//! by name, where kubectl takes them in any order.

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

/// What is wrong with a template, or with a document that it is laid over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}{}", at.map_or_else(String::new, |at| format!(" (at character {at})")))]
pub(crate) struct TemplateFault {
    /// Which character of the template is at fault, from 1 on; None where a document is.
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
    /// What stands in a pair of braces.
    Action(Vec<PathStep>),
}

#[derive(Clone, Debug)]
enum PathStep {
    /// `range`, `end`, and in a filter also what nobody knows.
    Word(String),
    /// By escapes it may be no UTF-8.
    Text(Vec<u8>),
    Literal(Value),
    Field(String),
    Wildcard,
    Descend,
    /// `[start:end:step]`; None where it goes on to the last element.
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
    /// Which orders of the two sides pass.
    Compare(Vec<PathStep>, fn(Ordering) -> bool, Vec<PathStep>),
}

impl PathTemplate {
    pub(crate) fn parse(text: &str) -> Result<Self, TemplateFault> {
        parse::template(text).map(Self)
    }

    /// What the template makes of a document; no line break is added.
    ///
    /// # Errors
    /// If a step can't be taken: an index that is outside, a comparison of a number and a text.
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

    /// The same as JSON: an array for each part of the template.
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
