//! Results as JSON: the fields of [`json`](super::json), and the output behind them.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use super::json::{API_VERSION, IndexEntry, JobReference};
use crate::state::row::IndexRow;
use crate::state::{ItemTexts, JobState};

#[derive(Clone, Debug, Serialize)]
pub(crate) enum ResultOutput<'a> {
    #[serde(rename = "output")]
    Text(&'a str),
    /// Bytes that are not UTF-8, in base64.
    #[serde(rename = "outputBase64")]
    Base64(String),
    /// With `--parse-json`: the JSON that the worker printed.
    #[serde(rename = "outputJson")]
    Json(&'a RawValue),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResultEntry<'a> {
    #[serde(flatten)]
    index: IndexEntry<'a>,
    /// The file with the output, in the folder of `--to`.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    /// In the field of its form.
    #[serde(flatten)]
    output: Option<&'a ResultOutput<'a>>,
}

impl<'a> ResultEntry<'a> {
    pub(crate) fn new(
        row: &'a IndexRow,
        items: &'a ItemTexts,
        file: Option<(&'a str, u64)>,
        output: Option<&'a ResultOutput<'a>>,
        now: Timestamp,
    ) -> Self {
        let (file, bytes) = file.unzip();
        Self { index: IndexEntry::new(row, items, now), file, bytes, output }
    }
}

/// Returns the start of a `ResultList`, up to the bracket before its first item.
pub(crate) fn list_head(state: &JobState) -> serde_json::Result<String> {
    let job = serde_json::to_string(&JobReference::new(state))?;
    Ok(format!("{{\"apiVersion\":\"{API_VERSION}\",\"kind\":\"ResultList\",\"job\":{job},\"items\":["))
}

pub(crate) const LIST_END: &str = "]}\n";

#[cfg(test)]
mod tests;
