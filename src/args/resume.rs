use clap::Args;

use super::{ObjectArgs, TargetArgs};

const RESUME_EXAMPLES: &str = "\
Examples:
  # Its indexes that have not completed run
  kubectl indexed resume indexed-job

  # Every Indexed Job of the namespace that is suspended
  kubectl indexed resume --all";

#[derive(Args, Clone, Debug)]
#[command(after_help = RESUME_EXAMPLES)]
pub(crate) struct ResumeArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    #[command(flatten)]
    pub(crate) how: ObjectArgs,
}
