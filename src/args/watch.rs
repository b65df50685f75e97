use clap::Args;

use super::Complete;

const WATCH_EXAMPLES: &str = "\
Examples:
  # The newest Indexed Job of the namespace
  kubectl indexed watch

  # Print changes as lines, for a screen reader
  kubectl indexed watch indexed-job --plain

  # Without a terminal, wait prints the progress
  kubectl indexed wait indexed-job";

#[derive(Args, Clone, Debug)]
#[command(after_long_help = WATCH_EXAMPLES)]
pub(crate) struct WatchArgs {
    /// Job to watch [default: the newest Indexed Job]
    #[arg(value_name = "JOB", add = Complete::Jobs)]
    pub(crate) job: Option<String>,
}
