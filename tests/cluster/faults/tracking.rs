//! Watching verbs when the watch, the Job or the reader goes away.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

use super::{FORBIDDEN, Fault, contains, proxy};
use crate::support::{Cluster, Running};

/// Delays the first list of Pods, and drops the events of every watch of Pods.
#[derive(Default)]
struct LateAndSilent {
    late: AtomicUsize,
    silent: AtomicUsize,
}

impl Fault for LateAndSilent {
    fn answer(&self, request: &[u8], bytes: &mut Vec<u8>) -> bool {
        let of_pods = contains(request, "/pods?");
        if of_pods && contains(request, "watch=true") {
            self.silent.fetch_add(1, Ordering::SeqCst);
            // The head passes, so the watch has begun.
            if !bytes.starts_with(b"HTTP/1.1 ") {
                bytes.clear();
            } else if let Some(end) = super::find(bytes, "\r\n\r\n") {
                bytes.truncate(end + 4);
            }
        } else if of_pods && bytes.starts_with(b"HTTP/1.1 ") && self.late.fetch_add(1, Ordering::SeqCst) == 0 {
            sleep(Duration::from_secs(1));
        }
        true
    }
}

#[test]
fn a_late_and_silent_watch_of_pods_loses_no_line() {
    let cluster = Cluster::new("silent");
    let (_running, port) = cluster.start_api_proxy();
    let fault = Arc::new(LateAndSilent::default());
    let url = proxy(port, Arc::clone(&fault));
    let script = "for i in 1 2 3; do echo {} $i; sleep 0.5; done";
    let args = ["run", "silent", "--items", "a,b", "-q", "-s", &url, "-n", cluster.namespace()];
    let outcome = cluster.run(&[&args[..], &["--", "sh", "-c", script]].concat()).ok();
    let expected = ["[0 a] a 1", "[0 a] a 2", "[0 a] a 3", "[1 b] b 1", "[1 b] b 2", "[1 b] b 3"];
    assert_eq!(outcome.sorted_lines(), expected, "{outcome:?}");
    assert!(fault.late.load(Ordering::SeqCst) > 0 && fault.silent.load(Ordering::SeqCst) > 0, "both faults came");
    let logs = cluster.run(&["logs", "-f", "silent", "-s", &url, "-n", cluster.namespace()]).ok();
    assert_eq!(logs.sorted_lines(), expected, "{logs:?}");
}

#[test]
fn indexes_that_are_added_later_are_followed() {
    let cluster = Cluster::new("elastic");
    let script = "sleep 6; echo hello $JOB_COMPLETION_INDEX";
    let running = cluster.start(&["run", "elastic", "--completions", "2", "--", "sh", "-c", script]);
    cluster.eventually("running pods", || cluster.field("job/elastic", "{.status.active}") == "2");
    cluster.run(&["scale", "elastic", "--completions", "4", "--parallelism", "4"]).ok();
    let outcome = running.end().ok();
    let expected: Vec<_> = (0..4).map(|index| format!("[{index}] hello {index}")).collect();
    assert_eq!(outcome.sorted_lines(), expected, "{outcome:?}");
    assert!(outcome.stderr.contains("completed: 4 of 4 indexes"), "{outcome:?}");
}

/// Answers GET requests of this path with an error, once or always.
struct Refuses {
    path: &'static str,
    status: &'static str,
    body: &'static str,
    left: AtomicUsize,
}

impl Refuses {
    fn new(path: &'static str, status: &'static str, body: &'static str, times: usize) -> Arc<Self> {
        Arc::new(Self { path, status, body, left: AtomicUsize::new(times) })
    }

    fn fired(&self, times: usize) -> bool {
        self.left.load(Ordering::SeqCst) < times
    }
}

impl Fault for Refuses {
    fn answer(&self, request: &[u8], bytes: &mut Vec<u8>) -> bool {
        let meant = request.starts_with(b"GET ") && contains(request, self.path) && bytes.starts_with(b"HTTP/1.1 ");
        let fewer = |left: usize| left.checked_sub(1);
        if meant && self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer).is_ok() {
            let (status, body) = (self.status, self.body);
            let head = format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}", body.len());
            *bytes = format!("{head}\r\n\r\n{body}").into_bytes();
        }
        true
    }
}

const BROKEN: &str = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"etcdserver: request timed out","reason":"InternalError","code":500}"#;
const UNKNOWN_USER: &str = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"Unauthorized","reason":"Unauthorized","code":401}"#;

#[test]
fn unreadable_items_are_reported() {
    let cluster = Cluster::new("unread");
    let (_running, port) = cluster.start_api_proxy();
    cluster.run(&["run", "unread", "--items", "a,b", "-q", "--", "echo", "{}"]).ok();
    let verbs: [&[&str]; 4] = [
        &["results", "unread", "-o", "csv"],
        &["results", "unread", "-o", "jsonl"],
        &["indexes", "unread"],
        &["logs", "unread"],
    ];
    for verb in verbs {
        let run = |status, body| {
            let fault = Refuses::new("/configmaps/", status, body, 99);
            let url = proxy(port, Arc::clone(&fault));
            let outcome = cluster.run(&[verb, &["-s", &url, "-n", cluster.namespace()]].concat());
            assert!(fault.fired(99), "{outcome:?}");
            outcome
        };
        let broken = run("500 Internal Server Error", BROKEN);
        assert_eq!((broken.code, broken.stdout.as_str()), (1, ""), "{verb:?}: {broken:?}");
        assert!(broken.stderr.contains("error: ") && broken.stderr.contains("request timed out"), "{broken:?}");
        let forbidden = run("403 Forbidden", FORBIDDEN).ok();
        assert!(forbidden.stderr.starts_with("warning: items are left out: "), "{verb:?}: {forbidden:?}");
    }
}

#[test]
fn unreadable_retries_of_a_family_are_reported() {
    let cluster = Cluster::new("relatives");
    let (_running, port) = cluster.start_api_proxy();
    cluster.run(&["run", "root", "--items", "a,b", "-q", "--", "sh", "-c", "exit 1"]);
    cluster.run(&["retry", "root", "-q", "--", "true"]).ok();
    for verb in [&["results", "root", "-o", "csv"][..], &["wait", "root"]] {
        let run = |status, body| {
            let fault = Refuses::new("/jobs?", status, body, 99);
            let url = proxy(port, Arc::clone(&fault));
            let outcome = cluster.run(&[verb, &["-s", &url, "-n", cluster.namespace()]].concat());
            assert!(fault.fired(99), "{outcome:?}");
            outcome
        };
        let forbidden = run("403 Forbidden", FORBIDDEN);
        assert!(forbidden.stderr.contains("warning: retries of job root are left out: "), "{forbidden:?}");
        let unknown = run("401 Unauthorized", UNKNOWN_USER);
        assert_eq!(unknown.code, 1, "{unknown:?}");
        assert!(unknown.stderr.starts_with("error: "), "{unknown:?}");
    }
}

#[test]
fn run_reports_that_a_job_it_can_not_watch_continues() {
    let cluster = Cluster::new("unwatched");
    let (_running, port) = cluster.start_api_proxy();
    for (name, status, body) in
        [("forbidden", "403 Forbidden", FORBIDDEN), ("unknown", "401 Unauthorized", UNKNOWN_USER)]
    {
        let fault = Refuses::new("/pods?", status, body, 99);
        let url = proxy(port, Arc::clone(&fault));
        let args = ["run", name, "--items", "a", "-s", &url, "-n", cluster.namespace(), "--", "echo", "{}"];
        let outcome = cluster.run(&args);
        assert!(fault.fired(99), "{outcome:?}");
        assert_eq!(outcome.code, 1, "{outcome:?}");
        assert!(outcome.stderr.contains("goes on, but can't be followed: "), "{outcome:?}");
        assert!(outcome.stderr.contains(&format!("kubectl indexed logs -f {name}")), "{outcome:?}");
        cluster.wait_for(name);
    }
}

#[test]
fn a_job_that_ends_and_is_deleted_at_once_has_ended() {
    let cluster = Cluster::new("burst");
    let script = "sleep 4; exit 1";
    cluster.run(&["run", "burst", "-d", "-q", "--ttl", "0s", "--items", "a,b", "--", "sh", "-c", script]).ok();
    let watching = cluster.start(&["indexes", "-w", "burst"]);
    let waiting = cluster.start(&["wait", "burst"]);
    cluster.eventually("running pods", || cluster.field("job/burst", "{.status.active}") == "2");
    watching.signal("STOP");
    waiting.signal("STOP");
    cluster.eventually("its end", || cluster.kubectl(&["get", "job", "burst"]).stderr.contains("NotFound"));
    watching.signal("CONT");
    waiting.signal("CONT");
    let watched = watching.end().ok();
    for item in ["a", "b"] {
        let failed = watched.stdout.lines().any(|row| row.contains(&format!(" {item} ")) && row.contains("Failed"));
        assert!(failed, "{watched:?}");
    }
    let waited = waiting.end();
    assert_eq!(waited.code, 1, "{waited:?}");
    assert!(waited.stderr.contains("job burst failed (FailedIndexes): 0 of 2 indexes completed"), "{waited:?}");
}

#[test]
fn following_ends_only_when_the_job_itself_is_deleted() {
    let cluster = Cluster::new("others");
    cluster.run(&["run", "fam", "--items", "a,b", "-q", "--", "sh", "-c", "exit 1"]);
    cluster.run(&["retry", "fam", "-d", "-q", "--", "sh", "-c", "sleep 8; echo done"]).ok();
    let following = cluster.start(&["logs", "-f", "fam-r1"]);
    let waiting = cluster.start(&["wait", "fam"]);
    cluster.eventually("running pods", || cluster.field("job/fam-r1", "{.status.ready}") == "2");
    cluster.kubectl(&["delete", "job", "fam"]).ok();
    let followed = following.end().ok();
    assert_eq!(followed.sorted_lines(), ["[0 a #2] done", "[1 b #2] done"], "{followed:?}");
    let waited = waiting.end().ok();
    assert!(waited.stderr.contains("job fam with its retries completed: 2 of 2 indexes"), "{waited:?}");

    cluster.run(&["run", "two", "--items", "a,b", "-q", "--", "sh", "-c", "exit 1"]);
    cluster.run(&["retry", "two", "-d", "-q", "--", "sh", "-c", "sleep 60"]).ok();
    let waiting = cluster.start(&["wait", "two"]);
    cluster.eventually("running pods", || cluster.field("job/two-r1", "{.status.ready}") == "2");
    sleep(Duration::from_secs(1));
    cluster.kubectl(&["delete", "job", "two-r1", "--wait=false"]).ok();
    let waited = waiting.end();
    assert_eq!(waited.code, 1, "{waited:?}");
    assert!(
        waited.stderr.contains("warning: job two-r1 was deleted before it ended, and no longer counts"),
        "{waited:?}"
    );
    assert!(
        waited
            .stderr
            .contains("error: job two with its retries failed (FailedIndexes): 0 of 2 indexes completed, 2 failed"),
        "{waited:?}"
    );
}

#[test]
fn sigterm_and_sighup_act_as_ctrl_c() {
    let cluster = Cluster::new("signals");
    let joblog = cluster.home().join("joblog");
    let folder = cluster.home().join("results");
    for signal in ["TERM", "HUP"] {
        let name = format!("job-{}", signal.to_lowercase());
        let run =
            cluster.start(&["run", &name, "--items", "a,b", "--", "sh", "-c", "test {} = b && sleep 600; echo {}"]);
        cluster.eventually("one index", || cluster.field(&format!("job/{name}"), "{.status.completedIndexes}") == "0");
        let verbs: [&[&str]; 4] = [
            &["logs", "-f", &name],
            &["wait", &name],
            &["results", "-f", &name, "--joblog", joblog.to_str().unwrap(), "--to", folder.to_str().unwrap()],
            &["indexes", "-w", &name],
        ];
        let others: Vec<_> = verbs.iter().map(|verb| cluster.start(verb)).collect();
        cluster.eventually("the result of index 0", || folder.join("0.out").exists());
        cluster.eventually("all that follow", || others.iter().all(Running::catches_sigterm));
        run.signal(signal);
        for other in &others {
            other.signal(signal);
        }
        let outcome = run.end();
        assert_eq!(outcome.code, 130, "{outcome:?}");
        assert!(outcome.stderr.contains(&format!("detached: job {name} goes on\n")), "{outcome:?}");
        for other in others {
            let outcome = other.end();
            assert_eq!(outcome.code, 130, "{outcome:?}");
        }
        assert_eq!(std::fs::read_to_string(&joblog).unwrap().lines().count(), 2, "a head and index 0");
        assert_eq!(std::fs::read_to_string(folder.join("0.out")).unwrap(), "a\n");
        assert!(folder.join("results.jsonl").exists(), "the list is written");
        std::fs::remove_dir_all(&folder).unwrap();
        std::fs::remove_file(&joblog).unwrap();
        assert_eq!(cluster.field(&format!("job/{name}"), "{.status.active}"), "1", "it goes on");
        cluster.run(&["delete", &name, "--no-wait"]).ok();
    }
}

#[test]
fn a_closed_pipe_makes_run_report_that_the_job_continues() {
    let cluster = Cluster::new("pipe");
    let script = "kubectl indexed run pipe --items a,b -- sh -c 'for i in 1 2 3 4; do echo x; sleep 1; done' | head -1";
    let outcome = cluster.shell(script);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.stderr.contains("error: job pipe goes on, but can't be followed: "), "{outcome:?}");
    assert!(outcome.stderr.contains("kubectl indexed logs -f pipe"), "{outcome:?}");
    let outcome = cluster.shell("kubectl indexed run full --items a -- echo x > /dev/full");
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.stderr.contains("error: job full goes on, but can't be followed: "), "{outcome:?}");
    assert!(outcome.stderr.contains("can't write to stdout: "), "{outcome:?}");
    // `logs` only reads: a closed pipe is not an error.
    cluster.wait_for("pipe");
    let outcome = cluster.shell("kubectl indexed logs pipe | head -1").ok();
    assert_eq!(outcome.stdout, "[0 a] x\n");
}
