//! The flags that describe a Pod: images, resources and tolerations.

use crate::args::PullPolicy;
use crate::error::Error;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Resources {
    /// In cores. No default limit: an index may use idle cores.
    pub(crate) cpu: Option<Requirement>,
    /// In bytes. The request is the default limit, because a process never gives memory back.
    pub(crate) memory: Option<Requirement>,
    /// An extended resource and its number.
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

/// Request and limit of a resource, as Kubernetes quantities.
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
        if flag == "--memory" && asked < 1_048_576.0 {
            let number = request.trim_end_matches(|c: char| !c.is_ascii_digit());
            return Err(Error::usage(format!("{flag} {request:?} is less than 1 MiB, too little for a container"))
                .hint(format!("did you mean {flag} {number}Mi?")));
        }
        let most = limit.map(|limit| quantity(flag, limit, examples)).transpose()?;
        // Not exact: 0.3 and 300m are the same.
        if most.is_some_and(|most| most < asked * 0.999_999) {
            return Err(Error::usage(format!("{flag} {text:?} has a limit below its request"))
                .hint(format!("write it as {flag} REQUEST:LIMIT, the larger one last")));
        }
        Ok(Self { request: request.to_owned(), limit: limit.map(str::to_owned) })
    }
}

fn parse_gpu(text: &str) -> Result<(String, u32), Error> {
    let (resource, number) = text.rsplit_once('=').unwrap_or(("nvidia.com/gpu", text));
    match number.parse() {
        Ok(number) if number > 0 && resource.contains('/') => Ok((resource.to_owned(), number)),
        _ => Err(Error::usage(format!("--gpu {text:?} is neither a whole number nor RESOURCE=NUMBER"))
            .hint("write it as --gpu 1 or --gpu amd.com/gpu=1")),
    }
}

/// The suffixes of a quantity, <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>: powers
/// of 1000 from -3 on.
const DECIMAL: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
/// Powers of 1024 from 1 on.
const BINARY: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// Returns the approximate value of a Kubernetes quantity that is greater than zero.
pub(super) fn quantity(flag: &str, text: &str, examples: &str) -> Result<f64, Error> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    // An exponent, as in 1e3, has its digits after the suffix.
    let exponent = suffix.strip_prefix(['e', 'E']).and_then(|exponent| exponent.parse::<i32>().ok());
    let exponent = exponent.map(|exponent| 10f64.powi(exponent));
    let decimal = (-3..).zip(DECIMAL).find(|(_, known)| *known == suffix).map(|(power, _)| 1000f64.powi(power));
    let binary = (1..).zip(BINARY).find(|(_, known)| *known == suffix).map(|(power, _)| 1024f64.powi(power));
    let factor = exponent.or(decimal).or(binary);
    match (number.parse::<f64>(), factor) {
        (Ok(value), Some(factor)) if value > 0.0 => Ok(value * factor),
        _ => {
            let unit = suffix.trim().to_lowercase();
            let unit = unit.trim_end_matches('b').trim_end_matches('i');
            let meant = BINARY.iter().find(|known| flag == "--memory" && known.to_lowercase() == format!("{unit}i"));
            Err(Error::usage(format!("{flag} {text:?} is not a Kubernetes quantity"))
                .hint_if(meant.map(|meant| format!("did you mean {flag} {number}{meant}?")))
                .hint(format!("write it as {examples}")))
        }
    }
}

/// Checks an image name for what the kubelet refuses: spaces, a scheme, capitals in the path
/// (`github.com/distribution/reference`).
pub(super) fn check_image(flag: &str, image: Option<&str>) -> Result<(), Error> {
    let Some(image) = image else { return Ok(()) };
    // A registry has a dot or a port. It may have capitals, and so may a tag or a digest.
    let path = image.split_once('/').filter(|(host, _)| host.contains(['.', ':'])).map_or(image, |(_, path)| path);
    let name = path.split([':', '@']).next().unwrap_or_default();
    if !name.is_empty() && name == name.to_lowercase() && !image.contains("://") && !image.contains(char::is_whitespace)
    {
        return Ok(());
    }
    Err(Error::usage(format!("{flag} {image:?} is not a valid image name"))
        .hint(format!("write it as {flag} REGISTRY/NAME:TAG, NAME in lower case, without spaces and https://")))
}

/// Returns the cores of a quantity, rounded up; `None` if it has an unusual unit.
pub(super) fn whole_cores(quantity: &str) -> Option<u32> {
    if let Some(thousandths) = quantity.strip_suffix('m') {
        return Some(thousandths.parse::<u32>().ok()?.div_ceil(1000));
    }
    let (whole, fraction) = quantity.split_once('.').unwrap_or((quantity, ""));
    Some(whole.parse::<u32>().ok()? + u32::from(fraction.contains(|c: char| c != '0')))
}

/// Returns the API's word for a pull policy.
pub(super) fn pull_policy(policy: PullPolicy) -> &'static str {
    match policy {
        PullPolicy::Always => "Always",
        PullPolicy::IfNotPresent => "IfNotPresent",
        PullPolicy::Never => "Never",
    }
}

/// A taint that the Pods tolerate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Toleration {
    pub(crate) key: String,
    /// `None` tolerates any value.
    pub(crate) value: Option<String>,
    /// `None` tolerates every effect.
    pub(crate) effect: Option<&'static str>,
}

impl Toleration {
    const EFFECTS: [&'static str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let malformed = |problem: &str| {
            Error::usage(format!("--toleration {text:?} {problem}"))
                .hint("write it as KEY:EFFECT or KEY=VALUE:EFFECT, as in gpu=true:NoSchedule")
        };
        let (taint, effect) = text.rsplit_once(':').ok_or_else(|| malformed("lacks an effect"))?;
        let effect = match effect {
            "" => None,
            _ => Some(
                Self::EFFECTS
                    .into_iter()
                    .find(|known| *known == effect)
                    .ok_or_else(|| malformed(&format!("has an unknown effect: use {}", Self::EFFECTS.join(", "))))?,
            ),
        };
        let (key, value) = match taint.split_once('=') {
            Some((key, value)) => (key, Some(value.to_owned())),
            None => (taint, None),
        };
        if key.is_empty() {
            return Err(malformed("lacks a key"));
        }
        Ok(Self { key: key.to_owned(), value, effect })
    }
}
