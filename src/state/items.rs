//! The items of a Job's indexes, as people read them.

use std::collections::BTreeMap;
use std::ops::Deref;

use serde::{Serialize, Serializer};

/// The items of indexes, each as one text and, where its columns have names, as a value for each of them.
///
/// Reads as a map from the index to the text.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ItemTexts {
    texts: BTreeMap<u32, String>,
    /// The names of the columns; none for items of one value.
    columns: Vec<String>,
    /// One value for each column.
    values: BTreeMap<u32, Vec<String>>,
}

/// The named values of one item, in the order of the columns; serialized as an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ItemParams<'a> {
    names: &'a [String],
    values: &'a [String],
}

impl ItemTexts {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn with_columns(columns: Vec<String>) -> Self {
        Self { columns, ..Self::default() }
    }

    /// Adds an item; `values` has one for each column, or none where the item does not have these columns.
    pub(crate) fn add(&mut self, index: u32, text: String, values: Vec<String>) {
        self.texts.insert(index, text);
        if !self.columns.is_empty() && values.len() == self.columns.len() {
            self.values.insert(index, values);
        }
    }

    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    pub(crate) fn params(&self, index: u32) -> Option<ItemParams<'_>> {
        Some(ItemParams { names: &self.columns, values: self.values.get(&index)? })
    }
}

impl Deref for ItemTexts {
    type Target = BTreeMap<u32, String>;

    fn deref(&self) -> &Self::Target {
        &self.texts
    }
}

impl FromIterator<(u32, String)> for ItemTexts {
    fn from_iter<I: IntoIterator<Item = (u32, String)>>(items: I) -> Self {
        Self { texts: items.into_iter().collect(), ..Self::default() }
    }
}

impl<'a> ItemParams<'a> {
    pub(crate) fn values(self) -> &'a [String] {
        self.values
    }
}

impl Serialize for ItemParams<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.names.iter().zip(self.values))
    }
}
