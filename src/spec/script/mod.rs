//! Placeholders in the script of a shell: each becomes a reference to an environment variable, quoted for its place. So
//! the shell never parses a value as code, and every byte arrives unchanged.
//!
//! A shell may evaluate a value again after its expansion: as a formula in `$((…))`, in the subscript of an array and in
//! `[[ … -eq … ]]`, as a name in `read`, as commands in `eval`. Commands in the value would run, so only numbers are safe
//! there: see [`find_evaluated`]. Two cases are not checked: programs that interpret a value, such as `awk`, `ssh` and
//! `su`, and variables of the script to which it assigns the value.

mod code;
mod commands;
mod documents;
mod reader;
mod writer;

use crate::error::Error;
use crate::spec::template::{Placeholder, Segment};

/// Programs that take a script after `-c`.
const SHELLS: [&str; 6] = ["sh", "bash", "dash", "ash", "ksh", "zsh"];
/// Long options of bash that take the next word.
const OPTIONS_WITH_VALUE: [&str; 2] = ["--init-file", "--rcfile"];

/// Returns the command's first word if it is a shell.
pub(crate) fn shell_of(command: &[String]) -> Option<&str> {
    command.first().map(String::as_str).filter(|word| is_shell(word))
}

fn is_shell(word: &str) -> bool {
    SHELLS.contains(&word.rsplit('/').next().unwrap_or(word))
}

/// Returns whether a shell runs in the command, as in `timeout 9 bash job.sh`.
pub(crate) fn has_shell(command: &[String]) -> bool {
    command.iter().any(|word| is_shell(word))
}

/// Returns a warning if a script has Windows line ends, because a shell reads a carriage return as part of a word.
pub(crate) fn warn_of_windows_lines(command: &[String]) -> Option<String> {
    let is_windows = |script: &String| script.contains("\r\n") || script.ends_with('\r');
    scripts(command).into_iter().filter_map(|at| command.get(at)).any(is_windows).then(|| {
        "the script in the command has Windows line ends, and a shell reads each carriage return as part of a word; \
         tr -d '\\r' removes them"
            .to_owned()
    })
}

/// Returns the positions in `command` of the scripts of shells, as in `timeout 9 bash -euo pipefail -c SCRIPT`.
pub(crate) fn scripts(command: &[String]) -> Vec<usize> {
    let shells = (0..command.len()).filter(|&at| is_shell(&command[at]));
    let mut scripts: Vec<_> = shells.filter_map(|at| script_after(command, at + 1)).collect();
    // The name of a shell may also be an option's value of another one.
    scripts.dedup();
    scripts
}

/// Returns the position of the script of a shell whose first argument is at `at`.
fn script_after(command: &[String], mut at: usize) -> Option<usize> {
    let mut takes_script = false;
    while let Some(word) = command.get(at) {
        let cluster = match word.strip_prefix(['-', '+']) {
            _ if word == "-" || word == "--" => {
                at += 1;
                break;
            }
            Some(cluster) => cluster,
            None => break,
        };
        at += 1;
        if word.starts_with("--") {
            at += usize::from(OPTIONS_WITH_VALUE.contains(&word.as_str()));
        } else {
            takes_script |= word.starts_with('-') && cluster.contains('c');
            at += cluster.matches(['o', 'O']).count();
        }
    }
    (takes_script && at < command.len()).then_some(at)
}

/// Replaces each placeholder of a script by a quoted reference to the variable that `name` returns. `names` are those of
/// the columns, for messages. A script that consists of one placeholder, as in `sh -c {}`, must not be passed: there the
/// items are the scripts.
///
/// # Errors
/// A usage error if a shell would not expand a reference: in a here-document with a quoted delimiter, in a delimiter, and
/// after a backslash that would escape the reference's quotes.
pub(crate) fn insert_references(
    segments: &[Segment],
    names: &[String],
    name: &dyn Fn(&Placeholder) -> String,
) -> Result<String, Error> {
    Ok(writer::rewrite(segments, names, name)?.0)
}

/// How a shell evaluates a value again, so that commands in it would run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evaluated {
    /// As a formula.
    Arithmetic,
    /// As the name of a variable, which may have a subscript.
    Name,
    /// As commands.
    Code,
}

/// Returns the variables of a script whose values the shell evaluates again. They are safe only if every value
/// [is a number](is_number).
pub(crate) fn find_evaluated(script: &str) -> Result<Vec<(String, Evaluated)>, Error> {
    let segments = [Segment::Text(script.to_owned())];
    Ok(writer::rewrite(&segments, &[], &|_| String::new())?.1)
}

/// Returns whether a value is a number in every shell: decimal with sign, fraction and exponent, or hexadecimal.
pub(crate) fn is_number(value: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(value) else { return false };
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => text.starts_with(|c: char| c.is_ascii_digit() || c == '.') && text.parse::<f64>().is_ok(),
    }
}

#[cfg(test)]
mod tests;
