//! One request for a log: its answer, or why there is none.

use std::time::Duration;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, Response, StatusCode, Version};
use http_body_util::{BodyDataStream, BodyExt as _};
use k8s_openapi::api::core::v1::Pod;
use kube::Resource as _;
use kube::api::LogParams;
use kube::client::Body;
use kube::core::{Request, Status};

use crate::cluster::Cluster;
use crate::cluster::connect::{NO_API_SERVER, request_error};
use crate::error::{Error, Kind};

/// What failed, in messages; the indexes are named beside it.
const DOING: &str = "read the log";

/// The type of every log that an API server hands on, whatever its node says.
const LOG_TYPE: &str = "text/plain";

/// The longest pause that a server may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Why a request brought no log, or no more of it.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) cause: Cause,
    pub(super) error: Error,
    pub(super) wait: Duration,
}

/// What went wrong with a request, as far as that decides whether it is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The connection broke, or a part on the way does not answer.
    Connection,
    /// The server failed, or something on the way answered in its place.
    Server,
    Forbidden,
    /// The node or the server has no such log.
    Gone,
    /// The request will never be answered.
    Refused,
}

impl Failure {
    fn new(cause: Cause, error: Error) -> Self {
        Self { cause, error, wait: Duration::ZERO }
    }

    /// Such as "the connection was closed".
    pub(super) fn because(cause: Cause, kind: Kind, why: &str) -> Self {
        Self::new(cause, Error::new(kind, format!("can't {DOING}: {why}")))
    }

    pub(super) fn broken(why: &str) -> Self {
        Self::because(Cause::Connection, Kind::Unreachable, why)
    }
}

/// The body of an answer that holds a log.
pub(super) struct Answer {
    pub(super) body: BodyDataStream<Body>,
    /// Whether the answer says itself where it ends: a connection that broke is then no end.
    pub(super) has_end: bool,
}

impl Cluster {
    pub(super) async fn ask_for_log(&self, pod: &str, params: &LogParams) -> Result<Answer, Failure> {
        let request = Request::new(Pod::url_path(&(), Some(self.namespace()))).logs(pod, params);
        let sent = async { self.client.send(request.map_err(kube::Error::BuildRequest)?.map(Body::from)).await };
        let response = sent.await.map_err(|error| self.unanswered(error))?;
        if response.status() == StatusCode::OK {
            return self.check_type(response);
        }
        let (head, body) = response.into_parts();
        let body = body.collect_bytes().await.map_err(|error| self.unanswered(error))?;
        Err(self.refusal(head.status, &head.headers, &body))
    }

    /// The answer, if it is a log: a page or an object in its place would become output.
    fn check_type(&self, response: Response<Body>) -> Result<Answer, Failure> {
        let headers = response.headers();
        let kind = text(headers, CONTENT_TYPE).unwrap_or("no type");
        if kind.split(';').next().is_none_or(|kind| kind.trim() != LOG_TYPE) {
            return Err(self.foreign(&format!("answered with {kind} instead of {LOG_TYPE}")));
        }
        let has_end = response.version() == Version::HTTP_2
            || headers.contains_key(CONTENT_LENGTH)
            || headers.contains_key(TRANSFER_ENCODING);
        Ok(Answer { body: response.into_body().into_data_stream(), has_end })
    }

    /// An answer that no API server gives.
    pub(super) fn foreign(&self, what: &str) -> Failure {
        let why = format!("the server {} {what}", self.server);
        let Failure { cause, error, wait } = Failure::because(Cause::Server, Kind::Failed, &why);
        Failure { cause, error: error.hint(NO_API_SERVER), wait }
    }

    fn unanswered(&self, error: kube::Error) -> Failure {
        let error = request_error(DOING, &self.server, error);
        let cause = if error.kind() == Kind::Unreachable { Cause::Connection } else { Cause::Server };
        Failure::new(cause, error)
    }

    fn refusal(&self, code: StatusCode, headers: &HeaderMap, body: &[u8]) -> Failure {
        let status = serde_json::from_slice(body).unwrap_or_else(|_| {
            let none = format!("the server answered with status {code}");
            let said = if body.is_empty() { none.into() } else { String::from_utf8_lossy(body) };
            Status::failure(said.trim(), "Failed to parse error data").with_code(code.as_u16())
        });
        let cause = match code.as_u16() {
            404 if is_new_kubelet(&status) => Cause::Connection,
            404 => Cause::Gone,
            401 | 403 => Cause::Forbidden,
            408 | 429 | 502..=504 => Cause::Connection,
            400..=499 => Cause::Refused,
            _ => Cause::Server,
        };
        let wait = text(headers, RETRY_AFTER).and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
        let error = request_error(DOING, &self.server, kube::Error::Api(status.boxed()));
        Failure { cause, error, wait: wait.unwrap_or_default().min(LONGEST_WAIT) }
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Whether a node has answered that it knows no such Pod, while the API server does: its kubelet has just started.
fn is_new_kubelet(status: &Status) -> bool {
    // Of a Pod that it does not know itself the API server says that there is no such thing among `pods`.
    status.details.as_ref().is_some_and(|details| details.kind == "pods/log")
}
