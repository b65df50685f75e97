//! Values in the form of Go's `fmt` and `encoding/json`, with which kubectl prints them.

use std::fmt::Write as _;
use std::ops::Range;

use serde_json::{Map, Number, Value};

/// Returns the members of an object, sorted by name as Go writes them.
pub(super) fn members(object: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut members: Vec<_> = object.iter().collect();
    members.sort_by_key(|(name, _)| *name);
    members
}

/// Returns a value as JSON: on one line, or from this depth on with an indent of four blanks.
pub(super) fn json(value: &Value, depth: Option<usize>) -> String {
    let inner = depth.map(|depth| depth + 1);
    let line = |depth: Option<usize>| depth.map_or_else(String::new, |depth| format!("\n{}", "    ".repeat(depth)));
    let all = |parts: Vec<String>| match &parts[..] {
        [] => String::new(),
        _ => format!("{}{}{}", line(inner), parts.join(&format!(",{}", line(inner))), line(depth)),
    };
    match value {
        Value::Null | Value::Bool(_) => value.to_string(),
        Value::Number(number) => number_in(number, -6..21, 1),
        Value::String(text) => json_text(text),
        Value::Array(items) => format!("[{}]", all(items.iter().map(|item| json(item, inner)).collect())),
        Value::Object(object) => {
            let blank = if depth.is_some() { " " } else { "" };
            let member =
                |(name, value): (&String, &Value)| format!("{}:{blank}{}", json_text(name), json(value, inner));
            format!("{{{}}}", all(members(object).into_iter().map(member).collect()))
        }
    }
}

/// Returns a JSON string. Characters with a meaning in HTML are escaped too.
fn json_text(text: &str) -> String {
    let mut escaped = Value::from(text).to_string();
    for c in ['<', '>', '&', '\u{2028}', '\u{2029}'] {
        escaped = escaped.replace(c, &format!("\\u{:04x}", u32::from(c)));
    }
    escaped
}

/// Returns a value as `fmt.Sprint` writes it.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(bool) => bool.to_string(),
        Value::Number(number) => number_in(number, -4..6, 2),
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(" ")),
        Value::Object(object) => {
            let members = members(object).into_iter().map(|(name, value)| format!("{name}:{}", plain(value)));
            format!("map[{}]", members.collect::<Vec<_>>().join(" "))
        }
    }
}

/// Returns a number; kubectl takes one that is no signed 64-bit integer for a float. A power of ten in the range `plain` is
/// written out; any other is an exponent of at least `digits` digits.
fn number_in(number: &Number, plain: Range<i32>, digits: usize) -> String {
    if let Some(integer) = number.as_i64() {
        return integer.to_string();
    }
    let float = number.as_f64().unwrap_or_default();
    let text = format!("{float:e}");
    let (factor, power) = text.split_once('e').unwrap_or((&text, "0"));
    let power: i32 = power.parse().unwrap_or_default();
    if plain.contains(&power) {
        return float.to_string();
    }
    let sign = if power < 0 { '-' } else { '+' };
    format!("{factor}e{sign}{:0digits$}", power.unsigned_abs())
}

/// The characters after a backslash, each with the byte that it stands for.
pub(super) const ESCAPES: [(char, u8); 8] =
    [('a', 7), ('b', 8), ('f', 12), ('n', b'\n'), ('r', b'\r'), ('t', b'\t'), ('v', 11), ('\\', b'\\')];

/// Returns text in double quotes with Go's escapes, as `%q`.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match ESCAPES.iter().find(|(_, meant)| char::from(*meant) == character) {
            Some((name, _)) => quoted.extend(['\\', *name]),
            None if character == '"' => quoted.push_str("\\\""),
            None if character == '\'' || is_printable(character) => quoted.push(character),
            None => {
                let code = u32::from(character);
                match code {
                    0..0x80 => write!(quoted, "\\x{code:02x}"),
                    0x80..0x1_0000 => write!(quoted, "\\u{code:04x}"),
                    _ => write!(quoted, "\\U{code:08x}"),
                }
                .expect("a string takes any text");
            }
        }
    }
    quoted.push('"');
    quoted
}

/// Returns whether a character is a letter, mark, number, punctuation, symbol or the plain blank in Unicode.
///
/// The standard library tells it by what it escapes. It escapes marks at the start only, so another character goes first.
fn is_printable(character: char) -> bool {
    String::from_iter(['a', character]).escape_debug().nth(1) == Some(character)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_is_quoted_as_by_go() {
        assert_eq!(quoted("$(JOB)/\"a\"\\"), r#""$(JOB)/\"a\"\\""#);
        assert_eq!(quoted("'\u{7}\t\u{1b}\u{7f}"), r#""'\a\t\x1b\x7f""#);
        assert_eq!(
            quoted("é日e\u{301}\u{a0}\u{200b}\u{e000}\u{f0000}"),
            "\"é日e\u{301}\\u00a0\\u200b\\ue000\\U000f0000\""
        );
    }

    #[test]
    fn lists_and_maps_are_written_as_by_go() {
        assert_eq!(plain(&json!(["a b", "c"])), "[a b c]");
        assert_eq!(
            (plain(&json!({})), plain(&json!({"b": 1, "a": null}))),
            ("map[]".into(), "map[a:<nil> b:1]".into())
        );
    }
}
