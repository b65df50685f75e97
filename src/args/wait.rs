use std::str::FromStr;

use clap::Args;

use super::Complete;
use crate::index_set::IndexSet;

const WAIT_EXAMPLES: &str = "\
Examples:
  # Exit with 0 when the Job completes, with 1 when it fails
  kubectl indexed wait indexed-job

  # Exit with 3 after ten minutes
  kubectl indexed wait indexed-job --timeout 10m

  # Wait until some indexes have completed
  kubectl indexed wait indexed-job --for indexes=0-9

  # Wait for several Jobs; exit with 0 when all completed
  kubectl indexed wait train evaluate";

#[derive(Args, Clone, Debug)]
#[command(after_long_help = WAIT_EXAMPLES)]
pub(crate) struct WaitArgs {
    /// Jobs to wait for [default: the newest Indexed Job]
    #[arg(value_name = "JOB", add = Complete::Jobs)]
    pub(crate) jobs: Vec<String>,
    /// Wait for complete, failed, or indexes=0-9 [default: complete or failed]
    ///
    /// indexes=0-9 waits until these indexes have completed.
    #[arg(long = "for", value_name = "CONDITION", help_heading = "Waiting", add = Complete::WaitGoals)]
    pub(crate) goal: Option<WaitFor>,
    /// Leave out the Jobs that these Jobs retry and those that retry them
    #[arg(long, help_heading = "Waiting")]
    pub(crate) only_this: bool,
    /// Stop waiting after this time, as in 90s, 10m or 2h; 0 means never
    #[arg(long, value_name = "DURATION", default_value = "0", help_heading = "Waiting")]
    pub(crate) timeout: String,
    /// Print no progress and no summary
    #[arg(short, long, help_heading = "Output")]
    pub(crate) quiet: bool,
}

impl WaitArgs {
    /// Returns the arguments of `wait JOB`.
    pub(crate) fn end(job: &str) -> Self {
        let timeout = "0".to_owned();
        Self { jobs: vec![job.to_owned()], goal: None, only_this: false, timeout, quiet: false }
    }
}

/// The condition that `wait` waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WaitFor {
    Complete,
    Failed,
    Indexes(IndexSet),
}

impl FromStr for WaitFor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The form of kubectl wait.
        let word = text.strip_prefix("condition=").unwrap_or(text);
        match word.to_ascii_lowercase().as_str() {
            "complete" | "completed" => return Ok(Self::Complete),
            "failed" => return Ok(Self::Failed),
            _ => {}
        }
        match word.strip_prefix("indexes=").or_else(|| word.strip_prefix("index=")) {
            Some(indexes) => Ok(Self::Indexes(indexes.parse()?)),
            None => Err("write complete, failed or indexes=0-9".to_owned()),
        }
    }
}
