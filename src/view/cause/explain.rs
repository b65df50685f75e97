//! Why one attempt waits, restarts, hangs or failed, and the cure.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::super::group::{common, end, last_line};
use super::super::{beginning, one_line};
use super::{Fate, LONGEST, Target, hint, sentence};
use crate::state::KubeEvent;
use crate::state::attempt::{Attempt, Phase, STARTING_REASONS};

/// So many seconds a container may take to be created, or a Job to be taken up, until it is worth a question.
pub(super) const PATIENCE: i64 = 5;
/// So many seconds are long for a node to prepare a container.
const LONG: i64 = 60;
/// An index that was evicted so often is evicted for a reason that does not go away.
const EVICTED_AGAIN: usize = 2;

/// Why an attempt is not done, and what to do about it.
#[derive(Clone, Debug)]
pub(crate) struct Explanation {
    /// What attempts with the same cause have in common.
    pub(super) key: (String, String),
    pub(super) fate: Fate,
    /// How it waits or ended, without what the container wrote.
    pub(crate) how: String,
    /// The last line that the container wrote.
    pub(crate) words: String,
    pub(crate) hints: Vec<String>,
}

impl Explanation {
    /// The whole cause as one sentence.
    pub(crate) fn sentence(&self) -> String {
        if self.words.is_empty() {
            return self.how.clone();
        }
        let words = beginning(&self.words, LONGEST);
        if self.how.is_empty() { words.into_owned() } else { format!("{}: {words}", self.how) }
    }

    /// An index failed, and nobody knows how any more.
    pub(crate) fn gone() -> Self {
        let how = "failed; the pod is gone".to_owned();
        Self { key: (how.clone(), String::new()), fate: Fate::Failed, how, words: String::new(), hints: Vec::new() }
    }

    fn waiting(fate: Fate, reason: &str, about: &str, telling: String, hints: Vec<String>) -> Self {
        let how = sentence(Some(telling), Some(reason));
        Self { key: (reason.to_owned(), about.to_owned()), fate, how, words: String::new(), hints }
    }
}

/// Whether the events of a Pod that does not start are worth a request.
pub(super) fn needs_event(attempt: &Attempt, now: Timestamp) -> bool {
    let is_new = attempt.reason.as_deref().is_some_and(|reason| STARTING_REASONS.contains(&reason))
        && seconds_since(attempt.created, now) < PATIENCE;
    attempt.hides_cause() && !is_new
}

/// Why an index does not go on, by its attempts, the oldest first; None if its last attempt is at work or on its way.
pub(super) fn held_up(
    attempts: &[&Attempt],
    warning: Option<&KubeEvent>,
    target: Target<'_>,
    now: Timestamp,
) -> Option<Explanation> {
    let attempt = *attempts.last()?;
    evicted_again(attempts, target)
        .or_else(|| lost(attempt, target.flags))
        .or_else(|| outlived(attempt, target, now))
        .or_else(|| waiting(attempt, warning, target, now))
}

fn seconds_since(since: Option<Timestamp>, now: Timestamp) -> i64 {
    since.map_or(0, |since| now.as_second() - since.as_second())
}

fn evicted_again(attempts: &[&Attempt], target: Target<'_>) -> Option<Explanation> {
    let evicted: Vec<_> = attempts.iter().filter(|attempt| attempt.is_disrupted).collect();
    let last = evicted.last().filter(|_| evicted.len() >= EVICTED_AGAIN)?;
    let message = first_sentence(last.message.as_deref().unwrap_or_default());
    let telling = format!("evicted {} times, and started again each time, last: {message}", evicted.len());
    let hint = format!("{} stops it; {}", target.command("suspend", ""), hint::of_shortage(&message, target.flags));
    let reason = last.reason.as_deref().unwrap_or_default();
    Some(Explanation::waiting(Fate::Restarting, reason, &common(&telling, &[]), telling, vec![hint]))
}

fn lost(attempt: &Attempt, flags: &str) -> Option<Explanation> {
    let since = attempt.lost_since?;
    let node = attempt.node.as_deref().unwrap_or("?");
    let telling = format!("node {node} has not answered since {since}");
    // Deleting the Pod, even by force, does not help: its finalizer stays while the Pod counts as running.
    let hint = format!(
        "its indexes run elsewhere once the node is deleted (kubectl delete node {node}{flags}), or go on once it is back; \
         deleting the Pods does not help"
    );
    Some(Explanation::waiting(Fate::Hanging, "NodeLost", node, telling, vec![hint]))
}

fn outlived(attempt: &Attempt, target: Target<'_>, now: Timestamp) -> Option<Explanation> {
    let (container, since) = attempt.outlived_by.as_ref()?;
    if seconds_since(*since, now) < PATIENCE {
        return None;
    }
    let code = attempt.exit_code.unwrap_or_default();
    let telling = format!("the worker ended with exit code {code}, container {container} goes on");
    let hint = format!(
        "make {container} an init container with restartPolicy: Always, which ends with the worker; {} ends it now",
        target.command("delete", "")
    );
    Some(Explanation::waiting(Fate::Hanging, "NotCompleted", container, telling, vec![hint]))
}

fn waiting(attempt: &Attempt, warning: Option<&KubeEvent>, target: Target<'_>, now: Timestamp) -> Option<Explanation> {
    let age = seconds_since(attempt.created, now);
    if attempt.is_finished() {
        let failed = attempt.phase == Phase::Failed && seconds_since(attempt.finished, now) >= LONG;
        let how = failed.then(|| ended(attempt, target).how)?;
        let telling = format!("{how}, and is tried again: Kubernetes waits longer each time, up to 10 minutes");
        return Some(Explanation::waiting(Fate::Pending, "Retrying", &how, telling, Vec::new()));
    }
    let (reason, message) = match (attempt.reason.as_deref(), warning.filter(|_| needs_event(attempt, now))) {
        (_, Some(event)) => (event.reason.as_str(), event.message.as_str()),
        (Some("ContainerCreating"), None) if age >= LONG => {
            ("ContainerCreating", "the node is still busy with its volumes, network or image")
        }
        (Some(reason), None) if STARTING_REASONS.contains(&reason) => return None,
        (Some(reason), None) => (reason, attempt.message.as_deref().unwrap_or_default()),
        (None, None) if attempt.phase == Phase::Starting && attempt.node.is_none() && age >= PATIENCE => {
            let telling = "no scheduler has looked at the Pod".to_owned();
            let scheduler = hint::pod(target.job).and_then(|pod| pod.scheduler_name.as_deref());
            let hint = format!("is the scheduler {} running in the cluster?", scheduler.unwrap_or("default-scheduler"));
            return Some(Explanation::waiting(Fate::Pending, "not scheduled", "", telling, vec![hint]));
        }
        (None, None) => return None,
    };
    let image = ["ErrImagePull", "ImagePullBackOff"].contains(&reason) || message.starts_with("Failed to pull image");
    // A pull is tried, waits, and is tried again: two names of one cause.
    let reason = if image { "ImagePullBackOff" } else { reason };
    let mut telling = match &attempt.gates[..] {
        _ if image => hint::telling_of_pull(message),
        [] => first_sentence(message),
        gates => format!("scheduling gate {}", gates.join(", ")),
    };
    let claims = hint::claims(target.job);
    if telling.contains("unbound") && !claims.is_empty() {
        let _ = write!(telling, " ({})", claims.join(", "));
    }
    let about = if image { attempt.container.clone().unwrap_or_default() } else { common(&telling, &[]) };
    let hints = hint::of_waiting(reason, message, attempt, target);
    Some(Explanation::waiting(Fate::Pending, reason, &about, telling, hints))
}

/// How an attempt that has ended failed.
pub(crate) fn ended(attempt: &Attempt, target: Target<'_>) -> Explanation {
    let (code, reason) = end(attempt);
    let mut how = code.into_iter().chain(reason).collect::<Vec<_>>().join(", ");
    if let (Some("OOMKilled"), Some(limit)) = (attempt.reason.as_deref(), hint::memory_limit(attempt, target.job)) {
        let _ = write!(how, " at its memory limit of {limit}");
    }
    let words = last_line(attempt.own_message());
    let own = if attempt.own_message().is_some() { String::new() } else { one_line(&hint::telling_of_start(attempt)) };
    let own = beginning(own.trim_end_matches('.'), LONGEST);
    let key = (how.clone(), common(if own.is_empty() { &words } else { &own }, &[]));
    how = [&*how, &*own].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
    if how.is_empty() && words.is_empty() {
        how.push_str("for no known reason");
    }
    Explanation { key, fate: Fate::Failed, how, words, hints: hint::of_end(attempt, target) }
}

/// The scheduler goes on about preemption, which has never helped anyone; nor have line breaks in a line.
fn first_sentence(message: &str) -> String {
    let message = message.split_once(". ").map_or(message, |(first, _)| first);
    one_line(message).trim_end_matches('.').to_owned()
}
