//! `logs`: by index, in order, and followed.

mod attempts;
mod choose;
mod pipes;

use crate::support::Cluster;

#[test]
fn selected_by_index_and_status() {
    let cluster = Cluster::new("logs");
    let script = "echo one; echo two; test $JOB_COMPLETION_INDEX != 2";
    assert_eq!(cluster.run(&["run", "x", "--completions", "5", "-q", "--", "sh", "-c", script]).code, 1);
    let logs = |args: &[&str]| cluster.run(&[&["logs", "x"], args].concat()).ok().stdout;
    assert_eq!(logs(&["--index", "3-4,0"]), "[0] one\n[0] two\n[3] one\n[3] two\n[4] one\n[4] two\n");
    assert_eq!(logs(&["--index", "failed"]), "one\ntwo\n");
    assert_eq!(logs(&["--index", "!failed,!0", "--tail", "1"]), "[1] two\n[3] two\n[4] two\n");
    assert_eq!(logs(&["--index", "1,2", "--prefix=none"]), "one\ntwo\none\ntwo\n");
    let pods = logs(&["--index", "0", "--prefix=pod", "--tail=1"]);
    assert!(pods.starts_with("[pod/x-0-") && pods.ends_with("/worker] two\n"), "{pods}");
    let timed = logs(&["--index", "0", "--timestamps", "--tail=1"]);
    assert!(timed.starts_with("20") && timed.ends_with("Z two\n"), "{timed}");

    let outside = cluster.run(&["logs", "x", "--index", "3-7"]);
    assert_eq!((outside.code, outside.stdout.as_str()), (2, ""));
    assert_eq!(outside.stderr, "error: the job has no index 5-7: its indexes are 0-4\nhint: the first index is 0\n");
    let quiet = cluster.shell("kubectl indexed logs x | head -1").ok();
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("[0] one\n", ""));
}

#[test]
fn followed_until_the_job_ends() {
    let cluster = Cluster::new("follow");
    // Higher indexes finish earlier, so the order proves that `-k` works.
    let script = "echo start; sleep $((3 - JOB_COMPLETION_INDEX)); echo end";
    cluster.run(&["run", "x", "--completions", "3", "--detach", "-q", "--", "sh", "-c", script]).ok();
    let ordered = cluster.start(&["logs", "x", "-f", "-k"]);
    let followed = cluster.run(&["logs", "x", "-f"]).ok();
    let mut expected = vec!["[0] end", "[0] start", "[1] end", "[1] start", "[2] end", "[2] start"];
    assert_eq!(followed.sorted_lines(), expected);
    expected = vec!["[0] start", "[0] end", "[1] start", "[1] end", "[2] start", "[2] end"];
    assert_eq!(ordered.end().ok().stdout.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn the_cause_of_a_missing_log_is_printed() {
    let cluster = Cluster::new("logs-pending");
    cluster
        .run(&["run", "x", "--completions", "1", "--image", "docker.io/library/missing", "--detach", "-q", "--", "x"])
        .ok();
    cluster.eventually("the failed pull", || cluster.kubectl(&["get", "pods"]).stdout.contains("ImagePull"));
    let outcome = cluster.run(&["logs", "x", "--index", "0"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (1, ""));
    assert!(outcome.stderr.starts_with("error: no log from index 0 (not started: "), "{outcome:?}");
    assert!(outcome.stderr.contains("ImagePull"), "{outcome:?}");
}

#[test]
fn an_index_that_has_not_started_is_an_error_only_if_it_is_named() {
    let cluster = Cluster::new("logs-not-started");
    let script = "echo hello; sleep 300";
    cluster.run(&["run", "x", "--completions", "3", "-j", "1", "-d", "-q", "--", "sh", "-c", script]).ok();
    cluster.eventually("the first line", || cluster.run(&["logs", "x", "--index", "0"]).stdout == "hello\n");
    let note = "no log yet from indexes 1,2 (not started: no pod yet)\n";
    for args in [&[][..], &["--merge"], &["--index", "all"]] {
        let outcome = cluster.run(&[&["logs", "x"], args].concat()).ok();
        assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("[0] hello\n", note), "{args:?}");
    }
    let named = cluster.run(&["logs", "x", "--index", "0,1"]);
    assert_eq!((named.code, named.stdout.as_str()), (1, "[0] hello\n"));
    assert!(named.stderr.starts_with("error: no log from index 1 (not started: no pod yet)\n"), "{named:?}");
}

#[test]
fn bytes_and_long_lines_pass_unharmed() {
    let cluster = Cluster::new("logs-bytes");
    let script = r"printf 'a\377b\033[1m\n'; head -c 100000 /dev/zero | tr '\0' x; echo; printf 'no end'";
    cluster.run(&["run", "x", "--completions", "1", "-q", "--detach", "--", "sh", "-c", script]).ok();
    cluster.run(&["wait", "x"]).ok();
    let outcome = cluster.shell("kubectl indexed logs x | md5sum; kubectl indexed logs x | wc -c").ok();
    let expected = cluster.shell(&format!("( {script}; echo ) | md5sum; ( {script}; echo ) | wc -c")).ok();
    assert_eq!(outcome.stdout, expected.stdout);
}
