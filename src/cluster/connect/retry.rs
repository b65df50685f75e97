//! Decides which requests are repeated, and when.
//!
//! A write is never repeated on a guess: after a lost connection or a 504 the server may have acted. It is repeated
//! only if the server says that it did not act (429 with `Retry-After`).

use std::error::Error as StdError;
use std::io::ErrorKind;
use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, Method, StatusCode, Uri};

use super::transport::has_query_flag;

pub(super) const MAX_TRIES: u32 = 5;
/// The maximum of all pauses of a request together.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(10);
const FIRST_WAIT: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(super) struct RetryBudget {
    /// The request changes nothing, and its answer ends.
    reads: bool,
    sent: u32,
    left: Duration,
}

impl RetryBudget {
    pub(super) fn new(method: &Method, uri: &Uri) -> Self {
        // The callers of watches resume them themselves.
        let reads = matches!(*method, Method::GET | Method::HEAD) && !has_query_flag(uri, "watch");
        Self { reads, sent: 1, left: MAX_WAIT }
    }

    /// Returns the pause before the request is repeated after this answer; `None` if the answer is final.
    pub(super) fn pause_after_answer(&mut self, status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
        let asked = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
        let asked = asked.map(Duration::from_secs);
        let again = match status {
            StatusCode::TOO_MANY_REQUESTS => self.reads || asked.is_some(),
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => self.reads,
            _ => false,
        };
        if again { self.next_pause(asked) } else { None }
    }

    /// Returns the same for a connection that was lost before the answer.
    pub(super) fn pause_after_loss(&mut self, error: &(dyn StdError + 'static)) -> Option<Duration> {
        if self.reads && is_lost_connection(error) { self.next_pause(None) } else { None }
    }

    fn next_pause(&mut self, asked: Option<Duration>) -> Option<Duration> {
        if self.sent >= MAX_TRIES {
            return None;
        }
        let spread = 0.5 + fastrand::f64();
        let own = FIRST_WAIT.mul_f64(f64::from(1_u32 << (self.sent - 1)) * spread);
        // The server's pause is a minimum; the jitter spreads many clients.
        let wait = asked.map_or(own, |asked| asked.saturating_add(FIRST_WAIT.mul_f64(fastrand::f64())));
        self.left = self.left.checked_sub(wait)?;
        self.sent += 1;
        Some(wait)
    }
}

/// Whether an established connection broke. A failure to connect is another error.
fn is_lost_connection(error: &(dyn StdError + 'static)) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let is_lost_connection = |error: &(dyn StdError + 'static)| {
        if let Some(error) = error.downcast_ref::<hyper::Error>()
            && (error.is_incomplete_message() || error.is_canceled() || error.is_closed())
        {
            return Some(true);
        }
        let kind = error.downcast_ref::<std::io::Error>()?.kind();
        Some(matches!(kind, ConnectionReset | BrokenPipe | ConnectionAborted | UnexpectedEof))
    };
    std::iter::successors(Some(error), |&error| error.source()).find_map(is_lost_connection) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(method: &Method, uri: &'static str) -> RetryBudget {
        RetryBudget::new(method, &Uri::from_static(uri))
    }

    fn headers(after: Option<&'static str>) -> HeaderMap {
        after.map(|after| (RETRY_AFTER, http::HeaderValue::from_static(after))).into_iter().collect()
    }

    #[test]
    fn only_safe_requests_are_repeated() {
        // (method, URI, status, Retry-After, sent again)
        let cases = [
            (Method::GET, "/jobs", 429, None, true),
            (Method::GET, "/jobs", 503, None, true),
            (Method::GET, "/jobs", 504, None, true),
            (Method::HEAD, "/jobs", 503, Some("1"), true),
            (Method::GET, "/jobs", 500, Some("1"), false),
            (Method::GET, "/jobs", 404, None, false),
            (Method::GET, "/jobs?watch=true", 503, None, false),
            (Method::GET, "/jobs?limit=5&watch=1", 503, None, false),
            (Method::GET, "/jobs?fieldSelector=metadata.name%3Dwatch", 503, None, true),
            (Method::POST, "/jobs", 429, None, false),
            (Method::POST, "/jobs", 429, Some("1"), true),
            (Method::POST, "/jobs", 503, Some("1"), false),
            (Method::PATCH, "/jobs/a", 504, None, false),
            (Method::DELETE, "/jobs/a", 429, Some("1"), true),
            (Method::GET, "/jobs", 429, Some("11"), false),
            (Method::GET, "/jobs", 429, Some("99999999999999999999"), true),
        ];
        for (method, uri, status, after, expected) in cases {
            let status = StatusCode::from_u16(status).unwrap();
            let wait = budget(&method, uri).pause_after_answer(status, &headers(after));
            assert_eq!(wait.is_some(), expected, "{method} {uri} {status} {after:?}");
        }
    }

    #[test]
    fn tries_and_time_are_bounded() {
        let mut one = budget(&Method::GET, "/jobs");
        let (mut count, mut total) = (1, Duration::ZERO);
        while let Some(wait) = one.pause_after_answer(StatusCode::SERVICE_UNAVAILABLE, &HeaderMap::new()) {
            (count, total) = (count + 1, total + wait);
        }
        assert_eq!(count, MAX_TRIES);
        assert!(total <= MAX_WAIT, "{total:?}");
        let mut slow = budget(&Method::POST, "/jobs");
        let mut count = 1;
        while let Some(wait) = slow.pause_after_answer(StatusCode::TOO_MANY_REQUESTS, &headers(Some("4"))) {
            assert!(wait >= Duration::from_secs(4));
            count += 1;
        }
        assert_eq!(count, 3, "4 s and 4 s fit into 10 s");
    }
}
