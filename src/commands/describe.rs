//! `describe`: prints all that kubectl prints, then what kubectl omits, and the causes last.

use anyhow::Result;
use jiff::tz::TimeZone;

use super::{Context, find, resumed};
use crate::args::DescribeArgs;
use crate::cluster::watch::reported_event;
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
    let (loaded, events) = futures::join!(load_readable_pods(&cluster, state), events);
    let (events, missing) = match events {
        Ok(events) => (events, None),
        // kubectl also prints the rest.
        Err(error) if error.kind() == Kind::Forbidden => {
            context.ui.warning(&format!("events are left out: {error}"));
            (None, None)
        }
        Err(error) => (None, Some(error)),
    };
    let (mut state, mut succeeded) = loaded?;
    let job = state.job().cloned().unwrap_or(job);

    let now = context.now();
    // Missing permissions leave out causes, and nothing else.
    for event in events.iter().flatten().cloned() {
        state.apply(reported_event(event));
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
    context.ui.data(detail::indexed(&state, &rows, &items, now, context.ui.data_wording()))?;
    context.ui.data(&parts.events)?;
    // Last, where a person on a terminal reads first.
    context.ui.data(cause::block(&causes, context.ui.data_wording().style))?;
    missing.map_or(Ok(Exit::Success), |error| Err(error.into()))
}

/// Loads the Pods that the description needs, by the cheapest list.
async fn load_readable_pods(cluster: &Cluster, state: JobState) -> Result<(JobState, SucceededRows), Error> {
    let all = state.all();
    if all.len() > detail::ROWS && all.difference(&state.succeeded()).is_empty() {
        // The status of the Job is enough: no row is more important than the others.
        return Ok((state, SucceededRows::default()));
    }
    let filter = if all.len() <= detail::ROWS { PodFilter::default() } else { PodFilter::UNSUCCESSFUL };
    load_pods(state, filter, cluster, |_| {}).await
}
