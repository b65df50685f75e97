//! From a stored Job to one that runs some of its indexes again, each as what it was the first time.
//!
//! Kubernetes numbers the indexes of every Job from 0. So a first init container turns the new index into the original
//! one, and every other container has `JOB_COMPLETION_INDEX` from the file that it writes (`fileKeyRef`); an older
//! server gets a shell around each command. All else of the Pod stays as it is: scripts that pick an item by the index,
//! and mounts by `$(JOB_COMPLETION_INDEX)`, then pick what they picked before.

mod changes;
mod copies;
mod index;
mod items;
mod wrap;

use serde_json::{Value, from_value, json};

use super::{Manifest, filled, order, policy};
use crate::contract::{annotation, label};
use crate::error::Error;
use crate::index_set::IndexSet;
use crate::spec::base;
use crate::spec::handover::VARIABLE_FILE_SINCE;
use crate::spec::retry::Changes;
pub(crate) use copies::config_maps;

/// Longest index set that is noted, in bytes: all annotations together may have 256 KiB. A command has the set as one word,
/// which Linux takes up to 128 KiB.
const MAX_NOTED_BYTES: usize = 48 * 1024;

#[derive(Clone, Debug)]
pub(crate) struct RetryPlan {
    /// The name of the new Job.
    pub(crate) name: String,
    /// The original indexes that it runs; at least one.
    pub(crate) indexes: IndexSet,
    pub(crate) family: Lineage,
    /// The minor version of the server, which is of Kubernetes 1.
    pub(crate) minor: u32,
    pub(crate) changes: Changes,
}

/// What a new Job notes of those before it.
#[derive(Clone, Debug)]
pub(crate) struct Lineage {
    /// Name of the Job that it began with.
    pub(crate) root: String,
    pub(crate) root_uid: String,
    /// How many indexes that Job has.
    pub(crate) completions: u32,
    pub(crate) succeeded: IndexSet,
    pub(crate) failed: IndexSet,
}

/// The Job that runs the indexes of `plan` again, out of `stored`, the newest of its family, and of the ConfigMaps that
/// [`config_maps`] names, as far as they are there; with what the user should know of it.
pub(crate) fn build(stored: &Value, config_maps: &[Value], plan: &RetryPlan) -> Result<(Manifest, Vec<String>), Error> {
    let mut warnings = Vec::new();
    let mut job = stored.clone();
    clean(&mut job, &plan.name);
    policies(&mut job, plan);
    let typed = from_value(stored.clone()).unwrap_or_default();
    items::check_list(&typed, config_maps)?;
    let renewed = items::take_out(&mut job, &typed, config_maps, plan, &mut warnings)?;
    let mut copied = copies::copy(&mut job, stored, config_maps, plan)?;
    changes::apply(&mut job, &plan.changes)?;
    if let Some(renewed) = renewed {
        copied.extend(renewed.put_in(&mut job, plan)?);
    }
    // A corrected command is not wrapped yet, and the rest may be.
    let wrapped = wrap::is_wrapped(stored);
    if plan.minor >= VARIABLE_FILE_SINCE && !wrapped {
        index::hand_over(&mut job, plan, &mut warnings)?;
    } else {
        wrap::hand_over(&mut job, plan, wrapped, &mut warnings)?;
    }
    note(&mut job, stored, plan)?;
    if job.pointer("/spec/template/spec/subdomain").is_some_and(Value::is_string) {
        warnings.push(format!(
            "the Pods have other host names than the first time: {0}-0 and on, by the new Job's own indexes",
            plan.name
        ));
    }
    order(&mut job);
    copied.iter_mut().for_each(order);
    Ok((Manifest { job, config_maps: copied }, warnings))
}

/// Takes out what belongs to the stored object, and not to a new one.
fn clean(job: &mut Value, name: &str) {
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
        // The server makes the selector, out of the new Job's own UID.
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

/// Fits what counts indexes to the new number of them.
fn policies(job: &mut Value, plan: &RetryPlan) {
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

/// What of a rule is left to be met, in the new Job's own indexes; None if these alone can't meet it, or nothing is left.
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

/// Notes which Jobs the new one continues, and what is known of their indexes.
fn note(job: &mut Value, stored: &Value, plan: &RetryPlan) -> Result<(), Error> {
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
        if value.len() > MAX_NOTED_BYTES {
            return Err(Error::usage(format!(
                "the indexes are too scattered: written as ranges they take {} bytes, and {MAX_NOTED_BYTES} can be noted",
                value.len()
            ))
            .hint("retry fewer at once, as by --index 0-9999"));
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

/// A list within the Pod.
fn list<'a>(job: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    job.pointer(&format!("/spec/template/spec/{list}")).and_then(Value::as_array).into_iter().flatten()
}

/// Puts entries into a list at `position`, or last; the list is there afterwards only if it has any.
fn insert(of: &mut Value, list: &str, position: usize, new: impl IntoIterator<Item = Value>) {
    let Some(fields) = of.as_object_mut() else { return };
    let mut entries = fields.shift_remove(list).and_then(|list| from_value(list).ok()).unwrap_or_default();
    let position = Vec::<Value>::len(&entries).min(position);
    entries.splice(position..position, new);
    if !entries.is_empty() {
        fields.insert(list.to_owned(), Value::Array(entries));
    }
}

/// Something in a container or another object that has a list.
fn entries<'a>(of: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    of.get(list).and_then(Value::as_array).into_iter().flatten()
}

fn entries_mut<'a>(of: &'a mut Value, list: &str) -> impl Iterator<Item = &'a mut Value> {
    of.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten()
}

#[cfg(test)]
mod tests;
