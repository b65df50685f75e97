//! The scripts in `completions/` are what the program prints.
//!
//! After a change of the command line, `UPDATE=1 cargo test --test integration completions` writes them anew.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use crate::support::{Sandbox, file, nobody_listens, root};

const SCRIPTS: [(&str, &str); 5] = [
    ("kubectl", "completions/kubectl_complete-indexed"),
    ("bash", "completions/kubectl-indexed.bash"),
    ("zsh", "completions/_kubectl-indexed"),
    ("fish", "completions/kubectl-indexed.fish"),
    ("powershell", "completions/kubectl-indexed.ps1"),
];

#[test]
fn they_are_what_the_program_prints() {
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
fn no_other_file_is_there() {
    let entries = std::fs::read_dir(root().join("completions")).unwrap();
    let mut found: Vec<_> =
        entries.map(|entry| format!("completions/{}", entry.unwrap().file_name().to_str().unwrap())).collect();
    let mut expected = SCRIPTS.map(|(_, path)| path.to_owned()).to_vec();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn the_wrapper_can_be_executed() {
    let mode = std::fs::metadata(root().join("completions/kubectl_complete-indexed")).unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0o111);
}

/// Completes the last word in a shell that has loaded its script, and returns what it offers, a candidate a line.
fn offered(shell: &str, line: &str) -> Vec<String> {
    let sandbox = Sandbox::new();
    let script = root().join(SCRIPTS.iter().find(|(name, _)| *name == shell).unwrap().1);
    let script = script.display();
    let commands = match shell {
        "bash" => format!(
            r#"source {script}
            read -ra COMP_WORDS <<<"{line}x"; COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
            COMP_WORDS[COMP_CWORD]=${{COMP_WORDS[COMP_CWORD]%x}}
            function=$(complete -p kubectl-indexed | sed 's/.*-F \([^ ]*\).*/\1/')
            $function kubectl-indexed "${{COMP_WORDS[COMP_CWORD]}}" before
            printf '%s\n' "${{COMPREPLY[@]}}""#
        ),
        // Its completion runs only in an interactive shell, so the function of the script is called, and what it hands
        // to the shell is printed.
        "zsh" => format!(
            r#"compdef() {{ handler=$1 }}
            compadd() {{ :; }}; _describe() {{ print -l -- "${{(@P)${{@[-1]}}}}" }}
            source {script}
            words=(${{(z)${{:-"{line}x"}}}}); CURRENT=$#words; words[CURRENT]=${{words[CURRENT]%x}}
            $handler"#
        ),
        "fish" => format!("source {script}; complete --do-complete '{line}'"),
        _ => unreachable!(),
    };
    let outcome = sandbox.outcome(sandbox.command(shell).arg("-c").arg(commands));
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{shell}: {outcome}");
    outcome.stdout.lines().map(str::to_owned).collect()
}

/// The real shells load the scripts; `tests/run` installs them.
#[test]
fn the_shells_complete_verbs_flags_and_values() {
    for shell in ["bash", "zsh", "fish"] {
        let first = |line: &str| {
            let word = |line: String| line.split(['\t', ':', ' ']).next().unwrap_or_default().to_owned();
            offered(shell, line).into_iter().map(word).collect::<Vec<_>>()
        };
        assert_eq!(first("kubectl-indexed des"), ["describe"], "{shell}");
        assert_eq!(first("kubectl-indexed logs --max-l"), ["--max-log-requests"], "{shell}");
        assert_eq!(first("kubectl-indexed logs --status fa"), ["failed"], "{shell}");
    }
}

/// PowerShell is no Debian package: where it is there, it loads its script.
#[test]
fn powershell_loads_its_script_where_it_is() {
    let sandbox = Sandbox::new();
    if sandbox.command("pwsh").arg("-Version").output().is_err() {
        return;
    }
    let script = root().join("completions/kubectl-indexed.ps1");
    let line = "kubectl-indexed des";
    let ask = format!(
        ". {}; (TabExpansion2 -inputScript '{line}' -cursorColumn {}).CompletionMatches.CompletionText",
        script.display(),
        line.len()
    );
    let outcome = sandbox.outcome(sandbox.command("pwsh").args(["-NoProfile", "-Command", &ask]));
    assert_eq!((outcome.stdout.trim(), outcome.code), ("describe", 0), "{outcome}");
}

/// A server that takes connections and never answers keeps nobody waiting, and says nothing.
#[test]
fn a_silent_server_gives_no_candidates_in_time() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", silent.local_addr().unwrap());
    let sandbox = Sandbox::new();
    let start = Instant::now();
    let outcome = sandbox.run(&["__complete", "logs", "-s", &server, ""]);
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str(), outcome.code), (":36\n", "", 0));
    // A bound that only waiting without end breaks.
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

/// Nor does anything that is wrong disturb who is typing.
#[test]
fn what_is_wrong_is_not_said() {
    let sandbox = Sandbox::new();
    let nothing = sandbox.write("broken", "no kubeconfig");
    let (url, _) = nobody_listens();
    for flags in
        [["--kubeconfig", nothing.to_str().unwrap()], ["-s", &url], ["--context", "none"], ["--request-timeout", "x"]]
    {
        let outcome = sandbox.run(&[&["__complete", "logs"][..], &flags, &[""]].concat());
        assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str(), outcome.code), (":36\n", "", 0), "{flags:?}");
    }
}

/// Contexts need no cluster.
#[test]
fn contexts_are_those_of_the_kubeconfig() {
    let sandbox = Sandbox::new();
    let text = "contexts: [{name: near, context: {cluster: c}}, {name: far, context: {cluster: c}}]";
    let kubeconfig = sandbox.write("config", text);
    let outcome = sandbox.run(&["__complete", "--kubeconfig", kubeconfig.to_str().unwrap(), "list", "--context", ""]);
    assert_eq!(outcome.stdout, "far\nnear\n:36\n", "{outcome}");
}
