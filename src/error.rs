//! Errors with their kind, their hints and their exit code.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// The exit codes of the program. They are documented and do not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// The Job completed, or the verb succeeded.
    Success = 0,
    /// The Job failed, or the verb failed while it ran.
    Failure = 1,
    /// The command line or an input is wrong; nothing was created.
    Usage = 2,
    /// The timeout passed before the outcome was known.
    TimedOut = 3,
    Interrupted = 130,
}

/// The kind of an error, by which a caller decides what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The command line or an input is wrong.
    Usage,
    NotFound,
    AlreadyExists,
    /// The credentials are missing, wrong or expired.
    Unauthorized,
    Forbidden,
    /// The server could not be reached, or its response came too late.
    Unreachable,
    TimedOut,
    Interrupted,
    /// Any other refusal of the server or of this machine.
    Failed,
}

/// A hint below an error: what to try next.
///
/// Every layer writes hints, and no layer but `commands` knows the user's flags. So a command is kept apart from the text,
/// and gets the flags of the user's cluster and namespace when it is printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hint(Vec<HintPart>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum HintPart {
    Text(String),
    /// A command line. The flags stand before `payload`, which is empty or begins with ` --`.
    Command {
        words: String,
        payload: String,
    },
}

impl Hint {
    /// Returns the hint `kubectl indexed WORDS DOES`. Words that a shell would split are quoted.
    pub(crate) fn indexed(words: &[&str], does: &str) -> Self {
        Self::command("kubectl indexed", words, does)
    }

    /// Returns the hint `kubectl WORDS DOES`. Words that a shell would split are quoted.
    pub(crate) fn kubectl(words: &[&str], does: &str) -> Self {
        Self::command("kubectl", words, does)
    }

    fn command(program: &str, words: &[&str], does: &str) -> Self {
        let end = words.iter().position(|word| *word == "--").unwrap_or(words.len());
        let (words, payload) = words.split_at(end);
        let join = |words: &[&str]| words.iter().fold(String::new(), |line, word| line + " " + &quoted(word));
        let command = HintPart::Command { words: format!("{program}{}", join(words)), payload: join(payload) };
        let does = (!does.is_empty()).then(|| HintPart::Text(format!(" {does}")));
        Self([command].into_iter().chain(does).collect())
    }

    /// Adds a second hint to the same line.
    #[must_use]
    pub(crate) fn and(self, other: impl Into<Self>) -> Self {
        self.joined("; ", other)
    }

    /// Adds text or a command directly behind this hint.
    #[must_use]
    pub(crate) fn then(self, other: impl Into<Self>) -> Self {
        self.joined("", other)
    }

    fn joined(mut self, between: &str, other: impl Into<Self>) -> Self {
        self.0.push(HintPart::Text(between.to_owned()));
        self.0.extend(other.into().0);
        self
    }

    /// Returns the text of the hint. `flags` are added to each command; each flag begins with a blank.
    pub(crate) fn with_flags(&self, flags: &str) -> String {
        let part = |part: &HintPart| match part {
            HintPart::Text(text) => text.clone(),
            HintPart::Command { words, payload } => format!("{words}{flags}{payload}"),
        };
        self.0.iter().map(part).collect()
    }
}

impl<T: Into<String>> From<T> for Hint {
    fn from(text: T) -> Self {
        Self(vec![HintPart::Text(text.into())])
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with_flags(""))
    }
}

/// Returns `word` quoted for a shell, where it needs quotes.
pub(crate) fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:,=@%+".contains(&byte);
    // zsh replaces a word that begins with `=`.
    if !word.is_empty() && !word.starts_with('=') && word.bytes().all(is_plain) {
        return word.into();
    }
    shlex::try_quote(word).unwrap_or(word.into())
}

/// An error of one of the layers: a kind, a sentence, and hints.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Error {
    kind: Kind,
    message: String,
    hints: Vec<Hint>,
    #[source]
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// Returns an error. The message has no capital at its start and no full stop, because it is part of a chain.
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hints: Vec::new(), source: None }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Adds a hint, which is printed on a line of its own.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<Hint>) -> Self {
        self.hints.push(hint.into());
        self
    }

    #[must_use]
    pub(crate) fn hint_if(self, hint: Option<impl Into<Hint>>) -> Self {
        hint.into_iter().fold(self, Self::hint)
    }

    /// Adds the hints of another error.
    #[must_use]
    pub(crate) fn with_hints_of(mut self, other: &Self) -> Self {
        self.hints.extend_from_slice(&other.hints);
        self
    }

    #[must_use]
    pub(crate) fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    #[must_use]
    pub(crate) fn of_kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the hints in the order in which they are printed, their commands with `flags`.
    pub(crate) fn hints_with_flags(&self, flags: &str) -> Vec<String> {
        self.hints.iter().map(|hint| hint.with_flags(flags)).collect()
    }

    #[cfg(test)]
    pub(crate) fn hints(&self) -> Vec<String> {
        self.hints_with_flags("")
    }

    /// Returns the exit code with which this error ends the program.
    pub(crate) fn exit(&self) -> Exit {
        match self.kind {
            Kind::Usage => Exit::Usage,
            Kind::TimedOut => Exit::TimedOut,
            Kind::Interrupted => Exit::Interrupted,
            _ => Exit::Failure,
        }
    }
}

/// Returns the sentences from the outermost error to its cause. Many libraries put the cause into their own text, so a
/// sentence that repeats its neighbour is left out.
pub(crate) fn chain<'a>(errors: impl Iterator<Item = &'a (dyn StdError + 'static)>) -> String {
    let mut sentences: Vec<String> = Vec::new();
    for error in errors {
        let text = error.to_string();
        match sentences.last_mut() {
            Some(last) if last.contains(&text) => {}
            Some(last) if text.contains(last.as_str()) => *last = text,
            _ => sentences.push(text),
        }
    }
    sentences.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_stand_before_the_command_of_the_worker() {
        let retry = Hint::indexed(&["retry", "x", "--", "CMD"], "runs it again");
        let hint = Hint::from("try this: ").then(retry).and(Hint::kubectl(&["get", "pods", "-l", "a in (b)"], ""));
        assert_eq!(
            hint.with_flags(" -n ns"),
            "try this: kubectl indexed retry x -n ns -- CMD runs it again; kubectl get pods -l 'a in (b)' -n ns"
        );
        assert_eq!(Hint::indexed(&["list"], "lists them").to_string(), "kubectl indexed list lists them");
    }
}
