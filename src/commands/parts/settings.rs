//! The command line with the user's standing defaults under it: those of a file and of the environment.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::OsStr;
use clap::error::ErrorKind;
use clap::{ArgMatches, ColorChoice, Command, CommandFactory as _, FromArgMatches as _};

use super::super::help;
use super::usage;
use crate::args::{Cli, ConfiguredFlags, RunArgs, Verb};
use crate::error::Error;
use crate::spec::settings::{self, ConfiguredValue, SETTINGS, SettingShape, VARIABLES};
use crate::spec::{Inputs, base};

/// The standing defaults, and where their file is or would be.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConfiguredDefaults {
    pub(crate) entries: Vec<ConfiguredValue>,
    pub(crate) path: Option<PathBuf>,
    pub(crate) exists: bool,
}

/// Why there is nothing to be done.
pub(crate) enum Refused {
    /// What was typed asks for help.
    Help(clap::Error),
    /// What was typed or configured is wrong; and whether to say so plainly.
    Wrong(Error, bool),
}

/// Reads the command line of the program that was started by this name, and lays the standing defaults under it.
pub(crate) fn read_command_line(started_as: &str) -> Result<(Cli, Result<ConfiguredDefaults, Error>), Refused> {
    let words: Vec<OsString> = std::env::args_os().collect();
    let settings = load();
    let own = words.split(|word| word == "--").next().unwrap_or_default();
    let says_plain = |entry: &ConfiguredValue| entry.setting.name == "plain" && entry.value == "true";
    let is_plain = own.iter().any(|word| word == "--plain")
        || settings.iter().flat_map(|settings| &settings.entries).any(says_plain);
    let color = if is_plain { ColorChoice::Never } else { ColorChoice::Auto };
    let command = || match started_as {
        name if name.starts_with("kubectl-") => Cli::command().bin_name("kubectl indexed").color(color),
        _ => Cli::command().color(color),
    };
    let refused = |error: clap::Error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            Refused::Help(error)
        }
        _ => Refused::Wrong(usage::explain(&error, &words), is_plain),
    };
    let matches = command().try_get_matches_from(&words).map_err(refused)?;
    let typed = Cli::from_arg_matches(&matches).map_err(refused)?;
    if let Verb::Help { topic } = &typed.verb
        && !topic.as_deref().is_some_and(help::is_chapter)
    {
        let asked = words.iter().take(1).cloned().chain(topic.iter().map(OsString::from)).chain(["--help".into()]);
        let printed = command().try_get_matches_from(asked).map_err(|error| match error.kind() {
            ErrorKind::InvalidSubcommand => Refused::Wrong(help::unknown(topic.as_deref()), is_plain),
            _ => refused(error),
        });
        return printed.map(|_| (typed, settings));
    }
    let settings = match settings {
        Err(error) if !matches!(typed.verb, Verb::Completion { .. } | Verb::Config(_) | Verb::Man { .. }) => {
            return Err(Refused::Wrong(error, is_plain));
        }
        loaded => loaded,
    };
    let entries: Vec<_> = settings.iter().flat_map(|settings| &settings.entries).collect();
    let cli = lay_under(command(), &words, &matches, &entries).map_err(refused)?;
    Ok((cli, settings))
}

/// The same command line, where a template stands between the flags and the standing defaults.
pub(crate) fn beside_template(args: RunArgs, inputs: &Inputs, context: &super::Context) -> RunArgs {
    let (Some((origin, bytes)), Ok(settings)) = (&inputs.template, &context.settings) else { return args };
    // A template that can't be read is told of by whoever takes it.
    let Ok(base) = base::parse(origin, bytes) else { return args };
    let entries: Vec<_> = settings::beside(&settings.entries, Some(&base)).collect();
    let words: Vec<OsString> = std::env::args_os().collect();
    let matches = Cli::command().try_get_matches_from(&words);
    match matches.and_then(|matches| lay_under(Cli::command(), &words, &matches, &entries)).map(|cli| cli.verb) {
        Ok(Verb::Run(args)) => *args,
        _ => args,
    }
}

/// The command line with these defaults, as if clap had always had them: so they never count as given.
fn lay_under(
    mut command: Command,
    words: &[OsString],
    typed: &ArgMatches,
    entries: &[&ConfiguredValue],
) -> Result<Cli, clap::Error> {
    let Some((verb, typed)) = typed.subcommand() else { return Cli::from_arg_matches(typed) };
    let mut standing = Vec::new();
    let concerned = |verbs: &[&str]| verbs.is_empty() || verbs.contains(&verb);
    for setting in SETTINGS.iter().filter(|setting| concerned(setting.verbs) && setting.shape != SettingShape::Map) {
        let of_it = entries.iter().filter(|entry| entry.setting == setting);
        let values: Vec<_> = of_it.map(|entry| OsStr::from(entry.value.clone())).collect();
        if values.is_empty() {
            continue;
        }
        command = if setting.verbs.is_empty() {
            with_default(command, setting.name, values)
        } else {
            command.mut_subcommand(verb, |command| with_default(command, setting.name, values))
        };
        standing.push(setting.name);
    }
    let is_typed = |flag: &str| {
        let id = Cli::command().find_subcommand(verb).and_then(|command| id_of(command, flag));
        id.is_some_and(|id| typed.value_source(&id) == Some(clap::parser::ValueSource::CommandLine))
    };
    standing.retain(|flag| !is_typed(flag));
    let matches = command.try_get_matches_from(words)?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    match &mut cli.verb {
        Verb::Run(args) => {
            for (flag, pairs) in args.maps() {
                let under = entries.iter().filter(|entry| entry.setting.name == flag).filter_map(|entry| entry.pair());
                let under: Vec<_> = under.filter(|(key, _)| !pairs.iter().any(|(typed, _)| typed == key)).collect();
                pairs.splice(0..0, under);
            }
            args.configured = ConfiguredFlags(standing);
            let place = |id: &str| typed.index_of(id);
            args.name_behind_items = place("items").is_some_and(|at| place("positional_name") == Some(at + 1));
        }
        Verb::Retry(args) => args.configured = ConfiguredFlags(standing),
        _ => {}
    }
    Ok(cli)
}

/// What clap knows a flag by.
fn id_of(command: &Command, flag: &str) -> Option<String> {
    let flag = command.get_arguments().find(|arg| arg.get_long() == Some(flag));
    flag.map(|arg| arg.get_id().to_string())
}

fn with_default(command: Command, flag: &str, values: Vec<OsStr>) -> Command {
    match id_of(&command, flag) {
        Some(id) => command.mut_arg(id, |arg| arg.default_values(values)),
        None => command,
    }
}

fn load() -> Result<ConfiguredDefaults, Error> {
    let (path, named) = locate(&|name| std::env::var_os(name).filter(|value| !value.is_empty())).unzip();
    let named = named == Some(true);
    let mut exists = false;
    let mut entries = Vec::new();
    if let Some(path) = &path {
        match std::fs::read_to_string(path) {
            Ok(text) => {
                exists = true;
                entries = settings::from_file(&path.display().to_string(), &text)?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => {}
            Err(error) => {
                let message = format!("the settings in {} can't be read", path.display());
                let hint = named.then(|| format!("{CONFIG} names that file: unset it, or make one"));
                return Err(Error::usage(message).caused_by(error).hint_if(hint));
            }
        }
    }
    let variables = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok().filter(|name| name.starts_with(VARIABLES) && name != CONFIG)?;
        Some((name, value.to_string_lossy().into_owned()))
    });
    let entries = settings::over(settings::from_environment(variables)?, entries);
    Ok(ConfiguredDefaults { entries, path, exists })
}

/// The variable that names the file.
const CONFIG: &str = "KUBECTL_INDEXED_CONFIG";

/// The file, and whether it was named, so that it has to be there.
pub(crate) fn locate(env: &dyn Fn(&str) -> Option<OsString>) -> Option<(PathBuf, bool)> {
    if let Some(path) = env(CONFIG) {
        return Some((path.into(), true));
    }
    let folder = if cfg!(windows) { env("APPDATA").map(PathBuf::from) } else { None };
    let folder = folder.or_else(|| env("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute()));
    let folder = folder.or_else(|| std::env::home_dir().map(|home| home.join(".config")))?;
    Some((folder.join("kubectl-indexed").join("config.yaml"), false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_a_flag_of_its_verbs() {
        let command = Cli::command();
        for setting in &SETTINGS {
            let verbs = setting.verbs.iter().map(|verb| command.find_subcommand(verb).unwrap());
            let verbs = if setting.verbs.is_empty() { vec![&command] } else { verbs.collect() };
            for verb in verbs {
                assert!(id_of(verb, setting.name).is_some(), "{} has no --{}", verb.get_name(), setting.name);
            }
        }
    }

    #[test]
    fn the_file_is_where_it_is_looked_for() {
        let env = |pairs: &'static [(&str, &str)]| {
            move |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        };
        let found = locate(&env(&[("XDG_CONFIG_HOME", "/x"), ("KUBECTL_INDEXED_CONFIG", "c.yaml")]));
        assert_eq!(found, Some(("c.yaml".into(), true)));
        if cfg!(unix) {
            let found = locate(&env(&[("XDG_CONFIG_HOME", "/x")]));
            assert_eq!(found, Some(("/x/kubectl-indexed/config.yaml".into(), false)));
        }
    }
}
