//! The flags that describe a Pod: resources and tolerations.

use crate::error::Error;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Resources {
    /// A Kubernetes quantity of cores.
    pub(crate) cpu: Option<String>,
    /// A Kubernetes quantity of bytes; also the limit, because memory can't be taken back from a process.
    pub(crate) memory: Option<String>,
    /// An extended resource and how many of it.
    pub(crate) gpu: Option<(String, u32)>,
}

impl Resources {
    pub(super) fn parse(cpu: Option<String>, memory: Option<String>, gpu: Option<String>) -> Result<Self, Error> {
        if let Some(cpu) = &cpu {
            check_quantity("--cpu", cpu, "2, 0.5 or 500m")?;
        }
        if let Some(memory) = &memory {
            check_quantity("--memory", memory, "512Mi or 2Gi")?;
        }
        let gpu = gpu.map(|text| parse_gpu(&text)).transpose()?;
        Ok(Self { cpu, memory, gpu })
    }
}

fn parse_gpu(text: &str) -> Result<(String, u32), Error> {
    let (resource, number) = text.rsplit_once('=').unwrap_or(("nvidia.com/gpu", text));
    match number.parse() {
        Ok(number) if number > 0 && resource.contains('/') => Ok((resource.to_owned(), number)),
        _ => Err(Error::usage(format!("--gpu {text:?} is neither a whole number of GPUs nor RESOURCE=NUMBER"))
            .hint("write it as 1, or as amd.com/gpu=1")),
    }
}

/// The suffixes of a quantity, <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>.
const SUFFIXES: [&str; 17] = ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "e"];

pub(super) fn check_quantity(flag: &str, text: &str, examples: &str) -> Result<(), Error> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    // An exponent, as in 1e3, has its digits behind the suffix.
    let suffix = match suffix.split_once(['e', 'E']) {
        Some(("", exponent)) if exponent.parse::<i32>().is_ok() => "e",
        _ => suffix,
    };
    let known = SUFFIXES.contains(&suffix) && suffix != "e" || suffix == "e" && digits < text.len() - 1;
    match number.parse::<f64>() {
        Ok(value) if known && value > 0.0 => Ok(()),
        _ => Err(Error::usage(format!("{flag} {text:?} is not a quantity that Kubernetes knows"))
            .hint(format!("write it as {examples}"))),
    }
}

/// Returns the cores of a quantity, rounded up; None for what is no usual one.
pub(super) fn whole_cores(quantity: &str) -> Option<u32> {
    if let Some(thousandths) = quantity.strip_suffix('m') {
        return Some(thousandths.parse::<u32>().ok()?.div_ceil(1000));
    }
    let (whole, fraction) = quantity.split_once('.').unwrap_or((quantity, ""));
    Some(whole.parse::<u32>().ok()? + u32::from(fraction.contains(|c: char| c != '0')))
}

/// A taint that the Pods may be scheduled onto.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Toleration {
    pub(crate) key: String,
    /// None tolerates any value.
    pub(crate) value: Option<String>,
    /// None tolerates every effect.
    pub(crate) effect: Option<&'static str>,
}

impl Toleration {
    const EFFECTS: [&'static str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let malformed = |what: &str| {
            Error::usage(format!("--toleration {text:?} {what}"))
                .hint("write it as KEY:EFFECT or KEY=VALUE:EFFECT, as in gpu=true:NoSchedule")
        };
        let (taint, effect) = text.rsplit_once(':').ok_or_else(|| malformed("names no effect"))?;
        let effect =
            match effect {
                "" => None,
                _ => Some(Self::EFFECTS.into_iter().find(|known| *known == effect).ok_or_else(|| {
                    malformed(&format!("has an unknown effect; there are {}", Self::EFFECTS.join(", ")))
                })?),
            };
        let (key, value) = match taint.split_once('=') {
            Some((key, value)) => (key, Some(value.to_owned())),
            None => (taint, None),
        };
        if key.is_empty() {
            return Err(malformed("names no key"));
        }
        Ok(Self { key: key.to_owned(), value, effect })
    }
}
