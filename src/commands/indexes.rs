//! `indexes`: prints the status of each index.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use anyhow::Result;
use jiff::Timestamp;

use super::follow::report::{Progress, print_remark};
use super::output::{self, OutputChoice};
use super::{Context, find};
use crate::args::{IndexFormat, IndexKey, IndexesArgs, StatusFilter};
use crate::cluster::Cluster;
use crate::error::{Error, Exit, Hint};
use crate::index_set::IndexSet;
use crate::state::row::{IndexRow, SucceededRows};
use crate::state::{IndexStatus, ItemTexts, JobState};
use crate::tracker::selection::IndexSelection;
use crate::tracker::snapshot::load_selected;
use crate::tracker::{Interest, Tracker, TrackingEnd};
use crate::view::indexes::{DataTable, IndexColumns, IndexTable, reason};
use crate::view::json::{self, IndexEntry};
use crate::view::{Wording, cause};

pub(super) async fn indexes(args: IndexesArgs, context: &mut Context) -> Result<Exit> {
    let IndexesArgs { job, index, items: named_items, status, only_this, sort_by, output, no_headers, watch } = args;
    let OutputChoice { word: output, mut custom } = output::read(output, !no_headers)?;
    let whole = custom.as_ref().map(|custom| custom.flag).or((output == Some(IndexFormat::Json)).then_some("-o json"));
    if let (Some(flag), true) = (whole, watch) {
        return Err(Error::usage(format!("{flag} prints all indexes as one object, and -w prints changes"))
            .hint("-o jsonl prints an object for each change")
            .into());
    }
    let (cluster, job) = find::connect_and_find_job(job.as_deref(), context).await?;
    let name = job.metadata.name.clone().unwrap_or_default();
    let mut selection = IndexSelection::new(index, status.into_iter().map(status_of).collect());
    // -o name needs no items, which may be a long list.
    let named = output == Some(IndexFormat::Name);
    let state = find::load_family(job, only_this, &cluster, context).await?;
    let listing = state.items_job().cloned();
    if !named_items.is_empty() {
        let all = find::items_or_warning(find::load_items(&state, &cluster).await, context)?;
        selection.narrow_to_items(&named_items, &all, &name)?;
    }
    let early = selection.items_shown(&state, watch).filter(|_| !named);
    let items = async {
        match &early {
            Some(wanted) => find::load_items_of(wanted, listing.as_ref(), &cluster).await,
            None => Ok(ItemTexts::new()),
        }
    };
    let (looked, mut items) = futures::join!(load_selected(&cluster, state, &selection, |_| {}), items);
    let (mut state, mut succeeded) = looked?;
    let mut rows = state.rows(&selection.indexes(&state), &mut succeeded);
    rows.retain(|row| selection.accepts(row.status));
    if output == Some(IndexFormat::Wide) {
        find::add_events(&mut state, &cluster, context.now()).await;
        set_cause_messages(&mut rows, &state, context.now());
    }
    if early.is_none() && !named {
        let shown = rows.iter().map(|row| row.index).collect();
        items = find::load_items_of(&shown, listing.as_ref(), &cluster).await;
    }
    let items = find::items_or_warning(items, context)?;
    sort_rows(&mut rows, sort_by, &items, context.now());

    let columns = IndexColumns {
        wide: output == Some(IndexFormat::Wide),
        headers: !no_headers,
        roomy: watch,
        style: context.ui.style,
        width: context.ui.width(),
    };
    let now = context.now();
    if let Some(custom) = &mut custom {
        custom.list(&serde_json::to_value(json::index_list(&state, &rows, &items, now))?, context)?;
        return Ok(Exit::Success);
    }
    if output == Some(IndexFormat::Json) {
        serde_json::to_writer_pretty(&mut context.ui, &json::index_list(&state, &rows, &items, now))
            .map_err(io::Error::from)?;
        context.ui.data("\n")?;
        return Ok(Exit::Success);
    }
    if rows.is_empty() && (!watch || state.outcome().is_some()) {
        context.ui.status(&format!("no indexes of job {name} match"));
        return Ok(Exit::Success);
    }
    let table = IndexTable::new(rows.iter().map(|row| (row, items.get(&row.index))), columns, now);
    let printer = RowPrinter { output, table, data: data_table(output), items, headers: !no_headers };
    printer.print_header(context)?;
    for row in &rows {
        printer.print_row(row, context)?;
    }
    if matches!(output, None | Some(IndexFormat::Wide)) {
        printer.table.left_out().inspect(|note| context.ui.status(note));
    }
    if watch && state.outcome().is_none() {
        return print_changes(&cluster, state, &selection, rows, &printer, context).await;
    }
    Ok(Exit::Success)
}

/// Prints each row that changes, until the Job has ended.
async fn print_changes(
    cluster: &Arc<Cluster>,
    state: JobState,
    selection: &IndexSelection,
    rows: Vec<IndexRow>,
    printer: &RowPrinter,
    context: &mut Context,
) -> Result<Exit> {
    context.ui.flush()?;
    let name = state.job().and_then(|job| job.metadata.name.clone()).unwrap_or_default();
    let mut shown: BTreeMap<u32, IndexRow> = rows.into_iter().map(|row| (row.index, row)).collect();
    let mut waiting = IndexSet::new();
    let mut progress = Progress::new(&state, context.now());
    let mut tracker = Tracker::new(cluster, vec![state], Interest::Indexes, &context.signals, None);
    loop {
        let step = tracker.next().await?;
        if step.is_tick() {
            progress.tick(&tracker, 0, context);
        }
        print_remark(step.remark, context);
        let state = tracker.state(0);
        waiting = waiting.union(&step.changed);
        // An index with several Pods is known only after the whole list.
        let ready = state.is_listed() || step.ended.is_some();
        let changed = if ready { std::mem::take(&mut waiting) } else { IndexSet::new() };
        let changed = selection.indexes(state).intersection(&changed);
        let mut rows = state.rows(&changed, &mut SucceededRows::default());
        if printer.output == Some(IndexFormat::Wide) {
            set_cause_messages(&mut rows, state, context.now());
        }
        for row in rows {
            if shown.get(&row.index) == Some(&row) {
                continue;
            }
            if selection.accepts(row.status) {
                printer.print_row(&row, context)?;
            }
            shown.insert(row.index, row);
        }
        context.ui.flush()?;
        match step.ended {
            None => {}
            Some(TrackingEnd::Finished(settled)) => return Ok(settled.map(|()| Exit::Success)?),
            Some(TrackingEnd::Deleted) => return Err(tracker.deletion_error(0).into()),
            Some(TrackingEnd::Stopped(_)) => {
                context.ui.status(&format!("interrupted: job {name} goes on"));
                context.ui.hint(Hint::indexed(&["indexes", &name, "-w"], "prints further changes"));
                return Ok(Exit::Interrupted);
            }
        }
    }
}

/// Sets the message of each unfinished row to its cause, as `describe` prints it. A failed worker keeps its own message.
fn set_cause_messages(rows: &mut [IndexRow], state: &JobState, now: Timestamp) {
    let causes = cause::causes(state, now, Wording::default());
    let wrote = |index| {
        let last = state.attempts_of(index).last();
        last.is_some_and(|last| !last.is_other_container && last.own_message().is_some())
    };
    for row in rows.iter_mut().filter(|row| row.status != IndexStatus::Failed || !wrote(row.index)) {
        if let Some(why) = cause::of_index(&causes, row.index) {
            row.message = Some(why.to_owned());
        }
    }
}

struct RowPrinter {
    output: Option<IndexFormat>,
    table: IndexTable,
    /// The columns of CSV or TSV, if one of them is printed.
    data: Option<DataTable>,
    items: ItemTexts,
    headers: bool,
}

impl RowPrinter {
    fn print_header(&self, context: &mut Context) -> io::Result<()> {
        match self.output {
            None | Some(IndexFormat::Wide) => context.ui.data(self.table.header()),
            _ => match self.data.filter(|_| self.headers) {
                Some(table) => context.ui.data(table.header(&self.items)),
                None => Ok(()),
            },
        }
    }

    fn print_row(&self, row: &IndexRow, context: &mut Context) -> Result<()> {
        let (items, now) = (&self.items, context.now());
        let line = match self.output {
            None | Some(IndexFormat::Wide) => {
                return Ok(context.ui.data(self.table.row(row, items.get(&row.index), now))?);
            }
            Some(IndexFormat::Csv | IndexFormat::Tsv) => {
                self.data.map_or_else(Vec::new, |table| table.row(row, items, &[], now))
            }
            Some(IndexFormat::Json | IndexFormat::Jsonl) => {
                format!("{}\n", serde_json::to_string(&IndexEntry::new(row, items, now))?).into_bytes()
            }
            Some(IndexFormat::Name) => match &row.pod {
                Some(pod) => format!("pod/{pod}\n").into_bytes(),
                // The index has no Pod.
                None => return Ok(()),
            },
        };
        Ok(context.ui.data(line)?)
    }
}

/// Returns the table that `-o csv` and `-o tsv` print.
fn data_table(output: Option<IndexFormat>) -> Option<DataTable> {
    let delimiter = match output {
        Some(IndexFormat::Csv) => b',',
        Some(IndexFormat::Tsv) => b'\t',
        _ => return None,
    };
    Some(DataTable { delimiter, with_output: false })
}

pub(super) fn status_of(filter: StatusFilter) -> IndexStatus {
    match filter {
        StatusFilter::Pending => IndexStatus::Pending,
        StatusFilter::Starting => IndexStatus::Starting,
        StatusFilter::Running => IndexStatus::Running,
        StatusFilter::Retrying => IndexStatus::Retrying,
        StatusFilter::Unknown => IndexStatus::Unknown,
        StatusFilter::Succeeded => IndexStatus::Succeeded,
        StatusFilter::Failed => IndexStatus::Failed,
    }
}

/// Sorts rows, which are in the order of their indexes. Rows without a value come last.
fn sort_rows(rows: &mut [IndexRow], key: IndexKey, items: &ItemTexts, now: Timestamp) {
    fn compare<T: Ord>(a: Option<T>, b: Option<T>) -> Ordering {
        (a.is_none(), a).cmp(&(b.is_none(), b))
    }
    match key {
        IndexKey::Index => {}
        IndexKey::Item => {
            let numeric = !items.is_empty() && items.values().all(|item| item.parse::<f64>().is_ok());
            rows.sort_by(|a, b| {
                let (a, b) = (items.get(&a.index), items.get(&b.index));
                let number = |item: Option<&String>| item.and_then(|item| item.parse::<f64>().ok());
                match (number(a), number(b)) {
                    (Some(a), Some(b)) if numeric => a.total_cmp(&b),
                    _ => compare(a, b),
                }
            });
        }
        IndexKey::Status => rows.sort_by_key(|row| row.status),
        IndexKey::Attempts => rows.sort_by(|a, b| compare(a.attempts, b.attempts)),
        IndexKey::Exit => rows.sort_by(|a, b| compare(a.exit_code, b.exit_code)),
        IndexKey::Reason => rows.sort_by(|a, b| compare(reason(a), reason(b))),
        IndexKey::Node => rows.sort_by(|a, b| compare(a.node.as_ref(), b.node.as_ref())),
        IndexKey::Started => rows.sort_by(|a, b| compare(a.started, b.started)),
        IndexKey::Duration => rows.sort_by(|a, b| compare(a.seconds(now), b.seconds(now))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn state() -> JobState {
        let job = json!({
            "metadata": {"name": "j", "uid": "u"},
            "spec": {"completions": 10, "completionMode": "Indexed", "backoffLimitPerIndex": 0, "template": {}},
            "status": {"completedIndexes": "0-7", "failedIndexes": "8,9"},
        });
        JobState::new(serde_json::from_value(job).unwrap())
    }

    #[test]
    fn rows_without_a_value_come_last() {
        let state = state();
        let mut rows = state.rows(&IndexSet::below(4), &mut SucceededRows::default());
        (rows[1].exit_code, rows[3].exit_code) = (Some(7), Some(0));
        let items = [(0, "10"), (1, "9"), (2, "x"), (3, "8")].map(|(at, item)| (at, item.to_owned()));
        let numbers: ItemTexts = items.clone().into_iter().filter(|(index, _)| *index != 2).collect();
        let items: ItemTexts = items.into_iter().collect();
        let mut order = |key, items: &ItemTexts| {
            sort_rows(&mut rows, key, items, Timestamp::UNIX_EPOCH);
            rows.iter().map(|row| row.index).collect::<Vec<_>>()
        };
        assert_eq!(order(IndexKey::Exit, &items), [3, 1, 0, 2]);
        assert_eq!(order(IndexKey::Item, &items), [0, 3, 1, 2], "one of them is no number");
        assert_eq!(order(IndexKey::Item, &numbers), [3, 1, 0, 2]);
    }
}
