//! Selects the logs of an index that are read.

use std::sync::Arc;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Container as ContainerSpec;

use super::lanes::LaneKey;
use crate::args::AttemptChoice;
use crate::cluster::logs::LogSource;
use crate::contract;
use crate::error::Error;
use crate::state::JobState;
use crate::state::attempt::Attempt;

/// The containers and attempts whose logs are read.
#[derive(Clone, Debug)]
pub(crate) struct Pick {
    containers: Containers,
    attempts: AttemptChoice,
    /// Read the log from before the last restart of each container.
    previous: bool,
    /// All containers in the order of the Job's template, init containers first.
    names: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Containers {
    One(String),
    /// The worker, or the init container that failed before it.
    Worker(String),
    Init,
    All,
}

/// A log that can be read.
#[derive(Clone, Debug)]
pub(crate) struct Picked<'a> {
    pub(crate) key: LaneKey,
    pub(crate) source: Arc<LogSource>,
    pub(crate) attempt: &'a Attempt,
    /// Whether the container has ended, so that the log is complete.
    pub(crate) ended: bool,
}

impl Pick {
    /// Returns the choice of the worker's container, in every attempt.
    pub(crate) fn worker(job: &Job) -> Self {
        let containers = Containers::One(contract::worker_name(job).unwrap_or_default().to_owned());
        Self { containers, attempts: AttemptChoice::All, previous: false, names: Vec::new() }
    }

    pub(crate) fn new(
        job: &Job,
        attempts: AttemptChoice,
        previous: bool,
        container: Option<String>,
        (all, init): (bool, bool),
    ) -> Result<Self, Error> {
        let pod = job.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
        let names = |list: Option<&Vec<ContainerSpec>>| -> Vec<String> {
            list.into_iter().flatten().map(|container| container.name.clone()).collect()
        };
        let inits = names(pod.and_then(|pod| pod.init_containers.as_ref()));
        let workers = names(pod.map(|pod| &pod.containers));
        let all_names = [&inits[..], &workers].concat();
        let containers = match container {
            Some(name) if inits.contains(&name) || workers.contains(&name) => Containers::One(name),
            Some(name) => {
                return Err(Error::usage(format!("the pods of the job have no container {name:?}"))
                    .hint(format!("their containers are {}", all_names.join(", "))));
            }
            None if all => Containers::All,
            None if init && inits.is_empty() => {
                return Err(Error::usage("the pods of the job have no init container")
                    .hint(format!("their containers are {}", workers.join(", "))));
            }
            None if init => Containers::Init,
            None => Containers::Worker(contract::worker_name(job).unwrap_or_default().to_owned()),
        };
        Ok(Self { containers, attempts, previous, names: all_names })
    }

    /// Whether an index may have logs of several containers.
    pub(crate) fn has_several_containers(&self, job: &Job) -> bool {
        let pod = job.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
        let inits = pod.and_then(|pod| pod.init_containers.as_ref()).map_or(0, Vec::len);
        match self.containers {
            Containers::One(_) | Containers::Worker(_) => false,
            Containers::Init => inits > 1,
            Containers::All => inits + pod.map_or(0, |pod| pod.containers.len()) > 1,
        }
    }

    /// The container whose name is left out of the prefix of a line.
    pub(crate) fn named_container(&self) -> Option<&str> {
        match &self.containers {
            Containers::One(name) | Containers::Worker(name) => Some(name),
            Containers::Init | Containers::All => None,
        }
    }

    /// Returns the logs of an index that have begun, by attempt, then by container.
    pub(crate) fn of<'a>(&self, index: u32, state: &'a JobState) -> Vec<Picked<'a>> {
        let attempts: Vec<_> = state.numbered_attempts_of(index).collect();
        let last = attempts.last().map(|(number, _)| *number);
        let chosen = attempts.into_iter().filter(|(number, _)| match self.attempts {
            AttemptChoice::All => true,
            AttemptChoice::Last => Some(*number) == last,
            AttemptChoice::Number(wanted) => *number == wanted,
        });
        chosen.flat_map(|(number, attempt)| self.of_attempt(number, attempt)).collect()
    }

    pub(crate) fn is_previous(&self) -> bool {
        self.previous
    }

    pub(crate) fn takes_attempt(&self, number: u32) -> bool {
        !matches!(self.attempts, AttemptChoice::Number(wanted) if wanted != number)
    }

    fn of_attempt<'a>(&self, number: u32, attempt: &'a Attempt) -> Vec<Picked<'a>> {
        let picked = |container: usize, name: &str, ended: bool| Picked {
            key: LaneKey { index: attempt.index, attempt: number, container },
            source: Arc::new(LogSource {
                index: attempt.index,
                attempt: number,
                pod: attempt.pod.clone(),
                container: name.to_owned(),
            }),
            attempt,
            ended,
        };
        if attempt.containers.is_empty() {
            // The status has no containers, as on simulated nodes.
            return match &self.containers {
                Containers::One(name) | Containers::Worker(name) if attempt.has_started() => {
                    vec![picked(0, name, attempt.log_ended)]
                }
                _ => Vec::new(),
            };
        }
        // A Pod's status lists containers by name.
        let mut all: Vec<_> = attempt.containers.iter().collect();
        all.sort_by_key(|container| {
            let place = self.names.iter().position(|name| *name == container.name);
            (!container.is_init, place.unwrap_or(self.names.len()))
        });
        let started = all.into_iter().enumerate().filter(|(_, container)| {
            let wanted = match &self.containers {
                Containers::One(name) => container.name == *name,
                Containers::Worker(name) => container.name == *name || attempt.failed_init() == Some(container),
                Containers::Init => container.is_init,
                Containers::All => true,
            };
            wanted && container.has_started && (!self.previous || container.restarts > 0)
        });
        started.map(|(place, container)| picked(place, &container.name, container.log_ended)).collect()
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::serde_json::json;

    use super::*;
    use crate::state::Event;

    /// A Job whose index 3 failed once, and is being tried again.
    fn state() -> JobState {
        let pod = |name: &str, failures: &str, worker: serde_json::Value| {
            Event::Pod(Box::new(
                serde_json::from_value(json!({
                    "metadata": {
                        "name": name, "uid": name, "creationTimestamp": format!("2026-01-01T00:00:0{failures}Z"),
                        "labels": {"batch.kubernetes.io/job-completion-index": "3"},
                        "annotations": {"batch.kubernetes.io/job-index-failure-count": failures},
                    },
                    "spec": {"restartPolicy": "Never"},
                    "status": {
                        "phase": "Running",
                        "initContainerStatuses": [{
                            "name": "input", "restartCount": 0,
                            "state": {"terminated": {"exitCode": 0, "startedAt": "2026-01-01T00:00:00Z"}},
                        }],
                        "containerStatuses": [
                            {"name": "late", "restartCount": 0, "state": {"waiting": {"reason": "x"}}},
                            {"name": "sidecar", "restartCount": 1, "state": {"waiting": {"reason": "x"}}},
                            {"name": "worker", "restartCount": 2, "state": worker},
                        ],
                    },
                }))
                .unwrap(),
            ))
        };
        let mut state = JobState::new(Job::default());
        state.apply(pod("b", "1", json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}})));
        state.apply(pod("a", "0", json!({"terminated": {"exitCode": 3, "startedAt": "2026-01-01T00:00:00Z"}})));
        state
    }

    fn picked_names(containers: Containers, attempts: AttemptChoice, previous: bool) -> Vec<String> {
        let names = ["input", "worker", "sidecar"].map(str::to_owned).into();
        let pick = Pick { containers, attempts, previous, names };
        let describe = |picked: Picked<'_>| {
            let ended = if picked.ended { "ended" } else { "goes on" };
            format!("{} {} {} {ended}", picked.source.attempt, picked.source.pod, picked.source.container)
        };
        pick.of(3, &state()).into_iter().map(describe).collect()
    }

    #[test]
    fn logs_are_selected_by_attempt_and_container() {
        let worker = || Containers::One("worker".to_owned());
        assert_eq!(picked_names(worker(), AttemptChoice::All, false), ["1 a worker ended", "2 b worker goes on"]);
        assert_eq!(picked_names(worker(), AttemptChoice::Last, false), ["2 b worker goes on"]);
        assert_eq!(picked_names(worker(), AttemptChoice::Number(1), false), ["1 a worker ended"]);
        assert!(picked_names(worker(), AttemptChoice::Number(3), false).is_empty());
        assert_eq!(picked_names(Containers::Init, AttemptChoice::Last, false), ["2 b input ended"]);
        assert_eq!(
            picked_names(Containers::All, AttemptChoice::Last, false),
            ["2 b input ended", "2 b worker goes on", "2 b sidecar goes on"],
            "in the order of the template; one that has not started has no log"
        );
        let previous = picked_names(Containers::All, AttemptChoice::Last, true);
        assert_eq!(previous, ["2 b worker goes on", "2 b sidecar goes on"]);
    }
}
