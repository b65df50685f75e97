use insta::assert_snapshot;
use serde_json::json;

use super::*;

fn file(text: &str) -> Result<Vec<ConfiguredValue>, Error> {
    from_file("c.yaml", text)
}

fn environment(pairs: &[(&str, &str)]) -> Result<Vec<ConfiguredValue>, Error> {
    from_environment(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

fn describe_values(entries: &[ConfiguredValue]) -> Vec<String> {
    entries.iter().map(|entry| format!("{}={} ({})", entry.setting.name, entry.value, entry.origin)).collect()
}

fn refusal(read: Result<Vec<ConfiguredValue>, Error>) -> String {
    let error = read.unwrap_err();
    assert_eq!(error.exit() as u8, 2);
    format!("{error} | {}", error.hints().join(" | "))
}

#[test]
fn a_file_is_read_with_its_lines() {
    let text = "# mine\nimage: busybox\n\nlabel:\n  team: vision\n  gpu: true\ntoleration: [a:NoSchedule, 'b=c:NoExecute']\n\
                retries: 2\nplain: true\nqueue:\n";
    assert_eq!(
        describe_values(&file(text).unwrap()),
        [
            "image=busybox (c.yaml, line 2)",
            "label=team=vision (c.yaml, line 4)",
            "label=gpu=true (c.yaml, line 4)",
            "toleration=a:NoSchedule (c.yaml, line 7)",
            "toleration=b=c:NoExecute (c.yaml, line 7)",
            "retries=2 (c.yaml, line 8)",
            "plain=true (c.yaml, line 9)",
        ]
    );
    for empty in ["", "\n# nothing\n", "{}"] {
        assert_eq!(file(empty).unwrap(), [], "{empty:?}");
    }
}

#[test]
fn an_error_names_its_line() {
    let texts = [
        "image: a\nlable: {a: b}",
        "zebra: 1",
        "retries: two",
        "parallelism: 0",
        "ttl: soon",
        "prefix: indx",
        "image: [a]",
        "label: a",
        "label: {a: [b]}",
        "toleration: a:NoSchedule",
        "toleration: [a]",
        "memory: lots",
        "max-log-requests: 0",
        "plain: maybe",
        "image: a\nimage: b",
        "- image",
        "image: [",
    ];
    let refusals: Vec<_> = texts.iter().map(|text| refusal(file(text))).collect();
    assert_snapshot!(refusals.join("\n"), @r#"
    c.yaml, line 2: there is no setting "lable" | did you mean label?
    c.yaml, line 1: there is no setting "zebra" | kubectl indexed config lists the settings
    c.yaml, line 1: retries "two" is not a whole number | 
    c.yaml, line 1: --parallelism 0 would run nothing | use --parallelism 1 or more
    c.yaml, line 1: --ttl "soon" is not a duration such as 90s, 10m or 2h | write it as --ttl 10m
    c.yaml, line 1: prefix "indx" is not one of auto, index, pod, none | did you mean index?
    c.yaml, line 1: image takes one value, but is a list | write image: registry.example.com/tools:1.4
    c.yaml, line 1: label takes a map, but is a single value | write label: {team: vision}
    c.yaml, line 1: label has a key without one value | write label: {team: vision}
    c.yaml, line 1: toleration takes a list of values, but is a single value | write toleration: ["dedicated=batch:NoSchedule"]
    c.yaml, line 1: --toleration "a" lacks an effect | write it as KEY:EFFECT or KEY=VALUE:EFFECT, as in gpu=true:NoSchedule
    c.yaml, line 1: --memory "lots" is not a Kubernetes quantity | write it as 512Mi, 2Gi or 512Mi:2Gi
    c.yaml, line 1: max-log-requests "0": 0 is not in 1..=65535 | 
    c.yaml, line 1: plain "maybe" is not one of true, false | 
    c.yaml can't be read as YAML: duplicate mapping key: image, set DuplicateKeyPolicy in Options if acceptable at line 2, column 1 | kubectl indexed config --example prints a file to start from
    c.yaml can't be read as YAML: invalid type: sequence, expected lines such as `image: busybox` | kubectl indexed config --example prints a file to start from
    c.yaml can't be read as YAML: unclosed bracket '[' at line 1, column 8 | kubectl indexed config --example prints a file to start from
    "#);
}

#[test]
fn variables_use_the_parsers_of_the_flags() {
    let read = environment(&[
        ("KUBECTL_INDEXED_LABEL", r#"team=vision,"note=a,b""#),
        ("KUBECTL_INDEXED_INIT_IMAGE", "busybox"),
        ("KUBECTL_INDEXED_RETRIES", ""),
        // A Pod has these of a Service that is called so.
        ("KUBECTL_INDEXED_PORT", "tcp://10.0.0.1:443"),
        ("KUBECTL_INDEXED_SERVICE_HOST", "10.0.0.1"),
        ("HOME", "/"),
    ]);
    assert_eq!(
        describe_values(&read.unwrap()),
        [
            "init-image=busybox (the variable KUBECTL_INDEXED_INIT_IMAGE)",
            "label=team=vision (the variable KUBECTL_INDEXED_LABEL)",
            "label=note=a,b (the variable KUBECTL_INDEXED_LABEL)",
        ]
    );
    let refusals = [("IMAGES", "a"), ("LABEL", "a"), ("RETRIES", "-1"), ("ITEM_STORE", "disk")]
        .map(|(name, value)| refusal(environment(&[(&format!("{VARIABLES}{name}"), value)])));
    assert_snapshot!(refusals.join("\n"), @r#"
    there is no setting for the variable KUBECTL_INDEXED_IMAGES | did you mean KUBECTL_INDEXED_IMAGE?
    the variable KUBECTL_INDEXED_LABEL: label "a": write it as KEY=VALUE | 
    the variable KUBECTL_INDEXED_RETRIES: retries "-1": -1 is not in 0..=4294967295 | 
    the variable KUBECTL_INDEXED_ITEM_STORE: item-store "disk" is not one of auto, inline, configmap |
    "#);
}

#[test]
fn a_stronger_source_replaces_values_and_merges_maps() {
    let weaker = file("image: a\nlabel: {x: 1, y: 1}\ntoleration: [a:NoSchedule, b:NoSchedule]\nttl: 1h").unwrap();
    let stronger = environment(&[
        ("KUBECTL_INDEXED_IMAGE", "b"),
        ("KUBECTL_INDEXED_LABEL", "y=2,z=2"),
        ("KUBECTL_INDEXED_TOLERATION", "c:NoSchedule"),
    ]);
    let all = merge(stronger.unwrap(), weaker);
    let mut values: Vec<_> = all.iter().map(|entry| entry.value.as_str()).collect();
    values.sort_unstable();
    assert_eq!(values, ["1h", "b", "c:NoSchedule", "x=1", "y=2", "z=2"]);
}

/// One template for each setting with a field.
#[test]
fn a_template_field_overrides_its_setting() {
    let template = |spec: Value| json!({"spec": {"template": {"spec": spec}}});
    let worker = |field: &str, value: Value| template(json!({"containers": [{"name": "w", field: value}]}));
    let job = |field: &str, value: Value| json!({"spec": {field: value}});
    let cases = [
        ("image: a", worker("image", json!("b"))),
        ("image-pull-policy: Always", worker("imagePullPolicy", json!("Never"))),
        ("cpu: 1", worker("resources", json!({"limits": {"cpu": 2}}))),
        ("memory: 1Gi", worker("resources", json!({"requests": {"memory": "2Gi"}}))),
        ("parallelism: 2", job("parallelism", json!(3))),
        ("retries: 2", job("backoffLimitPerIndex", json!(3))),
        ("retries: 2", job("backoffLimit", json!(3))),
        ("retries: 2", template(json!({"restartPolicy": "OnFailure"}))),
        ("max-evictions: 2", job("podFailurePolicy", json!({"rules": []}))),
        ("max-failed: 2", job("maxFailedIndexes", json!(3))),
        ("timeout: 2h", job("activeDeadlineSeconds", json!(3))),
        ("ttl: 2h", job("ttlSecondsAfterFinished", json!(0))),
        ("index-timeout: 2h", template(json!({"activeDeadlineSeconds": 3}))),
        ("service-account: a", template(json!({"serviceAccountName": "b"}))),
        ("priority-class: a", template(json!({"priorityClassName": "b"}))),
        ("image-pull-secret: [a]", template(json!({"imagePullSecrets": [{"name": "b"}]}))),
        ("toleration: ['a:NoSchedule']", template(json!({"tolerations": [{"key": "b"}]}))),
        ("node-selector: {a: b}", template(json!({"nodeSelector": {"a": "c"}}))),
        ("label: {a: b}", json!({"metadata": {"labels": {"a": "c"}}})),
        ("annotation: {a: b}", json!({"spec": {"template": {"metadata": {"annotations": {"a": "c"}}}}})),
        ("queue: a", json!({"metadata": {"labels": {"kueue.x-k8s.io/queue-name": "b"}}})),
    ];
    for (text, base) in &cases {
        let entries = file(text).unwrap();
        assert_eq!(without_template_fields(&entries, None).count(), 1);
        assert_eq!(
            without_template_fields(&entries, Some(&json!({}))).count(),
            1,
            "{text} applies if the template does not set it"
        );
        assert_eq!(without_template_fields(&entries, Some(base)).count(), 0, "{text} is overridden by {base}");
    }
    let other = file("label: {x: y}\nnode-selector: {x: y}").unwrap();
    let base =
        json!({"metadata": {"labels": {"a": "c"}}, "spec": {"template": {"spec": {"nodeSelector": {"a": "c"}}}}});
    assert_eq!(without_template_fields(&other, Some(&base)).count(), 2, "another key of a map is not overridden");
    let fields: std::collections::BTreeSet<_> = cases.iter().map(|(text, _)| text.split(':').next().unwrap()).collect();
    for setting in SETTINGS.iter() {
        assert_eq!(fields.contains(setting.name.as_str()), setting.declared.fields != TemplateFields::None);
    }
}
