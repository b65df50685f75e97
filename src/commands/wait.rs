//! `wait`: until Jobs have completed or failed, or some of their indexes have.

use std::collections::HashSet;
use std::sync::Arc;

use anyhow::Result;
use futures::StreamExt as _;
use futures::stream::select_all;
use k8s_openapi::api::batch::v1::Job;
use tokio::time::{Instant, interval};

use super::follow::teller::{ConnectionTeller, JobTeller};
use super::{Context, family, find, follow};
use crate::args::{WaitArgs, WaitFor};
use crate::cluster::Cluster;
use crate::cluster::watch::{Link, Pods};
use crate::error::{Error, Exit, Kind};
use crate::spec::duration;
use crate::state::{JobState, Outcome};
use crate::view::{numbered, progress, summary};

pub(super) async fn wait(args: WaitArgs, context: &mut Context) -> Result<Exit> {
    let WaitArgs { jobs, goal, only_this, timeout, quiet } = args;
    let limit = duration::parse(&timeout).map_err(|problem| {
        Error::usage(format!("--timeout {timeout:?}: {problem}")).hint("write it as 90s, 10m or 2h")
    })?;
    let names = jobs.iter().map(|text| find::job_name(text)).collect::<Result<Vec<_>, _>>()?;
    context.ui.set_quiet(quiet);
    // From the start, so that a server that never answers is not waited for longer either.
    let time = Time { deadline: limit.map(|limit| Instant::now() + limit), given: timeout };

    let (cluster, jobs) = match Box::pin(time.hold(found(&names, only_this, context))).await {
        Some(found) => found?,
        None => return Err(time.over("an answer of the server").into()),
    };
    let mut waiting =
        jobs.into_iter().map(|job| Waiting::new(job, goal.as_ref(), context)).collect::<Result<Vec<_>, _>>()?;
    let end = until_all_end(&mut waiting, goal.as_ref(), &cluster, &time, context).await;
    context.ui.end_live();
    match end? {
        End::All => {
            let met = waiting.iter().all(|waiting| waiting.exit == Some(Exit::Success));
            Ok(if met { Exit::Success } else { Exit::Failure })
        }
        End::Interrupted => {
            let open: Vec<_> = waiting.iter().filter(|waiting| waiting.exit.is_none()).map(Waiting::name).collect();
            let (noun, verb) = if open.len() == 1 { ("job", "goes") } else { ("jobs", "go") };
            let names = open.join(" ");
            Err(Error::new(Kind::Interrupted, format!("interrupted; {noun} {} {verb} on", open.join(", ")))
                .hint(context.again(&format!("wait {names}")))
                .into())
        }
        End::TimedOut => {
            let open: Vec<_> = waiting.iter().filter(|waiting| waiting.exit.is_none()).collect();
            let sentences: Vec<_> = open.iter().map(|open| summary::sentence(&open.state, context.now())).collect();
            let hints = open.iter().map(|open| context.again(&format!("describe {}", open.name())));
            let error = time.over(&sentences.join("; "));
            Err(hints.fold(error, |error, hint| error.hint(format!("{hint} shows why"))).into())
        }
    }
}

/// How long may be waited.
struct Time {
    deadline: Option<Instant>,
    given: String,
}

impl Time {
    /// What comes of something, or None when the time is over first.
    async fn hold<T>(&self, what: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            outcome = what => Some(outcome),
            () = follow::until(self.deadline) => None,
        }
    }

    fn over(&self, what: &str) -> Error {
        Error::new(Kind::TimedOut, format!("timed out after {} waiting for {what}", self.given))
    }
}

/// The Jobs that are named, each once.
async fn found(names: &[String], only_this: bool, context: &mut Context) -> Result<(Arc<Cluster>, Vec<JobState>)> {
    let cluster = Arc::new(context.cluster().await?);
    if names.is_empty() {
        let job = find::job(None, &cluster, context).await?;
        let state = family::load(job, only_this, &cluster).await?;
        return Ok((cluster, vec![state]));
    }
    let (mut jobs, mut seen) = (Vec::new(), HashSet::new());
    for name in names.iter().filter(|name| seen.insert(name.as_str())) {
        let job = find::job(Some(name), &cluster, context).await?;
        jobs.push(family::load(job, only_this, &cluster).await?);
    }
    Ok((cluster, jobs))
}

/// A Job that is waited for.
struct Waiting {
    state: JobState,
    teller: JobTeller,
    /// How it ended, once it has.
    exit: Option<Exit>,
}

impl Waiting {
    /// # Errors
    /// If indexes are waited for that the Job does not have.
    fn new(state: JobState, goal: Option<&WaitFor>, context: &Context) -> Result<Self, Error> {
        let state = state.followed(false);
        if let Some(WaitFor::Indexes(indexes)) = goal {
            find::check(indexes, &state)?;
        }
        let teller = JobTeller::new(&state, context.now());
        Ok(Self { state, teller, exit: None })
    }

    fn name(&self) -> &str {
        self.state.job().and_then(|job| job.metadata.name.as_deref()).unwrap_or_default()
    }

    /// Whether there is nothing more to wait for.
    fn has_ended(&self, goal: Option<&WaitFor>) -> bool {
        if self.state.outcome().is_some() {
            return true;
        }
        match goal {
            Some(WaitFor::Indexes(indexes)) => {
                indexes.difference(&self.state.succeeded()).is_empty()
                    || !indexes.intersection(&self.state.failed()).is_empty()
            }
            _ => false,
        }
    }

    /// Tells how it ended.
    async fn report(&mut self, goal: Option<&WaitFor>, cluster: &Cluster, time: &Time, context: &mut Context) {
        let name = self.name().to_owned();
        // What can't be had in time is left out: the outcome is known.
        let mut items = summary::ItemTexts::new();
        if self.state.outcome() != Some(Outcome::Complete) || !self.state.failed().is_empty() {
            let more = async {
                let _ = follow::settle_failed(&mut self.state, cluster).await;
                find::items_of(&self.state.failed(), self.state.items_job().unwrap_or(&Job::default()), cluster).await
            };
            items = Box::pin(follow::unless_interrupted(time.hold(more))).await.flatten().unwrap_or_default();
        }
        let (state, now) = (&self.state, context.now());
        let exit = match (goal, state.outcome()) {
            (None | Some(WaitFor::Complete), _) => follow::report(state, &items, context),
            (Some(WaitFor::Failed), Some(Outcome::Complete)) => {
                let error = Error::new(Kind::Failed, format!("{}, and did not fail", summary::sentence(state, now)));
                context.ui.error(&error.into());
                Exit::Failure
            }
            (Some(WaitFor::Failed), _) => {
                context.ui.status(&summary::sentence(state, now));
                Exit::Success
            }
            (Some(WaitFor::Indexes(indexes)), _) => {
                let missing = indexes.difference(&state.succeeded());
                let failed = indexes.intersection(&state.failed());
                if missing.is_empty() {
                    context.ui.status(&format!("{} of job {name} completed", numbered(indexes)));
                    Exit::Success
                } else {
                    let message = if failed.is_empty() {
                        format!("{}, without {}", summary::sentence(state, now), numbered(&missing))
                    } else {
                        format!("{} of job {name} failed", numbered(&failed))
                    };
                    let error = Error::new(Kind::Failed, message)
                        .hint(format!("{} shows every index", context.again(&format!("describe {name}"))));
                    context.ui.error_with(&error.into(), &summary::failures_among(state, &items, &failed));
                    Exit::Failure
                }
            }
        };
        self.exit = Some(exit);
    }
}

/// How waiting ended.
enum End {
    All,
    Interrupted,
    TimedOut,
}

async fn until_all_end(
    waiting: &mut [Waiting],
    goal: Option<&WaitFor>,
    cluster: &Arc<Cluster>,
    time: &Time,
    context: &mut Context,
) -> Result<End> {
    let link = Link::default();
    let open = waiting.iter().enumerate().filter(|(_, waiting)| !waiting.has_ended(goal));
    let going = open.flat_map(|(at, waiting)| waiting.state.members().iter().map(move |member| (at, member)));
    let watches = going.filter(|(_, member)| member.outcome().is_none()).map(|(at, member)| {
        cluster.watch(member.job(), Pods::Unsucceeded, &link).map(move |notice| (at, notice)).boxed()
    });
    let mut notices = select_all(watches.collect::<Vec<_>>());
    let mut connection = ConnectionTeller::default();
    let mut tick = interval(follow::TICK);
    let interrupt = tokio::signal::ctrl_c();
    tokio::pin!(interrupt);
    loop {
        for open in waiting.iter_mut().filter(|waiting| waiting.exit.is_none()) {
            if open.has_ended(goal) {
                open.report(goal, cluster, time, context).await;
            }
        }
        if waiting.iter().all(|waiting| waiting.exit.is_some()) {
            return Ok(End::All);
        }
        context.ui.begin_live();
        tokio::select! {
            biased;
            _ = &mut interrupt => return Ok(End::Interrupted),
            () = follow::until(time.deadline) => return Ok(End::TimedOut),
            Some((at, notice)) = notices.next() => {
                let one = &mut waiting[at];
                follow::take_in(Some(notice), &mut one.state, &mut connection, context)?;
                if one.state.is_gone() && one.exit.is_none() {
                    context.ui.error(&follow::gone(&one.state, cluster).into());
                    one.exit = Some(Exit::Failure);
                }
            }
            _ = tick.tick() => {
                connection.tick(context);
                show(waiting, cluster, context);
            }
        }
    }
}

/// Shows how far the Jobs are that are waited for.
fn show(waiting: &mut [Waiting], cluster: &Arc<Cluster>, context: &mut Context) {
    let ended = waiting.iter().filter(|waiting| waiting.exit.is_some()).count();
    let all = waiting.len();
    for open in waiting.iter_mut().filter(|waiting| waiting.exit.is_none()) {
        open.teller.tick(&mut open.state, cluster, context);
    }
    if let [only] = waiting {
        only.teller.show_progress(&only.state, "", context);
        return;
    }
    let mut open = waiting.iter_mut().filter(|waiting| waiting.exit.is_none());
    if !context.ui.is_live() {
        for open in open {
            let start = format!("job {}: ", open.name());
            open.teller.show_progress(&open.state, &start, context);
        }
    } else if let Some(first) = open.next() {
        let line = progress::line(&first.state, &first.teller.pace, context.now());
        context.ui.set_live(ended, all, format!("{ended}/{all} jobs ended; {}: {line}", first.name()));
    }
}
