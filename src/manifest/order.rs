//! The usual order of fields in manifests.

use serde_json::Value;

/// Fields in their usual order: of all objects, a Job's spec, a Pod's spec, a container and its mounts, tolerations and
/// conditions. Other fields follow in their original order.
const FIELDS: &str = "
    apiVersion kind metadata name generateName namespace labels annotations ownerReferences immutable data
    binaryData spec
    completions parallelism completionMode suspend backoffLimit backoffLimitPerIndex maxFailedIndexes
    activeDeadlineSeconds ttlSecondsAfterFinished podReplacementPolicy podFailurePolicy successPolicy template
    restartPolicy enableServiceLinks serviceAccountName priorityClassName nodeSelector tolerations imagePullSecrets initContainers
    containers volumes
    image command args workingDir ports envFrom env resources requests limits volumeMounts mountPath subPath
    subPathExpr readOnly terminationMessagePolicy imagePullPolicy
    key containerName operator value values effect action onExitCodes onPodConditions type status
";

fn rank(key: &str) -> usize {
    FIELDS.split_whitespace().position(|known| known == key).unwrap_or(usize::MAX)
}

/// Sorts the fields of `value`, and of all nested objects, into their usual order.
pub(crate) fn sort_fields(value: &mut Value) {
    match value {
        Value::Object(object) => {
            let mut fields: Vec<_> = std::mem::take(object).into_iter().collect();
            fields.sort_by_cached_key(|(key, _)| rank(key));
            for (key, mut value) in fields {
                // The keys of these maps belong to the user.
                if !matches!(key.as_str(), "labels" | "annotations" | "data" | "binaryData" | "nodeSelector") {
                    sort_fields(&mut value);
                }
                object.insert(key, value);
            }
        }
        Value::Array(entries) => entries.iter_mut().for_each(sort_fields),
        _ => {}
    }
}
