//! Where a list of items is stored in the cluster, and whether it fits.
//!
//! Up to [`MAX_KEYS`] items have a key each in a ConfigMap. Every Pod mounts its own key and needs no init container. The
//! kubelet writes every key of a ConfigMap for every Pod that mounts it. So in longer lists, items share a key, one per
//! line, and an init container picks the line.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::handover::Payload;
use super::items::Items;
use crate::error::Error;

/// The most items that have a key each. A Pod with 1,000 keys starts about as fast as one with few; one with 5,000 keys
/// starts about 0.7 s later.
pub(crate) const MAX_KEYS: usize = 1000;
/// The most bytes that the values of a ConfigMap may have together (`MaxSecretSize` in `pkg/apis/core/validation`).
pub(crate) const MAX_CONFIG_MAP_BYTES: usize = 1024 * 1024;
/// The most ConfigMaps of one list. Every Pod gets a copy of all, in the memory of its node.
pub(crate) const MAX_CONFIG_MAPS: usize = 16;
/// The most uncompressed bytes of one shared key, so that a Pod reads little to find its item.
const KEY_BYTES: usize = 256 * 1024;
/// The candidates for the number of items that share a key: the largest that fits into [`KEY_BYTES`] is used.
const PER_KEY: [u32; 10] = [1000, 500, 200, 100, 50, 20, 10, 5, 2, 1];
/// The longest argument of a Linux process (`MAX_ARG_STRLEN`, 32 pages of 4 KiB with the final NUL). An inline list is
/// one argument.
const MAX_SCRIPT_BYTES: usize = 128 * 1024 - 1;
/// The bytes of an inline script besides the list.
const SCRIPT_FRAME_BYTES: usize = 1024;

/// Where the list of items is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ItemStore {
    /// There are no items.
    Nowhere,
    /// In the script of an init container.
    Inline,
    /// In ConfigMaps with a key for each index.
    Keys,
    /// In ConfigMaps with many items per key, one per line (see [`encode_line`]).
    Packed { per_key: u32, compressed: bool },
    /// In an existing ConfigMap, which belongs to the user.
    Listed {
        config_map: String,
        /// The key with an item per line; `None` if each index has a key, its number.
        key: Option<String>,
        /// Whether its lines end with `\r\n`.
        crlf: bool,
        digest: ListDigest,
    },
}

/// The digest of a user's list at the time when the Job was made: somebody may edit the list while the Job runs.
///
/// A Pod compares the digest with `sha256sum`. Later lines and keys are not included: a list may grow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListDigest {
    /// The number of items that the Job uses.
    pub(crate) count: u32,
    /// SHA-256, in hexadecimal digits.
    pub(crate) sum: String,
}

impl ListDigest {
    /// Returns the digest of the first `count` lines, each with a final line feed.
    pub(crate) fn of_lines(text: &[u8], count: u32) -> Self {
        let lines = text.split(|&byte| byte == b'\n').take(count as usize);
        let bytes: Vec<u8> = lines.flat_map(|line| [line, b"\n"]).flatten().copied().collect();
        Self { count, sum: sha256(&bytes) }
    }

    /// Returns the digest of the keys 0 to `count` - 1: that of the lines that `sha256sum` prints for them.
    pub(crate) fn of_keys(entries: &BTreeMap<String, Vec<u8>>, count: u32) -> Self {
        let line = |key: u32| entries.get(&key.to_string()).map(|value| format!("{}  {key}\n", sha256(value)));
        let lines: String = (0..count).filter_map(line).collect();
        Self { count, sum: sha256(lines.as_bytes()) }
    }

    /// Parses what [`Display`](std::fmt::Display) wrote.
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

/// Returns whether a line of a text has a Windows line end.
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
    /// Returns the value of the annotation.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Nowhere => "none",
            Self::Inline => "inline",
            Self::Keys => "configmap",
            Self::Packed { .. } => "packed",
            Self::Listed { .. } => "listed",
        }
    }

    /// Returns whether an init container must check the list, because others may edit it.
    pub(crate) fn is_checked(&self) -> bool {
        matches!(self, Self::Listed { .. })
    }

    /// Returns whether an init container must pick the item.
    pub(crate) fn needs_picking(&self) -> bool {
        !matches!(self, Self::Nowhere | Self::Keys | Self::Listed { key: None, .. })
    }
}

/// Chooses the layout of the ConfigMaps for a list.
pub(super) fn choose_config_maps(items: &Items, payload: &Payload) -> Result<ItemStore, Error> {
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
    Error::usage(format!("item {index} takes {bytes} bytes, and a ConfigMap holds {MAX_CONFIG_MAP_BYTES}"))
        .hint("put large inputs into a volume or a bucket, and pass their names as items")
}

pub(crate) fn too_long(fit: usize, items: usize) -> Error {
    Error::usage(format!(
        "the list is too long: the first {fit} of its {items} items fill the {MAX_CONFIG_MAPS} ConfigMaps of 1 MiB that \
         one Job may have"
    ))
    .hint(format!("split it into runs of at most {fit} items with --skip and --first"))
    .hint("or put large inputs into a volume or a bucket, and pass their names as items")
}

/// Checks that a list fits into the script of an init container.
pub(super) fn check_inline(items: &Items, payload: &Payload) -> Result<(), Error> {
    let any_bytes = "use --item-store=configmap, which stores any bytes";
    let mut size = 0;
    for (index, item) in (0..).zip(items.iter()) {
        let bytes = payload.bytes(item);
        let Ok(text) = std::str::from_utf8(&bytes) else {
            let item = item.quoted(index);
            return Err(Error::usage(format!("{item} is not UTF-8, so a manifest can't hold it")).hint(any_bytes));
        };
        if text.contains('\0') {
            let item = item.quoted(index);
            return Err(Error::usage(format!("{item} has a NUL byte, which a script can't hold")).hint(any_bytes));
        }
        // Two quotes and a space for each item; a quote inside becomes up to four bytes.
        size += text.len() + 3 + 3 * text.matches(['\'', '$']).count();
        if size > MAX_SCRIPT_BYTES - SCRIPT_FRAME_BYTES {
            return Err(Error::usage(format!(
                "the list is too long for --item-store=inline: its first {index} items fill the {MAX_SCRIPT_BYTES} bytes \
                 of one argument"
            ))
            .hint("use --item-store=configmap, or split the list with --skip and --first"));
        }
    }
    Ok(())
}

/// Encodes an item as one line of text, which `printf %b` decodes: only backslash, line feed and NUL change.
pub(crate) fn encode_line(bytes: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'\\' => line.extend_from_slice(br"\\"),
            b'\n' => line.extend_from_slice(br"\n"),
            // Four digits, so that a following digit is not part of the escape.
            0 => line.extend_from_slice(br"\0000"),
            byte => line.push(byte),
        }
    }
    line
}

/// Decodes a line of [`encode_line`].
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
