//! What a cluster demands of every container, for those that this program adds beside the worker.

use serde_json::{Map, Value, json};

use super::filled;
use crate::spec::DEFAULT_IMAGE;

/// The user of an added container that may not run as root, where nobody names one: `nobody`. What it writes anyone may
/// read.
const NOBODY: u32 = 65_534;

/// Fits an added container to the demands that the worker meets: the namespace's Pod Security level, quotas, limit
/// ranges and policies judge each container by itself.
///
/// Its resources are the worker's. The Pod asks for no more by them, because Kubernetes counts the largest init
/// container or the sum of the others (<https://kubernetes.io/docs/concepts/workloads/pods/init-containers/>). A security
/// context that it has already, of the Job that is retried, stays.
///
/// `pod` is the Pod's own security context.
pub(super) fn fit(container: &mut Value, worker: &Value, pod: &Value) {
    // What it says when it fails is then in the Pod's status.
    container["terminationMessagePolicy"] = json!("FallbackToLogsOnError");
    let resources = resources(&worker["resources"]);
    let mut context = security_context(&worker["securityContext"]);
    let of_worker = |field: &str| worker["securityContext"].get(field).or(pod.get(field));
    let by_image = of_worker("runAsNonRoot").is_some_and(|must| *must == true) && of_worker("runAsUser").is_none();
    if by_image && container["image"] == DEFAULT_IMAGE {
        // The worker's image has a user that is not root, and this one has none. An image that was chosen may have one.
        context.insert("runAsUser".to_owned(), json!(NOBODY));
    }
    let Some(fields) = container.as_object_mut() else { return };
    if !resources.is_empty() {
        fields.insert("resources".to_owned(), resources.into());
    }
    if !context.is_empty() {
        fields.entry("securityContext").or_insert(context.into());
    }
}

/// The worker's security context without the privileges that it adds: our scripts only write into emptyDir volumes.
fn security_context(worker: &Value) -> Map<String, Value> {
    let mut context = worker.as_object().cloned().unwrap_or_default();
    for privilege in ["privileged", "procMount"] {
        context.remove(privilege);
    }
    if let Some(capabilities) = context.get_mut("capabilities").and_then(Value::as_object_mut) {
        capabilities.remove("add");
        if capabilities.is_empty() {
            context.remove("capabilities");
        }
    }
    context
}

/// What a quota or a limit range counts for each container; no device is needed twice.
fn resources(worker: &Value) -> Map<String, Value> {
    let amounts = |kind: &str| {
        let of = &worker[kind];
        let storage = &of["ephemeral-storage"];
        filled(json!({"cpu": of["cpu"], "memory": of["memory"], "ephemeral-storage": storage}))
    };
    let all = filled(json!({"requests": amounts("requests"), "limits": amounts("limits")}));
    all.as_object().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(container: &Value, worker: &Value) -> String {
        let mut container = container.clone();
        fit(&mut container, worker, &Value::Null);
        container.as_object_mut().unwrap().remove("terminationMessagePolicy").unwrap();
        container.to_string()
    }

    #[test]
    fn an_added_container_takes_restrictions_and_amounts_but_no_privilege_or_device() {
        let worker = json!({
            "securityContext": {
                "runAsUser": 1000, "readOnlyRootFilesystem": true, "privileged": true, "procMount": "Unmasked",
                "capabilities": {"add": ["SYS_ADMIN"], "drop": ["ALL"]},
            },
            "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi", "nvidia.com/gpu": "1"}},
        });
        let expected = r#"{"securityContext":{"runAsUser":1000,"readOnlyRootFilesystem":true,"capabilities":{"drop":["ALL"]}},"resources":{"requests":{"cpu":"1"},"limits":{"memory":"1Gi"}}}"#;
        assert_eq!(fitted(&json!({}), &worker), expected);
        assert_eq!(
            fitted(&json!({}), &json!({"resources": {}, "securityContext": {"capabilities": {"add": ["X"]}}})),
            "{}"
        );
        // That of the Job that is retried stays; the amounts are the new ones.
        let before = json!({"securityContext": {"runAsUser": 1}, "resources": {"requests": {"cpu": "9"}}});
        let expected =
            r#"{"securityContext":{"runAsUser":1},"resources":{"requests":{"cpu":"1"},"limits":{"memory":"1Gi"}}}"#;
        assert_eq!(fitted(&before, &worker), expected);
        assert_eq!(fitted(&before, &json!({})), before.to_string());
    }
    #[test]
    fn the_usual_image_gets_a_user_where_none_may_be_root() {
        let user = |image: &str, worker: Value, pod: Value| {
            let mut container = json!({"image": image});
            fit(&mut container, &json!({"securityContext": worker}), &pod);
            container["securityContext"]["runAsUser"].clone()
        };
        let must = || json!({"runAsNonRoot": true});
        assert_eq!(user(DEFAULT_IMAGE, must(), Value::Null), NOBODY);
        assert_eq!(user(DEFAULT_IMAGE, Value::Null, must()), NOBODY);
        assert_eq!(user("own", must(), Value::Null), Value::Null);
        assert_eq!(user(DEFAULT_IMAGE, must(), json!({"runAsUser": 7})), Value::Null);
        assert_eq!(user(DEFAULT_IMAGE, json!({"runAsNonRoot": false}), must()), Value::Null);
        assert_eq!(user(DEFAULT_IMAGE, json!({"runAsNonRoot": true, "runAsUser": 7}), Value::Null), 7);
    }
}
