//! Exec plugins: programs that print credentials. Each runs once, and again when its credentials expire.
//!
//! The rules are those of client-go's `plugin/pkg/client/auth/exec` (v0.36).

use std::ffi::{OsStr, OsString};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use http::HeaderValue;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::header::bearer;
use super::kubeconfig::{ExecConfig, Secret};
use super::server;
use super::settings::{ConnectSettings, Pem};
use super::tls::{Identity, certified_key};
use crate::error::{Error, Kind};

pub(super) struct ExecPlugin {
    config: Arc<ExecConfig>,
    /// `spec.cluster` of the plugin's input, if its configuration asks for it.
    cluster: Option<Value>,
    search_path: Option<OsString>,
    /// Whether the plugin must not prompt or print.
    unattended: bool,
    identity: Arc<Identity>,
    generation: AtomicU64,
    /// Locked while the plugin runs: it may prompt the user, so it must not run twice at a time.
    last: Mutex<Option<PluginCredentials>>,
}

struct PluginCredentials {
    authorization: Option<HeaderValue>,
    certificate: Option<(String, Secret)>,
    expires: Option<Timestamp>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ExecCredential {
    kind: String,
    api_version: String,
    status: Option<ExecCredentialStatus>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ExecCredentialStatus {
    expiration_timestamp: Option<Timestamp>,
    token: Option<Secret>,
    client_certificate_data: Option<String>,
    client_key_data: Option<Secret>,
}

impl ExecPlugin {
    /// `search_path` is `$PATH`. Runs nothing yet.
    pub(super) fn new(
        config: ExecConfig,
        settings: &ConnectSettings,
        search_path: Option<OsString>,
        identity: Arc<Identity>,
        unattended: bool,
    ) -> Result<Self, Error> {
        let cluster = if config.provide_cluster_info == Some(true) { Some(cluster_info(settings)?) } else { None };
        Ok(Self {
            config: Arc::new(config),
            cluster,
            search_path,
            unattended,
            identity,
            generation: AtomicU64::new(0),
            last: Mutex::new(None),
        })
    }

    /// Returns the header; `None` if the plugin gave a certificate instead.
    pub(super) async fn authorization(&self) -> Result<Option<HeaderValue>, Error> {
        let mut last = self.last.lock().await;
        if let Some(given) = &*last
            && given.expires.is_none_or(|expires| Timestamp::now() <= expires)
        {
            return Ok(given.authorization.clone());
        }
        self.refresh(&mut last).await?;
        Ok(last.as_ref().and_then(|given| given.authorization.clone()))
    }

    /// Runs the plugin again, unless another request has done so since it got `used` at `generation`. Returns whether
    /// the credentials changed.
    pub(super) async fn renew(&self, used: Option<&HeaderValue>, generation: u64) -> Result<bool, Error> {
        let mut last = self.last.lock().await;
        let changed = |last: &Option<PluginCredentials>| {
            let now = last.as_ref().and_then(|given| given.authorization.as_ref());
            now != used || generation != self.generation()
        };
        if changed(&last) {
            return Ok(true);
        }
        self.refresh(&mut last).await?;
        Ok(changed(&last))
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    async fn refresh(&self, last: &mut Option<PluginCredentials>) -> Result<(), Error> {
        let given = self.run_plugin().await?;
        let certificate = given.certificate.as_ref();
        let before = last.as_ref().and_then(|given| given.certificate.as_ref());
        if certificate != before {
            let key = certificate.map(|(certificate, key)| {
                certified_key(certificate.as_bytes(), key.reveal().as_bytes())
                    .map_err(|why| self.plugin_error(&format!("gave a certificate that can't be used: {why}")))
            });
            self.identity.set(key.transpose()?);
            // No older connection exists when the first certificate comes.
            if last.is_some() {
                self.generation.fetch_add(1, Ordering::AcqRel);
            }
        }
        *last = Some(given);
        Ok(())
    }

    async fn run_plugin(&self) -> Result<PluginCredentials, Error> {
        let mut command = self.command()?;
        // The plugin may take seconds, for example to prompt for a password.
        let output = tokio::task::spawn_blocking(move || command.output()).await;
        let output = match output.map_err(std::io::Error::other).and_then(|output| output) {
            Ok(output) => output,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(self.missing_plugin_error()),
            Err(error) => return Err(self.plugin_error("can't be started").caused_by(error)),
        };
        if !output.status.success() {
            let how = match output.status.code() {
                Some(code) => format!("failed with exit code {code}"),
                None => "was ended by a signal".to_owned(),
            };
            return Err(self.plugin_error(&how).hint("its own messages are above; run it by hand to see more"));
        }
        self.parse_credential(&output.stdout)
    }

    fn command(&self) -> Result<Command, Error> {
        let interactive = self.is_interactive()?;
        let version = self.config.api_version.as_deref().unwrap_or_default();
        let mut spec = json!({ "interactive": interactive });
        if let Some(cluster) = &self.cluster {
            spec["cluster"] = cluster.clone();
        }
        let info = json!({ "kind": "ExecCredential", "apiVersion": version, "spec": spec });
        let program = self.config.command.as_deref().unwrap_or_default();
        let program = find_program(program, self.search_path.as_deref()).ok_or_else(|| self.missing_plugin_error())?;
        let mut command = Command::new(program);
        command.args(self.config.args.iter().flatten());
        command.envs(self.config.env.iter().flatten().map(|variable| (&variable.name, variable.value.reveal())));
        command.env("KUBERNETES_EXEC_INFO", info.to_string());
        command.stdin(if interactive { Stdio::inherit() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(if self.unattended { Stdio::null() } else { Stdio::inherit() });
        Ok(command)
    }

    fn is_interactive(&self) -> Result<bool, Error> {
        let terminal = !self.unattended && std::io::stdin().is_terminal();
        match self.config.interactive_mode.as_deref() {
            Some("Always") if !terminal => Err(self.plugin_error("needs input, but standard input is not a terminal")),
            Some("Always") => Ok(true),
            Some("IfAvailable") => Ok(terminal),
            _ => Ok(false),
        }
    }

    fn parse_credential(&self, stdout: &[u8]) -> Result<PluginCredentials, Error> {
        let text = String::from_utf8_lossy(stdout);
        // Plugins print JSON, or YAML. The output is secret: errors must not quote it.
        let answer: ExecCredential = serde_json::from_str(&text)
            .ok()
            .or_else(|| serde_saphyr::from_str(&text).ok())
            .ok_or_else(|| self.plugin_error("did not print an ExecCredential"))?;
        let version = self.config.api_version.as_deref().unwrap_or_default();
        if answer.kind != "ExecCredential" || answer.api_version != version {
            let what = format!(
                "printed a {} of {} instead of an ExecCredential of {version}",
                if answer.kind.is_empty() { "document" } else { &answer.kind },
                if answer.api_version.is_empty() { "no apiVersion" } else { &answer.api_version },
            );
            return Err(self.plugin_error(&what));
        }
        let status = answer.status.ok_or_else(|| self.plugin_error("printed no status"))?;
        let token = status.token.filter(|token| !token.reveal().is_empty());
        let certificate = status.client_certificate_data.filter(|text| !text.is_empty());
        let key = status.client_key_data.filter(|text| !text.reveal().is_empty());
        let certificate = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => return Err(self.plugin_error("gave only one of certificate and key")),
        };
        if token.is_none() && certificate.is_none() {
            return Err(self.plugin_error("gave neither a token nor a certificate"));
        }
        let authorization = token.map(|token| bearer(token.reveal())).transpose()?;
        Ok(PluginCredentials { authorization, certificate, expires: status.expiration_timestamp })
    }

    fn plugin_error(&self, what: &str) -> Error {
        let command = self.config.command.as_deref().unwrap_or_default();
        Error::new(Kind::Failed, format!("the login failed: the exec plugin {command} {what}"))
    }

    fn missing_plugin_error(&self) -> Error {
        let hint = self.config.install_hint.as_deref().map(escape_controls).filter(|hint| !hint.is_empty());
        let own = "install it, or correct users[].user.exec.command in the kubeconfig";
        self.plugin_error("is not installed").hint(hint.unwrap_or_else(|| own.to_owned()))
    }
}

/// Returns a program's path: unchanged if it has a folder, else found in the folders of `search_path`. The current
/// folder and the plugin's own environment don't count.
pub(super) fn find_program(command: &str, search_path: Option<&OsStr>) -> Option<PathBuf> {
    if command.contains(std::path::MAIN_SEPARATOR) || cfg!(windows) {
        return Some(PathBuf::from(command));
    }
    let folders = search_path.into_iter().flat_map(std::env::split_paths).filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join(command)).find(|path| is_program(path))
}

fn cluster_info(settings: &ConnectSettings) -> Result<Value, Error> {
    let ca = settings.ca.as_ref().map(Pem::bytes).transpose()?;
    let info = [
        ("server", json!(server::display(&settings.server))),
        ("tls-server-name", json!(settings.tls_server_name)),
        ("insecure-skip-tls-verify", json!(settings.insecure)),
        ("certificate-authority-data", json!(ca.map(|ca| base64::engine::general_purpose::STANDARD.encode(ca)))),
        ("proxy-url", json!(settings.proxy_url)),
        ("disable-compression", json!(settings.disable_compression)),
        ("config", json!(settings.exec_extension)),
    ];
    // kubectl writes null if the kubeconfig has no such extension.
    let is_said = |(key, value): &(_, Value)| *key == "config" || !value.is_null() && *value != false;
    Ok(info.into_iter().filter(is_said).collect())
}

/// Replaces control characters: the kubeconfig may be from a stranger.
fn escape_controls(text: &str) -> String {
    text.trim()
        .chars()
        .map(|one| if one.is_control() && one != '\n' && one != '\t' { '\u{fffd}' } else { one })
        .collect()
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}
