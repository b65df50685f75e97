//! How Go writes values: kubectl prints them by its `fmt` and `encoding/json`.

use std::fmt::Write as _;

use serde_json::{Map, Number, Value};

/// The members of an object, sorted by name as Go writes them.
pub(super) fn members(object: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut members: Vec<_> = object.iter().collect();
    members.sort_by_key(|(name, _)| *name);
    members
}

/// A value as JSON: on one line, or from this depth on with an indent of four blanks.
pub(super) fn json(to: &mut String, value: &Value, depth: Option<usize>) {
    let inner = depth.map(|depth| depth + 1);
    let line = |to: &mut String, depth: Option<usize>| {
        if let Some(depth) = depth {
            to.push('\n');
            to.extend(std::iter::repeat_n("    ", depth));
        }
    };
    match value {
        Value::Null => to.push_str("null"),
        Value::Bool(bool) => to.push_str(if *bool { "true" } else { "false" }),
        Value::Number(number) => to.push_str(&number_in(number, json_float)),
        Value::String(text) => json_text(to, text),
        Value::Array(items) if items.is_empty() => to.push_str("[]"),
        Value::Array(items) => {
            for (position, item) in items.iter().enumerate() {
                to.push(if position == 0 { '[' } else { ',' });
                line(to, inner);
                json(to, item, inner);
            }
            line(to, depth);
            to.push(']');
        }
        Value::Object(object) if object.is_empty() => to.push_str("{}"),
        Value::Object(object) => {
            for (position, (name, value)) in members(object).into_iter().enumerate() {
                to.push(if position == 0 { '{' } else { ',' });
                line(to, inner);
                json_text(to, name);
                to.push_str(if depth.is_some() { ": " } else { ":" });
                json(to, value, inner);
            }
            line(to, depth);
            to.push('}');
        }
    }
}

/// What would mean something to a browser is escaped too.
fn json_text(to: &mut String, text: &str) {
    for c in Value::from(text).to_string().chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(to, "\\u{:04x}", u32::from(c));
            }
            _ => to.push(c),
        }
    }
}

/// A value as `fmt.Sprint` writes it.
pub(super) fn plain(to: &mut String, value: &Value) {
    match value {
        Value::Null => to.push_str("<nil>"),
        Value::Bool(bool) => to.push_str(if *bool { "true" } else { "false" }),
        Value::Number(number) => to.push_str(&number_in(number, plain_float)),
        Value::String(text) => to.push_str(text),
        Value::Array(items) => {
            to.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    to.push(' ');
                }
                plain(to, item);
            }
            to.push(']');
        }
        Value::Object(object) => {
            to.push_str("map[");
            for (position, (name, value)) in members(object).into_iter().enumerate() {
                if position > 0 {
                    to.push(' ');
                }
                to.push_str(name);
                to.push(':');
                plain(to, value);
            }
            to.push(']');
        }
    }
}

/// A number that is no 64-bit integer with a sign is a float to kubectl.
fn number_in(number: &Number, float: impl Fn(f64) -> String) -> String {
    number.as_i64().map_or_else(|| float(number.as_f64().unwrap_or_default()), |integer| integer.to_string())
}

/// A float in `%v`.
pub(super) fn plain_float(float: f64) -> String {
    let (digits, exponent) = scientific(float);
    if (-4..6).contains(&exponent) { float.to_string() } else { exponential(&digits, exponent, 2) }
}

/// A float in JSON.
fn json_float(float: f64) -> String {
    let (digits, exponent) = scientific(float);
    let small = float != 0.0 && float.abs() < 1e-6;
    if !small && float.abs() < 1e21 {
        float.to_string()
    } else {
        exponential(&digits, exponent, if small { 1 } else { 2 })
    }
}

/// The shortest digits that mean this float, and the power of ten that they are multiplied by.
fn scientific(float: f64) -> (String, i32) {
    let text = format!("{float:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (digits.to_owned(), exponent.parse().unwrap_or_default())
}

fn exponential(digits: &str, exponent: i32, least: usize) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:0least$}", exponent.unsigned_abs())
}
