//! Finds and decodes the items of a stored Job: the inverse of [`build`](super::build).
//!
//! A Job without our annotations is read by its mounts and scripts, so that manifests after the Kubernetes
//! documentation are understood too.

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
/// Where a Job's items are.
pub(crate) enum ItemSource {
    /// In the script of an init container.
    Inline(InlineList),
    ConfigMaps(ConfigMapList),
    /// The Job has no readable list.
    Unknown,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct InlineList {
    list: Vec<Vec<u8>>,
    decoder: ItemDecoder,
}

impl InlineList {
    pub(crate) fn items(&self) -> Vec<(u32, Item)> {
        (0..).zip(&self.list).map(|(index, stored)| (index, self.decoder.decode(stored))).collect()
    }

    /// Returns the encoded items of `wanted`, byte for byte.
    pub(crate) fn stored(self, wanted: &IndexSet) -> Vec<Vec<u8>> {
        (0..).zip(self.list).filter(|(index, _)| wanted.contains(*index)).map(|(_, stored)| stored).collect()
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ConfigMapList {
    /// The name of each ConfigMap and the lowest index in it.
    config_maps: Vec<(String, u32)>,
    layout: KeyLayout,
    decoder: ItemDecoder,
    digest: Option<ListDigest>,
}

/// How items are laid out in the keys of a ConfigMap.
#[derive(Clone, Debug, PartialEq)]
enum KeyLayout {
    /// Each index has its own key.
    Keys,
    /// This many items share a key, one per line.
    Packed(u32),
    /// This key of a shared ConfigMap has one item per line.
    Lines(String),
}

/// Decodes a stored item.
#[derive(Clone, Debug, Default, PartialEq)]
struct ItemDecoder {
    assignments: bool,
    columns: Columns,
}

/// Returns the columns that the items of a Job have.
pub(crate) fn item_columns(job: &Job) -> Columns {
    contract::annotation_value(job, annotation::ITEM_COLUMNS).map(Columns::from_note).unwrap_or_default()
}

/// Finds the items of a Job.
pub(crate) fn item_source(job: &Job) -> ItemSource {
    let Some(pod) = job.spec.as_ref().and_then(|spec| spec.template.spec.as_ref()) else { return ItemSource::Unknown };
    let noted = |key: &str| contract::annotation_value(job, key);
    let assignments = noted(annotation::ITEM_PAYLOAD) == Some("assignments");
    let decoder = ItemDecoder { assignments, columns: item_columns(job) };
    let per_key = noted(annotation::ITEMS_PER_KEY).and_then(|text| text.parse().ok()).filter(|&n| n > 0);
    let layout = match (per_key, noted(annotation::ITEMS_KEY)) {
        (Some(per_key), _) => KeyLayout::Packed(per_key),
        (None, Some(key)) => KeyLayout::Lines(key.to_owned()),
        (None, None) => KeyLayout::Keys,
    };
    let own = noted(annotation::ITEM_CONFIG_MAPS).and_then(parse_config_maps);
    let Some(config_maps) = own.or_else(|| Some(vec![(config_map_by_index(pod)?, 0)])) else {
        return inline_items(pod).map_or(ItemSource::Unknown, |list| ItemSource::Inline(InlineList { list, decoder }));
    };
    let digest = noted(annotation::ITEMS_DIGEST).and_then(ListDigest::from_note);
    ItemSource::ConfigMaps(ConfigMapList { config_maps, layout, decoder, digest })
}

/// Parses `NAME:0,NAME-2:500`.
pub(super) fn parse_config_maps(note: &str) -> Option<Vec<(String, u32)>> {
    note.split(',')
        .map(|part| {
            let (name, first) = part.split_once(':')?;
            Some((name.to_owned(), first.parse().ok()?))
        })
        .collect()
}

impl ConfigMapList {
    /// Returns the names of the ConfigMaps with items of `wanted`.
    pub(crate) fn config_maps<'a>(&'a self, wanted: &'a IndexSet) -> impl Iterator<Item = &'a str> {
        self.config_maps.iter().enumerate().filter_map(|(position, (name, first))| {
            let end = self.config_maps.get(position + 1).map(|(_, first)| *first);
            let inside = wanted.iter().any(|index| index >= *first && end.is_none_or(|end| index < end));
            inside.then_some(name.as_str())
        })
    }

    /// Returns the items of `wanted` in one of the ConfigMaps.
    pub(crate) fn items(&self, config_map: ConfigMap, wanted: &IndexSet) -> impl Iterator<Item = (u32, Item)> {
        self.stored_items(config_map, wanted).map(|(index, stored)| (index, self.decoder.decode(&stored)))
    }

    /// Returns the encoded items of `wanted` in one of the ConfigMaps, byte for byte.
    pub(crate) fn stored(&self, config_map: ConfigMap, wanted: &IndexSet) -> impl Iterator<Item = Vec<u8>> {
        self.stored_items(config_map, wanted).map(|(_, stored)| stored)
    }

    /// Returns the name of a shared ConfigMap, which other people may edit: its digest is in an annotation.
    pub(crate) fn shared_config_map(&self) -> Option<&str> {
        self.digest.as_ref().and(self.config_maps.first()).map(|(name, _)| name.as_str())
    }

    /// Returns the store of a shared list.
    pub(super) fn store(&self, list: ConfigMap) -> Option<ItemStore> {
        let (digest, config_map) = (self.digest.clone()?, self.shared_config_map()?.to_owned());
        let key = match &self.layout {
            KeyLayout::Lines(key) => Some(key.clone()),
            KeyLayout::Keys | KeyLayout::Packed(_) => None,
        };
        let crlf = config_map_entries(list).any(|(name, text)| Some(name) == key && has_windows_lines(&text));
        Some(ItemStore::Listed { config_map, key, crlf, digest })
    }

    /// Whether the items of a ConfigMap have changed, or may have changed, since `job` was created.
    pub(crate) fn has_changed(&self, config_map: &ConfigMap, job: &Job) -> bool {
        let Some(digest) = &self.digest else { return may_have_changed(config_map, job) };
        let entries: BTreeMap<_, _> = config_map_entries(config_map.clone()).collect();
        let now = match &self.layout {
            KeyLayout::Lines(key) => entries.get(key).map(|text| ListDigest::of_lines(text, digest.count)),
            KeyLayout::Keys | KeyLayout::Packed(_) => Some(ListDigest::of_keys(&entries, digest.count)),
        };
        now.as_ref() != Some(digest)
    }

    fn stored_items(&self, config_map: ConfigMap, wanted: &IndexSet) -> impl Iterator<Item = (u32, Vec<u8>)> {
        let each = move |(key, value): (String, Vec<u8>)| match &self.layout {
            KeyLayout::Keys => key.parse().ok().map(|index| (index, value)).into_iter().collect(),
            KeyLayout::Packed(per_key) => unpack(&key, value, *per_key, wanted).unwrap_or_default(),
            KeyLayout::Lines(list) if *list == key => {
                // As the Pods do: the first line's end stands for all lines.
                let crlf = has_windows_lines(&value);
                let bare = |line: &[u8]| line.strip_suffix(b"\r").filter(|_| crlf).unwrap_or(line).to_vec();
                (0..).zip(value.split(|&byte| byte == b'\n').map(bare)).collect()
            }
            KeyLayout::Lines(_) => Vec::new(),
        };
        config_map_entries(config_map).flat_map(each).filter(|(index, _)| wanted.contains(*index))
    }
}

/// Returns the items that share a key; `None` if none is wanted, or they can't be decoded.
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

/// Whether a ConfigMap was created or changed after `job`, and is not the Job's own immutable one. The server records
/// the last change by each field manager.
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

/// Returns the keys of a ConfigMap with their values, text and binary.
pub(crate) fn config_map_entries(config_map: ConfigMap) -> impl Iterator<Item = (String, Vec<u8>)> {
    let text = config_map.data.into_iter().flatten().map(|(key, value)| (key, value.into_bytes()));
    let binary = config_map.binary_data.into_iter().flatten().map(|(key, value)| (key, value.0));
    text.chain(binary)
}

impl ItemDecoder {
    fn decode(&self, stored: &[u8]) -> Item {
        let assigned = if self.assignments { parse_assigned_item(stored, &self.columns) } else { None };
        assigned.unwrap_or_else(|| Item::read_back(stored, &self.columns))
    }
}

/// Returns the command as the user wrote it, with placeholders, from the annotation; else the worker's command.
pub(crate) fn read_command(job: &Job) -> Vec<String> {
    let written = contract::annotation_value(job, annotation::COMMAND);
    if let Some(words) = written.and_then(|note| serde_json::from_str(note).ok()) {
        return words;
    }
    contract::worker(job).map_or_else(Vec::new, |worker| {
        worker.command.iter().chain(&worker.args).flatten().map(|word| unescape_expansion(word)).collect()
    })
}

/// Returns the ConfigMap that each Pod mounts by its index.
fn config_map_by_index(pod: &PodSpec) -> Option<String> {
    let expression = format!("$({INDEX_VARIABLE})");
    let containers = pod.init_containers.iter().flatten().chain(&pod.containers);
    let mounts = containers.flat_map(|container| container.volume_mounts.iter().flatten());
    let mount = mounts.into_iter().find(|mount| mount.sub_path_expr.as_ref() == Some(&expression))?;
    let volume = pod.volumes.iter().flatten().find(|volume| volume.name == mount.name)?;
    volume.config_map.as_ref().map(|source| source.name.clone())
}

/// Returns the list in the script of an init container: in our own form, or as the bash array of the Kubernetes
/// documentation.
fn inline_items(pod: &PodSpec) -> Option<Vec<Vec<u8>>> {
    let scripts = pod.init_containers.iter().flatten().flat_map(|container| {
        let arguments = container.command.iter().flatten().chain(container.args.iter().flatten());
        arguments.filter(|argument| argument.contains(INDEX_VARIABLE)).map(|argument| unescape_expansion(argument))
    });
    scripts.into_iter().find_map(|script| {
        // An item may contain the text that ends the list.
        let own = script.strip_prefix(INLINE_HEAD).and_then(|rest| rest.rsplit_once(INLINE_PICK));
        let list = own.map(|(list, _)| list.to_owned()).or_else(|| bash_array(&script))?;
        Some(shlex::split(&list)?.into_iter().map(String::into_bytes).collect())
    })
}

/// Returns the text between the brackets of `NAME=(…)`, if the script then reads `${NAME[$JOB_COMPLETION_INDEX]}`.
fn bash_array(script: &str) -> Option<String> {
    let (before, rest) = script.split_once("=(")?;
    let name =
        before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().filter(|name| !name.is_empty())?;
    let picks = ["${", "$"].iter().any(|open| script.contains(&format!("${{{name}[{open}{INDEX_VARIABLE}")));
    // A list with expansions has no fixed items.
    let list = rest.split_once(')').map(|(list, _)| list)?;
    (picks && !list.contains(['$', '`', '('])).then(|| list.to_owned())
}
