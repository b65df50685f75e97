//! What only the cluster or the kubeconfig knows, asked for within a time that nobody notices.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use tokio::time::{Instant, timeout_at};

use super::Candidate;
use super::{indexes, jobs};
use crate::cluster::connect::{self, ConnectOptions};
use crate::cluster::{Cluster, Named, PodFilter};
use crate::commands::words::Typed;
use crate::commands::{connect_options, find};
use crate::contract;
use crate::index_set::IndexSet;
use crate::manifest::read;
use crate::state::row::SucceededRows;
use crate::state::{Event, JobState};
use crate::tracker::family;

/// How long all questions may take together. What has no answer by then is not offered.
const PATIENCE: Duration = Duration::from_millis(400);
/// How long what only describes may take: without it there is still something to offer.
const SOON: Duration = Duration::from_millis(280);
/// How many items are looked at where nothing of one was typed yet, and how many are offered.
const ITEMS: u32 = 1000;
const MOST: usize = 50;

pub(super) struct Asker {
    typed: Typed,
    began: Instant,
}

impl Asker {
    pub(super) fn new(typed: Typed) -> Self {
        Self { typed, began: Instant::now() }
    }

    /// What the value of an argument may be that begins so; nothing where that can't be known in time. A flag of all
    /// verbs has an empty one.
    pub(super) fn candidates(&self, verb: &str, id: &str, word: &str) -> Vec<Candidate> {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return Vec::new() };
        // The deadline itself needs the runtime.
        let found =
            runtime.block_on(async { timeout_at(self.began + PATIENCE, Box::pin(self.found(verb, id, word))).await });
        // A plugin, or a name server, that still thinks must not keep the shell waiting.
        runtime.shutdown_background();
        found.ok().flatten().unwrap_or_default()
    }

    async fn found(&self, verb: &str, id: &str, word: &str) -> Option<Vec<Candidate>> {
        let named = match (verb, id) {
            (_, "job" | "jobs") | ("run", "resume") => return self.jobs(verb, word).await,
            ("retry", "index") => return self.indexes(|state| state.outstanding().indexes, true, word).await,
            (_, "index") => return self.indexes(|state| state.all(), true, word).await,
            ("wait", "goal") => return self.goal(word).await,
            ("logs" | "indexes", "items") => return self.items(word).await,
            ("logs", "attempt") => return Some(begun(Box::pin(self.attempts()).await, word)),
            (_, "container") => return Some(begun(containers(&self.job(&self.cluster().await?).await?), word)),
            ("retry", "reasons" | "exit_codes") => return Some(begun(self.failures(id == "reasons").await?, word)),
            ("", "context" | "cluster" | "user") => return Some(begun(self.kubeconfig(id)?, word)),
            ("run", "items_configmap") => return self.item_lists(word).await,
            ("", "namespace") => Named::Namespaces,
            ("run", "service_account") => Named::ServiceAccounts,
            ("run", "priority_class") => Named::PriorityClasses,
            ("run", "queue") => Named::LocalQueues,
            _ => return None,
        };
        Some(begun(names(self.cluster().await?.names(named).await.ok()?), word))
    }

    fn options(&self) -> Option<ConnectOptions> {
        Some(ConnectOptions { unattended: true, ..connect_options(self.typed.global()?).ok()? })
    }

    async fn cluster(&self) -> Option<Cluster> {
        Cluster::connect(&self.options()?, &|name| std::env::var(name).ok()).await.ok()
    }

    /// What comes of something that only describes, if it comes soon.
    async fn soon<T>(&self, what: impl Future<Output = T>) -> Option<T> {
        timeout_at(self.began + SOON, what).await.ok()
    }

    async fn jobs(&self, verb: &str, word: &str) -> Option<Vec<Candidate>> {
        let jobs = self.cluster().await?.some_jobs(self.typed.value("selector")).await.ok()?;
        let several = matches!(verb, "run" | "wait" | "delete" | "scale" | "suspend" | "resume");
        let named = if several { self.typed.names.as_slice() } else { &[] };
        Some(jobs::candidates(jobs, verb, word, named, Timestamp::now()))
    }

    /// The Job that the words name, else the newest.
    async fn job(&self, cluster: &Cluster) -> Option<Job> {
        let job = match self.typed.names.first() {
            Some(name) => cluster.job(&find::job_name(name).ok()?).await.ok()?,
            None => find::newest(cluster).await.ok()?,
        };
        find::check_indexed(&job).ok().map(|()| job)
    }

    /// The Job and those that retry it, with what a page of the Pods of each tells, if that comes soon.
    async fn state(&self, cluster: &Cluster, filter: PodFilter<'_>) -> Option<JobState> {
        let job = self.job(cluster).await?;
        let mut state = family::load(job, self.typed.has("only_this"), cluster).await.ok()?.0;
        let members = state.members().to_vec();
        let reads = members.iter().map(|member| cluster.some_pods(member.job(), filter));
        for pods in self.soon(futures::future::join_all(reads)).await.into_iter().flatten().flatten() {
            for pod in pods {
                state.apply(Event::Pod(Box::new(pod)));
            }
        }
        Some(state)
    }

    async fn indexes(&self, within: impl Fn(&JobState) -> IndexSet, words: bool, word: &str) -> Option<Vec<Candidate>> {
        let cluster = self.cluster().await?;
        let state = self.state(&cluster, PodFilter::UNSUCCESSFUL).await?;
        let offers = indexes::offers(&state, &within(&state), words, word);
        let shown: IndexSet = offers.iter().filter_map(|(_, index)| *index).collect();
        let items = self.soon(Box::pin(find::items_of(&shown, state.items_job(), &cluster))).await;
        let items = items.and_then(Result::ok).unwrap_or_default();
        Some(indexes::candidates(offers, &state, &items))
    }

    async fn goal(&self, word: &str) -> Option<Vec<Candidate>> {
        const INDEXES: &str = "indexes=";
        if let Some(list) = word.strip_prefix(INDEXES) {
            let open = |state: &JobState| state.all().difference(&state.succeeded()).difference(&state.failed());
            let found = self.indexes(open, false, list).await?.into_iter();
            return Some(found.map(|one| Candidate::new(format!("{INDEXES}{}", one.value), one.help)).collect());
        }
        let goals = [
            ("complete", "until the Job has completed"),
            ("failed", "until the Job has failed"),
            (INDEXES, "until these indexes have completed, as in indexes=0-9"),
        ];
        Some(begun(goals.map(|(value, help)| Candidate::new(value, help)).to_vec(), word))
    }

    async fn items(&self, word: &str) -> Option<Vec<Candidate>> {
        let cluster = self.cluster().await?;
        let state = self.state(&cluster, PodFilter::UNSUCCESSFUL).await?;
        let all = state.all();
        let wanted = if word.is_empty() { all.intersection(&IndexSet::below(ITEMS)) } else { all };
        let items = Box::pin(find::items_of(&wanted, state.items_job(), &cluster)).await.ok()?;
        let mut found: Vec<_> = items.iter().filter(|(_, item)| item.starts_with(word)).collect();
        let failed = state.failed();
        found.sort_by_key(|(index, _)| !failed.contains(**index));
        found.truncate(MOST);
        let shown = found.iter().map(|(index, _)| **index).collect();
        let rows = state.rows(&shown, &mut SucceededRows::default());
        let describe = |(index, item): (&u32, &String)| {
            let row = rows.iter().find(|row| row.index == *index);
            let how = row.map_or_else(String::new, |row| format!(", {}", indexes::describe(row, None)));
            Candidate::new(item, format!("index {index}{how}"))
        };
        Some(found.into_iter().map(describe).collect())
    }

    /// The numbers of attempts that there are; without an answer only the words.
    async fn attempts(&self) -> Vec<Candidate> {
        let asked = async {
            let state = self.state(&self.cluster().await?, PodFilter::default()).await?;
            let attempted = state.attempted();
            attempted.iter().flat_map(|index| state.numbered_attempts_of(index).map(|(number, _)| number)).max()
        };
        let most = Box::pin(self.soon(asked)).await.flatten().unwrap_or(0);
        let words = [Candidate::new("all", "every attempt"), Candidate::new("last", "the last attempt of each index")];
        let numbers =
            (1..=most).take(MOST).map(|number| Candidate::new(number.to_string(), format!("attempt {number}")));
        words.into_iter().chain(numbers).collect()
    }

    /// How the last attempts ended of what `retry` would run again, the most frequent first.
    async fn failures(&self, by_reason: bool) -> Option<Vec<Candidate>> {
        let state = self.state(&self.cluster().await?, PodFilter::UNSUCCESSFUL).await?;
        let rows = state.rows(&state.outstanding().indexes, &mut SucceededRows::default());
        let mut counts = BTreeMap::<String, usize>::new();
        for row in rows {
            let how = if by_reason { row.reason } else { row.exit_code.map(|code| code.to_string()) };
            if let Some(how) = how {
                *counts.entry(how).or_default() += 1;
            }
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        Some(counts.into_iter().map(|(how, count)| Candidate::new(how, jobs::indexes(count))).collect())
    }

    fn kubeconfig(&self, id: &str) -> Option<Vec<Candidate>> {
        let env = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let read = connect::kubeconfig(self.options()?.kubeconfig.as_deref(), &env).ok()?;
        Some(match id {
            "context" => {
                let described = read.contexts.into_iter().map(|(name, context)| {
                    let namespace = context.namespace.filter(|namespace| !namespace.is_empty());
                    let namespace = namespace.map(|namespace| format!(", namespace {namespace}")).unwrap_or_default();
                    let cluster = context.cluster.unwrap_or_default();
                    Candidate::new(name, format!("cluster {cluster}{namespace}"))
                });
                described.collect()
            }
            "cluster" => {
                let clusters = read.clusters.into_iter();
                clusters.map(|(name, cluster)| Candidate::new(name, cluster.server.unwrap_or_default())).collect()
            }
            _ => names(read.users.into_keys().collect()),
        })
    }

    /// ConfigMaps, and behind a slash the keys of one.
    async fn item_lists(&self, word: &str) -> Option<Vec<Candidate>> {
        let cluster = self.cluster().await?;
        let Some((name, _)) = word.split_once('/') else {
            return Some(begun(names(cluster.names(Named::ConfigMaps).await.ok()?), word));
        };
        let keys = read::config_map_entries(Box::pin(cluster.config_map(name)).await.ok()??).map(|(key, value)| {
            let lines = value.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).count();
            Candidate::new(format!("{name}/{key}"), crate::view::plural(lines, "line", "lines"))
        });
        Some(begun(keys.collect(), word))
    }
}

fn begun(candidates: Vec<Candidate>, word: &str) -> Vec<Candidate> {
    candidates.into_iter().filter(|candidate| candidate.value.starts_with(word)).collect()
}

fn names(names: Vec<String>) -> Vec<Candidate> {
    names.into_iter().map(|name| Candidate::new(name, "")).collect()
}

/// The containers of a Job's Pods, the one first that is read when none is named.
fn containers(job: &Job) -> Vec<Candidate> {
    let Some(pod) = job.spec.as_ref().and_then(|spec| spec.template.spec.as_ref()) else { return Vec::new() };
    let worker = contract::worker_name(job);
    let mut own: Vec<_> = pod.containers.iter().map(|container| container.name.as_str()).collect();
    own.sort_by_key(|name| Some(*name) != worker);
    let own = own
        .into_iter()
        .map(|name| Candidate::new(name, if Some(name) == worker { "the default" } else { "container" }));
    let init = pod.init_containers.iter().flatten().map(|container| Candidate::new(&container.name, "init container"));
    own.chain(init).collect()
}
