//! Values of the header `Authorization`.

use base64::Engine as _;
use http::HeaderValue;

use super::kubeconfig::Secret;
use crate::error::Error;

/// `Bearer` and the token, marked so that it is never printed.
///
/// # Errors
/// A token that can't be in a header; it is not shown.
pub(super) fn bearer(token: &str) -> Result<HeaderValue, Error> {
    sensitive(&format!("Bearer {}", token.trim()))
}

/// `Basic` and the two in base64, marked so that it is never printed.
pub(super) fn basic(name: &str, password: &Secret) -> Result<HeaderValue, Error> {
    let pair = format!("{name}:{}", password.reveal());
    sensitive(&format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair)))
}

fn sensitive(text: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| Error::usage("the token has characters that can't be sent, such as line breaks"))?;
    value.set_sensitive(true);
    Ok(value)
}
