//! The names that are written into a cluster and read back from it: labels, annotations, variables, paths.
//!
//! `manifest` writes them, `state` and `manifest::read` read them, on another machine and years later: a name here is
//! never given another meaning. A new meaning gets a new name.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Container;

/// The one value of `app.kubernetes.io/managed-by` that marks what this program made.
pub(crate) const MANAGER: &str = "kubectl-indexed";

/// How the keys begin of what this program notes in labels and annotations.
pub(crate) const NOTES: &str = "kubectl-indexed/";

/// Recommended labels, <https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/>.
pub(crate) mod label {
    /// What kind of work it is: the command's own name.
    pub(crate) const NAME: &str = "app.kubernetes.io/name";
    /// Which run of it: the Job's name.
    pub(crate) const INSTANCE: &str = "app.kubernetes.io/instance";
    /// Who made it.
    pub(crate) const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
    /// On a ConfigMap of items: the Job that it feeds.
    pub(crate) const ITEMS_OF: &str = "kubectl-indexed/items-of";
    /// On a Job that retries another: the UID of the Job that the family began with, which has no such label itself.
    pub(crate) const FAMILY: &str = "kubectl-indexed/family";
    /// On a Job that was made to run what others had left of a list: the UID of the Job that their family began with.
    pub(crate) const RESUMES: &str = "kubectl-indexed/resumes";
    /// On a Job: the Kueue queue that admits it.
    pub(crate) const KUEUE_QUEUE: &str = "kueue.x-k8s.io/queue-name";
    /// On a Pod: its completion index (Kubernetes 1.28 on; before that only the annotation of the same name).
    pub(crate) const INDEX: &str = "batch.kubernetes.io/job-completion-index";
    /// Labels that the Job controller, the API server or Kueue adds to a Pod template, and that a new Job must not repeat.
    pub(crate) const SET_BY_SERVER: [&str; 7] = [
        "controller-uid",
        "job-name",
        "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-name",
        "kueue.x-k8s.io/cluster-queue-name",
        "kueue.x-k8s.io/local-queue-name",
        "kueue.x-k8s.io/podset",
    ];
}

pub(crate) mod annotation {
    /// On a Pod: its completion index, from Kubernetes 1.21 on.
    pub(crate) const INDEX: &str = "batch.kubernetes.io/job-completion-index";
    /// On a Pod: how often its index had failed before, counted and ignored failures, from Kubernetes 1.29 on.
    pub(crate) const FAILURES: [&str; 2] =
        ["batch.kubernetes.io/job-index-failure-count", "batch.kubernetes.io/job-index-ignored-failure-count"];
    /// On a Job: how an item reaches the worker, as in `--item-as`.
    pub(crate) const ITEM_AS: &str = "kubectl-indexed/item-as";
    /// On a Job: where the list of items is kept, as in `--item-store`.
    pub(crate) const ITEM_STORE: &str = "kubectl-indexed/item-store";
    /// On a Job: why its items are handed over as they are, in words.
    pub(crate) const HANDED_OVER: &str = "kubectl-indexed/handed-over";
    /// On a Job: what a command that replaces its own has to know of how the items are handed over, a JSON object.
    pub(crate) const HANDOVER: &str = "kubectl-indexed/handover";
    /// On a Job: the ConfigMaps of its list in order, each with the lowest index in it: `NAME:0,NAME-2:500`.
    pub(crate) const ITEM_CONFIG_MAPS: &str = "kubectl-indexed/item-configmaps";
    /// On a Job: how many items share a key of those ConfigMaps, one a line.
    pub(crate) const ITEMS_PER_KEY: &str = "kubectl-indexed/items-per-key";
    /// On a Job: the key of a ConfigMap that is not ours, with an item a line.
    pub(crate) const ITEMS_KEY: &str = "kubectl-indexed/items-key";
    /// On a Job: the [digest](crate::spec::stores::ListDigest) of a list that is not ours, as it was when the Job was made.
    pub(crate) const ITEMS_DIGEST: &str = "kubectl-indexed/items-digest";
    /// On a Job: `assignments` where not the item itself is kept but lines `NAME='VALUE'`, `ITEM` among them.
    pub(crate) const ITEM_PAYLOAD: &str = "kubectl-indexed/item-payload";
    /// On a Job: what the values of an item are called, a JSON array of strings, or how many there are.
    pub(crate) const ITEM_COLUMNS: &str = "kubectl-indexed/item-columns";
    /// On a Job: the command as the user wrote it, a JSON array of strings.
    pub(crate) const COMMAND: &str = "kubectl-indexed/command";
    /// On a Job: a random token of the one submission that created it, so that a creation whose answer was lost can
    /// be told from somebody else's Job of the same name.
    pub(crate) const SUBMISSION: &str = "kubectl-indexed/submission";
    /// On a Job that retries another: the name of the Job that the family began with. Its UID is in the label.
    pub(crate) const FAMILY_ROOT: &str = "kubectl-indexed/family-root";
    /// On a Job that retries another: how many indexes the Job has that the family began with.
    pub(crate) const FAMILY_COMPLETIONS: &str = "kubectl-indexed/family-completions";
    /// On a Job that retries another: which one, as `NAME/UID`: the newest of its family then.
    pub(crate) const RETRY_OF: &str = "kubectl-indexed/retry-of";
    /// On a Job that retries another: the original indexes in the form of `.status.completedIndexes`. The lowest of
    /// them is the Job's own index 0, and so on.
    pub(crate) const ORIGINAL_INDEXES: &str = "kubectl-indexed/original-indexes";
    /// On a Job that retries another: the original indexes that had succeeded in its family before.
    pub(crate) const SUCCEEDED_BEFORE: &str = "kubectl-indexed/succeeded-before";
    /// On a Job that retries another: the original indexes that had failed in its family before.
    pub(crate) const FAILED_BEFORE: &str = "kubectl-indexed/failed-before";
    /// On a Job that was made to run what another had left of a list: which one, as `NAME/UID`: the one that its family
    /// began with.
    pub(crate) const RESUMES: &str = "kubectl-indexed/resumes";
    /// On a Job that resumes another: how many items of the list were left out, because they had succeeded.
    pub(crate) const SKIPPED: &str = "kubectl-indexed/skipped-items";
    /// On a Job: that its submission is under way, or was cut off: it is held back, and its items may not all be stored.
    /// The release takes it off, and only that if the value is [`HELD`].
    pub(crate) const SUBMITTING: &str = "kubectl-indexed/submitting";
    /// The value of [`SUBMITTING`] where the cluster or a queue suspends the Job as well: somebody else lets it run.
    pub(crate) const HELD: &str = "held";
    /// On a Job: a digest of all that was submitted, but for the namespace, so that the same command again is known as
    /// the same.
    pub(crate) const DIGEST: &str = "kubectl-indexed/digest";
    /// On a Job: its Pods whose logs their nodes no longer have from the beginning, as seen by who followed them.
    pub(crate) const CUT_LOGS: &str = "kubectl-indexed/cut-logs";
    /// On a Pod or its template: the container whose log is meant when none is named.
    pub(crate) const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";
    /// On a Job: how few of its Pods Kueue may admit at once; it takes no Job with so few.
    pub(crate) const KUEUE_LEAST: &str = "kueue.x-k8s.io/job-min-parallelism";
    /// What `kubectl apply` keeps; it describes another object once it was copied.
    pub(crate) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
    /// What is told of one object, and not of another that is made like it.
    pub(crate) const OF_ONE_OBJECT: [&str; 8] = [
        LAST_APPLIED,
        CUT_LOGS,
        SUBMISSION,
        SUBMITTING,
        DIGEST,
        "batch.kubernetes.io/cronjob-scheduled-timestamp",
        "batch.kubernetes.io/job-tracking",
        // Kueue starts no Job whose Pod template names the Workload of another.
        "kueue.x-k8s.io/workload",
    ];
}

/// The variable that the Job controller gives every container of an Indexed Job.
pub(crate) const INDEX_VARIABLE: &str = "JOB_COMPLETION_INDEX";
pub(crate) const ITEM_VARIABLE: &str = "ITEM";
/// The variable with the number of indexes.
pub(crate) const COUNT_VARIABLE: &str = "ITEM_COUNT";
/// The worker's container, unless a template's only container has another name.
pub(crate) const WORKER: &str = "worker";
/// The volume with the item, and the init container that fills it when the list is kept inline.
pub(crate) const INPUT: &str = "input";
/// The folder in which the item appears.
pub(crate) const INPUT_DIR: &str = "/input";
/// The file with the item, within that folder.
pub(crate) const ITEM_FILE: &str = "data.txt";
pub(crate) const ITEM_PATH: &str = "/input/data.txt";
/// The file with the variables of an index, within that folder.
pub(crate) const VARIABLES_FILE: &str = "item.env";
pub(crate) const VARIABLES_PATH: &str = "/input/item.env";

/// The volume with the original index, the init container that writes it, and the file that the kubelet reads it from.
pub(crate) const ORIGINAL: &str = "original-index";
/// Where that init container has its volume.
pub(crate) const ORIGINAL_DIR: &str = "/original-index";
/// The file with the original index, within that folder.
pub(crate) const ORIGINAL_FILE: &str = "index.env";

/// Returns the value of an annotation.
pub(crate) fn annotation_value<'a>(job: &'a Job, key: &str) -> Option<&'a str> {
    job.metadata.annotations.as_ref()?.get(key).map(String::as_str)
}

/// Returns the container that does the work of a Job: the one that its template's annotation names, else the one called
/// `worker`, else the first. The template has no containers that are injected into Pods.
pub(crate) fn worker(job: &Job) -> Option<&Container> {
    let template = &job.spec.as_ref()?.template;
    let noted = template.metadata.as_ref().and_then(|of| of.annotations.as_ref()?.get(annotation::DEFAULT_CONTAINER));
    let containers = &template.spec.as_ref()?.containers;
    let find = |wanted: &str| containers.iter().find(|container| container.name == wanted);
    noted.and_then(|name| find(name)).or_else(|| find(WORKER)).or(containers.first())
}

/// Returns the name of that container.
pub(crate) fn worker_name(job: &Job) -> Option<&str> {
    worker(job).map(|worker| worker.name.as_str())
}

/// The name of the ConfigMap with items of Job `job`; a list that is too long for one has several, numbered from 0.
pub(crate) fn items_config_map(job: &str, number: usize) -> String {
    match number {
        0 => format!("{job}-items"),
        _ => format!("{job}-items-{}", number + 1),
    }
}
