//! Runs the script of the init container.

use std::process::Command;

use super::*;
use crate::contract::{INDEX_VARIABLE, INPUT_DIR};
use crate::manifest::scripts::{ITEMS_DIR, LIST_DIR, init_script};
use crate::spec::stores::{ItemStore, ListDigest};

/// Runs the script for index 1 of a shared list with these files, and returns the container's log.
fn log_of_init_container(key: Option<&str>, digest: &ListDigest, files: &[(&str, &str)]) -> String {
    let spec = resolve_line(&words("run --items a,b -- rev"), None).unwrap();
    let (config_map, key) = ("list".to_owned(), key.map(str::to_owned));
    let store = ItemStore::Listed { config_map, key, crlf: false, digest: digest.clone() };
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let path = folder.path().to_str().unwrap();
    let script = init_script(&spec.handover, &store, &[]);
    let script = [ITEMS_DIR, LIST_DIR, INPUT_DIR].iter().fold(script, |script, dir| script.replace(dir, path));
    let output = Command::new("sh").args(["-c", &script]).env(INDEX_VARIABLE, "1").output().unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.success(), log.is_empty(), "{log}");
    log
}

#[test]
fn a_changed_list_fails_the_init_container_with_a_message() {
    let lines = ListDigest::of_lines(b"a\nb\n", 2);
    let log = |files: &[(&str, &str)]| log_of_init_container(Some("k"), &lines, files);
    assert_eq!(log(&[("k", "a\nb\nc\n")]), "");
    insta::assert_snapshot!(log(&[("k", "a\nc\n")]), @"configmap list/k has changed since the Job was created: the first 2 items differ");
    insta::assert_snapshot!(log(&[("l", "a\nb\n")]), @"configmap list/k has changed since the Job was created: key k is missing");

    let entries = [("0", "a"), ("1", "b")].map(|(key, text)| (key.to_owned(), text.as_bytes().to_vec()));
    let keys = ListDigest::of_keys(&entries.into(), 2);
    let log = |files: &[(&str, &str)]| log_of_init_container(None, &keys, files);
    assert_eq!(log(&[("0", "a"), ("1", "b"), ("2", "c")]), "");
    insta::assert_snapshot!(log(&[("0", "a"), ("1", "c")]), @"configmap list has changed since the Job was created: the first 2 items differ");
    insta::assert_snapshot!(log(&[("0", "a")]), @"configmap list has changed since the Job was created: key 1 is missing");
}
