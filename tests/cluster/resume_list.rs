//! `run --resume`: only items of a list that are new, changed or have not succeeded run. Items are compared by content.

use crate::support::{Cluster, GATE, Outcome, file};

const SCRIPT: &str = "[ $1 != bad ] || [ -e /gate/open ] || exit 3; echo did $1";

/// Returns the line of `run` about skipped items.
fn skipped_line(outcome: &Outcome) -> String {
    outcome.stderr.lines().take_while(|line| !line.contains(" created: ")).collect::<Vec<_>>().join("\n")
}

#[test]
fn only_what_is_new_changed_or_failed_runs() {
    let cluster = Cluster::new("resume");
    let template = cluster.write("gate.yaml", GATE.as_bytes());
    let run = |flags: &[&str], command: &[&str]| {
        let flags = [&["run", "--template", template.to_str().unwrap(), "--prefix", "none"], flags, &["--"]].concat();
        cluster.run(&[&flags, command].concat())
    };
    let command = ["sh", "-c", SCRIPT, "sh", "{}"];
    let first = run(&["a", "--items", "one,two,bad,three,one"], &command);
    assert_eq!((first.code, first.stdout.lines().count()), (1, 4), "{first:#?}");

    // Another order, one item changed, one new, and one three times (two have succeeded).
    cluster.kubectl(&["create", "configmap", "gate", "--from-literal=open=yes"]).ok();
    let list = "bad,Two,one,three,one,one,new";
    let resume = ["b", "--resume", "job/a", "--items", list];
    let second = run(&resume, &command).ok();
    assert_eq!(second.sorted_lines(), ["did Two", "did bad", "did new", "did one"]);
    assert_eq!(
        skipped_line(&second),
        "3 of 7 items have succeeded in job a with this command and image: skipped; 4 run"
    );
    assert_eq!(cluster.field("job/b", "{.spec.completions}"), "4");
    let described = cluster.run(&["describe", "b", "--show-events=false"]).ok().stdout;
    assert!(described.contains("a (3 items of the list had succeeded)"), "{described}");

    // A third run counts successes of the second and of the first.
    let third = run(&["--resume", "b", "--items", list], &command).ok();
    assert_eq!(third.stdout, "");
    assert_eq!(third.stderr, "nothing to run: all 7 items have succeeded in jobs b, a with this command and image\n");
    let again = run(&["c", "--resume", "a", "--items", list, "--dry-run=client", "-o", "name"], &command).ok();
    assert_eq!(again.stdout, "configmap/c-items\njob.batch/c\n");
    assert!(again.stderr.contains("--resume b counts those successes too"), "{again:#?}");

    let other = run(&["--resume", "b", "--items", list, "--dry-run=client"], &["echo", "{}"]).ok();
    assert!(other.stderr.contains("job b ran another command: sh -c "), "{other:#?}");
    assert!(other.stderr.contains("none of 7 items has succeeded in jobs b, a with this command and image"));
    let other = run(&["--resume", "b", "--items", list, "--dry-run=client", "--image", "x"], &command).ok();
    assert!(other.stderr.contains("job a ran another image: docker.io/library/busybox; its successes do not count"));

    cluster.run(&["delete", "a"]).ok();
    let gone = run(&["d", "--resume", "b", "--items", list, "--dry-run=client", "-o", "name"], &command).ok();
    assert!(
        gone.stderr.contains("warning: job a, which job b resumed, is gone: items that succeeded there are not known"),
        "{gone:#?}"
    );
    assert!(gone.stderr.contains("4 of 7 items have succeeded in job b with this command and image"), "{gone:#?}");
}

#[test]
fn jobs_of_other_tools_and_their_retries_count() {
    let cluster = Cluster::new("resume");
    let manifest = file("examples/indexed-job.yaml").replace("(foo bar baz qux xyz)", "(foo bar)");
    let manifest = manifest.replace("completions: 5", "completions: 2\n  backoffLimitPerIndex: 0");
    // The worker of index 1 finds no file.
    let only_first = "> /input/$JOB_COMPLETION_INDEX && mv /input/0 /input/data.txt || true";
    cluster.apply(&manifest.replace("> /input/data.txt", only_first)).ok();
    assert_eq!(cluster.run(&["wait", "indexed-job", "-q"]).code, 1);
    let resume = |list: &str, command: &[&str]| {
        let flags = ["run", "r", "--resume", "indexed-job", "--dry-run=client", "-o", "name", "--items", list, "--"];
        skipped_line(&cluster.run(&[&flags, command].concat()).ok())
    };
    let same = "in job indexed-job with this command and image";
    assert_eq!(resume("foo,bar", &["rev"]), format!("1 of 2 items has succeeded {same}: skipped; 1 runs"));
    assert!(resume("foo", &["tac"]).starts_with("job indexed-job ran another command: rev /input/data.txt; "));
    // A retry with another command succeeds, and is reported.
    cluster.run(&["retry", "indexed-job", "-q", "--", "sh", "-c", "true"]).ok();
    assert_eq!(
        resume("bar,foo", &["rev", "/input/data.txt"]),
        format!(
            "job indexed-job-r1 ran another command: sh -c true; its successes do not count\n\
             1 of 2 items has succeeded {same}: skipped; 1 runs"
        )
    );
}

/// Above 1,000 items, several share a key. All but a few indexes are made to fail before they run.
#[test]
#[ignore = "needs Kubernetes 1.31"]
fn long_lists_and_lists_that_may_change() {
    let cluster = Cluster::new("resume");
    let many: Vec<_> = (0..1001).map(|number| format!("item {number}\n")).collect();
    let path = cluster.write("many.txt", many.concat().as_bytes());
    let path = path.to_str().unwrap();
    let run = ["run", "many", "-a", path, "-q", "-j", "2", "--success-indexes", "0,1", "--", "cat"];
    cluster.run(&run).ok();
    let more = format!("{}item 1\nnew\n", many.concat());
    let path = cluster.write("more.txt", more.as_bytes());
    let resume = ["run", "r", "--resume", "many", "-a", path.to_str().unwrap(), "--dry-run=client", "-o", "name", "--"];
    let rest = skipped_line(&cluster.run(&[&resume[..], &["cat"]].concat()).ok());
    assert!(rest.starts_with("2 of 1003 items have succeeded in job many with"), "{rest}");

    cluster.kubectl(&["create", "configmap", "list", "--from-literal=l=a\nb"]).ok();
    cluster.run(&["run", "listed", "-q", "--items-configmap", "list/l", "--", "cat"]).ok();
    let resume = ["run", "r", "--resume", "listed", "--items-configmap", "list/l", "-q", "--", "cat"];
    assert_eq!(skipped_line(&cluster.run(&resume).ok()), "");
    // A list may grow.
    cluster.kubectl(&["patch", "configmap", "list", "-p", r#"{"data": {"l": "a\nb\nc"}}"#]).ok();
    let rest =
        ["run", "r", "--resume", "listed", "--items-configmap", "list/l", "--dry-run=client", "-o", "name", "--"];
    let rest = skipped_line(&cluster.run(&[&rest[..], &["cat"]].concat()).ok());
    assert!(rest.starts_with("2 of 3 items have succeeded in job listed with"), "{rest}");
    cluster.kubectl(&["patch", "configmap", "list", "-p", r#"{"data": {"l": "c\nb\na"}}"#]).ok();
    let changed = cluster.run(&resume);
    assert_eq!(changed.code, 2);
    let why =
        "error: can't tell which items of job listed succeeded: configmap list has changed since the job was created";
    assert!(changed.stderr.starts_with(why), "{changed:#?}");
    let described = cluster.run(&["describe", "listed"]).ok().stderr;
    assert!(described.contains("warning: configmap list has changed since job listed was made"), "{described}");
    let none = cluster.kubectl(&["get", "job", "r", "--ignore-not-found", "-o", "name"]).ok().stdout;
    assert_eq!(none, "");
}

/// The same command again continues the same Job, unless the remaining items have changed.
#[test]
fn a_submission_that_was_cut_off_is_continued() {
    let cluster = Cluster::new("resume");
    let template = cluster.write("gate.yaml", GATE.as_bytes());
    let command = |name, more: &[&'static str], list| {
        let template = template.to_str().unwrap();
        let flags = [&["run", name, "--template", template, "--items", list, "-o", "name"], more].concat();
        cluster.run(&[&flags[..], &["--", "sh", "-c", SCRIPT, "sh", "{}"]].concat())
    };
    command("a", &["-d"], "one,bad").ok();
    assert_eq!(cluster.run(&["wait", "a", "-q"]).code, 1);
    let resume = || command("b", &["-d", "--resume", "a", "--node-selector", "no=where"], "one,bad,new");
    resume().ok();
    assert_eq!(cluster.field("job/b", "{.spec.completions}"), "2");
    let submitting = ["annotate", "job", "b", "kubectl-indexed/submitting=true"];
    cluster.kubectl(&submitting).ok();
    let again = resume().ok();
    assert!(
        again.stderr.contains("job b was begun by this same command and interrupted: finishing the submission"),
        "{again:#?}"
    );
    let early = command("c", &["--resume", "b", "--dry-run=client"], "one,bad,new").ok();
    assert!(
        early.stderr.contains("warning: job b has not ended: items that still run there run here too"),
        "{early:#?}"
    );

    cluster.kubectl(&submitting).ok();
    cluster.kubectl(&["create", "configmap", "gate", "--from-literal=open=yes"]).ok();
    cluster.run(&["retry", "a", "-q"]).ok();
    let other = resume();
    assert_eq!(other.code, 1);
    assert!(other.stderr.contains("other items are outstanding now"), "{other:#?}");
    cluster.run(&["delete", "b"]).ok();
    resume().ok();
    assert_eq!(cluster.field("job/b", "{.spec.completions}"), "1");
}

#[test]
fn a_job_that_can_not_be_resumed_is_refused() {
    let cluster = Cluster::new("resume");
    cluster.run(&["run", "bare", "--completions", "1", "-q", "--", "true"]).ok();
    let refused = |flags: &[&str]| {
        let outcome = cluster.run(&[&["run"], flags, &["--", "true"]].concat());
        assert_eq!(outcome.stdout, "", "{outcome:#?}");
        (outcome.code, outcome.stderr)
    };
    let (code, why) = refused(&["--resume", "bare", "--items", "a", "--item-as", "env"]);
    assert_eq!(code, 0, "it ran its indexes in another way: {why}");
    let (code, why) = refused(&["--resume", "bare", "--completions", "1"]);
    assert!(code == 2 && why.contains("--resume compares items, and this run has only indexes"), "{why}");
    let (code, why) = refused(&["bare", "--resume", "bare", "--items", "a"]);
    assert!(code == 2 && why.contains("can't resume itself"), "{why}");
    let (code, why) = refused(&["--resume", "none", "--items", "a"]);
    assert!(code == 1 && why.contains("there is no job \"none\""), "{why}");
}
