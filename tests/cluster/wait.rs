//! `wait`: either outcome, or the timeout.

use std::time::{Duration, Instant, SystemTime};

use crate::support::{Cluster, Outcome};

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
    assert!(bad.stderr.contains("\n2 × exit code 7: \"why\" (indexes 0,1)\n  items \"a\", \"b\"\n"), "{bad:?}");
}

#[test]
fn a_timeout_has_exit_code_3() {
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
fn a_failure_of_the_whole_job_is_printed_from_its_condition() {
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

#[test]
fn several_jobs_end_with_the_last_and_fail_with_any() {
    let cluster = Cluster::new("wait-several");
    cluster.run(&["run", "bad", "--items", "a", "--detach", "-q", "--", "sh", "-c", "exit 7"]).ok();
    cluster.run(&["run", "good", "--items", "a", "--detach", "-q", "--", "sh", "-c", "sleep 5"]).ok();
    let outcome = cluster.run(&["wait", "good", "job/bad", "good"]);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.stderr.contains("index 0 (item \"a\") failed: exit code 7, pod bad-0-"), "{outcome:?}");
    let last = outcome.stderr.lines().last().unwrap_or_default();
    assert!(last.starts_with("job good completed: 1 of 1 index completed in "), "{outcome:?}");
    let missing = cluster.run(&["wait", "good", "missing"]);
    assert_eq!(missing.code, 1, "{missing:?}");
    assert!(missing.stderr.starts_with("error: there is no job \"missing\" in namespace "), "{missing:?}");
}

#[test]
fn a_goal_decides_the_exit_code() {
    let cluster = Cluster::new("wait-for");
    let script = "test $JOB_COMPLETION_INDEX != 2; code=$?; test $JOB_COMPLETION_INDEX -lt 3 || sleep 60; exit $code";
    cluster.run(&["run", "some", "--completions", "4", "--detach", "-q", "--", "sh", "-c", script]).ok();
    let wait = |goal: &str| cluster.run(&["wait", "some", "--timeout", "40s", "--for", goal]);
    let message = |outcome: &Outcome| outcome.stderr.clone();
    let met = wait("indexes=0,1");
    assert_eq!((met.code, message(&met).as_str()), (0, "indexes 0,1 of job some completed\n"));
    let failed = wait("indexes=1,2");
    assert_eq!(failed.code, 1, "{failed:?}");
    assert!(
        message(&failed).starts_with("error: index 2 of job some failed\nindex 2 failed: exit code 1, pod some-2-")
    );
    let outside = wait("indexes=3-4");
    assert_eq!(outside.code, 2, "{outside:?}");
    let late = cluster.run(&["wait", "some", "--timeout", "1s", "--for", "indexes=3"]);
    assert_eq!(late.code, 3, "{late:?}");

    cluster.run(&["run", "bad", "--completions", "1", "--detach", "-q", "--", "sh", "-c", "exit 1"]).ok();
    cluster.run(&["run", "good", "--completions", "1", "--detach", "-q", "--", "true"]).ok();
    let code = |name: &str, goal: &str| cluster.run(&["wait", name, "--for", goal]).code;
    assert_eq!((code("bad", "complete"), code("bad", "failed")), (1, 0));
    assert_eq!((code("good", "condition=complete"), code("good", "failed")), (0, 1));
}

#[test]
fn it_ends_within_two_seconds_of_the_failure() {
    let cluster = Cluster::new("wait-soon");
    cluster.run(&["run", "soon", "--completions", "3", "--detach", "-q", "--", "sh", "-c", "sleep 3; exit 1"]).ok();
    let outcome = cluster.run(&["wait", "soon"]);
    let ended = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(outcome.code, 1, "{outcome:?}");
    let time = cluster.field("job/soon", "{.status.conditions[?(@.type==\"Failed\")].lastTransitionTime}");
    let failed = cluster.shell(&format!("date -d {time} +%s")).ok().stdout.trim().parse().unwrap();
    // The API rounds times down to whole seconds.
    assert!(ended < Duration::from_secs(failed) + Duration::from_secs(3), "{ended:?} after {failed}");
}

const STUCK: &str = "{apiVersion: batch/v1, kind: Job, metadata: {name: NAME}, spec: {completions: 2, parallelism: 2, \
    completionMode: Indexed, SPEC template: {spec: {restartPolicy: Never, POD containers: [{name: c, image: IMAGE, \
    command: [sleep, '1']}]}}}}";

fn apply(cluster: &Cluster, name: &str, spec: &str, pod: &str, image: &str) {
    let manifest = STUCK.replace("NAME", name).replace("SPEC", spec).replace("POD", pod).replace("IMAGE", image);
    cluster.apply(&manifest).ok();
}

#[test]
fn the_cause_why_nothing_runs_is_printed_once() {
    let cluster = Cluster::new("wait-stuck");
    apply(&cluster, "lonely", "", "nodeSelector: {none: such},", "busybox");
    apply(&cluster, "imageless", "", "", "registry.invalid/none:1");
    let quota = "{apiVersion: v1, kind: ResourceQuota, metadata: {name: small}, spec: {hard: {pods: '4'}}}";
    cluster.eventually("pods", || cluster.kubectl(&["get", "pods", "-o", "name"]).stdout.lines().count() == 4);
    cluster.apply(quota).ok();
    cluster.eventually("the quota", || cluster.field("resourcequota/small", "{.status.used.pods}") == "4");
    apply(&cluster, "refused", "", "", "busybox");
    let start = Instant::now();
    let outcome = cluster.run(&["wait", "lonely", "imageless", "refused", "--timeout", "16s"]);
    assert!(start.elapsed() < Duration::from_secs(18), "{:?}", start.elapsed());
    assert_eq!(outcome.code, 3, "{outcome:?}");
    for (name, why) in
        [("lonely", " (Unschedulable)"), ("imageless", " (ImagePullBackOff)"), ("refused", " (FailedCreate)")]
    {
        let start = format!("warning: job {name}: 2 indexes pending (0,1): ");
        let lines: Vec<_> = outcome.stderr.lines().filter(|line| line.starts_with(&start)).collect();
        assert_eq!(lines.len(), 1, "{outcome:?}");
        assert!(lines[0].contains(why), "{outcome:?}");
    }
    assert!(outcome.stderr.contains("exceeded quota: small"), "{outcome:?}");
}

#[test]
fn wait_reports_a_suspended_job_and_waits() {
    let cluster = Cluster::new("wait-suspended");
    apply(&cluster, "held", "suspend: true,", "", "busybox");
    cluster.eventually("the condition", || cluster.field("job/held", "{.status.conditions[0].type}") == "Suspended");
    let running = cluster.start(&["wait", "held"]);
    std::thread::sleep(Duration::from_secs(3));
    cluster.kubectl(&["patch", "job", "held", "-p", "{\"spec\":{\"suspend\":false}}"]).ok();
    let outcome = running.end();
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let message = "warning: job held: 2 indexes pending (0,1): the Job is suspended\nhint: kubectl indexed resume held starts it\n";
    assert!(outcome.stderr.starts_with(message), "{outcome:?}");
    assert_eq!(outcome.stderr.matches("warning").count(), 1, "{outcome:?}");
}

#[test]
fn a_job_that_is_deleted_is_an_error() {
    let cluster = Cluster::new("wait-deleted");
    cluster.run(&["run", "gone", "--completions", "2", "--detach", "-q", "--", "sleep", "60"]).ok();
    let running = cluster.start(&["wait", "gone"]);
    cluster.eventually("running pods", || cluster.field("job/gone", "{.status.ready}") == "2");
    cluster.kubectl(&["delete", "job", "gone", "--wait=false"]).ok();
    let outcome = running.end();
    assert_eq!(outcome.code, 1, "{outcome:?}");
    let message = "was deleted before it ended: 0 of 2 indexes had completed\n";
    assert!(outcome.stderr.ends_with(message), "{outcome:?}");
}
