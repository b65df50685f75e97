//! `run`: creates a Job from items and a command, and follows it to its end.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use serde_json::json;

use super::launch::Launch;
use super::outputs::folder::Folder;
use super::submit::{JobOrigin, Submitted};
use super::{Context, find, inputs, resumed, settings, submit};
use crate::args::{DryRun, RunArgs};
use crate::cluster::Cluster;
use crate::error::{Error, Exit, Kind};
use crate::manifest;
use crate::spec::handover::{ItemForm, VARIABLE_FILE_SINCE};
use crate::spec::{JobSpec, Resolved};
use crate::view::plural;

pub(super) async fn run(args: RunArgs, context: &mut Context) -> Result<Exit> {
    let launch = Launch::new(args.follow.clone(), args.objects.clone(), args.results.clone(), context)?;
    let inputs = inputs::read_inputs(&args, context).await?;
    let args = settings::without_template_fields(args, &inputs, context);
    let Some(resolved) = Box::pin(resumed::resolve(args, inputs, context)).await? else { return Ok(Exit::Success) };
    let Resolved { mut spec, notes, warnings } = resolved;
    for note in notes {
        context.ui.status(&note);
    }
    for warning in warnings {
        context.ui.warning(&warning);
    }
    if launch.dry_run == DryRun::Client {
        let manifest = manifest::build(&spec)?;
        print_handover(&spec, !launch.output.is_some(), false, context);
        return launch.print(manifest, "created (dry run)", context);
    }
    let cluster = Arc::new(context.cluster().await?);
    let minor = context.signals.unless_interrupted(cluster.server_minor()).await;
    let minor = minor.ok_or_else(|| Error::new(Kind::Interrupted, "interrupted: nothing was created"))??;
    spec.handover.settle(minor)?;
    spec.policy.settle(minor);
    let manifest = manifest::build(&spec)?;
    let ask_first = spec.policy.depends_on_server() || spec.handover.depends_on_server();
    let requirements = submit::SubmitRequirements { name: &spec.name, policy: &spec.policy, ask_first };
    if launch.dry_run == DryRun::Server {
        let mut checked = submit::dry_run(&manifest, &requirements, &cluster, &launch.manager).await?;
        if let Some(limit) = submit::report_dropped_fields(&manifest.job, &checked.job, &spec.policy, context)? {
            checked.job["spec"]["backoffLimit"] = json!(limit);
        }
        print_handover(&spec, !launch.output.is_some(), true, context);
        return launch.print(checked, "created (server dry run)", context);
    }
    if let Some(folder) = &launch.results {
        check_folder(folder, &spec.name, &cluster).await?;
    }
    let detach = launch.args.detach;
    let Submitted { manifest, how } =
        submit::submit(&manifest, &requirements, &cluster, &launch.manager, context).await?;
    if how == JobOrigin::Unchanged {
        let then = if detach { "" } else { ": following it" };
        context.ui.status(&format!("job {} already exists, created by this same command{then}", spec.name));
    }
    if detach {
        return launch.detach(manifest, how, &spec.name, context);
    }
    if how != JobOrigin::Unchanged {
        let number = plural(spec.completions as usize, "index", "indexes");
        let at_once = &manifest.job["spec"]["parallelism"];
        context.ui.status(&format!("job {} created: {number}, {at_once} at once", spec.name));
    }
    let items = find::item_texts(spec.items.columns(), (0..).zip(spec.items.iter()));
    Box::pin(launch.follow(manifest.job, Some(items), |_| None, &cluster, context)).await
}

/// # Errors
/// If the folder holds anything but results of this same command, which was interrupted.
async fn check_folder(folder: &Path, name: &str, cluster: &Cluster) -> Result<()> {
    let Err(taken) = Folder::check_empty(folder) else { return Ok(()) };
    match cluster.job(name).await {
        Ok(job) if Folder::is_of(folder, &job) => Ok(()),
        _ => Err(taken),
    }
}

/// Prints how the items of a dry run would reach the worker, unless the objects are printed.
fn print_handover(spec: &JobSpec, says_how: bool, asked_server: bool, context: &mut Context) {
    let handover = &spec.handover;
    if handover.form != ItemForm::Index && says_how {
        let number = plural(spec.items.len(), "item", "items");
        context.ui.status(&format!("{number} as {}: {}", handover.form.name(), handover.reason()));
    }
    if handover.depends_on_server() && !asked_server {
        context.ui.status(&format!(
            "the Job needs Kubernetes 1.{VARIABLE_FILE_SINCE}: --shell makes one for older servers, --dry-run=server checks \
             yours"
        ));
    }
}
