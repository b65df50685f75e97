//! Lists of Jobs.

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;

use super::{aligned, duration};
use crate::index_set::IndexSet;
use crate::state;

/// The columns of a list of Jobs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Columns {
    /// The namespace, where several are listed.
    pub(crate) namespace: bool,
    /// Containers, images and the selector, as `kubectl get -o wide` adds them.
    pub(crate) wide: bool,
    /// The line of column names.
    pub(crate) headers: bool,
}

/// A row for each Job.
pub(crate) fn jobs(jobs: &[Job], columns: Columns, now: Timestamp) -> String {
    let mut header = Vec::new();
    if columns.namespace {
        header.push("NAMESPACE");
    }
    header.extend(["NAME", "STATUS", "COMPLETIONS", "RUNNING", "FAILED", "DURATION", "AGE"]);
    if columns.wide {
        header.extend(["CONTAINERS", "IMAGES", "FAILED INDEXES"]);
    }
    let rows = jobs.iter().map(|job| row(job, columns, now)).collect();
    aligned(columns.headers.then_some(header.as_slice()), rows)
}

fn row(job: &Job, columns: Columns, now: Timestamp) -> Vec<String> {
    let mut row = Vec::new();
    if columns.namespace {
        row.push(job.metadata.namespace.clone().unwrap_or_default());
    }
    let status = job.status.clone().unwrap_or_default();
    let completions = job.spec.as_ref().and_then(|spec| spec.completions).unwrap_or(0);
    let failed = status.failed_indexes.as_deref().map(IndexSet::from_status);
    let pods = |count: Option<i32>| count.unwrap_or(0).to_string();
    let start = status.start_time.as_ref().map(|time| time.0);
    let end = status
        .completion_time
        .as_ref()
        .or_else(|| state::condition(job, "Failed").and_then(|condition| condition.last_transition_time.as_ref()));
    let age = |from: Option<Timestamp>, to: Timestamp| {
        from.map_or_else(String::new, |from| duration::human(to.as_second() - from.as_second()))
    };
    row.extend([
        job.metadata.name.clone().unwrap_or_default(),
        state::status_word(job).to_owned(),
        format!("{}/{completions}", pods(status.succeeded)),
        pods(status.active),
        // Indexes where the Job counts them, else Pods: either is what the Job itself calls failed.
        failed.as_ref().map_or_else(|| pods(status.failed), |failed| failed.len().to_string()),
        age(start, end.map_or(now, |time| time.0)),
        age(job.metadata.creation_timestamp.as_ref().map(|time| time.0), now),
    ]);
    if columns.wide {
        let containers = job.spec.iter().flat_map(|spec| spec.template.spec.iter()).flat_map(|pod| &pod.containers);
        let (names, images): (Vec<_>, Vec<_>) =
            containers.map(|container| (container.name.clone(), container.image.clone().unwrap_or_default())).unzip();
        let failed = failed.map(|failed| failed.to_string()).filter(|text| !text.is_empty());
        row.extend([names.join(","), images.join(","), failed.unwrap_or_else(|| "<none>".to_owned())]);
    }
    row
}
