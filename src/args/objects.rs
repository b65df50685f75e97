//! What is done with the objects that a verb makes, and what is printed of them.

use clap::Args;

use super::{DryRun, Form, ObjectFormat};

/// The flags of the verbs that submit a Job.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct ObjectArgs {
    /// Print the objects instead of creating them; a Job that they come from is read from the cluster all the same
    #[arg(long, value_enum, default_value_t, num_args = 0..=1, default_missing_value = "client", require_equals = true,
          value_name = "WHERE")]
    pub(crate) dry_run: DryRun,
    /// Form of the objects on stdout
    #[arg(short, long, value_name = "FORM")]
    pub(crate) output: Option<Form<ObjectFormat>>,
    /// Name of the manager that the server records for the fields that are set
    #[arg(long, value_name = "NAME", default_value = "kubectl-indexed")]
    pub(crate) field_manager: String,
}
