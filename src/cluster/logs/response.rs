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
use crate::cluster::connect::{NOT_A_STATUS, foreign_server_hint, request_error};
use crate::error::{Error, Kind};

/// What failed, in messages; the indexes are named beside it.
const DOING: &str = "read the log";

/// The type of every log that an API server hands on, whatever its node says.
const LOG_TYPE: &str = "text/plain";

/// The longest pause that a server may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// ExcuseKind a request brought no log, or no more of it.
#[derive(Debug)]
pub(super) struct LogFailure {
    pub(super) cause: LogFailureCause,
    pub(super) error: Error,
    pub(super) wait: Duration,
}

/// What went wrong with a request, as far as that decides whether it is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LogFailureCause {
    /// The connection broke, or a part on the way does not answer.
    Connection,
    /// The server failed, or something on the way answered in its position.
    Server,
    Forbidden,
    /// The node or the server has no such log.
    Gone,
    /// The request will never be answered.
    Refused,
}

impl LogFailure {
    fn new(cause: LogFailureCause, error: Error) -> Self {
        Self { cause, error, wait: Duration::ZERO }
    }

    /// Such as "the connection was closed".
    pub(super) fn with_reason(cause: LogFailureCause, kind: Kind, why: &str) -> Self {
        Self::new(cause, Error::new(kind, format!("can't {DOING}: {why}")))
    }

    pub(super) fn broken_connection(why: &str) -> Self {
        Self::with_reason(LogFailureCause::Connection, Kind::Unreachable, why)
    }
}

/// The body of an answer that holds a log.
pub(super) struct LogResponse {
    pub(super) body: BodyDataStream<Body>,
    /// Whether the answer says itself where it ends: a connection that broke is then no end.
    pub(super) has_end: bool,
}

impl Cluster {
    pub(super) async fn request_log(&self, pod: &str, params: &LogParams) -> Result<LogResponse, LogFailure> {
        let request = Request::new(Pod::url_path(&(), Some(self.namespace()))).logs(pod, params);
        let sent = async { self.client.send(request.map_err(kube::Error::BuildRequest)?.map(Body::from)).await };
        let response = sent.await.map_err(|error| self.request_failure(error))?;
        if response.status() == StatusCode::OK {
            return self.check_content_type(response);
        }
        let (head, body) = response.into_parts();
        let body = body.collect_bytes().await.map_err(|error| self.request_failure(error))?;
        Err(self.status_failure(head.status, &head.headers, &body))
    }

    /// The answer, if it is a log: a page or an object in its place would become output.
    fn check_content_type(&self, response: Response<Body>) -> Result<LogResponse, LogFailure> {
        let headers = response.headers();
        let kind = text(headers, CONTENT_TYPE).unwrap_or("no type");
        if kind.split(';').next().is_none_or(|kind| kind.trim() != LOG_TYPE) {
            return Err(self.foreign_answer(&format!("answered with {kind} instead of {LOG_TYPE}")));
        }
        let has_end = response.version() == Version::HTTP_2
            || headers.contains_key(CONTENT_LENGTH)
            || headers.contains_key(TRANSFER_ENCODING);
        Ok(LogResponse { body: response.into_body().into_data_stream(), has_end })
    }

    /// An answer that no API server gives.
    pub(super) fn foreign_answer(&self, what: &str) -> LogFailure {
        let why = format!("the server {} {what}", self.server);
        let LogFailure { cause, error, wait } = LogFailure::with_reason(LogFailureCause::Server, Kind::Failed, &why);
        LogFailure { cause, error: error.hint(foreign_server_hint()), wait }
    }

    fn request_failure(&self, error: kube::Error) -> LogFailure {
        let error = request_error(DOING, &self.server, error);
        let cause =
            if error.kind() == Kind::Unreachable { LogFailureCause::Connection } else { LogFailureCause::Server };
        LogFailure::new(cause, error)
    }

    fn status_failure(&self, code: StatusCode, headers: &HeaderMap, body: &[u8]) -> LogFailure {
        let status = serde_json::from_slice(body).unwrap_or_else(|_| {
            let none = format!("the server answered with status {code}");
            let said = if body.is_empty() { none.into() } else { String::from_utf8_lossy(body) };
            Status::failure(said.trim(), NOT_A_STATUS).with_code(code.as_u16())
        });
        let cause = match code.as_u16() {
            404 if is_new_kubelet(&status) => LogFailureCause::Connection,
            404 => LogFailureCause::Gone,
            401 | 403 => LogFailureCause::Forbidden,
            408 | 429 | 502..=504 => LogFailureCause::Connection,
            400..=499 => LogFailureCause::Refused,
            _ => LogFailureCause::Server,
        };
        let wait = text(headers, RETRY_AFTER).and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
        let error = request_error(DOING, &self.server, kube::Error::Api(status.boxed()));
        LogFailure { cause, error, wait: wait.unwrap_or_default().min(LONGEST_WAIT) }
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
