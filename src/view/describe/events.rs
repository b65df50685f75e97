//! The table of events.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;

use super::page::DescribePage;
use super::sorted;
use crate::view::duration;

/// The longest age that kubectl prints: the limit of Go's `time.Duration`, in seconds.
const LONGEST: i64 = i64::MAX / 1_000_000_000;

/// The zero value of Go's `time.Time`, in Unix seconds: the time was never set.
const UNSET: i64 = -62_135_596_800;

/// Prints at least one event, the newest last.
pub(super) fn describe(page: &mut DescribePage, events: &[Event], now: Timestamp) {
    let events = sorted(events, |event| set(event.last_timestamp.as_ref().map(|time| time.0)));
    page.line(0, "Events:");
    page.line(1, "Type\tReason\tAge\tFrom\tMessage");
    page.line(1, "----\t------\t----\t----\t-------");
    for event in events {
        let kind = event.type_.as_deref().unwrap_or_default();
        let reason = event.reason.as_deref().unwrap_or_default();
        let age = age(event, now);
        let from = event.source.as_ref().and_then(|source| source.component.as_deref());
        let from = from.filter(|name| !name.is_empty()).or(event.reporting_component.as_deref()).unwrap_or_default();
        let about = event.involved_object.field_path.as_deref().filter(|path| !path.is_empty());
        let about = about.map_or_else(String::new, |path| format!("{path}: "));
        let message = event.message.as_deref().unwrap_or_default().trim();
        page.line(1, format_args!("{kind}\t{reason}\t{age}\t{from}\t{about}{message}"));
    }
}

/// Returns the age of an event; of a repeated one the age of its last occurrence, its count, and the age of the first.
fn age(event: &Event, now: Timestamp) -> String {
    let since = |time| set(time).map_or_else(|| "<unknown>".to_owned(), |time| elapsed(time, now));
    let event_time = set(event.event_time.as_ref().map(|time| time.0));
    let first = since(event_time.or(event.first_timestamp.as_ref().map(|time| time.0)));
    let count = event.count.unwrap_or_default();
    if let Some(series) = &event.series {
        let last = since(series.last_observed_time.as_ref().map(|time| time.0));
        format!("{last} (x{} over {first})", series.count.unwrap_or_default())
    } else if count > 1 {
        let last = since(event.last_timestamp.as_ref().map(|time| time.0));
        format!("{last} (x{count} over {first})")
    } else {
        first
    }
}

fn set(time: Option<Timestamp>) -> Option<Timestamp> {
    time.filter(|time| time.as_second() != UNSET || time.subsec_nanosecond() != 0)
}

fn elapsed(time: Timestamp, now: Timestamp) -> String {
    duration::human(now.duration_since(time).as_secs().clamp(-LONGEST, LONGEST))
}
