//! JSON: values and flat objects, as an array or line by line.
//!
//! Numbers keep their text: a seed of twenty digits must not be rounded.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserializer as _, Error as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Collector, Columns, Error, Item, ItemPlace, ListOrigin, MAX_DOCUMENT_BYTES, MAX_ITEM_BYTES, too_large};
use crate::error::Hint;
use crate::spec::pairs::Pairs;

/// The form of all items, which the first one decides.
#[derive(Debug, Default)]
pub(super) enum JsonShape {
    #[default]
    Unknown,
    /// Each is one value.
    Scalars,
    /// Each has these keys, in any order. The places are those in the first item.
    Records { names: Vec<String>, places: HashMap<String, usize> },
}

impl JsonShape {
    /// Reads the item of a line. A blank line has none.
    pub(super) fn read_line(
        &mut self,
        place: &ItemPlace,
        line: &[u8],
        collector: &mut Collector,
    ) -> Result<bool, Error> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(false);
        }
        let raw: &RawValue = serde_json::from_slice(line).map_err(|error| {
            let (problem, column) = (without_position(&error), error.column());
            Error::usage(format!("{place} is not JSON: {problem} at column {column}"))
        })?;
        collector.push(self.read_item(raw, place)?)
    }

    pub(super) fn into_columns(self) -> Columns {
        match self {
            Self::Unknown | Self::Scalars => Columns::None,
            Self::Records { names, .. } => Columns::Named(names),
        }
    }

    fn read_item(&mut self, raw: &RawValue, place: &ItemPlace) -> Result<Item, Error> {
        let text = raw.get();
        if text.len() > MAX_ITEM_BYTES {
            return Err(too_large(place));
        }
        match (first_byte(text), &*self) {
            (b'[', _) => Err(nested_error(place, &format!("{place} is an array"))),
            (b'{', Self::Scalars) => Err(mixed_error(place, text, "one value")),
            (b'{', _) => self.read_record(text, place),
            (_, Self::Records { .. }) => Err(mixed_error(place, text, "an object")),
            _ => {
                *self = Self::Scalars;
                scalar_text(text).map(Item::new).map_err(|error| not_json_error(place, &error))
            }
        }
    }

    fn read_record(&mut self, text: &str, place: &ItemPlace) -> Result<Item, Error> {
        let Pairs::<String, &RawValue>(fields) =
            serde_json::from_str(text).map_err(|error| not_json_error(place, &error))?;
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
                return Err(problem(&format!("has the key {key:?}, which item 0 lacks")).hint(SAME_KEYS));
            };
            let raw = raw.get();
            if matches!(first_byte(raw), b'[' | b'{') {
                return Err(nested_error(place, &format!("the value of {key:?} in {place} is {}", type_name(raw))));
            }
            if value.is_some() {
                return Err(problem(&format!("has the key {key:?} twice")));
            }
            let plain = scalar_text(raw).map_err(|error| not_json_error(place, &error))?;
            whole.push(if whole.is_empty() { '{' } else { ',' });
            whole.push_str(&Value::from(key).to_string());
            whole.push(':');
            match first_byte(raw) {
                // Rewritten, so that equal strings have equal escapes.
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

/// Reads a document that consists of one array of items.
pub(super) fn read_array(
    document: &[u8],
    origin: ListOrigin<'_>,
    shape: &mut JsonShape,
    collector: &mut Collector,
) -> Result<(), Error> {
    let array = "write one array: [\"a\", \"b\"], or [{\"name\": \"a\"}, {\"name\": \"b\"}]";
    let lines = "if each line is an object, add --format jsonl";
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

pub(super) fn over_limit_error(origin: ListOrigin<'_>) -> Error {
    let most = MAX_DOCUMENT_BYTES / 1024 / 1024;
    Error::usage(format!("{origin} is larger than {most} MiB, and JSON is read as a whole"))
        .hint("convert it to JSON Lines, which is read line by line: jq -c '.[]' FILE > FILE.jsonl")
}

/// Passes each element on as it is read, so that memory does not grow with their number.
struct Array<'a> {
    origin: ListOrigin<'a>,
    collector: &'a mut Collector,
    shape: &'a mut JsonShape,
    /// The error of an item; the type of the reader's errors can't hold it.
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
            let item = self.shape.read_item(raw, &place);
            match item.and_then(|item| self.collector.push(item)) {
                Ok(false) => {}
                Ok(true) => break,
                Err(failure) => {
                    self.failure = Some(failure);
                    return Err(A::Error::custom("an item can't be used"));
                }
            }
        }
        // The rest must be valid JSON too.
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// Returns the type of a JSON value, by its first byte.
fn type_name(text: &str) -> &'static str {
    match first_byte(text) {
        b'{' => "an object",
        b'[' => "an array",
        b'"' => "a string",
        b'n' => "null",
        b't' | b'f' => "true or false",
        _ => "a number",
    }
}

fn first_byte(text: &str) -> u8 {
    text.bytes().next().unwrap_or_default()
}

/// Returns a single value as text: a string without its quotes, null as empty, everything else unchanged.
fn scalar_text(text: &str) -> Result<String, serde_json::Error> {
    match first_byte(text) {
        b'"' => serde_json::from_str(text),
        b'n' => Ok(String::new()),
        _ => Ok(text.to_owned()),
    }
}

fn mixed_error(place: &ItemPlace, text: &str, first: &str) -> Error {
    Error::usage(format!("{place} is {}, but item 0 is {first}: all must be of one kind", type_name(text)))
}

fn nested_error(place: &ItemPlace, problem: &str) -> Error {
    let error =
        Error::usage(format!("{problem}, but an item is one value or a flat object")).hint("flatten it first with jq");
    error.hint(match place.line {
        Some(_) => Hint::from("or use each line as text: --format lines"),
        None => Hint::from("or use each as a line of text: jq -c '.[]' FILE | ")
            .then(Hint::indexed(&["run", "--items-file", "-", "--", "CMD"], "")),
    })
}

fn not_json_error(place: &ItemPlace, error: &serde_json::Error) -> Error {
    Error::usage(format!("{place} is not JSON: {}", without_position(error)))
}

/// Returns the message without its position, which is not that in the file.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(what, _)| what.to_owned())
}
