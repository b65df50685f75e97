//! What came back instead of an answer, told so that it can be acted upon.

use std::error::Error as StdError;
use std::io::ErrorKind;

use http::Uri;
use hyper_util::client::legacy;
use kube::core::Status;

use super::silence::Silent;
use super::stack::ForeignAnswer;
use super::tls;
use super::transport::{ConnectTimeout, ProxyFailed, UnknownHost};
use crate::error::{self, Error, Hint, Kind};

/// Longer texts of a server, such as a proxy's whole page, are cut.
const LONGEST: usize = 400;
pub(crate) const NO_API_SERVER: &str = "is it a Kubernetes API server, and not a login page or a proxy?";

/// The error of one kube call as ours; `doing` is such as "get jobs in namespace default", `server` its URL.
pub(crate) fn request_error(doing: &str, server: &str, error: kube::Error) -> Error {
    match error {
        kube::Error::Api(status) => answered(doing, server, &status),
        kube::Error::Service(error) => match error.downcast::<Error>() {
            Ok(own) => Error::new(own.kind(), format!("can't {doing}: {}", chain(&*own))).with_hints_of(&own),
            Err(error) => lost(doing, server, &*error),
        },
        kube::Error::HyperError(error) => lost(doing, server, &error),
        kube::Error::ReadEvents(error) => lost(doing, server, &error),
        kube::Error::SerdeError(error) => Error::new(
            Kind::Failed,
            format!("can't {doing}: the answer of the server {server} is not understood: {error}"),
        )
        .hint(NO_API_SERVER),
        other => Error::new(Kind::Failed, format!("can't {doing}: {}", chain(&other))),
    }
}

/// Whether it is certain that a change was not made: the server refused it, or never got it.
pub(crate) fn is_refusal(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => matches!(status.code, 400..=499) && !matches!(status.code, 408 | 429),
        kube::Error::Service(error) => {
            error.is::<Error>() || find::<legacy::Error>(&links(&**error)).is_some_and(legacy::Error::is_connect)
        }
        kube::Error::BuildRequest(_) | kube::Error::HttpError(_) => true,
        _ => false,
    }
}

/// Whether waiting may help a request that failed: not if it was refused, nor if a server that is there was silent for
/// as long as the user lets it be.
pub(crate) fn may_pass(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(_) => !is_refusal(error),
        kube::Error::Service(error) => !error.is::<Error>() && !error.is::<Silent>(),
        _ => true,
    }
}

/// An error and what caused it, none of it said twice.
pub(super) fn chain(error: &(dyn StdError + 'static)) -> String {
    error::chain(links(error).into_iter())
}

/// The error and its causes, with those that an I/O error carries and doesn't count among its sources.
fn links<'a>(error: &'a (dyn StdError + 'static)) -> Vec<&'a (dyn StdError + 'static)> {
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

fn find<'a, T: StdError + 'static>(links: &[&'a (dyn StdError + 'static)]) -> Option<&'a T> {
    links.iter().find_map(|error| error.downcast_ref())
}

fn host(server: &str) -> String {
    let uri = server.parse::<Uri>().ok();
    uri.as_ref().and_then(Uri::authority).map_or_else(|| server.to_owned(), ToString::to_string)
}

fn lost(doing: &str, server: &str, error: &(dyn StdError + 'static)) -> Error {
    let links = links(error);
    let host = host(server);
    let context = "is it the right cluster? kubectl config get-contexts shows the contexts, --context picks one";
    let unreachable = |why: &str| Error::new(Kind::Unreachable, format!("can't {doing}: {why}"));
    if let Some(Silent(limit)) = find(&links) {
        return unreachable(&format!("the server {host} did not answer within {limit:?}"))
            .hint("--request-timeout sets how long it may take; 0 waits for ever");
    }
    if let Some(foreign) = find::<ForeignAnswer>(&links) {
        let message = format!("can't {doing}: {host} does not answer as an API server: {foreign}");
        return Error::new(Kind::Failed, message).hint(NO_API_SERVER);
    }
    if let Some(late) = find::<ConnectTimeout>(&links) {
        return unreachable(&format!("the server {host} can't be reached: {late}"))
            .hint("is the network, or the VPN, up?")
            .hint(context);
    }
    if let Some(error) = find::<ProxyFailed>(&links) {
        let why = error.source().map(chain).unwrap_or_default();
        return unreachable(&format!("the proxy on the way to {host} did not connect: {why}")).hint(
            "the proxy is proxy-url of the kubeconfig, or else HTTPS_PROXY; NO_PROXY names hosts that need none",
        );
    }
    if let Some(error) = find::<rustls::Error>(&links) {
        let (why, hint) = untrusted(&host, error);
        return unreachable(&why).hint(hint);
    }
    let why = match (find::<UnknownHost>(&links), find::<std::io::Error>(&links).map(std::io::Error::kind)) {
        (Some(unknown), _) => format!("the host of the server {host} is not known: {unknown}"),
        (None, Some(ErrorKind::ConnectionRefused)) => {
            format!("the connection to the server {host} was refused; is it the right host and port?")
        }
        (None, Some(ErrorKind::TimedOut)) => format!("the server {host} does not answer"),
        _ => format!("the connection to the server {host} failed: {}", chain(error)),
    };
    unreachable(&why).hint(context)
}

/// Returns why TLS failed, and a hint.
fn untrusted(host: &str, error: &rustls::Error) -> (String, &'static str) {
    use rustls::AlertDescription::{HandshakeFailure, InsufficientSecurity, ProtocolVersion};
    use rustls::Error::{AlertReceived, InvalidCertificate, InvalidMessage, PeerIncompatible};
    let no_tls = "is it https:// at this host and port?";
    let certificate = format!("the certificate of the server {host}");
    if let Some(fault) = tls::fault(error) {
        return (format!("{certificate} {fault}"), fault.hint);
    }
    match error {
        // The words of the system's own verifier, where that is asked.
        InvalidCertificate(why) => (format!("{certificate} is not trusted by this system: {why}"), tls::TRUST),
        // What it says that has nothing to agree on with us.
        PeerIncompatible(_) | AlertReceived(HandshakeFailure | InsufficientSecurity | ProtocolVersion) => (
            format!("the server {host} and this program have no way of TLS in common: {error}"),
            "the server needs TLS 1.2 or 1.3, with a cipher and a key exchange of today",
        ),
        AlertReceived(_) => (
            format!("the server {host} ended the TLS handshake: {error}"),
            "a client certificate may be missing, expired or of another cluster",
        ),
        InvalidMessage(_) => (format!("the server {host} does not speak TLS: {error}"), no_tls),
        _ => (format!("TLS with the server {host} failed: {error}"), no_tls),
    }
}

fn answered(doing: &str, server: &str, status: &Status) -> Error {
    let said = told(status);
    let error = |kind: Kind, why: &str| Error::new(kind, format!("can't {doing}: {why}"));
    match (status.code, status.reason.as_str()) {
        (401, _) | (_, "Unauthorized") => {
            let detail = if said == "Unauthorized" { String::new() } else { format!(" ({said})") };
            error(Kind::Unauthorized, &format!("you must be logged in to the server {}{detail}", host(server)))
                .hint("the credentials of this context are missing, wrong or expired: log in again as your cluster wants it")
                .hint(Hint::kubectl(&["auth", "whoami"], "shows who the server takes you for"))
        }
        (403, _) | (_, "Forbidden") => forbidden(error(Kind::Forbidden, &said), &said),
        (404, _) | (_, "NotFound") => not_found(error(Kind::NotFound, &said), status),
        (_, "AlreadyExists") => error(Kind::AlreadyExists, &said),
        (422, _) | (_, "Invalid") => {
            error(Kind::Usage, &invalid(status, &said)).hint(Hint::kubectl(&["explain", "job"], "describes its fields"))
        }
        (429, _) | (_, "TooManyRequests") => {
            error(Kind::Unreachable, &format!("the server {} is too busy: {said}", host(server)))
                .hint("wait a little and try again")
        }
        (502..=504, _) | (_, "Timeout" | "ServerTimeout" | "ServiceUnavailable") => {
            error(Kind::Unreachable, &format!("the server {} is not able to answer now: {said}", host(server)))
                .hint("wait a little and try again")
        }
        (400, _) if said.contains("HTTP request to an HTTPS server") => {
            error(Kind::Unreachable, &said).hint("write https:// before the host in --server or the kubeconfig")
        }
        (409, _) => error(Kind::Failed, &said).hint("somebody else changed it at the same time: try again"),
        (410, _) => error(Kind::Failed, &said).hint("the server no longer has what was asked for: try again"),
        (500.., _) => {
            error(Kind::Failed, &said).hint("the server failed, not the request: wait a little and try again")
        }
        _ => error(Kind::Failed, &said),
    }
}

/// The server's message, on one line and not a whole page.
fn told(status: &Status) -> String {
    let line = status.message.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = match (line.is_empty(), status.reason.is_empty()) {
        (false, _) => line,
        (true, false) => status.reason.clone(),
        (true, true) => format!("the server answered with status {}", status.code),
    };
    match said.char_indices().nth(LONGEST) {
        Some((end, _)) if status.reason == "Failed to parse error data" => format!("{}…", &said[..end]),
        _ => said,
    }
}

fn forbidden(error: Error, said: &str) -> Error {
    if let Some(asked) = asked(said) {
        let words: Vec<_> = ["auth", "can-i"].into_iter().chain(asked.iter().map(String::as_str)).collect();
        return error
            .hint(Hint::kubectl(&words, "tells whether you may"))
            .hint("ask who runs the cluster for a Role with this verb and resource, and a RoleBinding to you");
    }
    if said.contains("exceeded quota") {
        return error.hint(Hint::kubectl(&["describe", "quota"], "shows what is used and how much there may be"));
    }
    let list = Hint::kubectl(&["auth", "can-i", "--list"], "shows what you may do");
    error.hint(list.and("policies of the cluster may refuse more"))
}

/// Returns the request that a message of the server's RBAC refuses, as arguments of `kubectl auth can-i`.
///
/// The message is such as `User "u" cannot list resource "pods/log" in API group "" in the namespace "n"`.
fn asked(said: &str) -> Option<Vec<String>> {
    let (verb, rest) = said.split_once(" cannot ")?.1.split_once(" resource \"")?;
    let (resource, rest) = rest.split_once('"')?;
    let (group, rest) = rest.split_once("in API group \"")?.1.split_once('"')?;
    let namespace = rest.split_once("in the namespace \"").and_then(|(_, rest)| Some(rest.split_once('"')?.0));
    let plain = |text: &str| text.chars().all(|one| one.is_ascii_alphanumeric() || "-./*".contains(one));
    if ![verb, resource, group, namespace.unwrap_or_default()].into_iter().all(plain) {
        return None;
    }
    let (resource, sub) = resource.split_once('/').unwrap_or((resource, ""));
    let dot = if group.is_empty() { "" } else { "." };
    let mut words = vec![verb.to_owned(), format!("{resource}{dot}{group}")];
    words.extend((!sub.is_empty()).then(|| format!("--subresource={sub}")));
    // The namespace of the request is that of the user's flags, which every hint gets.
    words.extend(namespace.is_none().then(|| "-A".to_owned()));
    Some(words)
}

fn not_found(error: Error, status: &Status) -> Error {
    let details = status.details.as_ref();
    match details.map(|details| (details.kind.as_str(), details.name.as_str())) {
        Some(("namespaces", name)) if !name.is_empty() => error
            .hint_if(name.parse::<u32>().is_ok().then_some("-n names the namespace; -j N sets how many indexes run at once"))
            .hint("kubectl get namespaces shows which there are"),
        Some((_, name)) if !name.is_empty() => error,
        _ => error.hint("the server may be too old for this, or not a Kubernetes API server: kubectl version, kubectl api-resources"),
    }
}

/// Every cause once, each on its own line if there are several.
fn invalid(status: &Status, said: &str) -> String {
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
    let what = match (details.kind.as_str(), details.name.as_str()) {
        ("", "") => "the request is invalid".to_owned(),
        (kind, "") => format!("the {kind} is invalid"),
        ("", name) => format!("{name:?} is invalid"),
        (kind, name) => format!("the {kind} {name:?} is invalid"),
    };
    match causes.as_slice() {
        [one] => format!("{what}: {one}"),
        all => format!("{what}:\n  {}", all.join("\n  ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SERVER: &str = "https://10.0.0.1:6443";

    fn answer(code: u16, reason: &str, message: &str, details: &serde_json::Value) -> Error {
        let status = json!({"code": code, "reason": reason, "message": message, "details": details});
        request_error("create job x", SERVER, kube::Error::Api(serde_json::from_value(status).unwrap()))
    }

    fn told(code: u16, reason: &str, message: &str, details: &serde_json::Value) -> (Kind, String, String) {
        let error = answer(code, reason, message, details);
        (error.kind(), error.to_string(), error.hints().join(" | "))
    }

    #[test]
    fn who_may_not_is_told_what_to_ask_for() {
        let (kind, text, hints) = told(
            403,
            "Forbidden",
            r#"jobs.batch is forbidden: User "ann" cannot create resource "jobs" in API group "batch" in the namespace "ns""#,
            &json!({}),
        );
        assert_eq!(kind, Kind::Forbidden);
        assert!(text.starts_with("can't create job x: jobs.batch is forbidden: User \"ann\" cannot create"), "{text}");
        assert!(hints.starts_with("kubectl auth can-i create jobs.batch tells"), "{hints}");
        assert!(hints.contains("Role"), "{hints}");
        let message =
            r#"pods "p" is forbidden: User "ann" cannot get resource "pods/log" in API group "" in the namespace "ns""#;
        let (_, _, hints) = told(403, "Forbidden", message, &json!({}));
        assert!(hints.contains("can-i get pods --subresource=log"), "{hints}");
        let message = r#"jobs.batch is forbidden: User "ann" cannot list resource "jobs" in API group "batch" at the cluster scope"#;
        let (_, _, hints) = told(403, "Forbidden", message, &json!({}));
        assert!(hints.contains("can-i list jobs.batch -A"), "{hints}");
        // What is not a plain word is not made into a command.
        let message = r#"x: User "ann" cannot get; rm resource "pods" in API group "" in the namespace "ns""#;
        assert!(!told(403, "Forbidden", message, &json!({})).2.contains("rm"));
        let (_, _, hints) = told(403, "Forbidden", "exceeded quota: q, requested: pods=1", &json!({}));
        assert!(hints.contains("kubectl describe quota"), "{hints}");
        let (kind, text, hints) = told(401, "Unauthorized", "Unauthorized", &json!({}));
        assert_eq!(
            (kind, text.as_str()),
            (Kind::Unauthorized, "can't create job x: you must be logged in to the server 10.0.0.1:6443")
        );
        assert!(hints.contains("credentials"), "{hints}");
    }

    #[test]
    fn what_is_not_there_is_told_apart() {
        let (kind, text, hints) = told(
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
            told(404, "NotFound", r#"namespaces "n" not found"#, &json!({"kind": "namespaces", "name": "n"}));
        assert_eq!((kind, hints.as_str()), (Kind::NotFound, "kubectl get namespaces shows which there are"));
        let (_, _, hints) =
            told(404, "NotFound", r#"namespaces "1" not found"#, &json!({"kind": "namespaces", "name": "1"}));
        assert!(hints.starts_with("-n names the namespace; -j N sets how many indexes run at once"), "{hints}");
        let (kind, _, hints) = told(404, "NotFound", "the server could not find the requested resource", &json!({}));
        assert_eq!(kind, Kind::NotFound);
        assert!(hints.contains("kubectl version"), "{hints}");
        let (kind, ..) = told(409, "AlreadyExists", r#"jobs.batch "x" already exists"#, &json!({}));
        assert_eq!(kind, Kind::AlreadyExists);
        let (kind, ..) = told(409, "Conflict", "the object has been modified", &json!({}));
        assert_eq!(kind, Kind::Failed);
    }

    #[test]
    fn every_cause_of_an_invalid_object_is_told() {
        let cause =
            |field: &str, message: &str| json!({"reason": "FieldValueInvalid", "field": field, "message": message});
        let details = json!({"kind": "Job", "name": "x", "causes": [
            cause("spec.completions", "Invalid value: -1: must be greater than or equal to 0"),
            cause("spec.parallelism", "Invalid value: -1"),
            cause("spec.parallelism", "Invalid value: -1"),
        ]});
        let (kind, text, _) = told(422, "Invalid", "all of it on one line", &details);
        assert_eq!(kind, Kind::Usage);
        let expected = "can't create job x: the Job \"x\" is invalid:\n  spec.completions: Invalid value: -1: must be \
                        greater than or equal to 0\n  spec.parallelism: Invalid value: -1";
        assert_eq!(text, expected);
        let details = json!({"kind": "Job", "name": "x", "causes": [cause("spec.parallelism", "no")]});
        assert_eq!(
            told(422, "Invalid", "", &details).1,
            r#"can't create job x: the Job "x" is invalid: spec.parallelism: no"#
        );
        assert_eq!(
            told(422, "", "the server rejected our request", &json!(null)).1,
            "can't create job x: the server rejected our request"
        );
    }

    #[test]
    fn a_server_that_can_not_now_is_unreachable() {
        for (code, reason) in
            [(429, "TooManyRequests"), (503, "ServiceUnavailable"), (504, "Timeout"), (500, "ServerTimeout"), (502, "")]
        {
            let (kind, text, hints) = told(code, reason, "later", &json!({}));
            assert_eq!(kind, Kind::Unreachable, "{code}");
            assert!(text.contains("10.0.0.1:6443") && text.ends_with("later") && !hints.is_empty(), "{text}");
        }
        assert_eq!(told(500, "InternalError", "boom", &json!({})).0, Kind::Failed);
        // A page instead of a status.
        let page = format!("<html>\n{}", "x".repeat(5000));
        let (_, text, _) = told(502, "Failed to parse error data", &page, &json!({}));
        assert!(text.len() < 600 && text.ends_with('…') && !text.contains('\n'), "{text}");
        assert_eq!(told(500, "", "", &json!({})).1, "can't create job x: the server answered with status 500");
    }

    #[test]
    fn nothing_is_said_twice() {
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
    fn what_is_no_kubernetes_is_told() {
        let wrong = serde_json::from_str::<u8>("<html>").unwrap_err();
        let error = request_error("ask", SERVER, kube::Error::SerdeError(wrong));
        assert_eq!(error.kind(), Kind::Failed);
        assert!(error.to_string().contains("is not understood") && error.hints()[0].contains("Kubernetes"), "{error}");
    }
}
