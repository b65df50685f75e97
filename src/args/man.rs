use std::path::PathBuf;

use clap::Args;

#[derive(Args, Clone, Debug)]
pub(crate) struct ManArgs {
    /// Directory to write the pages to; created if it is missing
    pub(crate) dir: PathBuf,
}
