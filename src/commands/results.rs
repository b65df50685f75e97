//! `results`: prints the outputs of a Job's indexes, or writes them to a folder or a job log.

mod joblog;
mod print;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use futures::StreamExt as _;
use futures::stream;
use k8s_openapi::api::batch::v1::Job;

use super::follow::report::print_remark;
use super::output::{self, Custom, OutputChoice};
use super::outputs::cut::CutLogs;
use super::outputs::fetch::{AT_ONCE, Gathered, OutputSource};
use super::outputs::folder::{Folder, FolderContents};
use super::outputs::harvest::Harvest;
use super::outputs::rows::{self, Messages};
use super::{Context, find, resumed};
use crate::args::{ResultFormat, ResultFrom, ResultsArgs};
use crate::contract;
use crate::error::{Error, Exit, Hint};
use crate::index_set::IndexSet;
use crate::state::{ItemTexts, JobState};
use crate::tracker::selection::IndexSelection;
use crate::tracker::{Interest, Tracker, TrackingEnd};
use joblog::JobLog;
use print::{PrintOptions, ResultPrinter};

pub(super) async fn results(args: ResultsArgs, context: &mut Context) -> Result<Exit> {
    let OutputChoice { word, custom } = output::read(args.output.clone(), !args.no_headers)?;
    check_args(&args, word, custom.as_ref())?;
    let (cluster, job) = find::connect_and_find_job(args.job.as_deref(), context).await?;
    let state = find::load_family(job.clone(), args.only_this, &cluster, context).await?;
    let selection = IndexSelection::new(args.index, Vec::new());
    selection.check_numbers(&state)?;
    if let Some(job) = state.items_job() {
        resumed::warn_of_changed_list(job, &cluster, context).await;
    }
    let container = args.container.as_deref();
    let contents = FolderContents { job: &job, name_by: args.name_by, from: args.from, container };
    let mut folder = args.to.as_deref().map(|path| Folder::open(path, &contents)).transpose()?;
    let by_item = folder.as_ref().is_some_and(|folder| folder.by_item);
    let wanted = if by_item || args.follow { None } else { selection.fixed_indexes() }.unwrap_or_else(|| state.all());
    let items = find::load_items_of(&wanted, state.items_job(), &cluster).await;
    let items = find::items_or_warning(items, context)?;
    name_files(folder.as_mut(), &items, &job)?;
    let folder = folder.map(Arc::new);

    let silent = args.to.is_some() || args.joblog.is_some();
    // Templates and custom columns are applied to what -o json prints.
    let format = if custom.is_some() { Some(ResultFormat::Json) } else { word };
    let format = format.or((!silent).then_some(ResultFormat::Text));
    let options = PrintOptions {
        format,
        headers: !args.no_headers,
        outputs: !args.no_output,
        last_line: args.last_line,
        trim: args.trim,
        parse_json: args.parse_json,
    };
    let joblog = args.joblog.map(|path| JobLog::new(path, &job, &items));
    let container = args.container.or_else(|| contract::worker_name(&job).map(str::to_owned));
    let messages = Messages::new(args.from == ResultFrom::TerminationMessage, container.as_deref());
    // A job log alone needs no outputs.
    let outputs = !args.no_output && (format.is_some() || args.to.is_some());
    let source = OutputSource::new(&cluster, container, folder.clone(), items, CutLogs::of(&state));
    let source = OutputSource { from: args.from, outputs, ..source };
    let mut printer = ResultPrinter::new(options, Arc::clone(&source.items), custom, joblog);
    let name = job.metadata.name.clone().unwrap_or_default();
    let mut harvest = Harvest::new(source, selection, messages);
    let gathered = if args.follow && state.outcome().is_none() {
        harvest.in_order = args.keep_order && args.to.is_none();
        Box::pin(follow_results(harvest, state, args.keep_order, &mut printer, context)).await
    } else {
        Box::pin(print_results(harvest, state, &mut printer, context)).await.map(Some)
    };
    context.ui.end_live();
    // After an error, too, the list has all files that were written.
    let listed = folder.map_or(Ok(()), |folder| folder.finish());
    let end = gathered?;
    listed?;
    if let Some(path) = &args.to {
        context.ui.status(&format!("{} in {}", printer.tally.files(), path.display()));
    }
    match end {
        Some(state) if !args.no_output => Ok(printer.tally.check(&state, context)?),
        Some(_) => Ok(Exit::Success),
        None => {
            context.ui.status(&format!("interrupted: job {name} goes on"));
            Ok(Exit::Interrupted)
        }
    }
}

fn check_args(args: &ResultsArgs, format: Option<ResultFormat>, custom: Option<&Custom>) -> Result<(), Error> {
    let whole = custom.map(|custom| custom.flag).or((format == Some(ResultFormat::Json)).then_some("-o json"));
    if let (Some(flag), true) = (whole, args.follow) {
        return Err(Error::usage(format!("{flag} prints one object, so it can't be combined with -f"))
            .hint("-o jsonl prints an object for each index as it finishes"));
    }
    let text = custom.is_none() && format.is_none_or(|format| format == ResultFormat::Text);
    if args.no_output && text && args.joblog.is_none() {
        return Err(Error::usage("--no-output leaves nothing to print").hint(
            Hint::from("-o csv or -o jsonl prints the status of each index; ")
                .then(Hint::indexed(&["indexes"], "prints a table")),
        ));
    }
    if args.joblog.as_ref().is_some_and(|path| path.as_os_str() == "-") && args.output.is_some() {
        return Err(Error::usage("-o and --joblog - both print to stdout").hint("name a file for --joblog"));
    }
    Ok(())
}

fn name_files(folder: Option<&mut Folder>, items: &ItemTexts, job: &Job) -> Result<(), Error> {
    let Some(folder) = folder.filter(|folder| folder.by_item) else { return Ok(()) };
    if items.is_empty() {
        let name = job.metadata.name.as_deref().unwrap_or_default();
        return Err(Error::usage(format!("the items of job {name:?} are unknown"))
            .hint("--name-by index names the files by index"));
    }
    folder.name_by(items);
    Ok(())
}

/// Prints the results that the Job has now, in index order.
async fn print_results(
    harvest: Harvest,
    state: JobState,
    printer: &mut ResultPrinter,
    context: &mut Context,
) -> Result<JobState> {
    let Harvest { source, selection, messages, .. } = harvest;
    let (state, requests) = rows::load(state, &selection, messages, &source.cluster).await?;
    let all = requests.len();
    printer.print_head(&state, context)?;
    let mut gathered = stream::iter(requests).map(|request| source.gather(request)).buffered(AT_ONCE).enumerate();
    if source.folder.is_some() {
        context.ui.begin_live();
    }
    while let Some((before, gathered)) = gathered.next().await {
        printer.print(gathered?, context)?;
        let done = before + 1;
        context.ui.set_live(done, all, format!("{done}/{all} results"));
    }
    drop(gathered);
    printer.finish(context)?;
    Ok(state)
}

/// Prints each index as it ends, until the Job has ended. None after an interrupt.
async fn follow_results(
    mut harvest: Harvest,
    state: JobState,
    keep_order: bool,
    printer: &mut ResultPrinter,
    context: &mut Context,
) -> Result<Option<JobState>> {
    let cluster = Arc::clone(&harvest.source.cluster);
    let mut tracker = Tracker::new(&cluster, vec![state], Interest::Indexes, &context.signals, None);
    let mut queue = PrintQueue { keep_order, ..PrintQueue::default() };
    printer.print_head(tracker.state(0), context)?;
    context.ui.begin_live();
    let mut cut_short = None;
    loop {
        let counts = tracker.state(0).counts();
        let done = counts.succeeded + counts.failed;
        context.ui.set_live(done, counts.total, format!("{done}/{} indexes ended", counts.total));
        tokio::select! {
            biased;
            step = tracker.next() => {
                let step = step?;
                print_remark(step.remark, context);
                harvest.note_messages(&step.events);
                harvest.fetch_ended(&step.changed, tracker.state_mut(0));
                match step.ended {
                    None => {}
                    Some(TrackingEnd::Finished(settled)) => {
                        settled?;
                        harvest.fetch_rest(tracker.state_mut(0));
                        break;
                    }
                    Some(TrackingEnd::Deleted) => {
                        cut_short = Some(tracker.deletion_error(0));
                        break;
                    }
                    Some(TrackingEnd::Stopped(_)) => {
                        printer.finish(context)?;
                        return Ok(None);
                    }
                }
            }
            Some(gathered) = harvest.under_way.next() => {
                queue.print(gathered?, &mut harvest, tracker.state(0), printer, context)?;
                harvest.fetch_ended(&IndexSet::new(), tracker.state_mut(0));
            }
        }
        context.ui.flush()?;
    }
    let signals = context.signals.clone();
    loop {
        let Some(next) = signals.unless_interrupted(harvest.under_way.next()).await else {
            printer.finish(context)?;
            return Ok(None);
        };
        let Some(gathered) = next else { break };
        queue.print(gathered?, &mut harvest, tracker.state(0), printer, context)?;
    }
    queue.print_rest(printer, context)?;
    printer.finish(context)?;
    cut_short.map_or_else(|| Ok(Some(tracker.into_state())), |error| Err(error.into()))
}

/// Results on their way to the printer, in index order or as they come.
#[derive(Default)]
struct PrintQueue {
    keep_order: bool,
    /// Results that wait for lower indexes.
    waiting: BTreeMap<u32, Gathered>,
    printed: IndexSet,
}

impl PrintQueue {
    /// Prints a result and those that waited for it, or keeps it until lower indexes are printed.
    fn print(
        &mut self,
        gathered: Gathered,
        harvest: &mut Harvest,
        state: &JobState,
        printer: &mut ResultPrinter,
        context: &mut Context,
    ) -> Result<()> {
        if !self.keep_order {
            return printer.print(gathered, context);
        }
        self.waiting.insert(gathered.row.index, gathered);
        let open = harvest.selection.indexes(state).difference(&self.printed);
        for index in open.iter() {
            let Some(gathered) = self.waiting.remove(&index) else { break };
            printer.print(gathered, context)?;
            self.printed.insert(index);
            harvest.ahead = harvest.ahead.saturating_sub(1);
        }
        Ok(())
    }

    /// Prints the results that still wait: the lower indexes did not end.
    fn print_rest(self, printer: &mut ResultPrinter, context: &mut Context) -> Result<()> {
        self.waiting.into_values().try_for_each(|gathered| printer.print(gathered, context))
    }
}
