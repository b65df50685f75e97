//! `run`: from items and a command to a Job, and to its end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use k8s_openapi::api::batch::v1::Job;
use serde_json::{Value, json};

use super::follow::pick::Pick;
use super::follow::print::{LogForm, LogPrinter};
use super::follow::report::{self, not_followed, ways_back};
use super::follow::{FollowEnd, LineOrder, LogView};
use super::output::{self, Output};
use super::outputs::cut::CutLogs;
use super::outputs::folder::Folder;
use super::outputs::keep::Keeper;
use super::submit::{How, Submitted};
use super::{Context, follow, inputs, quoted, resumed, settings, submit};
use crate::args::{DryRun, FollowArgs, ObjectArgs, ObjectFormat, Prefix, RunArgs};
use crate::cluster::Cluster;
use crate::cluster::logs::LogOptions;
use crate::error::{Error, Exit, Kind};
use crate::manifest::{self, Manifest};
use crate::spec::handover::{ItemForm, VARIABLE_FILE_SINCE};
use crate::spec::{JobSpec, Resolved};
use crate::state::JobState;
use crate::view::plural;
use crate::view::summary::ItemTexts;

pub(super) async fn run(args: RunArgs, context: &mut Context) -> Result<Exit> {
    let FollowArgs { detach, keep_order, prefix, quiet } = args.follow;
    let ObjectArgs { dry_run, output, field_manager: manager } = args.objects.clone();
    let output = output::read(output, true)?;
    let shown = Shown { prefix, keep_order, results: args.results.clone() };
    if output.is_some() && !detach && dry_run == DryRun::None {
        return Err(objects_among_output().into());
    }
    context.ui.set_quiet(quiet);
    let inputs = inputs::read(&args, context).await?;
    let args = settings::beside_template(args, &inputs, context);
    let Some(resolved) = Box::pin(resumed::resolve(args, inputs, context)).await? else { return Ok(Exit::Success) };
    let Resolved { mut spec, notes, warnings } = resolved;
    for note in notes {
        context.ui.status(&note);
    }
    for warning in warnings {
        context.ui.warning(&warning);
    }
    if dry_run == DryRun::Client {
        let manifest = manifest::build(&spec)?;
        tell_handover(&spec, !output.is_some(), false, context);
        return print(manifest, output, "created (dry run)", context);
    }
    let cluster = Arc::new(context.cluster().await?);
    if spec.handover.depends_on_server() {
        spec.handover.settle(cluster.server_minor().await?)?;
    }
    let manifest = manifest::build(&spec)?;
    if dry_run == DryRun::Server {
        let mut checked = submit::dry_run(&manifest, &order(&spec), &cluster, &manager).await?;
        if let Some(limit) = submit::mind_dropped(&manifest.job, &checked.job, &spec.policy, context)? {
            checked.job["spec"]["backoffLimit"] = json!(limit);
        }
        tell_handover(&spec, !output.is_some(), true, context);
        return print(checked, output, "created (server dry run)", context);
    }
    if let Some(folder) = &shown.results {
        check_folder(folder, &spec.name, &cluster).await?;
    }
    let order = order(&spec);
    let signals = context.signals.clone();
    let submit = submit::submit(&manifest, &order, &cluster, &manager, context);
    let Some(submitted) = signals.unless_asked(submit).await else {
        return Err(cut_off(&spec.name, &cluster, context).await.into());
    };
    let Submitted { manifest, how } = submitted?;
    if how == How::Unchanged {
        let then = if detach { "" } else { ": following it" };
        context.ui.status(&format!("job {} is there already, made by this same command{then}", spec.name));
    }
    if detach {
        let done = if how == How::Unchanged { "unchanged" } else { "created" };
        let exit = print(manifest, output, done, context)?;
        context.ui.hint(&ways_back(&spec.name, context));
        return Ok(exit);
    }
    if how != How::Unchanged {
        let number = plural(spec.completions as usize, "index", "indexes");
        context.ui.status(&format!("job {} created: {number}, {} at once", spec.name, spec.parallelism));
    }
    Box::pin(to_the_end(&spec, manifest.job, &cluster, shown, context)).await
}

/// # Errors
/// If the folder holds anything but what this same command has gathered before it was cut off.
async fn check_folder(folder: &Path, name: &str, cluster: &Cluster) -> Result<()> {
    let Err(taken) = Folder::check_empty(folder) else { return Ok(()) };
    match cluster.job(name).await {
        Ok(job) if Folder::is_of(folder, &job) => Ok(()),
        _ => Err(taken),
    }
}

/// How the output of the indexes is shown.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) prefix: Prefix,
    pub(super) keep_order: bool,
    /// The folder for the output of each index.
    pub(super) results: Option<PathBuf>,
}

impl Shown {
    /// What the workers of a Job write, all of it.
    pub(super) fn view(&self, job: &Job, items: &ItemTexts) -> LogView {
        let one_index = job.spec.as_ref().and_then(|spec| spec.completions) == Some(1);
        let form = LogForm { prefix: self.prefix, one_index, ..LogForm::default() };
        LogView {
            wanted: Box::new(|state| state.all()),
            pick: Pick::worker(job),
            options: LogOptions::default(),
            printer: LogPrinter::new(form, items.clone()),
            order: if self.keep_order { LineOrder::ByIndex } else { LineOrder::AsTheyCome },
            streams: Arc::default(),
            cut: CutLogs::default(),
        }
    }
}

/// Why the objects are not printed while the Job is followed.
pub(super) fn objects_among_output() -> Error {
    Error::usage("-o prints the objects, and what the indexes write would stand among them")
        .hint("add --detach, or --dry-run=client to create nothing")
}

/// Shows what the indexes write until the Job has ended.
async fn to_the_end(
    spec: &JobSpec,
    job: Value,
    cluster: &Arc<Cluster>,
    shown: Shown,
    context: &mut Context,
) -> Result<Exit> {
    let job: Job = serde_json::from_value(job).context("reading the created job")?;
    let items: ItemTexts = (0..).zip(spec.items.displays()).collect();
    let logs = shown.view(&job, &items);
    let mut keeper = shown.results.map(|path| Keeper::open(&path, &job, items.clone())).transpose()?;
    let end = match follow::follow(JobState::new(job), logs, keeper.as_mut(), cluster, context).await {
        Ok(end) => end,
        Err(error) => return Err(not_followed(&spec.name, error, cluster, context).await),
    };
    match end {
        FollowEnd::Finished(state, missing) => {
            let signals = context.signals.clone();
            let kept = match keeper {
                Some(keeper) => signals.unless_asked(Box::pin(keeper.finish(&state, cluster, context))).await,
                None => Some(Ok(Exit::Success)),
            };
            let exit = report::report(&state, &items, context);
            match kept {
                None => Ok(Exit::Interrupted),
                Some(Err(error)) => Err(error),
                Some(Ok(_)) => report::report_missing(&missing.of_ended(&state), &spec.name, context).map(|_| exit),
            }
        }
        FollowEnd::Interrupted => {
            context.ui.end_live();
            context.ui.status(&format!("detached: job {} goes on", spec.name));
            if let Some(keeper) = keeper {
                let path = keeper.leave_off()?.display().to_string();
                let command = context.again(&format!("results -f {} --to {}", spec.name, quoted(&path)));
                context.ui.hint(&format!("{command} goes on with the results"));
            }
            context.ui.hint(&ways_back(&spec.name, context));
            Ok(Exit::Interrupted)
        }
    }
}

/// What an interrupt leaves behind that came while the Job was being submitted.
pub(super) async fn cut_off(name: &str, cluster: &Cluster, context: &Context) -> Error {
    let look = tokio::time::timeout(Duration::from_secs(2), cluster.job(name)).await;
    let left = match look {
        Ok(Ok(job)) if job.spec.as_ref().is_some_and(|spec| spec.suspend == Some(true)) => {
            format!(
                "job {name} is left behind suspended: nothing of it runs until the same command, with this name, takes it up"
            )
        }
        Ok(Ok(_)) => format!("job {name} goes on"),
        Ok(Err(error)) if error.kind() == Kind::NotFound => {
            return Error::new(Kind::Interrupted, "interrupted: nothing was created");
        }
        Ok(Err(_)) | Err(_) => format!("job {name} may be left behind suspended"),
    };
    Error::new(Kind::Interrupted, format!("interrupted while submitting: {left}"))
        .hint(format!("{} removes it", context.again(&format!("delete {name}"))))
}

/// What has to be known to submit the Job.
fn order(spec: &JobSpec) -> submit::Order<'_> {
    let ask_first = spec.policy.depends_on_server() || spec.handover.depends_on_server();
    submit::Order { name: &spec.name, policy: &spec.policy, ask_first, queued: spec.queue.is_some() }
}

/// Says how the items of a dry run would reach the worker, where the objects that are printed don't.
fn tell_handover(spec: &JobSpec, says_how: bool, asked_server: bool, context: &mut Context) {
    let handover = &spec.handover;
    if handover.form != ItemForm::Index && says_how {
        let number = plural(spec.items.len(), "item", "items");
        context.ui.status(&format!("{number} as {}: {}", handover.form.name(), handover.why()));
    }
    if handover.depends_on_server() && !asked_server {
        context.ui.status(&format!(
            "it needs Kubernetes 1.{VARIABLE_FILE_SINCE}: --shell makes one that an older server runs, and \
             --dry-run=server asks yours"
        ));
    }
}

/// Prints the objects in the form asked for; the ConfigMaps first, because the Job needs them.
pub(super) fn print(
    manifest: Manifest,
    output: Output<ObjectFormat>,
    done: &str,
    context: &mut Context,
) -> Result<Exit> {
    let mut objects: Vec<Value> = manifest.config_maps.into_iter().chain([manifest.job]).collect();
    for object in &mut objects {
        manifest::clean(object);
    }
    let name = |object: &Value| {
        let kind = if object["kind"] == "Job" { "job.batch" } else { "configmap" };
        format!("{kind}/{}", object["metadata"]["name"].as_str().unwrap_or_default())
    };
    if let Some(mut custom) = output.custom {
        // As kubectl prints objects that it creates.
        custom.each(&objects, context)?;
        return Ok(Exit::Success);
    }
    let text = match output.word {
        None => lines(&objects, |object| format!("{} {done}", name(object))),
        Some(ObjectFormat::Name) => lines(&objects, name),
        Some(ObjectFormat::Yaml) => manifest::yaml::documents(&objects).context("writing YAML")?,
        Some(ObjectFormat::Json) => {
            let whole = match objects.len() {
                1 => objects.remove(0),
                _ => json!({"apiVersion": "v1", "kind": "List", "items": objects}),
            };
            format!("{}\n", serde_json::to_string_pretty(&whole)?)
        }
    };
    context.ui.data(text)?;
    Ok(Exit::Success)
}

/// A line for each object.
fn lines(objects: &[Value], line: impl Fn(&Value) -> String) -> String {
    let mut lines: Vec<_> = objects.iter().map(line).collect();
    lines.push(String::new());
    lines.join("\n")
}
