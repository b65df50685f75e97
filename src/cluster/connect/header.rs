//! Headers of authentication and impersonation.

use base64::Engine as _;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::kubeconfig::{Secret, UserEntry};
use super::settings::non_empty;
use crate::error::Error;

/// Returns `Bearer TOKEN`, marked as sensitive. Errors don't show the token.
pub(super) fn bearer(token: &str) -> Result<HeaderValue, Error> {
    sensitive(&format!("Bearer {}", token.trim()))
}

/// Returns `Basic` and name and password in base64, marked as sensitive.
pub(super) fn basic(name: &str, password: &Secret) -> Result<HeaderValue, Error> {
    let pair = format!("{name}:{}", password.reveal());
    sensitive(&format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair)))
}

fn sensitive(text: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| Error::usage("the token has invalid characters, such as line breaks"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Returns the headers of impersonation.
pub(super) fn impersonation(user: &UserEntry) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    let mut add = |name: &str, text: &str| {
        let parts = HeaderName::try_from(name).ok().zip(HeaderValue::from_bytes(text.as_bytes()).ok());
        let error = || Error::usage(format!("can't impersonate {text:?}: it has invalid characters"));
        parts.map(|(name, value)| headers.append(name, value)).ok_or_else(error)
    };
    let (uid, groups) = (non_empty(user.as_uid.as_ref()), user.as_groups.as_deref().unwrap_or_default());
    let extra = user.as_user_extra.as_ref().filter(|extra| !extra.is_empty());
    match non_empty(user.acts_as.as_ref()) {
        Some(name) => add("impersonate-user", name)?,
        None if uid.is_none() && groups.is_empty() && extra.is_none() => false,
        None => {
            return Err(
                Error::usage("a uid, groups or extras can be impersonated only with a user").hint("add --as USER")
            );
        }
    };
    if let Some(uid) = uid {
        add("impersonate-uid", uid)?;
    }
    for group in groups {
        add("impersonate-group", group)?;
    }
    for (key, values) in extra.into_iter().flatten() {
        let name = format!("impersonate-extra-{}", escape_header_name(key));
        for value in values {
            add(&name, value)?;
        }
    }
    Ok(headers)
}

/// Escapes `%` and invalid characters of a header name as `%xx`, which the server decodes (client-go's
/// `round_trippers.go`).
fn escape_header_name(key: &str) -> String {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&'*+-.^_`|~".contains(&byte);
    let escape = |byte| if kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    key.to_lowercase().bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_header_names_as_in_client_go() {
        assert_eq!(escape_header_name("Scopes"), "scopes");
        assert_eq!(escape_header_name("example.com/a b%"), "example.com%2Fa%20b%25");
    }
}
