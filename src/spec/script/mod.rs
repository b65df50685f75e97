//! Placeholders in the script of a shell: each becomes a reference to a variable of the environment, quoted for the place
//! where it stands. So a value is never parsed as code, whatever bytes are in it, and arrives as it is.
//!
//! A shell may evaluate a value once more after it was expanded: as a formula in `$((…))`, in the subscript of an array
//! and by `[[ … -eq … ]]`, as a name by `read`, as commands by `eval`. Commands in the value run then, so only numbers are
//! safe there: see [`evaluated`]. What another program makes of a value is its own: `awk`, `ssh` and `su` are not
//! followed. Nor is a variable of the script's own, to which it assigned the value.

mod code;
mod commands;
mod documents;
mod reader;
mod writer;

use crate::error::Error;
use crate::spec::template::{Placeholder, Segment};

/// Programs that take a script after `-c`.
const SHELLS: [&str; 6] = ["sh", "bash", "dash", "ash", "ksh", "zsh"];
/// Long options, of bash, that take the next word.
const OPTIONS_WITH_VALUE: [&str; 2] = ["--init-file", "--rcfile"];

/// The shell that the command itself is, as it is called there.
pub(crate) fn shell_of(command: &[String]) -> Option<&str> {
    command.first().map(String::as_str).filter(|word| is_shell(word))
}

fn is_shell(word: &str) -> bool {
    SHELLS.contains(&word.rsplit('/').next().unwrap_or(word))
}

/// Whether a shell reads the variables of the command, as in `timeout 9 bash job.sh`.
pub(crate) fn has_shell(command: &[String]) -> bool {
    command.iter().any(|word| is_shell(word))
}

/// Returns a warning if a script has Windows line ends: to a shell a carriage return is part of the word before it.
pub(crate) fn windows_lines(command: &[String]) -> Option<String> {
    let is_windows = |script: &String| script.contains("\r\n") || script.ends_with('\r');
    scripts(command).into_iter().filter_map(|at| command.get(at)).any(is_windows).then(|| {
        "the script in the command has Windows line ends, and a shell takes each carriage return for part of a word; \
         tr -d '\\r' takes them off"
            .to_owned()
    })
}

/// The index in `command` of each argument that is the script of a shell, as in `timeout 9 bash -euo pipefail -c SCRIPT`.
pub(crate) fn scripts(command: &[String]) -> Vec<usize> {
    let shells = (0..command.len()).filter(|&at| is_shell(&command[at]));
    let mut scripts: Vec<_> = shells.filter_map(|at| script_after(command, at + 1)).collect();
    // A word that is called like a shell may stand among the options of another.
    scripts.dedup();
    scripts
}

/// Where the script is, of a shell whose first argument is at `at`.
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

/// The script with each placeholder replaced by a quoted reference to the variable that `name` gives it; `names` are
/// those of the columns, for messages. Not for a script that is one placeholder and nothing else, as in `sh -c {}`, which
/// runs items as commands: there the value itself is the script.
///
/// # Errors
/// A usage error where a shell would not replace a reference: in a here-document with a quoted delimiter, in a
/// delimiter itself, and after a backslash that would take the reference's own quotes for text.
pub(crate) fn refer(
    segments: &[Segment],
    names: &[String],
    name: &dyn Fn(&Placeholder) -> String,
) -> Result<String, Error> {
    Ok(writer::rewrite(segments, names, name)?.0)
}

/// How a shell evaluates a value once more, so that commands in it would run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evaluated {
    /// As a formula.
    Arithmetic,
    /// As the name of a variable, which may have a subscript.
    Name,
    /// As commands.
    Code,
}

/// The variables in a script whose values the shell evaluates once more. They are safe only where every value
/// [is a number](is_number).
pub(crate) fn evaluated(script: &str) -> Result<Vec<(String, Evaluated)>, Error> {
    let segments = [Segment::Text(script.to_owned())];
    Ok(writer::rewrite(&segments, &[], &|_| String::new())?.1)
}

/// Whether a value is a number to every shell: decimal with sign, fraction and exponent, or hexadecimal.
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
