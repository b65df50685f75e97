//! The commands of README.md and of the manual.

use crate::support::{Cluster, file};

/// Returns the fenced blocks in this language in README.md and all chapters of the manual.
fn blocks(language: &str) -> Vec<String> {
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/manual")).unwrap();
    let mut chapters: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    chapters.retain(|path| path.extension().is_some_and(|ending| ending == "md"));
    chapters.sort();
    let chapters = chapters.iter().map(|path| std::fs::read_to_string(path).unwrap());
    let text: String = std::iter::once(file("README.md")).chain(chapters).collect();
    let opening = format!("```{language}\n");
    text.split(&opening).skip(1).map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

/// Sorts the lines of output, and replaces names and times that differ from run to run.
fn comparable(text: &str) -> Vec<String> {
    let word = |word: &str| {
        let plain = word.trim_end_matches(|c: char| c.is_ascii_punctuation());
        let took = plain.strip_suffix('s').is_some_and(|number| number.parse::<u32>().is_ok());
        match plain.rsplit_once('-') {
            _ if took => "TIME".to_owned(),
            // A generated name ends in five letters or digits without vowels.
            Some((stem, end)) if end.len() == 5 && !end.contains(['a', 'e', 'i', 'o', 'u']) => format!("{stem}-NAME"),
            _ => word.to_owned(),
        }
    };
    let mut lines: Vec<_> = text.lines().map(|line| line.split(' ').map(word).collect::<Vec<_>>().join(" ")).collect();
    lines.sort();
    lines
}

#[test]
fn the_transcripts_are_true() {
    let cluster = Cluster::new("readme");
    let transcripts = blocks("console");
    assert_eq!(transcripts.len(), 3);
    for transcript in transcripts {
        let (command, expected) = transcript.split_once('\n').unwrap();
        let command = command.strip_prefix("$ ").unwrap();
        let outcome = cluster.shell(&format!("{command} 2>&1"));
        assert_eq!(comparable(&outcome.stdout), comparable(expected), "{command}");
    }
}

/// The first session, in a home with only a kubeconfig, makes the CSV file that the text describes.
#[test]
fn a_new_user_gets_from_nothing_to_a_csv() {
    let cluster = Cluster::new("readme-first");
    let session = blocks("shell");
    assert_eq!(session.len(), 1);
    let (install, then) = session[0].split_once('\n').unwrap();
    assert_eq!(install, "cargo install --path .");
    // A debug build, which the tests have made already; tests/release installs the release.
    let rust = std::path::Path::new(env!("CARGO")).parent().unwrap().display();
    let crates = std::env::var("CARGO_HOME").unwrap_or_else(|_| std::env::var("HOME").unwrap() + "/.cargo");
    let install = format!(
        "export PATH={rust}:$PATH CARGO_HOME={crates} CARGO_INSTALL_ROOT=$HOME/.cargo
         cargo install --quiet --locked --debug --target-dir target --path ."
    );
    cluster.shell(&install).ok();
    let outcome = cluster.shell(&format!("export PATH=$HOME/.cargo/bin:$PATH; cd $HOME\n{then}\ncat areas.csv")).ok();
    let rows: Vec<_> = outcome.stdout.lines().rev().take(4).collect();
    assert!(rows[3].starts_with("index,name,size,"), "{outcome:#?}");
    for (row, area) in rows[..3].iter().rev().zip(["100", "400", "900"]) {
        assert!(row.ends_with(&format!(",{area}")), "{area}: {outcome:#?}");
    }
}

/// The right column of the tables runs without an error.
#[test]
#[ignore = "documents the newest Kubernetes"]
fn the_commands_for_users_of_other_tools_work() {
    let cluster = Cluster::new("readme-from");
    cluster.write("words.txt", b"foo\nbar\nbaz\nqux\n");
    cluster.write("more.txt", b"foo\nbar\nbaz\nqux\nnew\n");
    cluster.write("sizes.csv", b"name,size\ncat.png,10\ndog.png,20\n");
    cluster.write("sizes.jsonl", b"{\"name\":\"cat.png\",\"size\":10}\n{\"name\":\"dog.png\",\"size\":20}\n");
    cluster.shell("kubectl indexed run long -d --completions 4 -- sh -c 'trap exit TERM; sleep 600 & wait'").ok();
    // One index fails, so there is something to retry.
    let failing = "case $JOB_COMPLETION_INDEX-$HOSTNAME in 1-words-1) exit 1; esac; rev /input/data.txt";
    assert_eq!(
        cluster.shell(&format!("cd $HOME; kubectl indexed run words -q -a words.txt -- sh -c '{failing}'")).code,
        1
    );
    let commands: Vec<_> = file("src/manual/coming-from.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.strip_suffix("` |")?.rsplit_once("` | `"))
        .filter(|(_, command)| command.contains("kubectl indexed"))
        .map(|(_, command)| command.replace("\\|", "|"))
        .collect();
    assert_eq!(commands.len(), 30, "{commands:#?}");
    let (submit, read): (Vec<_>, Vec<_>) = commands.iter().partition(|c| c.contains("indexed run"));
    for command in read {
        // The live screen needs a terminal, and exits with the outcome of the Job.
        let (outcome, code) = if command.contains(" watch ") {
            (cluster.shell(&format!("cd $HOME; TERM=xterm script -qec '{command}' /dev/null")), 1)
        } else {
            (cluster.shell(&format!("cd $HOME; {command}")), 0)
        };
        assert_eq!(outcome.code, code, "{command}: {outcome:#?}");
    }
    for commands in submit.chunks(4) {
        std::thread::scope(|scope| {
            for command in commands {
                let cluster = &cluster;
                scope.spawn(move || cluster.shell(&format!("cd $HOME; {command}")).ok());
            }
        });
    }
}

/// Every row with a command and the output of index 0.
#[test]
#[ignore = "documents the newest Kubernetes"]
fn the_tables_of_items_are_true() {
    let cluster = Cluster::new("readme-items");
    cluster.write("words.txt", b"foo\nbar\nbaz\n");
    cluster.write("sizes.csv", b"name,size\ncat.png,10\ndog.png,20\n");
    cluster.write("sizes.jsonl", b"{\"name\":\"cat.png\",\"size\":10}\n{\"name\":\"dog.png\",\"size\":20}\n");
    cluster.shell("kubectl create configmap words --from-file=list=$HOME/words.txt").ok();
    let rows: Vec<(String, String)> = ["src/manual/items.md", "src/manual/commands.md"]
        .map(file)
        .concat()
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix("` |")?.split_once(" | `")?.1.rsplit_once("` | `"))
        .map(|(command, printed)| (command.replace("\\|", "|"), printed.to_owned()))
        .collect();
    assert_eq!(rows.len(), 23, "{rows:#?}");
    // Few at a time: the cluster has one node.
    for rows in rows.chunks(6) {
        std::thread::scope(|scope| {
            for (command, printed) in rows {
                let cluster = &cluster;
                scope.spawn(move || {
                    let outcome = cluster.shell(&format!("cd $HOME; {command}")).ok();
                    // The output of a single index has no prefix.
                    let only = (outcome.stdout.lines().count() == 1).then_some(outcome.stdout.trim_end());
                    let first = outcome
                        .stdout
                        .lines()
                        .find_map(|line| Some(line.strip_prefix("[0")?.split_once("] ")?.1))
                        .or(only);
                    assert_eq!(first, Some(printed.as_str()), "{command}: {outcome:?}");
                });
            }
        });
    }
}

/// The blocks of commands for an existing Job.
#[test]
fn the_commands_for_a_job_work() {
    let cluster = Cluster::new("readme-logs");
    let folder = tempfile::tempdir().unwrap();
    let shell = |command: &str| cluster.shell(&format!("cd {} && {command}", folder.path().display()));
    // Index 1 fails in the first Job.
    let script = "echo $JOB_COMPLETION_INDEX; case $HOSTNAME in *-r1-*) ;; *) test $JOB_COMPLETION_INDEX != 1; esac";
    let items = "foo,bar,baz,qux,xyz";
    let template = "spec: {initContainers: [{name: first, image: busybox, command: [echo, hello]}]}";
    let run = format!(
        "echo '{{apiVersion: batch/v1, kind: Job, spec: {{template: {{{template}}}}}}}' > t.yaml; \
         kubectl indexed run -q --template t.yaml --items {items} -- sh -c '{script}'"
    );
    assert_eq!(shell(&run).code, 1);
    for command in blocks("bash").iter().flat_map(|text| text.lines()) {
        let outcome = shell(command).ok();
        let writes_files = ["--to ", "--joblog ", " install "].iter().any(|word| command.contains(word));
        assert!(!outcome.stdout.is_empty() || writes_files, "{command}");
    }
    assert_eq!(shell("cat logs/4.log").ok().stdout, "4\n");
    assert_eq!(shell("cat out/3.out").ok().stdout, "3\n");
    assert_eq!(shell("wc -l < jobs.log").ok().stdout.trim(), "6");
}

#[test]
fn the_role_is_enough() {
    let cluster = Cluster::new("role");
    let roles = blocks("yaml");
    assert_eq!(roles.len(), 1);
    cluster.apply(&roles[0]).ok();
    cluster.kubectl(&["create", "serviceaccount", "worker"]).ok();
    let account = format!("{}:worker", cluster.namespace());
    let binding = ["create", "rolebinding", "b", "--role=kubectl-indexed", "--serviceaccount", &account];
    cluster.kubectl(&binding).ok();
    let user = format!("system:serviceaccount:{account}");
    let run = |verb: &str, args: &[&str]| cluster.run(&[&[verb, "--as", &user], args].concat());
    assert_eq!(run("run", &["mine", "--items", "a,b", "--", "rev"]).ok().sorted_lines(), ["[0 a] a", "[1 b] b"]);
    let described = run("describe", &[]).ok();
    assert!(!described.stderr.contains("warning"), "{described:?}");
    assert!(described.stdout.contains("    1       b      Succeeded"), "the user may read the items: {described:?}");
    assert_eq!(run("logs", &["mine", "-f"]).ok().sorted_lines(), ["[0 a] a", "[1 b] b"]);
    run("wait", &["mine"]).ok();
    assert_eq!(run("results", &["mine"]).ok().stdout, "a\nb\n");
    assert_eq!(run("run", &["again", "--items", "a", "-q", "--", "false"]).code, 1);
    run("retry", &["again", "-q", "--", "rev"]).ok();
    run("list", &[]).ok();
    let dry = cluster.run(&["run", "dry", "--items", "a", "--dry-run=client", "-o", "yaml", "--", "rev"]).ok().stdout;
    cluster.apply(&dry).ok();
    run("suspend", &["dry"]).ok();
    run("scale", &["dry", "--parallelism", "2"]).ok();
    run("resume", &["dry"]).ok();
    run("delete", &["mine", "dry", "again", "again-r1", "-y"]).ok();
    assert_eq!(
        cluster.kubectl(&["get", "jobs,pods,configmaps", "-o", "name"]).ok().stdout,
        "configmap/kube-root-ca.crt\n"
    );
}
