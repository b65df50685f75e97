//! Arguments for following a Job that was just submitted.

use clap::{Args, ValueEnum};

use super::{Configurable, TemplateFields};

/// The prefix of each line of output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum PrefixChoice {
    /// Index and item, unless all lines come from one index
    #[default]
    Auto,
    /// Index and item in brackets
    Index,
    /// Pod and container, as kubectl logs --prefix prints them
    Pod,
    /// No prefix
    None,
}

/// The setting that `--prefix` has in each verb.
pub(super) const PREFIX_SETTING: Configurable = Configurable::value(TemplateFields::None, "index");

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Following")]
pub(crate) struct FollowArgs {
    /// Return after submitting the Job
    #[arg(short, long, conflicts_with = "dry_run")]
    pub(crate) detach: bool,
    /// Print the output in index order
    ///
    /// Early output waits in memory, then on disk.
    #[arg(short, long)]
    pub(crate) keep_order: bool,
    /// Start each line of output with this prefix
    #[arg(long, value_enum, default_value_t, hide_short_help = true, add = PREFIX_SETTING)]
    pub(crate) prefix: PrefixChoice,
    /// Print no progress and no summary
    #[arg(short, long, hide_short_help = true)]
    pub(crate) quiet: bool,
}
