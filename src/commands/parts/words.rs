//! A lenient parser of the command line, for words that are incomplete or wrong.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Args as _, Command, CommandFactory as _, FromArgMatches as _};

use super::find::KINDS;
use crate::args::{Cli, GlobalArgs};

/// The verb, the flags and the names that were typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Typed {
    /// The name of the verb, also if an alias was typed.
    pub(crate) verb: Option<String>,
    /// The id and the value of each flag; the value of a switch is `true`.
    flags: Vec<(String, String)>,
    /// The words that are neither verb nor flag.
    pub(crate) names: Vec<String>,
    /// The position of the first of them.
    first_name: Option<usize>,
    /// The id of the flag whose value comes next.
    pub(crate) awaited: Option<String>,
    /// Whether two dashes were typed. The words after them belong to another command.
    pub(crate) after_dashes: bool,
    /// Whether the verb is unknown.
    pub(crate) is_unknown_verb: bool,
}

impl Typed {
    /// Parses the words after the program's name; `root` is the whole command line, built.
    pub(crate) fn parse(root: &Command, words: &[String]) -> Self {
        let mut typed = Self::default();
        let mut command = root;
        for (at, word) in words.iter().enumerate() {
            if let Some(flag) = typed.awaited.take() {
                typed.flags.push((flag, word.clone()));
            } else if word == "--" {
                typed.after_dashes = true;
                break;
            } else if let Some(long) = word.strip_prefix("--") {
                let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
                if let Some(arg) = command.get_arguments().find(|arg| has_long(arg, name)) {
                    typed.add_flag(arg, value);
                }
            } else if let Some(shorts) = word.strip_prefix('-').filter(|shorts| !shorts.is_empty()) {
                typed.add_shorts(command, shorts);
            } else if typed.verb.is_some() {
                typed.first_name.get_or_insert(at);
                typed.names.push(word.clone());
            } else if let Some(found) = root.find_subcommand(word) {
                command = found;
                typed.verb = Some(found.get_name().to_owned());
            } else {
                typed.is_unknown_verb = true;
                break;
            }
        }
        typed
    }

    /// Adds the letters after one dash: switches, and at the end a flag with its value.
    fn add_shorts(&mut self, command: &Command, shorts: &str) {
        for (at, short) in shorts.char_indices() {
            let Some(arg) = command.get_arguments().find(|arg| arg.get_short() == Some(short)) else { return };
            let rest = &shorts[at + short.len_utf8()..];
            if arg.get_action().takes_values() {
                self.add_flag(arg, (!rest.is_empty()).then(|| rest.strip_prefix('=').unwrap_or(rest)));
                return;
            }
            self.add_flag(arg, None);
        }
    }

    fn add_flag(&mut self, arg: &Arg, value: Option<&str>) {
        let id = arg.get_id().as_str().to_owned();
        match value {
            Some(value) => self.flags.push((id, value.to_owned())),
            // An optional value follows an equals sign.
            None if arg.get_action().takes_values() && !arg.is_require_equals_set() => self.awaited = Some(id),
            None => self.flags.push((id, "true".to_owned())),
        }
    }

    pub(crate) fn has_flag(&self, id: &str) -> bool {
        self.flags.iter().any(|(flag, _)| flag == id)
    }

    /// Returns the last value of this flag.
    pub(crate) fn value(&self, id: &str) -> Option<&str> {
        self.flags.iter().rev().find(|(flag, _)| flag == id).map(|(_, value)| value.as_str())
    }

    /// Returns the command of the typed verb, or `root` if there is none.
    pub(crate) fn command<'a>(&self, root: &'a Command) -> &'a Command {
        self.verb.as_deref().and_then(|verb| root.find_subcommand(verb)).unwrap_or(root)
    }

    /// Returns the flags that choose the cluster and the namespace; `None` if they are invalid.
    pub(crate) fn global(&self) -> Option<GlobalArgs> {
        let command = GlobalArgs::augment_args(Command::new("kubectl-indexed").no_binary_name(true));
        let mut words = Vec::new();
        for arg in command.get_arguments() {
            let Some(long) = arg.get_long() else { continue };
            let given: Vec<_> = self.flags.iter().filter(|(flag, _)| flag == arg.get_id().as_str()).collect();
            let repeats = matches!(arg.get_action(), ArgAction::Append);
            let meant = if repeats { &given[..] } else { &given[given.len().saturating_sub(1)..] };
            let spelled = |value: &str| {
                if arg.get_action().takes_values() { format!("--{long}={value}") } else { format!("--{long}") }
            };
            words.extend(meant.iter().map(|(_, value)| spelled(value)));
        }
        GlobalArgs::from_arg_matches(&command.try_get_matches_from(words).ok()?).ok()
    }

    /// Returns the words that the completion engine needs: the verb, the names, the flag whose value comes, and `last`.
    /// Other words mislead it, for example a namespace named like a verb.
    pub(crate) fn for_engine(&self, command: &Command, last: &str) -> Vec<String> {
        let awaited =
            self.command(command).get_arguments().find(|arg| self.awaited.as_deref() == Some(arg.get_id().as_str()));
        let flag = awaited.and_then(Arg::get_long).map(|long| format!("--{long}"));
        let own = ["kubectl-indexed".to_owned()].into_iter();
        own.chain(self.verb.clone()).chain(self.names.iter().cloned()).chain(flag).chain([last.to_owned()]).collect()
    }
}

/// Returns the words without a kind before the name of a Job, as kubectl takes it: `describe job x`, `get jobs`.
pub(crate) fn without_kind(mut words: Vec<OsString>) -> Vec<OsString> {
    if !words.iter().any(|word| KINDS.iter().any(|kind| word == kind)) {
        return words;
    }
    let mut root = Cli::command();
    root.build();
    let texts: Vec<_> = words.iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let typed = Typed::parse(&root, &texts);
    let takes_job = typed.command(&root).get_arguments().any(|arg| ["job", "jobs"].contains(&arg.get_id().as_str()));
    let is_list = typed.verb.as_deref() == Some("list");
    if let Some(at) = typed.first_name
        && KINDS.contains(&typed.names[0].as_str())
        && (is_list || takes_job && typed.names.len() > 1)
    {
        words.remove(at + 1);
    }
    words
}

fn has_long(arg: &Arg, name: &str) -> bool {
    arg.get_long() == Some(name) || arg.get_all_aliases().is_some_and(|aliases| aliases.contains(&name))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::args::Cli;

    fn parse(line: &str) -> Typed {
        let mut command = Cli::command();
        command.build();
        Typed::parse(&command, &line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn the_verb_is_found_among_flags() {
        // A namespace named like a verb is not a verb.
        for line in ["-n logs indexes", "--namespace=logs indexes", "-nlogs tasks", "-n=logs indexes"] {
            let typed = parse(line);
            assert_eq!((typed.verb.as_deref(), typed.value("namespace")), (Some("indexes"), Some("logs")), "{line}");
        }
        assert!(parse("logz").is_unknown_verb);
        assert_eq!(parse("").verb, None);
    }

    #[test]
    fn a_kind_before_a_name_is_dropped() {
        let words = |line: &str| {
            let words = line.split(' ').map(OsString::from).collect();
            without_kind(words).join(" ".as_ref()).into_string().unwrap()
        };
        assert_eq!(words("ki get jobs -A"), "ki get -A");
        assert_eq!(words("ki get job train"), "ki get train");
        assert_eq!(words("ki -n job describe job train"), "ki -n job describe train");
        assert_eq!(words("ki delete jobs.batch a b"), "ki delete a b");
        // A Job may be named like its kind.
        assert_eq!(words("ki delete job"), "ki delete job");
        assert_eq!(words("ki run job --items a -- job x"), "ki run job --items a -- job x");
        assert_eq!(words("ki retry -- job x"), "ki retry -- job x");
    }

    #[test]
    fn names_differ_from_values() {
        let typed = parse("logs --index 3 rev -kfn x --item=q --only-this");
        assert_eq!(typed.names, ["rev"]);
        assert_eq!(
            (typed.value("index"), typed.value("namespace"), typed.value("items")),
            (Some("3"), Some("x"), Some("q"))
        );
        assert!(
            typed.has_flag("keep_order")
                && typed.has_flag("follow")
                && typed.has_flag("only_this")
                && !typed.has_flag("merge")
        );
    }

    #[test]
    fn the_awaited_flag_is_known() {
        assert_eq!(parse("logs rev --index").awaited.as_deref(), Some("index"));
        assert_eq!(parse("logs rev -fi").awaited.as_deref(), Some("index"));
        assert_eq!(parse("logs rev -i3").awaited, None);
        assert_eq!(parse("-n").awaited.as_deref(), Some("namespace"));
        // An optional value needs an equals sign.
        assert_eq!(parse("retry --dry-run").awaited, None);
        assert_eq!(parse("retry --nonsense").awaited, None);
        assert_eq!(parse("run --arg-file").awaited.as_deref(), Some("items_file"));
    }

    #[test]
    fn words_after_two_dashes_are_not_parsed() {
        let typed = parse("retry rev -n a -- cmd -n b");
        assert!(typed.after_dashes);
        assert_eq!(
            (typed.names, typed.flags),
            (vec!["rev".to_owned()], vec![("namespace".to_owned(), "a".to_owned())])
        );
        // A value may be two dashes.
        assert!(!parse("logs --grep --").after_dashes);
    }

    #[test]
    fn flags_of_the_cluster_are_found_anywhere_and_the_last_wins() {
        let global =
            parse("--context a logs -n x --as-group g --bad rev --context=b --as-group h -n y").global().unwrap();
        assert_eq!((global.context.as_deref(), global.namespace.as_deref()), (Some("b"), Some("y")));
        assert_eq!(global.as_groups, ["g", "h"]);
        assert!(parse("logs --insecure-skip-tls-verify").global().unwrap().insecure_skip_tls_verify);
        assert!(parse("logs --namespace=").global().is_none());
    }

    #[test]
    fn the_engine_gets_only_the_words_that_it_needs() {
        let mut command = Cli::command();
        command.build();
        let words = |line: &str| parse(line).for_engine(&command, "x").join(" ");
        assert_eq!(words("-n logs"), "kubectl-indexed x");
        assert_eq!(words("-n logs ls --context run -o"), "kubectl-indexed list --output x");
        assert_eq!(words("retry --dry-run rev"), "kubectl-indexed retry rev x");
    }
}
