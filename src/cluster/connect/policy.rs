//! Which exec plugins may run: `credentialPluginPolicy` of kubectl's preferences.
//!
//! The rules are those of kubectl 1.36 (`pkg/kuberc`, client-go's `ValidatePluginPolicy`); the rest of the preferences
//! concerns kubectl's own commands only.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::PathBuf;

use serde::Deserialize;

use super::Env;
use super::exec::find_program;
use super::kubeconfig::home_folder;
use crate::error::Error;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Preferences {
    kind: String,
    credential_plugin_policy: String,
    credential_plugin_allowlist: Option<Vec<AllowedPlugin>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AllowedPlugin {
    command: String,
    /// The former name of `command`.
    name: String,
}

/// Checks that `command` may run as a plugin.
pub(super) fn check_plugin(command: &str, env: Env<'_>) -> Result<(), Error> {
    let Some((path, preferences)) = load_preferences(env)? else { return Ok(()) };
    let place = path.display();
    let unclear = |why: &str| Error::usage(format!("the credential plugin policy in {place} is invalid: {why}"));
    let refused = |why: &str| {
        Error::usage(format!("the exec plugin {command} may not run: {why} in {place}"))
            .hint("allow it there with credentialPluginPolicy and credentialPluginAllowlist if you trust it")
    };
    match (preferences.credential_plugin_policy.as_str(), preferences.credential_plugin_allowlist) {
        ("" | "AllowAll", None) => Ok(()),
        ("DenyAll", None) => Err(refused("credentialPluginPolicy is DenyAll")),
        ("" | "AllowAll" | "DenyAll", Some(_)) => Err(unclear("it has an allowlist, but the policy is not Allowlist")),
        ("Allowlist", None) => Err(unclear("the policy is Allowlist, but there is no credentialPluginAllowlist")),
        ("Allowlist", Some(list)) => {
            let allowed: Vec<String> = list
                .into_iter()
                .map(|entry| if entry.command.is_empty() { entry.name } else { entry.command })
                .collect();
            if allowed.is_empty() || allowed.iter().any(String::is_empty) {
                return Err(unclear("the allowlist or one of its entries is empty"));
            }
            let search = env("PATH");
            let find = |command: &str| find_program(command, search.as_deref().map(OsStr::new));
            let program = find(command);
            let is_it = |entry: &String| entry == command || (program.is_some() && find(entry) == program);
            if allowed.iter().any(is_it) { Ok(()) } else { Err(refused("it is not in credentialPluginAllowlist")) }
        }
        (other, _) => Err(unclear(&format!("it must be AllowAll, DenyAll or Allowlist, not {other:?}"))),
    }
}

/// Reads the file in `$KUBERC`, which must exist, or else `~/.kube/kuberc`.
fn load_preferences(env: Env<'_>) -> Result<Option<(PathBuf, Preferences)>, Error> {
    let named = env("KUBERC");
    let off = matches!(env("KUBECTL_KUBERC").as_deref(), Some("false" | "False" | "FALSE" | "f" | "F" | "0"));
    if off || named.as_deref() == Some("off") {
        return Ok(None);
    }
    let explicit = named.is_some();
    let Some(path) =
        named.map(PathBuf::from).or_else(|| home_folder(env).map(|home| home.join(".kube").join("kuberc")))
    else {
        return Ok(None);
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if !explicit && error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::usage(format!("can't read {}", path.display())).caused_by(error)),
    };
    if text.trim().is_empty() {
        return Ok(None);
    }
    // Stricter than kubectl, which allows every plugin if it can't read the default file.
    match serde_saphyr::from_str::<Preferences>(&text) {
        Ok(preferences) if preferences.kind == "Preference" => Ok(Some((path, preferences))),
        Ok(_) => Err(Error::usage(format!("{} is not of kind Preference", path.display()))),
        Err(error) => Err(Error::usage(format!("{}: {}", path.display(), error.without_snippet()))),
    }
}
