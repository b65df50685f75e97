//! `list`: the Indexed Jobs of a namespace, or of all.

use std::collections::HashMap;

use anyhow::Result;
use k8s_openapi::api::batch::v1::Job;

use super::follow::report::print_remark;
use super::output::{self, Custom, OutputChoice, list_of, object, shown};
use super::{Context, find};
use crate::args::{DataFormat, JobKey, ListArgs, ListFormat};
use crate::cluster::watch::JobChange;
use crate::cluster::{Cluster, JobFilter};
use crate::error::{Error, Exit};
use crate::state;
use crate::tracker::watching::Watching;
use crate::view::list::{Columns, Table};

pub(super) async fn list(args: ListArgs, context: &mut Context) -> Result<Exit> {
    let ListArgs { all_namespaces, watch, .. } = args;
    let OutputChoice { word: output, mut custom } = output::read(args.output, !args.no_headers)?;
    let cluster = context.cluster().await?;
    let filter = JobFilter { all_namespaces, labels: args.selector.as_deref(), fields: args.field_selector.as_deref() };
    let mut jobs = cluster.jobs_with(filter).await.map_err(|error| knows_no_field(error, filter))?;
    jobs.retain(state::is_indexed);
    sort(&mut jobs, args.sort_by);
    let is_table = custom.is_none() && matches!(output, None | Some(ListFormat::Wide));
    if is_table && jobs.is_empty() && !watch {
        let place =
            if all_namespaces { "any namespace".to_owned() } else { format!("namespace {}", cluster.namespace()) };
        let such = if filter.labels.or(filter.fields).is_some() { " with what was asked for" } else { "" };
        context.ui.status(&format!("there is no Indexed Job{such} in {place}"));
        return Ok(Exit::Success);
    }

    let data = output.as_ref().and_then(output::data_format);
    if let (Some(custom), false) = (&mut custom, watch) {
        let objects = jobs.iter().map(object).collect::<Result<Vec<_>>>()?;
        custom.list(&list_of(&objects), context)?;
        return Ok(Exit::Success);
    }
    if let (Some(format), false) = (data, watch) {
        let objects = jobs.iter().map(shown).collect::<Result<Vec<_>>>()?;
        context.ui.data(output::data(&list_of(&objects), format)?)?;
        return Ok(Exit::Success);
    }
    let columns = Columns {
        namespace: all_namespaces,
        wide: output == Some(ListFormat::Wide),
        headers: !args.no_headers,
        labels: args.label_columns,
        all_labels: args.show_labels,
    };
    let table = Table::new(&jobs, columns, watch, context.now());
    if is_table {
        context.ui.data(table.header())?;
    }
    let mut printer = Printer { output, custom, table };
    printer.jobs(&jobs, context)?;
    if watch { print_changes(&cluster, filter, jobs, printer, context).await } else { Ok(Exit::Success) }
}

/// The server names only the field that it does not know.
fn knows_no_field(error: Error, filter: JobFilter<'_>) -> Error {
    if filter.fields.is_some() && error.to_string().contains("field label") {
        return error.hint("of a Job it knows metadata.name, metadata.namespace and status.successful");
    }
    error
}

/// Sorts Jobs; those that are alike by name.
fn sort(jobs: &mut [Job], key: JobKey) {
    let name = |job: &Job| (job.metadata.name.clone(), job.metadata.namespace.clone());
    jobs.sort_by_cached_key(name);
    match key {
        JobKey::Age => find::sort_newest_first(jobs),
        JobKey::Name => {}
        JobKey::Status => jobs.sort_by_key(state::status_word),
        JobKey::Failed => jobs.sort_by_key(state::failed_count),
    }
}

/// Prints a Job again whenever it changes, until the program is asked to end.
async fn print_changes(
    cluster: &Cluster,
    filter: JobFilter<'_>,
    jobs: Vec<Job>,
    mut printer: Printer,
    context: &mut Context,
) -> Result<Exit> {
    let uid = |job: &Job| job.metadata.uid.clone().unwrap_or_default();
    let mut known: HashMap<String, Box<Job>> = jobs.into_iter().map(|job| (uid(&job), Box::new(job))).collect();
    context.ui.flush()?;
    let mut watching = Watching::new(cluster.watch_jobs(filter), &context.signals, None);
    loop {
        let burst = watching.next().await?;
        print_remark(burst.remark, context);
        if burst.stop.is_some() {
            return Ok(Exit::Interrupted);
        }
        for change in burst.seen {
            match change {
                JobChange::Now(job) if state::is_indexed(&job) => {
                    if known.get(&uid(&job)).is_none_or(|before| printer.tells_apart(before, &job)) {
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
}

struct Printer {
    output: Option<ListFormat>,
    custom: Option<Custom>,
    table: Table,
}

impl Printer {
    fn jobs(&mut self, jobs: &[Job], context: &mut Context) -> Result<()> {
        if let Some(custom) = &mut self.custom {
            // At once, since columns are as wide as the first of them need.
            let objects = jobs.iter().map(object).collect::<Result<Vec<_>>>()?;
            return custom.each(&objects, context);
        }
        jobs.iter().try_for_each(|job| self.job(job, false, context))
    }

    /// Whether a Job is printed again that has changed.
    fn tells_apart(&self, before: &Job, now: &Job) -> bool {
        if self.custom.is_some() { before != now } else { self.table.face(before) != self.table.face(now) }
    }

    fn job(&mut self, job: &Job, deleted: bool, context: &mut Context) -> Result<()> {
        if let Some(custom) = &mut self.custom {
            return custom.each(&[object(job)?], context);
        }
        let now = context.now();
        let text = match self.output {
            None | Some(ListFormat::Wide) if deleted => self.table.deleted(job, now),
            None | Some(ListFormat::Wide) => self.table.row(job, now),
            Some(ListFormat::Name) => format!("job.batch/{}\n", job.metadata.name.as_deref().unwrap_or_default()),
            Some(ListFormat::Json) => output::data(&shown(job)?, DataFormat::Json)?,
            Some(ListFormat::Yaml) => format!("---\n{}", output::data(&shown(job)?, DataFormat::Yaml)?),
        };
        Ok(context.ui.data(text)?)
    }
}
