use insta::assert_snapshot;
use serde_json::{Value, from_value, json};

use super::*;
use crate::state::Event as StateEvent;

fn now() -> Timestamp {
    "2026-01-01T00:10:00Z".parse().unwrap()
}

/// A Job of 30 indexes, ten at once, with what is given laid over it.
fn job(metadata: &Value, spec: &Value, status: &Value) -> JobState {
    let mut job = json!({
        "metadata": {"name": "j", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"completions": 30, "parallelism": 10, "completionMode": "Indexed", "backoffLimitPerIndex": 0,
            "template": {"spec": {"containers": [{"name": "worker", "resources": {
                "requests": {"cpu": "4", "memory": "16Mi"}, "limits": {"memory": "16Mi"}}}]}}},
        "status": {"startTime": "2026-01-01T00:00:01Z"},
    });
    for (part, over) in [("metadata", metadata), ("spec", spec), ("status", status)] {
        for (key, value) in over.as_object().unwrap() {
            job[part][key] = value.clone();
        }
    }
    JobState::new(from_value(job).unwrap())
}

fn running_job() -> JobState {
    job(&json!({}), &json!({}), &json!({}))
}

fn failed_job(failed: &str) -> JobState {
    let failed_condition = json!([{"type": "Failed", "status": "True", "reason": "FailedIndexes", "message": "x"}]);
    job(
        &json!({}),
        &json!({"completions": 6}),
        &json!({"failedIndexes": failed, "completedIndexes": "5", "conditions": failed_condition}),
    )
}

fn add(state: &mut JobState, index: u32, status: &Value) {
    let pod = json!({
        "metadata": {
            "name": format!("j-{index}-abcde"), "uid": format!("uid-{index}"),
            "creationTimestamp": "2026-01-01T00:00:05Z",
            "annotations": {"batch.kubernetes.io/job-completion-index": index.to_string()},
        },
        "spec": {"restartPolicy": "Never"}, "status": status,
    });
    state.apply(StateEvent::Pod(Box::new(from_value(pod).unwrap())));
}

fn causes_block(state: &JobState) -> String {
    block(&causes(state, now(), Wording::default()), Style::default())
}

fn unscheduled(message: &str) -> Value {
    let condition = json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message});
    json!({"phase": "Pending", "conditions": [condition]})
}

fn container(state: &Value) -> Value {
    json!([{"name": "worker", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": state}])
}

fn waiting(reason: &str, message: &str) -> Value {
    json!({"phase": "Pending", "containerStatuses": container(&json!({"waiting": {"reason": reason, "message": message}}))})
}

fn ended(code: i32, reason: &str, message: &str) -> Value {
    let end = json!({"terminated": {"exitCode": code, "reason": reason, "message": message}});
    json!({"phase": "Failed", "containerStatuses": container(&end)})
}

fn event(object: &str, reason: &str, second: u32, message: &str) -> KubeEvent {
    KubeEvent {
        about: object.to_owned(),
        reason: reason.to_owned(),
        message: message.to_owned(),
        at: Some(format!("2026-01-01T00:01:{second:02}Z").parse().unwrap()),
        uid: format!("{object} {second}"),
        ..KubeEvent::default()
    }
}

fn causes_of(state: &JobState, job: &[KubeEvent], pods: &[KubeEvent]) -> String {
    let mut state = state.clone();
    state.apply(StateEvent::PodsWarned(pods.to_vec()));
    for event in job {
        state.apply(StateEvent::Reported(Box::new(event.clone())));
    }
    causes_block(&state)
}

#[test]
fn indexes_with_the_same_cause_share_a_line() {
    let mut state = running_job();
    for index in 0..8 {
        let message = format!(
            "0/{} nodes are available: {index} Insufficient cpu, 1 Too many pods. preemption: 0/3 nodes are available: \
             3 Preemption is not helpful for scheduling.",
            index + 3
        );
        add(&mut state, index, &unscheduled(&message));
    }
    add(
        &mut state,
        8,
        &unscheduled("0/3 nodes are available: 3 node(s) had untolerated taint {gpu: true}. preemption: no"),
    );
    add(&mut state, 9, &json!({"phase": "Running"}));
    assert_snapshot!(causes_of(&state, &[], &[]), @"
    Causes:
      8 indexes pending (0-7): 0/10 nodes are available: 7 Insufficient cpu, 1 Too many pods (Unschedulable)
        hint: each Pod requests cpu 4: request less (--cpu), or wait until a node has it free
        hint: the nodes are full: Pods start when other Pods end
      1 index pending (8): 0/3 nodes are available: 3 node(s) had untolerated taint {gpu: true} (Unschedulable)
        hint: kubectl describe nodes shows the taints; --toleration KEY=VALUE:EFFECT lets the Pods run there
    ");
}

#[test]
fn a_failed_pull_is_one_cause_in_each_of_its_states() {
    let mut state = running_job();
    add(&mut state, 0, &waiting("ImagePullBackOff", "Back-off pulling image \"nope\""));
    let pulling = "failed to pull and unpack image \"docker.io/library/nope:latest\": failed to resolve reference \
                   \"docker.io/library/nope:latest\": pull access denied, repository does not exist or may require \
                   authorization: server message: insufficient_scope: authorization failed";
    add(&mut state, 1, &waiting("ErrImagePull", pulling));
    assert_snapshot!(causes_of(&state, &[], &[]), @"
    Causes:
      2 indexes pending (0,1): image docker.io/library/nope:latest can't be pulled: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed (ImagePullBackOff)
        hint: check that the image exists; --image-pull-secret NAME gives the nodes credentials for it
    ");

    // Before 1.31 a Pod that waits to pull again does not say what went wrong.
    let mut state = running_job();
    for index in 0..2 {
        add(&mut state, index, &waiting("ImagePullBackOff", "Back-off pulling image \"nope\""));
    }
    assert!(needs_pod_events(&state, now()));
    let events = [
        event(
            "j-0-abcde",
            "Failed",
            1,
            &format!("Failed to pull image \"nope\": rpc error: code = NotFound desc = {pulling}"),
        ),
        event("j-0-abcde", "Failed", 2, "Error: ImagePullBackOff"),
        event("j-0-abcde", "BackOff", 3, "Back-off pulling image \"nope\""),
    ];
    assert_snapshot!(causes_of(&state, &[], &events), @"
    Causes:
      2 indexes pending (0,1): image nope can't be pulled: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed (ImagePullBackOff)
        hint: check that the image exists; --image-pull-secret NAME gives the nodes credentials for it
    ");
}

#[test]
fn a_missing_object_is_named() {
    let mut state = running_job();
    add(&mut state, 0, &waiting("CreateContainerConfigError", "couldn't find key url in ConfigMap ns/settings"));
    add(&mut state, 1, &waiting("CreateContainerConfigError", "secret \"password\" not found"));
    add(&mut state, 2, &waiting("ContainerCreating", ""));
    add(&mut state, 3, &waiting("ContainerCreating", ""));
    add(&mut state, 6, &waiting("PodInitializing", ""));
    add(&mut state, 4, &json!({"phase": "Pending"}));
    let young = json!({"phase": "Pending", "conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "message": "Scheduling is blocked"},
    ]});
    add(&mut state, 5, &young);
    assert!(needs_pod_events(&state, now()));
    assert!(!needs_pod_events(&state, "2026-01-01T00:00:09Z".parse().unwrap()), "four seconds are no trouble");
    let events = [
        event(
            "j-2-abcde",
            "FailedMount",
            1,
            "MountVolume.SetUp failed for volume \"v\" : configmap \"data\" not found",
        ),
        event("j-2-abcde", "FailedMount", 9, "Unable to attach or mount volumes: unmounted volumes=[v]: timed out"),
        event("another", "FailedMount", 9, "MountVolume.SetUp failed for volume \"w\" : secret \"x\" not found"),
    ];
    assert_snapshot!(causes_of(&state, &[], &events), @r#"
    Causes:
      1 index pending (0): couldn't find key url in ConfigMap ns/settings (CreateContainerConfigError)
        hint: the Pod starts once the object exists; kubectl get configmaps,secrets lists the existing ones
      1 index pending (1): secret "password" not found (CreateContainerConfigError)
        hint: the Pod starts once the object exists; kubectl get configmaps,secrets lists the existing ones
      1 index pending (2): MountVolume.SetUp failed for volume "v" : configmap "data" not found (FailedMount)
        hint: the Pod starts once the object exists; kubectl get configmaps,secrets lists the existing ones
      1 index pending (3): the node is still preparing volumes, network or image (ContainerCreating)
        hint: kubectl describe pod j-3-abcde shows its events
      1 index pending (4): scheduler default-scheduler has not processed the Pod (not scheduled)
        hint: check that scheduler default-scheduler is running in the cluster
      1 index pending (5): Scheduling is blocked (SchedulingGated)
        hint: check that the controller runs in the cluster: it must remove the gate
    "#);
}

#[test]
fn refused_pods_have_a_cause() {
    let refused = |message: &str| {
        let events = [event("j", "FailedCreate", 1, "Error creating: older"), event("j", "FailedCreate", 2, message)];
        causes_of(&running_job(), &events, &[])
    };
    let quota = "(combined from similar events): Error creating: pods \"j-0-xyzab\" is forbidden: exceeded quota: q, \
                 requested: pods=1, used: pods=2, limited: pods=2";
    assert_snapshot!(refused(quota), @"
    Causes:
      10 indexes pending (0-9): exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2 (FailedCreate)
        hint: kubectl describe quota shows the quota; Pods start as soon as others free it
    ");
    assert_snapshot!(refused("Error creating: pods \"j-0-\" is forbidden: failed quota: q: must specify cpu for: worker"), @"
    Causes:
      10 indexes pending (0-9): failed quota: q: must specify cpu for: worker (FailedCreate)
        hint: the quota requires it for every container: run again with --cpu REQUEST, or set it in the --template
    ");
    let security =
        "Error creating: pods \"j-0-x\" is forbidden: violates PodSecurity \"restricted:latest\": runAsNonRoot";
    assert_snapshot!(refused(security), @r#"
    Causes:
      10 indexes pending (0-9): violates PodSecurity "restricted:latest": runAsNonRoot (FailedCreate)
        hint: the namespace requires this securityContext of its Pods: set it in a --template
    "#);
    let webhook = "Error creating: admission webhook \"policy.example.com\" denied the request: no latest tags";
    assert_snapshot!(refused(webhook), @r#"
    Causes:
      10 indexes pending (0-9): admission webhook "policy.example.com" denied the request: no latest tags (FailedCreate)
        hint: a policy of the cluster rejects the Pods: change the named field, or ask the administrator of the cluster
    "#);

    // Once all Pods exist, an old refusal is no cause any more.
    let mut state = running_job();
    for index in 0..10 {
        add(&mut state, index, &json!({"phase": "Running"}));
    }
    assert_eq!(causes_of(&state, &[event("j", "FailedCreate", 1, quota)], &[]), "");
    assert!(!needs_job_events(&state) && needs_job_events(&running_job()));
}

#[test]
fn a_blocked_job_is_one_cause() {
    let unstarted = |metadata: &Value, spec: &Value| {
        let state = job(metadata, spec, &json!({"startTime": null}));
        causes_of(&state, &[], &[])
    };
    assert_snapshot!(unstarted(&json!({}), &json!({"suspend": true})), @"
    Causes:
      30 indexes pending (0-29): the Job is suspended
        hint: kubectl indexed resume j starts it
    ");
    assert_snapshot!(unstarted(&json!({"labels": {"kueue.x-k8s.io/queue-name": "main"}}), &json!({"suspend": true})), @"
    Causes:
      30 indexes pending (0-29): the queue main has not admitted the Job (suspended)
        hint: kubectl describe workloads -l kueue.x-k8s.io/job-uid=u shows what Kueue is waiting for
        hint: kubectl get localqueues shows whether the queue main exists, and how many Jobs wait in it
    ");
    assert_snapshot!(unstarted(&json!({}), &json!({"managedBy": "example.com/jobs"})), @"
    Causes:
      30 indexes pending (0-29): controller example.com/jobs manages the Job and has not started it
        hint: check that controller example.com/jobs is running in the cluster
    ");
    assert_snapshot!(unstarted(&json!({}), &json!({})), @"
    Causes:
      30 indexes pending (0-29): the Job controller has not started the Job
        hint: check that kube-controller-manager is running: the Job controller is a part of it
    ");
    assert_eq!(
        unstarted(&json!({"creationTimestamp": "2026-01-01T00:09:57Z"}), &json!({})),
        "",
        "it is three seconds old"
    );
}

#[test]
fn failed_indexes_are_grouped_by_cause() {
    let mut state = failed_job("0-4");
    add(&mut state, 0, &ended(1, "Error", "reading part 17\ncat: /in/17: no such file\n"));
    add(&mut state, 1, &ended(1, "Error", "reading part 20\ncat: /in/20: no such file\n"));
    add(&mut state, 2, &ended(137, "OOMKilled", ""));
    add(
        &mut state,
        3,
        &json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."}),
    );
    assert_snapshot!(causes_of(&state, &[], &[]), @"
    Causes:
      2 indexes failed (0,1): exit code 1: cat: /in/17: no such file
      1 index failed (2): exit code 137 (SIGKILL), OOMKilled at its memory limit of 16Mi
        hint: kubectl indexed retry j --reason OOMKilled --memory x2 retries with more memory
      1 index failed (3): Evicted: The node was low on resource: memory
        hint: request enough memory (--memory), so that the node reserves it
      1 index failed (4): the reason is unknown, because the Pod no longer exists
    ");

    let mut state = failed_job("0-1");
    let start = "failed to create task: runc create failed: unable to start container process: exec: \"nope\": \
                 executable file not found in $PATH: unknown";
    add(&mut state, 0, &ended(128, "StartError", start));
    add(&mut state, 1, &ended(127, "Error", "sh: nope: not found"));
    assert_snapshot!(causes_of(&state, &[], &[]), @r#"
    Causes:
      3 indexes not completed (2-4): x (FailedIndexes)
      1 index failed (0): exit code 128, StartError: the image has no command "nope"
        hint: the image lacks the command "nope": kubectl indexed retry j --image IMAGE changes the image, kubectl indexed retry j -- CMD the command
      1 index failed (1): exit code 127: sh: nope: not found
        hint: the image lacks the command "nope": kubectl indexed retry j --image IMAGE changes the image, kubectl indexed retry j -- CMD the command
    "#);
}

#[test]
fn only_the_first_causes_are_printed() {
    let mut state = failed_job("0-4");
    let letters = ["a", "b", "c", "d", "e"];
    for (index, letter) in (0..).zip(letters) {
        add(&mut state, index, &ended(1, "Error", letter));
    }
    let mut all = causes(&state, now(), Wording::default());
    all.extend(all.clone());
    let text = block(&all, Style::default());
    assert!(text.ends_with("\n  and 2 more causes\n"), "{text}");
}

#[test]
fn a_cause_has_the_last_state_of_a_line_and_no_old_reason() {
    let mut state = failed_job("0,1");
    add(&mut state, 0, &ended(3, "Error", "  1%|#|\r\n 90%|###|\r\u{1b}[KCUDA error: out of memory\r\n"));
    add(
        &mut state,
        1,
        &json!({"phase": "Pending", "containerStatuses": container(&json!({
            "waiting": {"reason": "ContainerCreating"},
        }))}),
    );
    assert_snapshot!(causes_block(&state), @"
    Causes:
      3 indexes not completed (2-4): x (FailedIndexes)
      1 index failed (0): exit code 3: CUDA error: out of memory
      1 index failed (1): the reason is unknown, because the Pod no longer exists
    ");
}

#[test]
fn a_long_set_is_cut() {
    let odd: IndexSet = (1..100).step_by(2).collect();
    assert_eq!(shortened(&odd, Style::default()), "1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31,33,35,…");
    assert_eq!(shortened(&IndexSet::below(1000), Style::default()), "0-999");
}
