//! Writes manifests as YAML that every reader parses to the same values, YAML 1.1 readers included.

use serde_json::Value;

/// Writes the documents as one YAML stream.
pub(crate) fn documents(values: &[Value]) -> Result<String, serde_saphyr::ser::Error> {
    Ok(values.iter().map(document).collect::<Result<Vec<_>, _>>()?.join("---\n"))
}

fn document(value: &Value) -> Result<String, serde_saphyr::ser::Error> {
    let options = serde_saphyr::ser_options! {
        // Folded text is correct but hard to read: it breaks a command into other lines.
        folded_wrap_chars: 1_000_000,
        // Readers disagree on a block whose first line starts with a tab.
        prefer_block_scalars: !has_leading_tab(value),
    };
    serde_saphyr::to_string_with_options(value, options)
}

/// Whether the first non-empty line of any multi-line string starts with a tab.
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
