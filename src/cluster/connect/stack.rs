//! The HTTP client under kube's: connections, headers, credentials, retries.
//!
//! kube's own runs exec plugins three times, leaves Nagle's algorithm on (44 ms on the first request), sends no
//! User-Agent, has its own rules for proxies in the environment and repeats writes.

use std::time::{Duration, Instant};

use http::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use kube::client::Body;
use tower::BoxError;

use super::credentials::Credentials;
use super::retry::RetryBudget;
use super::trace::Trace;
use super::transport::{Reply, Transport};
use super::warning::Warnings;

/// A client for requests with a complete URI.
pub(super) struct Stack {
    /// Sent with every request.
    pub(super) headers: HeaderMap,
    pub(super) credentials: Credentials,
    pub(super) transport: Transport,
    pub(super) warnings: Warnings,
    pub(super) trace: Trace,
}

impl Stack {
    pub(super) async fn send(&self, request: Request<Body>) -> Result<Reply, BoxError> {
        let (mut head, mut body) = request.into_parts();
        head.headers.extend(self.headers.clone());
        let is_log = head.uri.path().ends_with("/log");
        if is_log {
            // Compression would deliver a followed log in blocks instead of lines.
            head.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        let mut retries = RetryBudget::new(&head.method, &head.uri);
        let mut renewed = false;
        loop {
            let authorization = self.credentials.authorization().await?;
            if let Some(value) = &authorization {
                head.headers.insert(AUTHORIZATION, value.clone());
            } else if renewed {
                head.headers.remove(AUTHORIZATION);
            }
            // A body that can't be copied is sent once.
            let copy = body.try_clone();
            let generation = self.credentials.generation();
            self.trace.print_request(&head, body.try_clone()).await;
            let begun = Instant::now();
            let sent = self.transport.send(Request::from_parts(head.clone(), body), generation).await;
            let mut sent = self.trace.print_response(&head, begun, sent).await;
            if let Ok(reply) = &sent {
                self.warnings.report_headers(reply.headers());
            }
            // The readers of logs check the type of the answer themselves.
            if !is_log {
                sent = sent.and_then(refuse_foreign_answer);
            }
            let unknown = matches!(&sent, Ok(reply) if reply.status() == StatusCode::UNAUTHORIZED);
            let wait = if unknown && !renewed {
                // The server did not act on an unauthenticated request.
                renewed = true;
                self.credentials.renew(authorization.as_ref(), generation).await?.then_some(Duration::ZERO)
            } else {
                match &sent {
                    Ok(reply) => retries.pause_after_answer(reply.status(), reply.headers()),
                    Err(error) => retries.pause_after_loss(&**error),
                }
            };
            let (Some(wait), Some(copy)) = (wait, copy) else { return sent };
            drop(sent);
            tokio::time::sleep(wait).await;
            body = copy;
        }
    }
}

/// An answer that no API server gives.
#[derive(Debug, thiserror::Error)]
pub(super) enum ForeignAnswer {
    #[error("it redirects to {0:?}")]
    Redirect(String),
    #[error("it answers with a web page (status {})", .0.as_u16())]
    WebPage(StatusCode),
}

/// Refuses answers of a login page or a proxy instead of the API server. Their error pages pass, because the status
/// counts. A page must not count as an object, nor as a missing one.
fn refuse_foreign_answer(reply: Reply) -> Result<Reply, BoxError> {
    let (status, headers) = (reply.status(), reply.headers());
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
    if status.is_redirection() {
        return Err(ForeignAnswer::Redirect(text(LOCATION).to_owned()).into());
    }
    let misleads = status.is_success() || status == StatusCode::NOT_FOUND;
    if misleads && text(CONTENT_TYPE).to_ascii_lowercase().starts_with("text/html") {
        return Err(ForeignAnswer::WebPage(status).into());
    }
    Ok(reply)
}
