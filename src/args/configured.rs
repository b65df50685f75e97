//! Values that nobody typed: the user's standing defaults, read by the parsers of the flags that they stand for.

use std::error::Error as _;
use std::num::ParseIntError;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory as _, FromArgMatches as _};

use super::{Cli, RunArgs, Verb};

/// The flags of a command line whose values are standing defaults: they give way where a flag would be an error.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConfiguredFlags(pub(crate) Vec<&'static str>);

impl ConfiguredFlags {
    /// Whether the value of this flag, named without its dashes, is a standing default.
    pub(crate) fn contains(&self, flag: &str) -> bool {
        self.0.contains(&flag)
    }
}

impl RunArgs {
    /// The lists of keys and values to which a standing default adds keys instead of being replaced.
    pub(crate) fn maps(&mut self) -> [(&'static str, &mut Vec<(String, String)>); 3] {
        [("label", &mut self.labels), ("annotation", &mut self.annotations), ("node-selector", &mut self.node_selector)]
    }
}

/// What a verb makes of one value of one of its flags, with no more than it needs besides.
///
/// # Errors
/// What is wrong with the value, as the flag's own parser has it; and the value that may have been meant.
pub(crate) fn read_word(verb: &str, flag: &str, value: &str) -> Result<Verb, (String, Option<String>)> {
    let word = format!("--{flag}={value}");
    let behind: &[&str] = if verb == "run" { &["--items=a", "--", "true"] } else { &[] };
    let line = [&["kubectl-indexed", verb, word.as_str()], behind].concat();
    let read = Cli::command().try_get_matches_from(line).and_then(|matches| Cli::from_arg_matches(&matches));
    read.map(|cli| cli.verb).map_err(|error| {
        let meant = error.get(ContextKind::SuggestedValue).map(ToString::to_string);
        (problem_with_value(&error, value), meant)
    })
}

/// What is wrong with the value of a flag that clap refused.
pub(crate) fn problem_with_value(error: &clap::Error, value: &str) -> String {
    match (error.source(), error.get(ContextKind::ValidValue)) {
        (Some(source), _) if source.is::<ParseIntError>() => format!("{value:?} is not a whole number"),
        (Some(source), _) => format!("{value:?}: {source}"),
        (None, Some(ContextValue::Strings(valid))) => format!("{value:?} is none of {}", valid.join(", ")),
        (None, _) => format!("{value:?} can't be read"),
    }
}
