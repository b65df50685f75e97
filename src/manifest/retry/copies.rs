//! The ConfigMaps that go with the Job that is retried, copied for the new one, which may outlive it.

use serde_json::{Map, Value, json};

use super::super::read;
use super::{Plan, entries, entries_mut, list, list_mut, text};
use crate::contract::{MANAGER, annotation, label};
use crate::error::Error;
use crate::index_set::IndexSet;

/// The names of the ConfigMaps that the Pods of a Job can't do without.
pub(crate) fn config_maps(job: &Value) -> Vec<String> {
    let mut names = Vec::new();
    let mut needs = |source: Option<&Value>| {
        if let Some(source) = source.filter(|source| source.get("optional") != Some(&json!(true))) {
            names.push(text(source.get("name")).to_owned());
        }
    };
    for volume in list(job, "volumes") {
        needs(volume.get("configMap"));
        let sources = volume.get("projected").into_iter().flat_map(|projected| entries(projected, "sources"));
        sources.for_each(|source| needs(source.get("configMap")));
    }
    for container in ["initContainers", "containers"].iter().flat_map(|kind| list(job, kind)) {
        entries(container, "env").for_each(|variable| needs(variable.pointer("/valueFrom/configMapKeyRef")));
        entries(container, "envFrom").for_each(|source| needs(source.get("configMapRef")));
    }
    names.sort();
    names.dedup();
    names.retain(|name| !name.is_empty());
    names
}

/// The error of a ConfigMap that is needed and not there.
pub(super) fn is_gone(name: &str, job: &str) -> Error {
    Error::usage(format!("configmap {name:?}, which the Pods of job {job:?} need, is not there"))
        .hint("create it again; kubectl describe shows where the Pods use it")
}

/// Copies the ConfigMaps that are gone once `stored` is, and has the Pods use the copies.
///
/// # Errors
/// If one that the Pods need is not there.
pub(super) fn copy(job: &mut Value, stored: &Value, found: &[Value], plan: &Plan) -> Result<Vec<Value>, Error> {
    let (old, uid) = (text(stored.pointer("/metadata/name")), text(stored.pointer("/metadata/uid")));
    let shards = read::config_maps_noted(text(job["metadata"]["annotations"].get(annotation::ITEM_CONFIG_MAPS)));
    let mut shards = shards.unwrap_or_default();
    let needed = IndexSet::below(plan.family.completions).difference(&plan.family.succeeded);
    let mut copies = Vec::new();
    let mut renamed: Vec<(String, Option<String>)> = Vec::new();
    for name in config_maps(job) {
        let Some(config_map) = found.iter().find(|config_map| text(config_map.pointer("/metadata/name")) == name)
        else {
            return Err(is_gone(&name, old));
        };
        let owners = config_map.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        let owned = owners.into_iter().flatten().any(|owner| owner["uid"] == uid);
        // A manifest that a dry run printed brings its ConfigMaps along without an owner, and `delete` takes them too.
        let brought = config_map["metadata"]["labels"][label::ITEMS_OF] == old;
        if !owned && !brought {
            continue;
        }
        if is_spent(&name, &shards, &needed) {
            renamed.push((name, None));
            continue;
        }
        let new = match name.strip_prefix(old) {
            Some(rest) => format!("{}{rest}", plan.name),
            None => format!("{}-{name}", plan.name),
        };
        copies.push(copied(config_map, &new, plan, job));
        renamed.push((name, Some(new)));
    }
    rename(job, &renamed);
    shards.retain_mut(|(name, _)| match renamed.iter().find(|(old, _)| old == name) {
        Some((_, Some(new))) => {
            name.clone_from(new);
            true
        }
        Some((_, None)) => false,
        None => true,
    });
    if !shards.is_empty() {
        let note: Vec<_> = shards.iter().map(|(name, first)| format!("{name}:{first}")).collect();
        job["metadata"]["annotations"][annotation::ITEM_CONFIG_MAPS] = json!(note.join(","));
    }
    Ok(copies)
}

/// Whether a ConfigMap of a list that has several holds only items of indexes that have succeeded.
fn is_spent(name: &str, shards: &[(String, u32)], needed: &IndexSet) -> bool {
    let Some(position) = shards.iter().position(|(shard, _)| shard == name).filter(|_| shards.len() > 1) else {
        return false;
    };
    let first = shards[position].1;
    let of_shard = match shards.get(position + 1) {
        Some((_, end)) => IndexSet::below(*end).difference(&IndexSet::below(first)),
        None => needed.difference(&IndexSet::below(first)),
    };
    of_shard.intersection(needed).is_empty()
}

fn copied(config_map: &Value, name: &str, plan: &Plan, job: &Value) -> Value {
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), json!(name));
    if let Some(namespace) = job.pointer("/metadata/namespace") {
        metadata.insert("namespace".to_owned(), namespace.clone());
    }
    let mut labels = config_map["metadata"]["labels"].as_object().cloned().unwrap_or_default();
    labels.insert(label::MANAGED_BY.to_owned(), json!(MANAGER));
    labels.insert(label::INSTANCE.to_owned(), json!(plan.name));
    labels.insert(label::ITEMS_OF.to_owned(), json!(plan.name));
    metadata.insert("labels".to_owned(), Value::Object(labels));
    let mut copy = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata});
    for field in ["immutable", "data", "binaryData"] {
        if let Some(value) = config_map.get(field) {
            copy[field] = value.clone();
        }
    }
    copy
}

/// Has the Pods use the copies, and none of those that have none.
fn rename(job: &mut Value, renamed: &[(String, Option<String>)]) {
    let new = |source: Option<&mut Value>| {
        let Some(source) = source else { return };
        if let Some((_, Some(new))) = renamed.iter().find(|(old, _)| source["name"] == *old) {
            source["name"] = json!(new);
        }
    };
    let is_gone = |source: &Value| {
        let name = source.pointer("/configMap/name");
        renamed.iter().any(|(old, new)| new.is_none() && name.is_some_and(|name| name == old))
    };
    for volume in list_mut(job, "volumes") {
        new(volume.get_mut("configMap"));
        if let Some(sources) = volume.pointer_mut("/projected/sources").and_then(Value::as_array_mut) {
            sources.retain(|source| !is_gone(source));
            for source in sources {
                new(source.get_mut("configMap"));
            }
        }
    }
    for kind in ["initContainers", "containers"] {
        for container in list_mut(job, kind) {
            entries_mut(container, "env").for_each(|variable| new(variable.pointer_mut("/valueFrom/configMapKeyRef")));
            entries_mut(container, "envFrom").for_each(|source| new(source.get_mut("configMapRef")));
        }
    }
}
