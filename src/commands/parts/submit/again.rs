//! Finds an earlier submission of the same objects, by their digest.

use std::time::Duration;

use anyhow::Result;
use aws_lc_rs::digest::{Context as Hash, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::JobOrigin;
use crate::cluster::{Cluster, Created};
use crate::commands::{Context, output};
use crate::contract::{self, annotation, label};
use crate::error::{Error, Hint, Kind};
use crate::manifest::Manifest;
use crate::state::{self, Outcome};

/// Returns a digest of the objects. The same command makes the same objects, unless it shuffles the items.
pub(crate) fn digest(manifest: &Manifest) -> String {
    let mut hash = Hash::new(&SHA256);
    for object in std::iter::once(&manifest.job).chain(&manifest.config_maps) {
        let mut object = object.clone();
        // The namespace may come from a flag or from the context.
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.shift_remove("namespace");
        }
        hash.update(object.to_string().as_bytes());
        hash.update(b"\n");
    }
    URL_SAFE_NO_PAD.encode(hash.finish())
}

/// Time between two looks for objects of an earlier Job.
const LEFTOVER_POLL: Duration = Duration::from_millis(300);

/// Waits until a deleted Job of this name and its ConfigMaps are gone: the garbage collector removes them after the Job.
/// Returns whether there was anything to wait for.
///
/// # Errors
/// If a ConfigMap with items has no owner, so that nothing removes it.
pub(crate) async fn wait_until_collected(
    manifest: &Manifest,
    name: &str,
    cluster: &Cluster,
    context: &mut Context,
) -> Result<bool> {
    let mut has_waited = false;
    while let Some(what) = find_leftover(name, &manifest.config_maps, cluster).await? {
        if !has_waited {
            context.ui.status(&format!("{what} is being deleted: waiting until it is gone"));
            context.ui.hint(Hint::indexed(
                &["delete", name],
                "says what the deletion waits for; another --name does not wait",
            ));
        }
        has_waited = true;
        tokio::time::sleep(LEFTOVER_POLL).await;
    }
    Ok(has_waited)
}

/// Returns the name of an object of a deleted Job of this name that is not gone yet.
async fn find_leftover(name: &str, config_maps: &[Value], cluster: &Cluster) -> Result<Option<String>> {
    match cluster.job(name).await {
        Ok(job) => return Ok(job.metadata.deletion_timestamp.map(|_| format!("an earlier job {name:?}"))),
        Err(error) if error.kind() == Kind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    for config_map in config_maps.iter().filter_map(|config_map| config_map["metadata"]["name"].as_str()) {
        let Some(found) = cluster.stored_config_map(config_map).await? else { continue };
        let metadata = &found["metadata"];
        let owner = &metadata["ownerReferences"][0];
        let was_owned = owner["kind"] == "Job" && owner["name"] == name;
        if metadata["deletionTimestamp"].is_string() || was_owned {
            return Ok(Some(format!("configmap {config_map:?} of an earlier job {name:?}")));
        }
        if metadata["labels"][label::ITEMS_OF] == name && owner.is_null() {
            let message = format!("configmap {config_map:?} was left behind by an earlier job {name:?}");
            let hint = Hint::indexed(&["delete", name], "removes it; then run the same command again");
            return Err(Error::new(Kind::AlreadyExists, message).hint(hint).into());
        }
    }
    Ok(None)
}

/// Returns the Job of an earlier submission of the same objects.
pub(crate) async fn find_earlier(
    exists: Error,
    name: &str,
    digest: &str,
    cluster: &Cluster,
    context: &mut Context,
) -> Result<(Created, JobOrigin)> {
    let another = "choose another --name, or leave --name out to generate one";
    let Ok(job) = cluster.job(name).await else { return Err(exists.hint(another).into()) };
    let logs = Hint::indexed(&["logs", name, "--index", "failed"], "prints the output of its failed indexes");
    let delete = Hint::indexed(&["delete", name], "removes it");
    let shows = Hint::indexed(&["describe", name], "shows it");
    let is_same = contract::annotation_value(&job, annotation::DIGEST) == Some(digest);
    if !is_same && state::resumed(&job).is_some() && state::is_submitting(&job) {
        // More items may have succeeded meanwhile. Then the Job that was begun has other items.
        return Err(Error::new(
            Kind::AlreadyExists,
            format!("job {name:?} was interrupted before it started, and other items are outstanding now"),
        )
        .hint(Hint::indexed(&["delete", name], "removes it; then run the same command again"))
        .into());
    }
    let outcome = state::outcome(&job);
    let retry = |words: &[&str], does: &str| {
        let failed = outcome.is_some_and(|outcome| outcome != Outcome::Complete);
        failed.then(|| Hint::indexed(&[&["retry", name], words].concat(), does))
    };
    if !is_same {
        return Err(match retry(&["--", "COMMAND"], "runs its failed indexes with another command") {
            Some(retry) => exists.hint(retry).hint(logs).hint(delete).hint(another),
            None => exists.hint(shows).hint(another),
        }
        .into());
    }
    let refused = |why: &str| {
        Error::new(Kind::AlreadyExists, format!("job {name:?} already exists, created by this same command, and {why}"))
    };
    if let Some(outcome) = outcome {
        let why = if outcome == Outcome::Complete { "has completed" } else { "has failed" };
        let error = match retry(&[], "runs its failed indexes again") {
            Some(retry) => refused(why).hint(retry).hint(logs),
            None => refused(why).hint(Hint::indexed(&["results", name, "--to", "DIR"], "saves its output")),
        };
        return Err(error.hint(delete.and("or choose another --name")).into());
    }
    let how = if state::is_submitting(&job) {
        context
            .ui
            .status(&format!("job {name} was begun by this same command and interrupted: finishing the submission"));
        JobOrigin::TakenUp
    } else {
        JobOrigin::Unchanged
    };
    Ok((Created { object: output::shown(&job)? }, how))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn different_objects_have_different_digests() {
        let manifest = |command: &str, item: &str| Manifest {
            job: json!({"spec": {"command": command}}),
            config_maps: vec![json!({"data": {"0": item}})],
        };
        let one = digest(&manifest("rev", "foo"));
        assert_eq!(one.len(), 43);
        assert_eq!(one, digest(&manifest("rev", "foo")));
        assert_ne!(one, digest(&manifest("rev", "bar")));
        assert_ne!(one, digest(&manifest("tac", "foo")));
        let mut elsewhere = manifest("rev", "foo");
        elsewhere.job["metadata"] = json!({"namespace": "there", "name": "x"});
        let mut here = manifest("rev", "foo");
        here.job["metadata"] = json!({"name": "x"});
        assert_eq!(digest(&elsewhere), digest(&here));
    }
}
