//! `completion`: the script that a shell loads.

use anyhow::Result;
use clap::CommandFactory as _;

use super::Context;
use crate::args::{Cli, Shell};
use crate::error::Exit;

pub(super) fn completion(shell: Shell, context: &mut Context) -> Result<Exit> {
    let generator = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
        Shell::Powershell => clap_complete::Shell::PowerShell,
    };
    let mut script = Vec::new();
    clap_complete::generate(generator, &mut Cli::command(), "kubectl-indexed", &mut script);
    context.ui.data(script)?;
    Ok(Exit::Success)
}
