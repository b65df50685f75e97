//! Verbs that wait in vain: for a server that never answers, or for something that is not a Job.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use insta::assert_snapshot;

use crate::support::{PROGRAM, Sandbox};

/// Returns a server that accepts connections and never answers, and its URL.
fn silent_server() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

#[test]
fn a_timeout_counts_from_the_start() {
    let (_listener, url) = silent_server();
    let start = Instant::now();
    assert_snapshot!(Sandbox::new().run(&["wait", "x", "--timeout", "1s", "-s", &url]), @"
    ── stdout
    ── stderr
    error: timed out after 1s waiting for the server
    ── exit code 3
    ");
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[test]
fn something_that_is_not_a_job_is_refused_without_a_cluster() {
    let sandbox = Sandbox::new();
    for verb in ["describe", "logs", "wait", "suspend", "resume", "delete"] {
        let outcome = sandbox.run(&[verb, "job/"]);
        assert_eq!(outcome.code, 2, "{outcome}");
        assert!(outcome.stderr.starts_with("error: \"job/\" names no job\n"), "{outcome}");
        let outcome = sandbox.run(&[verb, "pod/x"]);
        assert_eq!(outcome.code, 2, "{outcome}");
        assert!(outcome.stderr.starts_with("error: \"pod/x\" is not a job: it names a \"pod\"\n"), "{outcome}");
    }
    assert_snapshot!(sandbox.run(&["wait", "x", ""]), @r#"
    ── stdout
    ── stderr
    error: "" names no job
    hint: write NAME, job/NAME or jobs.batch/NAME
    ── exit code 2
    "#);
}

#[test]
fn an_invalid_goal_is_refused() {
    assert_snapshot!(Sandbox::new().run(&["wait", "x", "--for", "success"]), @r#"
    ── stdout
    ── stderr
    error: --for "success": write complete, failed or indexes=0-9
    hint: --for <CONDITION>: Wait for complete, failed, or indexes=0-9 [default: complete or failed]
    ── exit code 2
    "#);
    assert_snapshot!(Sandbox::new().run(&["wait", "x", "--for", "indexes=3-1"]), @r#"
    ── stdout
    ── stderr
    error: --for "indexes=3-1": 3-1 runs backwards; write 1-3
    hint: --for <CONDITION>: Wait for complete, failed, or indexes=0-9 [default: complete or failed]
    ── exit code 2
    "#);
}

#[test]
fn a_screen_needs_a_terminal() {
    assert_snapshot!(Sandbox::new().run(&["watch", "x", "--context", "a b", "-n", "demo"]), @"
    ── stdout
    ── stderr
    error: watch needs a terminal, and stdout is none
    hint: kubectl indexed wait x --context 'a b' -n demo prints progress line by line
    hint: kubectl indexed indexes -w x --context 'a b' -n demo prints each change of an index
    ── exit code 2
    ");
}

/// A hint reaches the same cluster as the same user.
#[test]
fn hints_repeat_the_cluster_options() {
    let flags = ["-s", "http://one", "--cluster", "two", "--user", "three", "--as", "four", "--as-group", "five"];
    let more = ["--as-uid", "6", "--token", "secret", "--insecure-skip-tls-verify", "--tls-server-name", "eight"];
    assert_snapshot!(Sandbox::new().run(&[&["watch"], &flags[..], &more].concat()), @"
    ── stdout
    ── stderr
    error: watch needs a terminal, and stdout is none
    hint: kubectl indexed wait --cluster two --user three -s http://one --as four --as-uid 6 --tls-server-name eight --as-group five --insecure-skip-tls-verify prints progress line by line
    hint: kubectl indexed indexes -w --cluster two --user three -s http://one --as four --as-uid 6 --tls-server-name eight --as-group five --insecure-skip-tls-verify prints each change of an index
    ── exit code 2
    ");
}

#[test]
fn an_interrupt_while_submitting_says_what_may_be_left_behind() {
    let interrupted = |url: &str| {
        let sandbox = Sandbox::new();
        let mut command = sandbox.command(PROGRAM);
        command.args(["run", "cut", "--items", "a,b", "-q", "-s", url, "--", "rev"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(500));
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap().replace(url, "URL");
        assert_eq!(output.status.code(), Some(130), "{stderr}");
        stderr
    };
    let (listener, url) = silent_server();
    assert_snapshot!(interrupted(&url), @"error: interrupted: nothing was created");
    drop(listener);
    let (listener, url) = silent_server();
    let server = std::thread::spawn(move || {
        let mut connection = listener.accept().unwrap().0;
        let read = connection.read(&mut [0; 4096]).unwrap();
        assert_ne!(read, 0);
        let version = r#"{"major": "1", "minor": "36", "gitVersion": "v1.36.0"}"#;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}", version.len());
        connection.write_all(format!("{head}\r\n\r\n{version}").as_bytes()).unwrap();
        (listener, connection)
    });
    assert_snapshot!(interrupted(&url), @"
    error: interrupted while submitting: job cut may be left suspended
    hint: kubectl indexed delete cut -s URL removes it
    ");
    drop(server.join());
}
