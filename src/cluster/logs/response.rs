//! Sends one request for a log. Returns the answer or the reason of the failure.

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

/// The failed action in errors; the caller adds the index.
const DOING: &str = "read the log";

/// The content type of every log from an API server, whatever the node sends.
const LOG_TYPE: &str = "text/plain";

/// The longest pause that a server may request.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Why a request returned no log, or ended early.
#[derive(Debug)]
pub(super) struct LogFailure {
    pub(super) cause: LogFailureCause,
    pub(super) error: Error,
    pub(super) wait: Duration,
}

/// The kind of a failure, which decides whether to retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LogFailureCause {
    /// The connection broke, or a server on the way did not answer.
    Connection,
    /// The server failed, or something else answered instead.
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
    /// Whether the answer states its length, so that a broken connection is not taken for the end.
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

    /// Returns the answer if it is a log. A page or an object must not be printed as output.
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

    /// Returns the failure for an answer that no API server sends.
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

/// Whether the node does not know a Pod that the API server knows: its kubelet has just started.
fn is_new_kubelet(status: &Status) -> bool {
    // For a Pod that the API server does not know, the kind is `pods`.
    status.details.as_ref().is_some_and(|details| details.kind == "pods/log")
}
