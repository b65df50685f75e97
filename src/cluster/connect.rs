//! From kubeconfig, environment and flags to a client, as kubectl does it.

mod credentials;
mod errors;
mod exec;
mod kubeconfig;
mod oidc;
mod policy;
mod proxy;
mod retry;
mod server;
mod settings;
mod stack;
#[cfg(test)]
mod tests;
mod tls;

use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use kube::client::middleware::BaseUriLayer;
use tower::Layer as _;

pub(crate) use self::errors::request_error;

use self::credentials::{Credentials, TokenFile, basic, bearer};
use self::exec::ExecPlugin;
use self::oidc::Oidc;
use self::settings::{Login, SERVICE_ACCOUNT, Settings};
use self::stack::Stack;
use self::tls::{GivenIdentity, Identity, OwnIdentity};
use crate::error::Error;

/// kubectl's connection flags as the user gave them; none or empty is not given.
#[derive(Clone, Default)]
pub(crate) struct ConnectOptions {
    /// `--kubeconfig`: the only file that is read.
    pub(crate) kubeconfig: Option<PathBuf>,
    /// `--context`.
    pub(crate) context: Option<String>,
    /// `--cluster`.
    pub(crate) cluster: Option<String>,
    /// `--user`.
    pub(crate) user: Option<String>,
    /// `--server`: a URL, or a host to which `http://` is added, as kubectl does.
    pub(crate) server: Option<String>,
    /// `--token`: the only credential above TLS, then.
    pub(crate) token: Option<String>,
    /// `--namespace`.
    pub(crate) namespace: Option<String>,
    /// `--as`.
    pub(crate) as_user: Option<String>,
    /// `--as-group`, each.
    pub(crate) as_groups: Vec<String>,
    /// `--as-uid`.
    pub(crate) as_uid: Option<String>,
    /// `--request-timeout`; none or zero is no limit.
    pub(crate) request_timeout: Option<Duration>,
    /// `--insecure-skip-tls-verify`.
    pub(crate) insecure_skip_tls_verify: bool,
    /// `--certificate-authority`.
    pub(crate) certificate_authority: Option<PathBuf>,
    /// `--client-certificate`.
    pub(crate) client_certificate: Option<PathBuf>,
    /// `--client-key`.
    pub(crate) client_key: Option<PathBuf>,
    /// `--tls-server-name`.
    pub(crate) tls_server_name: Option<String>,
    /// `--disable-compression`.
    pub(crate) disable_compression: bool,
    /// Nobody is there to be asked or told: exec plugins get no input, and what they say is not shown.
    pub(crate) unattended: bool,
}

impl fmt::Debug for ConnectOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the token.
        f.debug_struct("ConnectOptions")
            .field("kubeconfig", &self.kubeconfig)
            .field("context", &self.context)
            .field("server", &self.server)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

/// A client of one cluster, as one user.
#[derive(Clone)]
pub(crate) struct Connection {
    /// Nothing has been sent yet. Its default namespace is `namespace`.
    pub(crate) client: kube::Client,
    /// From the flag, the context or the Pod; `default` if none says.
    pub(crate) namespace: String,
    /// The API server's URL without credentials, for messages.
    pub(crate) server: String,
    /// How long one request may take; none is no limit. Applied by [`Connection::timed`], never to watches.
    pub(crate) request_timeout: Option<Duration>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("server", &self.server)
            .field("namespace", &self.namespace)
            .field("request_timeout", &self.request_timeout)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// The outcome of `request` within the request timeout; `doing` is such as "get jobs in namespace default".
    ///
    /// # Errors
    /// See [`request_error`]; too late is [`Kind::Unreachable`](crate::error::Kind::Unreachable).
    pub(crate) async fn timed<T>(
        &self,
        doing: &str,
        request: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, Error> {
        let answer = match self.request_timeout {
            None => request.await,
            Some(limit) => match tokio::time::timeout(limit, request).await {
                Ok(answer) => answer,
                Err(_) => return Err(errors::too_late(doing, &self.server, limit)),
            },
        };
        answer.map_err(|error| request_error(doing, &self.server, error))
    }
}

/// Each log that is read is a connection, and some systems allow 256 files by default. No more than this, since exec
/// plugins inherit it, and some programs go through all files that they might have open.
const OPEN_FILES: u64 = 8192;

/// What the kubeconfig has, by name.
pub(crate) struct KubeconfigNames {
    pub(crate) contexts: Vec<String>,
    pub(crate) clusters: Vec<String>,
    pub(crate) users: Vec<String>,
}

/// The names in the kubeconfig that is meant. Nothing is asked of a cluster.
///
/// # Errors
/// A file that is not a kubeconfig, or that is named and not there.
pub(crate) fn kubeconfig_names(
    options: &ConnectOptions,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<KubeconfigNames, Error> {
    let found = kubeconfig::load(options.kubeconfig.as_deref(), env)?;
    Ok(KubeconfigNames {
        contexts: found.contexts.into_keys().collect(),
        clusters: found.clusters.into_keys().collect(),
        users: found.users.into_keys().collect(),
    })
}

/// Settles which cluster, user and namespace are meant, and prepares a client. Sends nothing to the cluster; an exec
/// plugin runs at the first request. Needs a Tokio runtime.
///
/// `env` reads environment variables.
///
/// # Errors
/// Options, kubeconfig or certificates that can't be used; nothing to connect to.
#[expect(clippy::unused_async, reason = "callers must not depend on there being nothing to wait for")]
pub(crate) async fn connect(
    options: &ConnectOptions,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Connection, Error> {
    // Best effort: with fewer, fewer logs can be read at once.
    let _ = rlimit::increase_nofile_limit(OPEN_FILES);
    connect_in(options, env, Path::new(SERVICE_ACCOUNT))
}

fn connect_in(
    options: &ConnectOptions,
    env: &dyn Fn(&str) -> Option<String>,
    service_account: &Path,
) -> Result<Connection, Error> {
    let settings = Settings::resolve(options, env, service_account)?;
    let mut identity: Identity = None;
    if let Some((certificate, key)) = settings.identity.clone() {
        identity = Some(Arc::new(OwnIdentity::new(certificate, key)?));
    }
    let credentials = match settings.login.clone() {
        Login::Anonymous => Credentials::None,
        Login::Token(token) => Credentials::Fixed(bearer(token.reveal())?),
        Login::TokenFile(path, fallback) => Credentials::File(TokenFile::new(path, fallback)),
        Login::Basic(name, password) => Credentials::Fixed(basic(&name, &password)?),
        Login::Oidc(provider) => Credentials::Oidc(Box::new(Oidc::new(&provider, env)?)),
        Login::Exec(mut config) => {
            config.unattended = options.unattended;
            policy::check(config.command.as_deref().unwrap_or_default(), env)?;
            let given = Arc::new(GivenIdentity::default());
            identity = Some(Arc::clone(&given) as _);
            let path = env("PATH").map(Into::into);
            Credentials::Exec(ExecPlugin::new(config, &settings, path, given)?)
        }
    };
    let tls = if stack::needs_tls(&settings) { Some(tls::config(&settings, identity)?) } else { None };
    let stack = Stack::new(&settings, credentials, tls)?;
    let service = BaseUriLayer::new(settings.server.clone()).layer(stack);
    Ok(Connection {
        client: kube::Client::new(service, settings.namespace.clone()),
        server: server::display(&settings.server),
        namespace: settings.namespace,
        request_timeout: options.request_timeout.filter(|limit| !limit.is_zero()),
    })
}
