//! What `kubectl describe job` leaves out: failed, running and pending indexes, limits, policies, conditions, and a
//! table of the indexes worth reading.

use std::fmt::Write as _;

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::{Job, JobSpec, PodFailurePolicyRule};

use super::summary::ItemTexts;
use super::{aligned, duration, escape_control, plural};
use crate::index_set::IndexSet;
use crate::state::attempt::Attempt;
use crate::state::{self, IndexStatus, JobState};

/// A table of more rows than this is no longer read; then the failed and the active indexes come first.
const ROWS: usize = 25;
/// Longest item and reason shown in a table, in characters.
const CELL: usize = 40;

/// The block that is set off from kubectl's own lines.
pub(crate) fn indexed(state: &JobState, items: &ItemTexts, now: Timestamp) -> String {
    let Some(job) = state.job() else { return String::new() };
    let mut text = String::from("Indexed:\n");
    let rows = facts(job, state);
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in rows {
        let value = escape_control(&value).into_owned();
        let _ = writeln!(text, "  {:<width$}  {value}", format!("{name}:"), width = width + 1);
    }
    conditions(&mut text, job, now);
    table(&mut text, state, items, now);
    text
}

fn facts(job: &Job, state: &JobState) -> Vec<(&'static str, String)> {
    let spec = job.spec.clone().unwrap_or_default();
    let named = |set: &IndexSet| if set.is_empty() { "<none>".to_owned() } else { format!("{set}  ({})", set.len()) };
    let mut facts = vec![("Status", state::status_word(job).to_owned())];
    if let Some(queue) = state::queue(job) {
        facts.push(("Queue", queue.to_owned()));
    }
    facts.extend([
        ("Completed", named(&state.succeeded())),
        ("Failed", named(&state.failed())),
        ("Running", named(&state.running())),
        ("Pending", named(&state.pending())),
    ]);
    facts.push(match spec.backoff_limit_per_index {
        Some(limit) => ("Retries", format!("{limit} for each index")),
        None => ("Retries", format!("{} for all indexes together", spec.backoff_limit.unwrap_or(6))),
    });
    if let Some(limit) = spec.max_failed_indexes {
        facts.push(("Max Failed", plural(usize::try_from(limit).unwrap_or(0), "index", "indexes")));
    }
    facts.extend(policies(&spec));
    if let Some(policy) = &spec.pod_replacement_policy {
        facts.push(("Pod Replacement", policy.clone()));
    }
    if let Some(manager) = &spec.managed_by {
        facts.push(("Managed By", manager.clone()));
    }
    match state::item_form(job) {
        Some((form, Some(store))) => facts.push(("Items", format!("as {form}, kept in {store}"))),
        Some((form, None)) => facts.push(("Items", format!("as {form}"))),
        None => {}
    }
    facts
}

fn policies(spec: &JobSpec) -> Vec<(&'static str, String)> {
    let failure = spec.pod_failure_policy.iter().flat_map(|policy| &policy.rules).map(failure_rule);
    let success = spec.success_policy.iter().flat_map(|policy| &policy.rules).map(|rule| {
        let count = rule.succeeded_count.map(|count| count.to_string());
        match (&rule.succeeded_indexes, count) {
            (Some(indexes), Some(count)) => format!("{count} of indexes {indexes} succeeded"),
            (Some(indexes), None) => format!("indexes {indexes} succeeded"),
            (None, count) => format!("{} indexes succeeded", count.unwrap_or_default()),
        }
    });
    let failure = failure.map(|rule| ("On Pod Failure", rule));
    failure.chain(success.map(|rule| ("Success When", rule))).collect()
}

fn failure_rule(rule: &PodFailurePolicyRule) -> String {
    let mut when = Vec::new();
    if let Some(codes) = &rule.on_exit_codes {
        let values: Vec<_> = codes.values.iter().map(ToString::to_string).collect();
        let container = codes.container_name.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
        when.push(format!("exit code{container} {} {}", codes.operator, values.join(",")));
    }
    for condition in rule.on_pod_conditions.iter().flatten() {
        when.push(format!("{}={}", condition.type_, condition.status.as_deref().unwrap_or("True")));
    }
    format!("{} on {}", rule.action, when.join(" or "))
}

fn conditions(text: &mut String, job: &Job, now: Timestamp) {
    let conditions = job.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    if conditions.is_empty() {
        text.push_str("  Conditions:  <none>\n");
        return;
    }
    let rows = conditions.iter().map(|condition| {
        let since = condition.last_transition_time.as_ref();
        vec![
            condition.type_.clone(),
            condition.status.clone(),
            since.map_or_else(String::new, |time| duration::human(now.as_second() - time.0.as_second())),
            escape_control(condition.reason.as_deref().unwrap_or_default()).into_owned(),
            escape_control(condition.message.as_deref().unwrap_or_default()).into_owned(),
        ]
    });
    text.push_str("  Conditions:\n");
    indent(text, &aligned(Some(&["TYPE", "STATUS", "SINCE", "REASON", "MESSAGE"]), rows.collect()));
}

fn table(text: &mut String, state: &JobState, items: &ItemTexts, now: Timestamp) {
    let all = state.completions() as usize;
    let shown = worth_reading(state);
    if shown.is_empty() {
        return;
    }
    let attempts = state.attempts();
    let rows = shown.iter().map(|&(index, status)| {
        let attempts = attempts.get(&index).map(Vec::as_slice).unwrap_or_default();
        row(index, status, items.get(&index), attempts, now)
    });
    text.push_str("  Indexes:\n");
    let header = ["INDEX", "ITEM", "STATUS", "ATTEMPTS", "EXIT", "REASON", "NODE", "DURATION"];
    indent(text, &aligned(Some(&header), rows.collect()));
    if shown.len() < all {
        let _ = writeln!(text, "    and {} more", all - shown.len());
    }
}

/// All indexes where they are few; else those that failed, then those that are at work, then the first of the rest.
fn worth_reading(state: &JobState) -> Vec<(u32, IndexStatus)> {
    let all = IndexSet::below(state.completions());
    if all.len() <= ROWS {
        return state.statuses(&all);
    }
    let telling = state.failed().union(&state.running()).union(&state.pending());
    let first: IndexSet = telling.iter().take(10 * ROWS).collect();
    let mut statuses = state.statuses(&first);
    statuses.sort_by_key(|&(index, status)| (status, index));
    statuses.truncate(ROWS);
    if statuses.is_empty() {
        statuses = state.statuses(&all.iter().take(ROWS).collect());
    }
    statuses
}

fn row(index: u32, status: IndexStatus, item: Option<&String>, attempts: &[&Attempt], now: Timestamp) -> Vec<String> {
    // Of several attempts the last tells how it stands, but a success is not undone by a late double.
    let succeeded = attempts.iter().find(|a| a.exit_code == Some(0) && status == IndexStatus::Succeeded);
    let last = succeeded.or(attempts.last()).copied();
    let finished = matches!(status, IndexStatus::Succeeded | IndexStatus::Failed);
    let or_none = |text: Option<String>| text.filter(|text| !text.is_empty()).unwrap_or_else(|| "-".to_owned());
    let took = last.and_then(|attempt| {
        let end = attempt.finished.or((!attempt.is_finished() && attempt.has_started()).then_some(now))?;
        Some(duration::human((end.as_second() - attempt.started?.as_second()).max(0)))
    });
    vec![
        index.to_string(),
        or_none(item.map(|item| cell(item))),
        status.word().to_owned(),
        // A finished index without a Pod was tried; how often, nobody knows any more.
        or_none((!attempts.is_empty() || !finished).then(|| attempts.len().to_string())),
        or_none(last.and_then(|attempt| attempt.exit_code).map(|code| code.to_string())),
        or_none(last.and_then(|attempt| attempt.reason.as_deref()).map(cell)),
        or_none(last.and_then(|attempt| attempt.node.clone())),
        or_none(took),
    ]
}

/// Text that fits a column.
fn cell(text: &str) -> String {
    let escaped = escape_control(text);
    match escaped.char_indices().nth(CELL) {
        Some((end, _)) => format!("{}…", &escaped[..end]),
        None => escaped.into_owned(),
    }
}

fn indent(text: &mut String, block: &str) {
    for line in block.lines() {
        let _ = writeln!(text, "    {line}");
    }
}
