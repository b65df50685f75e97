//! Why one attempt waits, restarts, hangs or failed, and the cure.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::super::group::{end_of, last_line, without_differences};
use super::super::{Style, beginning, one_line};
use super::{Fate, MESSAGE, Subject, UNKNOWN, hint, sentence};
use crate::state::KubeEvent;
use crate::state::attempt::{Attempt, Phase, STARTING_REASONS};

/// The number of seconds after which a container that is not created, or a Job that is not started, needs an explanation.
pub(super) const PATIENCE: i64 = 5;
/// The number of seconds after which the preparation of a container is slow.
const LONG: i64 = 60;
/// The number of evictions of an index after which the reason is permanent.
const EVICTED_AGAIN: usize = 2;

/// Why an attempt is not completed, and the cure.
#[derive(Clone, Debug)]
pub(crate) struct Explanation {
    /// Equal for attempts with the same cause.
    pub(super) key: (String, String),
    pub(super) fate: Fate,
    /// How it waits or ended, without the output of the container.
    pub(crate) manner: String,
    /// The last line that the container wrote; empty if there is none.
    pub(crate) last_line: String,
    pub(crate) hints: Vec<String>,
}

impl Explanation {
    /// Returns the whole cause as one sentence.
    pub(crate) fn sentence(&self, style: Style) -> String {
        if self.last_line.is_empty() {
            return self.manner.clone();
        }
        let line = beginning(&self.last_line, MESSAGE, style);
        if self.manner.is_empty() { line.into_owned() } else { format!("{}: {line}", self.manner) }
    }

    /// The explanation of a failed index without a Pod.
    pub(crate) fn gone() -> Self {
        let manner = "failed; the Pod no longer exists".to_owned();
        let key = (manner.clone(), String::new());
        Self { key, fate: Fate::Failed, manner, last_line: String::new(), hints: Vec::new() }
    }

    fn waiting(fate: Fate, reason: &str, about: &str, message: String, hints: Vec<String>, style: Style) -> Self {
        let manner = sentence(Some(message), Some(reason), style);
        Self { key: (reason.to_owned(), about.to_owned()), fate, manner, last_line: String::new(), hints }
    }
}

/// Returns whether the events of a Pod that does not start are worth a request.
pub(super) fn needs_event(attempt: &Attempt, now: Timestamp) -> bool {
    let is_new = attempt.reason.as_deref().is_some_and(|reason| STARTING_REASONS.contains(&reason))
        && seconds_since(attempt.created, now) < PATIENCE;
    attempt.hides_cause() && !is_new
}

/// Returns what blocks an index, from its attempts, the oldest first; None if the last attempt runs or is starting.
pub(super) fn explain_block(
    attempts: &[&Attempt],
    warning: Option<&KubeEvent>,
    subject: Subject<'_>,
    now: Timestamp,
) -> Option<Explanation> {
    let attempt = *attempts.last()?;
    explain_evictions(attempts, subject)
        .or_else(|| explain_lost_node(attempt, subject))
        .or_else(|| explain_running_sidecar(attempt, subject, now))
        .or_else(|| explain_wait(attempt, warning, subject, now))
}

fn seconds_since(since: Option<Timestamp>, now: Timestamp) -> i64 {
    since.map_or(0, |since| now.as_second() - since.as_second())
}

fn explain_evictions(attempts: &[&Attempt], subject: Subject<'_>) -> Option<Explanation> {
    let evicted: Vec<_> = attempts.iter().filter(|attempt| attempt.is_disrupted).collect();
    let last = evicted.last().filter(|_| evicted.len() >= EVICTED_AGAIN)?;
    let message = first_sentence(last.message.as_deref().unwrap_or_default());
    let why = format!("evicted and restarted {} times, the last time because: {message}", evicted.len());
    let hints = vec![
        hint::of_shortage(&message, subject.wording.flags),
        subject.command("suspend", "") + " stops the restarts",
    ];
    let reason = last.reason.as_deref().unwrap_or_default();
    let about = without_differences(&why, &[], subject.wording.style);
    Some(Explanation::waiting(Fate::Restarting, reason, &about, why, hints, subject.wording.style))
}

fn explain_lost_node(attempt: &Attempt, subject: Subject<'_>) -> Option<Explanation> {
    let since = attempt.lost_since?;
    let node = attempt.node.as_deref().unwrap_or("?");
    let why = format!("node {node} has not responded since {since}");
    // Deleting the Pod, even by force, does not help: its finalizer stays while the Pod counts as running.
    let hint = format!(
        "kubectl delete node {node}{} moves its indexes to other nodes; deleting the Pods does not help",
        subject.wording.flags
    );
    Some(Explanation::waiting(Fate::Hanging, "NodeLost", node, why, vec![hint], subject.wording.style))
}

fn explain_running_sidecar(attempt: &Attempt, subject: Subject<'_>, now: Timestamp) -> Option<Explanation> {
    let (container, since) = attempt.outlived_by.as_ref()?;
    if seconds_since(*since, now) < PATIENCE {
        return None;
    }
    let code = attempt.exit_code.unwrap_or_default();
    let why = format!("the worker ended with exit code {code}, but container {container} still runs");
    let hints = vec![
        format!("an init container with restartPolicy: Always ends with the worker: make {container} one"),
        subject.command("delete", "") + " deletes the Job",
    ];
    Some(Explanation::waiting(Fate::Hanging, "NotCompleted", container, why, hints, subject.wording.style))
}

fn explain_wait(
    attempt: &Attempt,
    warning: Option<&KubeEvent>,
    subject: Subject<'_>,
    now: Timestamp,
) -> Option<Explanation> {
    let style = subject.wording.style;
    let age = seconds_since(attempt.created, now);
    if attempt.is_finished() {
        let failed = attempt.phase == Phase::Failed && seconds_since(attempt.finished, now) >= LONG;
        let manner = failed.then(|| explain_end(attempt, subject).manner)?;
        let why = format!("{manner}; Kubernetes retries it after a delay of up to 10 minutes");
        return Some(Explanation::waiting(Fate::Pending, "Retrying", &manner, why, Vec::new(), style));
    }
    let (reason, message) = match (attempt.reason.as_deref(), warning.filter(|_| needs_event(attempt, now))) {
        (_, Some(event)) => (event.reason.as_str(), event.message.as_str()),
        (Some("ContainerCreating"), None) if age >= LONG => {
            ("ContainerCreating", "the node is still preparing volumes, network or image")
        }
        (Some(reason), None) if STARTING_REASONS.contains(&reason) => return None,
        (Some(reason), None) => (reason, attempt.message.as_deref().unwrap_or_default()),
        (None, None) if attempt.phase == Phase::Starting && attempt.node.is_none() && age >= PATIENCE => {
            let scheduler = hint::pod(subject.job).and_then(|pod| pod.scheduler_name.as_deref());
            let scheduler = scheduler.unwrap_or("default-scheduler");
            let why = format!("scheduler {scheduler} has not processed the Pod");
            let hint = format!("check that scheduler {scheduler} is running in the cluster");
            return Some(Explanation::waiting(Fate::Pending, "not scheduled", "", why, vec![hint], style));
        }
        (None, None) => return None,
    };
    let image = ["ErrImagePull", "ImagePullBackOff"].contains(&reason) || message.starts_with("Failed to pull image");
    // ErrImagePull and ImagePullBackOff alternate: two names of one cause.
    let reason = if image { "ImagePullBackOff" } else { reason };
    let mut why = match &attempt.gates[..] {
        _ if image => hint::shortened_pull(message),
        [] => first_sentence(message),
        gates => format!("scheduling gate {}", gates.join(", ")),
    };
    let claims = hint::claims(subject.job);
    if why.contains("unbound") && !claims.is_empty() {
        let _ = write!(why, " ({})", claims.join(", "));
    }
    let about =
        if image { attempt.container.clone().unwrap_or_default() } else { without_differences(&why, &[], style) };
    let hints = hint::of_waiting(reason, message, attempt, subject);
    Some(Explanation::waiting(Fate::Pending, reason, &about, why, hints, style))
}

/// Returns how an attempt failed.
pub(crate) fn explain_end(attempt: &Attempt, subject: Subject<'_>) -> Explanation {
    let style = subject.wording.style;
    let (code, reason) = end_of(attempt);
    let mut manner = code.into_iter().chain(reason).collect::<Vec<_>>().join(", ");
    if let (Some("OOMKilled"), Some(limit)) = (attempt.reason.as_deref(), hint::memory_limit(attempt, subject.job)) {
        let _ = write!(manner, " at its memory limit of {limit}");
    }
    let last_line = last_line(attempt.own_message());
    let own = if attempt.own_message().is_some() { String::new() } else { one_line(&hint::shortened_start(attempt)) };
    let own = beginning(own.trim_end_matches('.'), MESSAGE, style);
    let key = (manner.clone(), without_differences(if own.is_empty() { &last_line } else { &own }, &[], style));
    manner = [&*manner, &*own].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
    if manner.is_empty() && last_line.is_empty() {
        manner.push_str(UNKNOWN);
    }
    Explanation { key, fate: Fate::Failed, manner, last_line, hints: hint::of_end(attempt, subject) }
}

/// Returns the first sentence of a scheduler's message, on one line: the rest is about preemption and does not help.
fn first_sentence(message: &str) -> String {
    let message = message.split_once(". ").map_or(message, |(first, _)| first);
    one_line(message).trim_end_matches('.').to_owned()
}
