//! The configured defaults.

use serde::Serialize;

use super::text::aligned;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct SettingRow {
    pub(crate) name: String,
    /// None if the setting is not set and has no default.
    pub(crate) value: Option<String>,
    pub(crate) from: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<u64>,
}

pub(crate) fn page(path: Option<&str>, exists: bool, rows: &[SettingRow]) -> String {
    let path = path.unwrap_or("<none>");
    let note = if exists { "" } else { " (does not exist)" };
    let cells = rows.iter().map(|row| {
        let value = row.value.as_deref().unwrap_or("<none>").to_owned();
        vec![row.name.clone(), value, row.from.clone()]
    });
    let table = aligned(&["SETTING", "VALUE", "FROM"], &cells.collect::<Vec<_>>());
    format!("File: {path}{note}\n\n{table}")
}
