//! `delete`: deletes Jobs with their Pods and ConfigMaps.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta};

use super::change::{self, name};
use super::follow::report::print_remark;
use super::outputs::{keep, names};
use super::{Context, find, submit};
use crate::args::{DeleteArgs, DryRun, FilterArgs, NameFormat};
use crate::cluster::Cluster;
use crate::error::{Error, Exit, Hint, Kind};
use crate::spec::duration;
use crate::state::{self, JobState};
use crate::tracker::{Interest, Tracker, TrackingEnd};
use crate::view::list::{JobTable, ListColumns};
use crate::view::plural;

pub(super) async fn delete(args: DeleteArgs, context: &mut Context) -> Result<Exit> {
    // `all` only confirms that no other filter is meant.
    let FilterArgs { finished, older_than, selector, all: _, all_namespaces } = &args.filter;
    let names = find::job_names(&args.jobs)?;
    let older_than = older_than.as_deref().map(parse_age).transpose()?;
    let is_open = |job: &Job| *finished && state::outcome(job).is_none();
    let cluster = context.cluster().await?;

    let jobs = if names.is_empty() {
        let mut jobs = cluster.jobs(*all_namespaces, selector.as_deref()).await?;
        jobs.retain(state::is_indexed);
        jobs
    } else {
        find_named(&names, &cluster, &args, context).await?
    };
    let (jobs, kept): (Vec<_>, Vec<_>) =
        jobs.into_iter().partition(|job| !is_open(job) && is_older(job, older_than, context));
    if !names.is_empty() {
        for job in kept {
            let why = if is_open(&job) { "it has not finished" } else { "it is not old enough" };
            context.ui.status(&format!("job {} is kept: {why}", name(&job)));
        }
    } else if jobs.is_empty() {
        context.ui.status("no Indexed Jobs match");
    }
    let careless = names.is_empty() && jobs.iter().any(|job| state::outcome(job).is_none());
    if (jobs.len() > 1 || careless) && !args.yes && args.dry_run == DryRun::None {
        let columns = ListColumns { namespace: *all_namespaces, headers: true, ..ListColumns::default() };
        let table = JobTable::new(&jobs, HashMap::new(), columns, false, context.now());
        let rows: String = jobs.iter().map(|job| table.row(job, context.now())).collect();
        context.ui.note(&format!("{}{rows}", table.header()));
        let what = format!("delete {}", plural(jobs.len(), "job with its Pods", "jobs with their Pods"));
        if !change::confirm(&format!("{what}?"), &format!("would {what}"), context)? {
            return Ok(Exit::Failure);
        }
    }
    delete_all(jobs, &cluster, &args, context).await
}

fn parse_age(text: &str) -> Result<Duration, Error> {
    let wrong = |problem| Error::usage(format!("--older-than {text:?}: {problem}"));
    duration::parse_age(text).map_err(|problem| wrong(problem).hint("write it as 30m, 12h or 1d"))
}

fn is_older(job: &Job, least: Option<Duration>, context: &Context) -> bool {
    let since = state::ended_at(job).or_else(|| job.metadata.creation_timestamp.as_ref().map(|time| time.0));
    least.is_none_or(|least| {
        let age = since.map(|since| context.now().duration_since(since));
        age.and_then(|age| Duration::try_from(age).ok()).is_some_and(|age| age > least)
    })
}

fn print_deleted(kind: &str, name: &str, place: &str, args: &DeleteArgs, context: &mut Context) -> Result<()> {
    Ok(context.ui.data(match args.output {
        Some(NameFormat::Name) => format!("{kind}/{name}\n"),
        None => format!("{kind} {name:?} deleted{place}{}\n", args.dry_run.note()),
    })?)
}

/// Returns the named Jobs. Deletes ConfigMaps with items that a missing Job has left behind.
async fn find_named(names: &[String], cluster: &Cluster, args: &DeleteArgs, context: &mut Context) -> Result<Vec<Job>> {
    let (mut jobs, mut missing) = (Vec::new(), Vec::new());
    for name in names {
        match cluster.job(name).await {
            Ok(job) => {
                find::check_indexed(&job)?;
                jobs.push(job);
            }
            Err(error) if error.kind() == Kind::NotFound => missing.push((name, error)),
            Err(error) => return Err(error.into()),
        }
    }
    for (name, error) in missing {
        let left = unowned_items(name, cluster).await?;
        if left.is_empty() && !args.ignore_not_found {
            return Err(find::suggest_nearest(error, name, cluster).await.into());
        }
        for name in left {
            if args.dry_run == DryRun::None {
                cluster.delete_config_map(&name).await?;
            }
            print_deleted("configmap", &name, "", args, context)?;
        }
    }
    Ok(jobs)
}

/// Deletes the Jobs, and waits until they are gone. An error of one Job does not stop the others.
async fn delete_all(jobs: Vec<Job>, cluster: &Cluster, args: &DeleteArgs, context: &mut Context) -> Result<Exit> {
    let all_namespaces = args.filter.all_namespaces;
    let mut exit = Exit::Success;
    let mut going = Vec::new();
    for job in jobs {
        let namespace = job.metadata.namespace.as_deref().unwrap_or_default();
        let cluster = Arc::new(cluster.in_namespace(namespace));
        let kept = match args.keep_results.as_ref().filter(|_| args.dry_run == DryRun::None) {
            Some(folder) => {
                let folder = if all_namespaces { folder.join(namespace) } else { folder.clone() };
                Box::pin(keep::gather(&folder.join(names::of_job(name(&job))), &job, None, &cluster, context))
                    .await
                    .map(drop)
            }
            None => Ok(()),
        };
        let deleted = match kept {
            Ok(()) => delete_one(&job, &cluster, args.dry_run).await.map_err(anyhow::Error::from),
            Err(error) => Err(error.context(format!("job {} is kept", name(&job)))),
        };
        match deleted {
            Ok(config_maps) => going.push((job, cluster, config_maps)),
            Err(error) => {
                context.ui.error(&error);
                exit = Exit::Failure;
            }
        }
    }
    for (job, cluster, config_maps) in going {
        if args.wait && !args.no_wait && args.dry_run == DryRun::None {
            wait_until_gone(&cluster, &job, context).await?;
        }
        let place = if all_namespaces { format!(" from {} namespace", cluster.namespace()) } else { String::new() };
        print_deleted("job.batch", name(&job), &place, args, context)?;
        for config_map in config_maps {
            print_deleted("configmap", &config_map, "", args, context)?;
        }
        context.ui.flush()?;
    }
    Ok(exit)
}

/// Deletes a Job. Returns its ConfigMaps that it did not own, which are deleted too.
///
/// The Job becomes their owner first, so that an interrupt leaves nothing without an owner.
async fn delete_one(job: &Job, cluster: &Cluster, dry_run: DryRun) -> Result<Vec<String>, Error> {
    let (name, uid) = (name(job), job.metadata.uid.as_deref());
    let config_maps = unowned_items(name, cluster).await?;
    if dry_run == DryRun::None {
        let owner = submit::owner(name, uid.unwrap_or_default());
        for config_map in &config_maps {
            match cluster.set_owner(config_map, &owner).await {
                // A user who may delete the Job may lack the permission to change it.
                Err(error) if !matches!(error.kind(), Kind::NotFound | Kind::Forbidden) => return Err(error),
                _ => {}
            }
        }
    }
    if dry_run != DryRun::Client {
        match cluster.delete_job(name, uid, dry_run == DryRun::Server).await {
            Err(error) if error.kind() != Kind::NotFound => return Err(error),
            _ => {}
        }
    }
    if dry_run == DryRun::None {
        for config_map in &config_maps {
            cluster.delete_config_map(config_map).await?;
        }
    }
    Ok(config_maps)
}

async fn unowned_items(job: &str, cluster: &Cluster) -> Result<Vec<String>, Error> {
    match cluster.list_unowned_items(job).await {
        // A user who may not read ConfigMaps can't have created any.
        Err(error) if error.kind() == Kind::Forbidden => Ok(Vec::new()),
        answer => answer,
    }
}

/// How long a deletion may take before its holders are checked up.
const HOLDER_PATIENCE: Duration = Duration::from_secs(5);
/// Finalizers that Kubernetes itself removes.
const KUBERNETES_FINALIZERS: [&str; 3] = ["batch.kubernetes.io/job-tracking", "foregroundDeletion", "orphan"];

/// Reports what delays the deletion of a Job and its Pods, each holder once.
async fn report_holders(job: &Job, said: &mut BTreeSet<String>, cluster: &Cluster, context: &mut Context) {
    // Without permission nothing is reported. The watch of the Job reports other errors.
    let (now, name) = (context.now(), name(job));
    let place = place(cluster, context);
    let (fresh, pods) = futures::join!(cluster.job(name), cluster.whole_pods(job));
    let fresh = fresh.ok().filter(|fresh| fresh.metadata.uid == job.metadata.uid);
    let mut holders = Vec::new();
    if let Some(job) = &fresh {
        holders.extend(foreign_finalizers("job", &job.metadata, &place));
    }
    for pod in pods.unwrap_or_default() {
        let left = foreign_finalizers("pod", &pod.metadata, &place);
        let until = pod.metadata.deletion_timestamp.as_ref().map(|time| time.0);
        let overdue =
            until.is_some_and(|until| now.duration_since(until) > HOLDER_PATIENCE.try_into().unwrap_or_default());
        let is_running = pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Running");
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
        if let Some(node) = node.filter(|_| left.is_empty() && overdue && is_running) {
            let hint = Hint::from("the Pods go once the node responds again, or is deleted: ")
                .then(Hint::kubectl(&["delete", "node", node], ""));
            holders.push((format!("node {node}, which has not ended its Pods"), hint));
        }
        holders.extend(left);
    }
    for (holder, hint) in holders {
        if said.insert(holder.clone()) {
            context.ui.warning(&format!("the deletion of job {name} waits for {holder}"));
            context.ui.hint(hint);
        }
    }
}

/// Returns the finalizers that a controller outside Kubernetes must remove, each with a hint.
fn foreign_finalizers(kind: &str, metadata: &ObjectMeta, place: &[&str]) -> Vec<(String, Hint)> {
    let name = metadata.name.as_deref().unwrap_or_default();
    let foreign =
        metadata.finalizers.iter().flatten().filter(|finalizer| !KUBERNETES_FINALIZERS.contains(&finalizer.as_str()));
    let hints = foreign.map(|finalizer| {
        let owner = match owner_of(finalizer, metadata) {
            Some("kube-controller-manager") if kind == "pod" => ", which the template of the job sets".to_owned(),
            Some(manager) => format!(", which {manager} set"),
            None => String::new(),
        };
        let patch =
            [&["patch", kind, name, "--type=merge", "-p", r#"{"metadata":{"finalizers":null}}"#], place].concat();
        let hint = Hint::from("its controller removes it, if it runs").and(Hint::kubectl(&patch, "removes it by hand"));
        (format!("finalizer {finalizer} of {kind} {name}{owner}"), hint)
    });
    hints.collect()
}

/// Returns the field manager that set a finalizer.
fn owner_of<'a>(finalizer: &str, metadata: &'a ObjectMeta) -> Option<&'a str> {
    let key = format!("v:{finalizer:?}");
    let sets = |entry: &&ManagedFieldsEntry| {
        let fields = entry.fields_v1.as_ref().map(|fields| &fields.0["f:metadata"]["f:finalizers"]);
        fields.is_some_and(|fields| !fields[&key].is_null())
    };
    metadata.managed_fields.iter().flatten().find(sets)?.manager.as_deref()
}

/// Returns the flag of the namespace where the user's flags name none, as under `--all-namespaces`.
fn place<'a>(cluster: &'a Cluster, context: &Context) -> Vec<&'a str> {
    if context.global.namespace.is_none() { vec!["-n", cluster.namespace()] } else { Vec::new() }
}

/// Waits until the Job is gone. It goes last, after its Pods.
async fn wait_until_gone(cluster: &Arc<Cluster>, job: &Job, context: &mut Context) -> Result<()> {
    let state = JobState::new(job.clone());
    let mut tracker = Tracker::new(cluster, vec![state], Interest::Presence, &context.signals, None);
    let (mut checked, mut said) = (Instant::now(), BTreeSet::new());
    loop {
        if checked.elapsed() >= HOLDER_PATIENCE {
            Box::pin(report_holders(job, &mut said, cluster, context)).await;
            checked = Instant::now();
        }
        let step = match tracker.next().await {
            Ok(step) => step,
            Err(error) => {
                let message = format!("job {:?} is being deleted, but can't be watched", name(job));
                let words = [&["describe", name(job)], &place(cluster, context)[..]].concat();
                let hint = Hint::indexed(&words, "shows what is left");
                return Err(Error::new(error.kind(), message).caused_by(error).hint(hint).into());
            }
        };
        print_remark(step.remark, context);
        match step.ended {
            None => {}
            Some(TrackingEnd::Deleted | TrackingEnd::Finished(_)) => return Ok(()),
            Some(TrackingEnd::Stopped(_)) => {
                let message = format!("interrupted: job {:?} is still being deleted", name(job));
                return Err(Error::new(Kind::Interrupted, message).into());
            }
        }
    }
}
