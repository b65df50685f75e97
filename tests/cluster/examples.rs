//! Every script of `examples/`, as a user runs it: with bash and the real kubectl, from a folder outside of the checkout.
//! `documentation.rs` compares two of them with the manifests of the documentation, and `tests/run` runs the quickstart.

use crate::support::{Cluster, Outcome, file};

/// Lists the objects that an example may leave in its namespace.
const LEFT: &[&str] = &["get", "cronjobs,jobs,pods,configmaps,secrets", "-o", "name"];

/// Runs an example in the home folder, which is empty.
fn run(cluster: &Cluster, name: &str) -> Outcome {
    cluster.shell(&format!("script=$PWD/examples/{name}; cd; TMPDIR=$HOME $script"))
}

/// Waits until only objects are left that Kubernetes puts into each namespace. An example that removes its objects can run
/// again.
#[track_caller]
fn assert_nothing_is_left(cluster: &Cluster) {
    cluster.eventually("an example to leave nothing behind", || {
        cluster.kubectl(LEFT).ok().stdout == "configmap/kube-root-ca.crt\n"
    });
}

/// Runs an example that removes its objects, and checks all of its output.
#[track_caller]
fn assert_prints(cluster: &Cluster, name: &str, lines: &[&str]) {
    let outcome = run(cluster, name).ok();
    assert_eq!(outcome.stdout.lines().collect::<Vec<_>>(), lines, "{outcome:#?}");
    assert_nothing_is_left(cluster);
}

const REVERSED: [&str; 5] = ["oof", "rab", "zab", "xuq", "zyx"];

#[test]
fn items_in_a_config_map() {
    let cluster = Cluster::new("example-items");
    for round in 1..=2 {
        let outcome = run(&cluster, "configmap-items.sh").ok();
        assert_eq!(outcome.sorted_lines(), ["[0 foo] oof", "[1 bar] rab", "[2 baz] zab", "[3 qux] xuq", "[4 xyz] zyx"]);
        assert_eq!(cluster.field("jobs", "{.items[*].kind}").split_whitespace().count(), round);
    }
}

#[test]
fn a_program_that_reads_its_index() {
    let cluster = Cluster::new("example-index");
    let outcome = run(&cluster, "index-env.sh").ok();
    assert_eq!(outcome.lines_by_index(), [0, 1, 2, 3, 4].map(|index| format!("[{index}] {}", REVERSED[index])));
}

#[test]
fn the_words_of_the_documentation() {
    let cluster = Cluster::new("example-doc");
    for (name, printed) in [("indexed-job.sh", REVERSED), ("indexed-job-vol.sh", ["0", "1", "2", "3", "4"])] {
        run(&cluster, name).ok();
        let results = cluster.run(&["results", "indexed-job", "-o", "csv", "--trim", "--no-headers"]).ok().stdout;
        assert_eq!(results.lines().map(|row| row.rsplit(',').next().unwrap()).collect::<Vec<_>>(), printed, "{name}");
        // The script says: delete the Job before a second run.
        cluster.run(&["delete", "indexed-job"]).ok();
        assert_nothing_is_left(&cluster);
    }
}

#[test]
fn a_sweep_finds_the_least_squares() {
    let cluster = Cluster::new("example-sweep");
    assert_prints(
        &cluster,
        "sweep.sh",
        &[
            "[0 rate=0.0001 momentum=0] 257.11 2.941 -0.549",
            "[1 rate=0.0001 momentum=0.9] 241.39 3.248 -5.822",
            "[2 rate=0.001 momentum=0] 241.36 3.249 -5.835",
            "[3 rate=0.001 momentum=0.9] 227.08 3.917 -17.311",
            "[4 rate=0.003 momentum=0] 229.81 3.633 -12.438",
            "[5 rate=0.003 momentum=0.9] 227.07 3.932 -17.579",
            "[6 rate=0.01 momentum=0] diverged",
            "[7 rate=0.01 momentum=0.9] diverged",
            // The exact solution: 3.932 and -17.579.
            "best of 8: rate=0.003 momentum=0.9: 227.07 3.932 -17.579",
        ],
    );
    let table = std::fs::read_to_string(cluster.home().join("sweep.csv")).unwrap();
    let ends: Vec<_> = table.lines().map(|row| row.rsplit(',').next().unwrap()).collect();
    assert_eq!((ends.len(), ends[0], ends[1], ends[8]), (9, "output", "257.11 2.941 -0.549", "diverged"), "{table}");
}

#[test]
fn pi_from_seeds_with_retries() {
    let cluster = Cluster::new("example-pi");
    let outcome = run(&cluster, "pi.sh").ok();
    let (last, seeds) = outcome.stdout.trim_end().rsplit_once('\n').map(|(seeds, last)| (last, seeds)).unwrap();
    assert_eq!(seeds.lines().count(), 8, "{outcome:#?}");
    let words: Vec<_> = last.split([' ', ',']).collect();
    let pi: f64 = words[2].parse().unwrap();
    assert!((pi - std::f64::consts::PI).abs() < 0.01, "{last}");
    assert!(last.ends_with(" from 8 seeds in 10 attempts"), "two of them fail once: {last}");
    for again in ["[6 7 #2] 3.1", "[7 8 #2] 3.1"] {
        assert!(seeds.contains(again), "{outcome:#?}");
    }
    assert_nothing_is_left(&cluster);
}

#[test]
fn primes_by_chunks() {
    let cluster = Cluster::new("example-chunks");
    let outcome = run(&cluster, "chunks.sh").ok();
    let printed: Vec<_> = outcome.stdout.lines().map(|line| line.rsplit("] ").next().unwrap()).collect();
    assert_eq!(printed.len(), 11, "{outcome:#?}");
    assert_eq!(printed[0], "168 primes, sum 76127", "below 1,002");
    assert_eq!(printed[10], "in all 1229 primes, sum 5736396");
    assert_nothing_is_left(&cluster);
}

#[test]
fn the_files_of_a_volume() {
    let cluster = Cluster::new("example-files");
    let name = cluster.namespace();
    let texts = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/texts");
    // A volume belongs to no namespace, so the test must delete it.
    let volume = format!(
        "
apiVersion: v1
kind: PersistentVolume
metadata: {{name: {name}}}
spec:
  capacity: {{storage: 1Mi}}
  accessModes: [ReadOnlyMany]
  storageClassName: ''
  claimRef: {{namespace: {name}, name: texts}}
  hostPath: {{path: {texts}}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: texts}}
spec:
  accessModes: [ReadOnlyMany]
  storageClassName: ''
  volumeName: {name}
  resources: {{requests: {{storage: 1Mi}}}}
"
    );
    cluster.apply(&volume).ok();
    let outcome = run(&cluster, "files.sh");
    cluster.kubectl(&["delete", "persistentvolume", name, "--wait=false"]).ok();
    assert_eq!(outcome.ok().stdout, "[0 blake.txt]  2 the\n[1 dickinson.txt]  4 the\n[2 frost.txt]  3 and\n");
    assert_nothing_is_left(&cluster);
}

#[test]
fn a_manifest_for_kueue() {
    let cluster = Cluster::new("example-kueue");
    let printed = run(&cluster, "kueue.sh").ok();
    let kept = file("examples/kueue.yaml");
    assert_eq!((printed.stdout.as_str(), printed.stderr.as_str()), (kept.as_str(), ""));
    // The server knows all fields, and nothing starts without Kueue.
    cluster.shell("kubectl apply --validate=strict -f examples/kueue.yaml").ok();
    let path = "{.spec.suspend} {.metadata.labels.kueue\\.x-k8s\\.io/queue-name}";
    assert_eq!(cluster.field("job/render", path), "true user-queue");
    // Admits the Job as Kueue does, with few indexes at once: other tests use the cluster, too.
    cluster.kubectl(&["patch", "job", "render", "-p", r#"{"spec":{"suspend":false,"parallelism":1}}"#]).ok();
    cluster.run(&["wait", "render", "--for", "indexes=0"]).ok();
    assert_eq!(cluster.run(&["logs", "render", "--index", "0"]).ok().stdout, "rendering frame 1\n");
}

#[test]
fn a_python_script_in_a_config_map() {
    let cluster = Cluster::new("example-python");
    assert_prints(
        &cluster,
        "python.sh",
        &[
            "[0 city=Nairobi latitude=-1.29] Nairobi: 12.1 h and 11.9 h of light",
            "[1 city=Delhi latitude=28.61] Delhi: 13.8 h and 10.2 h of light",
            "[2 city=Rome latitude=41.90] Rome: 15.1 h and 8.9 h of light",
            "[3 city=Berlin latitude=52.52] Berlin: 16.6 h and 7.4 h of light",
            "[4 city=Tromsø latitude=69.65] Tromsø: 24.0 h and 0.0 h of light",
        ],
    );
}

#[test]
fn a_slurm_script_unchanged() {
    let cluster = Cluster::new("example-slurm");
    assert_prints(
        &cluster,
        "slurm.sh",
        &[
            "[0 0] task 0 of 5: ecoli-lac-operator has 39% GC",
            "[1 1] task 1 of 5: lambda-cos has 50% GC",
            "[2 2] task 2 of 5: phix174-start has 35% GC",
            "[3 3] task 3 of 5: t7-promoter has 39% GC",
            "[4 4] task 4 of 5: human-telomere has 50% GC",
        ],
    );
    let kept = cluster.shell("cat $HOME/tmp.*/3.out").ok().stdout;
    assert_eq!(kept, "task 3 of 5: t7-promoter has 39% GC\n");
}

#[test]
fn a_command_of_parallel_s_manual() {
    let cluster = Cluster::new("example-parallel");
    let shirts =
        ["red", "green", "blue"].map(|color| ["S", "M", "L", "XL", "XXL"].map(|size| format!("{color} {size}")));
    let shirts = shirts.concat();
    let mut lines: Vec<_> = shirts.iter().map(String::as_str).collect();
    lines.extend(["15 of 15 ended with exit code 0", "shirts", "shirts.log"]);
    assert_prints(&cluster, "parallel.sh", &lines);
    let kept = cluster.shell("cat $HOME/tmp.*/shirts/14.out; cut -f 1,7 $HOME/tmp.*/shirts.log | tail -n 1").ok();
    assert_eq!(kept.stdout, "blue XXL\n15\t0\n");
}

#[test]
fn indexes_that_ran_out_of_memory_get_more() {
    let cluster = Cluster::new("example-memory");
    let outcome = run(&cluster, "memory.sh").ok();
    assert!(
        outcome.stderr.contains("error: job median failed (FailedIndexes): 3 of 5 indexes completed, 2 failed in ")
    );
    assert!(outcome.stderr.contains("exit code 137 (SIGKILL), OOMKilled"), "{outcome:#?}");
    assert!(outcome.stderr.contains("it retries indexes 1,3 of job median"), "{outcome:#?}");
    assert!(outcome.stderr.contains("with this retry, 5 of 5 indexes of job median have succeeded\n"), "{outcome:#?}");
    assert!(outcome.stdout.contains("run: exit code 1\n"), "{outcome:#?}");
    assert!(outcome.stdout.ends_with("\n500\n450000\n1000\n400000\n1500\n"), "{outcome:#?}");
    assert_nothing_is_left(&cluster);
}

#[test]
#[ignore = "needs Kubernetes 1.31"]
fn the_first_find_ends_the_search() {
    let cluster = Cluster::new("example-search");
    let outcome = run(&cluster, "search.sh");
    assert_nothing_is_left(&cluster);
    assert_eq!(outcome.clone().ok().stdout, "[2 60000002] 60000011 * 130000001\n");
    let summary = "job search completed (SuccessPolicy): 1 of 4 indexes completed, 3 unfinished in ";
    assert!(outcome.stderr.contains(summary), "{outcome:#?}");
    assert!(outcome.stderr.contains("\ncompleted: 2\nstopped: 0,1,3\n"), "{outcome:#?}");
}

#[test]
fn a_cron_job_of_kubectl_alone() {
    let cluster = Cluster::new("example-nightly");
    assert_prints(
        &cluster,
        "nightly.sh",
        &[
            "cronjob.batch/nightly created",
            "job.batch/nightly-now created",
            "[0 users] backing up users",
            "[1 orders] backing up orders",
            "[2 invoices] backing up invoices",
        ],
    );
}

#[test]
fn a_secret_and_a_sidecar_of_a_template() {
    let cluster = Cluster::new("example-template");
    assert_prints(&cluster, "template.sh", &["[0 ada] hello ada", "[1 grace] hello grace"]);
}
