//! Changes whose response is lost, late or wrong, and silent servers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::{Fault, contains, find, proxy};
use crate::support::{Cluster, Outcome};

/// What happens to the first matching request.
#[derive(Clone, Copy, Debug)]
enum Blow {
    /// The server acts, and this is the response.
    After(&'static str),
    /// The server acts, and the connection breaks.
    Lost,
    /// The server acts, and half of the response arrives.
    Cut,
    /// The server never gets the request, and this is the response.
    Before(&'static str),
}

const TIMED_OUT: &str = "HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nContent-Length: 117\r\n\r\n{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"message\":\"etcdserver: request timed out\",\"code\":500,\"more\":\"\"}";
const NONSENSE: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\nnonsense";
const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>";
const BUSY: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nbusy";

const BLOWS: [Blow; 8] = [
    Blow::After(TIMED_OUT),
    Blow::After(NONSENSE),
    Blow::After(PAGE),
    Blow::After(BUSY),
    Blow::Lost,
    Blow::Cut,
    Blow::Before(TIMED_OUT),
    Blow::Before(BUSY),
];

/// Applies a blow to the first request with this beginning that is not a dry run.
struct Strikes {
    start: &'static str,
    blow: Blow,
    fired: AtomicUsize,
}

impl Strikes {
    fn is_meant(&self, request: &[u8]) -> bool {
        request.starts_with(self.start.as_bytes()) && !contains(request, "dryRun=All")
    }
}

impl Fault for Strikes {
    fn request(&self, bytes: &mut Vec<u8>) {
        let before = matches!(self.blow, Blow::Before(_)) && self.is_meant(bytes);
        if before && self.fired.compare_exchange(0, 1, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            *bytes = b"GET /struck HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec();
        }
    }

    fn answer(&self, request: &[u8], bytes: &mut Vec<u8>) -> bool {
        if let Blow::Before(answer) = self.blow {
            if request.starts_with(b"GET /struck ") {
                *bytes = answer.as_bytes().to_vec();
            }
            return true;
        }
        let first = self.is_meant(request) && self.fired.fetch_add(1, Ordering::SeqCst) == 0;
        match self.blow {
            Blow::After(answer) if first => *bytes = answer.as_bytes().to_vec(),
            Blow::Lost if first => bytes.clear(),
            Blow::Cut if first => bytes.truncate(find(bytes, "\r\n\r\n").unwrap() + 40),
            _ => return true,
        }
        matches!(self.blow, Blow::After(_))
    }
}

/// Runs a verb once for each blow to the first request with this beginning. The verb must succeed; `check` gets its outcome.
fn strike(cluster: &Cluster, start: &'static str, verb: impl Fn(&str) -> Vec<String>, check: impl Fn(&str, &Outcome)) {
    let (_running, port) = cluster.start_api_proxy();
    for (number, blow) in BLOWS.into_iter().enumerate() {
        let fault = Arc::new(Strikes { start, blow, fired: AtomicUsize::new(0) });
        let url = proxy(port, Arc::clone(&fault));
        let job = format!("j{number}");
        let mut words = verb(&job);
        words.splice(1..1, ["-s", &url, "-n", cluster.namespace()].map(str::to_owned));
        let outcome = cluster.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(fault.fired.load(Ordering::SeqCst) > 0, "{start} {blow:?}: {outcome:?}");
        assert_eq!(outcome.code, 0, "{start} {blow:?}: {outcome:?}");
        assert!(!outcome.stderr.contains("error"), "{start} {blow:?}: {outcome:?}");
        check(&job, &outcome);
    }
}

fn split_words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

#[test]
fn a_submission_is_complete_after_any_response() {
    let cluster = Cluster::new("struck-run");
    let all = || cluster.kubectl(&["get", "jobs,configmaps", "-o", "name"]).ok().stdout;
    for start in ["POST /apis/batch/v1/", "POST /api/v1/", "PATCH /apis/batch/v1/"] {
        let verb = |job: &str| split_words(&format!("run {job} --items a,b -d -- true"));
        strike(&cluster, start, verb, |job, outcome| {
            assert_eq!(cluster.field(&format!("job/{job}"), "{.spec.suspend}"), "false", "{outcome:?}");
            assert!(all().contains(&format!("configmap/{job}-items")), "{outcome:?}");
        });
        assert_eq!(all().matches("job.batch/").count(), BLOWS.len(), "{}", all());
        cluster.kubectl(&["delete", "jobs", "--all", "--wait=false"]).ok();
        cluster.eventually("nothing", || all() == "configmap/kube-root-ca.crt\n");
    }
}

#[test]
fn a_change_is_made_once_after_any_response() {
    let cluster = Cluster::new("struck-change");
    for number in 0..BLOWS.len() {
        let job = format!("j{number}");
        // The worker ends at SIGTERM.
        let worker = ["sh", "-c", "trap exit TERM; sleep 600 & wait"];
        let args = ["run", &job, "--completions", "2", "-j", "1", "-d", "-q", "--"];
        cluster.run(&[&args[..], &worker].concat()).ok();
    }
    let patch = "PATCH /apis/batch/v1/";
    let has = |field: &str, value: &'static str| {
        let (cluster, field) = (&cluster, format!("{{.spec.{field}}}"));
        move |job: &str, outcome: &Outcome| {
            assert_eq!(cluster.field(&format!("job/{job}"), &field), value, "{outcome:?}");
        }
    };
    strike(&cluster, patch, |job| split_words(&format!("scale {job} -j 2")), has("parallelism", "2"));
    strike(&cluster, patch, |job| split_words(&format!("suspend {job}")), has("suspend", "true"));
    strike(&cluster, patch, |job| split_words(&format!("resume {job}")), has("suspend", "false"));
    strike(
        &cluster,
        "DELETE /apis/batch/v1/",
        |job| split_words(&format!("delete {job} --no-wait")),
        |job, outcome| {
            assert_eq!(outcome.stdout, format!("job.batch {job:?} deleted\n"), "{outcome:?}");
            let (job, uid) = (format!("job/{job}"), "{.metadata.uid}");
            let is_going = || {
                !cluster.field(&job, "{.metadata.deletionTimestamp}").is_empty() || cluster.field(&job, uid).is_empty()
            };
            assert!(is_going(), "{outcome:?}");
        },
    );
}

/// Denies changes and deletions of Jobs in one namespace, but not their creation.
const DENIES: &str = r#"
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: NAME}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - {apiGroups: [batch], apiVersions: [v1], operations: [UPDATE, DELETE], resources: [jobs]}
  matchConditions:
  - {name: people, expression: "!request.userInfo.username.startsWith('system:')"}
  validations:
  - {expression: "false", message: nothing may be changed here, reason: Invalid}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: NAME}
spec:
  policyName: NAME
  validationActions: [Deny]
  matchResources:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: NAME}}
"#;

#[test]
fn exit_code_2_means_that_nothing_was_created() {
    let cluster = Cluster::new("denied");
    let policy = DENIES.replace("NAME", cluster.namespace());
    cluster.run(&["run", "probe", "--completions", "1", "-d", "-q", "--", "true"]).ok();
    cluster.apply(&policy).ok();
    // A new policy takes effect after some time.
    cluster.eventually("the policy", || {
        cluster.kubectl(&["annotate", "job", "probe", "--overwrite", "a=b", "--dry-run=server"]).code != 0
    });
    let outcome = cluster.run(&["run", "x", "--items", "a,b", "--", "echo"]);
    for kind in ["validatingadmissionpolicybinding", "validatingadmissionpolicy"] {
        cluster.kubectl(&["delete", kind, cluster.namespace()]).ok();
    }
    assert_eq!(outcome.code, 1, "{outcome:?}");
    let error = "error: can't submit job \"x\", which is left suspended: ";
    assert!(outcome.stderr.starts_with(error), "{outcome:?}");
    assert!(outcome.stderr.contains("nothing may be changed here"), "{outcome:?}");
}

/// Delays the first list of Pods for a second, and drops all events of watches of Pods.
#[derive(Default)]
struct SilentPods {
    late: AtomicUsize,
    swallowed: AtomicUsize,
}

impl Fault for SilentPods {
    fn answer(&self, request: &[u8], bytes: &mut Vec<u8>) -> bool {
        let pods = request.starts_with(b"GET ") && contains(request, "/pods?");
        if pods && !contains(request, "watch=true") && self.late.fetch_add(1, Ordering::SeqCst) == 0 {
            thread::sleep(Duration::from_secs(1));
        }
        if pods && contains(request, "watch=true") {
            let head = find(bytes, "\r\n\r\n").filter(|_| bytes.starts_with(b"HTTP/1.1 ")).map_or(0, |end| end + 4);
            self.swallowed.fetch_add(bytes.len() - head, Ordering::SeqCst);
            bytes.truncate(head);
        }
        true
    }
}

#[test]
fn a_new_count_in_the_job_reveals_a_silent_watch_of_pods() {
    let cluster = Cluster::new("silent-pods");
    let (_running, port) = cluster.start_api_proxy();
    let fault = Arc::new(SilentPods::default());
    let url = proxy(port, Arc::clone(&fault));
    let script = "for i in 1 2 3 4 5 6; do echo $i; sleep 2; done";
    let begun = Instant::now();
    let args = ["run", "x", "--items", "a,b", "-q", "-s", &url, "-n", cluster.namespace(), "--", "sh", "-c", script];
    let outcome = cluster.run(&args).ok();
    assert!(fault.swallowed.load(Ordering::SeqCst) > 0, "the watch was silent: {outcome:?}");
    assert_eq!(outcome.stdout.lines().count(), 12, "{outcome:?}");
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
}
