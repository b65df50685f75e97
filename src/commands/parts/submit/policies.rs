//! What becomes of the policies on a server that does not know them: an old one drops fields without a word.

use serde_json::Value;

use crate::commands::Context;
use crate::error::{Error, Kind};
use crate::spec::policy::Policy;
use crate::spec::server::{self, Feature};

/// Checks that the server keeps those policies that nothing else can stand for.
pub(crate) fn check_kept(stored: &Value, policy: &Policy) -> Result<(), Error> {
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

/// Says what the server has dropped of the Job.
///
/// Returns the nearest thing to retries of each index on such a server: a limit for all of them together, so wide that
/// one failing index does not stop the others unless that was asked for.
pub(crate) fn mind_dropped(
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
                let limit = limit_of_all(sent["spec"]["completions"].as_u64().unwrap_or(0), policy);
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
            // That was said with the retries.
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
        // What the flags ask for was checked before.
        context.ui.warning(&format!(
            "this server knows no FailIndex (that needs Kubernetes 1.{per_index}), and dropped such rules of the \
             template's podFailurePolicy"
        ));
    }
    Ok(fallback)
}

/// As many failures as it takes for all indexes that may fail to have done so, and for one more to have its last attempt
/// left.
fn limit_of_all(completions: u64, policy: &Policy) -> u64 {
    let retries = u64::from(policy.retries.unwrap_or(0));
    let all = completions.saturating_mul(retries + 1);
    let limit = policy.max_failed.map_or(all, |failed| u64::from(failed).saturating_mul(retries + 1) + retries);
    // The field is an int32.
    limit.min(all).min(i32::MAX as u64)
}
