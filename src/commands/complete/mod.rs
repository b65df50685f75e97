//! Completion of a word: the shell runs the program, and the program queries the cluster.
//!
//! Errors are not printed and slow responses are dropped: both would disturb the command line that is being typed.

mod indexes;
mod jobs;
mod shells;
mod source;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use clap::{ArgAction, Command, CommandFactory as _, ValueHint};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter as _};

use super::Context;
use super::words::Typed;
use crate::args::{Cli, Complete, Shell};
use crate::error::Exit;
use crate::ui::Ui;
use shells::CompletionRequest;
pub(super) use shells::read_request;
use source::CandidateSource;

/// A completion of the word, and its description.
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

/// The candidates, or the kind of files that the shell itself completes.
type Completion = (Vec<Candidate>, Option<ValueHint>);

/// `completion`: prints the script that a shell loads.
pub(super) fn print_script(shell: Shell, context: &mut Context) -> Result<Exit> {
    context.ui.data(shells::script(shell)?)?;
    Ok(Exit::Success)
}

/// Prints the completions of a word.
pub(super) fn answer(request: &CompletionRequest, ui: &mut Ui) -> ExitCode {
    let completion = complete(request);
    // A closed pipe means that the shell has gone.
    let _ = ui.data(shells::format_completion(request, completion)).and_then(|()| ui.flush());
    ExitCode::SUCCESS
}

fn complete(request: &CompletionRequest) -> Completion {
    let mut plain = Cli::command();
    plain.build();
    let typed = Typed::parse(&plain, &request.before);
    let word = request.word.as_str();
    // For kubectl the shell completes files: it knows its own quoting.
    let by_shell = request.form == Shell::Kubectl;
    if typed.is_unknown_verb {
        return Completion::default();
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
    let source = Arc::new(CandidateSource::new(typed.clone()));
    let mut command = attach(Cli::command(), &source);
    command.build();
    let mut found = run_engine(&mut command, &typed, word);
    if word == "-" {
        // The engine offers one form of each flag.
        let long = run_engine(&mut command, &typed, "--");
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

fn run_engine(command: &mut Command, typed: &Typed, word: &str) -> Vec<CompletionCandidate> {
    let words: Vec<OsString> = typed.for_engine(command, word).into_iter().map(OsString::from).collect();
    let last = words.len() - 1;
    let folder = std::env::current_dir().ok();
    clap_complete::engine::complete(command, words, last, folder.as_deref()).unwrap_or_default()
}

/// Returns whether to offer a candidate: flags only after a dash, and once unless they can be repeated; values of a
/// list separated by commas once.
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
    word.starts_with('-') && (repeats || !typed.has_flag(id))
}

/// Returns the verbs that start with `word`, or visible aliases if there are none.
fn verbs(command: &Command, word: &str) -> Vec<Candidate> {
    let help = |verb: &Command| verb.get_about().map(ToString::to_string).unwrap_or_default();
    let shown = || command.get_subcommands().filter(|verb| !verb.is_hide_set());
    let own = shown().filter(|verb| verb.get_name().starts_with(word));
    let own: Vec<_> = own.map(|verb| Candidate::new(verb.get_name(), help(verb))).collect();
    if !own.is_empty() {
        return own;
    }
    let aliases = shown().flat_map(|verb| verb.get_visible_aliases().map(move |alias| (alias, verb)));
    aliases
        .filter(|(alias, _)| alias.starts_with(word))
        .map(|(alias, verb)| Candidate::new(alias, help(verb)))
        .collect()
}

/// Returns the kind of files that the word names, if it is the value of a flag for files.
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

fn files(wanted: ValueHint, word: &str, by_shell: bool) -> Completion {
    if by_shell {
        return (Vec::new(), Some(wanted));
    }
    let found = PathCompleter::any().complete(word.as_ref());
    let found = found.into_iter().filter(|one| !one.is_hide_set() && one.get_value() != ".");
    (found.map(|one| Candidate::new(one.get_value().to_string_lossy(), "")).collect(), None)
}

/// Attaches the source to each argument that declares its completions.
fn attach(command: Command, source: &Arc<CandidateSource>) -> Command {
    let with_completer = |arg: clap::Arg, verb: &str| {
        let Some(&wanted) = arg.get::<Complete>() else { return arg };
        let (source, verb) = (Arc::clone(source), verb.to_owned());
        arg.add(ArgValueCompleter::new(move |word: &std::ffi::OsStr| {
            let found = source.candidates(wanted, &verb, &word.to_string_lossy()).into_iter();
            found.map(|one| CompletionCandidate::new(one.value).help(Some(one.help.into()))).collect()
        }))
    };
    let command = command.mut_args(|arg| with_completer(arg, ""));
    command.mut_subcommands(|verb| {
        let name = verb.get_name().to_owned();
        verb.mut_args(|arg| with_completer(arg, &name))
    })
}
