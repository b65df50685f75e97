//! Jobs and Pods for tests.

use jiff::Timestamp;
use serde_json::{Value, from_value, json};

use super::summary::ItemTexts;
use crate::state::attempt::PodRecord;
use crate::state::{Event, JobState};

/// Returns the time one minute after the start of the Jobs.
pub(super) fn now() -> Timestamp {
    "2026-01-01T00:01:00Z".parse().unwrap()
}

pub(super) fn job(completions: u32, status: &Value) -> JobState {
    let mut status = status.clone();
    status["startTime"] = json!("2026-01-01T00:00:00Z");
    let job = json!({
        "metadata": {"name": "words", "uid": "u", "resourceVersion": "1"},
        "spec": {"completions": completions, "completionMode": "Indexed", "backoffLimitPerIndex": 0, "template": {}},
        "status": status,
    });
    JobState::new(from_value(job).unwrap())
}

/// Returns a Job that failed after forty seconds.
pub(super) fn failed_job(completions: u32, completed: &str, failed: &str) -> JobState {
    let condition = json!({"type": "Failed", "status": "True", "reason": "FailedIndexes",
        "message": "Job has failed indexes", "lastTransitionTime": "2026-01-01T00:00:40Z"});
    job(completions, &json!({"completedIndexes": completed, "failedIndexes": failed, "conditions": [condition]}))
}

pub(super) fn pod(state: &mut JobState, index: u32, status: &Value) {
    let pod: PodRecord = from_value(json!({
        "metadata": {
            "name": format!("words-{index}-abcde"),
            "uid": format!("uid-{index}"),
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {"batch.kubernetes.io/job-completion-index": index.to_string()},
        },
        "spec": {"nodeName": "node-1", "restartPolicy": "Never"},
        "status": status,
    }))
    .unwrap();
    state.apply(Event::Pod(Box::new(pod)));
}

/// Returns the status of a Pod whose worker ended in this second.
pub(super) fn ended(code: i32, reason: &str, message: &str, second: u32) -> Value {
    json!({"phase": "Failed", "containerStatuses": [container(&json!({"terminated": {
        "exitCode": code, "reason": reason, "message": message,
        "startedAt": "2026-01-01T00:00:05Z", "finishedAt": format!("2026-01-01T00:00:{second:02}Z"),
    }}))]})
}

pub(super) fn running(second: u32) -> Value {
    let started = format!("2026-01-01T00:00:{second:02}Z");
    json!({"phase": "Running", "containerStatuses": [container(&json!({"running": {"startedAt": started}}))]})
}

pub(super) fn waiting(reason: &str, message: &str) -> Value {
    let state = json!({"waiting": {"reason": reason, "message": message}});
    json!({"phase": "Pending", "containerStatuses": [container(&state)]})
}

pub(super) fn unscheduled(message: &str) -> Value {
    json!({"phase": "Pending", "conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message},
    ]})
}

fn container(state: &Value) -> Value {
    json!({"name": "worker", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": state})
}

pub(super) fn items(names: &[&str]) -> ItemTexts {
    (0..).zip(names.iter().map(|name| (*name).to_owned())).collect()
}
