//! The auth-provider `oidc`: an ID token, and a refresh token that renews it.
//!
//! kube's own supports neither the provider's CA nor proxies, and does not store a new refresh token: if the provider
//! replaces it each time, the next kubectl could not log in. The rules are those of client-go's
//! `plugin/pkg/client/auth/oidc` (v0.36).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use itertools::Itertools as _;
use jiff::Timestamp;
use kube::client::Body;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use tower::BoxError;

use super::header::{basic, bearer};
use super::kubeconfig::{self, AuthProvider, Secret};
use super::settings::{ConnectSettings, Pem};
use super::silence::Patience;
use super::transport::Transport;
use super::{Env, errors, proxy, server};
use crate::error::{Error, Kind};

/// Seconds before its expiry at which a token counts as expired, because clocks differ.
const EARLIER: i64 = 10;
/// The number of attempts to lock the kubeconfig, and the pause between them.
const LOCK_TRIES: (u32, Duration) = (20, Duration::from_millis(100));

/// A login at an identity provider.
pub(super) struct Oidc {
    config: BTreeMap<String, Secret>,
    /// The kubeconfig that gets new tokens.
    origin: PathBuf,
    /// The provider, as if it were a cluster.
    settings: ConnectSettings,
    patience: Patience,
    /// Locked during a refresh: a refresh token may work only once.
    tokens: Mutex<Tokens>,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: Option<Secret>,
    refresh_token: Option<Secret>,
}

#[derive(Deserialize)]
struct ProviderMetadata {
    token_endpoint: String,
}

impl Oidc {
    pub(super) fn new(provider: &AuthProvider, patience: &Patience, env: Env<'_>) -> Result<Self, Error> {
        let config = provider.config.clone().unwrap_or_default();
        let set = |key: &str| config.get(key).map(Secret::reveal).filter(|value| !value.is_empty());
        let missing = |key: &str| Error::usage(format!("the kubeconfig's auth-provider oidc has no {key}"));
        let issuer = set("idp-issuer-url").ok_or_else(|| missing("idp-issuer-url"))?;
        set("client-id").ok_or_else(|| missing("client-id"))?;
        let issuer = server::parse_server(issuer, "https")
            .map_err(|why| Error::usage(format!("the kubeconfig's idp-issuer-url is invalid: {why}")))?
            .uri;
        let ca = match (set("idp-certificate-authority-data"), set("idp-certificate-authority")) {
            (Some(data), _) => Some(Pem::decode("idp-certificate-authority-data", data)?),
            (None, Some(path)) => Some(Pem::File(path.into())),
            (None, None) => None,
        };
        let patience = patience.for_server(&issuer);
        let proxy = proxy::from_environment(&issuer, env);
        let settings = ConnectSettings { proxy, server: issuer, ca, ..ConnectSettings::default() };
        let tokens =
            Tokens { id_token: set("id-token").map(Secret::new), refresh_token: set("refresh-token").map(Secret::new) };
        Ok(Self { config, origin: provider.origin.clone(), settings, patience, tokens: Mutex::new(tokens) })
    }

    pub(super) async fn authorization(&self) -> Result<HeaderValue, Error> {
        let mut tokens = self.tokens.lock().await;
        if let Some(id) = &tokens.id_token
            && is_valid(id).ok_or_else(|| login_error("the id-token of the kubeconfig is not a JWT with an expiry"))?
        {
            return bearer(id.reveal());
        }
        let refresh = tokens.refresh_token.clone();
        let refresh = refresh.ok_or_else(|| login_error("the id-token has expired, and there is no refresh-token"))?;
        let answer = self.refresh_tokens(&refresh).await?;
        let id = answer
            .id_token
            .filter(|token| !token.reveal().is_empty())
            .ok_or_else(|| login_error("the identity provider gave no id_token: the login needs the scope openid"))?;
        let next = answer.refresh_token.filter(|next| !next.reveal().is_empty() && *next != refresh);
        let kept = self.write_tokens(tokens.id_token.as_ref(), &id, &refresh, next.as_ref()).await;
        if next.is_some() {
            // The old token may be invalid now. An error here is better than a failing login next time.
            kept?;
        }
        let header = bearer(id.reveal())?;
        *tokens = Tokens { id_token: Some(id), refresh_token: Some(next.unwrap_or(refresh)) };
        Ok(header)
    }

    async fn refresh_tokens(&self, token: &Secret) -> Result<Tokens, Error> {
        let base = server::display(&self.settings.server);
        let provider = Transport::new(&self.settings, None, self.patience.clone())?;
        let (status, body) =
            request_provider(&provider, &format!("{base}/.well-known/openid-configuration"), None).await?;
        if status != StatusCode::OK {
            return Err(login_error(&format!("the identity provider {base} answered with status {status}")));
        }
        let metadata: ProviderMetadata = parse_answer(&body)?;
        let setting = |key: &str| self.config.get(key).map_or("", Secret::reveal);
        let (id, secret) = (percent_encode(setting("client-id")), percent_encode(setting("client-secret")));
        let form = format!("grant_type=refresh_token&refresh_token={}", percent_encode(token.reveal()));
        // Providers expect the client's name either in a header or in the form, and don't say which.
        let login = basic(&id, &Secret::new(secret.clone()))?;
        let (status, body) =
            request_provider(&provider, &metadata.token_endpoint, Some((form.clone(), Some(login)))).await?;
        if status == StatusCode::OK {
            return parse_answer(&body);
        }
        let secret = if secret.is_empty() { secret } else { format!("&client_secret={secret}") };
        let form = format!("{form}&client_id={id}{secret}");
        match request_provider(&provider, &metadata.token_endpoint, Some((form, None))).await? {
            (StatusCode::OK, body) => parse_answer(&body),
            (status, _) => {
                Err(login_error(&format!("the identity provider refused the refresh-token with status {status}")))
            }
        }
    }

    /// Replaces the old tokens in the kubeconfig by the new ones, and keeps the rest of the file.
    async fn write_tokens(
        &self,
        old: Option<&Secret>,
        id: &Secret,
        before: &Secret,
        next: Option<&Secret>,
    ) -> Result<(), Error> {
        let path = std::fs::canonicalize(&self.origin).unwrap_or_else(|_| self.origin.clone());
        let unkept = || login_error(&format!("the new refresh-token can't be written to {}", path.display()));
        let lock = KubeconfigLock::acquire(&path).await.ok_or_else(unkept)?;
        let mut text = std::fs::read_to_string(&path).map_err(|error| unkept().caused_by(error))?;
        if let Some(old) = old {
            text = text.replace(old.reveal(), id.reveal());
        }
        if let Some(next) = next {
            text = text.replace(before.reveal(), next.reveal());
            if !kubeconfig::has_refresh_token(&text, next.reveal()) {
                return Err(unkept());
            }
        }
        std::fs::write(&path, text).map_err(|error| unkept().caused_by(error))?;
        drop(lock);
        Ok(())
    }
}

/// Sends a form, or a plain GET. Returns the answer's status and body.
async fn request_provider(
    provider: &Transport,
    url: &str,
    form: Option<(String, Option<HeaderValue>)>,
) -> Result<(StatusCode, Vec<u8>), Error> {
    let mut request = Request::builder().uri(url);
    if let Some((_, login)) = &form {
        request = request.method(Method::POST).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(login) = login {
            request = request.header(AUTHORIZATION, login);
        }
    }
    let body = Body::from(form.map(|form| form.0).unwrap_or_default().into_bytes());
    let request = request.body(body).map_err(|_| login_error("the URL of the identity provider is invalid"))?;
    let answer = async {
        let (head, body) = provider.send(request, 0).await?.into_parts();
        Ok::<_, BoxError>((head.status, body.collect().await?.to_bytes().to_vec()))
    };
    answer
        .await
        .map_err(|error| login_error(&format!("the identity provider can't be reached: {}", errors::chain(&*error))))
}

/// The lock file that kubectl creates beside the kubeconfig while it writes; removed when dropped.
struct KubeconfigLock(PathBuf);

impl KubeconfigLock {
    async fn acquire(path: &Path) -> Option<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let name = PathBuf::from(name);
        for _ in 0..LOCK_TRIES.0 {
            match std::fs::OpenOptions::new().write(true).create_new(true).open(&name) {
                Ok(_) => return Some(Self(name)),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(_) => return None,
            }
            tokio::time::sleep(LOCK_TRIES.1).await;
        }
        None
    }
}

impl Drop for KubeconfigLock {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Whether the token is not about to expire; `None` if it is not a JWT with an expiry.
fn is_valid(token: &Secret) -> Option<bool> {
    #[derive(Deserialize)]
    struct Claims {
        exp: f64,
    }
    let (_, payload, _) = token.reveal().trim().split('.').collect_tuple()?;
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).ok()?;
    let claims: Claims = serde_json::from_slice(&payload).ok()?;
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^53")]
    Some(((Timestamp::now().as_second() + EARLIER) as f64) < claims.exp)
}

/// Parses a secret answer, which errors don't quote.
fn parse_answer<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|_| login_error("the answer of the identity provider is invalid"))
}

fn percent_encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn login_error(why: &str) -> Error {
    Error::new(Kind::Failed, format!("the login through the auth-provider oidc failed: {why}"))
        .hint("log in again with your identity provider's tool, for example kubectl oidc-login")
}
