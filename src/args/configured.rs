//! Configured defaults: the flags that may have one, and the values parsed by the parsers of these flags.

use std::error::Error as _;
use std::num::ParseIntError;
use std::sync::LazyLock;

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Command, CommandFactory as _, FromArgMatches as _};

use super::{Cli, Configurable, RunArgs, Verb};

/// A flag whose default users may configure.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The flag without its dashes, and the key in the file.
    pub(crate) name: String,
    /// The name of the argument in clap.
    pub(crate) id: String,
    /// The verbs with the flag; empty for a flag of all verbs.
    pub(crate) verbs: Vec<String>,
    pub(crate) declared: Configurable,
    pub(crate) help: String,
    /// The value without configuration, if there is one.
    pub(crate) default: Option<String>,
}

/// All settings, in the order of the flags in the help.
pub(crate) static SETTINGS: LazyLock<Vec<Setting>> = LazyLock::new(|| {
    let mut settings = Vec::<Setting>::new();
    let mut add = |arg: &Arg, verb: Option<&Command>| {
        let (Some(name), Some(declared)) = (arg.get_long(), arg.get::<Configurable>()) else { return };
        let verb = verb.map(|verb| verb.get_name().to_owned());
        if let Some(known) = settings.iter_mut().find(|setting| setting.name == name) {
            known.verbs.extend(verb);
            return;
        }
        let own: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        settings.push(Setting {
            name: name.to_owned(),
            id: arg.get_id().to_string(),
            verbs: verb.into_iter().collect(),
            declared: *declared,
            help: arg.get_help().map(ToString::to_string).unwrap_or_default(),
            default: declared.default.map(str::to_owned).or_else(|| (!own.is_empty()).then(|| own.join(","))),
        });
    };
    let command = Cli::command();
    for verb in command.get_subcommands() {
        verb.get_arguments().for_each(|arg| add(arg, Some(verb)));
    }
    command.get_arguments().for_each(|arg| add(arg, None));
    settings
});

impl Setting {
    /// Returns whether the verb itself has the flag.
    pub(crate) fn is_of(&self, verb: &str) -> bool {
        self.verbs.iter().any(|known| known == verb)
    }
}

/// The flags whose values come from configured defaults. Such a value is ignored where a typed one would be an error.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConfiguredFlags(pub(crate) Vec<&'static str>);

impl ConfiguredFlags {
    /// Returns whether the value of this flag, named without its dashes, is a configured default.
    pub(crate) fn contains(&self, flag: &str) -> bool {
        self.0.contains(&flag)
    }
}

impl RunArgs {
    /// Returns the flags to which configured defaults add keys instead of being replaced.
    pub(crate) fn maps(&mut self) -> [(&'static str, &mut Vec<(String, String)>); 3] {
        [("label", &mut self.labels), ("annotation", &mut self.annotations), ("node-selector", &mut self.node_selector)]
    }
}

/// Parses a command line with one flag, and the arguments that the verb requires.
///
/// # Errors
/// The problem with the value, and a similar valid value.
pub(crate) fn parse_flag(verb: &str, flag: &str, value: &str) -> Result<Verb, (String, Option<String>)> {
    let word = format!("--{flag}={value}");
    let behind: &[&str] = if verb == "run" { &["--items=a", "--", "true"] } else { &[] };
    let line = [&["kubectl-indexed", verb, word.as_str()], behind].concat();
    let read = Cli::command().try_get_matches_from(line).and_then(|matches| Cli::from_arg_matches(&matches));
    read.map(|cli| cli.verb).map_err(|error| {
        let meant = error.get(ContextKind::SuggestedValue).map(ToString::to_string);
        (problem_with_value(&error, value), meant)
    })
}

/// Returns the problem with a value that clap refused.
pub(crate) fn problem_with_value(error: &clap::Error, value: &str) -> String {
    match (error.source(), error.get(ContextKind::ValidValue)) {
        (Some(source), _) if source.is::<ParseIntError>() => format!("{value:?} is not a whole number"),
        (Some(source), _) => format!("{value:?}: {source}"),
        (None, Some(ContextValue::Strings(valid))) => format!("{value:?} is not one of {}", valid.join(", ")),
        (None, _) => format!("{value:?} is not valid"),
    }
}
