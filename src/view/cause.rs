//! Why a Job does not go on, and why indexes failed: one line for all that have the same cause, and what to do.

mod explain;
mod hint;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;

use super::group::{Group, ending, groups};
use super::text::up_to_comma;
use super::{beginning, one_line, plural};
use crate::index_set::IndexSet;
use crate::state::{self, JobState, KubeEvent};
use explain::PATIENCE;
pub(crate) use explain::{Explanation, ended};

const TOLD: usize = 8;
/// Longest message told, in characters.
const LONGEST: usize = 240;
const LONGEST_SET: usize = 48;
/// Warnings that explain why a Pod does not start, where its own status does not.
const TELLING: [&str; 4] = ["FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "Failed"];

/// A Job, and the flags with which a command reaches it again: each begins with a blank.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) job: &'a Job,
    pub(crate) flags: &'a str,
}

impl Target<'_> {
    fn name(&self) -> &str {
        self.job.metadata.name.as_deref().unwrap_or_default()
    }

    /// A command of this program about the Job, with arguments behind its name.
    fn command(&self, verb: &str, arguments: &str) -> String {
        format!("kubectl indexed {verb} {}{}{arguments}", self.name(), self.flags)
    }
}

/// What became of indexes that are not completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Pending,
    /// Pending until somebody changes the Job.
    Held,
    /// Started, and only a person can help.
    Hanging,
    /// Evicted again and again.
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

    /// Whether time alone changes nothing.
    pub(crate) fn lasts(self) -> bool {
        matches!(self, Self::Held | Self::Hanging | Self::Restarting)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cause {
    pub(crate) indexes: IndexSet,
    pub(crate) fate: Fate,
    pub(crate) why: String,
    pub(crate) hints: Vec<String>,
}

impl Cause {
    /// Which indexes, what became of them, and why: the same words on every screen.
    pub(crate) fn sentence(&self) -> String {
        let count = plural(self.indexes.len(), "index", "indexes");
        format!("{count} {} ({}): {}", self.fate.word(), shortened(&self.indexes), self.why)
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
    state.attempts().values().filter_map(|attempts| attempts.last()).any(|attempt| explain::needs_event(attempt, now))
}

/// Whether Pods are missing that there should be, so that the events of the Job are worth a request.
pub(crate) fn needs_job_events(state: &JobState) -> bool {
    state.kube_events().is_empty() && !missing(state).is_empty()
}

/// Why indexes of a Job are not done: what holds the whole Job up first, then what holds some up, then what failed.
pub(crate) fn causes(state: &JobState, now: Timestamp, flags: &str) -> Vec<Cause> {
    let mut causes = not_done(state, now, flags);
    if let Some(job) = state.job() {
        let failed = state.failed();
        let explain = |index| ending(state.attempts_of(index)).map(|end| ended(end, Target { job, flags }));
        causes.extend(grouped(&failed, explain));
        let gone: IndexSet = failed.iter().filter(|index| ending(state.attempts_of(*index)).is_none()).collect();
        if !gone.is_empty() {
            let why = "its Pod is gone, and with it how it ended".to_owned();
            causes.push(Cause { indexes: gone, fate: Fate::Failed, why, hints: Vec::new() });
        }
    }
    causes
}

/// Why indexes of a Job are not done that have not failed.
pub(crate) fn not_done(state: &JobState, now: Timestamp, flags: &str) -> Vec<Cause> {
    let Some(job) = state.job() else { return Vec::new() };
    let target = Target { job, flags };
    let outstanding = state.pending().union(&state.running());
    if state.outcome().is_some() {
        let ending = state.ending_condition();
        let reason = ending.and_then(|condition| condition.reason.as_deref());
        let message = ending.and_then(|condition| condition.message.clone());
        let why = sentence(message, reason);
        let hints = reason.and_then(hint::of_ending).into_iter().collect();
        // A success policy may be content with some.
        let cause = Cause { indexes: outstanding, fate: Fate::NotCompleted, why, hints };
        return if cause.indexes.is_empty() { Vec::new() } else { vec![cause] };
    }
    if let Some((fate, why, hints)) = whole_job(target, now) {
        return vec![Cause { indexes: outstanding, fate, why, hints }];
    }
    let warnings = warnings(state.pod_warnings());
    let explain = |index| {
        let attempts: Vec<_> = state.attempts_of(index).collect();
        let warning = warnings.get(attempts.last()?.pod.as_str()).copied();
        explain::held_up(&attempts, warning, target, now)
    };
    let tried = outstanding.intersection(&state.attempted());
    not_created(state, target).into_iter().chain(grouped(&tried, explain)).collect()
}

/// Why an index is not done, in the words of its cause.
pub(crate) fn of_index(causes: &[Cause], index: u32) -> Option<&str> {
    causes.iter().find(|cause| cause.indexes.contains(index)).map(|cause| cause.why.as_str())
}

/// What keeps every index from running.
fn whole_job(target: Target<'_>, now: Timestamp) -> Option<(Fate, String, Vec<String>)> {
    let Target { job, flags } = target;
    let spec = job.spec.as_ref()?;
    let status = job.status.as_ref();
    let age = job.metadata.creation_timestamp.as_ref().map_or(0, |time| now.as_second() - time.0.as_second());
    let begun = status.is_some_and(|status| status.start_time.is_some());
    let manager = spec.managed_by.as_deref().filter(|manager| *manager != "kubernetes.io/job-controller");
    let command = |verb, arguments, does| format!("{} {does}", target.command(verb, arguments));
    let (why, hints) = if job.metadata.deletion_timestamp.is_some() {
        ("the Job is being deleted".to_owned(), vec![command("delete", "", "says what holds it")])
    } else if spec.suspend == Some(true) && state::is_submitting(job) {
        let again = format!("the command that made it, typed again with the name {}, takes it up", target.name());
        let why = "the submission of the Job is under way, or was cut off (suspended)";
        (why.to_owned(), vec![again, command("delete", "", "removes it")])
    } else if let (Some(true), Some(queue)) = (spec.suspend, state::queue(job)) {
        let uid = job.metadata.uid.as_deref().unwrap_or_default();
        let hints = vec![
            format!("kubectl describe workloads{flags} -l kueue.x-k8s.io/job-uid={uid} shows what Kueue waits for"),
            format!("kubectl get localqueues{flags} shows whether there is a queue {queue}, and how many wait in it"),
        ];
        (format!("the queue {queue} has not admitted the Job (suspended)"), hints)
    } else if spec.suspend == Some(true) {
        ("the Job is suspended".to_owned(), vec![command("resume", "", "lets it run")])
    } else if spec.parallelism == Some(0) {
        ("the parallelism of the Job is 0".to_owned(), vec![command("scale", " --parallelism N", "lets it run")])
    } else if begun || age < PATIENCE {
        return None;
    } else if let Some(manager) = manager {
        let why = format!("the Job is left to {manager}, which has not started it");
        (why, vec![format!("is {manager} running in the cluster?")])
    } else {
        let cure = "the Job controller, a part of kube-controller-manager, seems not to run";
        ("Kubernetes has not taken the Job up".to_owned(), vec![cure.to_owned()])
    };
    Some((Fate::Held, why, hints))
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
fn not_created(state: &JobState, target: Target<'_>) -> Option<Cause> {
    let indexes = missing(state);
    let message = &state.kube_events().iter().rfind(|event| event.reason == "FailedCreate")?.message;
    if indexes.is_empty() {
        return None;
    }
    let message = message.rsplit_once("Error creating: ").map_or(&**message, |(_, message)| message);
    // The name of the Pod differs from try to try.
    let why = message.split_once("\" is forbidden: ").map_or(message, |(_, why)| why);
    let hints = hint::of_refusal(why, target);
    Some(Cause { indexes, fate: Fate::Pending, why: sentence(Some(why.to_owned()), Some("FailedCreate")), hints })
}

/// Puts together indexes with the same cause.
fn grouped(of: &IndexSet, explain: impl Fn(u32) -> Option<Explanation>) -> Vec<Cause> {
    let members = of.iter().filter_map(|index| explain(index).map(|told| (index, told.key.clone(), told)));
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
    groups.into_iter().map(cause).collect()
}

/// The most telling warning about each Pod.
fn warnings(events: &[KubeEvent]) -> BTreeMap<&str, &KubeEvent> {
    let worth = |event: &KubeEvent| {
        // These only say that something else went wrong.
        let vague =
            ["Unable to attach or mount volumes", "Error: "].iter().any(|start| event.message.starts_with(start));
        (!vague, event.at)
    };
    let mut telling: Vec<_> = events.iter().filter(|event| TELLING.contains(&event.reason.as_str())).collect();
    telling.sort_by_key(|event| worth(event));
    telling.into_iter().map(|event| (event.about.as_str(), event)).collect()
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
