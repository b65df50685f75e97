//! Renders the output of `kubectl describe job`.
//!
//! Order, words and alignment are exactly those of kubectl 1.36 (`describeJob` of k8s.io/kubectl/pkg/describe), so that
//! people and scripts can read it as before. `tests/fixtures/describe` has Jobs with the output of kubectl's own describer.

mod container;
mod events;
mod meta;
mod page;
mod probe;
mod quantity;
mod tabs;
mod template;
mod volumes;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use k8s_openapi::api::batch::v1::{Job, JobSpec, JobStatus};
use k8s_openapi::api::core::v1::Event;

use self::page::DescribePage;
use super::duration;
use super::text::up_to_comma;

/// After this byte, the list of completed indexes ends at the next comma.
const INDEXES_SOFT_LIMIT: usize = 50;

/// The description of a Job in parts. Other lines may stand between them without changing kubectl's columns.
///
/// Each part is empty or ends with a newline. Together they are exactly kubectl's output.
pub(crate) struct Described {
    /// From `Name:` to `Pods Statuses:` or, for Indexed Jobs, `Completed Indexes:`.
    pub(crate) head: String,
    /// `Pod Template:` and the lines indented under it.
    pub(crate) template: String,
    /// `Events:`; empty without events.
    pub(crate) events: String,
}

/// Returns the output of `kubectl describe job` for the same object.
///
/// `events` are those of the Job, in the server's order; `None` omits the section, as `--show-events=false` does. Ages count
/// back from `now`; times are in `zone`. kubectl takes the zone from its machine.
pub(crate) fn job(job: &Job, events: Option<&[Event]>, now: Timestamp, zone: &TimeZone) -> Described {
    let empty = JobSpec::default();
    let spec = job.spec.as_ref().unwrap_or(&empty);
    let head = head(job, spec, zone).finish();
    let mut page = DescribePage::default();
    template::describe(&mut page, &spec.template);
    match events {
        None => Described { head, template: page.finish(), events: String::new() },
        Some([]) => {
            // kubectl aligns this line with the template before it.
            page.field(0, "Events", "<none>");
            let text = page.finish();
            let last = text.trim_end_matches('\n').rfind('\n').map_or(0, |newline| newline + 1);
            let (template, events) = text.split_at(last);
            Described { head, template: template.to_owned(), events: events.to_owned() }
        }
        Some(events) => {
            let template = page.finish();
            let mut page = DescribePage::default();
            events::describe(&mut page, events, now);
            Described { head, template, events: page.finish() }
        }
    }
}

/// Returns the elements in the order of a key. Equal ones stay in the server's order; from 13
/// elements on kubectl's order of them is arbitrary, because its sort is unstable.
fn sorted<'a, T, K: Ord>(elements: &'a [T], key: impl Fn(&'a T) -> K) -> Vec<&'a T> {
    let mut sorted: Vec<&T> = elements.iter().collect();
    sorted.sort_by_key(|&element| key(element));
    sorted
}

fn head(job: &Job, spec: &JobSpec, zone: &TimeZone) -> DescribePage {
    let mut filled = DescribePage::default();
    let page = &mut filled;
    let metadata = &job.metadata;
    let empty = JobStatus::default();
    let status = job.status.as_ref().unwrap_or(&empty);
    page.field(0, "Name", metadata.name.as_deref().unwrap_or_default());
    page.field(0, "Namespace", metadata.namespace.as_deref().unwrap_or_default());
    match meta::selector(spec.selector.as_ref()) {
        Ok(selector) => page.field(0, "Selector", selector),
        Err(reason) => page.field(0, "Selector", format_args!("Failed to get selector: {reason}")),
    }
    meta::labels(page, "Labels", metadata.labels.as_ref());
    meta::annotations(page, "Annotations", metadata.annotations.as_ref());
    if let Some(owner) = metadata.owner_references.iter().flatten().find(|owner| owner.controller == Some(true)) {
        page.field(0, "Controlled By", format_args!("{}/{}", owner.kind, owner.name));
    }
    page.optional(0, "Parallelism", spec.parallelism);
    page.field(0, "Completions", spec.completions.map_or_else(|| "<unset>".to_owned(), |count| count.to_string()));
    page.optional(0, "Completion Mode", spec.completion_mode.as_ref());
    page.optional(0, "Suspend", spec.suspend);
    page.optional(0, "Backoff Limit", spec.backoff_limit);
    page.optional(0, "TTL Seconds After Finished", spec.ttl_seconds_after_finished);
    times(page, status, zone);
    if let Some(seconds) = spec.active_deadline_seconds {
        page.field(0, "Active Deadline Seconds", format_args!("{seconds}s"));
    }
    pod_counts(page, status);
    if spec.completion_mode.as_deref() == Some("Indexed") {
        let indexes = status.completed_indexes.as_deref().unwrap_or_default();
        page.field(0, "Completed Indexes", shortened_indexes(indexes));
    }
    filled
}

fn times(page: &mut DescribePage, status: &JobStatus, zone: &TimeZone) {
    let [start, completion] = [&status.start_time, &status.completion_time].map(|time| Some(time.as_ref()?.0));
    page.optional(0, "Start Time", start.map(|time| in_zone(time, zone)));
    page.optional(0, "Completed At", completion.map(|time| in_zone(time, zone)));
    if let (Some(start), Some(completion)) = (start, completion) {
        page.field(0, "Duration", duration::human(completion.duration_since(start).as_secs()));
    }
}

/// Returns a time by RFC 1123 with a numeric zone, as in `Fri, 01 May 2026 12:00:00 +0200`.
fn in_zone(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned(zone.clone()).strftime("%a, %d %b %Y %H:%M:%S %z").to_string()
}

fn pod_counts(page: &mut DescribePage, status: &JobStatus) {
    let [active, succeeded, failed] = [status.active, status.succeeded, status.failed].map(Option::unwrap_or_default);
    // Servers before 1.24 don't count ready Pods.
    let ready = status.ready.map_or_else(String::new, |ready| format!(" ({ready} Ready)"));
    page.field(0, "Pods Statuses", format_args!("{active} Active{ready} / {succeeded} Succeeded / {failed} Failed"));
}

fn shortened_indexes(indexes: &str) -> String {
    if indexes.is_empty() {
        return "<none>".to_owned();
    }
    up_to_comma(indexes, INDEXES_SOFT_LIMIT).map_or_else(|| indexes.to_owned(), |start| format!("{start}..."))
}

#[cfg(test)]
mod tests;
