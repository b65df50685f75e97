//! `indexes` and `describe` on Jobs with problems of every kind: each cause is right, and is printed once for all its indexes.

use std::collections::BTreeMap;

use crate::support::Cluster;

/// Parses CSV: the fields of each row by their names.
fn parse_rows(csv: &str) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_reader(csv.as_bytes()).deserialize().map(Result::unwrap).collect()
}

/// Returns the block of causes in a description; empty if there is none.
fn causes(cluster: &Cluster, job: &str) -> String {
    let text = cluster.run(&["describe", job]).ok().stdout;
    let block = text.split_once("\nCauses:\n").map_or("", |(_, block)| block);
    block.lines().map(str::trim).collect::<Vec<_>>().join("\n")
}

/// Waits until the causes are these: each line begins with the first text and contains the second.
#[track_caller]
fn assert_causes(cluster: &Cluster, job: &str, expected: &[(&str, &str)]) {
    let holds = |text: &str| {
        let lines: Vec<_> = text.lines().collect();
        lines.len() == expected.len()
            && lines
                .iter()
                .zip(expected)
                .all(|(line, (start, within))| line.starts_with(start) && line.contains(within))
    };
    let end = std::time::Instant::now() + std::time::Duration::from_secs(150);
    loop {
        let text = causes(cluster, job);
        if holds(&text) {
            return;
        }
        assert!(std::time::Instant::now() < end, "the causes of {job} are:\n{text}\nand not {expected:#?}");
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
}

#[test]
fn each_row_has_the_outcome_of_its_index() {
    let cluster = Cluster::new("indexes");
    let script =
        "case $(cat /input/data.txt) in good) ;; bad) echo no room >&2; exit 3;; big) exec tail /dev/zero;; esac";
    let args = ["run", "mixed", "--items", "good,bad,big,good,bad", "--memory", "16Mi", "--retries", "1", "-q"];
    assert_eq!(cluster.run(&[&args[..], &["--", "sh", "-c", script]].concat()).code, 1);

    let rows = parse_rows(&cluster.run(&["indexes", "mixed", "-o", "csv"]).ok().stdout);
    let found = |row: &BTreeMap<String, String>| {
        let names = ["index", "item", "status", "attempts", "exit_code", "signal", "reason", "node"];
        names.map(|name| row[name].clone()).join(" ")
    };
    assert_eq!(
        rows.iter().map(found).collect::<Vec<_>>(),
        [
            "0 good Succeeded 1 0   localhost",
            "1 bad Failed 2 3  Error localhost",
            "2 big Failed 2 137 SIGKILL OOMKilled localhost",
            "3 good Succeeded 1 0   localhost",
            "4 bad Failed 2 3  Error localhost",
        ]
    );
    for row in &rows {
        let time = |name: &str| row[name].parse::<jiff::Timestamp>().unwrap();
        assert_eq!(row["duration_seconds"].parse(), Ok(time("finished").as_second() - time("started").as_second()));
    }
    assert_causes(
        &cluster,
        "mixed",
        &[
            ("2 indexes failed (1,4): exit code 3: no room", ""),
            ("1 index failed (2): exit code 137 (SIGKILL), OOMKilled at its memory limit of 16Mi", ""),
            ("hint: kubectl indexed retry mixed --reason OOMKilled --memory x2 retries with more memory", ""),
        ],
    );

    // Each output format and each selection of rows.
    let first = |args: &[&str]| -> Vec<String> {
        let outcome = cluster.run(&[&["indexes", "mixed"], args].concat()).ok();
        outcome.stdout.lines().map(|line| line.split_whitespace().next().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(first(&[]), ["INDEX", "0", "1", "2", "3", "4"]);
    assert_eq!(first(&["--no-headers", "--index", "!failed"]), ["0", "3"]);
    assert_eq!(first(&["--no-headers", "--status", "failed", "--sort-by", "exit"]), ["1", "4", "2"]);
    assert_eq!(first(&["--no-headers", "--index", "2,4", "--sort-by", "item"]), ["4", "2"]);
    let names = cluster.run(&["tasks", "mixed", "-o", "name", "--index", "3"]).ok().stdout;
    assert_eq!(cluster.kubectl(&["get", names.trim(), "-o", "name"]).ok().stdout, names);
    let list = cluster.run(&["indexes", "mixed", "--index", "1-2", "-o", "json"]).ok().stdout;
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    assert_eq!((&list["kind"], &list["job"]["failedIndexes"]), (&"IndexList".into(), &"1,2,4".into()));
    let lines = cluster.run(&["indexes", "mixed", "--index", "1-2", "-o", "jsonl"]).ok().stdout;
    let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(list["items"], serde_json::Value::from(lines));
    assert_eq!(list["items"][0]["message"], "no room\n");

    let outside = cluster.run(&["indexes", "mixed", "--index", "5"]);
    assert_eq!((outside.code, outside.stdout.as_str()), (2, ""));
    assert!(outside.stderr.contains("the job has no index 5: its indexes are 0-4"), "{outside:?}");
    let none = cluster.run(&["indexes", "mixed", "--status", "running"]).ok();
    assert_eq!((none.stdout.as_str(), none.stderr.as_str()), ("", "no indexes of job mixed match\n"));
}

#[test]
fn a_shared_cause_is_printed_once() {
    let cluster = Cluster::new("causes");
    let run = |name: &str, flags: &[&str]| {
        cluster.run(&[&["run", name, "--completions", "2", "-d"], flags, &["--", "true"]].concat()).ok();
    };
    run("cpu", &["--cpu", "1000"]);
    run("selector", &["--node-selector", "disk=ssd"]);
    run("image", &["--image", "docker.io/library/no-such-image"]);
    run("account", &["--service-account", "ghost"]);
    run("queue", &["--queue", "nobody"]);
    cluster.apply(&manifest("config", "suspend: false", "envFrom: [{secretRef: {name: ghost}}]", "[]")).ok();
    let volume = "volumeMounts: [{name: v, mountPath: /v}]";
    cluster.apply(&manifest("mount", "suspend: false", volume, "[{name: v, configMap: {name: ghost}}]")).ok();
    cluster.apply(&manifest("held", "suspend: true", "env: []", "[]")).ok();

    assert_causes(
        &cluster,
        "cpu",
        &[
            ("2 indexes pending (0,1): 0/", "Insufficient cpu"),
            ("hint: each Pod requests cpu 1k: request less", "--cpu"),
        ],
    );
    let row = cluster.run(&["indexes", "cpu", "--no-headers", "--index", "1", "-o", "wide"]).ok().stdout;
    let row: Vec<_> = row.split_whitespace().collect();
    assert_eq!(row[..9], ["1", "-", "Starting", "1", "-", "Unschedulable", "-", "-", "-"]);
    assert_causes(
        &cluster,
        "selector",
        &[
            ("2 indexes pending (0,1): 0/", "affinity/selector"),
            ("hint: the Pods need a node with the label disk=ssd", ""),
        ],
    );
    assert_causes(
        &cluster,
        "image",
        &[
            ("2 indexes pending (0,1): image docker.io/library/no-such-image", "not found (ImagePullBackOff)"),
            ("hint: the image or its tag does not exist: check --image", ""),
        ],
    );
    assert_causes(
        &cluster,
        "account",
        &[
            ("2 indexes pending (0,1): error looking up", "serviceaccount \"ghost\" not found (FailedCreate)"),
            ("hint: kubectl create serviceaccount ghost lets the Pods start", ""),
        ],
    );
    assert_causes(
        &cluster,
        "config",
        &[
            ("2 indexes pending (0,1): secret \"ghost\" not found (CreateContainerConfigError)", ""),
            ("hint: the Pod starts once the object exists", ""),
        ],
    );
    assert_causes(
        &cluster,
        "mount",
        &[
            ("2 indexes pending (0,1): MountVolume.SetUp failed", "configmap \"ghost\" not found (FailedMount)"),
            ("hint: the Pod starts once the object exists", ""),
        ],
    );
    assert_causes(
        &cluster,
        "held",
        &[("2 indexes pending (0,1): the Job is suspended", ""), ("hint: kubectl indexed resume held", "starts it")],
    );
    assert_causes(
        &cluster,
        "queue",
        &[
            ("2 indexes pending (0,1): the queue nobody has not admitted the Job (suspended)", ""),
            ("hint: kubectl describe workloads -l kueue.x-k8s.io/job-uid=", ""),
            ("hint: kubectl get localqueues", ""),
        ],
    );
    let hint = causes(&cluster, "held");
    let command = hint.split("hint: ").nth(1).unwrap().split(" starts it").next().unwrap();
    cluster.shell(command).ok();
    cluster.run(&["wait", "held"]).ok();
    assert_eq!(causes(&cluster, "held"), "");
}

/// Returns a Job of two indexes with these additions to its spec, its container and its volumes.
fn manifest(name: &str, spec: &str, container: &str, volumes: &str) -> String {
    format!(
        "
apiVersion: batch/v1
kind: Job
metadata: {{name: {name}}}
spec:
  completions: 2
  parallelism: 2
  completionMode: Indexed
  {spec}
  template:
    spec:
      restartPolicy: Never
      volumes: {volumes}
      containers:
      - name: worker
        image: docker.io/library/busybox
        command: [sh, -c, 'test $JOB_COMPLETION_INDEX = 0 || sleep 1']
        {container}
"
    )
}

#[test]
fn a_used_up_quota_is_a_cause() {
    let cluster = Cluster::new("quota");
    cluster.kubectl(&["create", "quota", "few", "--hard=pods=1"]).ok();
    cluster.eventually("the quota's first count", || cluster.field("quota/few", "{.status.used.pods}") == "0");
    cluster.run(&["run", "many", "--completions", "3", "-d", "--", "sleep", "30"]).ok();
    assert_causes(
        &cluster,
        "many",
        &[
            ("2 indexes pending (1,2): exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1", ""),
            ("hint: kubectl describe quota", "shows the quota; Pods start as soon as others free it"),
        ],
    );
    let rows = parse_rows(&cluster.run(&["indexes", "many", "--status", "pending", "-o", "csv"]).ok().stdout);
    assert_eq!(rows.iter().map(|row| row["index"].as_str()).collect::<Vec<_>>(), ["1", "2"]);
}

#[test]
fn deadlines_of_a_job_and_of_a_pod_are_causes() {
    let cluster = Cluster::new("deadline");
    // Longer than the deadline and its grace period: SIGKILL ends it.
    let slow = "command: [sh, -c, 'test $JOB_COMPLETION_INDEX = 0 || sleep 600']";
    let of_job = manifest("job", "activeDeadlineSeconds: 30", "env: []", "[]")
        .replace("command: [sh, -c, 'test $JOB_COMPLETION_INDEX = 0 || sleep 1']", slow);
    cluster.apply(&of_job).ok();
    let of_pod = of_job
        .replace("name: job", "name: pod")
        .replace("activeDeadlineSeconds: 30", "backoffLimitPerIndex: 0")
        .replace("restartPolicy: Never", "restartPolicy: Never\n      activeDeadlineSeconds: 30");
    cluster.apply(&of_pod).ok();
    assert_eq!(cluster.run(&["wait", "job", "-q"]).code, 1);
    assert_eq!(cluster.run(&["wait", "pod", "-q"]).code, 1);
    assert_causes(
        &cluster,
        "job",
        &[
            ("1 index not completed (1): Job was active longer than specified deadline (DeadlineExceeded)", ""),
            ("hint: activeDeadlineSeconds of the Job (--timeout) limits the time", ""),
        ],
    );
    assert_causes(
        &cluster,
        "pod",
        &[
            (
                "1 index failed (1): exit code 137 (SIGKILL), DeadlineExceeded",
                "Pod was active on the node longer than the specified deadline",
            ),
            ("hint: activeDeadlineSeconds of the Pod (--index-timeout) limits the time", ""),
        ],
    );
    let found = |job: &str| {
        let rows = parse_rows(&cluster.run(&["indexes", job, "-o", "csv"]).ok().stdout);
        rows.iter().map(|row| format!("{} {}", row["status"], row["reason"])).collect::<Vec<_>>()
    };
    assert_eq!(found("job"), ["Succeeded ", "Pending DeadlineExceeded"]);
    assert_eq!(found("pod"), ["Succeeded ", "Failed DeadlineExceeded"]);
}

#[test]
fn a_row_is_printed_again_until_the_job_ends() {
    let cluster = Cluster::new("indexes-watch");
    let script = "sleep 2; exit $JOB_COMPLETION_INDEX";
    cluster.run(&["run", "two", "--items", "a,b", "-d", "--", "sh", "-c", script]).ok();
    let watch = cluster.start(&["indexes", "two", "-w", "-o", "csv"]);
    let failed = cluster.start(&["indexes", "two", "-w", "--status", "failed", "--no-headers"]);
    let outcome = watch.end().ok();
    let mut last = BTreeMap::new();
    for row in parse_rows(&outcome.stdout) {
        let index = row["index"].clone();
        assert_ne!(last.get(&index), Some(&row), "a row that has not changed is not printed again");
        last.insert(index, row);
    }
    let found: Vec<_> = last.values().map(|row| format!("{} {}", row["item"], row["status"])).collect();
    assert_eq!(found, ["a Succeeded", "b Failed"]);
    let failed = failed.end().ok().stdout;
    assert_eq!(failed.lines().count(), 1, "{failed}");
    assert!(failed.starts_with("1       b "), "{failed}");
}

#[test]
fn items_select_rows_as_they_select_logs() {
    let cluster = Cluster::new("indexes-items");
    cluster.run(&["run", "j", "--items", "foo,bar,baz,b*", "-q", "--", "rev"]).ok();
    for item in ["bar", "ba?", "b*", "*a*", "*"] {
        let rows = cluster.run(&["indexes", "j", "--item", item, "-o", "jsonpath={.items[*].index}"]).ok().stdout;
        let logs = cluster.run(&["logs", "j", "--item", item, "-o", "jsonl"]).ok().stdout;
        let logs =
            logs.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["index"].to_string());
        assert_eq!(rows, logs.collect::<Vec<_>>().join(" "), "{item}");
    }
    let narrowed =
        cluster.run(&["indexes", "j", "--item", "ba?", "--item", "foo", "--index", "0-1", "-o", "name"]).ok();
    assert_eq!(narrowed.stdout.lines().count(), 2, "{narrowed:?}");
    let unknown = cluster.run(&["indexes", "j", "--item", "x"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("error: job \"j\" has no item \"x\"\n"), "{unknown:?}");

    // The same document, with templates and as columns.
    let columns = "custom-columns=INDEX:.index,ITEM:.item,OUT:.output";
    let table = cluster.run(&["results", "j", "--trim", "--index", "0,1", "-o", columns]).ok().stdout;
    assert_eq!(table, "INDEX   ITEM   OUT\n0       foo    oof\n1       bar    rab\n");
    let text = "jsonpath={.kind} {range .items[?(@.exitCode==0)]}{.item}={.output}{end}{.job.completions}";
    let text = cluster.run(&["results", "j", "--trim", "-o", text]).ok().stdout;
    assert_eq!(text, "ResultList foo=oofbar=rabbaz=zabb*=*b4");
    let refused = cluster.run(&["results", "j", "-f", "-o", "jsonpath={.kind}"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{refused:?}");
}

/// A template applies to each object of a dry run, as in `kubectl create`.
#[test]
fn a_template_applies_to_each_object() {
    let cluster = Cluster::new("objects-jsonpath");
    let run = ["run", "j", "--items", "a,b", "--dry-run=client", "-o"];
    let manifest =
        cluster.write("j.yaml", cluster.run(&[&run[..], &["yaml", "--", "rev"]].concat()).ok().stdout.as_bytes());
    let create = ["create", "--dry-run=client", "-f", manifest.to_str().unwrap(), "-o"];
    for form in ["jsonpath={.kind}/{.metadata.name}{\"\\n\"}", "jsonpath-as-json={.kind}"] {
        let ours = cluster.run(&[&run[..], &[form, "--", "rev"]].concat()).ok().stdout;
        assert_eq!(ours, cluster.kubectl(&[&create[..], &[form]].concat()).ok().stdout, "{form}");
    }
    // Refused before anything is created.
    let wrong = cluster.run(&["run", "j", "--items", "a", "--detach", "-o", "jsonpath={.kind", "--", "rev"]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
    assert_eq!(cluster.kubectl(&["get", "jobs", "-o", "name"]).ok().stdout, "");
    cluster.run(&["run", "j", "--completions", "1", "-q", "--detach", "--", "sleep", "9"]).ok();
    let suspended = cluster.run(&["suspend", "j", "-o", "jsonpath={.metadata.name} {.spec.suspend}"]).ok();
    assert_eq!(suspended.stdout, "j true");
}

/// The item, output, reason and messages of the Job have control characters.
#[test]
fn a_terminal_gets_no_control_characters_of_the_cluster() {
    let cluster = Cluster::new("hostile");
    let hostile = "\u{1b}]52;c;ZXZpbA==\u{7}\u{1b}[31m\u{9b}2J\u{202e}x";
    let template = "
        {apiVersion: batch/v1, kind: Job, metadata: {name: x}, spec: {template: {spec: {restartPolicy: Never,
        containers: [{name: worker, image: docker.io/library/busybox}]}}}}";
    cluster.write("template.yaml", template.as_bytes());
    cluster.write("items", format!("{hostile}\n").as_bytes());
    let run = "kubectl-indexed run x -q --template $HOME/template.yaml -a $HOME/items";
    assert_eq!(cluster.shell(&format!("{run} -- sh -c 'cat /input/data.txt; exit 3'")).code, 1);
    let pod = cluster.run(&["indexes", "x", "-o", "name"]).ok().stdout;
    // The Job has counted the index, so its Pod is only displayed. The node may write the status once more.
    let state = serde_json::json!({"status": {"phase": "Failed", "reason": format!("R{hostile}"), "message": hostile}});
    let patch = ["patch", pod.trim(), "--subresource=status", "--type=merge", "-p", &state.to_string()];
    cluster.eventually("item, reason, message and output, every byte into a pipe", || {
        cluster.kubectl(&patch).ok();
        cluster.run(&["results", "x", "-o", "csv"]).ok().stdout.matches(hostile).count() == 4
    });
    let commands = [
        ("results x -o csv", true),
        ("results x --joblog -", true),
        ("indexes x -o csv", true),
        ("indexes x -o wide", true),
        ("indexes x -o jsonpath='{.items[0].item}'", true),
        ("describe x", true),
        ("logs x", true),
        ("wait x", true),
        ("watch x", true),
        ("list", false),
        (r#"logs "$(printf "x\033]52;c;ZXZpbA==\007")""#, true),
    ];
    for environment in ["TERM=xterm", "TERM=xterm NO_COLOR=1"] {
        for (command, is_shown) in commands {
            cluster.write("command", format!("kubectl-indexed {command}\n").as_bytes());
            let shown =
                cluster.shell(&format!("{environment} script -qefc 'bash $HOME/command' /dev/null || true")).stdout;
            let mut plain = shown.replace("\r\n", "\n");
            for color in ["1", "0", "31", "31;1", "32", "33", "33;1", "36", "36;1"] {
                plain = plain.replace(&format!("\u{1b}[{color}m"), "");
            }
            let driving = plain.chars().find(|&c| c.is_control() && !"\n\t".contains(c) || c == '\u{202e}');
            assert_eq!(driving, None, "{environment} {command}: {shown:?}");
            assert_eq!(plain.contains("\\u{1b}]52;c;ZXZpbA==\\u{7}"), is_shown, "{environment} {command}: {shown:?}");
        }
    }
}

#[test]
fn the_last_state_of_a_progress_bar_counts() {
    let cluster = Cluster::new("progress-bar");
    let script = r"i=0; while [ $i -le 100 ]; do printf '\r%3d%%|####  | %d/100 [00:10<00:20,  4.5it/s]' $i $i
        i=$((i+1)); done; printf '\r\033[KCUDA error: out of memory'; exit 3";
    let line = format!("kubectl-indexed run bar --items a,b -- sh -c {}\n", shlex::try_quote(script).unwrap());
    cluster.write("command", line.as_bytes());
    let shown = cluster.shell("TERM=xterm NO_COLOR=1 script -qec 'stty cols 100; bash $HOME/command' /dev/null").stdout;
    for line in
        ["[0 a] CUDA error: out of memory\r\n", "2 × exit code 3: \"CUDA error: out of memory\" (indexes 0,1)\r\n"]
    {
        assert!(shown.contains(line), "{line:?}: {shown:?}");
    }
    assert!(!shown.contains("it/s]"), "{shown:?}");
    assert_causes(&cluster, "bar", &[("2 indexes failed (0,1): exit code 3: CUDA error: out of memory", "")]);
    let wide = cluster.run(&["indexes", "bar", "-o", "wide", "--index", "0"]).ok().stdout;
    assert!(wide.ends_with("CUDA error: out of memory\n") && !wide.contains("it/s]"), "{wide}");
    let piped = cluster.run(&["logs", "bar", "--index", "0"]).ok().stdout;
    assert!(piped.contains("\r100%|####"), "a pipe gets every byte: {piped:?}");
}
