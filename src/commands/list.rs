//! `list`: prints the Indexed Jobs of a namespace, or of all.

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
use crate::state::{self, member};
use crate::tracker::family;
use crate::tracker::watching::Watching;
use crate::view::list::{JobTable, ListColumns};

pub(super) async fn list(args: ListArgs, context: &mut Context) -> Result<Exit> {
    let ListArgs { all_namespaces, watch, .. } = args;
    let OutputChoice { word: output, mut custom } = output::read(args.output, !args.no_headers)?;
    let cluster = context.cluster().await?;
    let filter = JobFilter { all_namespaces, labels: args.selector.as_deref(), fields: args.field_selector.as_deref() };
    let mut jobs = cluster.jobs_matching(filter).await.map_err(|error| hint_at_fields(error, filter))?;
    jobs.retain(state::is_indexed);
    sort(&mut jobs, args.sort_by);
    let is_table = custom.is_none() && matches!(output, None | Some(ListFormat::Wide));
    if is_table && jobs.is_empty() && !watch {
        let place =
            if all_namespaces { "any namespace".to_owned() } else { format!("namespace {}", cluster.namespace()) };
        let selected = if filter.labels.or(filter.fields).is_some() { " that matches the selectors" } else { "" };
        context.ui.status(&format!("there is no Indexed Job{selected} in {place}"));
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
    let columns = ListColumns {
        namespace: all_namespaces,
        wide: output == Some(ListFormat::Wide),
        headers: !args.no_headers,
        labels: args.label_columns,
        all_labels: args.show_labels,
    };
    let mut table = JobTable::new(&jobs, family::completing_retries(&jobs), columns, watch, context.now());
    if is_table {
        if let Some(width) = context.ui.width() {
            table.fit_terminal(width, context.ui.style);
        }
        context.ui.data(table.header())?;
    }
    let mut printer = JobPrinter { output, custom, table };
    printer.print_all(&jobs, context)?;
    printer.table.left_out().inspect(|note| context.ui.status(note));
    if watch { print_changes(&cluster, filter, jobs, printer, context).await } else { Ok(Exit::Success) }
}

/// Adds the fields that a server selects Jobs by: its error has only the unknown one.
fn hint_at_fields(error: Error, filter: JobFilter<'_>) -> Error {
    if filter.fields.is_some() && error.to_string().contains("field label") {
        return error
            .hint("fields of a job that can be selected: metadata.name, metadata.namespace, status.successful");
    }
    error
}

/// Sorts Jobs by a key, and then by name.
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

/// Prints each row again when it changes, until an interrupt.
async fn print_changes(
    cluster: &Cluster,
    filter: JobFilter<'_>,
    jobs: Vec<Job>,
    mut printer: JobPrinter,
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
            let gone = match change {
                JobChange::Now(job) if state::is_indexed(&job) => {
                    let before = known.insert(uid(&job), job.clone());
                    printer.print_change(before.as_deref(), &job, &known, context)?;
                    continue;
                }
                JobChange::Now(_) => continue,
                JobChange::Gone(uid) => known.remove(&uid).into_iter().collect(),
                JobChange::Listed(uids) => {
                    known.extract_if(|uid, _| !uids.contains(uid)).map(|(_, job)| job).collect::<Vec<_>>()
                }
            };
            for job in gone {
                printer.print(&job, true, context)?;
                printer.print_family(&job, &known, context)?;
            }
        }
        context.ui.flush()?;
    }
}

struct JobPrinter {
    output: Option<ListFormat>,
    custom: Option<Custom>,
    table: JobTable,
}

impl JobPrinter {
    fn print_all(&mut self, jobs: &[Job], context: &mut Context) -> Result<()> {
        if let Some(custom) = &mut self.custom {
            // All in one call: the first call sets the widths of the columns.
            let objects = jobs.iter().map(object).collect::<Result<Vec<_>>>()?;
            return custom.each(&objects, context);
        }
        jobs.iter().try_for_each(|job| self.print(job, false, context))
    }

    /// Prints a Job and the other Jobs of its family, each only if its row has changed.
    fn print_change(
        &mut self,
        before: Option<&Job>,
        job: &Job,
        known: &HashMap<String, Box<Job>>,
        context: &mut Context,
    ) -> Result<()> {
        let cells = before.map(|before| self.table.timeless_cells(before));
        let is_new = match before {
            Some(before) if self.custom.is_some() => before != job,
            _ => cells.is_none_or(|cells| cells != self.table.timeless_cells(job)),
        };
        if is_new {
            self.print(job, false, context)?;
        }
        self.print_family(job, known, context)
    }

    /// Prints the Jobs of a family whose status has changed because another Job of the family did.
    fn print_family(&mut self, job: &Job, known: &HashMap<String, Box<Job>>, context: &mut Context) -> Result<()> {
        let (_, root) = member::family_root(job);
        let family = known.values().map(Box::as_ref).filter(|other| member::family_root(other).1 == root);
        let mut jobs: Vec<&Job> = family.collect();
        jobs.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
        let completed_by = family::completing_retries(jobs.iter().copied());
        for job in jobs {
            let Some(uid) = &job.metadata.uid else { continue };
            let retry = completed_by.get(uid);
            if self.table.completed_by.get(uid) == retry {
                continue;
            }
            match retry {
                Some(retry) => self.table.completed_by.insert(uid.clone(), retry.clone()),
                None => self.table.completed_by.remove(uid),
            };
            if self.custom.is_none() && matches!(self.output, None | Some(ListFormat::Wide)) {
                self.print(job, false, context)?;
            }
        }
        Ok(())
    }

    fn print(&mut self, job: &Job, deleted: bool, context: &mut Context) -> Result<()> {
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
