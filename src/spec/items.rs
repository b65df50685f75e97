//! Items and their columns.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Deref;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::index_set::IndexSet;

/// The most bytes of one item. No object in the cluster could hold more.
pub(crate) const MAX_ITEM_BYTES: usize = 1024 * 1024;

/// The input of one index: any bytes, or a record of values.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Item {
    whole: Vec<u8>,
    /// One for each column, in the order of [`Columns`]; empty if there are no columns.
    values: Vec<Vec<u8>>,
}

/// The columns that all items of a list share.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Columns {
    /// An item is one value.
    #[default]
    None,
    /// An item has this number of values, without names.
    Numbered(usize),
    /// An item has a value for each of these names. No name is empty or repeated.
    Named(Vec<String>),
}

/// The items of a Job, one for each index; derefs to a slice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Items {
    columns: Columns,
    rows: Vec<Item>,
    /// The index of each row; `None` numbers them from 0.
    indexes: Option<IndexSet>,
}

impl Item {
    pub(crate) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self { whole: bytes.into(), values: Vec::new() }
    }

    /// Returns a record with its text, which a JSON source wrote with its own types.
    pub(crate) fn record(whole: impl Into<Vec<u8>>, values: Vec<Vec<u8>>) -> Self {
        Self { whole: whole.into(), values }
    }

    /// Returns an item of these values, one for each column; without columns, of the only one.
    ///
    /// Named values become a JSON object on one line. Numbered values are joined by spaces, as `{}` of GNU parallel.
    ///
    /// # Errors
    /// The column, from 0, whose value is not UTF-8 and so can't be part of JSON.
    pub(crate) fn from_values(columns: &Columns, values: Vec<Vec<u8>>) -> Result<Self, usize> {
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

    /// Parses an item from its stored text, with the values of the columns.
    pub(crate) fn read_back(whole: &[u8], columns: &Columns) -> Self {
        let names = match columns {
            Columns::Named(names) => names,
            // A space inside a value makes the values ambiguous.
            Columns::Numbered(count) => {
                let values: Vec<_> = whole.split(|&byte| byte == b' ').map(<[u8]>::to_vec).collect();
                return if values.len() == *count { Self::record(whole, values) } else { Self::new(whole) };
            }
            Columns::None => return Self::new(whole),
        };
        // A number keeps its text.
        let Ok(object) = serde_json::from_slice::<HashMap<String, &RawValue>>(whole) else { return Self::new(whole) };
        let value = |name: &String| match object.get(name).map(|value| value.get()) {
            None | Some("null") => Vec::new(),
            Some(text) => {
                serde_json::from_str::<String>(text).map_or_else(|_| text.as_bytes().to_vec(), String::into_bytes)
            }
        };
        Self::record(whole, names.iter().map(value).collect())
    }

    /// Returns the bytes as they reach the worker; for a record, all of it.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.whole
    }

    /// Returns the value of a column, from 0; empty if there is no such column.
    pub(crate) fn value(&self, column: usize) -> &[u8] {
        self.values.get(column).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn value_count(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.whole).ok()
    }

    /// Returns the item as text for a person: bytes that are not UTF-8 are replaced.
    pub(crate) fn lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.whole)
    }

    /// Returns the item with its index as an error shows it: `item 3 ("a.png")`, cut after 40 characters.
    pub(crate) fn quoted(&self, index: u32) -> String {
        const SHOWN: usize = 40;
        let text = self.lossy();
        match text.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("item {index} ({:?}...)", &text[..end]),
            None => format!("item {index} ({text:?})"),
        }
    }

    /// Returns the item as text for a person, with the names of its values if they have names: `lr=0.1 seed=1`.
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

    /// Returns the approximate memory that the item takes, in bytes.
    pub(crate) fn cost(&self) -> usize {
        let values: usize = self.values.iter().map(Vec::len).sum();
        size_of::<Self>() + self.whole.len() + values + self.values.len() * size_of::<Vec<u8>>()
    }
}

impl Columns {
    /// Returns the names that placeholders use; for numbered columns the numbers, from 1.
    pub(crate) fn names(&self) -> Vec<String> {
        match self {
            Self::None => Vec::new(),
            Self::Numbered(count) => (1..=*count).map(|number| number.to_string()).collect(),
            Self::Named(names) => names.clone(),
        }
    }

    /// Returns the value of the annotation; `None` without columns.
    pub(crate) fn to_note(&self) -> Option<String> {
        serde_json::to_string(self).ok().filter(|_| *self != Self::None)
    }

    /// Parses the annotation; an unreadable one means no columns.
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

    /// Returns a column as an error names it: `column "size"`, or `column 2`, from 1.
    pub(crate) fn label(&self, column: usize) -> String {
        let name = if let Self::Named(names) = self { names.get(column) } else { None };
        name.map_or_else(|| format!("column {}", column + 1), |name| format!("column {name:?}"))
    }
}

impl Items {
    pub(crate) fn new(columns: Columns, rows: Vec<Item>) -> Self {
        Self { columns, rows, indexes: None }
    }

    /// Returns the items of some indexes of a Job, in their order.
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

/// Parses CSV. There is no error: reading from memory does not fail, and a record may have any number of fields.
pub(super) fn parse_csv(text: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
    reader.byte_records().flatten().map(|record| record.iter().map(<[u8]>::to_vec).collect()).collect()
}
