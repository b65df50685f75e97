//! The manifest of `--template`: a Job, or a CronJob or PodTemplate converted into one.

use serde_json::{Map, Value, json};

use crate::contract;
use crate::error::Error;

/// Parses a manifest as kubectl does, and removes what a new Job must not repeat.
pub(crate) fn parse(origin: &str, bytes: &[u8]) -> Result<Value, Error> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Error::usage(format!("the template {origin} is not UTF-8 text")).caused_by(error))?;
    let mut documents = parse_documents(origin, text)?;
    let document = match documents.len() {
        1 => documents.remove(0),
        0 => {
            return Err(Error::usage(format!("the template {origin} is empty"))
                .hint("kubectl create job NAME --image=IMAGE --dry-run=client -o yaml prints one to start from"));
        }
        n => {
            return Err(Error::usage(format!(
                "the template {origin} has {n} documents, and a template must be one manifest"
            ))
            .hint("keep only the Job in it, and create the others with kubectl apply"));
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
                "the template {origin} {what}, and it must be a Job, a CronJob or a PodTemplate"
            ))
            .hint("kubectl create job NAME --image=IMAGE --dry-run=client -o yaml prints one to start from"));
        }
    };
    if job.pointer("/spec/template/spec").and_then(Value::as_object).is_none() {
        return Err(Error::usage(format!(
            "the template {origin} is a {kind} without a Pod template (spec.template.spec)"
        )));
    }
    remove_old_fields(&mut job);
    Ok(job)
}

fn parse_documents(origin: &str, text: &str) -> Result<Vec<Value>, Error> {
    // As in kubectl, 0644 is octal and a repeated key is an error.
    let options = serde_saphyr::options! { legacy_octal_numbers: true };
    let documents = serde_saphyr::from_multiple_with_options::<Value>(text, options).map_err(|error| {
        Error::usage(format!("the template {origin} is not valid YAML"))
            .caused_by(error.to_string().trim_start_matches("error: ").to_owned())
    })?;
    Ok(documents.into_iter().filter(|document| !document.is_null()).collect())
}

/// Returns the metadata that a new Job inherits: labels and annotations of both, and the outer name or generateName.
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

/// Removes the fields that belong to the existing object only.
fn remove_old_fields(job: &mut Value) {
    if let Some(job) = job.as_object_mut() {
        job.remove("status");
        job.remove("apiVersion");
        job.remove("kind");
    }
    let metadata = merge_metadata(job.get("metadata"), None);
    job["metadata"] = metadata;
    if let Some(spec) = job.get_mut("spec").and_then(Value::as_object_mut) {
        // The API server makes the selector from the UID of the new Job; the other fields are set by this program.
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

/// Removes the labels and annotations of a Job and its Pods that another Job must not have.
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

/// Returns the container that does the work: the only one, or the one named [`contract::WORKER`].
pub(crate) fn worker(job: &Value) -> Option<&Value> {
    let containers = job.pointer("/spec/template/spec/containers")?.as_array()?;
    match containers.as_slice() {
        [only] => Some(only),
        several => several.iter().find(|container| container["name"] == contract::WORKER),
    }
}

/// Returns command and arguments of the template's worker; empty if it uses the entry point of its image.
pub(crate) fn command(job: &Value) -> Vec<String> {
    // Without a command, the arguments belong to the entry point of the image, which is unknown.
    let known = worker(job).filter(|worker| worker.get("command").is_some_and(Value::is_array));
    [string_list(known, "command"), string_list(known, "args")].concat()
}

pub(crate) fn string_list(container: Option<&Value>, list: &str) -> Vec<String> {
    let list = container.and_then(|container| container.get(list)?.as_array());
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

pub(crate) fn restart_policy(job: &Value) -> Option<&str> {
    job.pointer("/spec/template/spec/restartPolicy")?.as_str()
}
