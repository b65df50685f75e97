//! `watch`: draws a live screen of a Job until it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::follow::report::{self, plight, reconnecting};
use super::{Context, find, indexes, wait};
use crate::args::{IndexesArgs, WaitArgs, WatchArgs};
use crate::cluster::Cluster;
use crate::error::{Error, Exit, Hint};
use crate::state::{ItemTexts, JobState};
use crate::tracker::{Interest, Tracker, TrackingEnd};
use crate::ui::screen::{Screen, ScreenInput};
use crate::view::progress::Pace;
use crate::view::watch::{Picture, screen};

/// Time between two drawings when nothing changes: ages are in seconds.
const IDLE_REDRAW: Duration = Duration::from_secs(1);
/// Shortest time between two drawings.
const SHORTEST_REDRAW: Duration = Duration::from_millis(100);
/// How long one wait for a key takes. After it, the thread checks whether it should stop.
const KEY_POLL: Duration = Duration::from_millis(200);

pub(super) async fn watch(args: WatchArgs, context: &mut Context) -> Result<Exit> {
    let WatchArgs { job } = args;
    let named = job.as_deref().map(find::job_name).transpose()?;
    if context.ui.style.plain {
        return print_lines(job.as_deref(), context).await;
    }
    if !context.ui.style.terminal {
        let name = Vec::from_iter(named.as_deref());
        return Err(Error::usage("watch needs a terminal, and stdout is none")
            .hint(Hint::indexed(&[&["wait"], &name[..]].concat(), "prints progress line by line"))
            .hint(Hint::indexed(&[&["indexes", "-w"], &name[..]].concat(), "prints each change of an index"))
            .into());
    }
    let (cluster, job) = find::connect_and_find_job(job.as_deref(), context).await?;
    let name = job.metadata.name.clone().unwrap_or_default();
    let state = JobState::new(job);
    let items = find::items_or_warning(find::load_items(&state, &cluster).await, context)?;
    match draw_until_end(state, &items, &cluster, context).await? {
        ScreenEnd::Finished(state) => Ok(report::report_outcome(&state, &items, context)),
        ScreenEnd::Left(exit) => {
            context.ui.status(&format!("job {name} goes on"));
            context.ui.hint(Hint::indexed(&["watch", &name], "opens the screen again"));
            Ok(exit)
        }
    }
}

/// Prints a row for each change of an index, then the outcome, as `--plain` needs it.
async fn print_lines(named: Option<&str>, context: &mut Context) -> Result<Exit> {
    let (_, job) = find::connect_and_find_job(named, context).await?;
    let name = job.metadata.name.unwrap_or_default();
    Box::pin(indexes::indexes(IndexesArgs::changes(&name), context)).await?;
    context.ui.flush()?;
    Box::pin(wait::wait(WaitArgs::end(&name), context)).await
}

enum ScreenEnd {
    Finished(Box<JobState>),
    Left(Exit),
}

async fn draw_until_end(
    state: JobState,
    items: &ItemTexts,
    cluster: &Arc<Cluster>,
    context: &mut Context,
) -> Result<ScreenEnd> {
    if state.outcome().is_some() {
        return Ok(ScreenEnd::Finished(Box::new(state)));
    }
    let mut pace = Pace::new(&state, context.now());
    let mut tracker = Tracker::new(cluster, vec![state], Interest::Screen, &context.signals, None);
    let style = context.ui.style;
    let mut terminal = Screen::enter().context("taking the terminal")?;
    let mut keys = Keys::new();
    let mut drawn = None::<Instant>;
    let mut redraw = true;
    loop {
        let since = drawn.map_or(IDLE_REDRAW, |drawn| drawn.elapsed());
        if since >= if redraw { SHORTEST_REDRAW } else { IDLE_REDRAW } {
            pace.sample(tracker.state(0), context.now());
            let trouble = tracker.watching.outage().map(reconnecting).or_else(|| {
                let plight = plight(&tracker, 0, context)?;
                let hint = plight.hints.first().map(|hint| format!("; hint: {hint}"));
                Some(plight.sentence(style) + &hint.unwrap_or_default())
            });
            let picture = Picture {
                state: tracker.state(0),
                items,
                namespace: cluster.namespace(),
                pace: &pace,
                trouble: trouble.as_deref(),
                now: context.now(),
                style,
            };
            terminal.draw(&screen(&picture, Screen::size()), style)?;
            (drawn, redraw) = (Some(Instant::now()), false);
        }
        tokio::select! {
            step = tracker.next() => {
                let step = step?;
                redraw |= !step.is_tick();
                match step.ended {
                    None => {}
                    // Missing details of its Pods are left out: the outcome is known.
                    Some(TrackingEnd::Finished(_)) => return Ok(ScreenEnd::Finished(Box::new(tracker.into_state()))),
                    Some(TrackingEnd::Deleted) => return Err(tracker.deletion_error(0).into()),
                    Some(TrackingEnd::Stopped(_)) => return Ok(ScreenEnd::Left(Exit::Interrupted)),
                }
            }
            Some(input) = keys.received.recv() => match input {
                ScreenInput::Quit => return Ok(ScreenEnd::Left(Exit::Success)),
                ScreenInput::Interrupt => return Ok(ScreenEnd::Left(Exit::Interrupted)),
                ScreenInput::Resized => redraw = true,
            },
            () = tokio::time::sleep(SHORTEST_REDRAW), if redraw => {}
        }
    }
}

/// The keys that were pressed. Only a blocking thread can wait for them.
struct Keys {
    received: mpsc::Receiver<ScreenInput>,
    stop_reading: Arc<AtomicBool>,
}

impl Keys {
    fn new() -> Self {
        let (sender, received) = mpsc::channel(16);
        let stop_reading = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stop_reading);
        std::thread::spawn(move || {
            // If no key can be read, the screen stays, and a signal ends it.
            while let Ok(input) = Screen::input(KEY_POLL) {
                if stop.load(Ordering::SeqCst) || input.is_some_and(|input| sender.blocking_send(input).is_err()) {
                    return;
                }
            }
        });
        Self { received, stop_reading }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.stop_reading.store(true, Ordering::SeqCst);
    }
}
