//! `indexes`: how each index fares.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::io;

use anyhow::Result;
use jiff::Timestamp;

use super::follow::teller::ConnectionTeller;
use super::gather::gather;
use super::output::{self, Custom, Output};
use super::{Context, family, find, follow};
use crate::args::{IndexFormat, IndexKey, IndexesArgs, StatusFilter};
use crate::cluster::watch::Pods;
use crate::cluster::{Cluster, PodFilter};
use crate::error::{Error, Exit};
use crate::index_set::{IndexSelector, IndexSet, StatusWord};
use crate::state::attempt::PodRecord;
use crate::state::row::{IndexRow, SucceededRows};
use crate::state::{Event, IndexStatus, JobState};
use crate::ui::Ui;
use crate::view::indexes::{CSV_HEADER, Layout, Table, csv, reason};
use crate::view::json::{self, IndexEntry};
use crate::view::summary::ItemTexts;

pub(super) async fn indexes(args: IndexesArgs, context: &mut Context) -> Result<Exit> {
    let IndexesArgs { job, index, items: named_items, status, only_this, sort_by, output, no_headers, watch } = args;
    let Output { word: output, mut custom } = output::read(output, !no_headers)?;
    let whole = custom.as_ref().map(Custom::flag).or((output == Some(IndexFormat::Json)).then_some("-o json"));
    if let (Some(flag), true) = (whole, watch) {
        return Err(Error::usage(format!("{flag} is about all indexes as one object, which -w could not go on with"))
            .hint("-o jsonl prints an object for each change")
            .into());
    }
    let (cluster, job) = find::here(job.as_deref(), context).await?;
    let mut asked = Asked { selector: index, of_items: None, statuses: status.into_iter().map(status_of).collect() };
    // Names need no items, which may be a long list.
    let named = output == Some(IndexFormat::Name);
    let state = family::load(job.clone(), only_this, &cluster).await?;
    let listing = state.items_job().cloned().unwrap_or_default();
    if !named_items.is_empty() {
        let all = find::items(&listing, &cluster).await;
        asked.of_items = Some(find::with_items(&named_items, &all, &job)?);
    }
    let early = asked.items(&state, watch).filter(|_| !named);
    let items = async {
        match &early {
            Some(wanted) => find::items_of(wanted, &listing, &cluster).await,
            None => ItemTexts::new(),
        }
    };
    let ((state, mut succeeded), mut items) = {
        let (looked, items) = futures::join!(look(&cluster, state, &asked, |_| {}), items);
        (looked?, items)
    };
    let mut rows = asked.rows(&state, &mut succeeded)?;
    if early.is_none() && !named {
        items = find::items_of(&rows.iter().map(|row| row.index).collect(), &listing, &cluster).await;
    }
    sort(&mut rows, sort_by, &items, context.now());

    let layout = Layout {
        wide: output == Some(IndexFormat::Wide),
        headers: !no_headers,
        roomy: watch,
        style: context.ui.style(),
        width: context.ui.width(),
    };
    let now = context.now();
    if let Some(custom) = &mut custom {
        custom.list(&serde_json::to_value(json::index_list(&state, &rows, &items, now))?, context)?;
        return Ok(Exit::Success);
    }
    if output == Some(IndexFormat::Json) {
        serde_json::to_writer_pretty(Out(&mut context.ui), &json::index_list(&state, &rows, &items, now))
            .map_err(io::Error::from)?;
        context.ui.data("\n")?;
        return Ok(Exit::Success);
    }
    if rows.is_empty() && (!watch || state.outcome().is_some()) {
        let name = job.metadata.name.as_deref().unwrap_or_default();
        context.ui.status(&format!("no index of job {name} is as asked for"));
        return Ok(Exit::Success);
    }
    let table = Table::new(rows.iter().map(|row| (row, items.get(&row.index))), layout, now);
    let printer = Printer { output, table, items, headers: !no_headers };
    printer.begin(context)?;
    for row in &rows {
        printer.row(row, context)?;
    }
    if watch && state.outcome().is_none() {
        go_on(&cluster, state, &asked, rows, &printer, context).await?;
    }
    Ok(Exit::Success)
}

/// Which indexes are asked for.
pub(super) struct Asked {
    pub(super) selector: Option<IndexSelector>,
    /// The indexes of the items that are asked for, if any are.
    pub(super) of_items: Option<IndexSet>,
    /// Any, if none is named.
    pub(super) statuses: Vec<IndexStatus>,
}

impl Asked {
    /// The rows that are asked for, in order.
    ///
    /// # Errors
    /// If an index is named that the Job does not have.
    pub(super) fn rows(&self, state: &JobState, succeeded: &mut SucceededRows) -> Result<Vec<IndexRow>, Error> {
        let selected = self.selected(state)?;
        let mut rows = state.rows(&selected, succeeded);
        rows.retain(|row| self.statuses.is_empty() || self.statuses.contains(&row.status));
        Ok(rows)
    }

    /// The indexes that are asked for, however they fare.
    ///
    /// # Errors
    /// As [`Asked::rows`].
    fn selected(&self, state: &JobState) -> Result<IndexSet, Error> {
        Ok(self.of_these_items(&find::select(self.selector.as_ref(), state)?))
    }

    fn of_these_items(&self, indexes: &IndexSet) -> IndexSet {
        self.of_items.as_ref().map_or_else(|| indexes.clone(), |of_items| indexes.intersection(of_items))
    }

    /// The cheapest list of Pods from which the rows can be made; None if none is needed.
    ///
    /// The Job itself says what has completed. So Pods that succeeded are listed only if their rows are shown, and of
    /// a few indexes only their own.
    fn pods<'a>(&self, state: &JobState, exact: Option<&'a IndexSet>) -> Option<PodFilter<'a>> {
        let all = state.all();
        let over = state.outcome().is_some();
        let selected = |meaning: &dyn Fn(StatusWord) -> IndexSet| {
            self.of_these_items(&match &self.selector {
                Some(selector) => selector.resolve(meaning),
                None => all.clone(),
            })
        };
        let succeeded = selected(&|word| match word {
            StatusWord::Succeeded if over => state.succeeded(),
            StatusWord::All | StatusWord::Succeeded => all.clone(),
            _ => IndexSet::new(),
        });
        let succeeded = if over { succeeded.intersection(&state.succeeded()) } else { succeeded };
        if (self.statuses.is_empty() || self.statuses.contains(&IndexStatus::Succeeded)) && !succeeded.is_empty() {
            return Some(PodFilter { fields: None, indexes: exact });
        }
        // Where the Job keeps no list of its failed indexes, only their Pods tell which those are.
        let known = over && state.keeps_failed_indexes();
        let rest = selected(&|word| state.meaning(word)).difference(&state.succeeded());
        (!known || !rest.is_empty()).then_some(PodFilter { indexes: exact, ..PodFilter::UNSUCCESSFUL })
    }

    /// The indexes whose items are shown, if that does not depend on how they fare. Of those that change, any may be.
    fn items(&self, state: &JobState, watch: bool) -> Option<IndexSet> {
        if !self.statuses.is_empty() && !watch {
            return None;
        }
        let all = || state.all();
        let any = self.selector.is_none() || watch;
        self.exact().or_else(|| any.then(all))
    }

    /// The indexes that are asked for, if that does not depend on how they fare.
    fn exact(&self) -> Option<IndexSet> {
        let fixed = self.selector.as_ref().and_then(IndexSelector::fixed);
        match &self.of_items {
            Some(of_items) => Some(fixed.map_or_else(|| of_items.clone(), |fixed| fixed.intersection(of_items))),
            None => fixed,
        }
    }
}

/// What the server knows of the indexes that are asked for; each Pod is shown to `see` first.
pub(super) async fn look(
    cluster: &Cluster,
    state: JobState,
    asked: &Asked,
    see: impl FnMut(&PodRecord),
) -> Result<(JobState, SucceededRows), Error> {
    // Before anything is listed, so that what can't be meant costs nothing.
    find::select(asked.selector.as_ref(), &state)?;
    let exact = asked.exact();
    match asked.pods(&state, exact.as_ref()) {
        Some(filter) => gather(state, filter, cluster, see).await,
        None => Ok((state, SucceededRows::default())),
    }
}

/// Prints each row again that changes, until the Job has ended.
async fn go_on(
    cluster: &Cluster,
    mut state: JobState,
    asked: &Asked,
    rows: Vec<IndexRow>,
    printer: &Printer,
    context: &mut Context,
) -> Result<()> {
    context.ui.flush()?;
    let mut shown: BTreeMap<u32, IndexRow> = rows.into_iter().map(|row| (row.index, row)).collect();
    let mut succeeded = SucceededRows::default();
    let mut notices = family::watch(&state, Pods::All, cluster);
    let mut connection = ConnectionTeller::default();
    while state.outcome().is_none() {
        let Some(events) = connection.next(&mut notices, context).await? else { break };
        let touched = events
            .into_iter()
            .fold(IndexSet::new(), |touched, event| touched.union(&take_in(event, &mut state, &mut succeeded)));
        if state.is_gone() {
            return Err(follow::gone(&state, cluster).into());
        }
        let wanted = asked.selected(&state)?.intersection(&touched);
        print_changed(state.rows(&wanted, &mut succeeded.of(&wanted)), asked, &mut shown, printer, context)?;
    }
    // The last Pods may end a moment after the Job is told to have ended.
    let (state, mut succeeded) = look(cluster, state, asked, |_| {}).await?;
    print_changed(asked.rows(&state, &mut succeeded)?, asked, &mut shown, printer, context)
}

/// Takes in what was seen, and tells whose rows may have changed by it.
fn take_in(event: Event, state: &mut JobState, succeeded: &mut SucceededRows) -> IndexSet {
    let all = |state: &JobState| state.all();
    let touched = match &event {
        Event::Pod(pod) => {
            succeeded.take(pod, state);
            state.index_of_pod(pod).into_iter().collect()
        }
        Event::PodGone { uid } => {
            let attempts = state.attempts();
            attempts
                .into_values()
                .flatten()
                .filter(|attempt| attempt.uid == *uid)
                .map(|attempt| attempt.index)
                .collect()
        }
        Event::Job(_) => {
            let (done, failed, over) = (state.succeeded(), state.failed(), state.outcome());
            state.apply(event);
            let changed =
                |before: &IndexSet, after: &IndexSet| after.difference(before).union(&before.difference(after));
            return if over == state.outcome() {
                changed(&done, &state.succeeded()).union(&changed(&failed, &state.failed()))
            } else {
                all(state)
            };
        }
        Event::PodListEnds { .. } => all(state),
        Event::PodListBegins { .. } | Event::JobGone | Event::Happened(_) => IndexSet::new(),
    };
    state.apply(event);
    touched
}

fn print_changed(
    rows: Vec<IndexRow>,
    asked: &Asked,
    shown: &mut BTreeMap<u32, IndexRow>,
    printer: &Printer,
    context: &mut Context,
) -> Result<()> {
    for row in rows {
        if shown.get(&row.index) == Some(&row) {
            continue;
        }
        if asked.statuses.is_empty() || asked.statuses.contains(&row.status) {
            printer.row(&row, context)?;
        }
        shown.insert(row.index, row);
    }
    Ok(context.ui.flush()?)
}

/// Prints rows one by one.
struct Printer {
    output: Option<IndexFormat>,
    table: Table,
    items: ItemTexts,
    headers: bool,
}

impl Printer {
    fn begin(&self, context: &mut Context) -> io::Result<()> {
        match self.output {
            None | Some(IndexFormat::Wide) => context.ui.data(self.table.header()),
            Some(IndexFormat::Csv) if self.headers => context.ui.data(CSV_HEADER),
            _ => Ok(()),
        }
    }

    fn row(&self, row: &IndexRow, context: &mut Context) -> Result<()> {
        let item = self.items.get(&row.index);
        let now = context.now();
        let line = match self.output {
            None | Some(IndexFormat::Wide) => return Ok(context.ui.data(self.table.row(row, item, now))?),
            Some(IndexFormat::Csv) => csv(row, item, now),
            Some(IndexFormat::Json | IndexFormat::Jsonl) => {
                format!("{}\n", serde_json::to_string(&IndexEntry::new(row, item, now))?).into_bytes()
            }
            Some(IndexFormat::Name) => match &row.pod {
                Some(pod) => format!("pod/{pod}\n").into_bytes(),
                // It was never tried, or its Pod is gone: nothing that kubectl could go on with.
                None => return Ok(()),
            },
        };
        Ok(context.ui.data(line)?)
    }
}

/// The stream for data, for those that write piece by piece.
struct Out<'a>(&'a mut Ui);

impl io::Write for Out<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.data(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
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

/// Sorts rows that are in the order of their indexes; those that have no value come last.
fn sort(rows: &mut [IndexRow], key: IndexKey, items: &ItemTexts, now: Timestamp) {
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

    fn state(over: bool) -> JobState {
        let ended = json!([{"type": "Failed", "status": "True"}]);
        let job = json!({
            "metadata": {"name": "j", "uid": "u"},
            "spec": {"completions": 10, "completionMode": "Indexed", "backoffLimitPerIndex": 0, "template": {}},
            "status": {"completedIndexes": "0-7", "failedIndexes": "8,9", "conditions": if over { ended } else { json!([]) }},
        });
        JobState::new(serde_json::from_value(job).unwrap())
    }

    /// The list of Pods that is asked for: `all` of them or only `unsuccessful` ones, and of which indexes.
    fn pods(index: Option<&str>, statuses: &[IndexStatus], over: bool) -> String {
        let asked =
            Asked { selector: index.map(|text| text.parse().unwrap()), of_items: None, statuses: statuses.to_vec() };
        let state = state(over);
        let exact = asked.exact();
        let Some(filter) = asked.pods(&state, exact.as_ref()) else { return "none".to_owned() };
        let of = filter.indexes.map_or_else(String::new, |indexes| format!(" of {indexes}"));
        format!("{}{of}", if filter.fields.is_some() { "unsuccessful" } else { "all" })
    }

    #[test]
    fn no_more_pods_are_listed_than_the_rows_need() {
        assert_eq!(pods(None, &[], true), "all");
        assert_eq!(pods(None, &[IndexStatus::Failed], true), "unsuccessful");
        assert_eq!(pods(Some("failed"), &[], true), "unsuccessful");
        assert_eq!(pods(Some("!succeeded"), &[], true), "unsuccessful");
        assert_eq!(pods(Some("!failed"), &[], true), "all");
        assert_eq!(pods(Some("3,9"), &[], true), "all of 3,9");
        assert_eq!(pods(Some("9"), &[], true), "unsuccessful of 9");
        assert_eq!(pods(Some("3"), &[IndexStatus::Failed], true), "none", "the Job itself says that it completed");
        assert_eq!(pods(Some("0-7"), &[IndexStatus::Pending], true), "none");
        // While it runs, what is not known to have completed may have by the time of the answer.
        assert_eq!(pods(Some("9"), &[], false), "all of 9");
        assert_eq!(pods(Some("running,failed"), &[], false), "unsuccessful");
        assert_eq!(pods(Some("running"), &[IndexStatus::Succeeded], false), "unsuccessful");
    }

    #[test]
    fn items_that_are_asked_for_narrow_what_is_listed() {
        let of = |index: Option<&str>| {
            let selector = index.map(|text| text.parse().unwrap());
            let asked = Asked { selector, of_items: Some("3,9".parse().unwrap()), statuses: Vec::new() };
            asked.exact().unwrap().to_string()
        };
        assert_eq!(of(None), "3,9");
        assert_eq!(of(Some("0-5")), "3");
        assert_eq!(of(Some("failed")), "3,9");
    }

    #[test]
    fn no_more_items_are_asked_for_than_the_rows_need() {
        let items = |index: Option<&str>, statuses: &[IndexStatus], watch| {
            let asked = Asked {
                selector: index.map(|text| text.parse().unwrap()),
                of_items: None,
                statuses: statuses.to_vec(),
            };
            let early = asked.items(&state(false), watch);
            early.map_or_else(|| "those of the rows".to_owned(), |indexes| indexes.to_string())
        };
        assert_eq!(items(None, &[], false), "0-9");
        assert_eq!(items(Some("3,9"), &[], false), "3,9");
        assert_eq!(items(Some("failed"), &[], false), "those of the rows");
        assert_eq!(items(None, &[IndexStatus::Failed], false), "those of the rows");
        assert_eq!(items(Some("3,9"), &[IndexStatus::Failed], false), "those of the rows");
        // Whatever fails later is shown with its item.
        assert_eq!(items(Some("failed"), &[], true), "0-9");
        assert_eq!(items(Some("3,9"), &[IndexStatus::Failed], true), "3,9");
    }

    #[test]
    fn rows_without_a_value_come_last() {
        let state = state(true);
        let mut rows = state.rows(&IndexSet::below(4), &mut SucceededRows::default());
        (rows[1].exit_code, rows[3].exit_code) = (Some(7), Some(0));
        let items: ItemTexts = [(0, "10"), (1, "9"), (2, "x"), (3, "8")].map(|(at, item)| (at, item.to_owned())).into();
        let mut order = |key, items: &ItemTexts| {
            sort(&mut rows, key, items, Timestamp::UNIX_EPOCH);
            rows.iter().map(|row| row.index).collect::<Vec<_>>()
        };
        assert_eq!(order(IndexKey::Exit, &items), [3, 1, 0, 2]);
        assert_eq!(order(IndexKey::Item, &items), [0, 3, 1, 2], "one of them is no number");
        let numbers = items.into_iter().filter(|(index, _)| *index != 2).collect();
        assert_eq!(order(IndexKey::Item, &numbers), [3, 1, 0, 2]);
    }
}
