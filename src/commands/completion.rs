//! `completion`: the script that a shell loads, or that kubectl runs.

use anyhow::{Context as _, Result};

use super::{Context, complete};
use crate::args::Shell;
use crate::error::Exit;

pub(super) fn completion(shell: Shell, context: &mut Context) -> Result<Exit> {
    context.ui.data(complete::script(shell).context("writing the script")?)?;
    Ok(Exit::Success)
}
