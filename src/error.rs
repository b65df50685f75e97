//! What can go wrong, what the user can do about it, and the exit code that tells a script.

use std::error::Error as StdError;

/// How the program ends; the numbers are documented and do not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// The Job completed, or the verb did what it was asked.
    Success = 0,
    /// The Job failed, or something went wrong while running.
    Failure = 1,
    /// The command line, or what it names, can't be used; nothing was created.
    Usage = 2,
    /// The time given ran out before the outcome came.
    TimedOut = 3,
    Interrupted = 130,
}

/// What sort of thing went wrong: enough for a caller to choose what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The user asked for something that can't be had.
    Usage,
    NotFound,
    AlreadyExists,
    /// The server does not know who the user is: no credentials, or wrong or expired ones.
    Unauthorized,
    Forbidden,
    /// The server could not be reached, or answered too late.
    Unreachable,
    TimedOut,
    Interrupted,
    /// Anything else that the server or the machine refused.
    Failed,
}

/// An error of one of the layers: a kind, a sentence, and what to try next.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Error {
    kind: Kind,
    message: String,
    hints: Vec<String>,
    #[source]
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind`, told by `message`: no capital at the start and no full stop, since it ends a chain.
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hints: Vec::new(), source: None }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// The next thing to try, printed on a line of its own.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    #[must_use]
    pub(crate) fn hint_if(self, hint: Option<impl Into<String>>) -> Self {
        hint.into_iter().fold(self, Self::hint)
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

    /// What to try next, in the order of printing.
    pub(crate) fn hints(&self) -> &[String] {
        &self.hints
    }

    /// The exit code that this error ends the program with.
    pub(crate) fn exit(&self) -> Exit {
        match self.kind {
            Kind::Usage => Exit::Usage,
            Kind::TimedOut => Exit::TimedOut,
            Kind::Interrupted => Exit::Interrupted,
            _ => Exit::Failure,
        }
    }
}

/// Sentences from the outermost error to its cause, none of it said twice: many libraries put the cause into their own
/// text.
pub(crate) fn chain<'a>(errors: impl Iterator<Item = &'a (dyn StdError + 'static)>) -> String {
    let mut told: Vec<String> = Vec::new();
    for error in errors {
        let text = error.to_string();
        match told.last_mut() {
            Some(last) if last.contains(&text) => {}
            Some(last) if text.contains(last.as_str()) => *last = text,
            _ => told.push(text),
        }
    }
    told.join(": ")
}
