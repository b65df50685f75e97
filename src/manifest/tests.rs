use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::ConfigMap;
use proptest::prelude::*;
use serde_json::from_value;

use super::*;
use crate::index_set::IndexSet;
use crate::manifest::read::{ItemSource, ItemTexts, item_source};
use crate::spec::tests::{resolve_all, resolve_line, told};

/// The words of a command line without quotes.
fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

fn built(words: &[&str], template: Option<&str>) -> Manifest {
    build(&resolve_line(words, template).unwrap()).unwrap()
}

fn text(manifest: &Manifest) -> String {
    let objects: Vec<_> = manifest.config_maps.iter().chain([&manifest.job]).cloned().collect();
    yaml::documents(&objects).unwrap()
}

#[test]
fn three_items_in_a_config_map() {
    insta::assert_snapshot!(text(&built(&["run", "--items", "foo,bar,baz", "--", "rev"], None)), @r#"
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: rev-x7k2p-items
      labels:
        app.kubernetes.io/managed-by: kubectl-indexed
        app.kubernetes.io/instance: rev-x7k2p
        kubectl-indexed/items-of: rev-x7k2p
    immutable: true
    data:
      "0": foo
      "1": bar
      "2": baz
    ---
    apiVersion: batch/v1
    kind: Job
    metadata:
      name: rev-x7k2p
      labels:
        app.kubernetes.io/name: rev
        app.kubernetes.io/instance: rev-x7k2p
        app.kubernetes.io/managed-by: kubectl-indexed
      annotations:
        kubectl-indexed/command: "[\"rev\"]"
        kubectl-indexed/item-as: file
        kubectl-indexed/handed-over: the command has no placeholder; /input/data.txt is its last argument
        kubectl-indexed/item-store: configmap
    spec:
      completions: 3
      parallelism: 3
      completionMode: Indexed
      backoffLimitPerIndex: 0
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
            app.kubernetes.io/instance: rev-x7k2p
            app.kubernetes.io/managed-by: kubectl-indexed
        spec:
          restartPolicy: Never
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
              name: rev-x7k2p-items
    "#);
}

#[test]
fn the_documentations_job_from_flags() {
    let words = words(
        "run --item-store=inline --name indexed-job -j 3 --items foo,bar,baz,qux,xyz --init-image docker.io/library/bash --image docker.io/library/busybox -- rev",
    );
    insta::assert_snapshot!(text(&built(&words, None)), @r#"
    apiVersion: batch/v1
    kind: Job
    metadata:
      name: indexed-job
      labels:
        app.kubernetes.io/name: rev
        app.kubernetes.io/instance: indexed-job
        app.kubernetes.io/managed-by: kubectl-indexed
      annotations:
        kubectl-indexed/command: "[\"rev\"]"
        kubectl-indexed/item-as: file
        kubectl-indexed/handed-over: the command has no placeholder; /input/data.txt is its last argument
        kubectl-indexed/item-store: inline
    spec:
      completions: 5
      parallelism: 3
      completionMode: Indexed
      backoffLimitPerIndex: 0
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
            app.kubernetes.io/instance: indexed-job
            app.kubernetes.io/managed-by: kubectl-indexed
        spec:
          restartPolicy: Never
          initContainers:
          - name: input
            image: docker.io/library/bash
            command:
            - sh
            - -c
            - |
              set -- foo bar baz qux xyz
              shift "$JOB_COMPLETION_INDEX"
              printf %s "$1" > /input/data.txt
            volumeMounts:
            - name: input
              mountPath: /input
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
            emptyDir: {}
    "#);
}

#[test]
fn the_documentations_job_with_a_volume_from_flags() {
    let words = words("run indexed-job --completions 5 -j 3 --index-file /input/data.txt -- rev /input/data.txt");
    let job = built(&words, None).job;
    insta::assert_snapshot!(yaml::documents(&[job.pointer("/spec/template/spec").unwrap().clone()]).unwrap(), @r#"
    restartPolicy: Never
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
    "#);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a manifest with every field is long")]
fn every_flag_has_its_field() {
    let words = words(
        "run everything --items a --retries 2 --label team=x --annotation note=y --queue q --image img --env K=V=W --cpu 500m --memory 1Gi --gpu 2 --workdir /w --image-pull-policy IfNotPresent --service-account sa --node-selector disk=ssd --toleration gpu=true:NoSchedule --toleration spot:NoExecute --image-pull-secret s --priority-class low -n ns -- tool --in=/input/data.txt -v",
    );
    insta::assert_snapshot!(text(&built(&words, None)), @r#"
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: everything-items
      namespace: ns
      labels:
        app.kubernetes.io/managed-by: kubectl-indexed
        app.kubernetes.io/instance: everything
        kubectl-indexed/items-of: everything
    immutable: true
    data:
      "0": a
    ---
    apiVersion: batch/v1
    kind: Job
    metadata:
      name: everything
      namespace: ns
      labels:
        app.kubernetes.io/name: tool
        app.kubernetes.io/instance: everything
        app.kubernetes.io/managed-by: kubectl-indexed
        team: x
        kueue.x-k8s.io/queue-name: q
      annotations:
        note: "y"
        kubectl-indexed/command: "[\"tool\",\"--in=/input/data.txt\",\"-v\"]"
        kubectl-indexed/item-as: file
        kubectl-indexed/handed-over: the command names /input/data.txt
        kubectl-indexed/item-store: configmap
    spec:
      completions: 1
      parallelism: 1
      completionMode: Indexed
      suspend: true
      backoffLimitPerIndex: 2
      podFailurePolicy:
        rules:
        - action: Ignore
          onPodConditions:
          - type: DisruptionTarget
            status: "True"
      template:
        metadata:
          labels:
            app.kubernetes.io/name: tool
            app.kubernetes.io/instance: everything
            app.kubernetes.io/managed-by: kubectl-indexed
            team: x
          annotations:
            note: "y"
        spec:
          restartPolicy: Never
          serviceAccountName: sa
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
          - name: s
          containers:
          - name: worker
            image: img
            command:
            - tool
            - --in=/input/data.txt
            - -v
            workingDir: /w
            env:
            - name: ITEM_COUNT
              value: "1"
            - name: K
              value: V=W
            resources:
              requests:
                cpu: 500m
                memory: 1Gi
              limits:
                memory: 1Gi
                nvidia.com/gpu: "2"
            volumeMounts:
            - name: input
              mountPath: /input/data.txt
              subPathExpr: $(JOB_COMPLETION_INDEX)
              readOnly: true
            terminationMessagePolicy: FallbackToLogsOnError
            imagePullPolicy: IfNotPresent
          volumes:
          - name: input
            configMap:
              name: everything-items
    "#);
}

const TEMPLATE: &str = "
apiVersion: batch/v1
kind: Job
metadata:
  name: base
  uid: 1234
  resourceVersion: '7'
  labels: {team: vision, job-name: base}
  annotations: {kubectl.kubernetes.io/last-applied-configuration: '{}', keep: it}
spec:
  backoffLimit: 3
  selector: {matchLabels: {controller-uid: 1234}}
  completions: 9
  parallelism: 4
  template:
    metadata: {labels: {controller-uid: '1234', tier: batch}}
    spec:
      restartPolicy: Never
      newFieldOfTheFuture: {a: 1}
      tolerations: [{key: old, operator: Exists}]
      containers:
      - name: main
        image: example.com/tool
        command: [old]
        args: [older]
        env: [{name: A, value: '1'}, {name: B, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
        volumeMounts: [{name: input, mountPath: /etc/input}]
      volumes:
      - name: input
        secret: {secretName: s, defaultMode: 0400}
status: {succeeded: 1}
";

#[test]
fn a_template_is_kept_where_flags_say_nothing() {
    let words = words("run --items a,b --env B=2 --env C=3 --toleration gpu:NoSchedule -- new");
    insta::assert_snapshot!(text(&built(&words, Some(TEMPLATE))), @r#"
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: base-x7k2p-items
      labels:
        app.kubernetes.io/managed-by: kubectl-indexed
        app.kubernetes.io/instance: base-x7k2p
        kubectl-indexed/items-of: base-x7k2p
    immutable: true
    data:
      "0": a
      "1": b
    ---
    apiVersion: batch/v1
    kind: Job
    metadata:
      name: base-x7k2p
      labels:
        team: vision
        app.kubernetes.io/name: base
        app.kubernetes.io/instance: base-x7k2p
        app.kubernetes.io/managed-by: kubectl-indexed
      annotations:
        keep: it
        kubectl-indexed/command: "[\"new\"]"
        kubectl-indexed/item-as: file
        kubectl-indexed/handed-over: the command has no placeholder; /input/data.txt is its last argument
        kubectl-indexed/item-store: configmap
    spec:
      completions: 2
      parallelism: 4
      completionMode: Indexed
      backoffLimit: 3
      podFailurePolicy:
        rules:
        - action: Ignore
          onPodConditions:
          - type: DisruptionTarget
            status: "True"
      template:
        metadata:
          labels:
            tier: batch
            app.kubernetes.io/name: base
            app.kubernetes.io/instance: base-x7k2p
            app.kubernetes.io/managed-by: kubectl-indexed
        spec:
          restartPolicy: Never
          tolerations:
          - key: old
            operator: Exists
          - key: gpu
            operator: Exists
            effect: NoSchedule
          containers:
          - name: main
            image: example.com/tool
            command:
            - new
            - /input/data.txt
            env:
            - name: A
              value: "1"
            - name: B
              value: "2"
            - name: ITEM_COUNT
              value: "2"
            - name: C
              value: "3"
            volumeMounts:
            - name: input
              mountPath: /etc/input
            - name: input-2
              mountPath: /input/data.txt
              subPathExpr: $(JOB_COMPLETION_INDEX)
              readOnly: true
            terminationMessagePolicy: FallbackToLogsOnError
          volumes:
          - name: input
            secret:
              secretName: s
              defaultMode: 256
          - name: input-2
            configMap:
              name: base-x7k2p-items
          newFieldOfTheFuture:
            a: 1
    "#);
}

#[test]
fn a_template_with_several_containers_gets_a_worker() {
    let template = "{kind: PodTemplate, template: {spec: {containers: [{name: a, image: x}, {name: b, image: y}]}}}";
    let job = built(&["run", "--items", "a", "--", "rev"], Some(template)).job;
    let containers = job.pointer("/spec/template/spec/containers").unwrap().as_array().unwrap();
    let names: Vec<_> = containers.iter().map(|container| container["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["a", "b", "worker"]);
}

#[test]
fn retries_replace_a_templates_limit_for_all() {
    let job = built(&["run", "--items", "a", "--retries", "5"], Some(TEMPLATE)).job;
    assert_eq!(job["spec"]["backoffLimit"], Value::Null);
    assert_eq!(job["spec"]["backoffLimitPerIndex"], 5);
    assert_eq!(job.pointer("/spec/template/spec/containers/0/command/0").unwrap(), "old", "its command stands");
}

#[test]
fn items_of_the_documentations_manifest_are_read() {
    let script = "items=(foo bar 'b z')\necho ${items[$JOB_COMPLETION_INDEX]} > /input/data.txt\n";
    let job: Job = from_value(json!({
        "metadata": {"name": "indexed-job"},
        "spec": {"completions": 3, "template": {"spec": {
            "initContainers": [{"name": "input", "image": "bash", "command": ["bash", "-c", script]}],
            "containers": [{"name": "worker"}],
        }}},
    }))
    .unwrap();
    let expected: ItemTexts = (0..).zip(["foo", "bar", "b z"].map(str::to_owned)).collect();
    let ItemSource::Here(list) = item_source(&job) else { panic!("no list") };
    assert_eq!(list.texts(), expected);
    assert_eq!(list.stored(&"0,2".parse().unwrap()), [b"foo".to_vec(), b"b z".to_vec()]);
}

#[test]
fn yaml_1_1_reads_the_same_values() {
    // Each is something else than a string to some reader when it stands without quotes.
    for tricky in
        ["no", "y", "on", "~", "null", "012", "0o7", "1e3", "1_000", "1:30", "2001-01-01", "<<", "=", "", " x"]
    {
        let text = yaml::documents(&[json!({"data": {"0": tricky}})]).unwrap();
        assert!(text.contains(&format!("\"{tricky}\"")) || text.contains(&format!("'{tricky}'")), "{tricky:?}: {text}");
    }
    for lines in ["a\nb", "a\nb\n", "\ta\nb\n", "\n\ta\n", "  a\nb", "a\r\nb", "#x\ny", "\u{7}\n\u{1b}"] {
        let text = yaml::documents(&[json!({"data": {"0": lines}})]).unwrap();
        let back: Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(back["data"]["0"], lines, "{text}");
    }
}

/// Items full of what shells, YAML and Kubernetes give a meaning to.
fn item() -> impl Strategy<Value = Vec<u8>> {
    let telling = proptest::sample::select(vec![
        "'",
        "\"",
        "$",
        "$$",
        "$(HOME)",
        "$(JOB_COMPLETION_INDEX)",
        "`id`",
        "\\",
        "\n",
        "\t",
        " ",
        "-n",
        "#",
        "~",
        "*",
        "é",
        "🦀",
        ";",
        "&",
        "|",
        "(",
        ")",
        "{}",
        "%s",
        "\r",
        "\u{1b}",
    ]);
    let text = proptest::collection::vec(telling, 0..8).prop_map(|parts| parts.concat().into_bytes());
    prop_oneof![text, proptest::collection::vec(1u8.., 0..12)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// From a list to objects, through the text that a file or a server would hold, and back.
    #[test]
    fn what_is_built_is_read_back(
        list in proptest::collection::vec(item(), 1..12),
        flags in proptest::sample::select(vec![
            "",
            "--item-store=inline",
            "--item-as env",
            "--item-as env --item-store=inline",
            "--item-as stdin",
            "--item-as index",
            "--item-as arg --compat parallel,hyperqueue",
        ]),
        command in proptest::sample::select(vec!["rev", "rev {}", "rev {/.} {//}", "sh -c {}"]),
    ) {
        let input: Vec<u8> = list.iter().flat_map(|item| [item, &b"\0"[..]].concat()).collect();
        let line = format!("run --items-file - -0 {flags} -- {command}");
        // What inline can't carry is refused.
        let Ok(resolved) = resolve_all(&words(&line), None, &input) else { return Ok(()) };
        prop_assert_eq!(read_back(&resolved.spec), (0..).zip(resolved.spec.items.displays()).collect());
    }

    /// The same for the columns of a table.
    #[test]
    fn columns_are_read_back(
        rows in proptest::collection::vec(("[a-z'\" $,]{0,9}", "[a-z\\\\]{0,9}"), 1..9),
        command in proptest::sample::select(vec!["rev", "rev {}", "rev {b}", "rev {2/.} {a}"]),
    ) {
        let rows_of_table = rows.iter().map(|(a, b)| format!("\"{}\",\"{b}\"", a.replace('"', "\"\"")));
        let table = rows_of_table.collect::<Vec<_>>().join("\n");
        let line = format!("run --items-file t.csv -- {command}");
        let resolved = resolve_all(&words(&line), None, format!("a,b\n{table}").as_bytes()).unwrap();
        let expected = rows.iter().map(|(a, b)| format!("a={a} b={b}"));
        prop_assert_eq!(read_back(&resolved.spec), (0..).zip(expected).collect());
    }
}

/// The items that are found in the objects of a Job alone.
fn read_back(spec: &JobSpec) -> ItemTexts {
    let manifest = build(spec).unwrap();
    let job: Job = serde_saphyr::from_str(&yaml::documents(&[manifest.job]).unwrap()).unwrap();
    let listing = match item_source(&job) {
        ItemSource::Here(list) => return list.texts(),
        ItemSource::ConfigMaps(listing) => listing,
        ItemSource::Unknown => return ItemTexts::new(),
    };
    let wanted = IndexSet::below(spec.completions);
    let mut items = ItemTexts::new();
    for name in listing.config_maps(&wanted) {
        let object = manifest.config_maps.iter().find(|object| object["metadata"]["name"] == name).unwrap();
        let config_map: ConfigMap =
            serde_saphyr::from_str(&yaml::documents(std::slice::from_ref(object)).unwrap()).unwrap();
        items.extend(listing.items_in(config_map, &wanted));
    }
    items
}

#[test]
fn long_lists_are_packed_and_read_back_in_part() {
    for (count, length, maps) in [(1001, 10, 1), (2500, 900, 1), (1200, 10_000, 1), (1000, 5000, 5)] {
        let item = |index: usize| format!("{index}\n\\0{}", "ab'".repeat(length / 3));
        let input: Vec<u8> = (0..count).flat_map(|index| format!("{}\0", item(index)).into_bytes()).collect();
        let spec = resolve_all(&words("run --items-file - -0 -- rev"), None, &input).unwrap().spec;
        let manifest = build(&spec).unwrap();
        assert_eq!(manifest.config_maps.len(), maps, "{count} items of {length} bytes");
        for config_map in &manifest.config_maps {
            assert!(config_map.to_string().len() < 3 << 19, "within what a server takes");
        }
        let job: Job = from_value(manifest.job).unwrap();
        let ItemSource::ConfigMaps(listing) = item_source(&job) else { panic!("no list") };
        let wanted: IndexSet = format!("0,{}", count - 1).parse().unwrap();
        let names: Vec<_> = listing.config_maps(&wanted).collect();
        assert_eq!(names.len(), maps.min(2));
        let mut items = ItemTexts::new();
        for name in names {
            let object = manifest.config_maps.iter().find(|object| object["metadata"]["name"] == name).unwrap();
            items.extend(listing.items_in(from_value(object.clone()).unwrap(), &wanted));
        }
        assert_eq!(items, wanted.iter().map(|index| (index, item(index as usize))).collect());
    }
}

#[test]
fn a_list_that_does_not_fit_is_refused_with_what_would() {
    let refused = |input: &[u8]| {
        let spec = resolve_all(&words("run --items-file - -0 -- rev"), None, input).unwrap().spec;
        told(&build(&spec).unwrap_err())
    };
    let item = format!("{}\0", "a".repeat(20_000));
    insta::assert_snapshot!(refused(item.repeat(900).as_bytes()), @"
    the list is too long: its first 832 items of 900 fill the 16 ConfigMaps of 1 MiB that one Job may have
    hint: split it into runs of at most 832 items, as by --skip and --first
    hint: or put large inputs into a volume or a bucket, and pass their names as items
    ");
    let large = [b"one\0".to_vec(), vec![b'x'; 1 << 20]].concat();
    let spec = resolve_all(&words("run --items-file - -0 -- rev"), None, &large).unwrap().spec;
    assert_eq!(build(&spec).unwrap().config_maps.len(), 2, "the largest item there can be has a ConfigMap of its own");
    // On a line each backslash takes two bytes.
    let line = "run --items-file - -0 --item-as=stdin --item-store=configmap -- rev";
    let many = [vec![b'\\'; 1 << 20], b"\0".repeat(1001)].concat();
    let error = resolve_all(&words(line), None, &many).unwrap_err();
    insta::assert_snapshot!(told(&error), @"
    item 0 takes 2097153 bytes, and a ConfigMap may have 1048576
    hint: put large inputs into a volume or a bucket, and pass their names as items
    ");
}

/// The policies in the spec of a Job, without the rest of it.
fn policies(line: &str, template: Option<&str>) -> String {
    let mut job = built(&words(line), template).job;
    let spec = job["spec"].as_object_mut().unwrap();
    let template = spec.remove("template").unwrap();
    spec.retain(|field, _| !["completions", "parallelism", "completionMode"].contains(&field.as_str()));
    if let Some(deadline) = template.pointer("/spec/activeDeadlineSeconds") {
        spec.insert("template".to_owned(), json!({"spec": {"activeDeadlineSeconds": deadline}}));
    }
    yaml::documents(&[job["spec"].take()]).unwrap()
}

#[test]
fn every_policy_has_its_field() {
    let line = "run --items a,b,c --retries 2 --max-failed 1 --fail-on-exit 3-5,1 --ignore-exit 75 \
                --success-indexes 0,1 --success-count 1 --timeout 1h --index-timeout 90s --ttl 1m -- rev";
    insta::assert_snapshot!(policies(line, None), @r#"
    backoffLimitPerIndex: 2
    maxFailedIndexes: 1
    activeDeadlineSeconds: 3600
    ttlSecondsAfterFinished: 60
    podFailurePolicy:
      rules:
      - action: Ignore
        onPodConditions:
        - type: DisruptionTarget
          status: "True"
      - action: FailIndex
        onExitCodes:
          containerName: worker
          operator: In
          values:
          - 1
          - 3
          - 4
          - 5
      - action: Ignore
        onExitCodes:
          containerName: worker
          operator: In
          values:
          - 75
    successPolicy:
      rules:
      - succeededIndexes: 0,1
        succeededCount: 1
    template:
      spec:
        activeDeadlineSeconds: 90
    "#);
    insta::assert_snapshot!(policies("run --items a,b --fail-fast --success-count 1 -- rev", None), @r#"
    backoffLimitPerIndex: 0
    maxFailedIndexes: 0
    podFailurePolicy:
      rules:
      - action: Ignore
        onPodConditions:
        - type: DisruptionTarget
          status: "True"
    successPolicy:
      rules:
      - succeededCount: 1
    "#);
}

#[test]
fn policies_of_a_template_stay_but_where_a_flag_says_otherwise() {
    let template = "
kind: Job
spec:
  backoffLimit: 9
  backoffLimitPerIndex: 3
  maxFailedIndexes: 5
  activeDeadlineSeconds: 60
  ttlSecondsAfterFinished: 10
  successPolicy: {rules: [{succeededCount: 1}]}
  podFailurePolicy:
    rules:
    - {action: Ignore, onPodConditions: [{type: DisruptionTarget, status: 'True'}]}
    - {action: FailJob, onExitCodes: {operator: In, values: [42]}}
    - {action: Count, onPodConditions: [{type: Odd, status: 'True'}]}
  template: {spec: {activeDeadlineSeconds: 7, containers: [{name: main, image: x, command: [y]}]}}
";
    insta::assert_snapshot!(policies("run --items a,b", Some(template)), @r#"
    backoffLimit: 9
    backoffLimitPerIndex: 3
    maxFailedIndexes: 5
    activeDeadlineSeconds: 60
    ttlSecondsAfterFinished: 10
    podFailurePolicy:
      rules:
      - action: Ignore
        onPodConditions:
        - type: DisruptionTarget
          status: "True"
      - action: FailJob
        onExitCodes:
          operator: In
          values:
          - 42
      - action: Count
        onPodConditions:
        - type: Odd
          status: "True"
    successPolicy:
      rules:
      - succeededCount: 1
    template:
      spec:
        activeDeadlineSeconds: 7
    "#);
    let line = "run --items a,b --retries 1 --max-failed 2 --fail-on-exit 42,43 --ignore-exit 75 --success-indexes 1 \
                --timeout 30s --index-timeout 20s --ttl 0";
    insta::assert_snapshot!(policies(line, Some(template)), @r#"
    backoffLimitPerIndex: 1
    maxFailedIndexes: 2
    activeDeadlineSeconds: 30
    ttlSecondsAfterFinished: 0
    podFailurePolicy:
      rules:
      - action: Ignore
        onPodConditions:
        - type: DisruptionTarget
          status: "True"
      - action: FailIndex
        onExitCodes:
          containerName: main
          operator: In
          values:
          - 42
          - 43
      - action: Ignore
        onExitCodes:
          containerName: main
          operator: In
          values:
          - 75
      - action: FailJob
        onExitCodes:
          operator: In
          values:
          - 42
      - action: Count
        onPodConditions:
        - type: Odd
          status: "True"
    successPolicy:
      rules:
      - succeededIndexes: "1"
    template:
      spec:
        activeDeadlineSeconds: 20
    "#);
}

#[test]
fn rules_about_exit_codes_come_behind_those_about_the_pod() {
    let rules = |policy: &str| {
        let template =
            format!("{{kind: Job, spec: {{{policy} template: {{spec: {{containers: [{{name: a}}, {{name: b}}]}}}}}}}}");
        let job = built(&words("run --items a --ignore-exit 3 -- rev"), Some(&template)).job;
        let rules = job.pointer("/spec/podFailurePolicy/rules").unwrap().as_array().unwrap();
        rules.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    // Of several containers the command is that of our own.
    insta::assert_snapshot!(rules(""), @r#"
    {"action":"Ignore","onPodConditions":[{"type":"DisruptionTarget","status":"True"}]}
    {"action":"Ignore","onExitCodes":{"containerName":"worker","operator":"In","values":[3]}}
    "#);
    let (condition, code) = (
        "{action: Ignore, onPodConditions: [{type: DisruptionTarget, status: 'True'}]}",
        "{action: FailJob, onExitCodes: {operator: In, values: [42]}}",
    );
    insta::assert_snapshot!(rules(&format!("podFailurePolicy: {{rules: [{condition}]}},")), @r#"
    {"action":"Ignore","onPodConditions":[{"type":"DisruptionTarget","status":"True"}]}
    {"action":"Ignore","onExitCodes":{"containerName":"worker","operator":"In","values":[3]}}
    "#);
    insta::assert_snapshot!(rules(&format!("podFailurePolicy: {{rules: [{code}, {condition}]}},")), @r#"
    {"action":"Ignore","onExitCodes":{"containerName":"worker","operator":"In","values":[3]}}
    {"action":"FailJob","onExitCodes":{"operator":"In","values":[42]}}
    {"action":"Ignore","onPodConditions":[{"type":"DisruptionTarget","status":"True"}]}
    "#);
}

#[test]
fn a_template_whose_pods_are_replaced_early_gets_no_rule_that_forbids_it() {
    let template = "{kind: Job, spec: {podReplacementPolicy: TerminatingOrFailed, template: {spec: {containers: \
                    [{name: a, image: x}]}}}}";
    insta::assert_snapshot!(policies("run --items a -- rev", Some(template)), @"
    backoffLimitPerIndex: 0
    podReplacementPolicy: TerminatingOrFailed
    ");
}

#[test]
fn a_list_that_may_have_changed_since_is_known_as_such() {
    use crate::manifest::read::may_have_changed;
    let job: Job = from_value(json!({
        "metadata": {"name": "x", "uid": "u", "creationTimestamp": "2026-05-01T12:00:00Z"}
    }))
    .unwrap();
    let changed = |created: &str, changed: &str, more: Value| {
        let mut list = json!({"metadata": {
            "creationTimestamp": created, "managedFields": [{"time": created}, {"time": changed}]
        }});
        super::merge::merge(&mut list, more);
        may_have_changed(&from_value(list).unwrap(), &job)
    };
    let (before, after) = ("2026-05-01T11:00:00Z", "2026-05-01T13:00:00Z");
    assert!(!changed(before, before, json!({})));
    assert!(changed(before, after, json!({})));
    assert!(changed(after, after, json!({"immutable": true})), "it may be another one of the same name");
    let owned =
        json!({"metadata": {"ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "x", "uid": "u"}]}});
    assert!(changed(after, after, owned.clone()));
    let mut own = owned;
    own["immutable"] = json!(true);
    assert!(!changed(after, after, own));
    let brought = json!({"immutable": true, "metadata": {"labels": {"kubectl-indexed/items-of": "x"}}});
    assert!(!changed(after, after, brought));
}

#[test]
fn notes_of_a_templates_own_job_do_not_pass_on() {
    let template = TEMPLATE.replace("keep: it}", "keep: it, kubectl-indexed/resumes: x/u}");
    let job = built(&["run", "--items", "a", "--", "rev"], Some(&template)).job;
    assert_eq!(job["metadata"]["annotations"]["keep"], "it");
    assert_eq!(job["metadata"]["annotations"].get("kubectl-indexed/resumes"), None);
}
