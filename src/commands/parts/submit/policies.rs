//! Handles policies that an old server does not know: it drops such fields silently.

use serde_json::Value;

use crate::commands::Context;
use crate::error::{Error, Kind};
use crate::spec::policy::Policy;
use crate::spec::server::{self, Feature};

/// Checks that the server kept the policies that have no substitute.
pub(crate) fn check_policies_kept(stored: &Value, policy: &Policy) -> Result<(), Error> {
    let rules = rules(stored);
    let has = |action: &str| rules.iter().any(|rule| rule["action"] == action && rule["onExitCodes"].is_object());
    let missing = |what: &str, flag: &str, feature: Feature| {
        let since = feature.since;
        Error::new(Kind::Failed, format!("this server {what}: {flag} needs Kubernetes 1.{since} or newer"))
            .hint(format!("leave {flag} out"))
    };
    if let Some(success) = policy.success.as_ref().filter(|_| stored["spec"]["successPolicy"].is_null()) {
        let flag = if success.indexes.is_some() { "--success-indexes" } else { "--success-count" };
        return Err(missing("knows no success policy", flag, server::SUCCESS_POLICY));
    }
    if !policy.fail_on_exit.is_empty() && !has("FailIndex") {
        return Err(missing("can't fail an index by its exit code", "--fail-on-exit", server::RETRIES_OF_EACH_INDEX));
    }
    if !policy.ignore_exit.is_empty() && !has("Ignore") {
        return Err(missing("knows no pod failure policy", "--ignore-exit", server::POD_FAILURE_POLICY));
    }
    Ok(())
}

fn rules(job: &Value) -> &[Value] {
    job.pointer("/spec/podFailurePolicy/rules").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Warns about the fields that the server has dropped from the Job.
///
/// Returns the substitute for retries per index on such a server: a `backoffLimit` across all indexes, so high that one
/// failing index does not stop the others, unless `--max-failed` asks for that.
pub(crate) fn report_dropped_fields(
    sent: &Value,
    stored: &Value,
    policy: &Policy,
    context: &mut Context,
) -> Result<Option<u64>, Error> {
    let sent_fields = sent["spec"].as_object().into_iter().flatten().map(|(field, _)| field.as_str());
    let dropped: Vec<_> = sent_fields.filter(|field| stored["spec"].get(field).is_none()).collect();
    let mut fallback = None;
    let per_index = server::RETRIES_OF_EACH_INDEX.since;
    for field in &dropped {
        match *field {
            "completionMode" => {
                return Err(Error::new(Kind::Failed, "this server knows no Indexed Jobs")
                    .hint(format!("they need Kubernetes 1.{} or newer", server::INDEXED_JOBS.since)));
            }
            "backoffLimitPerIndex" => {
                let limit = total_backoff_limit(sent["spec"]["completions"].as_u64().unwrap_or(0), policy);
                fallback = Some(limit);
                context.ui.warning(&if policy.max_failed.is_some() {
                    format!(
                        "this server can't count failures per index (that needs Kubernetes 1.{per_index}): the job fails at \
                         failure {}, counted across all indexes",
                        limit + 1
                    )
                } else {
                    format!(
                        "this server has no retries per index (that needs Kubernetes 1.{per_index}): up to {limit} failures \
                         across all indexes are retried instead"
                    )
                });
            }
            // The warning about the retries covers this.
            "maxFailedIndexes" if dropped.contains(&"backoffLimitPerIndex") && policy.max_failed.is_some() => {}
            "podFailurePolicy" => context.ui.warning(&format!(
                "this server has no pod failure policy (that needs Kubernetes 1.{}): a drained node counts as a failure",
                server::POD_FAILURE_POLICY.since
            )),
            field => context.ui.warning(&format!("this server does not know spec.{field}, and dropped it")),
        }
    }
    let lost = rules(sent).len().saturating_sub(rules(stored).len());
    if lost > 0 && !dropped.contains(&"podFailurePolicy") {
        // Rules of the flags were checked before.
        context.ui.warning(&format!(
            "this server knows no FailIndex (that needs Kubernetes 1.{per_index}), and dropped such rules of the \
             template's podFailurePolicy"
        ));
    }
    Ok(fallback)
}

/// Returns the number of failures after which all indexes that may fail have failed, and one more has only its last
/// attempt left.
fn total_backoff_limit(completions: u64, policy: &Policy) -> u64 {
    let retries = u64::from(policy.retries.unwrap_or(0));
    let all = completions.saturating_mul(retries + 1);
    let limit = policy.max_failed.map_or(all, |failed| u64::from(failed).saturating_mul(retries + 1) + retries);
    // The field is an int32.
    limit.min(all).min(i32::MAX as u64)
}
