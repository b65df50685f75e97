//! Values as Go's `fmt` prints them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use k8s_openapi::api::core::v1::LocalObjectReference;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// `%v` of a list of strings.
pub(super) fn list(items: &[String]) -> String {
    format!("[{}]", items.join(" "))
}

/// `%v` of a map of strings.
pub(super) fn map(entries: Option<&BTreeMap<String, String>>) -> String {
    let entries: Vec<String> = entries.into_iter().flatten().map(|(key, value)| format!("{key}:{value}")).collect();
    format!("map[{}]", entries.join(" "))
}

/// `%v` of a reference, which Kubernetes' generated code spells like Go source.
pub(super) fn reference(reference: Option<&LocalObjectReference>) -> String {
    reference.map_or_else(|| "nil".to_owned(), |reference| format!("&LocalObjectReference{{Name:{},}}", reference.name))
}

/// A port by number or by name.
pub(super) fn port(port: &IntOrString) -> String {
    match port {
        IntOrString::Int(number) => number.to_string(),
        IntOrString::String(name) => name.clone(),
    }
}

/// `%q`: in double quotes, with Go's escapes.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\x07' => quoted.push_str("\\a"),
            '\x08' => quoted.push_str("\\b"),
            '\t' => quoted.push_str("\\t"),
            '\n' => quoted.push_str("\\n"),
            '\x0b' => quoted.push_str("\\v"),
            '\x0c' => quoted.push_str("\\f"),
            '\r' => quoted.push_str("\\r"),
            '\'' => quoted.push(character),
            _ if is_printable(character) => quoted.push(character),
            _ => {
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

/// Whether Unicode has the character as a letter, mark, number, punctuation, symbol or the plain blank.
///
/// The standard library knows, but tells only by what it escapes. It escapes marks at the start alone, so one other
/// character goes before.
fn is_printable(character: char) -> bool {
    String::from_iter(['a', character]).escape_debug().nth(1) == Some(character)
}

#[cfg(test)]
mod tests {
    use super::{list, map, quoted};

    #[test]
    fn quotes_like_go() {
        assert_eq!(quoted("$(JOB)/\"a\"\\"), r#""$(JOB)/\"a\"\\""#);
        assert_eq!(quoted("'\u{7}\t\u{1b}\u{7f}"), r#""'\a\t\x1b\x7f""#);
        assert_eq!(
            quoted("é日e\u{301}\u{a0}\u{200b}\u{e000}\u{f0000}"),
            "\"é日e\u{301}\\u00a0\\u200b\\ue000\\U000f0000\""
        );
    }

    #[test]
    fn lists_and_maps_like_go() {
        assert_eq!(list(&["a b".to_owned(), "c".to_owned()]), "[a b c]");
        assert_eq!(map(None), "map[]");
    }
}
