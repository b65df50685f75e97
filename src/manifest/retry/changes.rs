//! Applies the user's changes to a retry: image, resources, command.

use serde_json::{Value, from_value, json};

use super::list_mut;
use crate::contract::{self, annotation};
use crate::error::Error;
use crate::spec::Requirement;
use crate::spec::retry::{Changes, ResourceChange, multiply};

/// Applies all changes to the worker's container.
pub(super) fn apply_changes(job: &mut Value, changes: &Changes) -> Result<(), Error> {
    let Changes { image, cpu, memory, retries, parallelism: _, init_image: _, fallback_init_image: _, command } =
        changes;
    let restarts = job.pointer("/spec/template/spec/restartPolicy").is_some_and(|policy| policy != "Never");
    if let (true, Some(retries)) = (restarts, retries) {
        return Err(Error::usage(format!(
            "--retries {retries} needs restartPolicy: Never: only then does Kubernetes count failures per index"
        ))
        .hint("omit --retries: this Job restarts its containers in place"));
    }
    let Some(worker) = worker_mut(job) else { return Ok(()) };
    if let Some(image) = image {
        worker["image"] = json!(image);
    }
    for (name, amount) in [("cpu", cpu), ("memory", memory)] {
        amount.as_ref().map_or(Ok(()), |amount| set_resource(worker, name, amount))?;
    }
    if let Some(words) = command {
        worker["command"] = json!(words);
        if let Some(worker) = worker.as_object_mut() {
            // These arguments belong to the replaced command.
            worker.remove("args");
        }
        job["metadata"]["annotations"][annotation::COMMAND] = json!(json!(words).to_string());
    }
    Ok(())
}

/// Returns the worker's container.
pub(super) fn worker_mut(job: &mut Value) -> Option<&mut Value> {
    let typed = from_value(job.clone()).unwrap_or_default();
    let worker = contract::worker_name(&typed);
    list_mut(job, "containers").find(|container| container["name"].as_str() == worker)
}

/// Sets the worker's request of a resource. Sets the limit too for memory; for CPU only if there is one, or the amount
/// names one.
fn set_resource(worker: &mut Value, name: &str, amount: &ResourceChange) -> Result<(), Error> {
    let there = |kind: &str| worker["resources"][kind][name].as_str();
    let (request, limit) = (there("requests"), there("limits"));
    let cannot = |why: String| {
        Error::usage(why).hint(format!("give an amount: --{name} {}", if name == "cpu" { "2" } else { "2Gi" }))
    };
    let amounts = match amount {
        ResourceChange::To(Requirement { request, limit: named }) => {
            let same = (name == "memory" || limit.is_some()).then_some(request);
            [("requests", Some(request.clone())), ("limits", named.as_ref().or(same).cloned())]
        }
        ResourceChange::Times(_) if request.is_none() && limit.is_none() => {
            return Err(cannot(format!("the worker has no {name} request or limit to multiply")));
        }
        ResourceChange::Times(thousandths) => {
            let product = |quantity: &str| {
                multiply(quantity, *thousandths)
                    .ok_or_else(|| cannot(format!("the worker's {name} of {quantity:?} can't be multiplied")))
            };
            [("requests", request.map(product).transpose()?), ("limits", limit.map(product).transpose()?)]
        }
    };
    for (kind, amount) in amounts {
        if let Some(amount) = amount {
            worker["resources"][kind][name] = json!(amount);
        }
    }
    Ok(())
}
