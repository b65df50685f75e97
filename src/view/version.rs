//! Versions, and what a server can do, for a person.

use std::fmt::Write as _;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ability {
    /// What it is good for, or what is done without it.
    pub(crate) what: String,
    pub(crate) is_there: bool,
    /// The minor version of Kubernetes 1 that it came with.
    pub(crate) since: u32,
    /// What is done without it.
    pub(crate) instead: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    /// As it calls itself, such as `v1.36.1`.
    pub(crate) version: String,
    pub(crate) abilities: Vec<Ability>,
    pub(crate) kueue: bool,
}

/// The versions in lines, then what the server does and what not.
pub(crate) fn page(client: &str, server: Option<&Server>) -> String {
    let mut text = format!("Client Version: v{client}\n");
    let Some(Server { version, abilities, kueue }) = server else { return text };
    let _ = writeln!(text, "Server Version: {version}");
    let (there, missing): (Vec<_>, Vec<_>) = abilities.iter().partition(|ability| ability.is_there);
    if !there.is_empty() {
        text.push_str("This server has:\n");
    }
    for Ability { what, since, .. } in there {
        let _ = writeln!(text, "  {what} (since 1.{since})");
    }
    if !missing.is_empty() {
        text.push_str("It lacks:\n");
    }
    for Ability { what, since, instead, .. } in missing {
        let _ = writeln!(text, "  {what} (since 1.{since}): {instead}");
    }
    text.push_str(if *kueue {
        "Kueue is there: --queue has it admit a Job.\n"
    } else {
        "Kueue is not there: a Job with --queue would wait for ever.\n"
    });
    text
}
