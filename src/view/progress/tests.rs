use insta::assert_snapshot;
use serde_json::json;

use super::*;
use crate::state::{Event, KubeEvent};
use crate::view::Style;
use crate::view::tests::{ended, job, now, pod, running, unscheduled, waiting};

#[test]
fn the_pace_is_measured_over_the_last_minute() {
    let mut pace = Pace { samples: Vec::new(), spacing: 500 };
    pace.add_sample(0, 0);
    assert_eq!(pace.per_second(500, 10), None, "too early to tell");
    assert_eq!(pace.per_second(2_000, 0), None, "nothing has finished");
    assert_eq!(pace.per_second(2_000, 10), Some(5.0));
    for second in 1..=100 {
        pace.add_sample(second * 1000, 10);
    }
    assert_eq!(pace.per_second(100_000, 10), None);
    assert_eq!(pace.per_second(100_000, 70), Some(1.0));
}

#[test]
fn the_pace_of_a_long_job_is_measured_over_its_last_quarter() {
    let mut pace = Pace { samples: Vec::new(), spacing: 500 };
    for minute in 0..6000_i64 {
        // A hundred finish together every ten minutes.
        pace.add_sample(minute * 60_000, usize::try_from(minute / 10 * 100).unwrap());
    }
    assert!(pace.samples.len() <= SAMPLES, "{}", pace.samples.len());
    let speed = pace.per_second(6000 * 60_000, 60_000).unwrap() * 600.0;
    assert!((99.0..102.0).contains(&speed), "{speed} in ten minutes");
}

#[test]
fn a_speed_is_a_readable_number() {
    assert_eq!(
        [120.0, 8.34, 1.0, 0.5, 0.02, 0.001].map(speed_text),
        ["120/s", "8.3/s", "1.0/s", "30/min", "1.2/min", "3.6/h"]
    );
}

fn progress_of(state: &JobState) -> String {
    line(state, &Pace::new(state, now()), now())
}

#[test]
fn progress_is_one_line() {
    assert_snapshot!(progress_of(&job(10, &json!({}))), @"0/10 completed, 0 running, 60s so far");
    let mut state = job(1000, &json!({"completedIndexes": "0-119", "failedIndexes": "120,121"}));
    (122..150).for_each(|index| pod(&mut state, index, &running(10)));
    assert_snapshot!(progress_of(&state), @"120/1000 completed, 2 failed, 28 running, 2.0/s, about 7m12s left, 60s so far");
    let complete = json!({"type": "Complete", "status": "True"});
    let ended =
        job(2, &json!({"completedIndexes": "0,1", "conditions": [complete], "completionTime": "2026-01-01T00:00:07Z"}));
    assert_snapshot!(progress_of(&ended), @"2/2 completed, 0 running, 7s so far");
    let mut stuck = job(10, &json!({}));
    pod(&mut stuck, 0, &waiting("ImagePullBackOff", "Back-off pulling image"));
    assert_snapshot!(progress_of(&stuck), @"0/10 completed, ImagePullBackOff, 60s so far");
}

fn stall(state: &JobState, idle: i64) -> Option<String> {
    find_stall(state, idle, now(), Wording::default()).map(|cause| cause.sentence(Style::default()))
}

#[test]
fn a_stall_has_a_cause() {
    let mut none = job(10, &json!({}));
    assert_eq!(stall(&none, 9), None, "it may only be slow");
    assert_eq!(stall(&none, 59), None, "no reason is known");
    assert_snapshot!(stall(&none, 60).unwrap(), @"10 indexes pending (0-9): no index runs, and neither Pods nor events report a reason");
    none.apply(Event::Reported(Box::new(KubeEvent {
        uid: "a".to_owned(),
        warning: true,
        reason: "FailedCreate".to_owned(),
        message: "pods \"words-0-\" is forbidden: exceeded quota: small".to_owned(),
        ..KubeEvent::default()
    })));
    assert_snapshot!(stall(&none, 10).unwrap(), @"1 index pending (0): exceeded quota: small (FailedCreate)");
    let mut tried = job(10, &json!({"completedIndexes": "0-3"}));
    pod(&mut tried, 4, &ended(1, "Error", "", 9));
    assert_eq!(stall(&tried, 10), None, "its retry is delayed");
    let later = now() + jiff::SignedDuration::from_secs(100);
    assert_snapshot!(find_stall(&tried, 60, later, Wording::default()).unwrap().sentence(Style::default()), @"1 index pending (4): exit code 1; Kubernetes retries it after a delay of up to 10 minutes (Retrying)");
    let ending = json!({"type": "FailureTarget", "status": "True"});
    assert_eq!(stall(&job(10, &json!({"conditions": [ending]})), 99), None, "its end is near");
    let mut slow = job(10, &json!({}));
    pod(&mut slow, 0, &waiting("ContainerCreating", ""));
    assert_eq!(stall(&slow, 9), None, "an image may be large");
    assert_snapshot!(stall(&slow, 125).unwrap(), @"1 index pending (0): the node is still preparing volumes, network or image (ContainerCreating)");
    let mut full = job(10, &json!({}));
    (0..3).for_each(|index| pod(&mut full, index, &unscheduled("0/3 nodes are available: 3 Insufficient cpu.")));
    pod(&mut full, 3, &waiting("ContainerCreating", ""));
    assert_snapshot!(stall(&full, 30).unwrap(), @"3 indexes pending (0-2): 0/3 nodes are available: 3 Insufficient cpu (Unschedulable)");
    let mut image = job(10, &json!({}));
    pod(&mut image, 0, &waiting("ErrImagePull", "no such\nimage"));
    assert_snapshot!(stall(&image, 30).unwrap(), @"1 index pending (0): the image can't be pulled: no such image (ImagePullBackOff)");
}
