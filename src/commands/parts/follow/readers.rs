//! Reads the logs of a followed Job, and tracks which are done.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use futures::future::OptionFuture;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::lanes::Lanes;
use super::missing::{Missing, note_end};
use super::pick::Picked;
use super::{LineOrder, LogView};
use crate::cluster::Cluster;
use crate::cluster::logs::{LogBatch, LogEnd, LogOptions, LogSource, Lost};
use crate::commands::Context;
use crate::commands::outputs::keep::{Keeper, LogCopy};
use crate::index_set::IndexSet;
use crate::state::JobState;
use crate::state::attempt::{Attempt, Phase};

/// How many batches may wait before the readers pause: of all logs together, or per lane.
const WAITING_BATCHES: usize = 16;
const WAITING_PER_LANE: usize = 2;

struct OngoingRead {
    uid: String,
    container: String,
    /// Signals the reader that the container has ended.
    ended: CancellationToken,
    done: bool,
}

pub(crate) struct EndedRead {
    uid: String,
    source: Arc<LogSource>,
    result: Result<LogEnd, Lost>,
    /// The file that the log was written to as well.
    copy: Option<LogCopy>,
}

/// The logs that are being read.
///
/// Each change of the state is handled once, and an index that succeeded and was read is forgotten. So work and memory stay
/// proportional to the size of the Job.
pub(crate) struct Readers<'a> {
    pub(crate) view: LogView,
    /// Where lines wait for their turn, unless they are printed as they come.
    pub(crate) lanes: Lanes,
    missing: Missing,
    keeper: Option<&'a mut Keeper>,
    cluster: Arc<Cluster>,
    sender: mpsc::Sender<LogBatch>,
    pub(crate) tasks: JoinSet<Result<EndedRead>>,
    reads: HashMap<u32, Vec<OngoingRead>>,
    /// The wanted indexes at the last change, and those with a log that was begun.
    wanted: IndexSet,
    begun: IndexSet,
    /// In index order: the indexes that are printed completely.
    passed: IndexSet,
}

impl<'a> Readers<'a> {
    /// The receiver yields the lines that are printed as they come.
    pub(crate) fn new(
        view: LogView,
        keeper: Option<&'a mut Keeper>,
        cluster: &Arc<Cluster>,
    ) -> (Self, mpsc::Receiver<LogBatch>) {
        let (sender, receiver) = mpsc::channel(WAITING_BATCHES);
        let readers = Self {
            lanes: Lanes::default(),
            missing: Missing::new(view.cut.clone()),
            view,
            keeper,
            cluster: Arc::clone(cluster),
            sender,
            tasks: JoinSet::new(),
            reads: HashMap::new(),
            wanted: IndexSet::new(),
            begun: IndexSet::new(),
            passed: IndexSet::new(),
        };
        (readers, receiver)
    }

    /// Starts to read the logs of changed indexes, and forgets indexes that are done.
    pub(crate) fn start_readers(&mut self, state: &mut JobState, changed: &IndexSet) -> Result<()> {
        if changed.is_empty() {
            return Ok(());
        }
        let wanted = (self.view.wanted)(state);
        let newly = wanted.difference(&self.wanted).intersection(&state.attempted());
        for index in changed.union(&newly).iter() {
            if wanted.contains(index) {
                self.update_index(index, state)?;
            }
            self.forget_if_done(index, &wanted, state)?;
        }
        self.wanted = wanted;
        Ok(())
    }

    /// Ends the printing after the last log, and returns the missing logs.
    pub(crate) async fn finish(mut self, state: &JobState, context: &mut Context) -> Result<Missing> {
        self.view.printer.print_closing(&mut context.ui)?;
        self.view.cut.save(state, &self.cluster, context).await;
        for index in self.wanted.difference(&self.begun).iter() {
            self.missing.add_unstarted(index, &self.view.pick, state);
        }
        Ok(self.missing)
    }

    /// Prints the lines in lanes whose turn it is.
    pub(crate) fn print_lanes(&mut self, state: &mut JobState, context: &mut Context) -> Result<()> {
        match self.view.order {
            LineOrder::AsTheyCome => return Ok(()),
            LineOrder::ByTime => {
                let turn = Some(self.view.streams.longest_wait());
                self.lanes.print_by_time(turn, &mut self.view.printer, &mut context.ui)?;
            }
            LineOrder::ByIndex => self.print_in_order(state, context)?,
        }
        Ok(context.ui.flush()?)
    }

    fn print_in_order(&mut self, state: &JobState, context: &mut Context) -> Result<()> {
        for index in self.wanted.difference(&self.passed).iter() {
            let is_printed = self.lanes.print_index(index, &mut self.view.printer, &mut context.ui)?;
            let finished = state.outcome().is_some() || state.has_succeeded(index) || state.has_failed(index);
            // A forgotten index was read to its end.
            let awaited = state.has_succeeded(index) && !state.forgotten().contains(index) && state.outcome().is_none();
            let being_read = self.reads_of(index).any(|reading| !reading.done);
            if !finished || awaited || being_read || !is_printed {
                return Ok(());
            }
            self.passed.insert(index);
        }
        Ok(())
    }

    fn reads_of(&self, index: u32) -> impl Iterator<Item = &OngoingRead> {
        self.reads.get(&index).into_iter().flatten()
    }

    fn find_read(&self, attempt: &Attempt, source: &LogSource) -> Option<&OngoingRead> {
        self.reads_of(attempt.index).find(|reading| reading.uid == attempt.uid && reading.container == source.container)
    }

    fn update_index(&mut self, index: u32, state: &JobState) -> Result<()> {
        for picked in self.view.pick.of(index, state) {
            if self.find_read(picked.attempt, &picked.source).is_none() {
                self.spawn_reader(&picked)?;
            }
            if picked.ended
                && let Some(reading) = self.find_read(picked.attempt, &picked.source)
            {
                reading.ended.cancel();
            }
        }
        Ok(())
    }

    /// Forgets a succeeded index once its logs are read. An unwanted index stays unwanted.
    fn forget_if_done(&mut self, index: u32, wanted: &IndexSet, state: &mut JobState) -> Result<()> {
        if let Some(keeper) = &mut self.keeper {
            keeper.keep(index, state)?;
        }
        if !state.has_succeeded(index) {
            return Ok(());
        }
        let is_read =
            |picked: &Picked<'_>| self.find_read(picked.attempt, &picked.source).is_some_and(|reading| reading.done);
        let done = if wanted.contains(index) {
            // The status of the Job may be ahead of its Pods: all attempts are known only with the one that succeeded.
            state.attempts_of(index).any(|attempt| attempt.phase == Phase::Succeeded)
                && self.view.pick.of(index, state).iter().all(is_read)
        } else {
            self.reads_of(index).for_each(|reading| reading.ended.cancel());
            self.reads_of(index).all(|reading| reading.done)
        };
        if done {
            self.reads.remove(&index);
            state.forget(index);
        }
        Ok(())
    }

    fn spawn_reader(&mut self, picked: &Picked<'_>) -> Result<()> {
        let Picked { key, source, attempt, .. } = picked;
        let (uid, ended) = (attempt.uid.clone(), CancellationToken::new());
        let container = source.container.clone();
        let copy = self.keeper.as_ref().map(|keeper| keeper.create_copy(source)).transpose()?;
        let read = OngoingRead { uid: uid.clone(), container, ended: ended.clone(), done: false };
        self.reads.entry(source.index).or_default().push(read);
        self.begun.insert(source.index);
        let (cluster, streams, source) =
            (Arc::clone(&self.cluster), Arc::clone(&self.view.streams), Arc::clone(source));
        let options = LogOptions { follow: true, ..self.view.options };
        let (output, lane) = if self.view.order == LineOrder::AsTheyCome {
            (self.sender.clone(), None)
        } else {
            self.lanes.open(*key, attempt.created);
            let (sender, receiver) = mpsc::channel(WAITING_PER_LANE);
            let (lanes, key) = (self.lanes.clone(), *key);
            (sender, Some(async move { lanes.fill(key, receiver).await }))
        };
        self.tasks.spawn(async move {
            let log = Arc::clone(&source);
            // The lane ends when this drops `output`.
            let read = async move {
                let Some(copy) = copy else {
                    return Ok((cluster.read_log(&log, options, &streams, &ended, &output).await, None));
                };
                let (sender, receiver) = mpsc::channel(WAITING_PER_LANE);
                let read = async {
                    let result = cluster.read_log(&log, options, &streams, &ended, &sender).await;
                    drop(sender);
                    result
                };
                let (result, copy) = tokio::join!(read, copy.write(receiver, &output));
                anyhow::Ok((result, Some(copy?)))
            };
            let (read, filled) = tokio::join!(read, OptionFuture::from(lane));
            filled.transpose().context("keeping lines until it is their turn")?;
            let (result, copy) = read?;
            Ok(EndedRead { uid, source, result, copy })
        });
        Ok(())
    }

    /// Notes the end of a log, or why it could not be read.
    pub(crate) fn finish_reader(
        &mut self,
        ended: EndedRead,
        state: &mut JobState,
        context: &mut Context,
    ) -> Result<()> {
        let EndedRead { uid, source, result, copy } = ended;
        let index = source.index;
        let picked = self.view.pick.of(index, state);
        let picked =
            picked.iter().find(|picked| picked.attempt.uid == uid && picked.source.container == source.container);
        if let Some(said) = note_end(&source, picked, &result, &mut self.view.printer, &mut self.missing, context)? {
            context.ui.warning(&said);
        }
        self.view.cut.add_if_cut(&source, &result);
        if let (Some(keeper), Some(copy)) = (&mut self.keeper, copy) {
            keeper.add(&source, copy, &result)?;
        }
        let readings = self.reads.get_mut(&index).into_iter().flatten();
        let of_this = |reading: &&mut OngoingRead| reading.uid == uid && reading.container == source.container;
        readings.filter(of_this).for_each(|reading| reading.done = true);
        if self.reads_of(index).filter(|reading| reading.uid == uid).all(|reading| reading.done) {
            state.mark_read(index, &uid);
        }
        let wanted = std::mem::take(&mut self.wanted);
        let kept = self.forget_if_done(index, &wanted, state);
        self.wanted = wanted;
        kept
    }
}
