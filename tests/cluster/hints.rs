//! Every command in a hint works when it is pasted: it reaches the same cluster and namespace, and is no usage error.

use crate::support::{Cluster, Outcome};

/// Commands that print hints, with `FLAGS` for the flags of the cluster and namespace.
const ROWS: [&str; 25] = [
    "run train FLAGS --items cat,dog -- sh -c 'exit 1'",
    "run train FLAGS --items cat,dog -- sh -c 'exit 0'",
    "run ready FLAGS --items cat,dog -- rev",
    "run ready FLAGS --items owl -- rev",
    "run missing FLAGS --items cat -- nope",
    "run detached FLAGS --items cat -d -- rev",
    "run listed FLAGS --items-configmap none/key -- echo {}",
    "describe trian FLAGS",
    "describe plain FLAGS",
    "logs train-0 FLAGS",
    "logs gone FLAGS",
    "results gone FLAGS",
    "indexes train FLAGS --item nope",
    "wait train FLAGS",
    "wait train FLAGS --for indexes=0",
    "wait slow FLAGS --timeout 1s",
    "watch train FLAGS",
    "retry train FLAGS -d",
    "scale train-r1 FLAGS --completions 9 -j 9",
    "scale ready FLAGS -j 4",
    "scale slow FLAGS -j 0",
    "suspend slow FLAGS",
    "resume slow FLAGS",
    "resume train FLAGS",
    "run other --items cat --context narrow -n NAMESPACE -- rev",
];

/// Words that change something, and the flag with which they only say so.
const CHANGES: [&str; 11] =
    ["run", "retry", "delete", "scale", "suspend", "resume", "patch", "label", "create", "cordon", "drain"];

#[test]
fn every_command_in_a_hint_works_when_pasted() {
    let cluster = Cluster::new("hints");
    let namespace = cluster.namespace().to_owned();
    cluster.run(&["run", "train", "-q", "--items", "cat,dog", "--", "sh", "-c", "exit 1"]);
    cluster.run(&["run", "ready", "-q", "--items", "cat,dog", "--", "rev"]).ok();
    cluster.run(&["run", "gone", "-q", "--items", "cat,dog", "--", "rev"]).ok();
    cluster.kubectl(&["delete", "pods", "-l", "job-name=gone"]).ok();
    cluster.run(&["run", "slow", "-q", "-d", "--items", "cat,dog", "--", "sh", "-c", "sleep 300"]).ok();
    cluster.kubectl(&["create", "job", "plain", "--image", "docker.io/library/busybox", "--", "true"]).ok();
    let context = cluster.kubectl(&["config", "current-context"]).ok().stdout.trim().to_owned();
    // A command that lost its namespace finds none of these Jobs.
    cluster.kubectl(&["config", "set-context", "--current", "--namespace", "default"]).ok();

    let mut number = 0;
    for row in ROWS {
        let flags = format!("--context {context} -n {namespace}");
        let row = row.replace("FLAGS", &flags).replace("NAMESPACE", &namespace);
        let outcome = cluster.shell(&format!("kubectl indexed {row}"));
        let hints: Vec<_> = outcome.stderr.lines().filter_map(|line| line.trim().strip_prefix("hint: ")).collect();
        assert!(!hints.is_empty(), "{row}\n{outcome:#?}");
        let used = if row.contains("--context narrow") { format!("--context narrow -n {namespace}") } else { flags };
        let commands: Vec<_> = hints.iter().flat_map(|hint| commands_in(hint, &used)).collect();
        assert!(!commands.is_empty(), "{row}\n{hints:#?}");
        for command in commands {
            let outcome = cluster.shell(&harmless(&command));
            assert!(is_understood(&outcome), "{row}\n{command}\n{outcome:#?}");
            number += 1;
        }
    }
    assert!(number >= 35, "{number} commands");
}

/// Returns the commands of a hint, and asserts that each has these flags.
fn commands_in(hint: &str, flags: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut rest = hint;
    while let Some(start) = rest.find("kubectl ") {
        let (words, after) = rest[start..].split_once(&format!(" {flags}")).unwrap_or_else(|| panic!("{hint}"));
        assert!(!words[1..].contains("kubectl "), "a command without the flags: {hint}");
        let worker = after.strip_prefix(" -- ").and_then(|worker| worker.split([' ', ',']).next());
        let worker = worker.map_or_else(String::new, |worker| format!(" -- {worker}"));
        commands.push(format!("{words} {flags}{worker}"));
        rest = after;
    }
    commands
}

/// The command, so that it changes nothing and ends: with `--dry-run`, or with `--help` where it has a placeholder.
fn harmless(command: &str) -> String {
    let (words, worker) = command.split_once(" -- ").map_or((command, ""), |(words, worker)| (words, worker));
    let worker = if worker.is_empty() { String::new() } else { format!(" -- {worker}") };
    let is_placeholder = |word: &str| word.len() > 1 && word.chars().all(|letter| letter.is_ascii_uppercase());
    if words.split(' ').any(is_placeholder) {
        return format!("{words} --help{worker}");
    }
    // The flags are read before --help, so a number has to be one.
    let words = words.replace(" N ", " 1 ");
    let dry_run = if words.split(' ').take(3).any(|word| CHANGES.contains(&word)) { " --dry-run=client" } else { "" };
    format!("timeout 20 {words}{dry_run}{worker}")
}

/// Whether the command line was valid, and found what it names. The command may fail, or go on until it is stopped.
fn is_understood(outcome: &Outcome) -> bool {
    let refused = ["unknown flag", "unknown command", "unknown shorthand", "there is no job", "(NotFound)"];
    let is_usage_error = outcome.code == 2 && !outcome.stderr.contains("watch needs a terminal");
    !is_usage_error && !refused.iter().any(|words| outcome.stderr.contains(words))
}
