use insta::assert_snapshot;
use serde_json::json;

use super::*;
use crate::state::{Event, KubeEvent};
use crate::view::tests::{ended, job, now, pod, running, unscheduled, waiting};

#[test]
fn the_pace_is_that_of_the_last_minute() {
    let mut pace = Pace { looks: Vec::new(), spacing: 500 };
    pace.note(0, 0);
    assert_eq!(pace.per_second(500, 10), None, "too early to tell");
    assert_eq!(pace.per_second(2_000, 0), None, "nothing has finished");
    assert_eq!(pace.per_second(2_000, 10), Some(5.0));
    for second in 1..=100 {
        pace.note(second * 1000, 10);
    }
    assert_eq!(pace.per_second(100_000, 10), None);
    assert_eq!(pace.per_second(100_000, 70), Some(1.0));
}

#[test]
fn of_a_long_job_the_pace_is_that_of_its_last_quarter() {
    let mut pace = Pace { looks: Vec::new(), spacing: 500 };
    for minute in 0..6000_i64 {
        // A hundred finish together every ten minutes.
        pace.note(minute * 60_000, usize::try_from(minute / 10 * 100).unwrap());
    }
    assert!(pace.looks.len() <= LOOKS, "{}", pace.looks.len());
    let speed = pace.per_second(6000 * 60_000, 60_000).unwrap() * 600.0;
    assert!((99.0..102.0).contains(&speed), "{speed} in ten minutes");
}

#[test]
fn a_speed_is_a_readable_number() {
    assert_eq!(
        [120.0, 8.34, 1.0, 0.5, 0.02, 0.001].map(per),
        ["120/s", "8.3/s", "1.0/s", "30/min", "1.2/min", "3.6/h"]
    );
}

fn told(state: &JobState) -> String {
    line(state, &Pace::new(state, now()), now())
}

#[test]
fn how_far_a_job_is() {
    assert_snapshot!(told(&job(10, &json!({}))), @"0/10 completed, 0 running, 60s so far");
    let mut state = job(1000, &json!({"completedIndexes": "0-119", "failedIndexes": "120,121"}));
    (122..150).for_each(|index| pod(&mut state, index, &running(10)));
    assert_snapshot!(told(&state), @"120/1000 completed, 2 failed, 28 running, 2.0/s, about 7m12s left, 60s so far");
    let complete = json!({"type": "Complete", "status": "True"});
    let ended =
        job(2, &json!({"completedIndexes": "0,1", "conditions": [complete], "completionTime": "2026-01-01T00:00:07Z"}));
    assert_snapshot!(told(&ended), @"2/2 completed, 0 running, 7s so far");
    let mut stuck = job(10, &json!({}));
    pod(&mut stuck, 0, &waiting("ImagePullBackOff", "Back-off pulling image"));
    assert_snapshot!(told(&stuck), @"0/10 completed, ImagePullBackOff, 60s so far");
}

fn plight(state: &JobState, idle: i64) -> Option<String> {
    super::plight(state, idle, now(), "").map(|plight| plight.sentence())
}

#[test]
fn why_a_job_does_not_go_on() {
    let mut none = job(10, &json!({}));
    assert_eq!(plight(&none, 9), None, "it may only be slow");
    assert_eq!(plight(&none, 59), None, "nothing says why");
    assert_snapshot!(plight(&none, 60).unwrap(), @"10 indexes pending (0-9): none of them runs, and neither their Pods nor events say why");
    none.apply(Event::Reported(Box::new(KubeEvent {
        uid: "a".to_owned(),
        warning: true,
        reason: "FailedCreate".to_owned(),
        message: "pods \"words-0-\" is forbidden: exceeded quota: small".to_owned(),
        ..KubeEvent::default()
    })));
    assert_snapshot!(plight(&none, 10).unwrap(), @"1 index pending (0): exceeded quota: small (FailedCreate)");
    let mut tried = job(10, &json!({"completedIndexes": "0-3"}));
    pod(&mut tried, 4, &ended(1, "Error", "", 9));
    assert_eq!(plight(&tried, 10), None, "it is tried again later and later");
    let later = now() + jiff::SignedDuration::from_secs(100);
    assert_snapshot!(super::plight(&tried, 60, later, "").unwrap().sentence(), @"1 index pending (4): exit code 1, and is tried again: Kubernetes waits longer each time, up to 10 minutes (Retrying)");
    let ending = json!({"type": "FailureTarget", "status": "True"});
    assert_eq!(plight(&job(10, &json!({"conditions": [ending]})), 99), None, "its end is near");
    let mut slow = job(10, &json!({}));
    pod(&mut slow, 0, &waiting("ContainerCreating", ""));
    assert_eq!(plight(&slow, 9), None, "an image may be large");
    assert_snapshot!(plight(&slow, 125).unwrap(), @"1 index pending (0): the node is still busy with its volumes, network or image (ContainerCreating)");
    let mut full = job(10, &json!({}));
    (0..3).for_each(|index| pod(&mut full, index, &unscheduled("0/3 nodes are available: 3 Insufficient cpu.")));
    pod(&mut full, 3, &waiting("ContainerCreating", ""));
    assert_snapshot!(plight(&full, 30).unwrap(), @"3 indexes pending (0-2): 0/3 nodes are available: 3 Insufficient cpu (Unschedulable)");
    let mut image = job(10, &json!({}));
    pod(&mut image, 0, &waiting("ErrImagePull", "no such\nimage"));
    assert_snapshot!(plight(&image, 30).unwrap(), @"1 index pending (0): the image can't be pulled: no such image (ImagePullBackOff)");
}
