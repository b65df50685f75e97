//! What is to be another way than the first time: image, resources, command.

use serde_json::{Value, json};

use super::super::scripts::{self, unescape_expansion};
use super::{entries, list, text};
use crate::contract::{self, INDEX_VARIABLE, ITEM_PATH, ITEM_VARIABLE, ORIGINAL, annotation};
use crate::error::Error;
use crate::spec::handover::ItemForm;
use crate::spec::items::Columns;
use crate::spec::retry::{Amount, Changes, Given, multiplied, reword};

/// Makes the changes, all of them to the container that does the work.
pub(super) fn apply(job: &mut Value, changes: &Changes) -> Result<(), Error> {
    let Changes { image, cpu, memory, retries, parallelism: _, init_image: _, init_image_at_last: _, command } =
        changes;
    let restarts = job.pointer("/spec/template/spec/restartPolicy").is_some_and(|policy| policy != "Never");
    if let (true, Some(retries)) = (restarts, retries) {
        return Err(Error::usage(format!(
            "--retries {retries} counts the failures of each index, which Kubernetes does only with restartPolicy: Never"
        ))
        .hint("leave --retries out: the Job restarts its containers in place"));
    }
    let position = worker_position(job);
    let replacement = command.as_ref().map(|command| corrected(job, position, command)).transpose()?;
    let Some(worker) = job.pointer_mut(&format!("/spec/template/spec/containers/{position}")) else { return Ok(()) };
    if let Some(image) = image {
        worker["image"] = json!(image);
    }
    if let Some(cpu) = cpu {
        resource(worker, "cpu", cpu)?;
    }
    if let Some(memory) = memory {
        resource(worker, "memory", memory)?;
    }
    if let Some(words) = replacement {
        worker["command"] = json!(words);
        if let Some(worker) = worker.as_object_mut() {
            // They are arguments of the command that is replaced.
            worker.remove("args");
        }
    }
    if let Some(command) = command {
        job["metadata"]["annotations"][annotation::COMMAND] = json!(json!(command).to_string());
    }
    Ok(())
}

/// Returns which of the containers does the work: see [`contract::worker`].
pub(super) fn worker_position(job: &Value) -> usize {
    let annotations = job.pointer("/spec/template/metadata/annotations");
    let noted = annotations.and_then(|annotations| annotations[annotation::DEFAULT_CONTAINER].as_str());
    let names = || list(job, "containers").map(|container| text(container.get("name")));
    let worker = contract::worker(noted, names());
    names().position(|name| Some(name) == worker).unwrap_or(0)
}

/// Sets how much of a resource the worker asks for: of memory also the limit, of CPU the limit only where there is one.
fn resource(worker: &mut Value, name: &str, amount: &Amount) -> Result<(), Error> {
    let there = |kind: &str| worker["resources"][kind][name].as_str();
    let (request, limit) = (there("requests"), there("limits"));
    let cannot = |why: String| {
        Error::usage(why).hint(format!("say how much: --{name} {}", if name == "cpu" { "2" } else { "2Gi" }))
    };
    let amounts = match amount {
        Amount::To(quantity) => {
            let limit = (name == "memory" || limit.is_some()).then(|| quantity.clone());
            [("requests", Some(quantity.clone())), ("limits", limit)]
        }
        Amount::Times(_) if request.is_none() && limit.is_none() => {
            return Err(cannot(format!("the worker asks for no {name} that could be multiplied")));
        }
        Amount::Times(thousandths) => {
            let product = |quantity: &str| {
                multiplied(quantity, *thousandths)
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

/// The worker's words for a corrected command, which finds its item as the first one did.
fn corrected(job: &Value, position: usize, command: &[String]) -> Result<Vec<String>, Error> {
    let noted = |key: &str| job["metadata"]["annotations"].get(key).and_then(Value::as_str);
    let forms = [ItemForm::File, ItemForm::Arg, ItemForm::Env, ItemForm::Stdin, ItemForm::Index];
    let form = noted(annotation::ITEM_AS).and_then(|name| forms.into_iter().find(|form| form.name() == name));
    // Of a Job that others made nothing is known but its words.
    let Some(form) = form else { return Ok(command.to_vec()) };
    let Some(worker) = list(job, "containers").nth(position) else { return Ok(command.to_vec()) };
    let columns = noted(annotation::ITEM_COLUMNS).map(Columns::from_note).unwrap_or_default();
    let script = wrapper(worker);
    let mut variables: Vec<_> = entries(worker, "env")
        .filter(|variable| variable.pointer("/valueFrom/fileKeyRef/volumeName").is_some_and(|name| name != ORIGINAL))
        .map(|variable| text(variable.get("name")).to_owned())
        .collect();
    if let Some(script) = &script {
        variables.extend(scripts::variables_named(script).filter(|name| name.starts_with(ITEM_VARIABLE)));
    }
    let expression = format!("$({INDEX_VARIABLE})");
    let own_mount = entries(worker, "volumeMounts").find(|mount| mount["subPathExpr"] == expression);
    let path = own_mount.map_or(ITEM_PATH, |mount| text(mount.get("mountPath")));
    let given = Given { form, columns: &columns, path: Some(path), variables: &variables };
    let words = reword(command, &given)?;
    match script {
        Some(script) => scripts::rewrapped(worker, &script, &words).ok_or_else(|| {
            Error::usage("the shell script around the Job's command is not one of this version's own")
                .hint("run the outstanding items by kubectl indexed run")
        }),
        None => Ok(words.iter().map(|word| scripts::joined(word)).collect()),
    }
}

/// The script by which a shell hands the items over, if one does.
fn wrapper(worker: &Value) -> Option<String> {
    let script = text(worker.pointer("/command/2"));
    let name = text(worker.pointer("/command/0"));
    let is_ours = text(worker.pointer("/command/1")) == "-c"
        && text(worker.pointer("/command/3")) == name.rsplit('/').next().unwrap_or(name)
        && unescape_expansion(script).lines().last().is_some_and(|line| line.starts_with("exec"));
    is_ours.then(|| unescape_expansion(script))
}
