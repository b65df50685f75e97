//! Labels, annotations, selectors and attributes.

use std::borrow::Cow;
use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

use super::page::DescribePage;
use crate::contract::annotation::LAST_APPLIED;
use crate::view::go;

type Map = BTreeMap<String, String>;

/// The longest `key: value` on one line, in bytes.
const LONGEST: usize = 140;

/// Prints `KEY=VALUE` per line, the first beside the title.
pub(super) fn labels(page: &mut DescribePage, title: &str, labels: Option<&Map>) {
    let lines = labels.into_iter().flatten().map(|(key, value)| format!("{key}={value}"));
    column(page, 0, title, lines);
}

/// Prints the attributes of a CSI volume like labels, but cuts long ones.
pub(super) fn attributes(page: &mut DescribePage, level: usize, title: &str, attributes: Option<&Map>) {
    let lines =
        attributes.into_iter().flatten().map(|(key, value)| cut(&format!("{key}={value}"), LONGEST).into_owned());
    column(page, level, title, lines);
}

fn column(page: &mut DescribePage, level: usize, title: &str, lines: impl Iterator<Item = String>) {
    page.put(level, format_args!("{title}:\t"));
    let mut lines = lines.peekable();
    if lines.peek().is_none() {
        page.line(0, "<none>");
    }
    for (position, line) in lines.enumerate() {
        if position > 0 {
            // kubectl writes the empty cell in two parts, each with its own indentation.
            page.put(level, "");
            page.put(level, "\t");
        }
        page.line(level, line);
    }
}

/// Prints `KEY: VALUE` per line; a long or multi-line value follows below its key, with each line cut.
pub(super) fn annotations(page: &mut DescribePage, title: &str, annotations: Option<&Map>) {
    page.put(0, format_args!("{title}:\t"));
    let mut shown = annotations.into_iter().flatten().filter(|(key, _)| *key != LAST_APPLIED).peekable();
    if shown.peek().is_none() {
        page.line(0, "<none>");
    }
    for (position, (key, value)) in shown.enumerate() {
        if position > 0 {
            page.put(0, "\t");
        }
        let value = value.strip_suffix('\n').unwrap_or(value);
        if key.len() + value.len() + 2 <= LONGEST && !value.contains('\n') {
            page.line(0, format_args!("{key}: {value}"));
            continue;
        }
        page.line(0, format_args!("{key}:"));
        for line in value.split('\n') {
            page.line(0, format_args!("\t  {}", cut(line, LONGEST - 2)));
        }
    }
}

/// Returns at most `longest` bytes of `text`, and dots if there is more. kubectl may leave half a character: it becomes the
/// replacement character, as a terminal shows it.
fn cut(text: &str, longest: usize) -> Cow<'_, str> {
    match text.as_bytes().get(..longest) {
        Some(start) if text.len() > longest => Cow::Owned(format!("{}...", String::from_utf8_lossy(start))),
        _ => Cow::Borrowed(text),
    }
}

/// Returns a selector in the form of `kubectl get -l`, its requirements sorted by key; empty without a selector.
///
/// # Errors
/// kubectl's text for an unknown operator.
pub(super) fn selector(selector: Option<&LabelSelector>) -> Result<String, String> {
    let Some(LabelSelector { match_labels, match_expressions }) = selector else {
        return Ok(String::new());
    };
    let mut requirements: Vec<(&str, String)> =
        match_labels.iter().flatten().map(|(key, value)| (key.as_str(), format!("{key}={value}"))).collect();
    for expression in match_expressions.iter().flatten() {
        requirements.push((&expression.key, requirement(expression)?));
    }
    requirements.sort_by_key(|&(key, _)| key);
    let requirements: Vec<String> = requirements.into_iter().map(|(_, text)| text).collect();
    Ok(requirements.join(","))
}

fn requirement(expression: &LabelSelectorRequirement) -> Result<String, String> {
    let LabelSelectorRequirement { key, operator, values } = expression;
    let mut values = values.clone().unwrap_or_default();
    values.sort();
    let values = values.join(",");
    match operator.as_str() {
        "In" => Ok(format!("{key} in ({values})")),
        "NotIn" => Ok(format!("{key} notin ({values})")),
        "Exists" => Ok(key.clone()),
        "DoesNotExist" => Ok(format!("!{key}")),
        unknown => Err(format!("{} is not a valid label selector operator", go::quoted(unknown))),
    }
}
