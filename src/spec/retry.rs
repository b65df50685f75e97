//! What is to be run again, and with which changes.

use super::handover::{ItemForm, Part, Word, words};
use super::items::Columns;
use super::template::{self, Template};
use super::variables::Naming;
use super::{check_parallelism, pod, policy, script};
use crate::args::{OutstandingStatus, RetryArgs};
use crate::error::Error;
use crate::index_set::{IndexSelector, IndexSet};

/// Which of the outstanding indexes are meant.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) index: Option<IndexSelector>,
    /// Any, if none is named.
    pub(crate) statuses: Vec<OutstandingStatus>,
    /// Any, if none is named; in lower case.
    pub(crate) reasons: Vec<String>,
    /// Any, if none is named.
    pub(crate) exit_codes: Option<IndexSet>,
}

impl Wanted {
    /// Whether attempts have to be looked at to tell.
    pub(crate) fn goes_by_attempts(&self) -> bool {
        !self.statuses.is_empty() || !self.reasons.is_empty() || self.exit_codes.is_some()
    }
}

/// What is to be another way than the first time.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Changes {
    pub(crate) image: Option<String>,
    pub(crate) cpu: Option<Amount>,
    pub(crate) memory: Option<Amount>,
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
pub(crate) enum Amount {
    /// A Kubernetes quantity.
    To(String),
    /// So many thousandths of what it was.
    Times(u64),
}

/// From the words of the command line.
pub(crate) fn resolve(args: RetryArgs) -> Result<(Wanted, Changes), Error> {
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
        standing,
    } = args;
    let exit_codes = exit_codes.map(|text| policy::index_set("--exit-code", &text, "write exit codes as 137 or 1,3-5"));
    let wanted = Wanted {
        index,
        statuses: status,
        reasons: reasons.iter().map(|reason| reason.trim().to_lowercase()).collect(),
        exit_codes: exit_codes.transpose()?,
    };
    policy::check_retries(retries)?;
    parallelism.map(check_parallelism).transpose()?;
    let command = command
        .into_iter()
        .map(|word| {
            word.into_string().map_err(|word| {
                Error::usage(format!(
                    "the argument {:?} is not UTF-8, and Kubernetes takes no other text",
                    word.display()
                ))
                .hint("write it another way, as by printf in a script")
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let (init_image, at_last) = if standing.has("init-image") { (None, init_image) } else { (init_image, None) };
    let changes = Changes {
        image,
        cpu: cpu.map(|text| amount("--cpu", &text, "2, 500m or x2")).transpose()?,
        memory: memory.map(|text| amount("--memory", &text, "512Mi, 2Gi or x2")).transpose()?,
        retries,
        parallelism,
        init_image,
        init_image_at_last: at_last,
        command: Some(command).filter(|command| !command.is_empty()),
    };
    Ok((wanted, changes))
}

/// A quantity, or what to multiply the one by that is there.
fn amount(flag: &str, text: &str, examples: &str) -> Result<Amount, Error> {
    let Some(factor) = text.strip_prefix(['x', 'X', '*', '×']) else {
        pod::check_quantity(flag, text, examples)?;
        return Ok(Amount::To(text.to_owned()));
    };
    let thousandths = decimal(factor, 3).filter(|thousandths| *thousandths > 0);
    let thousandths = thousandths.and_then(|n| u64::try_from(n).ok()).filter(|n| *n <= 1_000_000);
    thousandths.map(Amount::Times).ok_or_else(|| {
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

/// How a Job that this program made hands its items over.
#[derive(Clone, Debug)]
pub(crate) struct Given<'a> {
    pub(crate) form: ItemForm,
    pub(crate) columns: &'a Columns,
    /// Where the item is, where it is in a file.
    pub(crate) path: Option<&'a str>,
    /// The variables made of the item that the worker has.
    pub(crate) variables: &'a [String],
}

/// A corrected command, in which placeholders stand for what the Job hands over already.
///
/// # Errors
/// A usage error for a placeholder whose value the Job does not hand over.
pub(crate) fn reword(command: &[String], given: &Given<'_>) -> Result<Vec<Word>, Error> {
    let names = given.columns.names();
    let template = match given.form {
        ItemForm::Arg => template::parse(command, &names, true)?,
        ItemForm::Index => template::parse(command, &names, false)?,
        ItemForm::File | ItemForm::Env | ItemForm::Stdin => Template::literal(command),
    };
    let mut naming = Naming::new(&names);
    let mut words = words(command, &template, &mut naming)?;
    for position in script::scripts(command) {
        let ([Part::Text(text)], false) = (&words[position][..], template.arguments[position].is_literal()) else {
            continue;
        };
        let evaluated = script::evaluated(text)?;
        if let Some((name, _)) = evaluated.iter().find(|(name, _)| given.variables.contains(name)) {
            return Err(Error::usage(format!(
                "${name} stands in arithmetic, where only numbers are safe, and a retry does not read the items"
            ))
            .hint("take it out of the formula: assign it to a variable and check it there"));
        }
    }
    for placeholder in template.placeholders().filter(|placeholder| placeholder.subject != template::Subject::Index) {
        let name = naming.name(placeholder);
        if !given.variables.iter().any(|known| known == name) {
            return Err(Error::usage(format!(
                "the Job hands over no value for {}: its command had no such placeholder",
                placeholder.written(&names)
            ))
            .hint(format!("it hands over the variables {}", given.variables.join(", "))));
        }
    }
    if given.form == ItemForm::Arg && template.is_literal() {
        words.extend(naming.all(&names).into_iter().filter(|word| {
            let known = |part: &Part| matches!(part, Part::Variable(name) if given.variables.contains(name));
            word.iter().all(known)
        }));
    }
    if let (ItemForm::File, Some(path)) = (given.form, given.path)
        && !command.iter().any(|word| word.contains(path))
    {
        words.push(vec![Part::Text(path.to_owned())]);
    }
    Ok(words)
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
        assert_eq!(amount("2Gi"), Ok(Amount::To("2Gi".to_owned())));
        assert_eq!(amount("x2"), Ok(Amount::Times(2000)));
        assert_eq!(amount("x1.5"), Ok(Amount::Times(1500)));
        for wrong in ["x", "x0", "x-1", "x1.2345", "x1e3", "2GB", ""] {
            assert!(amount(wrong).is_err(), "{wrong}");
        }
    }
}
