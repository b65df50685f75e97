//! Submitting: the Job suspended, then its ConfigMaps owned by it, then released.
//!
//! So whatever breaks in between, nothing is without an owner, and nothing runs without its item.

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
pub(crate) use policies::mind_dropped;

/// What has to be known of a Job to submit it.
pub(crate) struct Order<'a> {
    pub(crate) name: &'a str,
    /// What the flags ask for; an old server may not know all of it.
    pub(crate) policy: &'a Policy,
    /// Whether the server may drop something without which the Job must not run.
    pub(crate) ask_first: bool,
}

/// How many ConfigMaps are sent at once: each may have 1 MiB, which the server holds in memory several times over.
const SENT_AT_ONCE: usize = 2;

/// Has the server check the objects as if they were stored, and returns what it would store. An error if it would leave
/// out what the user asked for and nothing else can stand for.
pub(crate) async fn dry_run(
    manifest: &Manifest,
    order: &Order<'_>,
    cluster: &Cluster,
    manager: &str,
) -> Result<Manifest, Error> {
    let submission = Submission { dry_run: true, field_manager: manager };
    // The Job first, so that the same trouble is always told of the same object.
    let job = cluster.create(&manifest.job, submission).await?;
    check_kept(&manifest.job, &job.object)?;
    policies::check_kept(&job.object, order.policy)?;
    let config_maps = manifest.config_maps.iter().map(|config_map| cluster.create(config_map, submission));
    let config_maps = futures::stream::iter(config_maps).buffered(SENT_AT_ONCE);
    let config_maps = config_maps.map_ok(|created| created.object).try_collect().await?;
    Ok(Manifest { job: job.object, config_maps })
}

/// Checks that the server did not drop what the items need to reach the worker, because its gate `EnvFiles` is off.
fn check_kept(sent: &Value, stored: &Value) -> Result<(), Error> {
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
    /// The objects as the server has them.
    pub(crate) manifest: Manifest,
    pub(crate) how: How,
}

/// How a Job came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Created,
    /// An earlier submission of the same was cut off; what was missing of it is there now.
    TakenUp,
    /// An earlier submission of the same made it, and it goes on.
    Unchanged,
}

/// Creates the objects and lets them run, unless the program is asked to end. What the same command has begun before
/// is taken up.
///
/// # Errors
/// If the server refuses one of them. Then nothing of them is left, or the error says what is. If a Job of this name is
/// there, and is another or has ended.
pub(crate) async fn submit(
    manifest: &Manifest,
    order: &Order<'_>,
    cluster: &Cluster,
    manager: &str,
    context: &mut Context,
) -> Result<Submitted> {
    let signals = context.signals.clone();
    match signals.unless_asked(create(manifest, order, cluster, manager, context)).await {
        Some(submitted) => submitted,
        None => Err(cut_off(order.name, cluster).await.into()),
    }
}

/// What an interrupt leaves behind that came while the Job was being submitted.
async fn cut_off(name: &str, cluster: &Cluster) -> Error {
    let look = tokio::time::timeout(Duration::from_secs(2), cluster.job(name)).await;
    let left = match look {
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

async fn create(
    manifest: &Manifest,
    order: &Order<'_>,
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
            if held_back || order.ask_first {
                // Of several ConfigMaps one stands for all: they differ in nothing that the server checks.
                let one = manifest.config_maps.first().cloned();
                let checked = Manifest { job: manifest.job.clone(), config_maps: one.into_iter().collect() };
                // The dry run leaves out the submission's own suspension. A Job that it returns suspended is not released.
                held = admission::is_suspended(&dry_run(&checked, order, cluster, manager).await?.job);
            }
            if held_back && held {
                job["metadata"]["annotations"][annotation::SUBMITTING] = json!(annotation::HELD);
            }
            cluster.create(&job, submission).await
        };
        match begun.await {
            Ok(created) => break (created, How::Created),
            Err(error) if error.kind() != Kind::AlreadyExists => return Err(error.into()),
            Err(_) if !has_waited && again::wait_until_collected(manifest, order.name, cluster, context).await? => {
                has_waited = true;
            }
            Err(error) => break again::find(error, order.name, &again::digest(manifest), cluster, context).await?,
        }
    };
    if how == How::Unchanged {
        return Ok(Submitted { manifest: Manifest { job: created.object, config_maps: Vec::new() }, how });
    }
    held |= created.object["metadata"]["annotations"][annotation::SUBMITTING] == annotation::HELD;
    held |= !held_back && admission::is_suspended(&created.object);
    admission::report(&manifest.job, &created.object, held, context);
    let fallback = mind_dropped(&job, &created.object, order.policy, context);
    let rest = async {
        if let Some(limit) = fallback? {
            // The Job's own limit, on the failures of all indexes together.
            let patch = json!({"spec": {"backoffLimit": limit}});
            cluster.patch_job(order.name, &patch, submission, "change").await?;
        }
        let owner = owner(order.name, created.uid());
        let config_maps = store(&manifest.config_maps, &owner, cluster, submission, context).await?;
        let released = if held_back { Some(cluster.release(order.name, !held, submission).await?) } else { None };
        Ok::<_, Error>((config_maps, released))
    };
    match rest.await {
        Ok((config_maps, released)) => {
            // Who follows the Job starts from what the server said last: as created, it is suspended.
            let job = released.as_ref().map_or(Ok(created.object), output::shown)?;
            Ok(Submitted { manifest: Manifest { job, config_maps }, how })
        }
        Err(error) => Err(undo(error, order.name, created.uid(), how, cluster).await),
    }
}

/// Takes back a Job that can't be completed, unless somebody else began it. Returns the error with what is left.
async fn undo(error: Error, name: &str, uid: &str, how: How, cluster: &Cluster) -> anyhow::Error {
    // Exit code 2 means that nothing was created.
    let kind = if error.kind() == Kind::Usage { Kind::Failed } else { error.kind() };
    let what = format!("can't submit job {name:?}");
    if how == How::Created && cluster.delete_job(name, Some(uid), false).await.is_ok() {
        return anyhow::Error::from(error.of_kind(kind)).context(format!("{what}, which was deleted again"));
    }
    // Without an answer to its release nobody knows whether it runs.
    let state = if kind == Kind::Unreachable { "and may run" } else { "suspended" };
    let error = error.of_kind(kind).hint(Hint::indexed(&["delete", name], "removes the Job"));
    anyhow::Error::from(error).context(format!("{what}, which is left {state}"))
}

/// Stores the ConfigMaps, a few at a time, and shows how far it is where there are many.
async fn store(
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

/// The reference that makes a Job own something.
pub(crate) fn owner(name: &str, uid: &str) -> Value {
    json!({"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": uid, "controller": true})
}
