//! `wait`: until a Job has completed or failed.

use std::sync::Arc;

use anyhow::Result;
use k8s_openapi::api::batch::v1::Job;

use super::follow::{End, Follow};
use super::{Context, find, follow};
use crate::args::WaitArgs;
use crate::cluster::connect::parse_timeout;
use crate::error::{Error, Exit, Kind};
use crate::view::summary;

pub(super) async fn wait(args: WaitArgs, context: &mut Context) -> Result<Exit> {
    let WaitArgs { job, timeout, quiet } = args;
    let limit = parse_timeout(&timeout).map_err(|problem| {
        Error::usage(format!("--timeout {timeout:?}: {problem}")).hint("write it as 90s, 10m or 2h")
    })?;
    context.ui.set_quiet(quiet);
    let cluster = Arc::new(context.cluster().await?);
    let job = find::job(job.as_deref(), &cluster, context).await?;
    let name = job.metadata.name.clone().unwrap_or_default();

    let end = follow::follow(Follow { cluster: &cluster, job, logs: None, limit }, context).await?;
    match end {
        End::Finished(state) => {
            let items = find::items(state.job().unwrap_or(&Job::default()), &cluster).await;
            Ok(follow::report(&state, &items, context))
        }
        End::Interrupted => Err(Error::new(Kind::Interrupted, format!("interrupted; job {name} goes on"))
            .hint(context.again(&format!("wait {name}")))
            .into()),
        End::TimedOut(state) => {
            let sentence = summary::sentence(&state, context.now());
            Err(Error::new(Kind::TimedOut, format!("timed out after {timeout} waiting for {sentence}"))
                .hint(format!("{} shows why", context.again(&format!("describe {name}"))))
                .into())
        }
    }
}
