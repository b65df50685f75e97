use std::process::Command;

use super::*;
use crate::contract::{INDEX_VARIABLE, ORIGINAL};
use crate::manifest;
use crate::spec::Requirement;
use crate::spec::retry::ResourceChange;
use crate::spec::tests::resolve_all;

/// A stored Job in the form of the documentation, with fields that this program does not know.
fn stored() -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {
            "name": "rev", "namespace": "n", "uid": "u-rev", "resourceVersion": "7", "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["x"], "ownerReferences": [{"kind": "CronJob"}],
            "labels": {"team": "vision", "app.kubernetes.io/instance": "rev", "job-name": "rev"},
            "annotations": {
                "note": "kept", "kubectl.kubernetes.io/last-applied-configuration": "{}",
                "kubectl-indexed/submission": "token",
            },
        },
        "spec": {
            "completions": 50, "parallelism": 10, "completionMode": "Indexed", "suspend": false,
            "manualSelector": false, "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "u-rev"}},
            "backoffLimitPerIndex": 0, "maxFailedIndexes": 20, "newField": {"a": 1},
            "template": {
                "metadata": {
                    "creationTimestamp": null,
                    "labels": {"team": "vision", "controller-uid": "u-rev", "kueue.x-k8s.io/podset": "main"},
                    "annotations": {"kueue.x-k8s.io/workload": "job-rev-3dad8"},
                },
                "spec": {
                    "restartPolicy": "Never", "newPodField": [1],
                    "initContainers": [{"name": "input", "image": "bash", "command": ["bash", "-c", "pick"]}],
                    "containers": [{
                        "name": "worker", "image": "busybox", "command": ["rev"], "args": ["/input/data.txt"],
                        "resources": {"requests": {"memory": "512Mi", "cpu": "500m"}, "limits": {"memory": "1Gi"}},
                        "env": [{"name": "A", "value": "a"}],
                    }],
                },
            },
        },
        "status": {"completedIndexes": "0-2"},
    })
}

fn plan(indexes: &str) -> RetryPlan {
    let indexes: IndexSet = indexes.parse().unwrap();
    RetryPlan {
        name: "rev-r1".to_owned(),
        family: Lineage {
            root: "rev".to_owned(),
            root_uid: "u-rev".to_owned(),
            completions: 50,
            succeeded: IndexSet::below(50).difference(&indexes),
            failed: indexes.clone(),
        },
        indexes,
        minor: 36,
        changes: Changes::default(),
    }
}

fn built(stored: &Value, plan: &RetryPlan) -> Value {
    build(stored, &[], plan).unwrap().0.job
}

fn refused(stored: &Value, plan: &RetryPlan) -> String {
    build(stored, &[], plan).unwrap_err().to_string()
}

fn worker(job: &Value) -> &Value {
    &job["spec"]["template"]["spec"]["containers"][0]
}

/// Runs the script of the init container for a new index, and returns the file that it writes.
fn original_index_file(job: &Value, own: u32) -> String {
    let init = &job["spec"]["template"]["spec"]["initContainers"][0];
    let words: Vec<_> = init["command"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    let folder = tempfile::tempdir().unwrap();
    let script = super::super::scripts::unescape_expansion(words[2]);
    let script = script.replace(crate::contract::ORIGINAL_DIR, folder.path().to_str().unwrap());
    let mut command = Command::new(words[0]);
    command.args([words[1], &script]).args(&words[3..]).env(INDEX_VARIABLE, own.to_string());
    assert!(command.status().unwrap().success());
    std::fs::read_to_string(folder.path().join("index.env")).unwrap()
}

#[test]
fn a_retry_changes_no_other_field() {
    let job = built(&stored(), &plan("3,7,20-24"));
    assert_eq!(
        job["metadata"],
        json!({
            "name": "rev-r1", "namespace": "n",
            "labels": {"team": "vision", "app.kubernetes.io/instance": "rev-r1", "kubectl-indexed/family": "u-rev"},
            "annotations": {
                "note": "kept",
                "kubectl-indexed/family-root": "rev", "kubectl-indexed/family-completions": "50",
                "kubectl-indexed/retry-of": "rev/u-rev", "kubectl-indexed/original-indexes": "3,7,20-24",
                "kubectl-indexed/succeeded-before": "0-2,4-6,8-19,25-49", "kubectl-indexed/failed-before": "3,7,20-24",
            },
        })
    );
    let mut spec = job["spec"].clone();
    let template = spec.as_object_mut().unwrap().remove("template").unwrap();
    assert_eq!(
        spec,
        json!({
            "completions": 7, "parallelism": 7, "completionMode": "Indexed", "backoffLimitPerIndex": 0,
            "maxFailedIndexes": 7, "newField": {"a": 1},
        })
    );
    assert_eq!(template["metadata"], json!({"labels": {"team": "vision"}, "annotations": {}}));
    assert_eq!(template["spec"]["newPodField"], json!([1]));
    assert_eq!(worker(&job)["command"], json!(["rev"]));
    assert_eq!(job.get("status"), None);
}

#[test]
fn every_container_but_the_first_sees_the_original_index() {
    let job = built(&stored(), &plan("3,7,20-24"));
    let source = json!({"fileKeyRef": {"volumeName": ORIGINAL, "path": "index.env", "key": INDEX_VARIABLE}});
    let variable = json!({"name": INDEX_VARIABLE, "valueFrom": source});
    let inits = &job["spec"]["template"]["spec"]["initContainers"];
    assert_eq!(inits[0].get("env"), None);
    assert_eq!(inits[0]["image"], "bash", "an image that is pulled anyway, and has a shell");
    assert_eq!(inits[1]["env"], json!([variable]));
    assert_eq!(worker(&job)["env"], json!([{"name": "A", "value": "a"}, variable]));
    let all: Vec<_> = (0..7).map(|own| original_index_file(&job, own)).collect();
    let line = |index: u32| format!("JOB_COMPLETION_INDEX='{index}'\n");
    assert_eq!(all, [3, 7, 20, 21, 22, 23, 24].map(line));
}

#[test]
fn the_size_of_the_index_set_is_limited() {
    let scattered: IndexSet = (0..20_000).map(|index| index * 2).collect();
    let mut plan = plan("0");
    plan.family.completions = 40_000;
    plan.indexes = scattered;
    assert!(refused(&stored(), &plan).starts_with("too many separate ranges of indexes"));
    plan.indexes = (10_000..17_000).map(|index| index * 2).collect();
    let job = built(&stored(), &plan);
    assert_eq!(original_index_file(&job, 0), "JOB_COMPLETION_INDEX='20000'\n");
    assert_eq!(original_index_file(&job, 6_999), "JOB_COMPLETION_INDEX='33998'\n");
}

#[test]
fn a_retry_of_a_retry_has_one_init_container_for_the_index() {
    let mut first = built(&stored(), &plan("3,7,20-24"));
    first["metadata"]["uid"] = json!("u-r1");
    let second = RetryPlan { name: "rev-r2".to_owned(), ..plan("7,22") };
    let second = built(&first, &second);
    assert_eq!(
        [original_index_file(&second, 0), original_index_file(&second, 1)],
        ["JOB_COMPLETION_INDEX='7'\n", "JOB_COMPLETION_INDEX='22'\n"]
    );
    assert_eq!(second["metadata"]["annotations"]["kubectl-indexed/retry-of"], "rev-r1/u-r1");
    let (mut first, mut second) = (first["spec"]["template"].clone(), second["spec"]["template"].clone());
    for template in [&mut first, &mut second] {
        template["spec"]["initContainers"][0]["command"] = json!("as it was, but for the indexes");
    }
    assert_eq!(second, first);
}

fn index_field() -> Value {
    json!({"fieldRef": {"fieldPath": "metadata.annotations['batch.kubernetes.io/job-completion-index']"}})
}

#[test]
fn downward_api_volumes_with_nothing_but_the_index_are_replaced() {
    let mut job = stored();
    let pod = &mut job["spec"]["template"]["spec"];
    pod["containers"][0]["env"] = json!([{"name": "MY_INDEX", "valueFrom": index_field()}]);
    pod["containers"][0]["volumeMounts"] = json!([{"name": "i", "mountPath": "/i"}]);
    let file = |path: &str| {
        let mut item = index_field();
        item["path"] = json!(path);
        item
    };
    pod["volumes"] = json!([{"name": "i", "downwardAPI": {"items": [file("data.txt")]}}]);
    let replaced = built(&job, &plan("3"));
    assert_eq!(worker(&replaced)["env"][0]["valueFrom"]["fileKeyRef"]["key"], INDEX_VARIABLE);
    assert_eq!(worker(&replaced)["volumeMounts"][0]["readOnly"], true);
    assert_eq!(replaced["spec"]["template"]["spec"]["volumes"][1], json!({"name": "i", "emptyDir": {}}));
    let script = replaced["spec"]["template"]["spec"]["initContainers"][0]["command"][2].as_str().unwrap();
    assert!(script.ends_with("printf %s \"$index\" > /original-index-i/data.txt\n"), "{script}");

    let other = json!({"path": "name", "fieldRef": {"fieldPath": "metadata.name"}});
    job["spec"]["template"]["spec"]["volumes"] =
        json!([{"name": "i", "downwardAPI": {"items": [file("data.txt"), other]}}]);
    assert!(refused(&job, &plan("3")).contains("also holds other fields of the Pod"));
    job["spec"]["template"]["spec"]["volumes"] =
        json!([{"name": "i", "projected": {"sources": [{"downwardAPI": {"items": [file("data.txt")]}}]}}]);
    assert!(refused(&job, &plan("3")).contains("projects the index together with other files"));
}

#[test]
fn changes_apply_to_the_worker() {
    let mut plan = plan("3");
    plan.changes = Changes {
        image: Some("other".to_owned()),
        cpu: Some(ResourceChange::Times(1500)),
        memory: Some(ResourceChange::Times(2000)),
        retries: Some(2),
        command: Some(vec!["fixed".to_owned(), "{}".to_owned()]),
        ..Changes::default()
    };
    let job = built(&stored(), &plan);
    let worker = worker(&job);
    assert_eq!(worker["image"], "other");
    assert_eq!(
        worker["resources"],
        json!({"requests": {"memory": "1024Mi", "cpu": "750m"}, "limits": {"memory": "2Gi"}})
    );
    // A Job that another tool created has no item form: the words are used as they are.
    assert_eq!((&worker["command"], worker.get("args")), (&json!(["fixed", "{}"]), None));
    assert_eq!(job["spec"]["backoffLimitPerIndex"], 2);
    let mut bare = stored();
    bare["spec"]["template"]["spec"]["containers"][0]["resources"] = json!({});
    assert_eq!(refused(&bare, &plan), "the worker has no cpu request or limit to multiply");
    plan.changes.cpu = Some(ResourceChange::To(Requirement { request: "2".to_owned(), limit: None }));
    plan.changes.memory = None;
    bare["spec"]["template"]["spec"]["restartPolicy"] = json!("OnFailure");
    assert!(refused(&bare, &plan).starts_with("--retries 2 needs restartPolicy: Never"));
}

#[test]
fn a_success_policy_keeps_its_unmet_part() {
    let rules = |rules: Value, indexes: &str| {
        let mut job = stored();
        job["spec"]["successPolicy"] = json!({"rules": rules});
        built(&job, &plan(indexes))["spec"].get("successPolicy").map(|policy| policy["rules"].clone())
    };
    assert_eq!(rules(json!([{"succeededIndexes": "0-9"}]), "3,7,20"), Some(json!([{"succeededIndexes": "0,1"}])));
    assert_eq!(rules(json!([{"succeededCount": 48}]), "3,7,20"), Some(json!([{"succeededCount": 1}])));
    assert_eq!(
        rules(json!([{"succeededIndexes": "0-9", "succeededCount": 9}]), "3,7,20"),
        Some(json!([{"succeededIndexes": "0,1", "succeededCount": 1}]))
    );
    assert_eq!(rules(json!([{"succeededCount": 40}]), "3,7,20"), None, "it is met already");
}

/// Builds the retry of index 1 of a run with another command, with its ConfigMaps and warnings.
fn corrected_by(line: &[&str], file: &[u8], minor: u32, command: &[&str]) -> Result<(Manifest, Vec<String>), Error> {
    let Manifest { mut job, config_maps } = manifest::build(&resolve_all(line, None, file)?.spec)?;
    job["metadata"]["uid"] = json!("u");
    let mut plan = RetryPlan { name: "r1".to_owned(), minor, ..plan("1") };
    plan.family.completions = u32::try_from(job["spec"]["completions"].as_u64().unwrap()).unwrap();
    plan.family.succeeded = IndexSet::below(1);
    plan.changes.command = Some(command.iter().map(|word| (*word).to_owned()).collect());
    build(&job, &config_maps, &plan)
}

/// Does the same for a table of two columns, and prints the worker's command, its mounts and the stored items.
fn corrected(flags: &str, command: &[&str]) -> String {
    let line: Vec<_> = format!("run j -a t.csv {flags}").split_whitespace().map(str::to_owned).collect();
    let line: Vec<_> = line.iter().map(String::as_str).collect();
    let file = b"name,size\na a,1.50\nb'b,2\n";
    match corrected_by(&line, file, 36, command) {
        Ok((Manifest { job, config_maps }, warnings)) => {
            let worker = worker(&job);
            let mount = |mount: &Value| format!("{}={}", mount["name"], mount["mountPath"]).replace('"', "");
            let mounts = worker["volumeMounts"].as_array().into_iter().flatten().map(mount);
            let data: Vec<_> = config_maps.iter().map(|map| map["data"].to_string()).collect();
            let parts = [worker["command"].to_string(), mounts.collect::<Vec<_>>().join(" "), data.join(" ")];
            parts.into_iter().chain(warnings).collect::<Vec<_>>().join("\n")
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_corrected_command_gets_its_item_in_the_same_form() {
    insta::assert_snapshot!(corrected("-- rev", &["wc", "-c"]), @r#"
    ["wc","-c","/input/data.txt"]
    input=/input/data.txt
    {"0":"{\"name\":\"a a\",\"size\":\"1.50\"}","1":"{\"name\":\"b'b\",\"size\":\"2\"}"}
    "#);
    insta::assert_snapshot!(corrected("--item-path /in/it -- rev", &["wc", "-c", "/in/it"]), @r#"
    ["wc","-c","/in/it"]
    input=/in/it
    {"0":"{\"name\":\"a a\",\"size\":\"1.50\"}","1":"{\"name\":\"b'b\",\"size\":\"2\"}"}
    "#);
    insta::assert_snapshot!(corrected("--item-as file -- rev", &["wc", "{}"]), @r#"
    ["wc","{}","/input/data.txt"]
    input=/input/data.txt
    {"0":"{\"name\":\"a a\",\"size\":\"1.50\"}","1":"{\"name\":\"b'b\",\"size\":\"2\"}"}
    "#);
    insta::assert_snapshot!(corrected("--item-as stdin -- rev", &["wc", "-c"]), @r#"
    ["sh","-c","exec \"$@\" < /input/data.txt\n","sh","wc","-c"]
    input=/input/data.txt
    {"0":"{\"name\":\"a a\",\"size\":\"1.50\"}","1":"{\"name\":\"b'b\",\"size\":\"2\"}"}
    "#);
    insta::assert_snapshot!(corrected("--item-as env -- env", &["sh", "-c", "echo $size"]), @r#"
    ["sh","-c","set -a\n. /input/item.env\nset +a\nexec \"$@\"\n","sh","sh","-c","echo $size"]
    input=/input/item.env
    {"0":"ITEM='{\"name\":\"a a\",\"size\":\"1.50\"}'\nname='a a'\nsize='1.50'\n","1":"ITEM='{\"name\":\"b'\\''b\",\"size\":\"2\"}'\nname='b'\\''b'\nsize='2'\n"}
    "#);
    insta::assert_snapshot!(corrected("--item-as index -- env", &["echo", "{#}"]), @r#"["echo","$(JOB_COMPLETION_INDEX)"]"#);
    insta::assert_snapshot!(corrected("-- sh -c {name}", &["wc"]), @r#"
    ["sh","-c","set -a\n. /input/item.env\nset +a\nexec \"${1}\" \"${ITEM_name}\" \"${ITEM_size}\"\n","sh","wc"]
    input=/input/item.env
    {"0":"ITEM_name='a a'\nITEM_size='1.50'\nITEM='{\"name\":\"a a\",\"size\":\"1.50\"}'\n","1":"ITEM_name='b'\\''b'\nITEM_size='2'\nITEM='{\"name\":\"b'\\''b\",\"size\":\"2\"}'\n"}
    "#);
}

#[test]
fn a_corrected_command_may_have_other_placeholders() {
    insta::assert_snapshot!(corrected("-- sh -c x{name}", &["sh", "-c", "echo {name} is {size}"]), @r#"
    ["sh","-c","set -a\n. /input/item.env\nset +a\nexec \"$@\"\n","sh","sh","-c","echo \"${ITEM_name}\" is \"${ITEM_size}\""]
    input=/input/item.env
    {"0":"ITEM_name='a a'\nITEM_size='1.50'\nITEM='{\"name\":\"a a\",\"size\":\"1.50\"}'\n","1":"ITEM_name='b'\\''b'\nITEM_size='2'\nITEM='{\"name\":\"b'\\''b\",\"size\":\"2\"}'\n"}
    "#);
    insta::assert_snapshot!(corrected("-- echo {name}", &["echo", "{size.}", "{#}"]), @r#"
    ["echo","$(ITEM_size__NOEXT)","$(JOB_COMPLETION_INDEX)"]

    {"0":"ITEM_size__NOEXT='1'\nITEM='{\"name\":\"a a\",\"size\":\"1.50\"}'\n","1":"ITEM_size__NOEXT='2'\nITEM='{\"name\":\"b'\\''b\",\"size\":\"2\"}'\n"}
    "#);
    insta::assert_snapshot!(corrected("-- rev", &["sh", "-c", "echo {size}"]), @r#"
    ["sh","-c","set -a\n. /input/item.env\nset +a\nexec \"$@\"\n","sh","sh","-c","echo \"${ITEM_size}\""]
    input=/input/item.env
    {"0":"ITEM_size='1.50'\nITEM='{\"name\":\"a a\",\"size\":\"1.50\"}'\n","1":"ITEM_size='2'\nITEM='{\"name\":\"b'\\''b\",\"size\":\"2\"}'\n"}
    "#);
    insta::assert_snapshot!(corrected("--item-store inline -- echo {name}", &["sh", "-c", "echo {}"]), @r#"
    ["sh","-c","ITEM=$$(cat /input/data.txt; printf x)\nITEM=${ITEM%x}\nexport ITEM\nexec \"$@\"\n","sh","sh","-c","echo \"${ITEM}\""]
    input=/input
    "#);
    insta::assert_snapshot!(corrected("-- rev", &["sh", "-c", "echo $(({size} + 1)) $(({name}))"]), @r#"{name} is used in arithmetic, where only numbers are safe, and is no number in item 1 ("{\"name\":\"b'b\",\"size\":\"2\"}")"#);
    // Columns without names are kept apart where arguments were asked for.
    let numbered = |first: &str, command: &[&str]| {
        let line = ["run", "j", "--", "sh", "-c", first, ":::", "a b", "c", ":::", "1"];
        corrected_by(&line, b"", 36, command).map(|retry| retry.0.config_maps[0]["data"]["1"].to_string())
    };
    insta::assert_snapshot!(numbered("x{1}", &["sh", "-c", "echo {2}"]).unwrap(), @r#""ITEM__2='1'\nITEM__1='c'\nITEM='c 1'\n""#);
    insta::assert_snapshot!(numbered("x{}", &["sh", "-c", "echo {2}"]).unwrap(), @r#""ITEM__2='1'\nITEM__1='c'\nITEM='c 1'\n""#);
}

/// Replaces every form of handover: nothing of the old one is left, and the new one is complete.
#[test]
fn a_corrected_command_replaces_the_whole_handover() {
    let forms = [
        "-- rev",
        "--item-path /in/it -- rev",
        "-- echo {}",
        "-- echo {a.} {b}",
        "-- sh -c x{a}",
        "--item-as env -- env",
        "--item-as env --shell -- env",
        "--item-as stdin -- rev",
        "--item-as index -- env",
        "--compat parallel,hyperqueue --item-as file -- rev",
        "--compat parallel -- sh -c x{a}",
        "--no-shell -- echo {a}",
    ];
    for stored in ["", "--item-store inline"] {
        for first in forms {
            for count in [3, 1300] {
                if !stored.is_empty() && (count > 3 || first.contains("index")) {
                    continue;
                }
                let rows: Vec<_> = (0..count).map(|row| format!("a{row},{row}\n")).collect();
                let line = format!("run j -a t.csv {stored} {first}");
                let line: Vec<_> = line.split_whitespace().collect();
                for minor in [30, 36] {
                    for command in [&["fixed"][..], &["sh", "-c", "x {b.} {}"]] {
                        let retry = corrected_by(&line, format!("a,b\n{}", rows.concat()).as_bytes(), minor, command);
                        let retry = match retry {
                            Ok(retry) => retry,
                            Err(error) => {
                                assert!(minor == 30 && first.contains("no-shell"), "{line:?} {command:?}: {error}");
                                continue;
                            }
                        };
                        check_references(&retry.0, &format!("{line:?} {command:?} 1.{minor}"));
                    }
                }
            }
        }
    }
}

/// Checks that every referenced object exists, and that every object is used.
fn check_references(manifest: &Manifest, case: &str) {
    let pod = &manifest.job["spec"]["template"]["spec"];
    let names = |list: &Value| -> Vec<String> {
        list.as_array().into_iter().flatten().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
    };
    let volumes = names(&pod["volumes"]);
    let containers = || list(&manifest.job, "initContainers").chain(list(&manifest.job, "containers"));
    for container in containers() {
        for volume in names(&container["volumeMounts"]) {
            assert!(volumes.contains(&volume), "{case}: no volume {volume}");
        }
        for variable in entries(container, "env") {
            if let Some(volume) = variable.pointer("/valueFrom/fileKeyRef/volumeName") {
                assert!(volumes.iter().any(|known| volume == known), "{case}: no volume {volume}");
            }
        }
        let mut env = names(&container["env"]);
        env.sort();
        let count = env.len();
        env.dedup();
        assert_eq!(env.len(), count, "{case}: a variable is there twice");
    }
    for volume in &volumes {
        let used = containers().any(|container| names(&container["volumeMounts"]).contains(volume));
        assert!(used, "{case}: volume {volume} is not used");
    }
    let mut kept: Vec<_> = manifest.config_maps.iter().map(|map| map["metadata"]["name"].as_str().unwrap()).collect();
    kept.sort_unstable();
    assert_eq!(kept, config_maps(&manifest.job), "{case}");
}

/// A stored ConfigMap.
fn config_map(name: &str, owner: Option<&str>) -> Value {
    let owners = owner.map(|uid| json!([{"kind": "Job", "uid": uid}]));
    json!({"metadata": {"name": name, "uid": "u", "ownerReferences": owners}, "immutable": true, "data": {"3": "x"}})
}

#[test]
fn config_maps_that_the_job_owns_are_copied() {
    let mut job = stored();
    let shards = ["rev-items", "rev-items-2", "rev-items-3"];
    let sources: Vec<_> = shards.iter().map(|name| json!({"configMap": {"name": name}})).collect();
    job["spec"]["template"]["spec"]["volumes"] = json!([
        {"name": "items", "projected": {"sources": sources}}, {"name": "theirs", "configMap": {"name": "theirs"}},
    ]);
    job["metadata"]["annotations"]["kubectl-indexed/item-configmaps"] =
        json!("rev-items:0,rev-items-2:10,rev-items-3:30");
    let mut found: Vec<_> = shards.iter().map(|name| config_map(name, Some("u-rev"))).collect();
    found.push(config_map("theirs", None));
    assert_eq!(config_maps(&job), ["rev-items", "rev-items-2", "rev-items-3", "theirs"]);
    let Manifest { job: new, config_maps } = build(&job, &found, &plan("3,40")).unwrap().0;
    let names: Vec<_> = config_maps.iter().map(|config_map| config_map["metadata"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["rev-r1-items", "rev-r1-items-3"], "all items of the second have succeeded");
    assert_eq!(config_maps[0]["data"], json!({"3": "x"}));
    assert_eq!(config_maps[0]["metadata"].get("ownerReferences"), None);
    assert_eq!(new["metadata"]["annotations"]["kubectl-indexed/item-configmaps"], "rev-r1-items:0,rev-r1-items-3:30");
    let volumes = &new["spec"]["template"]["spec"]["volumes"];
    assert_eq!(
        volumes[1]["projected"]["sources"],
        json!([
            {"configMap": {"name": "rev-r1-items"}}, {"configMap": {"name": "rev-r1-items-3"}},
        ])
    );
    assert_eq!(volumes[2]["configMap"]["name"], "theirs");
    found.pop();
    assert_eq!(
        build(&job, &found, &plan("3")).unwrap_err().to_string(),
        "configmap \"theirs\" is missing, and the Pods of job \"rev\" need it"
    );
}

/// Runs a wrapped command for a new index, and returns its output.
fn run_wrapped(container: &Value, own: u32) -> String {
    let words = container["command"].as_array().unwrap();
    // As the kubelet expands them.
    let words: Vec<_> =
        words.iter().map(|word| super::super::scripts::unescape_expansion(word.as_str().unwrap())).collect();
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).env(INDEX_VARIABLE, own.to_string()).env("EARLY", "early");
    let output = command.output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn an_old_server_gets_a_shell_around_each_command() {
    let mut job = stored();
    let pod = &mut job["spec"]["template"]["spec"];
    pod.as_object_mut().unwrap().remove("initContainers");
    pod["containers"][0]["command"] = json!(["sh", "-c", "echo $JOB_COMPLETION_INDEX $MY_INDEX \"$@\"", "sh"]);
    pod["containers"][0]["args"] = json!(["<$(JOB_COMPLETION_INDEX)>", "$$(MY_INDEX)", "$(MY_INDEX)", "it's"]);
    pod["containers"][0]["env"] = json!([{"name": "MY_INDEX", "valueFrom": index_field()}]);
    pod["containers"][0]["volumeMounts"] =
        json!([{"name": "items", "mountPath": "/item", "subPathExpr": "$(JOB_COMPLETION_INDEX)"}]);
    pod["volumes"] = json!([{"name": "items", "configMap": {"name": "theirs"}}]);
    let old = RetryPlan { minor: 30, ..plan("3,7") };
    let found = [config_map("theirs", None)];
    let first = build(&job, &found, &old).unwrap().0.job;
    assert_eq!(run_wrapped(worker(&first), 1), "7 7 <7> $(MY_INDEX) 7 it's\n");
    let volume = &first["spec"]["template"]["spec"]["volumes"][0]["configMap"];
    assert_eq!(volume["items"], json!([{"key": "3", "path": "0"}, {"key": "7", "path": "1"}]));
    // The retry of that retry stays wrapped, on a newer server too.
    let again = build(&first, &found, &plan("7")).unwrap().0.job;
    assert_eq!(run_wrapped(worker(&again), 0), "7 7 <7> $(MY_INDEX) 7 it's\n");
    assert_eq!(
        again["spec"]["template"]["spec"]["volumes"][0]["configMap"]["items"],
        json!([{"key": "7", "path": "0"}])
    );
    // A corrected command is wrapped once.
    let mut correction = plan("7");
    correction.changes.command = Some(["sh", "-c", "echo $JOB_COMPLETION_INDEX"].map(str::to_owned).to_vec());
    let corrected = build(&first, &found, &correction).unwrap().0.job;
    assert_eq!(run_wrapped(worker(&corrected), 0), "7\n");
    assert_eq!(worker(&corrected)["command"].as_array().unwrap().len(), 7);

    let mut labelled = job.clone();
    let field = json!({"fieldPath": "metadata.labels['batch.kubernetes.io/job-completion-index']"});
    labelled["spec"]["template"]["spec"]["volumes"][0] =
        json!({"name": "items", "downwardAPI": {"items": [{"path": "index", "fieldRef": field}]}});
    assert!(refused(&labelled, &old).contains("can't give volume \"items\" the original index"));
    job["spec"]["template"]["spec"]["containers"][0]["volumeMounts"][0]["subPathExpr"] =
        json!("out/$(JOB_COMPLETION_INDEX)");
    assert!(build(&job, &found, &old).unwrap_err().to_string().contains("can't give path \"out/"));
    let mut bare = stored();
    bare["spec"]["template"]["spec"]["containers"][0].as_object_mut().unwrap().remove("command");
    assert!(refused(&bare, &old).contains("can't give the image's own entry point the original index"));
    assert!(build(&bare, &[], &plan("3")).is_ok(), "a newer one needs no shell in the image");
}

/// Kueue rejects a Job whose minimum parallelism is not lower than its parallelism.
#[test]
fn kueue_may_admit_a_part_of_a_retry_that_has_parts() {
    let mut job = stored();
    job["metadata"]["annotations"]["kueue.x-k8s.io/job-min-parallelism"] = json!("2");
    let least = |indexes: &str| {
        let retry = built(&job, &plan(indexes));
        retry["metadata"]["annotations"].get("kueue.x-k8s.io/job-min-parallelism").cloned()
    };
    assert_eq!([least("3,7,20"), least("3,7"), least("3")], [Some(json!("2")), None, None]);
}

/// A variable that refers to the index gets the original one, where Kubernetes expands the reference.
#[test]
fn an_old_server_gets_variables_that_refer_to_the_index() {
    let mut job = stored();
    let pod = &mut job["spec"]["template"]["spec"];
    pod.as_object_mut().unwrap().remove("initContainers");
    pod["containers"][0]["command"] =
        json!(["sh", "-c", "echo \"$EARLY $ID $NEXT $BOTH\" \"$@\"", "sh", "$(NEXT)", "it's", "a b"]);
    pod["containers"][0]["args"] = json!([]);
    pod["containers"][0]["env"] = json!([
        {"name": "EARLY", "value": "$(TASK)"},
        {"name": "TASK", "valueFrom": index_field()},
        {"name": "ID", "value": "78275$(TASK)"},
        {"name": "NEXT", "value": "it's `\"$$(TASK) <$(ID)>"},
        {"name": "BOTH", "value": "$(TASK)$(TASK)"},
    ]);
    let old = RetryPlan { minor: 30, ..plan("3,17") };
    let first = built(&job, &old);
    let printed = "early 7827517 it's `\"$(TASK) <7827517> 1717 it's `\"$(TASK) <7827517> it's a b\n";
    // The shell does not expand EARLY either.
    assert_eq!(run_wrapped(worker(&first), 1), printed);
    assert_eq!(run_wrapped(worker(&built(&first, &RetryPlan { minor: 30, ..plan("17") })), 0), printed);

    job["spec"]["template"]["spec"]["containers"][0]["env"][2]["name"] = json!("task.id");
    let refusal = refused(&job, &old);
    assert!(refusal.contains("can't give variable \"task.id\" the original index"), "{refusal}");
}

/// Also for a Job that others made, which has no annotations.
#[test]
fn a_script_with_windows_line_ends_gets_a_warning() {
    let mut plan = plan("1");
    plan.changes.command = Some(["sh", "-c", "set -e\r\nrev\r\n"].map(str::to_owned).to_vec());
    let warnings = build(&stored(), &[], &plan).unwrap().1;
    assert!(warnings.concat().contains("has Windows line ends"), "{warnings:?}");
}
