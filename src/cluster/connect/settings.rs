//! Combines flags, kubeconfig and environment into one cluster, one user and one namespace.
//!
//! The rules are those of kubectl 1.36 (client-go's `clientcmd` and `rest`, cli-runtime's `ConfigFlags`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use http::{HeaderMap, HeaderValue, Uri};

use super::header::{basic, bearer, impersonation};
use super::kubeconfig::{self, AuthProvider, ClusterEntry, ExecConfig, Kubeconfig, Secret, UserEntry};
use super::proxy::{self, Proxy};
use super::server::{self, ServerUrl};
use super::{ConnectOptions, Env};
use crate::error::{Error, Hint, quoted};

/// A certificate or a key: its text or its file.
#[derive(Clone, Debug)]
pub(super) enum Pem {
    /// From the kubeconfig itself, decoded.
    Inline(Secret),
    /// Read again for each connection, because it may be replaced.
    File(PathBuf),
}

impl Pem {
    /// Decodes the value of a `…-data` field. Errors name the field and don't show its value.
    pub(super) fn decode(field: &str, data: &str) -> Result<Self, Error> {
        let packed: String = data.split_whitespace().collect();
        let bytes = base64::engine::general_purpose::STANDARD.decode(packed);
        let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.ok_or_else(|| Error::usage(format!("the {field} of the kubeconfig is not PEM in base64")))?;
        Ok(Self::Inline(Secret::new(text)))
    }
}

/// How the user logs in, above TLS.
#[derive(Clone, Debug, Default)]
pub(super) enum Login {
    #[default]
    Anonymous,
    Fixed(HeaderValue),
    /// A file with a token, and the token to use while it can't be read.
    TokenFile(PathBuf, Option<Secret>),
    Exec(ExecConfig),
    Oidc(AuthProvider),
}

#[derive(Clone, Debug, Default)]
pub(super) struct ConnectSettings {
    pub(super) server: Uri,
    pub(super) namespace: String,
    pub(super) ca: Option<Pem>,
    pub(super) insecure: bool,
    pub(super) tls_server_name: Option<String>,
    pub(super) proxy: Option<Proxy>,
    /// The kubeconfig's own proxy, for exec plugins.
    pub(super) proxy_url: Option<String>,
    pub(super) disable_compression: bool,
    pub(super) identity: Option<(Pem, Pem)>,
    pub(super) login: Login,
    pub(super) impersonation: HeaderMap,
    /// The kubeconfig's extension for exec plugins.
    pub(super) exec_extension: Option<serde_json::Value>,
}

/// The folder in a Pod with the credentials of its service account.
pub(super) const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Returns a value that is given and not empty, as kubectl decides it.
pub(super) fn non_empty(value: Option<&String>) -> Option<&str> {
    value.map(String::as_str).filter(|value| !value.is_empty())
}

fn non_empty_path(value: Option<&PathBuf>) -> Option<PathBuf> {
    value.filter(|path| !path.as_os_str().is_empty()).cloned()
}

impl ConnectSettings {
    /// Resolves everything that doesn't need the network. `service_account` is [`SERVICE_ACCOUNT`] outside of tests.
    ///
    /// # Errors
    /// A name that is not in the kubeconfig, settings that contradict each other, files that are missing, or nothing
    /// to connect to.
    pub(super) fn resolve(options: &ConnectOptions, env: Env<'_>, service_account: &Path) -> Result<Self, Error> {
        let config = kubeconfig::load_kubeconfig(options.kubeconfig.as_deref(), env)?;
        let named = non_empty(options.context.as_ref()).or(config.current_context.as_deref());
        let context =
            select_entry("context", named, None, &config.contexts, &config, options)?.1.cloned().unwrap_or_default();
        let (asked, named) = (non_empty(options.cluster.as_ref()), non_empty(context.cluster.as_ref()));
        let (cluster_name, known_cluster) = select_entry("cluster", asked, named, &config.clusters, &config, options)?;
        let (asked, named) = (non_empty(options.user.as_ref()), non_empty(context.user.as_ref()));
        let (user_name, known_user) = select_entry("user", asked, named, &config.users, &config, options)?;
        let pod = PodEnvironment::detect(env, service_account);
        let namespace = match (non_empty(options.namespace.as_ref()).or(non_empty(context.namespace.as_ref())), &pod) {
            (Some(namespace), _) => namespace.to_owned(),
            (None, Some(pod)) => pod.namespace(env),
            (None, None) => "default".to_owned(),
        };
        let mut cluster = known_cluster.cloned().unwrap_or_default();
        apply_cluster_flags(&mut cluster, options);
        let mut user = known_user.cloned().unwrap_or_default();
        apply_user_flags(&mut user, options);
        let configured = non_empty(cluster.server.as_ref()).map(str::to_owned);
        let server = if let Some(server) = &configured {
            server.clone()
        } else if let Some(pod) = pod {
            pod.add_credentials(&mut cluster, &mut user);
            pod.server
        } else if let Some(name) = cluster_name {
            return Err(match known_cluster {
                Some(_) => Error::usage(format!("the cluster {name:?} of the kubeconfig has no server"))
                    .hint(Hint::kubectl(&["config", "set-cluster", name, "--server", "URL"], "sets it")),
                None => unknown_entry_error("cluster", name, &config.clusters, &config)
                    .hint(Hint::kubectl(&["config", "view"], "shows the cluster of the context")),
            });
        } else {
            env("KUBERNETES_MASTER").ok_or_else(|| no_cluster_error(&config, options))?
        };
        let ServerUrl { uri, login } = server::parse_server(&server, "http").map_err(Error::usage)?;
        let secure = uri.scheme_str() == Some("https");
        // With an unknown user every request would be anonymous.
        let own = non_empty(options.token.as_ref()).is_some() || options.client_certificate.is_some();
        if let (Some(name), None) = (user_name, known_user)
            && configured.is_some()
            && !own
            && secure
        {
            return Err(unknown_entry_error("user", name, &config.users, &config)
                .hint(Hint::kubectl(&["config", "view"], "shows the user of the context")));
        }
        Self::build(uri, login, namespace, &cluster, &user, env)
    }

    fn build(
        server: Uri,
        url_login: Option<(String, Secret)>,
        namespace: String,
        cluster: &ClusterEntry,
        user: &UserEntry,
        env: Env<'_>,
    ) -> Result<Self, Error> {
        let secure = server.scheme_str() == Some("https");
        let impersonation = impersonation(user)?;
        let proxy_url = non_empty(cluster.proxy_url.as_ref()).map(str::to_owned);
        let proxy = match &proxy_url {
            Some(url) => Some(proxy::from_kubeconfig(url).map_err(Error::usage)?),
            None => proxy::from_environment(&server, env),
        };
        let insecure = cluster.insecure_skip_tls_verify.unwrap_or(false);
        let data = non_empty(cluster.certificate_authority_data.as_ref());
        let ca = read_pem("a cluster", "certificate-authority", data, cluster.certificate_authority.as_ref())?;
        if insecure && ca.is_some() && secure {
            return Err(Error::usage("a certificate authority and insecure-skip-tls-verify exclude each other")
                .hint("remove one of them from the kubeconfig or the command line"));
        }
        // Credentials are not sent over plain HTTP, as in kubectl.
        let (identity, mut login) = if secure { user_credentials(user)? } else { (None, Login::Anonymous) };
        if let (Login::Anonymous, Some((name, password))) = (&login, url_login) {
            login = Login::Fixed(basic(&name, &password)?);
        }
        Ok(Self {
            server,
            namespace,
            ca: ca.filter(|_| secure),
            insecure,
            tls_server_name: non_empty(cluster.tls_server_name.as_ref()).map(str::to_owned),
            proxy,
            proxy_url,
            disable_compression: cluster.disable_compression.unwrap_or(false),
            identity,
            login,
            impersonation,
            exec_extension: cluster.exec_extension(),
        })
    }
}

/// Returns the name and the entry that `flag` names, which has to exist, or else those that the context names.
fn select_entry<'a, T>(
    what: &str,
    flag: Option<&'a str>,
    in_context: Option<&'a str>,
    all: &'a BTreeMap<String, T>,
    config: &Kubeconfig,
    options: &ConnectOptions,
) -> Result<(Option<&'a str>, Option<&'a T>), Error> {
    let name = flag.or(in_context);
    let entry = name.and_then(|name| all.get(name));
    match flag {
        Some(name) if entry.is_none() => {
            Err(unknown_entry_error(what, name, all, config).hint(list_entries_hint(what, options)))
        }
        _ => Ok((name, entry)),
    }
}

/// Returns the hint that lists the contexts, the clusters or the users. Of the flags that were given only
/// `--kubeconfig` belongs to it: another one may be what is wrong.
fn list_entries_hint(what: &str, options: &ConnectOptions) -> String {
    let path = non_empty_path(options.kubeconfig.as_ref()).map(|path| path.display().to_string());
    let flag = path.map_or_else(String::new, |path| format!(" --kubeconfig {}", quoted(&path)));
    format!("kubectl config get-{what}s{flag} lists the {what}s; --{what} NAME selects one")
}

/// The maximum number of names in an error.
const LISTED: usize = 8;

fn unknown_entry_error<T>(what: &str, name: &str, existing: &BTreeMap<String, T>, config: &Kubeconfig) -> Error {
    let total = existing.len();
    let mut listed: Vec<&str> = existing.keys().map(String::as_str).take(LISTED).collect();
    if total > LISTED {
        listed.push("...");
    }
    Error::usage(match total {
        0 if config.read.is_empty() => format!("the {what} {name:?} is unknown: there is no kubeconfig"),
        0 => format!("the {what} {name:?} is not in the kubeconfig: it has no {what}s"),
        _ => format!("the {what} {name:?} is not in the kubeconfig: it has {}", listed.join(", ")),
    })
}

fn no_cluster_error(config: &Kubeconfig, options: &ConnectOptions) -> Error {
    let list = |paths: &[PathBuf]| paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    let why = match (config.read.as_slice(), config.missing.as_slice()) {
        ([], []) => "neither $KUBECONFIG nor a home folder is set".to_owned(),
        ([], missing) => format!("{} does not exist", list(missing)),
        (read, _) if config.contexts.is_empty() => format!("{} has no context", list(read)),
        (read, _) => format!("{} has no current context", list(read)),
    };
    let error = Error::usage(format!("no cluster is configured: {why}, and this is not a Pod"));
    if config.contexts.is_empty() {
        error.hint("--kubeconfig FILE or $KUBECONFIG names a kubeconfig")
    } else {
        error.hint(list_entries_hint("context", options))
    }
}

fn apply_cluster_flags(cluster: &mut ClusterEntry, options: &ConnectOptions) {
    let server = non_empty(options.server.as_ref());
    let name = non_empty(options.tls_server_name.as_ref());
    // The kubeconfig's name belongs to the kubeconfig's server.
    if server.is_some() || name.is_some() {
        cluster.tls_server_name = name.map(str::to_owned);
    }
    if let Some(server) = server {
        cluster.server = Some(server.to_owned());
    }
    let ca = non_empty_path(options.certificate_authority.as_ref());
    if options.insecure_skip_tls_verify || ca.is_some() {
        cluster.insecure_skip_tls_verify = Some(options.insecure_skip_tls_verify);
        cluster.certificate_authority = ca;
        cluster.certificate_authority_data = None;
    }
    if options.disable_compression {
        cluster.disable_compression = Some(true);
    }
}

fn apply_user_flags(user: &mut UserEntry, options: &ConnectOptions) {
    if let Some(certificate) = non_empty_path(options.client_certificate.as_ref()) {
        user.client_certificate = Some(certificate);
        user.client_certificate_data = None;
    }
    if let Some(key) = non_empty_path(options.client_key.as_ref()) {
        user.client_key = Some(key);
        user.client_key_data = None;
    }
    if let Some(token) = non_empty(options.token.as_ref()) {
        user.token = Some(Secret::new(token));
        (user.token_file, user.username, user.password) = (None, None, None);
        (user.exec, user.auth_provider) = (None, None);
    }
    if let Some(name) = non_empty(options.username.as_ref()) {
        user.username = Some(name.to_owned());
    }
    if let Some(password) = non_empty(options.password.as_ref()) {
        user.password = Some(Secret::new(password));
    }
    if let Some(name) = non_empty(options.as_user.as_ref()) {
        user.acts_as = Some(name.to_owned());
    }
    if let Some(uid) = non_empty(options.as_uid.as_ref()) {
        user.as_uid = Some(uid.to_owned());
    }
    if !options.as_groups.is_empty() {
        user.as_groups = Some(options.as_groups.clone());
    }
    if !options.as_user_extra.is_empty() {
        let extra = user.as_user_extra.insert(BTreeMap::new());
        for (key, value) in &options.as_user_extra {
            extra.entry(key.clone()).or_default().push(value.clone());
        }
    }
}

/// Reads a certificate or key from `field`, which names a file, or from the field with `-data`.
fn read_pem(owner: &str, field: &str, data: Option<&str>, file: Option<&PathBuf>) -> Result<Option<Pem>, Error> {
    match (data, non_empty_path(file)) {
        (Some(_), Some(_)) => Err(Error::usage(format!("the kubeconfig gives {owner} both {field} and {field}-data"))),
        (Some(data), None) => Pem::decode(&format!("{field}-data"), data).map(Some),
        (None, Some(path)) => match std::fs::File::open(&path) {
            Ok(_) => Ok(Some(Pem::File(path))),
            Err(error) => {
                let what = field.replace('-', " ");
                Err(Error::usage(format!("can't read the {what} {}", path.display())).caused_by(error))
            }
        },
        (None, None) => Ok(None),
    }
}

fn user_credentials(user: &UserEntry) -> Result<(Option<(Pem, Pem)>, Login), Error> {
    let identity = client_identity(user)?;
    let token = user.token.clone().filter(|token| !token.reveal().is_empty());
    let token_file = non_empty_path(user.token_file.as_ref());
    let has_name = non_empty(user.username.as_ref()).is_some()
        || user.password.as_ref().is_some_and(|password| !password.reveal().is_empty());
    if token.is_some() && has_name {
        return Err(Error::usage("the kubeconfig gives the user both a token and a user name with a password"));
    }
    if user.exec.is_some() && user.auth_provider.is_some() {
        return Err(Error::usage("the kubeconfig gives the user both exec and auth-provider"));
    }
    let login = match (token_file, token) {
        // A readable file wins, as in client-go.
        (Some(file), token) => Login::TokenFile(file, token),
        (None, Some(token)) => Login::Fixed(bearer(token.reveal())?),
        (None, None) if has_name => {
            let name = user.username.as_deref().unwrap_or_default();
            Login::Fixed(basic(name, user.password.as_ref().unwrap_or(&Secret::default()))?)
        }
        (None, None) => match (&user.auth_provider, &user.exec) {
            (Some(provider), _) => auth_provider_login(provider)?,
            // With a certificate the plugin does not run.
            (None, Some(exec)) if identity.is_none() => Login::Exec(check_exec(exec)?),
            _ => Login::Anonymous,
        },
    };
    Ok((identity, login))
}

fn client_identity(user: &UserEntry) -> Result<Option<(Pem, Pem)>, Error> {
    let data = non_empty(user.client_certificate_data.as_ref());
    let certificate = read_pem("the user", "client-certificate", data, user.client_certificate.as_ref())?;
    let Some(certificate) = certificate else { return Ok(None) };
    let data = user.client_key_data.as_ref().map(Secret::reveal).filter(|data| !data.is_empty());
    match read_pem("the user", "client-key", data, user.client_key.as_ref())? {
        Some(key) => Ok(Some((certificate, key))),
        None => Err(Error::usage("the client certificate has no key")
            .hint("give the key with --client-key, or as client-key in the kubeconfig")),
    }
}

fn auth_provider_login(provider: &AuthProvider) -> Result<Login, Error> {
    let replaced = |plugin: &str| {
        Error::usage(format!(
            "the kubeconfig logs in through the auth-provider {:?}, which Kubernetes has removed",
            provider.name
        ))
        .hint(format!("use {plugin} as an exec plugin instead"))
    };
    match provider.name.as_str() {
        "oidc" => Ok(Login::Oidc(provider.clone())),
        "gcp" => Err(replaced("gke-gcloud-auth-plugin")),
        "azure" => Err(replaced("kubelogin (https://github.com/Azure/kubelogin)")),
        name => {
            Err(Error::usage(format!("the kubeconfig logs in through the auth-provider {name:?}, which is unknown"))
                .hint("use an exec plugin; the only auth-provider is oidc"))
        }
    }
}

/// Checks a plugin's configuration and adds defaults, as client-go's `validateAuthInfo`.
fn check_exec(exec: &ExecConfig) -> Result<ExecConfig, Error> {
    let mut exec = exec.clone();
    let wrong = |what: &str| Error::usage(format!("the kubeconfig's exec plugin {what}"));
    if non_empty(exec.command.as_ref()).is_none() {
        return Err(wrong("has no command"));
    }
    let Some(version) = non_empty(exec.api_version.as_ref()) else { return Err(wrong("has no apiVersion")) };
    let Some(version @ ("v1" | "v1beta1")) = version.strip_prefix("client.authentication.k8s.io/") else {
        return Err(wrong(&format!("has the unsupported apiVersion {version:?}"))
            .hint("set client.authentication.k8s.io/v1, and update the plugin if it does not support it"));
    };
    if exec.env.iter().flatten().any(|variable| variable.name.is_empty()) {
        return Err(wrong("has an environment variable without a name"));
    }
    match non_empty(exec.interactive_mode.as_ref()) {
        Some("Never" | "IfAvailable" | "Always") => {}
        Some(mode) => return Err(wrong(&format!("has the unknown interactiveMode {mode:?}"))),
        None if version == "v1beta1" => exec.interactive_mode = Some("IfAvailable".to_owned()),
        None => return Err(wrong("has no interactiveMode").hint("set it to Never, IfAvailable or Always")),
    }
    Ok(exec)
}

/// The cluster in which this program runs in a Pod.
struct PodEnvironment {
    server: String,
    folder: PathBuf,
}

impl PodEnvironment {
    fn detect(env: Env<'_>, folder: &Path) -> Option<Self> {
        let (host, port) = (env("KUBERNETES_SERVICE_HOST")?, env("KUBERNETES_SERVICE_PORT")?);
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        let found = Self { server: format!("https://{host}:{port}"), folder: folder.to_owned() };
        folder.join("token").is_file().then_some(found)
    }

    fn namespace(&self, env: Env<'_>) -> String {
        // Set by the downward API; read only in a Pod, as in client-go.
        if let Some(namespace) = env("POD_NAMESPACE") {
            return namespace;
        }
        let file = std::fs::read_to_string(self.folder.join("namespace")).unwrap_or_default();
        if file.trim().is_empty() { "default".to_owned() } else { file.trim().to_owned() }
    }

    /// Adds the Pod's own credentials if no flag gives any.
    fn add_credentials(&self, cluster: &mut ClusterEntry, user: &mut UserEntry) {
        if cluster.certificate_authority.is_none() && !cluster.insecure_skip_tls_verify.unwrap_or(false) {
            cluster.certificate_authority = Some(self.folder.join("ca.crt")).filter(|path| path.is_file());
        }
        if user.token.is_none() {
            user.token_file = Some(self.folder.join("token"));
        }
    }
}
