//! Errors that need no cluster: the message, the hint and the exit code.

use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use insta::assert_snapshot;

use crate::support::{Outcome, Sandbox, nobody_listens};

/// The exit code of wrong usage: nothing was created.
const USAGE: i32 = 2;
/// The exit code of a runtime error.
const FAILURE: i32 = 1;

/// Asserts that the outcome is an error with this exit code and nothing on stdout, and returns it.
#[track_caller]
fn refused(code: i32, outcome: Outcome) -> Outcome {
    assert_eq!((outcome.code, outcome.stdout.as_str()), (code, ""), "{outcome}");
    assert!(outcome.stderr.starts_with("error: "), "{outcome}");
    outcome
}

/// `run` with these flags and the command `rev`.
fn run(flags: &[&str]) -> Outcome {
    Sandbox::new().run(&[&["run"], flags, &["--", "rev"]].concat())
}

#[test]
fn no_items() {
    assert_snapshot!(refused(USAGE, run(&[])), @"
    ── stdout
    ── stderr
    error: there are no items to run the command for
    hint: name them: kubectl indexed run --items foo,bar,baz -- rev
    hint: or read one per line from a file, or - for stdin: kubectl indexed run --items-file FILE -- rev
    hint: or run indexes without items: kubectl indexed run --completions 10 -- rev
    ── exit code 2
    ");
    assert_snapshot!(refused(USAGE, run(&["--items", ""])), @"
    ── stdout
    ── stderr
    error: --items is empty: there are no items to run the command for
    hint: name them: kubectl indexed run --items foo,bar,baz -- rev
    ── exit code 2
    ");
}

#[test]
fn no_command() {
    assert_snapshot!(refused(USAGE, Sandbox::new().run(&["run", "--items", "a,b"])), @"
    ── stdout
    ── stderr
    error: there is no command to run for each item
    hint: put the command last, after two dashes: kubectl indexed run --items foo,bar,baz -- rev
    ── exit code 2
    ");
    assert_snapshot!(refused(USAGE, Sandbox::new().run(&["run", "--items", "a,b", "rev"])), @r#"
    ── stdout
    ── stderr
    error: there is no command to run for each item
    hint: put the command last, after two dashes: kubectl indexed run --items foo,bar,baz -- rev
    hint: "rev" was taken for the name of the Job
    ── exit code 2
    "#);
}

#[test]
fn items_and_completions() {
    assert_snapshot!(refused(USAGE, run(&["--items", "a", "--completions", "3"])), @"
    ── stdout
    ── stderr
    error: --items and --completions are two sources of items
    hint: remove one of them; only --param can be repeated
    ── exit code 2
    ");
}

#[test]
fn more_indexes_than_a_job_can_have() {
    assert_snapshot!(refused(USAGE, run(&["--completions", "100001"])), @"
    ── stdout
    ── stderr
    error: 100001 indexes are too many for one Job: Kubernetes allows 100000 with per-index limits
    hint: split the work into runs of at most 100000 indexes
    ── exit code 2
    ");
}

#[test]
fn no_index_at_all() {
    assert_snapshot!(refused(USAGE, run(&["--completions", "0"])), @"
    ── stdout
    ── stderr
    error: --completions 0 would run nothing
    hint: use --completions 1 or more
    ── exit code 2
    ");
}

#[test]
fn parallelism_zero() {
    assert_snapshot!(refused(USAGE, run(&["--items", "a", "-j", "0"])), @"
    ── stdout
    ── stderr
    error: --parallelism 0 would run nothing
    hint: use --parallelism 1 or more
    ── exit code 2
    ");
}

/// The host name of a Pod is `NAME-INDEX`, a DNS label of at most 63 characters.
#[test]
fn a_name_that_is_too_long() {
    let longest = "a".repeat(61);
    let fits = run(&["--name", &longest, "--items", "a,b", "--dry-run=client"]);
    assert_eq!(fits.code, 0, "{fits}");
    assert_snapshot!(refused(USAGE, run(&["--name", &"a".repeat(62), "--items", "a,b"])), @r#"
    ── stdout
    ── stderr
    error: the name "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" has 62 characters, and at most 61 fit: NAME-1 may have 63
    hint: use --name aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    ── exit code 2
    "#);
    let eleven = run(&["--name", &longest, "--completions", "11"]);
    assert_snapshot!(refused(USAGE, eleven), @r#"
    ── stdout
    ── stderr
    error: the name "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" has 61 characters, and at most 60 fit: NAME-10 may have 63
    hint: use --name aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    ── exit code 2
    "#);
}

#[test]
fn an_invalid_name() {
    assert_snapshot!(refused(USAGE, run(&["--name", "Bad_Name", "--items", "a"])), @r#"
    ── stdout
    ── stderr
    error: "Bad_Name" is not a valid name of an Indexed Job: use a-z, 0-9 and -, with no - at either end
    hint: use --name bad-name
    ── exit code 2
    "#);
    assert_snapshot!(refused(USAGE, run(&["x", "--name", "y", "--items", "a"])), @"
    ── stdout
    ── stderr
    error: the argument '[NAME]' cannot be used with '--name <NAME>'
    hint: remove one of them
    ── exit code 2
    ");
}

#[test]
fn an_unknown_form_or_store() {
    assert_snapshot!(refused(USAGE, run(&["--items", "a", "--item-as", "letter"])), @r#"
    ── stdout
    ── stderr
    error: --item-as "letter" is not one of file, arg, env, stdin, index
    hint: --item-as <FORM>: Pass the item in this form [default: arg if the command has {} or {COLUMN}, else file]
    ── exit code 2
    "#);
    assert_snapshot!(refused(USAGE, run(&["--items", "a", "--item-store", "drawer"])), @r#"
    ── stdout
    ── stderr
    error: --item-store "drawer" is not one of auto, inline, configmap
    hint: --item-store <STORE>: Store the list of items here
    ── exit code 2
    "#);
}

#[test]
fn invalid_quantities() {
    assert_snapshot!(refused(USAGE, run(&["--items", "a", "--cpu", "lots"])), @r#"
    ── stdout
    ── stderr
    error: --cpu "lots" is not a Kubernetes quantity
    hint: write it as 2, 0.5, 500m or 500m:2
    ── exit code 2
    "#);
    assert_snapshot!(refused(USAGE, run(&["--items", "a", "--memory", "5Q"])), @r#"
    ── stdout
    ── stderr
    error: --memory "5Q" is not a Kubernetes quantity
    hint: write it as 512Mi, 2Gi or 512Mi:2Gi
    ── exit code 2
    "#);
    assert_snapshot!(refused(USAGE, run(&["--items", "a", "--gpu", "x"])), @r#"
    ── stdout
    ── stderr
    error: --gpu "x" is neither a whole number nor RESOURCE=NUMBER
    hint: write it as --gpu 1 or --gpu amd.com/gpu=1
    ── exit code 2
    "#);
}

#[test]
fn invalid_pairs() {
    assert_snapshot!(refused(USAGE, run(&["--items", "a", "--env", "GREETING"])), @r#"
    ── stdout
    ── stderr
    error: --env "GREETING": write it as KEY=VALUE
    hint: --env <KEY=VALUE>: Set an environment variable of the worker
    ── exit code 2
    "#);
    assert_snapshot!(refused(USAGE, run(&["--items", "a", "--label", "=x"])), @r#"
    ── stdout
    ── stderr
    error: --label "=x": the key before = is missing
    hint: --label <KEY=VALUE>: Add a label to the Job and its Pods
    ── exit code 2
    "#);
    assert_snapshot!(refused(USAGE, run(&["--items", "a", "--toleration", "gpu"])), @r#"
    ── stdout
    ── stderr
    error: --toleration "gpu" lacks an effect
    hint: write it as KEY:EFFECT or KEY=VALUE:EFFECT, as in gpu=true:NoSchedule
    ── exit code 2
    "#);
}

#[test]
fn a_missing_template() {
    assert_snapshot!(refused(USAGE, run(&["--items", "a", "--template", "job.yaml"])), @"
    ── stdout
    ── stderr
    error: the template job.yaml can't be read: No such file or directory (os error 2)
    hint: ls -l . lists the files
    ── exit code 2
    ");
}

#[test]
fn a_template_that_is_not_a_job() {
    let sandbox = Sandbox::new();
    sandbox.write("pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\nspec:\n  containers: []\n");
    sandbox.write("torn.yaml", "kind: [Job\n");
    sandbox.write("empty.yaml", "");
    let run = |name: &str| sandbox.run(&["run", "--items", "a", "--template", name, "--", "rev"]);
    assert_snapshot!(refused(USAGE, run("pod.yaml")), @"
    ── stdout
    ── stderr
    error: the template pod.yaml is a Pod, and it must be a Job, a CronJob or a PodTemplate
    hint: kubectl create job NAME --image=IMAGE --dry-run=client -o yaml prints one to start from
    ── exit code 2
    ");
    assert_snapshot!(refused(USAGE, run("torn.yaml")), @"
    ── stdout
    ── stderr
    error: the template torn.yaml is not valid YAML: line 1 column 7: unclosed bracket '['
     --> <input>:1:7
      |
    1 | kind: [Job
      |       ^ unclosed bracket '['
    ── exit code 2
    ");
    assert_snapshot!(refused(USAGE, run("empty.yaml")), @"
    ── stdout
    ── stderr
    error: the template empty.yaml is empty
    hint: kubectl create job NAME --image=IMAGE --dry-run=client -o yaml prints one to start from
    ── exit code 2
    ");
}

#[test]
fn objects_and_output_can_not_share_stdout() {
    assert_snapshot!(refused(USAGE, run(&["--items", "a", "-o", "yaml"])), @"
    ── stdout
    ── stderr
    error: -o would print the objects among the output of the indexes
    hint: add --detach, or --dry-run=client to create nothing
    ── exit code 2
    ");
    assert_snapshot!(refused(USAGE, run(&["--items", "a", "--detach", "--dry-run=client"])), @"
    ── stdout
    ── stderr
    error: the argument '--detach' cannot be used with '--dry-run[=<WHERE>]'
    hint: remove one of them
    ── exit code 2
    ");
}

#[test]
fn invalid_indexes() {
    assert_snapshot!(refused(USAGE, Sandbox::new().run(&["logs", "--index", "some"])), @r#"
    ── stdout
    ── stderr
    error: --index "some": "some" is neither a number nor one of failed, running, pending, succeeded, all
    hint: --index <INDEXES>: Print only these indexes, as in 0-3,7 or failed
    ── exit code 2
    "#);
    assert_snapshot!(refused(USAGE, Sandbox::new().run(&["logs", "--index", "3-1"])), @r#"
    ── stdout
    ── stderr
    error: --index "3-1": 3-1 runs backwards; write 1-3
    hint: --index <INDEXES>: Print only these indexes, as in 0-3,7 or failed
    ── exit code 2
    "#);
}

#[test]
fn invalid_rows() {
    let run = |flags: &[&str]| refused(USAGE, Sandbox::new().run(&[&["indexes"], flags].concat()));
    assert_snapshot!(run(&["--status", "failed,done"]), @r#"
    ── stdout
    ── stderr
    error: --status "done" is not one of pending, starting, running, retrying, unknown, succeeded, failed
    hint: --status <STATUS>: List only indexes with this status; separate several by commas
    ── exit code 2
    "#);
    assert_snapshot!(run(&["--sort-by", "age"]), @r#"
    ── stdout
    ── stderr
    error: --sort-by "age" is not one of index, item, status, attempts, exit, reason, node, started, duration
    hint: --sort-by <COLUMN>: Sort the rows by this column
    ── exit code 2
    "#);
    assert_snapshot!(run(&["-w", "-o", "json"]), @"
    ── stdout
    ── stderr
    error: -o json prints all indexes as one object, and -w prints changes
    hint: -o jsonl prints an object for each change
    ── exit code 2
    ");
}

#[test]
fn invalid_durations() {
    assert_snapshot!(refused(USAGE, Sandbox::new().run(&["wait", "--timeout", "soon"])), @r#"
    ── stdout
    ── stderr
    error: --timeout "soon": "soon" is not a duration such as 90s, 10m or 2h
    hint: write it as 90s, 10m or 2h
    ── exit code 2
    "#);
    assert_snapshot!(refused(USAGE, Sandbox::new().run(&["list", "--request-timeout", "never"])), @r#"
    ── stdout
    ── stderr
    error: --request-timeout "never": "never" is not a duration such as 90s, 10m or 2h
    hint: write it as 30s or 1m
    ── exit code 2
    "#);
}

#[test]
fn nothing_to_delete() {
    assert_snapshot!(refused(USAGE, Sandbox::new().run(&["delete"])), @"
    ── stdout
    ── stderr
    error: the following required arguments were not provided: <JOB>...
    hint: write it as kubectl indexed delete <JOB>...
    ── exit code 2
    ");
}

#[test]
fn an_invalid_age() {
    assert_snapshot!(refused(USAGE, Sandbox::new().run(&["delete", "--older-than", "1w"])), @r#"
    ── stdout
    ── stderr
    error: --older-than "1w": "1w" is not an age such as 30m, 2h, 1d or 1d12h
    hint: write it as 30m, 12h or 1d
    ── exit code 2
    "#);
}

#[test]
fn names_and_a_selector() {
    assert_snapshot!(refused(USAGE, Sandbox::new().run(&["delete", "x", "--all"])), @"
    ── stdout
    ── stderr
    error: the argument '[JOB]...' cannot be used with '--all'
    hint: remove one of them
    ── exit code 2
    ");
    assert_snapshot!(refused(USAGE, Sandbox::new().run(&["suspend", "x", "-l", "a=b"])), @"
    ── stdout
    ── stderr
    error: the argument '[JOB]...' cannot be used with '--selector <SELECTOR>'
    hint: remove one of them
    ── exit code 2
    ");
}

#[test]
fn numbers_to_which_no_job_can_be_scaled() {
    let scale = |flags: &[&str]| refused(USAGE, Sandbox::new().run(&[&["scale", "x"], flags].concat()));
    assert_snapshot!(scale(&[]), @"
    ── stdout
    ── stderr
    error: the following required arguments were not provided: --parallelism <N>
    hint: --parallelism <N>: Run at most N indexes at once; 0 runs none
    ── exit code 2
    ");
    assert_snapshot!(scale(&["-j", "100001"]), @r#"
    ── stdout
    ── stderr
    error: --parallelism "100001": 100001 is not in 0..=100000
    hint: --parallelism <N>: Run at most N indexes at once; 0 runs none
    ── exit code 2
    "#);
    assert_snapshot!(scale(&["--completions", "0"]), @r#"
    ── stdout
    ── stderr
    error: --completions "0": 0 is not in 1..=100000
    hint: --completions <N>: Change the number of indexes of an elastic Job
    ── exit code 2
    "#);
    assert_snapshot!(scale(&["--completions", "3", "-j", "2"]), @"
    ── stdout
    ── stderr
    error: --completions 3 and --parallelism 2 differ: Kubernetes changes completions only together with an equal parallelism
    hint: leave one out, or set both to 3
    ── exit code 2
    ");
}

#[test]
fn no_kubeconfig() {
    assert_snapshot!(refused(USAGE, Sandbox::new().run(&["list"])), @"
    ── stdout
    ── stderr
    error: connecting to the cluster: no cluster is configured: HOME/.kube/config does not exist, and this is not a Pod
    hint: --kubeconfig FILE or $KUBECONFIG names a kubeconfig
    ── exit code 2
    ");
    assert_snapshot!(refused(USAGE, Sandbox::new().run(&["list", "--kubeconfig", "nowhere"])), @"
    ── stdout
    ── stderr
    error: connecting to the cluster: the kubeconfig nowhere does not exist
    hint: correct --kubeconfig, or leave it out to read $KUBECONFIG or ~/.kube/config
    ── exit code 2
    ");
}

const KUBECONFIG: &str = "
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: 'http://127.0.0.1:PORT'}}]
users: [{name: u, user: {}}]
contexts: [{name: one, context: {cluster: c, user: u}}, {name: two, context: {cluster: c, user: u}}]
current-context: one
";

#[test]
fn an_unknown_context() {
    let sandbox = Sandbox::new();
    sandbox.write(".kube/config", KUBECONFIG);
    assert_snapshot!(refused(USAGE, sandbox.run(&["list", "--context", "three"])), @r#"
    ── stdout
    ── stderr
    error: connecting to the cluster: the context "three" is not in the kubeconfig: it has one, two
    hint: kubectl config get-contexts lists the contexts; --context NAME selects one
    ── exit code 2
    "#);
}

/// The error comes at once, not after minutes of retries.
#[test]
fn an_unreachable_server() {
    let sandbox = Sandbox::new();
    let (_, port) = nobody_listens();
    sandbox.write(".kube/config", KUBECONFIG.replace("PORT", &port));
    let start = Instant::now();
    let run = |args: &[&str]| refused(FAILURE, sandbox.run(args)).replace(&port, "PORT");
    assert_snapshot!(run(&["list"]), @r#"
    ── stdout
    ── stderr
    error: can't list jobs in namespace "default": the connection to the server 127.0.0.1:PORT was refused
    hint: check the host and the port, and whether the cluster runs
    hint: kubectl config get-contexts lists the contexts; --context NAME selects one
    ── exit code 1
    "#);
    assert_snapshot!(run(&["describe", "x"]), @r#"
    ── stdout
    ── stderr
    error: can't get job "x" in namespace "default": the connection to the server 127.0.0.1:PORT was refused
    hint: check the host and the port, and whether the cluster runs
    hint: kubectl config get-contexts lists the contexts; --context NAME selects one
    ── exit code 1
    "#);
    assert_snapshot!(run(&["indexes", "x"]), @r#"
    ── stdout
    ── stderr
    error: can't get job "x" in namespace "default": the connection to the server 127.0.0.1:PORT was refused
    hint: check the host and the port, and whether the cluster runs
    hint: kubectl config get-contexts lists the contexts; --context NAME selects one
    ── exit code 1
    "#);
    assert_snapshot!(run(&["logs", "x"]), @r#"
    ── stdout
    ── stderr
    error: can't get job "x" in namespace "default": the connection to the server 127.0.0.1:PORT was refused
    hint: check the host and the port, and whether the cluster runs
    hint: kubectl config get-contexts lists the contexts; --context NAME selects one
    ── exit code 1
    "#);
    assert_snapshot!(run(&["wait", "x"]), @r#"
    ── stdout
    ── stderr
    error: can't get job "x" in namespace "default": the connection to the server 127.0.0.1:PORT was refused
    hint: check the host and the port, and whether the cluster runs
    hint: kubectl config get-contexts lists the contexts; --context NAME selects one
    ── exit code 1
    "#);
    assert_snapshot!(run(&["delete", "x"]), @r#"
    ── stdout
    ── stderr
    error: can't get job "x" in namespace "default": the connection to the server 127.0.0.1:PORT was refused
    hint: check the host and the port, and whether the cluster runs
    hint: kubectl config get-contexts lists the contexts; --context NAME selects one
    ── exit code 1
    "#);
    assert_snapshot!(run(&["run", "x", "--completions", "1", "--", "rev"]), @"
    ── stdout
    ── stderr
    error: can't get the server's version: the connection to the server 127.0.0.1:PORT was refused
    hint: check the host and the port, and whether the cluster runs
    hint: kubectl config get-contexts lists the contexts; --context NAME selects one
    ── exit code 1
    ");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?} for seven verbs", start.elapsed());
}

#[test]
fn contradicting_policies() {
    assert_snapshot!(refused(USAGE, run(&["--items", "a,b", "--fail-fast", "--max-failed", "1"])), @"
    ── stdout
    ── stderr
    error: the argument '--fail-fast' cannot be used with '--max-failed <N>'
    hint: remove one of them
    ── exit code 2
    ");
    assert_snapshot!(refused(USAGE, run(&["--items", "a,b", "--fail-on-exit", "3-5", "--ignore-exit", "4"])), @"
    ── stdout
    ── stderr
    error: --fail-on-exit and --ignore-exit both have 4: an index is either retried or not
    hint: remove 4 from one of them
    ── exit code 2
    ");
    assert_snapshot!(refused(USAGE, run(&["--items", "a,b", "--success-count", "3"])), @"
    ── stdout
    ── stderr
    error: --success-count 3 is more than the number of indexes of the Job, 2
    hint: use --success-count 2 or less
    ── exit code 2
    ");
    assert_snapshot!(refused(USAGE, run(&["--items", "a,b", "--index-timeout", "1d"])), @r#"
    ── stdout
    ── stderr
    error: --index-timeout "1d" is not a duration such as 90s, 10m or 2h
    hint: write it as --index-timeout 10m
    ── exit code 2
    "#);
}

#[test]
fn a_server_that_accepts_and_never_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || listener.incoming().map(Result::unwrap).collect::<Vec<_>>());
    let server = format!("http://127.0.0.1:{port}");
    let verbs: [&[&str]; 14] = [
        &["list"],
        &["version"],
        &["describe", "x"],
        &["indexes", "x"],
        &["logs", "x"],
        &["results", "x"],
        &["wait", "x"],
        &["run", "--completions", "1", "--", "true"],
        &["run", "--items", "a,b", "--dry-run=server", "--", "echo"],
        &["retry", "x"],
        &["suspend", "x"],
        &["resume", "x"],
        &["scale", "x", "-j", "1"],
        &["delete", "x"],
    ];
    let run = |verb: &'static [&str]| {
        let server = server.clone();
        thread::spawn(move || {
            let begun = Instant::now();
            // Flags after `--` belong to the command.
            let (verb, flags) = ([&verb[..1]].concat(), &verb[1..]);
            let connection = ["-s", server.as_str(), "--request-timeout", "3s"];
            (Sandbox::new().run(&[&verb[..], &connection, flags].concat()), begun.elapsed())
        })
    };
    let outcomes: Vec<_> = verbs.into_iter().map(|verb| (verb, run(verb))).collect();
    for (verb, outcome) in outcomes {
        let (outcome, took) = outcome.join().unwrap();
        assert_eq!(outcome.code, FAILURE, "{verb:?} {outcome}");
        let waiting = format!("waiting for the server 127.0.0.1:{port} to respond\n");
        assert_eq!(outcome.stderr.matches(&waiting).count(), 1, "{verb:?} {outcome}");
        let late = format!("the server 127.0.0.1:{port} did not answer within 3s\nhint: --request-timeout sets");
        assert!(outcome.stderr.contains(&late), "{verb:?} {outcome}");
        assert!((3..12).contains(&took.as_secs()), "{verb:?} took {took:?}");
    }
    let quiet = Sandbox::new().run(&["list", "-s", &server, "--request-timeout", "1s"]);
    assert!(quiet.stderr.starts_with("error: can't list jobs"), "{quiet}");
}
