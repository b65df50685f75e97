//! Builds the Job that retries some indexes of a stored Job, each with its original index.
//!
//! Kubernetes numbers the indexes of every Job from 0. So the first init container maps the new index to the original
//! one and writes it to a file, and every other container reads `JOB_COMPLETION_INDEX` from that file (`fileKeyRef`).
//! On an older server, a shell around each command does the same. The rest of the Pod stays unchanged: scripts that
//! pick an item by the index, and mounts by `$(JOB_COMPLETION_INDEX)`, pick the same item as before.

mod changes;
mod copies;
mod index;
mod items;
mod wrap;

use serde_json::{Value, from_value, json};

use super::{Manifest, filled, policy, sort_fields};
use crate::contract::{annotation, label};
use crate::error::Error;
use crate::index_set::IndexSet;
use crate::spec::base;
use crate::spec::handover::VARIABLE_FILE_SINCE;
use crate::spec::retry::Changes;
pub(crate) use copies::config_maps;

/// The longest index set that an annotation may hold, in bytes: all annotations together may have 256 KiB. The set is
/// also one word of a command, which Linux limits to 128 KiB.
const MAX_SET_BYTES: usize = 48 * 1024;

#[derive(Clone, Debug)]
pub(crate) struct RetryPlan {
    /// The name of the new Job.
    pub(crate) name: String,
    /// The original indexes that it runs; at least one.
    pub(crate) indexes: IndexSet,
    pub(crate) family: Lineage,
    /// The minor version of the server: Kubernetes 1.`minor`.
    pub(crate) minor: u32,
    pub(crate) changes: Changes,
}

/// What a retry records about the Jobs before it.
#[derive(Clone, Debug)]
pub(crate) struct Lineage {
    /// The name of the first Job.
    pub(crate) root: String,
    pub(crate) root_uid: String,
    /// The number of indexes of the first Job.
    pub(crate) completions: u32,
    pub(crate) succeeded: IndexSet,
    pub(crate) failed: IndexSet,
}

/// Builds the Job that retries the indexes of `plan`, and its warnings for the user.
///
/// `stored` is the newest Job of its family. `config_maps` are the existing ConfigMaps among those that [`config_maps`]
/// names.
pub(crate) fn build(stored: &Value, config_maps: &[Value], plan: &RetryPlan) -> Result<(Manifest, Vec<String>), Error> {
    let mut warnings = Vec::new();
    let mut job = stored.clone();
    strip_stored_fields(&mut job, &plan.name);
    adapt_policies(&mut job, plan);
    let typed = from_value(stored.clone()).unwrap_or_default();
    items::check_list(&typed, config_maps)?;
    let renewed = items::remove_handover(&mut job, &typed, config_maps, plan, &mut warnings)?;
    let mut copied = copies::copy_config_maps(&mut job, stored, config_maps, plan)?;
    changes::apply_changes(&mut job, &plan.changes)?;
    if let Some(renewed) = renewed {
        copied.extend(renewed.insert_into(&mut job, plan)?);
    }
    if plan.minor >= VARIABLE_FILE_SINCE && !wrap::is_wrapped(stored) {
        index::set_original_index(&mut job, plan, &mut warnings)?;
    } else {
        wrap::set_original_index(&mut job, stored, plan, &mut warnings)?;
    }
    write_annotations(&mut job, stored, plan)?;
    if job.pointer("/spec/template/spec/subdomain").is_some_and(Value::is_string) {
        warnings.push(format!(
            "the Pods get new host names: {}-0 and up, numbered by the new Job's own indexes",
            plan.name
        ));
    }
    sort_fields(&mut job);
    copied.iter_mut().for_each(sort_fields);
    Ok((Manifest { job, config_maps: copied }, warnings))
}

/// Removes the fields that belong to the stored object only.
fn strip_stored_fields(job: &mut Value, name: &str) {
    let old = job["metadata"].take();
    job["metadata"] = filled(json!({
        "name": name,
        "namespace": old["namespace"],
        "labels": old["labels"],
        "annotations": old["annotations"],
    }));
    job["apiVersion"] = json!("batch/v1");
    job["kind"] = json!("Job");
    if let Some(fields) = job.as_object_mut() {
        fields.remove("status");
    }
    if let Some(spec) = job["spec"].as_object_mut() {
        // The server sets the selector from the new Job's UID.
        for field in ["selector", "manualSelector", "suspend"] {
            spec.remove(field);
        }
    }
    if job["metadata"]["labels"].get(label::KUEUE_QUEUE).is_some() {
        // Kueue releases a Job once its queue admits it.
        job["spec"]["suspend"] = json!(true);
    }
    base::drop_notes(job, |key| label::SET_BY_SERVER.contains(&key) || annotation::OF_ONE_OBJECT.contains(&key));
    for pointer in ["/metadata/labels", "/spec/template/metadata/labels"] {
        let instance = job.pointer_mut(pointer).and_then(|labels| labels.get_mut(label::INSTANCE));
        if let Some(instance) = instance.filter(|instance| **instance == old["name"]) {
            *instance = json!(name);
        }
    }
}

/// Adapts every field that counts indexes to the new number of indexes.
fn adapt_policies(job: &mut Value, plan: &RetryPlan) {
    let number = u32::try_from(plan.indexes.len()).unwrap_or(u32::MAX);
    let as_number = |value: Option<&Value>| value.and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    let before = as_number(job["spec"].get("parallelism")).filter(|n| *n > 0);
    let at_once = plan.changes.parallelism.or(before).unwrap_or(number).min(number);
    if let Some(annotations) = job["metadata"].get_mut("annotations").and_then(Value::as_object_mut) {
        let is_less = |least: &Value| text(Some(least)).parse().is_ok_and(|least: u32| least < at_once);
        annotations.retain(|key, value| key != annotation::KUEUE_LEAST || is_less(value));
    }
    let Some(spec) = job["spec"].as_object_mut() else { return };
    spec.insert("completions".to_owned(), json!(number));
    spec.insert("completionMode".to_owned(), json!("Indexed"));
    spec.insert("parallelism".to_owned(), json!(at_once));
    if let Some(most) = as_number(spec.get("maxFailedIndexes")) {
        spec.insert("maxFailedIndexes".to_owned(), json!(most.min(number)));
    }
    if let Some(retries) = plan.changes.retries {
        policy::set_retries(spec, retries);
    }
    let rules = spec.get("successPolicy").and_then(|policy| policy.get("rules")).and_then(Value::as_array);
    if let Some(rules) = rules {
        let rules: Vec<_> = rules.iter().filter_map(|rule| success_rule(rule, plan)).collect();
        if rules.is_empty() {
            spec.remove("successPolicy");
        } else {
            spec.insert("successPolicy".to_owned(), json!({"rules": rules}));
        }
    }
}

/// Returns the unmet part of a rule in the new Job's own indexes; `None` if it is met, or if these indexes can't meet
/// it.
fn success_rule(rule: &Value, plan: &RetryPlan) -> Option<Value> {
    let named = rule.get("succeededIndexes").and_then(Value::as_str).map(IndexSet::from_status);
    let of_rule = named.clone().unwrap_or_else(|| IndexSet::below(plan.family.completions));
    let here = of_rule.intersection(&plan.indexes);
    let missing = match rule.get("succeededCount").and_then(Value::as_u64) {
        Some(count) => usize::try_from(count).ok()?.checked_sub(of_rule.intersection(&plan.family.succeeded).len())?,
        None => of_rule.difference(&plan.family.succeeded).len(),
    };
    if missing == 0 || missing > here.len() {
        return None;
    }
    let own = || plan.indexes.positions(&here).to_string();
    let count = (named.is_none() || missing < here.len()).then_some(missing);
    Some(filled(json!({"succeededIndexes": named.is_some().then(own), "succeededCount": count})))
}

/// Records in annotations which Jobs the new one continues, and the status of their indexes.
fn write_annotations(job: &mut Value, stored: &Value, plan: &RetryPlan) -> Result<(), Error> {
    let family = &plan.family;
    let of = format!("{}/{}", text(stored.pointer("/metadata/name")), text(stored.pointer("/metadata/uid")));
    let notes = [
        (annotation::FAMILY_ROOT, family.root.clone()),
        (annotation::FAMILY_COMPLETIONS, family.completions.to_string()),
        (annotation::RETRY_OF, of),
        (annotation::ORIGINAL_INDEXES, plan.indexes.to_string()),
        (annotation::SUCCEEDED_BEFORE, family.succeeded.to_string()),
        (annotation::FAILED_BEFORE, family.failed.to_string()),
    ];
    for (key, value) in notes {
        if value.len() > MAX_SET_BYTES {
            return Err(Error::usage(format!(
                "too many separate ranges of indexes: the list takes {} bytes, and the limit is {MAX_SET_BYTES}",
                value.len()
            ))
            .hint("retry fewer indexes at once, for example with --index 0-9999"));
        }
        if value.is_empty() {
            if let Some(annotations) = job["metadata"]["annotations"].as_object_mut() {
                annotations.remove(key);
            }
        } else {
            job["metadata"]["annotations"][key] = json!(value);
        }
    }
    job["metadata"]["labels"][label::FAMILY] = json!(family.root_uid);
    Ok(())
}

fn text(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}

fn list_mut<'a>(job: &'a mut Value, list: &str) -> impl Iterator<Item = &'a mut Value> {
    job.pointer_mut(&format!("/spec/template/spec/{list}")).and_then(Value::as_array_mut).into_iter().flatten()
}

/// Returns the entries of a list in the Pod's spec.
fn list<'a>(job: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    job.pointer(&format!("/spec/template/spec/{list}")).and_then(Value::as_array).into_iter().flatten()
}

/// Inserts entries into a list at `position`, or at its end. A list that stays empty is removed.
fn insert(of: &mut Value, list: &str, position: usize, new: impl IntoIterator<Item = Value>) {
    let Some(fields) = of.as_object_mut() else { return };
    let mut entries = fields.shift_remove(list).and_then(|list| from_value(list).ok()).unwrap_or_default();
    let position = Vec::<Value>::len(&entries).min(position);
    entries.splice(position..position, new);
    if !entries.is_empty() {
        fields.insert(list.to_owned(), Value::Array(entries));
    }
}

/// Returns the entries of a list of an object, such as a container.
fn entries<'a>(of: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    of.get(list).and_then(Value::as_array).into_iter().flatten()
}

fn entries_mut<'a>(of: &'a mut Value, list: &str) -> impl Iterator<Item = &'a mut Value> {
    of.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten()
}

#[cfg(test)]
mod tests;
