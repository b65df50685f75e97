//! The Pod template.

use k8s_openapi::api::core::v1::{PodSpec, PodTemplateSpec, Toleration, TopologySpreadConstraint};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::page::DescribePage;
use super::{container, meta, sorted, volumes};

pub(super) fn describe(page: &mut DescribePage, template: &PodTemplateSpec) {
    let (metadata, spec) = (ObjectMeta::default(), PodSpec::default());
    let metadata = template.metadata.as_ref().unwrap_or(&metadata);
    let spec = template.spec.as_ref().unwrap_or(&spec);
    page.line(0, "Pod Template:");
    meta::labels(page, "  Labels", metadata.labels.as_ref());
    if metadata.annotations.as_ref().is_some_and(|annotations| !annotations.is_empty()) {
        meta::annotations(page, "  Annotations", metadata.annotations.as_ref());
    }
    page.optional(1, "Service Account", spec.service_account_name.as_ref().filter(|name| !name.is_empty()));
    if let Some(containers) = spec.init_containers.as_ref().filter(|containers| !containers.is_empty()) {
        container::describe(page, "Init Containers", containers);
    }
    container::describe(page, "Containers", &spec.containers);
    volumes::describe(page, spec.volumes.as_deref().unwrap_or_default());
    topology_spread(page, spec.topology_spread_constraints.as_deref().unwrap_or_default());
    page.optional(1, "Priority Class Name", spec.priority_class_name.as_ref().filter(|name| !name.is_empty()));
    meta::labels(page, "  Node-Selectors", spec.node_selector.as_ref());
    tolerations(page, spec.tolerations.as_deref().unwrap_or_default());
    if let Some(group) = &spec.scheduling_group {
        page.line(1, "SchedulingGroup:");
        page.field(1, "PodGroupName", group.pod_group_name.as_deref().unwrap_or_default());
    }
}

fn topology_spread(page: &mut DescribePage, constraints: &[TopologySpreadConstraint]) {
    if constraints.is_empty() {
        return;
    }
    page.put(1, "Topology Spread Constraints:\t");
    for (position, constraint) in sorted(constraints, |constraint| &constraint.topology_key).iter().enumerate() {
        if position > 0 {
            page.put(1, "\t");
        }
        let TopologySpreadConstraint { topology_key, when_unsatisfiable, max_skew, label_selector, .. } = constraint;
        page.put(0, format_args!("{topology_key}:{when_unsatisfiable} when max skew {max_skew} is exceeded"));
        if label_selector.is_some() {
            let selector = meta::selector(label_selector.as_ref()).unwrap_or_else(|_| "<error>".to_owned());
            let selector = if selector.is_empty() { "<none>" } else { &selector };
            page.put(0, format_args!(" for selector {selector}"));
        }
        page.line(0, "");
    }
}

fn tolerations(page: &mut DescribePage, tolerations: &[Toleration]) {
    page.put(1, "Tolerations:\t");
    if tolerations.is_empty() {
        page.line(0, "<none>");
    }
    let tolerations = sorted(tolerations, |toleration| toleration.key.as_deref().unwrap_or_default());
    for (position, toleration) in tolerations.into_iter().enumerate() {
        if position > 0 {
            page.put(0, "\t");
        }
        page.line(0, toleration_text(toleration));
    }
}

/// Returns a toleration as `key=value:effect`. kubectl prints only the operator `Exists`.
fn toleration_text(toleration: &Toleration) -> String {
    let Toleration { key, operator, value, effect, toleration_seconds } = toleration;
    let value = value.as_deref().filter(|value| !value.is_empty());
    let exists = operator.as_deref() == Some("Exists") && value.is_none();
    let mut text = key.clone().unwrap_or_default();
    if let Some(value) = value {
        text = format!("{text}={value}");
    }
    if let Some(effect) = effect.as_deref().filter(|effect| !effect.is_empty()) {
        text = format!("{text}:{effect}");
    }
    if exists {
        let blank = if text.is_empty() { "" } else { " " };
        text = format!("{text}{blank}op=Exists");
    }
    if let Some(seconds) = toleration_seconds {
        text = format!("{text} for {seconds}s");
    }
    text
}
