use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::{Complete, OutputFormat};
use crate::index_set::IndexSelector;

/// Formats of results on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResultFormat {
    /// One object per line
    Jsonl,
    /// Comma-separated values, the output in the last column
    Csv,
    /// Tab-separated values, the output in the last column
    Tsv,
    /// One object with a versioned schema
    Json,
    /// Only the outputs, one after the other
    Text,
}

/// How result files are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum NameBy {
    /// 3.out
    Index,
    /// The item, with characters replaced that a file name can't have
    Item,
}

/// The source of an index's output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResultFrom {
    /// The worker's stdout and stderr, as long as its node keeps the log
    #[default]
    Log,
    /// The worker's /dev/termination-log, at most 4 KiB; needs no request per index
    TerminationMessage,
}

const RESULTS_EXAMPLES: &str = "\
Examples:
  # The output of each index of the newest Job, in order
  kubectl indexed results

  # One file per index; a second call fetches only missing files
  kubectl indexed results indexed-job --to out
  kubectl indexed results indexed-job --to by-item --name-by item

  # One row per index, with output, exit code and times
  kubectl indexed results -o csv --trim > results.csv
  kubectl indexed results -o jsonl --parse-json

  # Only the last line of each output, after lines of progress
  kubectl indexed results -o csv --last-line

  # Rows as the indexes finish
  kubectl indexed results -f -o jsonl

  # A job log in the format of GNU parallel
  kubectl indexed results --joblog jobs.log";

#[derive(Args, Clone, Debug)]
#[command(after_long_help = RESULTS_EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct ResultsArgs {
    /// Job with the results [default: the newest Indexed Job]
    #[arg(value_name = "JOB", add = Complete::Jobs)]
    pub(crate) job: Option<String>,
    /// Collect only these indexes, as in 0-3,7 or failed
    ///
    /// Takes numbers and ranges with steps (0-3,7,9-20:2) and the words failed, succeeded, running, pending and all,
    /// separated by commas. A leading ! excludes.
    #[arg(short, long, value_name = "INDEXES", help_heading = "Selection", add = Complete::Indexes)]
    pub(crate) index: Option<IndexSelector>,
    /// Leave out the Jobs that this Job retries and those that retry it
    #[arg(long, help_heading = "Selection")]
    pub(crate) only_this: bool,
    /// Read the output from here
    #[arg(long, value_enum, default_value_t, value_name = "SOURCE", help_heading = "Source")]
    pub(crate) from: ResultFrom,
    /// Read this container [default: the Pod's default container]
    #[arg(short, long, value_name = "NAME", help_heading = "Source", add = Complete::Containers)]
    pub(crate) container: Option<String>,
    /// Collect each index when it finishes, until the Job ends
    #[arg(short, long, help_heading = "Order")]
    pub(crate) follow: bool,
    /// Print in index order also with --follow
    #[arg(short, long, help_heading = "Order")]
    pub(crate) keep_order: bool,
    /// Write each output to a file in this directory, and all rows to results.jsonl
    #[arg(long, value_name = "DIR", help_heading = "Output", value_hint = ValueHint::DirPath)]
    pub(crate) to: Option<PathBuf>,
    /// Name the files by index or item [default: index]
    #[arg(long, value_enum, value_name = "KEY", requires = "to", help_heading = "Output")]
    pub(crate) name_by: Option<NameBy>,
    /// Print the results in this format [default: text; none with --to or --joblog]
    #[arg(short, long, value_name = "FORMAT", help_heading = "Output")]
    pub(crate) output: Option<OutputFormat<ResultFormat>>,
    /// Print no line of column names
    #[arg(long, help_heading = "Output")]
    pub(crate) no_headers: bool,
    /// Leave out the outputs, and don't fetch them
    #[arg(long, conflicts_with_all = ["to", "last_line", "trim", "parse_json", "from", "container"], help_heading = "Output")]
    pub(crate) no_output: bool,
    /// Print only the last non-empty line of each output; files keep all lines
    #[arg(long, help_heading = "Output")]
    pub(crate) last_line: bool,
    /// Remove white space around each output; files keep it
    #[arg(long, help_heading = "Output")]
    pub(crate) trim: bool,
    /// Parse each output as JSON
    #[arg(long, help_heading = "Output")]
    pub(crate) parse_json: bool,
    /// Write a job log in the format of GNU parallel to this file; - is stdout
    ///
    /// Seq is the index + 1.
    #[arg(long, value_name = "FILE", help_heading = "Output", value_hint = ValueHint::FilePath)]
    pub(crate) joblog: Option<PathBuf>,
}
