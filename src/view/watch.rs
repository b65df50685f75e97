//! The live screen of a Job: lines that fit the window.

use jiff::Timestamp;
use owo_colors::{AnsiColors, Style as Color};
use unicode_width::UnicodeWidthStr as _;

use super::cause::{self, IndexCause, Subject};
use super::group::explaining_attempt;
use super::progress::{self, Pace};
use super::summary::ItemTexts;
use super::{Painted, Style, Wording, cut, duration, escape_control, one_line};
use crate::index_set::IndexSet;
use crate::state::attempt::{Attempt, Phase};
use crate::state::{self, JobState};

pub(crate) struct Picture<'a> {
    pub(crate) state: &'a JobState,
    pub(crate) items: &'a ItemTexts,
    pub(crate) namespace: &'a str,
    pub(crate) pace: &'a Pace,
    /// The problem of the connection, or of the Job.
    pub(crate) trouble: Option<&'a str>,
    pub(crate) now: Timestamp,
    pub(crate) style: Style,
}

const ITEM: usize = 24;
const NODE: usize = 20;
/// The number of lines that a problem and its hint may take.
const TROUBLE: usize = 3;
/// The longest list of rows that is laid out: no window shows more.
const ROWS: usize = 200;

/// Returns as many lines as the window has, and none wider.
pub(crate) fn screen(picture: &Picture<'_>, (columns, rows): (usize, usize)) -> Vec<Painted> {
    let mut lines = head(picture, columns);
    let wording = Wording { style: picture.style, ..Wording::default() };
    let causes = cause::blocked(picture.state, picture.now, wording);
    let tables = [failed_table(picture, &causes), active_table(picture, &causes), event_table(picture)];
    let room = rows.saturating_sub(lines.len() + 1);
    let shares = share_rows(room, tables.each_ref().map(|table| table.rows.len()));
    for (table, share) in tables.iter().zip(shares) {
        if share > 0 {
            table.draw(share, columns, picture.style, &mut lines);
        }
    }
    lines.truncate(rows.saturating_sub(1));
    // At the bottom, where it does not move.
    lines.resize(rows.saturating_sub(1), Painted::default());
    if rows > 0 {
        lines.push(line("q quits; the job goes on", columns, Color::new().dimmed(), picture.style));
    }
    lines
}

/// Returns the number of rows of each table: in turn each gets one more, until there is no room or no need. A table costs
/// two lines more, a blank one and its header, and one for the number of rows that are left out.
fn share_rows(room: usize, needs: [usize; 3]) -> [usize; 3] {
    let mut shares = [0; 3];
    let mut left = room;
    loop {
        let mut given = false;
        for (share, need) in shares.iter_mut().zip(needs) {
            // The last row takes the line of the number of rows left out.
            let cost = match (*share, need) {
                (0, 1) => 3,
                (0, _) => 4,
                (share, need) => usize::from(share + 1 < need),
            };
            if *share < need && left >= cost {
                *share += 1;
                left -= cost;
                given = true;
            }
        }
        if !given {
            return shares;
        }
    }
}

/// Returns a line cut to the width of the window.
fn line(text: &str, columns: usize, color: Color, style: Style) -> Painted {
    let mut line = Painted::default();
    line.paint(&cut(text, columns, style), color);
    line
}

fn head(picture: &Picture<'_>, columns: usize) -> Vec<Painted> {
    let Picture { state, pace, now, style, .. } = *picture;
    let Some(job) = state.job() else { return Vec::new() };
    let name = job.metadata.name.as_deref().unwrap_or_default();
    let title = format!("job {name} in namespace {}: {}", picture.namespace, state::status_word(job));
    let mut lines = vec![
        line(&title, columns, Color::new().bold(), style),
        line(&progress::line(state, pace, now), columns, Color::new(), style),
        bar(state, columns),
        Painted::default(),
    ];
    let colors = [AnsiColors::Green, AnsiColors::Red, AnsiColors::Cyan, AnsiColors::Default];
    let sets = [
        ("completed", state.succeeded()),
        ("failed", state.failed()),
        ("running", state.running()),
        ("pending", state.pending()),
    ];
    let width = state.completions().to_string().len();
    for ((word, set), color) in sets.into_iter().zip(colors) {
        let color = if set.is_empty() { Color::new().dimmed() } else { Color::new().color(color) };
        let text = format!("{word:9}  {:>width$}  {set}", set.len());
        lines.push(line(text.trim_end(), columns, color, style));
    }
    if let Some(trouble) = picture.trouble {
        lines.push(Painted::default());
        let wrapped = wrapped(trouble, columns, TROUBLE);
        lines.extend(wrapped.iter().map(|part| line(part, columns, Color::new().color(AnsiColors::Yellow), style)));
    }
    lines
}

/// Returns text as at most `limit` lines; only the last one can be too long.
fn wrapped(text: &str, columns: usize, limit: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        if lines[last].is_empty() {
            word.clone_into(&mut lines[last]);
        } else if last + 1 == limit || lines[last].width() + 1 + word.width() <= columns {
            lines[last] += " ";
            lines[last] += word;
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// Returns a bar with a part for each state, as long as its share of the indexes and at least one column if it has any.
fn bar(state: &JobState, columns: usize) -> Painted {
    let width = columns.min(80);
    let counts = state.counts();
    let parts = [
        (counts.succeeded, '█', AnsiColors::Green),
        (counts.failed, '×', AnsiColors::Red),
        (counts.running, '▒', AnsiColors::Cyan),
    ];
    let mut line = Painted::default();
    let mut used = 0;
    for (count, sign, color) in parts {
        let share = if count == 0 { 0 } else { (count * width / counts.total.max(1)).max(1) };
        let share = share.min(width - used);
        used += share;
        if share > 0 {
            line.paint(&sign.to_string().repeat(share), Color::new().color(color));
        }
    }
    line.paint(&"░".repeat(width - used), Color::new().dimmed());
    line
}

/// Rows under a header. The last column gets the rest of the line.
struct ScreenTable {
    head: &'static [&'static str],
    rows: Vec<Vec<String>>,
    /// The number of rows, with those that no window shows.
    total: usize,
    color: Color,
}

impl ScreenTable {
    /// Draws at most so many rows, and says how many are left out.
    fn draw(&self, limit: usize, columns: usize, style: Style, lines: &mut Vec<Painted>) {
        let shown = &self.rows[..limit.min(self.rows.len())];
        // An empty column takes no room.
        let widths = (0..self.head.len()).filter(|&at| at == 0 || shown.iter().any(|row| !is_empty(&row[at])));
        let widths: Vec<_> = widths
            .map(|at| (at, shown.iter().map(|row| row[at].width()).chain([self.head[at].width()]).max().unwrap_or(0)))
            .collect();
        let join = |cell: &dyn Fn(usize) -> String| {
            let cells = widths.iter().map(|&(at, width)| {
                let cell = cell(at);
                let blanks = " ".repeat(width.saturating_sub(cell.width()));
                cell + &blanks
            });
            cells.collect::<Vec<_>>().join("   ").trim_end().to_owned()
        };
        lines.push(Painted::default());
        lines.push(line(&join(&|at| self.head[at].to_owned()), columns, self.color.bold(), style));
        lines.extend(shown.iter().map(|row| line(&join(&|at| row[at].clone()), columns, Color::new(), style)));
        if shown.len() < self.total {
            let more = format!("+{} more", self.total - shown.len());
            lines.push(line(&more, columns, Color::new().dimmed(), style));
        }
    }
}

fn is_empty(cell: &str) -> bool {
    matches!(cell, "" | "-")
}

/// Returns the failed indexes, the latest first.
fn failed_table(picture: &Picture<'_>, causes: &[IndexCause]) -> ScreenTable {
    let state = picture.state;
    let mut last: Vec<(u32, Option<&Attempt>)> =
        state.failed().iter().map(|index| (index, explaining_attempt(state.attempts_of(index)))).collect();
    last.sort_by_key(|&(index, attempt)| (std::cmp::Reverse(attempt.and_then(|attempt| attempt.finished)), index));
    let row = |&(index, attempt): &(u32, Option<&Attempt>)| {
        let since = attempt.and_then(|attempt| attempt.finished);
        vec![
            index.to_string(),
            item(picture, index),
            age(since, picture.now),
            attempt.map_or_else(String::new, |attempt| reason(attempt, causes, picture)),
        ]
    };
    let rows = last.iter().take(ROWS).map(row).collect();
    let head = &["FAILED", "ITEM", "AGE", "REASON"];
    ScreenTable { head, rows, total: last.len(), color: Color::new().color(AnsiColors::Red) }
}

/// Returns the indexes with a Pod, the oldest first; those that can't start come before those that run.
fn active_table(picture: &Picture<'_>, causes: &[IndexCause]) -> ScreenTable {
    let state = picture.state;
    let finished: IndexSet = state.succeeded().union(&state.failed());
    let open = state.attempted().difference(&finished);
    let mut attempts: Vec<&Attempt> = open.iter().filter_map(|index| state.attempts_of(index).last()).collect();
    let since = |attempt: &Attempt| if attempt.has_started() { attempt.started } else { attempt.created };
    attempts.sort_by_key(|attempt| (attempt.reason.is_none(), !attempt.has_started(), since(attempt), attempt.index));
    let row = |attempt: &&Attempt| {
        let word = match attempt.phase {
            Phase::Starting => "Starting",
            Phase::Running => "Running",
            Phase::Unknown => "Unknown",
            Phase::Failed => "Retrying",
            Phase::Succeeded => "Ending",
        };
        vec![
            attempt.index.to_string(),
            item(picture, attempt.index),
            word.to_owned(),
            age(since(attempt), picture.now),
            cut(attempt.node.as_deref().unwrap_or("-"), NODE, picture.style).into_owned(),
            reason(attempt, causes, picture),
        ]
    };
    let rows = attempts.iter().take(ROWS).map(row).collect();
    let head = &["ACTIVE", "ITEM", "STATUS", "AGE", "NODE", "REASON"];
    ScreenTable { head, rows, total: attempts.len(), color: Color::new().color(AnsiColors::Cyan) }
}

/// Returns the events, the newest first.
fn event_table(picture: &Picture<'_>) -> ScreenTable {
    let times = if picture.style.plain { "x" } else { picture.style.times() };
    let row = |event: &state::KubeEvent| {
        let count = if event.count > 1 { format!(" ({times}{})", event.count) } else { String::new() };
        let reason = format!("{}{count}", escape_control(&event.reason));
        vec![age(event.at, picture.now), reason, one_line(&event.message)]
    };
    let rows: Vec<_> = picture.state.kube_events().iter().rev().map(row).collect();
    ScreenTable { head: &["EVENT", "REASON", "MESSAGE"], total: rows.len(), rows, color: Color::new() }
}

fn item(picture: &Picture<'_>, index: u32) -> String {
    picture.items.get(&index).map_or_else(|| "-".to_owned(), |item| cut(item, ITEM, picture.style).into_owned())
}

fn age(since: Option<Timestamp>, now: Timestamp) -> String {
    since.map_or_else(|| "-".to_owned(), |since| duration::human((now.as_second() - since.as_second()).max(0)))
}

/// Returns why an attempt waits or failed, on one line.
fn reason(attempt: &Attempt, causes: &[IndexCause], picture: &Picture<'_>) -> String {
    let style = picture.style;
    let why = match (cause::of_index(causes, attempt.index), picture.state.job()) {
        (Some(why), _) => why.to_owned(),
        (None, Some(job)) if attempt.phase == Phase::Failed => {
            let wording = Wording { style, ..Wording::default() };
            cause::explain_end(attempt, Subject { job, wording }).sentence(style)
        }
        _ => attempt.reason.clone().unwrap_or_default(),
    };
    escape_control(&why).replace('\t', " ")
}

#[cfg(test)]
mod tests;
