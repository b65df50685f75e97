//! `list`: the Indexed Jobs of a namespace, or of all.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use k8s_openapi::api::batch::v1::Job;
use serde_json::{Value, json};

use super::follow::teller::ConnectionTeller;
use super::{Context, find};
use crate::args::{ListArgs, ListFormat};
use crate::cluster::Cluster;
use crate::cluster::watch::JobChange;
use crate::error::Exit;
use crate::manifest;
use crate::state;
use crate::view::list::{Columns, Table, face};

pub(super) async fn list(args: ListArgs, context: &mut Context) -> Result<Exit> {
    let ListArgs { all_namespaces, selector, output, no_headers, watch } = args;
    let cluster = context.cluster().await?;
    let mut jobs = cluster.jobs(all_namespaces, selector.as_deref()).await?;
    jobs.retain(state::is_indexed);
    find::newest_first(&mut jobs);
    let is_table = matches!(output, None | Some(ListFormat::Wide));
    if is_table && jobs.is_empty() && !watch {
        let place =
            if all_namespaces { "any namespace".to_owned() } else { format!("namespace {}", cluster.namespace()) };
        context.ui.status(&format!("there is no Indexed Job in {place}"));
        return Ok(Exit::Success);
    }

    let columns = Columns { namespace: all_namespaces, wide: output == Some(ListFormat::Wide), headers: !no_headers };
    let printer = Printer { output, table: Table::new(&jobs, columns, watch, context.now()) };
    match output {
        Some(ListFormat::Json) if !watch => {
            let text = serde_json::to_string_pretty(&list_of(&jobs)?)?;
            context.ui.data(format!("{text}\n"))?;
        }
        Some(ListFormat::Yaml) if !watch => {
            let text = manifest::yaml::documents(&[list_of(&jobs)?]).context("writing YAML")?;
            context.ui.data(text)?;
        }
        _ => {
            if is_table {
                context.ui.data(printer.table.header())?;
            }
            for job in &jobs {
                printer.job(job, false, context)?;
            }
        }
    }
    if watch {
        go_on(&cluster, all_namespaces, selector.as_deref(), jobs, &printer, context).await?;
    }
    Ok(Exit::Success)
}

/// Prints a Job again whenever it changes, for ever.
async fn go_on(
    cluster: &Cluster,
    all_namespaces: bool,
    selector: Option<&str>,
    jobs: Vec<Job>,
    printer: &Printer,
    context: &mut Context,
) -> Result<()> {
    let uid = |job: &Job| job.metadata.uid.clone().unwrap_or_default();
    let mut known: HashMap<String, Box<Job>> = jobs.into_iter().map(|job| (uid(&job), Box::new(job))).collect();
    let mut notices = cluster.watch_jobs(all_namespaces, selector);
    context.ui.flush()?;
    let mut connection = ConnectionTeller::default();
    while let Some(changes) = connection.next(&mut notices, context).await? {
        for change in changes {
            match change {
                JobChange::Now(job) if state::is_indexed(&job) => {
                    if known.get(&uid(&job)).is_none_or(|before| face(before) != face(&job)) {
                        printer.job(&job, false, context)?;
                    }
                    known.insert(uid(&job), job);
                }
                JobChange::Now(_) => {}
                JobChange::Gone(uid) => {
                    if let Some(job) = known.remove(&uid) {
                        printer.job(&job, true, context)?;
                    }
                }
                JobChange::Listed(uids) => {
                    for (_, job) in known.extract_if(|uid, _| !uids.contains(uid)) {
                        printer.job(&job, true, context)?;
                    }
                }
            }
        }
        context.ui.flush()?;
    }
    Ok(())
}

/// Prints Jobs one by one.
struct Printer {
    output: Option<ListFormat>,
    table: Table,
}

impl Printer {
    fn job(&self, job: &Job, deleted: bool, context: &mut Context) -> Result<()> {
        let now = context.now();
        let text = match self.output {
            None | Some(ListFormat::Wide) if deleted => self.table.deleted(job, now),
            None | Some(ListFormat::Wide) => self.table.row(job, now),
            Some(ListFormat::Name) => format!("job.batch/{}\n", job.metadata.name.as_deref().unwrap_or_default()),
            Some(ListFormat::Json) => format!("{}\n", serde_json::to_string_pretty(&object(job)?)?),
            Some(ListFormat::Yaml) => {
                format!("---\n{}", manifest::yaml::documents(&[object(job)?]).context("writing YAML")?)
            }
        };
        Ok(context.ui.data(text)?)
    }
}

/// The Jobs as kubectl prints several objects.
pub(super) fn list_of(jobs: &[Job]) -> Result<Value> {
    let items = jobs.iter().map(object).collect::<Result<Vec<_>>>()?;
    Ok(json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items}))
}

/// A Job as kubectl prints it.
pub(super) fn object(job: &Job) -> Result<Value> {
    let mut item = json!({"apiVersion": "batch/v1", "kind": "Job"});
    if let (Some(item), Value::Object(fields)) = (item.as_object_mut(), serde_json::to_value(job)?) {
        item.extend(fields);
    }
    manifest::clean(&mut item);
    Ok(item)
}
