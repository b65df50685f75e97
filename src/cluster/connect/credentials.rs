//! The `Authorization` header of each request, and its renewal.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::HeaderValue;

use super::exec::ExecPlugin;
use super::header::bearer;
use super::kubeconfig::Secret;
use super::oidc::Oidc;
use crate::error::Error;

/// The age after which a token file is read again, as in client-go.
const TOKEN_FILE_AGE: Duration = Duration::from_secs(50);

/// The credentials of requests.
pub(super) enum Credentials {
    None,
    Fixed(HeaderValue),
    File(TokenFile),
    Exec(ExecPlugin),
    Oidc(Box<Oidc>),
}

impl Credentials {
    /// Returns the header for the next request. May run a plugin or ask an identity provider.
    pub(super) async fn authorization(&self) -> Result<Option<HeaderValue>, Error> {
        match self {
            Self::None => Ok(None),
            Self::Fixed(value) => Ok(Some(value.clone())),
            Self::File(file) => file.authorization().map(Some),
            Self::Exec(plugin) => plugin.authorization().await,
            Self::Oidc(oidc) => oidc.authorization().await.map(Some),
        }
    }

    /// Renews credentials after the server refused `used`, sent at `generation`. Returns whether they changed, so that
    /// a retry makes sense.
    pub(super) async fn renew(&self, used: Option<&HeaderValue>, generation: u64) -> Result<bool, Error> {
        match self {
            Self::None | Self::Fixed(_) | Self::Oidc(_) => Ok(false),
            Self::File(file) => {
                file.forget();
                Ok(file.authorization()? != *used.unwrap_or(&HeaderValue::from_static("")))
            }
            Self::Exec(plugin) => plugin.renew(used, generation).await,
        }
    }

    /// Returns a number that grows when the client's certificate changes: older connections must not be reused.
    pub(super) fn generation(&self) -> u64 {
        match self {
            Self::Exec(plugin) => plugin.generation(),
            _ => 0,
        }
    }
}

/// A file whose token may be replaced at any time, as for service accounts.
pub(super) struct TokenFile {
    path: PathBuf,
    fallback: Option<Secret>,
    last: Mutex<Option<(HeaderValue, Instant)>>,
}

impl TokenFile {
    pub(super) fn new(path: PathBuf, fallback: Option<Secret>) -> Self {
        Self { path, fallback, last: Mutex::new(None) }
    }

    fn authorization(&self) -> Result<HeaderValue, Error> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((value, read)) = &*last
            && read.elapsed() < TOKEN_FILE_AGE
        {
            return Ok(value.clone());
        }
        let value = match (std::fs::read_to_string(&self.path), &*last, &self.fallback) {
            (Ok(token), ..) => bearer(&token)?,
            // The file may have been removed on purpose after it was read.
            (Err(_), Some((value, _)), _) => value.clone(),
            (Err(_), None, Some(token)) => bearer(token.reveal())?,
            (Err(error), None, None) => {
                let message = format!("can't read the token file {}", self.path.display());
                return Err(Error::usage(message).caused_by(error));
            }
        };
        *last = Some((value.clone(), Instant::now()));
        Ok(value)
    }

    fn forget(&self) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, read)) = &mut *last {
            *read = read.checked_sub(TOKEN_FILE_AGE).unwrap_or(*read);
        }
    }
}
