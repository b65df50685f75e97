//! The containers of a Pod template.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Container, ContainerPort, EnvFromSource, EnvVar, EnvVarSource, SecurityContext, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::page::DescribePage;
use super::{probe, quantity, sorted};
use crate::view::go;

pub(super) fn describe(page: &mut DescribePage, title: &str, containers: &[Container]) {
    page.line(1, format_args!("{title}:{}", if containers.is_empty() { " <none>" } else { "" }));
    for container in containers {
        describe_one(page, container);
    }
}

fn describe_one(page: &mut DescribePage, container: &Container) {
    page.line(1, format_args!(" {}:", container.name));
    page.field(2, "Image", container.image.as_deref().unwrap_or_default());
    let ports = container.ports.as_deref().unwrap_or_default();
    describe_ports(page, "Port", ports, |port| port.container_port);
    describe_ports(page, "Host Port", ports, |port| port.host_port.unwrap_or_default());
    if let Some(SecurityContext { seccomp_profile: Some(profile), .. }) = &container.security_context {
        page.field(2, "SeccompProfile", &profile.type_);
        if profile.type_ == "Localhost" {
            page.field(3, "LocalhostProfile", profile.localhost_profile.as_deref().unwrap_or_default());
        }
    }
    print_words(page, "Command", container.command.as_deref().unwrap_or_default());
    print_words(page, "Args", container.args.as_deref().unwrap_or_default());
    let resources = container.resources.as_ref();
    quantities(page, "Limits", resources.and_then(|resources| resources.limits.as_ref()));
    quantities(page, "Requests", resources.and_then(|resources| resources.requests.as_ref()));
    page.optional(2, "Liveness", container.liveness_probe.as_ref().map(probe::text));
    page.optional(2, "Readiness", container.readiness_probe.as_ref().map(probe::text));
    page.optional(2, "Startup", container.startup_probe.as_ref().map(probe::text));
    environment_from(page, container.env_from.as_deref().unwrap_or_default());
    environment(page, container);
    mounts(page, container.volume_mounts.as_deref().unwrap_or_default());
    devices(page, container);
}

fn describe_ports(
    page: &mut DescribePage,
    title: &str,
    ports: &[ContainerPort],
    number: impl Fn(&ContainerPort) -> i32,
) {
    let ports: Vec<String> = ports
        .iter()
        .map(|port| {
            let protocol = port.protocol.as_deref().unwrap_or_default();
            let name = port.name.as_deref().filter(|name| !name.is_empty());
            let name = name.map_or_else(String::new, |name| format!(" ({name})"));
            format!("{}/{protocol}{name}", number(port))
        })
        .collect();
    let ports = ports.join(", ");
    if ports.is_empty() {
        page.field(2, title, "<none>");
    } else if ports.contains(',') {
        page.field(2, &format!("{title}s"), ports);
    } else {
        page.field(2, title, ports);
    }
}

/// Prints each word of a command on its own line, or on several if it has line breaks.
fn print_words(page: &mut DescribePage, title: &str, words: &[String]) {
    if !words.is_empty() {
        page.line(2, format_args!("{title}:"));
    }
    for line in words.iter().flat_map(|word| word.split('\n')) {
        page.line(3, line);
    }
}

fn quantities(page: &mut DescribePage, title: &str, quantities: Option<&BTreeMap<String, Quantity>>) {
    let quantities = quantities.into_iter().flatten();
    for (position, (name, amount)) in quantities.enumerate() {
        if position == 0 {
            page.line(2, format_args!("{title}:"));
        }
        page.field(3, name, &amount.0);
    }
}

fn environment_from(page: &mut DescribePage, sources: &[EnvFromSource]) {
    if !sources.is_empty() {
        page.line(2, "Environment Variables from:");
    }
    for source in sources {
        let (kind, name, optional) = match (&source.config_map_ref, &source.secret_ref) {
            (Some(map), _) => ("ConfigMap", map.name.as_str(), map.optional),
            (None, Some(secret)) => ("Secret", secret.name.as_str(), secret.optional),
            (None, None) => ("", "", None),
        };
        let prefix = source.prefix.as_deref().filter(|prefix| !prefix.is_empty());
        let prefix = prefix.map_or_else(String::new, |prefix| format!(" with prefix '{prefix}'"));
        let optional = optional.unwrap_or_default();
        page.line(3, format_args!("{name}\t{kind}{prefix}\tOptional: {optional}"));
    }
}

fn environment(page: &mut DescribePage, container: &Container) {
    let variables = container.env.as_deref().unwrap_or_default();
    page.line(2, if variables.is_empty() { "Environment:\t<none>" } else { "Environment:" });
    for EnvVar { name, value, value_from } in variables {
        if let Some(source) = value_from {
            if let Some(source) = source_text(source, container) {
                page.field(3, name, source);
            }
            continue;
        }
        let mut lines = value.as_deref().unwrap_or_default().split('\n');
        page.field(3, name, lines.next().unwrap_or_default());
        for line in lines {
            page.line(3, format_args!("\t{line}"));
        }
    }
}

/// Returns the source of a variable's value; None for a source that kubectl omits, such as a key in a file.
fn source_text(source: &EnvVarSource, container: &Container) -> Option<String> {
    if let Some(field) = &source.field_ref {
        // kubectl prints the value before the bracket; only a Pod has it.
        let version = field.api_version.as_deref().unwrap_or_default();
        Some(format!(" ({version}:{})", field.field_path))
    } else if let Some(field) = &source.resource_field_ref {
        let mut value = quantity::container_quantity(field, container).unwrap_or_default();
        if value == "0" && ["limits.cpu", "limits.memory"].contains(&field.resource.as_str()) {
            "node allocatable".clone_into(&mut value);
        }
        Some(format!("{value} ({})", field.resource))
    } else if let Some(key) = &source.secret_key_ref {
        let optional = key.optional.unwrap_or_default();
        Some(format!("<set to the key '{}' in secret '{}'>\tOptional: {optional}", key.key, key.name))
    } else {
        let key = source.config_map_key_ref.as_ref()?;
        let optional = key.optional.unwrap_or_default();
        Some(format!("<set to the key '{}' of config map '{}'>\tOptional: {optional}", key.key, key.name))
    }
}

fn mounts(page: &mut DescribePage, mounts: &[VolumeMount]) {
    page.line(2, if mounts.is_empty() { "Mounts:\t<none>" } else { "Mounts:" });
    for mount in sorted(mounts, |mount| &mount.mount_path) {
        let access = if mount.read_only == Some(true) { "ro" } else { "rw" };
        let path = mount.sub_path.as_deref().filter(|path| !path.is_empty());
        let path = path.map_or_else(String::new, |path| format!(",path={}", go::quoted(path)));
        page.line(3, format_args!("{} from {} ({access}{path})", mount.mount_path, mount.name));
    }
}

fn devices(page: &mut DescribePage, container: &Container) {
    let devices = container.volume_devices.as_deref().unwrap_or_default();
    if devices.is_empty() {
        return;
    }
    // Without mounts kubectl prints `<none>` before the list.
    let mounted = container.volume_mounts.as_ref().is_some_and(|mounts| !mounts.is_empty());
    page.line(2, if mounted { "Devices:" } else { "Devices:\t<none>" });
    for device in sorted(devices, |device| &device.device_path) {
        page.line(3, format_args!("{} from {}", device.device_path, device.name));
    }
}
