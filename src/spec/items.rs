//! From bytes to items, and what each store can carry.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Deref;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::index_set::IndexSet;

/// Most bytes of one item: more than fits into any object that could carry it, so nothing is lost by refusing it early.
pub(crate) const MAX_ITEM_BYTES: usize = 1024 * 1024;

/// What one index works on: any bytes, or a record of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Item {
    whole: Vec<u8>,
    /// One for each column, in the order of [`Columns`]; empty where there are no columns.
    values: Vec<Vec<u8>>,
}

/// What the values of every item are called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Columns {
    /// An item is one value.
    #[default]
    None,
    /// An item has so many values, known by their number.
    Numbered(usize),
    /// An item has a value for each of these names, none of which is empty or there twice.
    Named(Vec<String>),
}

/// The items, one for each index: read as a slice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Items {
    columns: Columns,
    rows: Vec<Item>,
    /// The index of each row; None counts them from 0.
    indexes: Option<IndexSet>,
}

impl Item {
    pub(crate) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self { whole: bytes.into(), values: Vec::new() }
    }

    /// A record whose whole is written already, as one that came from JSON and keeps its own types.
    pub(crate) fn record(whole: impl Into<Vec<u8>>, values: Vec<Vec<u8>>) -> Self {
        Self { whole: whole.into(), values }
    }

    /// An item of these values, one for each of the columns; without columns, of the only one.
    ///
    /// The whole of named values is a JSON object on one line, that of numbered ones has a blank between them, as `{}`
    /// of GNU parallel.
    ///
    /// # Errors
    /// The column whose value is not UTF-8, which JSON can't carry; counted from 0.
    pub(crate) fn of(columns: &Columns, values: Vec<Vec<u8>>) -> Result<Self, usize> {
        match columns {
            Columns::None => Ok(Self::new(values.into_iter().next().unwrap_or_default())),
            Columns::Numbered(_) => Ok(Self { whole: values.join(&b' '), values }),
            Columns::Named(names) => {
                let texts = values.iter().enumerate().map(|(column, value)| match std::str::from_utf8(value) {
                    Ok(text) => Ok(Value::from(text)),
                    Err(_) => Err(column),
                });
                let texts = texts.collect::<Result<Vec<_>, _>>()?;
                let object: Map<_, _> = names.iter().cloned().zip(texts).collect();
                Ok(Self { whole: Value::Object(object).to_string().into_bytes(), values })
            }
        }
    }

    /// The item that was kept as this whole: of named values, those of the JSON object that it is.
    pub(crate) fn read_back(whole: &[u8], columns: &Columns) -> Self {
        let names = match columns {
            Columns::Named(names) => names,
            // Without a blank in a value, each is known.
            Columns::Numbered(count) => {
                let values: Vec<_> = whole.split(|&byte| byte == b' ').map(<[u8]>::to_vec).collect();
                return if values.len() == *count { Self::record(whole, values) } else { Self::new(whole) };
            }
            Columns::None => return Self::new(whole),
        };
        // A number stays the text that it is.
        let Ok(object) = serde_json::from_slice::<HashMap<String, &RawValue>>(whole) else { return Self::new(whole) };
        let value = |name: &String| match object.get(name).map(|value| value.get()) {
            None | Some("null") => Vec::new(),
            Some(text) => {
                serde_json::from_str::<String>(text).map_or_else(|_| text.as_bytes().to_vec(), String::into_bytes)
            }
        };
        Self::record(whole, names.iter().map(value).collect())
    }

    /// The bytes as they reach the worker: of a record, all of it.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.whole
    }

    /// The value of a column, counted from 0; empty where there is no such column.
    pub(crate) fn value(&self, column: usize) -> &[u8] {
        self.values.get(column).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn count(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.whole).ok()
    }

    /// The item to be read by a person: bytes that are not UTF-8 are replaced.
    pub(crate) fn lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.whole)
    }

    /// The item to be read by a person, with the names of its values where they have some: `lr=0.1 seed=1`.
    pub(crate) fn display(&self, columns: &Columns) -> String {
        match columns {
            Columns::Named(names) if !self.values.is_empty() => {
                let pairs = names.iter().zip(&self.values);
                let pairs = pairs.map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(value)));
                pairs.collect::<Vec<_>>().join(" ")
            }
            _ => self.lossy().into_owned(),
        }
    }

    /// About how much memory the item takes, in bytes.
    pub(crate) fn cost(&self) -> usize {
        let values: usize = self.values.iter().map(Vec::len).sum();
        size_of::<Self>() + self.whole.len() + values + self.values.len() * size_of::<Vec<u8>>()
    }
}

impl Columns {
    /// The names by which a command may call them: of numbered ones their numbers, from 1.
    pub(crate) fn names(&self) -> Vec<String> {
        match self {
            Self::None => Vec::new(),
            Self::Numbered(count) => (1..=*count).map(|number| number.to_string()).collect(),
            Self::Named(names) => names.clone(),
        }
    }

    /// What is noted of them in the cluster; nothing where there are none.
    pub(crate) fn to_note(&self) -> Option<String> {
        serde_json::to_string(self).ok().filter(|_| *self != Self::None)
    }

    /// Reads what was noted; what can't be read is as if nothing were.
    pub(crate) fn from_note(note: &str) -> Self {
        serde_json::from_str(note).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Numbered(count) => *count,
            Self::Named(names) => names.len(),
        }
    }

    /// The name of a column to be read by a person, as in `"size"`, or its number from 1.
    pub(crate) fn label(&self, column: usize) -> String {
        let name = if let Self::Named(names) = self { names.get(column) } else { None };
        name.map_or_else(|| (column + 1).to_string(), |name| format!("{name:?}"))
    }
}

impl Items {
    pub(crate) fn new(columns: Columns, rows: Vec<Item>) -> Self {
        Self { columns, rows, indexes: None }
    }

    /// The items of some indexes of a Job, in their order.
    pub(crate) fn of_indexes(columns: Columns, rows: Vec<Item>, indexes: IndexSet) -> Self {
        Self { columns, rows, indexes: Some(indexes) }
    }

    pub(crate) fn numbered(&self) -> Box<dyn Iterator<Item = (u32, &Item)> + '_> {
        match &self.indexes {
            Some(indexes) => Box::new(indexes.iter().zip(&self.rows)),
            None => Box::new((0..).zip(&self.rows)),
        }
    }

    pub(crate) fn columns(&self) -> &Columns {
        &self.columns
    }

    #[cfg(test)]
    pub(crate) fn displays(&self) -> impl Iterator<Item = String> + '_ {
        self.rows.iter().map(|item| item.display(&self.columns))
    }
}

impl Deref for Items {
    type Target = [Item];

    fn deref(&self) -> &[Item] {
        &self.rows
    }
}

/// The records of CSV in a text. Memory does not fail, and a record may have any number of fields: there is no error.
pub(super) fn records(text: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
    reader.byte_records().flatten().map(|record| record.iter().map(<[u8]>::to_vec).collect()).collect()
}
