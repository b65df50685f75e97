//! `results`: flags that contradict each other are refused before any request.

use insta::assert_snapshot;

use crate::support::Sandbox;

#[test]
fn flags_that_print_nothing_or_print_twice_are_refused() {
    let run = |args: &[&str]| Sandbox::new().run(&[&["results", "x"], args].concat());
    assert_snapshot!(run(&["-f", "-o", "json"]), @"
    ── stdout
    ── stderr
    error: -o json prints one object, so it can't be combined with -f
    hint: -o jsonl prints an object for each index as it finishes
    ── exit code 2
    ");
    assert_snapshot!(run(&["--no-output"]), @"
    ── stdout
    ── stderr
    error: --no-output leaves nothing to print
    hint: -o csv or -o jsonl prints the status of each index; kubectl indexed indexes prints a table
    ── exit code 2
    ");
    assert_snapshot!(run(&["--joblog", "-", "-o", "csv"]), @"
    ── stdout
    ── stderr
    error: -o and --joblog - both print to stdout
    hint: name a file for --joblog
    ── exit code 2
    ");
    assert_snapshot!(run(&["--no-output", "--to", "out"]), @"
    ── stdout
    ── stderr
    error: the argument '--no-output' cannot be used with '--to <DIR>'
    hint: remove one of them
    ── exit code 2
    ");
    assert_snapshot!(run(&["--name-by", "item"]), @"
    ── stdout
    ── stderr
    error: the following required arguments were not provided: --to <DIR>
    hint: --to <DIR>: Write each output to a file in this directory, and all rows to results.jsonl
    ── exit code 2
    ");
}
