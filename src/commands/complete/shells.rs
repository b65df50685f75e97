//! How each shell asks, and how it wants to be answered.

use std::fmt::Write as _;

use anyhow::Result;
use clap::{ValueEnum as _, ValueHint};
use clap_complete::env::{Bash, EnvCompleter, Fish, Powershell, Zsh};
use itertools::Itertools as _;

use super::{Answer, Candidate};
use crate::args::Shell;

/// Set by the scripts: which shell asks.
const VARIABLE: &str = "KUBECTL_INDEXED_COMPLETE";
const PROGRAM: &str = "kubectl-indexed";
/// What kubectl looks for on the PATH to complete the words behind `kubectl indexed`.
const FOR_KUBECTL: &str = "kubectl_complete-indexed";
/// The verb that does the same, which no help names.
const VERB: &str = "__complete";

/// What stands under that name, as the archives have it.
const WRAPPER: &str = if cfg!(windows) {
    include_str!("../../../completions/kubectl_complete-indexed.cmd")
} else {
    include_str!("../../../completions/kubectl_complete-indexed")
};

/// Behind the script of zsh: found in a folder of functions, the script is itself what the first word is completed by.
const ZSH_FIRST_CALL: &str = r#"
if [ "$funcstack[1]" = "_kubectl-indexed" ]; then
    _clap_dynamic_completer_kubectl_indexed "$@"
fi
"#;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// By which words come and answers go.
    pub(super) form: Shell,
    /// The words before it, without the program.
    pub(super) before: Vec<String>,
    pub(super) word: String,
    /// How much of the word the shell takes for other words, in bytes, and does not replace.
    kept: usize,
}

/// What is to be completed, if the program was started for that.
pub(crate) fn asked(started_as: &str) -> Option<Asked> {
    let mut words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    if started_as == FOR_KUBECTL {
        return Some(from_kubectl(words.collect()));
    }
    let form = std::env::var(VARIABLE).ok().and_then(|name| Shell::from_str(&name, false).ok());
    let Some(form) = form.filter(|form| *form != Shell::Kubectl) else {
        return (words.next()? == VERB).then(|| from_kubectl(words.collect()));
    };
    // Two dashes, the program as it was typed, and its words.
    let words: Vec<_> = words.skip(2).collect();
    let at = std::env::var("_CLAP_COMPLETE_INDEX").ok().and_then(|at| at.parse::<usize>().ok());
    Some(from_shell(form, words, at))
}

fn from_kubectl(mut before: Vec<String>) -> Asked {
    let word = before.pop().unwrap_or_default();
    // cobra's scripts complete what stands behind the equals sign.
    let kept = if word.starts_with("--") { word.find('=').map_or(0, |at| at + 1) } else { 0 };
    Asked { form: Shell::Kubectl, before, word, kept }
}

/// `at` counts the program itself.
fn from_shell(form: Shell, mut words: Vec<String>, at: Option<usize>) -> Asked {
    let at = at.map_or(words.len().saturating_sub(1), |at| at.saturating_sub(1));
    words.truncate(at + 1);
    let mut word = if words.len() > at { words.remove(at) } else { String::new() };
    let mut kept = 0;
    if form == Shell::Bash {
        kept = join(&mut words, &mut word);
    }
    if matches!(form, Shell::Bash | Shell::Zsh) {
        for word in &mut words {
            *word = unquoted(word);
        }
    }
    if form != Shell::Powershell {
        word = unquoted(&word);
    }
    Asked { form, before: words, word, kept }
}

/// Bash takes `--status=fa` for three words and `a:b` too: puts together what was typed together, and tells how much of
/// the last word comes from words before it.
fn join(words: &mut Vec<String>, word: &mut String) -> usize {
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

/// A word as the shell will hand it over, as far as that can be told while it is typed.
fn unquoted(word: &str) -> String {
    for end in ["", "'", "\""] {
        if let Some([only]) = shlex::split(&format!("{word}{end}")).as_deref() {
            return only.clone();
        }
    }
    word.to_owned()
}

pub(super) fn written(asked: &Asked, answer: Answer) -> String {
    let (mut candidates, files) = answer;
    candidates.retain(|one| !one.value.chars().any(char::is_control));
    for candidate in &mut candidates {
        candidate.help = candidate.help.replace(|c: char| c.is_control(), " ");
        if let Some(rest) = candidate.value.get(asked.kept..) {
            candidate.value = rest.to_owned();
        }
    }
    match asked.form {
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

/// A line each, and at the end what cobra's scripts are to do: 2 add no space, 4 complete no files, 16 complete folders,
/// 32 keep the order.
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

/// A word as bash reads it, each special character behind a backslash: the beginning stays what was typed.
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

/// A word as PowerShell reads it. Any of its four kinds of single quotes closes a quoted word, unless it is doubled
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

/// The script that a shell loads, or that kubectl runs.
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
        let asked = from_shell(Shell::Bash, words, Some(at));
        (asked.before, asked.word, asked.kept)
    }

    #[test]
    fn what_bash_takes_apart_is_put_together() {
        let (before, word, kept) = bash(&["kubectl-indexed", "logs", "--status", "=", "fa"], 4);
        assert_eq!((before, word.as_str(), kept), (vec!["logs".to_owned()], "--status=fa", 9));
        let (before, word, kept) = bash(&["p", "list", "--context", "arn", ":", "aws", ":", "e", "x"], 7);
        assert_eq!((before.join(" ").as_str(), word.as_str(), kept), ("list --context", "arn:aws:e", 8));
        let (before, word, kept) = bash(&["p", "logs", "--index", "=", "3", "re"], 5);
        assert_eq!((before.join(" ").as_str(), word.as_str(), kept), ("logs --index=3", "re", 0));
    }

    #[test]
    fn words_are_read_as_the_shell_will() {
        let (before, word, _) = bash(&["p", "logs", "--item", "'a b'", "--item", r"c\ d"], 5);
        assert_eq!((before[2].as_str(), word.as_str()), ("a b", "c d"));
        assert_eq!(unquoted("'it"), "it");
        assert_eq!(unquoted("it's"), "its");
        assert_eq!(unquoted("#1"), "#1");
        assert_eq!(unquoted(""), "");
    }

    #[test]
    fn bash_reads_back_what_is_quoted() {
        for word in ["a b", "it's", "$HOME", "*", "a\\b", "\"", "~", "!x", "ä;ö", "a,b"] {
            assert_eq!(shlex::split(&quoted(word)).unwrap(), [word]);
        }
        assert_eq!(quoted("1,3-5"), "1,3-5");
    }

    #[test]
    fn powershell_keeps_every_quote_in_the_word() {
        assert_eq!(quoted_for_powershell("a-1"), "a-1");
        assert_eq!(quoted_for_powershell("it's a"), "'it''s a'");
        assert_eq!(quoted_for_powershell("‘’‚‛"), "'‘‘’’‚‚‛‛'");
        assert_eq!(quoted_for_powershell("’; Remove-Item y; ’"), "'’’; Remove-Item y; ’’'");
    }

    #[test]
    fn kubectl_is_told_what_to_do() {
        let told = |values: &[&str], files| {
            let candidates: Vec<_> = values.iter().map(|value| Candidate::new(*value, "")).collect();
            for_kubectl(&candidates, files)
        };
        assert_eq!(told(&["a"], None), "a\n:36\n");
        assert_eq!(told(&["indexes="], None), "indexes=\n:38\n");
        assert_eq!(told(&[], None), ":4\n");
        assert_eq!(
            (told(&[], Some(ValueHint::AnyPath)), told(&[], Some(ValueHint::DirPath))),
            (":0\n".into(), ":16\n".into())
        );
    }
}
