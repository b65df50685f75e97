//! The commands with which a shell evaluates a value again after its expansion.
//!
//! The rules were found by trying every builtin of bash, dash, ksh, mksh, zsh and busybox. A value counts as evaluated if
//! one of these shells evaluates it.

use std::collections::BTreeSet;

use super::Evaluated;
use super::reader::is_name;

/// Operators of `[[`, `[` and `test` whose operands are formulas: in `[[` to bash, in all three to mksh.
pub(super) const COMPARISONS: [&str; 6] = ["-eq", "-ne", "-lt", "-le", "-gt", "-ge"];
/// Words that may precede the name of a command.
pub(super) const PREFIXES: [&str; 6] = ["builtin", "command", "exec", "nocorrect", "noglob", "-"];
/// Integer variables that shells define.
const INTEGERS: [&str; 8] = ["BASHPID", "COLUMNS", "HISTCMD", "LINES", "OPTIND", "RANDOM", "SECONDS", "TMOUT"];
/// Variables whose value the shell expands again or runs.
const CODE: [&str; 8] = ["BASH_ENV", "ENV", "PROMPT_COMMAND", "PS0", "PS1", "PS2", "PS3", "PS4"];

/// The variables for which an assignment evaluates its value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Attributes {
    /// Integers, and references to other variables: the shell evaluates each assigned value.
    pub(super) integers: BTreeSet<String>,
    /// Arrays: `declare` evaluates a value in parentheses.
    pub(super) arrays: BTreeSet<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Assigned<'a> {
    /// An element of this array: `name[`.
    Element(&'a str),
    /// This variable: `name=` or `name+=`.
    Value(&'a str),
    Nothing,
}

impl<'a> Assigned<'a> {
    /// Returns the variable; empty if there is none.
    pub(super) fn name(self) -> &'a str {
        match self {
            Self::Element(name) | Self::Value(name) => name,
            Self::Nothing => "",
        }
    }
}

pub(super) fn assigned(literal: &str) -> Assigned<'_> {
    let (name, rest) = literal.split_at(literal.find(|c| !is_name(c)).unwrap_or(literal.len()));
    match rest.as_bytes() {
        _ if name.is_empty() => Assigned::Nothing,
        [b'[', ..] => Assigned::Element(name),
        [b'=', ..] | [b'+', b'=', ..] => Assigned::Value(name),
        _ => Assigned::Nothing,
    }
}

pub(super) fn is_test(words: &[String]) -> bool {
    words.first().is_some_and(|name| ["[[", "[", "test"].contains(&name.as_str()))
}

pub(super) fn prints_its_arguments(words: &[String]) -> bool {
    words.first().is_some_and(|name| ["basename", "dirname", "echo", "print", "printf"].contains(&name.as_str()))
}

fn has_option(words: &[String], letters: &str) -> bool {
    let options = words.iter().filter_map(|word| word.strip_prefix('-'));
    options.into_iter().any(|option| option.contains(|c| letters.contains(c)))
}

impl Attributes {
    /// Stores what a command declares with its latest word.
    pub(super) fn learn(&mut self, words: &[String]) {
        let [name, options @ .., latest] = words else { return };
        let variable = match assigned(latest) {
            Assigned::Nothing => latest.as_str(),
            named => named.name(),
        };
        if !variable.starts_with(is_name) {
            return;
        }
        match name.as_str() {
            "integer" | "float" | "nameref" => self.integers.insert(variable.to_owned()),
            "declare" | "typeset" | "local" | "export" | "readonly" => {
                if has_option(options, "aA") {
                    self.arrays.insert(variable.to_owned());
                }
                has_option(options, "EFin") && self.integers.insert(variable.to_owned())
            }
            _ => false,
        };
    }

    /// Returns how the shell evaluates the expansion of the latest of a command's `words`. Each word is known up to its
    /// first expansion. A single word may be an assignment.
    pub(super) fn evaluated(&self, words: &[String]) -> Option<Evaluated> {
        let [name, between @ .., latest] = words else {
            return self.assigns(assigned(words.first()?).name());
        };
        let before = between.last().unwrap_or(name).as_str();
        match name.as_str() {
            "let" | "shift" | "ulimit" | "integer" | "float" => Some(Evaluated::Arithmetic),
            "alias" | "compgen" | "complete" | "emulate" | "eval" | "mapfile" | "readarray" | "trap" => {
                Some(Evaluated::Code)
            }
            "getopts" | "nameref" | "read" | "unset" => Some(Evaluated::Name),
            "declare" | "typeset" | "local" | "export" | "readonly" => self.declares(between, latest),
            "[[" | "[" | "test" if COMPARISONS.contains(&before) => Some(Evaluated::Arithmetic),
            "[[" | "[" | "test" => ["-v", "-R"].contains(&before).then_some(Evaluated::Name),
            "printf" if between.first().is_some_and(|option| option.starts_with("-v")) || latest.starts_with("-v") => {
                let assigns = between.get(1).is_some_and(|variable| self.integers.contains(variable));
                let names = between.len() < 2;
                if names { Some(Evaluated::Name) } else { assigns.then_some(Evaluated::Arithmetic) }
            }
            "for" | "select" if between.first().is_some_and(|variable| self.integers.contains(variable)) => {
                Some(Evaluated::Arithmetic)
            }
            _ => super::scripts(words).contains(&(words.len() - 1)).then_some(Evaluated::Code),
        }
    }

    /// Returns how `declare` and similar commands evaluate a word.
    fn declares(&self, options: &[String], word: &str) -> Option<Evaluated> {
        let Assigned::Value(name) = assigned(word) else { return Some(Evaluated::Name) };
        if has_option(options, "EFin") {
            return Some(Evaluated::Arithmetic);
        }
        let array = self.arrays.contains(name) || has_option(options, "aA");
        array.then_some(Evaluated::Code).or_else(|| self.assigns(name))
    }

    fn assigns(&self, variable: &str) -> Option<Evaluated> {
        if self.integers.contains(variable) || INTEGERS.contains(&variable) {
            Some(Evaluated::Arithmetic)
        } else {
            CODE.contains(&variable).then_some(Evaluated::Code)
        }
    }
}
