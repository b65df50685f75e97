//! The scripts in `completions/` are those that the program prints.
//!
//! After a change of the command line, `UPDATE=1 cargo test --test integration completions` updates them.

use crate::support::{Outcome, PROGRAM, Sandbox, file, root};
use crate::terminal::Terminal;

const SCRIPTS: [(&str, &str); 5] = [
    ("bash", "completions/kubectl-indexed.bash"),
    ("zsh", "completions/_kubectl-indexed"),
    ("fish", "completions/kubectl-indexed.fish"),
    ("powershell", "completions/kubectl-indexed.ps1"),
    ("kubectl", "completions/kubectl_complete-indexed"),
];

#[test]
fn the_scripts_are_up_to_date() {
    let sandbox = Sandbox::new();
    for (shell, path) in SCRIPTS {
        let printed = sandbox.run(&["completion", shell]);
        assert_eq!((printed.code, printed.stderr.as_str()), (0, ""));
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(root().join(path), &printed.stdout).unwrap();
        }
        let advice = "UPDATE=1 cargo test --test integration completions writes it anew";
        assert!(file(path) == printed.stdout, "{path} is not what completion {shell} prints; {advice}");
    }
}

#[test]
fn the_folder_has_no_other_file() {
    let entries = std::fs::read_dir(root().join("completions")).unwrap();
    let mut found: Vec<_> =
        entries.map(|entry| format!("completions/{}", entry.unwrap().file_name().to_str().unwrap())).collect();
    let mut expected = SCRIPTS.map(|(_, path)| path.to_owned()).to_vec();
    // Printed on Windows.
    expected.push("completions/kubectl_complete-indexed.cmd".to_owned());
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

/// Returns the program's answer to a completion request of kubectl for these words.
fn ask_completion(sandbox: &Sandbox, words: &[&str]) -> Outcome {
    sandbox.outcome(sandbox.command(PROGRAM).arg("__complete").args(words))
}

#[test]
fn the_program_and_the_wrapper_answer_kubectl() {
    let sandbox = Sandbox::new();
    let wrapper = root().join("completions/kubectl_complete-indexed");
    let link = sandbox.write("bin/kubectl_complete-indexed", "");
    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(PROGRAM, &link).unwrap();
    let expected = "\
list\tList the Indexed Jobs of a namespace
logs\tPrint the logs of a Job by index
:36
";
    for program in [wrapper, link] {
        let outcome = sandbox.outcome(sandbox.command(program).args(["-n", "logs", "l"]));
        assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str(), outcome.code), (expected, "", 0));
    }
}

#[test]
fn verbs_flags_and_values_need_no_cluster() {
    let sandbox = Sandbox::new();
    let values = |words: &[&str]| {
        let outcome = ask_completion(&sandbox, words);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{words:?}");
        outcome.stdout.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(values(&["desc"]), "describe :36");
    assert_eq!(values(&["ta"]), "tasks :36");
    assert_eq!(values(&["logs", "--stat"]), "--status :36");
    assert_eq!(values(&["logs", "--status", "failed,ru"]), "failed,running :36");
    assert!(!values(&["logs", "--status", "failed,"]).contains("failed,failed"));
    // The shell keeps the text before the equals sign.
    assert_eq!(values(&["logs", "--status=fa"]), "failed :36");
    assert_eq!(values(&["indexes", "-oj"]), "-ojson -ojsonl -ojsonpath= -ojsonpath-as-json= -ojsonpath-file= :36");
    assert_eq!(values(&["wait", "--for", ""]), "complete failed indexes= :36");
    assert_eq!(values(&["wait", "--for", "i"]), "indexes= :38");
    // No flags for an empty word, no flag twice, and nothing after an unknown verb.
    assert_eq!(values(&["list", ""]), ":4");
    assert_eq!(values(&["list", "-w", "--wat"]), ":4");
    assert_eq!(values(&["logs", "--item", "a", "--ite"]), "--item :36");
    assert_eq!(values(&["lgos", ""]), ":4");
    assert!(values(&["logs", "-"]).starts_with("--index --only-this"));
    // The shell completes files.
    assert_eq!(values(&["run", "-a", ""]), ":0");
    assert_eq!(values(&["logs", "--to", ""]), ":16");
    assert_eq!(values(&["retry", "x", "--", "--ver"]), ":0");
}

#[test]
fn contexts_come_from_the_kubeconfig_flag() {
    let sandbox = Sandbox::new();
    let config =
        "contexts:\n- {name: 'arn:aws:a', context: {cluster: c, namespace: x}}\n- {name: b, context: {cluster: d}}\n";
    let path = sandbox.write("config", config);
    let outcome = ask_completion(&sandbox, &["--kubeconfig", path.to_str().unwrap(), "list", "--context", ""]);
    insta::assert_snapshot!(outcome, @"
    ── stdout
    arn:aws:a	cluster c, namespace x
    b	cluster d
    :36
    ── stderr
    ── exit code 0
    ");
}

/// A silent server, a missing server, a credential plugin that waits for input, and an unusable kubeconfig: completion offers
/// nothing, prints nothing, and does not wait.
#[test]
fn a_failure_is_silent_and_quick() {
    let sandbox = Sandbox::new();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", silent.local_addr().unwrap());
    let plugin = |mode: &str| {
        let exec = format!(
            "{{apiVersion: client.authentication.k8s.io/v1, command: sh, args: [-c, 'echo asked >&2; read -r x; sleep 60'], interactiveMode: {mode}}}"
        );
        let config = format!(
            "current-context: c\nclusters: [{{name: c, cluster: {{server: 'https://127.0.0.1:1'}}}}]\nusers: [{{name: u, user: {{exec: {exec}}}}}]\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n"
        );
        sandbox.write(mode, config).to_str().unwrap().to_owned()
    };
    let (always, available) = (plugin("Always"), plugin("IfAvailable"));
    let (gone, _) = crate::support::nobody_listens();
    let wrong = [
        vec!["-s", &silent, "logs"],
        vec!["-s", &silent, "logs", "--index"],
        vec!["-s", &silent, "logs", "x", "--item"],
        vec!["-s", &gone, "logs"],
        vec!["--kubeconfig", &always, "logs"],
        vec!["--kubeconfig", &available, "logs"],
        vec!["--kubeconfig", "nothing", "logs"],
        vec!["--request-timeout", "soon", "logs"],
        vec!["-n", "", "logs"],
        vec!["logs", "pod/x", "--index"],
        vec!["logs"],
    ];
    for mut words in wrong {
        words.push("");
        let began = std::time::Instant::now();
        let outcome = ask_completion(&sandbox, &words);
        assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str(), outcome.code), (":4\n", "", 0), "{words:?}");
        // Far more than the limit of 400 ms: the machine may be busy.
        assert!(began.elapsed().as_secs() < 3, "{words:?} took {:?}", began.elapsed());
    }
}

/// Each shell with its script of `completions/`, at a terminal or by its own completion command.
#[test]
fn bash_zsh_and_fish_complete_by_the_scripts() {
    let sandbox = Sandbox::new();
    sandbox.write("a folder/list.csv", "x\n1\n");
    let scripts = root().join("completions");
    let scripts = scripts.display();
    let at = |shell: &str, setup: &str| Terminal::new(sandbox.command("script"), shell, setup);

    let load = format!("bind 'set bell-style none'; . {scripts}/kubectl-indexed.bash");
    // Loaded from a folder of functions, or sourced.
    let found = format!("fpath=({scripts} $fpath); autoload -U compinit; compinit -D -u");
    let read = format!("autoload -U compinit; compinit -D -u; . {scripts}/_kubectl-indexed");
    for (shell, setup) in [("bash --norc --noprofile", &load), ("zsh -f", &found), ("zsh -f", &read)] {
        let mut terminal = at(shell, setup);
        terminal.complete("kubectl-indexed desc\t", "describe ");
        terminal.complete("kubectl-indexed logs --status failed,ru\t", "failed,running");
        terminal.complete("kubectl-indexed logs --status=fai\t", "--status=failed");
        terminal.complete("kubectl-indexed -n logs logs --stat\t", "--status ");
        terminal.complete("kubectl-indexed run -a a\t", "folder/");
    }

    let fish = |line: &str| {
        let script = format!("source {scripts}/kubectl-indexed.fish; complete -C '{line}'");
        sandbox.outcome(sandbox.command("fish").args(["-N", "-c", &script])).stdout
    };
    assert_eq!(fish("kubectl-indexed desc"), "describe\tShow a Job in detail: status, failures, indexes, events\n");
    assert_eq!(fish("kubectl-indexed logs --status failed,ru"), "failed,running\n");
    assert_eq!(fish("kubectl-indexed run -a a"), "a folder/\n");
}

#[test]
#[ignore = "needs PowerShell, which Debian lacks"]
fn powershell_completes_by_its_script() {
    let sandbox = Sandbox::new();
    let script = root().join("completions/kubectl-indexed.ps1");
    let script =
        format!(". '{}'; (TabExpansion2 'kubectl-indexed desc' 20).CompletionMatches.CompletionText", script.display());
    let outcome = sandbox.outcome(sandbox.command("pwsh").args(["-NoProfile", "-Command", &script]));
    assert_eq!(outcome.stdout.trim(), "describe", "{outcome}");
}
