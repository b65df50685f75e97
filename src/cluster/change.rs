//! Changes to the cluster. A change is repeated until it is certain whether it was made.
//!
//! The answer to a change may be lost or late, and a server that answers 500 or 504 may have acted. Unless the server
//! clearly refused, this module reads the object, and sends the change again only if the object lacks it.

use std::time::Duration;

use backon::BackoffBuilder as _;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, Request};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::Cluster;
use super::connect::{is_refusal, is_transient, request_error};
use super::watch::growing_pauses;
use crate::error::{Error, Kind};

/// The number of times that a change is sent at most.
const MAX_SENDS: u32 = 3;
/// How long after the first send an unreachable server is asked whether the change was made.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct ChangeRequest<'a> {
    /// As in "can't delete job x".
    pub(super) action: &'a str,
    pub(super) method: Method,
    /// The path with its parameters.
    pub(super) uri: String,
    /// The path of the object; `None` for a dry run, which stores none.
    pub(super) path: Option<String>,
    /// The media type of the answers.
    pub(super) accept: &'static str,
    pub(super) body: Value,
}

pub(super) const JSON: &str = "application/json";
pub(super) const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

impl Cluster {
    /// Makes a change. Returns the answer, or the object that `is_made` accepts. `is_made` gets `None` if there is no
    /// object.
    ///
    /// # Errors The server refuses. [`Kind::Unreachable`], with a hint, if it stays unknown whether the change was
    /// made.
    pub(super) async fn apply_change(
        &self,
        change: &ChangeRequest<'_>,
        is_made: impl Fn(Option<&Value>) -> bool,
    ) -> Result<Value, Error> {
        let begun = Instant::now();
        let mut pauses = growing_pauses().build();
        let mut sent = 0;
        loop {
            sent += 1;
            let body = change.body.to_string().into_bytes();
            let error = match self.send_change(change, change.method.clone(), &change.uri, body).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let refused = is_refusal(&error);
            let error = request_error(change.action, &self.server, error);
            // A change that is refused now may have been made by an earlier request.
            if refused && sent == 1 && error.kind() != Kind::AlreadyExists {
                return Err(error);
            }
            if let Some(path) = &change.path {
                let found = loop {
                    match self.send_change(change, Method::GET, path, Vec::new()).await {
                        Ok(object) => break Some(object),
                        Err(kube::Error::Api(status)) if status.is_not_found() => break None,
                        Err(look) if is_transient(&look) && begun.elapsed() < PATIENCE => {
                            sleep(pauses.next().unwrap_or_default()).await;
                        }
                        Err(_) if refused && sent == 1 => return Err(error),
                        Err(_) => {
                            let hint = "the change may still have been applied: check before you try again";
                            return Err(error.of_kind(Kind::Unreachable).hint(hint));
                        }
                    }
                };
                if is_made(found.as_ref()) {
                    return Ok(found.unwrap_or_default());
                }
            }
            if refused || sent == MAX_SENDS || begun.elapsed() > PATIENCE {
                return Err(error);
            }
            sleep(pauses.next().unwrap_or_default()).await;
        }
    }

    async fn send_change(
        &self,
        change: &ChangeRequest<'_>,
        method: Method,
        uri: &str,
        body: Vec<u8>,
    ) -> Result<Value, kube::Error> {
        let content_type = if method == Method::PATCH { "application/merge-patch+json" } else { JSON };
        let request = Request::builder().method(method).uri(uri).header(ACCEPT, change.accept);
        let request = request.header(CONTENT_TYPE, content_type).body(body).map_err(kube::Error::HttpError)?;
        self.client.request(request).await
    }
}

/// Whether an object has the fields that a merge patch sets, and lacks those that it removes.
pub(super) fn has_patch(object: &Value, patch: &Value) -> bool {
    match patch {
        Value::Null => object.is_null(),
        Value::Object(fields) => fields.iter().all(|(field, wanted)| has_patch(&object[field], wanted)),
        other => object == other,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::future::ready;
    use std::sync::{Arc, Mutex};

    use http::Response;
    use kube::Client;
    use kube::client::Body;
    use serde_json::json;

    use super::*;

    /// Makes a change on a server that gives these answers in turn. Returns the outcome and the methods of the
    /// requests.
    async fn change_on(answers: &[(u16, &'static str)]) -> (Result<Value, Error>, String) {
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (seen, answers) = (Arc::clone(&asked), Mutex::new(answers.iter().copied().collect::<VecDeque<_>>()));
        let service = tower::service_fn(move |request: Request<Body>| {
            seen.lock().unwrap().push(request.method().to_string());
            let mut answers = answers.lock().unwrap();
            let (status, body) = if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0] };
            ready(Ok::<_, tower::BoxError>(
                Response::builder().status(status).body(Body::from(body.as_bytes().to_vec())).unwrap(),
            ))
        });
        let client = Client::new(service, "ns");
        let cluster = Cluster { client, namespace: "ns".to_owned(), server: "https://server".to_owned() };
        let change = ChangeRequest {
            action: "change x",
            method: Method::PATCH,
            uri: "/x?fieldManager=y".to_owned(),
            path: Some("/x".to_owned()),
            accept: JSON,
            body: json!({"done": true}),
        };
        let outcome =
            cluster.apply_change(&change, |found| found.is_some_and(|found| has_patch(found, &change.body))).await;
        let asked = asked.lock().unwrap().join(" ");
        (outcome, asked)
    }

    const DONE: (u16, &str) = (200, r#"{"done": true}"#);
    const OPEN: (u16, &str) = (200, r#"{"done": false}"#);

    #[tokio::test(start_paused = true)]
    async fn a_change_that_was_made_succeeds_whatever_the_answer() {
        for doubt in [(500, "no"), (503, "no"), (408, "no"), (429, "no"), (200, "no JSON"), (200, r#"{"done": tr"#)] {
            let (outcome, asked) = change_on(&[doubt, DONE]).await;
            assert_eq!((outcome.unwrap(), asked.as_str()), (json!({"done": true}), "PATCH GET"), "{doubt:?}");
            let (outcome, asked) = change_on(&[doubt, OPEN, DONE]).await;
            assert_eq!((outcome.unwrap(), asked.as_str()), (json!({"done": true}), "PATCH GET PATCH"), "{doubt:?}");
            // The first request arrives late, so that the server refuses the second.
            let (outcome, asked) = change_on(&[doubt, OPEN, (409, "is there"), DONE]).await;
            assert!(outcome.is_ok() && asked == "PATCH GET PATCH GET", "{doubt:?} {asked}");
            // The server is away for a while.
            let (outcome, asked) = change_on(&[doubt, (503, "no"), (503, "no"), DONE]).await;
            assert!(outcome.is_ok() && asked == "PATCH GET GET GET", "{doubt:?} {asked}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_change_is_not_repeated() {
        for code in [400, 401, 403, 404, 409, 422] {
            let (outcome, asked) = change_on(&[(code, "no")]).await;
            assert!(outcome.unwrap_err().hints().iter().all(|hint| !hint.contains("may still")));
            assert_eq!(asked, "PATCH", "{code}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_unknown_outcome_has_a_hint() {
        let (outcome, asked) = change_on(&[(500, "broken"), OPEN, (500, "broken"), OPEN, (500, "broken"), OPEN]).await;
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Failed, "can't change x: broken"));
        assert_eq!(asked, "PATCH GET PATCH GET PATCH GET", "it was not made");
        for look in [(403, "you may not look"), (503, "away")] {
            let (outcome, _) = change_on(&[(500, "broken"), look]).await;
            let error = outcome.unwrap_err();
            assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Unreachable, "can't change x: broken"));
            assert!(error.hints().last().unwrap().contains("may still have been applied"), "{error:?}");
        }
    }

    #[test]
    fn an_object_shows_whether_it_was_patched() {
        let patch = json!({"metadata": {"uid": "u", "annotations": {"gone": null}}, "spec": {"suspend": false}});
        let object = |suspend: bool, annotations: Value| json!({"metadata": {"uid": "u", "name": "x", "annotations": annotations}, "spec": {"suspend": suspend}});
        assert!(has_patch(&object(false, json!({"other": "1"})), &patch));
        assert!(has_patch(&object(false, Value::Null), &patch));
        assert!(!has_patch(&object(true, json!({})), &patch));
        assert!(!has_patch(&object(false, json!({"gone": "x"})), &patch));
        assert!(!has_patch(&Value::Null, &patch));
        let owners = json!({"metadata": {"ownerReferences": [{"uid": "u", "name": "x"}]}});
        assert!(has_patch(&json!({"metadata": {"ownerReferences": [{"name": "x", "uid": "u"}]}}), &owners));
        assert!(!has_patch(&json!({"metadata": {}}), &owners));
    }
}
