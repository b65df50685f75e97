//! Manifests as text that every YAML reader takes for the same values, those of YAML 1.1 included.

use serde_json::Value;

/// The documents as one YAML stream.
pub(crate) fn documents(values: &[Value]) -> Result<String, serde_saphyr::ser::Error> {
    Ok(values.iter().map(document).collect::<Result<Vec<_>, _>>()?.join("---\n"))
}

fn document(value: &Value) -> Result<String, serde_saphyr::ser::Error> {
    let options = serde_saphyr::ser_options! {
        // Folding is right but ugly: a command would be spread over lines that are not its own.
        folded_wrap_chars: 1_000_000,
        // A block whose first line starts with a tab is read differently by different readers.
        prefer_block_scalars: !has_leading_tab(value),
    };
    serde_saphyr::to_string_with_options(value, options)
}

/// Whether some string of several lines has a tab at the start of its first line with text.
fn has_leading_tab(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            text.contains('\n') && text.lines().find(|line| !line.is_empty()).is_some_and(|line| line.starts_with('\t'))
        }
        Value::Array(entries) => entries.iter().any(has_leading_tab),
        Value::Object(fields) => {
            fields.iter().any(|(key, value)| has_leading_tab(&Value::String(key.clone())) || has_leading_tab(value))
        }
        _ => false,
    }
}
