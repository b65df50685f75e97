//! The command line, parsed with the configured defaults of the file and the environment.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr as _;

use clap::builder::OsStr;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, ColorChoice, Command, CommandFactory as _, FromArgMatches as _};

use super::super::help;
use super::{usage, words};
use crate::args::{Cli, ConfiguredFlags, FlagBeforeName, RunArgs, SETTINGS, SettingShape, Verb};
use crate::error::Error;
use crate::spec::settings::{self, ConfiguredValue, VARIABLES};
use crate::spec::{Inputs, base};

/// The configured defaults, the path of their file, and the command line parsed with them.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConfiguredDefaults {
    pub(crate) values: Vec<ConfiguredValue>,
    pub(crate) path: Option<PathBuf>,
    pub(crate) exists: bool,
    pub(crate) matches: ArgMatches,
}

/// How to print before the command line is parsed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Display {
    pub(crate) plain: bool,
    pub(crate) color: ColorChoice,
}

/// Why no verb runs.
pub(crate) enum Refusal {
    /// The help was requested.
    Help(clap::Error),
    /// The command line or the configuration is wrong.
    Wrong(Error, Display),
}

/// Parses the command line of a program with this file name, with the configured defaults.
pub(crate) fn read_command_line(started_as: &str) -> Result<(Cli, Result<ConfiguredDefaults, Error>), Refusal> {
    let words = words::without_kind(std::env::args_os().collect());
    let defaults = load();
    let values = defaults.as_ref().map_or(&[][..], |defaults| &defaults.values);
    let display = read_display(&words, values);
    let color = if display.plain { ColorChoice::Never } else { display.color };
    let command = || match started_as {
        name if name.starts_with("kubectl-") => Cli::command().bin_name("kubectl indexed").color(color),
        _ => Cli::command().color(color),
    };
    let refuse = |error: clap::Error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            Refusal::Help(error)
        }
        _ => Refusal::Wrong(usage::explain(&error, &words), display),
    };
    let typed = command().try_get_matches_from(&words).map_err(refuse)?;
    let cli = Cli::from_arg_matches(&typed).map_err(refuse)?;
    if let Verb::Help(args) = &cli.verb
        && !args.topic.as_deref().is_some_and(help::is_chapter)
    {
        let topic = args.topic.as_deref();
        let asked = words.iter().take(1).cloned().chain(topic.map(OsString::from)).chain(["--help".into()]);
        let printed = command().try_get_matches_from(asked).map_err(|error| match error.kind() {
            ErrorKind::InvalidSubcommand => Refusal::Wrong(help::unknown(topic), display),
            _ => refuse(error),
        });
        return printed.map(|_| (cli, defaults));
    }
    match defaults {
        Ok(mut defaults) => {
            let verb = typed.subcommand_name().unwrap_or_default();
            defaults.matches =
                with_defaults(command(), verb, &defaults.values).try_get_matches_from(&words).map_err(refuse)?;
            let values: Vec<_> = defaults.values.iter().collect();
            Ok((parse_cli(&defaults.matches, &values).map_err(refuse)?, Ok(defaults)))
        }
        Err(error) if matches!(cli.verb, Verb::Completion(_) | Verb::Config(_) | Verb::Man(_)) => Ok((cli, Err(error))),
        Err(error) => Err(Refusal::Wrong(error, display)),
    }
}

/// Reads `--plain` and `--color`, which count even if the rest of the command line is wrong.
fn read_display(words: &[OsString], values: &[ConfiguredValue]) -> Display {
    let configured =
        |name: &str| values.iter().find(|value| value.setting.name == name).map(|value| value.value.clone());
    let (mut plain, mut color) = (configured("plain"), configured("color"));
    let mut own = words.iter().take_while(|word| *word != "--").map(|word| word.to_string_lossy());
    while let Some(word) = own.next() {
        match word.split_once('=').unwrap_or((&word, "")) {
            ("--plain", "") => plain = Some("true".to_owned()),
            ("--plain", value) => plain = Some(value.to_owned()),
            ("--color", "") => color = own.next().map(std::borrow::Cow::into_owned),
            ("--color", value) => color = Some(value.to_owned()),
            _ => {}
        }
    }
    let color = color.and_then(|color| ColorChoice::from_str(&color).ok()).unwrap_or_default();
    Display { plain: plain.as_deref() == Some("true"), color }
}

/// Returns the arguments of `run` without the configured defaults that the template overrides.
pub(crate) fn without_template_fields(args: RunArgs, inputs: &Inputs, context: &super::Context) -> RunArgs {
    let (Some((origin, bytes)), Ok(defaults)) = (&inputs.template, &context.settings) else { return args };
    // `resolve` reports a template that can't be parsed.
    let Ok(base) = base::parse(origin, bytes) else { return args };
    let Some((_, matches)) = defaults.matches.subcommand() else { return args };
    let kept: Vec<_> = settings::without_template_fields(&defaults.values, Some(&base)).collect();
    let mut matches = matches.clone();
    for value in &defaults.values {
        let setting = value.setting;
        if setting.is_of("run") && !kept.contains(&value) && is_configured(&setting.id, &matches) {
            // An unset argument has the default of the program again.
            let _ = matches.try_clear_id(&setting.id);
        }
    }
    match RunArgs::from_arg_matches(&matches) {
        Ok(mut args) => {
            complete_run(&mut args, &matches, &kept);
            args
        }
        Err(_) => args,
    }
}

/// Makes the configured values defaults of clap, so that they never count as typed.
fn with_defaults(mut command: Command, verb: &str, values: &[ConfiguredValue]) -> Command {
    for setting in SETTINGS.iter().filter(|setting| setting.declared.shape != SettingShape::Map) {
        let own = values.iter().filter(|value| value.setting == setting);
        let own: Vec<_> = own.map(|value| OsStr::from(value.value.clone())).collect();
        let set = |command: Command| command.mut_arg(&setting.id, |arg| arg.default_values(own.clone()));
        if own.is_empty() {
            continue;
        }
        if setting.verbs.is_empty() {
            command = set(command);
        } else if setting.is_of(verb) {
            command = command.mut_subcommand(verb, set);
        }
    }
    command
}

fn parse_cli(matches: &ArgMatches, values: &[&ConfiguredValue]) -> Result<Cli, clap::Error> {
    let mut cli = Cli::from_arg_matches(matches)?;
    match (&mut cli.verb, matches.subcommand()) {
        (Verb::Run(args), Some((_, matches))) => complete_run(args, matches, values),
        (Verb::Retry(args), Some((_, matches))) => args.configured = configured_flags("retry", matches, values),
        _ => {}
    }
    Ok(cli)
}

/// Sets the fields of `run` that clap does not parse.
fn complete_run(args: &mut RunArgs, matches: &ArgMatches, values: &[&ConfiguredValue]) {
    for (flag, pairs) in args.maps() {
        let configured = values.iter().filter(|value| value.setting.name == flag).filter_map(|value| value.pair());
        let configured: Vec<_> = configured.filter(|(key, _)| !pairs.iter().any(|(typed, _)| typed == key)).collect();
        pairs.splice(0..0, configured);
    }
    args.configured = configured_flags("run", matches, values);
    let place = |id: &str| matches.index_of(id);
    let flags = [("items", FlagBeforeName::Items), ("shuffle", FlagBeforeName::Shuffle)];
    let precedes = |id| place(id).is_some_and(|at| place("positional_name") == Some(at + 1));
    args.name_after = flags.into_iter().find(|(id, _)| precedes(id)).map(|(_, flag)| flag);
}

fn configured_flags(verb: &str, matches: &ArgMatches, values: &[&ConfiguredValue]) -> ConfiguredFlags {
    let own = values.iter().map(|value| value.setting);
    let own = own.filter(|setting| setting.is_of(verb) && setting.declared.shape != SettingShape::Map);
    ConfiguredFlags(
        own.filter(|setting| is_configured(&setting.id, matches)).map(|setting| setting.name.as_str()).collect(),
    )
}

/// Returns whether the argument has a default instead of a typed value.
fn is_configured(id: &str, matches: &ArgMatches) -> bool {
    matches.value_source(id) == Some(ValueSource::DefaultValue)
}

fn load() -> Result<ConfiguredDefaults, Error> {
    let (path, named) = locate(&|name| std::env::var_os(name).filter(|value| !value.is_empty())).unzip();
    let named = named == Some(true);
    let mut exists = false;
    let mut values = Vec::new();
    if let Some(path) = &path {
        match std::fs::read_to_string(path) {
            Ok(text) => {
                exists = true;
                values = settings::from_file(&path.display().to_string(), &text)?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => {}
            Err(error) => {
                let hint = named.then(|| format!("{CONFIG} names this file: unset the variable, or create the file"));
                return Err(Error::usage(format!("can't read the configuration file {}", path.display()))
                    .caused_by(error)
                    .hint_if(hint));
            }
        }
    }
    let variables = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok().filter(|name| name.starts_with(VARIABLES) && name != CONFIG)?;
        Some((name, value.to_string_lossy().into_owned()))
    });
    let values = settings::merge(settings::from_environment(variables)?, values);
    Ok(ConfiguredDefaults { values, path, exists, matches: ArgMatches::default() })
}

/// The environment variable with the path of the configuration file.
const CONFIG: &str = "KUBECTL_INDEXED_CONFIG";

/// Returns the path of the configuration file, and whether the user named it. A named file must exist.
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
    fn a_variable_or_the_home_directory_gives_the_path_of_the_file() {
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
