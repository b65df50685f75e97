//! `retry`: which indexes run again, and with which changes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::handover::{Handover, HandoverChoices, HandoverRequest, ItemForm, Slurm, VariableSource};
use super::items::Items;
use super::pod::{Requirement, check_image};
use super::sources::command_text;
use super::template::{self, Placeholder, PlaceholderSubject};
use super::{check_parallelism, policy};
use crate::args::{OutstandingStatus, RetryArgs};
use crate::contract::{INPUT, ITEM_PATH};
use crate::error::Error;
use crate::index_set::{IndexSelector, IndexSet};

/// Selects outstanding indexes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RetryFilter {
    pub(crate) index: Option<IndexSelector>,
    /// Empty selects all.
    pub(crate) statuses: Vec<OutstandingStatus>,
    /// In lower case; empty selects all.
    pub(crate) reasons: Vec<String>,
    /// `None` selects all.
    pub(crate) exit_codes: Option<IndexSet>,
}

impl RetryFilter {
    /// Returns whether the filter depends on attempts.
    pub(crate) fn needs_attempts(&self) -> bool {
        !self.statuses.is_empty() || !self.reasons.is_empty() || self.exit_codes.is_some()
    }
}

/// Changes to the Job that is retried.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Changes {
    pub(crate) image: Option<String>,
    pub(crate) cpu: Option<ResourceChange>,
    pub(crate) memory: Option<ResourceChange>,
    pub(crate) retries: Option<u32>,
    pub(crate) parallelism: Option<u32>,
    pub(crate) init_image: Option<String>,
    /// The image of the init container if neither `init_image` nor the Job names one with a shell.
    pub(crate) fallback_init_image: Option<String>,
    /// As typed.
    pub(crate) command: Option<Vec<String>>,
}

/// A change of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ResourceChange {
    To(Requirement),
    /// A multiple, in thousandths.
    Times(u64),
}

pub(crate) fn resolve(args: RetryArgs) -> Result<(RetryFilter, Changes), Error> {
    let RetryArgs {
        job: _,
        command,
        index,
        status,
        reasons,
        exit_codes,
        image,
        cpu,
        memory,
        retries,
        parallelism,
        init_image,
        // The command decides how the retry is shown.
        follow: _,
        objects: _,
        configured,
    } = args;
    let exit_codes = exit_codes.map(|text| policy::parse_index_set("--exit-code", &text, "137 or 1,3-5"));
    let wanted = RetryFilter {
        index,
        statuses: status,
        reasons: reasons.iter().map(|reason| reason.trim().to_lowercase()).collect(),
        exit_codes: exit_codes.transpose()?,
    };
    policy::check_count("--retries", retries)?;
    check_image("--image", image.as_deref())?;
    check_image("--init-image", init_image.as_deref())?;
    parallelism.map(check_parallelism).transpose()?;
    let command = command_text(&command)?;
    let (init_image, fallback_init_image) =
        if configured.contains("init-image") { (None, init_image) } else { (init_image, None) };
    let changes = Changes {
        image,
        cpu: cpu.map(|text| amount("--cpu", &text, "2, 500m, 500m:2 or x2")).transpose()?,
        memory: memory.map(|text| amount("--memory", &text, "512Mi, 512Mi:2Gi or x2")).transpose()?,
        retries,
        parallelism,
        init_image,
        fallback_init_image,
        command: Some(command).filter(|command| !command.is_empty()),
    };
    Ok((wanted, changes))
}

/// Parses a quantity, or a factor such as `x2`.
fn amount(flag: &str, text: &str, examples: &str) -> Result<ResourceChange, Error> {
    let Some(factor) = text.strip_prefix(['x', 'X', '*', '×']) else {
        return Requirement::parse(flag, text, examples).map(ResourceChange::To);
    };
    let thousandths = decimal(factor, 3).filter(|thousandths| *thousandths > 0);
    let thousandths = thousandths.and_then(|n| u64::try_from(n).ok()).filter(|n| *n <= 1_000_000);
    thousandths.map(ResourceChange::Times).ok_or_else(|| {
        Error::usage(format!("{flag} {text:?}: {factor:?} is not a factor from 0.001 to 1000"))
            .hint(format!("write it as {examples}"))
    })
}

/// Parses a decimal number in units of `10^-places`; `None` if it is none, or has more digits.
fn decimal(text: &str, places: usize) -> Option<u128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !digits(whole) || !digits(fraction) || fraction.len() > places {
        return None;
    }
    format!("{whole}{fraction:0<places$}").parse().ok()
}

/// Multiplies a Kubernetes quantity by thousandths, in its own unit; `None` if it is no quantity.
pub(crate) fn multiply(quantity: &str, thousandths: u64) -> Option<String> {
    let end = quantity.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(quantity.len());
    let (number, unit) = quantity.split_at(end);
    // A quantity has at most three digits after the point (`pkg/api/resource` of apimachinery); nine are allowed here.
    let nanos = decimal(number, 9)?.checked_mul(u128::from(thousandths))?.div_ceil(1000);
    let (whole, fraction) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    let fraction = format!("{fraction:09}");
    let fraction = fraction.trim_end_matches('0');
    Some(if fraction.is_empty() { format!("{whole}{unit}") } else { format!("{whole}.{fraction}{unit}") })
}

/// The annotation with which a Job stores how its items reach the worker, for a later command.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct HandoverNote {
    #[serde(flatten)]
    choices: HandoverChoices,
    /// The file with the item; empty for the default one.
    #[serde(skip_serializing_if = "String::is_empty")]
    path: String,
    /// The volumes that hold the item.
    pub(crate) volumes: Vec<String>,
    /// The init container that picks, checks and writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) init: Option<String>,
    /// Variables of other systems: `true` for the item, `false` for the index plus one.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    variables: BTreeMap<String, bool>,
}

impl HandoverNote {
    pub(crate) fn new(handover: &Handover, volumes: Vec<String>, init: Option<String>) -> Self {
        let kept = handover.variables.iter().filter(|variable| variable.is_kept);
        let variables = kept.filter_map(|variable| {
            let is_item = match variable.source {
                VariableSource::Item(_) => true,
                VariableSource::Position => false,
                VariableSource::Constant(_) | VariableSource::Field(_) | VariableSource::Index => return None,
            };
            Some((variable.name.clone(), is_item))
        });
        let path = Some(handover.path.clone()).filter(|path| path != ITEM_PATH).unwrap_or_default();
        let choices = handover.choices.clone();
        Self { choices, path, volumes, init, variables: variables.collect() }
    }

    /// Returns the value of the annotation, as JSON.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Returns the note for a Job that an older version made without one. Such a Job keeps its form.
    pub(crate) fn of_older_job(path: &str) -> Self {
        Self {
            choices: HandoverChoices { form: true, ..HandoverChoices::default() },
            path: path.to_owned(),
            volumes: vec![INPUT.to_owned(), "items".to_owned()],
            init: Some(INPUT.to_owned()),
            variables: BTreeMap::new(),
        }
    }

    /// Decides how items reach another command: in the form of the first command, or in arguments if the new command has
    /// placeholders and the user chose no form. Returns warnings with it.
    pub(crate) fn plan(
        &self,
        command: &[String],
        items: &Items,
        form: ItemForm,
        completions: u32,
    ) -> Result<(Handover, Vec<String>), Error> {
        let asked = self.choices.form || matches!(form, ItemForm::Env | ItemForm::Stdin | ItemForm::Index);
        let has_placeholders =
            || Ok::<_, Error>(!template::parse(command, &items.columns().names(), true)?.is_literal());
        let in_file = match form {
            ItemForm::File => asked || self.choices.no_placeholders || !has_placeholders()?,
            form => form == ItemForm::Stdin,
        };
        let source = |is_item| if is_item { VariableSource::Item(Placeholder::ITEM) } else { VariableSource::Position };
        let request = HandoverRequest {
            form: Some(form).filter(|_| asked),
            path: Some(self.path.clone()).filter(|path| in_file && !path.is_empty()),
            choices: self.choices.clone(),
            index_env: None,
            compat: Vec::new(),
            kept_variables: self.variables.iter().map(|(name, is_item)| (name.clone(), source(*is_item))).collect(),
            env: &[],
            arguments: (form == ItemForm::Arg).then_some("the first command took arguments"),
            is_range: false,
            template_command: false,
            completions,
            slurm: Slurm::default(),
        };
        let (handover, notes) = Handover::plan(command, items, &request)?;
        let columns = items.columns().len();
        let unknown = items.numbered().find(|(_, item)| item.value_count() != columns);
        let column = handover
            .item_variables()
            .find(|(_, placeholder)| matches!(placeholder.subject, PlaceholderSubject::Column(_)));
        if let (Some((index, _)), Some((_, placeholder))) = (unknown, column) {
            return Err(Error::usage(format!(
                "the job stored item {index} without separate columns, so {} is unknown",
                placeholder.to_text(&items.columns().names())
            ))
            .hint("use {}, or start a new run with the list"));
        }
        Ok((handover, notes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_multiplied_quantity_keeps_its_unit() {
        let doubled = |quantity| multiply(quantity, 2000).unwrap();
        assert_eq!(
            [doubled("512Mi"), doubled("1.5Gi"), doubled("500m"), doubled("2"), doubled("1e3")],
            ["1024Mi", "3Gi", "1000m", "4", "2e3"]
        );
        assert_eq!(multiply("5Mi", 1500).unwrap(), "7.5Mi");
        assert_eq!(multiply("much", 1500), None);
    }

    #[test]
    fn a_resource_change_is_a_quantity_or_a_factor() {
        let amount = |text| amount("--memory", text, "2Gi or x2").map_err(|error| error.to_string());
        let to = |request: &str, limit: Option<&str>| {
            Ok(ResourceChange::To(Requirement { request: request.to_owned(), limit: limit.map(str::to_owned) }))
        };
        assert_eq!(amount("2Gi"), to("2Gi", None));
        assert_eq!(amount("1Gi:2Gi"), to("1Gi", Some("2Gi")));
        assert_eq!(amount("x2"), Ok(ResourceChange::Times(2000)));
        assert_eq!(amount("x1.5"), Ok(ResourceChange::Times(1500)));
        for wrong in ["x", "x0", "x-1", "x1.2345", "x1e3", "2GB", "", "2Gi:", ":2Gi", "2Gi:1Gi", "1Gi:x2"] {
            assert!(amount(wrong).is_err(), "{wrong}");
        }
    }
}
