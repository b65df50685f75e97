//! `watch`: a live screen of a Job, until it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use futures::{StreamExt as _, stream};
use k8s_openapi::api::batch::v1::Job;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::follow::teller::{ConnectionTeller, JobTeller};
use super::{Context, find, follow, indexes, wait};
use crate::args::{IndexesArgs, WaitArgs, WatchArgs};
use crate::cluster::Cluster;
use crate::cluster::watch::{Link, Pods};
use crate::error::{Error, Exit};
use crate::state::JobState;
use crate::ui::screen::{Input, Screen};
use crate::view::summary::ItemTexts;
use crate::view::watch::{Picture, screen};

/// How often the screen is drawn when nothing happens: ages grow by seconds.
const SECOND: Duration = Duration::from_secs(1);
/// The least time from one drawing to the next when much happens.
const FRAME: Duration = Duration::from_millis(100);
/// How long one look for a key takes, after which the looker sees whether it is still needed.
const LOOK: Duration = Duration::from_millis(200);

pub(super) async fn watch(args: WatchArgs, context: &mut Context) -> Result<Exit> {
    let WatchArgs { job } = args;
    let named = job.as_deref().map(find::job_name).transpose()?;
    if context.ui.is_plain() {
        return in_lines(job.as_deref(), context).await;
    }
    if !context.ui.style().terminal {
        let name = named.map(|name| format!(" {name}")).unwrap_or_default();
        return Err(Error::usage("watch draws a live screen, and stdout is no terminal")
            .hint(format!("{} tells how far it is, line by line", context.again(&format!("wait{name}"))))
            .hint(format!("{} prints each change of an index", context.again(&format!("indexes{name} -w"))))
            .into());
    }
    let (cluster, job) = find::here(job.as_deref(), context).await?;
    let name = job.metadata.name.clone().unwrap_or_default();
    let items = find::items(&job, &cluster).await;

    let (end, mut state) = show(job, &items, &cluster, context).await?;
    match end {
        End::Finished => {
            // What can't be had any more is left out: the outcome is known.
            let _ = follow::unless_interrupted(Box::pin(follow::settle_failed(&mut state, &cluster))).await;
            Ok(follow::report(&state, &items, context))
        }
        End::Left(exit) => {
            context.ui.status(&format!("job {name} goes on"));
            context.ui.hint(&format!("{} comes back", context.again(&format!("watch {name}"))));
            Ok(exit)
        }
    }
}

/// Prints a row for each change of an index, then how the Job ended: for those whom a screen tells nothing.
async fn in_lines(named: Option<&str>, context: &mut Context) -> Result<Exit> {
    let (_, job) = find::here(named, context).await?;
    let name = job.metadata.name.unwrap_or_default();
    Box::pin(indexes::indexes(IndexesArgs::changes(&name), context)).await?;
    context.ui.flush()?;
    Box::pin(wait::wait(WaitArgs::end(&name), context)).await
}

/// How watching ended.
enum End {
    Finished,
    Left(Exit),
}

async fn show(job: Job, items: &ItemTexts, cluster: &Arc<Cluster>, context: &mut Context) -> Result<(End, JobState)> {
    let link = Link::default();
    let watches = [cluster.watch(&job, Pods::Unsucceeded, &link), cluster.watch_happenings(&job, &link)];
    let mut notices = stream::select_all(watches);
    let mut state = JobState::new(job).followed(false);
    if state.outcome().is_some() {
        return Ok((End::Finished, state));
    }
    let mut teller = JobTeller::new(&state, context.now());
    let mut connection = ConnectionTeller::default();
    let style = context.ui.style();
    let mut terminal = Screen::enter().context("taking the terminal")?;
    let mut keys = Keys::new();
    let mut tick = interval(SECOND);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ended = terminated();
    tokio::pin!(ended);
    let mut drawn = Instant::now();
    let mut redraw = true;
    loop {
        if redraw && (drawn.elapsed() >= FRAME) {
            teller.look(&state, context.now());
            let trouble = connection.trouble().or_else(|| teller.plight(&state));
            let picture = Picture {
                state: &state,
                items,
                namespace: cluster.namespace(),
                pace: &teller.pace,
                trouble: trouble.as_deref(),
                now: context.now(),
            };
            terminal.draw(&screen(&picture, Screen::size()), style)?;
            (drawn, redraw) = (Instant::now(), false);
        }
        tokio::select! {
            notice = notices.next() => {
                follow::take_all_in(notice, &mut notices, &mut state, &mut connection, cluster, context)?;
                if state.outcome().is_some() {
                    return Ok((End::Finished, state));
                }
                redraw = true;
            }
            Some(input) = keys.received.recv() => match input {
                Input::Quit => return Ok((End::Left(Exit::Success), state)),
                Input::Interrupt => return Ok((End::Left(Exit::Interrupted), state)),
                Input::Resized => redraw = true,
            },
            () = &mut ended => return Ok((End::Left(Exit::Interrupted), state)),
            _ = tick.tick() => redraw = true,
            () = tokio::time::sleep(FRAME), if redraw => {}
        }
    }
}

/// Ends when somebody asks the program to end by a signal; keys are no signals while the terminal is ours.
async fn terminated() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut terminate), Ok(mut interrupt), Ok(mut hangup)) =
            (signal(SignalKind::terminate()), signal(SignalKind::interrupt()), signal(SignalKind::hangup()))
        {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                _ = hangup.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

/// Keys, which only a thread that blocks can wait for.
struct Keys {
    received: mpsc::Receiver<Input>,
    enough: Arc<AtomicBool>,
}

impl Keys {
    fn new() -> Self {
        let (sender, received) = mpsc::channel(16);
        let enough = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&enough);
        std::thread::spawn(move || {
            // Without a terminal to read from, the screen is shown all the same, and a signal ends it.
            while let Ok(input) = Screen::input(LOOK) {
                if stop.load(Ordering::SeqCst) || input.is_some_and(|input| sender.blocking_send(input).is_err()) {
                    return;
                }
            }
        });
        Self { received, enough }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.enough.store(true, Ordering::SeqCst);
    }
}
