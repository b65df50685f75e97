//! Completion: what may follow the words that are typed so far.
//!
//! kubectl runs an executable `kubectl_complete-indexed` with the words after `kubectl indexed`, the last of which is the
//! one to complete, and reads a candidate a line and then a directive (`plugin_completion.go` in kubectl). Shells ask for
//! `kubectl-indexed` itself through the scripts that the verb `completion` prints. Both get the same candidates.

mod asking;
mod scene;

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::io;

use clap::{Arg, Command, CommandFactory as _, ValueHint};
use clap_complete::engine::{self, ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{Bash, EnvCompleter, Fish, Powershell, Zsh};

use self::asking::What;
use self::scene::Scene;
use crate::args::{Cli, Shell};
use crate::view::escape_control;

/// What the executable is called that kubectl runs.
const PLUGIN: &str = "kubectl_complete-indexed";
/// The first argument by which a wrapper of that name asks the plugin itself.
const HIDDEN_VERB: &str = "__complete";
/// The variable by which the script of a shell asks, and says which shell it is.
const VARIABLE: &str = "_KUBECTL_INDEXED_COMPLETE";

/// Of cobra's directives to the shell: no space behind the candidate, no files instead of it, and no other order.
const NO_SPACE: u8 = 2;
const NO_FILES: u8 = 4;
const KEEP_ORDER: u8 = 32;

/// The wrapper for where only `kubectl-indexed` itself is on `PATH`, as krew leaves it.
pub(super) const WRAPPER: &str = "\
#!/bin/sh
# kubectl looks for this program on PATH, and asks it what may follow the words behind `kubectl indexed`.
exec kubectl-indexed __complete \"$@\"
";

/// What to print, if the process was started to complete and not to do something.
///
/// # Errors
/// If the shell that asks is none that is known.
pub(super) fn asked(started_as: &str) -> Option<io::Result<Vec<u8>>> {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    if started_as == PLUGIN {
        return Some(Ok(for_kubectl(&words)));
    }
    if words.first().is_some_and(|word| word == HIDDEN_VERB) {
        return Some(Ok(for_kubectl(&words[1..])));
    }
    let shell = std::env::var(VARIABLE).ok().filter(|shell| !shell.is_empty())?;
    Some(for_shell(&shell, words))
}

/// The script that a shell loads.
pub(super) fn script(shell: Shell) -> io::Result<Vec<u8>> {
    let mut script = Vec::new();
    match completer(shell) {
        None => script.extend_from_slice(WRAPPER.as_bytes()),
        Some(completer) => {
            let name = "kubectl-indexed";
            completer.write_registration(VARIABLE, name, name, name, &mut script)?;
        }
    }
    Ok(script)
}

fn completer(shell: Shell) -> Option<&'static dyn EnvCompleter> {
    match shell {
        Shell::Bash => Some(&Bash),
        Shell::Zsh => Some(&Zsh),
        Shell::Fish => Some(&Fish),
        Shell::Powershell => Some(&Powershell),
        Shell::Kubectl => None,
    }
}

fn for_shell(shell: &str, mut words: Vec<OsString>) -> io::Result<Vec<u8>> {
    let shells: [&dyn EnvCompleter; 4] = [&Bash, &Zsh, &Fish, &Powershell];
    let Some(completer) = shells.into_iter().find(|known| known.is(shell)) else {
        return Err(io::Error::other(format!("{VARIABLE}={shell}: no such shell is known")));
    };
    let start = words.iter().position(|word| word == "--").map_or(0, |dashes| dashes + 1);
    words.drain(..start);
    // Zsh and PowerShell tell which word is meant, where it is not the last.
    let at = std::env::var("_CLAP_COMPLETE_INDEX").ok().and_then(|index| index.parse().ok());
    let at: usize = at.unwrap_or_else(|| words.len().saturating_sub(1));
    let mut command =
        command(words.get(1..at).unwrap_or_default(), words.get(at).map_or(OsStr::new(""), OsString::as_os_str));
    let mut answer = Vec::new();
    let folder = std::env::current_dir().ok();
    completer.write_complete(&mut command, words, folder.as_deref(), &mut answer)?;
    Ok(answer)
}

fn for_kubectl(words: &[OsString]) -> Vec<u8> {
    let (current, before) = words.split_last().map_or((OsString::new(), &[][..]), |(last, rest)| (last.clone(), rest));
    let mut command = command(before, &current);
    let mut whole = vec![OsString::from("kubectl-indexed")];
    whole.extend_from_slice(before);
    whole.push(current.clone());
    let at = whole.len() - 1;
    let folder = std::env::current_dir().ok();
    let mut candidates = engine::complete(&mut command, whole, at, folder.as_deref()).unwrap_or_default();
    // The engine offers flags for nothing typed at all.
    if !current.to_string_lossy().starts_with('-') {
        candidates.retain(|candidate| !candidate.get_value().to_string_lossy().starts_with('-'));
    }
    protocol(&candidates)
}

/// The answer as kubectl reads it.
fn protocol(candidates: &[CompletionCandidate]) -> Vec<u8> {
    let mut answer = String::new();
    let mut goes_on = !candidates.is_empty();
    for candidate in candidates {
        let value = candidate.get_value().to_string_lossy();
        // A line break or a tab in it would make another candidate of it.
        if value.contains(char::is_control) {
            continue;
        }
        goes_on &= value.ends_with(['/', '=', ',']);
        answer.push_str(&value);
        let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
        if let Some(help) = help.lines().next().filter(|help| !help.is_empty()) {
            answer.push('\t');
            answer.push_str(&escape_control(help));
        }
        answer.push('\n');
    }
    let directive = NO_FILES | KEEP_ORDER | if goes_on { NO_SPACE } else { 0 };
    let _ = writeln!(answer, ":{directive}");
    answer.into_bytes()
}

/// The command line, with what only the cluster, the kubeconfig or the files can tell.
fn command(before: &[OsString], current: &OsStr) -> Command {
    let scene = Scene::read(before);
    let flags_are_wanted = current.to_string_lossy().starts_with('-');
    let dress = move |arg: Arg, scene: &Scene| {
        let arg = if flags_are_wanted || arg.is_positional() { arg } else { arg.hide(true) };
        let id = arg.get_id().as_str().to_owned();
        if let Some(what) = What::of(&id, &scene.verb) {
            let scene = scene.clone();
            return arg.add(ArgValueCompleter::new(move |current: &OsStr| asking::candidates(what, &scene, current)));
        }
        match id.as_str() {
            "kubeconfig"
            | "items_file"
            | "template"
            | "certificate_authority"
            | "client_certificate"
            | "client_key"
            | "joblog" => arg.value_hint(ValueHint::FilePath),
            "to" | "results" | "keep_results" => arg.value_hint(ValueHint::DirPath),
            "command" => arg.value_hint(ValueHint::AnyPath),
            _ => arg,
        }
    };
    let verb = scene.verb.clone();
    let command = Cli::command().mut_args(|arg| dress(arg, &scene));
    if command.find_subcommand(&verb).is_none() {
        return command;
    }
    command.mut_subcommand(verb, |subcommand| subcommand.mut_args(|arg| dress(arg, &scene)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(words: &[&str]) -> String {
        String::from_utf8(for_kubectl(&words.iter().map(OsString::from).collect::<Vec<_>>())).unwrap()
    }

    #[test]
    fn verbs_come_with_what_they_do() {
        assert_eq!(
            answer(&["des"]),
            "describe\tShow a Job: all that kubectl describe prints, and what it leaves out\n:36\n"
        );
        assert!(!answer(&[""]).contains("\n-"), "no flags where none was begun");
    }

    #[test]
    fn flags_and_their_values_are_known() {
        assert_eq!(
            answer(&["logs", "--max-l"]),
            "--max-log-requests\tHow many logs are read at once; more take turns\n:36\n"
        );
        assert_eq!(answer(&["logs", "--status", "failed,ru"]), "failed,running\n:36\n");
        assert_eq!(
            answer(&["wait", "--for", "ind"]),
            "indexes=\twhen these indexes have completed, as in indexes=0-9\n:38\n"
        );
    }

    #[test]
    fn a_value_that_has_line_breaks_is_no_candidate() {
        let candidates = [CompletionCandidate::new("a\nb"), CompletionCandidate::new("c")];
        assert_eq!(protocol(&candidates), b"c\n:36\n");
    }
}
