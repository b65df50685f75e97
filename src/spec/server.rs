//! What a server can do by its version: the one place that says since when.

/// First minor version of Kubernetes 1 that reads variables from a file without being asked to (gate `EnvFiles`).
pub(crate) const VARIABLE_FILE_SINCE: u32 = 35;

/// Something that a server does from a version on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Feature {
    /// `completionMode: Indexed`, stable.
    IndexedJobs,
    /// `podFailurePolicy`, on by default.
    PodFailurePolicy,
    /// `backoffLimitPerIndex`, `maxFailedIndexes` and the action `FailIndex`, on by default.
    RetriesOfEachIndex,
    /// `podReplacementPolicy`, on by default.
    PodReplacement,
    /// `successPolicy`, on by default.
    SuccessPolicy,
    /// `fileKeyRef`, on by default.
    VariableFile,
}

impl Feature {
    /// From the oldest on.
    pub(crate) const ALL: [Self; 6] = [
        Self::IndexedJobs,
        Self::PodFailurePolicy,
        Self::RetriesOfEachIndex,
        Self::PodReplacement,
        Self::SuccessPolicy,
        Self::VariableFile,
    ];

    /// The first minor version of Kubernetes 1 that does it.
    pub(crate) fn since(self) -> u32 {
        match self {
            Self::IndexedJobs => 24,
            Self::PodFailurePolicy => 26,
            Self::RetriesOfEachIndex | Self::PodReplacement => 29,
            Self::SuccessPolicy => 31,
            Self::VariableFile => VARIABLE_FILE_SINCE,
        }
    }

    /// What it is called in data.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::IndexedJobs => "indexedJobs",
            Self::PodFailurePolicy => "podFailurePolicy",
            Self::RetriesOfEachIndex => "backoffLimitPerIndex",
            Self::PodReplacement => "podReplacementPolicy",
            Self::SuccessPolicy => "successPolicy",
            Self::VariableFile => "fileKeyRef",
        }
    }

    /// What it is good for.
    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::IndexedJobs => "Indexed Jobs",
            Self::PodFailurePolicy => "a drained node counts as no failure; --ignore-exit",
            Self::RetriesOfEachIndex => "retries of each index; --max-failed, --fail-fast, --fail-on-exit",
            Self::PodReplacement => "a Pod is replaced only once it has ended (podReplacementPolicy)",
            Self::SuccessPolicy => "--success-indexes, --success-count",
            Self::VariableFile => "items in arguments and variables, and retry, without a shell in the image",
        }
    }

    /// What is done without it.
    pub(crate) fn instead(self) -> &'static str {
        match self {
            Self::IndexedJobs => "nothing runs here",
            Self::PodFailurePolicy => "a drained node counts as a failure; --ignore-exit is refused",
            Self::RetriesOfEachIndex => "one limit for all indexes together; --fail-on-exit is refused",
            Self::PodReplacement => "a Pod may be replaced while it still ends",
            Self::SuccessPolicy => "both are refused",
            Self::VariableFile => "a shell of the image hands them over",
        }
    }
}
