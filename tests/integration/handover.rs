//! Thousands of generated items in every form and every store arrive byte for byte, through the scripts and commands of the
//! printed manifests. This file plays the kubelet; `tests/cluster/items.rs` does the same with a real one, at a second for
//! each Pod.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::Sandbox;

/// Pieces that have a meaning in a shell, YAML, Kubernetes or a tool on the way.
const PIECES: [&[u8]; 36] = [
    b"'",
    b"\"",
    b"$",
    b"$$",
    b"$(HOME)",
    b"$(ITEM)",
    b"$(JOB_COMPLETION_INDEX)",
    b"${ITEM}",
    b"`id`",
    b"\\",
    b"\\n",
    b"\\c",
    b"\n",
    b"\r",
    b"\r\n",
    b"\t",
    b" ",
    b"-n",
    b"#",
    b"~",
    b"*",
    "\u{e9}".as_bytes(),
    "\u{1f980}".as_bytes(),
    b";",
    b"&",
    b"|",
    b"(",
    b")",
    b"{}",
    b"{{}}",
    b"%s",
    b"\x1b",
    b"\xff\xfe",
    b"=",
    b"\\0000",
    b"no",
];

/// Generates the same items in each run.
fn generate(count: usize, allowed: impl Fn(&[u8]) -> bool) -> Vec<Vec<u8>> {
    let mut random = fastrand::Rng::with_seed(11);
    let mut item = || -> Vec<u8> {
        match random.u8(..4) {
            0 => (0..random.usize(..24)).map(|_| random.u8(1..)).collect(),
            _ => (0..random.usize(..7)).flat_map(|_| PIECES[random.usize(..PIECES.len())].to_vec()).collect(),
        }
    };
    std::iter::repeat_with(&mut item).filter(|item| allowed(item)).take(count).collect()
}

/// A node with one Job: its objects, and a folder that serves as the root of each container.
struct Node {
    job: Value,
    config_maps: BTreeMap<String, Value>,
    folder: tempfile::TempDir,
}

impl Node {
    fn new(printed: &str) -> Self {
        let list: Value = serde_json::from_str(printed).unwrap();
        let mut objects = match list["kind"].as_str() {
            Some("List") => list["items"].as_array().unwrap().clone(),
            _ => vec![list],
        };
        let job = objects.pop().unwrap();
        let named = |object: Value| (object["metadata"]["name"].as_str().unwrap().to_owned(), object);
        let config_maps = objects.into_iter().map(named).collect();
        Self { job, config_maps, folder: tempfile::tempdir().unwrap() }
    }

    fn pod(&self) -> &Value {
        &self.job["spec"]["template"]["spec"]
    }

    /// Returns the folder of a volume, filled as the kubelet fills it.
    fn volume(&self, name: &str) -> std::path::PathBuf {
        let folder = self.folder.path().join("volumes").join(name);
        if folder.exists() {
            return folder;
        }
        fs::create_dir_all(&folder).unwrap();
        let volumes = self.pod()["volumes"].as_array().unwrap();
        let volume = volumes.iter().find(|volume| volume["name"] == name).unwrap();
        let mut sources: Vec<&Value> = volume["projected"]["sources"].as_array().into_iter().flatten().collect();
        if volume["configMap"].is_object() {
            sources.push(volume);
        }
        for source in sources {
            let config_map = &self.config_maps[source["configMap"]["name"].as_str().unwrap()];
            for (key, text) in config_map["data"].as_object().into_iter().flatten() {
                fs::write(folder.join(key), text.as_str().unwrap()).unwrap();
            }
            for (key, text) in config_map["binaryData"].as_object().into_iter().flatten() {
                fs::write(folder.join(key), decode_base64(text.as_str().unwrap())).unwrap();
            }
        }
        folder
    }

    /// Runs a container of the Pod of an index, and returns its output.
    fn run(&self, container: &Value, index: usize) -> Vec<u8> {
        let root = self.folder.path().join("root");
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        let number = index.to_string();
        for mount in container["volumeMounts"].as_array().into_iter().flatten() {
            let mut from = self.volume(mount["name"].as_str().unwrap());
            if mount["subPathExpr"].is_string() {
                from.push(&number);
            }
            if let Some(path) = mount["subPath"].as_str() {
                from.push(path);
            }
            let to = root.join(mount["mountPath"].as_str().unwrap().trim_start_matches('/'));
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::os::unix::fs::symlink(from, to).unwrap();
        }
        let mut variables = BTreeMap::from([("JOB_COMPLETION_INDEX".to_owned(), number.into_bytes())]);
        for variable in container["env"].as_array().into_iter().flatten() {
            let name = variable["name"].as_str().unwrap().to_owned();
            let file = &variable["valueFrom"]["fileKeyRef"];
            let value = if file.is_object() {
                let path = self.volume(file["volumeName"].as_str().unwrap()).join(file["path"].as_str().unwrap());
                read_assigned(&fs::read(path).unwrap(), file["key"].as_str().unwrap())
            } else {
                variable["value"].as_str().unwrap().as_bytes().to_vec()
            };
            variables.insert(name, value);
        }
        let words = container["command"].as_array().unwrap().iter().map(|word| word.as_str().unwrap());
        let words: Vec<_> = words.map(|word| prepend_root(&expand_variables(word, &variables), &root)).collect();
        let [program, arguments @ ..] = &words[..] else { panic!("no command") };
        let mut command = Command::new(std::ffi::OsStr::from_bytes(program));
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        for (name, value) in variables {
            command.env(name, std::ffi::OsString::from_vec(value));
        }
        let output = command.args(arguments.iter().map(|word| std::ffi::OsStr::from_bytes(word))).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && stderr.is_empty(), "index {index}: {stderr}");
        output.stdout
    }

    /// Runs the init container and the worker of an index, and returns the output of the worker.
    fn play(&self, index: usize) -> Vec<u8> {
        for init in self.pod()["initContainers"].as_array().into_iter().flatten() {
            for written in ["data.txt", "item.env"] {
                let _ = fs::remove_file(self.volume("input").join(written));
            }
            self.run(init, index);
        }
        self.run(&self.pod()["containers"][0], index)
    }
}

/// Puts the folder that serves as root before the paths of a container.
fn prepend_root(word: &[u8], root: &Path) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = word;
    while let Some((first, after)) = rest.split_first() {
        let inner = ["/input", "/items", "/work"].iter().any(|folder| rest.starts_with(folder.as_bytes()));
        if inner {
            out.extend_from_slice(root.as_os_str().as_bytes());
        }
        out.push(*first);
        rest = after;
    }
    out
}

/// Expands an argument as Kubernetes does: `$(NAME)` if the variable exists, and `$$`.
fn expand_variables(word: &str, variables: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = word;
    while let Some(at) = rest.find('$') {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push(b'$');
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
            match variables.get(name) {
                Some(value) => out.extend_from_slice(value),
                None => out.extend_from_slice(format!("$({name})").as_bytes()),
            }
            rest = after;
        } else {
            out.push(b'$');
        }
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

/// Reads a variable from a file as the kubelet does: all of a quoted line.
fn read_assigned(file: &[u8], key: &str) -> Vec<u8> {
    for line in file.split(|&byte| byte == b'\n') {
        let at = line.iter().position(|&byte| byte == b'=').unwrap();
        let quoted = line[at + 1..].strip_prefix(b"'").unwrap();
        if &line[..at] == key.as_bytes() {
            let end = quoted.iter().position(|&byte| byte == b'\'').unwrap();
            assert_eq!(end + 1, quoted.len(), "nothing may follow the value");
            assert!(end > 0, "the kubelet takes an empty value as missing");
            return quoted[..end].to_vec();
        }
    }
    panic!("{key} is not in {:?}", String::from_utf8_lossy(file));
}

fn decode_base64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut bytes = Vec::new();
    for four in text.as_bytes().chunks(4) {
        let kept = four.iter().filter(|&&byte| byte != b'=').count();
        let word = four.iter().fold(0_u32, |word, &byte| (word << 6) | u32::from(digit(byte)));
        bytes.extend_from_slice(&word.to_be_bytes()[1..kept]);
    }
    bytes
}

/// Builds the manifest of `items` with these flags and this command, plays every `step`th index, and compares its output.
fn assert_arrives(
    items: &[Vec<u8>],
    step: usize,
    flags: &[&str],
    command: &[&str],
    expected: impl Fn(&[u8]) -> Vec<u8>,
) {
    let sandbox = Sandbox::new();
    let list: Vec<u8> = items.iter().flat_map(|item| [item, &b"\0"[..]].concat()).collect();
    sandbox.write("list", list);
    let start =
        ["run", "job", "-0", "--items-file", "list", "--dry-run=client", "-o", "json", "-q", "--env", "HOME=/no"];
    let printed = sandbox.run(&[&start, flags, &["--"], command].concat());
    assert_eq!(printed.code, 0, "{flags:?}: {}", printed.stderr);
    let node = Node::new(&printed.stdout);
    for (index, item) in items.iter().enumerate().step_by(step) {
        let got = node.play(index);
        let expected = expected(item);
        assert_eq!(
            String::from_utf8_lossy(&got),
            String::from_utf8_lossy(&expected),
            "item {index} by {flags:?} -- {command:?}"
        );
        assert_eq!(got, expected, "item {index} by {flags:?} -- {command:?}");
    }
}

#[test]
fn any_bytes_arrive_in_every_form() {
    let any = generate(250, |_| true);
    let text = generate(250, |item| std::str::from_utf8(item).is_ok());
    let whole = |item: &[u8]| item.to_vec();
    assert_arrives(&any, 1, &[], &["cat"], whole);
    assert_arrives(&any, 1, &["--item-path", "/work/here"], &["cat"], whole);
    assert_arrives(&text, 1, &["--item-store=inline"], &["cat"], whole);
    assert_arrives(&any, 1, &["--item-as=stdin"], &["cat"], whole);
    assert_arrives(&any, 1, &["--item-as=env"], &["sh", "-c", "printf %s \"$ITEM\""], whole);
    assert_arrives(&any, 1, &[], &["printf", "%s", "{}"], whole);
    assert_arrives(&any, 1, &[], &["sh", "-c", "printf %s {}; : '# {}' # {}"], whole);
    assert_arrives(&text, 1, &["--item-store=inline"], &["printf", "%s", "<{}>"], |item| [b"<", item, b">"].concat());
    for (items, how) in [(&any, "--shell"), (&generate_plain(), "--no-shell")] {
        let around = |item: &[u8]| [b"0: ${} $(NO) $<", item, b">"].concat();
        assert_arrives(&items[..1], 1, &[how], &["printf", "%s", "{#}: ${} $(NO) $$<{}>"], around);
    }
}

/// Generates items that the kubelet can read from a file.
fn generate_plain() -> Vec<Vec<u8>> {
    generate(250, |item| {
        !item.is_empty() && std::str::from_utf8(item).is_ok() && !item.iter().any(|byte| b"'\r\n".contains(byte))
    })
}

#[test]
fn items_that_the_kubelet_can_read_arrive_without_a_shell() {
    let plain = generate_plain();
    let whole = |item: &[u8]| item.to_vec();
    assert_arrives(&plain, 1, &["--no-shell"], &["printf", "%s", "{}"], whole);
    assert_arrives(&plain, 1, &["--no-shell", "--item-as=env"], &["printenv", "ITEM"], |item| [item, b"\n"].concat());
    assert_arrives(&plain, 1, &["--no-shell", "--item-store=inline"], &["printf", "%s", "-{}$"], |item| {
        [b"-", item, b"$"].concat()
    });
}

/// In lists of more than a thousand items, many share a key, and an init container picks one.
#[test]
fn long_lists_arrive() {
    let any = generate(1700, |_| true);
    let whole = |item: &[u8]| item.to_vec();
    assert_arrives(&any, 7, &[], &["cat"], whole);
    assert_arrives(&any, 7, &["--item-as=stdin", "--item-path", "/work/in"], &["cat"], whole);
    assert_arrives(&any, 7, &[], &["printf", "%s", "{}"], whole);
    let base = |item: &[u8]| [b"/", item, b"/"].concat();
    let slashed: Vec<_> = any.iter().map(|item| base(item)).collect();
    assert_arrives(&slashed, 7, &[], &["sh", "-c", "printf %s {//}"], |item| {
        let folder = &item[..item.len() - 1];
        let end = folder.iter().rposition(|&byte| byte == b'/').unwrap();
        if end == 0 { b"/".to_vec() } else { folder[..end].to_vec() }
    });
    let large: Vec<_> = any.iter().map(|item| [item, &b"large"[..]].concat().repeat(140)).collect();
    assert_arrives(&large, 17, &[], &["cat"], whole);
    assert_arrives(&large, 17, &["--item-as=env"], &["sh", "-c", "printf %s \"$ITEM\""], whole);
}
