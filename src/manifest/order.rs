//! The order of fields in which people write and read manifests: what a thing is, then what it does, lists last.

use serde_json::Value;

/// Fields in their usual order: of all objects, of a Job's spec, a Pod's spec, a container and its mounts, tolerations and
/// conditions. Those not named here follow in the order in which they came.
const ORDER: &str = "
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
    ORDER.split_whitespace().position(|known| known == key).unwrap_or(usize::MAX)
}

/// Puts the fields of `value`, and of all that is in it, into their usual order.
pub(crate) fn order(value: &mut Value) {
    match value {
        Value::Object(object) => {
            let mut fields: Vec<_> = std::mem::take(object).into_iter().collect();
            fields.sort_by_cached_key(|(key, _)| rank(key));
            for (key, mut value) in fields {
                // The keys of a user's own map are no fields.
                if !matches!(key.as_str(), "labels" | "annotations" | "data" | "binaryData" | "nodeSelector") {
                    order(&mut value);
                }
                object.insert(key, value);
            }
        }
        Value::Array(entries) => entries.iter_mut().for_each(order),
        _ => {}
    }
}
