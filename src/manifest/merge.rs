//! Merges one manifest into another by the rules of a Kubernetes strategic merge.

use serde_json::Value;

/// Returns the key that identifies the entries of a list, from the `patchMergeKey` of `k8s.io/api/core/v1/types.go`.
/// A list without a key is replaced as a whole, except tolerations: see [`merge`].
fn merge_key(list: &str) -> Option<&'static str> {
    match list {
        "containers" | "initContainers" | "ephemeralContainers" | "volumes" | "env" | "imagePullSecrets" => {
            Some("name")
        }
        "volumeMounts" => Some("mountPath"),
        "volumeDevices" => Some("devicePath"),
        "ports" => Some("containerPort"),
        "hostAliases" => Some("ip"),
        _ => None,
    }
}

/// Merges `over` into `under`: objects by key, lists by their merge key. Other values are replaced.
///
/// New entries follow the existing ones. Tolerations are added, although an update through the API would replace them:
/// a flag beside a template asks for one more.
pub(super) fn merge(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                match (under.get_mut(&key), value) {
                    (Some(Value::Array(entries)), Value::Array(new)) if key == "tolerations" => {
                        entries.extend(new);
                    }
                    (Some(Value::Array(entries)), Value::Array(new)) if merge_key(&key).is_some() => {
                        merge_entries(entries, new, merge_key(&key).unwrap_or_default());
                    }
                    (Some(value), new) => merge(value, new),
                    (None, new) => {
                        under.insert(key, new);
                    }
                }
            }
        }
        (under, over) => *under = over,
    }
}

fn merge_entries(entries: &mut Vec<Value>, new: Vec<Value>, key: &str) {
    for value in new {
        match entries.iter_mut().find(|entry| entry.get(key).is_some() && entry.get(key) == value.get(key)) {
            // A variable has either a value or a source: one replaces the other.
            Some(entry)
                if entry.get("value").is_some() != value.get("value").is_some()
                    && key == "name"
                    && is_variable(entry) =>
            {
                *entry = value;
            }
            Some(entry) => merge(entry, value),
            None => entries.push(value),
        }
    }
}

fn is_variable(entry: &Value) -> bool {
    entry.get("value").is_some() || entry.get("valueFrom").is_some()
}
