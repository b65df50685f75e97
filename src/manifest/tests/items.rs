//! Tests that write items into a manifest and read them back.

use std::collections::BTreeMap;

use super::*;
use crate::spec::items::Item;

#[test]
fn items_of_the_manifest_of_the_documentation_are_read() {
    let script = "items=(foo bar 'b z')\necho ${items[$JOB_COMPLETION_INDEX]} > /input/data.txt\n";
    let job: Job = from_value(json!({
        "metadata": {"name": "indexed-job"},
        "spec": {"completions": 3, "template": {"spec": {
            "initContainers": [{"name": "input", "image": "bash", "command": ["bash", "-c", script]}],
            "containers": [{"name": "worker"}],
        }}},
    }))
    .unwrap();
    let expected: BTreeMap<u32, String> = (0..).zip(["foo", "bar", "b z"].map(str::to_owned)).collect();
    let ItemSource::Inline(list) = item_source(&job) else { panic!("no list") };
    assert_eq!(texts(&job, list.items()), expected);
    assert_eq!(list.stored(&"0,2".parse().unwrap()), [b"foo".to_vec(), b"b z".to_vec()]);
}

#[test]
fn yaml_1_1_reads_the_same_values() {
    // Without quotes, some reader parses each of these as something other than a string.
    for tricky in
        ["no", "y", "on", "~", "null", "012", "0o7", "1e3", "1_000", "1:30", "2001-01-01", "<<", "=", "", " x"]
    {
        let text = yaml::documents(&[json!({"data": {"0": tricky}})]).unwrap();
        assert!(text.contains(&format!("\"{tricky}\"")) || text.contains(&format!("'{tricky}'")), "{tricky:?}: {text}");
    }
    for lines in ["a\nb", "a\nb\n", "\ta\nb\n", "\n\ta\n", "  a\nb", "a\r\nb", "#x\ny", "\u{7}\n\u{1b}"] {
        let text = yaml::documents(&[json!({"data": {"0": lines}})]).unwrap();
        let back: Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(back["data"]["0"], lines, "{text}");
    }
}

/// Items with the special characters of shells, YAML and Kubernetes.
fn item() -> impl Strategy<Value = Vec<u8>> {
    let telling = proptest::sample::select(vec![
        "'",
        "\"",
        "$",
        "$$",
        "$(HOME)",
        "$(JOB_COMPLETION_INDEX)",
        "`id`",
        "\\",
        "\n",
        "\t",
        " ",
        "-n",
        "#",
        "~",
        "*",
        "é",
        "🦀",
        ";",
        "&",
        "|",
        "(",
        ")",
        "{}",
        "%s",
        "\r",
        "\u{1b}",
    ]);
    let text = proptest::collection::vec(telling, 0..8).prop_map(|parts| parts.concat().into_bytes());
    prop_oneof![text, proptest::collection::vec(1u8.., 0..12)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Builds objects from a list, writes and parses their YAML, and reads the items back.
    #[test]
    fn built_items_are_read_back(
        list in proptest::collection::vec(item(), 1..12),
        flags in proptest::sample::select(vec![
            "",
            "--item-store=inline",
            "--item-as env",
            "--item-as env --item-store=inline",
            "--item-as stdin",
            "--item-as index",
            "--item-as arg --compat parallel,hyperqueue",
        ]),
        command in proptest::sample::select(vec!["rev", "rev {}", "rev {/.} {//}", "sh -c {}"]),
    ) {
        let input: Vec<u8> = list.iter().flat_map(|item| [item, &b"\0"[..]].concat()).collect();
        let line = format!("run --items-file - -0 {flags} -- {command}");
        // Inline refuses some items.
        let Ok(resolved) = resolve_all(&words(&line), None, &input) else { return Ok(()) };
        prop_assert_eq!(read_back(&resolved.spec), (0..).zip(resolved.spec.items.displays()).collect());
    }

    /// Does the same for the columns of a table.
    #[test]
    fn columns_are_read_back(
        rows in proptest::collection::vec(("[a-z'\" $,]{0,9}", "[a-z\\\\]{0,9}"), 1..9),
        command in proptest::sample::select(vec!["rev", "rev {}", "rev {b}", "rev {2/.} {a}"]),
    ) {
        let rows_of_table = rows.iter().map(|(a, b)| format!("\"{}\",\"{b}\"", a.replace('"', "\"\"")));
        let table = rows_of_table.collect::<Vec<_>>().join("\n");
        let line = format!("run --items-file t.csv -- {command}");
        let resolved = resolve_all(&words(&line), None, format!("a,b\n{table}").as_bytes()).unwrap();
        let expected = rows.iter().map(|(a, b)| format!("a={a} b={b}"));
        prop_assert_eq!(read_back(&resolved.spec), (0..).zip(expected).collect());
    }
}

#[test]
fn numbers_of_json_are_read_back_as_they_were_written() {
    let lines = b"{\"v\":1e3,\"w\":1.50,\"big\":123456789012345678901234,\"neg\":-0,\"no\":null,\"s\":\"1.0\"}";
    for command in ["rev", "echo {}", "echo {v} {w} {big}"] {
        let resolved = resolve_all(&words(&format!("run -a n.jsonl -- {command}")), None, lines).unwrap();
        let items = read_back(&resolved.spec);
        assert_eq!(items[&0], "v=1e3 w=1.50 big=123456789012345678901234 neg=-0 no= s=1.0", "{command}");
    }
}

fn texts(job: &Job, items: impl IntoIterator<Item = (u32, Item)>) -> BTreeMap<u32, String> {
    let columns = item_columns(job);
    items.into_iter().map(|(index, item)| (index, item.display(&columns))).collect()
}

/// The items that are found in the objects of a Job alone.
fn read_back(spec: &JobSpec) -> BTreeMap<u32, String> {
    let manifest = build(spec).unwrap();
    let job: Job = serde_saphyr::from_str(&yaml::documents(&[manifest.job]).unwrap()).unwrap();
    let listing = match item_source(&job) {
        ItemSource::Inline(list) => return texts(&job, list.items()),
        ItemSource::ConfigMaps(listing) => listing,
        ItemSource::Unknown => return BTreeMap::new(),
    };
    let wanted = IndexSet::below(spec.completions);
    let mut items = BTreeMap::new();
    for name in listing.config_maps(&wanted) {
        let object = manifest.config_maps.iter().find(|object| object["metadata"]["name"] == name).unwrap();
        let config_map: ConfigMap =
            serde_saphyr::from_str(&yaml::documents(std::slice::from_ref(object)).unwrap()).unwrap();
        items.extend(texts(&job, listing.items(config_map, &wanted)));
    }
    items
}

#[test]
fn long_lists_are_packed_and_read_back_in_part() {
    for (count, length, maps) in [(1001, 10, 1), (2500, 900, 1), (1200, 10_000, 1), (1000, 5000, 5)] {
        let item = |index: usize| format!("{index}\n\\0{}", "ab'".repeat(length / 3));
        let input: Vec<u8> = (0..count).flat_map(|index| format!("{}\0", item(index)).into_bytes()).collect();
        let spec = resolve_all(&words("run --items-file - -0 -- rev"), None, &input).unwrap().spec;
        let manifest = build(&spec).unwrap();
        assert_eq!(manifest.config_maps.len(), maps, "{count} items of {length} bytes");
        for config_map in &manifest.config_maps {
            assert!(config_map.to_string().len() < 3 << 19, "within what a server takes");
        }
        let job: Job = from_value(manifest.job).unwrap();
        let ItemSource::ConfigMaps(listing) = item_source(&job) else { panic!("no list") };
        let wanted: IndexSet = format!("0,{}", count - 1).parse().unwrap();
        let names: Vec<_> = listing.config_maps(&wanted).collect();
        assert_eq!(names.len(), maps.min(2));
        let mut items = BTreeMap::new();
        for name in names {
            let object = manifest.config_maps.iter().find(|object| object["metadata"]["name"] == name).unwrap();
            items.extend(texts(&job, listing.items(from_value(object.clone()).unwrap(), &wanted)));
        }
        assert_eq!(items, wanted.iter().map(|index| (index, item(index as usize))).collect());
    }
}

#[test]
fn a_list_that_is_too_long_is_an_error_with_hints() {
    let refused = |input: &[u8]| {
        let spec = resolve_all(&words("run --items-file - -0 -- rev"), None, input).unwrap().spec;
        error_text(&build(&spec).unwrap_err())
    };
    let item = format!("{}\0", "a".repeat(20_000));
    insta::assert_snapshot!(refused(item.repeat(900).as_bytes()), @"
    the list is too long: the first 832 of its 900 items fill the 16 ConfigMaps of 1 MiB that one Job may have
    hint: split it into runs of at most 832 items with --skip and --first
    hint: or put large inputs into a volume or a bucket, and pass their names as items
    ");
    let large = [b"one\0".to_vec(), vec![b'x'; 1 << 20]].concat();
    let spec = resolve_all(&words("run --items-file - -0 -- rev"), None, &large).unwrap().spec;
    assert_eq!(build(&spec).unwrap().config_maps.len(), 2, "the largest possible item has its own ConfigMap");
    // On a line, each backslash takes two bytes.
    let line = "run --items-file - -0 --item-as=stdin --item-store=configmap -- rev";
    let many = [vec![b'\\'; 1 << 20], b"\0".repeat(1001)].concat();
    let error = resolve_all(&words(line), None, &many).unwrap_err();
    insta::assert_snapshot!(error_text(&error), @"
    item 0 takes 2097153 bytes, and a ConfigMap holds 1048576
    hint: put large inputs into a volume or a bucket, and pass their names as items
    ");
}

#[test]
fn a_list_that_may_have_changed_is_detected() {
    use crate::manifest::read::may_have_changed;
    let job: Job = from_value(json!({
        "metadata": {"name": "x", "uid": "u", "creationTimestamp": "2026-05-01T12:00:00Z"}
    }))
    .unwrap();
    let changed = |created: &str, changed: &str, more: Value| {
        let mut list = json!({"metadata": {
            "creationTimestamp": created, "managedFields": [{"time": created}, {"time": changed}]
        }});
        crate::manifest::merge::merge(&mut list, more);
        may_have_changed(&from_value(list).unwrap(), &job)
    };
    let (before, after) = ("2026-05-01T11:00:00Z", "2026-05-01T13:00:00Z");
    assert!(!changed(before, before, json!({})));
    assert!(changed(before, after, json!({})));
    assert!(changed(after, after, json!({"immutable": true})), "another ConfigMap of the same name is possible");
    let owned =
        json!({"metadata": {"ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "x", "uid": "u"}]}});
    assert!(changed(after, after, owned.clone()));
    let mut own = owned;
    own["immutable"] = json!(true);
    assert!(!changed(after, after, own));
    let brought = json!({"immutable": true, "metadata": {"labels": {"kubectl-indexed/items-of": "x"}}});
    assert!(!changed(after, after, brought));
}
