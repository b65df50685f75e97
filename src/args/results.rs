use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::OutputFormat;
use crate::index_set::IndexSelector;

/// Output formats of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResultFormat {
    /// One object per line
    Jsonl,
    /// Comma-separated values, the output in the last column
    Csv,
    /// The same with tabs between them
    Tsv,
    /// One object with a versioned schema
    Json,
    /// Only the outputs, one after the other
    Text,
}

/// How the files of results are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum NameBy {
    /// 3.out
    Index,
    /// The item, with characters that are unsafe in file names replaced
    Item,
}

/// Where the output of an index is read from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResultFrom {
    /// The log of the worker (stdout and stderr), as far as its node keeps it
    #[default]
    Log,
    /// The text that the worker wrote to /dev/termination-log, at most 4 KiB; needs no request per index
    TerminationMessage,
}

const RESULTS_EXAMPLES: &str = "\
Examples:
  # The output of each index of the newest Job, in order
  kubectl indexed results

  # One file per index; the same command again fetches missing files
  kubectl indexed results indexed-job --to out
  kubectl indexed results indexed-job --to by-item --name-by item

  # One row per index: its values, exit code, times and output
  kubectl indexed results -o csv --trim > results.csv
  kubectl indexed results -o jsonl --parse-json

  # Only the last line of each output, after lines of progress
  kubectl indexed results -o csv --last-line

  # A line as soon as an index ends
  kubectl indexed results -f -o jsonl

  # The job log of GNU parallel
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
    /// Only this Job, without the other Jobs of its family
    #[arg(long, help_heading = "Which indexes")]
    pub(crate) only_this: bool,
    /// Write each output to a file in this folder, and all other data to its results.jsonl
    #[arg(long, value_name = "DIR", help_heading = "Form", value_hint = ValueHint::DirPath)]
    pub(crate) to: Option<PathBuf>,
    /// Name the files by this [default: index]
    #[arg(long, value_enum, value_name = "WHAT", requires = "to", help_heading = "Form")]
    pub(crate) name_by: Option<NameBy>,
    /// Output format [default: text, or nothing with --to or --joblog]
    #[arg(short, long, value_name = "FORM", help_heading = "Form")]
    pub(crate) output: Option<OutputFormat<ResultFormat>>,
    /// Omit the line of column names
    #[arg(long, help_heading = "Form")]
    pub(crate) no_headers: bool,
    /// Do not fetch or print the outputs
    #[arg(long, conflicts_with_all = ["to", "last_line", "trim", "parse_json", "from", "container"], help_heading = "Form")]
    pub(crate) no_output: bool,
    /// Print only the last non-empty line of each output; files keep all lines
    #[arg(long, help_heading = "Form")]
    pub(crate) last_line: bool,
    /// Remove blanks and line breaks around each output; files keep them
    #[arg(long, help_heading = "Form")]
    pub(crate) trim: bool,
    /// Parse each output as JSON
    #[arg(long, help_heading = "Form")]
    pub(crate) parse_json: bool,
    /// Where to read the output of an index
    #[arg(long, value_enum, default_value_t, value_name = "WHERE", help_heading = "What is fetched")]
    pub(crate) from: ResultFrom,
    /// Container to read; the default container of the Pod when left out
    #[arg(short, long, value_name = "NAME", help_heading = "What is fetched")]
    pub(crate) container: Option<String>,
    /// Print each index as soon as it ends, until the Job ends
    #[arg(short, long, help_heading = "Order")]
    pub(crate) follow: bool,
    /// Print in index order, also with --follow
    #[arg(short, long, help_heading = "Order")]
    pub(crate) keep_order: bool,
    /// Write a job log like GNU parallel's to this file, - for stdout; Seq is the index + 1
    #[arg(long, value_name = "FILE", help_heading = "Form", value_hint = ValueHint::FilePath)]
    pub(crate) joblog: Option<PathBuf>,
}
