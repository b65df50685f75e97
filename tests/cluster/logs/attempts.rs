//! Several logs of one index: of its attempts, its containers, and the runs of a container.

use crate::support::Cluster;

/// Index 0 fails twice and index 1 once. The worker reads the number of its attempt from an annotation of Kubernetes.
const ATTEMPTS: &str = r#"
apiVersion: batch/v1
kind: Job
metadata: {name: attempts}
spec:
  completionMode: Indexed
  completions: 2
  parallelism: 2
  backoffLimitPerIndex: 1
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: worker
        image: docker.io/library/busybox
        command: [sh, -c, "echo failed $FAILURES times before; test $FAILURES = $((JOB_COMPLETION_INDEX)) -a $FAILURES = 1"]
        env:
        - name: FAILURES
          valueFrom: {fieldRef: {fieldPath: "metadata.annotations['batch.kubernetes.io/job-index-failure-count']"}}
"#;

#[test]
fn attempts_are_selected_and_followed() {
    let cluster = Cluster::new("logs-attempts");
    cluster.apply(ATTEMPTS).ok();
    let ordered = cluster.start(&["logs", "attempts", "-f", "-k"]);
    let followed = cluster.run(&["logs", "attempts", "-f"]).ok();
    let all = [
        "[0] failed 0 times before",
        "[0 #2] failed 1 times before",
        "[1] failed 0 times before",
        "[1 #2] failed 1 times before",
    ];
    let mut sorted = all;
    sorted.sort_unstable();
    assert_eq!(followed.sorted_lines(), sorted, "a later attempt is followed, too");
    assert_eq!(ordered.end().ok().stdout.lines().collect::<Vec<_>>(), all);

    let logs = |args: &[&str]| cluster.run(&[&["logs", "attempts"], args].concat());
    let lines = |args: &[&str]| logs(args).ok().stdout.lines().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&[]), all);
    assert_eq!(lines(&["--attempt", "1"]), [all[0], all[2]]);
    assert_eq!(lines(&["--attempt", "last"]), [all[1], all[3]]);
    assert_eq!(lines(&["--status", "failed", "--attempt", "all", "--prefix=index"]), all[..2]);
    assert_eq!(lines(&["--status", "failed", "--attempt", "2", "--prefix=index"]), all[1..2]);
    assert_eq!(lines(&["--index", "1", "--attempt", "last", "--prefix=none"]), ["failed 1 times before"]);
    let third = logs(&["--attempt", "3"]);
    assert_eq!((third.code, third.stdout.as_str()), (1, ""));
    assert!(
        third.stderr.starts_with("error: no log from indexes 0,1 (it has no such attempt: the last is 2)\n"),
        "{third:?}"
    );
}

const CONTAINERS: &str = r"
apiVersion: batch/v1
kind: Job
metadata: {name: several}
spec:
  completionMode: Indexed
  completions: 2
  parallelism: 2
  template:
    metadata:
      annotations: {kubectl.kubernetes.io/default-container: main}
    spec:
      restartPolicy: Never
      initContainers:
      - {name: prepare, image: docker.io/library/busybox, command: [echo, prepared]}
      containers:
      - {name: sidecar, image: docker.io/library/busybox, command: [echo, beside]}
      - {name: main, image: docker.io/library/busybox, command: [sh, -c, 'sleep 1; echo done']}
";

#[test]
fn containers_are_selected() {
    let cluster = Cluster::new("logs-containers");
    cluster.apply(CONTAINERS).ok();
    let followed = cluster.start(&["logs", "several", "-f", "--all-containers"]);
    let logs = |args: &[&str]| cluster.run(&[&["logs", "several"], args].concat());
    assert_eq!(logs(&["-f"]).ok().sorted_lines(), ["[0] done", "[1] done"], "the default container alone");
    let of_all = |index| {
        [format!("[{index} prepare] prepared"), format!("[{index} sidecar] beside"), format!("[{index} main] done")]
    };
    let mut all = [of_all(0), of_all(1)].concat();
    let lines = |args: &[&str]| logs(args).ok().stdout.lines().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&["--all-containers"]), all);
    assert_eq!(lines(&["--all-containers", "--index", "1"]), all[3..]);
    all.sort();
    assert_eq!(followed.end().ok().sorted_lines(), all);

    assert_eq!(lines(&["--index", "0"]), ["done"]);
    assert_eq!(lines(&["-c", "sidecar"]), ["[0] beside", "[1] beside"]);
    assert_eq!(lines(&["-c", "prepare", "--index", "1"]), ["prepared"]);
    assert_eq!(lines(&["--init"]), ["[0] prepared", "[1] prepared"]);
    let printed = logs(&["--index", "0", "--all-containers", "-o", "jsonl"]).ok().stdout;
    let containers: Vec<_> = ["prepare", "sidecar", "main"].map(|name| format!("\"container\":\"{name}\"")).into();
    assert!(printed.lines().zip(&containers).all(|(line, container)| line.contains(container)), "{printed}");
    let none = logs(&["-c", "worker"]);
    assert_eq!(none.code, 2, "{none:?}");
    assert_eq!(
        none.stderr,
        "error: the pods of the job have no container \"worker\"\nhint: their containers are prepare, sidecar, main\n"
    );
    let to = cluster.home().join("logs");
    logs(&["--index", "1", "--all-containers", "--to", to.to_str().unwrap()]).ok();
    let mut names: Vec<_> = std::fs::read_dir(to).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["1.main.log", "1.prepare.log", "1.sidecar.log"]);
}

/// A container that fails once, and is started again in the same Pod.
const RESTARTED: &str = r"
apiVersion: batch/v1
kind: Job
metadata: {name: restarted}
spec:
  completionMode: Indexed
  completions: 2
  parallelism: 2
  template:
    spec:
      restartPolicy: OnFailure
      containers:
      - name: worker
        image: docker.io/library/busybox
        command: [sh, -c, 'if [ -e /kept/been ]; then echo second run; sleep 12; exit 0; fi; touch /kept/been; echo first run; sleep 1; exit $((1 - JOB_COMPLETION_INDEX))']
        volumeMounts: [{name: kept, mountPath: /kept}]
      volumes: [{name: kept, emptyDir: {}}]
";

#[test]
fn a_container_that_was_started_again() {
    let cluster = Cluster::new("logs-previous");
    cluster.apply(RESTARTED).ok();
    let following = cluster.start(&["logs", "restarted", "-f"]);
    let logs = |args: &[&str]| cluster.run(&[&["logs", "restarted"], args].concat());
    // The node returns the new log a moment before it reports the restart.
    let restarts = "jsonpath={.items[*].status.containerStatuses[0].restartCount}";
    cluster.eventually("the second run", || {
        cluster.kubectl(&["get", "pods", "-o", restarts]).stdout.contains('1')
            && logs(&["--index", "0"]).stdout == "second run\n"
    });
    assert_eq!(logs(&["--index", "0", "--previous"]).ok().stdout, "first run\n");
    assert_eq!(logs(&["--index", "0", "--previous", "-o", "jsonl"]).ok().stdout.matches("\"first run\"").count(), 1);
    let never = logs(&["--previous"]);
    assert_eq!((never.code, never.stdout.as_str()), (1, "[0] first run\n"), "{never:?}");
    assert!(never.stderr.starts_with("error: no log from index 1 ("), "{never:?}");

    let followed = following.end().ok();
    assert_eq!(followed.sorted_lines(), ["[0] first run", "[0] second run", "[1] first run"]);
    assert_eq!(logs(&[]).ok().stdout, "[0] second run\n[1] first run\n");
    // The node deletes the former runs of an ended Pod; its message is not a line of the container.
    cluster.eventually("the end of what the first run left", || logs(&["--index", "0", "--previous"]).code == 1);
    let put_away = logs(&["--index", "0", "--previous"]);
    assert_eq!(put_away.stdout, "", "{put_away:?}");
    assert!(put_away.stderr.starts_with("error: no log from index 0"), "{put_away:?}");
}
