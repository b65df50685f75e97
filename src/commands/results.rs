//! `results`: what each index of a Job gave, in order, to stdout, to a folder, or as a log of jobs.

mod joblog;
mod print;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use futures::StreamExt as _;
use futures::stream;
use k8s_openapi::api::batch::v1::Job;

use super::follow::report::say;
use super::output::{self, Custom, Output};
use super::outputs::cut::CutLogs;
use super::outputs::fetch::{AT_ONCE, Gathered, Source};
use super::outputs::folder::{Folder, Wanted};
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
use print::{Form, Printer};

pub(super) async fn results(args: ResultsArgs, context: &mut Context) -> Result<Exit> {
    let Output { word, custom } = output::read(args.output.clone(), !args.no_headers)?;
    check(&args, word, custom.as_ref())?;
    let (cluster, job) = find::connect_and_find_job(args.job.as_deref(), context).await?;
    let state = find::family(job.clone(), args.only_this, &cluster, context).await?;
    let selection = IndexSelection::new(args.index, Vec::new());
    selection.check(&state)?;
    if let Some(job) = state.items_job() {
        resumed::warn_of_changed_list(job, &cluster, context).await;
    }
    let wanted = Wanted { job: &job, name_by: args.name_by, from: args.from, container: args.container.as_deref() };
    let mut folder = args.to.as_deref().map(|path| Folder::open(path, &wanted)).transpose()?;
    let by_item = folder.as_ref().is_some_and(|folder| folder.by_item);
    let wanted = if by_item || args.follow { None } else { selection.fixed() }.unwrap_or_else(|| state.all());
    let items = find::items_of(&wanted, state.items_job(), &cluster).await;
    let items = find::items_or_warning(items, context)?;
    name_files(folder.as_mut(), &items, &job)?;
    let folder = folder.map(Arc::new);

    let silent = args.to.is_some() || args.joblog.is_some();
    // A form of one's own is laid over what -o json prints.
    let format = if custom.is_some() { Some(ResultFormat::Json) } else { word };
    let format = format.or((!silent).then_some(ResultFormat::Text));
    let form = Form {
        format,
        headers: !args.no_headers,
        outputs: !args.no_output,
        trim: args.trim,
        parse_json: args.parse_json,
    };
    let joblog = args.joblog.map(|path| JobLog::new(path, &job));
    let container = args.container.or_else(|| contract::worker_name(&job).map(str::to_owned));
    let messages = Messages::new(args.from == ResultFrom::TerminationMessage, container.as_deref());
    // A log of jobs alone needs no outputs.
    let outputs = !args.no_output && (format.is_some() || args.to.is_some());
    let source =
        Source { from: args.from, outputs, ..Source::new(&cluster, container, folder.clone(), CutLogs::of(&state)) };
    let mut printer = Printer::new(form, custom, joblog);
    let name = job.metadata.name.clone().unwrap_or_default();
    let mut harvest = Harvest::new(source, selection, items, messages);
    let gathered = if args.follow && state.outcome().is_none() {
        harvest.in_turn = args.keep_order && args.to.is_none();
        Box::pin(until_the_end(harvest, state, args.keep_order, &mut printer, context)).await
    } else {
        Box::pin(in_order(harvest, state, &mut printer, context)).await.map(Some)
    };
    context.ui.end_live();
    // What was written is listed also when something else went wrong.
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

fn check(args: &ResultsArgs, format: Option<ResultFormat>, custom: Option<&Custom>) -> Result<(), Error> {
    let whole = custom.map(|custom| custom.flag).or((format == Some(ResultFormat::Json)).then_some("-o json"));
    if let (Some(flag), true) = (whole, args.follow) {
        return Err(Error::usage(format!("{flag} is about one object, which can't be begun before the job ends"))
            .hint("-o jsonl prints an object for each index as it finishes"));
    }
    let text = custom.is_none() && format.is_none_or(|format| format == ResultFormat::Text);
    if args.no_output && text && args.joblog.is_none() {
        return Err(Error::usage("--no-output leaves nothing to print").hint(
            Hint::from("-o csv or -o jsonl prints how each index ended; ")
                .then(Hint::indexed(&["indexes"], "prints a table")),
        ));
    }
    if args.joblog.as_ref().is_some_and(|path| path.as_os_str() == "-") && args.output.is_some() {
        return Err(Error::usage("-o and --joblog - would both print to stdout").hint("name a file for --joblog"));
    }
    Ok(())
}

fn name_files(folder: Option<&mut Folder>, items: &ItemTexts, job: &Job) -> Result<(), Error> {
    let Some(folder) = folder.filter(|folder| folder.by_item) else { return Ok(()) };
    if items.is_empty() {
        let name = job.metadata.name.as_deref().unwrap_or_default();
        return Err(Error::usage(format!("the items of job {name:?} are not known"))
            .hint("--name-by index names the files by index"));
    }
    folder.name_by(items);
    Ok(())
}

async fn in_order(harvest: Harvest, state: JobState, printer: &mut Printer, context: &mut Context) -> Result<JobState> {
    let Harvest { source, selection, items, messages, .. } = harvest;
    let (state, found) = rows::now(state, &selection, &items, messages, &source.cluster).await?;
    drop(items);
    let all = found.len();
    printer.begin(&state, context)?;
    let mut gathered = stream::iter(found).map(|found| source.gather(found)).buffered(AT_ONCE).enumerate();
    if source.folder.is_some() {
        context.ui.begin_live();
    }
    while let Some((before, gathered)) = gathered.next().await {
        printer.print(gathered?, context)?;
        let done = before + 1;
        context.ui.set_live(done, all, format!("{done}/{all} results"));
    }
    drop(gathered);
    printer.end(context)?;
    Ok(state)
}

/// Prints each index as it finishes, until the Job has ended. None if the user did not want to wait.
async fn until_the_end(
    mut harvest: Harvest,
    state: JobState,
    keep_order: bool,
    printer: &mut Printer,
    context: &mut Context,
) -> Result<Option<JobState>> {
    let cluster = Arc::clone(&harvest.source.cluster);
    let mut tracker = Tracker::new(&cluster, vec![state], Interest::Indexes, &context.signals, None);
    let mut line = Line { keep_order, ..Line::default() };
    printer.begin(tracker.state(0), context)?;
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
                say(step.remark, context);
                harvest.see(&step.events);
                harvest.take_ended(&step.changed, tracker.state_mut(0));
                match step.ended {
                    None => {}
                    Some(TrackingEnd::Finished(settled)) => {
                        settled?;
                        harvest.take_rest(tracker.state_mut(0));
                        break;
                    }
                    Some(TrackingEnd::Deleted) => {
                        cut_short = Some(tracker.deletion_error(0));
                        break;
                    }
                    Some(TrackingEnd::Stopped(_)) => {
                        printer.end(context)?;
                        return Ok(None);
                    }
                }
            }
            Some(gathered) = harvest.under_way.next() => {
                line.take(gathered?, &mut harvest, tracker.state(0), printer, context)?;
                harvest.take_ended(&IndexSet::new(), tracker.state_mut(0));
            }
        }
        context.ui.flush()?;
    }
    let signals = context.signals.clone();
    loop {
        let Some(next) = signals.unless_asked(harvest.under_way.next()).await else {
            printer.end(context)?;
            return Ok(None);
        };
        let Some(gathered) = next else { break };
        line.take(gathered?, &mut harvest, tracker.state(0), printer, context)?;
    }
    line.end(printer, context)?;
    printer.end(context)?;
    cut_short.map_or_else(|| Ok(Some(tracker.into_state())), |error| Err(error.into()))
}

#[derive(Default)]
struct Line {
    keep_order: bool,
    /// Those that wait for lower ones.
    waiting: BTreeMap<u32, Gathered>,
    printed: IndexSet,
}

impl Line {
    /// Prints a result, and all that have waited for it; or lets it wait.
    fn take(
        &mut self,
        gathered: Gathered,
        harvest: &mut Harvest,
        state: &JobState,
        printer: &mut Printer,
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

    /// Prints what waits for what will not come.
    fn end(self, printer: &mut Printer, context: &mut Context) -> Result<()> {
        self.waiting.into_values().try_for_each(|gathered| printer.print(gathered, context))
    }
}
