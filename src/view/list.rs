//! Lists of Jobs.

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;

use super::{ColumnWidths, duration};
use crate::index_set::IndexSet;
use crate::state;

#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub(crate) struct Columns {
    /// The namespace, where several are listed.
    pub(crate) namespace: bool,
    /// Containers and images, as `kubectl get -o wide` adds them, and the indexes that failed.
    pub(crate) wide: bool,
    pub(crate) headers: bool,
    pub(crate) labels: Vec<String>,
    pub(crate) all_labels: bool,
}

/// A table of Jobs, measured by its first rows. Rows that come later may be wider, and then push.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    columns: Columns,
    widths: ColumnWidths,
}

impl Table {
    /// A table that fits these Jobs, and with `roomy` what rows that come later are likely to hold.
    pub(crate) fn new(jobs: &[Job], columns: Columns, roomy: bool, now: Timestamp) -> Self {
        let mut widths = ColumnWidths::default();
        if columns.headers {
            widths.fit(&header(&columns));
        }
        if roomy {
            let likely = ["", "SuccessCriteriaMet", "10000/10000"].map(str::to_owned);
            widths.fit(&if columns.namespace { [&[String::new()], &likely[..]].concat() } else { likely.to_vec() });
        }
        for job in jobs {
            widths.fit(&row(job, &columns, now));
        }
        Self { columns, widths }
    }

    pub(crate) fn header(&self) -> String {
        if self.columns.headers { self.widths.line(&header(&self.columns)) } else { String::new() }
    }

    pub(crate) fn row(&self, job: &Job, now: Timestamp) -> String {
        self.widths.line(&row(job, &self.columns, now))
    }

    pub(crate) fn deleted(&self, job: &Job, now: Timestamp) -> String {
        let mut row = row(job, &self.columns, now);
        "Deleted".clone_into(&mut row[usize::from(self.columns.namespace) + 1]);
        self.widths.line(&row)
    }

    /// What of a Job a list shows, but for the time that passes: a row is printed again when this changes.
    pub(crate) fn face(&self, job: &Job) -> Vec<String> {
        let columns = Columns { namespace: true, wide: true, ..self.columns.clone() };
        row(job, &columns, job.metadata.creation_timestamp.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0))
    }
}

fn header(columns: &Columns) -> Vec<String> {
    let mut header = Vec::new();
    if columns.namespace {
        header.push("NAMESPACE");
    }
    header.extend(["NAME", "STATUS", "COMPLETIONS", "RUNNING", "FAILED", "DURATION", "AGE"]);
    if columns.wide {
        header.extend(["CONTAINERS", "IMAGES", "FAILED INDEXES"]);
    }
    let mut header: Vec<_> = header.into_iter().map(str::to_owned).collect();
    // As kubectl names them: without what stands before the slash.
    header.extend(columns.labels.iter().map(|label| label.rsplit('/').next().unwrap_or(label).to_uppercase()));
    if columns.all_labels {
        header.push("LABELS".to_owned());
    }
    header
}

fn row(job: &Job, columns: &Columns, now: Timestamp) -> Vec<String> {
    let mut row = Vec::new();
    if columns.namespace {
        row.push(job.metadata.namespace.clone().unwrap_or_default());
    }
    let status = job.status.clone().unwrap_or_default();
    let completions = job.spec.as_ref().and_then(|spec| spec.completions).unwrap_or(0);
    let failed = status.failed_indexes.as_deref().map(IndexSet::from_status);
    let pods = |count: Option<i32>| count.unwrap_or(0).to_string();
    let start = status.start_time.as_ref().map(|time| time.0);
    let end = state::ended_at(job);
    let age = |from: Option<Timestamp>, to: Timestamp| {
        from.map_or_else(String::new, |from| duration::human(to.as_second() - from.as_second()))
    };
    row.extend([
        job.metadata.name.clone().unwrap_or_default(),
        state::status_word(job).to_owned(),
        format!("{}/{completions}", pods(status.succeeded)),
        pods(status.active),
        state::failed_count(job).to_string(),
        age(start, end.unwrap_or(now)),
        age(job.metadata.creation_timestamp.as_ref().map(|time| time.0), now),
    ]);
    if columns.wide {
        let containers = job.spec.iter().flat_map(|spec| spec.template.spec.iter()).flat_map(|pod| &pod.containers);
        let (names, images): (Vec<_>, Vec<_>) =
            containers.map(|container| (container.name.clone(), container.image.clone().unwrap_or_default())).unzip();
        let failed = failed.map(|failed| failed.to_string()).filter(|text| !text.is_empty());
        row.extend([names.join(","), images.join(","), failed.unwrap_or_else(|| "<none>".to_owned())]);
    }
    let labels = job.metadata.labels.as_ref().filter(|labels| !labels.is_empty());
    // As kubectl leaves it empty where there is no such label.
    let value = |label: &String| labels.and_then(|labels| labels.get(label)).cloned().unwrap_or_default();
    row.extend(columns.labels.iter().map(value));
    if columns.all_labels {
        let all = labels
            .map(|labels| labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(","));
        row.push(all.unwrap_or_else(|| "<none>".to_owned()));
    }
    row
}
