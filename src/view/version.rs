//! Versions, and what a server can do, for a person.

use std::fmt::Write as _;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ability {
    /// What it is good for, or what is done without it.
    pub(crate) what: String,
    pub(crate) is_there: bool,
    /// The minor version of Kubernetes 1 that it came with.
    pub(crate) since: u32,
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
    for (title, is_there) in [("This server has:\n", true), ("It lacks:\n", false)] {
        let abilities: Vec<_> = abilities.iter().filter(|ability| ability.is_there == is_there).collect();
        text.push_str(if abilities.is_empty() { "" } else { title });
        for Ability { what, since, instead, .. } in abilities {
            let instead = if is_there { String::new() } else { format!(": {instead}") };
            let _ = writeln!(text, "  {what} (since 1.{since}){instead}");
        }
    }
    text.push_str(if *kueue {
        "Kueue is there: --queue has it admit a Job.\n"
    } else {
        "Kueue is not there: a Job with --queue would wait for ever.\n"
    });
    text
}
