//! `wait`: either outcome, or the time is up.

use crate::support::Cluster;

#[test]
fn ends_on_either_outcome() {
    let cluster = Cluster::new("wait");
    cluster.run(&["run", "good", "--items", "a,b", "--detach", "-q", "--", "rev"]).ok();
    let good = cluster.run(&["wait", "job/good"]).ok();
    assert!(good.stderr.starts_with("job good completed: 2 of 2 indexes completed in "), "{good:?}");
    assert_eq!(good.stdout, "");
    cluster.run(&["run", "bad", "--items", "a,b", "--detach", "-q", "--", "sh", "-c", "echo why; exit 7"]).ok();
    let bad = cluster.run(&["wait", "bad"]);
    assert_eq!(bad.code, 1);
    assert!(
        bad.stderr.starts_with("error: job bad failed (FailedIndexes): 0 of 2 indexes completed, 2 failed in "),
        "{bad:?}"
    );
    assert!(bad.stderr.contains("index 1 (item \"b\") failed: exit code 7, pod bad-1-"), "{bad:?}");
    assert!(bad.stderr.contains("\n  | why\n"), "{bad:?}");
}

#[test]
fn time_runs_out() {
    let cluster = Cluster::new("wait-time");
    cluster.run(&["run", "slow", "--completions", "2", "--detach", "-q", "--", "sleep", "60"]).ok();
    let outcome = cluster.run(&["wait", "slow", "--timeout", "1s"]);
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert!(
        outcome.stderr.starts_with("error: timed out after 1s waiting for job slow: 0 of 2 indexes completed"),
        "{outcome:?}"
    );
    let wrong = cluster.run(&["wait", "slow", "--timeout", "soon"]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
}

#[test]
fn a_failure_of_the_whole_job_is_told_by_its_condition() {
    let cluster = Cluster::new("wait-deadline");
    cluster
        .apply(
            "{apiVersion: batch/v1, kind: Job, metadata: {name: late}, spec: {completions: 2, completionMode: Indexed, \
             activeDeadlineSeconds: 2, template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox, \
             command: [sleep, '60']}]}}}}",
        )
        .ok();
    let outcome = cluster.run(&["wait", "late"]);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.stderr.contains("job late failed (DeadlineExceeded): 0 of 2 indexes completed"), "{outcome:?}");
}
