//! From kubeconfig, environment and flags to a client, as kubectl does it.

mod credentials;
mod errors;
mod exec;
mod header;
mod kubeconfig;
mod oidc;
mod policy;
mod proxy;
mod retry;
mod server;
mod settings;
mod silence;
mod stack;
#[cfg(test)]
mod tests;
mod tls;
mod transport;

use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use kube::client::middleware::BaseUriLayer;
use tower::Layer as _;

pub(crate) use self::errors::{is_refusal, may_pass, request_error};
pub(crate) use self::silence::SilenceHook;

use self::credentials::{Credentials, TokenFile};
use self::exec::ExecPlugin;
use self::header::{basic, bearer};
use self::oidc::Oidc;
use self::settings::{Login, SERVICE_ACCOUNT, Settings};
use self::silence::Patience;
use self::stack::Stack;
use self::tls::{GivenIdentity, Identity, OwnIdentity};
use self::transport::Transport;
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
    /// `--request-timeout`: how long the server may be silent; `None` or zero is no limit.
    pub(crate) request_timeout: Option<Duration>,
    /// Called when the server has been silent for a while.
    pub(crate) on_silence: SilenceHook,
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
    /// Nobody is to be asked or told anything, as when a shell completes a word: an exec plugin gets no terminal.
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
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("server", &self.server)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// The outcome of `request`; `doing` is such as "get jobs in namespace default".
    ///
    /// # Errors
    /// See [`request_error`].
    pub(crate) async fn ask<T>(
        &self,
        doing: &str,
        request: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, Error> {
        request.await.map_err(|error| request_error(doing, &self.server, error))
    }
}

/// Each log that is read is a connection, and some systems allow 256 files by default. No more than this, since exec
/// plugins inherit it, and some programs go through all files that they might have open.
const OPEN_FILES: u64 = 8192;

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

/// What a kubeconfig has to choose from.
#[derive(Debug, Default)]
pub(crate) struct Choices {
    /// Each context, the cluster that it means, and its namespace.
    pub(crate) contexts: Vec<(String, String, String)>,
    /// Each cluster, and its server.
    pub(crate) clusters: Vec<(String, String)>,
    pub(crate) users: Vec<String>,
}

/// What the kubeconfig has to choose from that is meant. Nothing is sent.
///
/// # Errors
/// A file that can't be read.
pub(crate) fn choices(kubeconfig: Option<&Path>, env: &dyn Fn(&str) -> Option<String>) -> Result<Choices, Error> {
    let read = kubeconfig::load(kubeconfig, env)?;
    let context = |(name, context): (String, kubeconfig::Context)| {
        (name, context.cluster.unwrap_or_default(), context.namespace.unwrap_or_default())
    };
    let cluster = |(name, cluster): (String, kubeconfig::Cluster)| (name, cluster.server.unwrap_or_default());
    Ok(Choices {
        contexts: read.contexts.into_iter().map(context).collect(),
        clusters: read.clusters.into_iter().map(cluster).collect(),
        users: read.users.into_keys().collect(),
    })
}

fn connect_in(
    options: &ConnectOptions,
    env: &dyn Fn(&str) -> Option<String>,
    service_account: &Path,
) -> Result<Connection, Error> {
    let settings = Settings::resolve(options, env, service_account)?;
    let patience = Patience::new(&settings.server, options.request_timeout, options.on_silence.clone());
    let mut identity: Identity = None;
    if let Some((certificate, key)) = settings.identity.clone() {
        identity = Some(Arc::new(OwnIdentity::new(certificate, key)?));
    }
    let credentials = match settings.login.clone() {
        Login::Anonymous => Credentials::None,
        Login::Token(token) => Credentials::Fixed(bearer(token.reveal())?),
        Login::TokenFile(path, fallback) => Credentials::File(TokenFile::new(path, fallback)),
        Login::Basic(name, password) => Credentials::Fixed(basic(&name, &password)?),
        Login::Oidc(provider) => Credentials::Oidc(Box::new(Oidc::new(&provider, &patience, env)?)),
        Login::Exec(config) => {
            policy::check(config.command.as_deref().unwrap_or_default(), env)?;
            let given = Arc::new(GivenIdentity::default());
            identity = Some(Arc::clone(&given) as _);
            let path = env("PATH").map(Into::into);
            Credentials::Exec(ExecPlugin::new(config, &settings, path, given, options.unattended)?)
        }
    };
    let tls = if transport::needs_tls(&settings) { Some(tls::config(&settings, identity)?) } else { None };
    let transport = Transport::new(&settings, tls, patience)?;
    let stack = Stack::new(settings.impersonation.as_ref(), credentials, transport)?;
    let service = BaseUriLayer::new(settings.server.clone()).layer(stack);
    Ok(Connection {
        client: kube::Client::new(service, settings.namespace.clone()),
        server: server::display(&settings.server),
        namespace: settings.namespace,
    })
}
