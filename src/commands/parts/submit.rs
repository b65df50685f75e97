//! Submitting: the Job suspended, then its ConfigMaps owned by it, then released.
//!
//! So if a step fails, every ConfigMap has an owner, and no index runs without its item.

mod admission;
mod again;
mod policies;

use std::time::Duration;

use anyhow::Result;
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};

use super::{Context, output};
use crate::cluster::{Cluster, Submission};
use crate::contract::annotation;
use crate::error::{Error, Hint, Kind};
use crate::manifest::Manifest;
use crate::spec::policy::Policy;
pub(crate) use policies::report_dropped_fields;

/// What the submission of a Job depends on, besides its objects.
pub(crate) struct SubmitRequirements<'a> {
    pub(crate) name: &'a str,
    /// The policies of the flags. An old server may not know all of them.
    pub(crate) policy: &'a Policy,
    /// Whether to dry-run first, because the server may drop a field that the Job needs.
    pub(crate) ask_first: bool,
}

/// Number of ConfigMaps sent at once. Each may have 1 MiB, which the server copies in memory several times.
const SENT_AT_ONCE: usize = 2;

/// Sends the objects as a dry run, and returns what the server would store. Fails if the server would drop a field that the
/// user asked for and that has no substitute.
pub(crate) async fn dry_run(
    manifest: &Manifest,
    requirements: &SubmitRequirements<'_>,
    cluster: &Cluster,
    manager: &str,
) -> Result<Manifest, Error> {
    let submission = Submission { dry_run: true, field_manager: manager };
    // The Job comes first, so that the error always names the same object.
    let job = cluster.create(&manifest.job, submission).await?;
    check_variables_kept(&manifest.job, &job.object)?;
    policies::check_policies_kept(&job.object, requirements.policy)?;
    let config_maps = manifest.config_maps.iter().map(|config_map| cluster.create(config_map, submission));
    let config_maps = futures::stream::iter(config_maps).buffered(SENT_AT_ONCE);
    let config_maps = config_maps.map_ok(|created| created.object).try_collect().await?;
    Ok(Manifest { job: job.object, config_maps })
}

/// Checks that the server kept every `fileKeyRef`. It drops them if its feature gate `EnvFiles` is off.
fn check_variables_kept(sent: &Value, stored: &Value) -> Result<(), Error> {
    let count = |job: &Value| {
        let lists = ["initContainers", "containers"].map(|list| job.pointer(&format!("/spec/template/spec/{list}")));
        let containers = lists.into_iter().flatten().filter_map(Value::as_array).flatten();
        let variables = containers.filter_map(|container| container.get("env")?.as_array()).flatten();
        variables.filter(|variable| variable.pointer("/valueFrom/fileKeyRef").is_some()).count()
    };
    if count(stored) < count(sent) {
        return Err(Error::new(
            Kind::Failed,
            "this server can't read variables from a file: its feature gate EnvFiles is off",
        )
        .hint("use --shell if the image has a shell, else --item-as file; retry needs the feature gate"));
    }
    Ok(())
}

pub(crate) struct Submitted {
    /// The objects as stored.
    pub(crate) manifest: Manifest,
    pub(crate) how: JobOrigin,
}

/// How a submission got its Job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobOrigin {
    Created,
    /// An earlier submission of the same objects was interrupted, and is finished now.
    TakenUp,
    /// An earlier submission of the same objects created it, and it still runs.
    Unchanged,
}

/// Creates the objects and releases the Job, unless a signal asks the program to end. Finishes an earlier submission of the
/// same objects.
///
/// # Errors
/// If the server refuses an object. Then nothing is left, or the error says what is. If another Job has this name, or the
/// same Job has ended.
pub(crate) async fn submit(
    manifest: &Manifest,
    requirements: &SubmitRequirements<'_>,
    cluster: &Cluster,
    manager: &str,
    context: &mut Context,
) -> Result<Submitted> {
    let signals = context.signals.clone();
    match signals.unless_interrupted(create_and_release(manifest, requirements, cluster, manager, context)).await {
        Some(submitted) => submitted,
        None => Err(interrupt_error(requirements.name, cluster).await.into()),
    }
}

/// Returns the error for an interrupt during submission. It says what is left.
async fn interrupt_error(name: &str, cluster: &Cluster) -> Error {
    let found = tokio::time::timeout(Duration::from_secs(2), cluster.job(name)).await;
    let left = match found {
        Ok(Ok(job)) if job.spec.as_ref().is_some_and(|spec| spec.suspend == Some(true)) => {
            format!("job {name} is left suspended; the same command with this name finishes the submission")
        }
        Ok(Ok(_)) => format!("job {name} goes on"),
        Ok(Err(error)) if error.kind() == Kind::NotFound => {
            return Error::new(Kind::Interrupted, "interrupted: nothing was created");
        }
        Ok(Err(_)) | Err(_) => format!("job {name} may be left suspended"),
    };
    Error::new(Kind::Interrupted, format!("interrupted while submitting: {left}"))
        .hint(Hint::indexed(&["delete", name], "removes it"))
}

async fn create_and_release(
    manifest: &Manifest,
    requirements: &SubmitRequirements<'_>,
    cluster: &Cluster,
    manager: &str,
    context: &mut Context,
) -> Result<Submitted> {
    let submission = Submission { dry_run: false, field_manager: manager };
    let mut job = manifest.job.clone();
    let token: String = std::iter::repeat_with(fastrand::alphanumeric).take(20).collect();
    let annotations = &mut job["metadata"]["annotations"];
    annotations[annotation::SUBMISSION] = json!(token);
    annotations[annotation::DIGEST] = json!(again::digest(manifest));
    let held_back = !manifest.config_maps.is_empty();
    if held_back {
        annotations[annotation::SUBMITTING] = json!("true");
        job["spec"]["suspend"] = json!(true);
    }
    let mut held = false;
    let mut has_waited = false;
    let (created, how) = loop {
        let begun = async {
            if held_back || requirements.ask_first {
                // One ConfigMap is enough: the others differ in nothing that the server checks.
                let one = manifest.config_maps.first().cloned();
                let checked = Manifest { job: manifest.job.clone(), config_maps: one.into_iter().collect() };
                // The dry run leaves out the submission's own suspension. A Job that it returns suspended is not released.
                held = admission::is_suspended(&dry_run(&checked, requirements, cluster, manager).await?.job);
            }
            if held_back && held {
                job["metadata"]["annotations"][annotation::SUBMITTING] = json!(annotation::HELD);
            }
            cluster.create(&job, submission).await
        };
        match begun.await {
            Ok(created) => break (created, JobOrigin::Created),
            Err(error) if error.kind() != Kind::AlreadyExists => return Err(error.into()),
            Err(_)
                if !has_waited
                    && again::wait_until_collected(manifest, requirements.name, cluster, context).await? =>
            {
                has_waited = true;
            }
            Err(error) => {
                break again::find_earlier(error, requirements.name, &again::digest(manifest), cluster, context)
                    .await?;
            }
        }
    };
    if how == JobOrigin::Unchanged {
        return Ok(Submitted { manifest: Manifest { job: created.object, config_maps: Vec::new() }, how });
    }
    held |= created.object["metadata"]["annotations"][annotation::SUBMITTING] == annotation::HELD;
    held |= !held_back && admission::is_suspended(&created.object);
    admission::report(&manifest.job, &created.object, held, context);
    let fallback = report_dropped_fields(&job, &created.object, requirements.policy, context);
    let rest = async {
        if let Some(limit) = fallback? {
            // backoffLimit counts failures across all indexes.
            let patch = json!({"spec": {"backoffLimit": limit}});
            cluster.patch_job(requirements.name, &patch, submission, "change").await?;
        }
        let owner = owner(requirements.name, created.uid());
        let config_maps = store_config_maps(&manifest.config_maps, &owner, cluster, submission, context).await?;
        let released =
            if held_back { Some(cluster.release(requirements.name, !held, submission).await?) } else { None };
        Ok::<_, Error>((config_maps, released))
    };
    match rest.await {
        Ok((config_maps, released)) => {
            // The Job as released, because as created it is suspended.
            let job = released.as_ref().map_or(Ok(created.object), output::shown)?;
            Ok(Submitted { manifest: Manifest { job, config_maps }, how })
        }
        Err(error) => Err(undo_submission(error, requirements.name, created.uid(), how, cluster).await),
    }
}

/// Deletes a Job whose submission failed, unless an earlier submission created it. Returns the error with what is left.
async fn undo_submission(error: Error, name: &str, uid: &str, how: JobOrigin, cluster: &Cluster) -> anyhow::Error {
    // Exit code 2 means that nothing was created.
    let kind = if error.kind() == Kind::Usage { Kind::Failed } else { error.kind() };
    let what = format!("can't submit job {name:?}");
    if how == JobOrigin::Created && cluster.delete_job(name, Some(uid), false).await.is_ok() {
        return anyhow::Error::from(error.of_kind(kind)).context(format!("{what}, which was deleted again"));
    }
    // Without a response to its release, the Job may run.
    let state = if kind == Kind::Unreachable { "and may run" } else { "suspended" };
    let error = error.of_kind(kind).hint(Hint::indexed(&["delete", name], "removes the Job"));
    anyhow::Error::from(error).context(format!("{what}, which is left {state}"))
}

/// Stores the ConfigMaps, a few at a time, and shows the progress.
async fn store_config_maps(
    config_maps: &[Value],
    owner: &Value,
    cluster: &Cluster,
    submission: Submission<'_>,
    context: &mut Context,
) -> Result<Vec<Value>, Error> {
    let requests = config_maps.iter().map(|config_map| {
        let mut config_map = config_map.clone();
        config_map["metadata"]["ownerReferences"] = json!([owner]);
        async move { cluster.create(&config_map, submission).await.map(|created| created.object) }
    });
    let mut answers = futures::stream::iter(requests).buffered(SENT_AT_ONCE);
    let mut stored = Vec::new();
    context.ui.begin_live();
    while let Some(answer) = answers.next().await {
        stored.push(answer?);
        let (done, total) = (stored.len(), config_maps.len());
        context.ui.set_live(done, total, format!("storing the items: {done} of {total} configmaps"));
    }
    context.ui.end_live();
    Ok(stored)
}

/// Returns the owner reference to a Job.
pub(crate) fn owner(name: &str, uid: &str) -> Value {
    json!({"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": uid, "controller": true})
}
