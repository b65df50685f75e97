//! `logs`: what the indexes of a Job wrote, in order or as it comes.

use std::collections::VecDeque;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::batch::v1::Job;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::follow::lanes::Lanes;
use super::follow::missing::{self, Missing, note_end};
use super::follow::pick::{Pick, Picked};
use super::follow::print::{Filter, LogForm, LogPrinter};
use super::follow::{self, End, Follow, LogView, Order};
use super::indexes::status_of;
use super::{Context, family, find};
use crate::args::{AttemptChoice, LogsArgs};
use crate::cluster::logs::{LogBatch, LogEnd, LogOptions, LogSource, Lost, Streams};
use crate::cluster::{Cluster, PodFilter};
use crate::error::{Error, Exit, Kind};
use crate::index_set::{IndexSelector, IndexSet};
use crate::spec::duration;
use crate::state::{Event, IndexStatus, JobState};
use crate::view::summary::ItemTexts;

/// How many batches of one log are held while an earlier log is printed.
const HELD: usize = 2;

pub(super) async fn logs(args: LogsArgs, context: &mut Context) -> Result<Exit> {
    let Asked { job, only_this, which, mut form, mut options, order, containers, attempt, streams } =
        resolve(args, context)?;
    let (cluster, job) = find::here(job.as_deref(), context).await?;
    let pick = Pick::new(&job, attempt, options.previous, containers.named, containers.kinds)?;
    let mut state = family::load(job.clone(), only_this, &cluster).await?;
    let owner = state.items_job().unwrap_or(&job);
    let items = match which.items_shown(&form, &state) {
        Some(indexes) => find::items_of(&indexes, owner, &cluster).await,
        None => find::items(owner, &cluster).await,
    };
    let which = which.with_items(&items, &job)?;
    which.check(&state)?;
    if !options.follow {
        list(which.fixed.as_ref(), &mut state, &cluster).await?;
    }
    form.one_index = which.is_one(&state) || !options.follow && which.now(&state).len() == 1;
    form.several_containers = pick.has_several_containers(&job);
    let mut printer = LogPrinter::new(form, items);
    options.times = printer.needs_times() || order == Order::ByTime;
    printer.begin(&mut context.ui)?;

    if options.follow {
        let wanted = Box::new(move |state: &JobState| which.now(state));
        let logs = LogView { wanted, pick, options, printer, order, streams };
        let (end, missing) = follow::follow(Follow { cluster: &cluster, state, logs }, context).await?;
        if matches!(end, End::Interrupted) {
            return Ok(Exit::Interrupted);
        }
        return tell_missing(&missing, &job.metadata.name.unwrap_or_default(), context);
    }

    let mut missing = Missing::default();
    let mut sources = Vec::new();
    for index in which.now(&state).iter() {
        let picked = pick.of(index, &state);
        if picked.is_empty() {
            missing.none_of(index, &pick, &state);
        }
        sources.extend(picked);
    }
    let read = Read { cluster: &cluster, options, streams: Arc::new(streams) };
    match order {
        Order::ByTime => read.by_time(sources, &mut printer, &mut missing, context).await?,
        Order::ByIndex | Order::AsTheyCome => read.in_order(sources, &mut printer, &mut missing, context).await?,
    }
    printer.end(&mut context.ui)?;
    if missing.has_gone()
        && let Ok(events) = cluster.pod_endings().await
    {
        let events: Vec<_> = events.into_iter().filter(missing::tells_an_end).collect();
        missing.explain(&events, job.metadata.name.as_deref().unwrap_or_default());
    }
    tell_missing(&missing, &job.metadata.name.unwrap_or_default(), context)
}

/// Takes in the Pods of a Job, of which only those of `indexes` matter.
async fn list(indexes: Option<&IndexSet>, state: &mut JobState, cluster: &Cluster) -> Result<(), Error> {
    let filter = PodFilter { indexes, ..PodFilter::default() };
    let members = state.members().to_vec();
    family::each_pod(&members, filter, cluster, |pod| state.apply(Event::Pod(Box::new(pod)))).await
}

/// What the flags ask for.
struct Asked {
    job: Option<String>,
    only_this: bool,
    which: Which,
    form: LogForm,
    options: LogOptions,
    order: Order,
    containers: ContainerFlags,
    attempt: AttemptChoice,
    streams: Streams,
}

struct ContainerFlags {
    named: Option<String>,
    /// All, or the init containers.
    kinds: (bool, bool),
}

fn resolve(args: LogsArgs, context: &Context) -> Result<Asked, Error> {
    let LogsArgs {
        job,
        only_this,
        index,
        items,
        status,
        attempt,
        previous,
        container,
        all_containers,
        init,
        follow,
        keep_order,
        merge,
        since,
        since_time,
        tail,
        limit_bytes,
        grep,
        exclude,
        prefix,
        timestamps,
        output,
        to,
        raw,
        max_log_requests,
    } = args;
    let order = match (merge, follow && !keep_order) {
        (true, _) => Order::ByTime,
        (false, true) => Order::AsTheyCome,
        (false, false) => Order::ByIndex,
    };
    if let Some(folder) = to.as_ref().filter(|folder| folder.exists() && !folder.is_dir()) {
        return Err(Error::usage(format!("--to {}: it is not a folder", folder.display())));
    }
    Ok(Asked {
        job,
        only_this,
        which: Which {
            fixed: index.as_ref().and_then(IndexSelector::fixed),
            selector: index,
            items,
            of_items: None,
            statuses: status.into_iter().map(status_of).collect(),
        },
        form: LogForm {
            prefix,
            one_index: false,
            several_containers: false,
            timestamps,
            raw,
            output,
            to,
            filter: Filter::new(&grep, &exclude)?,
        },
        options: LogOptions {
            follow,
            times: false,
            previous,
            tail: (tail >= 0).then_some(tail),
            since: since_when(since.as_deref(), since_time.as_deref(), context.now())?,
            limit: limit_bytes,
        },
        order,
        containers: ContainerFlags { named: container, kinds: (all_containers, init) },
        attempt,
        streams: Streams::new(usize::from(max_log_requests)),
    })
}

/// The time that `--since` or `--since-time` means.
fn since_when(since: Option<&str>, time: Option<&str>, now: Timestamp) -> Result<Option<Timestamp>, Error> {
    if let Some(text) = time {
        let time = text.parse().map_err(|problem| {
            Error::usage(format!("--since-time {text:?}: {problem}")).hint("write it as in 2026-01-31T12:00:00Z")
        })?;
        return Ok(Some(time));
    }
    let Some(text) = since else { return Ok(None) };
    let span = duration::parse(text).map_err(|problem| Error::usage(format!("--since: {problem}")))?;
    let ago = span.map(|span| SignedDuration::try_from(span).ok().and_then(|span| now.checked_sub(span).ok()));
    Ok(ago.map(|time| time.unwrap_or(Timestamp::UNIX_EPOCH)))
}

/// Which indexes are asked for.
struct Which {
    selector: Option<IndexSelector>,
    /// The same, where it does not depend on how they fare.
    fixed: Option<IndexSet>,
    items: Vec<String>,
    of_items: Option<IndexSet>,
    /// Any, if none is named.
    statuses: Vec<IndexStatus>,
}

impl Which {
    fn with_items(mut self, items: &ItemTexts, job: &Job) -> Result<Self, Error> {
        if !self.items.is_empty() {
            let found = find::with_items(&self.items, items, job)?;
            self.fixed = Some(self.fixed.as_ref().map_or_else(|| found.clone(), |fixed| fixed.intersection(&found)));
            self.of_items = Some(found);
        }
        Ok(self)
    }

    /// # Errors
    /// If an index is named that the Job does not have.
    fn check(&self, state: &JobState) -> Result<(), Error> {
        self.selector.as_ref().map_or(Ok(()), |selector| find::check(&selector.numbers(), state))
    }

    /// The indexes whose items are shown, since a long list is many ConfigMaps; None where one is looked for among all.
    fn items_shown(&self, form: &LogForm, state: &JobState) -> Option<IndexSet> {
        if !self.items.is_empty() {
            return None;
        }
        let shown =
            if form.shows_items() { self.fixed.clone().unwrap_or_else(|| state.all()) } else { IndexSet::new() };
        Some(shown)
    }

    /// Whether only one index can be meant, whatever becomes of the Job.
    fn is_one(&self, state: &JobState) -> bool {
        state.completions() == 1 || self.fixed.as_ref().is_some_and(|fixed| fixed.len() == 1)
    }

    /// Words such as "failed" change their meaning while a Job runs.
    fn now(&self, state: &JobState) -> IndexSet {
        let mut indexes = match &self.selector {
            Some(selector) => selector.resolve(|word| state.meaning(word)),
            None => state.all(),
        };
        if let Some(of_items) = &self.of_items {
            indexes = indexes.intersection(of_items);
        }
        if !self.statuses.is_empty() {
            let statuses = state.statuses(&indexes).into_iter();
            indexes = statuses.filter(|(_, status)| self.statuses.contains(status)).map(|(index, _)| index).collect();
        }
        indexes
    }
}

fn tell_missing(missing: &Missing, job: &str, context: &Context) -> Result<Exit> {
    if missing.is_empty() {
        return Ok(Exit::Success);
    }
    Err(Error::new(Kind::Failed, missing.sentence())
        .hint(format!("{} shows how each index fares", context.again(&format!("describe {job}"))))
        .into())
}

/// Reads logs that are not followed.
struct Read<'a> {
    cluster: &'a Arc<Cluster>,
    options: LogOptions,
    streams: Arc<Streams>,
}

/// A log that is being read.
struct Reading<'a> {
    picked: Picked<'a>,
    batches: mpsc::Receiver<LogBatch>,
    reader: JoinHandle<Result<LogEnd, Lost>>,
}

impl Read<'_> {
    fn start(&self, source: Arc<LogSource>) -> (mpsc::Receiver<LogBatch>, JoinHandle<Result<LogEnd, Lost>>) {
        let (sender, receiver) = mpsc::channel(HELD);
        let (cluster, streams, options) = (Arc::clone(self.cluster), Arc::clone(&self.streams), self.options);
        let reader = tokio::spawn(async move {
            cluster.read_log(&source, options, &streams, &CancellationToken::new(), &sender).await
        });
        (receiver, reader)
    }

    /// Prints the logs one behind the other while the next ones are already being read.
    async fn in_order(
        &self,
        sources: Vec<Picked<'_>>,
        printer: &mut LogPrinter,
        missing: &mut Missing,
        context: &mut Context,
    ) -> Result<()> {
        let mut sources = VecDeque::from(sources);
        let mut readings: VecDeque<Reading<'_>> = VecDeque::new();
        loop {
            while readings.len() < self.streams.most()
                && let Some(picked) = sources.pop_front()
            {
                let (batches, reader) = self.start(Arc::clone(&picked.source));
                readings.push_back(Reading { picked, batches, reader });
            }
            let Some(Reading { picked, mut batches, reader }) = readings.pop_front() else { return Ok(()) };
            while let Some(batch) = batches.recv().await {
                printer.batch(&batch, &mut context.ui)?;
            }
            note_end(&picked.source, Some(&picked), &reader.await?, printer, missing, context)?;
        }
    }

    /// Prints the lines of all logs in the order of their times.
    async fn by_time(
        &self,
        mut sources: Vec<Picked<'_>>,
        printer: &mut LogPrinter,
        missing: &mut Missing,
        context: &mut Context,
    ) -> Result<()> {
        // Those that begin first are needed first.
        sources.sort_by_key(|picked| (picked.attempt.started, picked.key));
        let lanes = Lanes::default();
        let mut readers = JoinSet::new();
        for (place, picked) in sources.iter().enumerate() {
            lanes.open(picked.key, picked.attempt.created);
            let (batches, reader) = self.start(Arc::clone(&picked.source));
            let lanes = lanes.clone();
            let key = picked.key;
            readers.spawn(async move {
                lanes.fill(key, batches).await.context("keeping lines until it is their turn")?;
                anyhow::Ok((place, reader.await?))
            });
        }
        loop {
            tokio::select! {
                () = lanes.news() => lanes.print_by_time(None, printer, &mut context.ui)?,
                ended = readers.join_next() => {
                    let Some(ended) = ended else { break };
                    let (place, result) = ended??;
                    let picked = &sources[place];
                    note_end(&picked.source, Some(picked), &result, printer, missing, context)?;
                }
            }
        }
        lanes.print_by_time(None, printer, &mut context.ui)
    }
}
