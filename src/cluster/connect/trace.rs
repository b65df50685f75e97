//! Prints requests and answers as kubectl does for `-v 6` to `-v 9`: client-go's `transport/round_trippers.go` and
//! `rest/request.go`, in klog's text form. Credentials are masked.
//!
//! Level 6 prints the status and time of answers, 7 also the headers of requests, 8 also the headers of answers and all
//! bodies, 9 requests as curl commands.

use std::time::Instant;

use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body_util::{BodyExt as _, Full};
use itertools::Itertools as _;
use jiff::Zoned;
use kube::client::Body;
use tower::BoxError;

use super::Hook;
use super::transport::{Reply, has_query_flag};

#[derive(Clone, Default)]
pub(crate) struct Trace {
    /// kubectl's `-v`.
    pub(crate) level: u8,
    /// Called with the lines to print.
    pub(crate) hook: Hook,
}

impl Trace {
    /// Prints a request; `body` is a copy of its body.
    pub(super) async fn print_request(&self, head: &Parts, body: Option<Body>) {
        if self.level >= 8
            && let Some(body) = body
        {
            self.print_line(&format!(
                "\"Request Body\" body={}",
                self.format_body(&body.collect_bytes().await.unwrap_or_default())
            ));
        }
        if self.level >= 9 {
            let headers = header_lines(&head.headers).map(|header| format!(" -H {header:?}")).join("");
            self.print_line(&format!(
                "\"Request\" curlCommand=<\n\tcurl -v -X{} {headers} '{}'\n >",
                head.method, head.uri
            ));
        } else if self.level >= 7 {
            self.print_line(&format!("\"Request\" {} headers={}", format_address(head), format_headers(&head.headers)));
        }
    }

    /// Prints an answer and its body, except those of watches, which don't end, and of logs, which may be long.
    pub(super) async fn print_response(
        &self,
        head: &Parts,
        sent: Instant,
        reply: Result<Reply, BoxError>,
    ) -> Result<Reply, BoxError> {
        if self.level < 6 {
            return reply;
        }
        let status = reply.as_ref().map(|reply| reply.status().to_string()).unwrap_or_default();
        // kubectl repeats the address at the levels that don't print it with the request.
        let address = if matches!(self.level, 7 | 8) { String::new() } else { format!(" {}", format_address(head)) };
        let headers = match &reply {
            Ok(reply) if self.level >= 8 => format!(" headers={}", format_headers(reply.headers())),
            _ => String::new(),
        };
        let took = sent.elapsed().as_millis();
        self.print_line(&format!("\"Response\"{address} status={status:?}{headers} milliseconds={took}"));
        if self.level < 8 || has_query_flag(&head.uri, "watch") || head.uri.path().ends_with("/log") {
            return reply;
        }
        let (head, body) = reply?.into_parts();
        let body = body.collect().await?.to_bytes();
        self.print_line(&format!("\"Response Body\" body={}", self.format_body(&body)));
        Ok(Reply::from_parts(head, Full::new(body).map_err(BoxError::from).boxed_unsync()))
    }

    /// Prints a line with klog's prefix.
    fn print_line(&self, text: &str) {
        let now = Zoned::now().strftime("%m%d %H:%M:%S%.6f");
        if let Some(hook) = &self.hook {
            hook(&format!("I{now} {:>7} kubectl-indexed] {text}", std::process::id()));
        }
    }

    /// Returns the part of a body that kubectl prints.
    fn format_body(&self, bytes: &[u8]) -> String {
        let limit = match self.level {
            ..=8 => 1024,
            9 => 10240,
            _ => usize::MAX,
        };
        let (shown, rest) = bytes.split_at(bytes.len().min(limit));
        let mut text = String::from_utf8_lossy(shown).into_owned();
        if text.contains(|one| one < '\n') {
            return format!("\"[{} bytes that are not text]\"", bytes.len());
        }
        if !rest.is_empty() {
            text = format!("{text} [truncated {} chars]", rest.len());
        }
        // klog prints texts of several lines so.
        if text.contains('\n') {
            format!("<\n\t{}\n >", text.trim_end().replace('\n', "\n\t"))
        } else {
            format!("{text:?}")
        }
    }
}

fn format_address(head: &Parts) -> String {
    format!("verb={:?} url={:?}", head.method.as_str(), head.uri.to_string())
}

fn format_headers(headers: &HeaderMap) -> String {
    format!("<\n{} >", header_lines(headers).map(|header| format!("\t{header}\n")).join(""))
}

/// Returns headers as Go writes them, in alphabetical order.
fn header_lines(headers: &HeaderMap) -> impl Iterator<Item = String> {
    headers.iter().map(|(name, value)| format!("{}: {}", canonical_name(name), mask_credential(name, value))).sorted()
}

/// Returns `Accept-Encoding` for `accept-encoding`.
fn canonical_name(name: &HeaderName) -> String {
    let upper = |part: &str| part.get(..1).unwrap_or_default().to_ascii_uppercase() + part.get(1..).unwrap_or_default();
    name.as_str().split('-').map(upper).join("-")
}

/// Returns the value, or only the kind of a credential.
fn mask_credential(name: &HeaderName, value: &HeaderValue) -> String {
    let text = String::from_utf8_lossy(value.as_bytes());
    if !value.is_sensitive() && ![AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE, SET_COOKIE].contains(name) {
        return text.into_owned();
    }
    match text.split_once(' ') {
        Some((kind @ ("Basic" | "Bearer" | "Negotiate"), _)) => format!("{kind} <masked>"),
        _ => "<masked>".to_owned(),
    }
}
