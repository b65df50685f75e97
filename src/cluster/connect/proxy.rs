//! Chooses the proxy for a cluster.
//!
//! The rules for the environment are those of Go's `golang.org/x/net/http/httpproxy`, which kubectl follows: `NO_PROXY`
//! is compared with the cluster's host, and connections to this machine never use a proxy.

use std::net::IpAddr;

use http::Uri;
use ipnet::IpNet;

use super::Env;
use super::kubeconfig::Secret;
use super::server::split_login;

/// A proxy, its user name and password apart from its address.
#[derive(Clone, Debug)]
pub(super) struct Proxy {
    /// `http`, `https` or `socks5`; always with a port.
    pub(super) uri: Uri,
    pub(super) login: Option<(String, Secret)>,
}

/// Parses a kubeconfig's `proxy-url`: `http`, `https` or `socks5`, as in kubectl. Errors don't show its password.
pub(super) fn from_kubeconfig(text: &str) -> Result<Proxy, String> {
    let Some((scheme, _)) = text.split_once("://") else {
        return Err("the proxy-url needs a scheme: http, https or socks5".to_owned());
    };
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" | "socks5" => parse_proxy(text).ok_or_else(|| "the proxy-url is not a URL".to_owned()),
        other => Err(format!("the proxy-url has the scheme {other:?}: it must be http, https or socks5")),
    }
}

pub(super) fn from_environment(server: &Uri, env: Env<'_>) -> Option<Proxy> {
    let any = |names: [&str; 2]| names.into_iter().find_map(env);
    let secure = server.scheme_str() == Some("https");
    let value = if secure {
        any(["HTTPS_PROXY", "https_proxy"])?
    } else if env("REQUEST_METHOD").is_some() {
        // In a CGI script HTTP_PROXY has the value of a client's header `Proxy`.
        return None;
    } else {
        any(["HTTP_PROXY", "http_proxy"])?
    };
    let host = server.host()?.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let port = server.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let exceptions = any(["NO_PROXY", "no_proxy"]).unwrap_or_default();
    if is_direct(&host, port, &exceptions) { None } else { parse_proxy(&value) }
}

/// Parses a URL, or a host to which `http` is added.
fn parse_proxy(text: &str) -> Option<Proxy> {
    let (scheme, rest) = text.trim().split_once("://").unwrap_or(("http", text.trim()));
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        // For both the proxy resolves names, as in Go.
        "socks5h" => "socks5".to_owned(),
        other => other.to_owned(),
    };
    let authority = rest.split(['/', '?', '#']).next()?;
    let (login, host) = split_login(authority);
    let parsed: http::uri::Authority = host.parse().ok()?;
    let default = match scheme.as_str() {
        "https" => 443,
        "socks5" => 1080,
        _ => 80,
    };
    let port = parsed.port_u16().unwrap_or(default);
    let authority = format!("{}:{port}", parsed.host());
    let uri = Uri::builder().scheme(scheme.as_str()).authority(authority).path_and_query("/").build().ok()?;
    Some(Proxy { uri, login })
}

/// Whether `host` (lower case, no brackets) is reached without a proxy, given the list of `NO_PROXY`.
fn is_direct(host: &str, port: u16, exceptions: &str) -> bool {
    let ip = host.parse::<IpAddr>().ok().map(|ip| ip.to_canonical());
    if host == "localhost" || ip.is_some_and(|ip| ip.is_loopback()) {
        return true;
    }
    exceptions.split(',').any(|entry| matches_exception(entry.trim().to_ascii_lowercase().as_str(), host, port, ip))
}

fn matches_exception(entry: &str, host: &str, port: u16, ip: Option<IpAddr>) -> bool {
    if entry.is_empty() {
        return false;
    }
    if entry == "*" {
        return true;
    }
    if let Ok(network) = entry.parse::<IpNet>() {
        return ip.is_some_and(|ip| network.contains(&ip));
    }
    let (name, only_port) = split_port(entry);
    if name.is_empty() || only_port.is_some_and(|only| only.parse() != Ok(port)) {
        return false;
    }
    if let Ok(excepted) = name.parse::<IpAddr>() {
        return ip == Some(excepted.to_canonical());
    }
    // A name never matches an address.
    if ip.is_some() {
        return false;
    }
    let name = name.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(name);
    match name.strip_prefix('.') {
        Some(_) => host.ends_with(name),
        None => host == name || host.strip_suffix(name).is_some_and(|start| start.ends_with('.')),
    }
}

/// Splits `host:port` and `[address]:port`; anything else has no port.
fn split_port(entry: &str) -> (&str, Option<&str>) {
    if let Some((address, port)) = entry.strip_prefix('[').and_then(|rest| rest.split_once("]:")) {
        return (address, Some(port));
    }
    match entry.split_once(':') {
        Some((host, port)) if !port.contains(':') && !host.starts_with('[') => (host, Some(port)),
        _ => (entry, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn direct(host: &str, port: u16, exceptions: &str) -> bool {
        is_direct(host, port, exceptions)
    }

    #[test]
    fn no_proxy_follows_gos_rules() {
        // This machine is never behind a proxy.
        for own in ["localhost", "127.0.0.1", "127.8.9.10", "::1"] {
            assert!(direct(own, 6443, ""), "{own}");
        }
        assert!(!direct("10.1.2.3", 6443, ""));
        // (host, port, entry, reached directly)
        let cases = [
            ("api.example.com", 443, "*", true),
            ("10.1.2.3", 443, "x, *", true),
            ("api.example.com", 443, "example.com", true),
            ("example.com", 443, "example.com", true),
            ("badexample.com", 443, "example.com", false),
            ("api.example.com", 443, ".example.com", true),
            ("example.com", 443, ".example.com", false),
            ("api.example.com", 443, "*.example.com", true),
            ("example.com", 443, "*.example.com", false),
            ("api.example.com", 443, "Example.COM", true),
            ("api.example.com", 6443, "example.com:6443", true),
            ("api.example.com", 443, "example.com:6443", false),
            ("10.1.2.3", 6443, "10.1.2.3", true),
            ("10.1.2.3", 6443, "10.1.2.3:6443", true),
            ("10.1.2.3", 443, "10.1.2.3:6443", false),
            ("10.1.2.3", 6443, "10.0.0.0/8", true),
            ("11.1.2.3", 6443, "10.0.0.0/8", false),
            ("11.1.2.3", 6443, "0.0.0.0/0", true),
            ("fd00::5", 6443, "fd00::/8", true),
            ("fe00::5", 6443, "fd00::/8", false),
            ("fd00::5", 6443, "fd00::5", true),
            ("fd00::5", 6443, "[fd00::5]:6443", true),
            ("fd00::5", 443, "[fd00::5]:6443", false),
            ("10.1.2.3", 6443, "2.3", false),
            ("api.example.com", 443, " a , , api.example.com ", true),
            ("api.example.com", 443, ":443", false),
            ("api.example.com", 443, "10.0.0.0/8", false),
        ];
        for (host, port, entry, expected) in cases {
            assert_eq!(direct(host, port, entry), expected, "{host}:{port} with NO_PROXY={entry}");
        }
    }

    #[test]
    fn the_environment_gives_a_proxy_by_scheme() {
        let env = |name: &str| match name {
            "https_proxy" => Some("proxy.corp:3128".to_owned()),
            "HTTP_PROXY" => Some("http://plain.corp".to_owned()),
            "NO_PROXY" => Some("10.0.0.0/8".to_owned()),
            _ => None,
        };
        let proxy = |server: &str| from_environment(&server.parse().unwrap(), &env).map(|proxy| proxy.uri.to_string());
        assert_eq!(proxy("https://api.example.com"), Some("http://proxy.corp:3128/".to_owned()));
        assert_eq!(proxy("http://api.example.com"), Some("http://plain.corp:80/".to_owned()));
        assert_eq!(proxy("https://10.9.9.9:6443"), None);
        assert_eq!(proxy("https://[::1]:6443"), None);
        assert_eq!(proxy("https://LOCALHOST:6443"), None);
        let cgi = |name: &str| if name == "REQUEST_METHOD" { Some("GET".to_owned()) } else { env(name) };
        assert!(from_environment(&"http://api.example.com".parse().unwrap(), &cgi).is_none());
    }

    #[test]
    fn proxy_urls_are_taken_apart() {
        let proxy = from_kubeconfig("http://user:p%40ss:w@proxy.corp").unwrap();
        assert_eq!(proxy.uri, "http://proxy.corp:80/");
        let (name, password) = proxy.login.clone().unwrap();
        assert_eq!((name.as_str(), password.reveal()), ("user", "p@ss:w"));
        assert!(!format!("{proxy:?}").contains("p@ss"));
        assert_eq!(from_kubeconfig("socks5://[fd00::1]").unwrap().uri, "socks5://[fd00::1]:1080/");
        assert!(from_kubeconfig("proxy.corp:3128").unwrap_err().contains("scheme"));
        assert!(from_kubeconfig("ftp://proxy.corp").unwrap_err().contains("ftp"));
        assert_eq!(parse_proxy("socks5h://p").unwrap().uri, "socks5://p:1080/");
    }
}
