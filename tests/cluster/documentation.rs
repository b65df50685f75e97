//! The manifests of the Kubernetes documentation: applied by kubectl, and built from flags.

use crate::support::{Cluster, file};

#[test]
fn with_an_init_container() {
    let cluster = Cluster::new("doc");
    cluster.apply(&file("examples/indexed-job.yaml")).ok();
    let outcome = cluster.run(&["wait", "indexed-job"]).ok();
    assert!(outcome.stderr.starts_with("job indexed-job completed: 5 of 5 indexes completed in "), "{outcome:?}");
    assert_eq!(cluster.run(&["logs", "--index", "3"]).ok().stdout, "xuq\n");
    let all = cluster.run(&["logs", "jobs.batch/indexed-job"]).ok().stdout;
    assert_eq!(all, "[0 foo] oof\n[1 bar] rab\n[2 baz] zab\n[3 qux] xuq\n[4 xyz] zyx\n");
    let described = cluster.run(&["describe", "job/indexed-job"]).ok().stdout;
    assert!(described.contains("    3       qux    Succeeded   1          0 "), "{described}");
    let listed = cluster.run(&["list"]).ok().stdout;
    assert!(listed.contains("\nindexed-job   Complete   5/5           0         0 "), "{listed}");
}

#[test]
fn with_a_downward_api_volume() {
    let cluster = Cluster::new("vol");
    cluster.apply(&file("examples/indexed-job-vol.yaml")).ok();
    cluster.run(&["wait"]).ok();
    assert_eq!(cluster.run(&["logs", "indexed-job", "--index", "3"]).ok().stdout.trim(), "3");
    let described = cluster.run(&["describe", "indexed-job"]).ok().stdout;
    assert!(described.contains("Completed Indexes:  0-4\n"), "{described}");
}

/// Returns the fields that define the work of a Job: completions, parallelism, and the containers, images, mounts and volumes
/// of each Pod. The scripts of the init containers differ; the test compares their output.
fn read_work(cluster: &Cluster, job: &str) -> serde_json::Value {
    let text = cluster.kubectl(&["get", "job", job, "-o", "json"]).ok().stdout;
    let job: serde_json::Value = serde_json::from_str(&text).unwrap();
    let spec = &job["spec"];
    let pod = &spec["template"]["spec"];
    let containers = |field: &str| {
        let containers = pod[field].as_array().cloned().unwrap_or_default();
        let one = |c: serde_json::Value| serde_json::json!([c["name"], c["image"], c["volumeMounts"]]);
        containers.into_iter().map(one).collect::<Vec<_>>()
    };
    serde_json::json!({
        "completions": spec["completions"],
        "parallelism": spec["parallelism"],
        "mode": spec["completionMode"],
        "init": containers("initContainers"),
        "containers": containers("containers"),
        "command": pod["containers"][0]["command"],
        "volumes": pod["volumes"],
        "restartPolicy": pod["restartPolicy"],
    })
}

#[test]
fn flags_build_the_same_jobs() {
    let applied = Cluster::new("doc-applied");
    let built = Cluster::new("doc-built");
    for (manifest, script) in [("indexed-job.yaml", "indexed-job.sh"), ("indexed-job-vol.yaml", "indexed-job-vol.sh")] {
        applied.apply(&file(&format!("examples/{manifest}"))).ok();
        let ran = built.shell(&format!("examples/{script}")).ok();
        assert_eq!(read_work(&applied, "indexed-job"), read_work(&built, "indexed-job"), "{manifest}");
        applied.run(&["wait", "indexed-job"]).ok();
        let logs = |cluster: &Cluster| cluster.run(&["logs", "indexed-job"]).ok().stdout;
        assert_eq!(logs(&applied), logs(&built), "{manifest}");
        assert_eq!(ran.sorted_lines(), logs(&applied).lines().collect::<Vec<_>>(), "{manifest}");
        applied.run(&["delete", "indexed-job"]).ok();
        built.run(&["delete", "indexed-job"]).ok();
    }
}
