//! Copies the ConfigMaps that are deleted with the retried Job: the new Job may outlive it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::{filled, pack, read};
use super::{RetryPlan, entries_mut, list_mut, text};
use crate::contract::{annotation, label};
use crate::error::{Error, Hint};
use crate::index_set::IndexSet;

/// Returns the names of the ConfigMaps that the Pods of a Job require.
pub(crate) fn config_maps(job: &Value) -> Vec<String> {
    let mut names = BTreeSet::new();
    each_reference(&mut job.clone(), |source| {
        if source["optional"] != true {
            names.insert(text(source.get("name")).to_owned());
        }
    });
    names.remove("");
    names.into_iter().collect()
}

/// Calls `visit` with every reference to a ConfigMap in the Pods of a Job.
fn each_reference(job: &mut Value, mut visit: impl FnMut(&mut Value)) {
    for volume in list_mut(job, "volumes") {
        volume.get_mut("configMap").into_iter().for_each(&mut visit);
        let sources = volume.get_mut("projected").into_iter().flat_map(|projected| entries_mut(projected, "sources"));
        sources.filter_map(|source| source.get_mut("configMap")).for_each(&mut visit);
    }
    for kind in ["initContainers", "containers"] {
        for container in list_mut(job, kind) {
            let variables = entries_mut(container, "env");
            variables.filter_map(|variable| variable.pointer_mut("/valueFrom/configMapKeyRef")).for_each(&mut visit);
            entries_mut(container, "envFrom").filter_map(|from| from.get_mut("configMapRef")).for_each(&mut visit);
        }
    }
}

pub(super) fn missing_config_map(name: &str, job: &str) -> Error {
    Error::usage(format!("configmap {name:?} is missing, and the Pods of job {job:?} need it")).hint(
        Hint::from("create it again").and(Hint::kubectl(&["describe", "job", job], "shows where the Pods use it")),
    )
}

/// Copies the ConfigMaps that are deleted with `stored`, and makes the Pods use the copies.
pub(super) fn copy_config_maps(
    job: &mut Value,
    stored: &Value,
    found: &[Value],
    plan: &RetryPlan,
) -> Result<Vec<Value>, Error> {
    let (old, uid) = (text(stored.pointer("/metadata/name")), text(stored.pointer("/metadata/uid")));
    let shards = read::parse_config_maps(text(job["metadata"]["annotations"].get(annotation::ITEM_CONFIG_MAPS)));
    let shards = shards.unwrap_or_default();
    let needed = IndexSet::below(plan.family.completions).difference(&plan.family.succeeded);
    let mut copies = Vec::new();
    let mut renamed: BTreeMap<String, Option<String>> = BTreeMap::new();
    for name in config_maps(job) {
        let Some(config_map) = found.iter().find(|config_map| text(config_map.pointer("/metadata/name")) == name)
        else {
            return Err(missing_config_map(&name, old));
        };
        let owners = config_map.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        let owned = owners.into_iter().flatten().any(|owner| owner["uid"] == uid);
        // The manifest of a dry run has ConfigMaps without an owner, and `delete` deletes them too.
        let is_labelled = config_map["metadata"]["labels"][label::ITEMS_OF] == old;
        if !owned && !is_labelled {
            continue;
        }
        if is_spent(&name, &shards, &needed) {
            renamed.insert(name, None);
            continue;
        }
        let new = match name.strip_prefix(old) {
            Some(rest) => format!("{}{rest}", plan.name),
            None => format!("{}-{name}", plan.name),
        };
        copies.push(copy_of(config_map, &new, job));
        renamed.insert(name, Some(new));
    }
    rename_references(job, &renamed);
    let kept = shards.iter().filter_map(|(name, first)| match renamed.get(name) {
        None => Some(format!("{name}:{first}")),
        Some(copy) => copy.as_ref().map(|name| format!("{name}:{first}")),
    });
    let kept: Vec<_> = kept.collect();
    if !kept.is_empty() {
        job["metadata"]["annotations"][annotation::ITEM_CONFIG_MAPS] = json!(kept.join(","));
    }
    Ok(copies)
}

/// Whether one of several ConfigMaps of a list holds items of succeeded indexes only.
fn is_spent(name: &str, shards: &[(String, u32)], needed: &IndexSet) -> bool {
    let Some(position) = shards.iter().position(|(shard, _)| shard == name).filter(|_| shards.len() > 1) else {
        return false;
    };
    let first = shards[position].1;
    let end = shards.get(position + 1).map_or(u32::MAX, |(_, end)| *end);
    !needed.iter().any(|index| (first..end).contains(&index))
}

fn copy_of(config_map: &Value, name: &str, job: &Value) -> Value {
    let mut labels = config_map["metadata"]["labels"].as_object().cloned().unwrap_or_default();
    labels.extend(pack::labels(job));
    filled(json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": filled(json!({"name": name, "namespace": job["metadata"]["namespace"], "labels": labels})),
        "immutable": config_map["immutable"],
        "data": config_map["data"],
        "binaryData": config_map["binaryData"],
    }))
}

/// Makes the Pods use the copies, and removes the projected ConfigMaps that have no copy.
fn rename_references(job: &mut Value, renamed: &BTreeMap<String, Option<String>>) {
    each_reference(job, |source| {
        if let Some(Some(new)) = renamed.get(text(source.get("name"))) {
            source["name"] = json!(new);
        }
    });
    for volume in list_mut(job, "volumes") {
        if let Some(sources) = volume.pointer_mut("/projected/sources").and_then(Value::as_array_mut) {
            sources.retain(|source| renamed.get(text(source.pointer("/configMap/name"))) != Some(&None));
        }
    }
}
