//! Builds the objects that Kubernetes stores from a [`JobSpec`], and reads them back.
//!
//! Objects are JSON values, not the typed structs of `k8s-openapi`: a typed round trip would silently drop fields of a
//! template that the structs do not know yet.

mod guest;
mod merge;
mod order;
mod pack;
mod payload;
mod policy;
pub(crate) mod read;
pub(crate) mod retry;
mod scripts;
pub(crate) mod work;
pub(crate) mod yaml;

use serde_json::{Map, Value, json};

use crate::contract::{self, annotation, label};
use crate::error::Error;
use crate::spec::policy::Policy;
use crate::spec::resume::ResumedJob;
use crate::spec::{JobSpec, Requirement, Resources, Toleration, base};
pub(crate) use order::sort_fields;
use pack::Shard;
use payload::PodInput;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Manifest {
    pub(crate) job: Value,
    pub(crate) config_maps: Vec<Value>,
}

/// Builds the Job of `spec` and its ConfigMaps.
pub(crate) fn build(spec: &JobSpec) -> Result<Manifest, Error> {
    let template = spec.base.as_ref();
    let shards = pack::pack_items(&spec.feed())?;
    let input = payload::build_input(&spec.feed(), template, &shards);
    let mut job = template.cloned().unwrap_or_else(|| json!({}));
    remove_replaced_fields(&mut job, spec, &input);
    let defaults = defaults(&job, &spec.policy);
    merge::merge(&mut job, defaults);
    merge::merge(&mut job, overlay(spec, &input, &shards));
    restrict_added_containers(&mut job, &input);
    sort_fields(&mut job);
    let mut config_maps = pack::build_config_maps(&job, shards);
    config_maps.iter_mut().for_each(sort_fields);
    Ok(Manifest { job, config_maps })
}

/// Gives the added init containers the restrictions of the worker.
fn restrict_added_containers(job: &mut Value, input: &PodInput) {
    let name = worker_name(Some(&*job)).to_owned();
    let pod = &mut job["spec"]["template"]["spec"];
    let containers = pod["containers"].as_array().into_iter().flatten();
    let worker = containers.into_iter().find(|container| container["name"] == name).cloned().unwrap_or_default();
    let of_pod = pod["securityContext"].clone();
    for container in pod.get_mut("initContainers").and_then(Value::as_array_mut).into_iter().flatten() {
        if input.init_containers.iter().any(|added| added["name"] == container["name"]) {
            guest::restrict_container(container, &worker, &of_pod);
        }
    }
}

/// Removes the fields that a server adds to an object for itself, and sorts the others.
pub(crate) fn strip_server_fields(object: &mut Value) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
        metadata.retain(|_, value| !value.is_null());
    }
    let empty = object.get("status").is_some_and(|status| status.as_object().is_none_or(Map::is_empty));
    if let (true, Some(fields)) = (empty, object.as_object_mut()) {
        fields.remove("status");
    }
    sort_fields(object);
}

/// Returns the name of the worker's container: the template's, else the default.
fn worker_name(template: Option<&Value>) -> &str {
    template.and_then(base::worker).and_then(|worker| worker["name"].as_str()).unwrap_or(contract::WORKER)
}

/// Removes the fields of the template that flags replace and that can't be merged.
fn remove_replaced_fields(job: &mut Value, spec: &JobSpec, input: &PodInput) {
    policy::remove_replaced_fields(job, &spec.policy);
    if let Some(metadata) = job.get_mut("metadata").and_then(Value::as_object_mut) {
        // The generated name has this prefix already.
        metadata.shift_remove("generateName");
    }
    if input.command.is_some() {
        let name = worker_name(Some(&*job)).to_owned();
        let containers = job.pointer_mut("/spec/template/spec/containers").and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten().filter_map(Value::as_object_mut) {
            if container.get("name").and_then(Value::as_str) == Some(&name) {
                // The arguments belong to the replaced command.
                container.remove("command");
                container.remove("args");
            }
        }
    }
}

/// Returns the defaults for fields that the template does not set.
fn defaults(job: &Value, policy: &Policy) -> Value {
    let restart = base::restart_policy(job).unwrap_or("Never");
    let mut own = if restart == "Never" { policy::defaults(job, policy) } else { Map::new() };
    let mut worker = json!({"name": worker_name(Some(job))});
    if base::worker(job).and_then(|worker| worker.get("terminationMessagePolicy")).is_none() {
        // Puts the last lines of a failed worker into its Pod's status, readable without the log.
        worker["terminationMessagePolicy"] = json!("FallbackToLogsOnError");
    }
    let mut pod = json!({"restartPolicy": restart, "containers": [&worker]});
    if job.pointer("/spec/template/spec/enableServiceLinks").is_none() {
        // The variables of thousands of Services exceed the size limit of a command.
        pod["enableServiceLinks"] = json!(false);
    }
    // The same for init containers: a failed one keeps its worker from starting.
    let init = job.pointer("/spec/template/spec/initContainers").and_then(Value::as_array).into_iter().flatten();
    let silent = init.filter(|init| init.get("terminationMessagePolicy").or(init.get("restartPolicy")).is_none());
    let fallback = |init: &Value| json!({"name": init["name"], "terminationMessagePolicy": "FallbackToLogsOnError"});
    let policies: Vec<_> = silent.map(fallback).collect();
    if !policies.is_empty() {
        pod["initContainers"] = json!(policies);
    }
    let mut template = json!({"spec": pod});
    let default_container =
        job.pointer("/spec/template/metadata/annotations").and_then(|all| all.get(annotation::DEFAULT_CONTAINER));
    if worker["name"] != contract::WORKER && default_container.is_none() {
        // A cluster may inject containers before the worker.
        template["metadata"] = json!({"annotations": {annotation::DEFAULT_CONTAINER: worker["name"]}});
    }
    own.insert("template".to_owned(), template);
    json!({"spec": own})
}

/// Returns the fields that the flags set.
fn overlay(spec: &JobSpec, input: &PodInput, shards: &[Shard]) -> Value {
    let (labels, annotations) = (labels(spec), string_map(&spec.annotations));
    let mut metadata = json!({"name": spec.name, "namespace": spec.namespace, "labels": labels});
    if let Some(queue) = &spec.queue {
        metadata["labels"][label::KUEUE_QUEUE] = json!(queue);
    }
    if let Some(resumes) = &spec.resumes {
        metadata["labels"][label::RESUMES] = json!(resumes.uid);
    }
    let mut job_annotations = annotations.clone();
    job_annotations.extend(own_annotations(spec, input, shards));
    metadata["annotations"] = Value::Object(job_annotations);

    let pod_metadata = filled(json!({"labels": labels, "annotations": annotations}));
    let mut job = filled(json!({
        "completions": spec.completions,
        "parallelism": spec.parallelism,
        "completionMode": "Indexed",
        // Kueue resumes a Job when its queue admits it.
        "suspend": spec.queue.as_ref().map(|_| true),
        "template": {"metadata": pod_metadata, "spec": pod(spec, input)},
    }));
    merge::merge(&mut job, policy::policy_fields(spec));
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": filled(metadata), "spec": job})
}

/// Removes the fields of an object that are null, or an empty list or object.
fn filled(mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.retain(|_, value| {
            let is_empty = value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty);
            !value.is_null() && !is_empty
        });
    }
    object
}

fn labels(spec: &JobSpec) -> Map<String, Value> {
    // A label value may have 63 characters; a command's name may be longer.
    let app: String = spec.app.chars().take(63).collect();
    let own = [
        (label::NAME, app.trim_end_matches('-')),
        (label::INSTANCE, &spec.name),
        (label::MANAGED_BY, contract::MANAGER),
    ];
    let mut labels: Map<_, _> = own.into_iter().map(|(key, value)| (key.to_owned(), json!(value))).collect();
    labels.extend(string_map(&spec.labels));
    labels
}

fn own_annotations(spec: &JobSpec, input: &PodInput, shards: &[Shard]) -> impl Iterator<Item = (String, Value)> {
    let mut annotations = Vec::new();
    if !spec.command.is_empty() {
        annotations.push((annotation::COMMAND, json!(spec.command).to_string()));
    }
    if let Some(ResumedJob { name, uid, skipped }) = &spec.resumes {
        annotations.push((annotation::RESUMES, format!("{name}/{uid}")));
        annotations.push((annotation::SKIPPED, skipped.to_string()));
    }
    annotations.extend(payload::annotations(&spec.feed(), input, shards));
    annotations.into_iter().map(|(key, value)| (key.to_owned(), json!(value)))
}

fn pod(spec: &JobSpec, input: &PodInput) -> Value {
    let secrets: Vec<_> = spec.image_pull_secrets.iter().map(|name| json!({"name": name})).collect();
    let tolerations = spec.tolerations.iter().map(|Toleration { key, value, effect }| {
        let operator = if value.is_some() { "Equal" } else { "Exists" };
        filled(json!({"key": key, "operator": operator, "value": value, "effect": effect}))
    });
    filled(json!({
        "activeDeadlineSeconds": spec.policy.index_timeout,
        "serviceAccountName": spec.service_account,
        "priorityClassName": spec.priority_class,
        "nodeSelector": string_map(&spec.node_selector),
        "imagePullSecrets": secrets,
        "initContainers": input.init_containers,
        "containers": [worker(spec, input)],
        "volumes": input.volumes,
        "tolerations": tolerations.collect::<Vec<_>>(),
    }))
}

fn worker(spec: &JobSpec, input: &PodInput) -> Value {
    // Our variables come first: the user's values may refer to earlier variables.
    let users = spec.env.iter().map(|(name, value)| json!({"name": name, "value": value}));
    filled(json!({
        "name": worker_name(spec.base.as_ref()),
        "image": spec.image,
        "command": input.command,
        "workingDir": spec.workdir,
        "env": input.env.iter().cloned().chain(users).collect::<Vec<_>>(),
        "resources": resources(&spec.resources),
        "volumeMounts": input.mounts,
        "imagePullPolicy": spec.image_pull_policy,
    }))
}

fn resources(Resources { cpu, memory, gpu }: &Resources) -> Value {
    let request = |of: &Option<Requirement>| of.as_ref().map(|of| of.request.clone());
    let limit = |of: &Option<Requirement>| of.as_ref().and_then(|of| of.limit.clone());
    let mut limits = filled(json!({"cpu": limit(cpu), "memory": limit(memory).or_else(|| request(memory))}));
    if let Some((resource, number)) = gpu {
        // Kubernetes sets the request of an extended resource to its limit.
        limits[resource] = json!(number.to_string());
    }
    filled(json!({"requests": filled(json!({"cpu": request(cpu), "memory": request(memory)})), "limits": limits}))
}

fn string_map(pairs: &[(String, String)]) -> Map<String, Value> {
    pairs.iter().map(|(key, value)| (key.clone(), json!(value))).collect()
}

#[cfg(test)]
mod tests;
