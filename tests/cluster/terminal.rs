//! Manners on a terminal: colour, lines that are redrawn, narrow ones, and those of screen readers. `script` is one.

use crate::support::{Cluster, Outcome};

/// What a command writes on a terminal of so many columns.
fn on_terminal(cluster: &Cluster, columns: u32, variables: &str, command: &str) -> Outcome {
    let line = format!("stty cols {columns} rows 30; export TERM=xterm {variables}; {command}");
    cluster.write("line", line.as_bytes());
    cluster.shell("script -qefc \"bash $HOME/line\" /dev/null")
}

#[test]
fn nothing_is_drawn_where_it_is_not_wanted() {
    let cluster = Cluster::new("terminal");
    let run = "kubectl-indexed run --items foo,bar -- sh -c 'sleep 1; echo done'";
    let live = on_terminal(&cluster, 100, "", run).ok().stdout;
    assert!(live.contains('\u{1b}'), "a live line is drawn: {live:?}");
    for (variables, flags) in [("", "--plain"), ("KUBECTL_INDEXED_PLAIN=true", ""), ("TERM=dumb", "")] {
        let command = format!("{run_start} {flags} {rest}", run_start = "kubectl-indexed run", rest = &run[20..]);
        let plain = on_terminal(&cluster, 100, variables, &command).ok().stdout;
        assert!(!plain.contains('\u{1b}'), "{variables} {flags}: {plain:?}");
        assert!(plain.contains("completed: 2 of 2 indexes completed in "), "{plain:?}");
    }
    // A flag takes back what a variable says.
    let again = format!("kubectl-indexed run --plain=false {}", &run[20..]);
    let again = on_terminal(&cluster, 100, "KUBECTL_INDEXED_PLAIN=true", &again).ok().stdout;
    assert!(again.contains('\u{1b}'), "{again:?}");
}

#[test]
fn colour_goes_by_the_variables() {
    let cluster = Cluster::new("terminal");
    cluster.run(&["run", "done", "-q", "--items", "foo,bar", "--", "rev"]).ok();
    let list = "kubectl-indexed logs done";
    assert!(on_terminal(&cluster, 100, "", list).ok().stdout.contains("\u{1b}["));
    for variables in ["NO_COLOR=1", "CLICOLOR=0", "TERM=dumb", "KUBECTL_INDEXED_PLAIN=true"] {
        let plain = on_terminal(&cluster, 100, variables, list).ok().stdout;
        assert!(!plain.contains('\u{1b}'), "{variables}: {plain:?}");
    }
    assert!(!cluster.shell(list).ok().stdout.contains('\u{1b}'));
    assert!(cluster.shell(&format!("CLICOLOR_FORCE=1 {list}")).ok().stdout.contains("\u{1b}["));
}

#[test]
fn a_watch_is_lines_where_no_screen_can_be() {
    let cluster = Cluster::new("terminal");
    for (name, variables, flag) in [("by-flag", "", "--plain"), ("by-term", "TERM=dumb", "")] {
        cluster.run(&["run", name, "-dq", "--items", "foo,bar", "--", "sh", "-c", "sleep 3; echo {}"]).ok();
        let watch = format!("kubectl-indexed watch {name} {flag}");
        let seen = on_terminal(&cluster, 100, variables, &watch).ok().stdout;
        assert!(!seen.contains('\u{1b}'), "{seen:?}");
        let rows = seen.lines().filter(|line| line.starts_with("0 ")).count();
        assert!(rows >= 2, "index 0 is told of again: {seen}");
        assert!(seen.contains(&format!("job {name} completed: 2 of 2 indexes completed in ")), "{seen}");
    }
}

/// Columns stay in line where characters are two columns wide.
#[test]
fn wide_characters_keep_the_columns() {
    let cluster = Cluster::new("terminal");
    cluster.run(&["run", "wide", "-q", "--items", "foo,日本語,🦀🦀", "--", "true"]).ok();
    let rows = cluster.run(&["indexes", "wide"]).ok().stdout;
    // A column of a terminal for each half of a wide character.
    let column = |line: &str| {
        let before = line.split("Succeeded").next().unwrap();
        before.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum::<usize>()
    };
    let columns: Vec<_> = rows.lines().skip(1).map(column).collect();
    assert!(columns.len() == 3 && columns.iter().all(|at| *at == columns[0]), "{rows}");
    let narrow = on_terminal(&cluster, 40, "NO_COLOR=1", "kubectl-indexed indexes wide").ok().stdout;
    assert!(narrow.contains("日本"), "{narrow}");
}
