//! Clusters with rules: demands of namespaces, quotas and policies on objects and containers.

use std::fmt::Write as _;

use crate::support::Cluster;

/// A template whose worker meets the Pod Security level `restricted`.
const RESTRICTED: &str = "
apiVersion: batch/v1
kind: Job
metadata: {name: guest}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: worker
        image: docker.io/library/busybox
        securityContext:
          allowPrivilegeEscalation: false
          capabilities: {drop: [ALL]}
          runAsNonRoot: true
          runAsUser: 1000
          seccompProfile: {type: RuntimeDefault}
";

/// Submits a Job for each form and store of items, with these flags, and waits until all have completed.
#[track_caller]
fn run_every_way(cluster: &Cluster, flags: &[&str]) {
    let mut list = String::new();
    for number in 0..1001 {
        let _ = writeln!(list, "{number}");
    }
    let list = cluster.write("list.txt", list.as_bytes());
    let list = list.to_str().unwrap();
    let ways: [(&str, &[&str], &[&str]); 9] = [
        ("file", &["--items", "a"], &["cat"]),
        ("arg", &["--items", "a"], &["echo", "{}"]),
        ("param", &["--param", "x=a"], &["echo", "{x}"]),
        ("env", &["--items", "a", "--item-as", "env"], &["env"]),
        ("stdin", &["--items", "a", "--item-as", "stdin"], &["cat"]),
        ("index", &["--completions", "1", "--index-file", "/etc/index/index"], &["cat", "/etc/index/index"]),
        ("long", &["-a", list, "-j", "1", "--success-indexes", "0"], &["cat"]),
        ("inline", &["--items", "a", "--item-store", "inline"], &["cat"]),
        ("again", &["--items", "a"], &["false"]),
    ];
    for (name, source, command) in ways {
        let start = ["run", name, "--detach", "-q"];
        cluster.run(&[&start[..], source, flags, &["--"], command].concat()).ok();
    }
    assert_eq!(cluster.run(&["wait", "again", "-q"]).code, 1);
    // One retry with the same command, and one with a new command.
    cluster.run(&["retry", "again", "--detach", "-q"]).ok();
    assert_eq!(cluster.run(&["wait", "again-r1", "-q"]).code, 1);
    cluster.run(&["retry", "again", "--detach", "-q", "--", "echo", "{}"]).ok();
    for (name, ..) in ways.iter().filter(|(name, ..)| *name != "again") {
        let outcome = cluster.run(&["wait", name, "--timeout", "2m"]);
        assert_eq!(outcome.code, 0, "{name}: {outcome:#?}\n{}", cluster.run(&["describe", name]).stdout);
    }
    let outcome = cluster.run(&["wait", "again-r2", "--timeout", "2m"]);
    assert_eq!(outcome.code, 0, "{outcome:#?}\n{}", cluster.run(&["describe", "again-r2"]).stdout);
    // The error of an added container appears in the status of the Pod.
    let path = "{range .items[*].spec.template.spec.initContainers[*]}{.terminationMessagePolicy}{\"\\n\"}{end}";
    let policies = cluster.field("jobs", path);
    let kept = policies.lines().filter(|policy| *policy == "FallbackToLogsOnError").count();
    assert!(kept >= 6 && kept == policies.lines().count(), "{policies:?}");
}

#[test]
#[ignore = "needs Kubernetes 1.35"]
fn every_way_runs_within_a_limit_range() {
    let cluster = Cluster::new("limits");
    let limits = "{type: Container, min: {cpu: 10m, memory: 16Mi}, max: {cpu: 500m, memory: 48Mi}, \
                  maxLimitRequestRatio: {memory: 2}}";
    let sum = "{type: Pod, max: {cpu: 500m, memory: 48Mi}}";
    let spec = format!("{{limits: [{limits}, {sum}]}}");
    cluster.apply(&format!("{{apiVersion: v1, kind: LimitRange, metadata: {{name: l}}, spec: {spec}}}")).ok();
    run_every_way(&cluster, &["--cpu", "10m:500m", "--memory", "16Mi:32Mi"]);
}

/// Applies a policy of the whole cluster that checks or changes only objects of the test's namespace.
///
/// `rule` has the fields of its `spec` besides the matched resources.
pub(crate) fn apply_policy<'a>(
    cluster: &'a Cluster,
    kind: &str,
    groups: &str,
    resources: &str,
    rule: &str,
) -> Policy<'a> {
    let name = cluster.namespace();
    let actions = if kind == "Validating" { "  validationActions: [Deny]\n" } else { "" };
    let text = format!(
        "
apiVersion: admissionregistration.k8s.io/v1
kind: {kind}AdmissionPolicy
metadata: {{name: {name}}}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - {{apiGroups: {groups}, apiVersions: [v1], operations: [CREATE], resources: {resources}}}
{rule}
---
apiVersion: admissionregistration.k8s.io/v1
kind: {kind}AdmissionPolicyBinding
metadata: {{name: {name}}}
spec:
  policyName: {name}
{actions}  matchResources:
    namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {name}}}}}
"
    );
    Policy { cluster, objects: cluster.apply(&text).ok().stdout }
}

/// Objects without a namespace, as kubectl names them; deleted when dropped.
pub(crate) struct Policy<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) objects: String,
}

impl Drop for Policy<'_> {
    fn drop(&mut self) {
        for object in self.objects.lines().filter_map(|line| line.split(' ').next()) {
            let _ = self.cluster.kubectl(&["delete", object]);
        }
    }
}

/// Three independent demands at once. A limit range would add the requests that a quota demands, so it is not among them.
#[test]
#[ignore = "needs Kubernetes 1.35"]
fn every_way_runs_where_pods_are_restricted_counted_and_labelled() {
    let cluster = Cluster::new("demands");
    let level = "pod-security.kubernetes.io/enforce=restricted";
    cluster.kubectl(&["label", "namespace", cluster.namespace(), level]).ok();
    let hard = "{limits.cpu: '10', limits.memory: 10Gi, requests.cpu: '10', requests.memory: 10Gi}";
    let quota = format!("{{apiVersion: v1, kind: ResourceQuota, metadata: {{name: q}}, spec: {{hard: {hard}}}}}");
    cluster.apply(&quota).ok();
    let rule = "  validations:
  - expression: >-
      has(object.metadata.labels) && ['app.kubernetes.io/name', 'app.kubernetes.io/instance',
      'app.kubernetes.io/managed-by', 'team'].all(label, label in object.metadata.labels)
    message: labels are missing";
    let policy = apply_policy(&cluster, "Validating", "['', batch]", "[configmaps, jobs, pods]", rule);
    let probe = ["create", "configmap", "probe", "--dry-run=server"];
    cluster.eventually("the policy", || cluster.kubectl(&probe).stderr.contains("labels are missing"));
    let template = cluster.write("template.yaml", RESTRICTED.as_bytes());
    let flags = ["--template", template.to_str().unwrap(), "--label", "team=vision"];
    // Without a limit, the hint names the flag that sets it.
    let less = [&["run", "less", "--items", "a", "--cpu", "10m", "--memory", "16Mi", "-d"][..], &flags, &["--", "cat"]];
    cluster.run(&less.concat()).ok();
    run_every_way(&cluster, &[&flags[..], &["--cpu", "10m:500m", "--memory", "16Mi:32Mi"]].concat());
    let described = cluster.run(&["describe", "less"]).ok().stdout;
    assert!(described.contains("run again with --cpu REQUEST:LIMIT, or set it in the --template"), "{described}");
    drop(policy);
}

#[test]
fn the_variables_of_many_services_do_not_reach_the_worker() {
    let cluster = Cluster::new("services");
    let service = "{apiVersion: v1, kind: Service, metadata: {name: many}, spec: {ports: [{port: 80}]}}";
    cluster.create(service).ok();
    let run = |name: &str, flags: &[&str]| {
        let start = ["run", name, "--completions", "1"];
        cluster.run(&[&start[..], flags, &["--", "env"]].concat()).ok().stdout
    };
    let printed = run("without", &[]);
    assert!(!printed.contains("MANY_SERVICE_HOST"), "{printed}");
    // The value of a template stays.
    let asks = RESTRICTED.replace("restartPolicy: Never", "restartPolicy: Never\n      enableServiceLinks: true");
    let template = cluster.write("template.yaml", asks.as_bytes());
    let printed = run("with", &["--template", template.to_str().unwrap()]);
    assert!(printed.contains("MANY_SERVICE_HOST"), "{printed}");
}

/// Applies a policy that changes `resources` of the namespace: `mutation` is an entry of `spec.mutations`.
pub(crate) fn apply_mutation<'a>(cluster: &'a Cluster, resources: &str, mutation: &str) -> Policy<'a> {
    let rule = format!("  reinvocationPolicy: Never\n  mutations:\n{mutation}");
    apply_policy(cluster, "Mutating", "['', batch]", resources, &rule)
}

/// Applies a policy that suspends or labels Jobs, and waits until it takes effect.
fn mutating<'a>(cluster: &'a Cluster, mutation: &str) -> Policy<'a> {
    let policy = apply_mutation(cluster, "[jobs]", mutation);
    let path = "jsonpath={.spec.suspend}{.metadata.labels.probed}";
    let probe = ["create", "job", "probe", "--image=x", "--dry-run=server", "-o", path];
    cluster.eventually("the policy", || cluster.kubectl(&probe).ok().stdout != "false");
    policy
}

pub(crate) fn apply_configuration(object: &str) -> String {
    format!("  - patchType: ApplyConfiguration\n    applyConfiguration:\n      expression: \"Object{{{object}}}\"")
}

#[test]
#[ignore = "needs Kubernetes 1.36"]
fn a_job_that_the_cluster_queues_is_not_released() {
    let cluster = Cluster::new("default-queue");
    let queue =
        "metadata: Object.metadata{labels: {'kueue.x-k8s.io/queue-name': 'team'}}, spec: Object.spec{suspend: true}";
    let policy = mutating(&cluster, &apply_configuration(queue));
    // With and without a list in the cluster.
    for (name, source) in [("listed", "--items=a,b"), ("counted", "--completions=2")] {
        let outcome = cluster.run(&["run", name, source, "-d", "--", "true"]).ok();
        let said = format!("the cluster put job {name} into the queue team: it starts when Kueue admits it\n");
        assert!(outcome.stderr.contains(&said), "{outcome:?}");
        let object = format!("job/{name}");
        assert_eq!(cluster.field(&object, "{.spec.suspend}"), "true");
        assert_eq!(cluster.field(&object, "{.metadata.annotations['kubectl-indexed/submitting']}"), "");
        let waits = cluster.run(&["describe", name]).ok().stdout;
        assert!(waits.contains("the queue team has not admitted the Job (suspended)"), "{waits}");
    }
    let again = cluster.run(&["run", "listed", "--items=a,b", "-d", "--", "true"]).ok();
    assert!(again.stderr.contains("job listed already exists, created by this same command"), "{again:?}");
    // A continued submission leaves the Job suspended by the queue.
    cluster.kubectl(&["annotate", "job", "listed", "kubectl-indexed/submitting=held"]).ok();
    cluster.kubectl(&["delete", "configmap", "listed-items"]).ok();
    let again = cluster.run(&["run", "listed", "--items=a,b", "-d", "--", "true"]).ok();
    assert!(again.stderr.contains("and interrupted: finishing the submission"), "{again:?}");
    assert_eq!(
        cluster.field("job/listed", "{.spec.suspend}{.metadata.annotations['kubectl-indexed/submitting']}"),
        "true"
    );
    assert_eq!(cluster.field("configmap/listed-items", "{.data}"), r#"{"0":"a","1":"b"}"#);
    // The test admits the Job in place of the queue. A retry waits again.
    cluster.run(&["run", "fails", "--items=a,b", "-d", "--", "false"]).ok();
    cluster.kubectl(&["patch", "job", "fails", "-p", r#"{"spec":{"suspend":false}}"#]).ok();
    assert_eq!(cluster.run(&["wait", "fails", "-q"]).code, 1);
    cluster.run(&["retry", "fails", "-d"]).ok();
    assert_eq!(cluster.field("job/fails-r1", "{.spec.suspend}"), "true");
    drop(policy);
}

#[test]
#[ignore = "needs Kubernetes 1.36"]
fn a_job_that_the_cluster_suspends_stays_suspended() {
    let cluster = Cluster::new("approval");
    let policy = mutating(&cluster, &apply_configuration("spec: Object.spec{suspend: true, parallelism: 1}"));
    let following = cluster.start(&["run", "held", "--items=a,b", "--", "echo", "{}"]);
    cluster.eventually("the job", || {
        cluster.field("job/held", "{.metadata.name} {.metadata.annotations['kubectl-indexed/submitting']}") == "held "
    });
    assert_eq!(cluster.field("job/held", "{.spec.suspend}"), "true");
    cluster.run(&["resume", "held"]).ok();
    let outcome = following.end().ok();
    drop(policy);
    assert_eq!(outcome.sorted_lines(), ["[0 a] a", "[1 b] b"], "{outcome:?}");
    let said = "the cluster suspended job held on admission: it starts when its owner resumes it\n\
                hint: kubectl get mutatingadmissionpolicies,mutatingwebhookconfigurations shows which policies and \
                webhooks may hold it\n\
                hint: kubectl indexed resume held starts it, if you may decide that\n\
                the cluster set the parallelism of job held to 1, not 2\n";
    assert!(outcome.stderr.contains(said), "{outcome:?}");
    assert!(outcome.stderr.contains("job held created: 2 indexes, 1 at once"), "{outcome:?}");
}

/// The cluster adds a container before the worker, and changes the image of the worker.
#[test]
#[ignore = "needs Kubernetes 1.36"]
fn a_container_that_the_cluster_adds_is_not_the_worker() {
    let cluster = Cluster::new("sidecars");
    let mutation = "  - patchType: JSONPatch
    jsonPatch:
      expression: >-
        [JSONPatch{op: 'add', path: '/spec/template/spec/containers/0', value: Object.spec.template.spec.containers{
        name: 'agent', image: 'docker.io/library/busybox', command: ['sh', '-c', 'exit 9']}},
        JSONPatch{op: 'replace', path: '/spec/template/spec/containers/1/image', value: 'docker.io/library/bash'},
        JSONPatch{op: 'add', path: '/metadata/labels', value: {'probed': 'yes'}}]";
    let policy = mutating(&cluster, mutation);
    let template = RESTRICTED.replace("name: worker", "name: main");
    let (template, _) = template.split_once("        securityContext:").unwrap();
    let template = cluster.write("template.yaml", template.as_bytes());
    let args = ["run", "added", "--template", template.to_str().unwrap(), "--completions", "1"];
    let outcome = cluster.run(&[&args[..], &["--", "bash", "-c", "echo hello; exit 3"]].concat());
    drop(policy);
    assert_eq!(cluster.field("job/added", "{.spec.template.spec.containers[*].name}"), "agent main", "{outcome:?}");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (1, "hello\n"), "{outcome:?}");
    assert!(outcome.stderr.contains("index 0 failed: exit code 3, "), "{outcome:?}");
}

#[test]
#[ignore = "needs Kubernetes 1.36"]
fn annotations_that_the_cluster_removes_are_reported() {
    let cluster = Cluster::new("stripped");
    let remove = "  - patchType: JSONPatch\n    jsonPatch:\n      expression: >-\n        \
                  has(object.metadata.annotations) ? [JSONPatch{op: 'remove', path: '/metadata/annotations'}] : \
                  [JSONPatch{op: 'add', path: '/metadata/labels', value: {'probed': 'yes'}}]";
    let policy = mutating(&cluster, remove);
    let outcome = cluster.run(&["run", "bare", "--items=a,b", "--", "echo", "{}"]);
    drop(policy);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert_eq!(outcome.lines_by_index(), ["[0] a", "[1] b"], "{outcome:?}");
    assert!(outcome.stderr.contains("warning: the cluster removed kubectl-indexed/"), "{outcome:?}");
}

#[test]
fn a_generate_name_of_a_template_starts_the_name() {
    let cluster = Cluster::new("generate-name");
    let template = RESTRICTED.replace("name: guest", "generateName: sweep-");
    let template = cluster.write("template.yaml", template.as_bytes());
    for _ in 0..2 {
        cluster.run(&["run", "--template", template.to_str().unwrap(), "--items", "a", "-d", "--", "true"]).ok();
    }
    let names = cluster.kubectl(&["get", "jobs", "-o", "name"]).ok().stdout;
    let started = names.lines().filter(|name| name.starts_with("job.batch/sweep-") && name.len() == 21).count();
    assert_eq!(started, 2, "{names}");
}

#[test]
fn warnings_of_the_server_are_printed_once_as_by_kubectl() {
    let cluster = Cluster::new("warnings");
    let level = "pod-security.kubernetes.io/warn=restricted";
    cluster.kubectl(&["label", "namespace", cluster.namespace(), level]).ok();
    let of_kubectl =
        cluster.kubectl(&["create", "job", "theirs", "--image=docker.io/library/busybox", "--", "true"]).ok();
    let expected = of_kubectl.stderr.replace("\"theirs\"", "\"worker\"");
    assert!(expected.starts_with("Warning: would violate PodSecurity"), "{of_kubectl:?}");
    // The responses to the dry run, the creation and the release each have the warning.
    for quiet in [&[][..], &["-q"]] {
        let outcome = cluster.run(&[&["run", "--items", "a,b", "-d"][..], quiet, &["--", "true"]].concat()).ok();
        assert_eq!(outcome.stderr.matches("Warning: ").count(), 1, "{outcome:?}");
        assert!(outcome.stderr.contains(&expected), "{expected} {outcome:?}");
    }
}
