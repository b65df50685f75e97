//! Where a list of items is kept in the cluster, and whether it fits there.
//!
//! Up to [`MAX_KEYS`] items have a key each in a ConfigMap, of which every Pod mounts its own: no init container is
//! needed. The kubelet writes every key of a ConfigMap for every Pod that mounts it, so beyond that many items share a
//! key, one a line, and an init container picks the line.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::handover::Payload;
use super::items::Items;
use crate::error::Error;

/// Most items that have a key each: a Pod of 1,000 keys starts about as fast as one of few, one of 5,000 some 0.7 s
/// later.
pub(crate) const MAX_KEYS: usize = 1000;
/// Most that the values of a ConfigMap may have together, in bytes (`MaxSecretSize` in `pkg/apis/core/validation`).
pub(crate) const MAX_CONFIG_MAP_BYTES: usize = 1024 * 1024;
/// Most ConfigMaps of one list. Every Pod gets a copy of all of them, in the memory of its node.
pub(crate) const MAX_CONFIG_MAPS: usize = 16;
/// What one key should not exceed before it is compressed, so that a Pod reads little to find its item.
const KEY_BYTES: usize = 256 * 1024;
/// How many items share a key, the most that fit into [`KEY_BYTES`].
const PER_KEY: [u32; 10] = [1000, 500, 200, 100, 50, 20, 10, 5, 2, 1];
/// Longest single argument of a process on Linux (`MAX_ARG_STRLEN`, 32 pages of 4 KiB, with its ending NUL); an inline
/// list is one such argument.
const MAX_SCRIPT_BYTES: usize = 128 * 1024 - 1;
/// What of an inline script is not the list.
const SCRIPT_FRAME_BYTES: usize = 1024;

/// Where the list of items is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ItemStore {
    /// Nowhere: there are no items.
    Nowhere,
    /// In the script of an init container.
    Inline,
    /// In ConfigMaps with a key for each index.
    Keys,
    /// In ConfigMaps with many items a key, one a line (see [`encode_line`]).
    Packed { per_key: u32, compressed: bool },
    /// In a ConfigMap that was there before, and is not ours.
    Listed {
        config_map: String,
        /// The key with an item a line; without one each index has the key that is its number.
        key: Option<String>,
        /// Whether its lines end with `\r\n`.
        crlf: bool,
        digest: ListDigest,
    },
}

/// What a list that is not ours was when the Job was made: somebody may edit it while the Job runs.
///
/// A Pod compares the digest by `sha256sum`. Lines and keys behind those of the Job don't count: a list may grow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListDigest {
    /// How many items the Job has of the list.
    pub(crate) count: u32,
    /// SHA-256 in hexadecimal digits.
    pub(crate) sum: String,
}

impl ListDigest {
    /// The digest of the first `count` lines, each with a line feed behind it.
    pub(crate) fn of_lines(text: &[u8], count: u32) -> Self {
        let lines = text.split(|&byte| byte == b'\n').take(count as usize);
        let bytes: Vec<u8> = lines.flat_map(|line| [line, b"\n"]).flatten().copied().collect();
        Self { count, sum: sha256(&bytes) }
    }

    /// The digest of the keys 0 to `count` - 1: that of the lines that `sha256sum` prints of them.
    pub(crate) fn of_keys(entries: &BTreeMap<String, Vec<u8>>, count: u32) -> Self {
        let line = |key: u32| entries.get(&key.to_string()).map(|value| format!("{}  {key}\n", sha256(value)));
        let lines: String = (0..count).filter_map(line).collect();
        Self { count, sum: sha256(lines.as_bytes()) }
    }

    /// Reads what [`Display`](std::fmt::Display) wrote.
    pub(crate) fn from_note(note: &str) -> Option<Self> {
        let (count, sum) = note.split_once(':')?;
        Some(Self { count: count.parse().ok()?, sum: sum.to_owned() })
    }
}

impl std::fmt::Display for ListDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.count, self.sum)
    }
}

/// Whether a line of a text ends as on Windows.
pub(crate) fn has_windows_lines(text: &[u8]) -> bool {
    text.windows(2).any(|pair| pair == b"\r\n")
}

fn sha256(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

impl ItemStore {
    /// The word for it in the annotation.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Nowhere => "none",
            Self::Inline => "inline",
            Self::Keys => "configmap",
            Self::Packed { .. } => "packed",
            Self::Listed { .. } => "listed",
        }
    }

    /// Whether others may edit the list, so that an init container has to check it.
    pub(crate) fn is_checked(&self) -> bool {
        matches!(self, Self::Listed { .. })
    }

    /// Whether an init container has to pick the item.
    pub(crate) fn needs_picking(&self) -> bool {
        !matches!(self, Self::Nowhere | Self::Keys | Self::Listed { key: None, .. })
    }
}

/// The ConfigMaps that fit a list best.
pub(super) fn config_maps(items: &Items, payload: &Payload) -> Result<ItemStore, Error> {
    if items.len() <= MAX_KEYS {
        return Ok(ItemStore::Keys);
    }
    let lengths: Vec<_> = items.iter().map(|item| encode_line(&payload.bytes(item)).len() + 1).collect();
    if let Some(index) = lengths.iter().position(|&length| length > MAX_CONFIG_MAP_BYTES) {
        return Err(too_large(index, lengths[index]));
    }
    let fits = |per_key: u32| lengths.chunks(per_key as usize).all(|chunk| chunk.iter().sum::<usize>() <= KEY_BYTES);
    let per_key = PER_KEY.into_iter().find(|&per_key| fits(per_key)).unwrap_or(1);
    let compressed = lengths.iter().sum::<usize>() > MAX_CONFIG_MAP_BYTES;
    Ok(ItemStore::Packed { per_key, compressed })
}

pub(crate) fn too_large(index: usize, bytes: usize) -> Error {
    Error::usage(format!("item {index} takes {bytes} bytes, and a ConfigMap may have {MAX_CONFIG_MAP_BYTES}"))
        .hint("put large inputs into a volume or a bucket, and pass their names as items")
}

pub(crate) fn too_long(fit: usize, items: usize) -> Error {
    Error::usage(format!(
        "the list is too long: its first {fit} items of {items} fill the {MAX_CONFIG_MAPS} ConfigMaps of 1 MiB that one \
         Job may have"
    ))
    .hint(format!("split it into runs of at most {fit} items, as by --skip and --first"))
    .hint("or put large inputs into a volume or a bucket, and pass their names as items")
}

/// Whether a list can stand in the script of an init container.
pub(super) fn check_inline(items: &Items, payload: &Payload) -> Result<(), Error> {
    let carry = "use --item-store=configmap, which carries any bytes";
    let mut size = 0;
    for (index, item) in items.iter().enumerate() {
        let bytes = payload.bytes(item);
        let Ok(text) = std::str::from_utf8(&bytes) else {
            return Err(Error::usage(format!(
                "item {index} ({:?}) is not UTF-8, so it can't stand inline in a manifest",
                item.lossy()
            ))
            .hint(carry));
        };
        if text.contains('\0') {
            return Err(Error::usage(format!("item {index} has a NUL byte, which no shell can carry")).hint(carry));
        }
        // Quotes around it, a blank behind it, and a quote that must itself be quoted take up to four bytes.
        size += text.len() + 3 + 3 * text.matches(['\'', '$']).count();
        if size > MAX_SCRIPT_BYTES - SCRIPT_FRAME_BYTES {
            return Err(Error::usage(format!(
                "the list is too long to stand inline: its first {index} items fill the {MAX_SCRIPT_BYTES} bytes that \
                 one argument may have"
            ))
            .hint("use --item-store=configmap, or split the list"));
        }
    }
    Ok(())
}

/// An item as one line of text, for `printf %b` to turn into the item again: only backslash, line feed and NUL differ.
pub(crate) fn encode_line(bytes: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'\\' => line.extend_from_slice(br"\\"),
            b'\n' => line.extend_from_slice(br"\n"),
            // Four digits, so that a digit behind it is not taken for part of it.
            0 => line.extend_from_slice(br"\0000"),
            byte => line.push(byte),
        }
    }
    line
}

/// Undoes [`encode_line`].
pub(crate) fn decode_line(line: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(line.len());
    let mut rest = line.iter().copied();
    while let Some(byte) = rest.next() {
        match byte {
            b'\\' => match rest.next() {
                Some(b'n') => bytes.push(b'\n'),
                Some(b'0') => {
                    rest.by_ref().take(3).for_each(drop);
                    bytes.push(0);
                }
                Some(other) => bytes.push(other),
                None => bytes.push(b'\\'),
            },
            byte => bytes.push(byte),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_may_grow_but_not_change() {
        let lines = |text: &str| ListDigest::of_lines(text.as_bytes(), 2).to_string();
        assert_eq!(lines("a\nb"), lines("a\nb\n"));
        assert_eq!(lines("a\nb"), lines("a\nb\nc"));
        for other in ["a\n", "b\na\n", "a\nb \n", "x\na\nb\n"] {
            assert_ne!(lines("a\nb"), lines(other), "{other:?}");
        }
        let keys = |values: &[&str]| {
            let entries = (0..).zip(values).map(|(key, value): (u32, _)| (key.to_string(), value.as_bytes().to_vec()));
            ListDigest::of_keys(&entries.collect(), 2).to_string()
        };
        assert_eq!(keys(&["a", "b"]), keys(&["a", "b", "c"]));
        for other in [&["a"][..], &["ab", ""], &["b", "a"]] {
            assert_ne!(keys(&["a", "b"]), keys(other), "{other:?}");
        }
    }
}
