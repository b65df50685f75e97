//! The policies of a Job, as fields of its spec.

use serde_json::{Map, Value, json};

use super::{filled, worker_name};
use crate::spec::policy::{Policy, Success};
use crate::spec::{JobSpec, base};

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
    let limit = max_evictions(job, policy);
    let mut own = Map::new();
    if policy.retries.is_none() && !says(job, "backoffLimit") && !says(job, "backoffLimitPerIndex") {
        own.insert("backoffLimitPerIndex".to_owned(), json!(limit.unwrap_or(0)));
    }
    if has_own_rules(job) {
        own.insert("podFailurePolicy".to_owned(), json!({"rules": own_rules(limit)}));
    }
    own
}

fn says(job: &Value, field: &str) -> bool {
    job["spec"].get(field).is_some()
}

/// Whether the rules are ours to choose: the API takes no podFailurePolicy with another podReplacementPolicy.
fn has_own_rules(job: &Value) -> bool {
    let replacement = job["spec"].get("podReplacementPolicy");
    !says(job, "podFailurePolicy") && replacement.is_none_or(|replacement| replacement == "Failed")
}

/// The limit of disruptions: only where nothing else is counted, such as a deadline at which a worker ends with 0.
fn max_evictions(job: &Value, policy: &Policy) -> Option<u32> {
    let is_limited = says(job, "backoffLimit") || says(job, "backoffLimitPerIndex");
    let has_deadline = job.pointer("/spec/template/spec/activeDeadlineSeconds").is_some();
    let is_free = (policy.retries == Some(0) || !is_limited) && !has_deadline;
    policy.max_evictions.filter(|_| is_free && has_own_rules(job) && base::restart_policy(job) != Some("OnFailure"))
}

/// A node that is drained or preempted is not the worker's failure. With a limit only that is counted, and what fails
/// otherwise fails its index at once: its worker, or an init container before it.
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

/// Has each index of a Job that is there be retried: then disruptions are not counted.
pub(super) fn set_retries(spec: &mut Map<String, Value>, retries: u32) {
    spec.insert("backoffLimitPerIndex".to_owned(), json!(retries));
    // A limit for all indexes together would end the Job before each has had its retries.
    spec.remove("backoffLimit");
    let rules = spec.get_mut("podFailurePolicy").and_then(|policy| policy.get_mut("rules")?.as_array_mut());
    if let Some(rules) = rules.filter(|rules| others_at_once().iter().all(|rule| rules.contains(rule))) {
        rules.retain(|rule| !others_at_once().contains(rule));
        rules.iter_mut().filter(|rule| **rule == disruption("Count")).for_each(|rule| *rule = disruption("Ignore"));
    }
}

pub(super) fn fields(spec: &JobSpec) -> Value {
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

/// The rules of the flags among those of the template, or behind our own about disruption.
///
/// The first rule that matches decides. A Pod that a drained node took with it has ended by a signal, so it has an exit
/// code too, often one of those that the flags name: what goes by the condition of the Pod has to come before. Among
/// exit codes the flags come first, as everywhere.
fn failure_rules(spec: &JobSpec) -> Vec<Value> {
    let template = spec.base.as_ref();
    let theirs = template.and_then(|base| base.pointer("/spec/podFailurePolicy/rules")).and_then(Value::as_array);
    let mut rules = theirs.cloned().unwrap_or_else(|| own_rules(max_evictions(base_of(spec), &spec.policy)));
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
