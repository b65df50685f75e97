use serde_json::{Value, from_value, json};

use super::*;
use crate::state::IndexStatus;
use crate::state::row::IndexRow;

/// A Pod with a sidecar `mesh` among its init containers.
fn attempt(worker: &str, status: &Value) -> Attempt {
    let pod: PodRecord = from_value(json!({
        "metadata": {"name": "p", "annotations": {"batch.kubernetes.io/job-completion-index": "3"}},
        "spec": {
            "restartPolicy": "Never",
            "initContainers": [{"name": "input"}, {"name": "mesh", "restartPolicy": "Always"}],
        },
        "status": status,
    }))
    .unwrap();
    Attempt::from_pod(&pod, Some(worker)).unwrap()
}

fn container(name: &str, state: &Value) -> Value {
    json!({"name": name, "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": state})
}

/// A container that ran from one second to another.
fn ended(name: &str, code: i32, from: u32, to: u32) -> Value {
    let time = |second: u32| format!("2026-01-01T00:00:{second:02}Z");
    container(
        name,
        &json!({"terminated": {"exitCode": code, "reason": if code == 0 { "Completed" } else { "Error" },
            "message": format!("words of {name}"), "startedAt": time(from), "finishedAt": time(to)}}),
    )
}

fn waiting(name: &str, reason: &str) -> Value {
    container(name, &json!({"waiting": {"reason": reason}}))
}

fn describe_end(attempt: &Attempt) -> String {
    let seconds = |time: Option<Timestamp>| time.map(|time| time.as_second() - 1_767_225_600);
    format!(
        "{:?} exit {:?} {:?} of {:?} other {} {:?}..{:?} {:?}",
        attempt.phase,
        attempt.exit_code,
        attempt.reason.as_deref(),
        attempt.container.as_deref().unwrap_or_default(),
        attempt.is_other_container,
        seconds(attempt.started),
        seconds(attempt.finished),
        attempt.message.as_deref(),
    )
}

#[test]
fn the_worker_takes_precedence_and_sidecars_do_not_count() {
    let mut lines = Vec::new();
    let mut add_line = |worker: &str, phase: &str, init: &[Value], main: &[Value]| {
        let status = json!({"phase": phase, "initContainerStatuses": init, "containerStatuses": main});
        lines.push(describe_end(&attempt(worker, &status)));
    };
    let input = ended("input", 0, 1, 2);
    let killed = ended("mesh", 137, 2, 40);
    // The node kills a sidecar after the worker's end.
    add_line("worker", "Failed", &[input.clone(), killed.clone()], &[ended("worker", 3, 5, 9)]);
    add_line("worker", "Succeeded", &[input.clone(), killed.clone()], &[ended("worker", 0, 5, 9)]);
    // Statuses are sorted by name, so an injected container may come first.
    let helper = ended("helper", 1, 4, 30);
    add_line("worker", "Failed", &[], &[helper.clone(), ended("worker", 42, 5, 9)]);
    add_line("main", "Failed", &[], &[ended("agent", 143, 5, 30), ended("main", 7, 5, 9)]);
    // Another container explains the failure of the Pod only if the worker did not fail.
    add_line("worker", "Failed", &[], &[helper, ended("worker", 0, 5, 9)]);
    // A failed init container takes precedence over the sidecar that was killed after it.
    let not_begun = waiting("worker", "PodInitializing");
    add_line("worker", "Failed", &[ended("input", 6, 3, 4), killed], std::slice::from_ref(&not_begun));
    add_line("worker", "Failed", &[input, waiting("mesh", "PodInitializing")], &[not_begun]);
    insta::assert_snapshot!(lines.join("\n"), @r#"
    Failed exit Some(3) Some("Error") of "worker" other false Some(5)..Some(9) Some("words of worker")
    Succeeded exit Some(0) None of "worker" other false Some(5)..Some(9) None
    Failed exit Some(42) Some("Error") of "worker" other false Some(5)..Some(9) Some("words of worker")
    Failed exit Some(7) Some("Error") of "main" other false Some(5)..Some(9) Some("words of main")
    Failed exit Some(1) Some("Error") of "helper" other true Some(5)..Some(9) Some("words of helper")
    Failed exit Some(6) Some("Error") of "input" other true None..Some(4) Some("words of input")
    Failed exit None None of "" other false None..Some(2) None
    "#);
}

#[test]
fn a_waiting_container_does_not_hide_a_running_worker() {
    let running = container("worker", &json!({"running": {"startedAt": "2026-01-01T00:00:05Z"}}));
    let status = json!({"phase": "Running", "containerStatuses": [waiting("helper", "CrashLoopBackOff"), running]});
    assert_eq!((attempt("worker", &status).reason, attempt("worker", &status).exit_code), (None, None));
    let status = json!({"phase": "Running", "containerStatuses": [
        waiting("helper", "ErrImagePull"), ended("worker", 0, 5, 9),
    ]});
    assert_eq!(attempt("worker", &status).reason.as_deref(), Some("ErrImagePull"));
}

#[test]
fn the_log_of_a_sidecar_ends_with_its_pod() {
    let status = |phase: &str| {
        json!({"phase": phase, "initContainerStatuses": [ended("input", 0, 1, 2), ended("mesh", 0, 1, 2)],
            "containerStatuses": [ended("worker", 3, 5, 9)]})
    };
    let ended =
        |phase: &str| attempt("worker", &status(phase)).containers.iter().map(|c| c.log_ended).collect::<Vec<_>>();
    assert_eq!(ended("Running"), [true, false, true]);
    assert_eq!(ended("Failed"), [true, true, true]);
}

#[test]
fn a_reason_belongs_to_the_phase_it_explains() {
    let creating = json!({"phase": "Pending", "containerStatuses": [waiting("worker", "ContainerCreating")]});
    let (failed, creating) = (
        attempt("worker", &json!({"phase": "Failed", "containerStatuses": [ended("worker", 3, 5, 9)]})),
        attempt("worker", &creating),
    );
    let row = |status, attempts: &[&Attempt]| {
        let row = IndexRow::new(3, status, attempts);
        (row.reason, row.exit_code)
    };
    assert_eq!(row(IndexStatus::Starting, &[&creating]), (Some("ContainerCreating".to_owned()), None));
    assert_eq!(row(IndexStatus::Failed, &[&creating]), (None, None));
    assert_eq!(row(IndexStatus::Succeeded, &[&creating]), (None, None));
    assert_eq!(row(IndexStatus::Failed, &[&failed, &creating]), (None, None));
    assert_eq!(row(IndexStatus::Failed, &[&creating, &failed]), (Some("Error".to_owned()), Some(3)));
    // A succeeded Pod has no reason.
    let drained = json!({"phase": "Succeeded", "containerStatuses": [ended("worker", 0, 5, 9)], "conditions": [
        {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"},
    ]});
    assert_eq!(attempt("worker", &drained).reason, None);
}
