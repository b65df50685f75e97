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

/// A worker that outgrows any small memory limit.
const GROW: &str = "exec tail /dev/zero";

#[test]
fn memory_that_ran_out_is_told_with_the_limit_in_force() {
    let cluster = Cluster::new("causes-memory");
    cluster.apply(
        "apiVersion: v1\nkind: LimitRange\nmetadata: {name: small}\nspec: {limits: [{type: Container, default: {memory: \
         24Mi}, defaultRequest: {memory: 8Mi}}]}",
    );
    let run = cluster.run(&["run", "big", "--completions", "1", "--", "sh", "-c", GROW]);
    let how = "exit code 137 (SIGKILL), OOMKilled at its memory limit of 24Mi";
    let cure = "hint: kubectl indexed retry big --reason OOMKilled --memory 48Mi runs it again with more";
    assert_eq!(run.code, 1, "{run:#?}");
    has(&run, &[&format!("index 0 failed: {how}"), cure]);
    has(&cluster.run(&["describe", "big"]).ok(), &[&format!("1 index failed (0): {how}"), cure]);
    has(&cluster.run(&["wait", "big"]), &[how, cure]);
    has(&cluster.run(&["indexes", "big", "-o", "wide"]).ok(), &[how]);
}

#[test]
fn a_command_that_the_image_lacks_is_named() {
    let cluster = Cluster::new("causes-command");
    let how = "exit code 128, StartError: the image has no command \"nosuch\"";
    let run = cluster.run(&["run", "no", "--image", "bash", "--completions", "1", "--", "nosuch", "-v"]);
    let cure =
        "hint: the image bash has no command \"nosuch\": kubectl indexed retry no --image IMAGE, or retry no -- CMD";
    has(&run, &[&format!("index 0 failed: {how}"), cure]);
    has(&cluster.run(&["describe", "no"]).ok(), &[&format!("1 index failed (0): {how}"), cure]);
    has(&cluster.run(&["wait", "no"]), &[how, cure]);
    has(&cluster.run(&["indexes", "no", "-o", "wide"]).ok(), &[how]);
    let shell = cluster.run(&["run", "sh", "--completions", "1", "--", "sh", "-c", "nosuch; exit"]);
    has(&shell, &["exit code 127", "has no command \"nosuch\": kubectl indexed retry sh"]);
}

#[test]
fn what_no_node_has_is_told_everywhere() {
    let cluster = Cluster::new("causes-gpu");
    let running = cluster.start(&["run", "gpu", "--gpu", "1", "--completions", "1", "--", "true"]);
    let why = "Insufficient nvidia.com/gpu";
    cluster.eventually("the cause", || cluster.run(&["describe", "gpu"]).stdout.contains(why));
    let cure = "hint: each Pod asks for nvidia.com/gpu 1 (--gpu), which no node has free";
    let describe = cluster.run(&["describe", "gpu"]).ok();
    let sentence = describe.stdout.lines().find(|line| line.contains(why)).unwrap().trim().to_owned();
    has(&describe, &[cure]);
    let wide = cluster.run(&["indexes", "gpu", "-o", "wide"]).ok();
    has(&wide, &[sentence.split_once("): ").unwrap().1]);
    let wait = cluster.run(&["wait", "gpu", "--timeout", "14s"]);
    has(&wait, &[&sentence, cure]);
    running.interrupt();
    has(&running.end(), &[&sentence, cure]);
}

#[test]
fn a_limit_range_that_refuses_is_told_with_the_flag() {
    let cluster = Cluster::new("causes-range");
    cluster.apply(
        "apiVersion: v1\nkind: LimitRange\nmetadata: {name: small}\nspec: {limits: [{type: Container, max: {memory: \
         24Mi}}]}",
    );
    let refused =
        cluster.run(&["run", "x", "--completions", "1", "--memory", "64Mi", "--timeout", "15s", "--", "true"]);
    let sentence = "1 index pending (0): maximum memory usage per Container is 24Mi, but limit is 64Mi (FailedCreate)";
    let cure = "kubectl describe limitranges shows how much a Pod may ask for (--memory)";
    has(&refused, &[sentence, cure]);
    has(&cluster.run(&["describe", "x"]).ok(), &[sentence, cure]);
}

#[test]
fn a_name_whose_old_objects_are_collected_is_waited_for() {
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
    has(&again, &["configmap \"x-items\" of an earlier job \"x\" is being deleted: waiting until it is gone", "b"]);
    // Nobody collects what was left behind on purpose.
    cluster.kubectl(&["delete", "job", "x", "--cascade=orphan"]).ok();
    let orphaned = run("c");
    assert_eq!(orphaned.code, 1, "{orphaned:#?}");
    has(
        &orphaned,
        &["error: configmap \"x-items\" is left of an earlier job \"x\"", "hint: kubectl indexed delete x removes it"],
    );
    cluster.run(&["delete", "x"]).ok();
    run("c").ok();
    // A ConfigMap of somebody else is nobody's leftover.
    cluster.kubectl(&["create", "configmap", "y-items"]).ok();
    let foreign = cluster.run(&["run", "y", "--items", "a", "--", "echo", "{}"]);
    assert_eq!(foreign.code, 1, "{foreign:#?}");
    has(&foreign, &["\"y-items\" already exists", "hint: choose another --name"]);
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
fn a_deletion_says_what_holds_it() {
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
    has(
        &held,
        &[
            "warning: the deletion of job held is held by finalizer example.com/audit of job held, which audit set",
            &format!("held by finalizer example.com/hold of pod {pod}, which the template of the job sets"),
            &format!("kubectl patch pod {pod} {by_hand}"),
            &format!("kubectl patch job held {by_hand}"),
        ],
    );
    let patch = "{\"metadata\":{\"finalizers\":null}}";
    cluster.kubectl(&["patch", "pod", &pod, "--type=merge", "-p", patch]).ok();
    cluster.kubectl(&["patch", "job", "held", "--type=merge", "-p", patch]);
    cluster.eventually("the end of the job", || cluster.kubectl(&["get", "job", "held"]).code != 0);
}

#[test]
fn a_scheduling_gate_is_named_with_its_owner() {
    let cluster = Cluster::new("causes-gate");
    cluster.apply(
        &HELD.replace("metadata: {finalizers: [example.com/hold]}\n", "metadata: {labels: {a: b}}\n").replace(
            "restartPolicy: Never\n",
            "restartPolicy: Never\n      schedulingGates: [{name: example.com/hold}]\n",
        ),
    );
    let sentence = "1 index pending (0): scheduling gate example.com/hold (SchedulingGated)";
    cluster.eventually("the cause", || cluster.run(&["describe", "held"]).stdout.contains(sentence));
    has(&cluster.run(&["describe", "held"]).ok(), &["hint: example.com takes the gate away once the Pod may start"]);
    cluster.run(&["delete", "held"]).ok();
}
