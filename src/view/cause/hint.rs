//! The cure of a cause, chosen by the words of Kubernetes and container runtimes. If these change, only a hint is lost.

use std::collections::BTreeSet;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Container, PodSpec};

use super::{Subject, Wording};
use crate::state::attempt::Attempt;

pub(super) fn pod(job: &Job) -> Option<&PodSpec> {
    job.spec.as_ref()?.template.spec.as_ref()
}

fn containers(job: &Job) -> impl Iterator<Item = &Container> {
    pod(job).into_iter().flat_map(|pod| pod.init_containers.iter().flatten().chain(&pod.containers))
}

/// Returns the persistent volume claims that the Pods mount.
pub(super) fn claims(job: &Job) -> Vec<&str> {
    let volumes = pod(job).into_iter().flat_map(|pod| pod.volumes.iter().flatten());
    volumes.filter_map(|volume| Some(volume.persistent_volume_claim.as_ref()?.claim_name.as_str())).collect()
}

/// Returns the hint for a Job that ended before all of its indexes.
pub(super) fn of_job_end(reason: &str) -> Option<String> {
    Some(match reason {
        "DeadlineExceeded" => {
            "activeDeadlineSeconds of the Job (--timeout) limits the time of all indexes together".to_owned()
        }
        "MaxFailedIndexesExceeded" => {
            "maxFailedIndexes of the Job (--max-failed, --fail-fast) limits the number of failed indexes".to_owned()
        }
        "BackoffLimitExceeded" => "backoffLimit of the Job limits the number of failed Pods".to_owned(),
        _ => return None,
    })
}

/// Returns the hint for Pods that the server refuses.
pub(super) fn of_refusal(message: &str, subject: Subject<'_>) -> Vec<String> {
    let flags = subject.wording.flags;
    let hint = if message.contains("exceeded quota") {
        format!("kubectl describe quota{flags} shows the quota; Pods start as soon as others free it")
    } else if message.contains("failed quota") {
        let cpu = if message.contains("limits.cpu") { "--cpu REQUEST:LIMIT" } else { "--cpu REQUEST" };
        let flags = [("cpu", cpu), ("memory", "--memory QUANTITY")];
        let flags: Vec<_> = flags.iter().filter(|(name, _)| message.contains(name)).map(|(_, flag)| *flag).collect();
        format!(
            "the quota requires it for every container: run again with {}, or set it in the --template",
            flags.join(" ")
        )
    } else if message.contains("serviceaccount \"") {
        let account = pod(subject.job).and_then(|pod| pod.service_account_name.as_deref()).unwrap_or("default");
        format!(
            "kubectl create serviceaccount {account}{flags} lets the Pods start; kubectl get serviceaccounts{flags} lists the existing ones"
        )
    } else if message.contains("violates PodSecurity") {
        "the namespace requires this securityContext of its Pods: set it in a --template".to_owned()
    } else if message.contains("admission webhook") || message.contains("ValidatingAdmissionPolicy") {
        "a policy of the cluster rejects the Pods: change the named field, or ask the administrator of the cluster"
            .to_owned()
    } else if message.contains("no PriorityClass") {
        format!("kubectl get priorityclasses{flags} lists the existing ones")
    } else if message.contains("LimitRange") || message.contains("usage per") {
        let ours = ["cpu", "memory"].iter().filter(|name| message.contains(&format!("{name} usage per")));
        let ours = ours.map(|name| format!("; --{name} sets the request")).collect::<Vec<_>>().concat();
        format!("kubectl describe limitranges{flags} shows how much a Pod may request{ours}")
    } else {
        return Vec::new();
    };
    vec![hint]
}

/// Returns the hints for a Pod that exists and does not start.
pub(super) fn of_waiting(reason: &str, message: &str, attempt: &Attempt, subject: Subject<'_>) -> Vec<String> {
    let flags = subject.wording.flags;
    let one = |hint: &str| vec![hint.to_owned()];
    match reason {
        "Unschedulable" => of_scheduling(message, &attempt.pod, subject),
        "SchedulingGated" => {
            let domain = attempt.gates.first().and_then(|gate| gate.split_once('/'));
            let owner = domain.map_or_else(String::new, |(domain, _)| format!(" of {domain}"));
            vec![format!("check that the controller{owner} runs in the cluster: it must remove the gate")]
        }
        "ImagePullBackOff" => vec![of_pull(message)],
        "ErrImageNeverPull" => one("the image is not on the node, and --image-pull-policy Never forbids pulling it"),
        "InvalidImageName" => one("write the image in the form docker.io/library/busybox:1.37"),
        "CrashLoopBackOff" => {
            vec![format!("{} prints the output of the previous container", subject.command("logs", " --previous"))]
        }
        _ if names_object(message) && (message.contains("not found") || message.contains("couldn't find key")) => {
            vec![format!(
                "the Pod starts once the object exists; kubectl get configmaps,secrets{flags} lists the existing ones"
            )]
        }
        _ if message.contains("runAsNonRoot") => one("the image runs as root: set another user in a --template"),
        _ => vec![format!("kubectl describe pod {}{flags} shows its events", attempt.pod)],
    }
}

fn names_object(message: &str) -> bool {
    ["configmap \"", "secret \"", "configmaps \"", "secrets \"", "ConfigMap ", "Secret "]
        .iter()
        .any(|kind| message.contains(kind))
}

fn of_scheduling(message: &str, pod_name: &str, subject: Subject<'_>) -> Vec<String> {
    let Subject { job, wording: Wording { flags, .. } } = subject;
    let message = message.split_once(". ").map_or(message, |(first, _)| first);
    let mut hints = Vec::new();
    for lacking in message.split("Insufficient ").skip(1) {
        let resource = lacking.split([',', ' ']).next().unwrap_or_default().trim_end_matches('.');
        hints.push(of_lack(resource, subject));
    }
    if message.contains("node affinity/selector") {
        let wanted: Vec<_> = pod(job)
            .and_then(|pod| pod.node_selector.as_ref())
            .into_iter()
            .flatten()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        hints.push(if wanted.is_empty() {
            format!("kubectl get nodes --show-labels{flags} lists the labels for the node affinity of the Job")
        } else {
            format!(
                "the Pods need a node with the label {}; kubectl get nodes --show-labels{flags} lists the labels",
                wanted.join(",")
            )
        });
    }
    if message.contains("persistentvolumeclaim") || message.contains("PersistentVolumeClaim") {
        let claims = claims(job).join(" ");
        hints
            .push(format!("kubectl describe persistentvolumeclaims {claims}{flags} shows why the volume is not bound"));
    }
    if message.contains("Too many pods") {
        hints.push("the nodes are full: Pods start when other Pods end".to_owned());
    }
    // Some nodes are always tainted, which matters only without another cause.
    if hints.is_empty() && message.contains("taint") {
        hints.push(format!(
            "kubectl describe nodes{flags} shows the taints; --toleration KEY=VALUE:EFFECT lets the Pods run there"
        ));
    }
    if hints.is_empty() {
        hints.push(format!(
            "kubectl describe pod {pod_name}{flags} shows its events; kubectl get nodes{flags} lists the nodes"
        ));
    }
    hints
}

fn of_lack(resource: &str, subject: Subject<'_>) -> String {
    let Subject { job, wording: Wording { flags, .. } } = subject;
    let amounts: BTreeSet<_> = containers(job).filter_map(|container| requested(container, resource)).collect();
    let amounts = amounts.into_iter().collect::<Vec<_>>().join(" and ");
    let flag = match resource {
        "cpu" => " (--cpu)",
        "memory" => " (--memory)",
        _ if resource.contains("gpu") => " (--gpu)",
        _ => "",
    };
    let amounts = if amounts.is_empty() { String::new() } else { format!(" {amounts}") };
    if resource.contains("gpu") {
        return format!(
            "each Pod requests {resource}{amounts}{flag}; kubectl describe nodes{flags} shows how many each node has"
        );
    }
    format!("each Pod requests {resource}{amounts}: request less{flag}, or wait until a node has it free")
}

/// Returns the amount that a container requests. A limit alone is a request, too.
fn requested<'a>(container: &'a Container, resource: &str) -> Option<&'a str> {
    let resources = container.resources.as_ref()?;
    let mut amounts = [&resources.requests, &resources.limits].into_iter().flatten();
    amounts.find_map(|amounts| amounts.get(resource)).map(|amount| amount.0.as_str())
}

fn of_pull(message: &str) -> String {
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if has(&["authoriz", "unauthorized", "denied", "401", "403"]) {
        "check that the image exists; --image-pull-secret NAME gives the nodes credentials for it".to_owned()
    } else if has(&["toomanyrequests", "429"]) {
        "the registry limits requests: the pull is retried later, or sooner with --image-pull-secret NAME".to_owned()
    } else if has(&["not found", "NotFound", "manifest unknown"]) {
        "the image or its tag does not exist: check --image".to_owned()
    } else if has(&["dial tcp", "no such host", "timeout", "connection refused", "x509", "tls:"]) {
        "the nodes can't reach the registry: check its name in --image".to_owned()
    } else {
        "check --image, and --image-pull-secret if the registry requires credentials".to_owned()
    }
}

/// Returns the hint for a node that ran out of memory or disk.
pub(super) fn of_shortage(message: &str, flags: &str) -> String {
    if message.contains("resource: memory") {
        "request enough memory (--memory), so that the node reserves it".to_owned()
    } else if message.contains("ephemeral") || message.contains("fs") {
        "write less to the disk of the node, or write to a volume".to_owned()
    } else {
        format!("kubectl describe nodes{flags} shows the state of the nodes")
    }
}

/// Returns the hints for an attempt that failed.
pub(super) fn of_end(attempt: &Attempt, subject: Subject<'_>) -> Vec<String> {
    let missing = missing_command(attempt);
    let hint = match (attempt.reason.as_deref(), attempt.exit_code) {
        (Some("OOMKilled"), _) => of_lack_of_memory(attempt, subject),
        (Some("DeadlineExceeded"), _) => {
            "activeDeadlineSeconds of the Pod (--index-timeout) limits the time of one attempt".to_owned()
        }
        (Some("Evicted"), _) => of_shortage(attempt.message.as_deref().unwrap_or_default(), subject.wording.flags),
        (_, code) if missing.is_some() || code == Some(127) => {
            let command = missing.map_or_else(String::new, |command| format!(" {command:?}"));
            let image = container_of(attempt, subject.job).and_then(|container| container.image.as_deref());
            let image = image.map_or_else(String::new, |image| format!(" {image}"));
            let retry = subject.command("retry", "");
            format!(
                "the image{image} lacks the command{command}: {retry} --image IMAGE changes the image, {retry} -- CMD the command"
            )
        }
        _ => match attempt.failed_init() {
            Some(init) => {
                let logs = subject.command("logs", " --index failed");
                format!("{logs} prints the log of init container {}", init.name)
            }
            None => return Vec::new(),
        },
    };
    vec![hint]
}

/// Returns the container of the Job's template that explains an attempt.
fn container_of<'a>(attempt: &Attempt, job: &'a Job) -> Option<&'a Container> {
    containers(job).find(|container| attempt.container.as_ref() == Some(&container.name))
}

/// Returns the memory limit of an attempt: that of the Pod, which a `LimitRange` may have set, else that of the template.
pub(super) fn memory_limit<'a>(attempt: &'a Attempt, job: &'a Job) -> Option<&'a str> {
    let of_template = || container_of(attempt, job)?.resources.as_ref()?.limits.as_ref()?.get("memory");
    attempt.memory_limit.as_deref().or_else(|| of_template().map(|limit| limit.0.as_str()))
}

fn of_lack_of_memory(attempt: &Attempt, subject: Subject<'_>) -> String {
    if attempt.is_other_container {
        let container = attempt.container.as_deref().unwrap_or_default();
        return format!("set a higher memory limit for container {container} in a --template");
    }
    let requests = container_of(attempt, subject.job).is_some_and(|container| requested(container, "memory").is_some());
    // A limit set by a LimitRange is no part of the Job, so `retry` can't multiply it.
    let more = match attempt.memory_limit.as_deref().and_then(doubled) {
        _ if requests => "x2".to_owned(),
        Some(doubled) => doubled,
        None => "SIZE".to_owned(),
    };
    let retry = subject.command("retry", &format!(" --reason OOMKilled --memory {more}"));
    format!("{retry} retries with more memory")
}

/// Returns twice a quantity; None unless it is a whole number with a unit.
fn doubled(quantity: &str) -> Option<String> {
    let digits = quantity.find(|c: char| !c.is_ascii_digit()).unwrap_or(quantity.len());
    let number: u64 = quantity[..digits].parse().ok()?;
    let unit = &quantity[digits..];
    (!unit.contains(['.', 'e'])).then(|| format!("{}{unit}", number.saturating_mul(2)))
}

/// Returns the command that the image lacks, as named by the container runtime or a shell.
fn missing_command(attempt: &Attempt) -> Option<&str> {
    let message = attempt.message.as_deref()?;
    if matches!(attempt.reason.as_deref(), Some("StartError" | "ContainerCannotRun")) {
        let (name, why) = message.split_once("exec: \"")?.1.split_once("\": ")?;
        return (why.contains("not found") || why.contains("no such file")).then_some(name);
    }
    if attempt.exit_code != Some(127) {
        return None;
    }
    let line = message.trim_end().lines().next_back()?;
    let line = line.strip_suffix(": command not found").or(line.strip_suffix(": not found"))?;
    line.rsplit_once(": ").map(|(_, name)| name)
}

/// Returns why a pull failed, without the layers that passed the error on.
pub(super) fn shortened_pull(message: &str) -> String {
    let quoted = |text: &str| {
        text.split_once("image \"").and_then(|(_, rest)| rest.split_once('"').map(|(name, _)| name.to_owned()))
    };
    let image = quoted(message).map_or_else(|| "the image".to_owned(), |name| format!("image {name}"));
    let resolved = message.split_once("failed to resolve reference \"").and_then(|(_, rest)| rest.split_once("\": "));
    let described = message.rsplit_once("desc = ").or(message.split_once("ErrImagePull: "));
    let waits = message.starts_with("Back-off pulling image") || message.is_empty();
    match resolved.or(described) {
        Some((_, why)) => format!("{image} can't be pulled: {}", why.trim()),
        None if waits => format!("{image} can't be pulled"),
        None => format!("{image} can't be pulled: {}", message.trim()),
    }
}

/// Returns why a container did not start, without the layers that passed the error on; any other message unchanged.
pub(super) fn shortened_start(attempt: &Attempt) -> String {
    if let Some(command) = missing_command(attempt) {
        return format!("the image has no command {command:?}");
    }
    let message = attempt.message.as_deref().unwrap_or_default();
    let after = |start: &str| message.rfind(start).map(|at| &message[at + start.len()..]);
    let inner = message.rfind("exec: ").map(|at| &message[at..]);
    let inner = inner.or(after("container init: ")).or(after("unable to start container process: "));
    inner.unwrap_or(message).trim_end_matches(": unknown").trim().to_owned()
}
