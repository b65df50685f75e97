use std::path::PathBuf;

use clap::{ArgAction, Args, ValueHint};

use super::{DryRun, NameFormat};

const DELETE_EXAMPLES: &str = "\
Examples:
  # A Job with its Pods and items
  kubectl indexed delete indexed-job

  # Those that completed or failed more than a day ago, without being asked
  kubectl indexed delete --finished --older-than 1d -y

  # What they wrote is kept
  kubectl indexed delete --finished --keep-results out -y

  # See first which those would be
  kubectl indexed delete -l team=vision --finished --dry-run=client";

#[derive(Args, Clone, Debug)]
#[command(after_help = DELETE_EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub(crate) struct DeleteArgs {
    /// The Jobs
    #[arg(value_name = "JOB", conflicts_with_all = ["selector", "all", "all_namespaces"],
          required_unless_present_any = ["finished", "older_than", "selector", "all"])]
    pub(crate) jobs: Vec<String>,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// Don't ask: it asks where more than one Job would go, or an unnamed one that has not finished
    #[arg(short, long, help_heading = "Deleting")]
    pub(crate) yes: bool,
    /// Gather first what each Job gave, into the folder DIR/JOB; a Job of which something can't be had is kept
    #[arg(long, value_name = "DIR", help_heading = "Deleting", value_hint = ValueHint::DirPath)]
    pub(crate) keep_results: Option<PathBuf>,
    /// Wait until the Job and its Pods are gone; --wait=false returns at once
    #[arg(long, action = ArgAction::Set, default_value_t = true, num_args = 0..=1, default_missing_value = "true",
          require_equals = true, value_name = "BOOL", hide_default_value = true,
          hide_possible_values = true, help_heading = "Deleting")]
    pub(crate) wait: bool,
    /// As --wait=false
    #[arg(long, conflicts_with = "wait", hide = true)]
    pub(crate) no_wait: bool,
    /// Do not complain about a Job that is not there
    #[arg(long, help_heading = "Deleting")]
    pub(crate) ignore_not_found: bool,
    /// Only show what would be deleted
    #[arg(long, value_enum, default_value_t, num_args = 0..=1, default_missing_value = "client", require_equals = true,
          value_name = "WHERE", help_heading = "Output")]
    pub(crate) dry_run: DryRun,
    /// Form of the names of what was deleted
    #[arg(short, long, value_enum, value_name = "FORM", help_heading = "Output")]
    pub(crate) output: Option<NameFormat>,
}

/// Which Jobs are deleted where none is named; beside names, which of those.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Which Jobs")]
pub(crate) struct FilterArgs {
    /// Only Jobs that have completed or failed
    #[arg(long)]
    pub(crate) finished: bool,
    /// Only Jobs that ended longer ago than this, or that have not ended and were created longer ago, as in 1d or 12h
    #[arg(long, value_name = "AGE")]
    pub(crate) older_than: Option<String>,
    /// Only Jobs with these labels, as in kubectl get -l
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub(crate) selector: Option<String>,
    /// All Indexed Jobs of the namespace
    #[arg(long)]
    pub(crate) all: bool,
    /// In all namespaces
    #[arg(short = 'A', long)]
    pub(crate) all_namespaces: bool,
}
