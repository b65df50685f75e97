//! What `kubectl describe job` leaves out: failed, running and pending indexes, limits, policies, conditions, and a table of
//! indexes.

use std::fmt::Write as _;

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::{Job, JobSpec, PodFailurePolicyRule};

use super::cause::Subject;
use super::indexes::reason;
use super::summary::ItemTexts;
use super::{Style, Wording, aligned, cut, duration, plural};
use crate::index_set::IndexSet;
use crate::state::member::Member;
use crate::state::row::IndexRow;
use crate::state::{self, JobState, Resumed};

/// The longest table. In a table of more indexes, failed and active ones come first.
pub(crate) const ROWS: usize = 25;
/// The longest item or reason in a table, in columns of a terminal.
const CELL: usize = 40;

/// Returns the block that follows the lines of `kubectl describe`.
///
/// `rows` are those of [`worth_reading`], in any order.
pub(crate) fn indexed(
    state: &JobState,
    rows: &[IndexRow],
    items: &ItemTexts,
    now: Timestamp,
    wording: Wording<'_>,
) -> String {
    let Some(job) = state.job() else { return String::new() };
    let mut text = String::from("Indexed:\n");
    let facts = facts(job, state, wording.style);
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in facts {
        let _ = writeln!(text, "  {:<width$}  {value}", format!("{name}:"), width = width + 1);
    }
    conditions(&mut text, job, now);
    table(&mut text, state, rows, items, now, wording);
    text
}

fn facts(job: &Job, state: &JobState, style: Style) -> Vec<(&'static str, String)> {
    let spec = job.spec.clone().unwrap_or_default();
    let named = |set: &IndexSet| if set.is_empty() { "<none>".to_owned() } else { format!("{set}  ({})", set.len()) };
    let mut facts = vec![("Status", state::status_word(job).to_owned())];
    let members = state.members();
    if members.len() > 1 || members.iter().any(Member::is_retry) {
        facts
            .push(("Family", members.iter().map(|member| family_member(member, style)).collect::<Vec<_>>().join(", ")));
    }
    if let Some(Resumed { name, skipped, uid: _ }) = state::resumed(job) {
        let skipped = plural(skipped, "item", "items");
        facts.push(("Resumes", format!("{name} ({skipped} of the list had succeeded)")));
    }
    if let Some(queue) = state::queue(job) {
        facts.push(("Queue", queue.to_owned()));
    }
    facts.extend([
        ("Completed", named(&state.succeeded())),
        ("Failed", named(&state.failed())),
        ("Running", named(&state.running())),
        ("Pending", named(&state.pending())),
    ]);
    // With such a rule a worker that fails is never retried: only evictions are.
    let is_failed_at_once = |rule: &PodFailurePolicyRule| {
        let codes = rule.on_exit_codes.as_ref().filter(|codes| codes.container_name.is_none());
        rule.action == "FailIndex" && codes.is_some_and(|codes| codes.operator == "NotIn" && codes.values == [0])
    };
    let counts_evictions = spec.pod_failure_policy.iter().flat_map(|policy| &policy.rules).any(is_failed_at_once);
    facts.push(match spec.backoff_limit_per_index {
        Some(limit) if counts_evictions => ("Retries", format!("0 for each index, {limit} after evictions")),
        Some(limit) => ("Retries", format!("{limit} for each index")),
        None => ("Retries", format!("{} for all indexes together", spec.backoff_limit.unwrap_or(6))),
    });
    if let Some(limit) = spec.max_failed_indexes {
        facts.push(("Max Failed", plural(usize::try_from(limit).unwrap_or(0), "index", "indexes")));
    }
    let deadline = spec.template.spec.as_ref().and_then(|pod| pod.active_deadline_seconds);
    facts.extend(deadline.map(|seconds| ("Index Timeout", format!("{seconds}s for each attempt"))));
    facts.extend(policies(&spec));
    if let Some(policy) = &spec.pod_replacement_policy {
        facts.push(("Pod Replacement", policy.clone()));
    }
    if let Some(manager) = &spec.managed_by {
        facts.push(("Managed By", manager.clone()));
    }
    match state::item_form(job) {
        Some((form, Some(store))) => facts.push(("Items", format!("as {form}, stored {}", stored(store)))),
        Some((form, None)) => facts.push(("Items", format!("as {form}"))),
        None => {}
    }
    facts.extend(state::handover_reason(job).map(|why| ("Handed Over", why.to_owned())));
    facts
}

/// Returns a Job of a family: its name, its indexes, and its status.
fn family_member(member: &Member, style: Style) -> String {
    let status = state::status_word(member.job());
    let indexes = member.all().to_string();
    format!("{} ({}: {status})", member.name(), cut(&indexes, CELL, style))
}

/// Returns where a list is stored, in words.
fn stored(store: &str) -> String {
    match store {
        "inline" => "in the Job".to_owned(),
        "configmap" => "in a ConfigMap, a key for each index".to_owned(),
        "packed" => "in ConfigMaps, many items per key".to_owned(),
        "listed" => "in an existing ConfigMap".to_owned(),
        other => format!("in {other}"),
    }
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
        let unsigned: Option<IndexSet> = codes.values.iter().map(|code| u32::try_from(*code).ok()).collect();
        // Exit codes of Windows can be negative.
        let list = || codes.values.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let values = unsigned.map_or_else(list, |set| set.to_string());
        let container = codes.container_name.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
        when.push(format!("exit code{container} {} {values}", codes.operator));
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
            condition.reason.clone().unwrap_or_default(),
            condition.message.clone().unwrap_or_default(),
        ]
    });
    text.push_str("  Conditions:\n");
    indent(text, &aligned(&["TYPE", "STATUS", "SINCE", "REASON", "MESSAGE"], &rows.collect::<Vec<_>>()));
}

fn table(
    text: &mut String,
    state: &JobState,
    rows: &[IndexRow],
    items: &ItemTexts,
    now: Timestamp,
    wording: Wording<'_>,
) {
    let Some(job) = state.job() else { return };
    let command = |arguments| Subject { job, wording }.command("indexes", arguments);
    let all = state.completions() as usize;
    if rows.is_empty() {
        if all > 0 && state.succeeded().len() == all {
            let _ = writeln!(text, "  Indexes:  all succeeded, see {}", command(""));
        }
        return;
    }
    let mut rows: Vec<_> = rows.iter().collect();
    if all > ROWS {
        rows.sort_by_key(|row| (row.status, row.index));
    }
    let mut header = vec!["INDEX", "ITEM", "STATUS", "ATTEMPTS", "EXIT", "REASON", "NODE", "DURATION"];
    let mut cells: Vec<_> = rows.iter().map(|row| cells(row, items.get(&row.index), now, wording.style)).collect();
    if rows.iter().any(|row| row.job.is_some()) {
        header.push("JOB");
        for (cells, row) in cells.iter_mut().zip(&rows) {
            cells.push(row.job.clone().unwrap_or_else(|| "-".to_owned()));
        }
    }
    text.push_str("  Indexes:\n");
    indent(text, &aligned(&header, &cells));
    if rows.len() < all {
        let _ = writeln!(text, "    {} more, see {}", all - rows.len(), command(""));
    }
}

/// Returns all indexes of a small Job; else the failed ones, then the active ones, then the first pending ones. None of many
/// that all succeeded, as the ranges of the Job list them.
pub(crate) fn worth_reading(state: &JobState) -> IndexSet {
    let all = state.all();
    if all.len() <= ROWS {
        return all;
    }
    let tried: IndexSet = state.attempts().into_keys().collect();
    let pending = state.pending();
    let groups = [state.failed(), state.running(), pending.intersection(&tried), pending.difference(&tried)];
    let mut chosen = IndexSet::new();
    for group in groups {
        chosen = chosen.union(&group.iter().take(ROWS - chosen.len()).collect());
    }
    chosen
}

fn cells(row: &IndexRow, item: Option<&String>, now: Timestamp, style: Style) -> Vec<String> {
    let or_none = |text: Option<String>| text.filter(|text| !text.is_empty()).unwrap_or_else(|| "-".to_owned());
    let cell = |text: &str| cut(text, CELL, style).into_owned();
    vec![
        row.index.to_string(),
        or_none(item.map(|item| cell(item))),
        row.status.word().to_owned(),
        or_none(row.attempts.map(|attempts| attempts.to_string())),
        or_none(row.exit_code.map(|code| code.to_string())),
        or_none(reason(row).map(cell)),
        or_none(row.node.clone()),
        or_none(row.seconds(now).map(duration::human)),
    ]
}

fn indent(text: &mut String, block: &str) {
    for line in block.lines() {
        let _ = writeln!(text, "    {line}");
    }
}

#[cfg(test)]
mod tests;
