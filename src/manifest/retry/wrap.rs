//! The original index by a shell around each command, for servers that read no variables from a file.

use serde_json::{Value, json};

use super::super::scripts;
use super::index::{FIND, is_index};
use super::{RetryPlan, entries, list, list_mut, text};
use crate::contract::INDEX_VARIABLE;
use crate::error::Error;
use crate::spec::handover::{CommandPart, VARIABLE_FILE_SINCE};

/// Where in the command the index set is.
const SET_POSITION: usize = 3;

/// How the script begins. The index set is its `$0`; it is read in a shell of its own, whose variables nobody sees.
fn head() -> String {
    format!("{INDEX_VARIABLE}=$(set -- \"$0\"\n{FIND}printf %s \"$index\")\nexport {INDEX_VARIABLE}\n")
}

fn is_wrapper(container: &Value) -> bool {
    let script = text(container.pointer("/command/2"));
    scripts::unescape_expansion(script).starts_with(&head())
}

/// Whether the Job that is retried hands its original indexes over so.
pub(super) fn is_wrapped(job: &Value) -> bool {
    ["initContainers", "containers"].iter().flat_map(|kind| list(job, kind)).any(is_wrapper)
}

/// Has every container whose command is known see the original index; `again` where some do already, of a Job that
/// retries another.
pub(super) fn hand_over(
    job: &mut Value,
    plan: &RetryPlan,
    again: bool,
    warnings: &mut Vec<String>,
) -> Result<(), Error> {
    let set = plan.indexes.to_string();
    check_volumes(job, plan)?;
    map_keys(job, plan, again)?;
    let worker = super::changes::worker_mut(job).map(|worker| worker["name"].clone());
    for kind in ["initContainers", "containers"] {
        for container in list_mut(job, kind) {
            if is_wrapper(container) {
                container["command"][SET_POSITION] = json!(set);
            } else if container.get("command").is_some_and(Value::is_array) {
                wrap(container, plan, &set)?;
            } else if container.get("name") == worker.as_ref() {
                return Err(too_old(plan, "tell the image's own entry point another index")
                    .hint("give the command behind two dashes: a shell of the image then hands the index over"));
            } else {
                warnings.push(format!(
                    "container {} runs its image's own command, and sees the index that it has in the new Job",
                    text(container.get("name"))
                ));
            }
        }
    }
    Ok(())
}

fn too_old(plan: &RetryPlan, what: &str) -> Error {
    Error::usage(format!(
        "this server is Kubernetes 1.{}, which can't {what}: variables are read from a file from \
         1.{VARIABLE_FILE_SINCE} on",
        plan.minor
    ))
}

/// Fails if a volume holds the index.
fn check_volumes(job: &Value, plan: &RetryPlan) -> Result<(), Error> {
    for volume in list(job, "volumes") {
        let direct = volume.get("downwardAPI").into_iter();
        let sources = volume.get("projected").into_iter().flat_map(|projected| entries(projected, "sources"));
        let projected = sources.filter_map(|source| source.get("downwardAPI"));
        let mut items = direct.chain(projected).flat_map(|api| entries(api, "items"));
        if items.any(is_index) {
            return Err(too_old(plan, &format!("tell volume {} another index", volume["name"]))
                .hint("have the worker read JOB_COMPLETION_INDEX"));
        }
    }
    Ok(())
}

/// Has a volume of which each Pod mounts the key of its index give the key of the original one.
fn map_keys(job: &mut Value, plan: &RetryPlan, again: bool) -> Result<(), Error> {
    let expression = format!("$({INDEX_VARIABLE})");
    let (mut by_index, mut whole) = (Vec::new(), Vec::new());
    for container in ["initContainers", "containers"].iter().flat_map(|kind| list(job, kind)) {
        for mount in entries(container, "volumeMounts") {
            let name = text(mount.get("name")).to_owned();
            match mount.get("subPathExpr").and_then(Value::as_str) {
                Some(path) if path == expression => by_index.push(name),
                Some(path) if path.contains(&expression) => {
                    return Err(too_old(plan, &format!("tell the path {path:?} of volume {name} another index"))
                        .hint("mount the volume whole, and have the command pick the path"));
                }
                _ => whole.push(name),
            }
        }
    }
    for volume in list_mut(job, "volumes") {
        let name = text(volume.get("name")).to_owned();
        if !by_index.contains(&name) {
            continue;
        }
        if whole.contains(&name) || volume.get("configMap").is_none() {
            return Err(too_old(plan, &format!("tell volume {name} another index"))
                .hint("mount a configmap of its own by the index"));
        }
        let known = volume["configMap"].get("items").and_then(Value::as_array).cloned();
        let key = |original: u32| match &known {
            // The keys of a Job that retries another are the original indexes already.
            Some(items) if !again => {
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

/// Puts a shell around the command of a container.
fn wrap(container: &mut Value, plan: &RetryPlan, set: &str) -> Result<(), Error> {
    let exports = exports(container, plan)?;
    let mut names: Vec<_> = exports.iter().map(|(name, _)| name.clone()).collect();
    names.push(INDEX_VARIABLE.to_owned());
    let words = entries(container, "command").chain(entries(container, "args"));
    let words: Vec<_> = words.map(|word| parts(text(Some(word)), &names)).collect();
    let mut command = scripts::with_command("sh", head(), &exports, &words, None);
    set.clone_into(&mut command[SET_POSITION]);
    container["command"] = json!(command);
    if let Some(container) = container.as_object_mut() {
        container.remove("args");
    }
    Ok(())
}

/// Returns the variables that hold the index, or refer to one that does, each with its value. Kubernetes expands a
/// variable by those that stand before it.
fn exports(container: &Value, plan: &RetryPlan) -> Result<Vec<(String, Vec<CommandPart>)>, Error> {
    let (mut names, mut exports) = (Vec::new(), Vec::new());
    for variable in entries(container, "env") {
        let name = text(variable.get("name"));
        let value = if variable.get("valueFrom").is_some_and(is_index) {
            vec![CommandPart::Index]
        } else {
            parts(text(variable.get("value")), &names)
        };
        if matches!(value.as_slice(), [CommandPart::Text(_)]) {
            continue;
        }
        if name.contains(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
            return Err(too_old(plan, &format!("tell the variable {name:?} another index"))
                .hint("have the command put the index in, from JOB_COMPLETION_INDEX"));
        }
        names.push(name.to_owned());
        if name != INDEX_VARIABLE {
            exports.push((name.to_owned(), value));
        }
    }
    Ok(exports)
}

/// A word in which Kubernetes would have put the new index.
fn parts(word: &str, names: &[String]) -> Vec<CommandPart> {
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
