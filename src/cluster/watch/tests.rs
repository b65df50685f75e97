//! Watches on a server that is silent, expires versions or sends invalid answers. Time is simulated.

use std::future::pending;
use std::sync::Mutex;

use futures::stream;
use http::{Request, Response};
use http_body_util::StreamBody;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Bytes, Frame};
use kube::Client;
use kube::client::Body;
use serde_json::json;
use tower::BoxError;

use super::*;

/// The status and body of an answer, and whether its connection stays open.
struct WatchAnswer(u16, String, bool);

fn whole(status: u16, body: &serde_json::Value) -> WatchAnswer {
    WatchAnswer(status, body.to_string(), false)
}

/// A watch that sends these lines and stays open.
fn silent(lines: &str) -> WatchAnswer {
    WatchAnswer(200, lines.to_owned(), true)
}

fn list(version: &str, objects: &[serde_json::Value]) -> WatchAnswer {
    whole(200, &json!({"metadata": {"resourceVersion": version}, "items": objects}))
}

fn pod(name: &str, version: &str) -> serde_json::Value {
    json!({"metadata": {"name": name, "uid": name, "resourceVersion": version}})
}

fn modified(object: &serde_json::Value) -> String {
    format!("{}\n", json!({"type": "MODIFIED", "object": object}))
}

fn job(version: &str, ready: i32) -> serde_json::Value {
    json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "x", "uid": "u", "resourceVersion": version},
        "status": {"ready": ready},
    })
}

/// The requests, such as `pods watch=3`, with their times in seconds, and the events of the watch.
struct SeenChanges {
    asked: Vec<(u64, String)>,
    notices: Vec<String>,
}

/// Watches a Job and its Pods for this many seconds. `script` answers each request; it gets the request and the number
/// of equal ones before.
async fn watch(seconds: u64, script: impl Fn(&str, usize) -> WatchAnswer + Send + Sync + 'static) -> SeenChanges {
    let asked: Arc<Mutex<Vec<(u64, String)>>> = Arc::default();
    let (seen, script, begun) = (Arc::clone(&asked), Arc::new(script), Instant::now());
    let service = tower::service_fn(move |request: Request<Body>| {
        let uri = request.uri();
        let parameter = |name: &str| {
            let pairs = uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
            pairs.filter(|pair| pair.0 == name).map(|pair| pair.1).next()
        };
        let kind = uri.path().rsplit('/').next().unwrap_or_default();
        let what = match (parameter("watch"), parameter("resourceVersion"), parameter("continue")) {
            (Some(_), from, _) => format!("{kind} watch={}", from.unwrap_or_default()),
            (None, _, Some(_)) => format!("{kind} continue"),
            (None, ..) => format!("{kind} list"),
        };
        let mut seen = seen.lock().unwrap();
        let WatchAnswer(status, body, open) = script(&what, seen.iter().filter(|one| one.1 == what).count());
        seen.push((begun.elapsed().as_secs(), what));
        let first = stream::iter([Ok::<_, BoxError>(Frame::data(Bytes::from(body)))]);
        let rest = stream::once(async move {
            if open {
                pending::<()>().await;
            }
        })
        .filter_map(|()| ready(None));
        let body = UnsyncBoxBody::new(StreamBody::new(first.chain(rest)));
        ready(Ok::<_, BoxError>(Response::builder().status(status).body(body).unwrap()))
    });
    let client = Client::new(service, "ns");
    let cluster = Cluster { client, namespace: "ns".to_owned(), server: "https://server".to_owned() };
    let job: Job = serde_json::from_value(job("1", 0)).unwrap();
    let mut watch = cluster.watch(&job, Some(PodFilter::default()), &Link::default());
    let mut notices = Vec::new();
    let end = sleep(Duration::from_secs(seconds));
    let mut end = std::pin::pin!(end);
    loop {
        let notice = tokio::select! {
            () = &mut end => break,
            notice = watch.next() => notice,
        };
        notices.push(match notice {
            None => break,
            Some(Ok(WatchNews::Seen(Event::Pod(pod)))) => format!("pod {}", pod.metadata.name.unwrap_or_default()),
            Some(Ok(WatchNews::Seen(Event::Job(_)))) => "job".to_owned(),
            Some(Ok(WatchNews::Seen(event))) => format!("{event:?}").split([' ', '(']).next().unwrap().to_owned(),
            Some(Ok(WatchNews::Reconnecting(why))) => format!("reconnecting: {why}"),
            Some(Ok(WatchNews::Connected)) => "connected".to_owned(),
            Some(Err(error)) => format!("error: {error}"),
        });
    }
    let asked = asked.lock().unwrap().clone();
    SeenChanges { asked, notices }
}

impl SeenChanges {
    /// Returns the times of a request, in seconds.
    fn times(&self, what: &str) -> Vec<u64> {
        self.asked.iter().filter(|one| one.1.starts_with(what)).map(|one| one.0).collect()
    }

    fn pods(&self) -> Vec<&str> {
        self.notices.iter().filter_map(|notice| notice.strip_prefix("pod ")).collect()
    }
}

/// Answers requests for a Job that does not change.
fn quiet_job(what: &str) -> Option<WatchAnswer> {
    match what {
        "jobs list" => Some(list("1", &[job("1", 0)])),
        _ if what.starts_with("jobs watch") => {
            Some(silent(&modified(&json!({"metadata": {"name": "other", "uid": "o", "resourceVersion": "2"}}))))
        }
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_watch_lists_again() {
    let seen = watch(80, |what, before| {
        quiet_job(what).unwrap_or_else(|| match what {
            "pods list" => list(&format!("{before}1"), &[pod(&format!("p{before}"), "1")]),
            _ => silent(""),
        })
    })
    .await;
    assert_eq!(seen.times("pods list"), [0, 35, 70], "{:?}", seen.asked);
    assert_eq!(seen.times("jobs list"), [0, 35, 70], "{:?}", seen.asked);
    assert_eq!(seen.pods(), ["p0", "p1", "p2"]);
    assert!(!seen.notices.iter().any(|notice| notice.starts_with("reconnecting")), "{:?}", seen.notices);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_always_ends_without_events_lists_again() {
    let seen = watch(40, |what, _| {
        quiet_job(what).unwrap_or_else(|| match what {
            "pods list" => list("1", &[]),
            _ => WatchAnswer(200, String::new(), false),
        })
    })
    .await;
    assert_eq!(seen.times("pods list"), [0, 35], "{:?}", seen.asked);
    assert!(seen.times("pods watch").len() <= 4 * 40, "{:?}", seen.asked.len());
}

#[tokio::test(start_paused = true)]
async fn a_bookmark_shows_that_a_quiet_watch_is_alive() {
    let bookmark = json!({"type": "BOOKMARK", "object": {"apiVersion": "v1", "kind": "Pod",
        "metadata": {"resourceVersion": "7", "creationTimestamp": null}}});
    let seen = watch(33, move |what, _| {
        quiet_job(what).unwrap_or_else(|| match what {
            "pods list" => list("1", &[]),
            "pods watch=1" => WatchAnswer(200, format!("{bookmark}\n"), false),
            _ => silent(""),
        })
    })
    .await;
    assert_eq!(seen.times("pods watch=7"), [0], "{:?}", seen.asked);
    assert_eq!(seen.times("pods list"), [0], "{:?}", seen.asked);
}

#[tokio::test(start_paused = true)]
async fn new_pod_counts_without_pod_events_make_the_watch_list_again() {
    let seen = watch(20, |what, before| match what {
        "jobs list" => list("1", &[job("1", 0)]),
        // The server ends the first watch, so that the change comes some time after the list of Pods.
        "jobs watch=1" if before < 10 => WatchAnswer(200, String::new(), false),
        "jobs watch=1" => silent(&modified(&job("2", 1))),
        "pods list" => list("1", &[pod(&format!("p{before}"), "1")]),
        _ => silent(""),
    })
    .await;
    assert_eq!(seen.pods(), ["p0", "p1"], "{:?}", seen.asked);
    assert_eq!(seen.times("pods list"), [0, 5], "{:?}", seen.asked);
}

#[tokio::test(start_paused = true)]
async fn an_invalid_line_makes_the_watch_list_again() {
    for (line, cause) in [("{\"type\":\"MODI\u{1}\n", "is invalid"), ("<html>\n", "is invalid")] {
        let seen = watch(20, move |what, before| {
            quiet_job(what).unwrap_or_else(|| match what {
                "pods list" => list(&format!("{before}"), &[pod(&format!("p{before}"), "1")]),
                "pods watch=0" => silent(&format!("{line}{}", modified(&pod("later", "5")))),
                _ => silent(""),
            })
        })
        .await;
        assert_eq!(seen.pods(), ["p0", "p1"], "{:?}", seen.notices);
        assert!(seen.notices.iter().any(|notice| notice.contains(cause)), "{:?}", seen.notices);
        assert_eq!(seen.notices.iter().filter(|notice| *notice == "connected").count(), 1, "{:?}", seen.notices);
    }
}

#[tokio::test(start_paused = true)]
async fn a_cut_line_is_requested_again() {
    let line = modified(&pod("second", "9"));
    let half = line[..line.len() / 2].to_owned();
    let seen = watch(10, move |what, _| {
        quiet_job(what).unwrap_or_else(|| match what {
            "pods list" => list("1", &[]),
            "pods watch=1" => WatchAnswer(200, format!("{}{half}", modified(&pod("first", "5"))), false),
            "pods watch=5" => silent(&line),
            _ => silent(""),
        })
    })
    .await;
    assert_eq!(seen.pods(), ["first", "second"], "{:?}", seen.asked);
    assert_eq!(seen.times("pods list"), [0], "{:?}", seen.asked);
}

#[tokio::test(start_paused = true)]
async fn a_list_with_an_expired_token_is_read_without_pages() {
    let status = json!({"kind": "Status", "status": "Failure", "reason": "Expired", "message": "gone", "code": 410});
    let seen = watch(10, move |what, before| {
        quiet_job(what).unwrap_or_else(|| match (what, before) {
            ("pods list", 0) => {
                whole(200, &json!({"metadata": {"resourceVersion": "1", "continue": "c"}, "items": [pod("a", "1")]}))
            }
            ("pods list", _) => list("2", &[pod("a", "1"), pod("b", "1")]),
            ("pods continue", _) => whole(410, &status),
            _ => silent(""),
        })
    })
    .await;
    assert_eq!(seen.pods(), ["a", "a", "b"], "{:?}", seen.notices);
    assert_eq!(seen.times("pods list").len(), 2, "{:?}", seen.asked);
}

#[tokio::test(start_paused = true)]
async fn a_busy_server_gets_no_request_before_its_retry_after() {
    let status = json!({"kind": "Status", "status": "Failure", "reason": "TooManyRequests", "message": "later",
        "code": 429, "details": {"retryAfterSeconds": 25}});
    let seen = watch(50, move |what, before| {
        quiet_job(what).unwrap_or_else(|| match (what, before) {
            ("pods list", 0) => whole(429, &status),
            ("pods list", _) => list("1", &[pod("a", "1")]),
            _ => silent(""),
        })
    })
    .await;
    assert_eq!(seen.times("pods list"), [0, 25], "{:?}", seen.asked);
    assert!(seen.notices.iter().any(|notice| notice.starts_with("reconnecting: ")), "{:?}", seen.notices);
}

#[tokio::test(start_paused = true)]
async fn an_invalid_list_removes_no_job() {
    let seen = watch(100, |what, _| match what {
        "jobs list" => whole(200, &json!({"metadata": {}, "items": []})),
        "pods list" => whole(200, &json!({"items": [], "metadata": {"resourceVersion": ""}})),
        _ => silent(""),
    })
    .await;
    assert!(!seen.notices.iter().any(|notice| notice == "JobGone" || notice == "PodListEnds"), "{:?}", seen.notices);
    assert!((10..40).contains(&seen.times("jobs list").len()), "{:?}", seen.asked);
}
