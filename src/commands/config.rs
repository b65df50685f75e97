//! `config`: the standing defaults, each with where it comes from.

use std::fmt::Write as _;

use anyhow::Result;
use clap::{Command, CommandFactory as _};
use serde_json::json;

use super::Context;
use super::settings::ConfiguredDefaults;
use super::{output, settings};
use crate::args::{Cli, ConfigArgs};
use crate::error::Exit;
use crate::spec::settings::{ConfiguredValue, SETTINGS, Setting, SettingShape, ValueOrigin};
use crate::view::config::{self as view, Row};

pub(super) fn config(args: &ConfigArgs, context: &mut Context) -> Result<Exit> {
    let &ConfigArgs { output: format, example } = args;
    if example {
        context.ui.data(self::example())?;
        return Ok(Exit::Success);
    }
    let (settings, exit) = match std::mem::replace(&mut context.settings, Ok(ConfiguredDefaults::default())) {
        Ok(settings) => (settings, Exit::Success),
        Err(error) => {
            // What is right of it can't be told from what is wrong: the program's own is shown.
            let exit = error.exit();
            context.ui.error(&error.into());
            let env = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
            let path = settings::locate(&env).map(|(path, _)| path);
            let exists = path.as_ref().is_some_and(|path| path.exists());
            (ConfiguredDefaults { path, exists, ..ConfiguredDefaults::default() }, exit)
        }
    };
    let path = settings.path.as_ref().map(|path| path.display().to_string());
    let rows = rows(&settings.entries);
    let text = match format {
        None => view::page(path.as_deref(), settings.exists, &rows),
        Some(format) => output::data(&json!({"file": path, "fileExists": settings.exists, "settings": rows}), format)?,
    };
    context.ui.data(text)?;
    Ok(exit)
}

/// A row for each setting, and for each of several values.
fn rows(entries: &[ConfiguredValue]) -> Vec<Row> {
    let mut rows = Vec::new();
    for setting in &SETTINGS {
        let name = setting.name.to_owned();
        let before = rows.len();
        for entry in entries.iter().filter(|entry| entry.setting == setting) {
            let (from, line) = match &entry.origin {
                ValueOrigin::File(path, line) => (format!("file {path}"), Some(*line)),
                ValueOrigin::Environment(variable) => (format!("environment {variable}"), None),
            };
            rows.push(Row { name: name.clone(), value: Some(entry.value.clone()), from, line });
        }
        if rows.len() == before {
            rows.push(Row { name, value: own_default(setting), from: "default".to_owned(), line: None });
        }
    }
    rows
}

/// The flag that a setting stands for, as its first verb has it.
fn flag(setting: &Setting) -> Option<clap::Arg> {
    let command = Cli::command();
    let verb: Option<&Command> = match setting.verbs.first() {
        Some(verb) => command.find_subcommand(verb),
        None => Some(&command),
    };
    verb?.get_arguments().find(|arg| arg.get_long() == Some(setting.name)).cloned()
}

/// What the program does by itself, as the help of the flag has it.
fn own_default(setting: &Setting) -> Option<String> {
    let flag = flag(setting)?;
    let values: Vec<_> = flag.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if !values.is_empty() {
        return Some(values.join(","));
    }
    let help = flag.get_help()?.to_string();
    Some(help.split_once("[default: ")?.1.strip_suffix(']')?.to_owned())
}

/// A file with every setting, none of them set.
fn example() -> String {
    let mut text = String::from(
        "# Standing defaults of kubectl indexed: what is said here need not be typed.\n\
         # Take the # off a setting to have it. Flags, templates and variables are stronger.\n",
    );
    for setting in &SETTINGS {
        let help = flag(setting).and_then(|flag| Some(flag.get_help()?.to_string())).unwrap_or_default();
        let help = help.replace("; can be repeated", "");
        let (name, example) = (setting.name, setting.example);
        let verbs = match setting.verbs {
            [] => "all verbs".to_owned(),
            verbs => verbs.join(", "),
        };
        let lines = match setting.shape {
            SettingShape::One => format!("#{name}: {example}"),
            SettingShape::List => format!("#{name}:\n#- {example}"),
            SettingShape::Map => format!("#{name}:\n#  {example}"),
        };
        let _ = writeln!(text, "\n# {help} ({verbs})\n{lines}");
    }
    text
}
