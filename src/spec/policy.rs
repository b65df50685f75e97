//! The policies: how often an index is tried, what ends an index, and what ends the Job.

use serde_json::Value;

use super::server::RETRIES_OF_EACH_INDEX;
use super::{base, duration};
use crate::args::{ConfiguredFlags, PolicyArgs};
use crate::error::Error;
use crate::index_set::IndexSet;

/// Most rules that a `podFailurePolicy` may have (`pkg/apis/batch/validation`).
const MAX_RULES: usize = 20;
/// Most bytes that the indexes of a `successPolicy` may take (`pkg/apis/batch/validation`).
const MAX_SUCCESS_INDEXES: usize = 64 * 1024;
/// Kubernetes waits longer after each eviction, up to 10 minutes: after ten it has waited for the better part of an hour.
const EVICTIONS: u32 = 10;
/// Greatest number in the fields that count retries and seconds: they are `int32`, or no larger value means more.
const MAX_COUNT: u32 = i32::MAX as u32;
/// Exit codes of a process that was ended from outside by SIGTERM or SIGKILL, as the kubelet ends a Pod out of time.
const ENDED: [u8; 2] = [137, 143];

/// What becomes of an index that fails, and what ends the Job. What is None or empty is left to the template, or to
/// Kubernetes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Retries of each index; None leaves it to the template, or to no retry.
    pub(crate) retries: Option<u32>,
    /// Restarts of each index after disruptions; None is without limit, as retries and disruptions have one count.
    pub(crate) max_evictions: Option<u32>,
    /// How many indexes may fail until the Job ends; at most as many as there are.
    pub(crate) max_failed: Option<u32>,
    /// Exit codes that fail an index for good: 1 to 255, in order, each once; none of [`Policy::ignore_exit`].
    pub(crate) fail_on_exit: Vec<u8>,
    /// Exit codes that do not count as a failure, likewise.
    pub(crate) ignore_exit: Vec<u8>,
    /// What is enough for the Job to complete.
    pub(crate) success: Option<Success>,
    /// Seconds from the start of the Job to its end; at least 1.
    pub(crate) timeout: Option<u32>,
    /// Seconds from the start of a Pod to its end; at least 1.
    pub(crate) index_timeout: Option<u32>,
    /// Seconds from the end of the Job until it is deleted.
    pub(crate) ttl: Option<u32>,
}

/// When a Job has done enough: one of the two is given at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Success {
    /// Indexes of the Job that are enough; None are all.
    pub(crate) indexes: Option<IndexSet>,
    /// How many of them are enough, at least 1; None are all.
    pub(crate) count: Option<u32>,
}

impl Policy {
    /// Whether an old server would leave out what nothing else can stand for, so that it has to be asked first.
    pub(crate) fn depends_on_server(&self) -> bool {
        self.success.is_some() || self.goes_by_exit_codes()
    }

    /// Decides anew for a server of Kubernetes 1.`minor`: an old one refuses rules that fail an index.
    pub(crate) fn settle(&mut self, minor: u32) {
        self.max_evictions = self.max_evictions.filter(|_| minor >= RETRIES_OF_EACH_INDEX.since);
    }

    pub(crate) fn goes_by_exit_codes(&self) -> bool {
        !self.fail_on_exit.is_empty() || !self.ignore_exit.is_empty()
    }
}

/// From the flags to a policy that the API takes for a Job of so many indexes, with what the user should be warned of.
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
    // What else would be counted: a worker that ends with 0 at its deadline looks like an evicted one.
    let counted = if retries.is_some_and(|n| n > 0) {
        Some("--retries")
    } else {
        index_timeout.as_ref().map(|_| "--index-timeout")
    };
    if let (Some(flag), Some(_), false) = (counted, max_evictions, configured.contains("max-evictions")) {
        let error =
            Error::usage(format!("--max-evictions can't be combined with {flag}: Kubernetes has one count for both"));
        return Err(error.hint(format!("leave one of them out; with {flag} evictions are not counted")));
    }
    let durations = [("timeout", &timeout), ("index-timeout", &index_timeout), ("ttl", &ttl)];
    let typed = durations.into_iter().filter(|(flag, _)| !configured.contains(flag));
    let without_unit = typed.filter_map(|(flag, text)| {
        let text = text.as_ref().filter(|text| *text != "0" && text.parse::<u32>().is_ok())?;
        Some(format!("--{flag} {text} has no unit, and is {text} seconds: write {text}s, or {text}m for minutes"))
    });
    let mut notes: Vec<_> = without_unit.collect();
    // Of fewer indexes all may fail, too.
    let max_failed = max_failed.filter(|n| *n <= completions || !configured.contains("max-failed"));
    if let Some(n) = max_failed.filter(|n| *n > completions) {
        return Err(Error::usage(format!("--max-failed {n} is more than the Job has indexes: {completions}"))
            .hint(format!("give at most {completions}, or leave it out: then all may fail")));
    }
    let fail_on_exit = exit_codes("--fail-on-exit", fail_on_exit.as_deref())?;
    let ignore_exit = exit_codes("--ignore-exit", ignore_exit.as_deref())?;
    let codes = |set: &IndexSet| set.iter().filter_map(|code| u8::try_from(code).ok()).collect();
    let policy = Policy {
        retries,
        max_evictions: max_evictions.or(Some(EVICTIONS)).filter(|_| counted.is_none()),
        max_failed: if fail_fast { Some(0) } else { max_failed },
        fail_on_exit: codes(&fail_on_exit),
        ignore_exit: codes(&ignore_exit),
        success: success(success_indexes.as_deref(), success_count, completions)?,
        timeout: seconds("--timeout", timeout.as_deref(), 1)?,
        index_timeout: seconds("--index-timeout", index_timeout.as_deref(), 1)?,
        ttl: seconds("--ttl", ttl.as_deref(), 0)?,
    };
    let both = fail_on_exit.intersection(&ignore_exit);
    if !both.is_empty() {
        return Err(Error::usage(format!(
            "--fail-on-exit and --ignore-exit both have {both}: an index is tried again or it is not"
        ))
        .hint("leave it out of one of them"));
    }
    if let Some(base) = base {
        let asked = [
            ("--retries", retries.is_some()),
            ("--max-evictions", max_evictions.is_some() && !configured.contains("max-evictions")),
            (if fail_fast { "--fail-fast" } else { "--max-failed" }, policy.max_failed.is_some()),
            ("--fail-on-exit", !policy.fail_on_exit.is_empty()),
            ("--ignore-exit", !policy.ignore_exit.is_empty()),
        ];
        let asked: Vec<_> = asked.into_iter().filter_map(|(flag, asked)| asked.then_some(flag)).collect();
        check_template(&asked, &policy, base)?;
    }
    notes.extend(warnings(&policy, base, configured));
    Ok((policy, notes))
}

pub(super) fn check_count(flag: &str, count: Option<u32>) -> Result<(), Error> {
    match count.filter(|n| *n > MAX_COUNT) {
        Some(n) => Err(Error::usage(format!("{flag} {n} is more than Kubernetes counts"))
            .hint(format!("give at most {MAX_COUNT}"))),
        None => Ok(()),
    }
}

pub(super) fn index_set(flag: &str, text: &str, hint: &str) -> Result<IndexSet, Error> {
    text.parse().map_err(|problem| Error::usage(format!("{flag} {text:?}: {problem}")).hint(hint))
}

fn exit_codes(flag: &str, text: Option<&str>) -> Result<IndexSet, Error> {
    let Some(text) = text else { return Ok(IndexSet::new()) };
    let codes = index_set(flag, text, "write exit codes as 1,3-5")?;
    if codes.contains(0) {
        return Err(Error::usage(format!("{flag} {text} has 0, the exit code of success"))
            .hint("exit codes of failures are 1-255"));
    }
    let too_large = codes.difference(&IndexSet::below(256));
    if !too_large.is_empty() {
        return Err(Error::usage(format!("{flag} {text} has {too_large}, which no command can end with"))
            .hint("exit codes of failures are 1-255"));
    }
    Ok(codes)
}

fn success(indexes: Option<&str>, count: Option<u32>, completions: u32) -> Result<Option<Success>, Error> {
    let indexes = indexes.map(|text| success_indexes(text, completions)).transpose()?;
    if let Some(count) = count {
        let (of, whose) = match &indexes {
            Some(indexes) => (indexes.len(), format!("--success-indexes {indexes} has indexes")),
            None => (completions as usize, "the Job has indexes".to_owned()),
        };
        if count == 0 {
            let error = Error::usage("--success-count 0 would be enough before anything has run");
            return Err(error.hint("give at least 1"));
        }
        if count as usize > of {
            return Err(Error::usage(format!("--success-count {count} is more than {whose}: {of}"))
                .hint(format!("give at most {of}")));
        }
    }
    Ok((indexes.is_some() || count.is_some()).then_some(Success { indexes, count }))
}

fn success_indexes(text: &str, completions: u32) -> Result<IndexSet, Error> {
    let indexes = index_set("--success-indexes", text, "write indexes as 0-3,7")?;
    let all = IndexSet::below(completions);
    let outside = indexes.difference(&all);
    if !outside.is_empty() {
        return Err(Error::usage(format!("--success-indexes {text}: the Job has no index {outside}"))
            .hint(format!("its indexes are {all}")));
    }
    let length = indexes.to_string().len();
    if length > MAX_SUCCESS_INDEXES {
        return Err(Error::usage(format!(
            "--success-indexes takes {length} bytes when written out, and Kubernetes takes {MAX_SUCCESS_INDEXES}"
        ))
        .hint("name ranges, or only how many are enough: --success-count"));
    }
    Ok(indexes)
}

/// Reads a duration that Kubernetes counts in whole seconds.
fn seconds(flag: &str, text: Option<&str>, least: u32) -> Result<Option<u32>, Error> {
    let Some(text) = text else { return Ok(None) };
    let duration = duration::parse(text)
        .map_err(|problem| Error::usage(format!("{flag} {problem}")).hint("write it as 90s, 10m or 2h"))?
        .unwrap_or_default();
    if duration.subsec_nanos() != 0 {
        return Err(Error::usage(format!("{flag} {text} is no whole number of seconds, which Kubernetes counts"))
            .hint(format!("give {}s", duration.as_secs() + 1)));
    }
    let seconds = u32::try_from(duration.as_secs()).ok().filter(|seconds| *seconds <= MAX_COUNT);
    let Some(seconds) = seconds else {
        return Err(Error::usage(format!("{flag} {text} is longer than Kubernetes counts"))
            .hint(format!("leave it out for no limit, or give at most {MAX_COUNT}s")));
    };
    if seconds < least {
        let error = Error::usage(format!("{flag} {text} leaves no time to run at all"));
        return Err(error.hint("leave it out for no limit"));
    }
    Ok(Some(seconds))
}

fn check_template(asked: &[&str], policy: &Policy, base: &Value) -> Result<(), Error> {
    let Some(flag) = asked.first() else { return Ok(()) };
    let said = |field: &str| base.pointer(&format!("/spec/{field}")).filter(|value| !value.is_null());
    if base::restart_policy(base) == Some("OnFailure") {
        // The container is then started again in its Pod, and the Job does not see it fail.
        let what = if *flag == "--retries" { "counts for each index" } else { "goes by Pods that failed" };
        return Err(Error::usage(format!(
            "{flag} {what}, which needs restartPolicy Never; the template says OnFailure"
        ))
        .hint(format!("take restartPolicy out of the template, or leave {flag} out")));
    }
    let together = said("backoffLimit").filter(|_| said("backoffLimitPerIndex").is_none() && policy.retries.is_none());
    if let (Some(limit), Some(flag)) = (together, asked.iter().find(|flag| **flag != "--ignore-exit")) {
        return Err(Error::usage(format!(
            "{flag} counts failures of each index; the template counts those of all together (backoffLimit {limit})"
        ))
        .hint("add --retries N, which replaces it, or take backoffLimit out of the template"));
    }
    let counted =
        ["podFailurePolicy", "template/spec/activeDeadlineSeconds"].into_iter().find(|field| said(field).is_some());
    if let Some(field) = counted.filter(|_| asked.contains(&"--max-evictions")) {
        let error = Error::usage(format!("--max-evictions can't be combined with {field} of the template"));
        return Err(error.hint("its backoffLimitPerIndex limits what Kubernetes counts"));
    }
    if !policy.goes_by_exit_codes() {
        return Ok(());
    }
    let flag = if policy.fail_on_exit.is_empty() { "--ignore-exit" } else { "--fail-on-exit" };
    if let Some(replacement) = said("podReplacementPolicy").filter(|replacement| *replacement != "Failed") {
        return Err(Error::usage(format!(
            "{flag} needs podReplacementPolicy Failed; the template says {}",
            replacement.as_str().unwrap_or_default()
        ))
        .hint("take podReplacementPolicy out of the template"));
    }
    let own = [&policy.fail_on_exit, &policy.ignore_exit].into_iter().filter(|codes| !codes.is_empty()).count();
    let theirs = said("podFailurePolicy").and_then(|policy| policy.get("rules")?.as_array()).map_or(0, Vec::len);
    let all = own + theirs;
    if all > MAX_RULES {
        return Err(Error::usage(format!(
            "{flag} makes {all} rules with the {theirs} of the template's podFailurePolicy; Kubernetes takes {MAX_RULES}"
        ))
        .hint("put together rules of the template that do the same"));
    }
    Ok(())
}

fn warnings(policy: &Policy, base: Option<&Value>, configured: &ConfiguredFlags) -> Vec<String> {
    let mut warnings = Vec::new();
    let limit = base.and_then(|base| base.pointer("/spec/backoffLimitPerIndex")).and_then(Value::as_u64);
    let retried = policy.retries.map_or_else(|| limit.unwrap_or(0), u64::from) > 0;
    if !policy.fail_on_exit.is_empty() && !retried {
        warnings.push("--fail-on-exit changes nothing: without --retries no index is tried again".to_owned());
    }
    if let (Some(whole), Some(one)) = (policy.timeout, policy.index_timeout)
        && whole <= one
        && !configured.contains("index-timeout")
    {
        warnings.push(format!("--index-timeout changes nothing: --timeout ends the Job after {whole}s"));
    }
    if policy.index_timeout.is_some()
        && let Some(code) = ENDED.into_iter().find(|code| policy.ignore_exit.contains(code))
    {
        warnings.push(format!(
            "what --index-timeout ends has the exit code 137 or 143; --ignore-exit {code} has it tried again without end"
        ));
    }
    warnings
}

#[cfg(test)]
mod tests;
