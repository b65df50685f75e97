//! Submitting: the Job suspended, then its ConfigMaps owned by it, then released.
//!
//! So whatever breaks in between, nothing is without an owner, and nothing runs without its item.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::Context;
use crate::cluster::{Cluster, Submission};
use crate::contract::annotation;
use crate::error::{Error, Kind};
use crate::manifest::Manifest;
use crate::spec::JobSpec;

/// The objects as the server stored them.
pub(super) struct Submitted {
    pub(super) job: Value,
    pub(super) config_maps: Vec<Value>,
}

/// Has the server check the objects as if they were stored, and returns what it would store.
pub(super) async fn dry_run(manifest: &Manifest, cluster: &Cluster, manager: &str) -> Result<Submitted, Error> {
    let submission = Submission { dry_run: true, field_manager: manager };
    // The Job first, so that the same trouble is always told of the same object.
    let job = cluster.create(&manifest.job, submission).await?;
    let config_maps = manifest.config_maps.iter().map(|config_map| cluster.create(config_map, submission));
    let config_maps = futures::future::try_join_all(config_maps).await?;
    Ok(Submitted { job: job.object, config_maps: config_maps.into_iter().map(|created| created.object).collect() })
}

/// Creates the objects and lets them run.
///
/// # Errors
/// If the server refuses one of them. Then nothing of them is left, or the error says what is.
pub(super) async fn submit(
    manifest: &Manifest,
    spec: &JobSpec,
    cluster: &Cluster,
    manager: &str,
    context: &mut Context,
) -> Result<Submitted> {
    let submission = Submission { dry_run: false, field_manager: manager };
    let mut job = manifest.job.clone();
    let token: String = std::iter::repeat_with(fastrand::alphanumeric).take(20).collect();
    job["metadata"]["annotations"][annotation::SUBMISSION] = json!(token);
    let held_back = !manifest.config_maps.is_empty();
    let name_hint = |error: Error| match error.kind() {
        Kind::AlreadyExists => error
            .hint(format!("{} shows it", context.again(&format!("describe {}", spec.name))))
            .hint("choose another --name, or leave it out to have one made"),
        _ => error,
    };
    if held_back {
        dry_run(manifest, cluster, manager).await.map_err(name_hint)?;
        job["spec"]["suspend"] = json!(true);
    }
    let created = cluster.create(&job, submission).await.map_err(name_hint)?;
    let fallback = mind_dropped_fields(&job, &created.object, spec, context);
    let rest = async {
        if let Some(limit) = fallback? {
            cluster.set_backoff_limit(&spec.name, limit, manager).await?;
        }
        let owner = owner(&spec.name, created.uid());
        let mut config_maps = Vec::new();
        for config_map in &manifest.config_maps {
            let mut config_map = config_map.clone();
            config_map["metadata"]["ownerReferences"] = json!([owner]);
            config_maps.push(cluster.create(&config_map, submission).await?.object);
        }
        // With a queue, Kueue lets it run.
        if held_back && spec.queue.is_none() {
            cluster.release(&spec.name, manager).await?;
        }
        Ok::<_, Error>(config_maps)
    };
    match rest.await {
        Ok(config_maps) => Ok(Submitted { job: created.object, config_maps }),
        Err(error) => {
            let undone = cluster.delete_job(&spec.name, Some(created.uid())).await;
            let error = anyhow::Error::from(error);
            Err(match undone {
                Ok(()) => error.context(format!("submitting job {:?}, which was taken back", spec.name)),
                Err(_) => error.context(format!(
                    "submitting job {:?}, which is left behind suspended ({} removes it)",
                    spec.name,
                    context.again(&format!("delete {}", spec.name))
                )),
            })
        }
    }
}

fn owner(name: &str, uid: &str) -> Value {
    json!({"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": uid, "controller": true})
}

/// Says which fields of the Job the server does not know, since an old one drops them without a word.
///
/// Returns the nearest thing to retries of each index on such a server: a limit for all of them together, so wide that
/// one failing index does not stop the others.
fn mind_dropped_fields(
    sent: &Value,
    stored: &Value,
    spec: &JobSpec,
    context: &mut Context,
) -> Result<Option<usize>, Error> {
    let sent_fields = sent["spec"].as_object().into_iter().flatten().map(|(field, _)| field.as_str());
    let dropped: Vec<_> = sent_fields.filter(|field| stored["spec"].get(field).is_none()).collect();
    let mut fallback = None;
    for field in dropped {
        match field {
            "completionMode" => {
                return Err(Error::new(Kind::Failed, "this server knows no Indexed Jobs")
                    .hint("they need Kubernetes 1.24 or newer"));
            }
            "backoffLimitPerIndex" => {
                let limit = spec.completions as usize * (spec.retries.unwrap_or(0) as usize + 1);
                fallback = Some(limit);
                context.ui.warning(&format!(
                    "this server has no retries for each index (it needs Kubernetes 1.29): up to {limit} failures of \
                     all indexes together are tried again instead"
                ));
            }
            "podFailurePolicy" => context.ui.warning(
                "this server has no pod failure policy (it needs Kubernetes 1.26): a drained node counts as a failure",
            ),
            field => context.ui.warning(&format!("this server does not know spec.{field}, and dropped it")),
        }
    }
    Ok(fallback)
}

/// The text of a template, from a file or stdin.
pub(super) fn read_template(path: &std::path::Path) -> Result<(String, Vec<u8>)> {
    let bytes = if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    let origin = path.display().to_string();
    let bytes = bytes.map_err(|error| Error::usage(format!("the template {origin} can't be read")).caused_by(error));
    Ok((origin, bytes.context("reading --template")?))
}
