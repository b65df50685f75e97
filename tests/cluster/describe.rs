//! `describe`: every line of kubectl's output, and a block of its own.

use crate::support::{Cluster, file};

/// Splits the output of `describe` into its own two blocks and the rest.
fn split(text: &str) -> (String, String) {
    let (text, causes) = match text.find("\nCauses:\n") {
        Some(at) => text.split_at(at + 1),
        None => (text, ""),
    };
    let start = text.find("\nIndexed:\n").map_or_else(|| panic!("no own block in {text}"), |at| at + 1);
    let end = text[start..].find("\nEvents:").map_or_else(|| panic!("no events in {text}"), |at| start + at + 1);
    (format!("{}{causes}", &text[start..end]), format!("{}{}", &text[..start], &text[end..]))
}

/// Compares the output with that of kubectl. Ages change between two calls, so only a lasting difference counts.
#[track_caller]
fn assert_as_kubectl(cluster: &Cluster, job: &str) {
    let mut seen = (String::new(), String::new());
    for _ in 0..10 {
        let theirs = cluster.kubectl(&["describe", "job", job]).ok().stdout;
        let ours = split(&cluster.run(&["describe", job]).ok().stdout).1;
        if ours == theirs {
            return;
        }
        seen = (ours, theirs);
    }
    assert_same_lines(&seen.0, &seen.1);
}

/// Panics with the first different line.
#[track_caller]
fn assert_same_lines(ours: &str, theirs: &str) {
    for (ours, theirs) in ours.lines().zip(theirs.lines()) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(ours, theirs);
}

#[test]
fn prints_all_that_kubectl_prints() {
    let cluster = Cluster::new("describe");
    cluster.apply(&file("examples/indexed-job.yaml")).ok();
    let jobs = ["volumes", "probes", "environment", "failed", "suspended", "metadata"];
    for job in jobs {
        cluster.apply(&file(&format!("tests/fixtures/jobs/{job}.yaml"))).ok();
    }
    cluster.run(&["wait", "indexed-job"]).ok();
    assert_eq!(cluster.run(&["wait", "failed"]).code, 1);
    for job in jobs.iter().chain(&["indexed-job"]) {
        assert_as_kubectl(&cluster, job);
    }
    let events = cluster.run(&["describe", "indexed-job"]).ok().stdout;
    assert!(events.contains("SuccessfulCreate"), "one of the compared outputs has events: {events}");

    let without = cluster.run(&["describe", "indexed-job", "--show-events=false"]).ok().stdout;
    assert_eq!(without.find("Events:"), None);
    assert_eq!(cluster.kubectl(&["describe", "job", "indexed-job", "--show-events=false"]).ok().stdout, {
        let at = without.find("\nIndexed:\n").unwrap() + 1;
        without[..at].to_owned()
    });
}

#[test]
fn prints_facts_that_kubectl_omits() {
    let cluster = Cluster::new("describe-own");
    let script = "test $JOB_COMPLETION_INDEX -lt 2 || { echo no room >&2; exit 4; }";
    let args = ["run", "some", "--items", "a,b,c,d", "--retries", "1", "-q", "--", "sh", "-c", script];
    assert_eq!(cluster.run(&args).code, 1);
    let (own, _) = split(&cluster.run(&["describe", "some"]).ok().stdout);
    for line in [
        "  Status:           Failed",
        "  Completed:        0,1  (2)",
        "  Failed:           2,3  (2)",
        "  Running:          <none>",
        "  Pending:          <none>",
        "  Retries:          1 for each index",
        "  On Pod Failure:   Ignore on DisruptionTarget=True",
        "  Items:            as file, stored in a ConfigMap, a key for each index",
        "  2 indexes failed (2,3): exit code 4: no room",
        "    0       a      Succeeded   1          0      -        localhost",
        "    3       d      Failed      2          4      Error    localhost",
    ] {
        assert!(own.lines().any(|own| own.starts_with(line)), "{line:?} is missing in {own}");
    }
    assert!(own.contains("FailedIndexes   Job has failed indexes"), "{own}");
}

#[test]
fn a_long_list_of_indexes_is_not_cut() {
    let cluster = Cluster::new("describe-long");
    // Every second index of 40 fails: no two indexes form a range.
    let script = "exit $((JOB_COMPLETION_INDEX % 2))";
    let args = ["run", "zebra", "--completions", "40", "-j", "20", "-q", "--", "sh", "-c", script];
    assert_eq!(cluster.run(&args).code, 1);
    let text = cluster.run(&["describe", "zebra"]).ok().stdout;
    let even: Vec<_> = (0..40).step_by(2).map(|n: u32| n.to_string()).collect();
    let odd: Vec<_> = (1..40).step_by(2).map(|n: u32| n.to_string()).collect();
    assert!(text.contains(&format!("  Completed:        {}  (20)\n", even.join(","))), "{text}");
    assert!(text.contains(&format!("  Failed:           {}  (20)\n", odd.join(","))), "{text}");
    assert!(text.contains("\n    20 more, see kubectl indexed indexes zebra\n"), "{text}");
}
