//! The log of jobs that GNU parallel writes with `--joblog`, so that the scripts that read one read ours.

use jiff::Timestamp;

use crate::state::IndexStatus;
use crate::state::row::IndexRow;

pub(crate) const HEADER: &str = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n";

/// What parallel notes for a job that has no exit code of its own, because its host is gone.
const HOST_FAILED: i32 = 255;

/// The line of an index that has ended, whose worker wrote so many bytes; None for others, as parallel has no line for
/// what has not ended.
///
/// Parallel counts from 1. It writes a line break within a command as a NUL byte, and a job of the machine itself has
/// the host `:`.
pub(crate) fn line(row: &IndexRow, command: &str, received: u64) -> Option<String> {
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
    Some(format!(
        "{}\t{}\t{}\t{:>10}\t0\t{received}\t{exit}\t{signal}\t{}\n",
        u64::from(row.index) + 1,
        row.node.as_deref().unwrap_or(":"),
        decimal(started),
        decimal(took),
        command.replace('\n', "\0")
    ))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::view::indexes::tests::rows;

    #[test]
    fn what_has_ended_in_the_columns_of_parallel() {
        let lines: Vec<_> = rows().iter().filter_map(|row| line(row, "echo 'a b'\nc", 7)).collect();
        let text = format!("{HEADER}{}", lines.concat()).replace('\t', "→").replace('\0', "␀");
        assert_snapshot!(text, @"
        Seq→Host→Starttime→JobRuntime→Send→Receive→Exitval→Signal→Command
        1→node-1→1767225605.000→   121.000→0→7→0→0→echo 'a b'␀c
        2→node-1→1767225605.000→   121.000→0→7→3→0→echo 'a b'␀c
        3→node-1→1767225605.000→   121.000→0→7→137→9→echo 'a b'␀c
        8→:→0.000→     0.000→0→7→0→0→echo 'a b'␀c
        ");
    }
}
