//! The user's standing defaults: which there are, how a file and variables say them, and what is stronger.

use std::fmt;

use serde_json::Value;
use serde_saphyr::Spanned;

use super::items::records;
use super::near::nearest;
use super::pairs::Pairs;
use super::{Inputs, base, resolve};
use crate::args::{self, ConfiguredFlags, Verb};
use crate::contract::label;
use crate::error::Error;

/// How the variables begin that stand for flags.
pub(crate) const VARIABLES: &str = "KUBECTL_INDEXED_";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SettingShape {
    One,
    /// A list, replaced by that of a stronger source.
    List,
    /// Values by key, each replaced by that of a stronger source.
    Map,
}

/// Where a template says the same: nothing where it can't.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Nowhere,
    Label(&'static str),
    /// In one of these places of the Job.
    Job(&'static [&'static str]),
    /// In one of these places of the Pods' spec.
    Pod(&'static [&'static str]),
    /// In one of these places of the worker's container.
    Worker(&'static [&'static str]),
    /// In one of these places of the Job, or by a Pod that starts its container again: failures of each index can't be
    /// counted then.
    Failures(&'static [&'static str]),
}

/// A flag that may have a standing default.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The flag without its dashes, and the key in the file.
    pub(crate) name: &'static str,
    /// The verbs that go by it; none are all.
    pub(crate) verbs: &'static [&'static str],
    pub(crate) shape: SettingShape,
    said: Said,
    /// A value to show, as YAML; of a map one line of it.
    pub(crate) example: &'static str,
}

const RUN: &[&str] = &["run"];
const CHANGE: &[&str] = &["run", "retry", "suspend", "resume", "scale"];

const fn one(name: &'static str, verbs: &'static [&'static str], said: Said, example: &'static str) -> Setting {
    Setting { name, verbs, shape: SettingShape::One, said, example }
}

const fn several(name: &'static str, shape: SettingShape, said: Said, example: &'static str) -> Setting {
    Setting { name, verbs: RUN, shape, said, example }
}

/// All settings: file, variables, `config` and its example go by this list alone.
pub(crate) const SETTINGS: [Setting; 25] = [
    one("image", RUN, Said::Worker(&["/image"]), "registry.example.com/tools:1.4"),
    one("init-image", &["run", "retry"], Said::Nowhere, "registry.example.com/busybox"),
    one("image-pull-policy", RUN, Said::Worker(&["/imagePullPolicy"]), "IfNotPresent"),
    several("image-pull-secret", SettingShape::List, Said::Pod(&["/imagePullSecrets"]), "registry-login"),
    one("parallelism", RUN, Said::Job(&["/spec/parallelism"]), "20"),
    one("queue", RUN, Said::Label(label::KUEUE_QUEUE), "team-queue"),
    several(
        "label",
        SettingShape::Map,
        Said::Job(&["/metadata/labels", "/spec/template/metadata/labels"]),
        "team: vision",
    ),
    several(
        "annotation",
        SettingShape::Map,
        Said::Job(&["/metadata/annotations", "/spec/template/metadata/annotations"]),
        "example.com/contact: vision@example.com",
    ),
    one("retries", RUN, Said::Failures(&["/spec/backoffLimitPerIndex", "/spec/backoffLimit"]), "2"),
    one(
        "max-evictions",
        RUN,
        Said::Failures(&["/spec/podFailurePolicy", "/spec/backoffLimitPerIndex", "/spec/backoffLimit"]),
        "5",
    ),
    one("max-failed", RUN, Said::Failures(&["/spec/maxFailedIndexes", "/spec/backoffLimit"]), "10"),
    one("timeout", RUN, Said::Job(&["/spec/activeDeadlineSeconds"]), "12h"),
    one("index-timeout", RUN, Said::Pod(&["/activeDeadlineSeconds"]), "1h"),
    one("ttl", RUN, Said::Job(&["/spec/ttlSecondsAfterFinished"]), "72h"),
    one("cpu", RUN, Said::Worker(&["/resources/requests/cpu", "/resources/limits/cpu"]), "500m"),
    one("memory", RUN, Said::Worker(&["/resources/requests/memory", "/resources/limits/memory"]), "1Gi"),
    one("service-account", RUN, Said::Pod(&["/serviceAccountName", "/serviceAccount"]), "worker"),
    several("node-selector", SettingShape::Map, Said::Pod(&["/nodeSelector"]), "kubernetes.io/arch: amd64"),
    several("toleration", SettingShape::List, Said::Pod(&["/tolerations"]), "dedicated=batch:NoSchedule"),
    one("priority-class", RUN, Said::Pod(&["/priorityClassName"]), "batch-low"),
    one("item-store", RUN, Said::Nowhere, "configmap"),
    one("prefix", &["run", "retry", "logs"], Said::Nowhere, "index"),
    one("max-log-requests", &["logs"], Said::Nowhere, "32"),
    one("field-manager", CHANGE, Said::Nowhere, "nightly-batch"),
    one("plain", &[], Said::Nowhere, "true"),
];

impl Setting {
    pub(crate) fn variable(&self) -> String {
        format!("{VARIABLES}{}", self.name.to_uppercase().replace('-', "_"))
    }

    /// What a template says of it: where it is a map, of this key.
    fn is_said_by(&self, base: &Value, key: Option<&str>) -> bool {
        let pod = base.pointer("/spec/template/spec");
        let (within, places) = match self.said {
            Said::Nowhere => return false,
            Said::Label(key) => {
                return base.pointer("/metadata/labels").is_some_and(|labels| labels.get(key).is_some());
            }
            Said::Failures(_) if base::restart_policy(base) == Some("OnFailure") => return true,
            Said::Job(places) | Said::Failures(places) => (Some(base), places),
            Said::Pod(places) => (pod, places),
            Said::Worker(places) => (base::worker(base), places),
        };
        let found = places.iter().filter_map(|place| within?.pointer(place)).filter(|value| !value.is_null());
        match (self.shape, key) {
            (SettingShape::Map, Some(key)) => found.into_iter().any(|map| map.get(key).is_some()),
            _ => found.count() > 0,
        }
    }
}

/// Who said a standing default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ValueOrigin {
    /// This line of the file at this path.
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

/// One value of a setting, written as its flag takes it, and valid.
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

    /// As a key and a value, of a map.
    pub(crate) fn pair(&self) -> Option<(String, String)> {
        let (key, value) = self.value.split_once('=').filter(|_| self.setting.shape == SettingShape::Map)?;
        Some((key.to_owned(), value.to_owned()))
    }

    /// Fails with what the flag itself would say of this value.
    fn check(&self) -> Result<(), Error> {
        let verb = self.setting.verbs.first().unwrap_or(&"list");
        let name = self.setting.name;
        let read = args::read_word(verb, name, &self.value).map_err(|(problem, meant)| {
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
            let near = nearest(&key.value, SETTINGS.iter().map(|setting| setting.name));
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

/// The values as the flag takes them; a key without a value says nothing.
fn written(setting: &Setting, value: Value) -> Result<Vec<String>, (String, String)> {
    let name = setting.name;
    let scalar = |value: Value| match value {
        Value::String(text) => Some(text),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    let wrong = |found: &Value| {
        let found = match found {
            Value::Null => "has nothing in it",
            Value::Array(_) => "is a list",
            Value::Object(_) => "has keys and values",
            Value::String(_) | Value::Bool(_) | Value::Number(_) => "is a single value",
        };
        let example = setting.example;
        let (takes, example) = match setting.shape {
            SettingShape::One => ("one value", example.to_owned()),
            SettingShape::List => ("a list of values", format!("[\"{example}\"]")),
            SettingShape::Map => ("keys and values", format!("{{{example}}}")),
        };
        (format!("{found}, and takes {takes}"), format!("write {name}: {example}"))
    };
    match (setting.shape, value) {
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
                ("has a key without a single value".to_owned(), hint)
            }),
        (SettingShape::One, value) => scalar(value.clone()).map(|value| vec![value]).ok_or_else(|| wrong(&value)),
        (SettingShape::List | SettingShape::Map, value) => Err(wrong(&value)),
    }
}

/// Reads what the variables of the environment say; one that is empty says nothing.
/// Fails for a name that is nearly that of a setting. Any other is not ours: a Pod has such variables of each Service
/// (`KUBECTL_INDEXED_PORT`).
pub(crate) fn from_environment(
    variables: impl Iterator<Item = (String, String)>,
) -> Result<Vec<ConfiguredValue>, Error> {
    let mut given: Vec<_> =
        variables.filter(|(name, value)| name.starts_with(VARIABLES) && !value.is_empty()).collect();
    given.sort();
    let names: Vec<_> = SETTINGS.iter().map(Setting::variable).collect();
    let mut entries = Vec::new();
    for (name, value) in given {
        let Some(setting) = SETTINGS.iter().find(|setting| setting.variable() == name) else {
            let distance = |other: &str| strsim::damerau_levenshtein(&name, other);
            if let Some(near) = names.iter().min_by_key(|other| distance(other)).filter(|other| distance(other) <= 2) {
                return Err(Error::usage(format!("there is no setting for the variable {name}"))
                    .hint(format!("did you mean {near}?")));
            }
            continue;
        };
        let origin = ValueOrigin::Environment(name);
        let values = match setting.shape {
            SettingShape::One => vec![value],
            SettingShape::List | SettingShape::Map => separated(&value)
                .ok_or_else(|| Error::usage(format!("{origin}: {value:?} is no list separated by commas")))?,
        };
        entries.extend(values.into_iter().map(|value| ConfiguredValue { setting, value, origin: origin.clone() }));
    }
    entries.iter().try_for_each(ConfiguredValue::check)?;
    Ok(entries)
}

/// The parts between commas; one that has a comma stands in quotes.
fn separated(text: &str) -> Option<Vec<String>> {
    let fields = records(text.as_bytes()).into_iter().next()?;
    fields.into_iter().map(|field| String::from_utf8(field).ok()).collect()
}

/// What is in force, of a stronger source and a weaker one.
pub(crate) fn over(stronger: Vec<ConfiguredValue>, weaker: Vec<ConfiguredValue>) -> Vec<ConfiguredValue> {
    let mut all = weaker;
    all.retain(|weak| !stronger.iter().any(|strong| strong.setting == weak.setting && strong.key() == weak.key()));
    all.extend(stronger);
    all
}

/// What is left of standing defaults where a template says the same.
pub(crate) fn beside<'a>(
    entries: &'a [ConfiguredValue],
    base: Option<&'a Value>,
) -> impl Iterator<Item = &'a ConfiguredValue> {
    entries.iter().filter(move |entry| !base.is_some_and(|base| entry.setting.is_said_by(base, entry.key().as_deref())))
}

#[cfg(test)]
mod tests;
