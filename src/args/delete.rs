use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum, ValueHint};

use super::{Complete, DryRun};

const DELETE_EXAMPLES: &str = "\
Examples:
  # A Job with its Pods and items
  kubectl indexed delete indexed-job

  # Jobs that ended more than a day ago, without confirmation
  kubectl indexed delete --finished --older-than 1d -y

  # Save the results first
  kubectl indexed delete --finished --keep-results out -y

  # Show which Jobs would be deleted
  kubectl indexed delete -l team=vision --finished --dry-run=client";

#[derive(Args, Clone, Debug)]
#[command(after_long_help = DELETE_EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub(crate) struct DeleteArgs {
    /// Jobs to delete
    #[arg(value_name = "JOB", conflicts_with_all = ["selector", "all", "all_namespaces"], add = Complete::Jobs,
          required_unless_present_any = ["finished", "older_than", "selector", "all"])]
    pub(crate) jobs: Vec<String>,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// Delete without confirmation
    ///
    /// Without this flag, delete asks before it deletes more than one Job, or an unfinished Job that was not named.
    #[arg(short, long, help_heading = "Deletion")]
    pub(crate) yes: bool,
    /// Save the results of each Job to DIR/JOB first
    ///
    /// A Job is kept if one of its results can't be read.
    #[arg(long, value_name = "DIR", help_heading = "Deletion", value_hint = ValueHint::DirPath)]
    pub(crate) keep_results: Option<PathBuf>,
    /// Wait until the Job and its Pods are gone [default: true]
    ///
    /// --wait=false returns at once.
    #[arg(long, action = ArgAction::Set, default_value_t = true, num_args = 0..=1, default_missing_value = "true",
          require_equals = true, value_name = "BOOL", hide_default_value = true,
          hide_possible_values = true, help_heading = "Deletion")]
    pub(crate) wait: bool,
    /// Return at once, as --wait=false
    #[arg(long, conflicts_with = "wait", hide = true)]
    pub(crate) no_wait: bool,
    /// Exit with 0 if a Job does not exist
    #[arg(long, help_heading = "Deletion")]
    pub(crate) ignore_not_found: bool,
    /// Print the Jobs instead of deleting them
    #[arg(long, value_enum, default_value_t, num_args = 0..=1, default_missing_value = "client", require_equals = true,
          value_name = "WHERE", help_heading = "Output")]
    pub(crate) dry_run: DryRun,
    /// Print only the names of the deleted Jobs
    #[arg(short, long, value_enum, value_name = "FORMAT", help_heading = "Output")]
    pub(crate) output: Option<NameFormat>,
}

/// The Jobs to delete if none is named; with names, a filter on those.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Selection")]
pub(crate) struct FilterArgs {
    /// Delete only completed and failed Jobs
    #[arg(long)]
    pub(crate) finished: bool,
    /// Delete only Jobs older than this, as in 1d or 12h
    ///
    /// The age counts from the end of the Job, or from its creation if it has not ended.
    #[arg(long, value_name = "AGE")]
    pub(crate) older_than: Option<String>,
    /// Delete only Jobs with these labels, as in kubectl get -l
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub(crate) selector: Option<String>,
    /// Delete all Indexed Jobs of the namespace
    #[arg(long)]
    pub(crate) all: bool,
    /// Delete in all namespaces
    #[arg(short = 'A', long)]
    pub(crate) all_namespaces: bool,
}

/// The only format in which names are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum NameFormat {
    Name,
}
