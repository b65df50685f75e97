//! `results`: flags that contradict each other are refused before any request.

use insta::assert_snapshot;

use crate::support::Sandbox;

#[test]
fn flags_that_print_nothing_or_print_twice_are_refused() {
    let run = |args: &[&str]| Sandbox::new().run(&[&["results", "x"], args].concat());
    assert_snapshot!(run(&["-f", "-o", "json"]), @"
    ── stdout
    ── stderr
    error: -o json is about one object, which can't be begun before the job ends
    hint: -o jsonl prints an object for each index as it finishes
    ── exit code 2
    ");
    assert_snapshot!(run(&["--no-output"]), @"
    ── stdout
    ── stderr
    error: --no-output leaves nothing to print
    hint: -o csv or -o jsonl prints how each index ended, and kubectl indexed indexes a table of it
    ── exit code 2
    ");
    assert_snapshot!(run(&["--joblog", "-", "-o", "csv"]), @"
    ── stdout
    ── stderr
    error: -o and --joblog - would both print to stdout
    hint: name a file for --joblog
    ── exit code 2
    ");
    assert_snapshot!(run(&["--no-output", "--to", "out"]), @"
    ── stdout
    ── stderr
    error: the argument '--no-output' cannot be used with '--to <DIR>'
    hint: leave one of them out
    ── exit code 2
    ");
    assert_snapshot!(run(&["--name-by", "item"]), @"
    ── stdout
    ── stderr
    error: the following required arguments were not provided: --to <DIR>
    hint: --to <DIR>: Folder to write the output of each index to, byte for byte, with the rest in its results.jsonl
    ── exit code 2
    ");
}
