//! Candidates that only the cluster or the kubeconfig knows: in time, or none at all.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use clap_complete::engine::CompletionCandidate;
use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;

use super::scene::Scene;
use crate::cluster::connect;
use crate::cluster::names::Named;
use crate::cluster::{Cluster, PodFilter};
use crate::commands::{connect_options, family, find, gather};
use crate::index_set::{IndexSet, StatusWord};
use crate::state::{self, JobState};
use crate::view::list::brief;

/// How long a user who pressed TAB is kept waiting by the cluster.
const PATIENCE: Duration = Duration::from_millis(400);
/// How many single indexes, or items, are offered: more than a screen has, nobody reads.
const MOST: usize = 50;

/// What is to be completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Jobs,
    Indexes,
    Items,
    Attempts,
    Containers,
    Reasons,
    ExitCodes,
    Goals,
    Contexts,
    Clusters,
    Users,
    Objects(Named),
}

impl What {
    /// What the argument of that name takes, if it is for this module to know.
    pub(super) fn of(id: &str, verb: &str) -> Option<Self> {
        Some(match id {
            "job" | "jobs" => Self::Jobs,
            "resume" if verb == "run" => Self::Jobs,
            "index" => Self::Indexes,
            "items" | "item" if verb != "run" => Self::Items,
            "attempt" => Self::Attempts,
            "container" => Self::Containers,
            "reasons" => Self::Reasons,
            "exit_codes" => Self::ExitCodes,
            "goal" => Self::Goals,
            "context" => Self::Contexts,
            "cluster" => Self::Clusters,
            "user" => Self::Users,
            "namespace" => Self::Objects(Named::Namespaces),
            "items_configmap" => Self::Objects(Named::ConfigMaps),
            "service_account" => Self::Objects(Named::ServiceAccounts),
            "priority_class" => Self::Objects(Named::PriorityClasses),
            "queue" => Self::Objects(Named::LocalQueues),
            _ => return None,
        })
    }
}

/// The candidates that begin as `current` does; none if they can't be had in time, for whatever reason.
pub(super) fn candidates(what: What, scene: &Scene, current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(current) = current.to_str().map(str::to_owned) else { return Vec::new() };
    let (told, answer) = mpsc::channel();
    let scene = scene.clone();
    // Not every wait can be broken off (a name server, an exec plugin): the thread that waits is left behind.
    thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        let found = runtime.block_on(async {
            tokio::time::timeout(PATIENCE, ask(what, &scene, &current)).await.ok().and_then(Result::ok)
        });
        // The receiver may have given up.
        let _ = told.send(found.unwrap_or_default());
        runtime.shutdown_background();
    });
    answer.recv_timeout(PATIENCE).unwrap_or_default()
}

async fn ask(what: What, scene: &Scene, current: &str) -> Result<Vec<CompletionCandidate>> {
    Ok(match what {
        What::Jobs => jobs(scene, current).await?,
        What::Indexes => indexes(scene, current).await?,
        What::Items => items(scene, current).await?,
        What::Attempts => {
            let most = attempts(scene).await?.1.attempts().values().map(Vec::len).max().unwrap_or(0);
            let numbers = (1..=most.min(MOST)).map(|number| (number.to_string(), String::new()));
            let words = [("all", "every attempt of each index"), ("last", "the last attempt of each index")];
            beginning(words.map(|(word, help)| (word.to_owned(), help.to_owned())).into_iter().chain(numbers), current)
        }
        What::Containers => {
            let pod = job(scene).await?.1.spec.and_then(|spec| spec.template.spec).unwrap_or_default();
            let main = pod.containers.into_iter().map(|container| (container.name, String::new()));
            let init = pod.init_containers.into_iter().flatten().map(|c| (c.name, "init container".to_owned()));
            beginning(main.chain(init), current)
        }
        What::Reasons | What::ExitCodes => causes(what, scene, current).await?,
        What::Goals => {
            let goals = [
                ("complete", "when the Job has completed"),
                ("failed", "when the Job has failed"),
                ("indexes=", "when these indexes have completed, as in indexes=0-9"),
            ];
            beginning(goals.map(|(goal, help)| (goal.to_owned(), help.to_owned())), current)
        }
        What::Contexts | What::Clusters | What::Users => {
            let options = connect_options(scene.global.clone())?;
            let known = connect::kubeconfig_names(&options, &|name| std::env::var(name).ok())?;
            let names = match what {
                What::Contexts => known.contexts,
                What::Clusters => known.clusters,
                _ => known.users,
            };
            beginning(names.into_iter().map(|name| (name, String::new())), current)
        }
        What::Objects(kind) => {
            let names = cluster(scene).await?.names(kind).await?;
            beginning(names.into_iter().map(|name| (name, String::new())), current)
        }
    })
}

async fn cluster(scene: &Scene) -> Result<Cluster> {
    let mut options = connect_options(scene.global.clone())?;
    options.unattended = true;
    Ok(Cluster::connect(&options, &|name| std::env::var(name).ok()).await?)
}

/// The Job that is named, or the newest.
async fn job(scene: &Scene) -> Result<(Cluster, Job)> {
    let cluster = cluster(scene).await?;
    let job = match scene.jobs.first() {
        Some(named) => cluster.job(&find::job_name(named)?).await?,
        None => find::newest(&cluster).await?,
    };
    Ok((cluster, job))
}

/// What is known of that Job, its family and the attempts that have not succeeded.
async fn attempts(scene: &Scene) -> Result<(Cluster, JobState)> {
    let (cluster, job) = job(scene).await?;
    let state = family::load(job, false, &cluster).await?;
    let (state, _) = gather::gather(state, PodFilter::UNSUCCESSFUL, &cluster, |_| {}).await?;
    Ok((cluster, state))
}

/// Those that begin so, with what is said of each.
fn beginning(all: impl IntoIterator<Item = (String, String)>, current: &str) -> Vec<CompletionCandidate> {
    let fitting = all.into_iter().filter(|(value, _)| value.starts_with(current));
    fitting.enumerate().map(|(place, (value, help))| candidate(value, help, place)).collect()
}

fn candidate(value: String, help: String, place: usize) -> CompletionCandidate {
    let help = (!help.is_empty()).then(|| help.into());
    CompletionCandidate::new(value).help(help).display_order(Some(place))
}

/// Indexed Jobs, newest first, those first that the verb is for.
async fn jobs(scene: &Scene, current: &str) -> Result<Vec<CompletionCandidate>> {
    let kind = current.rsplit_once('/').map_or(String::new(), |(kind, _)| format!("{kind}/"));
    let mut jobs = cluster(scene).await?.jobs(false, None).await?;
    jobs.retain(state::is_indexed);
    find::newest_first(&mut jobs);
    let ended = |job: &Job| state::outcome(job).is_some();
    let has_failed = |job: &Job| state::outcome(job) == Some(state::Outcome::Failed);
    match scene.verb.as_str() {
        "suspend" => jobs.retain(|job| !ended(job) && !state::is_suspended(job)),
        "resume" => jobs.retain(state::is_suspended),
        "scale" => jobs.retain(|job| !ended(job)),
        "retry" => jobs.sort_by_key(|job| !has_failed(job)),
        "delete" => jobs.sort_by_key(|job| !ended(job)),
        _ => {}
    }
    let now = Timestamp::now();
    let named = jobs.into_iter().map(|job| {
        let help = brief(&job, now);
        (format!("{kind}{}", job.metadata.name.unwrap_or_default()), help)
    });
    Ok(beginning(named.filter(|(name, _)| !scene.jobs.contains(name)), current))
}

/// Indexes: the failed ones first, at once and one by one, then words, then what runs, waits and has succeeded.
async fn indexes(scene: &Scene, current: &str) -> Result<Vec<CompletionCandidate>> {
    let (cluster, state) = attempts(scene).await?;
    let (before, _) = current.rsplit_once(',').map_or(("", current), |(before, last)| (before, last));
    let chosen: IndexSet = before.parse().unwrap_or_default();
    let of = |word| state.meaning(word).difference(&chosen);
    let failed = of(StatusWord::Failed);
    let mut order: Vec<u32> = Vec::new();
    for word in [StatusWord::Failed, StatusWord::Running, StatusWord::Pending, StatusWord::Succeeded] {
        order.extend(
            of(word)
                .iter()
                .filter(|index| !order.contains(index))
                .take(MOST.saturating_sub(order.len()))
                .collect::<Vec<_>>(),
        );
    }
    let shown: IndexSet = order.iter().copied().collect();
    let items = match state.job() {
        Some(job) => find::items_of(&shown, job, &cluster).await,
        None => BTreeMap::new(),
    };
    let single = |index: u32| {
        let item = items.get(&index).cloned().unwrap_or_default();
        let cause = state.attempts_of(index).next_back().filter(|_| failed.contains(index)).map(|attempt| {
            let code = attempt.exit_code.map(|code| format!("exit code {code}"));
            let reason = attempt.reason.clone().filter(|reason| reason != "Error");
            [reason, code].into_iter().flatten().collect::<Vec<_>>().join(", ")
        });
        (
            index.to_string(),
            [Some(item), cause].into_iter().flatten().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(": "),
        )
    };
    let mut all: Vec<(String, String)> = Vec::new();
    if failed.len() > 1 {
        all.push((failed.to_string(), format!("the {} that failed", failed.len())));
    }
    let (first, rest) = order.split_at(order.iter().take_while(|index| failed.contains(**index)).count());
    all.extend(first.iter().copied().map(single));
    if before.is_empty() {
        let words = [
            ("failed", StatusWord::Failed),
            ("running", StatusWord::Running),
            ("pending", StatusWord::Pending),
            ("succeeded", StatusWord::Succeeded),
            ("all", StatusWord::All),
        ];
        let count = |word| state.meaning(word).len();
        all.extend(words.into_iter().filter(|(_, word)| count(*word) > 0).map(|(text, word)| {
            let count = count(word);
            (text.to_owned(), format!("{count} {}", if count == 1 { "index" } else { "indexes" }))
        }));
    }
    all.extend(rest.iter().copied().map(single));
    let prefix = if before.is_empty() { String::new() } else { format!("{before},") };
    Ok(beginning(all.into_iter().map(|(value, help)| (format!("{prefix}{value}"), help)), current))
}

/// The items of the Job, each once, with the indexes that have it.
async fn items(scene: &Scene, current: &str) -> Result<Vec<CompletionCandidate>> {
    let (cluster, job) = job(scene).await?;
    let mut seen = BTreeSet::new();
    let items = find::items(&job, &cluster).await;
    let each = items.into_iter().filter(|(_, item)| item.starts_with(current) && seen.insert(item.clone())).take(MOST);
    Ok(beginning(each.map(|(index, item)| (item, format!("index {index}"))).collect::<Vec<_>>(), current))
}

/// How the attempts of the Job failed: reasons, or exit codes.
async fn causes(what: What, scene: &Scene, current: &str) -> Result<Vec<CompletionCandidate>> {
    let state = attempts(scene).await?.1;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for index in state.meaning(StatusWord::Failed).iter() {
        let Some(attempt) = state.attempts_of(index).next_back() else { continue };
        let cause = match what {
            What::Reasons => attempt.reason.clone(),
            _ => attempt.exit_code.map(|code| code.to_string()),
        };
        *counts.entry(cause.unwrap_or_default()).or_default() += 1;
    }
    counts.remove("");
    Ok(beginning(counts.into_iter().map(|(cause, count)| (cause, format!("{count} failed so"))), current))
}
