use clap::{Args, value_parser};

use super::{ObjectArgs, TargetArgs};

/// The most that Kubernetes runs at once of an Indexed Job (`pkg/apis/batch/validation`).
const MOST: i64 = 100_000;

const SCALE_EXAMPLES: &str = "\
Examples:
  # Twenty indexes at once instead of what was asked for at first
  kubectl indexed scale indexed-job --parallelism 20

  # None for now
  kubectl indexed scale indexed-job -j 0

  # An elastic Job, all of whose indexes run at once, to eight of them
  kubectl indexed scale workers --completions 8";

#[derive(Args, Clone, Debug)]
#[command(after_help = SCALE_EXAMPLES)]
pub(crate) struct ScaleArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// How many indexes may run at once; 0 for none
    #[arg(short = 'j', long, value_name = "N", help_heading = "Changes", required_unless_present = "completions",
          value_parser = value_parser!(i32).range(0..=MOST))]
    pub(crate) parallelism: Option<i32>,
    /// How many indexes there are: only where all of them run at once, --parallelism then being the same
    #[arg(long, value_name = "N", help_heading = "Changes", value_parser = value_parser!(i32).range(1..=MOST))]
    pub(crate) completions: Option<i32>,
    /// Don't ask before running Pods of more than one Job are ended
    #[arg(short, long, help_heading = "Which Jobs")]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) how: ObjectArgs,
}
