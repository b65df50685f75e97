//! `suspend`, `resume` and `scale`, and how Kubernetes reacts.

use crate::support::{Cluster, GATE, Outcome};

/// Sleeps for a minute, and ends at SIGTERM.
const SLEEP: &str = "trap exit TERM; sleep 60 & wait";

/// Starts a Job whose indexes sleep for a minute, and waits until they run.
fn start(cluster: &Cluster, name: &str, flags: &[&str], running: &str) {
    let command = ["--detach", "-q", "--", "sh", "-c", SLEEP];
    cluster.run(&[&["run", name], flags, &command].concat()).ok();
    let job = format!("job/{name}");
    cluster.eventually("running pods", || cluster.field(&job, "{.status.ready}") == running);
}

#[track_caller]
fn refused(outcome: &Outcome, expected: &str) {
    assert_eq!((outcome.code, outcome.stdout.as_str()), (1, ""), "{outcome:?}");
    assert!(outcome.stderr.starts_with(expected), "{outcome:#?}\ndoes not start with {expected}");
    assert!(outcome.stderr.contains("\nhint: "), "{outcome:#?}");
}

#[test]
fn a_job_is_suspended_and_resumed() {
    let cluster = Cluster::new("suspend");
    start(&cluster, "x", &["--completions", "2", "--timeout", "1h"], "2");
    let dry = cluster.run(&["suspend", "x", "--dry-run=client"]).ok();
    assert_eq!(dry.stdout, "job.batch/x suspended (dry run)\n");
    let dry = cluster.run(&["suspend", "x", "--dry-run=server", "-o", "yaml"]).ok();
    assert!(dry.stdout.contains("\n  suspend: true\n"), "{dry:?}");
    assert_ne!(cluster.field("job/x", "{.spec.suspend}"), "true");

    let begun = cluster.field("job/x", "{.status.startTime}");
    let outcome = cluster.run(&["suspend", "job/x"]).ok();
    assert_eq!(outcome.stdout, "job.batch/x suspended\n");
    assert_eq!(
        outcome.stderr,
        "2 running indexes of job x end; they start again once it is resumed\n\
         the time limit of job x (3600s) starts again when it is resumed\n\
         hint: kubectl indexed resume x resumes it\n"
    );
    cluster
        .eventually("the end of the pods", || cluster.kubectl(&["get", "pods", "-o", "name"]).ok().stdout.is_empty());
    let again = cluster.run(&["suspend", "x"]).ok();
    assert_eq!((again.stdout.as_str(), again.stderr.as_str()), ("job.batch/x already suspended\n", ""));

    // Without a name, the newest Job.
    let outcome = cluster.run(&["resume", "-o", "name"]).ok();
    assert_eq!(outcome.stdout, "job.batch/x\n");
    assert!(outcome.stderr.contains(": x\nhint: kubectl indexed logs -f x follows it\n"), "{outcome:?}");
    cluster.eventually("running pods", || cluster.field("job/x", "{.status.ready}") == "2");
    // Newer servers remove the start time of a suspended Job, older ones replace it here.
    assert_ne!(cluster.field("job/x", "{.status.startTime}"), begun);
    let again = cluster.run(&["resume", "x"]).ok();
    assert_eq!((again.stdout.as_str(), again.stderr.as_str()), ("job.batch/x already resumed\n", ""));
}

/// The stopped Pods have printed nothing and are gone; only the next ones count.
#[test]
fn a_run_that_is_suspended_in_between_is_followed_to_its_end() {
    let cluster = Cluster::new("suspend-followed");
    let gate = cluster.write("gate.yaml", GATE.as_bytes());
    let script = "test -e /gate/open || { trap 'exit 1' TERM; sleep 600 & wait; }; echo {}";
    let run = ["run", "x", "--items=a,b", "--template", gate.to_str().unwrap(), "--", "sh", "-c", script];
    let following = cluster.start(&run);
    cluster.eventually("both Pods", || cluster.field("job/x", "{.status.ready}") == "2");
    cluster.run(&["suspend", "x"]).ok();
    let pods = || cluster.kubectl(&["get", "pods", "-o", "name"]).ok().stdout;
    cluster.eventually("the end of the Pods", || pods().is_empty());
    cluster.kubectl(&["create", "configmap", "gate", "--from-literal=open=yes"]).ok();
    cluster.run(&["resume", "x"]).ok();
    let outcome = following.end().ok();
    assert_eq!(outcome.sorted_lines(), ["[0 a #2] a", "[1 b #2] b"], "{outcome:?}");
    assert!(outcome.stderr.contains("job x completed: 2 of 2 indexes completed in "), "{outcome:?}");
}

#[test]
fn a_job_is_scaled_down_to_nothing_and_up() {
    let cluster = Cluster::new("scale");
    start(&cluster, "x", &["--completions", "3", "-j", "2"], "2");
    let outcome = cluster.run(&["scale", "x", "-j", "1"]).ok();
    assert_eq!(outcome.stdout, "job.batch/x scaled\n");
    assert_eq!(outcome.stderr, "1 running index of job x ends; it starts again when there is room\n");
    let outcome = cluster.run(&["scale", "x", "-j", "0"]).ok();
    assert!(
        outcome.stderr.ends_with(
            "job x starts no index while its parallelism is 0\nhint: kubectl indexed scale x -j 1 starts indexes again\n"
        ),
        "{outcome:?}"
    );
    cluster
        .eventually("the end of the pods", || cluster.kubectl(&["get", "pods", "-o", "name"]).ok().stdout.is_empty());
    let outcome = cluster.run(&["scale", "x", "-j", "5"]).ok();
    assert_eq!(outcome.stderr, "job x has only 3 indexes: no more than that run at once\n");
    cluster.eventually("running pods", || cluster.field("job/x", "{.status.ready}") == "3");
    let again = cluster.run(&["scale", "x", "--parallelism", "5"]).ok();
    assert_eq!((again.stdout.as_str(), again.stderr.as_str()), ("job.batch/x already scaled\n", ""));
    cluster.run(&["suspend", "x"]).ok();
    let outcome = cluster.run(&["scale", "x", "-j", "2", "--dry-run=client"]).ok();
    assert!(
        outcome.stderr.ends_with("job x is suspended: the change takes effect when it is resumed\n"),
        "{outcome:?}"
    );
    let outcome = cluster.run(&["scale", "x", "--completions", "4"]);
    refused(
        &outcome,
        "error: can't change the completions of job \"x\": its parallelism is 5, and Kubernetes changes ",
    );
}

#[test]
fn an_elastic_job_gets_other_completions() {
    let cluster = Cluster::new("elastic");
    start(&cluster, "x", &["--completions", "2"], "2");
    let outcome = cluster.run(&["scale", "x", "--completions", "3"]).ok();
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("job.batch/x scaled\n", ""));
    cluster.eventually("running pods", || cluster.field("job/x", "{.status.ready}") == "3");
    let outcome = cluster.run(&["scale", "x", "--completions", "1", "--parallelism", "1"]).ok();
    assert_eq!(
        outcome.stderr,
        "2 running indexes of job x end\njob x now has only the indexes below 1; the others no longer count\n"
    );
    cluster.eventually("one pod", || cluster.kubectl(&["get", "pods", "-o", "name"]).ok().stdout.lines().count() == 1);

    cluster.run(&["run", "list", "--items", "a,b", "--detach", "-q", "--", "sh", "-c", SLEEP]).ok();
    let outcome = cluster.run(&["scale", "list", "--completions", "3"]);
    refused(&outcome, "error: can't change the completions of job \"list\": its list has 2 items, so index 2 would");
}

#[test]
fn ended_and_queued_jobs_do_not_change() {
    let cluster = Cluster::new("life");
    cluster.run(&["run", "done", "--completions", "1", "-q", "--", "true"]).ok();
    assert_eq!(cluster.run(&["run", "bad", "--completions", "1", "-q", "--", "false"]).code, 1);
    cluster.run(&["run", "queued", "--completions", "1", "--queue", "main", "--detach", "-q", "--", "true"]).ok();
    for (verb, flags) in [("suspend", &[][..]), ("resume", &[]), ("scale", &["-j", "2"])] {
        let run = |job: &str| cluster.run(&[&[verb, job], flags].concat());
        refused(&run("done"), &format!("error: can't {verb} job \"done\": it has completed\n"));
        refused(&run("bad"), &format!("error: can't {verb} job \"bad\": it has failed\n"));
        if verb != "scale" {
            let expected = format!("error: can't {verb} job \"queued\": Kueue decides when it runs (queue main)");
            refused(&run("queued"), &expected);
        }
    }
    // If one of several Jobs can't be changed, none is.
    cluster.run(&["run", "held", "--completions", "1", "--detach", "-q", "--", "sh", "-c", SLEEP]).ok();
    refused(&cluster.run(&["suspend", "held", "done"]), "error: can't suspend job \"done\"");
    assert_ne!(cluster.field("job/held", "{.spec.suspend}"), "true");
}

#[test]
fn several_jobs_at_once() {
    let cluster = Cluster::new("several");
    for name in ["x", "y"] {
        cluster.run(&["run", name, "--completions", "1", "--label", "team=a", "-dq", "--", "sh", "-c", SLEEP]).ok();
    }
    cluster.run(&["run", "z", "--completions", "1", "--queue", "main", "-dq", "--", "true"]).ok();
    cluster.eventually("running pods", || {
        cluster.field("job/x", "{.status.active}") + &cluster.field("job/y", "{.status.active}") == "11"
    });
    let outcome = cluster.run(&["suspend", "-l", "team=a"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""), "{outcome:?}");
    assert_eq!(
        outcome.stderr,
        "  x: 1 running Pod\n  y: 1 running Pod\n\
         error: this would end 2 running Pods of 2 jobs, and there is no terminal to ask on\n\
         hint: add --yes (-y) to go on without a question\n"
    );
    let outcome = cluster.run(&["suspend", "--all", "-y"]).ok();
    assert_eq!(outcome.sorted_lines(), ["job.batch/x suspended", "job.batch/y suspended"]);
    assert!(outcome.stderr.starts_with("warning: can't suspend job \"z\": Kueue decides"), "{outcome:?}");
    let outcome = cluster.run(&["resume", "x", "job/y", "x"]).ok();
    assert_eq!(outcome.stdout, "job.batch/x resumed\njob.batch/y resumed\n");
    let none = cluster.run(&["scale", "-l", "team=b", "-j", "2"]).ok();
    assert_eq!(none.stdout, "");
    assert!(none.stderr.starts_with("nothing to scale: no Indexed Job with the labels team=b in "), "{none:?}");
}
