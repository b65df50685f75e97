//! The inverse of [`build`](super::build): what a stored Job says of its items, whoever made it.
//!
//! Where this program did not note where the items are, it goes by the form of the Job, so that the manifests of the
//! Kubernetes documentation, and those that people wrote after them, are understood as well.

use std::collections::BTreeMap;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, PodSpec};

use super::pack;
use super::scripts::{INLINE_HEAD, INLINE_PICK, unescape_expansion};
use crate::contract::{self, INDEX_VARIABLE, annotation, label};
use crate::index_set::IndexSet;
use crate::spec::handover::parse_assigned_item;
use crate::spec::items::{Columns, Item};
use crate::spec::stores::{ItemStore, ListDigest, decode_line, has_windows_lines};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ItemSource {
    Inline(InlineList),
    ConfigMaps(ConfigMapList),
    /// The Job has no list that this program can read.
    Unknown,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct InlineList {
    list: Vec<Vec<u8>>,
    reading: ItemDecoder,
}

impl InlineList {
    pub(crate) fn items(&self) -> Vec<(u32, Item)> {
        (0..).zip(&self.list).map(|(index, stored)| (index, self.reading.item(stored))).collect()
    }

    /// What stands for the items of `wanted`, byte for byte.
    pub(crate) fn stored(self, wanted: &IndexSet) -> Vec<Vec<u8>> {
        (0..).zip(self.list).filter(|(index, _)| wanted.contains(*index)).map(|(_, stored)| stored).collect()
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ConfigMapList {
    /// The name of each, and the lowest index whose item is in it.
    config_maps: Vec<(String, u32)>,
    layout: KeyLayout,
    reading: ItemDecoder,
    digest: Option<ListDigest>,
}

#[derive(Clone, Debug, PartialEq)]
enum KeyLayout {
    /// Each index has the key that is its number.
    Keys,
    /// So many items share a key, one a line.
    Packed(u32),
    /// This key has an item a line, as somebody else wrote it.
    Lines(String),
}

/// How the item is read from what stands for it.
#[derive(Clone, Debug, Default, PartialEq)]
struct ItemDecoder {
    assignments: bool,
    columns: Columns,
}

/// Returns the columns that the items of a Job have.
pub(crate) fn item_columns(job: &Job) -> Columns {
    contract::annotation_value(job, annotation::ITEM_COLUMNS).map(Columns::from_note).unwrap_or_default()
}

pub(crate) fn item_source(job: &Job) -> ItemSource {
    let Some(pod) = job.spec.as_ref().and_then(|spec| spec.template.spec.as_ref()) else { return ItemSource::Unknown };
    let noted = |key: &str| contract::annotation_value(job, key);
    let assignments = noted(annotation::ITEM_PAYLOAD) == Some("assignments");
    let reading = ItemDecoder { assignments, columns: item_columns(job) };
    let per_key = noted(annotation::ITEMS_PER_KEY).and_then(|text| text.parse().ok()).filter(|&n| n > 0);
    let layout = match (per_key, noted(annotation::ITEMS_KEY)) {
        (Some(per_key), _) => KeyLayout::Packed(per_key),
        (None, Some(key)) => KeyLayout::Lines(key.to_owned()),
        (None, None) => KeyLayout::Keys,
    };
    let own = noted(annotation::ITEM_CONFIG_MAPS).and_then(config_maps_noted);
    let Some(config_maps) = own.or_else(|| Some(vec![(config_map_by_index(pod)?, 0)])) else {
        return inline_items(pod).map_or(ItemSource::Unknown, |list| ItemSource::Inline(InlineList { list, reading }));
    };
    let digest = noted(annotation::ITEMS_DIGEST).and_then(ListDigest::from_note);
    ItemSource::ConfigMaps(ConfigMapList { config_maps, layout, reading, digest })
}

/// Reads `NAME:0,NAME-2:500`.
pub(super) fn config_maps_noted(note: &str) -> Option<Vec<(String, u32)>> {
    note.split(',')
        .map(|part| {
            let (name, first) = part.split_once(':')?;
            Some((name.to_owned(), first.parse().ok()?))
        })
        .collect()
}

impl ConfigMapList {
    pub(crate) fn config_maps<'a>(&'a self, wanted: &'a IndexSet) -> impl Iterator<Item = &'a str> {
        self.config_maps.iter().enumerate().filter_map(|(position, (name, first))| {
            let end = self.config_maps.get(position + 1).map(|(_, first)| *first);
            let inside = wanted.iter().any(|index| index >= *first && end.is_none_or(|end| index < end));
            inside.then_some(name.as_str())
        })
    }

    /// Returns the items of `wanted` that one of the ConfigMaps has.
    pub(crate) fn items(&self, config_map: ConfigMap, wanted: &IndexSet) -> impl Iterator<Item = (u32, Item)> {
        self.each_in(config_map, wanted).map(|(index, stored)| (index, self.reading.item(&stored)))
    }

    /// What stands for those items, byte for byte.
    pub(crate) fn stored_in(&self, config_map: ConfigMap, wanted: &IndexSet) -> impl Iterator<Item = Vec<u8>> {
        self.each_in(config_map, wanted).map(|(_, stored)| stored)
    }

    /// The ConfigMap with the list, if others may edit it and its digest is noted.
    pub(crate) fn shared_config_map(&self) -> Option<&str> {
        self.digest.as_ref().and(self.config_maps.first()).map(|(name, _)| name.as_str())
    }

    /// Where such a list is kept.
    pub(super) fn store(&self, list: ConfigMap) -> Option<ItemStore> {
        let (digest, config_map) = (self.digest.clone()?, self.shared_config_map()?.to_owned());
        let key = match &self.layout {
            KeyLayout::Lines(key) => Some(key.clone()),
            KeyLayout::Keys | KeyLayout::Packed(_) => None,
        };
        let crlf = config_map_entries(list).any(|(name, text)| Some(name) == key && has_windows_lines(&text));
        Some(ItemStore::Listed { config_map, key, crlf, digest })
    }

    /// Whether a ConfigMap holds other items than when `job` was made, or may do so.
    pub(crate) fn has_changed(&self, config_map: &ConfigMap, job: &Job) -> bool {
        let Some(digest) = &self.digest else { return may_have_changed(config_map, job) };
        let entries: BTreeMap<_, _> = config_map_entries(config_map.clone()).collect();
        let now = match &self.layout {
            KeyLayout::Lines(key) => entries.get(key).map(|text| ListDigest::of_lines(text, digest.count)),
            KeyLayout::Keys | KeyLayout::Packed(_) => Some(ListDigest::of_keys(&entries, digest.count)),
        };
        now.as_ref() != Some(digest)
    }

    fn each_in(&self, config_map: ConfigMap, wanted: &IndexSet) -> impl Iterator<Item = (u32, Vec<u8>)> {
        let each = move |(key, value): (String, Vec<u8>)| match &self.layout {
            KeyLayout::Keys => key.parse().ok().map(|index| (index, value)).into_iter().collect(),
            KeyLayout::Packed(per_key) => unpack(&key, value, *per_key, wanted).unwrap_or_default(),
            KeyLayout::Lines(list) if *list == key => {
                // As the Pods read it: the first line tells how all of them end.
                let crlf = has_windows_lines(&value);
                let bare = |line: &[u8]| line.strip_suffix(b"\r").filter(|_| crlf).unwrap_or(line).to_vec();
                (0..).zip(value.split(|&byte| byte == b'\n').map(bare)).collect()
            }
            KeyLayout::Lines(_) => Vec::new(),
        };
        config_map_entries(config_map).flat_map(each).filter(|(index, _)| wanted.contains(*index))
    }
}

/// The items that share a key; None if none of them is wanted, or they can't be read.
fn unpack(key: &str, value: Vec<u8>, per_key: u32, wanted: &IndexSet) -> Option<Vec<(u32, Vec<u8>)>> {
    let (number, compressed) = key.strip_suffix(".gz").map_or((key, false), |number| (number, true));
    let first = number.parse::<u32>().ok()?.checked_mul(per_key)?;
    if !(first..first.saturating_add(per_key)).any(|index| wanted.contains(index)) {
        return None;
    }
    let lines = if compressed { pack::gunzip(&value)? } else { value };
    let lines = lines.strip_suffix(b"\n").unwrap_or(&lines).split(|&byte| byte == b'\n');
    Some((first..).zip(lines.map(decode_line)).collect())
}

/// Whether a ConfigMap may have held other items when `job` began: it is not the Job's own for good, and was made or
/// changed after it. The server notes when each manager of its fields changed it last.
pub(super) fn may_have_changed(config_map: &ConfigMap, job: &Job) -> bool {
    let metadata = &config_map.metadata;
    let owned = metadata.owner_references.iter().flatten().any(|owner| Some(&owner.uid) == job.metadata.uid.as_ref());
    let fed = metadata.labels.as_ref().and_then(|labels| labels.get(label::ITEMS_OF));
    if config_map.immutable == Some(true) && (owned || (fed.is_some() && fed == job.metadata.name.as_ref())) {
        return false;
    }
    let changes = metadata.managed_fields.iter().flatten().filter_map(|entry| entry.time.as_ref());
    let latest = changes.chain(&metadata.creation_timestamp).map(|time| time.0).max();
    latest > job.metadata.creation_timestamp.as_ref().map(|time| time.0)
}

/// The keys of a ConfigMap with their values, those that are no text included.
pub(crate) fn config_map_entries(config_map: ConfigMap) -> impl Iterator<Item = (String, Vec<u8>)> {
    let text = config_map.data.into_iter().flatten().map(|(key, value)| (key, value.into_bytes()));
    let binary = config_map.binary_data.into_iter().flatten().map(|(key, value)| (key, value.0));
    text.chain(binary)
}

impl ItemDecoder {
    fn item(&self, stored: &[u8]) -> Item {
        let assigned = if self.assignments { parse_assigned_item(stored, &self.columns) } else { None };
        assigned.unwrap_or_else(|| Item::read_back(stored, &self.columns))
    }
}

/// The command as the user wrote it, placeholders and all, where that was noted; else that of the worker's container.
pub(crate) fn read_command(job: &Job) -> Vec<String> {
    let noted = contract::annotation_value(job, annotation::COMMAND);
    if let Some(words) = noted.and_then(|note| serde_json::from_str(note).ok()) {
        return words;
    }
    contract::worker(job).map_or_else(Vec::new, |worker| {
        worker.command.iter().chain(&worker.args).flatten().map(|word| unescape_expansion(word)).collect()
    })
}

/// The ConfigMap of which each Pod mounts the one key that is its index.
fn config_map_by_index(pod: &PodSpec) -> Option<String> {
    let expression = format!("$({INDEX_VARIABLE})");
    let containers = pod.init_containers.iter().flatten().chain(&pod.containers);
    let mounts = containers.flat_map(|container| container.volume_mounts.iter().flatten());
    let mount = mounts.into_iter().find(|mount| mount.sub_path_expr.as_ref() == Some(&expression))?;
    let volume = pod.volumes.iter().flatten().find(|volume| volume.name == mount.name)?;
    volume.config_map.as_ref().map(|source| source.name.clone())
}

/// The list in the script of an init container: our own form, or the bash array of the Kubernetes documentation.
fn inline_items(pod: &PodSpec) -> Option<Vec<Vec<u8>>> {
    let scripts = pod.init_containers.iter().flatten().flat_map(|container| {
        let arguments = container.command.iter().flatten().chain(container.args.iter().flatten());
        arguments.filter(|argument| argument.contains(INDEX_VARIABLE)).map(|argument| unescape_expansion(argument))
    });
    scripts.into_iter().find_map(|script| {
        // An item may hold the very words that end the list.
        let own = script.strip_prefix(INLINE_HEAD).and_then(|rest| rest.rsplit_once(INLINE_PICK));
        let list = own.map(|(list, _)| list.to_owned()).or_else(|| bash_array(&script))?;
        Some(shlex::split(&list)?.into_iter().map(String::into_bytes).collect())
    })
}

/// What stands between the brackets of `NAME=(…)` where the script then takes `${NAME[$JOB_COMPLETION_INDEX]}`.
fn bash_array(script: &str) -> Option<String> {
    let (before, rest) = script.split_once("=(")?;
    let name =
        before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().filter(|name| !name.is_empty())?;
    let picks = ["${", "$"].iter().any(|open| script.contains(&format!("${{{name}[{open}{INDEX_VARIABLE}")));
    // The list of a script that does anything else with its words is not ours to guess.
    let list = rest.split_once(')').map(|(list, _)| list)?;
    (picks && !list.contains(['$', '`', '('])).then(|| list.to_owned())
}
