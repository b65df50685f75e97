//! What the verbs have in common that make or change Jobs.

use clap::{Arg, Args};

use super::{DryRun, ObjectFormat, OutputFormat};

/// Which Jobs are changed.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Which Jobs")]
pub(crate) struct TargetArgs {
    /// The Jobs; the newest Indexed Job when left out
    #[arg(value_name = "JOB", conflicts_with_all = ["selector", "all"])]
    pub(crate) jobs: Vec<String>,
    /// Labels of the Jobs that are meant, as in kubectl get -l
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub(crate) selector: Option<String>,
    /// All Indexed Jobs of the namespace that have not finished
    #[arg(long, conflicts_with = "selector")]
    pub(crate) all: bool,
}

/// What is done with the objects of a verb, and what is printed of them.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct ObjectArgs {
    /// Only show what would be done
    #[arg(long, value_enum, default_value_t, num_args = 0..=1, default_missing_value = "client", require_equals = true,
          value_name = "WHERE")]
    pub(crate) dry_run: DryRun,
    /// Form of the changed Jobs on stdout
    #[arg(short, long, value_name = "FORM")]
    pub(crate) output: Option<OutputFormat<ObjectFormat>>,
    /// Name of the manager that the server records for the fields that are set
    #[arg(long, value_name = "NAME", default_value = "kubectl-indexed")]
    pub(crate) field_manager: String,
}

/// The help of those flags where a verb makes objects instead of changing Jobs.
pub(super) fn of_new_objects(arg: Arg) -> Arg {
    match arg.get_id().as_str() {
        "dry_run" => arg.help(
            "Print the objects instead of creating them; a Job that they come from is read from the cluster all the same",
        ),
        "output" => arg.help("Form of the objects on stdout"),
        _ => arg,
    }
}
