//! The policies of a Job, as fields of its spec.

use serde_json::{Map, Value, json};

use super::{filled, worker_name};
use crate::spec::JobSpec;
use crate::spec::policy::{Policy, Success};

/// Takes out of the template what the flags replace and can't be merged with.
pub(super) fn clear_what_flags_replace(job: &mut Value, policy: &Policy) {
    let Some(spec) = job.get_mut("spec").and_then(Value::as_object_mut) else { return };
    if policy.retries.is_some() {
        // A limit for all indexes together would end the Job before each has had its retries.
        spec.remove("backoffLimit");
    }
    if policy.success.is_some() {
        // One rule that is met is enough: the template's would end the Job before that of the flags.
        spec.remove("successPolicy");
    }
}

/// What people would choose if they knew, where neither the flags nor the template say: only with `restartPolicy: Never`.
pub(super) fn defaults(job: &Value, policy: &Policy) -> Map<String, Value> {
    let said = |field: &str| job.pointer(&format!("/spec/{field}"));
    let mut own = Map::new();
    if policy.retries.is_none() && said("backoffLimit").is_none() && said("backoffLimitPerIndex").is_none() {
        own.insert("backoffLimitPerIndex".to_owned(), json!(0));
    }
    // The API takes no podFailurePolicy with another podReplacementPolicy.
    let replaces_early = said("podReplacementPolicy").is_some_and(|replacement| replacement != "Failed");
    if said("podFailurePolicy").is_none() && !replaces_early {
        own.insert("podFailurePolicy".to_owned(), json!({"rules": [disruption()]}));
    }
    own
}

/// A node that is drained or preempted is not the worker's failure.
fn disruption() -> Value {
    json!({"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]})
}

pub(super) fn fields(spec: &JobSpec) -> Value {
    let Policy { retries, max_failed, fail_on_exit: _, ignore_exit: _, success, timeout, index_timeout: _, ttl } =
        &spec.policy;
    let rules = spec.policy.goes_by_exit_codes().then(|| json!({"rules": failure_rules(spec)}));
    let success = success.as_ref().map(|success| json!({"rules": [success_rule(success)]}));
    filled(json!({
        "backoffLimitPerIndex": retries,
        "maxFailedIndexes": max_failed,
        "activeDeadlineSeconds": timeout,
        "ttlSecondsAfterFinished": ttl,
        "podFailurePolicy": rules,
        "successPolicy": success,
    }))
}

/// The rules of the flags among those of the template, or behind our own about disruption.
///
/// The first rule that matches decides. A Pod that a drained node took with it has ended by a signal, so it has an exit
/// code too, often one of those that the flags name: what goes by the condition of the Pod has to come before. Among
/// exit codes the flags come first, as everywhere.
fn failure_rules(spec: &JobSpec) -> Vec<Value> {
    let template = spec.base.as_ref();
    let theirs = template.and_then(|base| base.pointer("/spec/podFailurePolicy/rules")).and_then(Value::as_array);
    let mut rules = theirs.cloned().unwrap_or_else(|| vec![disruption()]);
    let at = rules.iter().position(|rule| rule.get("onExitCodes").is_some_and(|codes| !codes.is_null()));
    let at = at.unwrap_or(rules.len());
    // Neither a sidecar nor the init container that picks the item is the command.
    let worker = worker_name(template);
    let own = [("FailIndex", &spec.policy.fail_on_exit), ("Ignore", &spec.policy.ignore_exit)];
    let own = own.into_iter().filter(|(_, codes)| !codes.is_empty()).map(|(action, codes)| {
        json!({"action": action, "onExitCodes": {"containerName": worker, "operator": "In", "values": codes}})
    });
    rules.splice(at..at, own);
    rules
}

fn success_rule(Success { indexes, count }: &Success) -> Value {
    let indexes = indexes.as_ref().map(ToString::to_string);
    filled(json!({"succeededIndexes": indexes, "succeededCount": count}))
}
