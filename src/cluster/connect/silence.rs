//! Limits how long a server may be silent, and reports silence.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::stream;
use http::Uri;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Body, Bytes};
use tokio::time::timeout;
use tower::BoxError;

use super::Hook;

/// The length of a silence that is reported.
const NOTICE_AFTER: Duration = Duration::from_secs(2);

#[derive(Debug, thiserror::Error)]
#[error("no answer within {0:?}")]
pub(super) struct ServerSilent(pub(super) Duration);

#[derive(Clone)]
pub(super) struct Patience {
    server: Arc<str>,
    /// `None` waits forever.
    limit: Option<Duration>,
    hook: Hook,
    /// Whether the current silence was reported.
    noticed: Arc<AtomicBool>,
}

impl Patience {
    /// Zero means no limit.
    pub(super) fn new(server: &Uri, limit: Option<Duration>, hook: Hook) -> Self {
        let limit = limit.filter(|limit| !limit.is_zero());
        Self { server: host_and_port(server), limit, hook, noticed: Arc::default() }
    }

    /// Returns the same limit for another server.
    pub(super) fn for_server(&self, server: &Uri) -> Self {
        Self::new(server, self.limit, self.hook.clone())
    }

    /// Waits for the next part of an answer, up to the limit.
    pub(super) async fn wait<T>(&self, part: impl Future<Output = T>) -> Result<T, ServerSilent> {
        let mut part = pin!(part);
        let first = self.limit.unwrap_or(NOTICE_AFTER).min(NOTICE_AFTER);
        if let Ok(part) = timeout(first, &mut part).await {
            self.noticed.store(false, Ordering::Relaxed);
            return Ok(part);
        }
        let rest = self.limit.map(|limit| limit.saturating_sub(first));
        if let Some(hook) = self.hook.as_ref().filter(|_| rest != Some(Duration::ZERO))
            && !self.noticed.swap(true, Ordering::Relaxed)
        {
            hook(&self.server);
        }
        match rest {
            None => Ok(part.await),
            Some(rest) => timeout(rest, part).await.map_err(|_| ServerSilent(first + rest)),
        }
    }

    /// Returns a body that fails if the server is silent for longer than the limit.
    pub(super) fn guard<B>(&self, body: B) -> UnsyncBoxBody<Bytes, BoxError>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let start = (Box::pin(body), self.clone());
        let frames = stream::try_unfold(start, |(mut body, patience)| async move {
            let frame = patience.wait(body.frame()).await?.transpose().map_err(Into::into)?;
            Ok::<_, BoxError>(frame.map(|frame| (frame, (body, patience))))
        });
        StreamBody::new(frames).boxed_unsync()
    }
}

fn host_and_port(server: &Uri) -> Arc<str> {
    server.authority().map_or("", http::uri::Authority::as_str).into()
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::sync::Mutex;

    use tokio::time::{Instant, sleep};

    use super::*;

    fn patience(seconds: u64) -> (Patience, Arc<Mutex<Vec<String>>>) {
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let hook = {
            let heard = Arc::clone(&heard);
            move |server: &str| heard.lock().unwrap().push(server.to_owned())
        };
        let server = Uri::from_static("https://10.0.0.1:6443/path");
        (Patience::new(&server, Some(Duration::from_secs(seconds)), Some(Arc::new(hook))), heard)
    }

    #[tokio::test(start_paused = true)]
    async fn each_silence_is_reported_once_and_limited() {
        let (patience, heard) = patience(60);
        let begun = Instant::now();
        let late = tokio::join!(patience.wait(pending::<()>()), patience.wait(pending::<()>()));
        assert_eq!(late.0.unwrap_err().to_string(), "no answer within 60s");
        assert!(late.1.is_err());
        assert_eq!(begun.elapsed(), Duration::from_secs(60));
        assert_eq!(*heard.lock().unwrap(), ["10.0.0.1:6443"]);
        // A server that stays slow is reported once.
        patience.wait(sleep(Duration::from_secs(3))).await.unwrap();
        assert_eq!(heard.lock().unwrap().len(), 1);
        patience.wait(ready(())).await.unwrap();
        patience.wait(sleep(Duration::from_secs(3))).await.unwrap();
        assert_eq!(heard.lock().unwrap().len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_of_zero_is_none_and_a_short_one_is_not_reported() {
        let (short, heard) = patience(1);
        assert!(short.wait(pending::<()>()).await.is_err());
        assert!(heard.lock().unwrap().is_empty());
        let (endless, heard) = patience(0);
        endless.wait(sleep(Duration::from_secs(1_000_000))).await.unwrap();
        assert_eq!(heard.lock().unwrap().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_ends_by_silence_not_by_length() {
        let pieces = |pause: u64| {
            let frames = stream::unfold(0, move |number| async move {
                sleep(Duration::from_secs(pause)).await;
                let frame = hyper::body::Frame::data(Bytes::from_static(b"x"));
                (number < 100).then_some((Ok::<_, BoxError>(frame), number + 1))
            });
            StreamBody::new(frames)
        };
        let (patience, _) = patience(5);
        let whole = patience.guard(pieces(4)).collect().await.unwrap().to_bytes();
        assert_eq!(whole.len(), 100);
        assert!(patience.guard(pieces(6)).collect().await.unwrap_err().is::<ServerSilent>());
    }
}
