//! The policies: retries of an index, and what ends an index or the Job.

use std::fmt;

use serde_json::Value;

use super::server::RETRIES_OF_EACH_INDEX;
use super::{base, duration};
use crate::args::{ConfiguredFlags, PolicyArgs};
use crate::error::Error;
use crate::index_set::IndexSet;

/// The most rules of a `podFailurePolicy` (`pkg/apis/batch/validation`).
const MAX_RULES: usize = 20;
/// The most bytes of the indexes of a `successPolicy` (`pkg/apis/batch/validation`).
const MAX_SUCCESS_INDEXES: usize = 64 * 1024;
/// The default of `--max-evictions`. Kubernetes waits longer after each eviction, up to 10 minutes: after ten it has
/// waited most of an hour.
const EVICTIONS: u32 = 10;
/// The largest number of retries and seconds: the fields are `int32`, or larger values mean the same.
const MAX_COUNT: u32 = i32::MAX as u32;
/// Exit codes of a process that SIGTERM or SIGKILL ended, which the kubelet sends to a Pod at its deadline.
const ENDED: [u8; 2] = [137, 143];

/// Decides what happens to a failed index, and what ends the Job. `None` and empty fields leave the decision to the
/// template, or to Kubernetes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Retries of each index; the default of Kubernetes is none.
    pub(crate) retries: Option<u32>,
    /// Restarts of each index after disruptions; `None` is without limit. Kubernetes counts retries and disruptions
    /// together.
    pub(crate) max_evictions: Option<u32>,
    /// The number of indexes that may fail before the Job ends; at most that of all indexes.
    pub(crate) max_failed: Option<u32>,
    /// Exit codes after which an index is not retried: 1 to 255, in order, none repeated or in [`Policy::ignore_exit`].
    pub(crate) fail_on_exit: Vec<u8>,
    /// Exit codes that do not count as a failure, in the same form.
    pub(crate) ignore_exit: Vec<u8>,
    /// The indexes that suffice for the Job to complete.
    pub(crate) success: Option<Success>,
    /// Seconds from the start of the Job to its end; at least 1.
    pub(crate) timeout: Option<u32>,
    /// Seconds from the start of a Pod to its end; at least 1.
    pub(crate) index_timeout: Option<u32>,
    /// Seconds from the end of the Job until it is deleted.
    pub(crate) ttl: Option<u32>,
}

/// The indexes that suffice for a Job to complete. At least one field is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Success {
    /// The indexes that count; `None` means all.
    pub(crate) indexes: Option<IndexSet>,
    /// The number of them that must succeed, at least 1; `None` means all.
    pub(crate) count: Option<u32>,
}

impl Policy {
    /// Returns whether an old server would drop a field that has no substitute, so that its version matters.
    pub(crate) fn depends_on_server(&self) -> bool {
        self.success.is_some() || self.goes_by_exit_codes()
    }

    /// Adapts the policy to a server of Kubernetes 1.`minor`: an old one refuses the rules of `max_evictions`.
    pub(crate) fn settle(&mut self, minor: u32) {
        self.max_evictions = self.max_evictions.filter(|_| minor >= RETRIES_OF_EACH_INDEX.since);
    }

    pub(crate) fn goes_by_exit_codes(&self) -> bool {
        !self.fail_on_exit.is_empty() || !self.ignore_exit.is_empty()
    }
}

/// Returns the policy of the flags, checked for a Job with this number of indexes, and warnings.
pub(super) fn resolve(
    args: PolicyArgs,
    completions: u32,
    base: Option<&Value>,
    configured: &ConfiguredFlags,
) -> Result<(Policy, Vec<String>), Error> {
    let PolicyArgs {
        retries,
        max_evictions,
        max_failed,
        fail_fast,
        fail_on_exit,
        ignore_exit,
        success_indexes,
        success_count,
        timeout,
        index_timeout,
        ttl,
    } = args;
    check_count("--retries", retries)?;
    check_count("--max-evictions", max_evictions)?;
    // Kubernetes counts these together with evictions: a worker that ends with 0 at its deadline looks evicted.
    let counted = if retries.is_some_and(|n| n > 0) {
        Some("--retries")
    } else {
        index_timeout.as_ref().map(|_| "--index-timeout")
    };
    if let (Some(flag), Some(_), false) = (counted, max_evictions, configured.contains("max-evictions")) {
        let error =
            Error::usage(format!("--max-evictions can't be combined with {flag}: Kubernetes counts both together"));
        return Err(error.hint(format!("remove one of them; with {flag} evictions have no limit")));
    }
    let durations = [("timeout", &timeout), ("index-timeout", &index_timeout), ("ttl", &ttl)];
    let typed = durations.into_iter().filter(|(flag, _)| !configured.contains(flag));
    let without_unit = typed.filter_map(|(flag, text)| {
        let text = text.as_ref().filter(|text| *text != "0" && text.parse::<u32>().is_ok())?;
        Some(format!("--{flag} {text} has no unit and means {text}s; for minutes, write --{flag} {text}m"))
    });
    let mut notes: Vec<_> = without_unit.collect();
    // A configured default above the number of indexes lets all fail.
    let max_failed = max_failed.filter(|n| *n <= completions || !configured.contains("max-failed"));
    if let Some(n) = max_failed.filter(|n| *n > completions) {
        return Err(Error::usage(format!("--max-failed {n} is more than the number of indexes, {completions}"))
            .hint(format!("use --max-failed {completions} or less, or remove it to let all fail")));
    }
    let fail_on_exit = parse_exit_codes("--fail-on-exit", fail_on_exit.as_deref())?;
    let ignore_exit = parse_exit_codes("--ignore-exit", ignore_exit.as_deref())?;
    let codes = |set: &IndexSet| set.iter().filter_map(|code| u8::try_from(code).ok()).collect();
    let policy = Policy {
        retries,
        max_evictions: max_evictions.or(Some(EVICTIONS)).filter(|_| counted.is_none()),
        max_failed: if fail_fast { Some(0) } else { max_failed },
        fail_on_exit: codes(&fail_on_exit),
        ignore_exit: codes(&ignore_exit),
        success: resolve_success(success_indexes.as_deref(), success_count, completions)?,
        timeout: parse_seconds("--timeout", timeout.as_deref(), 1)?,
        index_timeout: parse_seconds("--index-timeout", index_timeout.as_deref(), 1)?,
        ttl: parse_seconds("--ttl", ttl.as_deref(), 0)?,
    };
    let both = fail_on_exit.intersection(&ignore_exit);
    if !both.is_empty() {
        return Err(Error::usage(format!(
            "--fail-on-exit and --ignore-exit both have {both}: an index is either retried or not"
        ))
        .hint(format!("remove {both} from one of them")));
    }
    if let Some(base) = base {
        let asked = [
            (PolicyFlag::Retries, retries.is_some()),
            (PolicyFlag::MaxEvictions, max_evictions.is_some() && !configured.contains("max-evictions")),
            (if fail_fast { PolicyFlag::FailFast } else { PolicyFlag::MaxFailed }, policy.max_failed.is_some()),
            (PolicyFlag::FailOnExit, !policy.fail_on_exit.is_empty()),
            (PolicyFlag::IgnoreExit, !policy.ignore_exit.is_empty()),
        ];
        let asked: Vec<_> = asked.into_iter().filter_map(|(flag, asked)| asked.then_some(flag)).collect();
        check_template(&asked, &policy, base)?;
    }
    notes.extend(find_warnings(&policy, base, configured));
    Ok((policy, notes))
}

pub(super) fn check_count(flag: &str, count: Option<u32>) -> Result<(), Error> {
    match count.filter(|n| *n > MAX_COUNT) {
        Some(n) => Err(Error::usage(format!("{flag} {n} is over Kubernetes' limit of {MAX_COUNT}"))
            .hint(format!("use {flag} {MAX_COUNT} or less"))),
        None => Ok(()),
    }
}

/// Parses the set of numbers of a flag. `examples` end the hint of an error.
pub(super) fn parse_index_set(flag: &str, text: &str, examples: &str) -> Result<IndexSet, Error> {
    let hint = || format!("write it as {flag} {examples}");
    text.parse().map_err(|problem| Error::usage(format!("{flag} {text:?}: {problem}")).hint(hint()))
}

fn parse_exit_codes(flag: &str, text: Option<&str>) -> Result<IndexSet, Error> {
    let Some(text) = text else { return Ok(IndexSet::new()) };
    let codes = parse_index_set(flag, text, "1,3-5")?;
    if codes.contains(0) {
        return Err(Error::usage(format!("{flag} {text:?} has 0, the exit code of success"))
            .hint("use exit codes from 1 to 255"));
    }
    let too_large = codes.difference(&IndexSet::below(256));
    if !too_large.is_empty() {
        return Err(Error::usage(format!("{flag} {text:?} has {too_large}, which are no exit codes"))
            .hint("use exit codes from 1 to 255"));
    }
    Ok(codes)
}

fn resolve_success(indexes: Option<&str>, count: Option<u32>, completions: u32) -> Result<Option<Success>, Error> {
    let indexes = indexes.map(|text| parse_success_indexes(text, completions)).transpose()?;
    if let Some(count) = count {
        let (all, owner) = match &indexes {
            Some(indexes) => (indexes.len(), format!("in --success-indexes \"{indexes}\"")),
            None => (completions as usize, "of the Job".to_owned()),
        };
        if count == 0 {
            let error = Error::usage("--success-count 0 would complete the Job before anything runs");
            return Err(error.hint("use --success-count 1 or more"));
        }
        if count as usize > all {
            return Err(Error::usage(format!(
                "--success-count {count} is more than the number of indexes {owner}, {all}"
            ))
            .hint(format!("use --success-count {all} or less")));
        }
    }
    Ok((indexes.is_some() || count.is_some()).then_some(Success { indexes, count }))
}

fn parse_success_indexes(text: &str, completions: u32) -> Result<IndexSet, Error> {
    let indexes = parse_index_set("--success-indexes", text, "0-3,7")?;
    let all = IndexSet::below(completions);
    let outside = indexes.difference(&all);
    if !outside.is_empty() {
        return Err(Error::usage(format!("--success-indexes {text:?}: the Job has no index {outside}"))
            .hint(format!("its indexes are {all}")));
    }
    let length = indexes.to_string().len();
    if length > MAX_SUCCESS_INDEXES {
        return Err(Error::usage(format!(
            "--success-indexes takes {length} bytes, and Kubernetes allows {MAX_SUCCESS_INDEXES}"
        ))
        .hint("use longer ranges, or only a number: --success-count N"));
    }
    Ok(indexes)
}

/// Parses a duration that Kubernetes counts in whole seconds.
fn parse_seconds(flag: &str, text: Option<&str>, least: u32) -> Result<Option<u32>, Error> {
    let Some(text) = text else { return Ok(None) };
    let duration = duration::parse(text)
        .map_err(|problem| Error::usage(format!("{flag} {problem}")).hint(format!("write it as {flag} 10m")))?
        .unwrap_or_default();
    if duration.subsec_nanos() != 0 {
        return Err(Error::usage(format!("{flag} {text:?} is not a whole number of seconds"))
            .hint(format!("use {flag} {}s", duration.as_secs() + 1)));
    }
    let seconds = u32::try_from(duration.as_secs()).ok().filter(|seconds| *seconds <= MAX_COUNT);
    let Some(seconds) = seconds else {
        return Err(Error::usage(format!("{flag} {text:?} is over Kubernetes' limit of {MAX_COUNT}s"))
            .hint(format!("remove {flag} for no limit")));
    };
    if seconds < least {
        let error = Error::usage(format!("{flag} {text:?} leaves no time to run"));
        return Err(error.hint(format!("remove {flag} for no limit")));
    }
    Ok(Some(seconds))
}

/// A flag that a template may conflict with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PolicyFlag {
    Retries,
    MaxEvictions,
    MaxFailed,
    FailFast,
    FailOnExit,
    IgnoreExit,
}

impl fmt::Display for PolicyFlag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Retries => "--retries",
            Self::MaxEvictions => "--max-evictions",
            Self::MaxFailed => "--max-failed",
            Self::FailFast => "--fail-fast",
            Self::FailOnExit => "--fail-on-exit",
            Self::IgnoreExit => "--ignore-exit",
        })
    }
}

/// Checks that the fields of the template allow the flags.
fn check_template(asked: &[PolicyFlag], policy: &Policy, base: &Value) -> Result<(), Error> {
    let Some(flag) = asked.first() else { return Ok(()) };
    let field_of = |field: &str| base.pointer(&format!("/spec/{field}")).filter(|value| !value.is_null());
    if base::restart_policy(base) == Some("OnFailure") {
        // The kubelet then restarts the container in its Pod, and the Job does not see the failure.
        return Err(Error::usage(format!("{flag} needs restartPolicy Never, and the template has OnFailure"))
            .hint(format!("remove restartPolicy from the template, or remove {flag}")));
    }
    let together =
        field_of("backoffLimit").filter(|_| field_of("backoffLimitPerIndex").is_none() && policy.retries.is_none());
    if let (Some(limit), Some(flag)) = (together, asked.iter().find(|flag| **flag != PolicyFlag::IgnoreExit)) {
        return Err(Error::usage(format!(
            "{flag} counts failures per index, and the template counts those of the whole Job (backoffLimit {limit})"
        ))
        .hint("add --retries N, which replaces backoffLimit, or remove backoffLimit from the template"));
    }
    let counted =
        ["podFailurePolicy", "template/spec/activeDeadlineSeconds"].into_iter().find(|field| field_of(field).is_some());
    if let Some(field) = counted.filter(|_| asked.contains(&PolicyFlag::MaxEvictions)) {
        let error = Error::usage(format!("--max-evictions can't be combined with the template's {field}"));
        return Err(error.hint("remove --max-evictions, and set backoffLimitPerIndex in the template"));
    }
    if !policy.goes_by_exit_codes() {
        return Ok(());
    }
    let flag = if policy.fail_on_exit.is_empty() { PolicyFlag::IgnoreExit } else { PolicyFlag::FailOnExit };
    if let Some(replacement) = field_of("podReplacementPolicy").filter(|replacement| *replacement != "Failed") {
        return Err(Error::usage(format!(
            "{flag} needs podReplacementPolicy Failed, and the template has {}",
            replacement.as_str().unwrap_or_default()
        ))
        .hint("remove podReplacementPolicy from the template"));
    }
    let own = [&policy.fail_on_exit, &policy.ignore_exit].into_iter().filter(|codes| !codes.is_empty()).count();
    let theirs = field_of("podFailurePolicy").and_then(|policy| policy.get("rules")?.as_array()).map_or(0, Vec::len);
    let all = own + theirs;
    if all > MAX_RULES {
        return Err(Error::usage(format!(
            "{flag} and the template's podFailurePolicy have {all} rules together, and Kubernetes allows {MAX_RULES}"
        ))
        .hint("merge the rules of the template that have the same action"));
    }
    Ok(())
}

fn find_warnings(policy: &Policy, base: Option<&Value>, configured: &ConfiguredFlags) -> Vec<String> {
    let mut warnings = Vec::new();
    let limit = base.and_then(|base| base.pointer("/spec/backoffLimitPerIndex")).and_then(Value::as_u64);
    let retried = policy.retries.map_or_else(|| limit.unwrap_or(0), u64::from) > 0;
    if !policy.fail_on_exit.is_empty() && !retried {
        warnings.push("--fail-on-exit has no effect: without --retries no index is retried".to_owned());
    }
    if let (Some(whole), Some(one)) = (policy.timeout, policy.index_timeout)
        && whole <= one
        && !configured.contains("index-timeout")
    {
        warnings.push(format!("--index-timeout has no effect: --timeout ends the Job after {whole}s"));
    }
    if policy.index_timeout.is_some()
        && let Some(code) = ENDED.into_iter().find(|code| policy.ignore_exit.contains(code))
    {
        warnings.push(format!(
            "an index that --index-timeout ends has the exit code 137 or 143, and --ignore-exit {code} retries it without end"
        ));
    }
    warnings
}

#[cfg(test)]
mod tests;
