//! The shell scripts that hand items over: the init container's, which picks and writes, and the worker's, which reads
//! and becomes the command. All of it is POSIX shell, with `cat`, `printf`, `sed`, `gzip` and `sha256sum`
//! at the most.

use std::fmt::Write as _;

use crate::contract::{INDEX_VARIABLE, ITEM_PATH, VARIABLES_PATH};
use crate::spec::handover::{CommandPart, Handover, ItemForm, Payload, Route, VariableSource};
use crate::spec::stores::{ItemStore, ListDigest};

/// Where the init container finds the list that it picks from, or the one item that is its Pod's.
pub(super) const ITEMS_DIR: &str = "/items";
/// Where the init container finds a list of others' that has a key for each index, to check it.
pub(super) const LIST_DIR: &str = "/list";
/// The one item, where nothing has to be picked.
pub(super) const MOUNTED_ITEM: &str = "/items/item";
/// The first words of an inline list; what is between them and [`INLINE_PICK`] is the list, quoted for a shell.
pub(super) const INLINE_HEAD: &str = "set -- ";
/// What follows an inline list: pass over the items of lower indexes.
pub(super) const INLINE_PICK: &str = "\nshift \"$JOB_COMPLETION_INDEX\"\n";

/// What the init container does: pick the item, if that is needed, and write the variables that the kubelet reads.
pub(super) fn init(handover: &Handover, store: &ItemStore, inline: &[Vec<u8>]) -> String {
    let payload = handover.payload();
    let target = match payload {
        Payload::Item => ITEM_PATH,
        Payload::Assignments(_) => VARIABLES_PATH,
    };
    let mut script = String::new();
    if handover.needs_item() {
        check(&mut script, store);
        pick(&mut script, store, inline, target);
    }
    if handover.route == Route::VariableFile {
        let written = if store.needs_picking() { target } else { MOUNTED_ITEM };
        match payload {
            Payload::Assignments(_) if store.needs_picking() => {}
            Payload::Assignments(_) => {
                let _ = writeln!(script, "cat {written} > {VARIABLES_PATH}");
            }
            Payload::Item => variables_of_item(&mut script, handover, written),
        }
        for variable in handover.variables.iter().filter(|variable| variable.origin == VariableSource::Position) {
            let name = &variable.name;
            let _ = writeln!(script, "printf \"{name}='%s'\\n\" \"$(({INDEX_VARIABLE} + 1))\" >> {VARIABLES_PATH}");
        }
    }
    script
}

/// Writes what stands for the item into `target`, byte for byte.
fn pick(script: &mut String, store: &ItemStore, inline: &[Vec<u8>], target: &str) {
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

/// Fails the Pod if a list that is not ours has changed: its index would get the item of another, or none.
fn check(script: &mut String, store: &ItemStore) {
    let ItemStore::Listed { config_map, key, digest, .. } = store else { return };
    let ListDigest { count, sum } = digest;
    let (folder, name, own, summed) = if let Some(key) = key {
        let lines = format!("{{ cat \"./$key\"; echo; }} | sed -n '1,{count}p' | sha256sum");
        (ITEMS_DIR, format!("{config_map}/{key}"), quote(key), lines)
    } else {
        let keys = format!("n=0; while [ $n -lt {count} ]; do echo $n; n=$((n + 1)); done");
        (LIST_DIR, config_map.clone(), format!("${INDEX_VARIABLE}"), format!("sha256sum $({keys}) | sha256sum"))
    };
    let said = quote(&format!("configmap {name} has changed since the job was made: "));
    let _ = write!(
        script,
        "key={own}\ncd {folder}\nchanged() {{ echo {said}\"$1\" >&2; exit 1; }}\n\
         [ -f \"./$key\" ] || changed \"key $key is gone\"\n\
         [ \"$({summed})\" = '{sum}  -' ] || changed 'its first {count} items are others'\n"
    );
}

/// Writes the item from `path` into the file that the kubelet reads, once for each variable that is the item.
fn variables_of_item(script: &mut String, handover: &Handover, path: &str) {
    if handover.item_variables().next().is_none() {
        return;
    }
    read_whole(script, "item", path);
    for (name, _) in handover.item_variables() {
        let _ = writeln!(script, "printf \"{name}='%s'\\n\" \"$item\" >> {VARIABLES_PATH}");
    }
}

/// Reads a file into a variable with its line breaks at the end, which `$(…)` alone would drop.
fn read_whole(script: &mut String, variable: &str, path: &str) {
    let path = quote(path);
    let _ = writeln!(script, "{variable}=$(cat {path}; printf x)\n{variable}=${{{variable}%x}}");
}

/// The path at which the worker itself needs what stands for its item, if it does.
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

/// The command that reads the variables and becomes `words`; the worker's own texts are arguments of the script, never
/// part of it, so whatever is in them is not run.
pub(super) fn wrapped(handover: &Handover, shell: &str, words: &[Vec<CommandPart>]) -> Vec<String> {
    let mut script = String::new();
    let mut names: Vec<&str> = handover.item_variables().map(|(name, _)| name).collect();
    if let (Some(path), false) = (worker_path(handover), names.is_empty()) {
        match handover.payload() {
            Payload::Assignments(_) => {
                let _ = writeln!(script, "set -a\n. {}\nset +a", quote(path));
            }
            Payload::Item => {
                let first = names.remove(0);
                read_whole(&mut script, first, path);
                let _ = write!(script, "export {first}");
                for name in names {
                    let _ = write!(script, " {name}=\"${first}\"");
                }
                script.push('\n');
            }
        }
    }
    for variable in handover.variables.iter().filter(|variable| variable.origin == VariableSource::Position) {
        let _ = writeln!(script, "export {}=$(({INDEX_VARIABLE} + 1))", variable.name);
    }
    let stdin = (handover.form == ItemForm::Stdin).then(|| quote(&handover.path));
    with_command(shell, script, &[], words, stdin.as_deref())
}

/// The words of a shell that runs `script`, exports variables and then becomes `words`, with a file as its standard
/// input.
pub(super) fn with_command(
    shell: &str,
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
        texts.extend(words.iter().map(|word| joined(word)));
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
    let name = shell.rsplit('/').next().unwrap_or(shell).to_owned();
    let mut command = vec![shell.to_owned(), "-c".to_owned(), escape_expansion(&script), name];
    command.extend(texts);
    command
}

/// Returns a word in quotes of a shell; appends its texts to the arguments of the script.
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

/// An argument as Kubernetes expands it: `$(NAME)` is the value of a variable.
///
/// No text before a placeholder ends with a `$`, which would make it `$$(NAME)`, the text `$(NAME)`: braces behind a `$`
/// are the shell's and never a placeholder.
pub(super) fn joined(word: &[CommandPart]) -> String {
    let text = |part: &CommandPart| match part {
        CommandPart::Text(text) => text.clone(),
        CommandPart::Index => format!("$({INDEX_VARIABLE})"),
        CommandPart::Variable(name) => format!("$({name})"),
    };
    word.iter().map(text).collect()
}

pub(super) fn quote(text: &str) -> String {
    // The only text that is refused has a NUL byte, and `spec` has refused that before.
    shlex::try_quote(text).map_or_else(|_| String::new(), std::borrow::Cow::into_owned)
}

/// Doubles each `$` that Kubernetes would take for the start of `$(NAME)` or of an escape, so that the shell sees the
/// text as it was written (<https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/>).
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
