//! Why a Job does not go on, and why indexes failed: one line for all that have the same cause, and what to do.

mod hint;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Event;

use super::group::{Group, common, end, ending, groups, last_line};
use super::text::up_to_comma;
use super::{beginning, one_line, plural};
use crate::index_set::IndexSet;
use crate::state::attempt::{Attempt, Phase};
use crate::state::{self, JobState};

const TOLD: usize = 8;
/// Longest message told, in characters.
const LONGEST: usize = 240;
const LONGEST_SET: usize = 48;
/// So many seconds a container may take to be created, or a Job to be taken up, until it is worth a question.
const PATIENCE: i64 = 5;
/// So many seconds are long for a node to prepare a container.
const LONG: i64 = 60;
/// Reasons of a Pod that is simply on its way.
const ON_ITS_WAY: [&str; 2] = ["ContainerCreating", "PodInitializing"];
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
    /// What became of them: `pending`, `failed`, `not run`.
    pub(crate) fate: &'static str,
    pub(crate) why: String,
    pub(crate) hints: Vec<String>,
}

/// The causes as a block of a description; empty if there is none.
pub(crate) fn block(causes: &[Cause]) -> String {
    let mut text = if causes.is_empty() { String::new() } else { "  Causes:\n".to_owned() };
    for Cause { indexes, fate, why, hints } in causes.iter().take(TOLD) {
        let count = plural(indexes.len(), "index", "indexes");
        let _ = writeln!(text, "    {count} {fate} ({}): {}", shortened(indexes), why);
        for hint in hints {
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
    state.attempts().values().filter_map(|attempts| attempts.last()).any(|attempt| is_mute(attempt, now))
}

/// Whether Pods are missing that there should be, so that the events of the Job are worth a request.
pub(crate) fn needs_job_events(state: &JobState) -> bool {
    !missing(state).is_empty()
}

fn is_mute(attempt: &Attempt, now: Timestamp) -> bool {
    let age = attempt.created.map_or(0, |created| now.as_second() - created.as_second());
    let reason = attempt.reason.as_deref();
    let on_its_way = reason.is_some_and(|reason| ON_ITS_WAY.contains(&reason)) && age >= PATIENCE;
    // Servers before 1.31 don't say what the last pull failed of.
    let bare = reason == Some("ImagePullBackOff") && attempt.message.as_deref().is_none_or(|text| !text.contains(": "));
    attempt.phase == Phase::Starting && (on_its_way || bare)
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
                let uid = job.metadata.uid.as_deref().unwrap_or_default();
                cause(format!("the queue {queue} has not admitted the Job (suspended)"), hint::of_queue(queue, uid))
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
    let last = refused.max_by_key(|event| last_seen(event))?;
    if indexes.is_empty() {
        return None;
    }
    let message = last.message.as_deref().unwrap_or_default();
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
        let (key, why, hints) = if fate == "failed" {
            let Some(end) = ending(state.attempts_of(index)) else {
                gone.insert(index);
                return None;
            };
            ended(end, job)
        } else {
            let last = state.attempts_of(index).last()?;
            held_up(last, warnings.get(last.pod.as_str()).copied(), job, seen.now)?
        };
        Some((index, key, (why, hints)))
    });
    let groups = groups(members, |_, told, next| {
        // Of several wordings of the same, the one that says most.
        if next.0.len() > told.0.len() {
            *told = next;
        }
    });
    let mut causes: Vec<_> = groups
        .into_iter()
        .map(|Group { indexes, told: (why, hints) }| Cause { indexes: indexes.into_iter().collect(), fate, why, hints })
        .collect();
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

type Told = ((String, String), String, Vec<String>);

/// What holds an attempt up; None if it is at work or on its way.
fn held_up(attempt: &Attempt, warning: Option<&Event>, job: &Job, now: Timestamp) -> Option<Told> {
    if attempt.is_finished() {
        // It is tried again in a while.
        return None;
    }
    let reason = attempt.reason.as_deref();
    let age = attempt.created.map_or(0, |created| now.as_second() - created.as_second());
    let event = warning.filter(|_| is_mute(attempt, now));
    let (reason, message) = match (reason, event) {
        (_, Some(event)) => (event.reason.as_deref().unwrap_or_default(), event.message.clone()),
        (Some("ContainerCreating"), None) if age >= LONG => {
            ("ContainerCreating", Some("the node is still busy with its volumes, network or image".to_owned()))
        }
        (Some(reason), None) if ON_ITS_WAY.contains(&reason) => return None,
        (Some(reason), None) => (reason, attempt.message.clone()),
        (None, None) => {
            if attempt.phase != Phase::Starting || attempt.node.is_some() || age < PATIENCE {
                return None;
            }
            ("not scheduled", Some("no scheduler has looked at the Pod".to_owned()))
        }
    };
    let image = ["ErrImagePull", "ImagePullBackOff"].contains(&reason)
        || message.as_deref().is_some_and(|message| message.starts_with("Failed to pull image"));
    // A pull is tried, waits, and is tried again: two names of one cause.
    let reason = if image { "ImagePullBackOff" } else { reason };
    let message = message.unwrap_or_default();
    let telling = if image { hint::telling_of_pull(&message) } else { first_sentence(&message) };
    let container = attempt.container.clone().unwrap_or_default();
    let key = (reason.to_owned(), if image { container } else { common(&telling, &[]) });
    let hints = hint::of_waiting(reason, &message, &attempt.pod, job);
    Some((key, sentence(Some(telling), Some(reason)), hints))
}

fn ended(attempt: &Attempt, job: &Job) -> Told {
    let (code, reason) = end(attempt);
    let how = reason.into_iter().chain(code).collect::<Vec<_>>().join(", ");
    let words = match attempt.reason.as_deref() {
        Some("StartError" | "ContainerCannotRun") => {
            hint::telling_of_start(attempt.message.as_deref().unwrap_or_default())
        }
        _ => last_line(attempt.message.as_deref()),
    };
    let why = match (how.is_empty(), words.is_empty()) {
        (false, false) => format!("{how}: {}", beginning(&words, LONGEST)),
        (false, true) => how.clone(),
        (true, false) => beginning(&words, LONGEST).into_owned(),
        (true, true) => "for no known reason".to_owned(),
    };
    ((how, common(&words, &[])), why, hint::of_end(attempt, job))
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

/// The scheduler goes on about preemption, which has never helped anyone; nor have line breaks in a line.
fn first_sentence(message: &str) -> String {
    let message = message.split_once(". ").map_or(message, |(first, _)| first);
    one_line(message).trim_end_matches('.').to_owned()
}

fn shortened(indexes: &IndexSet) -> String {
    let text = indexes.to_string();
    up_to_comma(&text, LONGEST_SET).map(|start| format!("{start}…")).unwrap_or(text)
}

#[cfg(test)]
mod tests;
