use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::OutputFormat;
use crate::index_set::IndexSelector;

/// Forms of results on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResultFormat {
    /// An object a line
    Jsonl,
    /// Comma-separated values, the output in the last column
    Csv,
    /// One object, whose shape has a version
    Json,
    /// The outputs alone, one behind the other
    Text,
}

/// What the files of results are named by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum NameBy {
    /// 3.out
    Index,
    /// The item, as far as a file can be called so
    Item,
}

/// What an index has to give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResultFrom {
    /// What its worker wrote to stdout and stderr, as far as its node keeps it
    #[default]
    Log,
    /// What its worker wrote to /dev/termination-log, at most 4 KiB: needs no request for each index
    TerminationMessage,
}

const RESULTS_EXAMPLES: &str = "\
Examples:
  # What each index of the newest Job wrote, in order
  kubectl indexed results

  # Each in a file of its own; the same again fetches what is missing
  kubectl indexed results indexed-job --to out
  kubectl indexed results indexed-job --to by-item --name-by item

  # A row an index, with its output, exit code and times
  kubectl indexed results -o csv --trim > results.csv
  kubectl indexed results -o jsonl --parse-json

  # Rows as the indexes finish
  kubectl indexed results -f -o jsonl

  # As GNU parallel would have logged it
  kubectl indexed results --joblog jobs.log";

#[derive(Args, Clone, Debug)]
#[command(after_help = RESULTS_EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct ResultsArgs {
    /// The Job; the newest Indexed Job when left out
    #[arg(value_name = "JOB")]
    pub(crate) job: Option<String>,
    /// Indexes to fetch: 0-3,7,9-20:2, the words failed, succeeded, running, pending, all, and ! to exclude
    #[arg(short, long, value_name = "INDEXES", help_heading = "Which indexes")]
    pub(crate) index: Option<IndexSelector>,
    /// Only this Job, without those that it retries and those that retry it
    #[arg(long, help_heading = "Which indexes")]
    pub(crate) only_this: bool,
    /// Folder to write the output of each index to, byte for byte, with the rest in its results.jsonl
    #[arg(long, value_name = "DIR", help_heading = "Form", value_hint = ValueHint::DirPath)]
    pub(crate) to: Option<PathBuf>,
    /// What the files are named by [default: index]
    #[arg(long, value_enum, value_name = "WHAT", requires = "to", help_heading = "Form")]
    pub(crate) name_by: Option<NameBy>,
    /// Form of the results on stdout [default: text, or nothing with --to or --joblog]
    #[arg(short, long, value_name = "FORM", help_heading = "Form")]
    pub(crate) output: Option<OutputFormat<ResultFormat>>,
    /// Leave out the line of column names
    #[arg(long, help_heading = "Form")]
    pub(crate) no_headers: bool,
    /// Leave out what the indexes wrote, which is then not fetched
    #[arg(long, conflicts_with_all = ["to", "trim", "parse_json", "from", "container"], help_heading = "Form")]
    pub(crate) no_output: bool,
    /// Leave out blanks and line breaks around each output; files stay as they are
    #[arg(long, help_heading = "Form")]
    pub(crate) trim: bool,
    /// Take each output for JSON, of workers that print it
    #[arg(long, help_heading = "Form")]
    pub(crate) parse_json: bool,
    /// What is the output of an index
    #[arg(long, value_enum, default_value_t, value_name = "WHERE", help_heading = "What is fetched")]
    pub(crate) from: ResultFrom,
    /// Container to read; the default container of the Pod when left out
    #[arg(short, long, value_name = "NAME", help_heading = "What is fetched")]
    pub(crate) container: Option<String>,
    /// Go on until the Job ends, with each index as it finishes
    #[arg(short, long, help_heading = "Order")]
    pub(crate) follow: bool,
    /// Print in index order also when following
    #[arg(short, long, help_heading = "Order")]
    pub(crate) keep_order: bool,
    /// File to write the columns of GNU parallel's --joblog to, - for stdout; Seq is the index + 1
    #[arg(long, value_name = "FILE", help_heading = "Form", value_hint = ValueHint::FilePath)]
    pub(crate) joblog: Option<PathBuf>,
}
