//! Arguments of the verbs that create or change Jobs.

use clap::{Arg, Args, ValueEnum};

use super::{Complete, Configurable, OutputFormat, TemplateFields};

/// The Jobs to change.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Selection")]
pub(crate) struct TargetArgs {
    /// Jobs to change [default: the newest Indexed Job]
    #[arg(value_name = "JOB", conflicts_with_all = ["selector", "all"], add = Complete::Jobs)]
    pub(crate) jobs: Vec<String>,
    /// Change the Jobs with these labels, as in kubectl get -l
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub(crate) selector: Option<String>,
    /// Change all unfinished Indexed Jobs of the namespace
    #[arg(long, conflicts_with = "selector")]
    pub(crate) all: bool,
}

/// How objects are submitted and printed.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct ObjectArgs {
    /// Print the change instead of making it
    #[arg(long, value_enum, default_value_t, num_args = 0..=1, default_missing_value = "client", require_equals = true,
          value_name = "WHERE")]
    pub(crate) dry_run: DryRun,
    /// Print the changed Jobs in this format
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) output: Option<OutputFormat<ObjectFormat>>,
    /// Record this field manager for the fields that are set
    #[arg(long, value_name = "NAME", default_value = "kubectl-indexed", hide_short_help = true,
          add = Configurable::value(TemplateFields::None, "nightly-batch"))]
    pub(crate) field_manager: String,
}

/// Changes the help of these flags for the verbs that create objects.
pub(super) fn of_new_objects(arg: Arg) -> Arg {
    match arg.get_id().as_str() {
        "dry_run" => arg.help("Print the objects instead of creating them").long_help(
            "Print the objects instead of creating them\n\nThe Job that they come from is still read from the cluster.",
        ),
        "output" => arg.help("Print the objects in this format").hide_short_help(true),
        _ => arg,
    }
}

/// Whether to make a change or only to print it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum DryRun {
    /// Make the change
    #[default]
    None,
    /// Check it here, and print it
    Client,
    /// Have the server check it without storing it, and print the server's answer
    Server,
}

impl DryRun {
    /// Returns the words that follow a change which was only tried.
    pub(crate) fn note(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Client => " (dry run)",
            Self::Server => " (server dry run)",
        }
    }
}

/// Formats of an object on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ObjectFormat {
    Yaml,
    Json,
    Name,
}
