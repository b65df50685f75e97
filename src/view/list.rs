//! The table of Jobs.

use std::collections::HashMap;

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;

use super::table::left_out_note;
use super::{ColumnWidths, Style, duration};
use crate::index_set::IndexSet;
use crate::state;

#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub(crate) struct ListColumns {
    /// The namespace, where several are listed.
    pub(crate) namespace: bool,
    /// Containers and images, as in `kubectl get -o wide`, and the failed indexes.
    pub(crate) wide: bool,
    pub(crate) headers: bool,
    pub(crate) labels: Vec<String>,
    pub(crate) all_labels: bool,
}

/// The least widths on a terminal: of a name, of a namespace where it stands first, and of columns that are asked for.
const NAME: usize = 40;
const NAMESPACE: usize = 20;
const EXTRA: usize = 16;

/// A table of Jobs whose widths fit its first rows. A later row that is wider moves its own cells.
#[derive(Clone, Debug)]
pub(crate) struct JobTable {
    columns: ListColumns,
    /// By the UID of a failed Job: the retry that completed its family.
    pub(crate) completed_by: HashMap<String, String>,
    widths: ColumnWidths,
    /// The sentence about columns that the terminal has no room for.
    left_out: Option<String>,
}

impl JobTable {
    /// Returns a table that fits these Jobs; with `roomy` also likely values of later rows.
    pub(crate) fn new(
        jobs: &[Job],
        completed_by: HashMap<String, String>,
        columns: ListColumns,
        roomy: bool,
        now: Timestamp,
    ) -> Self {
        let mut table = Self { columns, completed_by, widths: ColumnWidths::default(), left_out: None };
        let (columns, mut widths) = (&table.columns, ColumnWidths::default());
        if columns.headers {
            widths.fit(&header(columns));
        }
        if roomy {
            let likely = ["", "FailureTarget", "10000/10000"].map(str::to_owned);
            widths.fit(&if columns.namespace { [&[String::new()], &likely[..]].concat() } else { likely.to_vec() });
        }
        for job in jobs {
            widths.fit(&table.cells(job, columns, now));
        }
        table.widths = widths;
        table
    }

    /// Fits the table to the columns of a terminal.
    pub(crate) fn fit_terminal(&mut self, width: usize, style: Style) {
        let header = header(&self.columns);
        let name = usize::from(self.columns.namespace);
        let [running, duration, containers, images] = [3, 5, 7, 8].map(|column| name + column);
        let extra = (containers..header.len()).rev().map(|column| (column, EXTRA));
        let elastic: Vec<_> = extra.chain([(0, if name == 0 { NAME } else { NAMESPACE }), (name, NAME)]).collect();
        let spare = [duration, running, containers, images];
        let spare = if self.columns.wide { &spare[..] } else { &spare[..2] };
        let left_out = self.widths.narrow(width, &elastic, spare, style);
        let names: Vec<_> = left_out.iter().map(|column| header[*column].as_str()).collect();
        self.left_out = left_out_note(&names);
    }

    pub(crate) fn left_out(&self) -> Option<&str> {
        self.left_out.as_deref()
    }

    pub(crate) fn header(&self) -> String {
        if self.columns.headers { self.widths.line(&header(&self.columns)) } else { String::new() }
    }

    pub(crate) fn row(&self, job: &Job, now: Timestamp) -> String {
        self.widths.line(&self.cells(job, &self.columns, now))
    }

    pub(crate) fn deleted(&self, job: &Job, now: Timestamp) -> String {
        let mut row = self.cells(job, &self.columns, now);
        "Deleted".clone_into(&mut row[usize::from(self.columns.namespace) + 1]);
        self.widths.line(&row)
    }

    /// Returns the cells of a Job with a fixed time: a row is printed again when they change.
    pub(crate) fn timeless_cells(&self, job: &Job) -> Vec<String> {
        let columns = ListColumns { namespace: true, wide: true, ..self.columns.clone() };
        self.cells(job, &columns, job.metadata.creation_timestamp.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0))
    }

    /// Returns the status of a Job: of a failed Job whose retries completed its family `Complete (r2)`.
    fn status(&self, job: &Job) -> String {
        let completed_by = job.metadata.uid.as_ref().and_then(|uid| self.completed_by.get(uid));
        completed_by.map_or_else(|| state::status_word(job).to_owned(), |retry| format!("Complete ({retry})"))
    }

    fn cells(&self, job: &Job, columns: &ListColumns, now: Timestamp) -> Vec<String> {
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
            self.status(job),
            format!("{}/{completions}", pods(status.succeeded)),
            pods(status.active),
            state::failed_count(job).to_string(),
            age(start, end.unwrap_or(now)),
            age(job.metadata.creation_timestamp.as_ref().map(|time| time.0), now),
        ]);
        if columns.wide {
            let containers = job.spec.iter().flat_map(|spec| spec.template.spec.iter()).flat_map(|pod| &pod.containers);
            let (names, images): (Vec<_>, Vec<_>) = containers
                .map(|container| (container.name.clone(), container.image.clone().unwrap_or_default()))
                .unzip();
            let failed = failed.map(|failed| failed.to_string()).filter(|text| !text.is_empty());
            row.extend([names.join(","), images.join(","), failed.unwrap_or_else(|| "<none>".to_owned())]);
        }
        let labels = job.metadata.labels.as_ref().filter(|labels| !labels.is_empty());
        // Empty where there is no such label, as in kubectl.
        let value = |label: &String| labels.and_then(|labels| labels.get(label)).cloned().unwrap_or_default();
        row.extend(columns.labels.iter().map(value));
        if columns.all_labels {
            let all = labels
                .map(|labels| labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(","));
            row.push(all.unwrap_or_else(|| "<none>".to_owned()));
        }
        row
    }
}

fn header(columns: &ListColumns) -> Vec<String> {
    let mut header = Vec::new();
    if columns.namespace {
        header.push("NAMESPACE");
    }
    header.extend(["NAME", "STATUS", "COMPLETIONS", "RUNNING", "FAILED", "DURATION", "AGE"]);
    if columns.wide {
        header.extend(["CONTAINERS", "IMAGES", "FAILED INDEXES"]);
    }
    let mut header: Vec<_> = header.into_iter().map(str::to_owned).collect();
    // kubectl omits the prefix before the slash.
    header.extend(columns.labels.iter().map(|label| label.rsplit('/').next().unwrap_or(label).to_uppercase()));
    if columns.all_labels {
        header.push("LABELS".to_owned());
    }
    header
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn a_failed_job_that_its_retry_completed_reads_complete_within_80_columns() {
        let job = |name: &str, condition: &str, completed: &str, failed: &str| -> Job {
            from_value(json!({
                "metadata": {"name": name, "uid": name, "creationTimestamp": "2026-01-01T00:00:00Z"},
                "spec": {"completions": 1000, "completionMode": "Indexed", "template": {}},
                "status": {"startTime": "2026-01-01T00:00:01Z", "completedIndexes": completed, "failedIndexes": failed,
                    "succeeded": 999, "completionTime": "2026-01-01T00:02:06Z", "conditions": [{"type": condition, "status": "True",
                    "lastTransitionTime": "2026-01-01T00:02:06Z"}]},
            }))
            .unwrap()
        };
        let jobs = [
            job("rev-x7k2p-r1", "Complete", "0", ""),
            job("rev-x7k2p", "Failed", "0-998", "999"),
            job("y", "Failed", "", ""),
        ];
        let columns = ListColumns { headers: true, ..ListColumns::default() };
        let completed_by = HashMap::from([("rev-x7k2p".to_owned(), "r1".to_owned())]);
        let now = "2026-01-03T00:00:00Z".parse().unwrap();
        let table = JobTable::new(&jobs, completed_by, columns, false, now);
        let text = table.header() + &jobs.iter().map(|job| table.row(job, now)).collect::<String>();
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
        assert_snapshot!(text, @"
        NAME           STATUS          COMPLETIONS   RUNNING   FAILED   DURATION   AGE
        rev-x7k2p-r1   Complete        999/1000      0         0        2m5s       2d
        rev-x7k2p      Complete (r1)   999/1000      0         1        2m5s       2d
        y              Failed          999/1000      0         0        2m5s       2d
        ");
    }

    fn table(width: usize, columns: ListColumns) -> (String, Option<String>) {
        let job = json!({
            "metadata": {"name": "a-name-that-is-rather-long-for-a-job", "namespace": "demo"},
            "spec": {"completions": 100, "template": {"spec": {"containers": [
                {"name": "worker", "image": "registry.example.com/team/project/image:1.2.3"},
            ]}}},
            "status": {"succeeded": 12, "failedIndexes": "1,3,5,7,9,11,13,15,17,19,21", "startTime": "2026-01-01T00:00:00Z"},
        });
        let (job, now): (Job, _) = (from_value(job).unwrap(), "2026-01-01T00:10:00Z".parse().unwrap());
        let mut table = JobTable::new(
            std::slice::from_ref(&job),
            HashMap::new(),
            ListColumns { headers: true, ..columns },
            false,
            now,
        );
        table.fit_terminal(width, Style::default());
        (format!("{}{}", table.header(), table.row(&job, now)), table.left_out().map(str::to_owned))
    }

    #[test]
    fn a_list_fits_the_terminal() {
        use unicode_width::UnicodeWidthStr as _;

        let (text, note) = table(80, ListColumns::default());
        insta::assert_snapshot!(text, @"
        NAME                                   STATUS    COMPLETIONS   FAILED   AGE
        a-name-that-is-rather-long-for-a-job   Running   12/100        11
        ");
        assert_eq!(note.unwrap(), "left out: DURATION, RUNNING (a pipe shows all)");
        let wide = ListColumns { wide: true, namespace: true, ..ListColumns::default() };
        insta::assert_snapshot!(table(150, wide.clone()).0, @"
        NAMESPACE   NAME                                   STATUS    COMPLETIONS   RUNNING   FAILED   AGE   CONTAINERS   IMAGES               FAILED INDEXES
        demo        a-name-that-is-rather-long-for-a-job   Running   12/100        0         11             worker       registry.example.…   1,3,5,7,9,11,13…
        ");
        for width in 1..200 {
            for columns in [ListColumns::default(), wide.clone()] {
                let (text, _) = table(width, columns);
                assert!(text.lines().all(|line| line.width() <= width), "{width}: {text}");
            }
        }
        assert_eq!(table(120, ListColumns::default()).1, None);
    }
}
