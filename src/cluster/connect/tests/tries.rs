//! Repeated requests, counted on a failing server.

use http::{Method, Request};

use super::fake::{Fake, FakeAnswer, Machine, reply, status, version};
use crate::cluster::connect::{ConnectOptions, request_error};
use crate::error::{Error, Kind};

/// Sends a request to a server that answers with `script`. Returns how often it arrived, and the outcome.
async fn times(
    method: Method,
    target: &str,
    script: impl Fn(usize) -> FakeAnswer + Send + Sync + 'static,
) -> (usize, Result<String, Error>) {
    let server = Fake::start(move |_, number| script(number)).await;
    let machine = Machine::new();
    machine.config(&format!("{{server: {}}}", server.url()), "{}");
    let connection = machine.connect(&ConnectOptions::default()).unwrap();
    let body = if method == Method::GET { Vec::new() } else { b"{}".to_vec() };
    let request = Request::builder().method(method).uri(target).body(body).unwrap();
    let answer = connection.client.request_text(request).await;
    let answer = answer.map_err(|error| request_error("try", &connection.server, error));
    let seen = server.requests();
    assert!(seen.iter().all(|one| one.body == seen[0].body), "the body is sent each time: {seen:?}");
    (seen.len(), answer)
}

/// 429 with `Retry-After`.
fn later(seconds: u32) -> FakeAnswer {
    FakeAnswer::Reply(429, vec![("retry-after", seconds.to_string())], Vec::new())
}

#[tokio::test]
async fn reads_are_repeated_until_they_succeed() {
    for code in [429, 503, 504] {
        let (count, answer) =
            times(
                Method::GET,
                "/x",
                move |number| {
                    if number < 2 { status(code, "ServiceUnavailable", "later") } else { version() }
                },
            )
            .await;
        assert_eq!((count, answer.is_ok()), (3, true), "{code}");
    }
    let (count, answer) =
        times(Method::GET, "/x", |number| if number < 2 { FakeAnswer::Close } else { version() }).await;
    assert_eq!((count, answer.is_ok()), (3, true));
}

#[tokio::test]
async fn reads_are_not_repeated_forever() {
    let (down, lost) = tokio::join!(
        times(Method::GET, "/x", |_| status(503, "ServiceUnavailable", "down")),
        times(Method::GET, "/x", |_| FakeAnswer::Close),
    );
    let error = down.1.unwrap_err();
    assert_eq!((down.0, error.kind()), (5, Kind::Unreachable), "{error}");
    assert!(error.to_string().contains("down"), "{error}");
    assert_eq!((lost.0, lost.1.unwrap_err().kind()), (5, Kind::Unreachable));
    let (count, _) = times(Method::GET, "/x", |_| reply(500, "no")).await;
    assert_eq!(count, 1);
    let (count, _) = times(Method::GET, "/x?watch=true&x=1", |_| reply(503, "no")).await;
    assert_eq!(count, 1);
}

#[tokio::test]
async fn writes_are_never_repeated_on_a_guess() {
    for method in [Method::POST, Method::PATCH, Method::PUT, Method::DELETE] {
        for code in [429, 500, 503, 504] {
            let (count, answer) = times(method.clone(), "/x", move |_| reply(code, "no")).await;
            assert_eq!((count, answer.is_err()), (1, true), "{method} {code}");
        }
        let (count, answer) = times(method.clone(), "/x", |_| FakeAnswer::Close).await;
        assert_eq!((count, answer.unwrap_err().kind()), (1, Kind::Unreachable), "{method}");
    }
}

#[tokio::test]
async fn writes_are_repeated_if_the_server_did_not_act() {
    for method in [Method::POST, Method::DELETE] {
        let start = std::time::Instant::now();
        let (count, answer) = times(method, "/x", |number| if number == 0 { later(1) } else { version() }).await;
        assert_eq!((count, answer.is_ok()), (2, true));
        assert!(start.elapsed().as_secs_f64() >= 1.0);
    }
    // This pause is too long to wait silently.
    let (count, answer) = times(Method::POST, "/x", |_| later(60)).await;
    assert_eq!((count, answer.unwrap_err().kind()), (1, Kind::Unreachable));
}

#[tokio::test]
async fn a_lost_idle_connection_is_not_used_for_a_write() {
    let server = Fake::start(|_, _| FakeAnswer::Last(b"{}".to_vec())).await;
    let machine = Machine::new();
    machine.config(&format!("{{server: {}}}", server.url()), "{}");
    let connection = machine.connect(&ConnectOptions::default()).unwrap();
    for number in 0..3 {
        let request = Request::post("/x").body(b"{}".to_vec()).unwrap();
        connection.client.request_text(request).await.unwrap();
        // The client must notice the closed connection first.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        assert_eq!(server.requests().len(), number + 1);
    }
}
