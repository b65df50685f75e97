//! The words that were typed, read leniently: they are no whole command yet, and some may be wrong.

use clap::{Arg, ArgAction, Args as _, Command, FromArgMatches as _};

use crate::args::GlobalArgs;

/// The verb, the flags and the names that were typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Typed {
    /// By its own name, whatever alias was typed.
    pub(crate) verb: Option<String>,
    /// The flags by their ids, each with its value; a switch has `true`.
    flags: Vec<(String, String)>,
    /// The words that are neither verb nor flag.
    pub(crate) names: Vec<String>,
    /// The flag whose value comes next, by its id.
    pub(crate) awaited: Option<String>,
    /// Whether two dashes were typed: what follows belongs to somebody else.
    pub(crate) after_dashes: bool,
    /// Whether there is a verb that nobody knows.
    pub(crate) lost: bool,
}

impl Typed {
    /// Reads the words behind the program's name; `root` is the whole command line, built.
    pub(crate) fn read(root: &Command, words: &[String]) -> Self {
        let mut typed = Self::default();
        let mut command = root;
        for word in words {
            if let Some(flag) = typed.awaited.take() {
                typed.flags.push((flag, word.clone()));
            } else if word == "--" {
                typed.after_dashes = true;
                break;
            } else if let Some(long) = word.strip_prefix("--") {
                let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
                if let Some(arg) = command.get_arguments().find(|arg| has_long(arg, name)) {
                    typed.flag(arg, value);
                }
            } else if let Some(shorts) = word.strip_prefix('-').filter(|shorts| !shorts.is_empty()) {
                typed.shorts(command, shorts);
            } else if typed.verb.is_some() {
                typed.names.push(word.clone());
            } else if let Some(found) = root.find_subcommand(word) {
                command = found;
                typed.verb = Some(found.get_name().to_owned());
            } else {
                typed.lost = true;
                break;
            }
        }
        typed
    }

    /// Letters behind one dash: switches, and at the end a flag with its value.
    fn shorts(&mut self, command: &Command, shorts: &str) {
        for (at, short) in shorts.char_indices() {
            let Some(arg) = command.get_arguments().find(|arg| arg.get_short() == Some(short)) else { return };
            let rest = &shorts[at + short.len_utf8()..];
            if arg.get_action().takes_values() {
                self.flag(arg, (!rest.is_empty()).then(|| rest.strip_prefix('=').unwrap_or(rest)));
                return;
            }
            self.flag(arg, None);
        }
    }

    fn flag(&mut self, arg: &Arg, value: Option<&str>) {
        let id = arg.get_id().as_str().to_owned();
        match value {
            Some(value) => self.flags.push((id, value.to_owned())),
            // A value that may be left out stands behind an equals sign.
            None if arg.get_action().takes_values() && !arg.is_require_equals_set() => self.awaited = Some(id),
            None => self.flags.push((id, "true".to_owned())),
        }
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        self.flags.iter().any(|(flag, _)| flag == id)
    }

    /// The last value that was typed for this flag.
    pub(crate) fn value(&self, id: &str) -> Option<&str> {
        self.flags.iter().rev().find(|(flag, _)| flag == id).map(|(_, value)| value.as_str())
    }

    /// The verb that was typed, else `root` itself.
    pub(crate) fn command<'a>(&self, root: &'a Command) -> &'a Command {
        self.verb.as_deref().and_then(|verb| root.find_subcommand(verb)).unwrap_or(root)
    }

    /// The flags that tell which cluster and namespace are meant; None if they can't be used.
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

    /// As few words as tell the engine where it is: the verb, the names, the flag whose value comes, and `last`. What
    /// else was typed would only lead it astray, as a namespace that is called like a verb does.
    pub(crate) fn for_engine(&self, command: &Command, last: &str) -> Vec<String> {
        let awaited =
            self.command(command).get_arguments().find(|arg| self.awaited.as_deref() == Some(arg.get_id().as_str()));
        let flag = awaited.and_then(Arg::get_long).map(|long| format!("--{long}"));
        let own = ["kubectl-indexed".to_owned()].into_iter();
        own.chain(self.verb.clone()).chain(self.names.iter().cloned()).chain(flag).chain([last.to_owned()]).collect()
    }
}

fn has_long(arg: &Arg, name: &str) -> bool {
    arg.get_long() == Some(name) || arg.get_all_aliases().is_some_and(|aliases| aliases.contains(&name))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::args::Cli;

    fn read(line: &str) -> Typed {
        let mut command = Cli::command();
        command.build();
        Typed::read(&command, &line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn finds_the_verb_wherever_it_stands() {
        // A namespace that is called like a verb is none.
        for line in ["-n logs indexes", "--namespace=logs indexes", "-nlogs tasks", "-n=logs indexes"] {
            let typed = read(line);
            assert_eq!((typed.verb.as_deref(), typed.value("namespace")), (Some("indexes"), Some("logs")), "{line}");
        }
        assert!(read("logz").lost);
        assert_eq!(read("").verb, None);
    }

    #[test]
    fn tells_names_from_values() {
        let typed = read("logs --index 3 rev -kfn x --item=q --only-this");
        assert_eq!(typed.names, ["rev"]);
        assert_eq!(
            (typed.value("index"), typed.value("namespace"), typed.value("items")),
            (Some("3"), Some("x"), Some("q"))
        );
        assert!(typed.has("keep_order") && typed.has("follow") && typed.has("only_this") && !typed.has("merge"));
    }

    #[test]
    fn knows_which_value_comes_next() {
        assert_eq!(read("logs rev --index").awaited.as_deref(), Some("index"));
        assert_eq!(read("logs rev -fi").awaited.as_deref(), Some("index"));
        assert_eq!(read("logs rev -i3").awaited, None);
        assert_eq!(read("-n").awaited.as_deref(), Some("namespace"));
        // Its value can be left out, and else stands behind an equals sign.
        assert_eq!(read("retry --dry-run").awaited, None);
        assert_eq!(read("retry --nonsense").awaited, None);
        assert_eq!(read("run --arg-file").awaited.as_deref(), Some("items_file"));
    }

    #[test]
    fn stops_at_two_dashes() {
        let typed = read("retry rev -n a -- cmd -n b");
        assert!(typed.after_dashes);
        assert_eq!(
            (typed.names, typed.flags),
            (vec!["rev".to_owned()], vec![("namespace".to_owned(), "a".to_owned())])
        );
        // A value may look like that.
        assert!(!read("logs --grep --").after_dashes);
    }

    #[test]
    fn flags_that_choose_the_cluster_count_wherever_they_stand_and_the_last_wins() {
        let global =
            read("--context a logs -n x --as-group g --bad rev --context=b --as-group h -n y").global().unwrap();
        assert_eq!((global.context.as_deref(), global.namespace.as_deref()), (Some("b"), Some("y")));
        assert_eq!(global.as_groups, ["g", "h"]);
        assert!(read("logs --insecure-skip-tls-verify").global().unwrap().insecure_skip_tls_verify);
        assert!(read("logs --namespace=").global().is_none());
    }

    #[test]
    fn the_engine_is_told_no_more_than_it_needs() {
        let mut command = Cli::command();
        command.build();
        let words = |line: &str| read(line).for_engine(&command, "x").join(" ");
        assert_eq!(words("-n logs"), "kubectl-indexed x");
        assert_eq!(words("-n logs ls --context run -o"), "kubectl-indexed list --output x");
        assert_eq!(words("retry --dry-run rev"), "kubectl-indexed retry rev x");
    }
}
