//! The server versions that features need.

/// First minor version of Kubernetes 1 whose gate `EnvFiles` (variables from a file) is on by default.
pub(crate) const VARIABLE_FILE_SINCE: u32 = 35;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Feature {
    /// First minor version of Kubernetes 1 with the feature.
    pub(crate) since: u32,
    /// The name in JSON and YAML output.
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) instead: &'static str,
}

/// `completionMode: Indexed`, stable.
pub(crate) const INDEXED_JOBS: Feature =
    Feature { since: 24, name: "indexedJobs", what: "Indexed Jobs", instead: "nothing can run" };
/// `podFailurePolicy`, on by default.
pub(crate) const POD_FAILURE_POLICY: Feature = Feature {
    since: 26,
    name: "podFailurePolicy",
    what: "a drained node does not count as a failure; --ignore-exit",
    instead: "a drained node counts as a failure; --ignore-exit is refused",
};
/// `backoffLimitPerIndex`, `maxFailedIndexes` and the action `FailIndex`, on by default.
pub(crate) const RETRIES_OF_EACH_INDEX: Feature = Feature {
    since: 29,
    name: "backoffLimitPerIndex",
    what: "retries of each index; --max-evictions, --max-failed, --fail-fast, --fail-on-exit",
    instead: "one limit for the whole Job; --fail-on-exit is refused",
};
/// `podReplacementPolicy`, on by default.
pub(crate) const POD_REPLACEMENT: Feature = Feature {
    since: 29,
    name: "podReplacementPolicy",
    what: "a Pod is replaced only after it has ended (podReplacementPolicy)",
    instead: "a Pod may be replaced while it is still ending",
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
    instead: "a shell in the image passes the items",
};

/// All features, the oldest first.
pub(crate) const FEATURES: [Feature; 6] =
    [INDEXED_JOBS, POD_FAILURE_POLICY, RETRIES_OF_EACH_INDEX, POD_REPLACEMENT, SUCCESS_POLICY, VARIABLE_FILE];
