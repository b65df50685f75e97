//! `config`: prints the configured defaults and their sources.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::json;

use super::Context;
use super::settings::ConfiguredDefaults;
use super::{output, settings};
use crate::args::{ConfigArgs, SETTINGS, SettingShape};
use crate::error::Exit;
use crate::spec::settings::{ConfiguredValue, ValueOrigin};
use crate::view::config::{self as view, SettingRow};

pub(super) fn config(args: &ConfigArgs, context: &mut Context) -> Result<Exit> {
    let &ConfigArgs { output: format, example } = args;
    if example {
        context.ui.data(self::example())?;
        return Ok(Exit::Success);
    }
    let (settings, exit) = match std::mem::replace(&mut context.settings, Ok(ConfiguredDefaults::default())) {
        Ok(settings) => (settings, Exit::Success),
        Err(error) => {
            // A broken configuration is not applied: shows the defaults of the program.
            let exit = error.exit();
            context.ui.error(&error.into());
            let env = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
            let path = settings::locate(&env).map(|(path, _)| path);
            let exists = path.as_ref().is_some_and(|path| path.exists());
            (ConfiguredDefaults { path, exists, ..ConfiguredDefaults::default() }, exit)
        }
    };
    let path = settings.path.as_ref().map(|path| path.display().to_string());
    let rows = rows(&settings.values);
    let text = match format {
        None => view::page(path.as_deref(), settings.exists, &rows),
        Some(format) => output::data(&json!({"file": path, "fileExists": settings.exists, "settings": rows}), format)?,
    };
    context.ui.data(text)?;
    Ok(exit)
}

/// Returns a row for each setting, or for each of its values.
fn rows(values: &[ConfiguredValue]) -> Vec<SettingRow> {
    let mut rows = Vec::new();
    for setting in SETTINGS.iter() {
        let name = setting.name.clone();
        let before = rows.len();
        for entry in values.iter().filter(|entry| entry.setting == setting) {
            let (from, line) = match &entry.origin {
                ValueOrigin::File(path, line) => (format!("file {path}"), Some(*line)),
                ValueOrigin::Environment(variable) => (format!("environment {variable}"), None),
            };
            rows.push(SettingRow { name: name.clone(), value: Some(entry.value.clone()), from, line });
        }
        if rows.len() == before {
            rows.push(SettingRow { name, value: setting.default.clone(), from: "default".to_owned(), line: None });
        }
    }
    rows
}

/// Returns a configuration file with every setting commented out.
fn example() -> String {
    let mut text = String::from(
        "# Configured defaults of kubectl indexed. Remove the # before a setting to use it.\n\
         # Flags, --template and environment variables take precedence.\n",
    );
    for setting in SETTINGS.iter() {
        let (name, help, example) = (&setting.name, &setting.help, setting.declared.example);
        let verbs = if setting.verbs.is_empty() { "all verbs".to_owned() } else { setting.verbs.join(", ") };
        let lines = match setting.declared.shape {
            SettingShape::One => format!("#{name}: {example}"),
            SettingShape::List => format!("#{name}:\n#- {example}"),
            SettingShape::Map => format!("#{name}:\n#  {example}"),
        };
        let _ = writeln!(text, "\n# {help} ({verbs})\n{lines}");
    }
    text
}
