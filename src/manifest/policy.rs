//! Builds the policy fields of a Job's spec.

use serde_json::{Map, Value, json};

use super::{filled, worker_name};
use crate::spec::policy::{Policy, Success};
use crate::spec::{JobSpec, base};

/// Removes the policies of the template that flags replace and that can't be merged.
pub(super) fn remove_replaced_fields(job: &mut Value, policy: &Policy) {
    let Some(spec) = job.get_mut("spec").and_then(Value::as_object_mut) else { return };
    if policy.retries.is_some() {
        // A limit across all indexes could end the Job before every index has used its retries.
        spec.remove("backoffLimit");
    }
    if policy.success.is_some() {
        // Any rule that is met ends the Job: the template's rule could end it before the flags' rule.
        spec.remove("successPolicy");
    }
}

/// Returns defaults for policies that neither the flags nor the template set. Only for `restartPolicy: Never`.
pub(super) fn defaults(job: &Value, policy: &Policy) -> Map<String, Value> {
    let limit = max_evictions(job, policy);
    let mut own = Map::new();
    if policy.retries.is_none() && !has_field(job, "backoffLimit") && !has_field(job, "backoffLimitPerIndex") {
        own.insert("backoffLimitPerIndex".to_owned(), json!(limit.unwrap_or(0)));
    }
    if has_own_rules(job) {
        own.insert("podFailurePolicy".to_owned(), json!({"rules": own_rules(limit)}));
    }
    own
}

fn has_field(job: &Value, field: &str) -> bool {
    job["spec"].get(field).is_some()
}

/// Whether this program sets the rules: the API rejects a podFailurePolicy with another podReplacementPolicy.
fn has_own_rules(job: &Value) -> bool {
    let replacement = job["spec"].get("podReplacementPolicy");
    !has_field(job, "podFailurePolicy") && replacement.is_none_or(|replacement| replacement == "Failed")
}

/// Returns the limit of disruptions. `None` if the same counter would count other failures too, such as a deadline that
/// a worker ends with exit code 0.
fn max_evictions(job: &Value, policy: &Policy) -> Option<u32> {
    let is_limited = has_field(job, "backoffLimit") || has_field(job, "backoffLimitPerIndex");
    let has_deadline = job.pointer("/spec/template/spec/activeDeadlineSeconds").is_some();
    let is_free = (policy.retries == Some(0) || !is_limited) && !has_deadline;
    policy.max_evictions.filter(|_| is_free && has_own_rules(job) && base::restart_policy(job) != Some("OnFailure"))
}

/// Returns the default rules: a drained or preempted Pod is not the worker's failure. With a limit, only disruptions
/// count, and any other failure, of the worker or an init container, fails the index at once.
fn own_rules(limit: Option<u32>) -> Vec<Value> {
    match limit {
        Some(_) => [disruption("Count")].into_iter().chain(others_at_once()).collect(),
        None => vec![disruption("Ignore")],
    }
}

fn disruption(action: &str) -> Value {
    json!({"action": action, "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]})
}

fn others_at_once() -> [Value; 2] {
    [
        json!({"action": "FailIndex", "onPodConditions": [{"type": "Initialized", "status": "False"}]}),
        json!({"action": "FailIndex", "onExitCodes": {"operator": "NotIn", "values": [0]}}),
    ]
}

/// Sets the retries per index of an existing Job; disruptions then don't count.
pub(super) fn set_retries(spec: &mut Map<String, Value>, retries: u32) {
    spec.insert("backoffLimitPerIndex".to_owned(), json!(retries));
    // A limit across all indexes could end the Job before every index has used its retries.
    spec.remove("backoffLimit");
    let rules = spec.get_mut("podFailurePolicy").and_then(|policy| policy.get_mut("rules")?.as_array_mut());
    if let Some(rules) = rules.filter(|rules| others_at_once().iter().all(|rule| rules.contains(rule))) {
        rules.retain(|rule| !others_at_once().contains(rule));
        rules.iter_mut().filter(|rule| **rule == disruption("Count")).for_each(|rule| *rule = disruption("Ignore"));
    }
}

/// Returns the policy fields that the flags set.
pub(super) fn policy_fields(spec: &JobSpec) -> Value {
    let Policy {
        retries,
        max_evictions: _,
        max_failed,
        fail_on_exit: _,
        ignore_exit: _,
        success,
        timeout,
        index_timeout: _,
        ttl,
    } = &spec.policy;
    let rules = spec.policy.goes_by_exit_codes().then(|| json!({"rules": failure_rules(spec)}));
    let limit = max_evictions(base_of(spec), &spec.policy);
    let success = success.as_ref().map(|success| json!({"rules": [success_rule(success)]}));
    filled(json!({
        "backoffLimitPerIndex": retries.map(|retries| limit.unwrap_or(retries)),
        "maxFailedIndexes": max_failed,
        "activeDeadlineSeconds": timeout,
        "ttlSecondsAfterFinished": ttl,
        "podFailurePolicy": rules,
        "successPolicy": success,
    }))
}

fn base_of(spec: &JobSpec) -> &Value {
    spec.base.as_ref().unwrap_or(&Value::Null)
}

/// Returns the rules of the flags merged into those of the template, or after our own rules about disruption.
///
/// The first matching rule decides. A Pod on a drained node ends by a signal, so it has an exit code too, often one
/// that a flag names: rules on Pod conditions must come first. Among rules on exit codes, the flags take precedence.
fn failure_rules(spec: &JobSpec) -> Vec<Value> {
    let template = spec.base.as_ref();
    let theirs = template.and_then(|base| base.pointer("/spec/podFailurePolicy/rules")).and_then(Value::as_array);
    let mut rules = theirs.cloned().unwrap_or_else(|| own_rules(max_evictions(base_of(spec), &spec.policy)));
    let at = rules.iter().position(|rule| rule.get("onExitCodes").is_some_and(|codes| !codes.is_null()));
    let at = at.unwrap_or(rules.len());
    // The flags mean the command, not a sidecar or an init container.
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
