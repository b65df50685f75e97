//! The command line: clap types only, no decision that needs more than the words themselves.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, builder::NonEmptyStringValueParser};

use crate::index_set::{IndexSelector, IndexSet};

const ABOUT: &str = "Map a command over a list of items on a Kubernetes cluster, one index each";

const EXIT_CODES: &str = "\
Exit codes:
  0    the Job completed, or the verb did what it was asked
  1    the Job failed, or something went wrong
  2    wrong usage: nothing was created
  3    timed out waiting
  130  interrupted (Ctrl-C); the Job goes on";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "kubectl-indexed", version, about = ABOUT, after_help = EXIT_CODES, disable_help_subcommand = true)]
#[command(propagate_version = false, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,

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
    /// Print the logs of a Job by index
    Logs(LogsArgs),
    /// Wait until Jobs have completed or failed
    Wait(WaitArgs),
    /// Watch a Job on a live screen until it ends
    Watch(WatchArgs),
    /// Delete Jobs with their Pods and ConfigMaps
    Delete(DeleteArgs),
    /// Print the completion script of a shell
    Completion {
        /// The shell to complete in
        shell: Shell,
    },
}

/// Shells that completions are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
}

/// The flags that kubectl takes everywhere.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Cluster options")]
pub(crate) struct GlobalArgs {
    /// Namespace to work in
    #[arg(short, long, global = true, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) namespace: Option<String>,
    /// kubeconfig file to use instead of $KUBECONFIG and ~/.kube/config
    #[arg(long, global = true, value_name = "FILE")]
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
    /// How long to wait for one request, as in 30s or 1m; 0 waits for ever
    #[arg(long, global = true, value_name = "DURATION", default_value = "0")]
    pub(crate) request_timeout: String,
    /// Certificate file of the authority that signed the server's certificate
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) certificate_authority: Option<PathBuf>,
    /// Certificate file to authenticate with
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) client_certificate: Option<PathBuf>,
    /// Key file to authenticate with
    #[arg(long, global = true, value_name = "FILE")]
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
}

/// Whether to do it, or only to show what would be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum DryRun {
    /// Do it
    #[default]
    None,
    /// Build and check it here, and print it
    Client,
    /// Have the server check it without storing it, and print what it would store
    Server,
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

/// Forms in which an item reaches the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ItemAs {
    /// In the file /input/data.txt, appended to the command unless it names it
    File,
}

/// Where the list of items is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ItemStore {
    /// The one that fits the list best: a ConfigMap
    #[default]
    Auto,
    /// In the Job itself: an init container with a shell writes the item as a line
    Inline,
    /// In a ConfigMap owned by the Job: byte for byte, no shell and no init container needed
    Configmap,
}

/// When a container's image is pulled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "PascalCase")]
pub(crate) enum PullPolicy {
    Always,
    IfNotPresent,
    Never,
}

/// What starts each line of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Prefix {
    /// The index, unless only one can be meant
    #[default]
    Auto,
    /// The index in brackets
    Index,
    /// Pod and container, as kubectl logs --prefix prints them
    Pod,
    /// Nothing
    None,
}

const RUN_EXAMPLES: &str = "\
Examples:
  # Reverse three words, one Pod each, and print what comes out
  kubectl indexed run --items foo,bar,baz -- rev

  # Ten at a time, each retried twice, in an image of your own
  kubectl indexed run --items a.png,b.png -j 10 --retries 2 --image example.com/tools -- resize

  # See the manifest, or keep it
  kubectl indexed run --items foo,bar,baz --dry-run=client -o yaml -- rev

  # Start from a manifest with volumes, secrets and whatever else it needs
  kubectl indexed run --items foo,bar --template job.yaml";

/// `run`.
#[derive(Args, Clone, Debug)]
#[command(after_help = RUN_EXAMPLES)]
pub(crate) struct RunArgs {
    /// Name of the Job; made from the command's name when left out
    #[arg(value_name = "NAME", conflicts_with = "name")]
    pub(crate) positional_name: Option<String>,
    /// The command to run for each item, after two dashes
    #[arg(last = true, value_name = "CMD [ARG]")]
    pub(crate) command: Vec<String>,

    /// Items, separated by commas; quote one that has a comma, as in 'a,"b,c"'
    #[arg(long, value_name = "A,B,…", help_heading = "Items")]
    pub(crate) items: Option<OsString>,
    /// How many indexes to run when there are no items
    #[arg(long, value_name = "N", conflicts_with = "items", help_heading = "Items")]
    pub(crate) completions: Option<u32>,
    /// How an item reaches the worker [default: file; nothing with --completions]
    #[arg(long, value_enum, value_name = "FORM", help_heading = "Items")]
    pub(crate) item_as: Option<ItemAs>,
    /// File in which the worker finds its index, written by Kubernetes itself (downward API)
    #[arg(long, value_name = "PATH", help_heading = "Items")]
    pub(crate) index_file: Option<String>,
    /// Where the list of items is kept
    #[arg(long, value_enum, default_value_t, value_name = "STORE", help_heading = "Items")]
    pub(crate) item_store: ItemStore,
    /// Image of the init container that --item-store=inline needs; it must have a POSIX shell
    #[arg(long, value_name = "IMAGE", help_heading = "Items")]
    pub(crate) init_image: Option<String>,

    /// Name of the Job
    #[arg(long, help_heading = "Job")]
    pub(crate) name: Option<String>,
    /// How many indexes may run at once [default: all, at most 100]
    #[arg(short = 'j', long, value_name = "N", help_heading = "Job")]
    pub(crate) parallelism: Option<u32>,
    /// How often a failed index is tried again, each index for itself [default: 0]
    #[arg(long, value_name = "N", help_heading = "Job")]
    pub(crate) retries: Option<u32>,
    /// Label for the Job and its Pods; can be repeated
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = key_value, help_heading = "Job")]
    pub(crate) labels: Vec<(String, String)>,
    /// Annotation for the Job and its Pods; can be repeated
    #[arg(long = "annotation", value_name = "KEY=VALUE", value_parser = key_value, help_heading = "Job")]
    pub(crate) annotations: Vec<(String, String)>,
    /// Kueue queue that admits the Job
    #[arg(long, value_name = "NAME", help_heading = "Job")]
    pub(crate) queue: Option<String>,
    /// Job, CronJob or PodTemplate manifest (YAML or JSON; - for stdin) to start from
    #[arg(long, value_name = "FILE", help_heading = "Job")]
    pub(crate) template: Option<PathBuf>,

    /// Image of the worker [default: docker.io/library/busybox]
    #[arg(long, help_heading = "Worker")]
    pub(crate) image: Option<String>,
    /// Environment variable of the worker; can be repeated
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = key_value, help_heading = "Worker")]
    pub(crate) env: Vec<(String, String)>,
    /// CPU that each index asks for, as in 2 or 500m
    #[arg(long, value_name = "QUANTITY", help_heading = "Worker")]
    pub(crate) cpu: Option<String>,
    /// Memory that each index asks for and is limited to, as in 512Mi or 2Gi
    #[arg(long, value_name = "QUANTITY", help_heading = "Worker")]
    pub(crate) memory: Option<String>,
    /// GPUs for each index: a number of nvidia.com/gpu, or RESOURCE=NUMBER
    #[arg(long, value_name = "N", help_heading = "Worker")]
    pub(crate) gpu: Option<String>,
    /// Folder in which the command starts
    #[arg(long, value_name = "PATH", help_heading = "Worker")]
    pub(crate) workdir: Option<String>,
    /// When the worker's image is pulled
    #[arg(long, value_enum, value_name = "POLICY", help_heading = "Worker")]
    pub(crate) image_pull_policy: Option<PullPolicy>,

    /// Service account of the Pods
    #[arg(long, value_name = "NAME", help_heading = "Pod")]
    pub(crate) service_account: Option<String>,
    /// Label that a node must have; can be repeated
    #[arg(long = "node-selector", value_name = "KEY=VALUE", value_parser = key_value, help_heading = "Pod")]
    pub(crate) node_selector: Vec<(String, String)>,
    /// Taint that the Pods tolerate; can be repeated
    #[arg(long = "toleration", value_name = "KEY[=VALUE]:EFFECT", help_heading = "Pod")]
    pub(crate) tolerations: Vec<String>,
    /// Secret to pull images with; can be repeated
    #[arg(long = "image-pull-secret", value_name = "NAME", help_heading = "Pod")]
    pub(crate) image_pull_secrets: Vec<String>,
    /// Priority class of the Pods
    #[arg(long, value_name = "NAME", help_heading = "Pod")]
    pub(crate) priority_class: Option<String>,

    /// Return after submitting instead of following
    #[arg(short, long, help_heading = "Following", conflicts_with = "dry_run")]
    pub(crate) detach: bool,
    /// What starts each line of output
    #[arg(long, value_enum, default_value_t, help_heading = "Following")]
    pub(crate) prefix: Prefix,
    /// Neither progress nor summary, only the output and errors
    #[arg(short, long, help_heading = "Following")]
    pub(crate) quiet: bool,

    /// Print the objects instead of creating them
    #[arg(long, value_enum, default_value_t, num_args = 0..=1, default_missing_value = "client", require_equals = true,
          value_name = "WHERE", help_heading = "Output")]
    pub(crate) dry_run: DryRun,
    /// Form of the objects on stdout
    #[arg(short, long, value_enum, value_name = "FORM", help_heading = "Output")]
    pub(crate) output: Option<ObjectFormat>,
    /// Name of the manager that the server records for the fields that are set
    #[arg(long, value_name = "NAME", default_value = "kubectl-indexed", help_heading = "Output")]
    pub(crate) field_manager: String,
}

const DESCRIBE_EXAMPLES: &str = "\
Examples:
  # The newest Indexed Job of the namespace
  kubectl indexed describe

  # One by name, whoever made it
  kubectl indexed describe indexed-job";

/// `describe`.
#[derive(Args, Clone, Debug)]
#[command(after_help = DESCRIBE_EXAMPLES)]
pub(crate) struct DescribeArgs {
    /// The Job; the newest Indexed Job when left out
    #[arg(value_name = "JOB")]
    pub(crate) job: Option<String>,
    /// Show the events of the Job
    #[arg(long, default_value_t = true, num_args = 0..=1, default_missing_value = "true", require_equals = true,
          action = clap::ArgAction::Set, value_name = "BOOL")]
    pub(crate) show_events: bool,
}

const LIST_EXAMPLES: &str = "\
Examples:
  kubectl indexed list
  kubectl indexed list -A -o wide
  kubectl indexed list -l team=vision -o name";

/// `list`.
#[derive(Args, Clone, Debug)]
#[command(after_help = LIST_EXAMPLES)]
pub(crate) struct ListArgs {
    /// List the Jobs of all namespaces
    #[arg(short = 'A', long)]
    pub(crate) all_namespaces: bool,
    /// Labels that the Jobs must have, as in kubectl get -l
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub(crate) selector: Option<String>,
    /// Form of the list
    #[arg(short, long, value_enum, value_name = "FORM")]
    pub(crate) output: Option<ListFormat>,
    /// Leave out the line of column names
    #[arg(long)]
    pub(crate) no_headers: bool,
}

const LOGS_EXAMPLES: &str = "\
Examples:
  # All indexes of the newest Job, in order
  kubectl indexed logs

  # One index, a range, or whatever failed
  kubectl indexed logs indexed-job --index 3
  kubectl indexed logs --index 0-3,7,9-20:2
  kubectl indexed logs --index failed

  # As they come, until the Job ends
  kubectl indexed logs -f";

/// `logs`.
#[derive(Args, Clone, Debug)]
#[command(after_help = LOGS_EXAMPLES)]
pub(crate) struct LogsArgs {
    /// The Job; the newest Indexed Job when left out
    #[arg(value_name = "JOB")]
    pub(crate) job: Option<String>,
    /// Indexes to print: 0-3,7,9-20:2, the words failed, succeeded, running, pending, all, and ! to exclude
    #[arg(short, long, value_name = "INDEXES")]
    pub(crate) index: Option<IndexSelector>,
    /// Go on printing until the Job ends
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Print in index order also when following
    #[arg(short, long)]
    pub(crate) keep_order: bool,
    /// What starts each line
    #[arg(long, value_enum, default_value_t)]
    pub(crate) prefix: Prefix,
    /// Container to read; the default container of the Pod when left out
    #[arg(short, long, value_name = "NAME")]
    pub(crate) container: Option<String>,
    /// Start each line with the time at which it was written
    #[arg(long)]
    pub(crate) timestamps: bool,
    /// How many of the last lines of each index to print; -1 prints all
    #[arg(long, value_name = "N", default_value_t = -1, allow_negative_numbers = true)]
    pub(crate) tail: i64,
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

/// `wait`.
#[derive(Args, Clone, Debug)]
#[command(after_help = WAIT_EXAMPLES)]
pub(crate) struct WaitArgs {
    /// The Jobs; the newest Indexed Job when left out
    #[arg(value_name = "JOB")]
    pub(crate) jobs: Vec<String>,
    /// What to wait for: complete, failed, or indexes=0-9 for those to complete [default: either outcome]
    #[arg(long = "for", value_name = "WHAT")]
    pub(crate) goal: Option<WaitFor>,
    /// How long to wait, as in 90s, 10m or 2h; 0 waits for ever
    #[arg(long, value_name = "DURATION", default_value = "0")]
    pub(crate) timeout: String,
    /// Neither progress nor summary, only the exit code and errors
    #[arg(short, long)]
    pub(crate) quiet: bool,
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
            Some(indexes) => Ok(Self::Indexes(indexes.parse().map_err(|problem| format!("{problem}"))?)),
            None => Err("write complete, failed or indexes=0-9".to_owned()),
        }
    }
}

const WATCH_EXAMPLES: &str = "\
Examples:
  # The newest Indexed Job of the namespace
  kubectl indexed watch

  # Where there is no terminal, wait tells how far it is
  kubectl indexed wait indexed-job";

/// `watch`.
#[derive(Args, Clone, Debug)]
#[command(after_help = WATCH_EXAMPLES)]
pub(crate) struct WatchArgs {
    /// The Job; the newest Indexed Job when left out
    #[arg(value_name = "JOB")]
    pub(crate) job: Option<String>,
}

const DELETE_EXAMPLES: &str = "\
Examples:
  kubectl indexed delete indexed-job";

/// `delete`.
#[derive(Args, Clone, Debug)]
#[command(after_help = DELETE_EXAMPLES)]
pub(crate) struct DeleteArgs {
    /// The Jobs
    #[arg(value_name = "JOB", required = true)]
    pub(crate) jobs: Vec<String>,
    /// Return at once instead of waiting until the Job and its Pods are gone
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// Do not complain about a Job that is not there
    #[arg(long)]
    pub(crate) ignore_not_found: bool,
    /// Form of the names of what was deleted
    #[arg(short, long, value_enum, value_name = "FORM")]
    pub(crate) output: Option<NameFormat>,
}

/// The one form in which names are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum NameFormat {
    Name,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some(("", _)) => Err("the key before = is missing".to_owned()),
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err("write it as KEY=VALUE".to_owned()),
    }
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
