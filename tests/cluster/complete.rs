//! Completion of values from the cluster, in real shells: through kubectl, and by the scripts of the program.

use crate::support::Cluster;
use crate::terminal::Terminal;

/// Creates three Jobs: a completed one, a suspended one, and the newest one, whose indexes 1 and 3 failed.
fn with_jobs() -> Cluster {
    let cluster = Cluster::new("complete");
    cluster.apply(&crate::support::file("tests/fixtures/jobs/suspended.yaml")).ok();
    cluster.run(&["run", "rev-good", "--items", "a", "-q", "--", "true"]).ok();
    let script = r#"echo "it is $(cat /input/data.txt)"; case $JOB_COMPLETION_INDEX in 1|3) exit 3;; esac"#;
    let run = ["run", "rev-bad", "--items", "foo,b c,baz,$qux", "-q", "--", "sh", "-c", script];
    assert_eq!(cluster.run(&run).code, 1);
    cluster
}

/// Returns the completions of the last word, each with its description, and the directive.
fn offered(cluster: &Cluster, words: &[&str]) -> Vec<String> {
    let outcome = cluster.run(&[&["__complete"], words].concat()).ok();
    assert_eq!(outcome.stderr, "", "{words:?}");
    outcome.stdout.lines().map(str::to_owned).collect()
}

fn values(cluster: &Cluster, words: &[&str]) -> String {
    let lines = offered(cluster, words);
    lines.iter().map(|line| line.split('\t').next().unwrap()).collect::<Vec<_>>().join(" ")
}

#[test]
fn values_of_the_cluster_are_offered() {
    let cluster = with_jobs();
    let jobs = offered(&cluster, &["logs", ""]);
    assert!(jobs[0].starts_with("rev-bad\t2 of 4 completed, 2 failed, ") && jobs[0].ends_with("s ago"), "{jobs:?}");
    assert_eq!(values(&cluster, &["logs", "job/rev-g"]), "job/rev-good :36");
    assert_eq!(values(&cluster, &["resume", ""]), "suspended :36");
    assert_eq!(values(&cluster, &["suspend", ""]), ":4");
    assert_eq!(values(&cluster, &["retry", "rev"]), "rev-bad rev-good :36");
    assert_eq!(values(&cluster, &["delete", "rev-bad", "rev"]), "rev-good :36");
    assert_eq!(values(&cluster, &["delete", "-l", "app.kubernetes.io/name=true", ""]), "rev-good :36");
    assert_eq!(values(&cluster, &["run", "--resume", "rev-b"]), "rev-bad :36");

    assert_eq!(
        offered(&cluster, &["logs", "rev-bad", "--index", ""]),
        [
            "1,3\tall 2 indexes with status failed",
            "1\tfailed, exit code 3, item b c",
            "3\tfailed, exit code 3, item $qux",
            "failed\t2 indexes",
            "succeeded\t2 indexes",
            "all\t4 indexes",
            "0\tsucceeded, item foo",
            "2\tsucceeded, item baz",
            ":36",
        ]
    );
    assert_eq!(values(&cluster, &["logs", "--index", "1,"]).split(' ').next(), Some("1,3"), "the newest Job");
    assert_eq!(values(&cluster, &["retry", "rev-bad", "--index="]), "1,3 1 3 failed all :36");
    assert_eq!(values(&cluster, &["wait", "rev-bad", "--for", "indexes="]), ":4");
    let items = offered(&cluster, &["logs", "rev-bad", "--item", ""]);
    assert_eq!(items[0], "b c\tindex 1, failed, exit code 3");
    assert_eq!(items.len(), 5, "{items:?}");
    assert_eq!(values(&cluster, &["logs", "rev-bad", "--attempt", ""]), "all last 1 :36");
    assert_eq!(values(&cluster, &["logs", "rev-bad", "-c", ""]), "worker :36");
    assert_eq!(offered(&cluster, &["retry", "rev-bad", "--reason", ""]), ["Error\t2 indexes", ":36"]);
    assert_eq!(offered(&cluster, &["retry", "rev-bad", "--exit-code", ""]), ["3\t2 indexes", ":36"]);

    cluster.kubectl(&["create", "configmap", "words", "--from-literal=list=a\nb"]).ok();
    assert_eq!(values(&cluster, &["run", "--items-configmap", ""]), "kube-root-ca.crt words :36");
    assert_eq!(offered(&cluster, &["run", "--items-configmap", "words/"]), ["words/list\t2 lines", ":36"]);
    assert_eq!(values(&cluster, &["run", "--service-account", ""]), "default :36");
    assert_eq!(values(&cluster, &["run", "--priority-class", "system-n"]), "system-node-critical :36");
    assert_eq!(values(&cluster, &["run", "--queue", ""]), ":4", "there is no Kueue");
    let name = cluster.namespace();
    assert_eq!(values(&cluster, &["logs", "-n", name]), format!("{name} :36"));
    // From any folder.
    assert_eq!(values(&cluster, &["-n", "kube-public", "logs", ""]), ":4");
}

/// kubectl's own script in a terminal runs kubectl, which runs the plugin.
#[test]
fn kubectl_completes_in_a_real_bash() {
    let cluster = with_jobs();
    let setup = "bind 'set bell-style none'; bind 'set page-completions off'; bind 'set completion-display-width 1'; PATH=$PWD/completions:$PATH
        . /usr/share/bash-completion/bash_completion; . <(kubectl completion bash)";
    let mut bash = Terminal::new(cluster.command("script"), "bash --norc --noprofile", &setup.replace('\n', ";"));
    let screen = bash.complete("kubectl indexed logs \t\t", "rev-good");
    assert!(screen.find("rev-bad").is_some_and(|bad| bad < screen.find("rev-good").unwrap()), "{screen}");
    let screen = bash.complete("kubectl indexed logs rev-bad --index \t\t", "succeeded, item baz");
    let places = ["1,3 ", "1 ", "3 ", "failed ", "succeeded "].map(|text| screen.find(&format!("\n{text}")));
    assert!(places.is_sorted() && places[0].is_some(), "{screen}");
    bash.complete("kubectl indexed desc\t", "describe ");
    bash.complete("kubectl indexed logs rev-bad --item \\$\t\n", "it is $qux");
    bash.complete("kubectl indexed logs --status=fai\t", "--status=failed");
}

#[test]
fn the_scripts_complete_jobs_and_items_in_real_shells() {
    let cluster = with_jobs();
    let bash = "bind 'set bell-style none'; . completions/kubectl-indexed.bash";
    let zsh = "fpath=($PWD/completions $fpath); autoload -U compinit; compinit -D -u";
    for (shell, setup) in [("bash --norc --noprofile", bash), ("zsh -f", zsh)] {
        let mut terminal = Terminal::new(cluster.command("script"), shell, setup);
        terminal.complete("kubectl-indexed logs rev-b\t", "rev-bad");
        terminal.complete("kubectl-indexed logs rev-bad --item \\$\t\n", "it is $qux");
        terminal.complete("kubectl-indexed logs rev-bad --index fa\t", "failed");
    }
    let fish = "source completions/kubectl-indexed.fish; complete -C 'kubectl-indexed logs rev-bad --item b'";
    let mut command = cluster.command("fish");
    command.args(["-N", "-c", fish]);
    let output = command.output().unwrap();
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(lines.starts_with("b c\tindex 1, failed, exit code 3\n"), "{lines}");
}
