use clap::{Args, ValueEnum};

use super::{Complete, OutputFormat};
use crate::index_set::IndexSelector;

/// Formats of the rows of indexes on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum IndexFormat {
    /// Add the Pod and the message
    Wide,
    /// One object with a versioned schema
    Json,
    /// One object per line
    Jsonl,
    /// Comma-separated values with all columns
    Csv,
    /// Tab-separated values with all columns
    Tsv,
    /// The Pod of each index, as an argument for kubectl
    Name,
}

/// Statuses of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatusFilter {
    Pending,
    Starting,
    Running,
    Retrying,
    Unknown,
    Succeeded,
    Failed,
}

/// Sort keys of indexes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum IndexKey {
    #[default]
    Index,
    Item,
    Status,
    Attempts,
    Exit,
    Reason,
    Node,
    Started,
    Duration,
}

const INDEXES_EXAMPLES: &str = "\
Examples:
  # All indexes of the newest Job
  kubectl indexed indexes

  # Failed indexes, each with its Pod and message
  kubectl indexed indexes indexed-job --status failed -o wide

  # The slowest indexes last
  kubectl indexed indexes --status succeeded --sort-by duration

  # Print each row again when it changes, until the Job ends
  kubectl indexed indexes -w

  # Pass the Pod of an index to kubectl
  kubectl describe $(kubectl indexed indexes --index 3 -o name)";

#[derive(Args, Clone, Debug, Default)]
#[command(after_long_help = INDEXES_EXAMPLES)]
pub(crate) struct IndexesArgs {
    /// Job with the indexes [default: the newest Indexed Job]
    #[arg(value_name = "JOB", add = Complete::Jobs)]
    pub(crate) job: Option<String>,
    /// List only these indexes, as in 0-3,7 or failed
    ///
    /// Takes numbers and ranges with steps (0-3,7,9-20:2) and the words failed, succeeded, running, pending and all,
    /// separated by commas. A leading ! excludes.
    #[arg(short, long, value_name = "INDEXES", help_heading = "Selection", add = Complete::Indexes)]
    pub(crate) index: Option<IndexSelector>,
    /// List only the indexes of this item
    ///
    /// * stands for any characters, ? for one character. Can be repeated.
    #[arg(long = "item", value_name = "ITEM", help_heading = "Selection", add = Complete::Items)]
    pub(crate) items: Vec<String>,
    /// List only indexes with this status; separate several by commas
    #[arg(long, value_enum, value_name = "STATUS", value_delimiter = ',', help_heading = "Selection")]
    pub(crate) status: Vec<StatusFilter>,
    /// Leave out the Jobs that this Job retries and those that retry it
    #[arg(long, help_heading = "Selection")]
    pub(crate) only_this: bool,
    /// Sort the rows by this column
    #[arg(long, value_enum, default_value_t, value_name = "COLUMN", help_heading = "Output")]
    pub(crate) sort_by: IndexKey,
    /// Print the rows in this format
    #[arg(short, long, value_name = "FORMAT", help_heading = "Output")]
    pub(crate) output: Option<OutputFormat<IndexFormat>>,
    /// Print no line of column names
    #[arg(long, help_heading = "Output")]
    pub(crate) no_headers: bool,
    /// Print a row again when it changes, until the Job ends
    #[arg(short, long, help_heading = "Output")]
    pub(crate) watch: bool,
}

impl IndexesArgs {
    /// Returns the arguments of `indexes -w JOB`.
    pub(crate) fn changes(job: &str) -> Self {
        Self { job: Some(job.to_owned()), watch: true, ..Self::default() }
    }
}
