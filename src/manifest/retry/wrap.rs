//! Sets the original index by a shell around each command, for servers that read no variables from a file.

use serde_json::{Value, json};

use super::super::scripts;
use super::index::{FIND, is_index};
use super::{RetryPlan, entries, list, list_mut, text};
use crate::contract::{INDEX_VARIABLE, ORIGINAL, annotation};
use crate::error::Error;
use crate::spec::handover::{CommandPart, VARIABLE_FILE_SINCE};

/// The position of the index set in a wrapped command: it is the script's `$0`.
const SET_POSITION: usize = 3;

/// A use of the index that no shell around a command can change.
enum FixedUse<'a> {
    EntryPoint,
    /// A volume that the downward API fills.
    DownwardVolume(&'a str),
    /// A volume that is mounted by the index, and is no ConfigMap or is also mounted otherwise.
    KeyedVolume(&'a str),
    Path {
        path: &'a str,
        volume: &'a str,
    },
    Variable(&'a str),
}

impl FixedUse<'_> {
    fn error(&self, plan: &RetryPlan) -> Error {
        let (what, hint) = match self {
            Self::EntryPoint => (
                "the image's own entry point".to_owned(),
                "give the command after two dashes (--): a shell in the image then sets the index",
            ),
            Self::DownwardVolume(name) => (format!("volume {name:?}"), "have the worker read JOB_COMPLETION_INDEX"),
            Self::KeyedVolume(name) => (format!("volume {name:?}"), "mount a separate ConfigMap by the index"),
            Self::Path { path, volume } => (
                format!("path {path:?} of volume {volume:?}"),
                "mount the whole volume, and have the command choose the path",
            ),
            Self::Variable(name) => {
                (format!("variable {name:?}"), "have the command read JOB_COMPLETION_INDEX instead")
            }
        };
        Error::usage(format!(
            "Kubernetes 1.{} can't give {what} the original index: this needs 1.{VARIABLE_FILE_SINCE} or newer",
            plan.minor
        ))
        .hint(hint)
    }
}

/// Whether a stored Job is a retry whose commands are wrapped: any other retry has an init container for the index.
pub(super) fn is_wrapped(stored: &Value) -> bool {
    stored["metadata"]["annotations"].get(annotation::ORIGINAL_INDEXES).is_some()
        && !list(stored, "initContainers").any(|container| container["name"] == ORIGINAL)
}

/// Sets the original index in every container whose command is known. `stored` is the Job that `job` retries.
pub(super) fn set_original_index(
    job: &mut Value,
    stored: &Value,
    plan: &RetryPlan,
    warnings: &mut Vec<String>,
) -> Result<(), Error> {
    let set = plan.indexes.to_string();
    let is_rewrapped = is_wrapped(stored);
    check_volumes(job, plan)?;
    map_keys(job, plan, is_rewrapped)?;
    let worker = super::changes::worker_mut(job).map(|worker| worker["name"].clone());
    for kind in ["initContainers", "containers"] {
        for container in list_mut(job, kind) {
            // A corrected command is not wrapped yet.
            let is_old = |old: &Value| ["name", "command"].iter().all(|field| old.get(*field) == container.get(*field));
            let has_command = container.get("command").is_some_and(Value::is_array);
            if has_command && is_rewrapped && list(stored, kind).any(is_old) {
                container["command"][SET_POSITION] = json!(set);
            } else if has_command {
                wrap_command(container, plan, &set)?;
            } else if container.get("name") == worker.as_ref() {
                return Err(FixedUse::EntryPoint.error(plan));
            } else {
                warnings.push(format!(
                    "container {} runs its image's own command and sees the new Job's index, not the original one",
                    text(container.get("name"))
                ));
            }
        }
    }
    Ok(())
}

/// Fails if a volume holds the index.
fn check_volumes(job: &Value, plan: &RetryPlan) -> Result<(), Error> {
    for volume in list(job, "volumes") {
        let direct = volume.get("downwardAPI").into_iter();
        let sources = volume.get("projected").into_iter().flat_map(|projected| entries(projected, "sources"));
        let projected = sources.filter_map(|source| source.get("downwardAPI"));
        let mut items = direct.chain(projected).flat_map(|api| entries(api, "items"));
        if items.any(is_index) {
            return Err(FixedUse::DownwardVolume(text(volume.get("name"))).error(plan));
        }
    }
    Ok(())
}

/// Remaps per-index ConfigMap keys to the original indexes. `is_rewrapped` says that the keys are mapped already.
fn map_keys(job: &mut Value, plan: &RetryPlan, is_rewrapped: bool) -> Result<(), Error> {
    let expression = format!("$({INDEX_VARIABLE})");
    let (mut by_index, mut whole) = (Vec::new(), Vec::new());
    for container in ["initContainers", "containers"].iter().flat_map(|kind| list(job, kind)) {
        for mount in entries(container, "volumeMounts") {
            let volume = text(mount.get("name"));
            match mount.get("subPathExpr").and_then(Value::as_str) {
                Some(path) if path == expression => by_index.push(volume.to_owned()),
                Some(path) if path.contains(&expression) => return Err(FixedUse::Path { path, volume }.error(plan)),
                _ => whole.push(volume.to_owned()),
            }
        }
    }
    for volume in list_mut(job, "volumes") {
        let name = text(volume.get("name")).to_owned();
        if !by_index.contains(&name) {
            continue;
        }
        if whole.contains(&name) || volume.get("configMap").is_none() {
            return Err(FixedUse::KeyedVolume(&name).error(plan));
        }
        let known = volume["configMap"].get("items").and_then(Value::as_array).cloned();
        let key = |original: u32| match &known {
            Some(items) if !is_rewrapped => {
                let path = original.to_string();
                let item = items.iter().find(|item| item["path"] == path);
                item.map_or(path, |item| text(item.get("key")).to_owned())
            }
            _ => original.to_string(),
        };
        let items: Vec<_> = (0u32..)
            .zip(plan.indexes.iter())
            .map(|(own, original)| json!({"key": key(original), "path": own.to_string()}))
            .collect();
        volume["configMap"]["items"] = json!(items);
    }
    Ok(())
}

/// Puts a shell around the command of a container. A subshell reads the set, so that its variables stay its own.
fn wrap_command(container: &mut Value, plan: &RetryPlan, set: &str) -> Result<(), Error> {
    let exports = exports(container, plan)?;
    let mut names: Vec<_> = exports.iter().map(|(name, _)| name.clone()).collect();
    names.push(INDEX_VARIABLE.to_owned());
    let words = entries(container, "command").chain(entries(container, "args"));
    let words: Vec<_> = words.map(|word| parse_references(text(Some(word)), &names)).collect();
    let head = format!("{INDEX_VARIABLE}=$(set -- \"$0\"\n{FIND}printf %s \"$index\")\nexport {INDEX_VARIABLE}\n");
    container["command"] = json!(scripts::command_of_script("sh", set, head, &exports, &words, None));
    if let Some(container) = container.as_object_mut() {
        container.remove("args");
    }
    Ok(())
}

/// Returns the variables that hold the index, or refer to one that does, each with its value. Kubernetes expands a
/// variable from those before it.
fn exports(container: &Value, plan: &RetryPlan) -> Result<Vec<(String, Vec<CommandPart>)>, Error> {
    let (mut names, mut exports) = (Vec::new(), Vec::new());
    for variable in entries(container, "env") {
        let name = text(variable.get("name"));
        let value = if variable.get("valueFrom").is_some_and(is_index) {
            vec![CommandPart::Index]
        } else {
            parse_references(text(variable.get("value")), &names)
        };
        if matches!(value.as_slice(), [CommandPart::Text(_)]) {
            continue;
        }
        if name.contains(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
            return Err(FixedUse::Variable(name).error(plan));
        }
        names.push(name.to_owned());
        if name != INDEX_VARIABLE {
            exports.push((name.to_owned(), value));
        }
    }
    Ok(exports)
}

/// Parses a word into its texts and its references `$(NAME)` to the variables `names`.
fn parse_references(word: &str, names: &[String]) -> Vec<CommandPart> {
    let (mut parts, mut text, mut rest) = (Vec::new(), String::new(), word);
    while let Some(dollar) = rest.find('$') {
        text.push_str(&rest[..dollar]);
        rest = &rest[dollar..];
        let variable = names.iter().find(|name| rest.starts_with(&format!("$({name})")));
        if let Some(name) = variable {
            parts.extend(Some(std::mem::take(&mut text)).filter(|text| !text.is_empty()).map(CommandPart::Text));
            parts.push(CommandPart::Variable(name.clone()));
            rest = &rest[name.len() + 3..];
        } else {
            let length = if rest.starts_with("$$") { 2 } else { 1 };
            text.push_str(&rest[..length]);
            rest = &rest[length..];
        }
    }
    text.push_str(rest);
    if !text.is_empty() || parts.is_empty() {
        parts.push(CommandPart::Text(text));
    }
    parts
}
