//! The names that are written into a cluster and read back from it: labels, annotations, variables, paths.
//!
//! `manifest` writes them, `state` and `manifest::read` read them, on another machine and years later: a name here is
//! never given another meaning. A new meaning gets a new name.

/// The one value of `app.kubernetes.io/managed-by` that marks what this program made.
pub(crate) const MANAGER: &str = "kubectl-indexed";

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
    /// On a Job: the Kueue queue that admits it.
    pub(crate) const KUEUE_QUEUE: &str = "kueue.x-k8s.io/queue-name";
    /// On a Pod: its completion index (Kubernetes 1.28 on; before that only the annotation of the same name).
    pub(crate) const INDEX: &str = "batch.kubernetes.io/job-completion-index";
    /// Labels that the Job controller or the API server adds to a Pod template, and that a new Job must not repeat.
    pub(crate) const SET_BY_SERVER: [&str; 4] =
        ["controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"];
}

/// Annotations.
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
    /// On a Job: the command as the user wrote it, a JSON array of strings.
    pub(crate) const COMMAND: &str = "kubectl-indexed/command";
    /// On a Job: a random token of the one submission that created it, so that a creation whose answer was lost can
    /// be told from somebody else's Job of the same name.
    pub(crate) const SUBMISSION: &str = "kubectl-indexed/submission";
    /// On a Pod or its template: the container whose log is meant when none is named.
    pub(crate) const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";
    /// What `kubectl apply` keeps; it describes another object once it was copied.
    pub(crate) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
}

/// The variable that the Job controller gives every container of an Indexed Job.
pub(crate) const INDEX_VARIABLE: &str = "JOB_COMPLETION_INDEX";
/// The worker's container, unless a template's only container has another name.
pub(crate) const WORKER: &str = "worker";
/// The volume with the item, and the init container that fills it when the list is kept inline.
pub(crate) const INPUT: &str = "input";
/// The folder in which the item appears.
pub(crate) const INPUT_DIR: &str = "/input";
/// The file with the item.
pub(crate) const ITEM_PATH: &str = "/input/data.txt";

/// The name of the ConfigMap with the items of Job `job`.
pub(crate) fn items_config_map(job: &str) -> String {
    format!("{job}-items")
}
