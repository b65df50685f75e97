//! The address of an API server.

use http::Uri;
use http::uri::{Authority, PathAndQuery};
use percent_encoding::percent_decode_str;

use super::kubeconfig::Secret;

/// A server's URL, and the user name and password in it.
#[derive(Debug)]
pub(super) struct ServerUrl {
    /// `http` or `https`, a host, perhaps a port, and the path before `/api`.
    pub(super) uri: Uri,
    pub(super) login: Option<(String, Secret)>,
}

/// Parses a URL, or a host with or without a port, to which `scheme` is added.
///
/// kubectl adds `http`, even if there are certificates (client-go's `DirectClientConfig.ClientConfig`).
///
/// Errors don't show the password.
pub(super) fn parse_server(text: &str, scheme: &str) -> Result<ServerUrl, String> {
    let text = text.trim();
    let (scheme, rest, bare) = match text.split_once("://") {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest, false),
        None => (scheme.to_owned(), text, true),
    };
    if scheme != "http" && scheme != "https" {
        return Err(format!("the server's URL has the scheme {scheme:?}: it must be https or http"));
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let (login, host) = split_login(authority);
    if bare && !path.is_empty() {
        return Err(format!("the server must be a URL or a host with a port, not {host}{path}"));
    }
    let authority: Authority = host.parse().map_err(|_| format!("the server's host is not valid: {host:?}"))?;
    if authority.host().is_empty() || (authority.port().is_none() && host.ends_with(':')) {
        return Err(format!("the server's host is not valid: {host:?}"));
    }
    let path: PathAndQuery = if path.is_empty() { "/" } else { path }
        .parse()
        .map_err(|_| format!("the server's path is not valid: {path:?}"))?;
    let uri = Uri::builder().scheme(scheme.as_str()).authority(authority).path_and_query(path);
    let uri = uri.build().map_err(|_| format!("the server's URL is not valid: {host:?}"))?;
    Ok(ServerUrl { uri, login })
}

/// Splits an authority into the user name and password before its `@`, and the rest.
pub(super) fn split_login(authority: &str) -> (Option<(String, Secret)>, &str) {
    let Some((login, host)) = authority.rsplit_once('@') else { return (None, authority) };
    let (name, password) = login.split_once(':').unwrap_or((login, ""));
    let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    (Some((decoded(name), Secret::new(decoded(password)))), host)
}

/// Returns the URL as messages show it.
pub(super) fn display(uri: &Uri) -> String {
    uri.to_string().trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read_as_kubectl_reads_them() {
        let cases = [
            ("https://10.0.0.1:6443", "https://10.0.0.1:6443"),
            ("https://10.0.0.1:6443/", "https://10.0.0.1:6443"),
            ("HTTPS://example.com/k8s/clusters/c-1/", "https://example.com/k8s/clusters/c-1"),
            ("https://example.com/k8s?x=1#y", "https://example.com/k8s"),
            ("10.0.0.1:6443", "http://10.0.0.1:6443"),
            ("localhost:8080/", "http://localhost:8080"),
            ("example.com", "http://example.com"),
            ("https://[fd00::1]:6443", "https://[fd00::1]:6443"),
        ];
        for (text, expected) in cases {
            assert_eq!(display(&parse_server(text, "http").unwrap().uri), expected, "{text}");
        }
        for wrong in ["example.com/path", "ftp://example.com", "https://", "https://a b", ""] {
            assert!(parse_server(wrong, "http").is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_password_in_the_url_is_set_apart() {
        let server = parse_server("https://ann:s%40fe@example.com", "http").unwrap();
        assert_eq!(display(&server.uri), "https://example.com");
        let (name, password) = server.login.clone().unwrap();
        assert_eq!((name.as_str(), password.reveal()), ("ann", "s@fe"));
        assert!(!format!("{server:?}").contains("s@fe"));
        assert!(!parse_server("https://ann:s%40fe@exa mple.com", "http").unwrap_err().contains("s%40fe"));
    }
}
