//! Responses to requests for logs that are not logs, or not complete: never printed as the output of a container.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::log_streams::{logs_through, pod_of_log};
use super::{Fault, contains, find, proxy};
use crate::support::{Cluster, Outcome};

/// Answers the first `most` log requests of each Pod in place of the server. The program believes a second response that says
/// that a log is empty.
struct Answers {
    answer: Vec<u8>,
    /// The text that the request must contain.
    to: &'static str,
    most: usize,
    given: Mutex<HashMap<String, usize>>,
}

impl Answers {
    fn new(head: &str, body: &str, to: &'static str, most: usize) -> Arc<Self> {
        let answer = format!("HTTP/1.1 {head}\r\n\r\n{body}").into_bytes();
        Arc::new(Self { answer, to, most, given: Mutex::default() })
    }

    fn answer_count(&self) -> usize {
        self.given.lock().unwrap().values().sum()
    }
}

impl Fault for Answers {
    fn answer(&self, request: &[u8], bytes: &mut Vec<u8>) -> bool {
        let Some(pod) = pod_of_log(request).filter(|_| contains(request, self.to)) else { return true };
        let mut given = self.given.lock().unwrap();
        let given = given.entry(pod).or_default();
        if *given == self.most {
            return true;
        }
        *given += 1;
        bytes.clone_from(&self.answer);
        // The real response may come in pieces; only the first is replaced.
        false
    }
}

const PAGE: &str = "<html><body>Please log in</body></html>";
const SERVER_ERROR: &str = "500 Internal Server Error\r\nContent-Type: application/json\r\nContent-Length: 2";

/// Heads and bodies of responses that are not logs.
const LIES: [(&str, &str, &str); 5] = [
    ("302 Found\r\nLocation: https://login.example/\r\nContent-Length: 0", "", "login"),
    ("200 OK\r\nContent-Type: text/html\r\nContent-Length: 39", PAGE, "page"),
    ("200 OK\r\nContent-Length: 0", "", "nothing"),
    ("200 OK\r\nContent-Type: text/plain\r\nContent-Length: 0", "", "plain nothing"),
    (SERVER_ERROR, "{}", "error"),
];

fn results_through(url: &str, folder: &Path, cluster: &Cluster) -> Outcome {
    cluster.run(&["results", "x", "--to", folder.to_str().unwrap(), "-s", url, "-n", cluster.namespace()])
}

#[test]
fn a_response_that_is_not_a_log_is_an_error_and_not_stored() {
    let cluster = Cluster::new("lies");
    let (_running, port) = cluster.start_api_proxy();
    cluster.run(&["run", "x", "--completions", "2", "-q", "--", "echo", "hello"]).ok();
    let folder = cluster.home().join("out");
    for (head, body, name) in LIES {
        let fault = Answers::new(head, body, "/log?", usize::MAX);
        let url = proxy(port, Arc::clone(&fault));
        let printed = logs_through(&url, &[], &cluster);
        assert_eq!((printed.code, printed.stdout.as_str()), (1, ""), "{name}: {printed:?}");
        let gathered = results_through(&url, &folder, &cluster);
        assert!(gathered.code == 1 && gathered.stderr.contains("no output of indexes 0,1: "), "{name}: {gathered:?}");
        assert_eq!(std::fs::read_to_string(folder.join("results.jsonl")).unwrap(), "", "{name}");
        assert!(fault.answer_count() >= 4, "{name}");
    }
    let url = format!("http://127.0.0.1:{port}");
    let after = results_through(&url, &folder, &cluster).ok();
    assert_eq!(after.stderr, format!("2 results in {}\n", folder.display()));
    assert_eq!(std::fs::read_to_string(folder.join("1.out")).unwrap(), "hello\n");
}

#[test]
fn one_response_that_is_not_a_log_loses_no_line() {
    let cluster = Cluster::new("lie");
    let (_running, port) = cluster.start_api_proxy();
    cluster.run(&["run", "x", "--completions", "2", "-q", "--", "echo", "hello"]).ok();
    let cut = ("200 OK\r\nContent-Type: text/plain\r\nConnection: close", "hel", "an end that nobody announced");
    for (head, body, name) in LIES.into_iter().chain([cut]) {
        for args in [&[][..], &["-f"], &["-o", "jsonl"]] {
            // The first line of `-f` has a time, and this response has none.
            if body == "hel" && !args.is_empty() {
                continue;
            }
            let fault = Answers::new(head, body, "/log?", 1);
            let url = proxy(port, Arc::clone(&fault));
            let outcome = logs_through(&url, args, &cluster).ok();
            assert_eq!(outcome.stdout.matches("hello").count(), 2, "{name} {args:?}: {outcome:?}");
            assert_eq!(
                (outcome.stdout.lines().count(), outcome.stderr.as_str()),
                (2, ""),
                "{name} {args:?}: {outcome:?}"
            );
            assert_eq!(fault.answer_count(), 2, "{name} {args:?}");
        }
    }
}

/// Answers as a busy node that writes a log after it reports the end of the container.
#[derive(Default)]
struct ComesLate {
    first_read: Mutex<Option<Instant>>,
    answered: AtomicUsize,
}

impl Fault for ComesLate {
    fn answer(&self, request: &[u8], bytes: &mut Vec<u8>) -> bool {
        if pod_of_log(request).is_none() || contains(request, "tailLines=-1") {
            return true;
        }
        if !contains(request, "follow=true") {
            let first = *self.first_read.lock().unwrap().get_or_insert_with(Instant::now);
            if first.elapsed() > Duration::from_millis(200) {
                return true;
            }
            self.answered.fetch_add(1, Ordering::SeqCst);
        }
        *bytes = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n".to_vec();
        false
    }
}

#[test]
fn a_log_that_the_node_writes_late_is_complete() {
    let cluster = Cluster::new("log-late");
    let (_running, port) = cluster.start_api_proxy();
    let fault = Arc::new(ComesLate::default());
    let url = proxy(port, Arc::clone(&fault));
    let args = ["run", "x", "--completions", "1", "-q", "-s", &url, "-n", cluster.namespace(), "--", "echo", "hello"];
    let outcome = cluster.run(&args).ok();
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("hello\n", ""));
    assert!(fault.answered.load(Ordering::SeqCst) >= 1);
}

#[test]
fn a_followed_log_that_fails_is_requested_again() {
    let cluster = Cluster::new("log-500");
    let (_running, port) = cluster.start_api_proxy();
    // Fails twice before the first line, each time until the container has ended, and after its end, too.
    let faults = [("follow=true", 2), ("follow=true", usize::MAX), ("/log?", 5)];
    let faults = faults.map(|(to, most)| Answers::new(SERVER_ERROR, "{}", to, most));
    let run = |number: usize| {
        let url = proxy(port, Arc::clone(&faults[number]));
        let name = format!("x{number}");
        let args = ["run", &name, "--completions", "1", "-q", "-s", &url, "-n", cluster.namespace()];
        cluster.start(&[&args[..], &["--", "sh", "-c", "sleep 1; echo hello"]].concat())
    };
    let running = [0, 1, 2].map(run);
    for (running, fault) in running.into_iter().zip(&faults) {
        let outcome = running.end().ok();
        assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("hello\n", ""), "{outcome:?}");
        assert!(fault.answer_count() >= 2, "it fired {} times", fault.answer_count());
    }
}

#[test]
fn a_workers_output_that_looks_like_a_message_of_the_node_is_printed() {
    let cluster = Cluster::new("node-words");
    let words = [
        "failed to watch directory \"/data\": no space left on device",
        "failed to open log file \"y\"",
        "failed to read log file \"x.log\": broken",
        "unable to retrieve container logs for containerd://0123",
        "failed to create fsnotify watcher: too many open files",
    ];
    let list = cluster.write("words", (words.join("\n") + "\n").as_bytes());
    let script = r#"echo before; printf %s "$(cat /input/data.txt)""#;
    let args = ["run", "x", "-a", list.to_str().unwrap(), "-q", "--prefix", "index", "--", "sh", "-c", script];
    cluster.run(&args).ok();
    let results = cluster.run(&["results", "x", "-o", "jsonl"]).ok();
    let outputs: Vec<serde_json::Value> =
        results.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected = words.map(|word| format!("before\n{word}"));
    assert_eq!(outputs.iter().map(|line| line["output"].as_str().unwrap()).collect::<Vec<_>>(), expected);
    for args in [&[][..], &["--timestamps"], &["-f", "-k"], &["--tail", "1"]] {
        let logs = cluster.run(&[&["logs", "x", "--prefix=none"], args].concat()).ok();
        assert!(words.iter().all(|word| logs.stdout.contains(&format!("{word}\n"))), "{args:?}: {logs:?}");
    }
}

#[test]
fn an_empty_log_is_not_an_error() {
    let cluster = Cluster::new("no-words");
    let outcome = cluster.run(&["run", "x", "--completions", "2", "--", "true"]).ok();
    assert!(!outcome.stderr.contains("warning"), "{outcome:?}");
    let folder = cluster.home().join("out");
    cluster.run(&["results", "x", "--to", folder.to_str().unwrap()]).ok();
    assert_eq!(std::fs::read(folder.join("1.out")).unwrap(), b"");
    let logs = cluster.run(&["logs", "x"]).ok();
    assert_eq!((logs.stdout.as_str(), logs.stderr.as_str()), ("", ""));
}

/// Passes the first line of a followed log, and drops the rest of the first connection.
#[derive(Default)]
struct FallsSilent {
    silent: Mutex<Option<Vec<u8>>>,
    swallowed: AtomicUsize,
}

impl Fault for FallsSilent {
    fn answer(&self, request: &[u8], bytes: &mut Vec<u8>) -> bool {
        if !contains(request, "follow=true") {
            return true;
        }
        let mut silent = self.silent.lock().unwrap();
        match &*silent {
            None if contains(bytes, "one") => *silent = Some(request.to_vec()),
            Some(first) if first == request && find(bytes, "HTTP/1.1 ").is_none() => {
                self.swallowed.fetch_add(bytes.len(), Ordering::SeqCst);
                bytes.clear();
            }
            _ => {}
        }
        true
    }
}

#[test]
fn a_followed_log_that_falls_silent_is_requested_again() {
    let cluster = Cluster::new("log-silent");
    let (_running, port) = cluster.start_api_proxy();
    let script = "echo one; sleep 2; echo two; sleep 600";
    cluster.run(&["run", "x", "--completions", "1", "-d", "-q", "--", "sh", "-c", script]).ok();
    cluster.eventually("the first line", || cluster.run(&["logs", "x"]).stdout == "one\n");
    let fault = Arc::new(FallsSilent::default());
    let url = proxy(port, Arc::clone(&fault));
    let command = format!("exec kubectl indexed logs x -f -s {url} -n {} >$HOME/followed", cluster.namespace());
    let _running = cluster.start_shell(&command);
    let followed = || std::fs::read_to_string(cluster.home().join("followed")).unwrap_or_default();
    cluster.eventually("the line that was swallowed", || followed() == "one\ntwo\n");
    assert!(fault.swallowed.load(Ordering::SeqCst) > 0);
}
