//! The command line: clap types only, one file for each verb. A flag is declared in one place, with its help, the source
//! of its completions and the default that users may configure (`flag.rs`).

mod change;
mod completion;
mod config;
mod configured;
mod delete;
mod describe;
mod flag;
mod follow;
mod help;
mod indexes;
mod list;
mod logs;
mod man;
mod output_format;
mod results;
mod resume;
mod retry;
mod run;
mod scale;
mod suspend;
mod version;
mod wait;
mod watch;

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgAction, Args, ColorChoice, Parser, Subcommand, ValueHint};

pub(crate) use change::{DryRun, ObjectArgs, ObjectFormat, TargetArgs};
pub(crate) use completion::{CompletionArgs, Shell};
pub(crate) use config::{ConfigArgs, DataFormat};
pub(crate) use configured::{ConfiguredFlags, SETTINGS, Setting, parse_flag, problem_with_value};
pub(crate) use delete::{DeleteArgs, FilterArgs, NameFormat};
pub(crate) use describe::DescribeArgs;
pub(crate) use flag::{Complete, Configurable, SettingShape, TemplateFields};
pub(crate) use follow::{FollowArgs, PrefixChoice};
pub(crate) use help::HelpArgs;
pub(crate) use indexes::{IndexFormat, IndexKey, IndexesArgs, StatusFilter};
pub(crate) use list::{JobKey, ListArgs, ListFormat};
pub(crate) use logs::{AttemptChoice, LogFormat, LogsArgs};
pub(crate) use man::ManArgs;
pub(crate) use output_format::{CustomFormat, OutputFormat};
pub(crate) use results::{NameBy, ResultFormat, ResultFrom, ResultsArgs};
pub(crate) use resume::ResumeArgs;
pub(crate) use retry::{OutstandingStatus, RetryArgs};
pub(crate) use run::{
    Compat, FlagBeforeName, HandoverArgs, ItemArgs, ItemForm, ItemsFormat, PolicyArgs, PullPolicy, RunArgs, StoreChoice,
};
pub(crate) use scale::ScaleArgs;
pub(crate) use suspend::SuspendArgs;
pub(crate) use version::VersionArgs;
pub(crate) use wait::{WaitArgs, WaitFor};
pub(crate) use watch::WatchArgs;

const ABOUT: &str = "Run a command for each item of a list on a Kubernetes cluster";

/// Lists the chapters of `src/manual/`; a test compares them.
const MORE_HELP: &str = "\
Manual (kubectl indexed help CHAPTER):
  items              sources and formats of items
  commands           items in commands: placeholders, shells, templates
  reading-logs       logs of some or all indexes
  results-and-retry  results, retry and resume
  policies           retries, limits and early ends
  files              directories of results and logs
  coming-from        equivalents of xargs, GNU parallel, Slurm and HyperQueue
  configuration      defaults, colour and completion
  troubleshooting    causes of waiting and failing indexes, and remedies
  reference          names, exit codes, output formats, connection
  flags              all verbs and flags

Exit codes:
  0    the Job completed, or the verb succeeded
  1    the Job failed, or a runtime error occurred
  2    wrong usage; nothing was created
  3    timed out
  130  interrupted by Ctrl-C, SIGTERM or SIGHUP; the Job continues";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "kubectl-indexed", version, about = ABOUT, after_help = MORE_HELP, disable_help_subcommand = true)]
#[command(propagate_version = false, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,

    #[command(flatten)]
    pub(crate) display: DisplayArgs,

    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// The verbs. Hidden aliases are verbs of other tools that mean the same; `elsewhere.txt` explains the others.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run a command for each item, as one Indexed Job
    Run(Box<RunArgs>),
    /// Show a Job in detail: status, failures, indexes, events
    #[command(aliases = ["job", "status"])]
    Describe(DescribeArgs),
    /// List the Indexed Jobs of a namespace
    #[command(visible_aliases = ["ls", "get"], aliases = ["ps", "jobs"])]
    List(ListArgs),
    /// List the indexes of a Job
    #[command(visible_alias = "tasks")]
    Indexes(IndexesArgs),
    /// Print the logs of a Job by index
    Logs(Box<LogsArgs>),
    /// Collect the output, exit code and times of each index
    Results(ResultsArgs),
    /// Wait until Jobs complete or fail
    Wait(WaitArgs),
    /// Watch a Job on a live screen until it ends
    Watch(WatchArgs),
    /// Re-run the failed and never-started indexes of a Job
    Retry(Box<RetryArgs>),
    /// Suspend Jobs: stop their running Pods and start no more
    // Unlike a deletion, it keeps the logs of the Pods that have ended, as other tools' `cancel` does.
    #[command(alias = "cancel")]
    Suspend(SuspendArgs),
    /// Resume suspended Jobs
    Resume(ResumeArgs),
    /// Change how many indexes of a Job run at once
    Scale(ScaleArgs),
    /// Delete Jobs with their Pods and ConfigMaps
    #[command(alias = "rm")]
    Delete(DeleteArgs),
    /// Print the completion script of a shell
    Completion(CompletionArgs),
    /// Show the configured defaults and their sources
    Config(ConfigArgs),
    /// Show the versions of the plugin and the server
    Version(VersionArgs),
    /// Print a chapter of the manual, or the help of a verb
    Help(HelpArgs),
    /// Write the man pages to a directory
    #[command(hide = true)]
    Man(ManArgs),
}

/// The flags that all verbs of kubectl have.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Cluster options")]
pub(crate) struct GlobalArgs {
    /// Work in this namespace [default: the context's]
    #[arg(short, long, global = true, value_name = "NAME", value_parser = NonEmptyStringValueParser::new(),
          add = Complete::Namespaces)]
    pub(crate) namespace: Option<String>,
    /// Use this kubeconfig file [default: $KUBECONFIG, then ~/.kube/config]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath, hide_short_help = true)]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Use this context of the kubeconfig
    #[arg(long, global = true, value_name = "NAME", add = Complete::Contexts)]
    pub(crate) context: Option<String>,
    /// Use this cluster of the kubeconfig
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true, add = Complete::Clusters)]
    pub(crate) cluster: Option<String>,
    /// Use this user of the kubeconfig
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true, add = Complete::Users)]
    pub(crate) user: Option<String>,
    /// Connect to the API server at this address
    #[arg(short, long, global = true, value_name = "URL", hide_short_help = true)]
    pub(crate) server: Option<String>,
    /// Authenticate with this bearer token
    #[arg(long, global = true, value_name = "TOKEN", hide_env_values = true, hide_short_help = true)]
    pub(crate) token: Option<String>,
    /// Impersonate this user
    #[arg(long = "as", global = true, value_name = "USER", hide_short_help = true)]
    pub(crate) as_user: Option<String>,
    /// Impersonate this group; can be repeated
    #[arg(long = "as-group", global = true, value_name = "GROUP", hide_short_help = true)]
    pub(crate) as_groups: Vec<String>,
    /// Impersonate this UID
    #[arg(long, global = true, value_name = "UID", hide_short_help = true)]
    pub(crate) as_uid: Option<String>,
    /// Impersonate a user with this extra field; can be repeated, also with the same key
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = run::key_value, hide_short_help = true)]
    pub(crate) as_user_extra: Vec<(String, String)>,
    /// Authenticate with this user name (basic authentication; API servers since 1.19 refuse it)
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    pub(crate) username: Option<String>,
    /// Authenticate with this password (basic authentication)
    #[arg(long, global = true, value_name = "PASSWORD", hide_short_help = true)]
    pub(crate) password: Option<String>,
    /// Give up a request after this time, as in 30s or 5m; 0 means never
    #[arg(long, global = true, value_name = "DURATION", default_value = "1m", hide_short_help = true)]
    pub(crate) request_timeout: String,
    /// Verify the server with the certificate authority in this file
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath, hide_short_help = true)]
    pub(crate) certificate_authority: Option<PathBuf>,
    /// Authenticate with the certificate in this file
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath, hide_short_help = true)]
    pub(crate) client_certificate: Option<PathBuf>,
    /// Authenticate with the private key in this file
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath, hide_short_help = true)]
    pub(crate) client_key: Option<PathBuf>,
    /// Expect this name in the server's certificate
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    pub(crate) tls_server_name: Option<String>,
    /// Accept any server certificate; others may then read and change the traffic
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) insecure_skip_tls_verify: bool,
    /// Ask the server for uncompressed responses
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) disable_compression: bool,
    /// Print requests on stderr: 6 status and time, 7 adds headers, 8 bodies, 9 curl commands; no tokens
    #[arg(short, long, alias = "v", global = true, value_name = "LEVEL", hide_short_help = true)]
    pub(crate) verbosity: Option<u8>,
}

/// How the program prints.
#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Display")]
pub(crate) struct DisplayArgs {
    #[expect(clippy::doc_markdown, reason = "the help would print the backticks")]
    /// Use colour: auto, always or never
    ///
    /// auto means on a terminal, unless NO_COLOR is set or TERM is dumb. --plain means never.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", hide_short_help = true,
          hide_possible_values = true, add = Configurable::value(TemplateFields::None, "never"))]
    pub(crate) color: ColorChoice,
    /// Print no colour, no symbols and no lines that change in place, as for a screen reader
    #[arg(long, global = true, num_args = 0..=1, default_value_t = false, default_missing_value = "true",
          require_equals = true, hide_default_value = true, hide_possible_values = true, hide_short_help = true,
          action = ArgAction::Set, value_name = "BOOL", add = Configurable::value(TemplateFields::None, "true"))]
    pub(crate) plain: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn clap_finds_no_fault() {
        Cli::command().debug_assert();
    }

    /// The help of a flag with a configurable default names that default.
    #[test]
    fn a_default_is_the_same_in_help_and_setting() {
        for arg in Cli::command().get_subcommands().flat_map(clap::Command::get_arguments) {
            if let Some(default) = arg.get::<Configurable>().and_then(|setting| setting.default) {
                let help = arg.get_help().unwrap().to_string();
                assert!(help.ends_with(&format!("[default: {default}]")), "{help}");
            }
        }
    }
}
