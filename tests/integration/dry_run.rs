//! `run --dry-run=client`: the objects, without a cluster.

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{Outcome, Sandbox};

const WORDS: [&str; 5] = ["run", "words", "--items", "foo,no,two words", "--dry-run=client"];

fn dry_run(flags: &[&str]) -> Outcome {
    Sandbox::new().run(&[&WORDS, flags, &["--", "rev"]].concat())
}

#[test]
fn as_yaml() {
    assert_snapshot!(dry_run(&["-o", "yaml"]), @r#"
    ── stdout
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: words-items
      labels:
        app.kubernetes.io/name: rev
        app.kubernetes.io/instance: words
        app.kubernetes.io/managed-by: kubectl-indexed
        kubectl-indexed/items-of: words
    immutable: true
    data:
      "0": foo
      "1": "no"
      "2": two words
    ---
    apiVersion: batch/v1
    kind: Job
    metadata:
      name: words
      labels:
        app.kubernetes.io/name: rev
        app.kubernetes.io/instance: words
        app.kubernetes.io/managed-by: kubectl-indexed
      annotations:
        kubectl-indexed/command: "[\"rev\"]"
        kubectl-indexed/item-as: file
        kubectl-indexed/handed-over: the command has no placeholder; /input/data.txt is its last argument
        kubectl-indexed/handover: "{\"volumes\":[\"input\"]}"
        kubectl-indexed/item-store: configmap
    spec:
      completions: 3
      parallelism: 3
      completionMode: Indexed
      backoffLimitPerIndex: 10
      podFailurePolicy:
        rules:
        - action: Count
          onPodConditions:
          - type: DisruptionTarget
            status: "True"
        - action: FailIndex
          onPodConditions:
          - type: Initialized
            status: "False"
        - action: FailIndex
          onExitCodes:
            operator: NotIn
            values:
            - 0
      template:
        metadata:
          labels:
            app.kubernetes.io/name: rev
            app.kubernetes.io/instance: words
            app.kubernetes.io/managed-by: kubectl-indexed
        spec:
          restartPolicy: Never
          enableServiceLinks: false
          containers:
          - name: worker
            image: docker.io/library/busybox
            command:
            - rev
            - /input/data.txt
            env:
            - name: ITEM_COUNT
              value: "3"
            volumeMounts:
            - name: input
              mountPath: /input/data.txt
              subPathExpr: $(JOB_COMPLETION_INDEX)
              readOnly: true
            terminationMessagePolicy: FallbackToLogsOnError
          volumes:
          - name: input
            configMap:
              name: words-items
    ── stderr
    ── exit code 0
    "#);
}

#[test]
fn as_yaml_with_the_items_inline() {
    assert_snapshot!(dry_run(&["-o", "yaml", "--item-store=inline"]), @r#"
    ── stdout
    apiVersion: batch/v1
    kind: Job
    metadata:
      name: words
      labels:
        app.kubernetes.io/name: rev
        app.kubernetes.io/instance: words
        app.kubernetes.io/managed-by: kubectl-indexed
      annotations:
        kubectl-indexed/command: "[\"rev\"]"
        kubectl-indexed/item-as: file
        kubectl-indexed/handed-over: the command has no placeholder; /input/data.txt is its last argument
        kubectl-indexed/handover: "{\"volumes\":[\"input\"],\"init\":\"input\"}"
        kubectl-indexed/item-store: inline
    spec:
      completions: 3
      parallelism: 3
      completionMode: Indexed
      backoffLimitPerIndex: 10
      podFailurePolicy:
        rules:
        - action: Count
          onPodConditions:
          - type: DisruptionTarget
            status: "True"
        - action: FailIndex
          onPodConditions:
          - type: Initialized
            status: "False"
        - action: FailIndex
          onExitCodes:
            operator: NotIn
            values:
            - 0
      template:
        metadata:
          labels:
            app.kubernetes.io/name: rev
            app.kubernetes.io/instance: words
            app.kubernetes.io/managed-by: kubectl-indexed
        spec:
          restartPolicy: Never
          enableServiceLinks: false
          initContainers:
          - name: input
            image: docker.io/library/busybox
            command:
            - sh
            - -c
            - |
              set -- foo no 'two words'
              shift "$JOB_COMPLETION_INDEX"
              printf %s "$1" > /input/data.txt
            volumeMounts:
            - name: input
              mountPath: /input
            terminationMessagePolicy: FallbackToLogsOnError
          containers:
          - name: worker
            image: docker.io/library/busybox
            command:
            - rev
            - /input/data.txt
            env:
            - name: ITEM_COUNT
              value: "3"
            volumeMounts:
            - name: input
              mountPath: /input
            terminationMessagePolicy: FallbackToLogsOnError
          volumes:
          - name: input
            emptyDir: {}
    ── stderr
    ── exit code 0
    "#);
}

#[test]
fn as_yaml_with_every_flag() {
    let flags = [
        "-j",
        "2",
        "--retries=3",
        "--label=team=vision",
        "--annotation=example.com/note=it's",
        "--queue=night",
        "--image=example.com/tools:1",
        "--image-pull-policy=Always",
        "--image-pull-secret=registry",
        "--env=GREETING=a=b",
        "--cpu=500m",
        "--memory=1Gi",
        "--gpu=1",
        "--workdir=/work",
        "--service-account=reader",
        "--node-selector=disk=ssd",
        "--toleration=gpu=true:NoSchedule",
        "--toleration=spot:NoExecute",
        "--priority-class=low",
    ];
    assert_snapshot!(dry_run(&[&flags[..], &["-o", "yaml"]].concat()), @r#"
    ── stdout
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: words-items
      labels:
        app.kubernetes.io/name: rev
        app.kubernetes.io/instance: words
        app.kubernetes.io/managed-by: kubectl-indexed
        team: vision
        kubectl-indexed/items-of: words
    immutable: true
    data:
      "0": foo
      "1": "no"
      "2": two words
    ---
    apiVersion: batch/v1
    kind: Job
    metadata:
      name: words
      labels:
        app.kubernetes.io/name: rev
        app.kubernetes.io/instance: words
        app.kubernetes.io/managed-by: kubectl-indexed
        team: vision
        kueue.x-k8s.io/queue-name: night
      annotations:
        example.com/note: it's
        kubectl-indexed/command: "[\"rev\"]"
        kubectl-indexed/item-as: file
        kubectl-indexed/handed-over: the command has no placeholder; /input/data.txt is its last argument
        kubectl-indexed/handover: "{\"volumes\":[\"input\"]}"
        kubectl-indexed/item-store: configmap
    spec:
      completions: 3
      parallelism: 2
      completionMode: Indexed
      suspend: true
      backoffLimitPerIndex: 3
      podFailurePolicy:
        rules:
        - action: Ignore
          onPodConditions:
          - type: DisruptionTarget
            status: "True"
      template:
        metadata:
          labels:
            app.kubernetes.io/name: rev
            app.kubernetes.io/instance: words
            app.kubernetes.io/managed-by: kubectl-indexed
            team: vision
          annotations:
            example.com/note: it's
        spec:
          restartPolicy: Never
          enableServiceLinks: false
          serviceAccountName: reader
          priorityClassName: low
          nodeSelector:
            disk: ssd
          tolerations:
          - key: gpu
            operator: Equal
            value: "true"
            effect: NoSchedule
          - key: spot
            operator: Exists
            effect: NoExecute
          imagePullSecrets:
          - name: registry
          containers:
          - name: worker
            image: example.com/tools:1
            command:
            - rev
            - /input/data.txt
            workingDir: /work
            env:
            - name: ITEM_COUNT
              value: "3"
            - name: GREETING
              value: a=b
            resources:
              requests:
                cpu: 500m
                memory: 1Gi
              limits:
                memory: 1Gi
                nvidia.com/gpu: "1"
            volumeMounts:
            - name: input
              mountPath: /input/data.txt
              subPathExpr: $(JOB_COMPLETION_INDEX)
              readOnly: true
            terminationMessagePolicy: FallbackToLogsOnError
            imagePullPolicy: Always
          volumes:
          - name: input
            configMap:
              name: words-items
    ── stderr
    ── exit code 0
    "#);
}

#[test]
fn as_yaml_without_items() {
    let flags = ["--completions=5", "--index-file=/input/data.txt", "--dry-run=client", "-o", "yaml"];
    let outcome = Sandbox::new().run(&[&["run", "numbers"], &flags[..], &["--", "rev", "/input/data.txt"]].concat());
    assert_snapshot!(outcome, @r#"
    ── stdout
    apiVersion: batch/v1
    kind: Job
    metadata:
      name: numbers
      labels:
        app.kubernetes.io/name: rev
        app.kubernetes.io/instance: numbers
        app.kubernetes.io/managed-by: kubectl-indexed
      annotations:
        kubectl-indexed/command: "[\"rev\",\"/input/data.txt\"]"
        kubectl-indexed/item-as: index
    spec:
      completions: 5
      parallelism: 5
      completionMode: Indexed
      backoffLimitPerIndex: 10
      podFailurePolicy:
        rules:
        - action: Count
          onPodConditions:
          - type: DisruptionTarget
            status: "True"
        - action: FailIndex
          onPodConditions:
          - type: Initialized
            status: "False"
        - action: FailIndex
          onExitCodes:
            operator: NotIn
            values:
            - 0
      template:
        metadata:
          labels:
            app.kubernetes.io/name: rev
            app.kubernetes.io/instance: numbers
            app.kubernetes.io/managed-by: kubectl-indexed
        spec:
          restartPolicy: Never
          enableServiceLinks: false
          containers:
          - name: worker
            image: docker.io/library/busybox
            command:
            - rev
            - /input/data.txt
            env:
            - name: ITEM_COUNT
              value: "5"
            volumeMounts:
            - name: input
              mountPath: /input
            terminationMessagePolicy: FallbackToLogsOnError
          volumes:
          - name: input
            downwardAPI:
              items:
              - path: data.txt
                fieldRef:
                  fieldPath: metadata.annotations['batch.kubernetes.io/job-completion-index']
    ── stderr
    ── exit code 0
    "#);
}

#[test]
fn as_names() {
    assert_snapshot!(dry_run(&["-o", "name"]), @"
    ── stdout
    configmap/words-items
    job.batch/words
    ── stderr
    ── exit code 0
    ");
}

#[test]
fn as_lines() {
    assert_snapshot!(dry_run(&[]), @"
    ── stdout
    configmap/words-items created (dry run)
    job.batch/words created (dry run)
    ── stderr
    3 items as file: the command has no placeholder; /input/data.txt is its last argument
    ── exit code 0
    ");
}

/// JSON has the same objects as YAML.
#[test]
fn as_json() {
    let (json, yaml) = (dry_run(&["-o", "json"]), dry_run(&["-o", "yaml"]));
    assert_eq!((json.code, json.stderr.as_str()), (0, ""), "{json}");
    let list: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((&list["apiVersion"], &list["kind"]), (&"v1".into(), &"List".into()));
    let items = list["items"].as_array().unwrap();
    let documents: Vec<Value> =
        yaml.stdout.split("---\n").map(|document| serde_saphyr::from_str(document).unwrap()).collect();
    assert_eq!(items, &documents);
    let one = dry_run(&["-o", "json", "--item-store=inline"]);
    let job: Value = serde_json::from_str(&one.stdout).unwrap();
    assert_eq!(job["kind"], "Job", "a single object needs no list");
    assert!(one.stdout.starts_with("{\n  \"apiVersion\": \"batch/v1\",\n  \"kind\": \"Job\",\n"), "{one}");
}

/// The default name is the command's name and a random ending.
#[test]
fn with_a_generated_name() {
    let name = || {
        let outcome = Sandbox::new().run(&["run", "--completions=1", "--dry-run", "-o", "name", "--", "/bin/Rev_2"]);
        outcome.stdout.trim_end().strip_prefix("job.batch/").unwrap().to_owned()
    };
    let (first, second) = (name(), name());
    assert_ne!(first, second);
    for name in [first, second] {
        let suffix = name.strip_prefix("rev-2-").unwrap_or_else(|| panic!("{name}"));
        assert!(suffix.len() == 5 && suffix.chars().all(|c| c.is_ascii_alphanumeric()), "{name}");
    }
}

/// Piped output has no escape sequences, whatever the environment says.
#[test]
fn is_plain_when_piped() {
    let sandbox = Sandbox::new();
    for variable in ["TERM=xterm-256color", "COLORTERM=truecolor", "CLICOLOR=1"] {
        for form in ["yaml", "json", "name"] {
            let command = format!("run x --items a --dry-run=client -o {form} -- rev");
            let outcome = sandbox.shell(&format!("{variable} kubectl-indexed {command}"));
            assert!(outcome.code == 0 && !outcome.to_string().contains('\u{1b}'), "{variable}: {outcome}");
        }
    }
}

/// A broken pipe is not an error.
#[test]
fn ends_quietly_when_the_pipe_is_closed() {
    let sandbox = Sandbox::new();
    // More output than fits into a pipe.
    let command = "kubectl-indexed run x --completions 1 --dry-run=client -o yaml";
    let flags = r#"$(for i in $(seq 2000); do printf -- "--env V$i=%050d " "$i"; done)"#;
    let outcome = sandbox.shell(&format!(
        "{command} {flags} -- rev | head -1; echo ${{PIPESTATUS[0]}}; kubectl-indexed --help | head -0; \
         echo ${{PIPESTATUS[0]}}"
    ));
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("apiVersion: batch/v1\n0\n0\n", ""), "{outcome}");
}

/// A write that fails is an error.
#[test]
fn a_full_disk_is_an_error() {
    let outcome = Sandbox::new().shell("kubectl-indexed run x --items a --dry-run=client -o yaml -- rev >/dev/full");
    assert_snapshot!(outcome, @"
    ── stdout
    ── stderr
    error: can't write to stdout: No space left on device (os error 28)
    ── exit code 1
    ");
}
