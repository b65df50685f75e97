//! Sets the original index from a file that an init container writes, for servers that read variables from a file.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::super::scripts::{escape_expansion, quote};
use super::super::{filled, guest};
use super::changes::worker_mut;
use super::{RetryPlan, entries, entries_mut, insert, list, list_mut, text};
use crate::contract::{INDEX_VARIABLE, ORIGINAL, ORIGINAL_DIR, ORIGINAL_FILE, annotation};
use crate::error::Error;
use crate::spec;

/// The path of the index set in the init container.
const SET_POINTER: &str = "/command/4";

/// The script that finds the original index. It walks the set range by range, so the Pod needs no list that grows with
/// the Job.
pub(super) const FIND: &str = "\
n=$JOB_COMPLETION_INDEX
IFS=,
for range in $*; do
  first=${range%-*}
  length=$((${range#*-} - first + 1))
  [ \"$n\" -ge \"$length\" ] || break
  n=$((n - length))
done
index=$((first + n))
";

/// Sets the original index in every container.
pub(super) fn set_original_index(job: &mut Value, plan: &RetryPlan, warnings: &mut Vec<String>) -> Result<(), Error> {
    for container in ["initContainers", "containers"] {
        list_mut(job, container).filter(|container| container["name"] != ORIGINAL).for_each(read_from_file);
    }
    let worker = worker_mut(job).cloned().unwrap_or_default();
    let of_pod = job["spec"]["template"]["spec"]["securityContext"].clone();
    if let Some(known) = list_mut(job, "initContainers").find(|container| container["name"] == ORIGINAL) {
        // The retried Job is a retry itself: everything else is in place.
        if let Some(set) = known.pointer_mut(SET_POINTER) {
            *set = json!(plan.indexes.to_string());
        }
        if let Some(image) = &plan.changes.init_image {
            known["image"] = json!(image);
        }
        guest::restrict_container(known, &worker, &of_pod);
        return Ok(());
    }
    let files = take_index_files(job, warnings)?;
    let mut writer = index_writer(job, plan, &files);
    let pod = &mut job["spec"]["template"]["spec"];
    let mut mounts = vec![json!({"name": ORIGINAL, "mountPath": ORIGINAL_DIR})];
    mounts.extend(files.iter().map(|file| json!({"name": file.volume, "mountPath": file.folder()})));
    writer["volumeMounts"] = json!(mounts);
    guest::restrict_container(&mut writer, &worker, &of_pod);
    insert(pod, "initContainers", 0, [writer]);
    insert(pod, "volumes", 0, [json!({"name": ORIGINAL, "emptyDir": {}})]);
    Ok(())
}

/// A file of a downward API volume with the index.
struct IndexFile {
    volume: String,
    path: String,
    /// The permissions, as the API counts them; `None` for 0644.
    mode: Option<u64>,
}

impl IndexFile {
    /// Returns the path at which the init container mounts the volume.
    fn folder(&self) -> String {
        format!("{ORIGINAL_DIR}-{}", self.volume)
    }
}

/// Whether a field of the downward API is the index.
pub(super) fn is_index(source: &Value) -> bool {
    let path = text(source.pointer("/fieldRef/fieldPath"));
    ["annotations", "labels"].iter().any(|map| path == format!("metadata.{map}['{}']", annotation::INDEX))
}

/// Replaces the downward API volumes with the index by empty ones, and returns their files.
fn take_index_files(job: &mut Value, warnings: &mut Vec<String>) -> Result<Vec<IndexFile>, Error> {
    let mut files = Vec::new();
    let mut replaced = Vec::new();
    for volume in list_mut(job, "volumes") {
        let name = text(volume.get("name")).to_owned();
        let own: Vec<_> = entries(&volume["downwardAPI"], "items").collect();
        let sources = entries(&volume["projected"], "sources");
        let within: Vec<_> = sources.flat_map(|source| entries(&source["downwardAPI"], "items")).collect();
        if within.iter().any(|item| is_index(item)) {
            return Err(irreplaceable(&name, "projects the index together with other files"));
        }
        for item in own.iter().chain(&within) {
            let path = text(item.pointer("/fieldRef/fieldPath"));
            if ["metadata.annotations", "metadata.labels"].contains(&path) {
                warnings.push(format!(
                    "file {} in volume {name} lists the Pod's {}, so it shows the new Job's index, not the original one",
                    text(item.get("path")),
                    path.trim_start_matches("metadata.")
                ));
            }
        }
        if !own.iter().any(|item| is_index(item)) {
            continue;
        }
        if !own.iter().all(|item| is_index(item)) {
            return Err(irreplaceable(&name, "also holds other fields of the Pod"));
        }
        let usual = volume.pointer("/downwardAPI/defaultMode").and_then(Value::as_u64);
        files.extend(own.into_iter().map(|item| IndexFile {
            volume: name.clone(),
            path: text(item.get("path")).to_owned(),
            mode: item.get("mode").and_then(Value::as_u64).or(usual).filter(|mode| *mode != 0o644),
        }));
        *volume = json!({"name": name, "emptyDir": {}});
        replaced.push(name);
    }
    for kind in ["initContainers", "containers"] {
        for mount in list_mut(job, kind).flat_map(|container| entries_mut(container, "volumeMounts")) {
            if replaced.iter().any(|name| mount["name"] == *name) {
                // Downward API volumes are always read-only.
                mount["readOnly"] = json!(true);
            }
        }
    }
    Ok(files)
}

fn irreplaceable(volume: &str, why: &str) -> Error {
    Error::usage(format!("volume {volume:?} can't give the worker its original index: it {why}"))
        .hint("have the worker read JOB_COMPLETION_INDEX, or put the index in a separate downwardAPI volume")
}

/// Makes a container read every index variable from the file.
fn read_from_file(container: &mut Value) {
    let source = json!({"fileKeyRef": {"volumeName": ORIGINAL, "path": ORIGINAL_FILE, "key": INDEX_VARIABLE}});
    let mut named = false;
    for variable in entries_mut(container, "env") {
        named |= variable["name"] == INDEX_VARIABLE;
        if variable.get("valueFrom").is_some_and(is_index) {
            variable["valueFrom"] = source.clone();
        }
    }
    if !named {
        // At the end, as the Job controller does: earlier variables can't refer to it.
        let variable = json!({"name": INDEX_VARIABLE, "valueFrom": source});
        insert(container, "env", usize::MAX, [variable]);
    }
}

/// Returns the init container that writes the original index.
fn index_writer(job: &Value, plan: &RetryPlan, files: &[IndexFile]) -> Value {
    let mut script = format!("{FIND}printf \"{INDEX_VARIABLE}='%s'\\n\" \"$index\" > {ORIGINAL_DIR}/{ORIGINAL_FILE}\n");
    for file in files {
        let path = quote(&format!("{}/{}", file.folder(), file.path));
        if file.path.contains('/') {
            let _ = writeln!(script, "mkdir -p \"$(dirname {path})\"");
        }
        let _ = writeln!(script, "printf %s \"$index\" > {path}");
        if let Some(mode) = file.mode {
            let _ = writeln!(script, "chmod {mode:o} {path}");
        }
    }
    let (image, pull) = match (&plan.changes.init_image, container_with_shell(job)) {
        (Some(image), _) => (image.clone(), None),
        (None, Some(container)) => (text(container.get("image")).to_owned(), container.get("imagePullPolicy").cloned()),
        (None, None) => {
            let last = plan.changes.fallback_init_image.as_deref();
            (last.unwrap_or(spec::DEFAULT_IMAGE).to_owned(), None)
        }
    };
    let command = ["sh", "-c", &escape_expansion(&script), "sh", &plan.indexes.to_string()];
    filled(json!({
        "name": ORIGINAL,
        "image": image,
        "imagePullPolicy": pull,
        "command": command,
    }))
}

/// Returns a container whose command is a shell: its image has one, and is pulled anyway.
fn container_with_shell(job: &Value) -> Option<&Value> {
    ["initContainers", "containers"].iter().flat_map(|kind| list(job, kind)).find(|container| {
        let program = text(container.pointer("/command/0"));
        ["sh", "bash", "ash", "dash"].contains(&program.rsplit('/').next().unwrap_or(program))
    })
}
