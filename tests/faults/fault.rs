//! The faults of one call.

use crate::call::Call;

/// A text in every injected response. It must never appear in the output of a worker.
pub(crate) const MARK: &str = "injected";

/// The response of a proxy that wants a login.
const PAGE: &str = "<html><body>injected login page</body></html>\n";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Fault {
    /// 429 with `Retry-After`; the server has not acted.
    TooManyRequests,
    ErrorBeforeActing,
    ErrorAfterActing,
    Unavailable,
    Unauthorized,
    Forbidden,
    Conflict,
    Gone,
    ResetBeforeActing,
    ResetAfterActing,
    /// The connection is closed in the middle of the body.
    CutBody,
    /// The server has acted, and its response is not JSON.
    Malformed,
    /// A login page with status 200.
    Html,
    Redirect,
    /// The request is accepted and never answered.
    Stall,
    /// The whole response of a watch comes later.
    LateWatch,
    /// A watch begins, and delivers nothing.
    SilentWatch,
}

impl Fault {
    pub(crate) const ALL: [Self; 17] = [
        Self::TooManyRequests,
        Self::ErrorBeforeActing,
        Self::ErrorAfterActing,
        Self::Unavailable,
        Self::Unauthorized,
        Self::Forbidden,
        Self::Conflict,
        Self::Gone,
        Self::ResetBeforeActing,
        Self::ResetAfterActing,
        Self::CutBody,
        Self::Malformed,
        Self::Html,
        Self::Redirect,
        Self::Stall,
        Self::LateWatch,
        Self::SilentWatch,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::TooManyRequests => "429",
            Self::ErrorBeforeActing => "500 before",
            Self::ErrorAfterActing => "500 after",
            Self::Unavailable => "503",
            Self::Unauthorized => "401",
            Self::Forbidden => "403",
            Self::Conflict => "409",
            Self::Gone => "410",
            Self::ResetBeforeActing => "reset before",
            Self::ResetAfterActing => "reset after",
            Self::CutBody => "cut body",
            Self::Malformed => "malformed",
            Self::Html => "text/html",
            Self::Redirect => "redirect",
            Self::Stall => "stall",
            Self::LateWatch => "late watch",
            Self::SilentWatch => "silent watch",
        }
    }

    /// Returns whether this fault makes a difference to a call.
    pub(crate) fn applies_to(self, call: &Call) -> bool {
        match self {
            // A client can't see whether a server has read something before it failed.
            Self::ErrorAfterActing | Self::ResetAfterActing => !call.is_read(),
            Self::LateWatch | Self::SilentWatch => call.is_watch(),
            // No text is malformed as a log.
            Self::Malformed => !call.0.starts_with("GET log"),
            _ => true,
        }
    }

    /// Returns whether a cell tries this fault on every later call, too.
    pub(crate) fn can_last(self, call: &Call) -> bool {
        match self {
            Self::Unauthorized | Self::Forbidden => true,
            // A watching verb waits for minutes until an outage ends: too long for a cell.
            Self::ErrorBeforeActing | Self::Unavailable | Self::Html | Self::Redirect | Self::Stall => {
                !call.is_stream() && !call.0.ends_with(" by name") && !call.0.ends_with(" by phase")
            }
            _ => false,
        }
    }

    /// Returns whether the program must complete its work after one such fault.
    pub(crate) fn must_be_survived(self, call: &Call) -> bool {
        match self {
            // After the last two, the change was made, and the cluster shows it.
            Self::TooManyRequests
            | Self::LateWatch
            | Self::SilentWatch
            | Self::ErrorAfterActing
            | Self::ResetAfterActing => true,
            Self::Unavailable | Self::ResetBeforeActing => !call.is_write_or_trial(),
            Self::Malformed => call.is_watch() || !call.is_read(),
            Self::CutBody => call.is_stream() || !call.is_read(),
            Self::ErrorBeforeActing => call.is_stream(),
            Self::Gone => call.is_watch(),
            _ => false,
        }
    }

    /// Returns the response in place of the server's; `None` if the connection breaks.
    pub(crate) fn answer(self) -> Option<Vec<u8>> {
        let status = |code: u16, reason: &str| {
            let message = match self {
                Self::ErrorAfterActing => "etcdserver: request timed out (injected)",
                _ => "injected fault",
            };
            let body = format!(
                r#"{{"kind":"Status","apiVersion":"v1","metadata":{{}},"status":"Failure","message":"{message}","reason":"{reason}","code":{code}}}"#
            );
            let head = if code == 429 { "Retry-After: 1\r\n" } else { "" };
            (format!("{code} {reason}"), format!("{head}Content-Type: application/json\r\n"), body)
        };
        let (line, head, body) = match self {
            Self::TooManyRequests => status(429, "TooManyRequests"),
            Self::ErrorBeforeActing | Self::ErrorAfterActing => status(500, "InternalError"),
            Self::Unavailable => status(503, "ServiceUnavailable"),
            Self::Unauthorized => status(401, "Unauthorized"),
            Self::Forbidden => status(403, "Forbidden"),
            Self::Conflict => status(409, "Conflict"),
            Self::Gone => status(410, "Expired"),
            Self::Malformed => {
                ("200 OK".to_owned(), "Content-Type: application/json\r\n".to_owned(), r#"{"injected": {"#.to_owned())
            }
            Self::Html => ("200 OK".to_owned(), "Content-Type: text/html\r\n".to_owned(), PAGE.to_owned()),
            Self::Redirect => {
                let head = "Location: /injected-login\r\nContent-Type: text/html\r\n".to_owned();
                ("302 Found".to_owned(), head, PAGE.to_owned())
            }
            _ => return None,
        };
        Some(format!("HTTP/1.1 {line}\r\n{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes())
    }

    /// Returns whether the server acts before the fault.
    pub(crate) fn acts(self) -> bool {
        matches!(self, Self::ErrorAfterActing | Self::ResetAfterActing | Self::Malformed)
    }
}
