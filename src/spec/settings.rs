//! Configured defaults: how a file and environment variables set them, and their precedence.

use std::fmt;

use serde_json::Value;
use serde_saphyr::Spanned;

use super::items::parse_csv;
use super::near::nearest;
use super::pairs::Pairs;
use super::{Inputs, base, resolve};
use crate::args::{ConfiguredFlags, SETTINGS, Setting, SettingShape, TemplateFields, Verb, parse_flag};
use crate::contract::label;
use crate::error::Error;

/// The prefix of the environment variables of settings.
pub(crate) const VARIABLES: &str = "KUBECTL_INDEXED_";

/// Returns the environment variable of a setting.
pub(crate) fn variable(setting: &Setting) -> String {
    format!("{VARIABLES}{}", setting.name.to_uppercase().replace('-', "_"))
}

/// Returns whether a template sets the field of this setting; of a map, the field of this key.
fn is_set_by(setting: &Setting, base: &Value, key: Option<&str>) -> bool {
    let pod = base.pointer("/spec/template/spec");
    let (within, fields) = match setting.declared.fields {
        TemplateFields::None => return false,
        TemplateFields::QueueLabel => {
            return base.pointer("/metadata/labels").is_some_and(|labels| labels.get(label::KUEUE_QUEUE).is_some());
        }
        TemplateFields::Failures(_) if base::restart_policy(base) == Some("OnFailure") => return true,
        TemplateFields::Job(fields) | TemplateFields::Failures(fields) => (Some(base), fields),
        TemplateFields::Pod(fields) => (pod, fields),
        TemplateFields::Worker(fields) => (base::worker(base), fields),
    };
    let mut found = fields.iter().filter_map(|field| within?.pointer(field)).filter(|value| !value.is_null());
    match (setting.declared.shape, key) {
        (SettingShape::Map, Some(key)) => found.any(|map| map.get(key).is_some()),
        _ => found.next().is_some(),
    }
}

/// The source of a configured value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ValueOrigin {
    /// A line of the file at this path.
    File(String, u64),
    Environment(String),
}

impl fmt::Display for ValueOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, line) => write!(f, "{path}, line {line}"),
            Self::Environment(variable) => write!(f, "the variable {variable}"),
        }
    }
}

/// One value of a setting, valid and in the form of its flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfiguredValue {
    pub(crate) setting: &'static Setting,
    pub(crate) value: String,
    pub(crate) origin: ValueOrigin,
}

impl ConfiguredValue {
    fn key(&self) -> Option<String> {
        self.pair().map(|(key, _)| key)
    }

    /// Returns the key and the value of an entry of a map.
    pub(crate) fn pair(&self) -> Option<(String, String)> {
        let (key, value) = self.value.split_once('=').filter(|_| self.setting.declared.shape == SettingShape::Map)?;
        Some((key.to_owned(), value.to_owned()))
    }

    /// Fails with the error of the flag for this value.
    fn check(&self) -> Result<(), Error> {
        let verb = self.setting.verbs.first().map_or("list", String::as_str);
        let name = self.setting.name.as_str();
        let read = parse_flag(verb, name, &self.value).map_err(|(problem, meant)| {
            Error::usage(format!("{}: {name} {problem}", self.origin))
                .hint_if(meant.map(|meant| format!("did you mean {meant}?")))
        })?;
        if let Verb::Run(mut args) = read {
            args.configured = ConfiguredFlags(vec![name]);
            let inputs = Inputs { suffix: "xxxxx".to_owned(), ..Inputs::default() };
            if let Err(error) = resolve(*args, inputs) {
                return Err(Error::usage(format!("{}: {error}", self.origin)).with_hints_of(&error));
            }
        }
        Ok(())
    }
}

pub(crate) fn from_file(path: &str, text: &str) -> Result<Vec<ConfiguredValue>, Error> {
    if text.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with('#')) {
        return Ok(Vec::new());
    }
    let options = serde_saphyr::options! { with_snippet: false };
    let Pairs::<Spanned<String>, Value>(pairs) =
        serde_saphyr::from_str_with_options(text, options).map_err(|error| {
            let error = error.to_string();
            Error::usage(format!("{path} can't be read as YAML: {}", error.trim_start_matches("error: ")))
                .hint("kubectl indexed config --example prints a file to start from")
        })?;
    let mut entries = Vec::new();
    for (key, value) in pairs {
        let origin = ValueOrigin::File(path.to_owned(), key.referenced.line());
        let Some(setting) = SETTINGS.iter().find(|setting| setting.name == key.value) else {
            let near = nearest(&key.value, SETTINGS.iter().map(|setting| setting.name.as_str()));
            let hint = near.map(|near| format!("did you mean {near}?"));
            return Err(Error::usage(format!("{origin}: there is no setting {:?}", key.value))
                .hint(hint.unwrap_or_else(|| "kubectl indexed config lists the settings".to_owned())));
        };
        let values = written(setting, value)
            .map_err(|(problem, hint)| Error::usage(format!("{origin}: {} {problem}", setting.name)).hint(hint))?;
        entries.extend(values.into_iter().map(|value| ConfiguredValue { setting, value, origin: origin.clone() }));
    }
    entries.iter().try_for_each(ConfiguredValue::check)?;
    Ok(entries)
}

/// Returns the values in the form of the flag; a key without a value has none.
fn written(setting: &Setting, value: Value) -> Result<Vec<String>, (String, String)> {
    let name = &setting.name;
    let scalar = |value: Value| match value {
        Value::String(text) => Some(text),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    let wrong = |found: &Value| {
        let found = match found {
            Value::Null => "is empty",
            Value::Array(_) => "is a list",
            Value::Object(_) => "is a map",
            Value::String(_) | Value::Bool(_) | Value::Number(_) => "is a single value",
        };
        let example = setting.declared.example;
        let (takes, example) = match setting.declared.shape {
            SettingShape::One => ("one value", example.to_owned()),
            SettingShape::List => ("a list of values", format!("[\"{example}\"]")),
            SettingShape::Map => ("a map", format!("{{{example}}}")),
        };
        (format!("takes {takes}, but {found}"), format!("write {name}: {example}"))
    };
    match (setting.declared.shape, value) {
        (_, Value::Null) => Ok(Vec::new()),
        (SettingShape::List, Value::Array(values)) => {
            values.into_iter().map(|value| scalar(value.clone()).ok_or_else(|| wrong(&value))).collect()
        }
        (SettingShape::Map, Value::Object(pairs)) => pairs
            .into_iter()
            .map(|(key, value)| Some(format!("{key}={}", scalar(value)?)))
            .collect::<Option<_>>()
            .ok_or_else(|| {
                let (_, hint) = wrong(&Value::Null);
                ("has a key without one value".to_owned(), hint)
            }),
        (SettingShape::One, value) => scalar(value.clone()).map(|value| vec![value]).ok_or_else(|| wrong(&value)),
        (SettingShape::List | SettingShape::Map, value) => Err(wrong(&value)),
    }
}

/// Reads the environment variables of settings. Empty ones count as unset.
///
/// # Errors
/// Also for a name similar to that of a setting. Other names are ignored: a Pod has such variables for each Service
/// (`KUBECTL_INDEXED_PORT`).
pub(crate) fn from_environment(
    variables: impl Iterator<Item = (String, String)>,
) -> Result<Vec<ConfiguredValue>, Error> {
    let mut given: Vec<_> =
        variables.filter(|(name, value)| name.starts_with(VARIABLES) && !value.is_empty()).collect();
    given.sort();
    let names: Vec<_> = SETTINGS.iter().map(variable).collect();
    let mut entries = Vec::new();
    for (name, value) in given {
        let Some(setting) = SETTINGS.iter().find(|setting| variable(setting) == name) else {
            let distance = |other: &str| strsim::damerau_levenshtein(&name, other);
            if let Some(near) = names.iter().min_by_key(|other| distance(other)).filter(|other| distance(other) <= 2) {
                return Err(Error::usage(format!("there is no setting for the variable {name}"))
                    .hint(format!("did you mean {near}?")));
            }
            continue;
        };
        let origin = ValueOrigin::Environment(name);
        let values = match setting.declared.shape {
            SettingShape::One => vec![value],
            SettingShape::List | SettingShape::Map => separated(&value)
                .ok_or_else(|| Error::usage(format!("{origin}: {value:?} is not a list separated by commas")))?,
        };
        entries.extend(values.into_iter().map(|value| ConfiguredValue { setting, value, origin: origin.clone() }));
    }
    entries.iter().try_for_each(ConfiguredValue::check)?;
    Ok(entries)
}

/// Splits at commas; quotes keep a comma in a value.
fn separated(text: &str) -> Option<Vec<String>> {
    let fields = parse_csv(text.as_bytes()).into_iter().next()?;
    fields.into_iter().map(|field| String::from_utf8(field).ok()).collect()
}

/// Merges the values of two sources.
pub(crate) fn merge(stronger: Vec<ConfiguredValue>, weaker: Vec<ConfiguredValue>) -> Vec<ConfiguredValue> {
    let mut all = weaker;
    all.retain(|weak| !stronger.iter().any(|strong| strong.setting == weak.setting && strong.key() == weak.key()));
    all.extend(stronger);
    all
}

/// Returns the values that no field of the template overrides.
pub(crate) fn without_template_fields<'a>(
    entries: &'a [ConfiguredValue],
    base: Option<&'a Value>,
) -> impl Iterator<Item = &'a ConfiguredValue> {
    entries.iter().filter(move |entry| !base.is_some_and(|base| is_set_by(entry.setting, base, entry.key().as_deref())))
}

#[cfg(test)]
mod tests;
