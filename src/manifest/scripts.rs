//! Builds the shell scripts that pass items: the init container's script picks and writes the item, the worker's script
//! reads it and executes the command. Both are POSIX shell and use `cat`, `printf`, `sed`, `gzip` and `sha256sum` only.

use std::fmt::Write as _;

use crate::contract::{INDEX_VARIABLE, ITEM_PATH, VARIABLES_PATH};
use crate::spec::handover::{CommandPart, Handover, ItemForm, Payload, Route, VariableSource};
use crate::spec::stores::{ItemStore, ListDigest};

/// The folder of the init container with the list, or with the Pod's own item.
pub(super) const ITEMS_DIR: &str = "/items";
/// The folder of the init container with a shared list with one key per index, to check it.
pub(super) const LIST_DIR: &str = "/list";
/// The file with the Pod's own item, where each index has its own key.
pub(super) const MOUNTED_ITEM: &str = "/items/item";
/// The text before an inline list. The list is quoted for a shell.
pub(super) const INLINE_HEAD: &str = "set -- ";
/// The text after an inline list: skips the items of lower indexes.
pub(super) const INLINE_PICK: &str = "\nshift \"$JOB_COMPLETION_INDEX\"\n";

/// Returns the init container's script: it picks the item, and writes the variables that the kubelet reads.
pub(super) fn init_script(handover: &Handover, store: &ItemStore, inline: &[Vec<u8>]) -> String {
    let payload = handover.payload();
    let target = match payload {
        Payload::Item => ITEM_PATH,
        Payload::Assignments(_) => VARIABLES_PATH,
    };
    let mut script = String::new();
    if handover.needs_item() {
        check_shared_list(&mut script, store);
        pick_item(&mut script, store, inline, target);
    }
    if handover.route == Route::VariableFile {
        let written = if store.needs_picking() { target } else { MOUNTED_ITEM };
        match payload {
            Payload::Assignments(_) if store.needs_picking() => {}
            Payload::Assignments(_) => {
                let _ = writeln!(script, "cat {written} > {VARIABLES_PATH}");
            }
            Payload::Item => write_item_variables(&mut script, handover, written),
        }
        for variable in handover.variables.iter().filter(|variable| variable.source == VariableSource::Position) {
            let name = &variable.name;
            let _ = writeln!(script, "printf \"{name}='%s'\\n\" \"$(({INDEX_VARIABLE} + 1))\" >> {VARIABLES_PATH}");
        }
    }
    script
}

/// Writes the encoded item to `target`, byte for byte.
fn pick_item(script: &mut String, store: &ItemStore, inline: &[Vec<u8>], target: &str) {
    let _ = match store {
        ItemStore::Inline => {
            let words: Vec<_> = inline.iter().map(|item| quote(&String::from_utf8_lossy(item))).collect();
            writeln!(script, "{INLINE_HEAD}{}{INLINE_PICK}printf %s \"$1\" > {target}", words.join(" "))
        }
        ItemStore::Packed { per_key, compressed } => {
            let lines = if *compressed {
                format!("gzip -dc \"{ITEMS_DIR}/$(({INDEX_VARIABLE} / {per_key})).gz\" | sed -n")
            } else {
                format!("sed -n <\"{ITEMS_DIR}/$(({INDEX_VARIABLE} / {per_key}))\"")
            };
            writeln!(
                script,
                "line=$({lines} \"$(({INDEX_VARIABLE} % {per_key} + 1))p\")\nprintf %b \"$line\" > {target}"
            )
        }
        ItemStore::Listed { key: Some(key), crlf, .. } => {
            let path = quote(&format!("{ITEMS_DIR}/{key}"));
            let _ = writeln!(script, "line=$(sed -n \"$(({INDEX_VARIABLE} + 1))p\" <{path})");
            if *crlf {
                script.push_str("line=${line%\"$(printf '\\r')\"}\n");
            }
            writeln!(script, "printf %s \"$line\" > {target}")
        }
        ItemStore::Nowhere | ItemStore::Keys | ItemStore::Listed { key: None, .. } => Ok(()),
    };
}

/// Fails the Pod if a shared list has changed: the index could get another item, or none.
fn check_shared_list(script: &mut String, store: &ItemStore) {
    let ItemStore::Listed { config_map, key, digest, .. } = store else { return };
    let ListDigest { count, sum } = digest;
    let (folder, name, own, summed) = if let Some(key) = key {
        let lines = format!("{{ cat \"./$key\"; echo; }} | sed -n '1,{count}p' | sha256sum");
        (ITEMS_DIR, format!("{config_map}/{key}"), quote(key), lines)
    } else {
        let keys = format!("n=0; while [ $n -lt {count} ]; do echo $n; n=$((n + 1)); done");
        (LIST_DIR, config_map.clone(), format!("${INDEX_VARIABLE}"), format!("sha256sum $({keys}) | sha256sum"))
    };
    let message = quote(&format!("configmap {name} has changed since the Job was created: "));
    let _ = write!(
        script,
        "key={own}\ncd {folder}\nchanged() {{ echo {message}\"$1\" >&2; exit 1; }}\n\
         [ -f \"./$key\" ] || changed \"key $key is missing\"\n\
         [ \"$({summed})\" = '{sum}  -' ] || changed 'the first {count} items differ'\n"
    );
}

/// Writes the item at `path` to the file that the kubelet reads, once for each variable with the item.
fn write_item_variables(script: &mut String, handover: &Handover, path: &str) {
    if handover.item_variables().next().is_none() {
        return;
    }
    read_file(script, "item", path);
    for (name, _) in handover.item_variables() {
        let _ = writeln!(script, "printf \"{name}='%s'\\n\" \"$item\" >> {VARIABLES_PATH}");
    }
}

/// Reads a file into a variable. Keeps the line breaks at its end, which `$(…)` alone would drop.
fn read_file(script: &mut String, variable: &str, path: &str) {
    let path = quote(path);
    let _ = writeln!(script, "{variable}=$(cat {path}; printf x)\n{variable}=${{{variable}%x}}");
}

/// Returns the path at which the worker itself reads its encoded item, if it does.
pub(super) fn worker_path(handover: &Handover) -> Option<&str> {
    match handover.form {
        ItemForm::File | ItemForm::Stdin => Some(&handover.path),
        _ if !matches!(handover.route, Route::Shell(_)) || !handover.needs_item() => None,
        _ => match handover.payload() {
            Payload::Item => Some(&handover.path),
            Payload::Assignments(_) => Some(VARIABLES_PATH),
        },
    }
}

/// Returns a command that sets the variables and executes `words`. The texts of `words` are arguments of the script,
/// never part of it, so a shell never runs them.
pub(super) fn wrap_command(handover: &Handover, shell: &str, words: &[Vec<CommandPart>]) -> Vec<String> {
    let mut script = String::new();
    let mut names: Vec<&str> = handover.item_variables().map(|(name, _)| name).collect();
    if let (Some(path), false) = (worker_path(handover), names.is_empty()) {
        match handover.payload() {
            Payload::Assignments(_) => {
                let _ = writeln!(script, "set -a\n. {}\nset +a", quote(path));
            }
            Payload::Item => {
                let first = names.remove(0);
                read_file(&mut script, first, path);
                let _ = write!(script, "export {first}");
                for name in names {
                    let _ = write!(script, " {name}=\"${first}\"");
                }
                script.push('\n');
            }
        }
    }
    for variable in handover.variables.iter().filter(|variable| variable.source == VariableSource::Position) {
        let _ = writeln!(script, "export {}=$(({INDEX_VARIABLE} + 1))", variable.name);
    }
    let stdin = (handover.form == ItemForm::Stdin).then(|| quote(&handover.path));
    let name = shell.rsplit('/').next().unwrap_or(shell);
    command_of_script(shell, name, script, &[], words, stdin.as_deref())
}

/// Returns a shell command that runs `script`, exports variables and executes `words`, with the file `stdin` as its
/// standard input. `name` is the script's `$0`.
pub(super) fn command_of_script(
    shell: &str,
    name: &str,
    mut script: String,
    exports: &[(String, Vec<CommandPart>)],
    words: &[Vec<CommandPart>],
    stdin: Option<&str>,
) -> Vec<String> {
    let mut texts = Vec::new();
    for (name, value) in exports {
        let _ = writeln!(script, "export {name}={}", shell_word(value, &mut texts));
    }
    if texts.is_empty() && words.iter().all(|word| matches!(word.as_slice(), [CommandPart::Text(_)])) {
        script.push_str("exec \"$@\"");
        texts.extend(words.iter().map(|word| expandable_word(word)));
    } else {
        script.push_str("exec");
        for word in words {
            let _ = write!(script, " {}", shell_word(word, &mut texts));
        }
    }
    if let Some(path) = stdin {
        let _ = write!(script, " < {path}");
    }
    script.push('\n');
    let mut command = vec![shell.to_owned(), "-c".to_owned(), escape_expansion(&script), name.to_owned()];
    command.extend(texts);
    command
}

/// Returns a word in double quotes, and appends its texts to the arguments of the script.
fn shell_word(word: &[CommandPart], texts: &mut Vec<String>) -> String {
    let reference = |part: &CommandPart| match part {
        CommandPart::Text(text) => {
            texts.push(text.clone());
            format!("${{{}}}", texts.len())
        }
        CommandPart::Index => format!("${{{INDEX_VARIABLE}}}"),
        CommandPart::Variable(name) => format!("${{{name}}}"),
    };
    format!("\"{}\"", word.iter().map(reference).collect::<String>())
}

/// Returns an argument for Kubernetes to expand: `$(NAME)` becomes the value of a variable.
///
/// No text before a placeholder ends with `$`, which would escape it as `$$(NAME)`: braces after a `$` belong to the
/// shell and are never a placeholder.
pub(super) fn expandable_word(word: &[CommandPart]) -> String {
    let text = |part: &CommandPart| match part {
        CommandPart::Text(text) => text.clone(),
        CommandPart::Index => format!("$({INDEX_VARIABLE})"),
        CommandPart::Variable(name) => format!("$({name})"),
    };
    word.iter().map(text).collect()
}

pub(super) fn quote(text: &str) -> String {
    // Only a NUL byte can't be quoted, and `spec` has refused it.
    shlex::try_quote(text).map_or_else(|_| String::new(), std::borrow::Cow::into_owned)
}

/// Doubles each `$` that Kubernetes would read as the start of `$(NAME)` or of an escape, so that the shell sees the
/// original text (<https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/>).
pub(super) fn escape_expansion(text: &str) -> String {
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
    text.replace("$$", "$")
}
