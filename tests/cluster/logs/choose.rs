//! Selection of logs and lines, and output formats: for a Job of this program and one that kubectl made.

use serde_json::Value;

use crate::support::{Cluster, Outcome, file};

/// Runs `logs` of a Job with more arguments.
fn logs(cluster: &Cluster, job: &str, args: &[&str]) -> Outcome {
    cluster.run(&[&["logs", job], args].concat())
}

/// Parses JSON Lines.
fn objects(jsonl: &str) -> Vec<Value> {
    jsonl.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Returns the names and contents of the files in a folder of the home.
fn files(cluster: &Cluster, folder: &str) -> Vec<(String, String)> {
    let mut files: Vec<_> = std::fs::read_dir(cluster.home().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (entry.file_name().into_string().unwrap(), String::from_utf8(std::fs::read(entry.path()).unwrap()).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn of_a_job_of_this_program() {
    let cluster = Cluster::new("logs-choose");
    let script = "read -r item </input/data.txt; echo one $item; sleep 0.2; echo two $item >&2; test $item != baz";
    let run = ["run", "x", "--items", "foo,bar,baz,qux,xyz", "-q", "--", "sh", "-c", script];
    assert_eq!(cluster.run(&run).code, 1);
    let text = |args: &[&str]| logs(&cluster, "x", args).ok().stdout;

    let all = "[0 foo] one foo\n[0 foo] two foo\n[1 bar] one bar\n[1 bar] two bar\n[2 baz] one baz\n[2 baz] two baz\n\
               [3 qux] one qux\n[3 qux] two qux\n[4 xyz] one xyz\n[4 xyz] two xyz\n";
    assert_eq!(text(&[]), all);
    assert_eq!(text(&["--max-log-requests", "1"]), all);

    // Logs.
    for one in [["--index", "3"], ["--item", "qux"]] {
        assert_eq!(text(&one), "one qux\ntwo qux\n");
    }
    assert_eq!(
        text(&["--item", "q*", "--item", "?a?", "--tail=1"]),
        "[1 bar] two bar\n[2 baz] two baz\n[3 qux] two qux\n"
    );
    assert_eq!(text(&["--item", "?a?", "--index", "2-4", "--tail=1"]), "two baz\n");
    assert_eq!(text(&["--status", "failed", "--attempt", "all"]), "one baz\ntwo baz\n");
    assert_eq!(text(&["--status", "succeeded", "--index", "1-2", "--tail=1"]), "two bar\n");
    assert_eq!(text(&["--status", "running"]), "");

    // Lines.
    assert_eq!(
        text(&["--grep", "^one", "--grep", "z$", "--exclude", "a", "--index", "3,4"]),
        "[3 qux] one qux\n[4 xyz] one xyz\n[4 xyz] two xyz\n"
    );
    assert_eq!(text(&["--index", "3", "--limit-bytes", "5"]), "one q\n");
    assert_eq!(text(&["--index", "3", "--since", "1h"]), "one qux\ntwo qux\n");
    assert_eq!(text(&["--index", "3", "--since-time", "2000-01-01T00:00:00Z"]), "one qux\ntwo qux\n");
    assert_eq!(text(&["--since-time", "2100-01-01T00:00:00Z"]), "");

    // Formats.
    assert_eq!(text(&["--index", "3", "--prefix=index", "--tail=1"]), "[3 qux] two qux\n");
    assert_eq!(text(&["--index", "3,4", "--prefix=none", "--tail=1"]), "two qux\ntwo xyz\n");
    let by_pod = text(&["--index", "3", "--prefix=pod", "--tail=1"]);
    assert!(by_pod.starts_with("[pod/x-3-") && by_pod.ends_with("/worker] two qux\n"), "{by_pod}");
    let merged = text(&["--merge", "--timestamps"]);
    let time = |line: &str| line.split_once("] ").unwrap().1.split(' ').next().unwrap().to_owned();
    let times: Vec<_> = merged.lines().map(time).collect();
    assert_eq!(times.len(), 10);
    assert!(times.is_sorted() && times[0].len() == "2026-01-01T00:00:00.123456789Z".len(), "{merged}");

    let printed = objects(&text(&["--item", "qux", "-o", "jsonl"]));
    let lines: Vec<_> = printed.iter().map(|object| object["line"].as_str().unwrap()).collect();
    assert_eq!(lines, ["one qux", "two qux"]);
    for object in &printed {
        assert_eq!((&object["index"], &object["attempt"]), (&3.into(), &1.into()));
        assert_eq!((object["item"].as_str(), object["container"].as_str()), (Some("qux"), Some("worker")));
        assert!(object["pod"].as_str().unwrap().starts_with("x-3-"), "{object}");
        assert!(object["time"].as_str().unwrap().starts_with("20"), "{object}");
    }
    let array: Value = serde_json::from_str(&text(&["-o", "json"])).unwrap();
    assert_eq!(array.as_array().unwrap().len(), 10);
    assert_eq!(text(&["-o", "json", "--status", "running"]), "[]\n");

    // Files.
    let folder = cluster.home().join("deep/logs");
    let to = folder.to_str().unwrap();
    assert_eq!(text(&["--to", to, "--index", "0,3"]), "");
    let written = |names: &[(&str, &str)]| {
        names.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect::<Vec<_>>()
    };
    let (foo, qux) = ("one foo\ntwo foo\n", "one qux\ntwo qux\n");
    assert_eq!(files(&cluster, "deep/logs"), written(&[("0.log", foo), ("3.log", qux)]));
    text(&["--to", to, "--index", "3,4", "--tail=1"]);
    let expected = written(&[("0.log", foo), ("3.log", "two qux\n"), ("4.log", "two xyz\n")]);
    assert_eq!(files(&cluster, "deep/logs"), expected, "files of others stay");

    assert_wrong_flags_are_refused(&cluster);
}

/// Asserts that wrong flags are an error before anything is printed.
fn assert_wrong_flags_are_refused(cluster: &Cluster) {
    let occupied = cluster.write("occupied", b"");
    let of = |args: &[&str]| {
        let outcome = logs(cluster, "x", args);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""), "{args:?}: {outcome:?}");
        outcome.stderr
    };
    assert_eq!(
        of(&["--item", "quux"]),
        "error: job \"x\" has no item \"quux\"\nhint: kubectl indexed indexes x lists the items; * matches any characters\n"
    );
    assert_eq!(
        of(&["-c", "main"]),
        "error: the pods of the job have no container \"main\"\nhint: their containers are worker\n"
    );
    for args in [
        &["--init"][..],
        &["--attempt", "0"],
        &["--since", "soon"],
        &["--since-time", "yesterday"],
        &["--since", "1s", "--since-time", "2000-01-01T00:00:00Z"],
        &["--grep", "["],
        &["--limit-bytes", "0"],
        &["--max-log-requests", "0"],
        &["--merge", "-k"],
        &["--to", occupied.to_str().unwrap()],
    ] {
        assert!(of(args).contains("error: "), "{args:?}");
    }
}

#[test]
fn of_a_job_that_kubectl_made_without_half_of_its_pods() {
    let cluster = Cluster::new("logs-gone");
    cluster.apply(&file("examples/indexed-job.yaml")).ok();
    cluster.wait_for("indexed-job");
    let logs = |args: &[&str]| logs(&cluster, "indexed-job", args);
    for one in [["--index", "3"], ["--item", "qux"]] {
        assert_eq!(logs(&one).ok().stdout, "xuq\n");
    }
    assert_eq!(logs(&["--item", "*a?"]).ok().stdout, "[1 bar] rab\n[2 baz] zab\n");
    assert_eq!(logs(&["--status", "failed", "--attempt", "all"]).ok().stdout, "");
    let printed = objects(&logs(&["-o", "jsonl"]).ok().stdout);
    let printed: Vec<_> = printed.iter().map(|o| (o["item"].as_str().unwrap(), o["line"].as_str().unwrap())).collect();
    assert_eq!(printed, [("foo", "oof"), ("bar", "rab"), ("baz", "zab"), ("qux", "xuq"), ("xyz", "zyx")]);

    for index in ["1", "3"] {
        let label = format!("batch.kubernetes.io/job-completion-index={index}");
        cluster.kubectl(&["delete", "pods", "-l", &label]).ok();
    }
    let missing = "error: no log from indexes 1,3 (their pods are gone: deleted by somebody, or by the cluster)\n\
                   hint: kubectl indexed describe indexed-job shows the status of each index\n";
    for args in [&[][..], &["-f"], &["-k", "-f"], &["--merge"]] {
        let outcome = logs(args);
        assert_eq!(outcome.sorted_lines(), ["[0 foo] oof", "[2 baz] zab", "[4 xyz] zyx"], "{args:?}");
        assert_eq!((outcome.code, outcome.stderr.as_str()), (1, missing), "{args:?}");
    }
    let to = cluster.home().join("logs");
    let outcome = logs(&["--to", to.to_str().unwrap()]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (1, missing));
    let names: Vec<_> = files(&cluster, "logs").into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["0.log", "2.log", "4.log"]);
    let one = logs(&["--item", "qux"]);
    assert_eq!((one.code, one.stdout.as_str()), (1, ""));
    assert!(one.stderr.starts_with("error: no log from index 3 (its pod is gone: "), "{one:?}");
    assert_eq!(logs(&["--index", "0,2"]).ok().stdout, "[0 foo] oof\n[2 baz] zab\n");
}
