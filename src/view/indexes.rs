//! A row for each index: cut to fit on a terminal, whole in a pipe.

use jiff::Timestamp;
use owo_colors::{AnsiColors, Style as Color};

use super::line::last_state;
use super::table::{Cell, left_out_note};
use super::{ColumnWidths, Painted, Style, duration, escape_control};
use crate::state::row::IndexRow;
use crate::state::{IndexStatus, ItemTexts};

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct IndexColumns {
    /// Adds the Pod and the message.
    pub(crate) wide: bool,
    pub(crate) headers: bool,
    /// On a terminal: ages, and cells cut to fit. Else: RFC 3339 times, whole seconds, nothing cut.
    pub(crate) style: Style,
    /// Leaves room for what later rows are likely to hold, where rows are printed again as they change.
    pub(crate) roomy: bool,
    /// The columns of the terminal; None if they are unknown.
    pub(crate) width: Option<usize>,
}

const COLUMNS: [&str; 12] =
    ["INDEX", "ITEM", "STATUS", "ATTEMPTS", "EXIT", "REASON", "NODE", "STARTED", "DURATION", "JOB", "POD", "MESSAGE"];
/// The number of columns that `-o wide` adds.
const WIDE: usize = 2;
const ITEM: usize = 1;
const STATUS: usize = 2;
const ATTEMPTS: usize = 3;
const EXIT: usize = 4;
const REASON: usize = 5;
const NODE: usize = 6;
const STARTED: usize = 7;
const DURATION: usize = 8;
const JOB: usize = 9;
const POD: usize = 10;
const MESSAGE: usize = 11;
/// The columns that are cut to fit a terminal, in this order, and the least width of each.
const ELASTIC: [(usize, usize); 7] =
    [(MESSAGE, 60), (ITEM, 24), (REASON, 16), (MESSAGE, 30), (ITEM, 12), (REASON, 10), (JOB, 20)];
/// The columns that are left out where cutting is not enough, in this order.
const SPARE: [usize; 7] = [STARTED, NODE, ATTEMPTS, DURATION, POD, JOB, EXIT];
/// Columns that fill up while a Job runs, and what is likely to stand in them.
const LIKELY: [(usize, &str); 3] = [(STATUS, "Succeeded"), (REASON, "ContainerCreating"), (STARTED, "119s ago")];
const LIKELY_TIME: (usize, &str) = (STARTED, "2026-01-01T00:00:00Z");

/// A table of indexes, measured by its first rows. In a pipe, later rows that are wider move the rest.
#[derive(Clone, Debug)]
pub(crate) struct IndexTable {
    columns: IndexColumns,
    widths: ColumnWidths,
    left_out: Vec<usize>,
}

impl IndexTable {
    pub(crate) fn new<'a>(
        rows: impl Iterator<Item = (&'a IndexRow, Option<&'a String>)>,
        columns: IndexColumns,
        now: Timestamp,
    ) -> Self {
        let count = if columns.wide { COLUMNS.len() } else { COLUMNS.len() - WIDE };
        let mut widths = ColumnWidths::default();
        widths.fit(&COLUMNS[..count]);
        if columns.roomy {
            let time = (!columns.style.terminal).then_some(LIKELY_TIME);
            let mut likely = [""; COLUMNS.len()];
            for (column, text) in LIKELY.into_iter().chain(time) {
                likely[column] = text;
            }
            widths.fit(&likely[..count]);
        }
        let mut several_jobs = false;
        for (row, item) in rows {
            several_jobs |= row.job.is_some();
            widths.fit(&cells(row, item, columns.style, now)[..count]);
        }
        if !several_jobs {
            widths.leave_out(JOB);
        }
        let narrow = |width| widths.narrow(width, &ELASTIC, &SPARE, columns.style);
        let left_out = columns.width.map(narrow).unwrap_or_default();
        Self { columns, widths, left_out }
    }

    pub(crate) fn header(&self) -> Painted {
        if self.columns.headers { self.line(&COLUMNS.map(str::to_owned), None) } else { Painted::default() }
    }

    pub(crate) fn row(&self, row: &IndexRow, item: Option<&String>, now: Timestamp) -> Painted {
        self.line(&cells(row, item, self.columns.style, now), color(row.status))
    }

    /// Returns the sentence about columns that the terminal has no room for; None if there are none.
    pub(crate) fn left_out(&self) -> Option<String> {
        let names: Vec<_> = self.left_out.iter().map(|column| COLUMNS[*column]).collect();
        left_out_note(&names)
    }

    fn line(&self, cells: &[String], status_color: Option<AnsiColors>) -> Painted {
        let mut line = Painted::default();
        for Cell { column, text, blanks } in self.widths.cells(cells) {
            line.push(" ".repeat(blanks));
            match status_color {
                Some(color) if column == STATUS => line.paint(&text, Color::new().color(color)),
                _ => line.push(text.as_bytes()),
            }
        }
        line.push("\n");
        line
    }
}

fn color(status: IndexStatus) -> Option<AnsiColors> {
    match status {
        IndexStatus::Failed => Some(AnsiColors::Red),
        IndexStatus::Retrying | IndexStatus::Unknown => Some(AnsiColors::Yellow),
        IndexStatus::Running => Some(AnsiColors::Cyan),
        IndexStatus::Succeeded => Some(AnsiColors::Green),
        IndexStatus::Starting | IndexStatus::Pending => None,
    }
}

fn cells(row: &IndexRow, item: Option<&String>, style: Style, now: Timestamp) -> [String; COLUMNS.len()] {
    // A line break in a cell would end its row, and a tab the cell: escaped in pipes too.
    let text = |text: Option<&str>| match text {
        Some(text) if !text.is_empty() => escape_control(text.trim_end_matches('\n')).replace('\t', "\\t"),
        _ => "-".to_owned(),
    };
    let number = |number: Option<String>| number.unwrap_or_else(|| "-".to_owned());
    let (started, took) = (row.started, row.seconds(now));
    let (started, took) = if style.terminal {
        let ago = |time: Timestamp| format!("{} ago", duration::human(now.as_second() - time.as_second()));
        (started.map(ago), took.map(duration::human))
    } else {
        (started.map(|time| time.to_string()), took.map(|seconds| format!("{seconds}s")))
    };
    [
        row.index.to_string(),
        text(item.map(String::as_str)),
        row.status.word().to_owned(),
        number(row.attempts.map(|attempts| attempts.to_string())),
        number(row.exit_code.map(|code| code.to_string())),
        text(reason(row)),
        text(row.node.as_deref()),
        number(started),
        number(took),
        text(row.job.as_deref()),
        text(row.pod.as_deref()),
        text(row.message.as_deref().map(last_state).as_deref()),
    ]
}

/// Returns the reason of a row, or the signal instead of `Error`, which says no more than the exit code.
pub(crate) fn reason(row: &IndexRow) -> Option<&str> {
    match row.reason.as_deref() {
        None | Some("Error") => row.signal().or(row.reason.as_deref()),
        reason => reason,
    }
}

/// The columns of CSV and TSV. The named columns of the items, if they have some, take the place of `item`.
const DATA_COLUMNS: [&str; 14] = [
    "index",
    "item",
    "status",
    "attempts",
    "exit_code",
    "signal",
    "reason",
    "node",
    "started",
    "finished",
    "duration_seconds",
    "pod",
    "message",
    "job",
];
const OUTPUT_COLUMN: &str = "output";

/// A table for programs, with the quotes of RFC 4180. Unknown values are empty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DataTable {
    /// A comma or a tab.
    pub(crate) delimiter: u8,
    /// Whether the output of the index is the last column.
    pub(crate) with_output: bool,
}

impl DataTable {
    pub(crate) fn header(self, items: &ItemTexts) -> Vec<u8> {
        let own: Vec<_> = DATA_COLUMNS.into_iter().filter(|name| *name != "item").chain([OUTPUT_COLUMN]).collect();
        let item = match items.columns() {
            [] => vec!["item".to_owned()],
            names => unique_columns(names, &own),
        };
        let [index, rest @ ..] = DATA_COLUMNS.map(str::to_owned);
        let output = self.with_output.then(|| OUTPUT_COLUMN.to_owned());
        self.record([index].into_iter().chain(item).chain(rest.into_iter().skip(1)).chain(output))
    }

    pub(crate) fn row(self, row: &IndexRow, items: &ItemTexts, output: &[u8], now: Timestamp) -> Vec<u8> {
        let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
        let index = row.index.to_string();
        let item: Vec<&str> = match (items.columns(), items.params(row.index)) {
            ([], _) => vec![items.get(&row.index).map_or("", String::as_str)],
            (columns, None) => vec![""; columns.len()],
            (_, Some(params)) => params.values().iter().map(String::as_str).collect(),
        };
        let cells = [
            Some(row.status.word().to_owned()),
            row.attempts.map(|attempts| attempts.to_string()),
            row.exit_code.map(|code| code.to_string()),
            row.signal().map(str::to_owned),
            row.reason.clone(),
            row.node.clone(),
            time(row.started),
            time(row.finished),
            row.seconds(now).map(|seconds| seconds.to_string()),
            row.pod.clone(),
            row.message.clone(),
            row.job.clone(),
        ];
        let cells = cells.iter().map(|cell| cell.as_deref().unwrap_or_default());
        let texts = std::iter::once(index.as_str()).chain(item).chain(cells).map(str::as_bytes);
        self.record(texts.chain(self.with_output.then_some(output)))
    }

    fn record(self, cells: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Vec<u8> {
        let mut writer = csv::WriterBuilder::new().delimiter(self.delimiter).from_writer(Vec::new());
        writer.write_record(cells).expect("a vector takes any bytes");
        writer.into_inner().expect("a vector takes any bytes")
    }
}

/// Returns the named columns of items as columns of a table. A name that the table has itself gets the prefix `item_`, as
/// often as it takes to be unique.
pub(super) fn unique_columns(names: &[String], own: &[&str]) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for name in names {
        let mut column = name.clone();
        while own.contains(&column.as_str()) || (column != *name && names.contains(&column)) {
            column.insert_str(0, "item_");
        }
        columns.push(column);
    }
    columns
}

#[cfg(test)]
pub(in crate::view) mod tests;
