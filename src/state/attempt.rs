//! From a Pod to an attempt of its index.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, PodCondition};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use serde::{Deserialize, Deserializer};

use crate::contract::{annotation, label};

/// The part of a Pod that says how an index fares.
///
/// A whole Pod takes some 50 KB of memory once decoded, most of it `managedFields` and the template that the Job has
/// already; this takes about 3 KB.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PodRecord {
    #[serde(deserialize_with = "lean_metadata")]
    pub(crate) metadata: ObjectMeta,
    pub(crate) spec: PodRecordSpec,
    pub(crate) status: PodRecordStatus,
}

/// Where a Pod runs.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct PodRecordSpec {
    pub(crate) node_name: Option<String>,
    pub(crate) restart_policy: Option<String>,
}

/// How a Pod fares.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct PodRecordStatus {
    pub(crate) phase: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) start_time: Option<Time>,
    pub(crate) conditions: Vec<PodCondition>,
    pub(crate) init_container_statuses: Vec<ContainerStatus>,
    pub(crate) container_statuses: Vec<ContainerStatus>,
}

/// The metadata that is needed, without building the rest first.
fn lean_metadata<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ObjectMeta, D::Error> {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Lean {
        name: Option<String>,
        namespace: Option<String>,
        uid: Option<String>,
        resource_version: Option<String>,
        creation_timestamp: Option<Time>,
        deletion_timestamp: Option<Time>,
        labels: Option<std::collections::BTreeMap<String, String>>,
        annotations: Option<std::collections::BTreeMap<String, String>>,
    }
    let lean = Lean::deserialize(deserializer)?;
    Ok(ObjectMeta {
        name: lean.name,
        namespace: lean.namespace,
        uid: lean.uid,
        resource_version: lean.resource_version,
        creation_timestamp: lean.creation_timestamp,
        deletion_timestamp: lean.deletion_timestamp,
        labels: lean.labels,
        annotations: lean.annotations,
        ..ObjectMeta::default()
    })
}

/// How far an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The Pod exists, and its worker has not started.
    Starting,
    /// The worker runs.
    Running,
    /// The worker ended with exit code 0.
    Succeeded,
    /// The worker, or the Pod, failed.
    Failed,
    /// The node does not answer.
    Unknown,
}

/// One Pod of an index.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Attempt {
    /// The completion index.
    pub(crate) index: u32,
    /// The Pod's name.
    pub(crate) pod: String,
    /// The Pod's UID: names are given again.
    pub(crate) uid: String,
    pub(crate) phase: Phase,
    pub(crate) created: Option<Timestamp>,
    /// When the worker, else the Pod, started.
    pub(crate) started: Option<Timestamp>,
    /// When the worker ended.
    pub(crate) finished: Option<Timestamp>,
    pub(crate) node: Option<String>,
    /// The exit code of the container that [`Attempt::container`] names.
    pub(crate) exit_code: Option<i32>,
    /// Why it waits or failed, in one word, as Kubernetes gives it: `OOMKilled`, `ImagePullBackOff`, `Evicted`.
    pub(crate) reason: Option<String>,
    /// The sentence that belongs to the reason; for a failed worker its last lines.
    pub(crate) message: Option<String>,
    /// The container that the exit code, the reason and the message are of.
    pub(crate) container: Option<String>,
    /// Restarts of the worker within the Pod (`restartPolicy: OnFailure`).
    pub(crate) restarts: i32,
    /// How many attempts of the index ended before this one, by the Job controller's own count; 0 where it keeps none.
    pub(crate) earlier: u32,
    /// Whether its containers write no more; known a second or two before the Pod is called finished.
    pub(crate) log_ended: bool,
    /// Its containers in the order of the Pod, init containers first; none before a node has taken it.
    pub(crate) containers: Vec<Container>,
}

/// One container of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Container {
    pub(crate) name: String,
    pub(crate) is_init: bool,
    /// Whether there is, or was, a log to read.
    pub(crate) has_started: bool,
    /// Whether it writes no more.
    pub(crate) log_ended: bool,
    /// How often it was started again within its Pod.
    pub(crate) restarts: i32,
}

impl Attempt {
    /// The attempt that a Pod is; None for a Pod that is no index's.
    pub(crate) fn from_pod(pod: &PodRecord) -> Option<Self> {
        let status = &pod.status;
        let index = index_of(&pod.metadata)?;
        let mut attempt = Self {
            index,
            pod: pod.metadata.name.clone()?,
            uid: pod.metadata.uid.clone().unwrap_or_default(),
            phase: Phase::Starting,
            created: pod.metadata.creation_timestamp.as_ref().map(|time| time.0),
            started: None,
            finished: None,
            node: pod.spec.node_name.clone(),
            exit_code: None,
            reason: None,
            message: None,
            container: None,
            restarts: status.container_statuses.iter().map(|container| container.restart_count).sum(),
            earlier: earlier_failures(&pod.metadata),
            log_ended: pod.spec.restart_policy.as_deref() == Some("Never") && all_ended(&status.container_statuses),
            containers: containers(pod),
        };
        let worker_started = status.container_statuses.iter().filter_map(started_at).min();
        attempt.started = worker_started.or(status.start_time.as_ref().map(|time| time.0));
        match status.phase.as_deref() {
            Some("Succeeded") => attempt.phase = Phase::Succeeded,
            Some("Failed") => attempt.phase = Phase::Failed,
            Some("Unknown") => attempt.phase = Phase::Unknown,
            Some("Running") => attempt.phase = Phase::Running,
            _ => {}
        }
        attempt.log_ended |= attempt.is_finished();
        if attempt.is_finished() {
            attempt.containers.iter_mut().for_each(|container| container.log_ended = true);
        }
        match attempt.phase {
            Phase::Starting => attempt.explain_waiting(status),
            Phase::Running => {
                // A container that is started again and again runs only now and then.
                if let Some((container, waiting)) = status.container_statuses.iter().find_map(waiting) {
                    let last = container.last_state.as_ref().and_then(|state| state.terminated.as_ref());
                    attempt.exit_code = last.map(|end| end.exit_code);
                    attempt.container = Some(container.name.clone());
                    attempt.reason = waiting.0;
                    attempt.message = waiting.1;
                }
            }
            Phase::Succeeded | Phase::Failed | Phase::Unknown => attempt.explain_end(status),
        }
        Some(attempt)
    }

    /// Whether the attempt has ended.
    pub(crate) fn is_finished(&self) -> bool {
        matches!(self.phase, Phase::Succeeded | Phase::Failed)
    }

    /// Whether there is, or was, a log to read.
    pub(crate) fn has_started(&self) -> bool {
        self.phase != Phase::Starting
    }

    fn explain_waiting(&mut self, status: &PodRecordStatus) {
        let unscheduled =
            status.conditions.iter().find(|condition| condition.type_ == "PodScheduled" && condition.status == "False");
        if let Some(condition) = unscheduled {
            self.reason.clone_from(&condition.reason);
            self.message.clone_from(&condition.message);
            return;
        }
        let containers = status.init_container_statuses.iter().chain(&status.container_statuses);
        if let Some((container, (reason, message))) = containers.filter_map(waiting).max_by_key(|(_, (reason, _))| {
            // Of several that wait, the one that can't go on explains the others.
            !matches!(reason.as_deref(), None | Some("PodInitializing" | "ContainerCreating"))
        }) {
            self.container = Some(container.name.clone());
            self.reason = reason;
            self.message = message;
        }
    }

    fn explain_end(&mut self, status: &PodRecordStatus) {
        let ended: Vec<_> = status
            .init_container_statuses
            .iter()
            .chain(&status.container_statuses)
            .filter_map(|container| {
                let terminated = container.state.as_ref().and_then(|state| state.terminated.as_ref())?;
                Some((container, terminated))
            })
            .collect();
        self.finished = ended.iter().filter_map(|(_, end)| end.finished_at.as_ref()).map(|time| time.0).max();
        // An init container that succeeded says nothing; one that failed says it all.
        let telling = ended.iter().find(|(_, end)| end.exit_code != 0).or(ended.last());
        if let Some((container, end)) = telling {
            self.container = Some(container.name.clone());
            self.exit_code = Some(end.exit_code);
            if self.phase != Phase::Succeeded {
                self.reason = end.reason.clone().filter(|reason| reason != "Completed");
                self.message.clone_from(&end.message);
            }
        }
        // What befell the Pod as a whole (eviction, a deadline) is the cause of what befell its containers.
        if status.reason.is_some() {
            self.reason.clone_from(&status.reason);
            self.message = status.message.clone().or(self.message.take());
        }
        let disrupted = status.conditions.iter().find(|c| c.type_ == "DisruptionTarget" && c.status == "True");
        if let Some(condition) = disrupted
            && status.reason.is_none()
        {
            self.reason = condition.reason.clone().or(Some("DisruptionTarget".to_owned()));
            self.message = condition.message.clone().or(self.message.take());
        }
    }
}

/// What a container of a Pod wrote to its termination log; of the first, if none is named.
pub(crate) fn termination_message<'a>(pod: &'a PodRecord, container: Option<&str>) -> Option<&'a str> {
    let mut containers = pod.status.container_statuses.iter();
    let container = containers.find(|status| container.is_none_or(|name| status.name == name))?;
    container.state.as_ref()?.terminated.as_ref()?.message.as_deref()
}

/// The completion index of a Pod: its label, or the annotation that servers before 1.28 set alone.
fn index_of(metadata: &ObjectMeta) -> Option<u32> {
    let label = metadata.labels.as_ref().and_then(|labels| labels.get(label::INDEX));
    let annotation = || metadata.annotations.as_ref().and_then(|annotations| annotations.get(annotation::INDEX));
    label.or_else(annotation)?.parse().ok()
}

/// The name of the signal that an exit code tells of, for those that end programs in practice: shells and container
/// runtimes tell it as 128 + its number.
pub(crate) fn signal(exit_code: i32) -> Option<&'static str> {
    Some(match exit_code.checked_sub(128)? {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        10 => "SIGUSR1",
        11 => "SIGSEGV",
        12 => "SIGUSR2",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        31 => "SIGSYS",
        _ => return None,
    })
}

/// Counted and ignored failures of an index before this Pod, which outlive the Pods that failed.
fn earlier_failures(metadata: &ObjectMeta) -> u32 {
    let noted = |key: &str| metadata.annotations.as_ref()?.get(key)?.parse::<u32>().ok();
    annotation::FAILURES.iter().filter_map(|key| noted(key)).fold(0, u32::saturating_add)
}

fn started_at(container: &ContainerStatus) -> Option<Timestamp> {
    let ContainerState { running, terminated, .. } = container.state.as_ref()?;
    let running = running.as_ref().and_then(|running| running.started_at.as_ref());
    let terminated = terminated.as_ref().and_then(|terminated| terminated.started_at.as_ref());
    // What never started is told to have started in 1970.
    running.or(terminated).map(|time| time.0).filter(|time| time.as_second() > 0)
}

fn containers(pod: &PodRecord) -> Vec<Container> {
    let never_again = pod.spec.restart_policy.as_deref() == Some("Never");
    let container = |status: &ContainerStatus, is_init: bool| {
        let state = status.state.as_ref();
        let ended = state.and_then(|state| state.terminated.as_ref());
        let had_ended = status.last_state.as_ref().is_some_and(|state| state.terminated.is_some());
        Container {
            name: status.name.clone(),
            is_init,
            has_started: started_at(status).is_some() || status.restart_count > 0 || had_ended,
            // One that failed is started again unless the policy says never; an init container that succeeded is not.
            log_ended: ended.is_some_and(|end| never_again || is_init && end.exit_code == 0),
            restarts: status.restart_count,
        }
    };
    let init = pod.status.init_container_statuses.iter().map(|status| container(status, true));
    init.chain(pod.status.container_statuses.iter().map(|status| container(status, false))).collect()
}

fn all_ended(containers: &[ContainerStatus]) -> bool {
    let ended = |container: &ContainerStatus| container.state.as_ref().is_some_and(|state| state.terminated.is_some());
    !containers.is_empty() && containers.iter().all(ended)
}

type Reason = (Option<String>, Option<String>);

fn waiting(container: &ContainerStatus) -> Option<(&ContainerStatus, Reason)> {
    let waiting = container.state.as_ref()?.waiting.as_ref()?;
    Some((container, (waiting.reason.clone(), waiting.message.clone())))
}
