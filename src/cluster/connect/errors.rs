//! Converts errors of the HTTP client and statuses of the server to errors with hints.

use std::error::Error as StdError;
use std::io::ErrorKind;

use http::Uri;
use hyper_util::client::legacy;
use kube::core::Status;

use super::silence::ServerSilent;
use super::stack::ForeignAnswer;
use super::tls;
use super::transport::{ConnectTimeout, ProxyFailed, UnknownHost};
use crate::error::{self, Error, Hint, Kind};

/// Longer texts of a server, such as a proxy's whole page, are cut.
const MAX_MESSAGE: usize = 400;

/// The reason that kube-client 5.0 (`client/mod.rs`) gives to an answer whose body is not a Status; a test compares.
pub(crate) const NOT_A_STATUS: &str = "Failed to parse error data";

/// Turns the error of a kube call into ours; `action` is such as "get job x", as in "can't get job x".
pub(crate) fn request_error(action: &str, server: &str, error: kube::Error) -> Error {
    match error {
        kube::Error::Api(status) => status_error(action, server, &status),
        kube::Error::Service(error) => match error.downcast::<Error>() {
            Ok(own) => Error::new(own.kind(), format!("can't {action}: {}", chain(&*own))).with_hints_of(&own),
            Err(error) => connection_error(action, server, &*error),
        },
        kube::Error::HyperError(error) => connection_error(action, server, &error),
        kube::Error::ReadEvents(error) => connection_error(action, server, &error),
        kube::Error::SerdeError(error) => {
            Error::new(Kind::Failed, format!("can't {action}: the answer of the server {server} is invalid: {error}"))
                .hint(foreign_server_hint())
        }
        other => Error::new(Kind::Failed, format!("can't {action}: {}", chain(&other))),
    }
}

/// Returns the hint for an answer that no API server sends.
pub(crate) fn foreign_server_hint() -> Hint {
    let question = "is it an API server, not a login page or a proxy?";
    Hint::kubectl(&["config", "view", "--minify"], &format!("shows the server's URL: {question}"))
}

/// Whether a change was certainly not made: the server refused it, or never received it.
pub(crate) fn is_refusal(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => matches!(status.code, 400..=499) && !matches!(status.code, 408 | 429),
        kube::Error::Service(error) => {
            error.is::<Error>() || find::<legacy::Error>(&causes(&**error)).is_some_and(legacy::Error::is_connect)
        }
        kube::Error::BuildRequest(_) | kube::Error::HttpError(_) => true,
        _ => false,
    }
}

/// Whether a failed request may succeed later: not if the server refused it, nor if it was silent for as long as the
/// user allows.
pub(crate) fn is_transient(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(_) => !is_refusal(error),
        kube::Error::Service(error) => !error.is::<Error>() && !error.is::<ServerSilent>(),
        _ => true,
    }
}

/// Returns the texts of an error and its causes, each once.
pub(super) fn chain(error: &(dyn StdError + 'static)) -> String {
    error::chain(causes(error).into_iter())
}

/// Returns the error and its causes, with those inside I/O errors, which don't count among their sources.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> Vec<&'a (dyn StdError + 'static)> {
    let mut all = Vec::new();
    let mut next = Some(error);
    // No chain is this long, unless it goes in circles.
    while let Some(error) = next.filter(|_| all.len() < 32) {
        all.push(error);
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = inner.map(|inner| inner as &(dyn StdError + 'static)).or_else(|| error.source());
    }
    all
}

fn find<'a, T: StdError + 'static>(causes: &[&'a (dyn StdError + 'static)]) -> Option<&'a T> {
    causes.iter().find_map(|error| error.downcast_ref())
}

fn host_and_port(server: &str) -> String {
    let uri = server.parse::<Uri>().ok();
    uri.as_ref().and_then(Uri::authority).map_or_else(|| server.to_owned(), ToString::to_string)
}

fn connection_error(action: &str, server: &str, error: &(dyn StdError + 'static)) -> Error {
    let causes = causes(error);
    let host = host_and_port(server);
    let contexts = Hint::kubectl(&["config", "get-contexts"], "lists the contexts; --context NAME selects one");
    let unreachable = |why: &str| Error::new(Kind::Unreachable, format!("can't {action}: {why}"));
    if let Some(ServerSilent(limit)) = find(&causes) {
        return unreachable(&format!("the server {host} did not answer within {limit:?}"))
            .hint("--request-timeout sets the limit; 0 waits forever");
    }
    if let Some(foreign) = find::<ForeignAnswer>(&causes) {
        let message = format!("can't {action}: the server {host} is not a Kubernetes API server: {foreign}");
        return Error::new(Kind::Failed, message).hint(foreign_server_hint());
    }
    if let Some(late) = find::<ConnectTimeout>(&causes) {
        return unreachable(&format!("the server {host} can't be reached: {late}"))
            .hint("check the network and the VPN")
            .hint(contexts);
    }
    if let Some(error) = find::<ProxyFailed>(&causes) {
        let why = error.source().map(chain).unwrap_or_default();
        return unreachable(&format!("the proxy for {host} failed: {why}")).hint(
            "proxy-url in the kubeconfig, else HTTPS_PROXY, sets the proxy; NO_PROXY lists hosts that need none",
        );
    }
    if let Some(error) = find::<rustls::Error>(&causes) {
        let (why, hint) = explain_tls_error(&host, error);
        return unreachable(&why).hint(hint);
    }
    let why = match (find::<UnknownHost>(&causes), find::<std::io::Error>(&causes).map(std::io::Error::kind)) {
        (Some(unknown), _) => format!("the host of the server {host} is unknown: {unknown}"),
        (None, Some(ErrorKind::ConnectionRefused)) => {
            return unreachable(&format!("the connection to the server {host} was refused"))
                .hint("check the host and the port, and whether the cluster runs")
                .hint(contexts);
        }
        (None, Some(ErrorKind::TimedOut)) => format!("the server {host} does not answer"),
        _ => format!("the connection to the server {host} failed: {}", chain(error)),
    };
    unreachable(&why).hint(contexts)
}

/// Returns why TLS failed, and a hint.
fn explain_tls_error(host: &str, error: &rustls::Error) -> (String, &'static str) {
    use rustls::AlertDescription::{HandshakeFailure, InsufficientSecurity, ProtocolVersion};
    use rustls::Error::{AlertReceived, InvalidCertificate, InvalidMessage, PeerIncompatible};
    let no_tls = "check that this host and port serve https://";
    let certificate = format!("the certificate of the server {host}");
    if let Some(fault) = tls::certificate_fault(error) {
        return (format!("{certificate} {fault}"), fault.hint);
    }
    match error {
        // From the system's own verifier.
        InvalidCertificate(why) => (format!("{certificate} is not trusted by this system: {why}"), tls::TRUST),
        // The alerts of a server that shares nothing with us.
        PeerIncompatible(_) | AlertReceived(HandshakeFailure | InsufficientSecurity | ProtocolVersion) => (
            format!("the server {host} and this program share no version or cipher of TLS: {error}"),
            "the server needs TLS 1.2 or 1.3 with a current cipher and key exchange",
        ),
        AlertReceived(_) => (
            format!("the server {host} ended the TLS handshake: {error}"),
            "the client certificate may be missing, expired or for another cluster: check the user in the kubeconfig",
        ),
        InvalidMessage(_) => (format!("the server {host} does not speak TLS: {error}"), no_tls),
        _ => (format!("TLS with the server {host} failed: {error}"), no_tls),
    }
}

fn status_error(action: &str, server: &str, status: &Status) -> Error {
    let said = server_message(status);
    let error = |kind: Kind, why: &str| Error::new(kind, format!("can't {action}: {why}"));
    let wait = "wait a moment, then try again";
    match (status.code, status.reason.as_str()) {
        (401, _) | (_, "Unauthorized") => {
            let detail = if said == "Unauthorized" { String::new() } else { format!(" ({said})") };
            error(Kind::Unauthorized, &format!("you must be logged in to the server {}{detail}", host_and_port(server)))
                .hint("the credentials are missing, wrong or expired: log in again the way your cluster requires")
                .hint(Hint::kubectl(&["config", "view", "--minify"], "shows the user and its login"))
        }
        (403, _) | (_, "Forbidden") => hint_permission(error(Kind::Forbidden, &said), &said),
        (404, _) | (_, "NotFound") => hint_missing(error(Kind::NotFound, &said), status),
        (_, "AlreadyExists") => error(Kind::AlreadyExists, &said),
        (422, _) | (_, "Invalid") => {
            let kind = invalid_kind(status).unwrap_or_else(|| "job".to_owned());
            error(Kind::Usage, &invalid_message(status, &said))
                .hint(Hint::kubectl(&["explain", &kind], "describes the fields"))
        }
        (429, _) | (_, "TooManyRequests") => {
            error(Kind::Unreachable, &format!("the server {} is too busy: {said}", host_and_port(server))).hint(wait)
        }
        (502..=504, _) | (_, "Timeout" | "ServerTimeout" | "ServiceUnavailable") => {
            error(Kind::Unreachable, &format!("the server {} is unavailable: {said}", host_and_port(server))).hint(wait)
        }
        // What Go's servers answer to plain HTTP on a port for HTTPS.
        (400, NOT_A_STATUS) if server.starts_with("http://") => {
            error(Kind::Unreachable, &said).hint("begin the URL with https://, in --server or in the kubeconfig")
        }
        (409, _) => error(Kind::Failed, &said).hint("another client changed the object at the same time: try again"),
        (410, _) => error(Kind::Failed, &said).hint("the server has dropped this version of the list: try again"),
        (500.., _) => error(Kind::Failed, &said).hint(format!("the server failed, not the request: {wait}")),
        _ => error(Kind::Failed, &said),
    }
}

/// Returns the server's message on one line; a page in its place is cut.
fn server_message(status: &Status) -> String {
    let line = status.message.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = match (line.is_empty(), status.reason.is_empty()) {
        (false, _) => line,
        (true, false) => status.reason.clone(),
        (true, true) => format!("the server answered with status {}", status.code),
    };
    match said.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) if status.reason == NOT_A_STATUS => format!("{}...", &said[..end]),
        _ => said,
    }
}

fn hint_permission(error: Error, said: &str) -> Error {
    if let Some(permission) = refused_permission(said) {
        let words: Vec<&str> = ["auth", "can-i"].into_iter().chain(permission.iter().map(String::as_str)).collect();
        return error
            .hint(Hint::kubectl(&words, "checks this permission"))
            .hint("ask the cluster's administrator for a Role with this verb and resource, and a RoleBinding to you");
    }
    if is_over_quota(said) {
        return error.hint(Hint::kubectl(&["describe", "quota"], "shows the usage and the limits"));
    }
    let policies = "lists your permissions; a policy of the cluster may refuse more";
    error.hint(Hint::kubectl(&["auth", "can-i", "--list"], policies))
}

/// Whether a quota refused an object. Only the message says so (Kubernetes 1.36,
/// `plugin/pkg/admission/resourcequota/controller.go`).
fn is_over_quota(said: &str) -> bool {
    said.contains("exceeded quota: ")
}

/// Returns the request that RBAC refused, as arguments of `kubectl auth can-i`. The namespace is that of the flags.
///
/// Only the message has it (Kubernetes 1.36, `ForbiddenMessage` in `responsewriters/errors.go`), such as
/// `User "u" cannot list resource "pods/log" in API group "" in the namespace "n"`.
fn refused_permission(said: &str) -> Option<Vec<String>> {
    let (verb, rest) = said.split_once(" cannot ")?.1.split_once(" resource \"")?;
    let (resource, rest) = rest.split_once('"')?;
    let (group, rest) = rest.split_once("in API group \"")?.1.split_once('"')?;
    // Only plain words go into a command that users paste.
    let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-./*".contains(c));
    if ![verb, resource, group].into_iter().all(is_plain) {
        return None;
    }
    let (resource, subresource) = resource.split_once('/').map_or((resource, None), |(all, part)| (all, Some(part)));
    let resource = if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") };
    let subresource = subresource.into_iter().flat_map(|name| ["--subresource".to_owned(), name.to_owned()]);
    let scope = (!rest.contains("in the namespace \"")).then(|| "-A".to_owned());
    Some([verb.to_owned(), resource].into_iter().chain(subresource).chain(scope).collect())
}

fn hint_missing(error: Error, status: &Status) -> Error {
    let details = status.details.as_ref();
    match details.map(|details| (details.kind.as_str(), details.name.as_str())) {
        Some(("namespaces", name)) if !name.is_empty() => error
            .hint_if(
                name.parse::<u32>().is_ok().then_some("-n names the namespace; -j N sets how many indexes run at once"),
            )
            .hint(Hint::kubectl(&["get", "namespaces"], "lists the namespaces")),
        Some((_, name)) if !name.is_empty() => error,
        _ => error.hint(
            Hint::from("the server may be too old, or not a Kubernetes API server: ")
                .then(Hint::kubectl(&["version"], "shows its version")),
        ),
    }
}

/// Returns each cause once, on a line of its own if there are several.
fn invalid_message(status: &Status, said: &str) -> String {
    let Some(details) = status.details.as_ref().filter(|details| !details.causes.is_empty()) else {
        return said.to_owned();
    };
    let mut causes: Vec<String> = Vec::new();
    for cause in &details.causes {
        let text = match cause.field.as_str() {
            "" | "<nil>" => cause.message.clone(),
            field => format!("{field}: {}", cause.message),
        };
        if !causes.contains(&text) {
            causes.push(text);
        }
    }
    let object = match (details.kind.as_str(), details.name.as_str()) {
        ("", "") => "the request".to_owned(),
        (kind, "") => format!("the {kind}"),
        ("", name) => format!("{name:?}"),
        (kind, name) => format!("the {kind} {name:?}"),
    };
    match causes.as_slice() {
        [one] => format!("{object} is invalid: {one}"),
        all => format!("{object} is invalid:\n  {}", all.join("\n  ")),
    }
}

/// Returns the kind of an invalid object, as `kubectl explain` takes it.
fn invalid_kind(status: &Status) -> Option<String> {
    let kind = &status.details.as_ref()?.kind;
    let is_plain = !kind.is_empty() && kind.chars().all(|c| c.is_ascii_alphanumeric());
    is_plain.then(|| kind.to_lowercase())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SERVER: &str = "https://10.0.0.1:6443";

    /// Returns the kind, the text and the hints of the error that a status becomes.
    fn explain(code: u16, reason: &str, message: &str, details: &serde_json::Value) -> (Kind, String, String) {
        let status = json!({"code": code, "reason": reason, "message": message, "details": details});
        let error = kube::Error::Api(serde_json::from_value(status).unwrap());
        let error = request_error("create job x", SERVER, error);
        (error.kind(), error.to_string(), error.hints_with_flags(" -n n").join(" | "))
    }

    #[test]
    fn a_refused_request_names_the_missing_permission() {
        let (kind, text, hints) = explain(
            403,
            "Forbidden",
            r#"jobs.batch is forbidden: User "ann" cannot create resource "jobs" in API group "batch" in the namespace "ns""#,
            &json!({}),
        );
        assert_eq!(kind, Kind::Forbidden);
        assert!(text.starts_with("can't create job x: jobs.batch is forbidden: User \"ann\" cannot create"), "{text}");
        assert!(hints.starts_with("kubectl auth can-i create jobs.batch -n n checks"), "{hints}");
        assert!(hints.contains("Role"), "{hints}");
        let message =
            r#"pods "p" is forbidden: User "ann" cannot get resource "pods/log" in API group "" in the namespace "ns""#;
        let (_, _, hints) = explain(403, "Forbidden", message, &json!({}));
        assert!(hints.contains("can-i get pods --subresource log -n n"), "{hints}");
        let message = r#"jobs.batch is forbidden: User "ann" cannot list resource "jobs" in API group "batch" at the cluster scope"#;
        let (_, _, hints) = explain(403, "Forbidden", message, &json!({}));
        assert!(hints.contains("can-i list jobs.batch -A"), "{hints}");
        // Other characters are not put into a command.
        let message = r#"x: User "ann" cannot get; rm resource "pods" in API group "" in the namespace "ns""#;
        assert!(!explain(403, "Forbidden", message, &json!({})).2.contains("; rm"));
        let (_, _, hints) = explain(403, "Forbidden", "exceeded quota: q, requested: pods=1", &json!({}));
        assert!(hints == "kubectl describe quota -n n shows the usage and the limits", "{hints}");
        let (kind, text, hints) = explain(401, "Unauthorized", "Unauthorized", &json!({}));
        assert_eq!(
            (kind, text.as_str()),
            (Kind::Unauthorized, "can't create job x: you must be logged in to the server 10.0.0.1:6443")
        );
        assert!(hints.contains("credentials"), "{hints}");
    }

    #[test]
    fn a_missing_object_a_missing_namespace_and_a_missing_path_differ() {
        let (kind, text, hints) = explain(
            404,
            "NotFound",
            r#"jobs.batch "x" not found"#,
            &json!({"kind": "jobs", "group": "batch", "name": "x"}),
        );
        assert_eq!(
            (kind, text.as_str(), hints.as_str()),
            (Kind::NotFound, r#"can't create job x: jobs.batch "x" not found"#, "")
        );
        let (kind, _, hints) =
            explain(404, "NotFound", r#"namespaces "n" not found"#, &json!({"kind": "namespaces", "name": "n"}));
        assert_eq!((kind, hints.as_str()), (Kind::NotFound, "kubectl get namespaces -n n lists the namespaces"));
        let (_, _, hints) =
            explain(404, "NotFound", r#"namespaces "1" not found"#, &json!({"kind": "namespaces", "name": "1"}));
        assert!(hints.starts_with("-n names the namespace; -j N sets how many indexes run at once"), "{hints}");
        let (kind, _, hints) = explain(404, "NotFound", "the server could not find the requested resource", &json!({}));
        assert_eq!(kind, Kind::NotFound);
        assert!(hints.contains("kubectl version"), "{hints}");
        let (kind, ..) = explain(409, "AlreadyExists", r#"jobs.batch "x" already exists"#, &json!({}));
        assert_eq!(kind, Kind::AlreadyExists);
        let (kind, ..) = explain(409, "Conflict", "the object has been modified", &json!({}));
        assert_eq!(kind, Kind::Failed);
    }

    #[test]
    fn every_cause_of_an_invalid_object_is_printed() {
        let cause =
            |field: &str, message: &str| json!({"reason": "FieldValueInvalid", "field": field, "message": message});
        let details = json!({"kind": "Job", "name": "x", "causes": [
            cause("spec.completions", "Invalid value: -1: must be greater than or equal to 0"),
            cause("spec.parallelism", "Invalid value: -1"),
            cause("spec.parallelism", "Invalid value: -1"),
        ]});
        let (kind, text, _) = explain(422, "Invalid", "all of it on one line", &details);
        assert_eq!(kind, Kind::Usage);
        let expected = "can't create job x: the Job \"x\" is invalid:\n  spec.completions: Invalid value: -1: must be \
                        greater than or equal to 0\n  spec.parallelism: Invalid value: -1";
        assert_eq!(text, expected);
        let details = json!({"kind": "Job", "name": "x", "causes": [cause("spec.parallelism", "no")]});
        assert_eq!(
            explain(422, "Invalid", "", &details).1,
            r#"can't create job x: the Job "x" is invalid: spec.parallelism: no"#
        );
        assert_eq!(
            explain(422, "", "the server rejected our request", &json!(null)).1,
            "can't create job x: the server rejected our request"
        );
    }

    #[test]
    fn an_overloaded_server_counts_as_unreachable() {
        for (code, reason) in
            [(429, "TooManyRequests"), (503, "ServiceUnavailable"), (504, "Timeout"), (500, "ServerTimeout"), (502, "")]
        {
            let (kind, text, hints) = explain(code, reason, "later", &json!({}));
            assert_eq!(kind, Kind::Unreachable, "{code}");
            assert!(text.contains("10.0.0.1:6443") && text.ends_with("later") && !hints.is_empty(), "{text}");
        }
        assert_eq!(explain(500, "InternalError", "boom", &json!({})).0, Kind::Failed);
        // A page instead of a status.
        let page = format!("<html>\n{}", "x".repeat(5000));
        let (_, text, _) = explain(502, "Failed to parse error data", &page, &json!({}));
        assert!(text.len() < 600 && text.ends_with("...") && !text.contains('\n'), "{text}");
        assert_eq!(explain(500, "", "", &json!({})).1, "can't create job x: the server answered with status 500");
    }

    #[test]
    fn no_text_of_a_chain_is_printed_twice() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer: {0}")]
        struct Outer(#[source] std::io::Error);
        let inner = || std::io::Error::other(std::io::Error::other("inner"));
        assert_eq!(chain(&Outer(inner())), "outer: inner");
        let error = request_error("ask", SERVER, kube::Error::Service(Box::new(Outer(inner()))));
        assert_eq!(error.to_string(), "can't ask: the connection to the server 10.0.0.1:6443 failed: outer: inner");
        assert_eq!(error.kind(), Kind::Unreachable);
        let own = Error::new(Kind::NotFound, "own").hint("try").caused_by(Outer(inner()));
        let error = request_error("ask", SERVER, kube::Error::Service(Box::new(own)));
        assert_eq!(
            (error.to_string().as_str(), error.hints()),
            ("can't ask: own: outer: inner", vec!["try".to_owned()])
        );
    }

    #[test]
    fn an_answer_that_is_not_json_names_the_server() {
        let wrong = serde_json::from_str::<u8>("<html>").unwrap_err();
        let error = request_error("ask", SERVER, kube::Error::SerdeError(wrong));
        assert_eq!(error.kind(), Kind::Failed);
        assert!(error.to_string().contains("is invalid") && error.hints()[0].contains("API server"), "{error}");
    }

    #[tokio::test]
    async fn kube_gives_this_reason_to_an_answer_that_is_not_a_status() {
        let service = tower::service_fn(|_: http::Request<kube::client::Body>| {
            let body = kube::client::Body::from(b"Client sent an HTTP request to an HTTPS server.".to_vec());
            std::future::ready(Ok::<_, tower::BoxError>(http::Response::builder().status(400).body(body).unwrap()))
        });
        let error = kube::Client::new(service, "n").apiserver_version().await.unwrap_err();
        let kube::Error::Api(status) = &error else { panic!("{error:?}") };
        assert_eq!(status.reason, NOT_A_STATUS);
        let error = request_error("get it", "http://10.0.0.1:6443", error);
        assert_eq!((error.kind(), error.hints().len()), (Kind::Unreachable, 1), "{error:?}");
        assert!(error.hints()[0].contains("https://"), "{error:?}");
    }
}
