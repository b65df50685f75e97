//! What a server can do by its version: the one place that says since when.

/// First minor version of Kubernetes 1 that reads variables from a file without being asked to (gate `EnvFiles`).
pub(crate) const VARIABLE_FILE_SINCE: u32 = 35;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Feature {
    /// The first minor version of Kubernetes 1 that does it.
    pub(crate) since: u32,
    /// What it is called in data.
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) instead: &'static str,
}

/// `completionMode: Indexed`, stable.
pub(crate) const INDEXED_JOBS: Feature =
    Feature { since: 24, name: "indexedJobs", what: "Indexed Jobs", instead: "nothing runs here" };
/// `podFailurePolicy`, on by default.
pub(crate) const POD_FAILURE_POLICY: Feature = Feature {
    since: 26,
    name: "podFailurePolicy",
    what: "a drained node counts as no failure; --ignore-exit",
    instead: "a drained node counts as a failure; --ignore-exit is refused",
};
/// `backoffLimitPerIndex`, `maxFailedIndexes` and the action `FailIndex`, on by default.
pub(crate) const RETRIES_OF_EACH_INDEX: Feature = Feature {
    since: 29,
    name: "backoffLimitPerIndex",
    what: "retries of each index; --max-evictions, --max-failed, --fail-fast, --fail-on-exit",
    instead: "one limit for all indexes together; --fail-on-exit is refused",
};
/// `podReplacementPolicy`, on by default.
pub(crate) const POD_REPLACEMENT: Feature = Feature {
    since: 29,
    name: "podReplacementPolicy",
    what: "a Pod is replaced only once it has ended (podReplacementPolicy)",
    instead: "a Pod may be replaced while it still ends",
};
/// `successPolicy`, on by default.
pub(crate) const SUCCESS_POLICY: Feature = Feature {
    since: 31,
    name: "successPolicy",
    what: "--success-indexes, --success-count",
    instead: "both are refused",
};
/// `fileKeyRef`, on by default.
pub(crate) const VARIABLE_FILE: Feature = Feature {
    since: VARIABLE_FILE_SINCE,
    name: "fileKeyRef",
    what: "items in arguments and variables, and retry, without a shell in the image",
    instead: "a shell of the image hands them over",
};

/// All of them, from the oldest on.
pub(crate) const FEATURES: [Feature; 6] =
    [INDEXED_JOBS, POD_FAILURE_POLICY, RETRIES_OF_EACH_INDEX, POD_REPLACEMENT, SUCCESS_POLICY, VARIABLE_FILE];
