//! Packs items into ConfigMaps: one key per index, or many items per key, in one or more ConfigMaps.

use std::io::Read as _;

use flate2::Compression;
use flate2::read::{GzDecoder, GzEncoder};
use k8s_openapi::ByteString;
use serde_json::{Map, Value, json};

use super::filled;
use crate::contract::{self, MANAGER, label};
use crate::error::Error;
use crate::spec::Feed;
use crate::spec::items::Item;
use crate::spec::stores::{self, ItemStore, MAX_CONFIG_MAP_BYTES, MAX_CONFIG_MAPS};

/// The size of a key in bytes: it counts towards the size of the object, not towards the limit on values.
const KEY_OVERHEAD_BYTES: usize = 8;

/// One ConfigMap of a list.
pub(super) struct Shard {
    pub(super) name: String,
    /// The lowest index whose item it has.
    pub(super) first: u32,
    data: Map<String, Value>,
    binary: Map<String, Value>,
    bytes: usize,
}

impl Shard {
    fn new(job: &str, number: usize, first: u32) -> Self {
        Self { name: contract::items_config_map(job, number), first, data: Map::new(), binary: Map::new(), bytes: 0 }
    }

    fn has_room_for(&self, value: &[u8]) -> bool {
        self.bytes + value.len() + KEY_OVERHEAD_BYTES <= MAX_CONFIG_MAP_BYTES
    }

    fn add(&mut self, key: String, value: Vec<u8>) {
        self.bytes += value.len() + KEY_OVERHEAD_BYTES;
        match String::from_utf8(value) {
            Ok(text) => self.data.insert(key, json!(text)),
            Err(error) => self.binary.insert(key, json!(ByteString(error.into_bytes()))),
        };
    }
}

/// Packs the items of the Job's own list; returns no ConfigMap for a list that is stored elsewhere.
pub(super) fn pack_items(feed: &Feed<'_>) -> Result<Vec<Shard>, Error> {
    let per_key = match *feed.store {
        ItemStore::Keys => 1,
        ItemStore::Packed { per_key, .. } => per_key,
        ItemStore::Nowhere | ItemStore::Inline | ItemStore::Listed { .. } => return Ok(Vec::new()),
    };
    let mut shards = vec![Shard::new(feed.job, 0, 0)];
    let mut items = feed.items.numbered().peekable();
    let mut before = 0;
    while let Some(&(index, _)) = items.peek() {
        let first = index / per_key * per_key;
        let mut sharing = Vec::new();
        while let Some(item) = items.next_if(|(index, _)| *index < first + per_key) {
            sharing.push(item);
        }
        let (name, value) = encode_key(feed, first, per_key, &sharing);
        if value.len() > MAX_CONFIG_MAP_BYTES {
            return Err(stores::too_large(first as usize, value.len()));
        }
        if shards.last().is_some_and(|shard| shard.bytes > 0 && !shard.has_room_for(&value)) {
            if shards.len() == MAX_CONFIG_MAPS {
                return Err(stores::too_long(before, feed.items.len()));
            }
            shards.push(Shard::new(feed.job, shards.len(), first));
        }
        if let Some(shard) = shards.last_mut() {
            shard.add(name, value);
        }
        before += sharing.len();
    }
    Ok(shards)
}

/// Returns a key and its value: the encoded items of the indexes from `first` on.
fn encode_key(feed: &Feed<'_>, first: u32, per_key: u32, items: &[(u32, &Item)]) -> (String, Vec<u8>) {
    let payload = feed.handover.payload();
    let key = first / per_key;
    let ItemStore::Packed { compressed, .. } = feed.store else {
        let value = items.iter().flat_map(|(_, item)| payload.bytes(item).into_owned()).collect();
        return (key.to_string(), value);
    };
    let mut lines = Vec::new();
    let mut next = first;
    for (index, item) in items {
        // Missing indexes get an empty line.
        lines.resize(lines.len() + (index - next) as usize, b'\n');
        next = index + 1;
        lines.extend(stores::encode_line(&payload.bytes(item)));
        lines.push(b'\n');
    }
    if *compressed { (format!("{key}.gz"), gzip(&lines)) } else { (key.to_string(), lines) }
}

/// Compresses the bytes. The same bytes give the same file.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    // Reading from and writing to memory can't fail.
    let _ = GzEncoder::new(bytes, Compression::default()).read_to_end(&mut file);
    file
}

/// Decompresses a file of [`gzip`]; `None` if it is broken, or larger than any key.
pub(super) fn gunzip(file: &[u8]) -> Option<Vec<u8>> {
    /// One item may be as large as a ConfigMap, and each of its bytes takes up to five encoded bytes.
    const MAX_BYTES: u64 = 8 * MAX_CONFIG_MAP_BYTES as u64;
    let mut bytes = Vec::new();
    let read = GzDecoder::new(file).take(MAX_BYTES + 1).read_to_end(&mut bytes).ok()?;
    (read as u64 <= MAX_BYTES).then_some(bytes)
}

/// Returns the labels of a ConfigMap with items of `job`: the Job's labels, because a policy may demand them of every
/// object, without those that only apply to Jobs.
pub(super) fn labels(job: &Value) -> Map<String, Value> {
    let (metadata, name) = (&job["metadata"], &job["metadata"]["name"]);
    let mut labels = metadata["labels"].as_object().cloned().unwrap_or_default();
    for of_jobs in [label::FAMILY, label::RESUMES, label::KUEUE_QUEUE] {
        labels.remove(of_jobs);
    }
    let own = [(label::MANAGED_BY, json!(MANAGER)), (label::INSTANCE, name.clone()), (label::ITEMS_OF, name.clone())];
    labels.extend(own.map(|(key, value)| (key.to_owned(), value)));
    labels
}

/// Builds the ConfigMaps with the items of `job`.
pub(super) fn build_config_maps(job: &Value, shards: Vec<Shard>) -> Vec<Value> {
    let config_map = |shard: Shard| {
        let metadata = json!({"name": shard.name, "namespace": job["metadata"]["namespace"], "labels": labels(job)});
        filled(json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": filled(metadata),
            // A retried index must see the same item, and no kubelet needs to watch the object.
            "immutable": true,
            "data": shard.data,
            "binaryData": shard.binary,
        }))
    };
    shards.into_iter().map(config_map).collect()
}
