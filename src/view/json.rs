//! The output of `-o json` and `-o jsonl`: a contract with other programs. A field keeps its name and meaning. New fields
//! may be added; a change of meaning needs a new [`API_VERSION`]. A test compares the output with the JSON Schema in
//! `tests/fixtures/index-list.schema.json`.
//!
//! `indexes -o json` prints one [`IndexList`], `indexes -o jsonl` a line for each of its `items`. A field without a value
//! is left out.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::state::row::IndexRow;
use crate::state::{self, ItemParams, ItemTexts, JobState};

pub(crate) const API_VERSION: &str = "kubectl-indexed/v1";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IndexList<'a> {
    api_version: &'static str,
    kind: &'static str,
    job: JobReference<'a>,
    #[serde(serialize_with = "serialize_entries")]
    items: Indexes<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobReference<'a> {
    name: &'a str,
    namespace: &'a str,
    uid: &'a str,
    /// The status in `kubectl get jobs`: `Complete`, `Failed`, `Terminating`, `Suspended`, `FailureTarget`,
    /// `SuccessCriteriaMet` or `Running`.
    status: &'static str,
    /// The number of indexes; the first is 0.
    completions: u32,
    /// The indexes that completed, as in `0-3,7`.
    completed_indexes: String,
    /// The indexes that failed for good, in the same form.
    failed_indexes: String,
}

impl<'a> JobReference<'a> {
    pub(crate) fn new(state: &'a JobState) -> Self {
        let metadata = state.job().map(|job| &job.metadata);
        Self {
            name: metadata.and_then(|metadata| metadata.name.as_deref()).unwrap_or_default(),
            namespace: metadata.and_then(|metadata| metadata.namespace.as_deref()).unwrap_or_default(),
            uid: metadata.and_then(|metadata| metadata.uid.as_deref()).unwrap_or_default(),
            status: state.job().map(state::status_word).unwrap_or_default(),
            completions: state.completions(),
            completed_indexes: state.succeeded().to_string(),
            failed_indexes: state.failed().to_string(),
        }
    }
}

type Indexes<'a> = (&'a [IndexRow], &'a ItemTexts, Timestamp);

/// Serializes the entries one by one, so that not all are in memory.
fn serialize_entries<S: Serializer>((rows, items, now): &Indexes<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(rows.iter().map(|row| IndexEntry::new(row, items, *now)))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IndexEntry<'a> {
    index: u32,
    /// The item that it works on; bytes that are no UTF-8 are replaced by U+FFFD.
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<&'a str>,
    /// The item's values by name, where its columns have names.
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<ItemParams<'a>>,
    /// `Pending`, `Starting`, `Running`, `Retrying`, `Unknown`, `Succeeded` or `Failed`.
    status: &'static str,
    /// The number of attempts, with one that runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<i32>,
    /// The signal that the exit code stands for, as in `SIGKILL`.
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<&'static str>,
    /// Why it waits, failed or will not run: one word of Kubernetes.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    /// The sentence that belongs to the reason; for a failed worker its last lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pod: Option<&'a str>,
    /// The Job of the Pod, in the output of a family.
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<&'a str>,
    /// When the last attempt started (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    started: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished: Option<Timestamp>,
    /// Seconds from its start to its end, or until now.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_seconds: Option<i64>,
}

impl<'a> IndexEntry<'a> {
    pub(crate) fn new(row: &'a IndexRow, items: &'a ItemTexts, now: Timestamp) -> Self {
        Self {
            index: row.index,
            item: items.get(&row.index).map(String::as_str),
            params: items.params(row.index),
            status: row.status.word(),
            attempts: row.attempts,
            exit_code: row.exit_code,
            signal: row.signal(),
            reason: row.reason.as_deref(),
            message: row.message.as_deref(),
            node: row.node.as_deref(),
            pod: row.pod.as_deref(),
            job: row.job.as_deref(),
            started: row.started,
            finished: row.finished,
            duration_seconds: row.seconds(now),
        }
    }
}

pub(crate) fn index_list<'a>(
    state: &'a JobState,
    rows: &'a [IndexRow],
    items: &'a ItemTexts,
    now: Timestamp,
) -> IndexList<'a> {
    IndexList { api_version: API_VERSION, kind: "IndexList", job: JobReference::new(state), items: (rows, items, now) }
}

#[cfg(test)]
mod tests;
