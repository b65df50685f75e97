//! What the words before the one to complete say: leniently, since the command line is not finished.

use std::ffi::OsString;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _};

use crate::args::{Cli, GlobalArgs};

/// What is known of the command line so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Scene {
    /// The verb by its name, whatever alias was typed; empty before one is.
    pub(super) verb: String,
    /// Where to ask.
    pub(super) global: GlobalArgs,
    /// The Jobs that are named.
    pub(super) jobs: Vec<String>,
}

impl Scene {
    /// Reads the words behind the program's name.
    pub(super) fn read(words: &[OsString]) -> Self {
        // Behind two dashes is a command, which says nothing about Jobs.
        let words = words.split(|word| word == "--").next().unwrap_or_default();
        // The last word may be a flag whose value is what is to be completed.
        let shorter = words.split_last().map_or(words, |(_, rest)| rest);
        let waits = |word: &str| word.starts_with('-') && !word.contains('=');
        let flag_waits = words.last().is_some_and(|word| waits(&word.to_string_lossy()));
        let tries = if flag_waits { [shorter, words] } else { [words, shorter] };
        tries.into_iter().find_map(Self::parse).unwrap_or_default()
    }

    fn parse(words: &[OsString]) -> Option<Self> {
        let command = Cli::command().ignore_errors(true).no_binary_name(true);
        let matches = command.try_get_matches_from(words).ok()?;
        let Some((verb, of_verb)) = matches.subcommand() else {
            return Some(Self { global: GlobalArgs::from_arg_matches(&matches).ok()?, ..Self::default() });
        };
        let jobs = ["job", "jobs"].into_iter().flat_map(|id| strings(of_verb, id)).collect();
        // clap hands global flags down to the verb.
        Some(Self { verb: verb.to_owned(), global: GlobalArgs::from_arg_matches(of_verb).ok()?, jobs })
    }
}

fn strings(matches: &ArgMatches, id: &str) -> Vec<String> {
    matches.try_get_many::<String>(id).ok().flatten().map(|all| all.cloned().collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str) -> (String, Option<String>, Option<String>, Vec<String>) {
        let words: Vec<_> = words.split(' ').map(OsString::from).collect();
        let Scene { verb, global, jobs } = Scene::read(&words);
        (verb, global.namespace, global.context, jobs)
    }

    #[test]
    fn an_unfinished_line_is_read() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(read("logs train --index"), ("logs".to_owned(), None, None, vec!["train".to_owned()]));
        assert_eq!(read("logs train -n lab --item"), ("logs".to_owned(), text("lab"), None, vec!["train".to_owned()]));
        assert_eq!(read("-n lab tasks --context=far"), ("indexes".to_owned(), text("lab"), text("far"), vec![]));
        assert_eq!(read("wait a b"), ("wait".to_owned(), None, None, vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(read("run --items a,b -n lab -- logs other"), ("run".to_owned(), text("lab"), None, vec![]));
    }

    #[test]
    fn nonsense_is_nothing() {
        assert_eq!(read("--no-such-flag"), (String::new(), None, None, vec![]));
        assert_eq!(read(""), (String::new(), None, None, vec![]));
    }
}
