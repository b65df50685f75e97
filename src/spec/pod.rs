//! The flags that describe a Pod: resources and tolerations.

use crate::error::Error;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Resources {
    /// In cores; without a limit unless one is named, so that an index may use what is idle.
    pub(crate) cpu: Option<Requirement>,
    /// In bytes; the request is also the limit unless one is named, because memory can't be taken back from a process.
    pub(crate) memory: Option<Requirement>,
    /// An extended resource and how many of it.
    pub(crate) gpu: Option<(String, u32)>,
}

impl Resources {
    pub(super) fn parse(cpu: Option<String>, memory: Option<String>, gpu: Option<String>) -> Result<Self, Error> {
        let cpu = cpu.map(|text| Requirement::parse("--cpu", &text, "2, 0.5, 500m or 500m:2")).transpose()?;
        let memory = memory.map(|text| Requirement::parse("--memory", &text, "512Mi, 2Gi or 512Mi:2Gi")).transpose()?;
        let gpu = gpu.map(|text| parse_gpu(&text)).transpose()?;
        Ok(Self { cpu, memory, gpu })
    }
}

/// How much of a resource a container asks for, and how much it may use: Kubernetes quantities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Requirement {
    pub(crate) request: String,
    pub(crate) limit: Option<String>,
}

impl Requirement {
    /// Parses `REQUEST` or `REQUEST:LIMIT`.
    pub(super) fn parse(flag: &str, text: &str, examples: &str) -> Result<Self, Error> {
        let (request, limit) = text.split_once(':').map_or((text, None), |(request, limit)| (request, Some(limit)));
        let asked = quantity(flag, request, examples)?;
        let most = limit.map(|limit| quantity(flag, limit, examples)).transpose()?;
        // Not exact: 0.3 and 300m are the same.
        if most.is_some_and(|most| most < asked * 0.999_999) {
            return Err(Error::usage(format!("{flag} {text:?} has a limit that is less than the request"))
                .hint("write it as REQUEST:LIMIT, the larger one last"));
        }
        Ok(Self { request: request.to_owned(), limit: limit.map(str::to_owned) })
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

/// The suffixes of a quantity and what they multiply by,
/// <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>.
const SUFFIXES: [(&str, f64); 16] = [
    ("", 1.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("E", 1e18),
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("Ei", 1_152_921_504_606_846_976.0),
];

/// The value of a Kubernetes quantity, about; a usage error for what is none, or not greater than zero.
pub(super) fn quantity(flag: &str, text: &str, examples: &str) -> Result<f64, Error> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    // An exponent, as in 1e3, has its digits behind the suffix.
    let exponent = suffix.strip_prefix(['e', 'E']).and_then(|exponent| exponent.parse::<i32>().ok());
    let factor = match exponent {
        Some(exponent) => Some(10f64.powi(exponent)),
        None => SUFFIXES.iter().find(|(known, _)| *known == suffix).map(|(_, factor)| *factor),
    };
    match (number.parse::<f64>(), factor) {
        (Ok(value), Some(factor)) if value > 0.0 => Ok(value * factor),
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
