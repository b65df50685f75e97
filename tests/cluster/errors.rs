//! Errors of the server that stop a command before it creates anything.

use crate::support::{Cluster, Outcome};

fn refused(outcome: &Outcome, code: i32, expected: &str) {
    assert_eq!((outcome.code, outcome.stdout.as_str()), (code, ""), "{outcome:?}");
    assert!(outcome.stderr.starts_with(expected), "{outcome:#?}\ndoes not start with {expected}");
    assert!(outcome.stderr.contains("\nhint: "), "{outcome:#?}");
}

#[test]
fn a_missing_namespace() {
    let cluster = Cluster::new("errors");
    let outcome = cluster.run(&["run", "--items", "a", "-n", "nowhere", "--", "rev"]);
    refused(&outcome, 1, "error: can't create job \"rev-");
    assert!(outcome.stderr.contains("namespaces \"nowhere\" not found"), "{outcome:?}");
}

#[test]
fn a_job_that_is_not_indexed() {
    let cluster = Cluster::new("errors");
    cluster.kubectl(&["create", "job", "plain", "--image=busybox", "--", "true"]).ok();
    for verb in ["describe", "logs", "wait", "suspend", "resume"] {
        let expected = "error: job \"plain\" is not Indexed: its Pods have no completion index";
        refused(&cluster.run(&[verb, "plain"]), 1, expected);
        let missing = format!("error: there is no job \"none\" in namespace {:?}\n", cluster.namespace());
        refused(&cluster.run(&[verb, "none"]), 1, &missing);
        refused(&cluster.run(&[verb, "pod/x"]), 2, "error: \"pod/x\" is not a job: it names a \"pod\"\n");
        let nothing = format!("error: there is no Indexed Job in namespace {:?}\n", cluster.namespace());
        refused(&cluster.run(&[verb]), 1, &nothing);
    }
}

#[test]
fn a_missing_job_gets_the_name_of_a_similar_one() {
    let cluster = Cluster::new("errors");
    cluster.run(&["run", "train-a", "-dq", "--completions", "1", "--", "true"]).ok();
    for verb in ["describe", "logs", "wait", "delete"] {
        let outcome = cluster.run(&[verb, "trian-a"]);
        assert!(outcome.code == 1 && outcome.stderr.contains("hint: did you mean train-a?"), "{verb}: {outcome:?}");
    }
    assert!(!cluster.run(&["describe", "zebra"]).stderr.contains("did you mean"));
    let pod = cluster.run(&["logs", "train-a-0-x7k2p"]);
    let hint = "hint: did you mean train-a? That name belongs to a Pod of its index 0\n";
    assert!(pod.code == 1 && pod.stderr.ends_with(hint), "{pod:?}");
}

#[test]
fn a_forbidden_verb_names_the_permission() {
    let cluster = Cluster::new("errors");
    let namespace = cluster.namespace();
    cluster.run(&["run", "mine", "--items", "a", "-q", "--", "rev"]).ok();
    let narrow =
        |args: &[&str]| cluster.run(&[&args[..1], &["--context", "narrow", "-n", namespace], &args[1..]].concat());
    let outcome = narrow(&["run", "--items", "a", "--name", "theirs", "--", "rev"]);
    refused(&outcome, 1, "error: can't create ");
    assert!(outcome.stderr.contains("cannot create resource"), "{outcome:?}");
    assert!(outcome.stderr.contains("kubectl auth can-i create "), "{outcome:?}");
    let left = cluster.kubectl(&["get", "jobs", "-o", "name"]).ok().stdout;
    assert_eq!(left, "job.batch/mine\n");
    refused(&narrow(&["delete", "mine"]), 1, "error: can't delete job \"mine\"");
    // `describe` shows what the user may read: here neither events nor ConfigMaps.
    let described = narrow(&["describe", "mine"]).ok();
    assert!(described.stdout.contains("Completed Indexes:  0\n"), "{described:?}");
    assert!(described.stderr.contains("warning: events are left out: "), "{described:?}");
    assert_eq!(narrow(&["wait", "mine"]).code, 0);
    let logs = narrow(&["logs", "mine"]);
    assert_eq!(logs.code, 1, "{logs:?}");
    assert!(logs.stderr.contains("cannot get resource \"pods/log\""), "{logs:?}");
}

#[test]
fn a_refused_job_leaves_nothing() {
    let cluster = Cluster::new("errors");
    let name = "there";
    cluster.run(&["run", name, "--items", "a", "--detach", "-q", "--", "rev"]).ok();
    let other = cluster.run(&["run", name, "--items", "b", "--detach", "-q", "--", "rev"]);
    refused(&other, 1, "error: can't create ");
    assert!(other.stderr.contains("already exists"), "{other:?}");
    let invalid = cluster.run(&["run", "bad", "--items", "a", "--label", "not a key=x", "--", "rev"]);
    refused(&invalid, 2, "error: can't create job \"bad\"");
    assert!(invalid.stderr.ends_with("hint: kubectl explain job describes the fields\n"), "{invalid:?}");
    let unknown = cluster.run(&[
        "run",
        "bad",
        "--items",
        "a",
        "--service-account",
        "nobody",
        "--queue",
        "not/a/label",
        "--",
        "rev",
    ]);
    assert_eq!((unknown.code, unknown.stdout.as_str()), (2, ""), "{unknown:?}");
    let left = cluster.kubectl(&["get", "jobs,configmaps", "-o", "name"]).ok().stdout;
    assert_eq!(left, "job.batch/there\nconfigmap/kube-root-ca.crt\nconfigmap/there-items\n");
}
