//! From bytes to items, and what each store can carry.

use std::borrow::Cow;

use crate::error::Error;

/// What one index works on: any bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Item(Vec<u8>);

/// The items, one for each index.
pub(crate) type Items = Vec<Item>;

/// Longest single argument of a process on Linux (`MAX_ARG_STRLEN`, 32 pages of 4 KiB, with its ending NUL); an inline
/// list is one such argument.
const MAX_SCRIPT_BYTES: usize = 128 * 1024 - 1;
/// Most that the keys and values of a ConfigMap may have together, in bytes (`MaxSecretSize` in
/// `pkg/apis/core/validation`).
const MAX_CONFIG_MAP_BYTES: usize = 1024 * 1024;

impl Item {
    /// An item of these bytes.
    pub(crate) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes as they reach the worker.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text, if the item is valid UTF-8.
    pub(crate) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// The item to be read by a person: bytes that are not UTF-8 are replaced.
    pub(crate) fn lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

/// Reads a list as in `--items a,b,"c,d"`: the fields of one CSV record.
///
/// # Errors
/// A usage error for an empty list, and for one with an unquoted line break.
pub(crate) fn from_list(list: &[u8]) -> Result<Items, Error> {
    let no_items = || {
        Error::usage("--items is empty: there are no items to run the command for")
            .hint("name them: kubectl indexed run --items foo,bar,baz -- rev")
    };
    if list.is_empty() {
        return Err(no_items());
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(list);
    let mut records = reader.byte_records();
    let record = match records.next() {
        Some(Ok(record)) => record,
        Some(Err(error)) => return Err(Error::usage("--items can't be read as a list").caused_by(error)),
        None => return Err(no_items()),
    };
    if records.next().is_some() {
        return Err(Error::usage("--items has a line break between items; they are separated by commas")
            .hint("quote an item with a line break in it: --items $'a,\"b\\nc\"'"));
    }
    Ok(record.iter().map(Item::new).collect())
}

/// Whether a list can stand in the script of an init container.
///
/// # Errors
/// A usage error that names the first item that can't, or how many would fit.
pub(crate) fn check_inline(items: &[Item]) -> Result<(), Error> {
    let carry = "use --item-store=configmap, which carries any bytes";
    let mut size = 0;
    for (index, item) in items.iter().enumerate() {
        let Some(text) = item.text() else {
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
        if size > MAX_SCRIPT_BYTES - 256 {
            return Err(Error::usage(format!(
                "the list is too long to stand inline: its first {index} items fill the {MAX_SCRIPT_BYTES} bytes that \
                 one argument may have"
            ))
            .hint("use --item-store=configmap, or split the list"));
        }
    }
    Ok(())
}

/// Whether a list can stand in one ConfigMap.
///
/// # Errors
/// A usage error that says how many items would fit.
pub(crate) fn check_config_map(items: &[Item]) -> Result<(), Error> {
    let mut size = 0;
    for (index, item) in items.iter().enumerate() {
        size += index.to_string().len() + item.bytes().len();
        if size > MAX_CONFIG_MAP_BYTES {
            return Err(Error::usage(format!(
                "the list is too long: its first {index} items of {} fill the {MAX_CONFIG_MAP_BYTES} bytes that one \
                 ConfigMap may have",
                items.len()
            ))
            .hint(match index {
                0 => "put large inputs into a volume and pass their names as items".to_owned(),
                _ => format!("split the list into runs of at most {index} items"),
            }));
        }
    }
    Ok(())
}
