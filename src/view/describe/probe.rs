//! Probes of containers.

use std::fmt::Write as _;

use k8s_openapi::api::core::v1::{HTTPGetAction, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

pub(super) fn text(probe: &Probe) -> String {
    format!(
        "{} delay={}s timeout={}s period={}s #success={} #failure={}",
        action(probe),
        probe.initial_delay_seconds.unwrap_or_default(),
        probe.timeout_seconds.unwrap_or_default(),
        probe.period_seconds.unwrap_or_default(),
        probe.success_threshold.unwrap_or_default(),
        probe.failure_threshold.unwrap_or_default(),
    )
}

fn action(probe: &Probe) -> String {
    if let Some(exec) = &probe.exec {
        format!("exec [{}]", exec.command.as_deref().unwrap_or_default().join(" "))
    } else if let Some(get) = &probe.http_get {
        format!("http-get {}", url(get))
    } else if let Some(socket) = &probe.tcp_socket {
        format!("tcp-socket {}:{}", socket.host.as_deref().unwrap_or_default(), port(&socket.port))
    } else if let Some(grpc) = &probe.grpc {
        format!("grpc <pod>:{} {}", grpc.port, grpc.service.as_deref().unwrap_or_default())
    } else {
        "unknown".to_owned()
    }
}

fn port(port: &IntOrString) -> String {
    match port {
        IntOrString::Int(number) => number.to_string(),
        IntOrString::String(name) => name.clone(),
    }
}

/// The URL as Go's `net/url` puts it together; the host is empty unless one is set, for it is the Pod.
fn url(get: &HTTPGetAction) -> String {
    let mut url = String::new();
    // Go maps each letter to one letter, never to two.
    let scheme = get.scheme.as_deref().unwrap_or_default();
    let scheme: String = scheme.chars().filter_map(|letter| letter.to_lowercase().next()).collect();
    if !scheme.is_empty() {
        url = format!("{scheme}:");
    }
    let host = get.host.as_deref().unwrap_or_default();
    let port = port(&get.port);
    let host = match (host.contains(':'), port.is_empty()) {
        // Only an address of IPv6 has colons.
        (true, false) => format!("[{host}]:{port}"),
        (false, false) => format!("{host}:{port}"),
        (_, true) => host.to_owned(),
    };
    let path = get.path.as_deref().unwrap_or_default();
    if !host.is_empty() || !scheme.is_empty() && !path.is_empty() {
        url.push_str("//");
    }
    escape(&mut url, &host, "!$&'()*+,;=:[]<>\"");
    if !path.is_empty() && !path.starts_with('/') && !host.is_empty() {
        url.push('/');
    }
    if path == "*" {
        url.push('*');
    } else {
        escape(&mut url, path, "$&+,/:;=@");
    }
    url
}

/// Adds `text` with all but letters, digits, `-._~` and `allowed` as `%` and two digits a byte.
fn escape(url: &mut String, text: &str, allowed: &str) {
    for byte in text.bytes() {
        let character = char::from(byte);
        if byte.is_ascii_alphanumeric() || "-._~".contains(character) || byte.is_ascii() && allowed.contains(character)
        {
            url.push(character);
        } else {
            write!(url, "%{byte:02X}").expect("a string takes any text");
        }
    }
}
