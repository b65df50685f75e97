use std::ffi::OsString;

use clap::{Args, ValueEnum};

use super::change::of_new_objects;
use super::{ConfiguredFlags, FollowArgs, ObjectArgs};
use crate::index_set::IndexSelector;

/// How an index may stand that is outstanding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutstandingStatus {
    /// It failed for good
    Failed,
    /// The Job ended before it did, or before it ran
    #[value(alias = "never-run")]
    Pending,
}

const RETRY_EXAMPLES: &str = "\
Examples:
  # Whatever of the newest Job failed, or never ran because the Job stopped
  kubectl indexed retry

  # Some of it
  kubectl indexed retry train --index 3,7
  kubectl indexed retry train --exit-code 75

  # Those that ran out of memory, with twice as much
  kubectl indexed retry train --reason OOMKilled --memory x2

  # See what would run
  kubectl indexed retry train --dry-run=client -o yaml

  # By a corrected image or command
  kubectl indexed retry train --image bash
  kubectl indexed retry train -- sh -c 'echo less at once'";

#[derive(Args, Clone, Debug)]
#[command(after_help = RETRY_EXAMPLES, mut_args = of_new_objects)]
pub(crate) struct RetryArgs {
    /// The Job, or one that retries it; the newest Indexed Job when left out
    #[arg(value_name = "JOB")]
    pub(crate) job: Option<String>,
    /// A corrected command, after two dashes, in place of the Job's own
    #[arg(last = true, value_name = "CMD [ARG]")]
    pub(crate) command: Vec<OsString>,

    /// Of the outstanding indexes only these: 0-3,7,9-20:2, the words failed and pending, and ! to exclude
    #[arg(short, long, value_name = "INDEXES", help_heading = "Which indexes")]
    pub(crate) index: Option<IndexSelector>,
    /// Only those that stand so; several are separated by commas
    #[arg(long, value_enum, value_name = "STATUS", value_delimiter = ',', help_heading = "Which indexes")]
    pub(crate) status: Vec<OutstandingStatus>,
    /// Only those whose last attempt failed for this reason, as in OOMKilled; several are separated by commas
    #[arg(long = "reason", value_name = "REASON", value_delimiter = ',', help_heading = "Which indexes")]
    pub(crate) reasons: Vec<String>,
    /// Only those whose last attempt ended so, as in 137 or 1,3-5
    #[arg(long = "exit-code", value_name = "CODES", help_heading = "Which indexes")]
    pub(crate) exit_codes: Option<String>,

    /// Image of the worker in place of the Job's own
    #[arg(long, help_heading = "Changes")]
    pub(crate) image: Option<String>,
    /// CPU request of each index, as in 2 or 500m:2 with a limit, or as in x2 a multiple of what it was
    #[arg(long, value_name = "REQUEST[:LIMIT]", help_heading = "Changes")]
    pub(crate) cpu: Option<String>,
    /// Memory request and limit of each index, as in 2Gi or 1Gi:2Gi, or as in x2 a multiple of what it was
    #[arg(long, value_name = "REQUEST[:LIMIT]", help_heading = "Changes")]
    pub(crate) memory: Option<String>,
    /// How often a failed index is tried again, each index for itself
    #[arg(long, value_name = "N", help_heading = "Changes")]
    pub(crate) retries: Option<u32>,
    /// How many indexes may run at once
    #[arg(short = 'j', long, value_name = "N", help_heading = "Changes")]
    pub(crate) parallelism: Option<u32>,
    /// Image of the init container that tells each Pod its original index; it must have a POSIX shell
    #[arg(long, value_name = "IMAGE", help_heading = "Changes")]
    pub(crate) init_image: Option<String>,

    #[command(flatten)]
    pub(crate) follow: FollowArgs,

    #[command(flatten)]
    pub(crate) objects: ObjectArgs,

    /// Which of these nobody typed.
    #[arg(skip)]
    pub(crate) configured: ConfiguredFlags,
}
