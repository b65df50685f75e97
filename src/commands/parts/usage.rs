//! Errors of the command line: clap's errors in the form of all others, with the words that were probably meant.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory as _};

use super::words::Typed;
use crate::args::{Cli, problem_with_value};
use crate::commands::quoted;
use crate::error::Error;
use crate::index_set::IndexSelector;
use crate::spec::near::nearest;

/// Verbs and flags of other tools, in sections with rows `WORDS = HINT`.
const ELSEWHERE: &str = include_str!("elsewhere.txt");

/// Returns the error for a command line that clap refused.
pub(super) fn explain(found: &clap::Error, words: &[OsString]) -> Error {
    let command = build_command();
    let typed = words.iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>();
    let typed = Typed::parse(&command, &typed);
    let verb = typed.command(&command);
    let text = |kind| match found.get(kind) {
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        value => value.map(ToString::to_string).unwrap_or_default(),
    };
    let invalid = text(ContextKind::InvalidArg);
    let help = verb.get_arguments().find(|arg| arg.to_string() == invalid).map(help_of);
    let usage = || format!("write it as {}", text(ContextKind::Usage).trim_start_matches("Usage: "));
    match found.kind() {
        ErrorKind::InvalidSubcommand => unknown_verb(&text(ContextKind::InvalidSubcommand), &command),
        ErrorKind::UnknownArgument if invalid.starts_with('-') => unknown_flag(&invalid, verb, words),
        ErrorKind::UnknownArgument => Error::usage(format!("unexpected argument {invalid:?} for {}", verb.get_name()))
            .hint(hint_for_word(&invalid, verb, words).unwrap_or_else(usage)),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation if !text(ContextKind::InvalidValue).is_empty() => {
            let flag = invalid.split([' ', '[']).next().unwrap_or_default();
            let problem = problem_with_value(found, &text(ContextKind::InvalidValue));
            let meant = found.get(ContextKind::SuggestedValue).map(|meant| format!("did you mean {meant}?"));
            Error::usage(format!("{flag} {problem}")).hint_if(meant).hint_if(help)
        }
        // The words of clap, up to its first blank line.
        _ => {
            let lines = found.to_string();
            let lines = lines.trim_start_matches("error: ").lines().map(str::trim).take_while(|line| !line.is_empty());
            let excluded = found.kind() == ErrorKind::ArgumentConflict && text(ContextKind::PriorArg) != invalid;
            let hint = excluded.then(|| "remove one of them".to_owned()).or(help);
            Error::usage(lines.collect::<Vec<_>>().join(" ")).hint(hint.unwrap_or_else(usage))
        }
    }
}

/// Returns the hint for a word of another tool.
fn find_hint(section: &str, word: &str) -> Option<String> {
    let rows = ELSEWHERE.split(&format!("\n[{section}]\n")).nth(1)?.split("\n\n").next()?;
    let rows = rows.lines().filter_map(|row| row.split_once(" = "));
    let mut hints = rows.filter(|(words, _)| words.split(' ').any(|known| known == word));
    hints.next().map(|(_, hint)| hint.to_owned())
}

/// Returns all verbs; each has also the flags of all verbs.
fn build_command() -> Command {
    let mut command = Cli::command();
    command.build();
    command
}

fn has_argument(verb: &Command, id: &str) -> bool {
    verb.get_arguments().any(|arg| arg.get_id() == id)
}

/// Returns a command line to type, without its token and password.
fn command_line<'a>(program: &str, words: impl IntoIterator<Item = &'a OsString>) -> String {
    let words = words.into_iter().map(|word| word.to_string_lossy());
    let shown = words.scan(false, |is_secret, word| {
        let flag = ["--token", "--password"].into_iter().find(|flag| word.starts_with(flag));
        let is_flag = flag.is_some_and(|flag| word == flag);
        Some(match (std::mem::replace(is_secret, is_flag), flag) {
            (true, _) => "SECRET".into(),
            (false, Some(flag)) if !is_flag => format!("{flag}=SECRET").into(),
            _ => word,
        })
    });
    shown.fold(program.to_owned(), |line, word| format!("{line} {}", quoted(&word)))
}

/// Returns the short help of an argument.
fn help_of(arg: &Arg) -> String {
    format!("{arg}: {}", arg.get_help().map(ToString::to_string).unwrap_or_default())
}

fn unknown_verb(word: &str, command: &Command) -> Error {
    let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set()).map(Command::get_name);
    let near = || nearest(word, verbs).map(|near| format!("did you mean {near}?"));
    let hint = find_hint("verbs", word).or_else(near);
    Error::usage(format!("unknown verb {word:?}"))
        .hint(hint.unwrap_or_else(|| "kubectl indexed --help lists the verbs".to_owned()))
}

fn unknown_flag(word: &str, verb: &Command, words: &[OsString]) -> Error {
    let name = verb.get_name();
    let near = || {
        let flags = verb.get_arguments().filter_map(Arg::get_long);
        Some(format!("did you mean --{}?", nearest(word.strip_prefix("--")?, flags)?))
    };
    let dashes = || with_dashes(word, verb, words);
    // A short flag is more likely one of the command's own.
    let hint = if word.starts_with("--") { find_hint(name, word).or_else(dashes) } else { dashes() };
    let hint = hint.or_else(|| find_hint(name, word)).or_else(near);
    Error::usage(format!("{name} has no flag {word}"))
        .hint(hint.unwrap_or_else(|| format!("kubectl indexed {name} --help lists its flags")))
}

/// Returns the hint for an unexpected word.
fn hint_for_word(word: &str, verb: &Command, words: &[OsString]) -> Option<String> {
    let without = |word: &str| command_line("kubectl indexed", words[1..].iter().filter(|other| *other != word));
    let is_index = has_argument(verb, "index") && word.parse::<IndexSelector>().is_ok();
    let is_items = words.iter().any(|typed| typed == "--items");
    let items = "--items takes one word, with commas between the items, as in --items a,b,c";
    let is_job = verb.get_name() == "list";
    let hint = find_hint(verb.get_name(), word)
        .or_else(|| is_job.then(|| command_line("kubectl indexed describe", [&word.into()])));
    let hint = hint.or_else(|| is_index.then(|| format!("{} --index {word}", without(word))));
    hint.or_else(|| with_dashes(word, verb, words)).or_else(|| is_items.then(|| items.to_owned()))
}

/// Returns the command line with two dashes before the command, where they are probably missing.
fn with_dashes(wrong: &str, verb: &Command, words: &[OsString]) -> Option<String> {
    if !has_argument(verb, "command") || words.iter().any(|word| word == "--") {
        return None;
    }
    let is_flag = |at: usize| words[at].as_encoded_bytes().starts_with(b"-");
    let is_whole = |at: &usize| Cli::command().try_get_matches_from(&words[..*at]).is_ok();
    let found = words.iter().position(|word| word.to_string_lossy().starts_with(wrong))?;
    // The word before may be the command, parsed as the name of a new Job.
    let is_of_command = |at: &usize| *at == found || !is_flag(*at) && !has_argument(verb, "job");
    let ends = (1..=found).rev().take_while(is_of_command).take_while(is_whole);
    let at = ends.last().filter(|at| !is_flag(*at))?;
    let flags = command_line("kubectl indexed", &words[1..at]) + " --";
    Some(format!("put the command last, after two dashes: {}", command_line(&flags, &words[at..])))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks that every `kubectl indexed VERB` of a hint is a verb, and every flag a flag of the verb before it.
    fn check_hint(verb: &str, hint: &str) {
        let command = build_command();
        let mut verb = command.find_subcommand(verb);
        let words: Vec<_> = hint.split([' ', ';', '(', ')', ',']).collect();
        for (at, word) in words.iter().enumerate() {
            if *word == "kubectl" {
                verb = (words[at + 1] == "indexed").then(|| command.find_subcommand(words[at + 2]).expect(hint));
            } else if let (Some(flag), Some(verb)) = (word.strip_prefix("--").filter(|flag| !flag.is_empty()), verb) {
                assert!(verb.get_arguments().any(|arg| arg.get_long() == Some(flag)), "{hint}: {word}");
            }
        }
    }

    #[test]
    fn hints_for_other_tools_name_existing_verbs_and_flags() {
        let command = build_command();
        let rows = |section: &'static str| {
            section.lines().filter_map(|row| row.split_once(" = ")).map(move |(words, hint)| (section, words, hint))
        };
        for (section, words, hint) in ELSEWHERE.split("\n[").skip(1).flat_map(rows) {
            let section = section.split(']').next().unwrap();
            assert!(words.split(' ').all(|word| find_hint(section, word).as_deref() == Some(hint)), "{words}");
            let verb = command.find_subcommand(section).unwrap_or(&command);
            let flags = verb.get_arguments().flat_map(|arg| {
                [arg.get_long().map(|long| format!("--{long}")), arg.get_short().map(|short| format!("-{short}"))]
            });
            let flags: Vec<_> = flags.flatten().collect();
            for word in words.split(' ') {
                let known = flags.iter().any(|flag| flag == word) || command.find_subcommand(word).is_some();
                assert!(!known, "{section} has {word}");
            }
            check_hint(section, hint);
        }
    }
}
