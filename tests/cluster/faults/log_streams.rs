//! Logs whose connections break, whose files are rotated, or that a node does not return.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Fault, Outage, contains, find, proxy};
use crate::support::{Cluster, Outcome};

/// Returns the Pod of a log request.
pub(super) fn pod_of_log(request: &[u8]) -> Option<String> {
    let line = String::from_utf8_lossy(&request[..request.len().min(512)]).into_owned();
    let (before, _) = line.split_once("/log?")?;
    Some(before.rsplit('/').next()?.to_owned())
}

/// Runs `logs x` through the proxy at this address.
pub(super) fn logs_through(url: &str, args: &[&str], cluster: &Cluster) -> Outcome {
    cluster.run(&[&["logs", "x", "-s", url, "-n", cluster.namespace()], args].concat())
}

/// Cuts each log after a number of bytes: within its head, a chunk, a line or a character.
struct CutsAnywhere {
    state: Mutex<Cuts>,
    /// Whether each cut comes later than the last one, for logs that are always read from their beginning.
    further: bool,
}

struct Cuts {
    random: fastrand::Rng,
    /// For each Pod, the bytes left to pass, and the position of the last cut.
    logs: HashMap<String, (usize, usize)>,
    cut: usize,
}

impl CutsAnywhere {
    fn new(further: bool) -> Arc<Self> {
        let state = Cuts { random: fastrand::Rng::with_seed(7), logs: HashMap::new(), cut: 0 };
        Arc::new(Self { state: Mutex::new(state), further })
    }

    fn cut(&self) -> usize {
        self.state.lock().unwrap().cut
    }
}

impl Fault for CutsAnywhere {
    fn answer(&self, request: &[u8], bytes: &mut Vec<u8>) -> bool {
        let Some(pod) = pod_of_log(request) else { return true };
        let Cuts { random, logs, cut } = &mut *self.state.lock().unwrap();
        // Long enough that the longest line needs only a few connections.
        let step = random.usize(1..12000);
        let (left, last) = logs.entry(pod).or_default();
        if bytes.starts_with(b"HTTP/1.1 ") {
            *last = if self.further { *last + step } else { step };
            *left = *last;
        }
        if bytes.len() < *left {
            *left -= bytes.len();
            return true;
        }
        bytes.truncate(*left);
        *cut += 1;
        false
    }
}

#[test]
fn finished_logs_cut_anywhere_come_once() {
    let cluster = Cluster::new("cut-finished");
    let (_running, port) = cluster.start_api_proxy();
    // One line is longer than 16 KiB, which a node stores in several pieces.
    let script = r#"for n in $(seq 400); do
        echo "line $n of index $JOB_COMPLETION_INDEX"
        case $n in 100) printf "long $n "; head -c 20000 /dev/zero | tr '\0' x; echo;; esac
    done"#;
    cluster.run(&["run", "x", "--completions", "3", "-q", "--", "sh", "-c", script]).ok();
    let direct = |args: &[&str]| cluster.run(&[&["logs", "x"], args].concat()).ok().stdout;
    let all = direct(&[]);
    assert_eq!(all.lines().count(), 3 * 401);
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    for args in [&[][..], &["--timestamps"], &["-o", "jsonl"], &["--index", "1"], &["--tail", "350"], &["--merge"]] {
        let fault = CutsAnywhere::new(true);
        let through = logs_through(&proxy(port, Arc::clone(&fault)), args, &cluster).ok().stdout;
        assert!(through == direct(args), "{args:?}: lines are missing, doubled or torn");
        assert!(fault.cut() >= 2, "{args:?}: cut only {} times", fault.cut());
    }
    let fault = CutsAnywhere::new(true);
    let followed = logs_through(&proxy(port, Arc::clone(&fault)), &["-f"], &cluster).ok().stdout;
    assert!(sorted(&followed) == sorted(&all), "lines are missing, doubled or torn");
    assert!(fault.cut() >= 6, "cut only {} times", fault.cut());
}

/// Cuts the first responses with the log of each Pod, after the head and before the end of the first line.
#[derive(Default)]
struct CutsBeforeTheFirstLine(Mutex<HashMap<String, u32>>);

impl Fault for CutsBeforeTheFirstLine {
    fn answer(&self, request: &[u8], bytes: &mut Vec<u8>) -> bool {
        let Some(pod) = pod_of_log(request) else { return true };
        let Some(head) = find(bytes, "\r\n\r\n") else { return true };
        let mut answers = self.0.lock().unwrap();
        let answers = answers.entry(pod).or_default();
        *answers += 1;
        if *answers > 3 {
            return true;
        }
        bytes.truncate(head + 4);
        false
    }
}

#[test]
fn a_log_that_breaks_before_its_first_line_is_requested_again() {
    let cluster = Cluster::new("cut-first");
    let (_running, port) = cluster.start_api_proxy();
    cluster.run(&["run", "x", "--completions", "3", "-q", "--", "echo", "all"]).ok();
    for args in [&[][..], &["--timestamps"], &["-f"], &["--index", "1"]] {
        let url = proxy(port, Arc::new(CutsBeforeTheFirstLine::default()));
        let through = logs_through(&url, args, &cluster).ok();
        let count = if args.contains(&"--index") { 1 } else { 3 };
        assert_eq!(through.stdout.lines().filter(|line| line.ends_with("all")).count(), count, "{args:?}: {through:?}");
        assert_eq!(through.stderr, "", "{args:?}");
    }
}

#[test]
fn followed_logs_cut_anywhere_come_once() {
    let cluster = Cluster::new("cut-followed");
    let (_running, port) = cluster.start_api_proxy();
    let script = "for n in $(seq 200); do echo line $n; echo error $n >&2; sleep 0.05; done";
    cluster.run(&["run", "x", "--completions", "3", "-d", "-q", "--", "sh", "-c", script]).ok();
    let (fault, ordered_fault) = (CutsAnywhere::new(false), CutsAnywhere::new(false));
    let urls = [proxy(port, Arc::clone(&fault)), proxy(port, Arc::clone(&ordered_fault))];
    let ordered = cluster.start(&["logs", "x", "-f", "-k", "-o", "jsonl", "-s", &urls[1], "-n", cluster.namespace()]);
    let followed = logs_through(&urls[0], &["-f"], &cluster).ok();
    let mut expected: Vec<_> = (0..3)
        .flat_map(|i| (1..=200).flat_map(move |n| [format!("[{i}] line {n}"), format!("[{i}] error {n}")]))
        .collect();
    expected.sort();
    assert!(followed.sorted_lines() == expected, "lines are missing, doubled or torn: {}", followed.stdout);
    let ordered = ordered.end().ok().stdout;
    let printed: Vec<serde_json::Value> = ordered.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut printed: Vec<_> =
        printed.iter().map(|object| format!("[{}] {}", object["index"], object["line"].as_str().unwrap())).collect();
    printed.sort();
    assert!(printed == expected, "lines are missing, doubled or torn: {ordered}");
    assert!(fault.cut() >= 5 && ordered_fault.cut() >= 5, "{} and {} cuts", fault.cut(), ordered_fault.cut());
}

#[test]
fn a_log_that_is_rotated_while_it_is_followed() {
    let cluster = Cluster::new("rotated");
    let (_running, port) = cluster.start_api_proxy();
    let outage = Arc::new(Outage::default());
    let url = proxy(port, Arc::clone(&outage));
    // Every ten seconds, a node rotates logs of more than 10 MiB. Lines that are written at this moment may be lost for all
    // readers, so the worker writes in short bursts.
    let script = r#"fill=$(head -c 9990 /dev/zero | tr '\0' x); n=0
        while [ $n -lt 2800 ]; do n=$((n + 1)); echo "$n $fill"; [ $((n % 100)) != 0 ] || sleep 1; done"#;
    cluster.run(&["run", "x", "--completions", "1", "-d", "-q", "--", "sh", "-c", script]).ok();
    // Output goes into files: a reader that waits for a pipe loses lines that are rotated meanwhile.
    let following = |name: &str, flags: &str| {
        cluster.start_shell(&format!("kubectl indexed logs x -f {flags} | cut -d' ' -f1 >$HOME/{name}"))
    };
    let followed = following("followed", "");
    let broken = following("broken", &format!("-s {url} -n {}", cluster.namespace()));
    let first = || cluster.shell("kubectl indexed logs x | head -n 1 | cut -d' ' -f1").stdout;
    cluster.eventually("the first line", || first() == "1\n");
    std::thread::sleep(Duration::from_secs(2));
    outage.begin();
    cluster.eventually("the rotation of the log", || !["1\n", ""].contains(&first().as_str()));
    outage.end();

    let numbers = |name: &str| {
        let text = std::fs::read_to_string(cluster.home().join(name)).unwrap();
        text.lines().map(|line| line.parse().unwrap()).collect::<Vec<u32>>()
    };
    let all: Vec<u32> = (1..=2800).collect();
    followed.end().ok();
    assert!(numbers("followed") == all, "{} of 2800 lines", numbers("followed").len());
    // Lines that were rotated during the outage are lost for all readers. The program reports it, and loses and repeats no
    // other line.
    let broken = broken.end();
    let seen = numbers("broken");
    assert!(seen.is_sorted() && seen.len() == seen.iter().collect::<BTreeSet<_>>().len());
    assert_eq!(seen.last(), Some(&2800), "{}", broken.stderr);
    assert!(seen.len() == 2800 || broken.code == 1 && broken.stderr.contains("not complete"), "{}", broken.stderr);
    // A later `logs` reads it from the Job.
    let why = "index 0 is not complete: its node has deleted a part of the log\n";
    let logs = cluster.shell("kubectl indexed logs x >$HOME/late");
    assert!(logs.code == 1 && logs.stderr.contains(why), "{logs:?}");
    let results = cluster.run(&["results", "x", "-o", "jsonl"]);
    assert!(
        results.code == 1 && results.stderr.contains("no output of index 0: its node has deleted a part"),
        "{results:?}"
    );
    cluster.run(&["logs", "x", "--tail", "1", "--to", cluster.home().join("to").to_str().unwrap()]).ok();
}

/// Answers as a server whose node has no such log: with an error, or with a message of the node in place of the log.
struct HasNoLog(String);

impl HasNoLog {
    fn new(status: &str, body: &str) -> Arc<Self> {
        let length = body.len();
        let kind = if status == "200 OK" { "text/plain" } else { "application/json" };
        Arc::new(Self(format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}")))
    }
}

impl Fault for HasNoLog {
    fn answer(&self, request: &[u8], bytes: &mut Vec<u8>) -> bool {
        if !contains(request, "/log?") {
            return true;
        }
        *bytes = self.0.clone().into_bytes();
        // The real response may come in pieces; only the first is replaced.
        false
    }
}

const NO_SUCH_LOG: &str =
    r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"no such log","reason":"NotFound","code":404}"#;
const EXCUSE: &str = "unable to retrieve container logs for containerd://0123456789abcdef";
const NO_FILE: &str = "failed to try resolving symlinks in path \"/var/log/pods/x/worker/0.log\": lstat \
    /var/log/pods/x/worker/0.log: no such file or directory";

#[test]
fn the_termination_message_replaces_a_log_that_is_gone() {
    let cluster = Cluster::new("no-log");
    let (_running, port) = cluster.start_api_proxy();
    let script = "echo so far; [ $JOB_COMPLETION_INDEX = 0 ] || { echo broken; exit 3; }";
    assert_eq!(cluster.run(&["run", "x", "--completions", "2", "-q", "--", "sh", "-c", script]).code, 1);
    let answers =
        [("404 Not Found", NO_SUCH_LOG, "no such log"), ("200 OK", EXCUSE, EXCUSE), ("200 OK", NO_FILE, NO_FILE)];
    for (status, body, why) in answers {
        let url = proxy(port, HasNoLog::new(status, body));
        for args in [&[][..], &["-f"], &["--timestamps", "--prefix=none"]] {
            let outcome = logs_through(&url, args, &cluster);
            assert_eq!(outcome.code, 1, "{args:?}: {outcome:?}");
            assert!(
                outcome.stdout.lines().count() == 2 && outcome.stdout.ends_with(" broken\n"),
                "{args:?}: {outcome:?}"
            );
            assert!(
                outcome.stderr.contains("index 0: ") && outcome.stderr.contains("index 1: "),
                "{args:?}: {outcome:?}"
            );
            assert!(outcome.stderr.contains(why), "{args:?}: {outcome:?}");
            assert!(outcome.stderr.contains("; its termination message is printed instead"), "{args:?}: {outcome:?}");
        }
    }
}

/// Passes only the beginning of each log.
struct LosesTheRest {
    begun: Mutex<BTreeSet<String>>,
    gone: Arc<HasNoLog>,
}

impl Fault for LosesTheRest {
    fn answer(&self, request: &[u8], bytes: &mut Vec<u8>) -> bool {
        let Some(pod) = pod_of_log(request) else { return true };
        let mut begun = self.begun.lock().unwrap();
        if begun.contains(&pod) {
            return self.gone.answer(request, bytes);
        }
        // The head may come in a piece of its own.
        let Some(cut) = find(bytes, "line 20") else { return true };
        bytes.truncate(cut);
        begun.insert(pod);
        false
    }
}

#[test]
fn a_log_that_breaks_half_way_is_not_printed_twice() {
    let cluster = Cluster::new("half");
    let (_running, port) = cluster.start_api_proxy();
    // The termination message of a failed index has the whole log.
    let script = "for n in $(seq 30); do echo line $n; done; exit 3";
    assert_eq!(cluster.run(&["run", "x", "--completions", "2", "-q", "--", "sh", "-c", script]).code, 1);
    for args in [&[][..], &["-f"], &["-f", "-k"], &["--timestamps", "--merge"]] {
        let gone = HasNoLog::new("404 Not Found", NO_SUCH_LOG);
        let url = proxy(port, Arc::new(LosesTheRest { begun: Mutex::default(), gone }));
        let outcome = logs_through(&url, args, &cluster);
        for index in 0..2 {
            let start = format!("[{index}] ");
            let lines = outcome.stdout.lines().filter(|line| line.starts_with(&start));
            let numbers: Vec<_> = lines.filter_map(|line| line.rsplit(' ').next()).collect();
            let all: Vec<_> = (1..20).map(|n| n.to_string()).collect();
            assert_eq!(numbers, all, "{args:?}: {outcome:?}");
        }
        assert_eq!(outcome.code, 1, "{args:?}: {outcome:?}");
        assert!(outcome.stderr.contains(" is not complete: "), "{args:?}: {outcome:?}");
        assert!(!outcome.stderr.contains("termination message"), "{args:?}: {outcome:?}");
    }
}

/// Answers as a server whose node has reached its inotify limit: it returns the log so far, and a message that it can't wait
/// for more.
#[derive(Default)]
struct CannotWait(AtomicUsize);

const NO_WATCHER: &str = "failed to create fsnotify watcher: too many open files";

impl Fault for CannotWait {
    fn request(&self, bytes: &mut Vec<u8>) {
        let follow = "follow=true";
        if let Some(at) = find(bytes, follow) {
            bytes[at..at + follow.len()].copy_from_slice(b"follow=0&w=");
        }
    }

    fn answer(&self, request: &[u8], bytes: &mut Vec<u8>) -> bool {
        let end = b"0\r\n\r\n";
        if contains(request, "follow=0&w=") && bytes.ends_with(end) {
            self.0.fetch_add(1, Ordering::Relaxed);
            bytes.truncate(bytes.len() - end.len());
            bytes.extend_from_slice(format!("{:x}\r\n{NO_WATCHER}\r\n0\r\n\r\n", NO_WATCHER.len()).as_bytes());
        }
        true
    }
}

#[test]
fn a_log_of_a_node_that_can_not_wait_is_requested_again() {
    let cluster = Cluster::new("no-watcher");
    let (_running, port) = cluster.start_api_proxy();
    let script = "for n in 1 2 3 4 5 6; do echo line $n; sleep 1; done";
    cluster.run(&["run", "x", "--completions", "2", "-d", "-q", "--", "sh", "-c", script]).ok();
    let fault = Arc::new(CannotWait::default());
    let url = proxy(port, Arc::clone(&fault));
    let followed = logs_through(&url, &["-f"], &cluster).ok();
    let expected: Vec<_> = (0..2).flat_map(|i| (1..=6).map(move |n| format!("[{i}] line {n}"))).collect();
    assert_eq!((followed.sorted_lines(), followed.stderr.as_str()), (expected, ""), "{followed:?}");
    let times = fault.0.load(Ordering::Relaxed);
    assert!(times >= 4, "it was asked {times} times");
}
