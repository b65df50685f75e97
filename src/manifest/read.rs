//! The inverse of [`build`](super::build): what a stored Job says of its items, whoever made it.
//!
//! It goes by the form of the Job and not by annotations, so that the manifests of the Kubernetes documentation, and
//! those that people wrote after them, are understood as well.

use std::collections::BTreeMap;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, PodSpec};

use super::payload::{SCRIPT_HEAD, SCRIPT_TAIL, unescape_expansion};
use crate::contract::{INDEX_VARIABLE, WORKER, annotation};
use crate::spec::items::Item;

/// The items of a Job by index, as far as they are known.
pub(crate) type ItemsByIndex = BTreeMap<u32, Item>;

/// Where the items of a Job are to be found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ItemSource {
    /// They stand in the Job itself.
    Here(ItemsByIndex),
    /// They are the numbered keys of this ConfigMap.
    ConfigMap(String),
    /// The Job has no list that this program can read.
    Unknown,
}

/// Where the items of `job` are.
pub(crate) fn item_source(job: &Job) -> ItemSource {
    let Some(pod) = job.spec.as_ref().and_then(|spec| spec.template.spec.as_ref()) else { return ItemSource::Unknown };
    if let Some(name) = config_map_by_index(pod) {
        return ItemSource::ConfigMap(name);
    }
    match inline_items(pod) {
        Some(items) => ItemSource::Here((0..).zip(items).collect()),
        None => ItemSource::Unknown,
    }
}

/// The items in a ConfigMap that has a key for each index.
pub(crate) fn items_in(config_map: ConfigMap) -> ItemsByIndex {
    let text = config_map.data.into_iter().flatten().map(|(key, value)| (key, Item::new(value)));
    let binary = config_map.binary_data.into_iter().flatten().map(|(key, value)| (key, Item::new(value.0)));
    text.chain(binary).filter_map(|(key, item)| key.parse().ok().map(|index| (index, item))).collect()
}

/// The container whose output is the index's: the one that the Pods are annotated with, else the one that is called so,
/// else the first.
pub(crate) fn worker_container(job: &Job) -> Option<&str> {
    let template = &job.spec.as_ref()?.template;
    let annotations = template.metadata.as_ref().and_then(|metadata| metadata.annotations.as_ref());
    if let Some(name) = annotations.and_then(|annotations| annotations.get(annotation::DEFAULT_CONTAINER)) {
        return Some(name);
    }
    let containers = &template.spec.as_ref()?.containers;
    let by_name = containers.iter().find(|container| container.name == WORKER);
    by_name.or(containers.first()).map(|container| container.name.as_str())
}

/// The ConfigMap of which each Pod mounts the one key that is its index.
fn config_map_by_index(pod: &PodSpec) -> Option<String> {
    let expression = format!("$({INDEX_VARIABLE})");
    let mounts = pod.containers.iter().flat_map(|container| container.volume_mounts.iter().flatten());
    let mount = mounts.into_iter().find(|mount| mount.sub_path_expr.as_ref() == Some(&expression))?;
    let volume = pod.volumes.iter().flatten().find(|volume| volume.name == mount.name)?;
    volume.config_map.as_ref().map(|source| source.name.clone())
}

/// The list in the script of an init container: our own form, or the bash array of the Kubernetes documentation.
fn inline_items(pod: &PodSpec) -> Option<Vec<Item>> {
    let scripts = pod.init_containers.iter().flatten().flat_map(|container| {
        let arguments = container.command.iter().flatten().chain(container.args.iter().flatten());
        arguments.filter(|argument| argument.contains(INDEX_VARIABLE)).map(|argument| unescape_expansion(argument))
    });
    scripts.into_iter().find_map(|script| {
        let own = script.strip_prefix(SCRIPT_HEAD).and_then(|rest| rest.strip_suffix(SCRIPT_TAIL));
        let list = own.map(ToOwned::to_owned).or_else(|| bash_array(&script))?;
        Some(shlex::split(&list)?.into_iter().map(Item::new).collect())
    })
}

/// What stands between the brackets of `NAME=(…)` where the script then takes `${NAME[$JOB_COMPLETION_INDEX]}`.
fn bash_array(script: &str) -> Option<String> {
    let (before, rest) = script.split_once("=(")?;
    let name =
        before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().filter(|name| !name.is_empty())?;
    let picks = ["${", "$"].iter().any(|open| {
        let braced = format!("${{{name}[{open}{INDEX_VARIABLE}");
        script.contains(&braced)
    });
    // The list of a script that does anything else with its words is not ours to guess.
    let list = rest.split_once(')').map(|(list, _)| list)?;
    (picks && !list.contains(['$', '`', '('])).then(|| list.to_owned())
}
