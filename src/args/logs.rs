use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum, ValueHint};

use super::{PrefixChoice, StatusFilter};
use crate::index_set::IndexSelector;

const LOGS_EXAMPLES: &str = "\
Examples:
  # All indexes of the newest Job, in order
  kubectl indexed logs

  # One index, a range, one item, or whatever failed
  kubectl indexed logs indexed-job --index 3
  kubectl indexed logs --index 0-3,7,9-20:2
  kubectl indexed logs --item 'q*'
  kubectl indexed logs --status failed --attempt last

  # As they come, until the Job ends
  kubectl indexed logs -f

  # A file for each index, or an object for each line
  kubectl indexed logs --to logs
  kubectl indexed logs -o jsonl --grep 'loss=[0-9.]+'";

#[derive(Args, Clone, Debug)]
#[command(after_help = LOGS_EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct LogsArgs {
    /// The Job; the newest Indexed Job when left out
    #[arg(value_name = "JOB")]
    pub(crate) job: Option<String>,

    /// Indexes to print: 0-3,7,9-20:2, the words failed, succeeded, running, pending, all, and ! to exclude
    #[arg(short, long, value_name = "INDEXES", help_heading = "Which logs")]
    pub(crate) index: Option<IndexSelector>,
    /// Only this Job, without those that it retries and those that retry it
    #[arg(long, help_heading = "Which logs")]
    pub(crate) only_this: bool,
    /// Only the indexes of this item; * stands for any characters, ? for one; can be repeated
    #[arg(long = "item", value_name = "ITEM", help_heading = "Which logs")]
    pub(crate) items: Vec<String>,
    /// Only the indexes that fare so; several are separated by commas
    #[arg(long, value_enum, value_name = "STATUS", value_delimiter = ',', help_heading = "Which logs")]
    pub(crate) status: Vec<StatusFilter>,
    /// Which attempt of each index: all, last, or its number, from 1 on
    #[arg(long, value_name = "N", default_value = "all", help_heading = "Which logs")]
    pub(crate) attempt: AttemptChoice,
    /// What the container wrote before it was last started again within its Pod
    #[arg(short, long, help_heading = "Which logs", conflicts_with = "follow")]
    pub(crate) previous: bool,
    /// Container to read; the default container of the Pod when left out
    #[arg(short, long, value_name = "NAME", help_heading = "Which logs")]
    pub(crate) container: Option<String>,
    /// Read all containers, init containers first
    #[arg(long, help_heading = "Which logs", conflicts_with_all = ["container", "init"])]
    pub(crate) all_containers: bool,
    /// Read the init containers
    #[arg(long, help_heading = "Which logs", conflicts_with = "container")]
    pub(crate) init: bool,

    /// Go on printing until the Job ends
    #[arg(short, long, help_heading = "Order")]
    pub(crate) follow: bool,
    /// Print in index order also when following; what comes early waits, on disk where it is much
    #[arg(short, long, help_heading = "Order")]
    pub(crate) keep_order: bool,
    /// Print the lines of all indexes in the order in which they were written
    #[arg(long, help_heading = "Order", conflicts_with = "keep_order")]
    pub(crate) merge: bool,

    /// Only lines that are not older than this, as in 5s, 2m or 3h
    #[arg(long, value_name = "DURATION", help_heading = "Which lines", conflicts_with = "since_time")]
    pub(crate) since: Option<String>,
    /// Only lines since that time (RFC 3339); the server counts in whole seconds
    #[arg(long, value_name = "TIME", help_heading = "Which lines")]
    pub(crate) since_time: Option<String>,
    /// How many of the last lines of each log to print; -1 prints all
    #[arg(long, value_name = "N", default_value_t = -1, allow_negative_numbers = true, help_heading = "Which lines")]
    pub(crate) tail: i64,
    /// How many bytes of each log to print; it may end within a line
    #[arg(long, value_name = "N", help_heading = "Which lines", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit_bytes: Option<u64>,
    /// Only lines that match this regular expression; can be repeated, any of them counts
    #[arg(long, value_name = "REGEX", help_heading = "Which lines")]
    pub(crate) grep: Vec<String>,
    /// No lines that match this regular expression; can be repeated
    #[arg(long, value_name = "REGEX", help_heading = "Which lines")]
    pub(crate) exclude: Vec<String>,

    /// What starts each line
    #[arg(long, value_enum, default_value_t, help_heading = "Form")]
    pub(crate) prefix: PrefixChoice,
    /// Start each line with the time at which it was written
    #[arg(long, help_heading = "Form")]
    pub(crate) timestamps: bool,
    /// An object for each line
    #[arg(short, long, value_enum, value_name = "FORM", help_heading = "Form")]
    pub(crate) output: Option<LogFormat>,
    /// Write to one file for each index in this folder, which is made if it is not there
    #[arg(long, value_name = "DIR", help_heading = "Form", value_hint = ValueHint::DirPath)]
    pub(crate) to: Option<PathBuf>,
    /// Let control characters reach the terminal
    #[arg(long, help_heading = "Form")]
    pub(crate) raw: bool,

    /// How many logs are read at once; more take turns
    #[arg(long, value_name = "N", default_value_t = 64, help_heading = "Order", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) max_log_requests: u16,
}

/// Forms of lines on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// One array
    Json,
    /// An object a line
    Jsonl,
}

/// Which attempts of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptChoice {
    All,
    Last,
    /// From 1 on.
    Number(u32),
}

impl FromStr for AttemptChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Self::All),
            "last" => Ok(Self::Last),
            _ => match text.parse() {
                Ok(number) if number > 0 => Ok(Self::Number(number)),
                _ => Err("write all, last, or a number from 1 on".to_owned()),
            },
        }
    }
}
