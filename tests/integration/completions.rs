//! The scripts in `completions/` are what the program prints.
//!
//! After a change of the command line, `UPDATE=1 cargo test --test integration completions` writes them anew.

use crate::support::{Sandbox, file, root};

const SCRIPTS: [(&str, &str); 4] = [
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

/// Bash itself takes the script, and completes verbs by it.
#[test]
fn bash_completes_a_verb() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.shell(
        r#"source <(kubectl-indexed completion bash)
        COMP_WORDS=(kubectl-indexed des) COMP_CWORD=1
        "$(complete -p kubectl-indexed | sed 's/.*-F \([^ ]*\).*/\1/')" kubectl-indexed des kubectl-indexed
        echo "${COMPREPLY[@]}""#,
    );
    assert_eq!((outcome.stdout.as_str(), outcome.code), ("describe\n", 0), "{outcome}");
}
