//! Makes a client from kubeconfig, environment and flags, as kubectl does.

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
mod trace;
mod transport;
mod warning;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use kube::client::middleware::BaseUriLayer;
use tower::Layer as _;

pub(crate) use self::errors::{NOT_A_STATUS, foreign_server_hint, is_refusal, is_transient, request_error};
pub(crate) use self::kubeconfig::load_kubeconfig;
pub(crate) use self::trace::Trace;

use self::credentials::{Credentials, TokenFile};
use self::exec::ExecPlugin;
use self::oidc::Oidc;
use self::settings::{ConnectSettings, Login, SERVICE_ACCOUNT};
use self::silence::Patience;
use self::stack::Stack;
use self::tls::Identity;
use self::transport::Transport;
use self::warning::Warnings;
use super::Cluster;
use crate::error::Error;

/// Called with a text for the user.
pub(crate) type Hook = Option<Arc<dyn Fn(&str) + Send + Sync>>;

/// kubectl's connection flags. An empty value counts as not given.
#[derive(Clone, Default)]
pub(crate) struct ConnectOptions {
    /// If given, no other kubeconfig is read.
    pub(crate) kubeconfig: Option<PathBuf>,
    pub(crate) context: Option<String>,
    pub(crate) cluster: Option<String>,
    pub(crate) user: Option<String>,
    /// A URL, or a host to which `http://` is added, as kubectl does.
    pub(crate) server: Option<String>,
    /// If given, it replaces the kubeconfig's other credentials above TLS.
    pub(crate) token: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) as_user: Option<String>,
    pub(crate) as_groups: Vec<String>,
    pub(crate) as_uid: Option<String>,
    pub(crate) as_user_extra: Vec<(String, String)>,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    /// How long the server may be silent; `None` or zero is no limit.
    pub(crate) request_timeout: Option<Duration>,
    /// Called with a server's host and port after two seconds of silence, once until the server answers quickly again.
    pub(crate) on_silence: Hook,
    /// Called once with each distinct warning of the server.
    pub(crate) on_warning: Hook,
    pub(crate) trace: Trace,
    pub(crate) insecure_skip_tls_verify: bool,
    pub(crate) certificate_authority: Option<PathBuf>,
    pub(crate) client_certificate: Option<PathBuf>,
    pub(crate) client_key: Option<PathBuf>,
    pub(crate) tls_server_name: Option<String>,
    pub(crate) disable_compression: bool,
    /// No prompt and no message, as when a shell completes a word: an exec plugin gets no terminal.
    pub(crate) unattended: bool,
}

/// Reads environment variables.
pub(crate) type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The wanted limit of open files. Each log is a connection, and some systems allow only 256 files by default. A higher
/// limit would slow down exec plugins, which inherit it: some programs iterate over all possible files.
const OPEN_FILES: u64 = 8192;

impl Cluster {
    /// Chooses the cluster, the user and the namespace, and prepares a client. Sends nothing yet; an exec plugin runs
    /// at the first request. Needs a Tokio runtime.
    ///
    /// # Errors Invalid options, kubeconfig or certificates; no cluster is configured.
    #[expect(clippy::unused_async, reason = "callers must not depend on there being nothing to wait for")]
    pub(crate) async fn connect(options: &ConnectOptions, env: Env<'_>) -> Result<Self, Error> {
        // A failure only lowers the number of logs that can be read at once.
        let _ = rlimit::increase_nofile_limit(OPEN_FILES);
        connect_in(options, env, Path::new(SERVICE_ACCOUNT))
    }
}

fn connect_in(options: &ConnectOptions, env: Env<'_>, service_account: &Path) -> Result<Cluster, Error> {
    let env: Env<'_> = &|name| env(name).filter(|value| !value.is_empty());
    let settings = ConnectSettings::resolve(options, env, service_account)?;
    let patience = Patience::new(&settings.server, options.request_timeout, options.on_silence.clone());
    let identity = settings.identity.clone().map(|(certificate, key)| Identity::new(certificate, key));
    let mut identity = identity.transpose()?.map(Arc::new);
    let credentials = match settings.login.clone() {
        Login::Anonymous => Credentials::None,
        Login::Fixed(header) => Credentials::Fixed(header),
        Login::TokenFile(path, fallback) => Credentials::File(TokenFile::new(path, fallback)),
        Login::Oidc(provider) => Credentials::Oidc(Box::new(Oidc::new(&provider, &patience, env)?)),
        Login::Exec(config) => {
            policy::check_plugin(config.command.as_deref().unwrap_or_default(), env)?;
            let given = identity.insert(Arc::default());
            let path = env("PATH").map(Into::into);
            Credentials::Exec(ExecPlugin::new(config, &settings, path, Arc::clone(given), options.unattended)?)
        }
    };
    let transport = Transport::new(&settings, identity, patience)?;
    let warnings = Warnings::new(options.on_warning.clone());
    let stack =
        Stack { headers: settings.impersonation, credentials, transport, warnings, trace: options.trace.clone() };
    let stack = Arc::new(stack);
    let service = tower::service_fn(move |request| {
        let stack = Arc::clone(&stack);
        async move { stack.send(request).await }
    });
    let service = BaseUriLayer::new(settings.server.clone()).layer(service);
    Ok(Cluster {
        client: kube::Client::new(service, settings.namespace.clone()),
        server: server::display(&settings.server),
        namespace: settings.namespace,
    })
}
