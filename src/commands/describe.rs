//! `describe`: all that kubectl prints, and what it leaves out.

use anyhow::Result;
use jiff::tz::TimeZone;

use super::{Context, find, resumed};
use crate::args::DescribeArgs;
use crate::cluster::watch::happened;
use crate::cluster::{Cluster, PodFilter};
use crate::error::{Error, Exit, Kind};
use crate::state::JobState;
use crate::state::row::SucceededRows;
use crate::tracker::family;
use crate::tracker::snapshot::load_pods;
use crate::view::cause;
use crate::view::describe;
use crate::view::detail;

pub(super) async fn describe(args: DescribeArgs, context: &mut Context) -> Result<Exit> {
    let DescribeArgs { job, only_this, show_events } = args;
    let (cluster, job) = find::connect_and_find_job(job.as_deref(), context).await?;

    let events = async { if show_events { cluster.events(&job).await.map(Some) } else { Ok(None) } };
    let state = find::load_family(job.clone(), only_this, &cluster, context).await?;
    let (seen, events) = futures::join!(look(&cluster, state), events);
    let (events, missing) = match events {
        Ok(events) => (events, None),
        // As kubectl, which prints what it may see.
        Err(error) if error.kind() == Kind::Forbidden => {
            context.ui.warning(&format!("no events are shown: {error}"));
            (None, None)
        }
        Err(error) => (None, Some(error)),
    };
    let (mut state, mut succeeded) = seen?;
    let job = state.job().cloned().unwrap_or(job);

    let now = context.now();
    // What can't be seen without more permissions leaves a cause out, and nothing else.
    for event in events.iter().flatten().cloned() {
        state.apply(happened(event));
    }
    find::add_events(&mut state, &cluster, now).await;
    let chosen = detail::worth_reading(&state);
    let items = find::load_items_of(&chosen, state.items_job(), &cluster).await;
    let items = find::items_or_warning(items, context)?;
    if let Some(job) = state.items_job() {
        resumed::warn_of_changed_list(job, &cluster, context).await;
    }
    let causes = cause::causes(&state, now, context.ui.data_wording());
    let rows = state.rows(&chosen, &mut succeeded);

    let job = family::with_family_completions(job, &state);
    let parts = describe::job(&job, events.as_deref(), now, &TimeZone::system());
    context.ui.data(&parts.head)?;
    context.ui.data(&parts.template)?;
    context.ui.data(detail::indexed(&state, &causes, &rows, &items, now, context.ui.data_wording()))?;
    context.ui.data(&parts.events)?;
    missing.map_or(Ok(Exit::Success), |error| Err(error.into()))
}

/// The Job and what of its Pods is worth telling, by the cheapest list that says it.
async fn look(cluster: &Cluster, state: JobState) -> Result<(JobState, SucceededRows), Error> {
    let all = state.all();
    if all.len() > detail::ROWS && all.difference(&state.succeeded()).is_empty() {
        // The Job itself says that all went well, and no row is worth more than the others.
        return Ok((state, SucceededRows::default()));
    }
    let filter = if all.len() <= detail::ROWS { PodFilter::default() } else { PodFilter::UNSUCCESSFUL };
    load_pods(state, filter, cluster, |_| {}).await
}
