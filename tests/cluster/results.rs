//! `results`: each output under its index, complete or missing, also if the client is killed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::Cluster;

/// Parses CSV: the fields of each row by their names.
fn parse_rows(csv: &[u8]) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_reader(csv).deserialize().map(Result::unwrap).collect()
}

fn parse_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Returns the sorted names of the visible files of a folder.
fn visible_files(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| !name.starts_with('.')).collect();
    names.sort();
    names
}

/// Returns the objects of `results.jsonl` in a folder.
fn read_list(folder: &Path) -> Vec<Value> {
    parse_lines(&std::fs::read_to_string(folder.join("results.jsonl")).unwrap())
}

fn path_text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Runs a script for each item, waits for the end, and returns a path for the results.
fn run_to_end(cluster: &Cluster, name: &str, items: &str, script: &str) -> PathBuf {
    cluster.run(&["run", name, "--items", items, "-d", "-q", "--", "sh", "-c", script]).ok();
    cluster.run(&["wait", name, "-q"]);
    cluster.write("none", b"").with_file_name(name)
}

#[test]
fn each_index_has_its_row_and_its_output() {
    let cluster = Cluster::new("results");
    let script = r#"i=$(cat /input/data.txt); case $i in
        bad) echo sorry; exit 3;;
        raw) printf 'a\377b';;
        *) printf '{"item": "%s",\n "n": 1.10}\n' "$i";;
    esac"#;
    run_to_end(&cluster, "x", "foo,bad,raw,a/b", script);
    let csv = parse_rows(&cluster.raw(&["results", "x", "-o", "csv", "--index", "!2"]));
    let found = |row: &BTreeMap<String, String>| {
        let names = ["index", "item", "status", "attempts", "exit_code", "node"];
        names.map(|name| row[name].clone()).join(" ")
    };
    assert_eq!(
        csv.iter().map(found).collect::<Vec<_>>(),
        ["0 foo Succeeded 1 0 localhost", "1 bad Failed 1 3 localhost", "3 a/b Succeeded 1 0 localhost"]
    );
    let outputs: Vec<_> = csv.iter().map(|row| row["output"].as_str()).collect();
    assert_eq!(outputs, ["{\"item\": \"foo\",\n \"n\": 1.10}\n", "sorry\n", "{\"item\": \"a/b\",\n \"n\": 1.10}\n"]);
    for row in &csv {
        let time = |name: &str| row[name].parse::<jiff::Timestamp>().unwrap();
        assert_eq!(row["duration_seconds"].parse(), Ok(time("finished").as_second() - time("started").as_second()));
    }
    // CSV keeps all bytes; JSON has base64 for bytes that are not UTF-8.
    let raw = cluster.raw(&["results", "x", "-o", "csv", "--no-headers", "--index", "2"]);
    assert!(raw.windows(3).any(|bytes| bytes == b"a\xffb"), "{raw:?}");
    let jsonl = cluster.run(&["results", "x", "-o", "jsonl", "--trim", "--index", "1-3"]).ok();
    let entries = parse_lines(&jsonl.stdout);
    assert_eq!((&entries[0]["output"], &entries[1]["outputBase64"]), (&"sorry".into(), &"Yf9i".into()));
    assert_eq!((&entries[0]["exitCode"], &entries[2]["item"]), (&3.into(), &"a/b".into()));
    // Only outputs of succeeded indexes must be JSON.
    let parsed = cluster.run(&["results", "x", "-o", "json", "--parse-json"]);
    assert_eq!(parsed.code, 1, "{parsed:?}");
    assert_eq!(parsed.stderr, "error: the output of index 2 is not JSON\n");
    assert!(parsed.stdout.contains(r#""outputJson":{"item":"foo","n":1.10}"#), "{parsed:?}");
    let whole: Value = serde_json::from_str(&parsed.stdout).unwrap();
    assert_eq!((&whole["kind"], &whole["job"]["failedIndexes"]), (&"ResultList".into(), &"1".into()));
    assert_eq!((whole["items"].as_array().unwrap().len(), &whole["items"][1]["output"]), (4, &"sorry\n".into()));
    // The text format is only the outputs, each with a line end.
    assert_eq!(cluster.raw(&["results", "x", "--index", "1,2"]), b"sorry\na\xffb\n");
    // Without outputs, no log is fetched, as in `indexes`.
    let bare = cluster.run(&["results", "x", "-o", "csv", "--no-output"]).ok().stdout;
    assert_eq!(bare, cluster.run(&["indexes", "x", "-o", "csv"]).ok().stdout);

    let log = cluster.run(&["results", "x", "--joblog", "-"]).ok().stdout;
    let log: Vec<Vec<_>> = log.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(log[0].join(" "), "Seq Host Starttime JobRuntime Send Receive Exitval Signal Command");
    assert_eq!((log[2][0], log[2][1], log[2][6], log[2][7]), ("2", "localhost", "3", "0"));
    assert!(log[4][8].starts_with("sh -c ") && log[4][8].ends_with(" a/b"), "{log:?}");
}

/// A data frame needs no parsing of items.
#[test]
fn each_named_value_has_a_column_and_a_field() {
    let cluster = Cluster::new("results-params");
    let script = "echo epoch 1; printf '50%%\\r100%%\\n'; echo {lr}/{status}; echo";
    let args = ["run", "grid", "--param", "lr=0.01,0.1", "--param", "status=a,b", "-q", "--", "sh", "-c", script];
    cluster.run(&args).ok();
    let csv = parse_rows(&cluster.raw(&["results", "grid", "-o", "csv", "--last-line"]));
    let row = |row: &BTreeMap<String, String>| {
        let names = ["index", "lr", "item_status", "status", "exit_code", "output"];
        names.map(|name| row[name].clone()).join(" ")
    };
    assert_eq!(
        csv.iter().map(row).collect::<Vec<_>>(),
        [
            "0 0.01 a Succeeded 0 0.01/a",
            "1 0.01 b Succeeded 0 0.01/b",
            "2 0.1 a Succeeded 0 0.1/a",
            "3 0.1 b Succeeded 0 0.1/b"
        ]
    );
    assert!(!csv[0].contains_key("item"), "{csv:?}");
    assert_eq!(cluster.raw(&["results", "grid", "--last-line", "--index", "0,3"]), b"0.01/a\n0.1/b\n");
    let tsv = cluster.run(&["indexes", "grid", "-o", "tsv"]).ok().stdout;
    assert!(tsv.starts_with("index\tlr\titem_status\tstatus\t"), "{tsv}");
    let params: Value = serde_json::json!({"lr": "0.1", "status": "b"});
    for verb in [&["results", "grid"][..], &["indexes", "grid"], &["logs", "grid"]] {
        let jsonl = cluster.run(&[verb, &["--index", "3", "-o", "jsonl"]].concat()).ok();
        let entry = &parse_lines(&jsonl.stdout)[0];
        assert_eq!((&entry["item"], &entry["params"]), (&"lr=0.1 status=b".into(), &params), "{jsonl:?}");
    }
    let log = cluster.run(&["results", "grid", "--joblog", "-"]).ok().stdout;
    let log: Vec<Vec<_>> = log.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!((log[0][8..].join(" "), log[4][9..].join(" ")), ("Command lr status".into(), "0.1 b".into()));
}

#[test]
fn a_folder_holds_one_file_an_index_and_no_other_jobs() {
    let cluster = Cluster::new("results-to");
    let folder = run_to_end(
        &cluster,
        "x",
        "../up,foo,FOO,-n",
        "printf %s $JOB_COMPLETION_INDEX; test $JOB_COMPLETION_INDEX != 3",
    );
    let to = |extra: &[&str]| cluster.run(&[&["results", "x", "--to", path_text(&folder)], extra].concat());
    let first = to(&["--index", "1", "--name-by", "item"]).ok();
    assert_eq!((first.stdout.as_str(), first.stderr), ("", format!("1 result in {}\n", folder.display())));
    assert_eq!(to(&[]).ok().stderr, format!("4 results (1 already there) in {}\n", folder.display()));
    assert_eq!(visible_files(&folder), ["FOO~2.out", "_._up.out", "_n.out", "foo~1.out", "results.jsonl"]);
    assert_eq!(std::fs::read_to_string(folder.join("_._up.out")).unwrap(), "0");
    let found: Vec<_> = read_list(&folder).iter().map(|line| format!("{} {}", line["file"], line["status"])).collect();
    assert_eq!(
        found,
        [
            "\"_._up.out\" \"Succeeded\"",
            "\"foo~1.out\" \"Succeeded\"",
            "\"FOO~2.out\" \"Succeeded\"",
            "\"_n.out\" \"Failed\""
        ]
    );
    // Only deleted files are fetched again.
    std::fs::remove_file(folder.join("_n.out")).unwrap();
    assert_eq!(to(&[]).ok().stderr, format!("4 results (3 already there) in {}\n", folder.display()));

    // The results survive the Pods; missing ones are named.
    std::fs::remove_file(folder.join("foo~1.out")).unwrap();
    cluster.kubectl(&["delete", "pods", "--all"]).ok();
    let late = to(&["-o", "jsonl"]);
    assert_eq!(late.code, 1, "{late:?}");
    assert!(late.stderr.contains("error: no output of index 1: the pod is gone\n"), "{late:?}");
    let outputs: Vec<_> = parse_lines(&late.stdout).iter().map(|line| line["output"].clone()).collect();
    assert_eq!(outputs, [Value::from("0"), Value::Null, Value::from("2"), Value::from("3")]);
    let codes: Vec<_> = parse_lines(&late.stdout).iter().map(|line| line["exitCode"].clone()).collect();
    assert_eq!(codes, [Value::from(0), Value::Null, Value::from(0), Value::from(1)], "they are noted, too");

    // A folder belongs to one Job.
    let usage = |outcome: crate::support::Outcome, what: &str| {
        assert_eq!(outcome.code, 2, "{outcome:?}");
        assert!(outcome.stderr.contains(what), "{outcome:?}");
    };
    usage(to(&["--name-by", "index"]), "has files named by item\n");
    usage(to(&["--from", "termination-message"]), "has results from the log\n");
    cluster.run(&["delete", "x"]).ok();
    run_to_end(&cluster, "x", "foo", "echo");
    usage(to(&[]), "which was deleted; a new job has its name\n");
    usage(
        cluster.run(&["results", "x", "--to", path_text(folder.parent().unwrap())]),
        "has files that are not results\n",
    );
}

#[test]
fn a_client_killed_at_any_time_leaves_nothing_torn() {
    let cluster = Cluster::new("results-kill");
    // Large outputs, which take time to write. Long lines are quicker for the kubelet.
    let script = "head -c 400000 /dev/zero | tr '\\0' $JOB_COMPLETION_INDEX; echo end";
    let folder = run_to_end(&cluster, "x", "a,b,c,d,e,f,g,h,i,j", script);
    let whole = |index: usize| format!("{}end\n", index.to_string().repeat(400_000)).into_bytes();
    let check = || {
        let files = if folder.exists() { visible_files(&folder) } else { Vec::new() };
        for name in &files {
            let bytes = std::fs::read(folder.join(name)).unwrap();
            match name.strip_suffix(".out") {
                Some(index) => assert!(bytes == whole(index.parse().unwrap()), "{name} is torn"),
                None => assert_eq!((name.as_str(), read_list(&folder).len()), ("results.jsonl", files.len() - 1)),
            }
        }
        files.len()
    };
    let files = || if folder.exists() { visible_files(&folder).len() } else { 0 };
    for round in 0..10 {
        let before = files();
        let running = cluster.start(&["results", "x", "--to", path_text(&folder)]);
        // While a file is being written, and when one more is complete.
        let parts = || {
            std::fs::read_dir(folder.join(".kubectl-indexed"))
                .is_ok_and(|mut files| files.any(|file| file.unwrap().file_name().to_string_lossy().ends_with(".part")))
        };
        let end = Instant::now() + Duration::from_secs(5);
        while Instant::now() < end && !(if round % 2 == 0 { parts() } else { files() > before }) {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(3 * (round % 3)));
        drop(running);
        check();
        if files() > 8 {
            std::fs::remove_dir_all(&folder).unwrap();
        }
    }
    let last = cluster.run(&["results", "x", "--to", path_text(&folder)]).ok();
    assert!(last.stderr.starts_with("10 results"), "{last:?}");
    assert_eq!(check(), 11);
    assert_eq!(read_list(&folder).len(), 10);
}

#[test]
fn a_full_disk_is_an_error_and_leaves_no_incomplete_file() {
    let cluster = Cluster::new("results-full");
    let folder = run_to_end(&cluster, "x", "a,b", "seq 2000");
    let command = format!("kubectl-indexed results x --to {}", path_text(&folder));
    // A file size limit of the shell serves as a small disk. The program is started without kubectl, which would not pass on
    // that the signal is ignored.
    let full = cluster.shell(&format!("trap '' XFSZ; ulimit -f 4; {command}"));
    assert_eq!(full.code, 1, "{full:?}");
    let said = |index: usize| {
        full.stderr.contains(&format!("error: writing {}/{index}.out: File too large", folder.display()))
    };
    assert!(said(0) || said(1), "{full:?}");
    assert_eq!((visible_files(&folder), read_list(&folder).len()), (vec!["results.jsonl".to_owned()], 0));
    assert_eq!(cluster.shell(&command).ok().stderr, format!("2 results in {}\n", folder.display()));
    for verb in ["logs", "logs -f", "results", "results -o csv"] {
        let full = cluster.shell(&format!("kubectl indexed {verb} x >/dev/full"));
        assert_eq!(full.code, 1, "{verb}: {full:?}");
        assert!(full.stderr.starts_with("error: can't write to stdout: No space left on device"), "{verb}: {full:?}");
    }
}

#[test]
fn followed_results_come_as_indexes_finish() {
    let cluster = Cluster::new("results-follow");
    // Higher indexes finish earlier.
    let script = "sleep $((4 - 2 * JOB_COMPLETION_INDEX)); echo $JOB_COMPLETION_INDEX > /dev/termination-log; echo out";
    cluster.run(&["run", "x", "--completions", "3", "-d", "-q", "--", "sh", "-c", script]).ok();
    let early = cluster.run(&["results", "x", "-o", "jsonl"]);
    assert_eq!((early.code, parse_lines(&early.stdout).len()), (1, 3), "{early:?}");
    assert!(early.stderr.starts_with("error: index") && early.stderr.contains("not ended yet\n"), "{early:?}");
    let ordered = cluster.start(&["results", "x", "-f", "-k", "-o", "jsonl"]);
    let from = ["results", "x", "-f", "-o", "jsonl", "--trim", "--from", "termination-message"];
    let came = parse_lines(&cluster.run(&from).ok().stdout);
    let pair = |line: &Value| (line["index"].as_u64().unwrap(), line["output"].as_str().unwrap().to_owned());
    assert_eq!(came.iter().map(pair).collect::<Vec<_>>(), [(2, "2".into()), (1, "1".into()), (0, "0".into())]);
    let ordered = parse_lines(&ordered.end().ok().stdout);
    assert_eq!(ordered.iter().map(pair).collect::<Vec<_>>(), [0, 1, 2].map(|index| (index, "out\n".into())));
    // Termination messages need no request for each index.
    let after = cluster.run(&["results", "x", "--from", "termination-message"]).ok();
    assert_eq!(after.stdout, "0\n1\n2\n");
    let refused = cluster.run(&["results", "x", "-f", "-o", "json"]);
    assert_eq!(refused.code, 2, "{refused:?}");
}

#[test]
fn run_collects_results_before_the_pods_are_gone() {
    let cluster = Cluster::new("results-run");
    let folder = cluster.write("none", b"").with_file_name("out");
    // Kubernetes deletes the Job and its Pods at its end.
    let script = "echo $JOB_COMPLETION_INDEX; test $JOB_COMPLETION_INDEX != 1";
    let args =
        ["run", "x", "--completions", "4", "--ttl", "0s", "--results", path_text(&folder), "--", "sh", "-c", script];
    let outcome = cluster.run(&args);
    assert_eq!((outcome.code, outcome.stdout.lines().count()), (1, 4), "{outcome:?}");
    assert!(outcome.stderr.contains(&format!("\n4 results in {}\n", folder.display())), "{outcome:?}");
    let read = |index: usize| std::fs::read_to_string(folder.join(format!("{index}.out"))).unwrap();
    assert_eq!([0, 1, 2, 3].map(read), ["0\n", "1\n", "2\n", "3\n"]);
    let codes: Vec<_> = read_list(&folder).iter().map(|line| line["exitCode"].as_i64().unwrap()).collect();
    assert_eq!(codes, [0, 1, 0, 0]);

    // Existing files are refused before a Job is created.
    let again = cluster.run(&["run", "y", "--completions", "1", "--results", path_text(&folder), "--", "true"]);
    assert_eq!(again.code, 2, "{again:?}");
    assert!(
        again.stderr.ends_with("out is not empty\nhint: name a new folder for the results of a new Job\n"),
        "{again:?}"
    );
    assert_eq!(cluster.field("job/y", "{.metadata.name}"), "");

    // An interrupt keeps the files, and the hint shows how to fetch the rest.
    let folder = folder.with_file_name("cut");
    let script = "sleep $((3 * JOB_COMPLETION_INDEX)); echo $JOB_COMPLETION_INDEX";
    let args = ["run", "z", "--completions", "2", "--results", path_text(&folder), "--", "sh", "-c", script];
    let running = cluster.start(&args);
    cluster.eventually("the first result", || folder.join("0.out").exists());
    running.interrupt();
    let outcome = running.end();
    assert_eq!((outcome.code, read_list(&folder).len()), (130, 1), "{outcome:?}");
    let command = format!("kubectl indexed results -f z --to {}", folder.display());
    assert!(outcome.stderr.contains(&format!("hint: {command} collects the rest of the results\n")), "{outcome:?}");
    let after = cluster.shell(&command).ok();
    assert_eq!(after.stderr, format!("2 results (1 already there) in {}\n", folder.display()));
}
