//! Why indexes are not completed: one sentence for all indexes with the same cause, and the cure.

mod explain;
mod hint;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;

use super::group::{IndexGroup, explaining_attempt, group_indexes};
use super::text::up_to_comma;
use super::{Style, Wording, beginning, one_line, plural};
use crate::index_set::IndexSet;
use crate::state::{self, JobState, KubeEvent};
use explain::PATIENCE;
pub(crate) use explain::{Explanation, explain_end};

/// What stands for a reason that the cluster does not report.
const UNKNOWN: &str = "unknown reason";

/// The number of causes in a block.
const BLOCK_CAUSES: usize = 8;
/// The longest message in a cause, in characters.
const MESSAGE: usize = 240;
/// The longest set of indexes in a cause, in characters.
const INDEXES: usize = 48;
/// Reasons of events that explain why a Pod does not start, where its status does not.
const START_WARNINGS: [&str; 4] = ["FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "Failed"];

/// The Job that a cause is about, and how the cause is worded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) job: &'a Job,
    pub(crate) wording: Wording<'a>,
}

impl Subject<'_> {
    fn name(&self) -> &str {
        self.job.metadata.name.as_deref().unwrap_or_default()
    }

    /// Returns a command of this program about the Job; `arguments` follow its name.
    pub(super) fn command(&self, verb: &str, arguments: &str) -> String {
        format!("kubectl indexed {verb} {}{}{arguments}", self.name(), self.wording.flags)
    }
}

/// The state of indexes that are not completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Pending,
    /// Pending until somebody changes the Job.
    Held,
    /// Started, and only a person can help.
    Hanging,
    /// Evicted several times.
    Restarting,
    Failed,
    NotCompleted,
}

impl Fate {
    fn word(self) -> &'static str {
        match self {
            Self::Pending | Self::Held => "pending",
            Self::Hanging => "hanging",
            Self::Restarting => "restarting",
            Self::Failed => "failed",
            Self::NotCompleted => "not completed",
        }
    }

    /// Returns whether waiting alone changes nothing.
    pub(crate) fn is_permanent(self) -> bool {
        matches!(self, Self::Held | Self::Hanging | Self::Restarting)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct IndexCause {
    pub(crate) indexes: IndexSet,
    pub(crate) fate: Fate,
    pub(crate) why: String,
    pub(crate) hints: Vec<String>,
}

impl IndexCause {
    /// Returns the indexes, their state, and why: the same words on every screen.
    pub(crate) fn sentence(&self, style: Style) -> String {
        let count = plural(self.indexes.len(), "index", "indexes");
        format!("{count} {} ({}): {}", self.fate.word(), shortened(&self.indexes, style), self.why)
    }
}

/// Returns the last block of a description; empty without causes.
pub(crate) fn block(causes: &[IndexCause], style: Style) -> String {
    let mut text = if causes.is_empty() { String::new() } else { "Causes:\n".to_owned() };
    for cause in causes.iter().take(BLOCK_CAUSES) {
        let _ = writeln!(text, "  {}", cause.sentence(style));
        for hint in &cause.hints {
            let _ = writeln!(text, "    hint: {hint}");
        }
    }
    if causes.len() > BLOCK_CAUSES {
        let _ = writeln!(text, "  and {}", plural(causes.len() - BLOCK_CAUSES, "more cause", "more causes"));
    }
    text
}

/// Returns whether a Pod does not start for an unknown reason, so that the events of Pods are worth a request.
pub(crate) fn needs_pod_events(state: &JobState, now: Timestamp) -> bool {
    state.attempts().values().filter_map(|attempts| attempts.last()).any(|attempt| explain::needs_event(attempt, now))
}

/// Returns whether the Job lacks Pods for an unknown reason, so that its events are worth a request.
pub(crate) fn needs_job_events(state: &JobState) -> bool {
    state.kube_events().is_empty() && !missing(state).is_empty()
}

/// Returns why indexes are not completed: first what blocks the whole Job, then what blocks some indexes, then failures.
pub(crate) fn causes(state: &JobState, now: Timestamp, wording: Wording<'_>) -> Vec<IndexCause> {
    let mut causes = blocked(state, now, wording);
    if let Some(job) = state.job() {
        let failed = state.failed();
        let attempt_of = |index| explaining_attempt(state.attempts_of(index));
        let explain = |index| attempt_of(index).map(|attempt| explain_end(attempt, Subject { job, wording }));
        causes.extend(grouped(&failed, explain, wording.style));
        let gone: IndexSet = failed.iter().filter(|index| attempt_of(*index).is_none()).collect();
        if !gone.is_empty() {
            let why = "the reason is unknown, because the Pod no longer exists".to_owned();
            causes.push(IndexCause { indexes: gone, fate: Fate::Failed, why, hints: Vec::new() });
        }
    }
    causes
}

/// Returns why indexes are neither completed nor failed.
pub(crate) fn blocked(state: &JobState, now: Timestamp, wording: Wording<'_>) -> Vec<IndexCause> {
    let Some(job) = state.job() else { return Vec::new() };
    let subject = Subject { job, wording };
    let outstanding = state.pending().union(&state.running());
    if state.outcome().is_some() {
        let ending = state.ending_condition();
        let reason = ending.and_then(|condition| condition.reason.as_deref());
        let message = ending.and_then(|condition| condition.message.clone());
        let why = sentence(message, reason, wording.style);
        let hints = reason.and_then(hint::of_job_end).into_iter().collect();
        // A success policy can end a Job before all indexes have run.
        let cause = IndexCause { indexes: outstanding, fate: Fate::NotCompleted, why, hints };
        return if cause.indexes.is_empty() { Vec::new() } else { vec![cause] };
    }
    if let Some((fate, why, hints)) = explain_whole_job(subject, now) {
        return vec![IndexCause { indexes: outstanding, fate, why, hints }];
    }
    let warnings = best_warnings(state.pod_warnings());
    let explain = |index| {
        let attempts: Vec<_> = state.attempts_of(index).collect();
        let warning = warnings.get(attempts.last()?.pod.as_str()).copied();
        explain::explain_block(&attempts, warning, subject, now)
    };
    let tried = outstanding.intersection(&state.attempted());
    explain_refusal(state, subject).into_iter().chain(grouped(&tried, explain, wording.style)).collect()
}

/// Returns why an index is not completed.
pub(crate) fn of_index(causes: &[IndexCause], index: u32) -> Option<&str> {
    causes.iter().find(|cause| cause.indexes.contains(index)).map(|cause| cause.why.as_str())
}

/// Returns what keeps every index from running.
fn explain_whole_job(subject: Subject<'_>, now: Timestamp) -> Option<(Fate, String, Vec<String>)> {
    let Subject { job, wording: Wording { flags, .. } } = subject;
    let spec = job.spec.as_ref()?;
    let status = job.status.as_ref();
    let age = job.metadata.creation_timestamp.as_ref().map_or(0, |time| now.as_second() - time.0.as_second());
    let begun = status.is_some_and(|status| status.start_time.is_some());
    let manager = spec.managed_by.as_deref().filter(|manager| *manager != "kubernetes.io/job-controller");
    let command = |verb, arguments, does| format!("{} {does}", subject.command(verb, arguments));
    let (why, hints) = if job.metadata.deletion_timestamp.is_some() {
        ("the Job is being deleted".to_owned(), vec![command("delete", "", "shows what delays the deletion")])
    } else if spec.suspend == Some(true) && state::is_submitting(job) {
        let again = format!("the same run or retry command with the name {} completes the submission", subject.name());
        let why = "the submission of the Job is incomplete: it is still running or was interrupted (suspended)";
        (why.to_owned(), vec![again, command("delete", "", "removes the Job")])
    } else if let (Some(true), Some(queue)) = (spec.suspend, state::queue(job)) {
        let uid = job.metadata.uid.as_deref().unwrap_or_default();
        let hints = vec![
            format!(
                "kubectl describe workloads{flags} -l kueue.x-k8s.io/job-uid={uid} shows what Kueue is waiting for"
            ),
            format!(
                "kubectl get localqueues{flags} shows whether the queue {queue} exists, and how many Jobs wait in it"
            ),
        ];
        (format!("the queue {queue} has not admitted the Job (suspended)"), hints)
    } else if spec.suspend == Some(true) {
        ("the Job is suspended".to_owned(), vec![command("resume", "", "starts it")])
    } else if spec.parallelism == Some(0) {
        (
            "the parallelism of the Job is 0".to_owned(),
            vec![command("scale", " --parallelism 1", "runs one index at a time")],
        )
    } else if begun || age < PATIENCE {
        return None;
    } else if let Some(manager) = manager {
        let why = format!("controller {manager} manages the Job and has not started it");
        (why, vec![format!("check that controller {manager} is running in the cluster")])
    } else {
        let cure = "check that kube-controller-manager is running: the Job controller is a part of it";
        ("the Job controller has not started the Job".to_owned(), vec![cure.to_owned()])
    };
    Some((Fate::Held, why, hints))
}

/// Returns indexes that should have a Pod and have none. The Job controller creates Pods for the lowest indexes first.
fn missing(state: &JobState) -> IndexSet {
    let Some(spec) = state.job().and_then(|job| job.spec.as_ref()) else { return IndexSet::new() };
    if state.outcome().is_some() || spec.suspend == Some(true) {
        return IndexSet::new();
    }
    let attempts = state.attempts();
    let active = attempts.values().flatten().filter(|attempt| !attempt.is_finished()).count();
    let parallelism = spec.parallelism.and_then(|n| usize::try_from(n).ok()).unwrap_or(1);
    let tried: IndexSet = attempts.keys().copied().collect();
    let untried = state.pending().difference(&tried);
    untried.iter().take(parallelism.saturating_sub(active)).collect()
}

/// Returns why the server refuses Pods: quota, admission, a missing service account.
fn explain_refusal(state: &JobState, subject: Subject<'_>) -> Option<IndexCause> {
    let indexes = missing(state);
    let message = &state.kube_events().iter().rfind(|event| event.reason == "FailedCreate")?.message;
    if indexes.is_empty() {
        return None;
    }
    let message = message.rsplit_once("Error creating: ").map_or(&**message, |(_, message)| message);
    // The name of the Pod differs from attempt to attempt.
    let why = message.split_once("\" is forbidden: ").map_or(message, |(_, why)| why);
    let hints = hint::of_refusal(why, subject);
    let why = sentence(Some(why.to_owned()), Some("FailedCreate"), subject.wording.style);
    Some(IndexCause { indexes, fate: Fate::Pending, why, hints })
}

/// Returns one cause for all indexes with the same explanation.
fn grouped(indexes: &IndexSet, explain: impl Fn(u32) -> Option<Explanation>, style: Style) -> Vec<IndexCause> {
    let members = indexes.iter().filter_map(|index| explain(index).map(|why| (index, why.key.clone(), why)));
    let groups = group_indexes(members, |_, kept, next| {
        // Of several wordings the longest says most.
        if next.sentence(style).len() > kept.sentence(style).len() {
            *kept = next;
        }
    });
    let cause = |IndexGroup { indexes, shared }: IndexGroup<Explanation>| IndexCause {
        indexes: indexes.into_iter().collect(),
        fate: shared.fate,
        why: shared.sentence(style),
        hints: shared.hints,
    };
    groups.into_iter().map(cause).collect()
}

/// Returns the most specific warning about each Pod.
fn best_warnings(events: &[KubeEvent]) -> BTreeMap<&str, &KubeEvent> {
    let rank = |event: &KubeEvent| {
        // These only report that something else failed.
        let vague =
            ["Unable to attach or mount volumes", "Error: "].iter().any(|start| event.message.starts_with(start));
        (!vague, event.at)
    };
    let mut warnings: Vec<_> = events.iter().filter(|event| START_WARNINGS.contains(&event.reason.as_str())).collect();
    warnings.sort_by_key(|event| rank(event));
    warnings.into_iter().map(|event| (event.about.as_str(), event)).collect()
}

fn sentence(message: Option<String>, reason: Option<&str>, style: Style) -> String {
    let message = message
        .filter(|message| !message.is_empty())
        .map(|message| beginning(&one_line(&message), MESSAGE, style).into_owned());
    match (message, reason) {
        (Some(message), Some(reason)) => format!("{message} ({reason})"),
        (Some(message), None) => message,
        (None, reason) => reason.unwrap_or(UNKNOWN).to_owned(),
    }
}

fn shortened(indexes: &IndexSet, style: Style) -> String {
    let text = indexes.to_string();
    up_to_comma(&text, INDEXES).map(|start| format!("{start}{}", style.ellipsis())).unwrap_or(text)
}

#[cfg(test)]
mod tests;
