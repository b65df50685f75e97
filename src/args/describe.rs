use clap::{ArgAction, Args};

use super::Complete;

const DESCRIBE_EXAMPLES: &str = "\
Examples:
  # The newest Indexed Job of the namespace
  kubectl indexed describe

  # A Job by name
  kubectl indexed describe indexed-job";

#[derive(Args, Clone, Debug)]
#[command(after_long_help = DESCRIBE_EXAMPLES)]
pub(crate) struct DescribeArgs {
    /// Job to describe [default: the newest Indexed Job]
    #[arg(value_name = "JOB", add = Complete::Jobs)]
    pub(crate) job: Option<String>,
    /// Leave out the Jobs that this Job retries and those that retry it
    #[arg(long, help_heading = "Selection")]
    pub(crate) only_this: bool,
    /// Show the events of the Job and its Pods
    #[arg(long, help_heading = "Selection", default_value_t = true, num_args = 0..=1, default_missing_value = "true",
          require_equals = true, action = ArgAction::Set, value_name = "BOOL", hide_possible_values = true)]
    pub(crate) show_events: bool,
}
