//! Items packed into ConfigMaps: a key for each index, or many items a key, over as many ConfigMaps as it takes.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use k8s_openapi::ByteString;
use serde_json::{Map, Value, json};

use super::filled;
use crate::contract::{self, MANAGER, label};
use crate::error::Error;
use crate::spec::JobSpec;
use crate::spec::stores::{self, ItemStore, MAX_CONFIG_MAP_BYTES, MAX_CONFIG_MAPS};

/// What a key takes besides its value: it counts with the size of the object, though not with the limit on values.
const KEY_OVERHEAD_BYTES: usize = 8;

/// One ConfigMap of a list.
pub(super) struct Shard {
    /// The lowest index whose item it has.
    pub(super) first: u32,
    data: Map<String, Value>,
    binary: Map<String, Value>,
    bytes: usize,
}

impl Shard {
    fn new(first: u32) -> Self {
        Self { first, data: Map::new(), binary: Map::new(), bytes: 0 }
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

/// The ConfigMaps of the list that the Job brings along; none where it stands elsewhere.
///
/// # Errors
/// A usage error for an item that is too large, or for a list that is too long: it says how many items would fit.
pub(super) fn shards(spec: &JobSpec) -> Result<Vec<Shard>, Error> {
    let per_key = match spec.item_store {
        ItemStore::Keys => 1,
        ItemStore::Packed { per_key, .. } => per_key,
        ItemStore::Nowhere | ItemStore::Inline | ItemStore::Listed { .. } => return Ok(Vec::new()),
    };
    let mut shards = vec![Shard::new(0)];
    let mut first = 0;
    for key in 0..spec.completions.div_ceil(per_key) {
        let (name, value) = entry(spec, key, per_key)?;
        if value.len() > MAX_CONFIG_MAP_BYTES {
            return Err(stores::too_large(first as usize, value.len()));
        }
        if shards.last().is_some_and(|shard| shard.bytes > 0 && !shard.has_room_for(&value)) {
            if shards.len() == MAX_CONFIG_MAPS {
                return Err(stores::too_long(first as usize, spec.items.len()));
            }
            shards.push(Shard::new(first));
        }
        if let Some(shard) = shards.last_mut() {
            shard.add(name, value);
        }
        first += per_key;
    }
    Ok(shards)
}

/// A key and what stands for its items.
fn entry(spec: &JobSpec, key: u32, per_key: u32) -> Result<(String, Vec<u8>), Error> {
    let payload = spec.handover.payload();
    let from = (key * per_key) as usize;
    let ItemStore::Packed { compressed, .. } = spec.item_store else {
        return Ok((key.to_string(), payload.bytes(&spec.items[from]).into_owned()));
    };
    let mut lines = Vec::new();
    for item in spec.items.iter().skip(from).take(per_key as usize) {
        stores::encode_line(&payload.bytes(item), &mut lines);
        lines.push(b'\n');
    }
    if !compressed {
        return Ok((key.to_string(), lines));
    }
    Ok((format!("{key}.gz"), gzip(&lines)?))
}

/// A gzip file (RFC 1952) of these bytes: the same for the same bytes.
fn gzip(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut file = GzEncoder::new(Vec::new(), Compression::default());
    let compressed = file.write_all(bytes).and_then(|()| file.finish());
    compressed.map_err(|error| Error::usage("the items can't be compressed").caused_by(error))
}

/// The bytes of a gzip file; None for one that is broken or larger than a key ever is.
pub(super) fn gunzip(file: &[u8]) -> Option<Vec<u8>> {
    /// One item may be as large as a ConfigMap, and takes up to five bytes for each of its own.
    const MAX_BYTES: u64 = 8 * MAX_CONFIG_MAP_BYTES as u64;
    let mut bytes = Vec::new();
    let read = GzDecoder::new(file).take(MAX_BYTES + 1).read_to_end(&mut bytes).ok()?;
    (read as u64 <= MAX_BYTES).then_some(bytes)
}

/// The objects of these shards.
pub(super) fn config_maps(spec: &JobSpec, shards: Vec<Shard>) -> Vec<Value> {
    let config_map = |(number, shard): (usize, Shard)| {
        let metadata = json!({
            "name": contract::items_config_map(&spec.name, number),
            "namespace": spec.namespace,
            "labels": {label::MANAGED_BY: MANAGER, label::INSTANCE: spec.name, label::ITEMS_OF: spec.name},
        });
        filled(json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": filled(metadata),
            // An index that is tried again must see what it saw before; and no kubelet needs to watch it.
            "immutable": true,
            "data": shard.data,
            "binaryData": shard.binary,
        }))
    };
    shards.into_iter().enumerate().map(config_map).collect()
}
