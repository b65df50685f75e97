//! Faults between the program and the server: a proxy in front of the real server causes them.

mod log_answers;
mod log_streams;
mod requests;
mod tracking;

use std::io::{Read, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::support::{Cluster, Outcome};

/// What the proxy does with the bytes of a connection.
pub(crate) trait Fault: Send + Sync + 'static {
    /// Called for a new connection; false refuses it.
    fn opened(&self, _client: &TcpStream) -> bool {
        true
    }
    /// Changes bytes on their way to the server.
    fn request(&self, _bytes: &mut Vec<u8>) {}
    /// Changes bytes on their way back; false cuts the connection after them.
    fn answer(&self, _request: &[u8], _bytes: &mut Vec<u8>) -> bool {
        true
    }
}

/// Starts a proxy in front of the API server that applies `fault` to all traffic, and returns its URL. It ends with the test.
pub(crate) fn proxy(upstream: u16, fault: Arc<impl Fault>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for client in listener.incoming().flatten().filter(|client| fault.opened(client)) {
            let fault = Arc::clone(&fault);
            thread::spawn(move || serve(client, upstream, &*fault));
        }
    });
    url
}

fn serve(mut client: TcpStream, upstream: u16, fault: &impl Fault) {
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", upstream)) else { return };
    let (mut back, mut towards) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    thread::scope(|scope| {
        let request = Arc::clone(&seen);
        scope.spawn(move || {
            pump(&mut client, &mut towards, |bytes| {
                fault.request(bytes);
                request.lock().unwrap().clone_from(bytes);
                true
            });
        });
        pump(&mut server, &mut back, |bytes| fault.answer(&seen.lock().unwrap(), bytes));
    });
}

fn pump(from: &mut TcpStream, to: &mut TcpStream, mut change: impl FnMut(&mut Vec<u8>) -> bool) {
    let mut buffer = vec![0; 256 * 1024];
    while let Ok(n) = from.read(&mut buffer) {
        let mut bytes = buffer[..n].to_vec();
        if n == 0 {
            break;
        }
        let goes_on = change(&mut bytes);
        if to.write_all(&bytes).is_err() || !goes_on {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

pub(crate) fn find(bytes: &[u8], text: &str) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text.as_bytes())
}

pub(crate) fn contains(bytes: &[u8], text: &str) -> bool {
    find(bytes, text).is_some()
}

/// Removes fields from every request, as a server that is too old to know them.
struct TooOld(&'static [&'static str]);

impl Fault for TooOld {
    fn request(&self, bytes: &mut Vec<u8>) {
        for field in self.0 {
            while let Some(at) = find(bytes, field) {
                // Blanks keep the length, and are allowed anywhere in JSON.
                bytes[at..at + field.len()].fill(b' ');
            }
        }
    }
}

#[test]
fn fields_that_an_old_server_drops_are_reported_and_replaced() {
    let cluster = Cluster::new("old");
    let (_running, port) = cluster.start_api_proxy();
    let url = proxy(port, Arc::new(TooOld(&["\"backoffLimitPerIndex\":2,"])));
    let args = ["run", "old", "--items", "a,b", "--retries", "2", "--detach", "-s", &url, "-n", cluster.namespace()];
    let outcome = cluster.run(&[&args[..], &["--", "rev"]].concat()).ok();
    assert!(
        outcome.stderr.starts_with(
            "warning: this server has no retries per index (that needs Kubernetes 1.29): up to 6 failures \
             across all indexes are retried instead\n"
        ),
        "{outcome:?}"
    );
    assert_eq!(cluster.field("job/old", "{.spec.backoffLimit}"), "6");
    cluster.run(&["wait", "old"]).ok();
}

/// The rule that fails an index with exit code 3, with a comma before it.
const FAIL_INDEX: &str =
    r#",{"action":"FailIndex","onExitCodes":{"containerName":"worker","operator":"In","values":[3]}}"#;

#[test]
fn policies_that_an_old_server_drops_are_refused_or_replaced() {
    let cluster = Cluster::new("old-policies");
    let (_running, port) = cluster.start_api_proxy();
    let run = |dropped: &'static [&'static str], flags: &[&str]| {
        let url = proxy(port, Arc::new(TooOld(dropped)));
        let start = ["run", "old", "--completions", "3", "--detach", "-s", &url, "-n", cluster.namespace()];
        cluster.run(&[&start[..], flags, &["--", "true"]].concat())
    };
    let refused = |outcome: Outcome, expected: &str| {
        assert_eq!((outcome.code, outcome.stderr.as_str()), (1, expected), "{outcome:?}");
        assert_eq!(cluster.kubectl(&["get", "jobs", "-o", "name"]).ok().stdout, "", "no object is left");
    };
    refused(
        run(&["\"successPolicy\":{\"rules\":[{\"succeededCount\":1}]},"], &["--success-count", "1"]),
        "error: this server knows no success policy: --success-count needs Kubernetes 1.31 or newer\n\
         hint: leave --success-count out\n",
    );
    refused(
        run(&[FAIL_INDEX], &["--fail-on-exit", "3", "--retries", "1"]),
        "error: this server can't fail an index by its exit code: --fail-on-exit needs Kubernetes 1.29 or newer\n\
         hint: leave --fail-on-exit out\n",
    );
    let outcome =
        run(&["\"backoffLimitPerIndex\":1,", "\"maxFailedIndexes\":0,"], &["--fail-fast", "--retries", "1"]).ok();
    let warning = "warning: this server can't count failures per index (that needs Kubernetes 1.29): the job fails at \
                failure 2, counted across all indexes\n";
    assert!(outcome.stderr.starts_with(warning), "{outcome:?}");
    assert_eq!(outcome.stderr.matches("warning: ").count(), 1, "{outcome:?}");
    assert_eq!(cluster.field("job/old", "{.spec.backoffLimit}"), "1");
}

/// Lets the server create a Job, and loses the first response.
#[derive(Default)]
struct LosesTheAnswer(AtomicUsize);

impl Fault for LosesTheAnswer {
    fn answer(&self, request: &[u8], bytes: &mut Vec<u8>) -> bool {
        let creation = request.starts_with(b"POST /apis/batch/v1/") && !contains(request, "dryRun=All");
        let lost = creation && self.0.fetch_add(1, Ordering::SeqCst) == 0;
        if lost {
            bytes.clear();
        }
        !lost
    }
}

#[test]
fn a_creation_with_a_lost_response_is_neither_repeated_nor_lost() {
    let cluster = Cluster::new("lost");
    let (_running, port) = cluster.start_api_proxy();
    let fault = Arc::new(LosesTheAnswer::default());
    let url = proxy(port, Arc::clone(&fault));
    let args = ["run", "lost", "--items", "a,b", "-q", "-s", &url, "-n", cluster.namespace(), "--", "rev"];
    let outcome = cluster.run(&args).ok();
    assert_eq!(outcome.sorted_lines(), ["[0 a] a", "[1 b] b"]);
    assert_eq!(fault.0.load(Ordering::SeqCst), 1, "the creation was sent once");
    assert_eq!(cluster.kubectl(&["get", "jobs", "-o", "name"]).ok().stdout, "job.batch/lost\n");
}

/// Refuses to store ConfigMaps; dry runs pass.
struct NoConfigMaps;

impl Fault for NoConfigMaps {
    fn answer(&self, request: &[u8], bytes: &mut Vec<u8>) -> bool {
        if request.starts_with(b"POST ") && contains(request, "/configmaps?") && !contains(request, "dryRun=All") {
            let body = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"quota used up","reason":"Forbidden","code":403}"#;
            *bytes = format!(
                "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
            .into_bytes();
        }
        true
    }
}

#[test]
fn a_job_whose_items_can_not_be_stored_is_deleted() {
    let cluster = Cluster::new("undone");
    let (_running, port) = cluster.start_api_proxy();
    let url = proxy(port, Arc::new(NoConfigMaps));
    let args = ["run", "undone", "--items", "a,b", "-s", &url, "-n", cluster.namespace(), "--", "rev"];
    let outcome = cluster.run(&args);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.stderr.starts_with("error: can't submit job \"undone\", which was deleted again: "), "{outcome:?}");
    assert!(outcome.stderr.contains("quota used up"), "{outcome:?}");
    cluster.eventually("nothing", || {
        cluster.kubectl(&["get", "jobs,pods,configmaps", "-o", "name"]).stdout == "configmap/kube-root-ca.crt\n"
    });
}

#[test]
fn cut_streams_lose_and_double_nothing() {
    let cluster = Cluster::new("cut");
    let (_running, port) = cluster.start_api_proxy();
    let fault = Arc::new(CutsStreams::default());
    let url = proxy(port, Arc::clone(&fault));
    let script = "i=0; while [ $i -lt 60 ]; do echo line $i; i=$((i+1)); sleep 0.05; done";
    let args =
        ["run", "cut", "--completions", "3", "-q", "-s", &url, "-n", cluster.namespace(), "--", "sh", "-c", script];
    let outcome = cluster.run(&args).ok();
    let mut expected: Vec<_> = (0..3).flat_map(|i| (0..60).map(move |n| format!("[{i}] line {n}"))).collect();
    expected.sort();
    assert_eq!(outcome.sorted_lines(), expected);
    assert!(fault.0.load(Ordering::SeqCst) >= 5, "connections were cut");
}

/// Cuts the connection of a watch or a log at every ninth piece.
#[derive(Default)]
struct CutsStreams(AtomicUsize, AtomicUsize);

impl Fault for CutsStreams {
    fn answer(&self, request: &[u8], bytes: &mut Vec<u8>) -> bool {
        let streams = contains(request, "watch=true") || contains(request, "follow=true");
        let cut = streams && self.1.fetch_add(1, Ordering::SeqCst) % 9 == 8;
        if cut {
            bytes.clear();
            self.0.fetch_add(1, Ordering::SeqCst);
        }
        !cut
    }
}

/// Records the path of every request.
#[derive(Default)]
struct Counts(Mutex<Vec<String>>);

impl Counts {
    /// Returns the paths that contain this text.
    fn paths_with(&self, part: &str) -> Vec<String> {
        self.0.lock().unwrap().iter().filter(|path| path.contains(part)).cloned().collect()
    }
}

impl Fault for Counts {
    fn request(&self, bytes: &mut Vec<u8>) {
        let head = String::from_utf8_lossy(bytes);
        let line = head.lines().next().unwrap_or_default();
        if line.ends_with(" HTTP/1.1") {
            self.0.lock().unwrap().push(line.to_owned());
        }
    }
}

#[test]
fn wait_requests_no_single_pod() {
    let cluster = Cluster::new("counted");
    let (_running, port) = cluster.start_api_proxy();
    let script = "sleep 2; test $JOB_COMPLETION_INDEX != 3";
    let args = ["run", "counted", "--completions", "12", "--retries", "1", "--detach", "-q", "--", "sh", "-c", script];
    cluster.run(&args).ok();
    let counts = Arc::new(Counts::default());
    let url = proxy(port, Arc::clone(&counts));
    let outcome = cluster.run(&["wait", "counted", "-s", &url, "-n", cluster.namespace()]);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    let all = counts.paths_with("");
    assert_eq!(counts.paths_with("/jobs?&watch=true").len(), 1, "{all:#?}");
    assert_eq!(counts.paths_with("/pods?&watch=true").len(), 1, "{all:#?}");
    assert_eq!(counts.paths_with("/pods/"), [""; 0], "{all:#?}");
    // Besides the Job and its retries: the lists before the watches, and why the one index failed.
    assert!(all.len() <= 7, "{all:#?}");
}

#[test]
fn following_requests_each_log_once() {
    let cluster = Cluster::new("counted-run");
    let (_running, port) = cluster.start_api_proxy();
    let counts = Arc::new(Counts::default());
    let url = proxy(port, Arc::clone(&counts));
    let args = ["run", "counted", "--completions", "12", "-q", "-s", &url, "-n", cluster.namespace()];
    cluster.run(&[&args[..], &["--", "sh", "-c", "echo hello; sleep 1"]].concat()).ok();
    let all = counts.paths_with("");
    assert_eq!(counts.paths_with("watch=true").len(), 2, "{all:#?}");
    assert_eq!(counts.paths_with("/pods/").len(), counts.paths_with("/log?").len(), "{all:#?}");
    // One more request after the stream was closed, and one after the end of the container.
    assert!((12..=36).contains(&counts.paths_with("/log?").len()), "{all:#?}");
}

/// A proxy that refuses and cuts connections during an outage.
#[derive(Default)]
struct Outage {
    down: AtomicBool,
    clients: Mutex<Vec<TcpStream>>,
}

impl Outage {
    fn begin(&self) {
        self.down.store(true, Ordering::SeqCst);
        for client in self.clients.lock().unwrap().drain(..) {
            let _ = client.shutdown(Shutdown::Both);
        }
    }

    fn end(&self) {
        self.down.store(false, Ordering::SeqCst);
    }
}

impl Fault for Outage {
    fn opened(&self, client: &TcpStream) -> bool {
        let up = !self.down.load(Ordering::SeqCst);
        if up {
            self.clients.lock().unwrap().push(client.try_clone().unwrap());
        }
        up
    }
}

#[test]
fn an_outage_is_reported_once_at_its_start_and_end() {
    let cluster = Cluster::new("outage");
    let (_running, port) = cluster.start_api_proxy();
    let outage = Arc::new(Outage::default());
    let url = proxy(port, Arc::clone(&outage));
    let script = "i=0; while [ $i -lt 22 ]; do echo line $i; i=$((i+1)); sleep 1; done";
    let args = ["run", "outage", "--completions", "3", "-s", &url, "-n", cluster.namespace()];
    let running = cluster.start(&[&args[..], &["--", "sh", "-c", script]].concat());
    cluster.eventually("running pods", || cluster.field("job/outage", "{.status.ready}") == "3");
    for _ in 0..2 {
        outage.begin();
        thread::sleep(Duration::from_millis(3500));
        outage.end();
        thread::sleep(Duration::from_secs(5));
    }
    let outcome = running.end();
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let mut expected: Vec<_> = (0..3).flat_map(|i| (0..22).map(move |n| format!("[{i}] line {n}"))).collect();
    expected.sort();
    assert_eq!(outcome.sorted_lines(), expected);
    assert_eq!(outcome.stderr.matches("warning: reconnecting to the server: ").count(), 2, "{outcome:?}");
    assert_eq!(outcome.stderr.matches("\nconnected again after ").count(), 2, "{outcome:?}");
}

#[test]
fn quick_indexes_lose_no_line_in_five_outages() {
    let cluster = Cluster::new("outages");
    let (_running, port) = cluster.start_api_proxy();
    let outage = Arc::new(Outage::default());
    let url = proxy(port, Arc::clone(&outage));
    let script = "echo one; sleep 1; echo two; case $JOB_COMPLETION_INDEX in 5|17) echo broken; exit 3; esac";
    let args = ["run", "outages", "--completions", "30", "-j", "5", "-s", &url, "-n", cluster.namespace()];
    let running = cluster.start(&[&args[..], &["--", "sh", "-c", script]].concat());
    cluster.eventually("running pods", || cluster.field("job/outages", "{.status.active}") == "5");
    for _ in 0..5 {
        outage.begin();
        thread::sleep(Duration::from_millis(2500));
        outage.end();
        thread::sleep(Duration::from_millis(1500));
    }
    let outcome = running.end();
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.stderr.contains(": 28 of 30 indexes completed, 2 failed in "), "{outcome:?}");
    assert!(outcome.stderr.contains("\n2 × exit code 3: \"broken\" (indexes 5,17)\n"), "{outcome:?}");
    let mut expected: Vec<_> = (0..30).flat_map(|i| [format!("[{i}] one"), format!("[{i}] two")]).collect();
    expected.extend([5, 17].map(|i| format!("[{i}] broken")));
    expected.sort();
    assert_eq!(outcome.sorted_lines(), expected);
}

#[test]
fn the_end_of_a_job_during_an_outage_is_noticed() {
    let cluster = Cluster::new("away");
    let (_running, port) = cluster.start_api_proxy();
    let outage = Arc::new(Outage::default());
    let url = proxy(port, Arc::clone(&outage));
    let script = "sleep 3; echo broken; exit 5";
    let args = ["run", "away", "--completions", "2", "-q", "-s", &url, "-n", cluster.namespace()];
    let following = cluster.start(&[&args[..], &["--", "sh", "-c", script]].concat());
    cluster.eventually("running pods", || cluster.field("job/away", "{.status.ready}") == "2");
    let waiting = cluster.start(&["wait", "away", "-q", "-s", &url, "-n", cluster.namespace()]);
    thread::sleep(Duration::from_secs(1));
    outage.begin();
    cluster.eventually("the end", || cluster.field("job/away", "{.status.failedIndexes}") == "0,1");
    thread::sleep(Duration::from_secs(3));
    outage.end();
    let following = following.end();
    assert_eq!(following.sorted_lines(), ["[0] broken", "[1] broken"], "{following:?}");
    for outcome in [following, waiting.end()] {
        assert_eq!(outcome.code, 1, "{outcome:?}");
        assert!(outcome.stderr.contains("2 × exit code 5: \"broken\" (indexes 0,1)\n"), "{outcome:?}");
    }
}

/// Refuses the first lists of Pods that have not succeeded, after the watches have ended, as a server that shuts down.
struct NoLastLists(AtomicUsize);

impl Fault for NoLastLists {
    fn answer(&self, request: &[u8], bytes: &mut Vec<u8>) -> bool {
        let last = contains(request, "status.phase%21%3DSucceeded") && !contains(request, "watch=true");
        let fewer = |left: usize| left.checked_sub(1);
        if last && self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer).is_ok() {
            let answer = "HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
            *bytes = answer.as_bytes().to_vec();
        }
        true
    }
}

#[test]
fn run_waits_for_a_server_that_is_away_at_the_end() {
    let cluster = Cluster::new("end");
    let (_running, port) = cluster.start_api_proxy();
    let url = proxy(port, Arc::new(NoLastLists(AtomicUsize::new(3))));
    let args = ["run", "end", "--completions", "2", "-q", "-s", &url, "-n", cluster.namespace()];
    let outcome = cluster.run(&[&args[..], &["--", "sh", "-c", "exit 5"]].concat());
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.stderr.contains("2 × exit code 5 (indexes 0,1)\n"), "{outcome:?}");
}

/// Gives another response to the first watches.
struct FirstWatches {
    answer: String,
    left: AtomicUsize,
    asked: AtomicUsize,
}

impl FirstWatches {
    fn new(status: &str, body: &str, times: usize) -> Arc<Self> {
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        Arc::new(Self { answer, left: AtomicUsize::new(times), asked: AtomicUsize::new(0) })
    }
}

impl Fault for FirstWatches {
    fn answer(&self, request: &[u8], bytes: &mut Vec<u8>) -> bool {
        if !contains(request, "watch=true") || !bytes.starts_with(b"HTTP/1.1 ") {
            return true;
        }
        self.asked.fetch_add(1, Ordering::SeqCst);
        let fewer = |left: usize| left.checked_sub(1);
        if self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer).is_ok() {
            *bytes = self.answer.clone().into_bytes();
        }
        true
    }
}

const EXPIRED: &str = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"too old resource version: 1 (2)","reason":"Expired","code":410}"#;

#[test]
fn an_expired_resource_version_leads_to_a_silent_new_list() {
    let cluster = Cluster::new("expired");
    let (_running, port) = cluster.start_api_proxy();
    let event = format!(r#"{{"type":"ERROR","object":{EXPIRED}}}"#);
    for (name, status, body) in [("event", "200 OK", event.as_str()), ("status", "410 Gone", EXPIRED)] {
        let fault = FirstWatches::new(status, body, 4);
        let url = proxy(port, Arc::clone(&fault));
        cluster.run(&["run", name, "--completions", "2", "--detach", "-q", "--", "sh", "-c", "sleep 4; exit 5"]).ok();
        let outcome = cluster.run(&["wait", name, "-q", "-s", &url, "-n", cluster.namespace()]);
        assert_eq!(outcome.code, 1, "{outcome:?}");
        assert!(outcome.stderr.starts_with("error: "), "{outcome:?}");
        assert!(fault.asked.load(Ordering::SeqCst) >= 6, "all lists were requested again");
    }
}

const FORBIDDEN: &str = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"jobs.batch is forbidden: not yet","reason":"Forbidden","code":403}"#;

#[test]
fn a_refusal_at_first_is_believed() {
    let cluster = Cluster::new("refused");
    let (_running, port) = cluster.start_api_proxy();
    cluster.run(&["run", "refused", "--completions", "1", "--detach", "-q", "--", "sleep", "60"]).ok();
    let url = proxy(port, FirstWatches::new("403 Forbidden", FORBIDDEN, usize::MAX));
    let outcome = cluster.run(&["wait", "refused", "-s", &url, "-n", cluster.namespace()]);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.stderr.contains("is forbidden: not yet"), "{outcome:?}");
}

#[test]
fn watches_that_end_at_once_are_not_asked_for_without_pause() {
    let cluster = Cluster::new("ends");
    let (_running, port) = cluster.start_api_proxy();
    cluster.run(&["run", "ends", "--completions", "1", "--detach", "-q", "--", "sleep", "60"]).ok();
    let fault = FirstWatches::new("200 OK", "", usize::MAX);
    let url = proxy(port, Arc::clone(&fault));
    let outcome = cluster.run(&["wait", "ends", "-s", &url, "-n", cluster.namespace(), "--timeout", "3s"]);
    assert_eq!(outcome.code, 3, "{outcome:?}");
    let asked = fault.asked.load(Ordering::SeqCst);
    assert!((4..=28).contains(&asked), "{asked} in three seconds, for two watches");
}
