//! Why a Job does not go on, and why indexes failed: one line for all that have the same cause, and what to do.

mod explain;
mod hint;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Event;

use super::group::{Group, ending, groups};
use super::text::up_to_comma;
use super::{beginning, one_line, plural};
use crate::index_set::IndexSet;
use crate::state::attempt::Attempt;
use crate::state::{self, JobState};
use explain::PATIENCE;
pub(crate) use explain::{EVICTED_AGAIN, Explanation, ended, evictions};

const TOLD: usize = 8;
/// Longest message told, in characters.
const LONGEST: usize = 240;
const LONGEST_SET: usize = 48;
/// Warnings that explain why a Pod does not start, where its own status does not.
const TELLING: [&str; 4] = ["FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "Failed"];

/// What was seen besides the Job and its Pods.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) job: &'a [Event],
    /// The warnings about its Pods, where [`needs_pod_events`] asked for them.
    pub(crate) pods: &'a [Event],
    pub(crate) now: Timestamp,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cause {
    pub(crate) indexes: IndexSet,
    /// What became of them: `pending`, `hanging`, `restarting`, `failed`, `not completed`.
    pub(crate) fate: &'static str,
    pub(crate) why: String,
    pub(crate) hints: Vec<String>,
}

impl Cause {
    /// Which indexes, what became of them, and why: the same words on every screen.
    pub(crate) fn sentence(&self) -> String {
        let count = plural(self.indexes.len(), "index", "indexes");
        format!("{count} {} ({}): {}", self.fate, shortened(&self.indexes), self.why)
    }
}

/// The causes as a block of a description; empty if there is none.
pub(crate) fn block(causes: &[Cause]) -> String {
    let mut text = if causes.is_empty() { String::new() } else { "  Causes:\n".to_owned() };
    for cause in causes.iter().take(TOLD) {
        let _ = writeln!(text, "    {}", cause.sentence());
        for hint in &cause.hints {
            let _ = writeln!(text, "      hint: {hint}");
        }
    }
    if causes.len() > TOLD {
        let _ = writeln!(text, "    and {}", plural(causes.len() - TOLD, "more cause", "more causes"));
    }
    text
}

/// Whether some Pod does not start and does not say why, so that its events are worth a request.
pub(crate) fn needs_pod_events(state: &JobState, now: Timestamp) -> bool {
    state.attempts().values().filter_map(|attempts| attempts.last()).any(|attempt| explain::is_mute(attempt, now))
}

/// Whether Pods are missing that there should be, so that the events of the Job are worth a request.
pub(crate) fn needs_job_events(state: &JobState) -> bool {
    !missing(state).is_empty()
}

/// Why indexes of a Job are not done: what holds the whole Job up first, then what holds some up, then what failed.
pub(crate) fn causes(state: &JobState, seen: Seen<'_>) -> Vec<Cause> {
    let Some(job) = state.job() else { return Vec::new() };
    let outstanding = state.pending().union(&state.running());
    let mut causes = Vec::new();
    match state.outcome() {
        None => {
            causes.extend(whole_job(job, &outstanding, seen.now));
            if causes.is_empty() {
                causes.extend(not_created(state, job, seen.job));
                causes.extend(grouped(state, job, seen, "pending"));
            }
        }
        // A success policy may be content with some.
        Some(_) if !outstanding.is_empty() => {
            let ending = state.ending_condition();
            let reason = ending.and_then(|condition| condition.reason.as_deref());
            let message = ending.and_then(|condition| condition.message.as_deref());
            causes.push(Cause {
                indexes: outstanding,
                fate: "not completed",
                why: sentence(message.map(str::to_owned), reason),
                hints: reason.and_then(hint::of_ending).into_iter().collect(),
            });
        }
        Some(_) => {}
    }
    causes.extend(grouped(state, job, seen, "failed"));
    causes
}

/// Why an index does not go on, or failed, where the cause is more than what its worker wrote.
pub(crate) fn of_index(state: &JobState, index: u32, now: Timestamp) -> Option<Explanation> {
    let job = state.job()?;
    if state.has_failed(index) {
        return ending(state.attempts_of(index)).map(|end| ended(end, job)).filter(|ended| ended.words.is_empty());
    }
    let attempts: Vec<_> = state.attempts_of(index).collect();
    explain::held_up(&attempts, None, job, now).filter(|_| !state.has_succeeded(index) && state.outcome().is_none())
}

/// Indexes that hang although their Pods were started: only a person can help them.
pub(crate) fn has_hung(state: &JobState) -> bool {
    let hangs = |attempts: &Vec<&Attempt>| {
        let last = attempts.last();
        evictions(attempts) >= EVICTED_AGAIN
            || last.is_some_and(|last| last.lost_since.is_some() || last.outlived_by.is_some())
    };
    let open = state.pending().union(&state.running());
    state.outcome().is_none()
        && state.attempts().iter().any(|(index, attempts)| open.contains(*index) && hangs(attempts))
}

/// What keeps every index from running.
fn whole_job(job: &Job, outstanding: &IndexSet, now: Timestamp) -> Option<Cause> {
    let spec = job.spec.as_ref()?;
    let status = job.status.as_ref();
    let name = job.metadata.name.as_deref().unwrap_or_default();
    let age = job.metadata.creation_timestamp.as_ref().map_or(0, |time| now.as_second() - time.0.as_second());
    let cause = |why: String, hints: Vec<String>| Cause { indexes: outstanding.clone(), fate: "pending", why, hints };
    if spec.suspend == Some(true) {
        if state::is_submitting(job) {
            let why = "the submission of the Job is under way, or was cut off (suspended)".to_owned();
            return Some(cause(why, hint::of_submitting(name)));
        }
        return Some(match state::queue(job) {
            Some(queue) => {
                cause(format!("the queue {queue} has not admitted the Job (suspended)"), hint::of_queue(queue))
            }
            None => cause("the Job is suspended".to_owned(), vec![hint::of_suspended(name)]),
        });
    }
    let begun = status.is_some_and(|status| status.start_time.is_some());
    if begun || age < PATIENCE {
        return None;
    }
    Some(match spec.managed_by.as_deref().filter(|manager| *manager != "kubernetes.io/job-controller") {
        Some(manager) => cause(
            format!("the Job is left to {manager}, which has not started it"),
            vec![format!("is {manager} running in the cluster?")],
        ),
        None => cause(
            "Kubernetes has not taken the Job up".to_owned(),
            vec!["the Job controller, a part of kube-controller-manager, seems not to run".to_owned()],
        ),
    })
}

/// Indexes whose Pod should be there and is not, the lowest first, as the Job controller goes about them.
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

/// Pods that the server refuses: quota, admission, a service account that is not there.
fn not_created(state: &JobState, job: &Job, events: &[Event]) -> Option<Cause> {
    let indexes = missing(state);
    let refused = events.iter().filter(|event| event.reason.as_deref() == Some("FailedCreate"));
    let last = refused.max_by_key(|event| last_seen(event)).and_then(|event| event.message.as_deref());
    // Who follows a Job has its events in the state.
    let followed = || state.happenings().iter().rfind(|happening| happening.reason == "FailedCreate");
    let message = last.or_else(|| followed().map(|happening| happening.message.as_str()))?;
    if indexes.is_empty() {
        return None;
    }
    let message = message.rsplit_once("Error creating: ").map_or(message, |(_, message)| message);
    // The name of the Pod differs from try to try.
    let why = message.split_once("\" is forbidden: ").map_or(message, |(_, why)| why);
    Some(Cause {
        indexes,
        fate: "pending",
        why: sentence(Some(why.to_owned()), Some("FailedCreate")),
        hints: hint::of_refusal(why, job),
    })
}

fn last_seen(event: &Event) -> Option<Timestamp> {
    let series = event.series.as_ref().and_then(|series| series.last_observed_time.as_ref()).map(|time| time.0);
    let last = event.last_timestamp.as_ref().map(|time| time.0);
    series.or(last).or(event.event_time.as_ref().map(|time| time.0))
}

/// Indexes that wait, or that failed, by what their last attempts say.
fn grouped(state: &JobState, job: &Job, seen: Seen<'_>, fate: &'static str) -> Vec<Cause> {
    let warnings = warnings(seen.pods);
    let of = if fate == "failed" { state.failed() } else { state.pending().union(&state.running()) };
    let mut gone = IndexSet::new();
    let members = of.iter().filter_map(|index| {
        let explanation = if fate == "failed" {
            let Some(end) = ending(state.attempts_of(index)) else {
                gone.insert(index);
                return None;
            };
            ended(end, job)
        } else {
            let attempts: Vec<_> = state.attempts_of(index).collect();
            let warning = warnings.get(attempts.last()?.pod.as_str()).copied();
            explain::held_up(&attempts, warning, job, seen.now)?
        };
        Some((index, explanation.key.clone(), explanation))
    });
    let groups = groups(members, |_, told, next| {
        // Of several wordings of the same, the one that says most.
        if next.sentence().len() > told.sentence().len() {
            *told = next;
        }
    });
    let cause = |Group { indexes, told }: Group<Explanation>| Cause {
        indexes: indexes.into_iter().collect(),
        fate: told.fate,
        why: told.sentence(),
        hints: told.hints,
    };
    let mut causes: Vec<_> = groups.into_iter().map(cause).collect();
    if !gone.is_empty() {
        let why = "its Pod is gone, and with it how it ended".to_owned();
        causes.push(Cause { indexes: gone, fate, why, hints: Vec::new() });
    }
    causes
}

/// The most telling warning about each Pod.
fn warnings(events: &[Event]) -> BTreeMap<&str, &Event> {
    let mut told: BTreeMap<&str, &Event> = BTreeMap::new();
    let worth = |event: &Event| {
        let message = event.message.as_deref().unwrap_or_default();
        // These only say that something else went wrong.
        let vague = message.starts_with("Unable to attach or mount volumes") || message.starts_with("Error: ");
        (!vague, last_seen(event))
    };
    for event in events.iter().filter(|event| event.reason.as_deref().is_some_and(|reason| TELLING.contains(&reason))) {
        let Some(pod) = event.involved_object.name.as_deref() else { continue };
        let known = told.entry(pod).or_insert(event);
        if worth(event) > worth(known) {
            *known = event;
        }
    }
    told
}

fn sentence(message: Option<String>, reason: Option<&str>) -> String {
    let message = message
        .filter(|message| !message.is_empty())
        .map(|message| beginning(&one_line(&message), LONGEST).into_owned());
    match (message, reason) {
        (Some(message), Some(reason)) => format!("{message} ({reason})"),
        (Some(one), None) => one,
        (None, reason) => reason.unwrap_or("for no known reason").to_owned(),
    }
}

fn shortened(indexes: &IndexSet) -> String {
    let text = indexes.to_string();
    up_to_comma(&text, LONGEST_SET).map(|start| format!("{start}…")).unwrap_or(text)
}

#[cfg(test)]
mod tests;
