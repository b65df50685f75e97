use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::change::of_new_objects;
use super::{Complete, Configurable, ConfiguredFlags, FollowArgs, ObjectArgs, TemplateFields};

/// How an item is passed to the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ItemForm {
    /// In a file; its path is added to the command unless the command names it
    File,
    /// In the command, in place of {} or {COLUMN}
    Arg,
    /// In the variable ITEM, and one variable per column
    Env,
    /// On standard input; needs a shell in the image
    Stdin,
    /// Not at all; the worker reads its index
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

/// The format of a file of items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ItemsFormat {
    /// One item per line
    Lines,
    /// Comma-separated columns, named by the first line
    Csv,
    /// Tab-separated columns, named by the first line
    Tsv,
    /// One array of strings, numbers or flat objects
    Json,
    /// One string, number or flat object per line
    Jsonl,
    // Items that end with a NUL byte, as --null says.
    #[value(skip)]
    Null,
}

/// Where the list of items is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum StoreChoice {
    /// The best store for the list: ConfigMaps
    #[default]
    Auto,
    /// The Job itself; an init container with a shell picks the item
    Inline,
    /// ConfigMaps owned by the Job; up to 1,000 items need no init container
    Configmap,
}

/// Systems whose variables a worker may get.
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
    /// Returns each system with its word in `--compat`.
    pub(crate) fn named() -> impl Iterator<Item = (Self, String)> {
        let word = |system: &Self| Some((*system, system.to_possible_value()?.get_name().to_owned()));
        Self::value_variants().iter().filter_map(word)
    }
}

/// When the kubelet pulls a container's image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "PascalCase")]
pub(crate) enum PullPolicy {
    Always,
    IfNotPresent,
    Never,
}

/// The seed of a shuffle; `None` gives another order each time.
pub(crate) type ShuffleSeed = Option<u64>;

fn parse_seed(text: &str) -> Result<ShuffleSeed, String> {
    match text {
        "" => Ok(None),
        _ => text.parse().map(Some).map_err(|_| "a seed is a whole number".to_owned()),
    }
}

/// The setting that `--init-image` has in `run` and `retry`.
pub(super) const INIT_IMAGE_SETTING: Configurable =
    Configurable::value(TemplateFields::None, "registry.example.com/busybox");

const RUN_SHORT_EXAMPLE: &str = "\
Example:
  kubectl indexed run --items foo,bar,baz -- echo {}";

const RUN_EXAMPLES: &str = "\
Resume:
  --resume JOB creates a new Job for the items that have not succeeded in JOB, in its retries,
  or in the Jobs that JOB resumed. Its indexes start at 0. Items are compared by their bytes,
  rows of a table by all columns, wherever they are in the list. An item that is in the list
  twice must succeed twice. A success counts only if the command, --item-as and the name of
  the image are the same; variables, resources and the rest of a template may differ. Running
  indexes have not succeeded. A list of --items-configmap is copied; the list of JOB must not
  have changed. If no items are left, the exit code is 0.

Examples:
  # Reverse three words, one Pod per word, and print the output
  kubectl indexed run --items foo,bar,baz -- rev

  # One index per line of a file, the line as an argument
  kubectl indexed run --items-file words.txt -- echo {}

  # One index per row of a table, its columns by name
  kubectl indexed run --items-file sizes.csv -- echo {name} is {size} wide

  # Every combination, in the syntax of GNU parallel
  kubectl indexed run -- echo train with {1} at {2} ::: adam sgd ::: 0.1 0.01

  # Ten indexes at once, two retries each, in another image
  kubectl indexed run --items a.png,b.png -j 10 --retries 2 --image bash -- echo resize

  # Stop after one hour, or at the first failed index
  kubectl indexed run --items-file words.txt --timeout 1h --fail-fast -- echo {}

  # Only items that are new or have not succeeded in job rev-a
  kubectl indexed run --resume rev-a --items-file words.txt -- rev

  # Print the manifest
  kubectl indexed run --items foo,bar,baz --dry-run=client -o yaml -- rev

  # Start from a manifest, for volumes, secrets and all other fields
  kubectl indexed run --items foo,bar --template job.yaml";

#[derive(Args, Clone, Debug)]
#[command(after_help = RUN_SHORT_EXAMPLE, after_long_help = RUN_EXAMPLES, mut_args = of_new_objects)]
pub(crate) struct RunArgs {
    /// Name of the Job [default: generated from the command]
    #[arg(value_name = "NAME", conflicts_with = "name")]
    pub(crate) positional_name: Option<String>,
    /// Command to run; {} is the item
    ///
    /// {COLUMN} is a column of the item. ::: A B and :::+ A B at the end list items, as in GNU parallel.
    #[arg(last = true, value_name = "CMD [ARG]")]
    pub(crate) command: Vec<OsString>,

    #[command(flatten)]
    pub(crate) source: ItemArgs,
    /// Skip the items that succeeded in this Job
    ///
    /// Items are compared by content: new, changed, failed and never-started items run. See Resume below.
    #[arg(long, value_name = "JOB", help_heading = "Items", add = Complete::Jobs)]
    pub(crate) resume: Option<String>,

    #[command(flatten)]
    pub(crate) handover: HandoverArgs,

    /// Set the name of the Job
    #[arg(long, value_name = "NAME", help_heading = "Job", hide_short_help = true)]
    pub(crate) name: Option<String>,
    /// Run N indexes at once [default: all, at most 100]
    #[arg(short = 'j', long, value_name = "N", help_heading = "Job", value_parser = parse_parallelism,
          allow_negative_numbers = true,
          add = Configurable::value(TemplateFields::Job(&["/spec/parallelism"]), "20").default("all, at most 100"))]
    pub(crate) parallelism: Option<u32>,
    /// Add a label to the Job and its Pods
    ///
    /// Can be repeated.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = key_value, help_heading = "Job", hide_short_help = true,
          add = Configurable::map(TemplateFields::Job(&["/metadata/labels", "/spec/template/metadata/labels"]), "team: vision"))]
    pub(crate) labels: Vec<(String, String)>,
    /// Add an annotation to the Job and its Pods
    ///
    /// Can be repeated.
    #[arg(long = "annotation", value_name = "KEY=VALUE", value_parser = key_value, help_heading = "Job", hide_short_help = true,
          add = Configurable::map(TemplateFields::Job(&["/metadata/annotations", "/spec/template/metadata/annotations"]),
                                  "example.com/contact: vision@example.com"))]
    pub(crate) annotations: Vec<(String, String)>,
    /// Submit the Job to this Kueue queue
    #[arg(long, value_name = "NAME", help_heading = "Job", hide_short_help = true, add = Complete::LocalQueues,
          add = Configurable::value(TemplateFields::QueueLabel, "team-queue"))]
    pub(crate) queue: Option<String>,
    /// Start from a Job, CronJob or PodTemplate manifest
    ///
    /// The manifest is YAML or JSON; - reads it from stdin.
    #[arg(long, value_name = "FILE", help_heading = "Job", value_hint = ValueHint::FilePath)]
    pub(crate) template: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) policy: PolicyArgs,

    /// Run this image [default: docker.io/library/busybox]
    #[arg(long, help_heading = "Worker",
          add = Configurable::value(TemplateFields::Worker(&["/image"]), "registry.example.com/tools:1.4")
              .default("docker.io/library/busybox"))]
    pub(crate) image: Option<String>,
    /// Set an environment variable of the worker
    ///
    /// Can be repeated.
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = key_value, help_heading = "Worker")]
    pub(crate) env: Vec<(String, String)>,
    /// Request this CPU per index, as in 2 or 500m
    ///
    /// 500m:2 requests 500m and limits to 2.
    #[arg(long, value_name = "AMOUNT", help_heading = "Worker",
          add = Configurable::value(TemplateFields::Worker(&["/resources/requests/cpu", "/resources/limits/cpu"]), "500m"))]
    pub(crate) cpu: Option<String>,
    /// Request and limit memory per index, as in 512Mi
    ///
    /// 512Mi:2Gi requests 512Mi and limits to 2Gi.
    #[arg(long, value_name = "AMOUNT", help_heading = "Worker",
          add = Configurable::value(TemplateFields::Worker(&["/resources/requests/memory", "/resources/limits/memory"]), "1Gi"))]
    pub(crate) memory: Option<String>,
    /// Request this number of GPUs per index
    ///
    /// N requests nvidia.com/gpu. RESOURCE=N requests another resource.
    #[arg(long, value_name = "N", help_heading = "Worker", hide_short_help = true)]
    pub(crate) gpu: Option<String>,
    /// Start the command in this directory [default: the image's]
    #[arg(long, value_name = "PATH", help_heading = "Worker", hide_short_help = true)]
    pub(crate) workdir: Option<String>,
    /// Pull the worker's image at these times
    #[arg(long, value_enum, value_name = "POLICY", help_heading = "Worker", hide_short_help = true,
          add = Configurable::value(TemplateFields::Worker(&["/imagePullPolicy"]), "IfNotPresent"))]
    pub(crate) image_pull_policy: Option<PullPolicy>,

    /// Run the Pods with this service account
    #[arg(long, value_name = "NAME", help_heading = "Pod", hide_short_help = true, add = Complete::ServiceAccounts,
          add = Configurable::value(TemplateFields::Pod(&["/serviceAccountName", "/serviceAccount"]), "worker"))]
    pub(crate) service_account: Option<String>,
    /// Run only on nodes with this label
    ///
    /// Can be repeated.
    #[arg(long = "node-selector", value_name = "KEY=VALUE", value_parser = key_value, help_heading = "Pod", hide_short_help = true,
          add = Configurable::map(TemplateFields::Pod(&["/nodeSelector"]), "kubernetes.io/arch: amd64"))]
    pub(crate) node_selector: Vec<(String, String)>,
    /// Tolerate this taint
    ///
    /// Can be repeated.
    #[arg(long = "toleration", value_name = "KEY[=VALUE]:EFFECT", help_heading = "Pod", hide_short_help = true,
          add = Configurable::list(TemplateFields::Pod(&["/tolerations"]), "dedicated=batch:NoSchedule"))]
    pub(crate) tolerations: Vec<String>,
    /// Pull images with this Secret
    ///
    /// Can be repeated.
    #[arg(long = "image-pull-secret", value_name = "NAME", help_heading = "Pod", hide_short_help = true,
          add = Configurable::list(TemplateFields::Pod(&["/imagePullSecrets"]), "registry-login"))]
    pub(crate) image_pull_secrets: Vec<String>,
    /// Run the Pods with this priority class
    #[arg(long, value_name = "NAME", help_heading = "Pod", hide_short_help = true, add = Complete::PriorityClasses,
          add = Configurable::value(TemplateFields::Pod(&["/priorityClassName"]), "batch-low"))]
    pub(crate) priority_class: Option<String>,

    #[command(flatten)]
    pub(crate) follow: FollowArgs,
    /// Write the output of each index to this directory
    ///
    /// The directory must be new or empty. Each file is written when its index ends, as by the verb results --to.
    #[arg(long, value_name = "DIR", help_heading = "Following", conflicts_with = "detach", value_hint = ValueHint::DirPath)]
    pub(crate) results: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) objects: ObjectArgs,

    /// The flags whose values come from configured defaults.
    #[arg(skip)]
    pub(crate) configured: ConfiguredFlags,
    /// The flag that the positional name follows directly, if the name may be meant as its value.
    #[arg(skip)]
    pub(crate) name_after: Option<FlagBeforeName>,
}

/// A flag whose next word may be mistaken for its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlagBeforeName {
    Items,
    Shuffle,
}

/// The source of the items, and a selection of them.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Items")]
pub(crate) struct ItemArgs {
    /// Use these items, separated by commas
    ///
    /// Quote an item that contains a comma: 'a,"b,c"'.
    #[arg(long, value_name = "A,B,…")]
    pub(crate) items: Option<OsString>,
    /// Read items from a file, one per line; - is stdin
    ///
    /// Files named .csv, .tsv, .json and .jsonl are read in that format; --format overrides the name. --each-line is an
    /// alias.
    #[arg(short = 'a', long, value_name = "FILE", aliases = ["each-line", "arg-file"], value_hint = ValueHint::FilePath)]
    pub(crate) items_file: Option<PathBuf>,
    /// Read --items-file in this format [default: by the file name]
    #[arg(long, value_enum, value_name = "FORMAT", hide_short_help = true)]
    pub(crate) format: Option<ItemsFormat>,
    /// Split each line of --items-file at this character into the columns {1}, {2}, …
    #[arg(long, value_name = "CHAR", hide_short_help = true)]
    pub(crate) colsep: Option<String>,
    /// Read the first line of a CSV or TSV file as an item; the columns are {1}, {2}, …
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          hide_possible_values = true, hide_short_help = true)]
    pub(crate) no_header: Option<bool>,
    /// End each item of --items-file at a NUL byte instead of a line break
    #[arg(short = '0', long, conflicts_with = "format", hide_short_help = true)]
    pub(crate) null: bool,
    /// Use numbers as items, as in 1-100:3 or 1,5,9-12
    ///
    /// %N at the end runs N indexes at once: 1-100%10. --array is an alias.
    #[arg(long, value_name = "RANGE", alias = "array")]
    pub(crate) range: Option<String>,
    /// Add a column; items are all combinations of columns
    ///
    /// Can be repeated.
    #[arg(long = "param", value_name = "NAME=A,B,…")]
    pub(crate) params: Vec<OsString>,
    /// Pair the values of several --param or ::: instead of combining them
    #[arg(long, hide_short_help = true)]
    pub(crate) link: bool,
    /// Use a list in the cluster
    ///
    /// NAME is a ConfigMap with the keys 0, 1, …; NAME/KEY is one key with an item per line.
    #[arg(long, value_name = "NAME[/KEY]", hide_short_help = true, add = Complete::ItemLists)]
    pub(crate) items_configmap: Option<String>,
    /// Run N indexes without items
    #[arg(long, value_name = "N", hide_short_help = true)]
    pub(crate) completions: Option<u32>,
    /// Skip repeated items
    #[arg(long, hide_short_help = true)]
    pub(crate) unique: bool,
    /// Skip the first N items
    #[arg(long, value_name = "N", hide_short_help = true)]
    pub(crate) skip: Option<usize>,
    /// Shuffle the items
    ///
    /// The program prints the seed; the same seed gives the same order.
    #[arg(long, value_name = "SEED", num_args = 0..=1, require_equals = true, default_missing_value = "",
          value_parser = parse_seed, hide_short_help = true)]
    pub(crate) shuffle: Option<ShuffleSeed>,
    /// Use at most N items: the first N, or with --shuffle a sample
    #[arg(long, value_name = "N", hide_short_help = true)]
    pub(crate) first: Option<usize>,
}

/// How an item is passed to the worker.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Passing items")]
pub(crate) struct HandoverArgs {
    /// Pass the item in this form [default: arg if the command has {} or {COLUMN}, else file]
    #[arg(long, value_enum, value_name = "FORM", hide_short_help = true)]
    pub(crate) item_as: Option<ItemForm>,
    /// Write the item to this file in the container [default: /input/data.txt]
    #[arg(long, value_name = "PATH", hide_short_help = true)]
    pub(crate) item_path: Option<String>,
    /// Keep all braces in the command unchanged
    #[arg(long, hide_short_help = true)]
    pub(crate) no_placeholders: bool,
    /// Pass items through a shell in the image even when not required
    #[arg(long, conflicts_with = "no_shell", hide_short_help = true)]
    pub(crate) shell: bool,
    /// Never use a shell in the worker's image
    #[arg(long, hide_short_help = true)]
    pub(crate) no_shell: bool,
    /// Set this variable to the index, besides JOB_COMPLETION_INDEX
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    pub(crate) index_env: Option<String>,
    /// Write the index to this file in the container (downward API)
    #[arg(long, value_name = "PATH", hide_short_help = true)]
    pub(crate) index_file: Option<String>,
    /// Set the variables of these systems, so that their scripts run unchanged
    ///
    /// Separate several by commas.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "SYSTEM", hide_short_help = true)]
    pub(crate) compat: Vec<Compat>,
    /// Store the list of items here
    #[arg(long, value_enum, default_value_t, value_name = "STORE", hide_short_help = true,
          add = Configurable::value(TemplateFields::None, "configmap"))]
    pub(crate) item_store: StoreChoice,
    /// Use this image for init containers; it needs a POSIX shell
    #[arg(long, value_name = "IMAGE", hide_short_help = true, add = INIT_IMAGE_SETTING)]
    pub(crate) init_image: Option<String>,
}

/// When an index is retried, and when the Job ends early.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Policies")]
pub(crate) struct PolicyArgs {
    /// Retry each failed index up to N times [default: 0]
    #[arg(long, value_name = "N",
          add = Configurable::value(TemplateFields::Failures(&["/spec/backoffLimitPerIndex", "/spec/backoffLimit"]), "2")
              .default("0"))]
    pub(crate) retries: Option<u32>,
    /// Restart an index at most N times after evictions, preemptions and lost nodes [default: 10]
    ///
    /// With --retries or --index-timeout there is no limit.
    #[arg(long, value_name = "N", hide_short_help = true,
          add = Configurable::value(
              TemplateFields::Failures(&["/spec/podFailurePolicy", "/spec/backoffLimitPerIndex", "/spec/backoffLimit"]), "5")
              .default("10"))]
    pub(crate) max_evictions: Option<u32>,
    /// Fail the Job when more than N indexes have failed [default: no limit]
    #[arg(long, value_name = "N", conflicts_with = "fail_fast", hide_short_help = true,
          add = Configurable::value(TemplateFields::Failures(&["/spec/maxFailedIndexes", "/spec/backoffLimit"]), "10")
              .default("no limit"))]
    pub(crate) max_failed: Option<u32>,
    /// Fail the Job at its first failed index
    ///
    /// An index has failed when its retries have failed too.
    #[arg(long)]
    pub(crate) fail_fast: bool,
    /// Don't retry an index after these exit codes of the command, as in 1,3-5
    #[arg(long, value_name = "CODES", hide_short_help = true)]
    pub(crate) fail_on_exit: Option<String>,
    /// Retry an index after these exit codes of the command without counting a failure, as in 75,80-89
    #[arg(long, value_name = "CODES", hide_short_help = true)]
    pub(crate) ignore_exit: Option<String>,
    /// Complete the Job when these indexes have succeeded, and stop the others
    #[arg(long, value_name = "INDEXES", hide_short_help = true)]
    pub(crate) success_indexes: Option<String>,
    /// Complete the Job when N indexes have succeeded, of all or of --success-indexes
    #[arg(long, value_name = "N", hide_short_help = true)]
    pub(crate) success_count: Option<u32>,
    /// Fail the Job after this time [default: never]
    ///
    /// Takes durations such as 90s, 10m or 2h.
    #[arg(long, value_name = "DURATION",
          add = Configurable::value(TemplateFields::Job(&["/spec/activeDeadlineSeconds"]), "12h").default("never"))]
    pub(crate) timeout: Option<String>,
    /// End an attempt of an index after this time, as in 90s or 2h [default: never]
    ///
    /// The time starts when a node accepts the Pod, before it pulls the image.
    #[arg(long, value_name = "DURATION", hide_short_help = true,
          add = Configurable::value(TemplateFields::Pod(&["/activeDeadlineSeconds"]), "1h").default("never"))]
    pub(crate) index_timeout: Option<String>,
    /// Delete the Job, its Pods and their logs this long after its end [default: never]
    #[arg(long, value_name = "DURATION", hide_short_help = true,
          add = Configurable::value(TemplateFields::Job(&["/spec/ttlSecondsAfterFinished"]), "72h").default("never"))]
    pub(crate) ttl: Option<String>,
}

/// Parses a parallelism; its upper limit is checked later. Negative numbers get here so that the error is about them.
pub(super) fn parse_parallelism(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "it must be a whole number, at least 1".to_owned())
}

/// Parses KEY=VALUE.
pub(super) fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some(("", _)) => Err("the key before = is missing".to_owned()),
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err("write it as KEY=VALUE".to_owned()),
    }
}
