//! A row for each index, for a person on a terminal or for a program behind a pipe.

use jiff::Timestamp;
use owo_colors::{AnsiColors, Style as Color};
use unicode_width::UnicodeWidthStr as _;

use super::line::last_state;
use super::{Painted, Style, cut, duration, escape_control};
use crate::state::row::IndexRow;
use crate::state::{IndexStatus, ItemTexts};

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Layout {
    /// With the Pod and the message.
    pub(crate) wide: bool,
    pub(crate) headers: bool,
    /// On a terminal: ages, and cells cut to fit. Else: RFC 3339 times, whole seconds, nothing cut.
    pub(crate) style: Style,
    /// With room for what later rows are likely to hold, where rows are printed again as they change.
    pub(crate) roomy: bool,
    /// Columns of the terminal, if they are known.
    pub(crate) width: Option<usize>,
}

const COLUMNS: [&str; 12] =
    ["INDEX", "ITEM", "STATUS", "ATTEMPTS", "EXIT", "REASON", "NODE", "STARTED", "DURATION", "JOB", "POD", "MESSAGE"];
/// Those that `-o wide` adds.
const WIDE: usize = 2;
const STATUS: usize = 2;
/// Only where rows are of several Jobs.
const JOB: usize = 9;
/// Columns that can be cut, in this order, and how much of them stays.
const ELASTIC: [(usize, usize); 3] = [(11, 60), (1, 12), (5, 16)];
/// Columns that fill up while a Job goes on, and what is likely to stand in them.
const LIKELY: [(usize, &str); 3] = [(STATUS, "Succeeded"), (5, "ContainerCreating"), (7, "119s ago")];
const LIKELY_TIME: (usize, &str) = (7, "2026-01-01T00:00:00Z");
const GAP: usize = 3;

/// The columns of a table, measured by its first rows. Rows that come later may be wider, and then push.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    layout: Layout,
    /// Of each column; None for one that is not shown.
    widths: Vec<Option<usize>>,
}

impl Table {
    pub(crate) fn new<'a>(
        rows: impl Iterator<Item = (&'a IndexRow, Option<&'a String>)>,
        layout: Layout,
        now: Timestamp,
    ) -> Self {
        let count = if layout.wide { COLUMNS.len() } else { COLUMNS.len() - WIDE };
        let rows: Vec<_> = rows.collect();
        let several = rows.iter().any(|(row, _)| row.job.is_some());
        let mut widths: Vec<_> = COLUMNS[..count].iter().map(|name| name.len()).collect();
        if layout.roomy {
            let time = (!layout.style.terminal).then_some(LIKELY_TIME);
            for (column, likely) in LIKELY.into_iter().chain(time) {
                widths[column] = widths[column].max(likely.len());
            }
        }
        for (row, item) in rows {
            for (width, cell) in widths.iter_mut().zip(cells(row, item, layout.style, now)) {
                *width = (*width).max(cell.width());
            }
        }
        let shown = |column: usize| column != JOB || several;
        let lengths = widths.iter().enumerate().filter(|(column, _)| shown(*column)).map(|(_, width)| width + GAP);
        let total = lengths.sum::<usize>() - GAP;
        let mut over = layout.width.map_or(0, |width| total.saturating_sub(width));
        for (column, least) in ELASTIC {
            if let Some(width) = widths.get_mut(column).filter(|width| **width > least) {
                let less = over.min(*width - least);
                *width -= less;
                over -= less;
            }
        }
        let widths = widths.into_iter().enumerate().map(|(column, width)| shown(column).then_some(width));
        Self { layout, widths: widths.collect() }
    }

    pub(crate) fn header(&self) -> Painted {
        if self.layout.headers { self.line(&COLUMNS.map(str::to_owned), None) } else { Painted::default() }
    }

    pub(crate) fn row(&self, row: &IndexRow, item: Option<&String>, now: Timestamp) -> Painted {
        self.line(&cells(row, item, self.layout.style, now), color(row.status))
    }

    fn line(&self, cells: &[String], status_color: Option<AnsiColors>) -> Painted {
        let mut line = Painted::default();
        let last = self.widths.iter().rposition(Option::is_some).unwrap_or(0);
        for (column, (cell, &width)) in cells.iter().zip(&self.widths).enumerate() {
            let Some(width) = width else { continue };
            let cell = if self.layout.width.is_some() { cut(cell, width) } else { cell.into() };
            match status_color {
                Some(color) if column == STATUS => line.paint(&cell, Color::new().color(color)),
                _ => line.push(cell.as_bytes()),
            }
            if column < last {
                line.push(" ".repeat(width.saturating_sub(cell.width()) + GAP));
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
    // A line break inside a cell would be the end of its row, and a tab the end of the cell: escaped for everyone.
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

/// What to call it: "Error" says no more than the exit code, and then the signal says more.
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
