use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use proptest::prelude::*;
use serde_json::{Value, from_value, json};

use super::*;
use crate::contract::label;

fn job(version: u64, mut spec: Value, status: &Value) -> Job {
    spec["template"] = json!({});
    from_value(json!({
        "metadata": {"name": "j", "uid": "u", "resourceVersion": version.to_string()},
        "spec": spec,
        "status": status,
    }))
    .unwrap()
}

fn pod(name: &str, index: u32, status: &Value) -> PodRecord {
    from_value(json!({
        "metadata": {
            "name": name,
            "uid": format!("uid-{name}"),
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {"batch.kubernetes.io/controller-uid": "u"},
            "annotations": {"batch.kubernetes.io/job-completion-index": index.to_string()},
            "managedFields": [{"manager": "somebody"}],
        },
        "spec": {"nodeName": "n", "restartPolicy": "Never"},
        "status": status,
    }))
    .unwrap()
}

fn ended(code: i32, reason: &str) -> Value {
    let phase = if code == 0 { "Succeeded" } else { "Failed" };
    json!({"phase": phase, "containerStatuses": [{
        "name": "worker", "image": "", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"terminated": {"exitCode": code, "reason": reason, "message": "last words",
            "startedAt": "2026-01-01T00:00:05Z", "finishedAt": "2026-01-01T00:00:09Z"}},
    }]})
}

fn running() -> Value {
    json!({"phase": "Running", "containerStatuses": [{
        "name": "worker", "image": "", "imageID": "", "ready": true, "restartCount": 0,
        "state": {"running": {"startedAt": "2026-01-01T00:00:05Z"}},
    }]})
}

fn seen(pod: PodRecord) -> Event {
    Event::Pod(Box::new(pod))
}

fn statuses(state: &JobState) -> String {
    let words = state.statuses(&IndexSet::below(state.completions()));
    words.iter().map(|(index, status)| format!("{index} {}", status.word())).collect::<Vec<_>>().join(", ")
}

#[test]
fn each_index_has_its_status() {
    let spec = json!({"completions": 7, "completionMode": "Indexed", "backoffLimitPerIndex": 1});
    let mut state = JobState::new(job(1, spec, &json!({"completedIndexes": "0", "failedIndexes": "1"})));
    state.apply(seen(pod("a", 2, &running())));
    state.apply(seen(pod("b", 3, &json!({"phase": "Pending"}))));
    state.apply(seen(pod("c", 4, &ended(1, "Error"))));
    // An attempt of an index that is finished changes nothing.
    state.apply(seen(pod("d", 0, &running())));
    let expected = "0 Succeeded, 1 Failed, 2 Running, 3 Starting, 4 Retrying, 5 Pending, 6 Pending";
    assert_eq!(statuses(&state), expected);
    assert_eq!(state.pending().to_string(), "3-6");
    assert_eq!(state.counts(), Counts { succeeded: 1, failed: 1, running: 1, total: 7 });
}

#[test]
fn a_job_without_a_list_of_failed_indexes_is_judged_by_its_pods() {
    let spec = json!({"completions": 3, "completionMode": "Indexed", "backoffLimit": 0});
    let mut state = JobState::new(job(1, spec.clone(), &json!({"completedIndexes": "0"})));
    state.apply(seen(pod("a", 1, &ended(3, "Error"))));
    assert_eq!(state.failed(), IndexSet::new(), "the Job may still try it again");
    let failed = json!({"completedIndexes": "0", "conditions": [{"type": "Failed", "status": "True"}]});
    state.apply(Event::Job(Box::new(job(2, spec, &failed))));
    assert_eq!(state.failed().to_string(), "1");
    assert_eq!(statuses(&state), "0 Succeeded, 1 Failed, 2 Pending");
}

#[test]
fn an_attempt_has_the_reason_of_its_end() {
    let attempt = |status: Value| Attempt::from_pod(&pod("p", 3, &status), Some("worker")).unwrap();
    let killed = attempt(ended(137, "OOMKilled"));
    assert_eq!((killed.index, killed.exit_code, killed.reason.as_deref()), (3, Some(137), Some("OOMKilled")));
    assert_eq!(killed.message.as_deref(), Some("last words"));
    assert_eq!(killed.finished.unwrap().as_second() - killed.started.unwrap().as_second(), 4);

    let evicted = attempt(json!({"phase": "Failed", "reason": "Evicted", "message": "the node was low on memory"}));
    assert_eq!((evicted.reason.as_deref(), evicted.exit_code), (Some("Evicted"), None));
    let pulling = attempt(json!({"phase": "Pending", "containerStatuses": [{
        "name": "worker", "image": "", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"waiting": {"reason": "ImagePullBackOff", "message": "back-off"}},
    }]}));
    assert_eq!((pulling.phase, pulling.reason.as_deref()), (Phase::Starting, Some("ImagePullBackOff")));
    let unscheduled = attempt(json!({"phase": "Pending", "conditions": [{
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available",
    }]}));
    assert_eq!(unscheduled.message.as_deref(), Some("0/1 nodes are available"));
    let drained = attempt(json!({"phase": "Failed", "conditions": [{
        "type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler", "message": "made room",
    }]}));
    assert_eq!(drained.reason.as_deref(), Some("PreemptionByScheduler"));
}

#[test]
fn a_row_shows_the_last_attempt() {
    let spec = json!({"completions": 8, "completionMode": "Indexed", "backoffLimitPerIndex": 1});
    let mut state = JobState::new(job(1, spec, &json!({"completedIndexes": "0,6", "failedIndexes": "1"})));
    let mut succeeded = row::SucceededRows::default();
    let mut take = |pod: PodRecord| {
        if !succeeded.insert_succeeded(&pod, &state) {
            state.apply(seen(pod));
        }
    };
    take(pod("a", 0, &ended(0, "Completed")));
    let mut second = pod("c", 1, &ended(139, "Error"));
    second.metadata.creation_timestamp = Some(Time("2026-01-01T00:01:00Z".parse().unwrap()));
    let noted = [("batch.kubernetes.io/job-index-failure-count", "1"), (label::INDEX, "1")];
    second.metadata.annotations = Some(noted.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    take(second);
    take(pod("d", 2, &running()));
    let mut looping = running();
    looping["containerStatuses"][0]["restartCount"] = json!(4);
    looping["containerStatuses"][0]["state"] = json!({"waiting": {"reason": "CrashLoopBackOff"}});
    looping["containerStatuses"][0]["lastState"] = json!({"terminated": {"exitCode": 2}});
    take(pod("e", 3, &looping));
    // The Job has not counted it yet.
    take(pod("f", 4, &ended(0, "Completed")));
    take(pod("g", 6, &ended(1, "Error")));
    take(pod("h", 6, &ended(0, "Completed")));
    take(pod("i", 7, &json!({"phase": "Unknown", "reason": "NodeLost"})));
    // A watch reports every Pod again.
    state.apply(seen(pod("a", 0, &ended(0, "Completed"))));
    let rows: Vec<_> = state.rows(&IndexSet::below(8), &mut succeeded).iter().map(describe_row).collect();
    insta::assert_snapshot!(rows.join("\n"), @"
    0 Succeeded attempts 1 exit 0 - - pod a
    1 Failed attempts 2 exit 139 SIGSEGV Error pod c
    2 Running attempts 1 exit - - - pod d
    3 Retrying attempts 5 exit 2 - CrashLoopBackOff pod e
    4 Succeeded attempts 1 exit 0 - - pod f
    5 Pending attempts 0 exit - - - pod -
    6 Succeeded attempts 2 exit 0 - - pod h
    7 Unknown attempts 1 exit - - NodeLost pod i
    ");
}

fn describe_row(row: &row::IndexRow) -> String {
    let row::IndexRow { index, status, attempts, exit_code, reason, pod, .. } = row;
    let word = |text: Option<&str>| text.unwrap_or("-").to_owned();
    let attempts = word(attempts.map(|n| n.to_string()).as_deref());
    let code = word(exit_code.map(|n| n.to_string()).as_deref());
    let (signal, reason, pod) = (word(row.signal()), word(reason.as_deref()), word(pod.as_deref()));
    format!("{index} {} attempts {attempts} exit {code} {signal} {reason} pod {pod}", status.word())
}

#[test]
fn an_index_that_will_never_run_has_the_reason_of_the_job() {
    let spec = json!({"completions": 2, "completionMode": "Indexed", "backoffLimitPerIndex": 0});
    let failed = json!({"type": "Failed", "status": "True", "reason": "DeadlineExceeded", "message": "too long"});
    let state = JobState::new(job(1, spec, &json!({"completedIndexes": "0", "conditions": [failed]})));
    let rows = state.rows(&IndexSet::below(2), &mut row::SucceededRows::default());
    assert_eq!(describe_row(&rows[0]), "0 Succeeded attempts - exit - - - pod -");
    assert_eq!(describe_row(&rows[1]), "1 Pending attempts 0 exit - - DeadlineExceeded pod -");
    assert_eq!(rows[1].message.as_deref(), Some("too long"));
}

#[test]
fn a_new_list_removes_pods_that_are_gone() {
    let spec = json!({"completions": 3, "completionMode": "Indexed"});
    let mut state = JobState::new(job(1, spec, &json!({})));
    state.apply(seen(pod("a", 0, &running())));
    state.apply(seen(pod("b", 1, &ended(1, "Error"))));
    state.apply(Event::PodListBegins { job: Some("u".to_owned()) });
    state.apply(seen(pod("c", 2, &running())));
    state.apply(Event::PodListEnds { job: Some("u".to_owned()) });
    assert_eq!(state.running().to_string(), "2");
    assert_eq!(state.attempts().into_keys().collect::<Vec<_>>(), [1, 2], "how an attempt ended is kept");
}

#[test]
fn pods_of_another_job_with_the_same_name_do_not_count() {
    let spec = json!({"completions": 1, "completionMode": "Indexed"});
    let mut state = JobState::new(job(1, spec, &json!({})));
    let mut other = pod("a", 0, &running());
    other.metadata.labels = Some([("controller-uid".to_owned(), "older".to_owned())].into());
    state.apply(seen(other));
    assert!(state.running().is_empty());
}

fn versioned(mut pod: PodRecord, version: u64) -> PodRecord {
    pod.metadata.resource_version = Some(version.to_string());
    pod
}

fn limited(completions: u32) -> Value {
    json!({"completions": completions, "completionMode": "Indexed", "backoffLimitPerIndex": 9})
}

#[test]
fn an_index_on_an_unreachable_node_is_unknown() {
    let mut state = JobState::new(job(1, limited(2), &json!({})));
    state.apply(seen(pod("a", 1, &json!({"phase": "Unknown"}))));
    assert_eq!(statuses(&state), "0 Pending, 1 Unknown");
}

#[test]
fn a_followed_job_keeps_no_attempts_of_succeeded_indexes() {
    let n = 500;
    for logs in [false, true] {
        let mut state = JobState::new(job(1, limited(n), &json!({}))).followed(logs);
        for index in 0..n {
            let name = format!("p{index}");
            state.apply(seen(versioned(pod(&name, index, &running()), u64::from(index))));
            let done = json!({"completedIndexes": format!("0-{index}")});
            state.apply(seen(versioned(pod(&name, index, &ended(0, "Completed")), u64::from(index) + 1)));
            state.apply(Event::Job(Box::new(job(u64::from(index) + 2, limited(n), &done))));
            assert_eq!(state.take_changed(), IndexSet::from_iter([index]));
            if logs {
                assert_eq!(state.attempts_of(index).count(), 1, "its log is still to be read");
                state.forget(index);
            }
            // The Pod is reported again when the Job controller removes its finalizer, and when it is deleted.
            state.apply(seen(versioned(pod(&name, index, &ended(0, "Completed")), u64::from(index) + 3)));
            state.apply(Event::PodGone { uid: format!("uid-{name}") });
            assert!(state.attempted().is_empty() && state.attempts.is_empty());
        }
        assert_eq!(state.succeeded(), IndexSet::below(n));
        assert_eq!(state.forgotten().len(), if logs { n as usize } else { 0 });
    }
}

#[test]
fn an_index_with_a_succeeded_pod_counts_as_running_until_the_job_counts_it() {
    let mut state = JobState::new(job(1, limited(5), &json!({}))).followed(false);
    let mut deleted = pod("d", 2, &running());
    deleted.metadata.deletion_timestamp = deleted.metadata.creation_timestamp.clone();
    for pod in [pod("a", 0, &running()), pod("b", 1, &running()), deleted, pod("f", 3, &ended(1, "Error"))] {
        let uid = pod.metadata.uid.clone().unwrap();
        state.apply(seen(pod));
        state.apply(Event::PodGone { uid });
    }
    assert_eq!((state.running().to_string(), state.pending().to_string()), ("0,1".to_owned(), "2-4".to_owned()));
    state.apply(seen(pod("b2", 1, &json!({"phase": "Pending"}))));
    assert_eq!(state.running().to_string(), "0", "it had been deleted");
    state.apply(Event::Job(Box::new(job(2, limited(5), &json!({"completedIndexes": "0"})))));
    assert!(state.running().is_empty() && state.attempts.ending.is_empty());
}

#[test]
fn only_the_newest_attempts_of_an_index_are_kept() {
    let names = |state: &JobState| state.attempts_of(1).map(|attempt| attempt.pod.clone()).collect::<Vec<_>>();
    let mut state = JobState::new(job(1, limited(3), &json!({}))).followed(false);
    // The list of Pods arrives twice, as after a broken watch.
    for n in (10..30).chain(10..30) {
        state.apply(seen(pod(&format!("p{n}"), 1, &ended(1, "Error"))));
    }
    assert_eq!(names(&state), ["p22", "p23", "p24", "p25", "p26", "p27", "p28", "p29"]);
    let mut state = JobState::new(job(1, limited(3), &json!({}))).followed(true);
    for n in 10..30 {
        state.apply(seen(pod(&format!("p{n}"), 1, &ended(1, "Error"))));
    }
    assert_eq!(names(&state).len(), 20, "their logs are still to be read");
    for n in 10..30 {
        state.mark_read(1, &format!("uid-p{n}"));
    }
    assert_eq!(names(&state).len(), 8);
}

#[test]
fn only_the_end_of_a_long_message_is_kept() {
    let mut state = JobState::new(job(1, limited(3), &json!({}))).followed(false);
    let mut status = ended(1, "Error");
    status["containerStatuses"][0]["state"]["terminated"]["message"] = json!("é".repeat(3000) + "!");
    state.apply(seen(pod("p", 1, &status)));
    let message = state.attempts_of(1).next().and_then(|attempt| attempt.message.as_deref()).unwrap();
    assert!(message.ends_with("é!") && (1000..=1024).contains(&message.len()), "{}", message.len());
}

#[test]
fn only_the_newest_api_events_are_kept_each_once() {
    let mut state = JobState::new(job(1, limited(3), &json!({})));
    let kube_event = |n: i64, count| KubeEvent {
        uid: format!("e{n:02}"),
        at: Timestamp::from_second(n).ok(),
        warning: true,
        reason: "FailedCreate".to_owned(),
        message: "exceeded quota".to_owned(),
        count,
        ..KubeEvent::default()
    };
    for n in (0..20).rev().chain(0..20) {
        state.apply(Event::Reported(Box::new(kube_event(n, 1))));
    }
    state.apply(Event::Reported(Box::new(kube_event(19, 3))));
    state.apply(Event::Reported(Box::new(kube_event(19, 2))));
    let kept: Vec<_> = state.kube_events().iter().map(|event| (event.uid.as_str(), event.count)).collect();
    assert_eq!((kept.len(), kept[0], kept[15]), (16, ("e04", 1), ("e19", 3)));
}

/// Generates events of a running Job of six indexes: the kind, the index and the version of each.
fn events() -> impl Strategy<Value = Vec<(u8, u32, u64)>> {
    proptest::collection::vec((0u8..7, 0u32..6, 1u64..9), 0..30)
}

fn event((kind, index, version): (u8, u32, u64)) -> Event {
    let early = if version < 5 { json!({"phase": "Pending"}) } else { running() };
    let of = |name: &str, status: &Value| seen(versioned(pod(&format!("{name}{index}"), index, status), version));
    match kind {
        // A later Job has at least as many completed indexes as an earlier one.
        0 => Event::Job(Box::new(job(version, limited(6), &json!({"completedIndexes": format!("0-{}", version / 3)})))),
        1 => of("p", &ended(1, "Error")),
        2 => of("q", &ended(0, "Completed")),
        3 => of("q", &running()),
        4 => of("r", &early),
        5 => of("r", &ended(1, "Error")),
        _ => Event::Job(Box::new(job(0, limited(6), &json!({})))),
    }
}

/// Returns all the results of a state.
fn results_of(state: &JobState) -> impl PartialEq + std::fmt::Debug + use<> {
    let attempts: Vec<_> = state.attempts().into_values().flatten().cloned().collect();
    (statuses(state), state.counts(), attempts, state.forgotten().clone())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn events_may_arrive_twice_and_in_any_order(
        list in events().prop_flat_map(|list| (Just(list.clone()), Just(list).prop_shuffle())),
    ) {
        let starts: [fn(Job) -> JobState; 3] =
            [JobState::new, |job| JobState::new(job).followed(false), |job| JobState::new(job).followed(true)];
        for start in starts {
            let fold = |list: &[(u8, u32, u64)], times: usize| {
                let mut state = start(job(0, limited(6), &json!({})));
                for _ in 0..times {
                    for &entry in list {
                        (0..times).for_each(|_| state.apply(event(entry)));
                    }
                }
                results_of(&state)
            };
            let (in_order, shuffled) = &list;
            let once = fold(in_order, 1);
            prop_assert_eq!(&once, &fold(in_order, 2));
            prop_assert_eq!(&once, &fold(shuffled, 1));
        }
    }

    #[test]
    fn a_followed_job_has_the_same_statuses(list in events()) {
        let start = job(0, limited(6), &json!({}));
        let (mut all, mut followed) = (JobState::new(start.clone()), JobState::new(start).followed(false));
        for entry in list {
            all.apply(event(entry));
            followed.apply(event(entry));
        }
        prop_assert_eq!((statuses(&all), all.counts()), (statuses(&followed), followed.counts()));
    }

    #[test]
    fn every_index_is_in_exactly_one_set(list in events()) {
        let mut state = JobState::new(job(0, limited(6), &json!({})));
        for entry in list {
            state.apply(event(entry));
        }
        let sets = [state.succeeded(), state.failed(), state.running(), state.pending()];
        prop_assert_eq!(sets.iter().map(IndexSet::len).sum::<usize>(), 6);
        let all = sets.iter().fold(IndexSet::new(), |all, set| all.union(set));
        prop_assert_eq!(all, IndexSet::below(6));
    }
}

/// A Job of a family: a retry of the original indexes, or the first Job.
fn relative(name: &str, originals: Option<&str>, completions: u32, status: &Value) -> Job {
    let mut annotations = json!({});
    if let Some(originals) = originals {
        annotations = json!({
            "kubectl-indexed/original-indexes": originals, "kubectl-indexed/family-root": "j",
            "kubectl-indexed/family-completions": "10", "kubectl-indexed/succeeded-before": "0-6",
            "kubectl-indexed/failed-before": "7-9",
        });
    }
    let labels = originals.map(|_| json!({"kubectl-indexed/family": "u-j"}));
    serde_json::from_value(json!({
        "metadata": {"name": name, "uid": format!("u-{name}"), "annotations": annotations, "labels": labels},
        "spec": {
            "completions": completions, "completionMode": "Indexed", "backoffLimitPerIndex": 0, "template": {},
        },
        "status": status,
    }))
    .unwrap()
}

fn ended_job(word: &str, completed: &str, failed: &str) -> Value {
    json!({
        "completedIndexes": completed, "failedIndexes": failed, "conditions": [{"type": word, "status": "True"}],
    })
}

#[test]
fn a_family_has_one_merged_state() {
    let first = relative("j", None, 10, &ended_job("Failed", "0-6", "7-9"));
    let merged = |jobs: &[&Job]| {
        let state = JobState::family(jobs.iter().map(|job| (*job).clone()).collect(), Some("u-j"));
        let left = state.outstanding();
        let sets = [state.succeeded(), state.failed(), left.indexes, left.under_way].map(|set| set.to_string());
        (sets.join(" | "), state.outcome())
    };
    assert_eq!(merged(&[&first]), ("0-6 | 7-9 | 7-9 | ".to_owned(), Some(Outcome::Failed)));
    // New index 0 is 7, 1 is 9.
    let running = relative("j-r1", Some("7,9"), 2, &json!({"completedIndexes": "1"}));
    assert_eq!(merged(&[&first, &running]), ("0-6,9 | 8 | 8 | 7".to_owned(), None));
    let failed = relative("j-r1", Some("7,9"), 2, &ended_job("Failed", "1", "0"));
    assert_eq!(merged(&[&first, &failed]), ("0-6,9 | 7,8 | 7,8 | ".to_owned(), Some(Outcome::Failed)));
    let rest = relative("j-r2", Some("7,8"), 2, &ended_job("Complete", "0,1", ""));
    assert_eq!(merged(&[&first, &failed, &rest]), ("0-9 |  |  | ".to_owned(), Some(Outcome::Complete)));
    // The annotations keep the results of deleted Jobs.
    assert_eq!(merged(&[&failed]), ("0-6,9 | 7,8 | 7,8 | ".to_owned(), Some(Outcome::Failed)));
    assert_eq!(merged(&[&failed, &rest]), ("0-9 |  |  | ".to_owned(), Some(Outcome::Complete)));
    // A Job that stopped at its first failure has indexes that never ran.
    let stopped = relative("j", None, 10, &ended_job("Failed", "0-2", "3"));
    assert_eq!(merged(&[&stopped]).0, "0-2 | 3 | 3-9 | ");
    // A completed Job has no outstanding ones.
    let enough = relative("j", None, 10, &ended_job("Complete", "0-2", "3"));
    assert_eq!(merged(&[&enough]).0, "0-2 | 3 | 3 | ");
}

#[test]
fn a_single_retry_has_original_indexes_too() {
    let retry = relative("j-r1", Some("7,9"), 2, &ended_job("Failed", "1", "0"));
    let mut state = JobState::new(retry);
    assert_eq!([state.all(), state.succeeded(), state.failed()].map(|set| set.to_string()), ["7,9", "9", "7"]);
    let mut failed = pod("a", 0, &ended(3, "Error"));
    failed.metadata.labels = Some([("batch.kubernetes.io/controller-uid".to_owned(), "u-j-r1".to_owned())].into());
    state.apply(seen(failed));
    assert_eq!(state.attempted().to_string(), "7");
    assert_eq!(state.members()[0].own_indexes(&"0-9".parse().unwrap()).to_string(), "0,1");
}
