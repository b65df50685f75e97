use clap::{Args, ValueEnum};

use super::OutputFormat;

/// Formats of a list on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    Wide,
    Yaml,
    Json,
    Name,
}

/// Sort keys of Jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum JobKey {
    /// Newest first
    #[default]
    Age,
    /// By name
    Name,
    /// By status
    Status,
    /// Most failed indexes last
    Failed,
}

const LIST_EXAMPLES: &str = "\
Examples:
  # All Indexed Jobs of the namespace
  kubectl indexed list

  # All namespaces, with images and labels
  kubectl indexed list -A -o wide

  # The names of the Jobs with a label
  kubectl indexed list -l team=vision -o name

  # Print each Job again when it changes, for one minute
  timeout -s INT 60 kubectl indexed list -w

  # Add a column for a label
  kubectl indexed list -L team

  # Add a column with all labels
  kubectl indexed list --show-labels

  # Jobs without a completed index
  kubectl indexed list --field-selector status.successful=0

  # Print fields with a JSONPath template
  kubectl indexed list -o jsonpath='{range .items[*]}{.metadata.name}{\"\\n\"}{end}'";

#[derive(Args, Clone, Debug)]
#[command(after_long_help = LIST_EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct ListArgs {
    /// List the Jobs of all namespaces
    #[arg(short = 'A', long, help_heading = "Selection")]
    pub(crate) all_namespaces: bool,
    /// List only Jobs with these labels, as in kubectl get -l
    #[arg(short = 'l', long, value_name = "SELECTOR", help_heading = "Selection")]
    pub(crate) selector: Option<String>,
    /// List only Jobs with these fields: metadata.name, metadata.namespace, status.successful
    #[arg(long, value_name = "SELECTOR", help_heading = "Selection")]
    pub(crate) field_selector: Option<String>,
    /// Add a column for each of these labels, separated by commas
    #[arg(short = 'L', long = "label-columns", value_name = "LABEL", value_delimiter = ',', help_heading = "Output")]
    pub(crate) label_columns: Vec<String>,
    /// Add a column with all labels
    #[arg(long, help_heading = "Output")]
    pub(crate) show_labels: bool,
    /// Sort the Jobs by this column
    #[arg(long, value_enum, default_value_t, value_name = "COLUMN", help_heading = "Output")]
    pub(crate) sort_by: JobKey,
    /// Print the list in this format
    #[arg(short, long, value_name = "FORMAT", help_heading = "Output")]
    pub(crate) output: Option<OutputFormat<ListFormat>>,
    /// Print no line of column names
    #[arg(long, help_heading = "Output")]
    pub(crate) no_headers: bool,
    /// Print a Job again when it changes, until interrupted
    #[arg(short, long, help_heading = "Output")]
    pub(crate) watch: bool,
}
