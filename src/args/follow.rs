//! How a Job is followed that was just submitted.

use clap::Args;

use super::PrefixChoice;

/// The flags of the verbs that submit a Job.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Following")]
pub(crate) struct FollowArgs {
    /// Return after submitting instead of following
    #[arg(short, long, conflicts_with = "dry_run")]
    pub(crate) detach: bool,
    /// Print what the indexes write in index order; what comes early waits, on disk where it is much
    #[arg(short, long)]
    pub(crate) keep_order: bool,
    /// What starts each line of output
    #[arg(long, value_enum, default_value_t)]
    pub(crate) prefix: PrefixChoice,
    /// Neither progress nor summary, only the output and errors
    #[arg(short, long)]
    pub(crate) quiet: bool,
}
