//! `delete`: nothing is left behind.

use crate::support::Cluster;

/// Sleeps for a minute, and ends at SIGTERM.
const SLEEP: &str = "trap exit TERM; sleep 60 & wait";

#[test]
fn a_job_is_deleted_with_its_pods_and_items() {
    let cluster = Cluster::new("delete");
    cluster.run(&["run", "x", "--items", "a,b", "--detach", "-q", "--", "sh", "-c", SLEEP]).ok();
    cluster.run(&["run", "y", "--items", "a", "-q", "--", "rev"]).ok();
    let outcome = cluster.run(&["delete", "job/x", "y", "-y"]).ok();
    assert_eq!(outcome.stdout, "job.batch \"x\" deleted\njob.batch \"y\" deleted\n");
    // `delete` waits: no object is still being deleted.
    let left = cluster.kubectl(&["get", "jobs,pods,configmaps", "-o", "name"]).ok().stdout;
    assert_eq!(left, "configmap/kube-root-ca.crt\n");

    let missing = cluster.run(&["delete", "x"]);
    assert_eq!(missing.code, 1);
    assert_eq!(
        missing.stderr,
        format!(
            "error: there is no job \"x\" in namespace {:?}\nhint: kubectl indexed list shows the Indexed Jobs; -n \
             NAMESPACE selects another namespace\n",
            cluster.namespace()
        )
    );
    cluster.run(&["delete", "x", "--ignore-not-found"]).ok();
}

/// Creates Jobs that completed, failed, run and are suspended (`done`, `bad`, `busy`, `held`), and `plain`, which is not
/// Indexed.
fn create_jobs(cluster: &Cluster) {
    cluster.run(&["run", "busy", "--completions", "1", "--label", "team=a", "-dq", "--", "sh", "-c", SLEEP]).ok();
    cluster.run(&["run", "held", "--completions", "1", "--label", "team=a", "-dq", "--", "sh", "-c", SLEEP]).ok();
    cluster.run(&["suspend", "held"]).ok();
    cluster.kubectl(&["create", "job", "plain", "--image=busybox", "--", "true"]).ok();
    assert_eq!(cluster.run(&["run", "bad", "--completions", "1", "-q", "--", "false"]).code, 1);
    cluster.run(&["run", "done", "--items", "a", "-q", "--", "rev"]).ok();
    cluster.kubectl(&["wait", "job/plain", "--for=condition=complete", "--timeout=60s"]).ok();
}

fn jobs(cluster: &Cluster) -> String {
    cluster.kubectl(&["get", "jobs", "-o", "jsonpath={.items[*].metadata.name}"]).ok().stdout
}

#[test]
fn finished_jobs_are_deleted_together() {
    let cluster = Cluster::new("delete-finished");
    create_jobs(&cluster);
    let asked = cluster.run(&["delete", "--finished"]);
    assert_eq!((asked.code, asked.stdout.as_str()), (2, ""), "{asked:?}");
    let lines: Vec<_> = asked.stderr.lines().collect();
    let rows: Vec<_> =
        lines[..3].iter().map(|row| row.split_whitespace().take(3).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(rows, ["NAME STATUS COMPLETIONS", "bad Failed 0/1", "done Complete 1/1"]);
    assert_eq!(
        lines[3..],
        [
            "error: this would delete 2 jobs with their Pods, and there is no terminal to ask on",
            "hint: add --yes (-y) to go on without a question"
        ]
    );
    let dry = cluster.run(&["delete", "--finished", "--dry-run=server"]).ok();
    assert_eq!(dry.stdout, "job.batch \"bad\" deleted (server dry run)\njob.batch \"done\" deleted (server dry run)\n");
    let young = cluster.run(&["delete", "--finished", "--older-than", "1d", "-y"]).ok();
    assert_eq!((young.stdout.as_str(), young.stderr.as_str()), ("", "no Indexed Jobs match\n"));
    let kept = cluster.run(&["delete", "done", "busy", "--finished", "--older-than", "1h"]).ok();
    assert_eq!(
        (kept.stdout.as_str(), kept.stderr.as_str()),
        ("", "job done is kept: it is not old enough\njob busy is kept: it has not finished\n")
    );
    assert_eq!(jobs(&cluster), "bad busy done held plain");

    let gone = cluster.run(&["delete", "--finished", "--older-than", "0s", "-y"]).ok();
    assert_eq!(gone.stdout, "job.batch \"bad\" deleted\njob.batch \"done\" deleted\n");
    assert_eq!(jobs(&cluster), "busy held plain");
    // A running Job that was not named needs a confirmation, too.
    cluster.run(&["delete", "held"]).ok();
    let asked = cluster.run(&["delete", "-l", "team=a"]);
    assert_eq!(asked.code, 2, "{asked:?}");
    assert!(asked.stderr.contains("error: this would delete 1 job with its Pods"), "{asked:?}");
    let all = cluster.run(&["delete", "--all", "-y", "-o", "name"]).ok();
    assert_eq!(all.stdout, "job.batch/busy\n");
    let plain = cluster.run(&["delete", "plain"]);
    assert_eq!(plain.code, 1);
    assert!(plain.stderr.starts_with("error: job \"plain\" is not Indexed: "), "{plain:?}");
    let left = cluster.kubectl(&["get", "jobs,configmaps", "-o", "name"]).ok().stdout;
    assert_eq!(left, "job.batch/plain\nconfigmap/kube-root-ca.crt\n");
}

#[test]
fn jobs_of_all_namespaces_are_printed_with_their_namespace() {
    let (one, other) = (Cluster::new("delete-one"), Cluster::new("delete-other"));
    let label = format!("test={}", one.namespace());
    for cluster in [&one, &other] {
        cluster.run(&["run", "same", "--items", "a", "--label", &label, "-dq", "--", "sh", "-c", SLEEP]).ok();
    }
    let gone = one.run(&["delete", "-A", "-l", &label, "-y"]).ok();
    let line = |cluster: &Cluster| format!("job.batch \"same\" deleted from {} namespace", cluster.namespace());
    assert_eq!(gone.sorted_lines(), [line(&one), line(&other)]);
    assert_eq!((jobs(&one), jobs(&other)), (String::new(), String::new()));
}

#[test]
fn a_list_without_an_owner_is_deleted() {
    let cluster = Cluster::new("delete-applied");
    let manifest = cluster
        .run(&["run", "dry", "--items", "a", "--dry-run=client", "-o", "yaml", "--", "sh", "-c", SLEEP])
        .ok()
        .stdout;
    cluster.apply(&manifest).ok();
    let dry = cluster.run(&["delete", "dry", "--dry-run=client"]).ok();
    assert_eq!(dry.stdout, "job.batch \"dry\" deleted (dry run)\nconfigmap \"dry-items\" deleted (dry run)\n");
    // The Job owns the list before it is deleted, so an interrupted deletion leaves no list.
    cluster.run(&["delete", "dry", "--no-wait"]).ok();
    cluster.eventually("the end of all", || {
        cluster.kubectl(&["get", "jobs,pods,configmaps", "-o", "name"]).ok().stdout == "configmap/kube-root-ca.crt\n"
    });
}

#[test]
fn results_are_kept() {
    let cluster = Cluster::new("delete-keep");
    for name in ["one", "two"] {
        cluster.run(&["run", name, "--items", "a,b", "-q", "--", "cat"]).ok();
    }
    cluster.run(&["run", "busy", "--completions", "1", "-dq", "--", "sh", "-c", SLEEP]).ok();
    let folder = cluster.write("marker", b"").with_file_name("out");
    let out = folder.to_str().unwrap();
    let outcome = cluster.run(&["delete", "--all", "-y", "--keep-results", out]);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert_eq!(outcome.sorted_lines(), ["job.batch \"one\" deleted", "job.batch \"two\" deleted"]);
    assert!(outcome.stderr.contains("error: job busy is kept: index 0 has not ended yet\n"), "{outcome:?}");
    assert_eq!(jobs(&cluster), "busy");
    for name in ["one", "two"] {
        for (index, item) in ["a", "b"].into_iter().enumerate() {
            let path = folder.join(name).join(format!("{index}.out"));
            assert_eq!(std::fs::read_to_string(path).unwrap(), item);
        }
    }
}
