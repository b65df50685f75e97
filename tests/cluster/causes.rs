//! Why indexes wait, restart, hang or failed: the same sentence and the same cure on every screen.

use crate::support::{Cluster, Outcome};

/// Writes a template into the folder of the test, and returns its path.
fn template(cluster: &Cluster, text: &str) -> String {
    cluster.write("template.yaml", text.as_bytes()).to_str().unwrap().to_owned()
}

#[track_caller]
fn has(outcome: &Outcome, words: &[&str]) {
    let text = format!("{}{}", outcome.stdout, outcome.stderr);
    for word in words {
        assert!(text.contains(word), "{word:?} is missing in\n{text}");
    }
}

const INIT: &str = "
apiVersion: batch/v1
kind: Job
metadata: {name: ini}
spec:
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 1
      initContainers:
      - name: fetch
        image: docker.io/library/busybox
        command: [sh, -c, 'echo trying; echo no route >&2; exit 6']
      containers:
      - name: worker
        image: docker.io/library/busybox
";

#[test]
fn an_init_container_that_fails_is_named_with_its_last_words() {
    let cluster = Cluster::new("causes-init");
    let path = template(&cluster, INIT);
    let run = cluster.run(&["run", "ini", "--template", &path, "--items", "a,b", "--", "echo", "{}"]);
    let how = "exit code 6 of init container fetch";
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{run:#?}");
    has(&run, &[&format!("2 × {how}: \"no route\""), "hint: kubectl indexed logs ini --index failed prints"]);
    has(&cluster.run(&["describe", "ini"]).ok(), &[&format!("2 indexes failed (0,1): {how}: no route")]);
    let logs = cluster.run(&["logs", "ini", "--index", "failed"]).ok();
    let lines = ["[0 a fetch] trying", "[0 a fetch] no route", "[1 b fetch] trying", "[1 b fetch] no route"];
    assert_eq!(logs.stdout.lines().collect::<Vec<_>>(), lines, "{logs:#?}");
    // The worker's own log is what was asked for here, and there is none.
    let worker = cluster.run(&["logs", "ini", "-i", "0", "-c", "worker"]);
    assert_eq!((worker.code, worker.stdout.as_str()), (1, ""), "{worker:#?}");
    has(&worker, &["init container fetch failed with exit code 6"]);
}

#[test]
fn an_init_container_of_our_own_that_fails_is_named() {
    let cluster = Cluster::new("causes-own");
    cluster.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: lines}\ndata: {k: \"a\\nb\\n\"}");
    let run = ["run", "li", "--items-configmap", "lines/k", "-j", "1", "--fail-fast", "--"];
    let worker = ["sh", "-c", "kubectl=1; sleep 4; echo {}"];
    let running = cluster.start(&[&run[..], &worker[..]].concat());
    cluster.eventually("the first pod", || cluster.kubectl(&["get", "pods", "-o", "name"]).stdout.contains("li-0"));
    cluster.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: lines}\ndata: {k: \"\"}");
    let run = running.end();
    assert_eq!(run.code, 1, "{run:#?}");
    has(&run, &["of init container input"]);
    let logs = cluster.run(&["logs", "li", "--index", "failed"]).ok();
    assert!(!logs.stdout.is_empty(), "{logs:#?}");
}
