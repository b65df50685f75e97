//! Closed pipes, terminals, and more logs than streams.

use std::time::{Duration, Instant};

use crate::support::Cluster;

#[test]
fn a_closed_pipe_ends_it_at_once_and_quietly() {
    let cluster = Cluster::new("logs-head");
    // Far more than a pipe holds, and less than the size at which a node rotates.
    cluster.run(&["run", "much", "--completions", "3", "-q", "--", "seq", "100000"]).ok();
    let script = "while :; do echo tick; sleep 0.1; done";
    cluster.run(&["run", "endless", "--completions", "3", "-d", "-q", "--", "sh", "-c", script]).ok();
    cluster.eventually("running pods", || cluster.field("job/endless", "{.status.ready}") == "3");
    for (flags, first) in [
        ("much", "[0] 1\n"),
        ("much --index 1", "1\n"),
        ("much --merge --prefix=none", "1\n"),
        ("much -o jsonl", "{\"index\":0,"),
        ("much -f --prefix=none", "1\n"),
        ("endless -f --prefix=none", "tick\n"),
        ("endless -f -k", "[0] tick\n"),
        ("endless -f --merge --prefix=none", "tick\n"),
    ] {
        let begun = Instant::now();
        let outcome = cluster.shell(&format!("kubectl indexed logs {flags} | head -1"));
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{flags}: {outcome:?}");
        assert!(outcome.stdout.starts_with(first), "{flags}: {outcome:?}");
        assert!(begun.elapsed() < Duration::from_secs(8), "{flags} took {:?}", begun.elapsed());
    }
}

#[test]
fn more_logs_than_streams_take_turns() {
    let cluster = Cluster::new("logs-turns");
    let script = "for i in 1 2 3 4 5 6; do echo line $i; sleep 1; done";
    cluster.run(&["run", "x", "--completions", "5", "-d", "-q", "--", "sh", "-c", script]).ok();
    let ordered = cluster.start(&["logs", "x", "-f", "-k", "--max-log-requests", "2"]);
    // All five Pods must run before their lines can be compared.
    cluster.eventually("five that run", || cluster.run(&["logs", "x", "--tail=1"]).stdout.lines().count() == 5);
    let merged = cluster.start(&["logs", "x", "-f", "--merge", "--timestamps", "--max-log-requests", "2"]);
    let followed = cluster.run(&["logs", "x", "-f", "--max-log-requests", "1"]).ok();
    let all: Vec<_> = (0..5).flat_map(|index| (1..=6).map(move |line| format!("[{index}] line {line}"))).collect();
    assert_eq!(followed.sorted_lines(), all);
    assert_eq!(ordered.end().ok().stdout.lines().collect::<Vec<_>>(), all);
    let merged = merged.end().ok().stdout;
    let times: Vec<_> = merged.lines().map(|line| line.split(' ').nth(1).unwrap()).collect();
    assert!(times.len() == 30 && times.is_sorted(), "{merged}");
}

#[test]
fn a_terminal_gets_colours_and_no_control_characters() {
    let cluster = Cluster::new("logs-terminal");
    let script = r"printf 'a\033[2Jb\tc\n'";
    cluster.run(&["run", "x", "--items", "foo,bar", "-q", "--", "sh", "-c", script]).ok();
    let on_a_terminal = |flags: &str| {
        let command = format!("TERM=xterm script -qefc 'kubectl-indexed logs x {flags}' /dev/null");
        cluster.shell(&command).ok().stdout.replace('\r', "")
    };
    let colored = on_a_terminal("");
    let line = |index: &str, color: &str, text: &str| format!("\u{1b}[{color}m[{index}]\u{1b}[0m {text}\n");
    let escaped = "a\\u{1b}[2Jb\tc";
    assert_eq!(colored, line("0 foo", "36", escaped) + &line("1 bar", "32", escaped));
    assert_eq!(on_a_terminal("--index 1"), format!("{escaped}\n"), "one index has no colour");
    assert_eq!(on_a_terminal("--index 1 --raw"), "a\u{1b}[2Jb\tc\n");
    assert_eq!(
        cluster.run(&["logs", "x", "--index", "1"]).ok().stdout,
        "a\u{1b}[2Jb\tc\n",
        "a pipe gets what was written"
    );
}

#[test]
fn a_run_keeps_the_order() {
    let cluster = Cluster::new("run-order");
    let script = "echo begin; sleep $((3 - $(cat /input/data.txt))); echo end";
    let outcome = cluster.run(&["run", "--items", "0,1,2", "-k", "-q", "--", "sh", "-c", script]).ok();
    let all: Vec<_> = (0..3).flat_map(|i| [format!("[{i} {i}] begin"), format!("[{i} {i}] end")]).collect();
    assert_eq!(outcome.stdout.lines().collect::<Vec<_>>(), all);
}
