//! The same Job from `kubectl create -f` and from `kubectl indexed run` under each kind of policy has the same warnings, the
//! same object and the same outcome.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::Value;

use crate::guests::{apply_configuration, apply_mutation, apply_policy};
use crate::support::{Cluster, Outcome};

/// A rule of the cluster for the Jobs of a namespace.
enum Demand {
    /// Resources, and an entry of `spec.mutations` of a `MutatingAdmissionPolicy`.
    Mutation(&'static str, String),
    /// Resources, an expression that must be true for them, and the action if it is false.
    Validation(&'static str, &'static str, &'static str),
    /// A label for the namespace.
    Label(&'static str),
    /// An object in the namespace.
    Object(&'static str),
}

/// A Pod to find out whether a policy for Pods takes effect.
const POD: &str = "---
apiVersion: v1
kind: Pod
metadata: {name: probe}
spec: {automountServiceAccountToken: false, containers: [{name: worker, image: docker.io/library/busybox}]}
";

/// The outcome of a Job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum JobEnd {
    Complete,
    Suspended,
    /// The server refuses its Pods.
    WithoutPods,
    /// The server refuses the Job itself.
    Refused,
}

struct Case {
    name: &'static str,
    demand: Demand,
    flags: &'static [&'static str],
    end: JobEnd,
    /// Words in the output of `run`, and of kubectl if the Job is refused.
    says: &'static str,
}

fn case(name: &'static str, demand: Demand, end: JobEnd, says: &'static str) -> Case {
    Case { name, demand, flags: &[], end, says }
}

/// Runs all cases, four at a time.
fn compare_all(cases: &[Case]) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    compare(case);
                }
            });
        }
    });
}

fn compare(case: &Case) {
    let Case { name, flags, end, says, .. } = case;
    let cluster = Cluster::new(&format!("side-{name}"));
    let run = |job: &str, how: &[&str]| {
        cluster.run(&[&["run", job, "--items=a"][..], flags, how, &["--", "sh", "-c", "echo {}"]].concat())
    };
    let manifest = run("theirs", &["--dry-run=client", "-o", "yaml"]).ok().stdout;
    let probe = cluster.write("probe.yaml", format!("{manifest}{POD}").as_bytes());
    let probe = || {
        let create = ["create", "--dry-run=server", "-o", "json", "--validate=ignore", "-f"];
        let outcome = cluster.kubectl(&[&create[..], &[probe.to_str().unwrap()]].concat());
        let objects = serde_json::Deserializer::from_str(&outcome.stdout).into_iter::<Value>().map_while(Result::ok);
        (outcome.code, outcome.stderr, objects.map(without_own).collect::<Vec<_>>())
    };
    let before = probe();
    let _policy = match &case.demand {
        Demand::Mutation(resources, mutation) => Some(apply_mutation(&cluster, resources, mutation)),
        Demand::Validation(resources, expression, action) => {
            let rule = format!("  validations:\n  - {{expression: {expression:?}, message: as the test demands}}");
            let policy = apply_policy(&cluster, "Validating", "['', batch]", resources, &rule);
            let patch = format!("{{\"spec\":{{\"validationActions\":[\"{action}\"]}}}}");
            let binding = ["patch", "validatingadmissionpolicybinding", cluster.namespace(), "--type=merge", "-p"];
            cluster.kubectl(&[&binding[..], &[&patch]].concat()).ok();
            Some(policy)
        }
        Demand::Label(label) => {
            cluster.kubectl(&["label", "namespace", cluster.namespace(), label]).ok();
            None
        }
        Demand::Object(object) => {
            cluster.apply(object).ok();
            None
        }
    };
    cluster.eventually("the policy", || probe() != before);
    let theirs = cluster.create(&manifest);
    let ours = run("ours", &["--detach"]);
    assert_eq!(warnings(&theirs), warnings(&ours), "{name}: {theirs:?} {ours:?}");
    assert!(ours.stderr.contains(says), "{name}: {ours:?}");
    if *end == JobEnd::Refused {
        assert!(theirs.code != 0 && ours.code != 0 && theirs.stderr.contains(says), "{name}: {theirs:?} {ours:?}");
        assert_eq!(cluster.field("job/ours", "{.metadata.name}"), "", "{name}");
        assert_eq!(cluster.field("configmap/ours-items", "{.metadata.name}"), "", "{name}");
        return;
    }
    assert_eq!((theirs.code, ours.code), (0, 0), "{name}: {theirs:?} {ours:?}");
    for job in ["theirs", "ours"] {
        let condition = |kind: &str| {
            cluster.field(&format!("job/{job}"), &format!("{{.status.conditions[?(@.type=='{kind}')].status}}"))
                == "True"
        };
        let events = format!("involvedObject.name={job},reason=FailedCreate");
        cluster.eventually(&format!("{name}: {job} to be {end:?}"), || match end {
            JobEnd::Complete => condition("Complete"),
            JobEnd::Suspended => condition("Suspended"),
            JobEnd::WithoutPods => {
                !cluster.kubectl(&["get", "events", "--field-selector", &events, "-o", "name"]).stdout.is_empty()
            }
            JobEnd::Refused => true,
        });
    }
    assert_eq!(stored(&cluster, "theirs"), stored(&cluster, "ours"), "{name}");
    if *end == JobEnd::Complete {
        let logs = |job: &str| cluster.run(&["logs", job]).ok().stdout;
        assert_eq!(logs("theirs"), logs("ours"), "{name}");
        assert_eq!(cluster.run(&["wait", "ours", "-q"]).code, 0, "{name}");
    }
}

/// Returns the warnings of the server.
fn warnings(outcome: &Outcome) -> Vec<String> {
    let mut lines: Vec<_> = outcome.stderr.lines().filter(|line| line.starts_with("Warning: ")).collect();
    lines.sort_unstable();
    lines.into_iter().map(|line| line.replace("theirs", "ours")).collect()
}

/// Reads a Job from the server, without its identity.
fn stored(cluster: &Cluster, job: &str) -> Value {
    let text = cluster.kubectl(&["get", "job", job, "-o", "json"]).ok().stdout;
    without_own(serde_json::from_str(&text.replace(job, "ours")).unwrap())
}

/// Removes the identity of an object, and fields that differ between two submissions.
fn without_own(mut object: Value) -> Value {
    object["status"] = Value::Null;
    object["spec"]["selector"] = Value::Null;
    for field in ["uid", "creationTimestamp", "resourceVersion", "generation", "managedFields"] {
        object["metadata"][field] = Value::Null;
    }
    let is_own = |key: &str| {
        key.ends_with("controller-uid") || ["kubectl-indexed/submission", "kubectl-indexed/digest"].contains(&key)
    };
    for pointer in ["/metadata", "/spec/template/metadata"] {
        for notes in ["labels", "annotations"] {
            if let Some(notes) = object.pointer_mut(&format!("{pointer}/{notes}")).and_then(Value::as_object_mut) {
                notes.retain(|key, _| !is_own(key));
            }
        }
    }
    object
}

#[test]
fn rules_for_jobs_and_pods_have_the_same_effect() {
    let labels = "has(object.metadata.labels) && 'team' in object.metadata.labels";
    compare_all(&[
        case(
            "labels",
            Demand::Validation("[jobs, configmaps]", labels, "Deny"),
            JobEnd::Refused,
            "as the test demands",
        ),
        Case {
            flags: &["--label", "team=vision"],
            ..case("labelled", Demand::Validation("[jobs, configmaps, pods]", labels, "Deny"), JobEnd::Complete, "")
        },
        case("deny", Demand::Validation("[jobs]", "false", "Deny"), JobEnd::Refused, "as the test demands"),
        case("warn", Demand::Validation("[jobs]", "false", "Warn"), JobEnd::Complete, "as the test demands"),
        case("pss-warn", Demand::Label("pod-security.kubernetes.io/warn=restricted"), JobEnd::Complete, ""),
        case("pss-enforce", Demand::Label("pod-security.kubernetes.io/enforce=restricted"), JobEnd::WithoutPods, ""),
        case(
            "quota-pods",
            Demand::Object(
                "{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {requests.cpu: '1'}}}",
            ),
            JobEnd::WithoutPods,
            "",
        ),
        case(
            "quota-jobs",
            Demand::Object(
                "{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {count/jobs.batch: '0'}}}",
            ),
            JobEnd::Refused,
            "exceeded quota: q, requested: count/jobs.batch=1, used: count/jobs.batch=0, limited: count/jobs.batch=0",
        ),
        case(
            "limits",
            Demand::Object(
                "{apiVersion: v1, kind: LimitRange, metadata: {name: l}, spec: {limits: [{type: Pod, \
                 max: {cpu: '1'}}]}}",
            ),
            JobEnd::WithoutPods,
            "",
        ),
        case(
            "defaults",
            Demand::Object(
                "{apiVersion: v1, kind: LimitRange, metadata: {name: l}, spec: {limits: [{type: Container, \
                 default: {memory: 64Mi}}]}}",
            ),
            JobEnd::Complete,
            "",
        ),
    ]);
}

#[test]
#[ignore = "needs Kubernetes 1.36"]
fn policies_change_a_job_in_the_same_way() {
    let patch = |resources, operations: &str| {
        let start = "  - patchType: JSONPatch\n    jsonPatch:\n      expression: >-\n";
        Demand::Mutation(resources, format!("{start}        [{operations}]"))
    };
    let object = |object: &str| Demand::Mutation("[jobs]", apply_configuration(object));
    let worker = "/spec/template/spec/containers/0";
    // The sidecar uses the entry point of its image, which waits: a policy can't apply a command.
    let native = "spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{initContainers: [\
                  Object.spec.template.spec.initContainers{name: 'proxy', image: 'registry.k8s.io/pause:3.6', \
                  restartPolicy: 'Always'}]}}}";
    let native_pod = "spec: Object.spec{initContainers: [Object.spec.initContainers{name: 'proxy', \
                      image: 'registry.k8s.io/pause:3.6', restartPolicy: 'Always'}]}";
    let classic = "JSONPatch{op: 'add', path: '/spec/template/spec/containers/0', value: \
                   Object.spec.template.spec.containers{name: 'agent', image: 'docker.io/library/busybox', \
                   command: ['true']}}";
    compare_all(&[
        case(
            "queue",
            object(
                "metadata: Object.metadata{labels: {'kueue.x-k8s.io/queue-name': 'team'}}, spec: Object.spec{suspend: true}",
            ),
            JobEnd::Suspended,
            "the cluster put job ours into the queue team: it starts when Kueue admits it\n",
        ),
        case(
            "suspend",
            object("spec: Object.spec{suspend: true}"),
            JobEnd::Suspended,
            "the cluster suspended job ours on admission: it starts when its owner resumes it\n",
        ),
        case("native", object(native), JobEnd::Complete, ""),
        case("native-pod", Demand::Mutation("[pods]", apply_configuration(native_pod)), JobEnd::Complete, ""),
        case(
            "classic-pod",
            patch("[pods]", &classic.replace("/spec/template", "").replace(".spec.template", "")),
            JobEnd::Complete,
            "",
        ),
        case("classic", patch("[jobs]", classic), JobEnd::Complete, ""),
        case(
            "image",
            patch(
                "[jobs]",
                &format!("JSONPatch{{op: 'replace', path: '{worker}/image', value: 'docker.io/library/bash'}}"),
            ),
            JobEnd::Complete,
            "",
        ),
        case(
            "resources",
            patch(
                "[jobs]",
                &format!(
                    "JSONPatch{{op: 'add', path: '{worker}/resources', value: {{'limits': {{'memory': '32Mi'}}}}}}"
                ),
            ),
            JobEnd::Complete,
            "",
        ),
        case(
            "parallelism",
            object("spec: Object.spec{parallelism: 2}"),
            JobEnd::Complete,
            "the cluster set the parallelism of job ours to 2, not 1\n",
        ),
        case(
            "stripped",
            patch("[jobs]", "JSONPatch{op: 'remove', path: '/metadata/annotations'}"),
            JobEnd::Complete,
            "warning: the cluster removed kubectl-indexed/",
        ),
    ]);
}
