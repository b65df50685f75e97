use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::change::of_new_objects;
use super::{ConfiguredFlags, FollowArgs, ObjectArgs};

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

impl DryRun {
    /// What stands behind a change that was only tried.
    pub(crate) fn note(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Client => " (dry run)",
            Self::Server => " (server dry run)",
        }
    }
}

/// How an item reaches the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ItemForm {
    /// In a file, appended to the command unless the command names it
    File,
    /// In the command's arguments, in place of {} or {COLUMN}
    Arg,
    /// In the variable ITEM, and one variable for each column
    Env,
    /// On standard input, which takes a shell in the image
    Stdin,
    /// Not at all: the worker goes by its index
    Index,
}

impl ItemForm {
    /// The word for it in `--item-as` and in the annotation.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |word| word.get_name().to_owned())
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::from_str(name, false).ok()
    }
}

/// How a file holds its items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ItemsFormat {
    /// One item a line
    Lines,
    /// Comma-separated columns, named by the first line
    Csv,
    /// Tab-separated columns, named by the first line
    Tsv,
    /// One array of strings and numbers, or of flat objects
    Json,
    /// One string, number or flat object a line
    Jsonl,
    // A NUL byte behind each, as --null says.
    #[value(skip)]
    Null,
}

/// Where the list of items is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum StoreChoice {
    /// The one that fits the list best: ConfigMaps
    #[default]
    Auto,
    /// In the Job itself: an init container with a shell picks the item
    Inline,
    /// In ConfigMaps owned by the Job: up to 1,000 items no init container is needed
    Configmap,
}

/// Systems whose variables a worker may find.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Compat {
    /// SLURM_ARRAY_TASK_ID and the other variables of an array task
    Slurm,
    /// HQ_TASK_ID, HQ_ENTRY
    Hyperqueue,
    /// AWS_BATCH_JOB_ARRAY_INDEX, AWS_BATCH_JOB_ARRAY_SIZE
    Aws,
    /// PARALLEL_SEQ, which starts at 1
    Parallel,
}

impl Compat {
    /// Each system, and the word for it in `--compat`.
    pub(crate) fn named() -> impl Iterator<Item = (Self, String)> {
        let word = |system: &Self| Some((*system, system.to_possible_value()?.get_name().to_owned()));
        Self::value_variants().iter().filter_map(word)
    }
}

/// When a container's image is pulled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "PascalCase")]
pub(crate) enum PullPolicy {
    Always,
    IfNotPresent,
    Never,
}

/// What orders mixed items; None is another order each time.
pub(crate) type ShuffleSeed = Option<u64>;

fn seed(text: &str) -> Result<ShuffleSeed, String> {
    match text {
        "" => Ok(None),
        _ => text.parse().map(Some).map_err(|_| "a seed is a whole number".to_owned()),
    }
}

const RUN_EXAMPLES: &str = "\
Resuming:
  --resume JOB makes a new Job, its indexes numbered from 0, of those items of the list that
  have not succeeded in JOB, in its retries, or in the Jobs that it resumed itself. An item
  is the same by its bytes, of a table by all columns, wherever it stands; one that stands
  in the list twice has to succeed twice. Successes count where the command as it was
  written, the way an item is handed over, and the name of the image are the same; all else
  may differ, as variables, resources or other parts of a template. What the Job still runs
  has not succeeded. A list of --items-configmap is copied, and that of JOB must not have
  changed since. Nothing left is no error.

Examples:
  # Reverse three words, one Pod each, and print what comes out
  kubectl indexed run --items foo,bar,baz -- rev

  # One Pod for each line of a file, the line as an argument
  kubectl indexed run --items-file words.txt -- echo {}

  # Each row of a table, its columns by name
  kubectl indexed run --items-file sizes.csv -- echo {name} is {size} wide

  # Every combination, as GNU parallel has it
  kubectl indexed run -- echo train by {1} at {2} ::: adam sgd ::: 0.1 0.01

  # Ten at a time, each retried twice, in an image of your own
  kubectl indexed run --items a.png,b.png -j 10 --retries 2 --image bash -- echo resize

  # Not for longer than an hour, and not after the first that fails
  kubectl indexed run --items-file words.txt --timeout 1h --fail-fast -- echo {}

  # Only what is new in the list, or has not succeeded in job rev-a
  kubectl indexed run --resume rev-a --items-file words.txt -- rev

  # See the manifest, or keep it
  kubectl indexed run --items foo,bar,baz --dry-run=client -o yaml -- rev

  # Start from a manifest with volumes, secrets and whatever else it needs
  kubectl indexed run --items foo,bar --template job.yaml";

#[derive(Args, Clone, Debug)]
#[command(after_help = RUN_EXAMPLES, mut_args = of_new_objects)]
pub(crate) struct RunArgs {
    /// Name of the Job; made from the command's name when left out
    #[arg(value_name = "NAME", conflicts_with = "name")]
    pub(crate) positional_name: Option<String>,
    /// The command to run for each item, after two dashes; ::: A B and :::+ A B after it list items
    #[arg(last = true, value_name = "CMD [ARG]")]
    pub(crate) command: Vec<OsString>,

    #[command(flatten)]
    pub(crate) source: ItemArgs,
    /// Leave out what has succeeded in JOB, by content: run only items that are new, changed or have not
    #[arg(long, value_name = "JOB", help_heading = "Items")]
    pub(crate) resume: Option<String>,
    #[command(flatten)]
    pub(crate) handover: HandoverArgs,

    /// Name of the Job
    #[arg(long, help_heading = "Job")]
    pub(crate) name: Option<String>,
    /// How many indexes may run at once [default: all, at most 100]
    #[arg(short = 'j', long, value_name = "N", help_heading = "Job")]
    pub(crate) parallelism: Option<u32>,
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
    #[arg(long, value_name = "FILE", help_heading = "Job", value_hint = ValueHint::FilePath)]
    pub(crate) template: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) policy: PolicyArgs,

    /// Image of the worker [default: docker.io/library/busybox]
    #[arg(long, help_heading = "Worker")]
    pub(crate) image: Option<String>,
    /// Environment variable of the worker; can be repeated
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = key_value, help_heading = "Worker")]
    pub(crate) env: Vec<(String, String)>,
    /// CPU request of each index, as in 2 or 500m; 500m:2 adds a limit
    #[arg(long, value_name = "REQUEST[:LIMIT]", help_heading = "Worker")]
    pub(crate) cpu: Option<String>,
    /// Memory request and limit of each index, as in 512Mi; 512Mi:2Gi has a higher limit
    #[arg(long, value_name = "REQUEST[:LIMIT]", help_heading = "Worker")]
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

    #[command(flatten)]
    pub(crate) follow: FollowArgs,
    /// New or empty folder for the output of each index, written as soon as it has ended, as by the verb results --to
    #[arg(long, value_name = "DIR", help_heading = "Following", conflicts_with = "detach", value_hint = ValueHint::DirPath)]
    pub(crate) results: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) objects: ObjectArgs,

    /// Which of these nobody typed.
    #[arg(skip)]
    pub(crate) configured: ConfiguredFlags,
    /// Whether the positional name is the word behind the value of --items.
    #[arg(skip)]
    pub(crate) name_behind_items: bool,
}

/// Where the items come from, and which of them are taken.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Items")]
pub(crate) struct ItemArgs {
    /// Items, separated by commas; quote one that has a comma, as in 'a,"b,c"'
    #[arg(long, value_name = "A,B,…")]
    pub(crate) items: Option<OsString>,
    /// File with one item a line, - for stdin; .csv, .tsv, .json and .jsonl are read as what they are
    #[arg(short = 'a', long, value_name = "FILE", visible_alias = "each-line", alias = "arg-file", value_hint = ValueHint::FilePath)]
    pub(crate) items_file: Option<PathBuf>,
    /// How --items-file is written, whatever its name ends in
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) format: Option<ItemsFormat>,
    /// Character between the columns of --items-file; lines get the columns {1}, {2}, …
    #[arg(long, value_name = "CHAR")]
    pub(crate) colsep: Option<String>,
    /// The first line of a CSV or TSV file is an item; columns are {1}, {2}, …
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) no_header: Option<bool>,
    /// A NUL byte, not a line break, ends each item of --items-file
    #[arg(short = '0', long, conflicts_with = "format")]
    pub(crate) null: bool,
    /// Numbers as items, as in 1-100:3 or 1,5,9-12; %N at the end runs N at once
    #[arg(long, value_name = "RANGE", visible_alias = "array")]
    pub(crate) range: Option<String>,
    /// Values of a column; repeated, every combination is an item
    #[arg(long = "param", value_name = "NAME=A,B,…")]
    pub(crate) params: Vec<OsString>,
    /// Pair the values of several --param or :::, instead of combining each with each
    #[arg(long)]
    pub(crate) link: bool,
    /// List that is in the cluster, used in place: a ConfigMap with the keys 0, 1, …, or one key with an item a line
    #[arg(long, value_name = "NAME[/KEY]")]
    pub(crate) items_configmap: Option<String>,
    /// How many indexes to run when there are no items
    #[arg(long, value_name = "N")]
    pub(crate) completions: Option<u32>,
    /// Leave out an item that was there before
    #[arg(long)]
    pub(crate) unique: bool,
    /// Leave out the first N items
    #[arg(long, value_name = "N")]
    pub(crate) skip: Option<usize>,
    /// Mix the items; the same SEED, which is said, gives the same order
    #[arg(long, value_name = "SEED", num_args = 0..=1, require_equals = true, default_missing_value = "",
          value_parser = seed)]
    pub(crate) shuffle: Option<ShuffleSeed>,
    /// Take no more than N items: the first, or with --shuffle a sample
    #[arg(long, value_name = "N")]
    pub(crate) first: Option<usize>,
}

/// How an item reaches the worker.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Handing over")]
pub(crate) struct HandoverArgs {
    /// How an item reaches the worker [default: arg if the command has {} or {COLUMN}, else file]
    #[arg(long, value_enum, value_name = "FORM")]
    pub(crate) item_as: Option<ItemForm>,
    /// File in which the worker finds its item [default: /input/data.txt]
    #[arg(long, value_name = "PATH")]
    pub(crate) item_path: Option<String>,
    /// Leave every brace of the command as it is
    #[arg(long)]
    pub(crate) no_placeholders: bool,
    /// Hand over by a shell of the worker's image, also where the server could do without
    #[arg(long, conflicts_with = "no_shell")]
    pub(crate) shell: bool,
    /// Never rely on a shell in the worker's image
    #[arg(long)]
    pub(crate) no_shell: bool,
    /// Variable with the index, besides JOB_COMPLETION_INDEX (downward API)
    #[arg(long, value_name = "NAME")]
    pub(crate) index_env: Option<String>,
    /// File in which the worker finds its index, written by Kubernetes itself (downward API)
    #[arg(long, value_name = "PATH")]
    pub(crate) index_file: Option<String>,
    /// Systems whose variables the worker finds too, so that their scripts run unchanged
    #[arg(long, value_enum, value_delimiter = ',', value_name = "SYSTEM")]
    pub(crate) compat: Vec<Compat>,
    /// Where the list of items is kept
    #[arg(long, value_enum, default_value_t, value_name = "STORE")]
    pub(crate) item_store: StoreChoice,
    /// Image of the init container that some ways of handing over need; it must have a POSIX shell
    #[arg(long, value_name = "IMAGE")]
    pub(crate) init_image: Option<String>,
}

/// What becomes of an index that fails, and what ends the Job.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Policies")]
pub(crate) struct PolicyArgs {
    /// How often a failed index is tried again, each index for itself [default: 0]
    #[arg(long, value_name = "N")]
    pub(crate) retries: Option<u32>,
    /// Restarts of an index after evictions, preemptions and lost nodes; without limit beside --retries [default: 10]
    #[arg(long, value_name = "N")]
    pub(crate) max_evictions: Option<u32>,
    /// How many indexes may fail; one more ends the Job [default: all, and the others still run]
    #[arg(long, value_name = "N", conflicts_with = "fail_fast")]
    pub(crate) max_failed: Option<u32>,
    /// End the Job at the first index that has failed, its retries included
    #[arg(long)]
    pub(crate) fail_fast: bool,
    /// Exit codes of the command, as in 1,3-5, after which an index is not tried again
    #[arg(long, value_name = "CODES")]
    pub(crate) fail_on_exit: Option<String>,
    /// Exit codes of the command that are no failure: the index is tried again, as often as it takes
    #[arg(long, value_name = "CODES")]
    pub(crate) ignore_exit: Option<String>,
    /// Indexes that are enough: the Job completes once they have, and what still runs is ended
    #[arg(long, value_name = "INDEXES")]
    pub(crate) success_indexes: Option<String>,
    /// How many indexes are enough, of all or of --success-indexes
    #[arg(long, value_name = "N")]
    pub(crate) success_count: Option<u32>,
    /// How long all indexes together may take, as in 90s or 2h; then the Job fails, and what still runs is ended
    #[arg(long, value_name = "DURATION")]
    pub(crate) timeout: Option<String>,
    /// How long one attempt of an index may take, from when a node has its Pod, its image still to be pulled
    #[arg(long, value_name = "DURATION")]
    pub(crate) index_timeout: Option<String>,
    /// How long the Job, its Pods and their logs are kept once it has ended [default: until deleted]
    #[arg(long, value_name = "DURATION")]
    pub(crate) ttl: Option<String>,
}

pub(super) fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some(("", _)) => Err("the key before = is missing".to_owned()),
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err("write it as KEY=VALUE".to_owned()),
    }
}
