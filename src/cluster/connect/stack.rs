//! The HTTP client under kube's: connections, headers, credentials, tries.
//!
//! kube's own is not used, since it runs exec plugins three times, leaves Nagle's algorithm on (44 ms on the first
//! request), sends no User-Agent, takes proxies from the environment by rules of its own and repeats writes.

use std::fmt::Write as _;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use kube::client::Body;
use tower::{BoxError, Service};

use super::credentials::Credentials;
use super::retry::Tries;
use super::settings::Impersonation;
use super::transport::{Reply, Transport};
use crate::error::Error;

/// Sends requests whose URI is complete; cheap to clone.
#[derive(Clone)]
pub(super) struct Stack(Arc<Shared>);

struct Shared {
    headers: HeaderMap,
    credentials: Credentials,
    transport: Transport,
}

impl Stack {
    /// # Errors
    /// An impersonated user that can't be a header.
    pub(super) fn new(
        impersonated: Option<&Impersonation>,
        credentials: Credentials,
        transport: Transport,
    ) -> Result<Self, Error> {
        Ok(Self(Arc::new(Shared { headers: impersonation(impersonated)?, credentials, transport })))
    }
}

impl Service<Request<Body>> for Stack {
    type Response = Reply;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Reply, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let shared = Arc::clone(&self.0);
        Box::pin(async move { shared.send(request).await })
    }
}

impl Shared {
    async fn send(&self, mut request: Request<Body>) -> Result<Reply, BoxError> {
        request.headers_mut().extend(self.headers.clone());
        let is_log = request.uri().path().ends_with("/log");
        if is_log {
            // A followed log has to come through line by line, not block by block.
            request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        let mut tries = Tries::new(request.method(), request.uri());
        let mut renewed = false;
        loop {
            let authorization = self.credentials.authorization().await?;
            if let Some(value) = &authorization {
                request.headers_mut().insert(AUTHORIZATION, value.clone());
            } else if renewed {
                request.headers_mut().remove(AUTHORIZATION);
            }
            // A body that can't be copied is sent once.
            let copy = copy(&request);
            let generation = self.credentials.generation();
            let mut sent = self.transport.send(request, generation).await;
            // Logs have a type of their own, which those who read them check.
            if !is_log {
                sent = sent.and_then(check_origin);
            }
            let unknown = matches!(&sent, Ok(reply) if reply.status() == StatusCode::UNAUTHORIZED);
            let wait = if unknown && !renewed {
                // The server has not acted on a request of somebody it doesn't know.
                renewed = true;
                self.credentials.renew(authorization.as_ref(), generation).await?.then_some(Duration::ZERO)
            } else {
                match &sent {
                    Ok(reply) => tries.after_answer(reply.status(), reply.headers()),
                    Err(error) => tries.after_loss(&**error),
                }
            };
            let (Some(wait), Some(copy)) = (wait, copy) else { return sent };
            drop(sent);
            tokio::time::sleep(wait).await;
            request = copy;
        }
    }
}

/// An answer that no API server gives.
#[derive(Debug, thiserror::Error)]
pub(super) enum ForeignAnswer {
    #[error("it redirects to {0:?}")]
    Redirect(String),
    #[error("it answers with a web page (status {})", .0.as_u16())]
    Page(StatusCode),
}

/// Refuses what a login page or a proxy on the way answers in place of the API server. Their pages about errors pass:
/// the status counts. But a page must not be taken for an object, nor for its absence.
fn check_origin(reply: Reply) -> Result<Reply, BoxError> {
    let (status, headers) = (reply.status(), reply.headers());
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
    if status.is_redirection() {
        return Err(ForeignAnswer::Redirect(text(LOCATION).to_owned()).into());
    }
    let misleads = status.is_success() || status == StatusCode::NOT_FOUND;
    if misleads && text(CONTENT_TYPE).to_ascii_lowercase().starts_with("text/html") {
        return Err(ForeignAnswer::Page(status).into());
    }
    Ok(reply)
}

fn copy(request: &Request<Body>) -> Option<Request<Body>> {
    let body = request.body().try_clone()?;
    let mut copy = Request::new(body);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}

fn impersonation(who: Option<&Impersonation>) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    let Some(who) = who else { return Ok(headers) };
    let value = |text: &str| {
        HeaderValue::from_bytes(text.as_bytes())
            .map_err(|_| Error::usage(format!("can't act as {text:?}: it has characters that can't be sent")))
    };
    headers.insert(HeaderName::from_static("impersonate-user"), value(&who.user)?);
    if let Some(uid) = &who.uid {
        headers.insert(HeaderName::from_static("impersonate-uid"), value(uid)?);
    }
    for group in &who.groups {
        headers.append(HeaderName::from_static("impersonate-group"), value(group)?);
    }
    for (key, values) in &who.extra {
        let name = HeaderName::from_bytes(format!("impersonate-extra-{}", header_escape(key)).as_bytes())
            .map_err(|_| Error::usage(format!("as-user-extra has a key that can't be sent: {key:?}")))?;
        for one in values {
            headers.append(name.clone(), value(one)?);
        }
    }
    Ok(headers)
}

/// What may not be in a header's name, and `%`, as `%xx`: the server turns it back (client-go's `round_trippers.go`).
fn header_escape(key: &str) -> String {
    let lower = key.to_lowercase();
    let mut escaped = String::with_capacity(lower.len());
    for byte in lower.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&'*+-.^_`|~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_header_names_as_in_client_go() {
        assert_eq!(header_escape("Scopes"), "scopes");
        assert_eq!(header_escape("example.com/a b%"), "example.com%2Fa%20b%25");
    }
}
