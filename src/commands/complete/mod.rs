//! Completion of the word that is being typed: the shell asks the program, and the program asks the cluster.
//!
//! Nothing is ever said of what goes wrong, and nothing is waited for: a line that is typed is no place for either.

mod ask;
mod indexes;
mod jobs;
mod shells;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use clap::{ArgAction, Command, CommandFactory as _, ValueHint};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter as _};

use super::Context;
use super::words::Typed;
use crate::args::{Cli, Shell};
use crate::error::Exit;
use crate::ui::Ui;
use ask::Asker;
use shells::Asked;
pub(super) use shells::asked;

/// A text that the word may become, and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Candidate {
    value: String,
    help: String,
}

impl Candidate {
    fn new(value: impl Into<String>, help: impl Into<String>) -> Self {
        Self { value: value.into(), help: help.into() }
    }
}

/// What a word may become, and which files, where the shell itself completes them.
type Answer = (Vec<Candidate>, Option<ValueHint>);

/// `completion`: prints the script that a shell loads.
pub(super) fn script(shell: Shell, context: &mut Context) -> Result<Exit> {
    context.ui.data(shells::script(shell)?)?;
    Ok(Exit::Success)
}

pub(super) fn answer(question: &Asked, ui: &mut Ui) -> ExitCode {
    let answer = complete(question);
    // A shell that has gone needs no answer.
    let _ = ui.data(shells::written(question, answer)).and_then(|()| ui.flush());
    ExitCode::SUCCESS
}

fn complete(question: &Asked) -> Answer {
    let mut plain = Cli::command();
    plain.build();
    let typed = Typed::read(&plain, &question.before);
    let word = question.word.as_str();
    // kubectl has the shell complete files, which quotes them and knows its own ways to write them.
    let by_shell = question.form == Shell::Kubectl;
    if typed.lost {
        return Answer::default();
    }
    if typed.after_dashes {
        return files(ValueHint::AnyPath, word, by_shell);
    }
    if typed.verb.is_none() && typed.awaited.is_none() && !word.starts_with('-') {
        return (verbs(&plain, word), None);
    }
    if by_shell && let Some(wanted) = path_flag(&plain, &typed, word) {
        return files(wanted, word, by_shell);
    }
    let asker = Arc::new(Asker::new(typed.clone()));
    let mut command = attach(Cli::command(), &asker);
    command.build();
    let mut found = engine(&mut command, &typed, word);
    if word == "-" {
        // Of each flag the engine gives one form.
        let long = engine(&mut command, &typed, "--");
        found = long.into_iter().chain(found.into_iter().filter(|one| one.get_value().len() == 2)).collect();
    }
    let verb = typed.command(&command);
    found.retain(|candidate| is_wanted(candidate, verb, &typed, word));
    let candidate = |one: CompletionCandidate| {
        let help = one.get_help().map(ToString::to_string).unwrap_or_default();
        Candidate::new(one.get_value().to_string_lossy(), help.lines().next().unwrap_or_default())
    };
    (found.into_iter().map(candidate).collect(), None)
}

fn engine(command: &mut Command, typed: &Typed, word: &str) -> Vec<CompletionCandidate> {
    let words: Vec<OsString> = typed.for_engine(command, word).into_iter().map(OsString::from).collect();
    let last = words.len() - 1;
    let folder = std::env::current_dir().ok();
    clap_complete::engine::complete(command, words, last, folder.as_deref()).unwrap_or_default()
}

/// Whether a flag may follow: only where one was begun, and once, unless it can be repeated. Of a list separated by
/// commas nothing comes twice.
fn is_wanted(candidate: &CompletionCandidate, verb: &Command, typed: &Typed, word: &str) -> bool {
    let value = candidate.get_value().to_string_lossy();
    let Some(id) = candidate.get_id().and_then(|id| id.strip_prefix("arg::")) else {
        let list = verb.get_arguments().any(|arg| {
            arg.get_value_delimiter() == Some(',') && (typed.awaited.as_deref() == Some(arg.get_id().as_str()))
        });
        return !list || value.rsplit_once(',').is_none_or(|(before, last)| before.split(',').all(|part| part != last));
    };
    let repeats = verb
        .get_arguments()
        .any(|arg| arg.get_id().as_str() == id && matches!(arg.get_action(), ArgAction::Append | ArgAction::Count));
    word.starts_with('-') && (repeats || !typed.has(id))
}

/// The verbs that begin so; their other names only where no verb does.
fn verbs(command: &Command, word: &str) -> Vec<Candidate> {
    let help = |verb: &Command| verb.get_about().map(ToString::to_string).unwrap_or_default();
    let shown = || command.get_subcommands().filter(|verb| !verb.is_hide_set());
    let own = shown().filter(|verb| verb.get_name().starts_with(word));
    let own: Vec<_> = own.map(|verb| Candidate::new(verb.get_name(), help(verb))).collect();
    if !own.is_empty() {
        return own;
    }
    let aliases = shown().flat_map(|verb| verb.get_all_aliases().map(move |alias| (alias, verb)));
    aliases
        .filter(|(alias, _)| alias.starts_with(word))
        .map(|(alias, verb)| Candidate::new(alias, help(verb)))
        .collect()
}

/// Which files the word names, if it is the value of a flag for some.
fn path_flag(command: &Command, typed: &Typed, word: &str) -> Option<ValueHint> {
    let verb = typed.command(command);
    let long = word.strip_prefix("--").and_then(|word| word.split_once('=')).map(|(long, _)| long);
    let meant = |arg: &&clap::Arg| match &typed.awaited {
        Some(id) => arg.get_id().as_str() == id,
        None => long.is_some() && arg.get_long() == long,
    };
    let hint = verb.get_arguments().find(meant)?.get_value_hint();
    matches!(hint, ValueHint::DirPath | ValueHint::FilePath | ValueHint::AnyPath).then_some(hint)
}

fn files(wanted: ValueHint, word: &str, by_shell: bool) -> Answer {
    if by_shell {
        return (Vec::new(), Some(wanted));
    }
    let found = PathCompleter::any().complete(word.as_ref());
    let found = found.into_iter().filter(|one| !one.is_hide_set() && one.get_value() != ".");
    (found.map(|one| Candidate::new(one.get_value().to_string_lossy(), "")).collect(), None)
}

/// Has the engine ask `asker` for what only the cluster or the kubeconfig knows.
fn attach(command: Command, asker: &Arc<Asker>) -> Command {
    let asking = |arg: clap::Arg, verb: &str| {
        let by_engine = !arg.get_possible_values().is_empty() || arg.get_value_hint() != ValueHint::Unknown;
        if by_engine || !arg.get_action().takes_values() {
            return arg;
        }
        let (asker, verb, id) = (Arc::clone(asker), verb.to_owned(), arg.get_id().to_string());
        let completer = ArgValueCompleter::new(move |word: &std::ffi::OsStr| {
            let found = asker.candidates(&verb, &id, &word.to_string_lossy()).into_iter();
            found.map(|one| CompletionCandidate::new(one.value).help(Some(one.help.into()))).collect()
        });
        arg.add(completer)
    };
    let command = command.mut_args(|arg| asking(arg, ""));
    command.mut_subcommands(|verb| {
        let name = verb.get_name().to_owned();
        verb.mut_args(|arg| asking(arg, &name))
    })
}
