//! `describe`: all that kubectl prints, and what it leaves out.

use anyhow::Result;

use super::{Context, find};
use crate::args::DescribeArgs;
use crate::error::Exit;
use crate::state::{Event, JobState};
use crate::view::{describe, detail};

pub(super) async fn describe(args: DescribeArgs, context: &mut Context) -> Result<Exit> {
    let DescribeArgs { job, show_events } = args;
    // What can't be meant is told without a cluster.
    job.as_deref().map(find::job_name).transpose()?;
    let cluster = context.cluster().await?;
    let job = find::job(job.as_deref(), &cluster, context).await?;

    let events = async { if show_events { cluster.events(&job).await.map(Some) } else { Ok(None) } };
    let (pods, events, items) = futures::join!(cluster.pods(&job, None), events, find::items(&job, &cluster));
    // As kubectl, which prints what it may see.
    let events = events.unwrap_or_else(|error| {
        context.ui.warning(&format!("no events are shown: {error}"));
        None
    });

    let mut state = JobState::new(job.clone());
    for pod in pods? {
        state.apply(Event::Pod(Box::new(pod)));
    }
    let now = context.now();
    let parts = describe::job(&job, events.as_deref(), now, &context.zone());
    context.ui.data(&parts.head)?;
    context.ui.data(&parts.template)?;
    context.ui.data(detail::indexed(&state, &items, now))?;
    context.ui.data(&parts.events)?;
    Ok(Exit::Success)
}
