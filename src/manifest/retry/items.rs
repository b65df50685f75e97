//! Passes the items to a command that replaces the first one: removes the old handover from the Pod, and adds a new
//! one.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::{Value, from_value, json};

use super::super::read::{self, ItemSource};
use super::super::{guest, pack, payload};
use super::changes::worker_mut;
use super::copies::missing_config_map;
use super::{RetryPlan, entries, insert, text};
use crate::contract::{self, INDEX_VARIABLE, ITEM_PATH, annotation};
use crate::error::{Error, Hint};
use crate::index_set::IndexSet;
use crate::spec::handover::{Handover, ItemForm};
use crate::spec::items::{Item, Items};
use crate::spec::retry::HandoverNote;
use crate::spec::stores::ItemStore;
use crate::spec::{self, Feed};

/// The annotations that say how items are passed: a new handover writes them anew.
const HANDOVER_ANNOTATIONS: [&str; 3] = [annotation::ITEM_AS, annotation::HANDED_OVER, annotation::HANDOVER];
/// The annotations that say where the items are.
const LIST_ANNOTATIONS: [&str; 7] = [
    annotation::ITEM_STORE,
    annotation::ITEMS_PER_KEY,
    annotation::ITEMS_KEY,
    annotation::ITEM_CONFIG_MAPS,
    annotation::ITEMS_DIGEST,
    annotation::ITEM_PAYLOAD,
    annotation::ITEM_COLUMNS,
];

/// The handover of a corrected command.
pub(super) struct NewHandover {
    items: Items,
    handover: Handover,
    store: ItemStore,
    /// The init container of the old handover, and its position.
    init: Option<(usize, Value)>,
}

/// Fails if a shared list has changed: its items may differ from the first run.
pub(super) fn check_list(job: &Job, found: &[Value]) -> Result<(), Error> {
    let ItemSource::ConfigMaps(listing) = read::item_source(job) else { return Ok(()) };
    let Some(name) = listing.shared_config_map() else { return Ok(()) };
    if find_config_map(name, found).is_some_and(|config_map| listing.has_changed(&config_map, job)) {
        let key =
            contract::annotation_value(job, annotation::ITEMS_KEY).map(|key| format!("/{key}")).unwrap_or_default();
        let (list, command) = (format!("{name}{key}"), read::read_command(job));
        let words = ["run", "--items-configmap", &list, "--"].into_iter().chain(command.iter().map(String::as_str));
        let run = Hint::indexed(&words.collect::<Vec<_>>(), "");
        return Err(Error::usage(format!(
            "configmap {name:?} has changed since the Job was created: the items differ"
        ))
        .hint(Hint::from("restore the ConfigMap, or start a new Job: ").then(run)));
    }
    Ok(())
}

/// Removes the handover of the item from the Pod, if a command replaces the first one.
pub(super) fn remove_handover(
    job: &mut Value,
    stored: &Job,
    found: &[Value],
    plan: &RetryPlan,
    warnings: &mut Vec<String>,
) -> Result<Option<NewHandover>, Error> {
    let noted = |key: &str| contract::annotation_value(stored, key);
    // A Job that another tool created has no item form.
    let form = noted(annotation::ITEM_AS).and_then(ItemForm::named);
    let Some(command) = &plan.changes.command else { return Ok(None) };
    let Some(form) = form else {
        warnings.extend(spec::warn_of_windows_lines(command));
        return Ok(None);
    };
    let Some(worker) = worker_mut(job) else { return Ok(None) };
    let note = noted(annotation::HANDOVER).and_then(|note| serde_json::from_str(note).ok());
    let note: HandoverNote = note.unwrap_or_else(|| HandoverNote::of_older_job(item_path(worker)));
    let columns = read::item_columns(stored);
    let all = IndexSet::below(plan.family.completions);
    let (items, listed) = match form {
        ItemForm::Index => (Vec::new(), None),
        _ => stored_items(stored, found, &all)?,
    };
    let needed = all.difference(&plan.family.succeeded);
    let of = |wanted: &IndexSet| {
        let rows = items.iter().filter(|(index, _)| wanted.contains(*index));
        let (indexes, rows) = rows.cloned().unzip::<u32, Item, Vec<_>, Vec<_>>();
        Items::of_indexes(columns.clone(), rows, indexes.into_iter().collect())
    };
    let outstanding = of(&needed);
    if form != ItemForm::Index && outstanding.len() != needed.len() {
        let name = stored.metadata.name.as_deref().unwrap_or_default();
        return Err(Error::usage(format!("the list of job {name:?} has no item for some of its indexes"))
            .hint("omit the command: the Pods then read their items as before"));
    }
    let (mut handover, unexpected) = note.plan(command, &outstanding, form, plan.family.completions)?;
    handover.settle(plan.minor)?;
    warnings.extend(unexpected);
    let items = of(&all);
    let inline = noted(annotation::ITEM_STORE) == Some(ItemStore::Inline.name()) && handover.needs_item();
    let store = spec::choose_store_again(inline, listed, &handover, &items)?;
    let init = remove_input(job, &note);
    if let Some(annotations) = job["metadata"]["annotations"].as_object_mut() {
        let kept = |key: &str| form == ItemForm::Index && LIST_ANNOTATIONS.contains(&key);
        annotations.retain(|key, _| {
            !HANDOVER_ANNOTATIONS.iter().chain(&LIST_ANNOTATIONS).any(|known| known == key) || kept(key)
        });
    }
    Ok(Some(NewHandover { items, handover, store, init }))
}

/// Returns the path of the item's file in a worker without a handover annotation, from earlier versions.
fn item_path(worker: &Value) -> &str {
    let expression = format!("$({INDEX_VARIABLE})");
    let is_file = |mount: &&Value| mount["subPathExpr"] == expression || mount["subPath"] == contract::ITEM_FILE;
    entries(worker, "volumeMounts").find(is_file).map_or(ITEM_PATH, |mount| text(mount.get("mountPath")))
}

fn find_config_map(name: &str, found: &[Value]) -> Option<ConfigMap> {
    let object = found.iter().find(|object| text(object.pointer("/metadata/name")) == name)?;
    from_value(object.clone()).ok()
}

type NumberedItems = Vec<(u32, Item)>;

/// Returns the items of a Job, and the store of a shared list.
fn stored_items(stored: &Job, found: &[Value], wanted: &IndexSet) -> Result<(NumberedItems, Option<ItemStore>), Error> {
    let name = stored.metadata.name.as_deref().unwrap_or_default();
    match read::item_source(stored) {
        ItemSource::Inline(list) => Ok((list.items(), None)),
        ItemSource::ConfigMaps(listing) => {
            let mut items = Vec::new();
            for list in listing.config_maps(wanted) {
                let config_map = find_config_map(list, found).ok_or_else(|| missing_config_map(list, name))?;
                items.extend(listing.items(config_map, wanted));
            }
            items.sort_unstable_by_key(|(index, _)| *index);
            Ok((items, listing.shared_config_map().and_then(|name| listing.store(find_config_map(name, found)?))))
        }
        ItemSource::Unknown => Err(Error::usage(format!("the items of job {name:?} can't be read"))
            .hint("omit the command, or run the outstanding items with kubectl indexed run")),
    }
}

/// Removes the volumes, mounts, variables and the init container of the item from the Pod. Returns the init container
/// and its position.
fn remove_input(job: &mut Value, note: &HandoverNote) -> Option<(usize, Value)> {
    let is_ours = |name: Option<&Value>| note.volumes.iter().any(|volume| text(name) == volume);
    let keep_others = |of: &mut Value, list: &str, named: &str| {
        if let Some(entries) = of.get_mut(list).and_then(Value::as_array_mut) {
            entries.retain(|entry| !is_ours(entry.pointer(named)));
        }
    };
    if let Some(worker) = worker_mut(job) {
        keep_others(worker, "volumeMounts", "/name");
        keep_others(worker, "env", "/valueFrom/fileKeyRef/volumeName");
    }
    let pod = &mut job["spec"]["template"]["spec"];
    keep_others(pod, "volumes", "/name");
    let containers = pod.get_mut("initContainers").and_then(Value::as_array_mut)?;
    let position = containers.iter().position(|container| note.init.as_deref() == container["name"].as_str())?;
    Some((position, containers.remove(position)))
}

impl NewHandover {
    /// Adds the new handover to the Pod, and returns the ConfigMaps of the list.
    pub(super) fn insert_into(self, job: &mut Value, plan: &RetryPlan) -> Result<Vec<Value>, Error> {
        let Self { items, handover, store, init } = self;
        let before = init.as_ref().and_then(|(_, init)| init["image"].as_str());
        let changes = &plan.changes;
        let images = [changes.init_image.as_deref(), before, changes.fallback_init_image.as_deref()];
        let feed = Feed {
            job: &plan.name,
            items: &items,
            handover: &handover,
            store: &store,
            init_image: images.into_iter().flatten().next().unwrap_or(spec::DEFAULT_IMAGE),
            index_file: None,
        };
        let shards = pack::pack_items(&feed)?;
        let input = payload::build_input(&feed, Some(&*job), &shards);
        for (key, value) in payload::annotations(&feed, &input, &shards) {
            job["metadata"]["annotations"][key] = json!(value);
        }
        let config_maps = pack::build_config_maps(job, shards);
        if let Some(worker) = worker_mut(job) {
            worker["command"] = json!(input.command);
            // The Pod has the other variables already.
            let of_item = input.env.into_iter().filter(|variable| variable.pointer("/valueFrom/fileKeyRef").is_some());
            insert(worker, "env", 0, of_item);
            insert(worker, "volumeMounts", usize::MAX, input.mounts);
        }
        let worker = worker_mut(job).cloned().unwrap_or_default();
        let pod = &mut job["spec"]["template"]["spec"];
        let of_pod = pod["securityContext"].clone();
        insert(pod, "volumes", usize::MAX, input.volumes);
        let (position, before) = init.unwrap_or((usize::MAX, json!({})));
        let containers = input.init_containers.into_iter().map(|new| {
            // Settings of the old container, such as a security context, stay.
            let mut container = before.clone();
            for (key, value) in new.as_object().into_iter().flatten() {
                container[key] = value.clone();
            }
            guest::restrict_container(&mut container, &worker, &of_pod);
            container
        });
        insert(pod, "initContainers", position, containers);
        Ok(config_maps)
    }
}
