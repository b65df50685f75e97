//! `run`, from items to the outcome.

use crate::support::Cluster;

#[test]
fn each_item_under_its_index() {
    let cluster = Cluster::new("run");
    // Through the real kubectl, as people type it.
    let outcome = cluster.shell("kubectl indexed run --name words --items foo,bar,baz -- rev");
    assert_eq!(outcome.clone().ok().sorted_lines(), ["[0 foo] oof", "[1 bar] rab", "[2 baz] zab"]);
    assert!(outcome.stderr.starts_with("job words created: 3 indexes, 3 at once\n"), "{outcome:?}");
    assert!(outcome.stderr.contains("job words completed: 3 of 3 indexes completed in "), "{outcome:?}");
    let described = cluster.shell("kubectl indexed describe").ok();
    assert!(described.stdout.contains("Completed Indexes:  0-2\n"), "{described:?}");
    assert_eq!(described.stderr, format!("newest Indexed Job in namespace {}: words\n", cluster.namespace()));
    assert_eq!(cluster.shell("kubectl indexed logs --index 1").ok().stdout, "rab\n");
    assert_eq!(cluster.field("configmap/words-items", "{.metadata.ownerReferences[0].name}"), "words");
}

#[test]
fn a_failed_item_is_printed_with_its_cause() {
    let cluster = Cluster::new("fail");
    let script =
        r#"if [ "$(cat /input/data.txt)" = bad ]; then echo looking >&2; echo "no such thing" >&2; exit 3; fi"#;
    let outcome = cluster.run(&["run", "--name", "mixed", "--items", "good,bad,fine", "-q", "--", "sh", "-c", script]);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert_eq!(outcome.sorted_lines(), ["[1 bad] looking", "[1 bad] no such thing"]);
    let pod = cluster.kubectl(&["get", "pods", "-l", "batch.kubernetes.io/job-completion-index=1", "-o", "name"]);
    let pod = pod.stdout.trim().trim_start_matches("pod/").to_owned();
    // Only the duration differs from run to run.
    let (sentence, rest) = outcome.stderr.split_once('\n').unwrap();
    let took = sentence.strip_prefix("error: job mixed failed (FailedIndexes): 2 of 3 indexes completed, 1 failed in ");
    assert!(took.is_some_and(|took| took.ends_with('s')), "{sentence}");
    let expected = format!(
        "index 1 (item \"bad\") failed: exit code 3, pod {pod}\n  | looking\n  | no such thing\n\
         hint: kubectl indexed logs mixed --index failed prints their output\n\
         hint: kubectl indexed describe mixed shows every index\n\
         hint: kubectl indexed retry mixed runs them again\n"
    );
    assert_eq!(rest, expected);
}

#[test]
fn any_item_arrives_byte_for_byte() {
    let cluster = Cluster::new("bytes");
    let items = r#"a b,"say ""hi""",it's,$(HOME),$$,`id`,-n,"two
lines",é🦀,no,012,~,"x,y", lead,trail ,\n,,$(JOB_COMPLETION_INDEX),%s"#;
    let expected: Vec<Vec<u8>> = [
        "a b",
        "say \"hi\"",
        "it's",
        "$(HOME)",
        "$$",
        "`id`",
        "-n",
        "two\nlines",
        "é🦀",
        "no",
        "012",
        "~",
        "x,y",
        " lead",
        "trail ",
        "\\n",
        "",
        "$(JOB_COMPLETION_INDEX)",
        "%s",
    ]
    .map(|item| item.as_bytes().to_vec())
    .to_vec();
    for store in ["configmap", "inline"] {
        let name = format!("bytes-{store}");
        // HOME is set, so the kubelet would expand an unprotected $(HOME).
        let args =
            ["run", "--name", &name, "--items", items, "--item-store", store, "--env", "HOME=/wrong", "-q", "--detach"];
        cluster.run(&[&args[..], &["--", "od", "-An", "-v", "-tx1", "-w1000"]].concat()).ok();
        cluster.run(&["wait", &name]).ok();
        for (index, item) in expected.iter().enumerate() {
            let hex = cluster.run(&["logs", &name, "--index", &index.to_string()]).ok().stdout;
            let bytes: Vec<u8> = hex.split_whitespace().map(|hex| u8::from_str_radix(hex, 16).unwrap()).collect();
            assert_eq!(&bytes, item, "item {index} ({}) in {store}", String::from_utf8_lossy(item));
        }
    }
}

#[test]
fn a_dry_run_can_be_applied_and_leaves_nothing_when_deleted() {
    let cluster = Cluster::new("dry");
    for store in ["configmap", "inline"] {
        let command = format!("run dry-{store} --items no,1e3 --item-store={store} --dry-run=client -o yaml -- rev");
        cluster.shell(&format!("kubectl indexed {command} | kubectl apply -f -")).ok();
        cluster.run(&["wait", &format!("dry-{store}")]).ok();
        assert_eq!(cluster.run(&["logs", &format!("dry-{store}")]).ok().stdout, "[0 no] on\n[1 1e3] 3e1\n");
        cluster.run(&["delete", &format!("dry-{store}")]).ok();
    }
    let left = cluster.kubectl(&["get", "jobs,pods,configmaps", "-o", "name"]).ok().stdout;
    assert_eq!(left, "configmap/kube-root-ca.crt\n");
}

#[test]
fn a_server_dry_run_creates_nothing() {
    let cluster = Cluster::new("server-dry");
    let outcome = cluster.run(&["run", "--name", "none", "--items", "a,b", "--dry-run=server", "--", "rev"]).ok();
    assert_eq!(
        outcome.stdout,
        "configmap/none-items created (server dry run)\njob.batch/none created (server dry run)\n"
    );
    let yaml =
        cluster.run(&["run", "--name", "none", "--items", "a", "--dry-run=server", "-o", "yaml", "--", "rev"]).ok();
    assert!(
        yaml.stdout.contains("\n  podReplacementPolicy: Failed\n"),
        "fields that the server adds are printed: {yaml:?}"
    );
    assert!(!yaml.stdout.contains("managedFields") && !yaml.stdout.contains("status: {}"), "{yaml:?}");
    assert_eq!(cluster.kubectl(&["get", "jobs,configmaps", "-o", "name"]).ok().stdout, "configmap/kube-root-ca.crt\n");
}

#[test]
fn a_detached_run_prints_how_to_continue() {
    let cluster = Cluster::new("detach");
    let outcome = cluster.run(&["run", "away", "--items", "a", "--detach", "-o", "name", "--", "rev"]).ok();
    assert_eq!(outcome.stdout, "configmap/away-items\njob.batch/away\n");
    assert_eq!(
        outcome.stderr,
        "hint: kubectl indexed logs -f away follows it; kubectl indexed describe away shows it; kubectl indexed delete \
         away deletes it\n"
    );
    assert_eq!(cluster.run(&["wait", "away"]).code, 0);
}

#[test]
fn an_interrupt_detaches() {
    let cluster = Cluster::new("interrupt");
    let running = cluster.start(&["run", "long", "--items", "3,4", "--", "sh", "-c", "sleep 4; rev /input/data.txt"]);
    cluster.eventually("a running pod", || cluster.field("job/long", "{.status.ready}") == "2");
    running.interrupt();
    let outcome = running.end();
    assert_eq!(outcome.code, 130, "{outcome:?}");
    assert!(outcome.stderr.contains("detached: job long goes on\n"), "{outcome:?}");
    assert!(outcome.stderr.trim_end().ends_with("kubectl indexed delete long deletes it"), "{outcome:?}");
    let after = cluster.run(&["logs", "-f", "long"]).ok();
    assert_eq!(after.sorted_lines(), ["[0 3] 3", "[1 4] 4"]);
}

#[test]
fn a_job_deleted_by_somebody_else_is_an_error() {
    let cluster = Cluster::new("gone");
    let running = cluster.start(&["run", "gone", "--items", "a,b", "--", "sh", "-c", "sleep 60"]);
    cluster.eventually("a running pod", || cluster.field("job/gone", "{.status.ready}") == "2");
    cluster.kubectl(&["delete", "job", "gone", "--wait=false"]).ok();
    let outcome = running.end();
    assert_eq!(outcome.code, 1, "{outcome:?}");
    let expected = format!(
        "error: job \"gone\" in namespace {:?} was deleted before it ended: 0 of 2 indexes had completed\n",
        cluster.namespace()
    );
    assert!(outcome.stderr.ends_with(&expected), "{outcome:?}");
}

#[test]
fn each_index_has_its_own_retries() {
    let cluster = Cluster::new("retries");
    let script = "test $JOB_COMPLETION_INDEX != 1";
    let args = ["run", "again", "--items", "a,b,c", "--retries", "1", "--", "sh", "-c", script];
    let outcome = cluster.run(&args);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(
        outcome.stderr.contains("index 1 (item \"b\") failed after 2 attempts: exit code 1, pod again-1-"),
        "{outcome:?}"
    );
    let described = cluster.run(&["describe", "again"]).ok().stdout;
    let row = described.lines().find(|line| line.trim_start().starts_with("1       b")).unwrap_or_default();
    assert_eq!(row.split_whitespace().take(5).collect::<Vec<_>>(), ["1", "b", "Failed", "2", "1"], "{described}");
}

#[test]
fn a_template_sets_fields_that_have_no_flag() {
    let cluster = Cluster::new("template");
    let template = "
kind: CronJob
spec:
  jobTemplate:
    spec:
      template:
        spec:
          volumes: [{name: input, emptyDir: {}}]
          containers:
          - name: main
            image: docker.io/library/busybox
            env: [{name: GREETING, value: hello}]
            volumeMounts: [{name: input, mountPath: /scratch}]
            command: [sh, -c, 'echo $GREETING $(cat /input/data.txt) > /scratch/x; cat /scratch/x']
";
    let path = cluster.shell("mktemp").ok().stdout.trim().to_owned();
    std::fs::write(&path, template).unwrap();
    let outcome = cluster.run(&["run", "--items", "a,b", "--template", &path]).ok();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(outcome.sorted_lines(), ["[0 a] hello a", "[1 b] hello b"]);
}

#[test]
fn a_queue_leaves_the_job_to_kueue() {
    let cluster = Cluster::new("queue");
    cluster.run(&["run", "queued", "--items", "a", "--queue", "team", "--detach", "--", "rev"]).ok();
    assert_eq!(cluster.field("job/queued", "{.spec.suspend}"), "true");
    assert_eq!(cluster.field("job/queued", "{.metadata.labels.kueue\\.x-k8s\\.io/queue-name}"), "team");
    let outcome = cluster.run(&["wait", "queued", "--timeout", "2s"]);
    assert_eq!(outcome.code, 3, "{outcome:?}");
}
