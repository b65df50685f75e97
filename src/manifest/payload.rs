//! Builds the parts of a Pod that give it its item and its index: volumes, an init container, variables, the command.

use serde_json::{Value, json};

use super::pack::Shard;
use super::scripts::{self, ITEMS_DIR, LIST_DIR, MOUNTED_ITEM};
use crate::contract::{self, INDEX_VARIABLE, INPUT, INPUT_DIR, ITEM_FILE, VARIABLES_FILE, VARIABLES_PATH, annotation};
use crate::spec::handover::{CommandPart, Handover, ItemForm, Payload, Route, VariableSource};
use crate::spec::retry::HandoverNote;
use crate::spec::stores::ItemStore;
use crate::spec::{Feed, base};

#[derive(Default)]
pub(super) struct PodInput {
    pub(super) volumes: Vec<Value>,
    /// The worker's mounts.
    pub(super) mounts: Vec<Value>,
    /// The worker's variables.
    pub(super) env: Vec<Value>,
    pub(super) init_containers: Vec<Value>,
    /// The names of the volumes with the item.
    pub(super) item_volumes: Vec<String>,
    /// The worker's command; `None` keeps the template's.
    pub(super) command: Option<Vec<String>>,
}

/// Builds these parts. `shards` are the ConfigMaps of the Job's own list.
pub(super) fn build_input(feed: &Feed<'_>, template: Option<&Value>, shards: &[Shard]) -> PodInput {
    let mut input = PodInput::default();
    let handover = feed.handover;
    let writes_variables = handover.route == Route::VariableFile;
    if handover.needs_item() && !feed.store.needs_picking() && !writes_variables {
        let volume = free_name(template, &input.volumes, INPUT, "volumes");
        if let Some(path) = scripts::worker_path(handover) {
            input.volumes.push(items_volume(&volume, feed.store, shards));
            input.mounts.push(own_key(&volume, path));
            if feed.store.is_checked() {
                input.init_containers.push(init_container(feed, template, &[whole_list(&volume, LIST_DIR)]));
            }
        }
    } else if handover.needs_item() || writes_variables {
        add_init_container(&mut input, feed, template, shards);
    }
    input.item_volumes = names(&input.volumes);
    if let Some(path) = feed.index_file {
        let volume = free_name(template, &input.volumes, INPUT, "volumes");
        add_index_file(&mut input, path, &volume);
    }
    let shared = input.volumes.first().and_then(|volume| volume["name"].as_str()).unwrap_or(INPUT).to_owned();
    input.env = handover.variables.iter().filter_map(|v| env_entry(&v.name, &v.source, handover, &shared)).collect();
    input.command = worker_command(feed, template);
    input
}

/// Adds an init container that writes to a folder shared with the worker, or with the kubelet.
fn add_init_container(input: &mut PodInput, feed: &Feed<'_>, template: Option<&Value>, shards: &[Shard]) {
    let handover = feed.handover;
    let shared = free_name(template, &[], INPUT, "volumes");
    input.volumes.push(json!({"name": shared, "emptyDir": {}}));
    let folder = json!({"name": shared, "mountPath": INPUT_DIR});
    let mut mounts = vec![folder.clone()];
    let kept_outside = !matches!(feed.store, ItemStore::Inline | ItemStore::Nowhere);
    let worker_path = scripts::worker_path(handover);
    if handover.needs_item() && kept_outside {
        let items = free_name(template, &input.volumes, "items", "volumes");
        input.volumes.push(items_volume(&items, feed.store, shards));
        if feed.store.needs_picking() {
            mounts.push(whole_list(&items, ITEMS_DIR));
        } else {
            mounts.push(own_key(&items, MOUNTED_ITEM));
            mounts.extend(feed.store.is_checked().then(|| whole_list(&items, LIST_DIR)));
            input.mounts.extend(worker_path.map(|path| own_key(&items, path)));
        }
    }
    if let Some(path) = worker_path.filter(|_| feed.store.needs_picking()) {
        input.mounts.push(if path == contract::ITEM_PATH || path == VARIABLES_PATH {
            folder
        } else {
            // A volume over another folder would hide the image's files in it.
            json!({"name": shared, "mountPath": path, "subPath": ITEM_FILE})
        });
    }
    input.init_containers.push(init_container(feed, template, &mounts));
}

fn init_container(feed: &Feed<'_>, template: Option<&Value>, mounts: &[Value]) -> Value {
    let handover = feed.handover;
    let mut list = Vec::new();
    if *feed.store == ItemStore::Inline {
        let payload = handover.payload();
        for (index, item) in feed.items.numbered() {
            // Missing indexes get an empty item.
            list.resize(index as usize, Vec::new());
            list.push(payload.bytes(item).into_owned());
        }
    }
    let script = scripts::init_script(handover, feed.store, &list);
    json!({
        "name": free_name(template, &[], INPUT, "initContainers"),
        "image": feed.init_image,
        "command": ["sh", "-c", scripts::escape_expansion(&script)],
        "volumeMounts": mounts,
    })
}

fn names(list: &[Value]) -> Vec<String> {
    list.iter().filter_map(|entry| entry["name"].as_str()).map(str::to_owned).collect()
}

fn whole_list(volume: &str, folder: &str) -> Value {
    json!({"name": volume, "mountPath": folder, "readOnly": true})
}

fn items_volume(name: &str, store: &ItemStore, own: &[Shard]) -> Value {
    let named = match store {
        ItemStore::Listed { config_map, .. } => vec![config_map],
        _ => own.iter().map(|shard| &shard.name).collect(),
    };
    match named.as_slice() {
        [one] => json!({"name": name, "configMap": {"name": one}}),
        several => {
            let sources: Vec<_> = several.iter().map(|name| json!({"configMap": {"name": name}})).collect();
            json!({"name": name, "projected": {"sources": sources}})
        }
    }
}

/// Mounts the key of the Pod's index at `path`. The kubelet expands the expression from the container's environment,
/// where the Job controller has added the index.
fn own_key(volume: &str, path: &str) -> Value {
    json!({"name": volume, "mountPath": path, "subPathExpr": format!("$({INDEX_VARIABLE})"), "readOnly": true})
}

/// Adds a downward API volume with the index, as in the Kubernetes documentation.
fn add_index_file(input: &mut PodInput, path: &str, volume: &str) {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    input.volumes.push(json!({
        "name": volume,
        "downwardAPI": {"items": [{"path": name, "fieldRef": {"fieldPath": index_field()}}]},
    }));
    input.mounts.push(json!({"name": volume, "mountPath": folder}));
}

fn index_field() -> String {
    format!("metadata.annotations['{}']", annotation::INDEX)
}

/// Returns the worker's entry for a variable; `None` if a shell sets it.
fn env_entry(name: &str, origin: &VariableSource, handover: &Handover, shared: &str) -> Option<Value> {
    match origin {
        VariableSource::Constant(value) => Some(json!({"name": name, "value": value})),
        VariableSource::Index => Some(json!({"name": name, "valueFrom": {"fieldRef": {"fieldPath": index_field()}}})),
        VariableSource::Field(path) => Some(json!({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}})),
        VariableSource::Position | VariableSource::Item(_) => {
            let file = json!({"volumeName": shared, "path": VARIABLES_FILE, "key": name});
            (handover.route == Route::VariableFile).then(|| json!({"name": name, "valueFrom": {"fileKeyRef": file}}))
        }
    }
}

/// Returns the worker's command; `None` keeps the template's.
pub(super) fn worker_command(feed: &Feed<'_>, template: Option<&Value>) -> Option<Vec<String>> {
    let handover = feed.handover;
    let own = Some(&handover.words).filter(|words| !words.is_empty());
    let Route::Shell(shell) = &handover.route else {
        return own.map(|words| words.iter().map(|word| scripts::expandable_word(word)).collect());
    };
    let words = own.cloned().unwrap_or_else(|| {
        template.map(base::command).into_iter().flatten().map(|word| vec![CommandPart::Text(word)]).collect()
    });
    Some(scripts::wrap_command(handover, shell, &words))
}

/// Returns a name that is unused in the template's list and in `own`: entries of the same name would be merged.
fn free_name(template: Option<&Value>, own: &[Value], stem: &str, list: &str) -> String {
    let taken = template.and_then(|job| job.pointer(&format!("/spec/template/spec/{list}"))).and_then(Value::as_array);
    let is_free = |name: &str| !taken.into_iter().flatten().chain(own).any(|entry| entry["name"] == name);
    let numbered = (2..).map(|n| format!("{stem}-{n}"));
    std::iter::once(stem.to_owned()).chain(numbered).find(|name| is_free(name)).unwrap_or_else(|| stem.to_owned())
}

/// Returns the annotations that say where the items of a Job are and how to read them.
pub(super) fn annotations(feed: &Feed<'_>, input: &PodInput, shards: &[Shard]) -> Vec<(&'static str, String)> {
    let handover = feed.handover;
    let mut notes = vec![(annotation::ITEM_AS, handover.form.name())];
    if handover.form != ItemForm::Index || handover.route != Route::Plain {
        notes.push((annotation::HANDED_OVER, handover.reason()));
        let init = names(&input.init_containers).pop();
        notes.push((annotation::HANDOVER, HandoverNote::new(handover, input.item_volumes.clone(), init).to_json()));
    }
    if feed.items.is_empty() {
        return notes;
    }
    notes.push((annotation::ITEM_STORE, feed.store.name().to_owned()));
    match feed.store {
        ItemStore::Packed { per_key, .. } => notes.push((annotation::ITEMS_PER_KEY, per_key.to_string())),
        ItemStore::Listed { key: Some(key), .. } => notes.push((annotation::ITEMS_KEY, key.clone())),
        _ => {}
    }
    let list: Vec<_> = match feed.store {
        ItemStore::Listed { config_map, .. } => vec![format!("{config_map}:0")],
        _ => shards.iter().map(|shard| format!("{}:{}", shard.name, shard.first)).collect(),
    };
    // A single ConfigMap with one key per index is found through the Pod's mounts, as in Jobs of other tools.
    let is_found_by_mounts = list.len() == 1 && !feed.store.needs_picking() && handover.needs_item();
    if !list.is_empty() && !is_found_by_mounts {
        notes.push((annotation::ITEM_CONFIG_MAPS, list.join(",")));
    }
    if let ItemStore::Listed { digest, .. } = feed.store {
        notes.push((annotation::ITEMS_DIGEST, digest.to_string()));
    }
    if matches!(handover.payload(), Payload::Assignments(_)) {
        notes.push((annotation::ITEM_PAYLOAD, "assignments".to_owned()));
    }
    if let Some(columns) = feed.items.columns().to_note() {
        notes.push((annotation::ITEM_COLUMNS, columns));
    }
    notes
}
