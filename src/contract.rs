//! The names that this program writes into a cluster and reads back: labels, annotations, variables, paths.
//!
//! `manifest` writes them. `state` and `manifest::read` read them, on another machine and years later: the meaning of a
//! name never changes. A new meaning gets a new name.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Container;

/// The value of `app.kubernetes.io/managed-by` on all objects that this program creates.
pub(crate) const MANAGER: &str = "kubectl-indexed";

/// The prefix of this program's label and annotation keys.
pub(crate) const NOTES: &str = "kubectl-indexed/";

/// Recommended labels, <https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/>.
pub(crate) mod label {
    /// The kind of work: the command's name.
    pub(crate) const NAME: &str = "app.kubernetes.io/name";
    /// The run: the Job's name.
    pub(crate) const INSTANCE: &str = "app.kubernetes.io/instance";
    /// The program that created the object.
    pub(crate) const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
    /// On a ConfigMap with items: the name of its Job.
    pub(crate) const ITEMS_OF: &str = "kubectl-indexed/items-of";
    /// On a retry: the UID of the first Job of the family. The first Job itself has no such label.
    pub(crate) const FAMILY: &str = "kubectl-indexed/family";
    /// On a Job that runs the unfinished items of another: the UID of the first Job of the other family.
    pub(crate) const RESUMES: &str = "kubectl-indexed/resumes";
    /// On a Job: the Kueue queue that admits it.
    pub(crate) const KUEUE_QUEUE: &str = "kueue.x-k8s.io/queue-name";
    /// On a Pod: its completion index, from Kubernetes 1.28. Older servers set only the annotation of the same name.
    pub(crate) const INDEX: &str = "batch.kubernetes.io/job-completion-index";
    /// Labels that the Job controller, the API server or Kueue adds to a Pod template. A new Job must not have them.
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
    /// On a Pod: its completion index, from Kubernetes 1.21.
    pub(crate) const INDEX: &str = "batch.kubernetes.io/job-completion-index";
    /// On a Pod: the number of earlier failures of its index, counted and ignored ones, from Kubernetes 1.29.
    pub(crate) const FAILURES: [&str; 2] =
        ["batch.kubernetes.io/job-index-failure-count", "batch.kubernetes.io/job-index-ignored-failure-count"];
    /// On a Job: the item form, as in `--item-as`.
    pub(crate) const ITEM_AS: &str = "kubectl-indexed/item-as";
    /// On a Job: the store of the items, as in `--item-store`.
    pub(crate) const ITEM_STORE: &str = "kubectl-indexed/item-store";
    /// On a Job: a sentence with the reason for its item form.
    pub(crate) const HANDED_OVER: &str = "kubectl-indexed/handed-over";
    /// On a Job: the parts of the Pod that pass the item, for a command that replaces the Job's; a JSON object.
    pub(crate) const HANDOVER: &str = "kubectl-indexed/handover";
    /// On a Job: the ConfigMaps of its list in order, each with its lowest index: `NAME:0,NAME-2:500`.
    pub(crate) const ITEM_CONFIG_MAPS: &str = "kubectl-indexed/item-configmaps";
    /// On a Job: the number of items that share a key of those ConfigMaps, one per line.
    pub(crate) const ITEMS_PER_KEY: &str = "kubectl-indexed/items-per-key";
    /// On a Job: the key of a shared ConfigMap with one item per line.
    pub(crate) const ITEMS_KEY: &str = "kubectl-indexed/items-key";
    /// On a Job: the [digest](crate::spec::stores::ListDigest) of a shared list when the Job was created.
    pub(crate) const ITEMS_DIGEST: &str = "kubectl-indexed/items-digest";
    /// On a Job: `assignments` if each stored item consists of lines `NAME='VALUE'`, `ITEM` among them.
    pub(crate) const ITEM_PAYLOAD: &str = "kubectl-indexed/item-payload";
    /// On a Job: the column names of its items as a JSON array of strings, or the number of columns.
    pub(crate) const ITEM_COLUMNS: &str = "kubectl-indexed/item-columns";
    /// On a Job: the command as the user wrote it, a JSON array of strings.
    pub(crate) const COMMAND: &str = "kubectl-indexed/command";
    /// On a Job: a random token of its submission. If the response to the creation is lost, the token tells this Job
    /// from another of the same name.
    pub(crate) const SUBMISSION: &str = "kubectl-indexed/submission";
    /// On a retry: the name of the first Job of the family. Its UID is in the label.
    pub(crate) const FAMILY_ROOT: &str = "kubectl-indexed/family-root";
    /// On a retry: the number of indexes of the first Job of the family.
    pub(crate) const FAMILY_COMPLETIONS: &str = "kubectl-indexed/family-completions";
    /// On a retry: the newest Job of the family at that time, as `NAME/UID`.
    pub(crate) const RETRY_OF: &str = "kubectl-indexed/retry-of";
    /// On a retry: its original indexes in the form of `.status.completedIndexes`. The lowest is the retry's own index
    /// 0, and so on.
    pub(crate) const ORIGINAL_INDEXES: &str = "kubectl-indexed/original-indexes";
    /// On a retry: the original indexes that had succeeded before.
    pub(crate) const SUCCEEDED_BEFORE: &str = "kubectl-indexed/succeeded-before";
    /// On a retry: the original indexes that had failed before.
    pub(crate) const FAILED_BEFORE: &str = "kubectl-indexed/failed-before";
    /// On a Job that runs the unfinished items of another: the first Job of the other family, as `NAME/UID`.
    pub(crate) const RESUMES: &str = "kubectl-indexed/resumes";
    /// On such a Job: the number of items left out because they had succeeded.
    pub(crate) const SKIPPED: &str = "kubectl-indexed/skipped-items";
    /// On a suspended Job: its submission is in progress or was interrupted, and items may be missing. The release
    /// removes the annotation; it also resumes the Job, unless the value is [`HELD`].
    pub(crate) const SUBMITTING: &str = "kubectl-indexed/submitting";
    /// The value of [`SUBMITTING`] if the cluster or a queue suspends the Job too and will resume it.
    pub(crate) const HELD: &str = "held";
    /// On a Job: a digest of the submitted objects without the namespace. It recognizes the same command run again.
    pub(crate) const DIGEST: &str = "kubectl-indexed/digest";
    /// On a Job: its Pods whose nodes have dropped the beginning of the log, as a follower noticed.
    pub(crate) const CUT_LOGS: &str = "kubectl-indexed/cut-logs";
    /// On a Pod or its template: the default container for logs.
    pub(crate) const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";
    /// On a Job: the smallest number of Pods that Kueue may admit at once. Kueue rejects a Job whose parallelism is not
    /// greater.
    pub(crate) const KUEUE_LEAST: &str = "kueue.x-k8s.io/job-min-parallelism";
    /// The last configuration that `kubectl apply` applied. In a copy it would describe the wrong object.
    pub(crate) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
    /// Annotations of one object that a copy must not have.
    pub(crate) const OF_ONE_OBJECT: [&str; 8] = [
        LAST_APPLIED,
        CUT_LOGS,
        SUBMISSION,
        SUBMITTING,
        DIGEST,
        "batch.kubernetes.io/cronjob-scheduled-timestamp",
        "batch.kubernetes.io/job-tracking",
        // Kueue does not start a Job whose Pod template names another Job's Workload.
        "kueue.x-k8s.io/workload",
    ];
}

/// The variable with the index, which the Job controller sets in every container.
pub(crate) const INDEX_VARIABLE: &str = "JOB_COMPLETION_INDEX";
pub(crate) const ITEM_VARIABLE: &str = "ITEM";
/// The variable with the number of indexes.
pub(crate) const COUNT_VARIABLE: &str = "ITEM_COUNT";
/// The name of the worker's container, unless a template's only container has another name.
pub(crate) const WORKER: &str = "worker";
/// The name of the volume with the item, and of the init container that fills it.
pub(crate) const INPUT: &str = "input";
/// The folder with the item.
pub(crate) const INPUT_DIR: &str = "/input";
/// The file with the item in that folder.
pub(crate) const ITEM_FILE: &str = "data.txt";
pub(crate) const ITEM_PATH: &str = "/input/data.txt";
/// The file with the variables of an index in that folder.
pub(crate) const VARIABLES_FILE: &str = "item.env";
pub(crate) const VARIABLES_PATH: &str = "/input/item.env";

/// The name of the volume with the original index, and of the init container that writes it.
pub(crate) const ORIGINAL: &str = "original-index";
/// The path of that volume in the init container.
pub(crate) const ORIGINAL_DIR: &str = "/original-index";
/// The file with the original index in that folder, which the kubelet reads.
pub(crate) const ORIGINAL_FILE: &str = "index.env";

/// Returns the value of an annotation.
pub(crate) fn annotation_value<'a>(job: &'a Job, key: &str) -> Option<&'a str> {
    job.metadata.annotations.as_ref()?.get(key).map(String::as_str)
}

/// Returns the worker's container of a Job: the container that the template's annotation names, else `worker`, else the
/// first. The template has no injected containers.
pub(crate) fn worker(job: &Job) -> Option<&Container> {
    let template = &job.spec.as_ref()?.template;
    let annotations = template.metadata.as_ref().and_then(|metadata| metadata.annotations.as_ref());
    let default = annotations.and_then(|annotations| annotations.get(annotation::DEFAULT_CONTAINER));
    let containers = &template.spec.as_ref()?.containers;
    let find = |wanted: &str| containers.iter().find(|container| container.name == wanted);
    default.and_then(|name| find(name)).or_else(|| find(WORKER)).or(containers.first())
}

/// Returns the name of the worker's container.
pub(crate) fn worker_name(job: &Job) -> Option<&str> {
    worker(job).map(|worker| worker.name.as_str())
}

/// Returns the name of a ConfigMap with items of Job `job`. A long list has several, and `number` counts from 0.
pub(crate) fn items_config_map(job: &str, number: usize) -> String {
    match number {
        0 => format!("{job}-items"),
        _ => format!("{job}-items-{}", number + 1),
    }
}
