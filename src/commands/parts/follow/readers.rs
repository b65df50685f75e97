//! The logs of a Job that is followed: which are read, and which are done.

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

/// How many batches of lines are held before the readers must wait: of all logs together, or of each that has a lane.
const HELD: usize = 16;
const HELD_OF_ONE: usize = 2;

struct Reading {
    uid: String,
    container: String,
    /// Tells the reader that the log has ended.
    ended: CancellationToken,
    done: bool,
}

pub(crate) struct Ended {
    uid: String,
    source: Arc<LogSource>,
    result: Result<LogEnd, Lost>,
    /// The file that the log was written to as well.
    copy: Option<LogCopy>,
}

/// The logs that are being read.
///
/// Each change of the state is looked at once, and nothing is kept of an index that succeeded and was read, so that
/// the work and the memory for a Job do not grow with its number of indexes faster than the Job itself.
pub(crate) struct Readers<'a> {
    pub(crate) view: LogView,
    /// Where lines wait that are not printed as they come.
    pub(crate) lanes: Lanes,
    missing: Missing,
    keeper: Option<&'a mut Keeper>,
    cluster: Arc<Cluster>,
    sender: mpsc::Sender<LogBatch>,
    pub(crate) tasks: JoinSet<Result<Ended>>,
    taken: HashMap<u32, Vec<Reading>>,
    /// Indexes that were wanted when last asked, and those of which any log was begun.
    wanted: IndexSet,
    begun: IndexSet,
    /// Indexes of which no more is to come, where an index waits for all lower ones.
    passed: IndexSet,
}

impl<'a> Readers<'a> {
    /// Where lines are printed as they come, they come from the receiver.
    pub(crate) fn new(
        view: LogView,
        keeper: Option<&'a mut Keeper>,
        cluster: &Arc<Cluster>,
    ) -> (Self, mpsc::Receiver<LogBatch>) {
        let (sender, receiver) = mpsc::channel(HELD);
        let readers = Self {
            lanes: Lanes::default(),
            missing: Missing::new(view.cut.clone()),
            view,
            keeper,
            cluster: Arc::clone(cluster),
            sender,
            tasks: JoinSet::new(),
            taken: HashMap::new(),
            wanted: IndexSet::new(),
            begun: IndexSet::new(),
            passed: IndexSet::new(),
        };
        (readers, receiver)
    }

    /// Begins to read what has started among the indexes that changed, and drops what is done.
    pub(crate) fn start(&mut self, state: &mut JobState, changed: &IndexSet) -> Result<()> {
        if changed.is_empty() {
            return Ok(());
        }
        let wanted = (self.view.wanted)(state);
        let newly = wanted.difference(&self.wanted).intersection(&state.attempted());
        for index in changed.union(&newly).iter() {
            if wanted.contains(index) {
                self.look_at(index, state)?;
            }
            self.let_go(index, &wanted, state)?;
        }
        self.wanted = wanted;
        Ok(())
    }

    /// Ends the printing, and returns which logs are missing now that no more is going to come.
    pub(crate) async fn finish(mut self, state: &JobState, context: &mut Context) -> Result<Missing> {
        self.view.printer.end(&mut context.ui)?;
        self.view.cut.save(state, &self.cluster, context).await;
        for index in self.wanted.difference(&self.begun).iter() {
            self.missing.add_unstarted(index, &self.view.pick, state);
        }
        Ok(self.missing)
    }

    /// Prints what waits in lanes and may be printed now.
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
            // An index that was forgotten was read to its end.
            let awaited = state.has_succeeded(index) && !state.forgotten().contains(index) && state.outcome().is_none();
            let being_read = self.reading(index).any(|reading| !reading.done);
            if !finished || awaited || being_read || !is_printed {
                return Ok(());
            }
            self.passed.insert(index);
        }
        Ok(())
    }

    fn reading(&self, index: u32) -> impl Iterator<Item = &Reading> {
        self.taken.get(&index).into_iter().flatten()
    }

    fn reading_of(&self, attempt: &Attempt, source: &LogSource) -> Option<&Reading> {
        self.reading(attempt.index).find(|reading| reading.uid == attempt.uid && reading.container == source.container)
    }

    fn look_at(&mut self, index: u32, state: &JobState) -> Result<()> {
        for picked in self.view.pick.of(index, state) {
            if self.reading_of(picked.attempt, &picked.source).is_none() {
                self.read(&picked)?;
            }
            if picked.ended
                && let Some(reading) = self.reading_of(picked.attempt, &picked.source)
            {
                reading.ended.cancel();
            }
        }
        Ok(())
    }

    /// Forgets an index that succeeded once its logs are read. One that nobody wants then, nobody will want later.
    fn let_go(&mut self, index: u32, wanted: &IndexSet, state: &mut JobState) -> Result<()> {
        if let Some(keeper) = &mut self.keeper {
            keeper.keep(index, state)?;
        }
        if !state.has_succeeded(index) {
            return Ok(());
        }
        let is_read =
            |picked: &Picked<'_>| self.reading_of(picked.attempt, &picked.source).is_some_and(|reading| reading.done);
        let done = if wanted.contains(index) {
            // Only with the attempt that succeeded are all known: the Job may be ahead of its Pods.
            state.attempts_of(index).any(|attempt| attempt.phase == Phase::Succeeded)
                && self.view.pick.of(index, state).iter().all(is_read)
        } else {
            self.reading(index).for_each(|reading| reading.ended.cancel());
            self.reading(index).all(|reading| reading.done)
        };
        if done {
            self.taken.remove(&index);
            state.forget(index);
        }
        Ok(())
    }

    fn read(&mut self, picked: &Picked<'_>) -> Result<()> {
        let Picked { key, source, attempt, .. } = picked;
        let (uid, ended) = (attempt.uid.clone(), CancellationToken::new());
        let container = source.container.clone();
        let copy = self.keeper.as_ref().map(|keeper| keeper.create_copy(source)).transpose()?;
        let reading = Reading { uid: uid.clone(), container, ended: ended.clone(), done: false };
        self.taken.entry(source.index).or_default().push(reading);
        self.begun.insert(source.index);
        let (cluster, streams, source) =
            (Arc::clone(&self.cluster), Arc::clone(&self.view.streams), Arc::clone(source));
        let options = LogOptions { follow: true, ..self.view.options };
        let (output, lane) = if self.view.order == LineOrder::AsTheyCome {
            (self.sender.clone(), None)
        } else {
            self.lanes.open(*key, attempt.created);
            let (sender, receiver) = mpsc::channel(HELD_OF_ONE);
            let (lanes, key) = (self.lanes.clone(), *key);
            (sender, Some(async move { lanes.fill(key, receiver).await }))
        };
        self.tasks.spawn(async move {
            let log = Arc::clone(&source);
            // The lane is full once this has dropped `output`.
            let read = async move {
                let Some(copy) = copy else {
                    return Ok((cluster.read_log(&log, options, &streams, &ended, &output).await, None));
                };
                let (sender, receiver) = mpsc::channel(HELD_OF_ONE);
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
            Ok(Ended { uid, source, result, copy })
        });
        Ok(())
    }

    /// Notes that a log was read, or why not.
    pub(crate) fn end(&mut self, ended: Ended, state: &mut JobState, context: &mut Context) -> Result<()> {
        let Ended { uid, source, result, copy } = ended;
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
        let readings = self.taken.get_mut(&index).into_iter().flatten();
        let of_this = |reading: &&mut Reading| reading.uid == uid && reading.container == source.container;
        readings.filter(of_this).for_each(|reading| reading.done = true);
        if self.reading(index).filter(|reading| reading.uid == uid).all(|reading| reading.done) {
            state.mark_read(index, &uid);
        }
        let wanted = std::mem::take(&mut self.wanted);
        let kept = self.let_go(index, &wanted, state);
        self.wanted = wanted;
        kept
    }
}
