//! Why indexes wait, restart, hang or failed: the same cause and the same hint on every screen.

use crate::support::{Cluster, Outcome};

/// Writes a template into the folder of the test, and returns its path.
fn template(cluster: &Cluster, text: &str) -> String {
    cluster.write("template.yaml", text.as_bytes()).to_str().unwrap().to_owned()
}

#[track_caller]
fn assert_contains(outcome: &Outcome, words: &[&str]) {
    let text = format!("{}{}", outcome.stdout, outcome.stderr);
    for word in words {
        assert!(text.contains(word), "{word:?} is missing in\n{text}");
    }
}

/// A Pod that does not start is reported after ten seconds.
const SLOW: &str = "20s";
const QUICK: &str = "5s";

/// Asserts that each screen prints the cause of a Job within this time, and each except the table its hint.
#[track_caller]
fn assert_every_screen_prints(cluster: &Cluster, job: &str, timeout: &str, cause: &str, cure: &str) {
    cluster.eventually("the cause", || cluster.run(&["describe", job]).stdout.contains(cause));
    let wait = cluster.start(&["wait", job, "--timeout", timeout]);
    let watch = cluster.start(&["watch", job, "--plain"]);
    assert_contains(&cluster.run(&["describe", job]).ok(), &[cause, cure]);
    // A table has only a row for each index.
    let why = cause.split_once("): ").map_or(cause, |(_, why)| why);
    assert_contains(&cluster.run(&["indexes", job, "-o", "wide"]).ok(), &[why]);
    let wait = wait.end();
    assert_contains(&wait, &[cause, cure]);
    if wait.code == 3 {
        watch.interrupt();
    }
    assert_contains(&watch.end(), &[cause, cure]);
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
        command: [sh, -c, 'echo trying >&2; echo no route >&2; exit 6']
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
    assert_contains(
        &run,
        &[&format!("2 × {how}: \"no route\""), "hint: kubectl indexed logs ini --index failed prints"],
    );
    assert_every_screen_prints(&cluster, "ini", QUICK, how, "hint: kubectl indexed logs ini --index failed prints");
    assert_contains(&cluster.run(&["describe", "ini"]).ok(), &[&format!("2 indexes failed (0,1): {how}: no route")]);
    let logs = cluster.run(&["logs", "ini", "--index", "failed"]).ok();
    let lines = ["[0 a fetch] trying", "[0 a fetch] no route", "[1 b fetch] trying", "[1 b fetch] no route"];
    assert_eq!(logs.stdout.lines().collect::<Vec<_>>(), lines, "{logs:#?}");
    // `logs` prints the log of the worker, which never started.
    let worker = cluster.run(&["logs", "ini", "-i", "0", "-c", "worker"]);
    assert_eq!((worker.code, worker.stdout.as_str()), (1, ""), "{worker:#?}");
    assert_contains(&worker, &["init container fetch failed with exit code 6"]);
}

#[test]
fn an_added_init_container_that_fails_is_named() {
    let cluster = Cluster::new("causes-own");
    cluster.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: lines}\ndata: {k: \"a\\nb\\n\"}");
    let run = ["run", "li", "--items-configmap", "lines/k", "-j", "1", "--fail-fast", "--"];
    let worker = ["sh", "-c", "kubectl=1; sleep 4; echo {}"];
    let running = cluster.start(&[&run[..], &worker[..]].concat());
    cluster.eventually("the first pod", || cluster.kubectl(&["get", "pods", "-o", "name"]).stdout.contains("li-0"));
    cluster.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: lines}\ndata: {k: \"\"}");
    let run = running.end();
    assert_eq!(run.code, 1, "{run:#?}");
    assert_contains(&run, &["of init container input"]);
    let logs = cluster.run(&["logs", "li", "--index", "failed"]).ok();
    assert!(!logs.stdout.is_empty(), "{logs:#?}");
}

/// A worker that outgrows any small memory limit.
const GROW: &str = "exec tail /dev/zero";

#[test]
fn an_oom_kill_is_reported_with_its_memory_limit() {
    let cluster = Cluster::new("causes-memory");
    cluster.apply(
        "apiVersion: v1\nkind: LimitRange\nmetadata: {name: small}\nspec: {limits: [{type: Container, default: {memory: \
         24Mi}, defaultRequest: {memory: 8Mi}}]}",
    );
    let run = cluster.run(&["run", "big", "--completions", "1", "--", "sh", "-c", GROW]);
    let how = "exit code 137 (SIGKILL), OOMKilled at its memory limit of 24Mi";
    let cure = "hint: kubectl indexed retry big --reason OOMKilled --memory 48Mi retries with more memory";
    assert_eq!(run.code, 1, "{run:#?}");
    assert_contains(&run, &[&format!("index 0 failed: {how}"), cure]);
    assert_every_screen_prints(&cluster, "big", QUICK, how, cure);
}

#[test]
fn a_command_that_the_image_lacks_is_named() {
    let cluster = Cluster::new("causes-command");
    let how = "exit code 128, StartError: the image has no command \"nosuch\"";
    let run = cluster.run(&["run", "no", "--image", "bash", "--completions", "1", "--", "nosuch", "-v"]);
    let cure =
        "hint: the image bash lacks the command \"nosuch\": kubectl indexed retry no --image IMAGE changes the image";
    assert_contains(&run, &[&format!("index 0 failed: {how}"), cure]);
    assert_every_screen_prints(&cluster, "no", QUICK, how, cure);
    let shell = cluster.run(&["run", "sh", "--completions", "1", "--", "sh", "-c", "nosuch; exit"]);
    assert_contains(&shell, &["exit code 127", "lacks the command \"nosuch\": kubectl indexed retry sh"]);
}

#[test]
fn a_submission_waits_until_the_old_objects_of_its_name_are_gone() {
    let cluster = Cluster::new("causes-again");
    let run = |item: &str| cluster.run(&["run", "x", "--items", item, "--", "echo", "{}"]);
    run("a").ok();
    cluster
        .kubectl(&[
            "patch",
            "configmap",
            "x-items",
            "--type=merge",
            "-p",
            "{\"metadata\":{\"finalizers\":[\"example.com/hold\"]}}",
        ])
        .ok();
    cluster.kubectl(&["delete", "job", "x"]).ok();
    let running = cluster.start(&["run", "x", "--items", "b", "--", "echo", "{}"]);
    std::thread::sleep(std::time::Duration::from_secs(2));
    cluster
        .kubectl(&["patch", "configmap", "x-items", "--type=merge", "-p", "{\"metadata\":{\"finalizers\":null}}"])
        .ok();
    let again = running.end().ok();
    assert_contains(
        &again,
        &["configmap \"x-items\" of an earlier job \"x\" is being deleted: waiting until it is gone", "b"],
    );
    // Objects that were orphaned on purpose are never collected.
    cluster.kubectl(&["delete", "job", "x", "--cascade=orphan"]).ok();
    let orphaned = run("c");
    assert_eq!(orphaned.code, 1, "{orphaned:#?}");
    assert_contains(
        &orphaned,
        &[
            "error: configmap \"x-items\" was left behind by an earlier job \"x\"",
            "hint: kubectl indexed delete x removes it",
        ],
    );
    cluster.run(&["delete", "x"]).ok();
    run("c").ok();
    // A ConfigMap of another user is not left over from a Job.
    cluster.kubectl(&["create", "configmap", "y-items"]).ok();
    let foreign = cluster.run(&["run", "y", "--items", "a", "--", "echo", "{}"]);
    assert_eq!(foreign.code, 1, "{foreign:#?}");
    assert_contains(&foreign, &["\"y-items\" already exists", "hint: choose another --name"]);
}

const HELD: &str = "
apiVersion: batch/v1
kind: Job
metadata: {name: held}
spec:
  completions: 1
  completionMode: Indexed
  template:
    metadata: {finalizers: [example.com/hold]}
    spec:
      restartPolicy: Never
      containers:
      - {name: worker, image: docker.io/library/busybox, command: ['true']}
";

#[test]
fn a_deletion_names_the_finalizer_that_blocks_it() {
    let cluster = Cluster::new("causes-held");
    cluster.apply(HELD);
    cluster.kubectl(&["wait", "job/held", "--for=condition=complete", "--timeout=60s"]).ok();
    cluster
        .kubectl(&[
            "patch",
            "job",
            "held",
            "--field-manager=audit",
            "--type=merge",
            "-p",
            "{\"metadata\":{\"finalizers\":[\"example.com/audit\"]}}",
        ])
        .ok();
    let at_once = cluster.run(&["delete", "held", "--wait=false"]).ok();
    assert_eq!(at_once.stdout, "job.batch \"held\" deleted\n");
    let running = cluster.start(&["delete", "held"]);
    std::thread::sleep(std::time::Duration::from_secs(9));
    running.interrupt();
    let held = running.end();
    let pod = cluster.kubectl(&["get", "pods", "-o", "name"]).ok().stdout.trim().replace("pod/", "");
    let by_hand = "--type=merge -p '{\"metadata\":{\"finalizers\":null}}'";
    assert_contains(
        &held,
        &[
            "warning: the deletion of job held waits for finalizer example.com/audit of job held, which audit set",
            &format!("waits for finalizer example.com/hold of pod {pod}, which the template of the job sets"),
            &format!("kubectl patch pod {pod} {by_hand}"),
            &format!("kubectl patch job held {by_hand}"),
        ],
    );
    let patch = "{\"metadata\":{\"finalizers\":null}}";
    cluster.kubectl(&["patch", "pod", &pod, "--type=merge", "-p", patch]).ok();
    cluster.kubectl(&["patch", "job", "held", "--type=merge", "-p", patch]);
    cluster.eventually("the end of the job", || cluster.kubectl(&["get", "job", "held"]).code != 0);
}

/// Deletes the Jobs before their namespace: in a namespace that is being deleted, the Job controller can't remove the
/// finalizers of Pods that never ran.
fn delete_jobs(cluster: &Cluster) {
    cluster.kubectl(&["delete", "jobs", "--all", "--wait=false"]).ok();
}

/// Patches the status of the newest Pod.
fn patch_pod(cluster: &Cluster, status: &str) {
    let pods = ["get", "pods", "--sort-by=.metadata.creationTimestamp", "-o", "name"];
    let pods = cluster.kubectl(&pods).ok().stdout;
    let pod = pods.lines().last().unwrap();
    cluster.kubectl(&["patch", pod, "--subresource=status", "--type=merge", "-p", status]).ok();
}

/// Creates a node without a kubelet, tainted against the Pods of other tests.
fn silent_node(cluster: &Cluster) -> String {
    let node = format!("{}-node", cluster.namespace());
    let taint = "{key: own, value: test, effect: NoSchedule}";
    cluster
        .create(&format!("apiVersion: v1\nkind: Node\nmetadata: {{name: {node}}}\nspec: {{taints: [{taint}]}}"))
        .ok();
    node
}

/// Returns a Job named `held` whose Pods run on this node.
fn on_node(node: &str) -> String {
    HELD.replace("metadata: {finalizers: [example.com/hold]}", "metadata: {labels: {a: b}}").replace(
        "restartPolicy: Never\n",
        &format!("restartPolicy: Never\n      nodeName: {node}\n      tolerations: [{{operator: Exists}}]\n"),
    )
}

const EVICTED: &str = r#"{"status": {"phase": "Failed", "reason": "Evicted",
    "message": "The node was low on resource: memory. Threshold quantity: 100Mi, available: 90Mi.",
    "conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet",
        "lastTransitionTime": "2026-01-01T00:00:00Z"}],
    "containerStatuses": [{"name": "worker", "ready": false, "restartCount": 0, "image": "b", "imageID": "",
        "state": {"terminated": {"exitCode": 137, "reason": "Error", "startedAt": "2026-01-01T00:00:05Z",
            "finishedAt": "2026-01-01T00:00:09Z"}}}]}}"#;

#[test]
fn repeated_evictions_are_reported_with_their_number() {
    let cluster = Cluster::new("causes-evicted");
    let node = silent_node(&cluster);
    let path = template(&cluster, &on_node(&node));
    let running = cluster.start(&["run", "ev", "--template", &path, "--completions", "1", "--", "sleep", "300"]);
    for evicted in 0..2 {
        cluster.eventually("the next pod", || {
            cluster.kubectl(&["get", "pods", "-o", "name"]).stdout.lines().count() == evicted + 1
        });
        patch_pod(&cluster, EVICTED);
    }
    let sentence = "1 index restarting (0): evicted and restarted 2 times, the last time because: The node was low on \
                    resource: memory (Evicted)";
    let cure = "hint: request enough memory (--memory)";
    assert_every_screen_prints(&cluster, "ev", QUICK, sentence, cure);
    running.interrupt();
    let run = running.end();
    assert_contains(&run, &[sentence, cure]);
    assert_eq!(run.stdout, "", "a message of the node is not an output: {run:#?}");
    delete_jobs(&cluster);
    cluster.kubectl(&["delete", "node", &node]).ok();
}

/// The status of a running Pod on a silent node, as the node lifecycle controller leaves it: not ready, its containers ready.
const LOST: &str = r#"{"status": {"phase": "Running", "startTime": "2026-01-01T00:00:00Z", "conditions": [
    {"type": "Ready", "status": "False", "lastTransitionTime": "2026-01-01T00:00:40Z"},
    {"type": "ContainersReady", "status": "True", "lastTransitionTime": "2026-01-01T00:00:05Z"}],
    "containerStatuses": [{"name": "worker", "ready": true, "restartCount": 0, "image": "b", "imageID": "",
        "state": {"running": {"startedAt": "2026-01-01T00:00:05Z"}}}]}}"#;

#[test]
fn a_node_that_no_longer_answers_is_named() {
    let cluster = Cluster::new("causes-lost");
    let node = silent_node(&cluster);
    let job = on_node(&node);
    cluster.apply(&job);
    cluster.eventually("the pod", || !cluster.kubectl(&["get", "pods", "-o", "name"]).stdout.is_empty());
    patch_pod(&cluster, LOST);
    let sentence = format!("1 index hanging (0): node {node} has not responded since 2026-01-01T00:00:40Z (NodeLost)");
    let cure = format!("hint: kubectl delete node {node} moves its indexes to other nodes");
    assert_every_screen_prints(&cluster, "held", QUICK, &sentence, &cure);
    assert_contains(&cluster.run(&["indexes", "held", "-o", "wide"]).ok(), &["Unknown"]);
    // The hint helps: the Pods of a deleted Node are collected and replaced.
    let pods = || cluster.kubectl(&["get", "pods", "-o", "name"]).stdout;
    let lost = pods();
    cluster.kubectl(&["delete", "node", &node]).ok();
    cluster.eventually("another pod of the index", || !pods().is_empty() && !pods().contains(lost.trim()));
    delete_jobs(&cluster);
}

const SIDECAR: &str = "
apiVersion: batch/v1
kind: Job
metadata: {name: side}
spec:
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 1
      containers:
      - name: worker
        image: docker.io/library/busybox
      - name: proxy
        image: docker.io/library/busybox
        command: [sleep, infinity]
";

#[test]
fn a_container_that_outlives_its_worker_is_named() {
    let cluster = Cluster::new("causes-sidecar");
    let path = template(&cluster, SIDECAR);
    let running = cluster.start(&["run", "side", "--template", &path, "--items", "a", "--", "echo", "{}"]);
    let sentence =
        "1 index hanging (0): the worker ended with exit code 0, but container proxy still runs (NotCompleted)";
    let cure = "hint: an init container with restartPolicy: Always ends with the worker: make proxy one";
    assert_every_screen_prints(&cluster, "side", QUICK, sentence, cure);
    running.interrupt();
    assert_contains(&running.end(), &[sentence, cure]);
}

const SIX_CONTAINERS: &str = "
apiVersion: batch/v1
kind: Job
metadata: {name: many}
spec:
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 1
      initContainers:
      - {name: i1, image: docker.io/library/busybox, command: ['true']}
      - {name: i2, image: docker.io/library/busybox, command: ['true']}
      containers:
      - {name: worker, image: docker.io/library/busybox}
      - {name: c2, image: docker.io/library/busybox, command: ['true']}
      - {name: c3, image: docker.io/library/busybox, command: ['true']}
      - {name: c4, image: docker.io/library/busybox, command: ['true']}
";

#[test]
fn a_termination_message_that_the_node_cut_is_not_an_output() {
    let cluster = Cluster::new("causes-cut");
    let path = template(&cluster, SIX_CONTAINERS);
    let write = "printf '[\"%0{}d\"]' 1 >/dev/termination-log";
    cluster.run(&["run", "many", "--template", &path, "--items", "2000,4000", "--", "sh", "-c", write]).ok();
    let results = ["results", "many", "--from", "termination-message", "-o", "jsonl"];
    let results = cluster.run(&results);
    assert_eq!(results.code, 1, "{results:#?}");
    assert_contains(&results, &["error: no output of index 1: the node has cut its termination message at 2048 bytes"]);
    assert!(results.stdout.contains("0000"), "{results:#?}");
}

#[test]
fn every_screen_prints_why_pods_wait() {
    let cluster = &Cluster::new("causes-waiting");
    let limits = "{limits: [{type: Container, max: {memory: 24Mi}}]}";
    let claim = "{storageClassName: '', accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}";
    let objects = [("LimitRange", "small", limits), ("PersistentVolumeClaim", "data", claim)];
    for (kind, name, spec) in objects {
        cluster.apply(&format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}")).ok();
    }
    let job = |name: &str, pod: &str, worker: &str| {
        let job = HELD
            .replace("name: held", &format!("name: {name}"))
            .replace("metadata: {finalizers: [example.com/hold]}", "metadata: {labels: {a: b}}")
            .replace("restartPolicy: Never\n", &format!("restartPolicy: Never\n      {pod}\n"))
            .replace("['true']", &format!("['true']{worker}"));
        cluster.apply(&job).ok();
    };
    let mount = ", volumeMounts: [{name: v, mountPath: /v}]";
    job("gate", "schedulingGates: [{name: example.com/hold}]", "");
    job("claim", "volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]", mount);
    job("mount", "volumes: [{name: v, secret: {secretName: ghost}}]", mount);
    let run = |name: &str, flags: &[&str]| {
        let running = [&["run", name, "--completions", "1"], flags, &["--", "true"]].concat();
        cluster.start(&running)
    };
    let gpu = run("gpu", &["--gpu", "1"]);
    let range = run("range", &["--memory", "64Mi"]);
    // Other tests may add nodes.
    let causes = [
        ("gpu", " Insufficient nvidia.com/gpu", "hint: each Pod requests nvidia.com/gpu 1 (--gpu)"),
        (
            "range",
            "1 index pending (0): maximum memory usage per Container is 24Mi, but limit is 64Mi (FailedCreate)",
            "hint: kubectl describe limitranges shows how much a Pod may request; --memory sets the request",
        ),
        (
            "gate",
            "1 index pending (0): scheduling gate example.com/hold (SchedulingGated)",
            "hint: check that the controller of example.com runs in the cluster",
        ),
        (
            "claim",
            "pod has unbound immediate PersistentVolumeClaims (data) (Unschedulable)",
            "hint: kubectl describe persistentvolumeclaims data shows why the volume is not bound",
        ),
        (
            "mount",
            "1 index pending (0): MountVolume.SetUp failed for volume \"v\" : secret \"ghost\" not found (FailedMount)",
            "hint: the Pod starts once the object exists; kubectl get configmaps,secrets lists",
        ),
    ];
    std::thread::scope(|scope| {
        for (job, cause, cure) in causes {
            scope.spawn(move || assert_every_screen_prints(cluster, job, SLOW, cause, cure));
        }
    });
    for (running, (_, cause, cure)) in [gpu, range].into_iter().zip(causes) {
        running.interrupt();
        assert_contains(&running.end(), &[cause, cure]);
    }
    delete_jobs(cluster);
}

/// An index fails at once if its worker fails; after evictions, it fails at the limit.
#[test]
fn the_server_limits_evictions() {
    let cluster = Cluster::new("causes-limit");
    let node = silent_node(&cluster);
    let path = template(&cluster, &on_node(&node));
    let run = ["run", "ev", "--template", &path, "--completions", "1", "--max-evictions", "1", "--", "sleep", "300"];
    let running = cluster.start(&run);
    for evicted in 0..2 {
        cluster.eventually("the next pod", || {
            cluster.kubectl(&["get", "pods", "-o", "name"]).stdout.lines().count() == evicted + 1
        });
        patch_pod(&cluster, EVICTED);
    }
    let run = running.end();
    cluster.kubectl(&["delete", "node", &node]).ok();
    assert_eq!(run.code, 1, "{run:#?}");
    let why = "index 0 failed after 2 attempts: exit code 137 (SIGKILL), Evicted: The node was low on resource: memory";
    assert_contains(&run, &[why, "hint: request enough memory (--memory)"]);
    assert_contains(&cluster.run(&["describe", "ev"]).ok(), &["Retries:          0 for each index, 1 after evictions"]);
    // A worker that fails is not retried without `--retries`.
    let own = cluster.run(&["run", "own", "--completions", "1", "--", "sh", "-c", "exit 3"]);
    assert_eq!(own.code, 1, "{own:#?}");
    assert_contains(&own, &["index 0 failed: exit code 3"]);
    let again = cluster.run(&["retry", "own", "--retries", "1"]);
    assert_contains(&again, &["index 0 failed after 2 attempts: exit code 3"]);
    assert_contains(
        &cluster.run(&["describe", "own-r1"]).ok(),
        &["1 for each index", "Ignore on DisruptionTarget=True"],
    );
}
