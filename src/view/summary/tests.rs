use insta::assert_snapshot;
use serde_json::{from_value, json};

use super::*;
use crate::state::Event;
use crate::view::Style;
use crate::view::tests::{ended, failed_job, items, job, now, pod, waiting};

fn failures(state: &JobState, items: &ItemTexts) -> String {
    super::failures(state, items, Wording::default())
}

#[test]
fn one_failure_has_its_own_sentence() {
    let mut state = failed_job(3, "0,2", "1");
    pod(&mut state, 1, &ended(3, "Error", "looking\nno such thing\n", 9));
    assert_snapshot!(sentence(&state, now()), @"job words failed (FailedIndexes): 2 of 3 indexes completed, 1 failed in 40s");
    assert_snapshot!(failures(&state, &items(&["good", "bad", "fine"])), @r#"
    index 1 (item "bad") failed: exit code 3, pod words-1-abcde
      | looking
      | no such thing
    "#);
}

#[test]
fn indexes_that_failed_in_the_same_way_share_a_sentence() {
    let mut state = failed_job(24, "0-2,4,15-19,21-23", "3,5-14,20");
    for index in state.failed().iter() {
        pod(&mut state, index, &ended(1, "Error", &format!("opening file-{index}.txt\nno such file\n"), 9));
    }
    let names: Vec<_> = (0..24).map(|n| format!("file-{n}.txt")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    assert_snapshot!(failures(&state, &items(&names)), @r#"
    completed: 0-2,4,15-19,21-23
    12 × exit code 1: "no such file" (indexes 3,5-14,20)
      items "file-3.txt", "file-5.txt", "file-6.txt" and 9 more
      last output of index 3, Pod words-3-abcde:
      | opening file-3.txt
      | no such file
    "#);
    assert_snapshot!(failures(&state, &ItemTexts::new()), @r#"
    completed: 0-2,4,15-19,21-23
    12 × exit code 1: "no such file" (indexes 3,5-14,20)
      last output of index 3, Pod words-3-abcde:
      | opening file-3.txt
      | no such file
    "#);
}

#[test]
fn the_most_frequent_way_of_failing_comes_first() {
    let mut state = failed_job(12, "0", "1-9");
    pod(&mut state, 1, &ended(3, "Error", "bad item one", 9));
    pod(&mut state, 2, &ended(137, "OOMKilled", "", 9));
    pod(&mut state, 3, &ended(3, "Error", "bad item three", 9));
    pod(&mut state, 4, &ended(137, "OOMKilled", "", 9));
    pod(&mut state, 5, &ended(139, "Error", "at 0x7ffe12345678: core dumped", 9));
    pod(&mut state, 6, &ended(3, "Error", "bad item six", 9));
    pod(
        &mut state,
        7,
        &json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."}),
    );
    let names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "a \"quoted\" \u{1b}[31m", "nine"];
    assert_snapshot!(failures(&state, &items(&names)), @r#"
    completed: 0
    failed: 1-9
    unfinished: 10,11
    3 × exit code 3: "bad item …" (indexes 1,3,6)
      items "one", "three", "six"
      last output of index 1, Pod words-1-abcde:
      | bad item one
    2 × exit code 137 (SIGKILL), OOMKilled (indexes 2,4)
      items "two", "four"
      hint: kubectl indexed retry words --reason OOMKilled --memory SIZE retries with more memory
    2 × failed; the Pod no longer exists (indexes 8,9)
      items "a \"quoted\" \u{1b}[31m", "nine"
    index 5 (item "five") failed: exit code 139 (SIGSEGV), pod words-5-abcde
      | at 0x7ffe12345678: core dumped
    index 7 (item "seven") failed: Evicted: The node was low on resource: memory, pod words-7-abcde
      hint: request enough memory (--memory), so that the node reserves it
    "#);
}

#[test]
fn unfinished_indexes_of_a_failed_job_are_listed() {
    let mut state = failed_job(100_000, "0-3", "4");
    pod(&mut state, 4, &ended(1, "Error", "", 9));
    assert_snapshot!(failures(&state, &ItemTexts::new()), @"
    completed: 0-3
    unfinished: 5-99999
    index 4 failed: exit code 1, pod words-4-abcde
    ");
    let mut scattered = failed_job(1000, &(0..500).map(|n| (2 * n).to_string()).collect::<Vec<_>>().join(","), "1,3");
    pod(&mut scattered, 1, &ended(1, "Error", "x", 9));
    pod(&mut scattered, 3, &ended(1, "Error", "x", 9));
    assert_snapshot!(failures(&scattered, &ItemTexts::new()), @r#"
    completed: 0,2,4,6,8,10,12,14,16,18,20,22,24,26,28,30,32,34,36,38,40,42,44,46,48,50,52,54,56,58,60,62,64,66,68,70,72,74,76,78,80,82,84,86,88,90,92,94,96,98,… (500 in all)
    unfinished: 5,7,9,11,13,15,17,19,21,23,25,27,29,31,33,35,37,39,41,43,45,47,49,51,53,55,57,59,61,63,65,67,69,71,73,75,77,79,81,83,85,87,89,91,93,95,97,99,101,… (498 in all)
    2 × exit code 1: "x" (indexes 1,3)
    "#);
}

#[test]
fn more_than_ten_ways_of_failing_are_counted() {
    let mut state = failed_job(14, "", "0-13");
    for index in 0..14 {
        pod(&mut state, index, &ended(i32::try_from(index / 2 * 2).unwrap() + 1, "Error", "", 9));
    }
    for index in 8..14 {
        let code = 100 + i32::try_from(index).unwrap();
        pod(&mut state, index, &ended(code, "Error", "", 9));
    }
    pod(&mut state, 7, &ended(99, "Error", "", 9));
    assert_snapshot!(failures(&state, &ItemTexts::new()), @"
    failed: 0-13
    2 × exit code 1 (indexes 0,1)
    2 × exit code 3 (indexes 2,3)
    2 × exit code 5 (indexes 4,5)
    index 6 failed: exit code 7, pod words-6-abcde
    index 7 failed: exit code 99, pod words-7-abcde
    index 8 failed: exit code 108, pod words-8-abcde
    index 9 failed: exit code 109, pod words-9-abcde
    index 10 failed: exit code 110, pod words-10-abcde
    index 11 failed: exit code 111, pod words-11-abcde
    index 12 failed: exit code 112, pod words-12-abcde
    1 more index failed in 1 other way, see kubectl indexed indexes words --status failed
    ");
}

#[test]
fn a_running_and_a_completed_job_are_one_sentence() {
    let mut state = job(5, &json!({"completedIndexes": "0,1", "failedIndexes": "2"}));
    pod(&mut state, 2, &ended(1, "Error", "", 9));
    assert_snapshot!(sentence(&state, now()), @"job words: 2 of 5 indexes completed, 1 failed, 0 running");
    let complete = json!({"type": "Complete", "status": "True"});
    let done =
        job(2, &json!({"completedIndexes": "0,1", "conditions": [complete], "completionTime": "2026-01-01T00:00:07Z"}));
    assert_snapshot!(sentence(&done, now()), @"job words completed: 2 of 2 indexes completed in 7s");
}

/// A Job that ended before all of its indexes: one of them was running. `from_start` is whether the Job was followed from its start.
fn ended_early(from_start: bool, type_: &str, reason: &str, failed: &str) -> JobState {
    let job = |status: serde_json::Value, version: &str| {
        let spec = json!({"completions": 6, "completionMode": "Indexed", "backoffLimitPerIndex": 0, "template": {}});
        let metadata = json!({"name": "words", "uid": "u", "resourceVersion": version});
        from_value(json!({"metadata": metadata, "spec": spec, "status": status})).unwrap()
    };
    let start = "2026-01-01T00:00:00Z";
    let first = if from_start { json!({}) } else { json!({"startTime": start}) };
    let mut state = JobState::new(job(first, "1")).followed(true);
    pod(&mut state, 3, &crate::view::tests::running(5));
    let condition = json!({"type": type_, "status": "True", "reason": reason, "message": "m",
        "lastTransitionTime": "2026-01-01T00:00:40Z"});
    let mut status =
        json!({"startTime": start, "completedIndexes": "0,1", "failedIndexes": failed, "conditions": [condition]});
    if type_ == "Complete" {
        status["completionTime"] = json!("2026-01-01T00:00:40Z");
    }
    state.apply(Event::Job(Box::new(job(status, "2"))));
    state.apply(Event::PodGone { uid: "uid-3".to_owned() });
    state
}

#[test]
fn stopped_and_never_started_indexes_are_listed() {
    let summary = |state: &JobState| format!("{}\n{}", sentence(state, now()), failures(state, &ItemTexts::new()));
    assert_snapshot!(summary(&ended_early(true, "Complete", "SuccessPolicy", "")), @"
    job words completed (SuccessPolicy): 2 of 6 indexes completed, 4 unfinished in 40s
    completed: 0,1
    stopped: 3
    not run: 2,4,5
    ");
    assert_snapshot!(summary(&ended_early(true, "Complete", "SuccessPolicy", "2")), @"
    job words completed (SuccessPolicy): 2 of 6 indexes completed, 1 failed, 3 unfinished in 40s
    completed: 0,1
    stopped: 3
    not run: 4,5
    index 2 failed; its Pod no longer exists
    ");
    assert_snapshot!(summary(&ended_early(true, "Failed", "MaxFailedIndexesExceeded", "2")), @"
    job words failed (MaxFailedIndexesExceeded): 2 of 6 indexes completed, 1 failed, 3 unfinished in 40s
    completed: 0,1
    stopped: 3
    not run: 4,5
    index 2 failed; its Pod no longer exists
    ");
    assert_snapshot!(summary(&ended_early(false, "Failed", "DeadlineExceeded", "")), @"
    job words failed (DeadlineExceeded): 2 of 6 indexes completed, 0 failed, 4 unfinished in 40s
    completed: 0,1
    stopped: 3
    unfinished: 2,4,5
    ");
}

#[test]
fn only_the_last_state_of_a_progress_bar_is_printed() {
    let bar = ",  4.5it/s]\r 84%|###  |\r100%|#####|\rCUDA error: out of memory";
    let mut state = failed_job(3, "0", "1,2");
    pod(&mut state, 1, &ended(3, "Error", bar, 9));
    pod(&mut state, 2, &ended(3, "Error", &bar.replace(" 84%", " 17%"), 9));
    assert_snapshot!(failures(&state, &ItemTexts::new()), @r#"
    completed: 0
    2 × exit code 3: "CUDA error: out of memory" (indexes 1,2)
    "#);
}

#[test]
fn a_reason_for_waiting_is_no_reason_for_a_failure() {
    let mut state = failed_job(2, "0", "1");
    pod(&mut state, 1, &waiting("ContainerCreating", ""));
    assert_snapshot!(failures(&state, &ItemTexts::new()), @"index 1 failed; its Pod no longer exists");
}

#[test]
fn another_container_that_failed_is_named() {
    let mut status = ended(1, "Error", "proxy is gone", 9);
    status["containerStatuses"][0]["name"] = json!("proxy");
    let mut worker = ended(0, "Completed", "", 9)["containerStatuses"][0].take();
    worker["name"] = json!("worker");
    status["containerStatuses"].as_array_mut().unwrap().push(worker);
    let mut state = failed_job(1, "", "0");
    let mut job = state.job().cloned().unwrap();
    job.spec.as_mut().unwrap().template = from_value(json!({"spec": {"containers": [{"name": "worker"}]}})).unwrap();
    state.apply(Event::Job(Box::new(job)));
    pod(&mut state, 0, &status);
    assert_snapshot!(failures(&state, &ItemTexts::new()), @"
    index 0 failed: exit code 1 of container proxy, pod words-0-abcde
      | proxy is gone
    ");
}

#[test]
fn a_terminal_gets_lines_that_fit() {
    let mut state = failed_job(400, &(0..400).step_by(2).map(|n| n.to_string()).collect::<Vec<_>>().join(","), "1-99");
    for index in (1..100).step_by(2) {
        let message =
            format!("opening s3://bucket/a/path/that/is/long/file-{index}.txt\n{}\n", "no such file ".repeat(9));
        pod(&mut state, index, &ended(1, "Error", &message, 9));
    }
    pod(&mut state, 3, &ended(3, "Error", &"字".repeat(99), 9));
    let names: Vec<_> = (0..400).map(|n| format!("s3://bucket/a/path/that/is/long/file-{n}.txt")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let plain = Style { plain: true, terminal: true, color: false };
    let shown = |style| super::failures(&state, &items(&names), Wording { style, width: Some(80), flags: " -n demo" });
    assert_snapshot!(shown(Style::default()), @r#"
    completed: 0,2,4,6,8,10,12,14,16,18,20,22,24,26,28,30,32,34,36,38,… (200 in all)
    failed: 1-99
    unfinished: 101,103,105,107,109,111,113,115,117,119,121,123,125,… (150 in all)
    49 × exit code 1: "no such file no such file… (indexes 1,5,7,9,11,13,15,17,19,…)
      items "s3://bucket/a/path/that/is/long/file-1.txt" and 48 more
      last output of index 1, Pod words-1-abcde:
      | opening s3://bucket/a/path/that/is/long/file-1.txt
      | no such file no such file no such file no such file no such file no such fi…
    49 × failed; the Pod no longer exists (indexes 2,4,6,8,10,12,14,16,18,…)
      items "s3://bucket/a/path/that/is/long/file-2.txt" and 48 more
    index 3 (item "s3://bucket/a/path/that…") failed: exit code 3, pod words-3-abcde
      | 字字字字字字字字字字字字字字字字字字字字字字字字字字字字字字字字字字字字字…
    "#);
    assert!(!shown(plain).contains(['…', '×']) && shown(plain).contains(" times exit code 1"), "{}", shown(plain));
    for text in [shown(Style::default()), shown(plain)] {
        assert!(text.lines().all(|line| line.width() <= 80 || line.contains("kubectl ")), "{text}");
    }
}

#[test]
fn plain_text_leaves_items_and_output_as_they_are() {
    let mut state = failed_job(3, "0", "1,2");
    pod(&mut state, 1, &ended(3, "Error", "2 × 3 … 6", 9));
    pod(&mut state, 2, &ended(3, "Error", "2 × 3 … 6", 9));
    let style = Style { plain: true, ..Style::default() };
    let text = super::failures(&state, &items(&["a", "b × c", "d…"]), Wording { style, ..Wording::default() });
    assert_snapshot!(text, @r#"
    completed: 0
    2 times exit code 3: "2 × 3 … 6" (indexes 1,2)
      items "b × c", "d…"
    "#);
}
