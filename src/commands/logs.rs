//! `logs`: prints the output of the indexes of a Job, in order or as it is written.

use std::collections::VecDeque;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::follow::lanes::Lanes;
use super::follow::missing::{self, Missing, note_end};
use super::follow::pick::{Pick, Picked};
use super::follow::print::{LineFilter, LogForm, LogPrinter};
use super::follow::report::report_missing;
use super::follow::{self, FollowEnd, LineOrder, LogView};
use super::indexes::status_of;
use super::outputs::cut::CutLogs;
use super::{Context, find};
use crate::args::LogsArgs;
use crate::cluster::logs::{LogBatch, LogEnd, LogOptions, LogSource, Lost, Streams};
use crate::cluster::{Cluster, PodFilter};
use crate::error::{Error, Exit};
use crate::index_set::IndexSet;
use crate::spec::duration;
use crate::state::{Event, JobState};
use crate::tracker::family;
use crate::tracker::selection::IndexSelection;

/// How many batches of one log wait while an earlier log is printed.
const WAITING_BATCHES: usize = 2;

pub(super) async fn logs(args: LogsArgs, context: &mut Context) -> Result<Exit> {
    let order = line_order(&args);
    if let Some(folder) = args.to.as_ref().filter(|folder| folder.exists() && !folder.is_dir()) {
        return Err(Error::usage(format!("--to {}: not a folder", folder.display())).into());
    }
    let filter = LineFilter::new(&args.grep, &args.exclude)?;
    let since = parse_since(args.since.as_deref(), args.since_time.as_deref(), context.now())?;
    let mut selection = IndexSelection::new(args.index, args.status.into_iter().map(status_of).collect());
    let (cluster, job) = find::connect_and_find_job(args.job.as_deref(), context).await?;
    let name = job.metadata.name.clone().unwrap_or_default();
    let pick = Pick::new(&job, args.attempt, args.previous, args.container, (args.all_containers, args.init))?;
    let mut form = LogForm {
        prefix: args.prefix,
        one_index: false,
        several_containers: pick.has_several_containers(&job),
        container: pick.named_container().map(str::to_owned),
        timestamps: args.timestamps,
        raw: args.raw,
        output: args.output,
        to: args.to,
        filter,
    };
    let mut state = find::load_family(job, args.only_this, &cluster, context).await?;
    // A long list has many ConfigMaps, so only those with shown items are read.
    let shown = match (args.items.is_empty(), form.shows_items()) {
        (false, _) => state.all(),
        (true, true) => selection.fixed_indexes().unwrap_or_else(|| state.all()),
        (true, false) => IndexSet::new(),
    };
    let texts = find::load_items_of(&shown, state.items_job(), &cluster).await;
    let texts = find::items_or_warning(texts, context)?;
    if !args.items.is_empty() {
        selection.narrow_to_items(&args.items, &texts, &name)?;
    }
    selection.check_numbers(&state)?;
    let named = selection.fixed_indexes();
    if !args.follow {
        load_pods(&mut state, named.as_ref(), &cluster).await?;
    }
    form.one_index = selection.is_one(&state) || !args.follow && selection.matching(&state).len() == 1;
    let mut printer = LogPrinter::new(form, texts);
    let options = LogOptions {
        follow: args.follow,
        times: printer.needs_times() || order == LineOrder::ByTime,
        previous: args.previous,
        tail: (args.tail >= 0).then_some(args.tail),
        since,
        limit: args.limit_bytes,
    };
    let streams = Arc::new(Streams::new(usize::from(args.max_log_requests)));
    printer.print_opening(&mut context.ui)?;
    // With --tail or --since, the beginning is not wanted.
    let is_whole = options.tail.is_none() && options.since.is_none();
    let cut = if is_whole { CutLogs::of(&state) } else { CutLogs::default() };

    let wanted = Box::new(move |state: &JobState| selection.matching(state));
    let logs = LogView { wanted, pick, options, printer, order, streams, cut };
    let mut missing = if options.follow {
        match follow::follow(state, logs, None, &cluster, context).await? {
            FollowEnd::Finished(_, missing) => *missing,
            FollowEnd::Interrupted { .. } => return Ok(Exit::Interrupted),
        }
    } else {
        print_existing(&state, logs, &name, &cluster, context).await?
    };
    // As with `kubectl logs`, an index that is named and has not started is an error.
    if let Some(note) = missing.take_waiting(&named.unwrap_or_default()) {
        context.ui.status(&note);
    }
    report_missing(&missing, &name)
}

fn line_order(args: &LogsArgs) -> LineOrder {
    match (args.merge, args.follow && !args.keep_order) {
        (true, _) => LineOrder::ByTime,
        (false, true) => LineOrder::AsTheyCome,
        (false, false) => LineOrder::ByIndex,
    }
}

/// Adds the existing Pods to `state`, or only those of the `named` indexes.
async fn load_pods(state: &mut JobState, named: Option<&IndexSet>, cluster: &Cluster) -> Result<()> {
    let filter = PodFilter { indexes: named, ..PodFilter::default() };
    let members = state.members().to_vec();
    family::each_pod(&members, filter, cluster, |pod| state.apply(Event::Pod(Box::new(pod)))).await?;
    Ok(())
}

async fn print_existing(
    state: &JobState,
    logs: LogView,
    name: &str,
    cluster: &Arc<Cluster>,
    context: &mut Context,
) -> Result<Missing> {
    let LogView { wanted, pick, options, mut printer, order, streams, cut } = logs;
    let mut missing = Missing::new(cut);
    let mut sources = Vec::new();
    for index in wanted(state).iter() {
        let picked = pick.of(index, state);
        if picked.is_empty() {
            missing.add_unstarted(index, &pick, state);
        }
        sources.extend(picked);
    }
    let reads = LogReads { cluster, options, streams };
    match order {
        LineOrder::ByTime => reads.print_by_time(sources, &mut printer, &mut missing, context).await?,
        LineOrder::ByIndex | LineOrder::AsTheyCome => {
            reads.print_in_order(sources, &mut printer, &mut missing, context).await?;
        }
    }
    printer.print_closing(&mut context.ui)?;
    if missing.has_gone()
        && let Ok(events) = cluster.pod_events_after_start().await
    {
        let events: Vec<_> = events.into_iter().filter(missing::is_about_end).collect();
        missing.explain(&events, name, context.ui.style);
    }
    Ok(missing)
}

fn parse_since(since: Option<&str>, time: Option<&str>, now: Timestamp) -> Result<Option<Timestamp>, Error> {
    if let Some(text) = time {
        let time = text.parse().map_err(|problem| {
            Error::usage(format!("--since-time {text:?}: {problem}")).hint("write it as 2026-01-31T12:00:00Z")
        })?;
        return Ok(Some(time));
    }
    let Some(text) = since else { return Ok(None) };
    let span = duration::parse(text).map_err(|problem| Error::usage(format!("--since: {problem}")))?;
    let ago = span.map(|span| SignedDuration::try_from(span).ok().and_then(|span| now.checked_sub(span).ok()));
    Ok(ago.map(|time| time.unwrap_or(Timestamp::UNIX_EPOCH)))
}

struct LogReads<'a> {
    cluster: &'a Arc<Cluster>,
    options: LogOptions,
    streams: Arc<Streams>,
}

struct OpenLog<'a> {
    picked: Picked<'a>,
    batches: mpsc::Receiver<LogBatch>,
    reader: JoinHandle<Result<LogEnd, Lost>>,
}

impl LogReads<'_> {
    fn start(&self, source: Arc<LogSource>) -> (mpsc::Receiver<LogBatch>, JoinHandle<Result<LogEnd, Lost>>) {
        let (sender, receiver) = mpsc::channel(WAITING_BATCHES);
        let (cluster, streams, options) = (Arc::clone(self.cluster), Arc::clone(&self.streams), self.options);
        let reader = tokio::spawn(async move {
            cluster.read_log(&source, options, &streams, &CancellationToken::new(), &sender).await
        });
        (receiver, reader)
    }

    /// Prints the logs one after the other, while the next ones are already being read.
    async fn print_in_order(
        &self,
        sources: Vec<Picked<'_>>,
        printer: &mut LogPrinter,
        missing: &mut Missing,
        context: &mut Context,
    ) -> Result<()> {
        let mut sources = VecDeque::from(sources);
        let mut open_logs: VecDeque<OpenLog<'_>> = VecDeque::new();
        loop {
            while open_logs.len() < self.streams.limit()
                && let Some(picked) = sources.pop_front()
            {
                let (batches, reader) = self.start(Arc::clone(&picked.source));
                open_logs.push_back(OpenLog { picked, batches, reader });
            }
            let Some(OpenLog { picked, mut batches, reader }) = open_logs.pop_front() else { return Ok(()) };
            while let Some(batch) = batches.recv().await {
                printer.print_batch(&batch, &mut context.ui)?;
            }
            note_end(&picked.source, Some(&picked), &reader.await?, printer, missing, context)?;
        }
    }

    /// Prints the lines of all logs in the order of their times.
    async fn print_by_time(
        &self,
        mut sources: Vec<Picked<'_>>,
        printer: &mut LogPrinter,
        missing: &mut Missing,
        context: &mut Context,
    ) -> Result<()> {
        // Logs that begin first are needed first.
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
                () = lanes.news.notified() => lanes.print_by_time(None, printer, &mut context.ui)?,
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
