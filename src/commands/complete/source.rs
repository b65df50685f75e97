//! Completions that only the cluster or the kubeconfig knows, requested within a time that nobody notices.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use tokio::time::{Instant, timeout_at};

use super::Candidate;
use super::{indexes, jobs};
use crate::args::Complete;
use crate::cluster::connect::{self, ConnectOptions};
use crate::cluster::{Cluster, ListedKind, PodFilter};
use crate::commands::words::Typed;
use crate::commands::{connect_options, find};
use crate::contract;
use crate::index_set::IndexSet;
use crate::manifest::read;
use crate::state::row::{IndexRow, SucceededRows};
use crate::state::{Event, JobState};
use crate::tracker::family;

/// The time for all requests together. Later responses are not offered.
const DEADLINE: Duration = Duration::from_millis(400);
/// The time for descriptions. Candidates are offered without them too.
const DESCRIPTION_DEADLINE: Duration = Duration::from_millis(280);
/// The number of items to read if nothing is typed yet.
const MAX_ITEMS_READ: u32 = 1000;
/// The number of candidates to offer.
const MAX_CANDIDATES: usize = 50;

/// Requests candidates from the cluster and the kubeconfig.
pub(super) struct CandidateSource {
    typed: Typed,
    began: Instant,
}

impl CandidateSource {
    pub(super) fn new(typed: Typed) -> Self {
        Self { typed, began: Instant::now() }
    }

    /// Returns the values of an argument that start with `word`; nothing if they don't arrive in time.
    pub(super) fn candidates(&self, wanted: Complete, verb: &str, word: &str) -> Vec<Candidate> {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return Vec::new() };
        // The deadline itself needs the runtime.
        let found = runtime
            .block_on(async { timeout_at(self.began + DEADLINE, Box::pin(self.request(wanted, verb, word))).await });
        // A slow credential plugin or name server must not delay the shell.
        runtime.shutdown_background();
        found.ok().flatten().unwrap_or_default()
    }

    async fn request(&self, wanted: Complete, verb: &str, word: &str) -> Option<Vec<Candidate>> {
        let found = match wanted {
            Complete::Jobs => return self.jobs(verb, word).await,
            Complete::Indexes => return self.indexes(|state| state.all(), true, word).await,
            Complete::OutstandingIndexes => {
                return self.indexes(|state| state.outstanding().indexes, true, word).await;
            }
            Complete::WaitGoals => return self.goals(word).await,
            Complete::Items => return self.items(word).await,
            Complete::ItemLists => return self.item_lists(word).await,
            Complete::Attempts => Box::pin(self.attempts()).await,
            Complete::Containers => containers(&self.job(&self.cluster().await?).await?),
            Complete::FailureReasons => self.failures(|row| row.reason).await?,
            Complete::ExitCodes => self.failures(|row| row.exit_code.map(|code| code.to_string())).await?,
            Complete::Contexts | Complete::Clusters | Complete::Users => self.kubeconfig(wanted)?,
            Complete::Namespaces => self.names(ListedKind::Namespaces).await?,
            Complete::ServiceAccounts => self.names(ListedKind::ServiceAccounts).await?,
            Complete::PriorityClasses => self.names(ListedKind::PriorityClasses).await?,
            Complete::LocalQueues => self.names(ListedKind::LocalQueues).await?,
        };
        Some(starting_with(word, found))
    }

    async fn names(&self, kind: ListedKind) -> Option<Vec<Candidate>> {
        Some(name_candidates(self.cluster().await?.list_names(kind).await.ok()?))
    }

    fn options(&self) -> Option<ConnectOptions> {
        Some(ConnectOptions { unattended: true, ..connect_options(self.typed.global()?).ok()? })
    }

    async fn cluster(&self) -> Option<Cluster> {
        Cluster::connect(&self.options()?, &|name| std::env::var(name).ok()).await.ok()
    }

    /// Returns a description if it arrives in time.
    async fn within_deadline<T>(&self, description: impl Future<Output = T>) -> Option<T> {
        timeout_at(self.began + DESCRIPTION_DEADLINE, description).await.ok()
    }

    async fn jobs(&self, verb: &str, word: &str) -> Option<Vec<Candidate>> {
        let jobs = self.cluster().await?.first_jobs(self.typed.value("selector")).await.ok()?;
        Some(jobs::candidates(jobs, verb, word, &self.typed.names, Timestamp::now()))
    }

    /// Returns the Job that the words name, or the newest.
    async fn job(&self, cluster: &Cluster) -> Option<Job> {
        let job = match self.typed.names.first() {
            Some(name) => cluster.job(&find::job_name(name).ok()?).await.ok()?,
            None => find::find_newest(cluster).await.ok()?,
        };
        find::check_indexed(&job).ok().map(|()| job)
    }

    /// Returns the state of the Job and its retries, with one page of the Pods of each if it arrives in time.
    async fn state(&self, cluster: &Cluster, filter: PodFilter<'_>) -> Option<JobState> {
        let job = self.job(cluster).await?;
        let mut state = family::load(job, self.typed.has_flag("only_this"), cluster).await.ok()?.0;
        let members = state.members().to_vec();
        let reads = members.iter().map(|member| cluster.first_pods(member.job(), filter));
        for pods in self.within_deadline(futures::future::join_all(reads)).await.into_iter().flatten().flatten() {
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
        let items = self.within_deadline(Box::pin(find::load_items_of(&shown, state.items_job(), &cluster))).await;
        let items = items.and_then(Result::ok).unwrap_or_default();
        Some(indexes::candidates(offers, &state, &items))
    }

    async fn goals(&self, word: &str) -> Option<Vec<Candidate>> {
        const INDEXES: &str = "indexes=";
        if let Some(list) = word.strip_prefix(INDEXES) {
            let open = |state: &JobState| state.all().difference(&state.succeeded()).difference(&state.failed());
            let found = self.indexes(open, false, list).await?.into_iter();
            return Some(found.map(|one| Candidate::new(format!("{INDEXES}{}", one.value), one.help)).collect());
        }
        let goals = [
            ("complete", "the Job completes"),
            ("failed", "the Job fails"),
            (INDEXES, "these indexes complete, as in indexes=0-9"),
        ];
        Some(starting_with(word, goals.map(|(value, help)| Candidate::new(value, help)).to_vec()))
    }

    async fn items(&self, word: &str) -> Option<Vec<Candidate>> {
        let cluster = self.cluster().await?;
        let state = self.state(&cluster, PodFilter::UNSUCCESSFUL).await?;
        let all = state.all();
        let wanted = if word.is_empty() { all.intersection(&IndexSet::below(MAX_ITEMS_READ)) } else { all };
        let items = Box::pin(find::load_items_of(&wanted, state.items_job(), &cluster)).await.ok()?;
        let mut found: Vec<_> = items.iter().filter(|(_, item)| item.starts_with(word)).collect();
        let failed = state.failed();
        found.sort_by_key(|(index, _)| !failed.contains(**index));
        found.truncate(MAX_CANDIDATES);
        let shown = found.iter().map(|(index, _)| **index).collect();
        let rows = state.rows(&shown, &mut SucceededRows::default());
        let describe = |(index, item): (&u32, &String)| {
            let row = rows.iter().find(|row| row.index == *index);
            let how = row.map_or_else(String::new, |row| format!(", {}", indexes::describe(row, None)));
            Candidate::new(item, format!("index {index}{how}"))
        };
        Some(found.into_iter().map(describe).collect())
    }

    /// Returns the words of `--attempt`, and the numbers of the attempts if they arrive in time.
    async fn attempts(&self) -> Vec<Candidate> {
        let last = async {
            let state = self.state(&self.cluster().await?, PodFilter::default()).await?;
            let attempted = state.attempted();
            attempted.iter().flat_map(|index| state.numbered_attempts_of(index).map(|(number, _)| number)).max()
        };
        let most = Box::pin(self.within_deadline(last)).await.flatten().unwrap_or(0);
        let words = [Candidate::new("all", "every attempt"), Candidate::new("last", "the last attempt of each index")];
        let numbers = (1..=most)
            .take(MAX_CANDIDATES)
            .map(|number| Candidate::new(number.to_string(), format!("attempt {number}")));
        words.into_iter().chain(numbers).collect()
    }

    /// Returns how the last attempts of the outstanding indexes ended, the most frequent first.
    async fn failures(&self, cause: impl Fn(IndexRow) -> Option<String>) -> Option<Vec<Candidate>> {
        let state = self.state(&self.cluster().await?, PodFilter::UNSUCCESSFUL).await?;
        let rows = state.rows(&state.outstanding().indexes, &mut SucceededRows::default());
        let mut counts = BTreeMap::<String, usize>::new();
        for row in rows {
            if let Some(cause) = cause(row) {
                *counts.entry(cause).or_default() += 1;
            }
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        Some(counts.into_iter().map(|(cause, count)| Candidate::new(cause, jobs::indexes(count))).collect())
    }

    /// Returns the contexts, clusters or users of the kubeconfig.
    fn kubeconfig(&self, wanted: Complete) -> Option<Vec<Candidate>> {
        let env = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let read = connect::load_kubeconfig(self.options()?.kubeconfig.as_deref(), &env).ok()?;
        let contexts = read.contexts.into_iter().map(|(name, context)| {
            let namespace = context.namespace.filter(|namespace| !namespace.is_empty());
            let namespace = namespace.map(|namespace| format!(", namespace {namespace}")).unwrap_or_default();
            Candidate::new(name, format!("cluster {}{namespace}", context.cluster.unwrap_or_default()))
        });
        let clusters = read.clusters.into_iter();
        let clusters = clusters.map(|(name, cluster)| Candidate::new(name, cluster.server.unwrap_or_default()));
        Some(match wanted {
            Complete::Contexts => contexts.collect(),
            Complete::Clusters => clusters.collect(),
            _ => name_candidates(read.users.into_keys().collect()),
        })
    }

    /// Returns ConfigMaps, or after a slash the keys of one.
    async fn item_lists(&self, word: &str) -> Option<Vec<Candidate>> {
        let cluster = self.cluster().await?;
        let Some((name, _)) = word.split_once('/') else {
            return Some(starting_with(word, self.names(ListedKind::ConfigMaps).await?));
        };
        let keys = read::config_map_entries(Box::pin(cluster.config_map(name)).await.ok()??).map(|(key, value)| {
            let lines = value.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).count();
            Candidate::new(format!("{name}/{key}"), crate::view::plural(lines, "line", "lines"))
        });
        Some(starting_with(word, keys.collect()))
    }
}

fn starting_with(word: &str, candidates: Vec<Candidate>) -> Vec<Candidate> {
    candidates.into_iter().filter(|candidate| candidate.value.starts_with(word)).collect()
}

fn name_candidates(names: Vec<String>) -> Vec<Candidate> {
    names.into_iter().map(|name| Candidate::new(name, "")).collect()
}

/// Returns the containers of a Job's Pods, the default container first.
fn containers(job: &Job) -> Vec<Candidate> {
    let Some(pod) = job.spec.as_ref().and_then(|spec| spec.template.spec.as_ref()) else { return Vec::new() };
    let worker = contract::worker_name(job);
    let mut own: Vec<_> = pod.containers.iter().map(|container| container.name.as_str()).collect();
    own.sort_by_key(|name| Some(*name) != worker);
    let own = own
        .into_iter()
        .map(|name| Candidate::new(name, if Some(name) == worker { "default container" } else { "container" }));
    let init = pod.init_containers.iter().flatten().map(|container| Candidate::new(&container.name, "init container"));
    own.chain(init).collect()
}
