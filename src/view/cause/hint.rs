//! What to do about a cause, by the words of Kubernetes and container runtimes. Where those change, only a hint is lost.

use std::collections::BTreeSet;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Container, PodSpec};

use crate::state::attempt::Attempt;

fn pod(job: &Job) -> Option<&PodSpec> {
    job.spec.as_ref()?.template.spec.as_ref()
}

fn containers(job: &Job) -> impl Iterator<Item = &Container> {
    pod(job).into_iter().flat_map(|pod| pod.init_containers.iter().flatten().chain(&pod.containers))
}

pub(super) fn of_queue(queue: &str, uid: &str) -> Vec<String> {
    vec![
        format!("kubectl describe workloads -l kueue.x-k8s.io/job-uid={uid} shows what Kueue waits for"),
        format!("kubectl get localqueues shows whether there is a queue {queue}, and how many wait in it"),
    ]
}

pub(super) fn of_suspended(name: &str) -> String {
    format!("kubectl indexed resume {name} lets it run")
}

pub(super) fn of_submitting(name: &str) -> Vec<String> {
    vec![
        format!("the command that made it, typed again with the name {name}, takes it up"),
        format!("kubectl indexed delete {name} removes it"),
    ]
}

/// A Job that ended before all of its indexes did.
pub(super) fn of_ending(reason: &str) -> Option<String> {
    Some(match reason {
        "DeadlineExceeded" => {
            "activeDeadlineSeconds of the Job (--timeout) is the time that all indexes together may take".to_owned()
        }
        "MaxFailedIndexesExceeded" => {
            "maxFailedIndexes of the Job (--max-failed, --fail-fast) is how many may fail until it gives up".to_owned()
        }
        "BackoffLimitExceeded" => "backoffLimit of the Job is how many Pods may fail until it gives up".to_owned(),
        _ => return None,
    })
}

/// Pods that the server does not take.
pub(super) fn of_refusal(message: &str, job: &Job) -> Vec<String> {
    let hint = if message.contains("exceeded quota") {
        "it goes on as soon as others have ended; kubectl describe quota shows what is used, and -j runs fewer at once"
            .to_owned()
    } else if message.contains("failed quota") {
        let cpu = if message.contains("limits.cpu") { "--cpu REQUEST:LIMIT" } else { "--cpu REQUEST" };
        let flags = [("cpu", cpu), ("memory", "--memory QUANTITY")];
        let flags: Vec<_> = flags.iter().filter(|(name, _)| message.contains(name)).map(|(_, flag)| *flag).collect();
        format!("the quota wants it of every container: run with {}, or set it in the template", flags.join(" "))
    } else if message.contains("serviceaccount \"") {
        let account = pod(job).and_then(|pod| pod.service_account_name.as_deref()).unwrap_or("default");
        format!(
            "it goes on by itself after kubectl create serviceaccount {account}; kubectl get serviceaccounts shows which there are"
        )
    } else if message.contains("violates PodSecurity") {
        "the namespace allows only Pods with the securityContext that it names: give it with --template".to_owned()
    } else if message.contains("admission webhook") || message.contains("ValidatingAdmissionPolicy") {
        "a policy of the cluster refuses the Pods: change what it names, or ask who runs the cluster".to_owned()
    } else if message.contains("no PriorityClass") {
        "kubectl get priorityclasses shows which there are".to_owned()
    } else if message.contains("LimitRange") || message.contains("usage per") {
        "kubectl describe limitranges shows how much a Pod may ask for".to_owned()
    } else {
        return Vec::new();
    };
    vec![hint]
}

/// A Pod that is there and does not start.
pub(super) fn of_waiting(reason: &str, message: &str, pod_name: &str, job: &Job) -> Vec<String> {
    let one = |hint: &str| vec![hint.to_owned()];
    match reason {
        "Unschedulable" => of_scheduling(message, pod_name, job),
        "SchedulingGated" => one("it waits until whoever put its scheduling gates takes them away"),
        "not scheduled" => {
            let scheduler = pod(job).and_then(|pod| pod.scheduler_name.as_deref()).unwrap_or("default-scheduler");
            vec![format!("is the scheduler {scheduler} running in the cluster?")]
        }
        "ImagePullBackOff" => vec![of_pull(message)],
        "ErrImageNeverPull" => one("the image is not on the node, and --image-pull-policy Never forbids pulling it"),
        "InvalidImageName" => one("give the image as in docker.io/library/busybox:1.37"),
        "CrashLoopBackOff" => one("kubectl indexed logs prints what it wrote before it ended"),
        _ if names_object(message) && (message.contains("not found") || message.contains("couldn't find key")) => {
            one("it goes on by itself once that is there; kubectl get configmaps,secrets shows which there are")
        }
        _ if message.contains("runAsNonRoot") => one("the image runs as root: give another user with --template"),
        _ => vec![format!("kubectl describe pod {pod_name} shows all that is known")],
    }
}

fn names_object(message: &str) -> bool {
    ["configmap \"", "secret \"", "configmaps \"", "secrets \"", "ConfigMap ", "Secret "]
        .iter()
        .any(|kind| message.contains(kind))
}

fn of_scheduling(message: &str, pod_name: &str, job: &Job) -> Vec<String> {
    let message = message.split_once(". ").map_or(message, |(first, _)| first);
    let mut hints = Vec::new();
    for lacking in message.split("Insufficient ").skip(1) {
        let resource = lacking.split([',', ' ']).next().unwrap_or_default().trim_end_matches('.');
        hints.push(of_lack(resource, job));
    }
    if message.contains("node affinity/selector") {
        let wanted: Vec<_> = pod(job)
            .and_then(|pod| pod.node_selector.as_ref())
            .into_iter()
            .flatten()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        hints.push(if wanted.is_empty() {
            "kubectl get nodes --show-labels shows what the Job's node affinity could match".to_owned()
        } else {
            format!("a node must have the label {}: kubectl get nodes --show-labels", wanted.join(","))
        });
    }
    if message.contains("persistentvolumeclaim") || message.contains("PersistentVolumeClaim") {
        hints.push("kubectl get persistentvolumeclaims shows whether the volume is there and bound".to_owned());
    }
    if message.contains("Too many pods") {
        hints.push("the nodes are full: it goes on when other Pods have ended".to_owned());
    }
    // Some nodes are always tainted; that matters where nothing else does.
    if hints.is_empty() && message.contains("taint") {
        hints.push(
            "kubectl describe nodes shows the taints; --toleration KEY=VALUE:EFFECT lets the Pods go there".to_owned(),
        );
    }
    if hints.is_empty() {
        hints.push(format!("kubectl describe pod {pod_name} shows all that is known; kubectl get nodes the nodes"));
    }
    hints
}

fn of_lack(resource: &str, job: &Job) -> String {
    let asked: BTreeSet<_> = containers(job)
        .filter_map(|container| container.resources.as_ref()?.requests.as_ref()?.get(resource))
        .map(|quantity| quantity.0.as_str())
        .collect();
    let asked = asked.into_iter().collect::<Vec<_>>().join(" and ");
    let flag = match resource {
        "cpu" => " (--cpu)",
        "memory" => " (--memory)",
        _ if resource.contains("gpu") => " (--gpu)",
        _ => "",
    };
    let asks = if asked.is_empty() { String::new() } else { format!(" {asked}") };
    format!("each Pod asks for {resource}{asks}: ask for less{flag}, or wait for a node that has it free")
}

fn of_pull(message: &str) -> String {
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if has(&["authoriz", "unauthorized", "denied", "401", "403"]) {
        "does the image exist, and may the nodes pull it? --image-pull-secret NAME gives them credentials".to_owned()
    } else if has(&["toomanyrequests", "429"]) {
        "the registry limits how often it is asked: it goes on by itself, or sooner with --image-pull-secret".to_owned()
    } else if has(&["not found", "NotFound", "manifest unknown"]) {
        "there is no such image, or no such tag: check --image".to_owned()
    } else if has(&["dial tcp", "no such host", "timeout", "connection refused", "x509", "tls:"]) {
        "the nodes can't reach the registry: is its name right?".to_owned()
    } else {
        "check --image, and --image-pull-secret if the registry wants credentials".to_owned()
    }
}

pub(super) fn of_end(attempt: &Attempt, job: &Job) -> Vec<String> {
    let message = attempt.message.as_deref().unwrap_or_default();
    let hint = match (attempt.reason.as_deref(), attempt.exit_code) {
        (Some("OOMKilled"), _) => {
            let limits: BTreeSet<_> = containers(job)
                .filter(|container| attempt.container.as_ref() == Some(&container.name))
                .filter_map(|container| container.resources.as_ref()?.limits.as_ref()?.get("memory"))
                .map(|quantity| quantity.0.as_str())
                .collect();
            let limit = limits.into_iter().next().map_or_else(String::new, |limit| format!(" than {limit}"));
            format!("it needs more memory{limit}: --memory gives each index more")
        }
        (Some("DeadlineExceeded"), _) => {
            "activeDeadlineSeconds of the Pod is the time that an index may take".to_owned()
        }
        (Some("Evicted"), _) => "the node ran short of something: --memory and the like reserve it".to_owned(),
        (Some("StartError" | "ContainerCannotRun"), _) | (_, Some(126 | 127))
            if message.contains("not found") || message.contains("no such file") || attempt.exit_code == Some(127) =>
        {
            "the image has no such command: check the command and --image".to_owned()
        }
        _ => return Vec::new(),
    };
    vec![hint]
}

/// What a pull failed of, without how that got here.
pub(super) fn telling_of_pull(message: &str) -> String {
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

/// Why a container could not be started, without the layers that it went through.
pub(super) fn telling_of_start(message: &str) -> String {
    let inner = message.rfind("exec: ").map_or(message, |at| &message[at..]);
    inner.trim_end_matches(": unknown").trim().to_owned()
}
