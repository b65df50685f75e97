//! What is to be run again, and with which changes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::handover::{Handover, HandoverChoices, HandoverRequest, ItemForm, Slurm, VariableSource};
use super::items::Items;
use super::pod::{Requirement, check_image};
use super::sources::text_of;
use super::template::{self, Placeholder, Subject};
use super::{check_parallelism, policy};
use crate::args::{OutstandingStatus, RetryArgs};
use crate::contract::{INPUT, ITEM_PATH};
use crate::error::Error;
use crate::index_set::{IndexSelector, IndexSet};

/// Which of the outstanding indexes are meant.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RetryFilter {
    pub(crate) index: Option<IndexSelector>,
    /// Any, if none is named.
    pub(crate) statuses: Vec<OutstandingStatus>,
    /// Any, if none is named; in lower case.
    pub(crate) reasons: Vec<String>,
    /// Any, if none is named.
    pub(crate) exit_codes: Option<IndexSet>,
}

impl RetryFilter {
    /// Whether attempts have to be looked at to tell.
    pub(crate) fn needs_attempts(&self) -> bool {
        !self.statuses.is_empty() || !self.reasons.is_empty() || self.exit_codes.is_some()
    }
}

/// What is to be another way than the first time.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Changes {
    pub(crate) image: Option<String>,
    pub(crate) cpu: Option<ResourceChange>,
    pub(crate) memory: Option<ResourceChange>,
    pub(crate) retries: Option<u32>,
    pub(crate) parallelism: Option<u32>,
    pub(crate) init_image: Option<String>,
    /// The image of the init container where neither that nor the Job names one with a shell.
    pub(crate) init_image_at_last: Option<String>,
    /// As the user wrote it.
    pub(crate) command: Option<Vec<String>>,
}

/// How much of a resource an index may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ResourceChange {
    To(Requirement),
    /// So many thousandths of what it was.
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
        // How it is shown is the command's business.
        follow: _,
        objects: _,
        configured,
    } = args;
    let exit_codes = exit_codes.map(|text| policy::index_set("--exit-code", &text, "write exit codes as 137 or 1,3-5"));
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
    let command = text_of(&command)?;
    let (init_image, at_last) = if configured.contains("init-image") { (None, init_image) } else { (init_image, None) };
    let changes = Changes {
        image,
        cpu: cpu.map(|text| amount("--cpu", &text, "2, 500m, 500m:2 or x2")).transpose()?,
        memory: memory.map(|text| amount("--memory", &text, "512Mi, 512Mi:2Gi or x2")).transpose()?,
        retries,
        parallelism,
        init_image,
        init_image_at_last: at_last,
        command: Some(command).filter(|command| !command.is_empty()),
    };
    Ok((wanted, changes))
}

/// A quantity, or what to multiply the one by that is there.
fn amount(flag: &str, text: &str, examples: &str) -> Result<ResourceChange, Error> {
    let Some(factor) = text.strip_prefix(['x', 'X', '*', '×']) else {
        return Requirement::parse(flag, text, examples).map(ResourceChange::To);
    };
    let thousandths = decimal(factor, 3).filter(|thousandths| *thousandths > 0);
    let thousandths = thousandths.and_then(|n| u64::try_from(n).ok()).filter(|n| *n <= 1_000_000);
    thousandths.map(ResourceChange::Times).ok_or_else(|| {
        Error::usage(format!("{flag} {text:?}: {factor:?} is no number to multiply by, from x0.001 to x1000"))
            .hint(format!("write it as {examples}"))
    })
}

/// A decimal number in units of `10^-places`; None for what is none, or has more digits than that.
fn decimal(text: &str, places: usize) -> Option<u128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !digits(whole) || !digits(fraction) || fraction.len() > places {
        return None;
    }
    format!("{whole}{fraction:0<places$}").parse().ok()
}

/// A Kubernetes quantity so many thousandths as large, in the same unit; None for what is no quantity.
pub(crate) fn multiplied(quantity: &str, thousandths: u64) -> Option<String> {
    let end = quantity.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(quantity.len());
    let (number, unit) = quantity.split_at(end);
    // A quantity has no more than three digits after the point (`pkg/api/resource` of apimachinery), nine here.
    let nanos = decimal(number, 9)?.checked_mul(u128::from(thousandths))?.div_ceil(1000);
    let (whole, fraction) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    let fraction = format!("{fraction:09}");
    let fraction = fraction.trim_end_matches('0');
    Some(if fraction.is_empty() { format!("{whole}{unit}") } else { format!("{whole}.{fraction}{unit}") })
}

/// What a Job notes of how its items are handed over, for a command that replaces its own.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct HandoverNote {
    #[serde(flatten)]
    wished: HandoverChoices,
    /// The file with the item, unless it is the usual one.
    #[serde(skip_serializing_if = "String::is_empty")]
    path: String,
    /// The volumes that bring the item.
    pub(crate) volumes: Vec<String>,
    /// The init container that picks, checks and writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) init: Option<String>,
    /// Variables of other systems, and whether each is the item; otherwise it is the index plus one.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    variables: BTreeMap<String, bool>,
}

impl HandoverNote {
    pub(crate) fn new(handover: &Handover, volumes: Vec<String>, init: Option<String>) -> Self {
        let standing = handover.variables.iter().filter(|variable| variable.standing);
        let variables = standing.filter_map(|variable| {
            let is_item = match variable.origin {
                VariableSource::Item(_) => true,
                VariableSource::Position => false,
                VariableSource::Constant(_) | VariableSource::Field(_) | VariableSource::Index => return None,
            };
            Some((variable.name.clone(), is_item))
        });
        let path = Some(handover.path.clone()).filter(|path| path != ITEM_PATH).unwrap_or_default();
        let wished = handover.wished.clone();
        Self { wished, path, volumes, init, variables: variables.collect() }
    }

    /// As it is noted: JSON.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The note of a Job that was made before there was one: it keeps its form.
    pub(crate) fn of_older_job(path: &str) -> Self {
        Self {
            wished: HandoverChoices { form: true, ..HandoverChoices::default() },
            path: path.to_owned(),
            volumes: vec![INPUT.to_owned(), "items".to_owned()],
            init: Some(INPUT.to_owned()),
            variables: BTreeMap::new(),
        }
    }

    /// Decides how items reach another command, and returns what the user should know of it: by the form of the first
    /// command, or by arguments where the new one has placeholders and the form was not asked for.
    pub(crate) fn plan(
        &self,
        command: &[String],
        items: &Items,
        form: ItemForm,
        completions: u32,
    ) -> Result<(Handover, Vec<String>), Error> {
        let asked = self.wished.form || matches!(form, ItemForm::Env | ItemForm::Stdin | ItemForm::Index);
        let has_placeholders =
            || Ok::<_, Error>(!template::parse(command, &items.columns().names(), true)?.is_literal());
        let in_file = match form {
            ItemForm::File => asked || self.wished.no_placeholders || !has_placeholders()?,
            form => form == ItemForm::Stdin,
        };
        let origin = |is_item| if is_item { VariableSource::Item(Placeholder::ITEM) } else { VariableSource::Position };
        let wishes = HandoverRequest {
            form: Some(form).filter(|_| asked),
            path: Some(self.path.clone()).filter(|path| in_file && !path.is_empty()),
            wished: self.wished.clone(),
            index_env: None,
            compat: Vec::new(),
            standing: self.variables.iter().map(|(name, is_item)| (name.clone(), origin(*is_item))).collect(),
            env: &[],
            arguments: (form == ItemForm::Arg).then_some("the first command took arguments"),
            is_range: false,
            template_command: false,
            completions,
            slurm: Slurm::default(),
        };
        let (handover, notes) = Handover::plan(command, items, &wishes)?;
        let columns = items.columns().len();
        let unknown = items.numbered().find(|(_, item)| item.count() != columns);
        let column =
            handover.item_variables().find(|(_, placeholder)| matches!(placeholder.subject, Subject::Column(_)));
        if let (Some((index, _)), Some((_, placeholder))) = (unknown, column) {
            return Err(Error::usage(format!(
                "the job does not keep the columns of item {index} apart, so {} is not known",
                placeholder.written(&items.columns().names())
            ))
            .hint("use {}, or run the list again by kubectl indexed run"));
        }
        Ok((handover, notes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_keep_their_unit() {
        let doubled = |quantity| multiplied(quantity, 2000).unwrap();
        assert_eq!(
            [doubled("512Mi"), doubled("1.5Gi"), doubled("500m"), doubled("2"), doubled("1e3")],
            ["1024Mi", "3Gi", "1000m", "4", "2e3"]
        );
        assert_eq!(multiplied("5Mi", 1500).unwrap(), "7.5Mi");
        assert_eq!(multiplied("much", 1500), None);
    }

    #[test]
    fn amounts_are_quantities_or_factors() {
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
