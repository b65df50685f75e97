use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum, ValueHint, value_parser};

use super::follow::PREFIX_SETTING;
use super::{Complete, Configurable, PrefixChoice, StatusFilter, TemplateFields};
use crate::index_set::IndexSelector;

const LOGS_EXAMPLES: &str = "\
Examples:
  # All indexes of the newest Job, in index order
  kubectl indexed logs

  # One index, a range, an item, or the last attempt of failed indexes
  kubectl indexed logs indexed-job --index 3
  kubectl indexed logs --index 0-3,7,9-20:2
  kubectl indexed logs --item 'q*'
  kubectl indexed logs --status failed --attempt last

  # Follow until the Job ends
  kubectl indexed logs -f

  # One file per index, or one object per line
  kubectl indexed logs --to logs
  kubectl indexed logs -o jsonl --grep 'loss=[0-9.]+'";

#[derive(Args, Clone, Debug)]
#[command(after_long_help = LOGS_EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct LogsArgs {
    /// Job with the logs [default: the newest Indexed Job]
    #[arg(value_name = "JOB", add = Complete::Jobs)]
    pub(crate) job: Option<String>,

    /// Print only these indexes, as in 0-3,7 or failed
    ///
    /// Takes numbers and ranges with steps (0-3,7,9-20:2) and the words failed, succeeded, running, pending and all,
    /// separated by commas. A leading ! excludes.
    /// If only numbers are given, an index that has not started is an error. Otherwise it is a note on stderr.
    #[arg(short, long, value_name = "INDEXES", help_heading = "Selection", add = Complete::Indexes)]
    pub(crate) index: Option<IndexSelector>,
    /// Leave out the Jobs that this Job retries and those that retry it
    #[arg(long, help_heading = "Selection")]
    pub(crate) only_this: bool,
    /// Print only the indexes of this item
    ///
    /// * stands for any characters, ? for one character. Can be repeated.
    #[arg(long = "item", value_name = "ITEM", help_heading = "Selection", add = Complete::Items)]
    pub(crate) items: Vec<String>,
    /// Print only indexes with this status; separate several by commas
    #[arg(long, value_enum, value_name = "STATUS", value_delimiter = ',', help_heading = "Selection")]
    pub(crate) status: Vec<StatusFilter>,
    /// Print this attempt of each index: all, last, or a number from 1
    #[arg(long, value_name = "N", default_value = "all", help_heading = "Selection", add = Complete::Attempts)]
    pub(crate) attempt: AttemptChoice,
    /// Print the log of the container before its last restart in the Pod
    #[arg(short, long, help_heading = "Selection", conflicts_with = "follow")]
    pub(crate) previous: bool,
    /// Read this container [default: the Pod's default container]
    #[arg(short, long, value_name = "NAME", help_heading = "Selection", add = Complete::Containers)]
    pub(crate) container: Option<String>,
    /// Read all containers, init containers first
    #[arg(long, help_heading = "Selection", conflicts_with_all = ["container", "init"])]
    pub(crate) all_containers: bool,
    /// Read the init containers
    #[arg(long, help_heading = "Selection", conflicts_with = "container")]
    pub(crate) init: bool,

    /// Follow the logs until the Job ends
    #[arg(short, long, help_heading = "Order")]
    pub(crate) follow: bool,
    /// Print in index order also with --follow
    ///
    /// Early output waits in memory, then on disk.
    #[arg(short, long, help_heading = "Order")]
    pub(crate) keep_order: bool,
    /// Print the lines of all indexes in the order of their timestamps
    #[arg(long, help_heading = "Order", conflicts_with = "keep_order")]
    pub(crate) merge: bool,
    /// Read at most N logs at once; others wait their turn
    #[arg(long, value_name = "N", default_value_t = 64, help_heading = "Order", value_parser = value_parser!(u16).range(1..),
          add = Configurable::value(TemplateFields::None, "32"))]
    pub(crate) max_log_requests: u16,

    /// Print only lines newer than this, as in 5s, 2m or 3h
    #[arg(long, value_name = "DURATION", help_heading = "Lines", conflicts_with = "since_time")]
    pub(crate) since: Option<String>,
    /// Print only lines since this time (RFC 3339, whole seconds)
    #[arg(long, value_name = "TIME", help_heading = "Lines")]
    pub(crate) since_time: Option<String>,
    /// Print the last N lines of each log; -1 prints all
    #[arg(long, value_name = "N", default_value_t = -1, allow_negative_numbers = true, help_heading = "Lines")]
    pub(crate) tail: i64,
    /// Print at most N bytes of each log; the last line may be cut
    #[arg(long, value_name = "N", help_heading = "Lines", value_parser = value_parser!(u64).range(1..))]
    pub(crate) limit_bytes: Option<u64>,
    /// Print only lines that match this regular expression
    ///
    /// Can be repeated: a line needs to match one of them.
    #[arg(long, value_name = "REGEX", help_heading = "Lines")]
    pub(crate) grep: Vec<String>,
    /// Print no lines that match this regular expression
    ///
    /// Can be repeated.
    #[arg(long, value_name = "REGEX", help_heading = "Lines")]
    pub(crate) exclude: Vec<String>,

    /// Start each line with this prefix
    #[arg(long, value_enum, default_value_t, help_heading = "Output", add = PREFIX_SETTING)]
    pub(crate) prefix: PrefixChoice,
    /// Start each line with its timestamp
    #[arg(long, help_heading = "Output")]
    pub(crate) timestamps: bool,
    /// Print the lines as objects in this format
    #[arg(short, long, value_enum, value_name = "FORMAT", help_heading = "Output")]
    pub(crate) output: Option<LogFormat>,
    /// Write one file per index to this directory, created if it is missing
    #[arg(long, value_name = "DIR", help_heading = "Output", value_hint = ValueHint::DirPath)]
    pub(crate) to: Option<PathBuf>,
    /// Print control characters to the terminal unescaped
    #[arg(long, help_heading = "Output")]
    pub(crate) raw: bool,
}

/// Formats of log lines on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// One array
    Json,
    /// One object per line
    Jsonl,
}

/// The attempts of an index to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptChoice {
    All,
    Last,
    /// The number of an attempt, from 1.
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
                _ => Err("write all, last, or a number from 1".to_owned()),
            },
        }
    }
}
