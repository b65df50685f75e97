use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::ConfigMap;
use proptest::prelude::*;
use serde_json::from_value;

use super::*;
use crate::index_set::IndexSet;
use crate::manifest::read::{ItemSource, item_columns, item_source};
use crate::spec::tests::{error_text, resolve_all, resolve_line};

mod items;
mod policies;
mod scripts;

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
fn a_short_list_has_one_key_per_index() {
    insta::assert_snapshot!(text(&built(&["run", "--items", "foo,bar,baz", "--", "rev"], None)), @r#"
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: rev-x7k2p-items
      labels:
        app.kubernetes.io/name: rev
        app.kubernetes.io/instance: rev-x7k2p
        app.kubernetes.io/managed-by: kubectl-indexed
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
            app.kubernetes.io/instance: rev-x7k2p
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
              name: rev-x7k2p-items
    "#);
}

#[test]
fn flags_build_the_job_of_the_documentation() {
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
        kubectl-indexed/handover: "{\"volumes\":[\"input\"],\"init\":\"input\"}"
        kubectl-indexed/item-store: inline
    spec:
      completions: 5
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
            app.kubernetes.io/instance: indexed-job
            app.kubernetes.io/managed-by: kubectl-indexed
        spec:
          restartPolicy: Never
          enableServiceLinks: false
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
            terminationMessagePolicy: FallbackToLogsOnError
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
fn flags_build_the_job_with_a_volume_of_the_documentation() {
    let words = words("run indexed-job --completions 5 -j 3 --index-file /input/data.txt -- rev /input/data.txt");
    let job = built(&words, None).job;
    insta::assert_snapshot!(yaml::documents(&[job.pointer("/spec/template/spec").unwrap().clone()]).unwrap(), @r#"
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
        app.kubernetes.io/name: tool
        app.kubernetes.io/instance: everything
        app.kubernetes.io/managed-by: kubectl-indexed
        team: x
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
        kubectl-indexed/handover: "{\"volumes\":[\"input\"]}"
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
          enableServiceLinks: false
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
fn fields_of_a_template_stay_unless_a_flag_sets_them() {
    let words = words("run --items a,b --env B=2 --env C=3 --toleration gpu:NoSchedule -- new");
    insta::assert_snapshot!(text(&built(&words, Some(TEMPLATE))), @r#"
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: base-x7k2p-items
      labels:
        team: vision
        app.kubernetes.io/name: base
        app.kubernetes.io/instance: base-x7k2p
        app.kubernetes.io/managed-by: kubectl-indexed
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
        kubectl-indexed/handover: "{\"volumes\":[\"input-2\"]}"
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
          annotations:
            kubectl.kubernetes.io/default-container: main
        spec:
          restartPolicy: Never
          enableServiceLinks: false
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
fn retries_replace_the_backoff_limit_of_a_template() {
    let job = built(&["run", "--items", "a", "--retries", "5"], Some(TEMPLATE)).job;
    assert_eq!(job["spec"]["backoffLimit"], Value::Null);
    assert_eq!(job["spec"]["backoffLimitPerIndex"], 5);
    assert_eq!(job.pointer("/spec/template/spec/containers/0/command/0").unwrap(), "old", "its command stays");
}

#[test]
fn annotations_of_a_templates_own_job_are_removed() {
    let template = TEMPLATE.replace("keep: it}", "keep: it, kubectl-indexed/resumes: x/u}");
    let job = built(&["run", "--items", "a", "--", "rev"], Some(&template)).job;
    assert_eq!(job["metadata"]["annotations"]["keep"], "it");
    assert_eq!(job["metadata"]["annotations"].get("kubectl-indexed/resumes"), None);
}
