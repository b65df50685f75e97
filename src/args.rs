//! The command line: clap types only, no decision that needs more than the words themselves.

mod change;
mod config;
mod configured;
mod delete;
mod follow;
mod logs;
mod output_format;
mod results;
mod resume;
mod retry;
mod run;
mod scale;
mod suspend;
mod version;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint, builder::NonEmptyStringValueParser};

pub(crate) use change::{ObjectArgs, TargetArgs};
pub(crate) use config::{ConfigArgs, DataFormat};
pub(crate) use configured::{ConfiguredFlags, problem_with_value, read_word};
pub(crate) use delete::{DeleteArgs, FilterArgs};
pub(crate) use follow::FollowArgs;
pub(crate) use logs::{AttemptChoice, LogFormat, LogsArgs};
pub(crate) use output_format::{CustomFormat, OutputFormat};
pub(crate) use results::{NameBy, ResultFormat, ResultFrom, ResultsArgs};
pub(crate) use resume::ResumeArgs;
pub(crate) use retry::{OutstandingStatus, RetryArgs};
pub(crate) use run::{Compat, DryRun, HandoverArgs, ItemArgs, ItemForm, ItemsFormat, PolicyArgs, RunArgs, StoreChoice};
pub(crate) use scale::ScaleArgs;
pub(crate) use suspend::SuspendArgs;
pub(crate) use version::VersionArgs;

use crate::index_set::{IndexSelector, IndexSet};

const ABOUT: &str = "Map a command over a list of items on a Kubernetes cluster, one index each";

/// The chapters are those of `src/manual/`; a test compares them.
const MORE_HELP: &str = "\
Manual (kubectl indexed help CHAPTER):
  items              lists, files and numbers to work on, and their formats
  commands           how an item reaches the command; placeholders, shells, templates
  reading-logs       logs of some or all indexes, followed or later
  results-and-retry  results, retry and resume
  policies           retries, limits and early ends
  files              folders of results and logs
  coming-from        the commands of xargs, GNU parallel, Slurm and HyperQueue
  configuration      defaults, colour and completion
  troubleshooting    why indexes wait, hang or fail, and what helps
  reference          names, exit codes, output formats, the connection
  flags              every verb and flag

Exit codes:
  0    the Job completed, or the verb did what it was asked
  1    the Job failed, or something went wrong
  2    wrong usage: nothing was created
  3    timed out waiting
  130  interrupted (Ctrl-C, SIGTERM, SIGHUP); the Job goes on";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "kubectl-indexed", version, about = ABOUT, after_help = MORE_HELP, disable_help_subcommand = true)]
#[command(propagate_version = false, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,

    /// Neither colour nor lines that are redrawn in place nor drawn symbols, as for a screen reader
    #[arg(long, global = true, num_args = 0..=1, default_value_t = false, default_missing_value = "true",
          require_equals = true, hide_default_value = true, hide_possible_values = true,
          action = clap::ArgAction::Set, value_name = "BOOL", help_heading = "Display")]
    pub(crate) plain: bool,

    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run a command once for each item, as one Indexed Job, and follow it
    Run(Box<RunArgs>),
    /// Show a Job: all that kubectl describe prints, and what it leaves out
    Describe(DescribeArgs),
    /// List the Indexed Jobs of a namespace, newest first
    #[command(visible_aliases = ["ls", "get"])]
    List(ListArgs),
    /// List the indexes of a Job, and how each fares
    #[command(visible_alias = "tasks")]
    Indexes(IndexesArgs),
    /// Print the logs of a Job by index
    Logs(Box<LogsArgs>),
    /// Collect what each index of a Job gave: its output, exit code and times
    Results(ResultsArgs),
    /// Wait until Jobs have completed or failed
    Wait(WaitArgs),
    /// Watch a Job on a live screen until it ends
    Watch(WatchArgs),
    /// Run again what of a Job failed or never ran
    Retry(Box<RetryArgs>),
    /// Hold Jobs back: their running Pods end, and no index starts
    Suspend(SuspendArgs),
    /// Let suspended Jobs go on
    Resume(ResumeArgs),
    /// Change how many indexes of Jobs may run at once
    Scale(ScaleArgs),
    /// Delete Jobs with their Pods and ConfigMaps
    Delete(DeleteArgs),
    /// Print the completion script of a shell
    #[command(after_help = COMPLETION_EXAMPLES)]
    Completion {
        /// The shell to complete in
        shell: Shell,
    },
    /// Show the standing defaults, and where each comes from
    Config(ConfigArgs),
    /// Show the versions of this program and the server, and what the server can do
    Version(VersionArgs),
    /// Print a chapter of the manual, or the help of a verb
    #[command(after_help = HELP_EXAMPLES)]
    Help {
        /// Chapter or verb [default: the help of the program, which lists the chapters]
        topic: Option<String>,
    },
    /// Write the man pages into a folder
    #[command(hide = true)]
    Man {
        /// The folder, which is made if it is not there
        dir: PathBuf,
    },
}

const COMPLETION_EXAMPLES: &str = "\
Examples:
  # For this shell alone
  source <(kubectl indexed completion bash)

  # For every bash to come
  mkdir -p ~/.local/share/bash-completion/completions
  kubectl indexed completion bash > ~/.local/share/bash-completion/completions/kubectl-indexed";

const HELP_EXAMPLES: &str = "\
Examples:
  # The sources of items and their formats
  kubectl indexed help items

  # The flags of a verb
  kubectl indexed help retry";

/// Shells that completions are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
    // Not a shell: the executable that kubectl asks.
    Kubectl,
}

/// The flags that kubectl takes everywhere.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Cluster options")]
pub(crate) struct GlobalArgs {
    /// Namespace to work in
    #[arg(short, long, global = true, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) namespace: Option<String>,
    /// kubeconfig file to use instead of $KUBECONFIG and ~/.kube/config
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig to use
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// Cluster of the kubeconfig to use
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) cluster: Option<String>,
    /// User of the kubeconfig to use
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Address and port of the API server
    #[arg(short, long, global = true, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// Bearer token for the API server
    #[arg(long, global = true, value_name = "TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// User to impersonate
    #[arg(long = "as", global = true, value_name = "USER")]
    pub(crate) as_user: Option<String>,
    /// Group to impersonate; can be repeated
    #[arg(long = "as-group", global = true, value_name = "GROUP")]
    pub(crate) as_groups: Vec<String>,
    /// UID to impersonate
    #[arg(long, global = true, value_name = "UID")]
    pub(crate) as_uid: Option<String>,
    /// Extra of the user to impersonate; can be repeated, also with the same key
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = run::key_value)]
    pub(crate) as_user_extra: Vec<(String, String)>,
    /// User name for basic authentication, which proxies take, but no API server since 1.19
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) username: Option<String>,
    /// Password for basic authentication
    #[arg(long, global = true, value_name = "PASSWORD")]
    pub(crate) password: Option<String>,
    /// How long the server may take to answer a request, as in 30s or 5m; 0 waits for ever
    #[arg(long, global = true, value_name = "DURATION", default_value = "1m")]
    pub(crate) request_timeout: String,
    /// Certificate file of the authority that signed the server's certificate
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) certificate_authority: Option<PathBuf>,
    /// Certificate file to authenticate with
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) client_certificate: Option<PathBuf>,
    /// Key file to authenticate with
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) client_key: Option<PathBuf>,
    /// Name to expect in the server's certificate
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) tls_server_name: Option<String>,
    /// Take any certificate from the server: anybody may then read and change what is sent
    #[arg(long, global = true)]
    pub(crate) insecure_skip_tls_verify: bool,
    /// Ask the server not to compress its answers
    #[arg(long, global = true)]
    pub(crate) disable_compression: bool,
    /// Print requests on stderr: 6 status and time, 7 also headers, 8 also bodies, 9 as curl commands; no tokens
    #[arg(short, long, alias = "v", global = true, value_name = "LEVEL")]
    pub(crate) verbosity: Option<u8>,
}

/// Forms of an object on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ObjectFormat {
    Yaml,
    Json,
    Name,
}

/// Forms of a list on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    Wide,
    Yaml,
    Json,
    Name,
}

/// What starts each line of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum PrefixChoice {
    /// Index and item, unless only one index can be meant
    #[default]
    Auto,
    /// Index and item in brackets
    Index,
    /// Pod and container, as kubectl logs --prefix prints them
    Pod,
    /// Nothing
    None,
}

const DESCRIBE_EXAMPLES: &str = "\
Examples:
  # The newest Indexed Job of the namespace
  kubectl indexed describe

  # One by name, whoever made it
  kubectl indexed describe indexed-job";

#[derive(Args, Clone, Debug)]
#[command(after_help = DESCRIBE_EXAMPLES)]
pub(crate) struct DescribeArgs {
    /// The Job; the newest Indexed Job when left out
    #[arg(value_name = "JOB")]
    pub(crate) job: Option<String>,
    /// Only this Job, without those that it retries and those that retry it
    #[arg(long, help_heading = "What is shown")]
    pub(crate) only_this: bool,
    /// Show the events of the Job
    #[arg(long, help_heading = "What is shown", default_value_t = true, num_args = 0..=1, default_missing_value = "true", require_equals = true,
          action = clap::ArgAction::Set, value_name = "BOOL")]
    pub(crate) show_events: bool,
}

/// What Jobs are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum JobKey {
    /// Newest first
    #[default]
    Age,
    Name,
    Status,
    /// How many indexes failed, the most last
    Failed,
}

const LIST_EXAMPLES: &str = "\
Examples:
  # All Indexed Jobs of the namespace
  kubectl indexed list

  # Those of all namespaces, with their images and labels
  kubectl indexed list -A -o wide

  # The names of those with a label
  kubectl indexed list -l team=vision -o name

  # One again whenever it changes, for a minute
  timeout -s INT 60 kubectl indexed list -w

  # A column for a label
  kubectl indexed list -L team

  # A column for all labels
  kubectl indexed list --show-labels

  # Those of which no index has completed
  kubectl indexed list --field-selector status.successful=0

  # By a template of kubectl's
  kubectl indexed list -o jsonpath='{range .items[*]}{.metadata.name}{\"\\n\"}{end}'";

#[derive(Args, Clone, Debug)]
#[command(after_help = LIST_EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct ListArgs {
    /// List the Jobs of all namespaces
    #[arg(short = 'A', long, help_heading = "Which Jobs")]
    pub(crate) all_namespaces: bool,
    /// Labels that the Jobs must have, as in kubectl get -l
    #[arg(short = 'l', long, value_name = "SELECTOR", help_heading = "Which Jobs")]
    pub(crate) selector: Option<String>,
    /// Fields that the Jobs must have, as in kubectl get: metadata.name, metadata.namespace, status.successful
    #[arg(long, value_name = "SELECTOR", help_heading = "Which Jobs")]
    pub(crate) field_selector: Option<String>,
    /// Labels that get a column each; can be repeated, or separated by commas
    #[arg(short = 'L', long = "label-columns", value_name = "LABEL", value_delimiter = ',', help_heading = "Output")]
    pub(crate) label_columns: Vec<String>,
    /// Add a column with all labels
    #[arg(long, help_heading = "Output")]
    pub(crate) show_labels: bool,
    /// What the Jobs are sorted by
    #[arg(long, value_enum, default_value_t, value_name = "WHAT", help_heading = "Output")]
    pub(crate) sort_by: JobKey,
    /// Form of the list
    #[arg(short, long, value_name = "FORM", help_heading = "Output")]
    pub(crate) output: Option<OutputFormat<ListFormat>>,
    /// Leave out the line of column names
    #[arg(long, help_heading = "Output")]
    pub(crate) no_headers: bool,
    /// Print a Job again when it changes, until interrupted
    #[arg(short, long, help_heading = "Output")]
    pub(crate) watch: bool,
}

/// Forms of the rows of indexes on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum IndexFormat {
    /// With the Pod and the message
    Wide,
    /// One object, whose shape has a version
    Json,
    /// An object a line
    Jsonl,
    /// Comma-separated values of all that is known
    Csv,
    /// The same with tabs between them
    Tsv,
    /// The Pod of each index, as kubectl takes it
    Name,
}

/// How an index may fare.
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

/// What rows of indexes are sorted by.
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

  # Those that failed, with the Pod and the last words of each
  kubectl indexed indexes indexed-job --status failed -o wide

  # The slowest last
  kubectl indexed indexes --status succeeded --sort-by duration

  # A row again whenever it changes, until the Job ends
  kubectl indexed indexes -w

  # Go on with kubectl
  kubectl describe $(kubectl indexed indexes --index 3 -o name)";

#[derive(Args, Clone, Debug, Default)]
#[command(after_help = INDEXES_EXAMPLES)]
pub(crate) struct IndexesArgs {
    /// The Job; the newest Indexed Job when left out
    #[arg(value_name = "JOB")]
    pub(crate) job: Option<String>,
    /// Indexes to list: 0-3,7,9-20:2, the words failed, succeeded, running, pending, all, and ! to exclude
    #[arg(short, long, value_name = "INDEXES", help_heading = "Which indexes")]
    pub(crate) index: Option<IndexSelector>,
    /// Only the indexes of this item; * stands for any characters, ? for one; can be repeated
    #[arg(long = "item", value_name = "ITEM", help_heading = "Which indexes")]
    pub(crate) items: Vec<String>,
    /// Only those that fare so; several are separated by commas
    #[arg(long, value_enum, value_name = "STATUS", value_delimiter = ',', help_heading = "Which indexes")]
    pub(crate) status: Vec<StatusFilter>,
    /// Only this Job, without those that it retries and those that retry it
    #[arg(long, help_heading = "Which indexes")]
    pub(crate) only_this: bool,
    /// What the rows are sorted by
    #[arg(long, value_enum, default_value_t, value_name = "COLUMN", help_heading = "Output")]
    pub(crate) sort_by: IndexKey,
    /// Form of the rows
    #[arg(short, long, value_name = "FORM", help_heading = "Output")]
    pub(crate) output: Option<OutputFormat<IndexFormat>>,
    /// Leave out the line of column names
    #[arg(long, help_heading = "Output")]
    pub(crate) no_headers: bool,
    /// Print a row again when it changes, until the Job ends
    #[arg(short, long, help_heading = "Output")]
    pub(crate) watch: bool,
}

impl IndexesArgs {
    /// All indexes of a Job, each again when it changes.
    pub(crate) fn changes(job: &str) -> Self {
        Self { job: Some(job.to_owned()), watch: true, ..Self::default() }
    }
}

const WAIT_EXAMPLES: &str = "\
Examples:
  # Exit code 0 when it completed, 1 when it failed
  kubectl indexed wait indexed-job

  # Exit code 3 when it takes longer
  kubectl indexed wait indexed-job --timeout 10m

  # Until some of its indexes have completed
  kubectl indexed wait indexed-job --for indexes=0-9

  # Several Jobs: 0 when all of them completed
  kubectl indexed wait train evaluate";

#[derive(Args, Clone, Debug)]
#[command(after_help = WAIT_EXAMPLES)]
pub(crate) struct WaitArgs {
    /// The Jobs; the newest Indexed Job when left out
    #[arg(value_name = "JOB")]
    pub(crate) jobs: Vec<String>,
    /// What to wait for: complete, failed, or indexes=0-9 for those to complete [default: either outcome]
    #[arg(long = "for", value_name = "WHAT", help_heading = "Waiting")]
    pub(crate) goal: Option<WaitFor>,
    /// Only the Jobs themselves, without those that they retry and those that retry them
    #[arg(long, help_heading = "Waiting")]
    pub(crate) only_this: bool,
    /// How long to wait, as in 90s, 10m or 2h; 0 waits for ever
    #[arg(long, value_name = "DURATION", default_value = "0", help_heading = "Waiting")]
    pub(crate) timeout: String,
    /// Neither progress nor summary, only the exit code and errors
    #[arg(short, long, help_heading = "Output")]
    pub(crate) quiet: bool,
}

impl WaitArgs {
    /// Until a Job has ended.
    pub(crate) fn end(job: &str) -> Self {
        let timeout = "0".to_owned();
        Self { jobs: vec![job.to_owned()], goal: None, only_this: false, timeout, quiet: false }
    }
}

/// What `wait` waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WaitFor {
    Complete,
    Failed,
    Indexes(IndexSet),
}

impl std::str::FromStr for WaitFor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // As kubectl wait writes it.
        let word = text.strip_prefix("condition=").unwrap_or(text);
        match word.to_ascii_lowercase().as_str() {
            "complete" | "completed" => return Ok(Self::Complete),
            "failed" => return Ok(Self::Failed),
            _ => {}
        }
        match word.strip_prefix("indexes=").or_else(|| word.strip_prefix("index=")) {
            Some(indexes) => Ok(Self::Indexes(indexes.parse()?)),
            None => Err("write complete, failed or indexes=0-9".to_owned()),
        }
    }
}

const WATCH_EXAMPLES: &str = "\
Examples:
  # The newest Indexed Job of the namespace
  kubectl indexed watch

  # Its changes as lines, for a screen reader
  kubectl indexed watch indexed-job --plain

  # Where there is no terminal, wait tells how far it is
  kubectl indexed wait indexed-job";

#[derive(Args, Clone, Debug)]
#[command(after_help = WATCH_EXAMPLES)]
pub(crate) struct WatchArgs {
    /// The Job; the newest Indexed Job when left out
    #[arg(value_name = "JOB")]
    pub(crate) job: Option<String>,
}

/// The one form in which names are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum NameFormat {
    Name,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn clap_finds_no_fault() {
        Cli::command().debug_assert();
    }
}
