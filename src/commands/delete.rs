//! `delete`: a Job with everything that belongs to it.

use anyhow::Result;

use super::follow::teller::ConnectionTeller;
use super::{Context, find};
use crate::args::{DeleteArgs, NameFormat};
use crate::cluster::Cluster;
use crate::cluster::watch::{Link, Pods};
use crate::error::{Exit, Kind};
use crate::state::Event;

pub(super) async fn delete(args: DeleteArgs, context: &mut Context) -> Result<Exit> {
    let DeleteArgs { jobs, no_wait, ignore_not_found, output } = args;
    let names = jobs.iter().map(|text| find::job_name(text)).collect::<Result<Vec<_>, _>>()?;
    let cluster = context.cluster().await?;
    for name in names {
        let job = match cluster.job(&name).await {
            Ok(job) => job,
            Err(error) if error.kind() == Kind::NotFound => {
                // An earlier call may have been cut off between the Job and its list.
                let left = cluster.delete_items(&name).await?;
                if left.is_empty() && !ignore_not_found {
                    return Err(error.into());
                }
                report(&left, context)?;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        cluster.delete_job(&name, job.metadata.uid.as_deref()).await?;
        if !no_wait {
            wait_until_gone(&cluster, &job, context).await?;
        }
        match output {
            Some(NameFormat::Name) => context.ui.data(format!("job.batch/{name}\n"))?,
            None => context.ui.data(format!("job.batch {name:?} deleted\n"))?,
        }
        match cluster.delete_items(&name).await {
            Ok(left) => report(&left, context)?,
            // Whoever may not see ConfigMaps has not made any through this program either.
            Err(error) if error.kind() == Kind::Forbidden => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Exit::Success)
}

fn report(config_maps: &[String], context: &mut Context) -> Result<()> {
    for name in config_maps {
        context.ui.data(format!("configmap {name:?} deleted\n"))?;
    }
    Ok(())
}

/// The Job goes last, after its Pods, so its end is the end of all.
async fn wait_until_gone(
    cluster: &Cluster,
    job: &k8s_openapi::api::batch::v1::Job,
    context: &mut Context,
) -> Result<()> {
    let mut notices = cluster.watch(job, Pods::None, &Link::default());
    let mut connection = ConnectionTeller::default();
    while let Some(events) = connection.next(&mut notices, context).await? {
        if events.iter().any(|event| matches!(event, Event::JobGone)) {
            break;
        }
    }
    Ok(())
}
