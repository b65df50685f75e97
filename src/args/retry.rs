use std::ffi::OsString;

use clap::{Args, ValueEnum};

use super::change::of_new_objects;
use super::run::{INIT_IMAGE_SETTING, parse_parallelism};
use super::{Complete, ConfiguredFlags, FollowArgs, ObjectArgs};
use crate::index_set::IndexSelector;

/// Statuses of an index that `retry` can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutstandingStatus {
    /// The index failed and has no retries left
    Failed,
    /// The Job ended before the index did, or before it started
    #[value(alias = "never-run")]
    Pending,
}

const RETRY_EXAMPLES: &str = "\
Examples:
  # Failed and never-started indexes of the newest Job
  kubectl indexed retry

  # Some of them
  kubectl indexed retry train --index 3,7
  kubectl indexed retry train --exit-code 75

  # Indexes that ran out of memory, with twice the memory
  kubectl indexed retry train --reason OOMKilled --memory x2

  # Show what would run
  kubectl indexed retry train --dry-run=client -o yaml

  # With another image or command
  kubectl indexed retry train --image bash
  kubectl indexed retry train -- sh -c 'echo smaller batches'";

#[derive(Args, Clone, Debug)]
#[command(after_long_help = RETRY_EXAMPLES, mut_args = of_new_objects)]
pub(crate) struct RetryArgs {
    /// Job to retry, or one of its retries [default: the newest Indexed Job]
    #[arg(value_name = "JOB", add = Complete::Jobs)]
    pub(crate) job: Option<String>,
    /// Command to run instead of the Job's, after two dashes
    #[arg(last = true, value_name = "CMD [ARG]")]
    pub(crate) command: Vec<OsString>,

    /// Retry only these indexes, as in 0-3,7 or failed
    ///
    /// Takes numbers and ranges with steps (0-3,7,9-20:2) and the words failed and pending, separated by commas. A
    /// leading ! excludes.
    #[arg(short, long, value_name = "INDEXES", help_heading = "Selection", add = Complete::OutstandingIndexes)]
    pub(crate) index: Option<IndexSelector>,
    /// Retry only indexes with this status; separate several by commas
    #[arg(long, value_enum, value_name = "STATUS", value_delimiter = ',', help_heading = "Selection")]
    pub(crate) status: Vec<OutstandingStatus>,
    /// Retry only indexes whose last attempt failed for this reason, as in OOMKilled
    ///
    /// Separate several by commas.
    #[arg(long = "reason", value_name = "REASON", value_delimiter = ',', help_heading = "Selection",
          add = Complete::FailureReasons)]
    pub(crate) reasons: Vec<String>,
    /// Retry only indexes whose last attempt ended with these codes, as in 137 or 1,3-5
    #[arg(long = "exit-code", value_name = "CODES", help_heading = "Selection", add = Complete::ExitCodes)]
    pub(crate) exit_codes: Option<String>,

    /// Use this image for the worker [default: the Job's]
    #[arg(long, help_heading = "Changes")]
    pub(crate) image: Option<String>,
    /// Request this CPU per index, as in 2, 500m:2 or x2 [default: the Job's]
    ///
    /// 500m:2 requests 500m and limits to 2. x2 multiplies the Job's value.
    #[arg(long, value_name = "AMOUNT", help_heading = "Changes")]
    pub(crate) cpu: Option<String>,
    /// Request and limit memory per index, as in 2Gi, 1Gi:2Gi or x2 [default: the Job's]
    ///
    /// 1Gi:2Gi requests 1Gi and limits to 2Gi. x2 multiplies the Job's value.
    #[arg(long, value_name = "AMOUNT", help_heading = "Changes")]
    pub(crate) memory: Option<String>,
    /// Retry each failed index up to N times [default: the Job's]
    #[arg(long, value_name = "N", help_heading = "Changes")]
    pub(crate) retries: Option<u32>,
    /// Run N indexes at once [default: the Job's]
    #[arg(short = 'j', long, value_name = "N", help_heading = "Changes", value_parser = parse_parallelism,
          allow_negative_numbers = true)]
    pub(crate) parallelism: Option<u32>,
    /// Use this image for init containers; it needs a POSIX shell
    #[arg(long, value_name = "IMAGE", help_heading = "Changes", hide_short_help = true, add = INIT_IMAGE_SETTING)]
    pub(crate) init_image: Option<String>,

    #[command(flatten)]
    pub(crate) follow: FollowArgs,

    #[command(flatten)]
    pub(crate) objects: ObjectArgs,

    /// The flags whose values come from configured defaults.
    #[arg(skip)]
    pub(crate) configured: ConfiguredFlags,
}
