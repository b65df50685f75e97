use clap::Args;

use super::{ObjectArgs, TargetArgs};

const SUSPEND_EXAMPLES: &str = "\
Examples:
  # Stop the running indexes; resume starts them again, completed indexes stay completed
  kubectl indexed suspend indexed-job

  # All Jobs with a label, without confirmation
  kubectl indexed suspend -l team=vision -y";

#[derive(Args, Clone, Debug)]
#[command(after_long_help = SUSPEND_EXAMPLES)]
pub(crate) struct SuspendArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Stop the running Pods of several Jobs without confirmation
    #[arg(short, long, help_heading = "Selection")]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) how: ObjectArgs,
}
