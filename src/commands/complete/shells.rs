//! The request and the response format of each shell.

use std::fmt::Write as _;

use anyhow::Result;
use clap::{ValueEnum as _, ValueHint};
use clap_complete::env::{Bash, EnvCompleter, Fish, Powershell, Zsh};
use itertools::Itertools as _;

use super::{Candidate, Completion};
use crate::args::Shell;

/// The scripts set this variable to the name of the shell.
const VARIABLE: &str = "KUBECTL_INDEXED_COMPLETE";
const PROGRAM: &str = "kubectl-indexed";
/// kubectl runs this executable on the PATH to complete the words after `kubectl indexed`.
const FOR_KUBECTL: &str = "kubectl_complete-indexed";
/// The hidden verb that does the same.
const VERB: &str = "__complete";

/// The content of that executable in the release archives.
const WRAPPER: &str = if cfg!(windows) {
    include_str!("../../../completions/kubectl_complete-indexed.cmd")
} else {
    include_str!("../../../completions/kubectl_complete-indexed")
};

/// The end of the script of zsh. In a directory of functions, the script itself completes the first word.
const ZSH_FIRST_CALL: &str = r#"
if [ "$funcstack[1]" = "_kubectl-indexed" ]; then
    _clap_dynamic_completer_kubectl_indexed "$@"
fi
"#;

/// A word to complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CompletionRequest {
    /// The format of the request and the response.
    pub(super) form: Shell,
    /// The words before it, without the program.
    pub(super) before: Vec<String>,
    pub(super) word: String,
    /// The length in bytes of the start of the word that the shell does not replace.
    kept: usize,
}

/// Returns the request if a shell started the program for completion.
pub(crate) fn read_request(started_as: &str) -> Option<CompletionRequest> {
    let mut words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    if started_as == FOR_KUBECTL {
        return Some(from_kubectl(words.collect()));
    }
    let form = std::env::var(VARIABLE).ok().and_then(|name| Shell::from_str(&name, false).ok());
    let Some(form) = form.filter(|form| *form != Shell::Kubectl) else {
        return (words.next()? == VERB).then(|| from_kubectl(words.collect()));
    };
    // Two dashes, the program, and its words.
    let words: Vec<_> = words.skip(2).collect();
    let at = std::env::var("_CLAP_COMPLETE_INDEX").ok().and_then(|at| at.parse::<usize>().ok());
    Some(from_shell(form, words, at))
}

fn from_kubectl(mut before: Vec<String>) -> CompletionRequest {
    let word = before.pop().unwrap_or_default();
    // cobra's scripts complete the part after the equals sign.
    let kept = if word.starts_with("--") { word.find('=').map_or(0, |at| at + 1) } else { 0 };
    CompletionRequest { form: Shell::Kubectl, before, word, kept }
}

/// Parses the words of a shell; `at` is the position of the word, where the program is 0.
fn from_shell(form: Shell, mut words: Vec<String>, at: Option<usize>) -> CompletionRequest {
    let at = at.map_or(words.len().saturating_sub(1), |at| at.saturating_sub(1));
    words.truncate(at + 1);
    let mut word = if words.len() > at { words.remove(at) } else { String::new() };
    let mut kept = 0;
    if form == Shell::Bash {
        kept = join_parts(&mut words, &mut word);
    }
    if matches!(form, Shell::Bash | Shell::Zsh) {
        for word in &mut words {
            *word = unquoted(word);
        }
    }
    if form != Shell::Powershell {
        word = unquoted(&word);
    }
    CompletionRequest { form, before: words, word, kept }
}

/// Joins the parts of words that bash splits, such as `--status=fa` and `a:b`. Returns the length of the start of the
/// last word that comes from words before it.
fn join_parts(words: &mut Vec<String>, word: &mut String) -> usize {
    let is_break = |word: &str| !word.is_empty() && word.chars().all(|c| c == '=' || c == ':');
    let mut joined: Vec<String> = Vec::new();
    let mut goes_on = false;
    for next in std::mem::take(words) {
        let breaks = is_break(&next);
        match joined.last_mut() {
            Some(last) if (breaks || goes_on) && last != "--" => last.push_str(&next),
            _ => joined.push(next),
        }
        goes_on = breaks;
    }
    let mut kept = 0;
    if goes_on && let Some(last) = joined.pop() {
        kept = last.len();
        *word = last + word;
    }
    *words = joined;
    kept
}

/// Removes the shell's quotes from a word, also from an unfinished one.
fn unquoted(word: &str) -> String {
    for end in ["", "'", "\""] {
        if let Some([only]) = shlex::split(&format!("{word}{end}")).as_deref() {
            return only.clone();
        }
    }
    word.to_owned()
}

/// Returns the response in the format of the shell.
pub(super) fn format_completion(request: &CompletionRequest, completion: Completion) -> String {
    let (mut candidates, files) = completion;
    candidates.retain(|one| !one.value.chars().any(char::is_control));
    for candidate in &mut candidates {
        candidate.help = candidate.help.replace(|c: char| c.is_control(), " ");
        if let Some(rest) = candidate.value.get(request.kept..) {
            candidate.value = rest.to_owned();
        }
    }
    match request.form {
        Shell::Kubectl => for_kubectl(&candidates, files),
        Shell::Bash => {
            let end = std::env::var("_CLAP_IFS").unwrap_or_else(|_| "\n".to_owned());
            candidates.iter().map(|one| quoted(&one.value)).join(&end)
        }
        Shell::Zsh => {
            let line = |one: &Candidate| {
                let value = one.value.replace('\\', "\\\\").replace(':', "\\:");
                if one.help.is_empty() { value } else { format!("{value}:{}", one.help.replace('\\', "\\\\")) }
            };
            candidates.iter().map(line).join("\n")
        }
        Shell::Fish => candidates.iter().map(|one| described(&one.value, &one.help)).collect(),
        Shell::Powershell => {
            candidates.iter().map(|one| described(&quoted_for_powershell(&one.value), &one.help)).collect()
        }
    }
}

fn described(value: &str, help: &str) -> String {
    if help.is_empty() { format!("{value}\n") } else { format!("{value}\t{help}\n") }
}

/// Returns one line per candidate, and a directive for cobra's scripts: 2 add no space, 4 complete no files, 16 complete
/// directories, 32 keep the order.
fn for_kubectl(candidates: &[Candidate], files: Option<ValueHint>) -> String {
    let mut text: String = candidates.iter().map(|one| described(&one.value, &one.help)).collect();
    let open = !candidates.is_empty() && candidates.iter().all(|one| one.value.ends_with(['=', '/', ',']));
    let directive = match files {
        Some(ValueHint::DirPath) => 16,
        Some(_) => 0,
        None if candidates.is_empty() => 4,
        None => 4 + 32 + if open { 2 } else { 0 },
    };
    let _ = writeln!(text, ":{directive}");
    text
}

/// Quotes a word for bash with backslashes, which keep the typed start unchanged.
fn quoted(word: &str) -> String {
    let mut quoted = String::new();
    for c in word.chars() {
        if !c.is_alphanumeric() && !"_-./:=@%+,".contains(c) && c.is_ascii() {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted
}

/// Quotes a word for PowerShell. Each of its four kinds of single quotes ends a quoted word unless it is doubled
/// (`IsSingleQuote` in `CharTraits.cs`).
fn quoted_for_powershell(word: &str) -> String {
    if word.chars().all(|c| c.is_alphanumeric() || "-_=./:+".contains(c)) {
        return word.to_owned();
    }
    let mut quoted = String::from("'");
    for c in word.chars() {
        quoted.push(c);
        if "'\u{2018}\u{2019}\u{201a}\u{201b}".contains(c) {
            quoted.push(c);
        }
    }
    quoted + "'"
}

/// Returns the script that a shell loads or kubectl runs.
pub(super) fn script(shell: Shell) -> Result<String> {
    let completer: &dyn EnvCompleter = match shell {
        Shell::Bash => &Bash,
        Shell::Zsh => &Zsh,
        Shell::Fish => &Fish,
        Shell::Powershell => &Powershell,
        Shell::Kubectl => return Ok(WRAPPER.to_owned()),
    };
    let mut script = Vec::new();
    completer.write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut script)?;
    let script = String::from_utf8(script)?;
    let script = script.trim().lines().map(str::trim_end).join("\n") + "\n";
    Ok(if shell == Shell::Zsh { script + ZSH_FIRST_CALL } else { script })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bash(words: &[&str], at: usize) -> (Vec<String>, String, usize) {
        let words = words.iter().skip(1).map(|&word| word.to_owned()).collect();
        let request = from_shell(Shell::Bash, words, Some(at));
        (request.before, request.word, request.kept)
    }

    #[test]
    fn parts_that_bash_splits_are_joined() {
        let (before, word, kept) = bash(&["kubectl-indexed", "logs", "--status", "=", "fa"], 4);
        assert_eq!((before, word.as_str(), kept), (vec!["logs".to_owned()], "--status=fa", 9));
        let (before, word, kept) = bash(&["p", "list", "--context", "arn", ":", "aws", ":", "e", "x"], 7);
        assert_eq!((before.join(" ").as_str(), word.as_str(), kept), ("list --context", "arn:aws:e", 8));
        let (before, word, kept) = bash(&["p", "logs", "--index", "=", "3", "re"], 5);
        assert_eq!((before.join(" ").as_str(), word.as_str(), kept), ("logs --index=3", "re", 0));
    }

    #[test]
    fn quotes_of_the_shell_are_removed() {
        let (before, word, _) = bash(&["p", "logs", "--item", "'a b'", "--item", r"c\ d"], 5);
        assert_eq!((before[2].as_str(), word.as_str()), ("a b", "c d"));
        assert_eq!(unquoted("'it"), "it");
        assert_eq!(unquoted("it's"), "its");
        assert_eq!(unquoted("#1"), "#1");
        assert_eq!(unquoted(""), "");
    }

    #[test]
    fn quoted_words_survive_bash() {
        for word in ["a b", "it's", "$HOME", "*", "a\\b", "\"", "~", "!x", "ä;ö", "a,b"] {
            assert_eq!(shlex::split(&quoted(word)).unwrap(), [word]);
        }
        assert_eq!(quoted("1,3-5"), "1,3-5");
    }

    #[test]
    fn powershell_keeps_every_quote() {
        assert_eq!(quoted_for_powershell("a-1"), "a-1");
        assert_eq!(quoted_for_powershell("it's a"), "'it''s a'");
        assert_eq!(quoted_for_powershell("‘’‚‛"), "'‘‘’’‚‚‛‛'");
        assert_eq!(quoted_for_powershell("’; Remove-Item y; ’"), "'’’; Remove-Item y; ’’'");
    }

    #[test]
    fn kubectl_gets_a_directive() {
        let response = |values: &[&str], files| {
            let candidates: Vec<_> = values.iter().map(|value| Candidate::new(*value, "")).collect();
            for_kubectl(&candidates, files)
        };
        assert_eq!(response(&["a"], None), "a\n:36\n");
        assert_eq!(response(&["indexes="], None), "indexes=\n:38\n");
        assert_eq!(response(&[], None), ":4\n");
        assert_eq!(
            (response(&[], Some(ValueHint::AnyPath)), response(&[], Some(ValueHint::DirPath))),
            (":0\n".into(), ":16\n".into())
        );
    }
}
