//! What happens between us and the server: a proxy in front of the real one breaks things.

use std::io::{Read, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::support::Cluster;

/// What the proxy does to the bytes of one connection.
trait Fault: Send + Sync + 'static {
    /// Changes what is sent to the server.
    fn request(&self, _bytes: &mut Vec<u8>) {}
    /// Changes what comes back; false cuts the connection instead.
    fn answer(&self, _request: &[u8], _bytes: &mut Vec<u8>) -> bool {
        true
    }
}

/// Stands in front of the API server and does `fault` to all that passes. Returns its URL; it ends with the test.
fn proxy(upstream: u16, fault: Arc<impl Fault>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let fault = Arc::clone(&fault);
            thread::spawn(move || serve(client, upstream, &*fault));
        }
    });
    url
}

fn serve(mut client: TcpStream, upstream: u16, fault: &impl Fault) {
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", upstream)) else { return };
    let (mut back, mut towards) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
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
        if n == 0 || !change(&mut bytes) || to.write_all(&bytes).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Takes fields out of every request, as a server does that is too old to know them.
struct TooOld(&'static [&'static str]);

impl Fault for TooOld {
    fn request(&self, bytes: &mut Vec<u8>) {
        for field in self.0 {
            while let Some(at) = bytes.windows(field.len()).position(|window| window == field.as_bytes()) {
                // Blanks keep the length, and JSON takes them anywhere.
                bytes[at..at + field.len()].fill(b' ');
            }
        }
    }
}

#[test]
fn what_an_old_server_drops_is_said_and_the_nearest_thing_done() {
    let cluster = Cluster::new("old");
    let (_running, port) = cluster.start_api_proxy();
    let url = proxy(port, Arc::new(TooOld(&["\"backoffLimitPerIndex\":2,"])));
    let args = ["run", "old", "--items", "a,b", "--retries", "2", "--detach", "-s", &url, "-n", cluster.namespace()];
    let outcome = cluster.run(&[&args[..], &["--", "rev"]].concat()).ok();
    assert!(
        outcome.stderr.starts_with(
            "warning: this server has no retries for each index (it needs Kubernetes 1.29): up to 6 failures of all \
             indexes together are tried again instead\n"
        ),
        "{outcome:?}"
    );
    assert_eq!(cluster.field("job/old", "{.spec.backoffLimit}"), "6");
    cluster.run(&["wait", "old"]).ok();
}

/// Lets the server create a Job, and loses the answer, once.
#[derive(Default)]
struct LosesTheAnswer(AtomicUsize);

impl Fault for LosesTheAnswer {
    fn answer(&self, request: &[u8], _bytes: &mut Vec<u8>) -> bool {
        let creation = request.starts_with(b"POST /apis/batch/v1/") && !contains(request, "dryRun=All");
        !(creation && self.0.fetch_add(1, Ordering::SeqCst) == 0)
    }
}

#[test]
fn a_creation_whose_answer_is_lost_is_not_repeated_and_not_lost() {
    let cluster = Cluster::new("lost");
    let (_running, port) = cluster.start_api_proxy();
    let fault = Arc::new(LosesTheAnswer::default());
    let url = proxy(port, Arc::clone(&fault));
    let args = ["run", "lost", "--items", "a,b", "-q", "-s", &url, "-n", cluster.namespace(), "--", "rev"];
    let outcome = cluster.run(&args).ok();
    assert_eq!(outcome.sorted_lines(), ["[0] a", "[1] b"]);
    assert_eq!(fault.0.load(Ordering::SeqCst), 1, "the creation was sent once");
    assert_eq!(cluster.kubectl(&["get", "jobs", "-o", "name"]).ok().stdout, "job.batch/lost\n");
}

/// Refuses ConfigMaps that are really to be stored.
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
fn a_job_whose_items_can_not_be_stored_is_taken_back() {
    let cluster = Cluster::new("undone");
    let (_running, port) = cluster.start_api_proxy();
    let url = proxy(port, Arc::new(NoConfigMaps));
    let args = ["run", "undone", "--items", "a,b", "-s", &url, "-n", cluster.namespace(), "--", "rev"];
    let outcome = cluster.run(&args);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.stderr.starts_with("error: submitting job \"undone\", which was taken back: "), "{outcome:?}");
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

/// Cuts a connection over which a watch or a log comes at every ninth piece of it.
#[derive(Default)]
struct CutsStreams(AtomicUsize, AtomicUsize);

impl Fault for CutsStreams {
    fn answer(&self, request: &[u8], _bytes: &mut Vec<u8>) -> bool {
        let streams = contains(request, "watch=true") || contains(request, "follow=true");
        let cut = streams && self.1.fetch_add(1, Ordering::SeqCst) % 9 == 8;
        if cut {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
        !cut
    }
}
