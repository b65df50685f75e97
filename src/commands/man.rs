//! `man`: writes the man pages, one for the program and one for each verb.

use std::path::Path;

use anyhow::{Context as _, Result};
use clap::CommandFactory as _;

use crate::args::Cli;
use crate::error::Exit;

pub(super) fn man(dir: &Path) -> Result<Exit> {
    std::fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))?;
    // A hidden verb has no page.
    let mut command = Cli::command();
    command.build();
    let verbs: Vec<_> = command.get_subcommands().filter(|verb| !verb.is_hide_set()).cloned().collect();
    let pages = verbs.into_iter().map(|verb| {
        let name = format!("kubectl-indexed-{}", verb.get_name());
        let typed = format!("kubectl indexed {}", verb.get_name());
        (name.clone(), verb.display_name(name).bin_name(typed))
    });
    let whole = ("kubectl-indexed".to_owned(), command.clone().bin_name("kubectl indexed"));
    for (name, page) in std::iter::once(whole).chain(pages) {
        let path = dir.join(format!("{name}.1"));
        let page = clap_mangen::Man::new(page).title(name.to_uppercase()).manual("kubectl-indexed");
        let page = page.source(concat!("kubectl-indexed ", env!("CARGO_PKG_VERSION")));
        let mut bytes = Vec::new();
        page.render(&mut bytes).context("rendering a man page")?;
        std::fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(Exit::Success)
}
