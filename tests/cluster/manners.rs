//! Output on a real terminal: colour and redrawn lines, and plain output on request.

use crate::support::Cluster;

const ESCAPE: char = '\u{1b}';

/// Returns whether a text sets a colour, as in `ESC[31m`.
fn has_color(text: &str) -> bool {
    text.split("\u{1b}[").skip(1).any(|rest| {
        rest.split_once('m').is_some_and(|(codes, _)| codes.split(';').any(|code| matches!(code, "31" | "32" | "36")))
    })
}

#[test]
fn color_and_redrawn_lines_depend_on_flags_and_variables() {
    let cluster = Cluster::new("terminal");
    // Two seconds, so a live line is drawn more than once.
    let run = |name: &str, before: &str, flags: &str| {
        let command =
            format!("kubectl indexed run {name} {flags} --items 'foo,ba…r' -- sh -c 'sleep 2; rev {{}}; exit 1'");
        cluster.write("command", command.as_bytes());
        let outcome = cluster.shell(&format!("{before} script -qec 'stty cols 100; bash $HOME/command' /dev/null"));
        outcome.stdout
    };
    let usual = run("usual", "TERM=xterm", "");
    assert!(has_color(&usual), "{usual}");
    assert!(usual.contains('░'), "a bar: {usual}");
    let without = run("without", "NO_COLOR=1 TERM=xterm", "");
    assert!(!has_color(&without) && without.contains('░'), "{without}");
    for (name, before, flags) in [
        ("dumb", "TERM=dumb", ""),
        ("plain", "TERM=xterm", "--plain"),
        ("variable", "TERM=xterm KUBECTL_INDEXED_PLAIN=true", ""),
    ] {
        let text = run(name, before, flags);
        assert!(!text.contains([ESCAPE, '░', '█', '×']), "{before} {flags}: {text:?}");
        assert!(!text.replace("\r\n", "\n").contains('\r'), "{before} {flags}: {text:?}");
        assert!(text.contains(&format!("error: job {name} failed")), "{before} {flags}: {text:?}");
    }
    let again = run("again", "TERM=xterm KUBECTL_INDEXED_PLAIN=true", "--plain=false");
    assert!(again.contains('░'), "a flag overrides a variable: {again:?}");
    // Without a terminal, there is colour only if it is forced.
    let list = |before: &str| cluster.shell(&format!("{before} kubectl indexed logs usual")).ok().stdout;
    assert!(!list("").contains(ESCAPE));
    assert!(list("CLICOLOR_FORCE=1").contains(ESCAPE));
}

/// Without a terminal, `watch` is an error, or prints lines with `--plain`.
#[test]
fn watch_prints_changes_as_lines_without_a_screen() {
    let cluster = Cluster::new("terminal-watch");
    cluster.run(&["run", "x", "-q", "--items", "foo,bar", "--", "rev"]).ok();
    for before in ["TERM=dumb", "TERM=xterm KUBECTL_INDEXED_PLAIN=true"] {
        let screen = cluster.shell(&format!("{before} script -qec 'kubectl indexed watch x' /dev/null")).ok().stdout;
        assert!(!screen.contains(ESCAPE) && screen.contains("Succeeded"), "{before}: {screen:?}");
        assert!(screen.contains("2 of 2 indexes completed"), "{before}: {screen:?}");
    }
}

/// Columns stay aligned with characters of double width, and on a narrow terminal.
#[test]
fn wide_characters_and_narrow_terminals_keep_columns() {
    let cluster = Cluster::new("terminal-width");
    cluster.run(&["run", "x", "-q", "--items", "日本語,emoji🎉,plain", "--", "cat"]).ok();
    for columns in [40, 100] {
        let script =
            format!("TERM=xterm NO_COLOR=1 script -qec 'stty cols {columns}; kubectl indexed indexes x' /dev/null");
        let table = cluster.shell(&script).ok().stdout;
        let width = |text: &str| -> usize {
            text.chars()
                .map(|c| if matches!(c, '\u{1100}'..='\u{ffdc}' | '\u{1f300}'..='\u{1faff}') { 2 } else { 1 })
                .sum()
        };
        let starts: Vec<_> = table
            .lines()
            .filter_map(|line| line.find("Succeeded").or_else(|| line.find("STATUS")).map(|at| width(&line[..at])))
            .collect();
        assert_eq!(starts.len(), 4, "{table}");
        assert!(starts.iter().all(|start| *start == starts[0]), "{columns}: {starts:?}\n{table}");
    }
}
