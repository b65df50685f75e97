//! Finds, parses and merges kubeconfig files.
//!
//! The rules are those of client-go's `tools/clientcmd` (v0.36): a file given by flag is the only one and must exist;
//! files of `$KUBECONFIG` may be missing; the first file that sets an entry or the current context wins; relative paths
//! are relative to their file's folder.

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::Env;
use crate::error::{Error, Kind};

/// A token, a password or a key. Its debug output hides it.
#[derive(Clone, Default, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub(super) struct Secret(String);

impl Secret {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text, for a header or a parser, never for a message.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct ClusterEntry {
    pub(crate) server: Option<String>,
    pub(super) insecure_skip_tls_verify: Option<bool>,
    pub(super) certificate_authority: Option<PathBuf>,
    pub(super) certificate_authority_data: Option<String>,
    pub(super) proxy_url: Option<String>,
    pub(super) disable_compression: Option<bool>,
    pub(super) tls_server_name: Option<String>,
    extensions: Option<Vec<Value>>,
}

impl ClusterEntry {
    /// Returns the extension that is reserved for exec plugins.
    pub(super) fn exec_extension(&self) -> Option<Value> {
        let mut all = self.extensions.iter().flatten();
        all.find(|one| one["name"] == "client.authentication.k8s.io/exec").map(|one| one["extension"].clone())
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct UserEntry {
    pub(super) client_certificate: Option<PathBuf>,
    pub(super) client_certificate_data: Option<String>,
    pub(super) client_key: Option<PathBuf>,
    pub(super) client_key_data: Option<Secret>,
    pub(super) token: Option<Secret>,
    #[serde(rename = "tokenFile")]
    pub(super) token_file: Option<PathBuf>,
    pub(super) username: Option<String>,
    pub(super) password: Option<Secret>,
    #[serde(rename = "as")]
    pub(super) acts_as: Option<String>,
    pub(super) as_uid: Option<String>,
    pub(super) as_groups: Option<Vec<String>>,
    pub(super) as_user_extra: Option<BTreeMap<String, Vec<String>>>,
    pub(super) auth_provider: Option<AuthProvider>,
    pub(super) exec: Option<ExecConfig>,
}

/// `users[].user.auth-provider`, which only `oidc` still supports.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct AuthProvider {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) config: Option<BTreeMap<String, Secret>>,
    #[serde(skip)]
    pub(super) origin: PathBuf,
}

/// `users[].user.exec`: a program that prints credentials.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ExecConfig {
    pub(super) api_version: Option<String>,
    pub(super) command: Option<String>,
    pub(super) args: Option<Vec<String>>,
    pub(super) env: Option<Vec<ExecVariable>>,
    pub(super) install_hint: Option<String>,
    pub(super) provide_cluster_info: Option<bool>,
    pub(super) interactive_mode: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct ExecVariable {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) value: Secret,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ContextEntry {
    pub(crate) cluster: Option<String>,
    pub(super) user: Option<String>,
    pub(crate) namespace: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct KubeconfigFile {
    kind: Option<String>,
    #[serde(rename = "apiVersion")]
    api_version: Option<String>,
    current_context: Option<String>,
    clusters: Option<Vec<NamedEntry<ClusterEntry>>>,
    users: Option<Vec<NamedEntry<UserEntry>>>,
    contexts: Option<Vec<NamedEntry<ContextEntry>>>,
}

/// A named entry of a list.
#[derive(Debug, Deserialize)]
struct NamedEntry<T> {
    name: String,
    #[serde(rename = "cluster", alias = "user", alias = "context")]
    entry: Option<T>,
}

#[derive(Debug, Default)]
pub(crate) struct Kubeconfig {
    pub(super) current_context: Option<String>,
    pub(crate) clusters: BTreeMap<String, ClusterEntry>,
    pub(crate) users: BTreeMap<String, UserEntry>,
    pub(crate) contexts: BTreeMap<String, ContextEntry>,
    /// The files that don't exist, in order.
    pub(super) missing: Vec<PathBuf>,
    pub(super) read: Vec<PathBuf>,
}

/// Reads the same files as kubectl: only `explicit` if given, else those in `$KUBECONFIG`, else `~/.kube/config`.
///
/// # Errors A file is unreadable or not a kubeconfig, or the `explicit` file does not exist.
pub(crate) fn load_kubeconfig(explicit: Option<&Path>, env: Env<'_>) -> Result<Kubeconfig, Error> {
    let mut merged = Kubeconfig::default();
    if let Some(path) = explicit.filter(|path| !path.as_os_str().is_empty()) {
        if !merged.add_file(path)? {
            return Err(Error::usage(format!("the kubeconfig {} does not exist", path.display()))
                .hint("correct --kubeconfig, or leave it out to read $KUBECONFIG or ~/.kube/config"));
        }
        return Ok(merged);
    }
    for path in default_paths(env) {
        if !merged.read.contains(&path) && !merged.missing.contains(&path) {
            merged.add_file(&path)?;
        }
    }
    Ok(merged)
}

fn default_paths(env: Env<'_>) -> Vec<PathBuf> {
    match env("KUBECONFIG") {
        Some(list) => std::env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()).collect(),
        None => home_folder(env).map(|home| home.join(".kube").join("config")).into_iter().collect(),
    }
}

pub(super) fn home_folder(env: Env<'_>) -> Option<PathBuf> {
    let names: &[&str] = if cfg!(windows) { &["HOME", "USERPROFILE"] } else { &["HOME"] };
    names.iter().find_map(|name| env(name)).map(PathBuf::from)
}

impl Kubeconfig {
    /// Adds entries that no earlier file has. Returns false if the file does not exist.
    fn add_file(&mut self, path: &Path) -> Result<bool, Error> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.missing.push(path.to_owned());
                return Ok(false);
            }
            Err(error) => {
                let message = format!("can't read the kubeconfig {}", path.display());
                return Err(Error::new(Kind::Failed, message).caused_by(error));
            }
        };
        let folder = std::path::absolute(path).ok().and_then(|path| path.parent().map(Path::to_owned));
        parse_file(&bytes)
            .and_then(|file| self.merge_file(file, path, &folder.unwrap_or_default()))
            .map_err(|why| Error::usage(format!("the kubeconfig {}: {why}", path.display())))?;
        self.read.push(path.to_owned());
        Ok(true)
    }

    fn merge_file(&mut self, file: KubeconfigFile, path: &Path, folder: &Path) -> Result<(), String> {
        if self.current_context.is_none() {
            self.current_context = file.current_context.filter(|name| !name.is_empty());
        }
        add_entries("cluster", &mut self.clusters, file.clusters, |cluster| {
            resolve_path(&mut cluster.certificate_authority, folder);
        })?;
        add_entries("user", &mut self.users, file.users, |user| resolve_user(user, path, folder))?;
        add_entries("context", &mut self.contexts, file.contexts, |_| {})
    }
}

fn add_entries<T: Default>(
    what: &str,
    into: &mut BTreeMap<String, T>,
    from: Option<Vec<NamedEntry<T>>>,
    resolve: impl Fn(&mut T),
) -> Result<(), String> {
    let mut own = BTreeMap::new();
    for NamedEntry { name, entry } in from.into_iter().flatten() {
        let mut entry = entry.unwrap_or_default();
        resolve(&mut entry);
        if own.insert(name.clone(), entry).is_some() {
            return Err(format!("it has the {what} {name:?} twice"));
        }
    }
    own.append(into);
    *into = own;
    Ok(())
}

fn resolve_user(user: &mut UserEntry, path: &Path, folder: &Path) {
    if let Some(provider) = &mut user.auth_provider {
        path.clone_into(&mut provider.origin);
    }
    resolve_path(&mut user.client_certificate, folder);
    resolve_path(&mut user.client_key, folder);
    resolve_path(&mut user.token_file, folder);
    // A bare name is found in $PATH; a name with a folder is relative to the file, as certificates are.
    if let Some(command) = user.exec.as_mut().and_then(|exec| exec.command.as_mut())
        && command.contains(std::path::MAIN_SEPARATOR)
    {
        *command = folder.join(&*command).to_string_lossy().into_owned();
    }
}

fn resolve_path(path: &mut Option<PathBuf>, folder: &Path) {
    *path = path.take().filter(|path| !path.as_os_str().is_empty()).map(|path| folder.join(path));
}

fn parse_file(bytes: &[u8]) -> Result<KubeconfigFile, String> {
    let text = decode_text(bytes)?;
    if text.trim().is_empty() {
        return Ok(KubeconfigFile::default());
    }
    let file: KubeconfigFile = if text.trim_start().starts_with('{') {
        serde_json::from_str(&text).map_err(|error| error.to_string())?
    } else {
        // kubectl reads only the first document. A snippet in errors could show a token.
        let options = serde_saphyr::options! { with_snippet: false };
        let documents: Vec<Option<KubeconfigFile>> =
            serde_saphyr::from_multiple_with_options(&text, options).map_err(|error| error.to_string())?;
        documents.into_iter().next().flatten().unwrap_or_default()
    };
    match (file.kind.as_deref(), file.api_version.as_deref()) {
        (None | Some("" | "Config"), None | Some("" | "v1")) => Ok(file),
        (kind, version) => Err(format!(
            "it must have kind Config and apiVersion v1, not kind {} and apiVersion {}",
            kind.unwrap_or("Config"),
            version.unwrap_or("v1"),
        )),
    }
}

/// Whether `text` is a kubeconfig with this refresh token.
pub(super) fn has_refresh_token(text: &str, token: &str) -> bool {
    let Ok(file) = parse_file(text.as_bytes()) else { return false };
    let providers = file.users.into_iter().flatten().filter_map(|user| user.entry?.auth_provider?.config);
    providers.flatten().any(|(key, value)| key == "refresh-token" && value.reveal() == token)
}

/// Decodes a file that may start with a byte order mark, as PowerShell's `>` writes it.
fn decode_text(bytes: &[u8]) -> Result<String, String> {
    let wide = |bytes: &[u8], one: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| one([pair[0], pair[1]])).collect();
        String::from_utf16(&units).map_err(|_| "it is not valid UTF-16".to_owned())
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] | rest => {
            String::from_utf8(rest.to_vec()).map_err(|_| "it is not valid UTF-8".to_owned())
        }
    }
}
