//! How the items travel: a ConfigMap with a key for each index, or the script of an init container.

use k8s_openapi::ByteString;
use serde_json::{Map, Value, json};

use crate::contract::{self, INDEX_VARIABLE, INPUT, INPUT_DIR, ITEM_PATH, annotation, label};
use crate::spec::items::Item;
use crate::spec::{ItemForm, ItemStore, JobSpec};

/// What a Pod needs to have its item and its index.
#[derive(Default)]
pub(super) struct Input {
    pub(super) volumes: Vec<Value>,
    pub(super) mounts: Vec<Value>,
    pub(super) init_containers: Vec<Value>,
    pub(super) config_map: Option<Value>,
}

/// The word for a form in `--item-as` and in the annotation.
pub(crate) fn form_name(form: ItemForm) -> &'static str {
    match form {
        ItemForm::File => "file",
        ItemForm::Index => "index",
    }
}

/// The word for a store in `--item-store` and in the annotation.
pub(crate) fn store_name(store: ItemStore) -> &'static str {
    match store {
        ItemStore::Inline => "inline",
        ItemStore::ConfigMap => "configmap",
    }
}

pub(super) fn input(spec: &JobSpec, template: Option<&Value>) -> Input {
    let mut input = Input::default();
    if spec.item_form == ItemForm::File {
        let volume = free_name(template, &input.volumes, "volumes");
        match spec.item_store {
            ItemStore::ConfigMap => from_config_map(&mut input, spec, &volume),
            ItemStore::Inline => inline(&mut input, spec, template, &volume),
        }
    }
    if let Some(path) = &spec.index_file {
        let volume = free_name(template, &input.volumes, "volumes");
        index_file(&mut input, path, &volume);
    }
    input
}

/// Each index sees the key that is its number, at one path. The kubelet expands the expression from the container's
/// environment, to which the Job controller has added the index.
fn from_config_map(input: &mut Input, spec: &JobSpec, volume: &str) {
    let name = contract::items_config_map(&spec.name);
    input.volumes.push(json!({"name": volume, "configMap": {"name": name}}));
    input.mounts.push(json!({
        "name": volume,
        "mountPath": ITEM_PATH,
        "subPathExpr": format!("$({INDEX_VARIABLE})"),
        "readOnly": true,
    }));
    input.config_map = Some(config_map(spec));
}

fn inline(input: &mut Input, spec: &JobSpec, template: Option<&Value>, volume: &str) {
    let mount = json!({"name": volume, "mountPath": INPUT_DIR});
    input.init_containers.push(json!({
        "name": free_name(template, &[], "initContainers"),
        "image": spec.init_image,
        "command": ["sh", "-c", escape_expansion(&script(&spec.items))],
        "volumeMounts": [mount],
    }));
    input.volumes.push(json!({"name": volume, "emptyDir": {}}));
    input.mounts.push(mount);
}

/// The index through a downward-API volume, as the Kubernetes documentation has it.
fn index_file(input: &mut Input, path: &str, volume: &str) {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let field = format!("metadata.annotations['{}']", annotation::INDEX);
    input.volumes.push(json!({
        "name": volume,
        "downwardAPI": {"items": [{"path": name, "fieldRef": {"fieldPath": field}}]},
    }));
    input.mounts.push(json!({"name": volume, "mountPath": folder}));
}

/// A name that neither the template's list nor `own` has yet: entries of one name would be merged into one.
fn free_name(template: Option<&Value>, own: &[Value], list: &str) -> String {
    let taken = template.and_then(|job| job.pointer(&format!("/spec/template/spec/{list}"))).and_then(Value::as_array);
    let is_free = |name: &str| !taken.into_iter().flatten().chain(own).any(|entry| entry["name"] == name);
    let numbered = (2..).map(|n| format!("{INPUT}-{n}"));
    std::iter::once(INPUT.to_owned()).chain(numbered).find(|name| is_free(name)).unwrap_or_else(|| INPUT.to_owned())
}

/// The worker's command: the item's file comes last unless the command names it.
pub(super) fn command(spec: &JobSpec) -> Vec<String> {
    let mut command = spec.command.clone();
    if spec.item_form == ItemForm::File && !command.iter().any(|argument| argument.contains(ITEM_PATH)) {
        command.push(ITEM_PATH.to_owned());
    }
    command
}

fn config_map(spec: &JobSpec) -> Value {
    let mut data = Map::new();
    let mut binary = Map::new();
    for (index, item) in spec.items.iter().enumerate() {
        match item.text() {
            Some(text) => data.insert(index.to_string(), json!(text)),
            None => binary.insert(index.to_string(), json!(ByteString(item.bytes().to_vec()))),
        };
    }
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), json!(contract::items_config_map(&spec.name)));
    if let Some(namespace) = &spec.namespace {
        metadata.insert("namespace".to_owned(), json!(namespace));
    }
    metadata.insert(
        "labels".to_owned(),
        json!({label::MANAGED_BY: contract::MANAGER, label::INSTANCE: spec.name, label::ITEMS_OF: spec.name}),
    );
    let mut config_map = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        // An index that is tried again must see what it saw before; and no kubelet needs to watch it.
        "immutable": true,
    });
    for (field, entries) in [("data", data), ("binaryData", binary)] {
        if !entries.is_empty() {
            config_map[field] = Value::Object(entries);
        }
    }
    config_map
}

/// The first words of [`script`]; what is between them and [`SCRIPT_TAIL`] is the list, quoted for a shell.
pub(super) const SCRIPT_HEAD: &str = "set -- ";
/// What follows the list: pass over the items of lower indexes, and write the first that is left.
pub(super) const SCRIPT_TAIL: &str = "\nshift \"$JOB_COMPLETION_INDEX\"\nprintf '%s\\n' \"$1\" > /input/data.txt\n";

/// A POSIX shell script that writes the item of its index as a line.
fn script(items: &[Item]) -> String {
    let mut script = SCRIPT_HEAD.to_owned();
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            script.push(' ');
        }
        script.push_str(&quote(&item.lossy()));
    }
    script + SCRIPT_TAIL
}

/// One word of a POSIX shell.
fn quote(text: &str) -> String {
    // The only text that is refused has a NUL byte, and `spec` has refused that before.
    shlex::try_quote(text).map_or_else(|_| String::new(), std::borrow::Cow::into_owned)
}

/// Doubles each `$` that Kubernetes would take for the start of `$(NAME)` or of an escape, so that the shell sees the
/// text as it was written (<https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/>).
fn escape_expansion(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        escaped.push(c);
        if c == '$' && matches!(rest.peek(), Some('$' | '(')) {
            escaped.push('$');
        }
    }
    escaped
}

/// Undoes [`escape_expansion`].
pub(super) fn unescape_expansion(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        plain.push(c);
        if c == '$' {
            rest.next_if_eq(&'$');
        }
    }
    plain
}
