//! The only loop that watches Jobs.
//!
//! A [`Tracker`] owns the watches, the state of each family, the messages about the connection, the signals and the
//! deadline, and handles the end or deletion of a Job. Every verb that watches a Job consumes its [`Step`]s. `list -w`
//! watches no single Job, and consumes [`watching::Watching`] directly.

pub(crate) mod family;
pub(crate) mod selection;
pub(crate) mod signals;
pub(crate) mod snapshot;
pub(crate) mod watching;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _, select_all};
use tokio::time::Instant;

use crate::cluster::watch::{Link, WatchNews};
use crate::cluster::{Cluster, PodFilter};
use crate::error::{Error, Kind};
use crate::index_set::IndexSet;
use crate::state::attempt::Attempt;
use crate::state::{Event, JobState};
use signals::Signals;
use watching::{Remark, Stop, Watching};

/// The time without a running Pod after which API events are requested: only they name a quota, a webhook or a volume.
const IDLE: Duration = Duration::from_secs(9);
/// The time after which they are requested again.
const REQUEST_AGAIN: Duration = Duration::from_secs(30);

/// The information about a Job that a verb needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interest {
    /// Its deletion only.
    Presence,
    /// Its outcome, and why it makes no progress. Succeeded Pods are not watched.
    Outcome,
    /// The outcome and the Job's API events, for a screen.
    Screen,
    /// Each index with its attempts, until the caller forgets them ([`JobState::forget`]).
    Indexes,
}

/// Why the tracking of a Job ended.
#[derive(Debug)]
pub(crate) enum TrackingEnd {
    /// The Job has ended. All its existing Pods are known, unless their request failed.
    Finished(Result<(), Error>),
    Deleted,
    Stopped(Stop),
}

/// The news since the last step. Empty if only time has passed.
#[derive(Debug, Default)]
pub(crate) struct Step {
    /// The position of the tracked Job.
    pub(crate) job: usize,
    /// The events, already applied to the state.
    pub(crate) events: Vec<Event>,
    pub(crate) changed: IndexSet,
    pub(crate) remark: Option<Remark>,
    /// Set once for each Job, and once for all Jobs on a signal or the deadline.
    pub(crate) ended: Option<TrackingEnd>,
}

impl Step {
    /// Whether only time has passed.
    pub(crate) fn is_tick(&self) -> bool {
        self.events.is_empty() && self.changed.is_empty() && self.ended.is_none()
    }
}

struct TrackedFamily {
    state: JobState,
    is_over: bool,
    /// The time since which no index runs or finishes.
    idle_since: Instant,
    /// The number of finished indexes at that time.
    finished: usize,
    events_requested: Option<Instant>,
    lost_members: usize,
}

type PendingQuery = BoxFuture<'static, (usize, QueryAnswer)>;

enum QueryAnswer {
    /// The last Pods of an ended Job.
    Settled(Result<Vec<Event>, Error>),
    Events(Result<Vec<Event>, Error>),
}

/// Watches one or more Jobs.
pub(crate) struct Tracker {
    cluster: Arc<Cluster>,
    interest: Interest,
    tracked: Vec<TrackedFamily>,
    pub(crate) watching: Watching<(usize, Event)>,
    pending: FuturesUnordered<PendingQuery>,
    steps: VecDeque<Step>,
}

impl Tracker {
    /// Starts to watch families without known Pods. Catches signals from now on.
    pub(crate) fn new(
        cluster: &Arc<Cluster>,
        states: Vec<JobState>,
        interest: Interest,
        signals: &Signals,
        deadline: Option<Instant>,
    ) -> Self {
        let link = Link::default();
        let mut watches = Vec::new();
        let open = |state: &JobState| interest == Interest::Presence || state.outcome().is_none();
        for (at, state) in states.iter().enumerate().filter(|(_, state)| open(state)) {
            for member in state.members() {
                let pods = match interest {
                    Interest::Presence => None,
                    Interest::Indexes => Some(PodFilter::default()),
                    Interest::Outcome | Interest::Screen if member.outcome().is_some() => continue,
                    Interest::Outcome | Interest::Screen => Some(PodFilter::UNSUCCESSFUL),
                };
                watches.push(cluster.watch(member.job(), pods, &link).map(move |notice| tagged(at, notice)).boxed());
                if interest == Interest::Screen {
                    let events = cluster.watch_events(member.job(), &link);
                    watches.push(events.map(move |notice| tagged(at, notice)).boxed());
                }
            }
        }
        let families = states.into_iter().map(|state| TrackedFamily {
            state: state.followed(interest == Interest::Indexes),
            is_over: false,
            idle_since: Instant::now(),
            finished: 0,
            events_requested: None,
            lost_members: 0,
        });
        let mut tracker = Self {
            cluster: Arc::clone(cluster),
            interest,
            tracked: families.collect(),
            watching: Watching::new(select_all(watches), signals, deadline),
            pending: FuturesUnordered::new(),
            steps: VecDeque::new(),
        };
        for job in 0..tracker.tracked.len() {
            let ended = tracker.detect_end(job);
            tracker.steps.extend(ended.map(|ended| Step { job, ended: Some(ended), ..Step::default() }));
        }
        tracker
    }

    pub(crate) fn state(&self, job: usize) -> &JobState {
        &self.tracked[job].state
    }

    /// Returns the state for a caller that marks logs as read.
    pub(crate) fn state_mut(&mut self, job: usize) -> &mut JobState {
        &mut self.tracked[job].state
    }

    pub(crate) fn into_state(mut self) -> JobState {
        self.tracked.swap_remove(0).state
    }

    /// Returns the time since which no index of a Job runs or finishes.
    pub(crate) fn idle(&self, job: usize) -> Duration {
        self.tracked[job].idle_since.elapsed()
    }

    /// Waits for the next step, at most 200 ms. Dropping the future loses nothing.
    ///
    /// # Errors
    /// If a watch ended with an error that a retry can't fix: no permission, credentials refused.
    pub(crate) async fn next(&mut self) -> Result<Step, Error> {
        loop {
            if let Some(step) = self.steps.pop_front() {
                return Ok(step);
            }
            tokio::select! {
                biased;
                Some((job, answer)) = self.pending.next() => self.apply_answer(job, answer),
                burst = self.watching.next() => {
                    let burst = burst?;
                    let ended = burst.stop.map(TrackingEnd::Stopped);
                    self.apply_burst(burst.seen);
                    if burst.remark.is_some() || ended.is_some() || self.steps.is_empty() {
                        self.check_progress();
                        self.steps.push_back(Step { remark: burst.remark, ended, ..Step::default() });
                    }
                }
            }
        }
    }

    /// Applies events, and adds a step for each run of events about the same family.
    fn apply_burst(&mut self, seen: Vec<(usize, Event)>) {
        let mut seen = seen.into_iter().peekable();
        while let Some((job, first)) = seen.next() {
            let mut events = vec![first];
            while let Some((_, event)) = seen.next_if(|(of, _)| *of == job) {
                events.push(event);
            }
            self.apply(job, events);
        }
    }

    fn apply(&mut self, job: usize, events: Vec<Event>) {
        let TrackedFamily { state, lost_members, .. } = &mut self.tracked[job];
        for event in &events {
            state.apply(event);
        }
        let changed = state.take_changed();
        let lost: Vec<_> = state.lost_members().skip(*lost_members).map(str::to_owned).collect();
        *lost_members += lost.len();
        let ended = self.detect_end(job);
        self.steps.push_back(Step { job, events, changed, ended, remark: None });
        let remarks = lost.into_iter().map(Remark::JobDeleted);
        self.steps.extend(remarks.map(|remark| Step { job, remark: Some(remark), ..Step::default() }));
    }

    /// Returns the end of a Job whose Pods are all known. Requests the missing Pods of other ended Jobs.
    ///
    /// A Job that ended before its deletion has ended: a burst may contain both.
    fn detect_end(&mut self, job: usize) -> Option<TrackingEnd> {
        let TrackedFamily { state, is_over, .. } = &mut self.tracked[job];
        let (deleted, ended) = match self.interest {
            Interest::Presence => (state.is_deleted(), false),
            _ => (state.is_cut_short(), state.outcome().is_some()),
        };
        if *is_over || !deleted && !ended {
            return None;
        }
        *is_over = true;
        if deleted {
            return Some(TrackingEnd::Deleted);
        }
        let unsettled = state.unsettled();
        if unsettled.is_empty() {
            return Some(TrackingEnd::Finished(Ok(())));
        }
        let settle = self.request_last_pods(job, unsettled);
        self.pending.push(Box::pin(async move { (job, QueryAnswer::Settled(settle.await)) }));
        None
    }

    /// Lists the Pods of these indexes, with retries: the server may be restarting.
    fn request_last_pods(
        &self,
        job: usize,
        indexes: IndexSet,
    ) -> impl Future<Output = Result<Vec<Event>, Error>> + use<> {
        let state = self.state(job);
        let (members, cluster) = (state.members().to_vec(), Arc::clone(&self.cluster));
        let succeeded = !indexes.intersection(&state.succeeded()).is_empty();
        async move { snapshot::last_pods(&members, &indexes, succeeded, &cluster).await }
    }

    /// Requests the last Pods of the failed indexes, for a caller that does not wait for the Job's end.
    pub(crate) async fn settle_failed_indexes(&mut self, job: usize) -> Result<(), Stop> {
        let state = self.state(job);
        let failed = state.failed().intersection(&state.unsettled());
        if !failed.is_empty() {
            let settle = self.request_last_pods(job, failed);
            // A failed request is ignored: the outcome is known.
            for event in self.watching.bounded(settle).await?.unwrap_or_default() {
                self.tracked[job].state.apply(event);
            }
        }
        Ok(())
    }

    fn apply_answer(&mut self, job: usize, answer: QueryAnswer) {
        match answer {
            QueryAnswer::Settled(answer) => {
                let (events, outcome) = answer.map_or_else(|error| (Vec::new(), Err(error)), |events| (events, Ok(())));
                self.apply(job, events);
                self.steps.push_back(Step { job, ended: Some(TrackingEnd::Finished(outcome)), ..Step::default() });
            }
            // Events are optional: the user may not have permission to read them.
            QueryAnswer::Events(events) => self.apply(job, events.unwrap_or_default()),
        }
    }

    /// Updates the progress of each Job. Requests the API events of an idle Job that has no running Pod, or whose Pods
    /// show no cause.
    fn check_progress(&mut self) {
        for (job, tracked) in self.tracked.iter_mut().enumerate().filter(|(_, tracked)| !tracked.is_over) {
            let TrackedFamily { state, idle_since, finished, events_requested, .. } = tracked;
            let counts = state.counts();
            if counts.running > 0 || counts.succeeded + counts.failed != *finished {
                *idle_since = Instant::now();
            }
            *finished = counts.succeeded + counts.failed;
            let is_early = events_requested.is_some_and(|time| time.elapsed() < REQUEST_AGAIN);
            let Some(idle_job) = state.job().filter(|_| !is_early && idle_since.elapsed() >= IDLE).cloned() else {
                continue;
            };
            let attempts = || state.attempts().into_values().flatten();
            let hides_cause = attempts().any(Attempt::hides_cause);
            // A screen watches the Job's events anyway.
            let needs_job_events = self.interest == Interest::Outcome || self.interest == Interest::Indexes;
            if hides_cause || needs_job_events && attempts().all(Attempt::is_finished) {
                *events_requested = Some(Instant::now());
                let cluster = Arc::clone(&self.cluster);
                self.pending.push(Box::pin(async move {
                    let events =
                        if hides_cause { cluster.pod_warnings().await } else { cluster.list_events(&idle_job).await };
                    (job, QueryAnswer::Events(events))
                }));
            }
        }
    }

    /// Returns the error about a Job that was deleted before it ended.
    pub(crate) fn deletion_error(&self, job: usize) -> Error {
        let state = self.state(job);
        let name = state.job().and_then(|job| job.metadata.name.as_deref()).unwrap_or_default();
        let done = state.counts();
        let message = format!(
            "job {name:?} in namespace {:?} was deleted before it ended: {} of {} indexes had completed",
            self.cluster.namespace(),
            done.succeeded,
            done.total
        );
        Error::new(Kind::NotFound, message)
    }
}

fn tagged(job: usize, notice: Result<WatchNews, Error>) -> Result<WatchNews<(usize, Event)>, Error> {
    notice.map(|notice| notice.map(|event| (job, event)))
}
