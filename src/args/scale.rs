use clap::{Args, value_parser};

use super::{ObjectArgs, TargetArgs};

/// The maximum parallelism of an Indexed Job (`pkg/apis/batch/validation`).
const MAX_PARALLELISM: i64 = 100_000;

const SCALE_EXAMPLES: &str = "\
Examples:
  # Run at most twenty indexes at once
  kubectl indexed scale indexed-job --parallelism 20

  # Run none for now
  kubectl indexed scale indexed-job -j 0

  # Resize an elastic Job, which runs all of its indexes at once
  kubectl indexed scale workers --completions 8";

#[derive(Args, Clone, Debug)]
#[command(after_long_help = SCALE_EXAMPLES)]
pub(crate) struct ScaleArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Run at most N indexes at once; 0 runs none
    #[arg(short = 'j', long, value_name = "N", help_heading = "Changes", required_unless_present = "completions",
          value_parser = value_parser!(i32).range(0..=MAX_PARALLELISM), allow_negative_numbers = true)]
    pub(crate) parallelism: Option<i32>,
    /// Change the number of indexes of an elastic Job
    ///
    /// An elastic Job runs all of its indexes at once: the parallelism changes with the number of indexes.
    #[arg(long, value_name = "N", help_heading = "Changes", value_parser = value_parser!(i32).range(1..=MAX_PARALLELISM))]
    pub(crate) completions: Option<i32>,
    /// Stop the running Pods of several Jobs without confirmation
    #[arg(short, long, help_heading = "Selection")]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) how: ObjectArgs,
}
