//! Why one attempt waits, restarts, hangs or failed, and the cure.

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Event;

use super::super::group::{common, end, last_line};
use super::super::{beginning, one_line, plural};
use super::{LONGEST, hint, sentence};
use crate::state::attempt::{Attempt, Phase};

/// So many seconds a container may take to be created, or a Job to be taken up, until it is worth a question.
pub(super) const PATIENCE: i64 = 5;
/// So many seconds are long for a node to prepare a container.
const LONG: i64 = 60;
/// Reasons of a Pod that is simply on its way.
const ON_ITS_WAY: [&str; 2] = ["ContainerCreating", "PodInitializing"];
/// An index that was evicted so often is evicted for a reason that does not go away.
pub(crate) const EVICTED_AGAIN: usize = 2;

/// Why an attempt is not done, and what to do about it.
#[derive(Clone, Debug)]
pub(crate) struct Explanation {
    /// What attempts with the same cause have in common.
    pub(super) key: (String, String),
    /// In a word: `pending`, `hanging`, `restarting`, `failed`.
    pub(super) fate: &'static str,
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
        Self { key: (how.clone(), String::new()), fate: "failed", how, words: String::new(), hints: Vec::new() }
    }

    fn waiting(fate: &'static str, reason: &str, about: &str, telling: String, hints: Vec<String>) -> Self {
        let how = sentence(Some(telling), Some(reason));
        Self { key: (reason.to_owned(), about.to_owned()), fate, how, words: String::new(), hints }
    }
}

/// Whether a Pod does not start and does not say why, so that its events are worth a request.
pub(super) fn is_mute(attempt: &Attempt, now: Timestamp) -> bool {
    let age = attempt.created.map_or(0, |created| now.as_second() - created.as_second());
    let reason = attempt.reason.as_deref();
    let on_its_way = reason.is_some_and(|reason| ON_ITS_WAY.contains(&reason)) && age >= PATIENCE;
    // Servers before 1.31 don't say what the last pull failed of.
    let bare = reason == Some("ImagePullBackOff") && attempt.message.as_deref().is_none_or(|text| !text.contains(": "));
    attempt.phase == Phase::Starting && (on_its_way || bare)
}

/// Why an index does not go on, by its attempts, the oldest first; None if its last attempt is at work or on its way.
pub(crate) fn held_up(
    attempts: &[&Attempt],
    warning: Option<&Event>,
    job: &Job,
    now: Timestamp,
) -> Option<Explanation> {
    let attempt = *attempts.last()?;
    evicted_again(attempts, job)
        .or_else(|| lost(attempt))
        .or_else(|| outlived(attempt, job, now))
        .or_else(|| waiting(attempt, warning, job, now))
}

/// How often an index was evicted: by the Pods that are still there, or by the Job controller's own count.
pub(crate) fn evictions(attempts: &[&Attempt]) -> usize {
    let seen = attempts.iter().filter(|attempt| attempt.is_disrupted).count();
    let counted = attempts.last().map_or(0, |last| last.ignored as usize + usize::from(last.is_disrupted));
    seen.max(counted)
}

fn evicted_again(attempts: &[&Attempt], job: &Job) -> Option<Explanation> {
    let times = evictions(attempts);
    if times < EVICTED_AGAIN {
        return None;
    }
    let last = attempts.iter().rfind(|attempt| attempt.is_disrupted);
    let reason = last.and_then(|last| last.reason.as_deref()).unwrap_or("DisruptionTarget");
    let message = last.and_then(|last| last.message.as_deref()).map(first_sentence).unwrap_or_default();
    let why = if message.is_empty() { String::new() } else { format!(", last: {message}") };
    let telling = format!("evicted {}, and started again each time{why}", plural(times, "time", "times"));
    Some(Explanation::waiting("restarting", reason, &common(&telling, &[]), telling, hint::of_evictions(&message, job)))
}

fn lost(attempt: &Attempt) -> Option<Explanation> {
    let since = attempt.lost_since?;
    let node = attempt.node.as_deref().unwrap_or("?");
    let telling = format!("node {node} has not answered since {since}");
    Some(Explanation::waiting("hanging", "NodeLost", node, telling, hint::of_lost_node(node)))
}

fn outlived(attempt: &Attempt, job: &Job, now: Timestamp) -> Option<Explanation> {
    let (container, since) = attempt.outlived_by.as_ref()?;
    let lasts = since.map_or(0, |since| now.as_second() - since.as_second());
    if lasts < PATIENCE {
        return None;
    }
    let code = attempt.exit_code.unwrap_or_default();
    let telling = format!("the worker ended with exit code {code}, container {container} goes on");
    Some(Explanation::waiting("hanging", "NotCompleted", &telling.clone(), telling, hint::of_outlived(container, job)))
}

fn waiting(attempt: &Attempt, warning: Option<&Event>, job: &Job, now: Timestamp) -> Option<Explanation> {
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
    let about = if image { attempt.container.clone().unwrap_or_default() } else { common(&telling, &[]) };
    let hints = hint::of_waiting(reason, &message, &attempt.pod, job);
    Some(Explanation::waiting("pending", reason, &about, telling, hints))
}

/// How an attempt that has ended failed.
pub(crate) fn ended(attempt: &Attempt, job: &Job) -> Explanation {
    let (code, reason) = end(attempt);
    let how = code.into_iter().chain(reason).collect::<Vec<_>>().join(", ");
    let words = last_line(attempt.written());
    let key = (how.clone(), common(&words, &[]));
    let own = match attempt.written() {
        Some(_) => String::new(),
        None => hint::telling_of_start(attempt).trim_end_matches('.').to_owned(),
    };
    let how = match (how.is_empty(), own.is_empty()) {
        (false, false) => format!("{how}: {}", beginning(&one_line(&own), LONGEST)),
        (true, false) => beginning(&one_line(&own), LONGEST).into_owned(),
        (true, true) if words.is_empty() => "for no known reason".to_owned(),
        (_, true) => how,
    };
    let key = if own.is_empty() { key } else { (key.0, common(&own, &[])) };
    Explanation { key, fate: "failed", how, words, hints: hint::of_end(attempt, job) }
}

/// The scheduler goes on about preemption, which has never helped anyone; nor have line breaks in a line.
fn first_sentence(message: &str) -> String {
    let message = message.split_once(". ").map_or(message, |(first, _)| first);
    one_line(message).trim_end_matches('.').to_owned()
}
