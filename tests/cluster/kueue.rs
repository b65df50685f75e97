//! A real Kueue, with a queue that admits two Pods at once.

use crate::guests::Policy;
use crate::support::{Cluster, GATE};

/// Has Kueue manage the namespace, and creates the queue `team`.
fn queue(cluster: &Cluster) -> Policy<'_> {
    let name = cluster.namespace();
    cluster.kubectl(&["label", "namespace", name, "kueue-managed=true"]).ok();
    let objects = format!(
        "
apiVersion: kueue.x-k8s.io/v1beta2
kind: ClusterQueue
metadata: {{name: {name}}}
spec:
  namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {name}}}}}
  resourceGroups:
  - coveredResources: [pods]
    flavors: [{{name: {name}, resources: [{{name: pods, nominalQuota: 2}}]}}]
---
apiVersion: kueue.x-k8s.io/v1beta2
kind: ResourceFlavor
metadata: {{name: {name}}}
---
apiVersion: kueue.x-k8s.io/v1beta2
kind: LocalQueue
metadata: {{name: team}}
spec: {{clusterQueue: {name}}}
"
    );
    Policy { cluster, objects: cluster.apply(&objects).ok().stdout }
}

/// Stops the queue, or lets it admit again.
fn set_stop_policy(cluster: &Cluster, policy: &str) {
    let patch = format!("{{\"spec\":{{\"stopPolicy\":\"{policy}\"}}}}");
    cluster.kubectl(&["patch", "clusterqueue", cluster.namespace(), "--type=merge", "-p", &patch]).ok();
}

/// Returns the command of the hint that names the Workload of a Job.
fn hinted(text: &str, start: &str) -> String {
    let line = text.lines().find(|line| line.contains(start)).unwrap_or_else(|| panic!("no {start:?} in {text}"));
    let words = line[line.find(start).unwrap()..].split(' ');
    words.take_while(|word| !["shows", "names", "has"].contains(word)).collect::<Vec<_>>().join(" ")
}

#[test]
#[ignore = "needs tests/cluster/up --kueue"]
fn ten_items_are_admitted_in_turns() {
    let cluster = Cluster::new("kueue-turns");
    let _queue = queue(&cluster);
    assert!(
        cluster
            .run(&["version"])
            .ok()
            .stdout
            .contains("Kueue is installed: --queue submits a Job to one of its queues.")
    );
    set_stop_policy(&cluster, "Hold");
    // Kueue may admit a Job with a smaller parallelism.
    let items = ["run", "ten", "--items=a,b,c,d,e,f,g,h,i,j", "--queue=team"];
    let fewer = ["--annotation=kueue.x-k8s.io/job-min-parallelism=1", "--", "echo", "{}"];
    let ten = cluster.start(&[&items[..], &fewer].concat());
    cluster.eventually("the Workload", || cluster.field("workloads", "{.items[*].spec.queueName}") == "team");
    assert_eq!(cluster.field("job/ten", "{.spec.suspend} {.spec.parallelism}"), "true 10");
    let rest = ["left", "right"].map(|name| {
        cluster.start(&["run", name, "--items=k,l,m", "-j2", "--queue=team", "--", "sh", "-c", "sleep 1; echo {}"])
    });
    cluster.eventually("three Workloads", || {
        cluster.field("workloads", "{.items[*].metadata.name}").matches(' ').count() == 2
    });
    set_stop_policy(&cluster, "None");
    let ten = ten.end().ok();
    let expected: Vec<_> =
        "abcdefghij".chars().enumerate().map(|(index, item)| format!("[{index} {item}] {item}")).collect();
    assert_eq!(ten.sorted_lines(), expected, "{ten:?}");
    let waits = "job ten created: 10 indexes, 10 at once\n\
                 warning: job ten: 10 indexes pending (0-9): the queue team has not admitted the Job (suspended)\n";
    assert!(ten.stderr.starts_with(waits), "{ten:?}");
    assert!(ten.stderr.contains("job ten completed: 10 of 10 indexes completed in "), "{ten:?}");
    assert_eq!(cluster.field("job/ten", "{.spec.parallelism}"), "2");
    for outcome in rest.map(|running| running.end().ok()) {
        assert_eq!(outcome.sorted_lines(), ["[0 k] k", "[1 l] l", "[2 m] m"], "{outcome:?}");
    }
    // No two Jobs ran at the same time.
    let times = cluster.field("jobs", "{range .items[*]}{.status.startTime} {.status.completionTime}{\"\\n\"}{end}");
    let mut times: Vec<_> = times.lines().map(|line| line.split_once(' ').unwrap()).collect();
    times.sort_unstable();
    assert!(times.len() == 3 && times.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{times:?}");
}

/// Kueue puts every Job of the namespace into the queue `default`, and a retry waits as the first Job.
#[test]
#[ignore = "needs tests/cluster/up --kueue"]
fn a_default_queue_admits_a_job_and_its_retry() {
    let cluster = Cluster::new("kueue-default");
    let _queue = queue(&cluster);
    let default = "{apiVersion: kueue.x-k8s.io/v1beta2, kind: LocalQueue, metadata: {name: default}, \
                   spec: {clusterQueue: NAME}}";
    cluster.apply(&default.replace("NAME", cluster.namespace())).ok();
    let probe = ["create", "job", "probe", "--image=x", "--dry-run=server", "-o", "jsonpath={.spec.suspend}"];
    cluster.eventually("the default queue", || cluster.kubectl(&probe).ok().stdout == "true");
    // A retry of one index can't have a smaller parallelism, and Kueue would refuse this annotation on it.
    let run = ["run", "fails", "--items=a,b", "--annotation=kueue.x-k8s.io/job-min-parallelism=1"];
    let first = cluster.run(&[&run[..], &["--", "sh", "-c", "echo {}; test {} = b"]].concat());
    assert_eq!(
        (first.code, first.sorted_lines()),
        (1, ["[0 a] a", "[1 b] b"].map(str::to_owned).to_vec()),
        "{first:?}"
    );
    let queued = "the cluster put job fails into the queue default: it starts when Kueue admits it\n";
    assert!(first.stderr.starts_with(queued), "{first:?}");
    set_stop_policy(&cluster, "Hold");
    let again = cluster.start(&["retry", "fails", "--", "echo", "again {}"]);
    cluster.eventually("the retry", || cluster.field("job/fails-r1", "{.spec.suspend}") == "true");
    set_stop_policy(&cluster, "None");
    assert_eq!(again.end().ok().stdout, "again a\n");
}

#[test]
#[ignore = "needs tests/cluster/up --kueue"]
fn an_evicted_job_is_followed_until_it_is_admitted_again() {
    let cluster = Cluster::new("kueue-evicts");
    let _queue = queue(&cluster);
    let gate = cluster.write("gate.yaml", GATE.as_bytes());
    let script = "test -e /gate/open || { trap 'exit 1' TERM; sleep 600 & wait; }; echo {}";
    let run = ["run", "job", "--items=a,b", "--queue=team", "--template", gate.to_str().unwrap(), "--"];
    let following = cluster.start(&[&run[..], &["sh", "-c", script]].concat());
    cluster.eventually("both Pods", || cluster.field("job/job", "{.status.ready}") == "2");
    set_stop_policy(&cluster, "HoldAndDrain");
    cluster.eventually("the eviction", || cluster.field("job/job", "{.spec.suspend} {.status.active}") == "true ");
    let described = cluster.run(&["describe", "job"]).ok().stdout;
    assert!(described.contains("2 indexes pending (0,1): the queue team has not admitted the Job"), "{described}");
    cluster.kubectl(&["create", "configmap", "gate", "--from-literal=open=yes"]).ok();
    set_stop_policy(&cluster, "None");
    let outcome = following.end().ok();
    assert_eq!(outcome.sorted_lines(), ["[0 a #2] a", "[1 b #2] b"], "{outcome:?}");
    let waits = "warning: job job: 2 indexes pending (0,1): the queue team has not admitted the Job (suspended)\n";
    assert!(outcome.stderr.contains(waits), "{outcome:?}");
}

/// The hints name the Workload and its state.
#[test]
#[ignore = "needs tests/cluster/up --kueue"]
fn the_hint_shows_why_kueue_waits() {
    let cluster = Cluster::new("kueue-waits");
    let _queue = queue(&cluster);
    cluster.run(&["run", "big", "--completions=3", "--queue=team", "-d", "--", "true"]).ok();
    let described = cluster.run(&["describe", "big"]).ok().stdout;
    assert!(described.contains("the queue team has not admitted the Job (suspended)"), "{described}");
    let shows = hinted(&described, "kubectl describe workloads ");
    cluster.eventually("Kueue's reason", || {
        cluster.shell(&shows).ok().stdout.contains("insufficient quota for pods in flavor")
    });
    cluster.kubectl(&["delete", "job", "big"]).ok();
    cluster.run(&["run", "long", "--completions=2", "--queue=team", "-d", "--", "sleep", "600"]).ok();
    cluster.eventually("both Pods", || cluster.field("job/long", "{.status.active}") == "2");
    let refused = cluster.run(&["suspend", "long"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    let names = hinted(&refused.stderr, "kubectl get workloads ");
    let patch = hinted(&refused.stderr, "kubectl patch workloads ");
    let workload = cluster.shell(&format!("{names} -o name")).ok().stdout;
    cluster.shell(&patch.replace("WORKLOAD", workload.trim().rsplit('/').next().unwrap())).ok();
    cluster.eventually("the end of both Pods", || {
        cluster.field("job/long", "{.spec.suspend} {.status.active}") == "true "
    });
    cluster.kubectl(&["delete", "job", "long"]).ok();
}
