use clap::Args;

use super::{ObjectArgs, TargetArgs};

const RESUME_EXAMPLES: &str = "\
Examples:
  # Run the indexes that have not completed
  kubectl indexed resume indexed-job

  # All suspended Indexed Jobs of the namespace
  kubectl indexed resume --all";

#[derive(Args, Clone, Debug)]
#[command(after_long_help = RESUME_EXAMPLES)]
pub(crate) struct ResumeArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    #[command(flatten)]
    pub(crate) how: ObjectArgs,
}
