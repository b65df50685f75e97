//! The job log of GNU parallel's `--joblog`, for scripts that read one.

use jiff::Timestamp;

use super::indexes::unique_columns;
use crate::state::row::IndexRow;
use crate::state::{IndexStatus, ItemParams, ItemTexts};

const COLUMNS: [&str; 9] =
    ["Seq", "Host", "Starttime", "JobRuntime", "Send", "Receive", "Exitval", "Signal", "Command"];

/// The exit code that parallel writes for a job whose host is gone.
const HOST_FAILED: i32 = 255;

/// Returns the line of column names: those of parallel, then the named columns of the items.
pub(crate) fn header(columns: &[String]) -> String {
    let own = COLUMNS.map(str::to_owned).into_iter();
    let all: Vec<_> = own.chain(unique_columns(columns, &COLUMNS).iter().map(|name| escape_tabs(name))).collect();
    all.join("\t") + "\n"
}

/// Returns the line of an index that has ended, whose worker wrote `received` bytes; None for others, which have no line
/// in parallel's log either.
///
/// Parallel counts from 1. It writes a line break within a command as a NUL byte, and the host of a local job as `:`.
pub(crate) fn line(row: &IndexRow, command: &str, items: &ItemTexts, received: u64) -> Option<String> {
    let exit = match row.status {
        IndexStatus::Succeeded => row.exit_code.unwrap_or(0),
        IndexStatus::Failed => row.exit_code.filter(|code| *code != 0).unwrap_or(HOST_FAILED),
        _ => return None,
    };
    let seconds = |time: Option<Timestamp>| time.map(Timestamp::as_millisecond);
    let started = seconds(row.started).unwrap_or(0);
    let took = seconds(row.finished).map_or(0, |finished| if started > 0 { (finished - started).max(0) } else { 0 });
    let decimal = |millis: i64| format!("{}.{:03}", millis / 1000, millis % 1000);
    let signal = if row.signal().is_some() { exit - 128 } else { 0 };
    // A tab in the command is escaped only where columns follow it: parallel does not escape it.
    let command = if items.columns().is_empty() { command.to_owned() } else { escape_tabs(command) };
    let mut line = format!(
        "{}\t{}\t{}\t{:>10}\t0\t{received}\t{exit}\t{signal}\t{command}",
        u64::from(row.index) + 1,
        row.node.as_deref().unwrap_or(":"),
        decimal(started),
        decimal(took),
    );
    let values = items.params(row.index).map_or(&[][..], ItemParams::values);
    for column in 0..items.columns().len() {
        line.push('\t');
        line.push_str(&escape_tabs(values.get(column).map_or("", String::as_str)));
    }
    Some(line.replace('\n', "\0") + "\n")
}

fn escape_tabs(text: &str) -> String {
    text.replace('\t', "\\t")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::view::indexes::tests::rows;

    #[test]
    fn the_names_of_values_are_columns_behind_those_of_parallel() {
        let mut items = ItemTexts::with_columns(["lr", "Signal"].map(str::to_owned).into());
        items.add(0, "lr=0.1 Signal=a\tb".to_owned(), ["0.1", "a\tb"].map(str::to_owned).into());
        items.add(1, "lr=\n Signal=".to_owned(), ["\n", ""].map(str::to_owned).into());
        let lines: Vec<_> = rows()[..3].iter().filter_map(|row| line(row, "x\ty", &items, 7)).collect();
        let text = format!("{}{}", header(items.columns()), lines.concat()).replace('\t', "→").replace('\0', "␀");
        assert_snapshot!(text, @r"
        Seq→Host→Starttime→JobRuntime→Send→Receive→Exitval→Signal→Command→lr→item_Signal
        1→node-1→1767225605.000→   121.000→0→7→0→0→x\ty→0.1→a\tb
        2→node-1→1767225605.000→   121.000→0→7→3→0→x\ty→␀→
        3→node-1→1767225605.000→   121.000→0→7→137→9→x\ty→→
        ");
    }

    #[test]
    fn indexes_that_ended_have_the_columns_of_parallel() {
        let items = ItemTexts::new();
        let lines: Vec<_> = rows().iter().filter_map(|row| line(row, "echo 'a b'\nc", &items, 7)).collect();
        let text = format!("{}{}", header(&[]), lines.concat()).replace('\t', "→").replace('\0', "␀");
        assert_snapshot!(text, @"
        Seq→Host→Starttime→JobRuntime→Send→Receive→Exitval→Signal→Command
        1→node-1→1767225605.000→   121.000→0→7→0→0→echo 'a b'␀c
        2→node-1→1767225605.000→   121.000→0→7→3→0→echo 'a b'␀c
        3→node-1→1767225605.000→   121.000→0→7→137→9→echo 'a b'␀c
        8→:→0.000→     0.000→0→7→0→0→echo 'a b'␀c
        ");
    }
}
