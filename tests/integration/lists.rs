//! Lists and command lines as people write them, read by the whole program.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{Outcome, Sandbox, file};

const DRY: [&str; 3] = ["--dry-run=client", "-o", "name"];

fn run(sandbox: &Sandbox, words: &[&str]) -> Outcome {
    sandbox.run(&[&["run"], words, &DRY, &["--", "rev"]].concat())
}

#[test]
fn a_word_after_the_items_is_not_the_name() {
    let sandbox = Sandbox::new();
    assert_snapshot!(run(&sandbox, &["--items", "a", "b"]), @r#"
    ── stdout
    ── stderr
    error: --items takes one value, and "b" after it would be the name of the Job
    hint: separate items by commas: --items a,b
    hint: to name the Job, write --name b
    ── exit code 2
    "#);
    let three = run(&sandbox, &["--items", "a", "b", "c"]);
    assert!(three.stderr.contains("hint: --items takes one word, with commas between the items"), "{three}");
    for words in [
        &["words", "--items", "a"][..],
        &["--items", "a,b", "words"],
        &["--items", "a", "--name", "words"],
        &["--items", "a", "-q", "words"],
    ] {
        let outcome = run(&sandbox, words);
        assert_eq!(outcome.stdout, "configmap/words-items\njob.batch/words\n", "{outcome}");
    }
}

#[test]
fn a_list_in_utf_16_is_refused_and_a_template_is_read() {
    let sandbox = Sandbox::new();
    let utf16 = |text: &str| -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    sandbox.write("items.txt", utf16("foo\r\nbar\r\n"));
    assert_snapshot!(run(&sandbox, &["-a", "items.txt"]), @"
    ── stdout
    ── stderr
    error: items.txt is UTF-16, and a list must be UTF-8
    hint: convert it: iconv -f UTF-16 -t UTF-8 items.txt | kubectl indexed run -a - -- CMD
    hint: in PowerShell, write UTF-8 with Out-File -Encoding utf8 instead of >
    ── exit code 2
    ");
    let converted = sandbox.shell(
        "iconv -f UTF-16 -t UTF-8 items.txt | kubectl-indexed run x -q -a - --dry-run=client -o json -- rev | grep -A2 data",
    );
    assert!(converted.stdout.contains("\"0\": \"foo\",\n") && converted.code == 0, "{converted}");
    let template = "kind: PodTemplate\r\ntemplate:\r\n  spec:\r\n    containers: [{name: a, image: alpine}]\r\n";
    sandbox.write("job.yaml", utf16(template));
    let taken = run(&sandbox, &["x", "--template", "job.yaml", "--items", "a"]);
    assert_eq!((taken.code, taken.stderr.as_str()), (0, ""), "{taken}");
}

/// Stdin is a slow pipe, or a terminal.
#[test]
fn waiting_for_stdin_prints_a_note() {
    let sandbox = Sandbox::new();
    let command = "kubectl-indexed run x -a - --dry-run=client -o name -- rev";
    let piped = sandbox.shell(&format!("{{ sleep 3; echo a; }} | {command}"));
    assert_snapshot!(piped, @"
    ── stdout
    configmap/x-items
    job.batch/x
    ── stderr
    reading items, one per line, from stdin: waiting for the program that writes it to end
    ── exit code 0
    ");
    let typed =
        sandbox.shell(&format!("{{ sleep 3; printf 'a\\n\\004'; sleep 1; }} | script -qec '{command}' /dev/null"));
    let waits = "reading items, one per line, from the terminal: Ctrl-D on a new line ends the input";
    assert!(typed.stdout.contains(waits) && typed.stdout.contains("job.batch/x"), "{typed}");
}

/// The program sets exactly the variables in the table of the manual.
#[test]
fn the_variables_of_slurm_are_those_of_the_manual() {
    let printed = Sandbox::new().run(&[
        "run",
        "x",
        "--array",
        "1-3",
        "--compat",
        "slurm",
        "--dry-run=client",
        "-o",
        "json",
        "-q",
        "--",
        "bash",
        "j.sh",
    ]);
    let list: Value = serde_json::from_str(&printed.stdout).unwrap();
    let job = list["items"].as_array().unwrap().last().unwrap();
    let container = &job["spec"]["template"]["spec"]["containers"][0];
    let named = container["env"].as_array().unwrap().iter().filter_map(|variable| variable["name"].as_str());
    let mut found: BTreeSet<_> = named.filter(|name| name.starts_with("SLURM")).map(str::to_owned).collect();
    // The shell that reads the item sets it.
    assert!(container["command"].to_string().contains("SLURM_ARRAY_TASK_ID"), "{container}");
    found.insert("SLURM_ARRAY_TASK_ID".to_owned());
    assert!(found.remove("SLURM_TASK_INDEX"), "what SLURM_JOB_ID is made of");
    let readme = file("src/manual/coming-from.md");
    let table = readme.split("| Slurm's variable |").nth(1).unwrap().split("\n\n").next().unwrap();
    let cells = table.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
    let documented: BTreeSet<_> =
        cells.flat_map(|cell| cell.split(", ")).map(|name| name.trim_matches('`').to_owned()).collect();
    assert_eq!(found, documented);
}
