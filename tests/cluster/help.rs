//! Every example of every help text works, with bash and the real kubectl.

use crate::support::Cluster;

/// Returns the bash commands that prepare the examples of a verb, for the folder in which the examples run.
fn set_up(verb: &str) -> &'static str {
    match verb {
        "run" => {
            "printf 'foo\nbar\n' >words.txt; printf 'name,size\na.png,10\nb.png,20\n' >sizes.csv
             cat >job.yaml <<<'{apiVersion: batch/v1, kind: Job, spec: {template: {spec: {containers: [
               {name: w, image: busybox, command: [rev, /input/data.txt]}]}}}}'
             kubectl indexed run rev-a -q --items foo -- rev"
        }
        "describe" | "list" => "kubectl indexed run indexed-job -q --items foo,bar -- rev",
        "config" | "version" | "help" | "completion" => "true",
        "indexes" | "logs" | "results" | "watch" => {
            "kubectl indexed run indexed-job -q --items foo,bar,baz,qux,xyz,a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p -- sh -c 'echo 1'"
        }
        "wait" => {
            "kubectl indexed run train -q -d --items a -- true; kubectl indexed run evaluate -q -d --items a -- true
             kubectl indexed run indexed-job -q -d --completions 10 -- true"
        }
        // In every attempt, index 3 fails with an exit code and index 7 runs out of memory.
        "retry" => {
            "kubectl indexed run train -q --completions 8 --memory 16Mi -- sh -c '
               case $JOB_COMPLETION_INDEX in 3) exit 75;; 7) tail /dev/zero;; esac' || [ $? = 1 ]"
        }
        "suspend" | "delete" => {
            "kubectl indexed run indexed-job -q -d --items foo,bar -- sh -c 'trap exit TERM; sleep 600 & wait'
             kubectl indexed run seen -q -d --label team=vision --items foo -- sh -c 'trap exit TERM; sleep 600 & wait'
             kubectl indexed run over -q --items foo -- rev"
        }
        "resume" => {
            "for job in indexed-job other; do
               kubectl indexed run $job -q -d --items foo,bar -- sh -c 'trap exit TERM; sleep 600 & wait'
               kubectl indexed suspend $job
             done"
        }
        "scale" => {
            "for job in indexed-job workers; do
               kubectl indexed run $job -q -d --completions 4 -- sh -c 'trap exit TERM; sleep 600 & wait'
             done"
        }
        _ => panic!("the examples of {verb} have no preparation"),
    }
}

/// Returns the expected exit code of an example.
fn exit_code(command: &str) -> i32 {
    match command {
        // Indexes that always fail, fail again.
        _ if command.contains("retry train --dry-run") || command.contains("retry train -- ") => 0,
        _ if command.starts_with("kubectl indexed retry") => 1,
        // `timeout` ends a followed list.
        _ if command.starts_with("timeout ") => 124,
        _ => 0,
    }
}

/// Returns the command lines of the examples in the help of a verb.
fn examples(cluster: &Cluster, verb: &str) -> Vec<String> {
    let help = cluster.run(&[verb, "--help"]).ok().stdout;
    let examples = help.split("\nExamples:\n").nth(1).unwrap_or_else(|| panic!("{verb} has no examples")).to_owned();
    examples
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

/// Runs the examples of a verb, and prepares the namespace unless `is_set_up`.
fn try_verb(verb: &str, cluster: &Cluster, is_set_up: bool) {
    let shell = |script: &str| cluster.shell(&format!("mkdir -p $HOME/work; cd $HOME/work; {script}"));
    if !is_set_up {
        shell(set_up(verb)).ok();
    }
    for command in examples(cluster, verb) {
        // Shortens the minute of a followed list, and gives a live screen a terminal.
        let tried = command.replace("timeout -s INT 60 ", "timeout -s INT 2 ");
        let outcome = match verb {
            "watch" if !command.contains("--plain") && !command.contains(" wait ") => {
                shell(&format!("TERM=xterm script -qec '{tried}' /dev/null"))
            }
            _ => shell(&tried),
        };
        assert_eq!(outcome.code, exit_code(&command), "{command}: {outcome:#?}");
    }
}

/// Runs the examples of a group of verbs. Neighbours with the same preparation share it.
fn try_verbs(verbs: &[&str]) {
    let mut cluster = Cluster::new("help");
    let mut there = "";
    for verb in verbs {
        let needed = set_up(verb);
        let is_set_up = needed == there;
        if !is_set_up && !there.is_empty() {
            cluster = Cluster::new("help");
        }
        try_verb(verb, &cluster, is_set_up);
        there = needed;
    }
}

const GROUPS: [&[&str]; 4] = [
    &["run", "wait", "list", "describe"],
    &["indexes", "logs", "results", "watch"],
    &["retry", "config", "version", "completion", "help"],
    &["suspend", "resume", "scale", "delete"],
];

#[test]
fn examples_of_submitting_work() {
    try_verbs(GROUPS[0]);
}

#[test]
fn examples_of_reading_work() {
    try_verbs(GROUPS[1]);
}

#[test]
fn examples_of_retrying_and_of_the_program_itself_work() {
    try_verbs(GROUPS[2]);
}

#[test]
fn examples_of_changing_work() {
    try_verbs(GROUPS[3]);
}

#[test]
fn every_verb_is_in_a_group() {
    let cluster = Cluster::new("help-verbs");
    let help = cluster.run(&["--help"]).ok().stdout;
    let verbs = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap().to_owned();
    let mut verbs: Vec<_> = verbs.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let mut grouped = GROUPS.concat();
    verbs.sort_unstable();
    grouped.sort_unstable();
    assert_eq!(verbs, grouped);
}
