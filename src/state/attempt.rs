//! Reads a Pod as an attempt of its index.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{
    ContainerState, ContainerStateTerminated, ContainerStatus, PodCondition, PodSchedulingGate, ResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use serde::{Deserialize, Deserializer};

use crate::contract::{annotation, label};

/// The part of a Pod that determines the status of its index.
///
/// A decoded Pod takes about 50 KB of memory, most of it `managedFields` and the template that the Job has already.
/// This part takes about 3 KB.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PodRecord {
    #[serde(deserialize_with = "lean_metadata")]
    pub(crate) metadata: ObjectMeta,
    pub(crate) spec: PodRecordSpec,
    pub(crate) status: PodRecordStatus,
}

/// The node of a Pod, its sidecars and its limits. The status has no limits before Kubernetes 1.33.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct PodRecordSpec {
    pub(crate) node_name: Option<String>,
    pub(crate) restart_policy: Option<String>,
    pub(crate) scheduling_gates: Vec<PodSchedulingGate>,
    pub(crate) containers: Vec<PodContainer>,
    pub(crate) init_containers: Vec<PodContainer>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct PodContainer {
    pub(crate) name: String,
    pub(crate) resources: Option<ResourceRequirements>,
    pub(crate) restart_policy: Option<String>,
}

impl PodRecordSpec {
    /// Whether a container is an init container with `restartPolicy: Always`. Its exit does not decide the attempt.
    fn is_sidecar(&self, container: &ContainerStatus) -> bool {
        let is_it = |init: &PodContainer| init.name == container.name;
        self.init_containers.iter().any(|init| is_it(init) && init.restart_policy.as_deref() == Some("Always"))
    }
}

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

/// Deserializes only the needed metadata.
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

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The Pod exists, and its worker has not started.
    #[default]
    Starting,
    Running,
    /// The worker ended with exit code 0.
    Succeeded,
    Failed,
    /// The node does not respond.
    Unknown,
}

#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Attempt {
    pub(crate) index: u32,
    pub(crate) pod: String,
    /// The Pod's UID. Names can be reused.
    pub(crate) uid: String,
    pub(crate) phase: Phase,
    pub(crate) created: Option<Timestamp>,
    /// The start of the worker, else of the Pod.
    pub(crate) started: Option<Timestamp>,
    /// The end of the worker; if it never started, of the last container.
    pub(crate) finished: Option<Timestamp>,
    pub(crate) node: Option<String>,
    /// The exit code of the container that [`Attempt::container`] names.
    pub(crate) exit_code: Option<i32>,
    /// Kubernetes' reason for waiting or failing: `OOMKilled`, `ImagePullBackOff`, `Evicted`.
    pub(crate) reason: Option<String>,
    /// The message of the reason; for a failed worker, its last lines.
    pub(crate) message: Option<String>,
    /// The container of the exit code, reason and message: the worker, unless another container failed the Pod or keeps
    /// it waiting.
    pub(crate) container: Option<String>,
    pub(crate) is_other_container: bool,
    /// Whether reason and message belong to the whole Pod (an eviction, a deadline), not to a container.
    pub(crate) is_of_pod: bool,
    /// Whether the Pod was evicted, preempted or lost with its node.
    pub(crate) is_disrupted: bool,
    /// The scheduling gates that block the Pod.
    pub(crate) gates: Vec<String>,
    /// The memory limit of the container that [`Attempt::container`] names, if known.
    pub(crate) memory_limit: Option<String>,
    /// The time since which the node does not respond, while the Pod still counts as running.
    pub(crate) lost_since: Option<Timestamp>,
    /// A container that runs after the worker's end, and the time of that end.
    pub(crate) outlived_by: Option<(String, Option<Timestamp>)>,
    /// Restarts of the worker within the Pod (`restartPolicy: OnFailure`).
    pub(crate) restarts: i32,
    /// The number of earlier attempts of the index by the Job controller's count; 0 if it keeps none.
    pub(crate) earlier: u32,
    /// Whether all containers have stopped writing: known one or two seconds before the Pod counts as finished.
    pub(crate) log_ended: bool,
    /// The containers in the order of the Pod, init containers first; empty before the Pod has a node.
    pub(crate) containers: Vec<Container>,
}

/// The reasons of a Pod that starts normally.
pub(crate) const STARTING_REASONS: [&str; 2] = ["ContainerCreating", "PodInitializing"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Container {
    pub(crate) name: String,
    pub(crate) is_init: bool,
    /// Whether the container has, or had, a log.
    pub(crate) has_started: bool,
    pub(crate) log_ended: bool,
    pub(crate) restarts: i32,
}

impl Attempt {
    /// Returns the attempt of a Pod; `None` for a Pod without an index. `worker` names the worker's container: it takes
    /// precedence over other containers, such as a mesh, a proxy or an injected agent.
    pub(crate) fn from_pod(pod: &PodRecord, worker: Option<&str>) -> Option<Self> {
        let status = &pod.status;
        let worker = status.container_statuses.iter().find(|container| Some(container.name.as_str()) == worker);
        let worker = worker.or(status.container_statuses.first());
        let phase = match status.phase.as_deref() {
            Some("Succeeded") => Phase::Succeeded,
            Some("Failed") => Phase::Failed,
            Some("Unknown") => Phase::Unknown,
            Some("Running") => Phase::Running,
            _ => Phase::Starting,
        };
        let mut attempt = Self {
            index: index_of(&pod.metadata)?,
            pod: pod.metadata.name.clone()?,
            uid: pod.metadata.uid.clone().unwrap_or_default(),
            phase,
            created: pod.metadata.creation_timestamp.as_ref().map(|time| time.0),
            started: worker.and_then(started_at).or(status.start_time.as_ref().map(|time| time.0)),
            node: pod.spec.node_name.clone(),
            restarts: worker.map_or(0, |worker| worker.restart_count),
            earlier: earlier_failures(&pod.metadata),
            lost_since: lost_since(pod),
            log_ended: pod.spec.restart_policy.as_deref() == Some("Never") && all_ended(&status.container_statuses),
            containers: containers(pod),
            ..Self::default()
        };
        attempt.log_ended |= attempt.is_finished();
        if attempt.is_finished() {
            attempt.containers.iter_mut().for_each(|container| container.log_ended = true);
        }
        match attempt.phase {
            Phase::Starting => attempt.explain_waiting(pod, worker),
            Phase::Running if attempt.lost_since.is_some() => attempt.phase = Phase::Unknown,
            Phase::Running => attempt.explain_running(pod, worker),
            Phase::Succeeded | Phase::Failed | Phase::Unknown => attempt.explain_end(pod, worker),
        }
        attempt.is_other_container =
            attempt.container.as_ref().is_some_and(|name| worker.is_none_or(|worker| worker.name != *name));
        Some(attempt)
    }

    pub(crate) fn is_finished(&self) -> bool {
        matches!(self.phase, Phase::Succeeded | Phase::Failed)
    }

    /// Whether the attempt has, or had, a log.
    pub(crate) fn has_started(&self) -> bool {
        self.phase != Phase::Starting
    }

    /// Whether only API events can explain why the Pod does not start.
    pub(crate) fn hides_cause(&self) -> bool {
        let reason = self.reason.as_deref().unwrap_or_default();
        // Servers before 1.31 don't report the error of the last pull here.
        let is_bare = reason == "ImagePullBackOff" && self.message.as_deref().is_none_or(|text| !text.contains(": "));
        self.phase == Phase::Starting && (is_bare || STARTING_REASONS.contains(&reason))
    }

    /// Whether the reason can explain a failure. The reason of a waiting Pod can't.
    pub(crate) fn explains_an_end(&self) -> bool {
        !matches!(self.phase, Phase::Starting | Phase::Running)
    }

    /// Returns the failed init container that kept the worker from starting.
    pub(crate) fn failed_init(&self) -> Option<&Container> {
        let named = |container: &&Container| container.is_init && self.container.as_ref() == Some(&container.name);
        self.containers.iter().find(named).filter(|_| self.phase == Phase::Failed && self.exit_code.is_some())
    }

    /// Returns the message if the container wrote it, not Kubernetes.
    pub(crate) fn own_message(&self) -> Option<&str> {
        let is_own =
            matches!(self.reason.as_deref(), Some("StartError" | "ContainerCannotRun" | "ContainerStatusUnknown"));
        self.message.as_deref().filter(|_| !self.is_of_pod && !is_own && self.exit_code.is_some())
    }

    fn explain_waiting(&mut self, pod: &PodRecord, worker: Option<&ContainerStatus>) {
        let status = &pod.status;
        let unscheduled =
            status.conditions.iter().find(|condition| condition.type_ == "PodScheduled" && condition.status == "False");
        if let Some(condition) = unscheduled {
            (self.reason, self.message) = (condition.reason.clone(), condition.message.clone());
            self.gates = pod.spec.scheduling_gates.iter().map(|gate| gate.name.clone()).collect();
            return;
        }
        let containers = status.init_container_statuses.iter().chain(&status.container_statuses);
        let waiting = containers.filter_map(waiting).max_by_key(|(container, (reason, _))| {
            // A stuck container explains why the others wait.
            let is_stuck = !matches!(reason.as_deref(), None | Some("PodInitializing" | "ContainerCreating"));
            (is_stuck, worker == Some(*container))
        });
        if let Some((container, (reason, message))) = waiting {
            self.container = Some(container.name.clone());
            (self.reason, self.message) = (reason, message);
        }
    }

    /// Explains a running Pod whose container restarts in a loop, or whose other container runs after the worker's end.
    fn explain_running(&mut self, pod: &PodRecord, worker: Option<&ContainerStatus>) {
        let status = &pod.status;
        let is_running =
            |container: &ContainerStatus| container.state.as_ref().is_some_and(|state| state.running.is_some());
        let never_again = pod.spec.restart_policy.as_deref() == Some("Never");
        let end = worker.and_then(terminated).filter(|end| never_again || end.exit_code == 0);
        if let (Some(end), Some(other)) = (end, status.container_statuses.iter().find(|other| is_running(other))) {
            self.exit_code = Some(end.exit_code);
            self.outlived_by = Some((other.name.clone(), end.finished_at.as_ref().map(|time| time.0)));
            return;
        }
        let others = status.container_statuses.iter().filter(|_| !worker.is_some_and(is_running));
        if let Some((container, waiting)) = worker.into_iter().chain(others).find_map(waiting) {
            let last = container.last_state.as_ref().and_then(|state| state.terminated.as_ref());
            self.exit_code = last.map(|end| end.exit_code);
            self.container = Some(container.name.clone());
            (self.reason, self.message) = waiting;
        }
    }

    fn explain_end(&mut self, pod: &PodRecord, worker: Option<&ContainerStatus>) {
        let status = &pod.status;
        let has_failed = |container: &&ContainerStatus| terminated(container).is_some_and(|end| end.exit_code != 0);
        // The kubelet kills sidecars after the worker's end: their exit codes explain nothing.
        let init = status.init_container_statuses.iter().filter(|init| !pod.spec.is_sidecar(init));
        let others = init.chain(&status.container_statuses);
        let worker = worker.filter(|worker| terminated(worker).is_some());
        let telling = worker.filter(has_failed).or_else(|| others.clone().find(has_failed)).or(worker);
        let finished_at = |container| terminated(container)?.finished_at.as_ref().map(|time| time.0);
        self.finished = worker.and_then(finished_at).or_else(|| others.filter_map(finished_at).max());
        if let Some((container, end)) = telling.and_then(|container| Some((container, terminated(container)?))) {
            self.container = Some(container.name.clone());
            let mut specs = pod.spec.containers.iter().chain(&pod.spec.init_containers);
            let spec = specs.find(|spec| spec.name == container.name);
            let limit = spec.and_then(|spec| spec.resources.as_ref()?.limits.as_ref()?.get("memory"));
            self.memory_limit = limit.map(|limit| limit.0.clone());
            self.exit_code = Some(end.exit_code);
            self.reason.clone_from(&end.reason);
            self.message.clone_from(&end.message);
        }
        if self.phase == Phase::Succeeded {
            (self.reason, self.message) = (None, None);
            return;
        }
        self.reason = self.reason.take().filter(|reason| reason != "Completed");
        // The reason of the whole Pod (an eviction, a deadline) is the cause of its containers' failures.
        let disrupted = status.conditions.iter().find(|c| c.type_ == "DisruptionTarget" && c.status == "True");
        self.is_disrupted = disrupted.is_some() || status.reason.as_deref() == Some("Evicted");
        let (reason, message) = match disrupted {
            _ if status.reason.is_some() => (status.reason.clone(), &status.message),
            Some(disrupted) => (disrupted.reason.clone().or(Some("DisruptionTarget".to_owned())), &disrupted.message),
            None => return,
        };
        self.reason = reason;
        self.is_of_pod = message.is_some();
        self.message = message.clone().or(self.message.take());
    }
}

/// Returns the termination message of a container; of the first container if `container` is `None`.
///
/// # Errors
/// The limit in bytes at which the node cut the message: 4,096 per container, and 12 KiB shared by all of a Pod.
pub(crate) fn termination_message<'a>(pod: &'a PodRecord, container: Option<&str>) -> Option<Result<&'a str, usize>> {
    let PodRecordStatus { container_statuses, init_container_statuses, .. } = &pod.status;
    let number = container_statuses.len() + init_container_statuses.len();
    let container = container_statuses.iter().find(|status| container.is_none_or(|name| status.name == name))?;
    let message = terminated(container)?.message.as_deref()?;
    let limit = (12 * 1024 / number).min(4096);
    // The cut may have removed up to three bytes of a broken character.
    Some(if message.len() + 3 < limit { Ok(message) } else { Err(limit) })
}

/// Returns the completion index of a Pod from its label, or from the annotation: servers before 1.28 set no label.
fn index_of(metadata: &ObjectMeta) -> Option<u32> {
    let label = metadata.labels.as_ref().and_then(|labels| labels.get(label::INDEX));
    let annotation = || metadata.annotations.as_ref().and_then(|annotations| annotations.get(annotation::INDEX));
    label.or_else(annotation)?.parse().ok()
}

/// Returns the signal of an exit code: shells and container runtimes return 128 + its number.
pub(crate) fn signal(exit_code: i32) -> Option<&'static str> {
    const FIRST: [&str; 15] = [
        "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1",
        "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM",
    ];
    Some(match exit_code.checked_sub(128)? {
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        31 => "SIGSYS",
        number => FIRST.get(usize::try_from(number).ok()?.checked_sub(1)?)?,
    })
}

/// Returns the number of earlier failures of the Pod's index. The annotations outlive the failed Pods.
fn earlier_failures(metadata: &ObjectMeta) -> u32 {
    let noted = |key: &str| metadata.annotations.as_ref()?.get(key)?.parse::<u32>().ok();
    annotation::FAILURES.iter().filter_map(|key| noted(key)).fold(0, u32::saturating_add)
}

/// Returns the time since which the node of a running Pod does not respond.
///
/// The node lifecycle controller then sets the Pod to not ready, and keeps the kubelet's last condition of the
/// containers. The kubelet itself writes this combination only for readiness gates.
fn lost_since(pod: &PodRecord) -> Option<Timestamp> {
    let condition = |name: &str| pod.status.conditions.iter().find(|condition| condition.type_ == name);
    let ready = condition("Ready").filter(|ready| ready.status == "False")?;
    let is_lost = condition("ContainersReady").is_some_and(|containers| containers.status == "True")
        && ready.reason.as_deref() != Some("ReadinessGatesNotReady");
    ready.last_transition_time.as_ref().map(|time| time.0).filter(|_| is_lost)
}

fn terminated(container: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    container.state.as_ref()?.terminated.as_ref()
}

fn started_at(container: &ContainerStatus) -> Option<Timestamp> {
    let ContainerState { running, terminated, .. } = container.state.as_ref()?;
    let running = running.as_ref().and_then(|running| running.started_at.as_ref());
    let terminated = terminated.as_ref().and_then(|terminated| terminated.started_at.as_ref());
    // The start of a container that never started is reported as 1970.
    running.or(terminated).map(|time| time.0).filter(|time| time.as_second() > 0)
}

fn containers(pod: &PodRecord) -> Vec<Container> {
    let never_again = pod.spec.restart_policy.as_deref() == Some("Never");
    let container = |status: &ContainerStatus, is_init: bool| {
        let had_ended = status.last_state.as_ref().is_some_and(|state| state.terminated.is_some());
        Container {
            name: status.name.clone(),
            is_init,
            has_started: started_at(status).is_some() || status.restart_count > 0 || had_ended,
            // A failed container restarts unless the policy is Never. A succeeded init container does not restart. A
            // sidecar restarts as long as the Pod runs.
            log_ended: !pod.spec.is_sidecar(status)
                && terminated(status).is_some_and(|end| never_again || is_init && end.exit_code == 0),
            restarts: status.restart_count,
        }
    };
    let init = pod.status.init_container_statuses.iter().map(|status| container(status, true));
    init.chain(pod.status.container_statuses.iter().map(|status| container(status, false))).collect()
}

fn all_ended(containers: &[ContainerStatus]) -> bool {
    !containers.is_empty() && containers.iter().all(|container| terminated(container).is_some())
}

type Reason = (Option<String>, Option<String>);

fn waiting(container: &ContainerStatus) -> Option<(&ContainerStatus, Reason)> {
    let waiting = container.state.as_ref()?.waiting.as_ref()?;
    Some((container, (waiting.reason.clone(), waiting.message.clone())))
}

#[cfg(test)]
mod tests;
