//! Mistakes that only the server can detect: what is wrong, why, and what to type next. tests/integration/mistakes.rs has those
//! that the client detects. `cargo test --test cluster mistakes -- --nocapture` prints the table.

use std::fmt::Write as _;

use insta::assert_snapshot;

use crate::support::Cluster;

const ROWS: [&str; 14] = [
    "kubectl indexed run --items cat -n nowhere -- rev",
    "kubectl indexed run other --items cat --context nowhere -- rev",
    "kubectl indexed run other --items cat --context narrow -n NAMESPACE -- rev",
    "kubectl indexed run train --items cat,dog -- sh -c 'exit 1'",
    "kubectl indexed run train --items cat,dog -- sh -c 'exit 0'",
    "kubectl indexed run ready --items cat,dog -- rev",
    "kubectl indexed run ready --items owl -- rev",
    "kubectl indexed describe trian",
    "kubectl indexed logs train-0",
    "kubectl indexed logs train --index 5",
    "kubectl indexed logs train -c sidecar",
    "kubectl indexed logs train/0",
    "kubectl indexed resume train",
    "kubectl indexed scale ready -j 4",
];

#[test]
#[expect(clippy::print_stdout, reason = "people read the table")]
fn each_says_what_is_wrong_and_what_to_type() {
    let cluster = Cluster::new("mistakes");
    cluster.run(&["run", "train", "-q", "--items", "cat,dog", "--", "sh", "-c", "exit 1"]);
    cluster.run(&["run", "ready", "-q", "--items", "cat,dog", "--", "rev"]).ok();
    let objects = || cluster.kubectl(&["get", "jobs,configmaps", "-o", "name"]).ok().stdout;
    let before = objects();
    let mut table = String::new();
    for row in ROWS {
        let outcome = cluster.shell(&row.replace("NAMESPACE", cluster.namespace()));
        let said = outcome.stderr.replace(cluster.namespace(), "NAMESPACE");
        assert!(said.starts_with("error: ") && said.contains("\nhint: "), "{row}\n{outcome:#?}");
        assert!((1..=2).contains(&outcome.code) && outcome.stdout.is_empty(), "{row}\n{outcome:#?}");
        let _ = writeln!(table, "$ {row}\n{said}[exit code {}]", outcome.code);
        assert_eq!(objects(), before, "{row} created or deleted something");
    }
    println!("{table}");
    let table = without_suffix(&table);
    assert_snapshot!(table, @r#"
    $ kubectl indexed run --items cat -n nowhere -- rev
    error: can't create job "rev-XXXXX" in namespace "nowhere": namespaces "nowhere" not found
    hint: kubectl get namespaces -n nowhere lists the namespaces
    [exit code 1]
    $ kubectl indexed run other --items cat --context nowhere -- rev
    error: connecting to the cluster: the context "nowhere" is not in the kubeconfig: it has admin, narrow
    hint: kubectl config get-contexts lists the contexts; --context NAME selects one
    [exit code 2]
    $ kubectl indexed run other --items cat --context narrow -n NAMESPACE -- rev
    error: can't create job "other" in namespace "NAMESPACE": jobs.batch is forbidden: User "narrow" cannot create resource "jobs" in API group "batch" in the namespace "NAMESPACE"
    hint: kubectl auth can-i create jobs.batch --context narrow -n NAMESPACE checks this permission
    hint: ask the cluster's administrator for a Role with this verb and resource, and a RoleBinding to you
    [exit code 1]
    $ kubectl indexed run train --items cat,dog -- sh -c 'exit 1'
    error: job "train" already exists, created by this same command, and has failed
    hint: kubectl indexed retry train runs its failed indexes again
    hint: kubectl indexed logs train --index failed prints the output of its failed indexes
    hint: kubectl indexed delete train removes it; or choose another --name
    [exit code 1]
    $ kubectl indexed run train --items cat,dog -- sh -c 'exit 0'
    error: can't create job "train" in namespace "NAMESPACE": jobs.batch "train" already exists
    hint: kubectl indexed retry train -- COMMAND runs its failed indexes with another command
    hint: kubectl indexed logs train --index failed prints the output of its failed indexes
    hint: kubectl indexed delete train removes it
    hint: choose another --name, or leave --name out to generate one
    [exit code 1]
    $ kubectl indexed run ready --items cat,dog -- rev
    error: job "ready" already exists, created by this same command, and has completed
    hint: kubectl indexed results ready --to DIR saves its output
    hint: kubectl indexed delete ready removes it; or choose another --name
    [exit code 1]
    $ kubectl indexed run ready --items owl -- rev
    error: can't create job "ready" in namespace "NAMESPACE": jobs.batch "ready" already exists
    hint: kubectl indexed describe ready shows it
    hint: choose another --name, or leave --name out to generate one
    [exit code 1]
    $ kubectl indexed describe trian
    error: there is no job "trian" in namespace "NAMESPACE"
    hint: kubectl indexed list shows the Indexed Jobs; -n NAMESPACE selects another namespace
    hint: did you mean train?
    [exit code 1]
    $ kubectl indexed logs train-0
    error: there is no job "train-0" in namespace "NAMESPACE"
    hint: kubectl indexed list shows the Indexed Jobs; -n NAMESPACE selects another namespace
    hint: did you mean train? That name belongs to a Pod of its index 0
    [exit code 1]
    $ kubectl indexed logs train --index 5
    error: the job has no index 5: its indexes are 0,1
    hint: the first index is 0
    [exit code 2]
    $ kubectl indexed logs train -c sidecar
    error: the pods of the job have no container "sidecar"
    hint: their containers are worker
    [exit code 2]
    $ kubectl indexed logs train/0
    error: "train/0" is not a job: it names a "train"
    hint: write NAME, job/NAME or jobs.batch/NAME
    hint: --index 0 selects an index
    [exit code 2]
    $ kubectl indexed resume train
    error: can't resume job "train": it has failed
    hint: kubectl indexed describe train shows why
    hint: kubectl indexed retry train runs the outstanding indexes as a new Job
    [exit code 1]
    $ kubectl indexed scale ready -j 4
    error: can't scale job "ready": it has completed
    hint: kubectl indexed describe ready shows it
    [exit code 1]
    "#);
}

/// Removes the five letters of generated names from the table.
fn without_suffix(table: &str) -> String {
    let (before, after) = table.split_once("job \"rev-").unwrap();
    format!("{before}job \"rev-XXXXX{}", &after[5..])
}
