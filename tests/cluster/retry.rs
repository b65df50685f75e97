//! `retry`: failed and never-started indexes run again with their index and item, in Jobs of any tool.

use crate::support::{Cluster, GATE, file};

/// Returns the line of a description with this beginning.
fn line(description: &str, start: &str) -> String {
    let line = description.lines().find(|line| line.trim_start().starts_with(start));
    line.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn description(cluster: &Cluster, job: &str) -> String {
    cluster.run(&["describe", job, "--show-events=false"]).ok().stdout
}

#[test]
fn failed_indexes_run_again_with_their_index_and_item() {
    let cluster = Cluster::new("retry");
    let template = cluster.write("gate.yaml", GATE.as_bytes());
    let template = template.to_str().unwrap();
    let items: Vec<_> = (0..50).map(|number| format!("item-{number}")).collect();
    let script = "case $JOB_COMPLETION_INDEX in *7|10|11) [ -e /gate/open ] || exit 3;; esac
        echo $JOB_COMPLETION_INDEX:$(cat /input/data.txt)";
    let list = items.join(",");
    let run =
        ["run", "rev-a", "--template", template, "--items", &list, "-q", "--prefix=none", "--", "sh", "-c", script];
    let first = cluster.run(&run);
    assert_eq!(first.code, 1, "{first:#?}");
    assert_eq!(first.stdout.lines().count(), 43, "{first:#?}");

    cluster.kubectl(&["create", "configmap", "gate", "--from-literal=open=yes"]).ok();
    let second = cluster.run(&["retry", "rev-a"]).ok();
    let numbers = [10, 11, 17, 27, 37, 47, 7];
    assert_eq!(second.sorted_lines(), numbers.map(|number| format!("[{number} item-{number}] {number}:item-{number}")));
    assert!(second.stderr.contains("job rev-a-r1 created: it retries indexes 7,10,11,17,27,37,47 of job rev-a"));
    assert!(second.stderr.ends_with("with this retry, 50 of 50 indexes of job rev-a have succeeded\n"), "{second:#?}");
    assert_eq!(cluster.field("pods", "{.items[*].metadata.labels.job-name}").matches("rev-a-r1").count(), 7);

    let whole = description(&cluster, "rev-a");
    assert_eq!(line(&whole, "Completed Indexes:"), "Completed Indexes: 0-49");
    assert_eq!(line(&whole, "Family:"), "Family: rev-a (0-49: Failed), rev-a-r1 (7,10,11,17,27,37,47: Complete)");
    let alone = cluster.run(&["describe", "rev-a", "--only-this"]).ok().stdout;
    assert_eq!(line(&alone, "Failed:"), "Failed: 7,10,11,17,27,37,47 (7)");
    let rows = cluster.run(&["indexes", "rev-a", "--index", "6,7", "-o", "csv", "--no-headers"]).ok().stdout;
    let cell = |line: &str, at: usize| line.split(',').nth(at).unwrap().to_owned();
    let cells: Vec<_> = rows.lines().map(|line| [0, 1, 2, 3, 13].map(|at| cell(line, at)).join(" ")).collect();
    assert_eq!(cells, ["6 item-6 Succeeded 1 rev-a", "7 item-7 Succeeded 2 rev-a-r1"]);
    let logs = cluster.run(&["logs", "rev-a", "--index", "6,7"]).ok().stdout;
    assert_eq!(logs, "[6 item-6] 6:item-6\n[7 item-7 #2] 7:item-7\n");
    let results = cluster.run(&["results", "rev-a", "--index", "6,7"]).ok().stdout;
    assert_eq!(results, "6:item-6\n7:item-7\n");
    assert!(cluster.run(&["wait", "rev-a"]).ok().stderr.contains("50 of 50 indexes completed"));
    assert_eq!(cluster.run(&["wait", "rev-a", "--only-this", "-q"]).code, 1);

    let nothing = "nothing to retry: all 50 indexes of job rev-a have succeeded\n";
    for job in ["rev-a", "rev-a-r1"] {
        let outcome = cluster.run(&["retry", job]).ok();
        assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", nothing));
    }
    // The second Job has the settings and items of the first.
    cluster.run(&["delete", "rev-a"]).ok();
    assert_eq!(cluster.field("configmaps", "{.items[*].metadata.labels.kubectl-indexed/items-of}"), "rev-a-r1");
    assert_eq!(line(&description(&cluster, "rev-a-r1"), "Completed Indexes:"), "Completed Indexes: 0-49");
    let rows = cluster.run(&["indexes", "rev-a-r1", "-o", "csv", "--no-headers"]).ok().stdout;
    assert_eq!(rows.lines().filter(|line| cell(line, 2) == "Succeeded").count(), 50);
    assert_eq!(cell(rows.lines().nth(3).unwrap(), 1), "item-3");
}

/// The manifest of the documentation, with two items at which its worker fails.
#[test]
fn a_job_of_another_tool_is_retried_several_times() {
    let cluster = Cluster::new("retry");
    let worker = "sh\n        - -c\n        - grep -q ba[rz] /input/data.txt && exit 4; rev ";
    let manifest = file("examples/indexed-job.yaml").replace("rev\n        - ", worker);
    let manifest = manifest.replace("  completions: 5\n", "  completions: 5\n  backoffLimitPerIndex: 0\n");
    cluster.apply(&manifest).ok();
    assert_eq!(cluster.run(&["wait", "indexed-job", "-q"]).code, 1);

    let first = cluster.run(&["retry", "indexed-job", "--index", "0-1", "--retries", "1", "--", "false"]);
    assert!(first.stderr.contains("it retries index 1 of job indexed-job\n"), "{first:#?}");
    assert_eq!(first.code, 1, "{first:#?}");
    assert_eq!(line(&description(&cluster, "indexed-job"), "Failed:"), "Failed: 1,2 (2)");
    // The exit code of the first attempt selects the index: one was 1 and one was 4.
    let by_code = cluster.run(&["retry", "indexed-job-r1", "--exit-code", "9"]).ok();
    assert_eq!(by_code.stderr, "nothing to retry of job indexed-job: none of its 2 outstanding indexes match (1,2)\n");
    let second = cluster.run(&["retry", "indexed-job-r1", "--exit-code", "4", "--", "rev", "/input/data.txt"]).ok();
    assert_eq!(second.stdout, "zab\n", "{second:#?}");

    // Two retries at once: the second one is an error.
    let both = "kubectl indexed retry indexed-job -d -o name > a 2>&1 & kubectl indexed retry indexed-job -d -o name > b 2>&1 || true
        wait; cat a b";
    let both = cluster.shell(&format!("cd $HOME; {both}")).ok().stdout;
    assert_eq!(both.matches("job indexed-job-r3 created").count(), 1, "{both}");
    let messages = [
        "somebody else has just started a retry, job indexed-job-r3",
        "index 1 is under way in job indexed-job-r3",
        "job indexed-job-r3 already exists, created by this same command",
    ];
    assert_eq!(messages.iter().filter(|messages| both.contains(**messages)).count(), 1, "{both}");
    cluster.run(&["wait", "indexed-job-r2", "-q"]).ok();
    let whole = description(&cluster, "indexed-job");
    assert_eq!(line(&whole, "Completed Indexes:"), "Completed Indexes: 0-4");
    assert_eq!(
        cluster.run(&["logs", "indexed-job", "--index", "1", "--attempt", "last", "--prefix", "none"]).ok().stdout,
        "rab\n"
    );
}

/// Every form and store of items. Each Job stops at its first failure, so the other indexes never ran.
#[test]
fn every_index_finds_its_item_again() {
    let cluster = Cluster::new("retry");
    let many: Vec<_> = (0..1001).map(|number| format!("item {number}\n")).collect();
    cluster.write("many.txt", many.concat().as_bytes());
    cluster.write("table.csv", b"name,size\na a,1\nb'b,2\n");
    let script = r#"
        cd "$HOME"
        first() {
            name=$1; shift
            kubectl indexed run "$name" -j 1 --fail-fast -q "$@" > "$name.first" 2>&1 && return 1
            kubectl indexed retry "$name" --index "${last:-0,1}" -q --prefix none -k > "$name.out" 2> "$name.err"
        }
        # The first Job's Pods fail, the second's don't: their host names tell them apart.
        fail='[ "$HOSTNAME" != "${HOSTNAME%%-r1-*}" ] || exit 3;'
        last=0,1000 first packed -a many.txt -- sh -c "$fail"' cat /input/data.txt; echo " $JOB_COMPLETION_INDEX"' &
        first inline --item-store inline --items "a,b'b" -- sh -c "$fail"' cat /input/data.txt; echo " $JOB_COMPLETION_INDEX"' &
        first arg --items "a,b'b" --index-env I -- sh -c "$fail"' echo "$@ $I"' sh '{}' '{#}' &
        wait
        first columns -a table.csv --compat parallel -- sh -c "$fail"' echo "$@ $PARALLEL_SEQ"' sh '{size}' '{name}' &
        first env -a table.csv --item-as env -- sh -c "$fail"' echo "$name $size $JOB_COMPLETION_INDEX"' &
        first stdin --items "a,b'b" --item-as stdin -- sh -c "$fail"' cat; echo " $JOB_COMPLETION_INDEX"' &
        wait
        for name in packed inline arg columns env stdin; do echo "$name:"; cat $name.out $name.err; done"#;
    let outcome = cluster.shell(script).ok();
    let expected = "\
packed:
item 0 0
item 1000 1000
inline:
a 0
b'b 1
arg:
a 0 0
b'b 1 1
columns:
1 a a 1
2 b'b 2
env:
a a 1 0
b'b 2 1
stdin:
a 0
b'b 1
";
    assert_eq!(outcome.stdout, expected, "{outcome:#?}");
}

/// Every form and store of items, retried with a command that needs another form. Each Job stops at its first Pod.
#[test]
fn a_corrected_command_finds_its_item_in_every_form() {
    let cluster = Cluster::new("retry");
    let many: Vec<_> = (0..1001).map(|number| format!("item {number}\n")).collect();
    cluster.write("many.txt", many.concat().as_bytes());
    cluster.write("table.csv", b"name,size\na.x a,1\nb'b,2\n");
    cluster.shell("kubectl create configmap lines --from-literal=k=\"$(printf 'l0\\nl1\\n')\"").ok();
    let script = r#"
        cd "$HOME"
        two="--items a,b'b"
        first() {
            name=$1; shift
            kubectl indexed run "$name" -j 1 --fail-fast -q "$@" > "$name.first" 2>&1 && return 1
            echo "$name"
        }
        again() {
            name=$1; shift
            kubectl indexed retry "$name" --index "${last:-0,1}" -q --prefix none -k -- "$@" > "$name.out" 2>&1
        }
        first file $two -- false && again file sh -c 'cat "$1"; echo' sh &
        first braces $two -- false && again braces echo 'it is {}' &
        first inline --item-store inline $two -- false && again inline sh -c 'echo "<"{}">"' &
        wait
        first columns -a table.csv -- sh -c 'echo {name}; exit 1' && again columns sh -c 'echo {name} is {size}' &
        first words -a table.csv -- false '{name}' && again words echo '{size}' '{name.}' '{#}' &
        first env -a table.csv --item-as env -- false && again env sh -c 'echo "$name $size"' &
        wait
        first stdin $two --item-as stdin --item-path /in/it -- false && again stdin sh -c 'cat; echo' &
        first index --completions 2 -- false && again index echo 'n{#}' &
        first listed --items-configmap lines/k -- false && again listed echo '{}' &
        wait
        first parallel $two --compat parallel -- sh -c 'exit 1 # {}' && again parallel sh -c 'echo {/} $PARALLEL_SEQ' &
        first long -a many.txt -- false && last=0,1000 && again long echo '{}' &
        wait
        cd "$HOME"; tail -n +1 *.out"#;
    let outcome = cluster.shell(script).ok();
    let printed = |name: &str, first: &str, second: &str| format!("==> {name}.out <==\n{first}\n{second}\n");
    let expected = [
        printed("braces", "it is a", "it is b'b"),
        printed("columns", "a.x a is 1", "b'b is 2"),
        printed("env", "a.x a 1", "b'b 2"),
        printed("file", "a", "b'b"),
        printed("index", "n0", "n1"),
        printed("inline", "<a>", "<b'b>"),
        printed("listed", "l0", "l1"),
        printed("long", "item 0", "item 1000"),
        printed("parallel", "a 1", "b'b 2"),
        printed("stdin", "a", "b'b"),
        printed("words", "1 a 0", "2 b'b 1"),
    ];
    let (_, outputs) = outcome.stdout.split_once("==>").unwrap_or_default();
    assert_eq!(format!("==>{outputs}"), expected.join("\n"), "{outcome:#?}");
    // Another retry, of the lists of the first retry: the list of the first Job is gone.
    cluster.run(&["delete", "columns"]).ok();
    let nothing = cluster.run(&["retry", "columns-r1", "--", "echo", "{}"]).ok();
    assert!(nothing.stderr.starts_with("nothing to retry"), "{nothing:#?}");
}

/// Returns a Job that ends before one of its Pods can run.
fn unscheduled(name: &str, pod: &str) -> String {
    format!(
        "
apiVersion: batch/v1
kind: Job
metadata: {{name: {name}}}
spec:
  completions: 3
  completionMode: Indexed
  activeDeadlineSeconds: 1
  template:
    spec:
      restartPolicy: Never
      nodeSelector: {{no: where}}
{pod}"
    )
}

#[test]
fn a_job_that_can_not_be_retried_is_refused_with_the_reason() {
    let cluster = Cluster::new("retry");
    let worker = "
      containers:
      - name: worker
        image: docker.io/library/busybox
        command: [cat, /i/data.txt]
        volumeMounts: [{name: i, mountPath: /i}]
      volumes:
      - name: i
";
    let field = "fieldRef: {fieldPath: \"metadata.annotations['batch.kubernetes.io/job-completion-index']\"}";
    let projected = format!(
        "        projected: {{sources: [{{downwardAPI: {{items: [{{path: data.txt, {field}}}]}}}}, {{configMap: {{name: x}}}}]}}\n"
    );
    cluster.apply(&unscheduled("projected", &format!("{worker}{projected}"))).ok();
    cluster.apply(&unscheduled("gone", &format!("{worker}        configMap: {{name: x}}\n"))).ok();
    cluster.apply(&unscheduled("plain", &format!("{worker}        emptyDir: {{}}\n"))).ok();
    for job in ["projected", "gone", "plain"] {
        assert_eq!(cluster.run(&["wait", job, "-q"]).code, 1);
    }
    let jobs = || cluster.kubectl(&["get", "jobs", "-o", "name"]).ok().stdout;
    let before = jobs();
    let refused = |args: &[&str]| {
        let outcome = cluster.run(args);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""), "{outcome:#?}");
        outcome.stderr
    };
    let gone = refused(&["retry", "gone"]);
    assert!(gone.contains("configmap \"x\" is missing, and the Pods of job \"gone\" need it"), "{gone}");
    cluster.kubectl(&["create", "configmap", "x"]).ok();
    let unreplaceable = refused(&["retry", "projected"]);
    assert!(
        unreplaceable.contains(if cluster.is_newest() {
            "projects the index together"
        } else {
            "this needs 1.35 or newer"
        }),
        "{unreplaceable}"
    );
    assert!(refused(&["retry", "plain", "--memory", "x2"]).contains("has no memory request or limit to multiply"));
    assert!(refused(&["retry", "plain", "--index", "3"]).contains("the job has no index 3"));
    assert_eq!(jobs(), before);

    let messages = |args: &[&str]| cluster.run(args).ok().stderr;
    assert!(
        messages(&["retry", "plain", "--status", "failed"])
            .starts_with("nothing to retry of job plain: none of its 3 outstanding indexes")
    );
    let dry = cluster.run(&["retry", "plain", "--status", "pending", "--dry-run=server", "-o", "name"]).ok();
    assert_eq!(dry.stdout, "job.batch/plain-r1\n");
    assert_eq!(jobs(), before);
}
