use clap::Args;

use super::{ObjectArgs, TargetArgs};

const SUSPEND_EXAMPLES: &str = "\
Examples:
  # What runs ends, and starts anew after resume; what has completed stays so
  kubectl indexed suspend indexed-job

  # All Jobs with a label, without being asked
  kubectl indexed suspend -l team=vision -y";

#[derive(Args, Clone, Debug)]
#[command(after_help = SUSPEND_EXAMPLES)]
pub(crate) struct SuspendArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Don't ask before running Pods of more than one Job are ended
    #[arg(short, long, help_heading = "Which Jobs")]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) how: ObjectArgs,
}
