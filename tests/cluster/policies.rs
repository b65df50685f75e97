//! Flags of `run` that end an index or a Job.

use std::time::{Duration, Instant};

use crate::guests::apply_mutation;
use crate::support::{Cluster, Outcome};

/// Runs a script with this number of indexes and these flags.
fn run(cluster: &Cluster, name: &str, count: u32, flags: &str, script: &str) -> Outcome {
    let count = count.to_string();
    let flags: Vec<_> = flags.split_whitespace().collect();
    let start = ["run", name, "--completions", &count];
    cluster.run(&[&start[..], &flags, &["--", "sh", "-c", script]].concat())
}

/// Returns the number of Pods of an index.
fn attempts(cluster: &Cluster, job: &str, index: u32) -> usize {
    let selector = format!("job-name={job},batch.kubernetes.io/job-completion-index={index}");
    cluster.kubectl(&["get", "pods", "-l", &selector, "-o", "name"]).ok().stdout.lines().count()
}

/// Asserts that a later command prints stopped indexes as unfinished: their Pods are gone, so it can't know more.
#[track_caller]
fn assert_later(later: &Outcome, unfinished: &str, failed: &str) {
    assert!(later.stderr.contains(unfinished) && later.stderr.contains(failed), "{later:?}");
    assert!(!later.stderr.contains("\nnot run: "), "{later:?}");
}

#[test]
fn the_first_failed_index_ends_the_job() {
    let cluster = Cluster::new("fail-fast");
    let script =
        "case $JOB_COMPLETION_INDEX in 0) ;; 1) sleep 10; exit 4 ;; *) trap 'exit 1' TERM; sleep 600 & wait ;; esac";
    let start = Instant::now();
    let outcome = run(&cluster, "fast", 4, "--fail-fast -j 3", script);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(start.elapsed() < Duration::from_secs(300), "{:?}", start.elapsed());
    let summary = outcome.stderr.split_once("error: ").unwrap().1;
    let expected = "job fast failed (MaxFailedIndexesExceeded): 1 of 4 indexes completed, 1 failed, 2 unfinished in ";
    assert!(summary.starts_with(expected), "{outcome:?}");
    assert!(summary.contains("\ncompleted: 0\nstopped: 2,3\nindex 1 failed: exit code 4, pod fast-1-"), "{outcome:?}");
    let later = cluster.run(&["wait", "fast"]);
    assert_eq!(later.code, 1);
    assert_later(&later, "2 unfinished", "index 1 failed: exit code 4, pod fast-1-");
    let described = cluster.run(&["describe", "fast"]).ok().stdout;
    assert!(described.contains("\n  2 indexes not completed (2,3): Job has exceeded the specified maximal number of"));
    assert!(described.contains("  Max Failed:       0 indexes\n"), "{described}");
}

#[test]
fn a_number_of_indexes_may_fail() {
    let cluster = Cluster::new("max-failed");
    let outcome = run(&cluster, "some", 4, "--max-failed 1 -j 1", "exit $JOB_COMPLETION_INDEX");
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.stderr.contains(": 1 of 4 indexes completed, 2 failed, 1 unfinished in "), "{outcome:?}");
    assert!(outcome.stderr.contains("\ncompleted: 0\nfailed: 1,2\nnot run: 3\n"), "{outcome:?}");
}

#[test]
fn exit_codes_decide_about_retries() {
    let cluster = Cluster::new("exit-codes");
    // Without and with ConfigMaps: the server checks the Job first in both cases.
    let flags = ["--retries", "1", "--fail-on-exit", "3,7-9"];
    let outcome = cluster.run(
        &[&["run", "codes", "--items", "3,4", "-q"][..], &flags, &["--item-as", "arg", "--", "sh", "-c", "exit {}"]]
            .concat(),
    );
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.stderr.contains("index 0 (item \"3\") failed: exit code 3, pod codes-0-"), "{outcome:?}");
    assert!(outcome.stderr.contains("index 1 (item \"4\") failed after 2 attempts: exit code 4"), "{outcome:?}");
    assert_eq!((attempts(&cluster, "codes", 0), attempts(&cluster, "codes", 1)), (1, 2));
    let described = cluster.run(&["describe", "codes"]).ok().stdout;
    let shown = "  On Pod Failure:   Ignore on DisruptionTarget=True\n  On Pod Failure:   FailIndex on exit code of worker In 3,7-9\n";
    assert!(described.contains(shown), "{described}");
}

#[test]
fn ignored_exit_codes_are_retried_without_counting() {
    let cluster = Cluster::new("ignore-exit");
    // Without `--retries`, the index runs again until the timeout.
    let outcome = run(&cluster, "busy", 2, "--ignore-exit 75 --timeout 30s", "exit $((JOB_COMPLETION_INDEX * 75))");
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(
        outcome.stderr.contains("(DeadlineExceeded): 1 of 2 indexes completed, 0 failed, 1 unfinished"),
        "{outcome:?}"
    );
    assert!(outcome.stderr.contains("\ncompleted: 0\nstopped: 1\n"), "{outcome:?}");
    assert!(attempts(&cluster, "busy", 1) >= 2, "{outcome:?}");
    assert_eq!(cluster.field("job/busy", "{.status.failedIndexes}"), "");
}

#[test]
#[ignore = "needs Kubernetes 1.31"]
fn a_number_of_succeeded_indexes_completes_the_job() {
    let cluster = Cluster::new("success");
    let script =
        "case $JOB_COMPLETION_INDEX in 1) exit 5 ;; 2) trap 'exit 1' TERM; sleep 60 & wait ;; *) sleep 8 ;; esac";
    let outcome = run(&cluster, "first", 4, "--success-count 2", script);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let summary = "job first completed (SuccessPolicy): 2 of 4 indexes completed, 1 failed, 1 unfinished in ";
    assert!(outcome.stderr.contains(summary), "{outcome:?}");
    let more = "\ncompleted: 0,3\nstopped: 2\nindex 1 failed: exit code 5, pod first-1-";
    assert!(outcome.stderr.contains(more), "{outcome:?}");
    let later = cluster.run(&["wait", "first"]).ok();
    assert_later(&later, "1 unfinished", "index 1 failed: exit code 5, pod first-1-");
    assert!(cluster.run(&["describe", "first"]).ok().stdout.contains("  Success When:     2 indexes succeeded\n"));
    let outcome = run(&cluster, "these", 3, "--success-indexes 0,1 --success-count 1 -j 1", "true").ok();
    assert!(outcome.stderr.contains("completed: 0\nnot run: 1,2\n"), "{outcome:?}");
}

#[test]
fn a_job_fails_at_its_timeout() {
    let cluster = Cluster::new("timeout");
    let outcome = run(&cluster, "late", 3, "--timeout 15s -j 2", "trap 'exit 1' TERM; sleep 60 & wait");
    assert_eq!(outcome.code, 1, "{outcome:?}");
    let summary = outcome.stderr.split_once("error: ").unwrap().1;
    assert!(
        summary.starts_with("job late failed (DeadlineExceeded): 0 of 3 indexes completed, 0 failed, 3 unfinished in ")
    );
    assert!(
        summary.contains(": Job was active longer than specified deadline\nstopped: 0,1\nnot run: 2\nhint: "),
        "{summary}"
    );
    assert!(!summary.contains("--index failed"), "no failed index has output: {summary}");
}

#[test]
fn an_index_fails_at_its_timeout() {
    let cluster = Cluster::new("index-timeout");
    let script = "test $JOB_COMPLETION_INDEX = 0 || { trap 'exit 1' TERM; sleep 60 & wait; }";
    let outcome = run(&cluster, "slow", 2, "--index-timeout 15s", script);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.stderr.contains("(FailedIndexes): 1 of 2 indexes completed, 1 failed in "), "{outcome:?}");
    let how = "exit code 1, DeadlineExceeded: Pod was active on the node longer than the specified deadline";
    assert!(outcome.stderr.contains(&format!("index 1 failed: {how}, pod slow-1-")), "{outcome:?}");
    let described = cluster.run(&["describe", "slow"]).ok().stdout;
    assert!(described.contains("  Index Timeout:    15s for each attempt\n"), "{described}");
    // It is not retried either if its worker then exits with 0, which no rule for exit codes matches.
    let outcome = run(&cluster, "quiet", 1, "--index-timeout 2s", "trap 'exit 0' TERM; sleep 60 & wait");
    assert_eq!(outcome.code, 1, "{outcome:?}");
    let row = cluster.run(&["indexes", "quiet", "-o", "csv"]).ok().stdout;
    assert!(row.contains(",Failed,1,0,,DeadlineExceeded,"), "{row}");
}

#[test]
fn a_job_with_a_ttl_is_deleted_after_its_end() {
    let cluster = Cluster::new("ttl");
    // Kubernetes deletes the Job at once, and the output is still complete.
    let outcome = run(&cluster, "brief", 2, "--ttl 0", "echo done $JOB_COMPLETION_INDEX").ok();
    assert_eq!(outcome.sorted_lines(), ["[0] done 0", "[1] done 1"], "{outcome:?}");
    assert!(outcome.stderr.contains("job brief completed: 2 of 2 indexes completed in "), "{outcome:?}");
    let gone = || cluster.kubectl(&["get", "jobs,pods", "-o", "name"]).ok().stdout.is_empty();
    cluster.eventually("the end of the job", gone);
    cluster.run(&["run", "words", "--items", "a,b", "--ttl", "2s", "-q", "--", "rev"]).ok();
    cluster.eventually("the end of the job", gone);
    let left = || cluster.kubectl(&["get", "configmaps", "-o", "name"]).ok().stdout == "configmap/kube-root-ca.crt\n";
    cluster.eventually("the end of its items", left);
}

/// Returns the exit code, signal and message of each index. No index may take as long as the sidecars.
fn ending(cluster: &Cluster, job: &str) -> Vec<String> {
    let csv = cluster.run(&["indexes", job, "-o", "csv"]).ok().stdout;
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    let rows = rows.deserialize::<std::collections::BTreeMap<String, String>>().map(Result::unwrap);
    let quick = |row: &std::collections::BTreeMap<String, String>| row["duration_seconds"].parse::<u32>().unwrap() < 3;
    rows.inspect(|row| assert!(quick(row), "{row:?}"))
        .map(|row| format!("{} {} {} {}", row["index"], row["exit_code"], row["signal"], row["message"]))
        .collect()
}

/// Returns a template with a worker and another container, which runs on or fails.
fn with_another(name: &str, kind: &str, other: &str) -> String {
    format!(
        "
apiVersion: batch/v1
kind: Job
metadata: {{name: {name}}}
spec:
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 1
      {kind}:
      - {{name: helper, image: docker.io/library/busybox, {other}}}
"
    ) + if kind == "containers" { "      - " } else { "      containers:\n      - " }
        + "{name: worker, image: docker.io/library/busybox}\n"
}

#[test]
fn the_worker_decides_the_outcome_of_an_index() {
    let cluster = Cluster::new("sidecars");
    for (name, kind, other) in [
        // The node kills it after the worker: exit code 137, a second later.
        ("native", "initContainers", "restartPolicy: Always, command: [sleep, infinity]"),
        // Fails after the worker, and the Pod with it.
        ("classic", "containers", "command: [sh, -c, 'sleep 4; echo helper words; exit 1']"),
    ] {
        let template = cluster.write("template.yaml", with_another(name, kind, other).as_bytes());
        let template = template.to_str().unwrap();
        let args = ["run", name, "--template", template, "--items", "a,b", "--"];
        let outcome = cluster.run(&[&args[..], &["sh", "-c", "echo last words {}; exit 3"]].concat());
        assert_eq!(outcome.code, 1, "{outcome:?}");
        assert!(outcome.stderr.contains("2 × exit code 3: \"last words "), "{outcome:?}");
        assert_eq!(ending(&cluster, name), ["0 3  last words a\n", "1 3  last words b\n"]);
        let retried = cluster.run(&["retry", name, "--exit-code", "3", "--dry-run", "-o", "name"]);
        assert_eq!(retried.code, 0, "{retried:?}");
    }
    // A Pod fails if one of its containers fails.
    let template = with_another("helped", "containers", "command: [sh, -c, 'echo helper words; exit 4']");
    let template = cluster.write("template.yaml", template.as_bytes());
    let outcome =
        cluster.run(&["run", "helped", "--template", template.to_str().unwrap(), "--completions", "1", "--", "true"]);
    assert!(outcome.stderr.contains("index 0 failed: exit code 4 of container helper, pod helped-0-"), "{outcome:?}");
}

/// The cluster injects a container before the worker of a Pod, which is not in the Job.
#[test]
#[ignore = "needs Kubernetes 1.36"]
fn an_injected_container_does_not_decide_the_outcome_of_an_index() {
    let cluster = Cluster::new("injected");
    let mutation = "  - patchType: JSONPatch
    jsonPatch:
      expression: >-
        [JSONPatch{op: 'add', path: '/spec/containers/0', value: Object.spec.containers{name: 'agent',
        image: 'docker.io/library/busybox', command: ['sh', '-c', 'sleep 3; exit 9']}}]";
    let _policy = apply_mutation(&cluster, "[pods]", mutation);
    let injected = || {
        let pod = ["run", "probe", "--image=docker.io/library/busybox", "--dry-run=server", "-o", "yaml"];
        cluster.kubectl(&pod).stdout.contains("agent")
    };
    cluster.eventually("the policy", injected);
    let outcome = run(&cluster, "inj", 1, "", "echo last words; exit 42");
    assert_eq!(outcome.code, 1, "{outcome:?}");
    let containers = cluster.field("pod", "{.items[0].spec.containers[*].name}");
    assert_eq!(containers, "agent worker", "the policy takes effect");
    assert!(outcome.stderr.contains("index 0 failed: exit code 42, pod inj-0-"), "{outcome:?}");
    assert_eq!(ending(&cluster, "inj"), ["0 42  last words\n"]);
}
