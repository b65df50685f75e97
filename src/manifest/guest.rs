//! Applies the cluster's demands on every container to the init containers that this program adds.

use serde_json::{Map, Value, json};

use super::filled;
use crate::spec::DEFAULT_IMAGE;

/// The default user of an added container that must not run as root: `nobody`. Its files are readable by everyone.
const NOBODY: u32 = 65_534;

/// Gives an added container the worker's security context and resources: the namespace's Pod Security level, quotas,
/// limit ranges and policies apply to each container.
///
/// The resources do not raise the Pod's requests: Kubernetes counts the largest init container or the sum of the others
/// (<https://kubernetes.io/docs/concepts/workloads/pods/init-containers/>). An existing security context, from the
/// retried Job, stays. `pod` is the Pod's security context.
pub(super) fn restrict_container(container: &mut Value, worker: &Value, pod: &Value) {
    // Puts the output of a failed container into the Pod's status.
    container["terminationMessagePolicy"] = json!("FallbackToLogsOnError");
    let resources = resources(&worker["resources"]);
    let mut context = security_context(&worker["securityContext"]);
    let of_worker = |field: &str| worker["securityContext"].get(field).or(pod.get(field));
    let by_image = of_worker("runAsNonRoot").is_some_and(|must| *must == true) && of_worker("runAsUser").is_none();
    if by_image && container["image"] == DEFAULT_IMAGE {
        // The default image has no user but root. The user's own --init-image may have one.
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

/// Returns the worker's security context without its privileges: our scripts only write to emptyDir volumes.
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

/// Returns the resources that quotas and limit ranges count for each container, without devices.
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
        restrict_container(&mut container, worker, &Value::Null);
        container.as_object_mut().unwrap().remove("terminationMessagePolicy").unwrap();
        container.to_string()
    }

    #[test]
    fn an_added_container_gets_restrictions_and_resources_but_no_privilege_or_device() {
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
        // The security context of the retried Job stays; the resources are replaced.
        let before = json!({"securityContext": {"runAsUser": 1}, "resources": {"requests": {"cpu": "9"}}});
        let expected =
            r#"{"securityContext":{"runAsUser":1},"resources":{"requests":{"cpu":"1"},"limits":{"memory":"1Gi"}}}"#;
        assert_eq!(fitted(&before, &worker), expected);
        assert_eq!(fitted(&before, &json!({})), before.to_string());
    }

    #[test]
    fn the_default_image_gets_a_user_where_root_is_forbidden() {
        let user = |image: &str, worker: Value, pod: Value| {
            let mut container = json!({"image": image});
            restrict_container(&mut container, &json!({"securityContext": worker}), &pod);
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
