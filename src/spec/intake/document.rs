//! Values and flat objects of JSON, as an array or line by line.
//!
//! Numbers stay the text they are: a seed of twenty digits must not come out rounded.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserializer as _, Error as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Collector, Columns, Error, Item, ItemPlace, MAX_DOCUMENT_BYTES, MAX_ITEM_BYTES, too_large};
use crate::spec::pairs::Pairs;

/// What the first item told about the others.
#[derive(Debug, Default)]
pub(super) enum JsonShape {
    #[default]
    Unknown,
    /// Each is one value.
    Scalars,
    /// Each has these keys, in any order; the places are those in the first.
    Records { names: Vec<String>, places: HashMap<String, usize> },
}

impl JsonShape {
    /// Takes the item in a line of its own; a blank line holds none.
    pub(super) fn take_line(
        &mut self,
        place: &ItemPlace,
        line: &[u8],
        collector: &mut Collector,
    ) -> Result<bool, Error> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(false);
        }
        let raw: &RawValue = serde_json::from_slice(line).map_err(|error| {
            let (what, column) = (without_position(&error), error.column());
            Error::usage(format!("{place} is not JSON: {what} at column {column}"))
        })?;
        collector.push(self.item(raw, place)?)
    }

    pub(super) fn into_columns(self) -> Columns {
        match self {
            Self::Unknown | Self::Scalars => Columns::None,
            Self::Records { names, .. } => Columns::Named(names),
        }
    }

    fn item(&mut self, raw: &RawValue, place: &ItemPlace) -> Result<Item, Error> {
        let text = raw.get();
        if text.len() > MAX_ITEM_BYTES {
            return Err(too_large(place));
        }
        match (first(text), &*self) {
            (b'[', _) => Err(nested(place, &format!("{place} is an array"))),
            (b'{', Self::Scalars) => Err(mixed(place, text, "one value")),
            (b'{', _) => self.record(text, place),
            (_, Self::Records { .. }) => Err(mixed(place, text, "an object")),
            _ => {
                *self = Self::Scalars;
                scalar(text).map(Item::new).map_err(|error| not_json(place, &error))
            }
        }
    }

    fn record(&mut self, text: &str, place: &ItemPlace) -> Result<Item, Error> {
        let Pairs::<String, &RawValue>(fields) = serde_json::from_str(text).map_err(|error| not_json(place, &error))?;
        if matches!(self, Self::Unknown) {
            let names: Vec<_> = fields.iter().map(|(key, _)| key.clone()).collect();
            if names.is_empty() {
                return Err(Error::usage(format!("{place} is an object without keys")));
            }
            let places = names.iter().cloned().zip(0..).collect();
            *self = Self::Records { names, places };
        }
        let Self::Records { names, places } = &*self else { return Ok(Item::default()) };
        let mut values = vec![None; names.len()];
        let mut whole = String::with_capacity(text.len());
        for (key, raw) in fields {
            let problem = |what: &str| Error::usage(format!("{place} {what}"));
            if key.is_empty() {
                return Err(problem("has an empty key, which can't name a column"));
            }
            let Some(value) = places.get(&key).and_then(|&column| values.get_mut(column)) else {
                return Err(problem(&format!("has the key {key:?}, which item 0 has not")).hint(SAME_KEYS));
            };
            let raw = raw.get();
            if matches!(first(raw), b'[' | b'{') {
                return Err(nested(place, &format!("the value of {key:?} in {place} is {}", noun(raw))));
            }
            if value.is_some() {
                return Err(problem(&format!("has the key {key:?} twice")));
            }
            let plain = scalar(raw).map_err(|error| not_json(place, &error))?;
            whole.push(if whole.is_empty() { '{' } else { ',' });
            whole.push_str(&Value::from(key).to_string());
            whole.push(':');
            match first(raw) {
                // Its escapes are those of this program from here on, whoever wrote it.
                b'"' => whole.push_str(&Value::from(plain.as_str()).to_string()),
                _ => whole.push_str(raw),
            }
            *value = Some(plain.into_bytes());
        }
        whole.push('}');
        if let Some(missing) = values.iter().position(Option::is_none) {
            let error = Error::usage(format!("{place} lacks the key {:?}, which item 0 has", names[missing]));
            return Err(error.hint(SAME_KEYS));
        }
        Ok(Item::record(whole, values.into_iter().flatten().collect()))
    }
}

const SAME_KEYS: &str = "give every object the same keys; null counts as empty";

/// Reads an array of items, the whole of a document.
pub(super) fn read(
    document: &[u8],
    origin: &str,
    shape: &mut JsonShape,
    collector: &mut Collector,
) -> Result<(), Error> {
    let array = "it must be one array: [\"a\", \"b\"], or [{\"name\": \"a\"}, {\"name\": \"b\"}]";
    let lines = "one object on each line is --format jsonl";
    match document.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'[') => {}
        None => return Err(Error::usage(format!("{origin} is empty")).hint(array)),
        Some(b'{') => {
            return Err(Error::usage(format!("{origin} is an object, not a list")).hint(array).hint(lines));
        }
        Some(_) => return Err(Error::usage(format!("{origin} is not a list")).hint(array)),
    }
    let mut array = Array { origin, collector, shape, failure: None };
    let mut reader = serde_json::Deserializer::from_slice(document);
    let outcome = reader.deserialize_seq(&mut array).and_then(|()| reader.end());
    if let Some(failure) = array.failure {
        return Err(failure);
    }
    outcome.map_err(|error| Error::usage(format!("{origin} is not JSON: {error}")))
}

pub(super) fn over_the_limit(origin: &str) -> Error {
    let most = MAX_DOCUMENT_BYTES / 1024 / 1024;
    Error::usage(format!("{origin} is larger than {most} MiB, and JSON must be held as a whole"))
        .hint("give it as JSON Lines, which is read line by line: jq -c '.[]' FILE > FILE.jsonl")
}

/// Hands each element on as it is read, so that their number does not matter.
struct Array<'a> {
    origin: &'a str,
    collector: &'a mut Collector,
    shape: &'a mut JsonShape,
    /// What is wrong with an item; the reader's own error could not carry it.
    failure: Option<Error>,
}

impl<'de> Visitor<'de> for &mut Array<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(raw) = elements.next_element::<&RawValue>()? {
            let place = ItemPlace { origin: self.origin, item: self.collector.pushed(), line: None };
            let item = self.shape.item(raw, &place);
            match item.and_then(|item| self.collector.push(item)) {
                Ok(false) => {}
                Ok(true) => break,
                Err(failure) => {
                    self.failure = Some(failure);
                    return Err(A::Error::custom("an item can't be used"));
                }
            }
        }
        // The rest is still to be JSON.
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// What a value of JSON is, by its first byte.
fn noun(text: &str) -> &'static str {
    match first(text) {
        b'{' => "an object",
        b'[' => "an array",
        b'"' => "a string",
        b'n' => "null",
        b't' | b'f' => "true or false",
        _ => "a number",
    }
}

fn first(text: &str) -> u8 {
    text.bytes().next().unwrap_or_default()
}

/// A single value as text: a string without its quotes, null as nothing, all else as it is written.
fn scalar(text: &str) -> Result<String, serde_json::Error> {
    match first(text) {
        b'"' => serde_json::from_str(text),
        b'n' => Ok(String::new()),
        _ => Ok(text.to_owned()),
    }
}

fn mixed(place: &ItemPlace, text: &str, first: &str) -> Error {
    Error::usage(format!("{place} is {}, but item 0 is {first}: all must be of one kind", noun(text)))
}

fn nested(place: &ItemPlace, what: &str) -> Error {
    let error =
        Error::usage(format!("{what}, but an item is one value or a flat object")).hint("flatten it first by jq");
    error.hint(match place.line {
        Some(_) => "or take each line as it stands, by --format lines",
        None => "or take each as a line of text: jq -c '.[]' FILE | kubectl indexed run --items-file - …",
    })
}

fn not_json(place: &ItemPlace, error: &serde_json::Error) -> Error {
    Error::usage(format!("{place} is not JSON: {}", without_position(error)))
}

/// What is wrong, without where: the reader counts from the start of what it was given, not of the file.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(what, _)| what.to_owned())
}
