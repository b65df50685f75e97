//! `logs`: what the indexes of a Job wrote, in order or as it comes.

use std::collections::VecDeque;

use anyhow::Result;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::follow::{End, Follow, LogView};
use super::{Context, find, follow};
use crate::args::{LogsArgs, Prefix};
use crate::cluster::logs::{LogLine, LogOptions, LogSource};
use crate::cluster::{Cluster, PodFilter};
use crate::error::{Error, Exit, Kind};
use crate::index_set::IndexSet;
use crate::manifest::read;
use crate::state::{Event, JobState};
use crate::view::line;

/// How many logs are asked for at once while they are printed in order.
const AHEAD: usize = 32;
/// How many lines of one log are held while an earlier one is printed.
const HELD: usize = 1024;

pub(super) async fn logs(args: LogsArgs, context: &mut Context) -> Result<Exit> {
    let LogsArgs { job, index, follow, keep_order, prefix, container, timestamps, tail } = args;
    let (cluster, job) = find::here(job.as_deref(), context).await?;
    let container = container.or_else(|| read::worker_container(&job).map(str::to_owned));
    let options = LogOptions { follow, timestamps, tail: (tail >= 0).then_some(tail) };

    let mut state = JobState::new(job.clone());
    cluster.each_pod(&job, PodFilter::default(), |pod| state.apply(Event::Pod(Box::new(pod)))).await?;
    let selected = find::select(index.as_ref(), &state)?;
    let style = prefix_style(prefix, selected.len() == 1);

    if follow {
        // Words such as "failed" change their meaning while the Job runs, so they are asked for again.
        let wanted: Box<dyn Fn(&JobState) -> IndexSet + Send> = match index {
            Some(selector) => Box::new(move |state| selector.resolve(|word| state.meaning(word))),
            None => Box::new(JobState::all),
        };
        let logs = LogView { wanted, container, options, prefix: style, keep_order };
        let end = follow::follow(Follow { cluster: &cluster, job, logs }, context).await?;
        return Ok(if matches!(end, End::Interrupted) { Exit::Interrupted } else { Exit::Success });
    }

    let mut unread = Vec::new();
    let mut sources = VecDeque::new();
    let attempts = state.attempts();
    for index in selected.iter() {
        let started: Vec<_> = attempts.get(&index).into_iter().flatten().filter(|a| a.has_started()).collect();
        if started.is_empty() {
            unread.push(format!("index {index} {}", why_no_log(&state, index)));
        }
        sources.extend(started.into_iter().map(|attempt| LogSource {
            index,
            pod: attempt.pod.clone(),
            container: container.clone(),
        }));
    }
    print_in_order(&cluster, sources, options, style, &mut unread, context).await?;
    context.ui.flush()?;
    if unread.is_empty() {
        return Ok(Exit::Success);
    }
    let name = job.metadata.name.unwrap_or_default();
    Err(Error::new(Kind::Failed, format!("no log from {}", unread.join("; ")))
        .hint(format!("{} shows how each index fares", context.again(&format!("describe {name}"))))
        .into())
}

/// How lines begin, where all or not all are of one index.
pub(super) fn prefix_style(prefix: Prefix, one: bool) -> line::Prefix {
    match prefix {
        Prefix::Auto if one => line::Prefix::None,
        Prefix::Auto | Prefix::Index => line::Prefix::Index,
        Prefix::Pod => line::Prefix::Pod,
        Prefix::None => line::Prefix::None,
    }
}

fn why_no_log(state: &JobState, index: u32) -> String {
    let attempts = state.attempts();
    match attempts.get(&index).and_then(|attempts| attempts.last()) {
        Some(attempt) => match &attempt.reason {
            Some(reason) => format!("(not started: {reason})"),
            None => "(not started)".to_owned(),
        },
        None if state.succeeded().contains(index) || state.failed().contains(index) => "(its pod is gone)".to_owned(),
        None => "(not started: no pod yet)".to_owned(),
    }
}

/// A log that is being read.
struct Reading {
    index: u32,
    lines: mpsc::Receiver<LogLine>,
    reader: JoinHandle<Result<(), Error>>,
}

/// Prints the logs one behind the other while the next ones are already being read.
async fn print_in_order(
    cluster: &std::sync::Arc<Cluster>,
    mut sources: VecDeque<LogSource>,
    options: LogOptions,
    prefix: line::Prefix,
    unread: &mut Vec<String>,
    context: &mut Context,
) -> Result<()> {
    let mut reading: VecDeque<Reading> = VecDeque::new();
    loop {
        while reading.len() < AHEAD
            && let Some(source) = sources.pop_front()
        {
            let (sender, receiver) = mpsc::channel(HELD);
            let cluster = std::sync::Arc::clone(cluster);
            let index = source.index;
            let reader =
                tokio::spawn(
                    async move { cluster.read_log(&source, options, &CancellationToken::new(), &sender).await },
                );
            reading.push_back(Reading { index, lines: receiver, reader });
        }
        let Some(Reading { index, mut lines, reader }) = reading.pop_front() else { return Ok(()) };
        while let Some(log) = lines.recv().await {
            follow::print(&log, prefix, context)?;
        }
        if let Err(error) = reader.await? {
            unread.push(format!("index {index}: {error}"));
        }
    }
}
