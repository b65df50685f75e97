//! Every source and every form of items, through real containers.

use serde_json::{Value, json};

use crate::support::{Cluster, file};

/// Returns the number of Pods of a test with many items: by default few, because a node starts three or four a second.
fn how_many(few: usize) -> usize {
    let asked = std::env::var("KUBECTL_INDEXED_TEST_ITEMS").ok();
    asked.map_or(few, |number| number.parse().expect("KUBECTL_INDEXED_TEST_ITEMS is a number"))
}

/// Flags for an image without a shell, which prints its arguments and variables.
pub(crate) const STATIC: &str = "--image docker.io/library/static --no-shell";

/// Returns the output of each index, as bytes.
fn outputs(cluster: &Cluster, job: &str, count: usize) -> Vec<Vec<u8>> {
    let hex = |line: &str| line.split_whitespace().map(|hex| u8::from_str_radix(hex, 16).unwrap()).collect::<Vec<_>>();
    let mut outputs = vec![Vec::new(); count];
    for line in cluster.run(&["logs", job, "-o", "jsonl"]).ok().stdout.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let index = usize::try_from(line["index"].as_u64().unwrap()).unwrap();
        outputs[index].extend(hex(line["line"].as_str().unwrap()));
    }
    outputs
}

/// Generates items of pieces that have a meaning in a shell, YAML, Kubernetes or a tool on the way; the same in each run.
fn generate(count: usize, allowed: impl Fn(&[u8]) -> bool) -> Vec<Vec<u8>> {
    const PIECES: [&[u8]; 34] = [
        b"'",
        b"\"",
        b"$",
        b"$$",
        b"$(HOME)",
        b"$(ITEM)",
        b"${ITEM}",
        b"`id`",
        b"\\",
        b"\\n",
        b"\n",
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
        b"%s",
        b"\r",
        b"\x1b",
        b"\xff\xfe",
        b"=",
        b"\\0000",
        b"a",
        b"no",
        b"\r\n",
    ];
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % below as u64).unwrap()
    };
    let mut items: Vec<Vec<u8>> = Vec::new();
    while items.len() < count {
        let item: Vec<u8> = if random(4) == 0 {
            (0..random(24)).map(|_| u8::try_from(1 + random(255)).unwrap()).collect()
        } else {
            (0..random(7)).flat_map(|_| PIECES[random(PIECES.len())].to_vec()).collect()
        };
        if allowed(&item) {
            items.push(item);
        }
    }
    items
}

/// Runs `command` over the items, which are passed with NUL bytes between them.
fn run_over(cluster: &Cluster, name: &str, items: &[Vec<u8>], flags: &str, command: &str) {
    let list: Vec<u8> = items.iter().flat_map(|item| [item, &b"\0"[..]].concat()).collect();
    let file = cluster.write(&format!("{name}.list"), &list);
    let script = format!(
        "kubectl indexed run {name} -0 --items-file {} {flags} --env HOME=/wrong -q -d -- {command}",
        file.display()
    );
    cluster.shell(&script).ok();
    cluster.wait_for(name);
}

#[test]
fn generated_items_arrive_byte_for_byte() {
    let cluster = Cluster::new("exact");
    let count = how_many(if cluster.is_newest() { 14 } else { 7 });
    let bytes = "od -An -v -tx1 -w100000";
    let any = generate(count, |_| true);
    let text = generate(count, |item| std::str::from_utf8(item).is_ok());
    let script = format!("sh -c 'printf %s \"$1\" | {bytes}' sh {{}}");
    let in_script = format!("sh -c 'printf %s {{}} | {bytes} # it is an item'");
    let cases: [(&str, &[Vec<u8>], &str, &str); 7] = [
        ("file", &any, "", bytes),
        ("inline", &text, "--item-store inline", bytes),
        ("stdin", &any, "--item-as stdin", bytes),
        ("arg", &any, "", &script),
        ("script", &any, "", &in_script),
        ("env", &any, "--item-as env", &format!("sh -c 'printf %s \"$ITEM\" | {bytes}'")),
        ("filed", &any, "--item-path /etc/passwd", bytes),
    ];
    std::thread::scope(|scope| {
        for (name, items, flags, command) in cases {
            let cluster = &cluster;
            scope.spawn(move || {
                run_over(cluster, name, items, flags, command);
                let got = outputs(cluster, name, items.len());
                for (index, (got, item)) in got.iter().zip(items).enumerate() {
                    assert_eq!(got, item, "item {index} ({}) as {name}", String::from_utf8_lossy(item));
                }
            });
        }
    });
}

#[test]
#[ignore = "needs Kubernetes 1.35"]
fn generated_items_arrive_without_a_shell() {
    let cluster = Cluster::new("exact-no-shell");
    // Items that fit on one line and that the kubelet can read from a file.
    let items = generate(how_many(14), |item| {
        !item.is_empty() && std::str::from_utf8(item).is_ok() && !item.iter().any(|byte| b"'\r\n".contains(byte))
    });
    for (name, flags, command) in [
        ("no-shell-arg", STATIC.to_owned(), "/static args {}"),
        ("no-shell-env", format!("{STATIC} --item-as env"), "/static env ITEM"),
    ] {
        run_over(&cluster, name, &items, &flags, command);
        for (index, item) in items.iter().enumerate() {
            let got = cluster.raw(&["logs", name, "--index", &index.to_string()]);
            assert_eq!(got, [item, &b"\n"[..]].concat(), "item {index} ({}) as {name}", String::from_utf8_lossy(item));
        }
    }
}

#[test]
fn lines_from_stdin_become_arguments() {
    let cluster = Cluster::new("stdin");
    let outcome = cluster.shell(r#"printf 'a b\nc"d\n$(HOME)\n' | kubectl indexed run --items-file - -- echo {}"#);
    assert_eq!(outcome.ok().lines_by_index(), ["[0] a b", "[1] c\"d", "[2] $(HOME)"]);
}

#[test]
fn a_table_drives_arguments_and_variables() {
    let cluster = Cluster::new("table");
    let rows = how_many(30);
    let row = |row: usize| format!("\"file {row}, a\",{},\"say \"\"hi\"\" {row}\"", row * 3);
    let table: Vec<_> = std::iter::once("name,size,note".to_owned()).chain((0..rows).map(row)).collect();
    let mut expected: Vec<_> = (0..rows).map(|row| format!("[{row}] file {row}, a {}", row * 3)).collect();
    expected.sort();
    let file = cluster.write("table.csv", table.join("\n").as_bytes());
    let run = |flags: &str| cluster.shell(&format!("kubectl indexed run --items-file {} {flags}", file.display()));
    assert_eq!(run("-- sh -c 'echo {name} {size}'").ok().lines_by_index(), expected);
}

#[test]
#[ignore = "needs Kubernetes 1.35"]
fn a_table_drives_variables_without_a_shell() {
    let cluster = Cluster::new("table-no-shell");
    let file = cluster.write("table.csv", b"name,size\n\"file 0, a\",0\n\"file 1, a\",3\n");
    let command = format!("--item-as env {STATIC} -- /static env name then args -");
    let outcome = cluster.shell(&format!("kubectl indexed run --items-file {} {command}", file.display()));
    assert_eq!(outcome.ok().lines_by_index(), ["[0] file 0, a-", "[1] file 1, a-"]);
}

#[test]
fn every_combination_in_order() {
    let cluster = Cluster::new("params");
    let flags = "--param lr=0.1,0.01 --param seed=1,2,3";
    cluster.shell(&format!("kubectl indexed run sweep {flags} -d -q -- echo {{lr}} {{seed}}")).ok();
    cluster.wait_for("sweep");
    let expected = ["0.1 1", "0.1 2", "0.1 3", "0.01 1", "0.01 2", "0.01 3"];
    let logs = cluster.run(&["logs", "sweep", "--prefix=none"]).ok().stdout;
    assert_eq!(logs.lines().collect::<Vec<_>>(), expected);
    let described = cluster.run(&["indexes", "sweep"]).ok().stdout;
    for named in ["lr=0.1 seed=1", "lr=0.1 seed=3", "lr=0.01 seed=2"] {
        assert!(described.contains(named), "{named}: {described}");
    }
    let behind = cluster.shell("kubectl indexed run sweep2 -- echo ::: a b ::: 1 2").ok();
    assert_eq!(behind.lines_by_index(), ["[0] a 1", "[1] a 2", "[2] b 1", "[3] b 2"]);
    let linked = cluster.shell("kubectl indexed run sweep3 -- echo {2}{1} ::: a b :::+ 1 2").ok();
    assert_eq!(linked.lines_by_index(), ["[0] 1a", "[1] 2b"]);
}

#[test]
fn a_list_in_the_cluster_is_used_in_place() {
    let cluster = Cluster::new("listed");
    let file = cluster.write("list", b"first one\nit's\n\n$(HOME) \\n\n");
    let create = format!("kubectl create configmap lines --from-file=list={}", file.display());
    cluster.shell(&create).ok();
    cluster.shell("kubectl create configmap keys --from-literal=0=zero --from-literal=1='a b'").ok();
    let run = |words: &str| cluster.shell(&format!("kubectl indexed run {words}")).ok().lines_by_index();
    let expected = ["[0] first one", "[1] it's", "[2] ", "[3] $(HOME) \\n"];
    assert_eq!(run("--name by-file --items-configmap lines/list -- sh -c 'cat /input/data.txt; echo'"), expected);
    assert_eq!(run("--items-configmap lines/list -- echo {}"), expected);
    assert_eq!(run("--items-configmap lines/list --item-as env -- sh -c 'echo \"$ITEM\"'"), expected);
    assert_eq!(run("--items-configmap lines/list --item-as stdin -- sh -c 'cat; echo'"), expected);
    assert_eq!(run("--items-configmap keys -- cat"), ["[0] zero", "[1] a b"]);
    assert_eq!(run("--items-configmap keys -- echo {}"), ["[0] zero", "[1] a b"]);
    let described = cluster.run(&["describe", "by-file"]).ok().stdout;
    assert!(described.contains("    1       it's "), "{described}");
    let mine = cluster.kubectl(&["get", "configmaps", "-l", "kubectl-indexed/items-of=by-file", "-o", "name"]);
    assert_eq!(mine.ok().stdout, "", "the list is not copied");
    let wrong = cluster.shell("kubectl indexed run --items-configmap lines -- cat");
    assert_eq!((wrong.code, wrong.stdout.as_str()), (2, ""), "{wrong:?}");
    assert!(wrong.stderr.contains("--items-configmap lines/list"), "{wrong:?}");
}

/// The node caches the list for some seconds, so the Pods start after the edit.
#[test]
fn an_edited_list_fails_later_pods() {
    let cluster = Cluster::new("edited");
    cluster.shell("kubectl create configmap lines --from-literal=k=\"$(printf 'l0\\nl1\\nl2\\n')\"").ok();
    cluster.shell("kubectl create configmap keys --from-literal=0=zero --from-literal=1=one").ok();
    // An older kubelet reads no variables from a file.
    let shell = if cluster.is_newest() { "" } else { "--shell" };
    let make = |name: &str, list: &str, command: &str| {
        let flags = format!("{name} -q --items-configmap {list} --dry-run=client -o json");
        cluster.shell(&format!("kubectl indexed run {flags} -- {command}"))
    };
    let jobs = [
        ("lines", make("lines", &format!("lines/k {shell}"), "echo got {}").ok().stdout),
        ("gone", make("gone", "lines/k", "sh -c 'echo got {}'").ok().stdout),
        ("file", make("file", "keys", "cat").ok().stdout),
        ("arg", make("arg", &format!("keys {shell}"), "echo {}").ok().stdout),
    ];
    let apply = |names: [&str; 3]| {
        for (name, job) in jobs.iter().filter(|(name, _)| names.contains(name)) {
            let file = cluster.write(&format!("{name}.json"), job.as_bytes());
            cluster.kubectl(&["create", "-f", file.to_str().unwrap()]).ok();
        }
    };
    cluster.kubectl(&["patch", "configmap", "lines", "-p", r#"{"data": {"k": "l1\nl2\n"}}"#]).ok();
    cluster.kubectl(&["patch", "configmap", "keys", "-p", r#"{"data": {"1": null}}"#]).ok();
    apply(["lines", "file", "arg"]);
    let said = |job: &str, index: &str| {
        assert_eq!(cluster.run(&["wait", job, "-q"]).code, 1, "{job}");
        assert_eq!(cluster.run(&["logs", job, "-q"]).stdout, "", "{job}: no worker may run");
        let path = format!(
            "{{.items[?(@.metadata.labels.batch\\.kubernetes\\.io/job-completion-index==\"{index}\")].status.initContainerStatuses[0].state.terminated.message}}"
        );
        cluster
            .kubectl(&["get", "pods", "-l", &format!("job-name={job}"), "-o", &format!("jsonpath={path}")])
            .ok()
            .stdout
    };
    let other = "configmap lines/k has changed since the Job was created: the first 3 items differ\n";
    assert_eq!(said("lines", "0"), other);
    for job in ["file", "arg"] {
        let start = "configmap keys has changed since the Job was created: ";
        assert_eq!(said(job, "1"), format!("{start}key 1 is missing\n"));
        assert_eq!(said(job, "0").lines().last().unwrap(), format!("{start}the first 2 items differ"));
    }
    cluster.kubectl(&["patch", "configmap", "lines", "-p", r#"{"data": {"k": null, "z": "a"}}"#]).ok();
    // The node renews its cache after its sync period.
    apply(["gone", "", ""]);
    assert!(["key k is missing\n", "the first 3 items differ\n"].iter().any(|end| said("gone", "2").ends_with(end)));
    let described = cluster.run(&["describe", "gone"]).ok();
    assert!(described.stderr.contains("warning: configmap lines has changed since job gone was made"), "{described:?}");
}

#[test]
fn variables_of_other_systems_have_their_values() {
    let cluster = Cluster::new("compat");
    let run = |words: &str| cluster.shell(&format!("kubectl indexed run {words}")).ok().lines_by_index();
    let script =
        "sh -c 'echo $SLURM_ARRAY_TASK_ID $SLURM_ARRAY_TASK_COUNT $SLURM_ARRAY_TASK_MIN $SLURM_ARRAY_TASK_MAX'";
    assert_eq!(
        run(&format!("--array 1-7:3%2 --compat slurm -- {script}")),
        ["[0] 1 3 1 7", "[1] 4 3 1 7", "[2] 7 3 1 7"]
    );
    assert_eq!(run(&format!("--array 0-1 --compat slurm -- {script}")), ["[0] 0 2 0 1", "[1] 1 2 0 1"]);
    let script = "sh -c 'echo $HQ_TASK_ID $HQ_ENTRY $PARALLEL_SEQ $AWS_BATCH_JOB_ARRAY_INDEX $ITEM_COUNT'";
    let all = "--compat hyperqueue,parallel,aws";
    assert_eq!(run(&format!("--items x,y {all} --item-as file -- {script}")), ["[0] 0 x 1 0 2", "[1] 1 y 2 1 2"]);
}

/// The index is in a variable of any name and in a file, and unknown braces stay.
#[test]
fn the_index_alone() {
    let cluster = Cluster::new("index");
    let run = |words: &str| cluster.shell(&format!("kubectl indexed run {words}")).ok().lines_by_index();
    assert_eq!(run("--completions 2 --index-env N -- sh -c 'echo $N {#} ${N}'"), ["[0] 0 0 0", "[1] 1 1 1"]);
    let path = "--completions 2 --index-file /where/index";
    assert_eq!(run(&format!("{path} -- cat /where/index")), ["[0] 0", "[1] 1"]);
    let awk = r#"--items 'a b,c d' --item-as stdin -- awk '{print $2 "{}"}'"#;
    assert_eq!(run(awk), ["[0] b{}", "[1] d{}"]);
}

/// Returns the Job with one index, whose containers see another index: so the test runs high indexes without the low ones.
fn as_index(job: &Value, index: usize) -> Value {
    let mut job = job.clone();
    let name = format!("{}-{index}", job["metadata"]["name"].as_str().unwrap());
    job["metadata"]["name"] = json!(name);
    job["spec"]["completions"] = json!(1);
    job["spec"]["parallelism"] = json!(1);
    for list in ["initContainers", "containers"] {
        for container in job["spec"]["template"]["spec"][list].as_array_mut().into_iter().flatten() {
            let mut env = container["env"].as_array().cloned().unwrap_or_default();
            env.push(json!({"name": "JOB_COMPLETION_INDEX", "value": index.to_string()}));
            container["env"] = json!(env);
        }
    }
    job
}

#[test]
fn long_lists_share_keys_and_config_maps() {
    let cluster = Cluster::new("packed");
    for (name, count, length, flags, command) in [
        ("plain", 2500, 20, "", "cat"),
        ("pressed", 2500, 900, "", "sh -c 'cat /input/data.txt'"),
        ("assigned", 1200, 20, "", "sh -c 'printf %s {/.}'"),
    ] {
        let item = |index: usize| format!("x/{}{index}.txt", "\\n $(A) 'q' ".repeat(length / 11));
        let items: Vec<u8> = (0..count).flat_map(|index| format!("{}\0", item(index)).into_bytes()).collect();
        let list = cluster.write(&format!("{name}.list"), &items);
        let script = format!(
            "kubectl indexed run {name} -0 --items-file {} {flags} --dry-run=client -o json -- {command}",
            list.display()
        );
        let list: Value = serde_json::from_str(&cluster.shell(&script).ok().stdout).unwrap();
        let objects = list["items"].as_array().unwrap();
        let job = objects.last().unwrap();
        for config_map in &objects[..objects.len() - 1] {
            // `apply` would copy each into an annotation, which is limited to 256 KiB.
            cluster.create(&config_map.to_string()).ok();
        }
        let asked = [0, 999, 1000, count - 1];
        for index in asked {
            cluster.create(&as_index(job, index).to_string()).ok();
        }
        for index in asked {
            let one = format!("{name}-{index}");
            cluster.wait_for(&one);
            let expected =
                if name == "assigned" { item(index)[2..].trim_end_matches(".txt").to_owned() } else { item(index) };
            assert_eq!(cluster.run(&["logs", &one]).ok().stdout, format!("{expected}\n"), "{one}");
        }
    }
}

/// Adds the paths of values to `missing` that `part` has and `whole` has not.
fn find_missing(whole: &Value, part: &Value, path: &str, missing: &mut Vec<String>) {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            for (key, part) in part {
                find_missing(whole.get(key).unwrap_or(&Value::Null), part, &format!("{path}.{key}"), missing);
            }
        }
        (Value::Array(whole), Value::Array(part)) if whole.len() == part.len() => {
            for (index, (whole, part)) in whole.iter().zip(part).enumerate() {
                find_missing(whole, part, &format!("{path}[{index}]"), missing);
            }
        }
        (whole, part) if whole == part => {}
        (whole, part) => missing.push(format!("{path}: {part} is {whole}")),
    }
}

/// The four forms of the Kubernetes documentation: a variable, a downward API file, an init container, a ConfigMap.
#[test]
fn the_documentation_s_four_forms() {
    let cluster = Cluster::new("forms");
    let manifests = [
        "tests/fixtures/forms/variable.yaml",
        "examples/indexed-job-vol.yaml",
        "examples/indexed-job.yaml",
        "tests/fixtures/forms/configmap.yaml",
    ];
    let flags = [
        ("variable", "--completions 5 -- sh -c 'echo $JOB_COMPLETION_INDEX'"),
        ("downward-file", "--completions 5 --index-file /input/data.txt -- rev /input/data.txt"),
        (
            "init-container",
            "--items foo,bar,baz,qux,xyz --item-store inline --init-image docker.io/library/bash -- rev",
        ),
        ("configmap", "--items-configmap words -- rev"),
    ];
    let words = ["foo", "bar", "baz", "qux", "xyz"];
    let literals: Vec<_> = words.iter().enumerate().map(|(n, word)| format!("--from-literal={n}={word}")).collect();
    cluster.shell(&format!("kubectl create configmap words {}", literals.join(" "))).ok();
    for ((name, flags), manifest) in flags.into_iter().zip(manifests) {
        let manifest = file(manifest);
        let written: Value = serde_saphyr::from_str(&manifest).unwrap();
        let job = written["metadata"]["name"].as_str().unwrap();
        let made = format!("made-{name}");
        cluster.apply(&manifest).ok();
        let ran = cluster.shell(&format!("kubectl indexed run {made} -j 3 {flags}")).ok();
        let text = cluster.kubectl(&["get", "job", &made, "-o", "json"]).ok().stdout;
        let stored: Value = serde_json::from_str(&text).unwrap();
        let mut missing = Vec::new();
        find_missing(&stored["spec"], &written["spec"], "spec", &mut missing);
        // The scripts of the init containers differ; their output is compared below.
        missing.retain(|path| !path.contains("initContainers[0].command"));
        assert_eq!(missing, [""; 0], "{name}");
        cluster.wait_for(job);
        let theirs = cluster.run(&["logs", job]).ok();
        assert_eq!(ran.lines_by_index(), theirs.lines_by_index(), "{name}");
        cluster.run(&["delete", job]).ok();
    }
}
