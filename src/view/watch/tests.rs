use insta::assert_snapshot;
use serde_json::json;

use super::*;
use crate::state::{Event, KubeEvent};
use crate::view::tests::{ended, items, job, now, pod, running, unscheduled};
use crate::view::{Printable as _, Style};

const PLAIN: Style = Style { color: false, terminal: true, plain: false };

fn state() -> JobState {
    let mut state = job(1000, &json!({"completedIndexes": "0-311,313-420", "failedIndexes": "312,421,422"}));
    pod(&mut state, 312, &ended(1, "Error", "opening\nno such file\n", 30));
    pod(&mut state, 421, &ended(137, "OOMKilled", "", 50));
    pod(&mut state, 422, &ended(1, "Error", "\u{1b}[31mred\u{1b}[0m", 40));
    for index in 423..440 {
        pod(&mut state, index, &running(index - 400));
    }
    pod(&mut state, 440, &unscheduled("0/3 nodes are available: 3 Insufficient cpu."));
    for (uid, at, count) in [("a", "2026-01-01T00:00:30Z", 1), ("b", "2026-01-01T00:00:50Z", 7)] {
        state.apply(Event::Reported(Box::new(KubeEvent {
            uid: uid.to_owned(),
            at: at.parse().ok(),
            warning: true,
            reason: "FailedCreate".to_owned(),
            message: "pods \"words-441-\" is forbidden:\nexceeded quota".to_owned(),
            count,
            ..KubeEvent::default()
        })));
    }
    state
}

fn shown(state: &JobState, style: Style, trouble: Option<&str>, size: (usize, usize)) -> String {
    let names = ["zero"; 430];
    let mut items = items(&names);
    items.add(423, "an item whose name is long and has wide 字字字".to_owned(), Vec::new());
    let pace = Pace::new(state, now());
    let picture = Picture { state, items: &items, namespace: "demo", pace: &pace, trouble, now: now(), style };
    let lines = screen(&picture, size);
    assert_eq!(lines.len(), size.1);
    for line in &lines {
        let text = String::from_utf8_lossy(&line.encoded(PLAIN)).into_owned();
        assert!(text.width() <= size.0, "{text:?} is wider than {}", size.0);
    }
    let lines: Vec<_> = lines.iter().map(|line| line.encoded(style)).collect();
    String::from_utf8(lines.join(&b'\n')).unwrap()
}

#[test]
fn a_window_of_the_usual_size() {
    assert_snapshot!(shown(&state(), PLAIN, None, (80, 24)), @r#"
    job words in namespace demo: Running
    420/1000 completed, 3 failed, 17 running, 7.0/s, about 82s left, 60s so far
    █████████████████████████████████×▒░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░

    completed   420  0-311,313-420
    failed        3  312,421,422
    running      17  423-439
    pending     560  440-999

    FAILED   ITEM   AGE   REASON
    421      zero   10s   exit code 137 (SIGKILL), OOMKilled
    422      zero   20s   exit code 1: \u{1b}[31mred\u{1b}[0m
    312      zero   30s   exit code 1: no such file

    ACTIVE   ITEM                       STATUS     AGE   NODE     REASON
    440      -                          Starting   60s   node-1   0/3 nodes are ava…
    423      an item whose name is l…   Running    37s   node-1
    424      zero                       Running    36s   node-1
    +15 more

    EVENT   REASON              MESSAGE
    10s     FailedCreate (×7)   pods "words-441-" is forbidden: exceeded quota
    30s     FailedCreate        pods "words-441-" is forbidden: exceeded quota
    q quits; the job goes on
    "#);
}

#[test]
fn a_large_window() {
    assert_snapshot!(shown(&state(), PLAIN, Some("reconnecting to the server: it is gone"), (120, 46)), @r#"
    job words in namespace demo: Running
    420/1000 completed, 3 failed, 17 running, 7.0/s, about 82s left, 60s so far
    █████████████████████████████████×▒░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░

    completed   420  0-311,313-420
    failed        3  312,421,422
    running      17  423-439
    pending     560  440-999

    reconnecting to the server: it is gone

    FAILED   ITEM   AGE   REASON
    421      zero   10s   exit code 137 (SIGKILL), OOMKilled
    422      zero   20s   exit code 1: \u{1b}[31mred\u{1b}[0m
    312      zero   30s   exit code 1: no such file

    ACTIVE   ITEM                       STATUS     AGE   NODE     REASON
    440      -                          Starting   60s   node-1   0/3 nodes are available: 3 Insufficient cpu (Unschedulabl…
    423      an item whose name is l…   Running    37s   node-1
    424      zero                       Running    36s   node-1
    425      zero                       Running    35s   node-1
    426      zero                       Running    34s   node-1
    427      zero                       Running    33s   node-1
    428      zero                       Running    32s   node-1
    429      zero                       Running    31s   node-1
    430      -                          Running    30s   node-1
    431      -                          Running    29s   node-1
    432      -                          Running    28s   node-1
    433      -                          Running    27s   node-1
    434      -                          Running    26s   node-1
    435      -                          Running    25s   node-1
    436      -                          Running    24s   node-1
    437      -                          Running    23s   node-1
    438      -                          Running    22s   node-1
    439      -                          Running    21s   node-1

    EVENT   REASON              MESSAGE
    10s     FailedCreate (×7)   pods "words-441-" is forbidden: exceeded quota
    30s     FailedCreate        pods "words-441-" is forbidden: exceeded quota






    q quits; the job goes on
    "#);
}

#[test]
fn a_small_window() {
    assert_snapshot!(shown(&state(), PLAIN, None, (40, 12)), @"
    job words in namespace demo: Running
    420/1000 completed, 3 failed, 17 runnin…
    ████████████████×▒░░░░░░░░░░░░░░░░░░░░░░

    completed   420  0-311,313-420
    failed        3  312,421,422
    running      17  423-439
    pending     560  440-999



    q quits; the job goes on
    ");
}

#[test]
fn colours() {
    let style = Style { color: true, terminal: true, plain: false };
    assert_snapshot!(shown(&state(), style, None, (30, 14)).replace('\u{1b}', "^"), @"
    ^[1mjob words in namespace demo: …^[0m
    420/1000 completed, 3 failed,…
    ^[32m████████████^[0m^[31m×^[0m^[36m▒^[0m^[2m░░░░░░░░░░░░░░░░^[0m

    ^[32mcompleted   420  0-311,313-420^[0m
    ^[31mfailed        3  312,421,422^[0m
    ^[36mrunning      17  423-439^[0m
    ^[39mpending     560  440-999^[0m

    ^[31;1mFAILED   ITEM   AGE   REASON^[0m
    421      zero   10s   exit co…
    422      zero   20s   exit co…
    312      zero   30s   exit co…
    ^[2mq quits; the job goes on^[0m
    ");
}

#[test]
fn any_window_is_filled_and_not_overrun() {
    for columns in [0, 1, 2, 5, 13, 80, 300] {
        for rows in [0, 1, 2, 3, 7, 9, 12, 24, 100] {
            shown(&state(), PLAIN, Some("trouble"), (columns, rows));
        }
    }
}

#[test]
fn a_job_without_anything_yet() {
    let state = job(3, &json!({}));
    assert_snapshot!(shown(&state, PLAIN, None, (60, 12)), @"
    job words in namespace demo: Running
    0/3 completed, 0 running, 60s so far
    ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░

    completed  0
    failed     0
    running    0
    pending    3  0-2



    q quits; the job goes on
    ");
}

#[test]
fn a_problem_is_wrapped_before_it_is_cut() {
    let text = "one two three four five six seven";
    assert_eq!(wrapped(text, 9, 3), ["one two", "three", "four five six seven"]);
    assert_eq!(wrapped(text, 80, 3), [text]);
    assert_eq!(wrapped("", 80, 3), [""]);
}

#[test]
fn rows_are_shared_fairly() {
    assert_eq!(share_rows(0, [5, 5, 5]), [0, 0, 0]);
    assert_eq!(share_rows(3, [1, 5, 5]), [1, 0, 0]);
    assert_eq!(share_rows(3, [5, 5, 5]), [0, 0, 0], "a row and the number of the others need four lines");
    assert_eq!(share_rows(10, [5, 5, 5]), [2, 2, 0]);
    assert_eq!(share_rows(20, [1, 50, 2]), [1, 10, 2]);
    assert_eq!(share_rows(20, [0, 50, 0]), [0, 17, 0]);
}
