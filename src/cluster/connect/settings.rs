//! What flags, kubeconfig and environment come to: one cluster, one user, one namespace.
//!
//! The rules are those of kubectl 1.36 (client-go's `clientcmd` and `rest`, cli-runtime's `ConfigFlags`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use http::Uri;

use super::ConnectOptions;
use super::kubeconfig::{self, AuthProvider, Cluster, ExecConfig, Kubeconfig, Secret, User};
use super::proxy::{self, Proxy};
use super::server::{self, Server};
use crate::error::Error;

/// Bytes of a certificate or a key, or the file that has them.
#[derive(Clone, Debug)]
pub(super) enum Pem {
    /// Written into the kubeconfig; decoded.
    Inline(Secret),
    /// Read again when needed, since it may be replaced while a command runs.
    File(PathBuf),
}

impl Pem {
    /// Takes the value of a `…-data` field.
    ///
    /// # Errors
    /// Names the field, without showing it.
    pub(super) fn decode(field: &str, data: &str) -> Result<Self, Error> {
        let packed: String = data.split_whitespace().collect();
        let bytes = base64::engine::general_purpose::STANDARD.decode(packed);
        let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.ok_or_else(|| Error::usage(format!("the {field} of the kubeconfig is not PEM in base64")))?;
        Ok(Self::Inline(Secret::new(text)))
    }
}

/// How the user shows who they are, above TLS.
#[derive(Clone, Debug)]
pub(super) enum Login {
    Anonymous,
    Token(Secret),
    /// A file with a token, and the token to use while it can't be read.
    TokenFile(PathBuf, Option<Secret>),
    Basic(String, Secret),
    Exec(ExecConfig),
    Oidc(AuthProvider),
}

/// In whose name requests are made; sent as headers.
#[derive(Clone, Debug, Default)]
pub(super) struct Impersonation {
    pub(super) user: String,
    pub(super) uid: Option<String>,
    pub(super) groups: Vec<String>,
    pub(super) extra: BTreeMap<String, Vec<String>>,
}

/// All that is needed to build a client.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) server: Uri,
    pub(super) namespace: String,
    pub(super) ca: Option<Pem>,
    pub(super) insecure: bool,
    pub(super) tls_server_name: Option<String>,
    pub(super) proxy: Option<Proxy>,
    /// The kubeconfig's own proxy, to be told to exec plugins.
    pub(super) proxy_url: Option<String>,
    pub(super) disable_compression: bool,
    /// Certificate and key.
    pub(super) identity: Option<(Pem, Pem)>,
    pub(super) login: Login,
    pub(super) impersonation: Option<Impersonation>,
    /// What the kubeconfig tells exec plugins about the cluster.
    pub(super) exec_extension: Option<serde_json::Value>,
}

/// Where a Pod finds the credentials of its service account.
pub(super) const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// An option that is given: an empty value counts as none, as for kubectl.
fn given(value: Option<&String>) -> Option<&str> {
    value.map(String::as_str).filter(|value| !value.is_empty())
}

fn given_path(value: Option<&PathBuf>) -> Option<PathBuf> {
    value.filter(|path| !path.as_os_str().is_empty()).cloned()
}

impl Settings {
    /// Settles everything that doesn't need the network. `service_account` is [`SERVICE_ACCOUNT`] outside of tests.
    ///
    /// # Errors
    /// A name that is not in the kubeconfig, settings that contradict each other, files that are missing, or nothing
    /// to connect to.
    pub(super) fn resolve(options: &ConnectOptions, env: Env<'_>, service_account: &Path) -> Result<Self, Error> {
        let config = kubeconfig::load(options.kubeconfig.as_deref(), env)?;
        let choice = Choice::new(&config, options)?;
        let pod = Pod::detect(env, service_account);
        let namespace = choice.namespace(options, pod.as_ref(), env);
        let mut cluster = choice.cluster.cloned().unwrap_or_default();
        override_cluster(&mut cluster, options);
        let mut user = choice.user.cloned().unwrap_or_default();
        if let Some(server) = given(cluster.server.as_ref()) {
            let Server { uri, login } = server::parse(server, "http").map_err(Error::usage)?;
            choice.check_user(options, &uri)?;
            override_user(&mut user, options);
            return Self::build(uri, login, namespace, &cluster, &user, env);
        }
        if let Some(name) = &choice.cluster_name
            && pod.is_none()
        {
            return Err(choice.no_server(name));
        }
        if let Some(pod) = pod {
            override_user(&mut user, options);
            return pod.settings(namespace, cluster, user, env);
        }
        if let Some(master) = env("KUBERNETES_MASTER").filter(|master| !master.is_empty()) {
            let Server { uri, login } = server::parse(&master, "http").map_err(Error::usage)?;
            override_user(&mut user, options);
            return Self::build(uri, login, namespace, &cluster, &user, env);
        }
        Err(nothing_configured(&config))
    }

    fn build(
        server: Uri,
        url_login: Option<(String, Secret)>,
        namespace: String,
        cluster: &Cluster,
        user: &User,
        env: Env<'_>,
    ) -> Result<Self, Error> {
        let secure = server.scheme_str() == Some("https");
        let impersonation = impersonation(user)?;
        let proxy_url = given(cluster.proxy_url.as_ref()).map(str::to_owned);
        let proxy = match &proxy_url {
            Some(url) => Some(proxy::from_kubeconfig(url).map_err(Error::usage)?),
            None => proxy::from_environment(&server, env),
        };
        let insecure = cluster.insecure_skip_tls_verify.unwrap_or(false);
        let ca = certificate_authority(cluster)?;
        if insecure && ca.is_some() && secure {
            return Err(Error::usage("a certificate authority and insecure-skip-tls-verify exclude each other")
                .hint("remove one of the two from the kubeconfig or the command line"));
        }
        // Over plain HTTP nobody is told who the user is: kubectl keeps credentials to itself there, too.
        let (identity, mut login) = if secure { credentials(user)? } else { (None, Login::Anonymous) };
        if let (Login::Anonymous, Some((name, password))) = (&login, url_login) {
            login = Login::Basic(name, password);
        }
        Ok(Self {
            server,
            namespace,
            ca: ca.filter(|_| secure),
            insecure,
            tls_server_name: given(cluster.tls_server_name.as_ref()).map(str::to_owned),
            proxy,
            proxy_url,
            disable_compression: cluster.disable_compression.unwrap_or(false),
            identity,
            login,
            impersonation,
            exec_extension: cluster.exec_extension().cloned(),
        })
    }
}

/// What the context, or the flags in its place, picks from the kubeconfig.
struct Choice<'a> {
    config: &'a Kubeconfig,
    cluster_name: Option<String>,
    cluster: Option<&'a Cluster>,
    user_name: Option<String>,
    user: Option<&'a User>,
    namespace: Option<&'a str>,
}

impl<'a> Choice<'a> {
    fn new(config: &'a Kubeconfig, options: &ConnectOptions) -> Result<Self, Error> {
        let context_name = given(options.context.as_ref()).or(config.current_context.as_deref());
        let context = match context_name {
            None => None,
            Some(name) => Some(config.contexts.get(name).ok_or_else(|| {
                unknown("context", name, config.contexts.keys(), config)
                    .hint("kubectl config get-contexts shows the contexts, --context picks one")
            })?),
        };
        let by_flag = given(options.cluster.as_ref());
        let cluster_name = by_flag.or_else(|| context.and_then(|context| given(context.cluster.as_ref())));
        let cluster = cluster_name.and_then(|name| config.clusters.get(name));
        if let (Some(name), None) = (by_flag, cluster) {
            return Err(unknown("cluster", name, config.clusters.keys(), config)
                .hint("kubectl config get-clusters shows the clusters, --cluster picks one"));
        }
        let by_flag = given(options.user.as_ref());
        let user_name = by_flag.or_else(|| context.and_then(|context| given(context.user.as_ref())));
        let user = user_name.and_then(|name| config.users.get(name));
        if let (Some(name), None) = (by_flag, user) {
            return Err(unknown("user", name, config.users.keys(), config)
                .hint("kubectl config get-users shows the users, --user picks one"));
        }
        Ok(Self {
            config,
            cluster_name: cluster_name.map(str::to_owned),
            cluster,
            user_name: user_name.map(str::to_owned),
            user,
            namespace: context.and_then(|context| given(context.namespace.as_ref())),
        })
    }

    /// The flag, else the context's, else inside of a Pod the Pod's own, else `default`.
    fn namespace(&self, options: &ConnectOptions, pod: Option<&Pod>, env: Env<'_>) -> String {
        if let Some(namespace) = given(options.namespace.as_ref()).or(self.namespace) {
            return namespace.to_owned();
        }
        let Some(pod) = pod else { return "default".to_owned() };
        // Set through the downward API; read only inside of a Pod, as client-go does.
        if let Some(namespace) = env("POD_NAMESPACE").filter(|namespace| !namespace.is_empty()) {
            return namespace;
        }
        let file = std::fs::read_to_string(pod.folder.join("namespace")).unwrap_or_default();
        if file.trim().is_empty() { "default".to_owned() } else { file.trim().to_owned() }
    }

    /// A context that names a user who isn't there would make every request anonymous: better said at once.
    fn check_user(&self, options: &ConnectOptions, server: &Uri) -> Result<(), Error> {
        let own = given(options.token.as_ref()).is_some() || options.client_certificate.is_some();
        match (&self.user_name, self.user) {
            (Some(name), None) if !own && server.scheme_str() == Some("https") => {
                Err(unknown("user", name, self.config.users.keys(), self.config)
                    .hint("kubectl config view shows which user the context names"))
            }
            _ => Ok(()),
        }
    }

    fn no_server(&self, name: &str) -> Error {
        if self.cluster.is_some() {
            return Error::usage(format!("the cluster {name:?} of the kubeconfig has no server"))
                .hint(format!("kubectl config set-cluster {name} --server=URL sets it"));
        }
        unknown("cluster", name, self.config.clusters.keys(), self.config)
            .hint("kubectl config view shows which cluster the context names")
    }
}

/// Names beyond this many are not listed in an error.
const LISTED: usize = 8;

fn unknown<'a>(
    what: &str,
    name: &str,
    existing: impl ExactSizeIterator<Item = &'a String>,
    config: &Kubeconfig,
) -> Error {
    let total = existing.len();
    let mut listed: Vec<&str> = existing.map(String::as_str).take(LISTED).collect();
    if total > LISTED {
        listed.push("…");
    }
    let have = match total {
        0 if config.read.is_empty() => "there is no kubeconfig".to_owned(),
        0 => format!("the kubeconfig has no {what} at all"),
        _ => format!("there is: {}", listed.join(", ")),
    };
    Error::usage(format!("the {what} {name:?} is not in the kubeconfig; {have}"))
}

fn nothing_configured(config: &Kubeconfig) -> Error {
    let list = |paths: &[PathBuf]| paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    let why = match (config.read.as_slice(), config.missing.as_slice()) {
        ([], []) => "there is neither $KUBECONFIG nor a home folder with .kube/config".to_owned(),
        ([], missing) => format!("{} does not exist", list(missing)),
        (read, _) if config.contexts.is_empty() => format!("{} has no context", list(read)),
        (read, _) => format!("{} has no current context", list(read)),
    };
    let error = Error::usage(format!("no cluster is configured: {why}, and this is not a Pod"));
    if config.contexts.is_empty() {
        error.hint("name a kubeconfig with --kubeconfig or $KUBECONFIG")
    } else {
        error.hint("kubectl config get-contexts shows the contexts, --context picks one")
    }
}

fn override_cluster(cluster: &mut Cluster, options: &ConnectOptions) {
    let server = given(options.server.as_ref());
    let name = given(options.tls_server_name.as_ref());
    // The kubeconfig's name is that of the kubeconfig's server.
    if server.is_some() || name.is_some() {
        cluster.tls_server_name = name.map(str::to_owned);
    }
    if let Some(server) = server {
        cluster.server = Some(server.to_owned());
    }
    let ca = given_path(options.certificate_authority.as_ref());
    if options.insecure_skip_tls_verify || ca.is_some() {
        cluster.insecure_skip_tls_verify = Some(options.insecure_skip_tls_verify);
        cluster.certificate_authority = ca;
        cluster.certificate_authority_data = None;
    }
    if options.disable_compression {
        cluster.disable_compression = Some(true);
    }
}

fn override_user(user: &mut User, options: &ConnectOptions) {
    if let Some(certificate) = given_path(options.client_certificate.as_ref()) {
        user.client_certificate = Some(certificate);
        user.client_certificate_data = None;
    }
    if let Some(key) = given_path(options.client_key.as_ref()) {
        user.client_key = Some(key);
        user.client_key_data = None;
    }
    if let Some(token) = given(options.token.as_ref()) {
        user.token = Some(Secret::new(token));
        (user.token_file, user.username, user.password) = (None, None, None);
        (user.exec, user.auth_provider) = (None, None);
    }
    if let Some(name) = given(options.as_user.as_ref()) {
        user.acts_as = Some(name.to_owned());
    }
    if let Some(uid) = given(options.as_uid.as_ref()) {
        user.as_uid = Some(uid.to_owned());
    }
    if !options.as_groups.is_empty() {
        user.as_groups = Some(options.as_groups.clone());
    }
}

fn impersonation(user: &User) -> Result<Option<Impersonation>, Error> {
    let uid = given(user.as_uid.as_ref()).map(str::to_owned);
    let groups = user.as_groups.clone().unwrap_or_default();
    let extra = user.as_user_extra.clone().unwrap_or_default();
    match given(user.acts_as.as_ref()) {
        Some(name) => Ok(Some(Impersonation { user: name.to_owned(), uid, groups, extra })),
        None if uid.is_none() && groups.is_empty() && extra.is_empty() => Ok(None),
        None => Err(Error::usage("a uid, groups or extras are to be impersonated, but no user")
            .hint("add --as USER to --as-uid and --as-group")),
    }
}

fn certificate_authority(cluster: &Cluster) -> Result<Option<Pem>, Error> {
    let data = given(cluster.certificate_authority_data.as_ref());
    let file = given_path(cluster.certificate_authority.as_ref());
    pem("a cluster", "certificate-authority", data, file)
}

/// What `field` names or its twin with `-data` holds.
fn pem(owner: &str, field: &str, data: Option<&str>, file: Option<PathBuf>) -> Result<Option<Pem>, Error> {
    match (data, file) {
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

type Credentials = (Option<(Pem, Pem)>, Login);

fn credentials(user: &User) -> Result<Credentials, Error> {
    let identity = identity(user)?;
    let token = user.token.clone().filter(|token| !token.reveal().is_empty());
    let token_file = given_path(user.token_file.as_ref());
    let basic = given(user.username.as_ref()).is_some()
        || user.password.as_ref().is_some_and(|password| !password.reveal().is_empty());
    if token.is_some() && basic {
        return Err(Error::usage("the kubeconfig gives the user both a token and a user name with a password"));
    }
    if user.exec.is_some() && user.auth_provider.is_some() {
        return Err(Error::usage("the kubeconfig gives the user both exec and auth-provider"));
    }
    let login = match (token_file, token) {
        // The file wins while it can be read, as in client-go.
        (Some(file), token) => Login::TokenFile(file, token),
        (None, Some(token)) => Login::Token(token),
        (None, None) if basic => Login::Basic(
            user.username.clone().unwrap_or_default(),
            user.password.clone().unwrap_or_else(|| Secret::new("")),
        ),
        (None, None) => match (&user.auth_provider, &user.exec) {
            (Some(provider), _) => provided(provider)?,
            // A certificate is enough: the plugin is not asked.
            (None, Some(exec)) if identity.is_none() => Login::Exec(checked(exec)?),
            _ => Login::Anonymous,
        },
    };
    Ok((identity, login))
}

fn identity(user: &User) -> Result<Option<(Pem, Pem)>, Error> {
    let data = given(user.client_certificate_data.as_ref());
    let file = given_path(user.client_certificate.as_ref());
    let Some(certificate) = pem("the user", "client-certificate", data, file)? else { return Ok(None) };
    let data = user.client_key_data.as_ref().map(Secret::reveal).filter(|data| !data.is_empty());
    match pem("the user", "client-key", data, given_path(user.client_key.as_ref()))? {
        Some(key) => Ok(Some((certificate, key))),
        None => Err(Error::usage("there is a client certificate, but no key to it")
            .hint("give the key with --client-key, or as client-key in the kubeconfig")),
    }
}

fn provided(provider: &AuthProvider) -> Result<Login, Error> {
    let replaced = |plugin: &str| {
        Error::usage(format!("the kubeconfig logs in through the auth-provider {:?}, which is gone", provider.name))
            .hint(format!("use {plugin} as an exec plugin instead"))
    };
    match provider.name.as_str() {
        "oidc" => Ok(Login::Oidc(provider.clone())),
        "gcp" => Err(replaced("gke-gcloud-auth-plugin")),
        "azure" => Err(replaced("kubelogin (https://github.com/Azure/kubelogin)")),
        name => {
            Err(Error::usage(format!("the kubeconfig logs in through the auth-provider {name:?}, which is unknown"))
                .hint("auth-provider can be oidc; for anything else there are exec plugins"))
        }
    }
}

/// The checks of client-go's `validateAuthInfo`, and its defaults.
fn checked(exec: &ExecConfig) -> Result<ExecConfig, Error> {
    let mut exec = exec.clone();
    let wrong = |what: &str| Error::usage(format!("the kubeconfig's exec plugin {what}"));
    if given(exec.command.as_ref()).is_none() {
        return Err(wrong("has no command"));
    }
    let Some(version) = given(exec.api_version.as_ref()) else { return Err(wrong("has no apiVersion")) };
    let Some(version @ ("v1" | "v1beta1")) = version.strip_prefix("client.authentication.k8s.io/") else {
        return Err(wrong(&format!("has the apiVersion {version:?}, which is gone or unknown"))
            .hint("use client.authentication.k8s.io/v1; a newer release of the plugin may be needed"));
    };
    if exec.env.iter().flatten().any(|variable| variable.name.is_empty()) {
        return Err(wrong("has an environment variable without a name"));
    }
    match given(exec.interactive_mode.as_ref()) {
        Some("Never" | "IfAvailable" | "Always") => {}
        Some(mode) => return Err(wrong(&format!("has the interactiveMode {mode:?}, which is unknown"))),
        None if version == "v1beta1" => exec.interactive_mode = Some("IfAvailable".to_owned()),
        None => return Err(wrong("has no interactiveMode").hint("set it to Never, IfAvailable or Always")),
    }
    Ok(exec)
}

/// What a Pod knows of the cluster that it runs in.
struct Pod {
    server: String,
    folder: PathBuf,
}

impl Pod {
    fn detect(env: Env<'_>, folder: &Path) -> Option<Self> {
        let set = |name: &str| env(name).filter(|value| !value.is_empty());
        let (host, port) = (set("KUBERNETES_SERVICE_HOST")?, set("KUBERNETES_SERVICE_PORT")?);
        if !folder.join("token").is_file() {
            return None;
        }
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        Some(Self { server: format!("https://{host}:{port}"), folder: folder.to_owned() })
    }

    /// The flags, where given, over the Pod's own.
    fn settings(
        self,
        namespace: String,
        mut cluster: Cluster,
        mut user: User,
        env: Env<'_>,
    ) -> Result<Settings, Error> {
        if cluster.certificate_authority.is_none() && !cluster.insecure_skip_tls_verify.unwrap_or(false) {
            cluster.certificate_authority = Some(self.folder.join("ca.crt")).filter(|path| path.is_file());
        }
        if user.token.is_none() {
            user.token_file = Some(self.folder.join("token"));
        }
        let Server { uri, login } = server::parse(&self.server, "https").map_err(Error::usage)?;
        Settings::build(uri, login, namespace, &cluster, &user, env)
    }
}
