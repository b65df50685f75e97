//! Following a Job to its end: its output, its progress, and how it went.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use futures::{FutureExt as _, StreamExt as _};
use k8s_openapi::api::batch::v1::Job;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Context;
use crate::cluster::Cluster;
use crate::cluster::logs::{LogLine, LogOptions, LogSource};
use crate::cluster::watch::Notice;
use crate::error::{Error, Exit, Kind};
use crate::index_set::IndexSet;
use crate::state::attempt::Attempt;
use crate::state::{Event, JobState, Outcome};
use crate::view::summary::ItemTexts;
use crate::view::{line, progress, summary};

/// How many logs are read at once.
const STREAMS: usize = 64;
/// How many lines are held before the readers must wait.
const HELD: usize = 4096;
/// How often progress is redrawn where it can be.
const TICK: Duration = Duration::from_millis(200);
/// How often progress is told where it can't be redrawn in place.
const PLAIN_PROGRESS: Duration = Duration::from_secs(30);

/// What to follow, and how.
pub(super) struct Follow<'a> {
    pub(super) cluster: &'a Arc<Cluster>,
    pub(super) job: Job,
    /// None reads no logs.
    pub(super) logs: Option<LogView>,
    /// None waits for ever.
    pub(super) limit: Option<Duration>,
}

/// Which logs are shown, and how.
pub(super) struct LogView {
    pub(super) wanted: Box<dyn Fn(&JobState) -> IndexSet>,
    pub(super) container: Option<String>,
    pub(super) options: LogOptions,
    pub(super) prefix: line::Prefix,
    /// Whether an index waits until all lower ones are done.
    pub(super) keep_order: bool,
}

/// How following ended.
pub(super) enum End {
    Finished(JobState),
    Interrupted,
    TimedOut(JobState),
}

/// The logs that are being read.
struct Readers {
    view: LogView,
    cluster: Arc<Cluster>,
    slots: Arc<Semaphore>,
    sender: mpsc::Sender<LogLine>,
    tasks: JoinSet<(u32, Result<(), Error>)>,
    /// By UID the Pods whose logs are or were read, each with what tells its reader that the log has ended.
    taken: BTreeMap<String, CancellationToken>,
    /// Indexes whose logs are being read.
    active: Vec<u32>,
}

impl Readers {
    fn new(view: LogView, cluster: &Arc<Cluster>) -> (Self, mpsc::Receiver<LogLine>) {
        let (sender, receiver) = mpsc::channel(HELD);
        let slots = Arc::new(Semaphore::new(STREAMS));
        let cluster = Arc::clone(cluster);
        let readers =
            Self { view, cluster, slots, sender, tasks: JoinSet::new(), taken: BTreeMap::new(), active: Vec::new() };
        (readers, receiver)
    }

    /// Begins to read whatever has started since.
    fn start(&mut self, state: &JobState) {
        let wanted = (self.view.wanted)(state);
        let attempts = state.attempts();
        for index in wanted.iter() {
            let of_index = attempts.get(&index).map(Vec::as_slice).unwrap_or_default();
            for attempt in of_index.iter().filter(|attempt| attempt.has_started()) {
                if !self.taken.contains_key(&attempt.uid) {
                    self.read(attempt);
                }
                if attempt.log_ended
                    && let Some(ended) = self.taken.get(&attempt.uid)
                {
                    ended.cancel();
                }
            }
            if self.view.keep_order && !self.is_done(index, state) {
                return;
            }
        }
    }

    /// Whether no more of an index is to come.
    fn is_done(&self, index: u32, state: &JobState) -> bool {
        let finished = state.succeeded().contains(index) || state.failed().contains(index) || state.outcome().is_some();
        finished && !self.active.contains(&index)
    }

    fn read(&mut self, attempt: &Attempt) {
        let container = self.view.container.clone();
        let source = LogSource { index: attempt.index, pod: attempt.pod.clone(), container };
        let (cluster, sender, slots) = (Arc::clone(&self.cluster), self.sender.clone(), Arc::clone(&self.slots));
        let options = LogOptions { follow: true, ..self.view.options };
        let ended = CancellationToken::new();
        self.taken.insert(attempt.uid.clone(), ended.clone());
        self.active.push(attempt.index);
        self.tasks.spawn(async move {
            let _slot = slots.acquire().await;
            (source.index, cluster.read_log(&source, options, &ended, &sender).await)
        });
    }

    /// The next log that ended, and how.
    async fn next_end(&mut self) -> Option<(u32, Result<(), Error>)> {
        let (index, result) = self.tasks.join_next().await?.ok()?;
        if let Some(at) = self.active.iter().position(|&active| active == index) {
            self.active.swap_remove(at);
        }
        Some((index, result))
    }
}

/// Follows a Job until it has ended and all its output is printed.
///
/// # Errors
/// If the Job is deleted meanwhile, if it can't be watched, or if nobody reads the output any more.
pub(super) async fn follow(follow: Follow<'_>, context: &mut Context) -> Result<End> {
    let Follow { cluster, job, logs, limit } = follow;
    let mut notices = cluster.watch(&job, logs.is_some());
    let mut state = JobState::new(job);
    let deadline = limit.map(|limit| Instant::now() + limit);
    let (mut readers, mut lines) = logs.map(|view| Readers::new(view, cluster)).unzip();
    let mut tick = interval(TICK);
    let mut told = Instant::now();
    let interrupt = tokio::signal::ctrl_c();
    tokio::pin!(interrupt);
    context.ui.begin_live();
    let mut settled = false;

    loop {
        if state.outcome().is_some() && !settled {
            settle(&mut state, cluster, readers.is_some()).await?;
            settled = true;
            begin(&mut readers, &state);
        }
        if settled && readers.as_ref().is_none_or(|readers: &Readers| readers.tasks.is_empty()) {
            // What the readers have sent is printed before the end is told.
            print_ready(&mut lines, readers.as_ref(), context)?;
            context.ui.end_live();
            return Ok(End::Finished(state));
        }
        tokio::select! {
            // A line that is there is printed before anything else is looked at.
            biased;
            Some(line) = next_line(&mut lines) => {
                print(&line, readers.as_ref(), context)?;
                print_ready(&mut lines, readers.as_ref(), context)?;
            }
            Some((index, result)) = next_end(&mut readers) => {
                if let Err(error) = result {
                    context.ui.warning(&format!("the log of index {index} is not complete: {error}"));
                }
                begin(&mut readers, &state);
            }
            _ = &mut interrupt => return Ok(End::Interrupted),
            () = until(deadline) => return Ok(End::TimedOut(state)),
            notice = notices.next() => {
                take_in(notice, &mut state, context)?;
                // Events come in bursts; the logs are looked through once for all of them.
                while let Some(notice) = notices.next().now_or_never() {
                    take_in(notice, &mut state, context)?;
                }
                if state.is_gone() {
                    return Err(gone(&state, cluster));
                }
                begin(&mut readers, &state);
            }
            _ = tick.tick() => {
                if context.ui.is_live() {
                    context.ui.set_live(progress::line(&state, context.now()));
                } else if told.elapsed() >= PLAIN_PROGRESS {
                    told = Instant::now();
                    context.ui.status(&progress::line(&state, context.now()));
                }
            }
        }
    }
}

fn take_in(notice: Option<Result<Notice, Error>>, state: &mut JobState, context: &mut Context) -> Result<()> {
    match notice {
        Some(Ok(Notice::Seen(event))) => state.apply(event),
        Some(Ok(Notice::Reconnecting(why))) => context.ui.warning(&format!("reconnecting to the server: {why}")),
        Some(Err(error)) => return Err(error.into()),
        None => return Err(Error::new(Kind::Failed, "the watch of the job has ended").into()),
    }
    Ok(())
}

fn begin(readers: &mut Option<Readers>, state: &JobState) {
    if let Some(readers) = readers {
        readers.start(state);
    }
}

/// Prints the lines that are there, without waiting for more.
fn print_ready(
    lines: &mut Option<mpsc::Receiver<LogLine>>,
    readers: Option<&Readers>,
    context: &mut Context,
) -> Result<()> {
    while let Some(line) = lines.as_mut().and_then(|lines| lines.try_recv().ok()) {
        print(&line, readers, context)?;
    }
    Ok(context.ui.flush()?)
}

/// What the Pods have to add once the Job has ended; the watch may not have told it yet.
async fn settle(state: &mut JobState, cluster: &Cluster, all: bool) -> Result<(), Error> {
    let Some(job) = state.job().cloned() else { return Ok(()) };
    let known: IndexSet = state.attempts().into_keys().collect();
    let unknown = !state.succeeded().difference(&known).is_empty();
    // Succeeded Pods matter only for their logs.
    let fields = if all && unknown { None } else { Some("status.phase!=Succeeded") };
    if fields.is_none() || state.outcome() == Some(Outcome::Failed) || all {
        for pod in cluster.pods(&job, fields).await? {
            state.apply(Event::Pod(Box::new(pod)));
        }
    }
    Ok(())
}

fn gone(state: &JobState, cluster: &Cluster) -> anyhow::Error {
    let name = state.job().and_then(|job| job.metadata.name.as_deref()).unwrap_or_default();
    let done = state.counts();
    let message = format!(
        "job {name:?} in namespace {:?} was deleted before it ended: {} of {} indexes had completed",
        cluster.namespace(),
        done.succeeded,
        done.total
    );
    Error::new(Kind::NotFound, message).into()
}

fn print(log: &LogLine, readers: Option<&Readers>, context: &mut Context) -> Result<()> {
    let style = context.ui.style();
    let prefix = readers.map_or(line::Prefix::None, |readers| readers.view.prefix);
    let start = line::prefix(prefix, log.index, &log.pod, &log.container, style);
    Ok(context.ui.data(line::line(&start, &log.bytes, style))?)
}

async fn next_line(lines: &mut Option<mpsc::Receiver<LogLine>>) -> Option<LogLine> {
    lines.as_mut()?.recv().await
}

async fn next_end(readers: &mut Option<Readers>) -> Option<(u32, Result<(), Error>)> {
    readers.as_mut()?.next_end().await
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Tells how a Job that has ended went, and gives the exit code for it.
pub(super) fn report(state: &JobState, items: &ItemTexts, context: &mut Context) -> Exit {
    let sentence = summary::sentence(state, context.now());
    if state.outcome() == Some(Outcome::Complete) {
        context.ui.status(&sentence);
        return Exit::Success;
    }
    let name = state.job().and_then(|job| job.metadata.name.clone()).unwrap_or_default();
    let cause = state.ending_condition().and_then(|condition| condition.message.clone());
    let error = Error::new(Kind::Failed, sentence);
    let error = if state.failed().is_empty() { error.caused_by(cause.unwrap_or_default()) } else { error };
    let error = error
        .hint(format!("{} prints what they wrote", context.again(&format!("logs {name} --index failed"))))
        .hint(format!("{} shows every index", context.again(&format!("describe {name}"))));
    let failures = summary::failures(state, items);
    context.ui.error_with(&error.into(), &failures);
    Exit::Failure
}
