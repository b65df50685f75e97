//! The manifest that `--template` names: a Job, a CronJob or a PodTemplate, brought into the form of a Job.

use serde_json::{Map, Value, json};

use crate::contract;
use crate::error::Error;

/// Reads a manifest as kubectl reads it, and takes out of it what a new Job must not repeat.
pub(crate) fn parse(origin: &str, bytes: &[u8]) -> Result<Value, Error> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Error::usage(format!("the template {origin} is not UTF-8 text")).caused_by(error))?;
    let mut documents = documents(origin, text)?;
    let document = match documents.len() {
        1 => documents.remove(0),
        0 => {
            return Err(Error::usage(format!("the template {origin} is empty"))
                .hint("kubectl create job NAME --image=IMAGE --dry-run=client -o yaml prints one to start from"));
        }
        n => {
            return Err(Error::usage(format!("the template {origin} has {n} documents; a template is one manifest"))
                .hint("keep the Job only, and create the others by kubectl apply"));
        }
    };
    let kind = document.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut job = match kind.as_str() {
        "Job" => document,
        "CronJob" => json!({
            "metadata": merge_metadata(document.pointer("/metadata"), document.pointer("/spec/jobTemplate/metadata")),
            "spec": document.pointer("/spec/jobTemplate/spec").cloned().unwrap_or_default(),
        }),
        "PodTemplate" => json!({
            "metadata": merge_metadata(document.get("metadata"), None),
            "spec": {"template": document.get("template").cloned().unwrap_or_default()},
        }),
        _ => {
            let what = if kind.is_empty() { "has no kind".to_owned() } else { format!("is a {kind}") };
            return Err(Error::usage(format!(
                "the template {origin} {what}; it must be a Job, a CronJob or a PodTemplate"
            ))
            .hint("kubectl create job NAME --image=IMAGE --dry-run=client -o yaml prints one to start from"));
        }
    };
    if job.pointer("/spec/template/spec").and_then(Value::as_object).is_none() {
        return Err(Error::usage(format!(
            "the template {origin} is a {kind} without a Pod template (spec.template.spec)"
        )));
    }
    strip(&mut job);
    Ok(job)
}

fn documents(origin: &str, text: &str) -> Result<Vec<Value>, Error> {
    // As kubectl reads it: 0644 is octal, and a key that stands twice is an error.
    let options = serde_saphyr::options! { legacy_octal_numbers: true };
    let documents = serde_saphyr::from_multiple_with_options::<Value>(text, options).map_err(|error| {
        Error::usage(format!("the template {origin} can't be read as YAML"))
            .caused_by(error.to_string().trim_start_matches("error: ").to_owned())
    })?;
    Ok(documents.into_iter().filter(|document| !document.is_null()).collect())
}

/// The metadata that a new Job inherits: labels and annotations of both, the outer name or its start.
fn merge_metadata(outer: Option<&Value>, inner: Option<&Value>) -> Value {
    let mut merged = Map::new();
    for key in ["name", "generateName"] {
        if let Some(name) = outer.and_then(|metadata| metadata.get(key)) {
            merged.insert(key.to_owned(), name.clone());
        }
    }
    for key in ["labels", "annotations"] {
        let mut entries = Map::new();
        for metadata in [outer, inner].into_iter().flatten() {
            if let Some(more) = metadata.get(key).and_then(Value::as_object) {
                entries.extend(more.clone());
            }
        }
        if !entries.is_empty() {
            merged.insert(key.to_owned(), Value::Object(entries));
        }
    }
    Value::Object(merged)
}

/// Takes out what belongs to the object that the manifest was read from, and not to a new one.
fn strip(job: &mut Value) {
    if let Some(job) = job.as_object_mut() {
        job.remove("status");
        job.remove("apiVersion");
        job.remove("kind");
    }
    let metadata = merge_metadata(job.get("metadata"), None);
    job["metadata"] = metadata;
    if let Some(spec) = job.get_mut("spec").and_then(Value::as_object_mut) {
        // The API server makes the selector, out of the new Job's own UID; an Indexed Job made by us decides the rest.
        for field in ["selector", "manualSelector", "completions", "completionMode", "suspend"] {
            spec.remove(field);
        }
    }
    drop_notes(job, |key| {
        contract::label::SET_BY_SERVER.contains(&key)
            || contract::annotation::OF_ONE_OBJECT.contains(&key)
            || key.starts_with(contract::NOTES)
    });
}

/// Takes out of a Job and its Pods those labels and annotations that another Job must not have.
pub(crate) fn drop_notes(job: &mut Value, must_go: impl Fn(&str) -> bool) {
    for pointer in ["/metadata", "/spec/template/metadata"] {
        let Some(metadata) = job.pointer_mut(pointer).and_then(Value::as_object_mut) else { continue };
        metadata.remove("creationTimestamp");
        for notes in ["labels", "annotations"] {
            if let Some(notes) = metadata.get_mut(notes).and_then(Value::as_object_mut) {
                notes.retain(|key, _| !must_go(key));
            }
        }
    }
}

/// The container that does the work: the only one, else the one that is called so.
pub(crate) fn worker(job: &Value) -> Option<&Value> {
    let containers = job.pointer("/spec/template/spec/containers")?.as_array()?;
    match containers.as_slice() {
        [only] => Some(only),
        several => several.iter().find(|container| container["name"] == contract::WORKER),
    }
}

/// The command and arguments that the template gives its worker; empty where the image's own entry point stands.
pub(crate) fn command(job: &Value) -> Vec<String> {
    // Arguments alone are those of the image's own entry point, which is not known here.
    let known = worker(job).filter(|worker| worker.get("command").is_some_and(Value::is_array));
    [words(known, "command"), words(known, "args")].concat()
}

pub(crate) fn words(container: Option<&Value>, list: &str) -> Vec<String> {
    let list = container.and_then(|container| container.get(list)?.as_array());
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

pub(crate) fn restart_policy(job: &Value) -> Option<&str> {
    job.pointer("/spec/template/spec/restartPolicy")?.as_str()
}
