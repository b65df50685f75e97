//! What to do about a cause, by the words of Kubernetes and container runtimes. Where those change, only a hint is lost.

use std::collections::BTreeSet;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Container, PodSpec};

use super::Target;
use crate::state::attempt::Attempt;

pub(super) fn pod(job: &Job) -> Option<&PodSpec> {
    job.spec.as_ref()?.template.spec.as_ref()
}

fn containers(job: &Job) -> impl Iterator<Item = &Container> {
    pod(job).into_iter().flat_map(|pod| pod.init_containers.iter().flatten().chain(&pod.containers))
}

/// The claims of volumes that the Pods mount.
pub(super) fn claims(job: &Job) -> Vec<&str> {
    let volumes = pod(job).into_iter().flat_map(|pod| pod.volumes.iter().flatten());
    volumes.filter_map(|volume| Some(volume.persistent_volume_claim.as_ref()?.claim_name.as_str())).collect()
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
pub(super) fn of_refusal(message: &str, target: Target<'_>) -> Vec<String> {
    let flags = target.flags;
    let hint = if message.contains("exceeded quota") {
        format!(
            "it goes on as soon as others have ended; kubectl describe quota{flags} shows what is used, and -j runs fewer at once"
        )
    } else if message.contains("failed quota") {
        let cpu = if message.contains("limits.cpu") { "--cpu REQUEST:LIMIT" } else { "--cpu REQUEST" };
        let flags = [("cpu", cpu), ("memory", "--memory QUANTITY")];
        let flags: Vec<_> = flags.iter().filter(|(name, _)| message.contains(name)).map(|(_, flag)| *flag).collect();
        format!("the quota wants it of every container: run with {}, or set it in the template", flags.join(" "))
    } else if message.contains("serviceaccount \"") {
        let account = pod(target.job).and_then(|pod| pod.service_account_name.as_deref()).unwrap_or("default");
        format!(
            "it goes on by itself after kubectl create serviceaccount {account}{flags}; kubectl get serviceaccounts{flags} shows which there are"
        )
    } else if message.contains("violates PodSecurity") {
        "the namespace allows only Pods with the securityContext that it names: give it with --template".to_owned()
    } else if message.contains("admission webhook") || message.contains("ValidatingAdmissionPolicy") {
        "a policy of the cluster refuses the Pods: change what it names, or ask who runs the cluster".to_owned()
    } else if message.contains("no PriorityClass") {
        format!("kubectl get priorityclasses{flags} shows which there are")
    } else if message.contains("LimitRange") || message.contains("usage per") {
        let ours = ["cpu", "memory"].iter().filter(|name| message.contains(&format!("{name} usage per")));
        let ours = ours.map(|name| format!(": --{name}")).collect::<Vec<_>>().concat();
        format!("kubectl describe limitranges{flags} shows how much a Pod may ask for{ours}")
    } else {
        return Vec::new();
    };
    vec![hint]
}

/// A Pod that is there and does not start.
pub(super) fn of_waiting(reason: &str, message: &str, attempt: &Attempt, target: Target<'_>) -> Vec<String> {
    let flags = target.flags;
    let one = |hint: &str| vec![hint.to_owned()];
    match reason {
        "Unschedulable" => of_scheduling(message, &attempt.pod, target),
        "SchedulingGated" => {
            let domain = attempt.gates.first().and_then(|gate| gate.split_once('/'));
            let owner = domain.map_or("the controller that set the gate", |(domain, _)| domain);
            vec![format!(
                "{owner} takes the gate away once the Pod may start: is its controller running in the cluster?"
            )]
        }
        "ImagePullBackOff" => vec![of_pull(message)],
        "ErrImageNeverPull" => one("the image is not on the node, and --image-pull-policy Never forbids pulling it"),
        "InvalidImageName" => one("give the image as in docker.io/library/busybox:1.37"),
        "CrashLoopBackOff" => {
            vec![format!("{} prints what it wrote before it ended", target.command("logs", " --previous"))]
        }
        _ if names_object(message) && (message.contains("not found") || message.contains("couldn't find key")) => {
            vec![format!(
                "it goes on by itself once that is there; kubectl get configmaps,secrets{flags} shows which there are"
            )]
        }
        _ if message.contains("runAsNonRoot") => one("the image runs as root: give another user with --template"),
        _ => vec![format!("kubectl describe pod {}{flags} shows all that is known", attempt.pod)],
    }
}

fn names_object(message: &str) -> bool {
    ["configmap \"", "secret \"", "configmaps \"", "secrets \"", "ConfigMap ", "Secret "]
        .iter()
        .any(|kind| message.contains(kind))
}

fn of_scheduling(message: &str, pod_name: &str, target: Target<'_>) -> Vec<String> {
    let Target { job, flags } = target;
    let message = message.split_once(". ").map_or(message, |(first, _)| first);
    let mut hints = Vec::new();
    for lacking in message.split("Insufficient ").skip(1) {
        let resource = lacking.split([',', ' ']).next().unwrap_or_default().trim_end_matches('.');
        hints.push(of_lack(resource, target));
    }
    if message.contains("node affinity/selector") {
        let wanted: Vec<_> = pod(job)
            .and_then(|pod| pod.node_selector.as_ref())
            .into_iter()
            .flatten()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        hints.push(if wanted.is_empty() {
            format!("kubectl get nodes --show-labels{flags} shows what the Job's node affinity could match")
        } else {
            format!("a node must have the label {}: kubectl get nodes --show-labels{flags}", wanted.join(","))
        });
    }
    if message.contains("persistentvolumeclaim") || message.contains("PersistentVolumeClaim") {
        let claims = claims(job).join(" ");
        hints
            .push(format!("kubectl describe persistentvolumeclaims {claims}{flags} shows why the volume is not bound"));
    }
    if message.contains("Too many pods") {
        hints.push("the nodes are full: it goes on when other Pods have ended".to_owned());
    }
    // Some nodes are always tainted; that matters where nothing else does.
    if hints.is_empty() && message.contains("taint") {
        hints.push(format!(
            "kubectl describe nodes{flags} shows the taints; --toleration KEY=VALUE:EFFECT lets the Pods go there"
        ));
    }
    if hints.is_empty() {
        hints.push(format!(
            "kubectl describe pod {pod_name}{flags} shows all that is known; kubectl get nodes{flags} the nodes"
        ));
    }
    hints
}

fn of_lack(resource: &str, Target { job, flags }: Target<'_>) -> String {
    let asked: BTreeSet<_> = containers(job).filter_map(|container| requested(container, resource)).collect();
    let asked = asked.into_iter().collect::<Vec<_>>().join(" and ");
    let flag = match resource {
        "cpu" => " (--cpu)",
        "memory" => " (--memory)",
        _ if resource.contains("gpu") => " (--gpu)",
        _ => "",
    };
    let asks = if asked.is_empty() { String::new() } else { format!(" {asked}") };
    if resource.contains("gpu") {
        return format!(
            "each Pod asks for {resource}{asks}{flag}, which no node has free: kubectl describe nodes{flags} shows how many each has"
        );
    }
    format!("each Pod asks for {resource}{asks}: ask for less{flag}, or wait for a node that has it free")
}

/// What a container asks for. A limit alone is a request, too.
fn requested<'a>(container: &'a Container, resource: &str) -> Option<&'a str> {
    let resources = container.resources.as_ref()?;
    let mut amounts = [&resources.requests, &resources.limits].into_iter().flatten();
    amounts.find_map(|amounts| amounts.get(resource)).map(|amount| amount.0.as_str())
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

/// A node that ran short of something.
pub(super) fn of_shortage(message: &str, flags: &str) -> String {
    if message.contains("resource: memory") {
        "ask for the memory that it needs (--memory), so that a node reserves it".to_owned()
    } else if message.contains("ephemeral") || message.contains("fs") {
        "write less to the node's disk, or to a volume".to_owned()
    } else {
        format!("kubectl describe nodes{flags} shows what the nodes lack")
    }
}

/// An attempt that failed.
pub(super) fn of_end(attempt: &Attempt, target: Target<'_>) -> Vec<String> {
    let missing = missing_command(attempt);
    let hint = match (attempt.reason.as_deref(), attempt.exit_code) {
        (Some("OOMKilled"), _) => of_lack_of_memory(attempt, target),
        (Some("DeadlineExceeded"), _) => {
            "activeDeadlineSeconds of the Pod is the time that an index may take".to_owned()
        }
        (Some("Evicted"), _) => of_shortage(attempt.message.as_deref().unwrap_or_default(), target.flags),
        (_, code) if missing.is_some() || code == Some(127) => {
            let command = missing.map_or_else(String::new, |command| format!(" {command:?}"));
            let image = container_of(attempt, target.job).and_then(|container| container.image.as_deref());
            let image = image.map_or_else(String::new, |image| format!(" {image}"));
            let retry = target.command("retry", "");
            format!(
                "the image{image} has no command{command}: {retry} --image IMAGE, or {retry} -- CMD, runs it by another"
            )
        }
        _ => match attempt.failed_init() {
            Some(init) => {
                let logs = target.command("logs", " --index failed");
                format!("{logs} prints the log of init container {}", init.name)
            }
            None => return Vec::new(),
        },
    };
    vec![hint]
}

/// The container of the Job's template that explains an attempt.
fn container_of<'a>(attempt: &Attempt, job: &'a Job) -> Option<&'a Container> {
    containers(job).find(|container| attempt.container.as_ref() == Some(&container.name))
}

/// The memory limit that was in force: the Pod's own, which a `LimitRange` may have set, else the template's.
pub(super) fn memory_limit<'a>(attempt: &'a Attempt, job: &'a Job) -> Option<&'a str> {
    let of_template = || container_of(attempt, job)?.resources.as_ref()?.limits.as_ref()?.get("memory");
    attempt.memory_limit.as_deref().or_else(|| of_template().map(|limit| limit.0.as_str()))
}

fn of_lack_of_memory(attempt: &Attempt, target: Target<'_>) -> String {
    if attempt.is_other_container {
        let container = attempt.container.as_deref().unwrap_or_default();
        return format!("container {container} needs a higher memory limit: give it one with --template");
    }
    let asks = container_of(attempt, target.job).is_some_and(|container| requested(container, "memory").is_some());
    // What a LimitRange has set is no part of the Job, and so nothing that could be multiplied there.
    let more = match attempt.memory_limit.as_deref().and_then(doubled) {
        _ if asks => "x2".to_owned(),
        Some(doubled) => doubled,
        None => "SIZE".to_owned(),
    };
    let retry = target.command("retry", &format!(" --reason OOMKilled --memory {more}"));
    format!("{retry} runs it again with more")
}

/// Twice a quantity of whole units.
fn doubled(quantity: &str) -> Option<String> {
    let digits = quantity.find(|c: char| !c.is_ascii_digit()).unwrap_or(quantity.len());
    let number: u64 = quantity[..digits].parse().ok()?;
    let unit = &quantity[digits..];
    (!unit.contains(['.', 'e'])).then(|| format!("{}{unit}", number.saturating_mul(2)))
}

/// The command that the image does not have, as the container runtime or a shell names it.
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

/// Why a container could not be started, without the layers that it went through; any other message as it is.
pub(super) fn telling_of_start(attempt: &Attempt) -> String {
    if let Some(command) = missing_command(attempt) {
        return format!("the image has no command {command:?}");
    }
    let message = attempt.message.as_deref().unwrap_or_default();
    let after = |start: &str| message.rfind(start).map(|at| &message[at + start.len()..]);
    let inner = message.rfind("exec: ").map(|at| &message[at..]);
    let inner = inner.or(after("container init: ")).or(after("unable to start container process: "));
    inner.unwrap_or(message).trim_end_matches(": unknown").trim().to_owned()
}
