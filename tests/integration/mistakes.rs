//! Mistakes of people who come from xargs, GNU parallel, Slurm and kubectl. Each answer says what is wrong, why, and what to
//! type next. `cargo test mistakes -- --nocapture --test-threads=1` prints the table.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use insta::assert_snapshot;

use crate::support::{Sandbox, nobody_listens};

/// Returns a home with the files of the rows and the kubeconfig of a server that only counts requests, and the count.
fn make_home() -> (Sandbox, Arc<AtomicU32>) {
    let sandbox = Sandbox::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    thread::spawn(move || {
        listener.incoming().for_each(|_| {
            counted.fetch_add(1, Ordering::Relaxed);
        });
    });
    let cluster = format!("{{name: c, cluster: {{server: 'http://127.0.0.1:{port}'}}}}");
    sandbox.write(
        ".kube/config",
        format!("clusters: [{cluster}]\ncontexts: [{{name: c, context: {{cluster: c}}}}]\ncurrent-context: c\n"),
    );
    for (name, text) in [
        ("sizes.csv", "name,size\ncat,1\n"),
        ("semicolons.csv", "name;size\ncat;1\n"),
        ("headless.tsv", "cat\t1\ndog\t2\n"),
        ("twice.csv", "name,name\ncat,1\n"),
        ("uid.csv", "UID,size\ncat,1\n"),
        ("nul.txt", "cat\0dog\0"),
        ("words.txt", "cat\n"),
        ("empty.txt", ""),
        ("crlf.sh", "echo {}\r\nexit 0\r\n"),
    ] {
        sandbox.write(name, text);
    }
    sandbox.write("big.txt", "x".repeat(1_200_000));
    let setup = "printf 'cat\\n' | iconv -t UTF-16 >utf16.txt; gzip <words.txt >words.txt.gz";
    assert_eq!(sandbox.shell(setup).code, 0);
    (sandbox, calls)
}

/// Runs each row in a shell, and returns the rows with their answers. Panics if one of them calls the server.
#[track_caller]
#[expect(clippy::print_stdout, reason = "people read the table")]
fn answer_rows(rows: &[&str]) -> String {
    let (sandbox, calls) = make_home();
    let mut table = String::new();
    for row in rows {
        let outcome = sandbox.shell(&format!("kubectl() {{ shift; kubectl-indexed \"$@\"; }}; {row}"));
        let said = &outcome.stderr;
        assert!(said.starts_with("error: ") && said.contains("\nhint: ") || said.starts_with("warning: "), "{outcome}");
        assert!(!said.contains("tip: ") && !said.contains("Usage: "), "{outcome}");
        let code = if said.starts_with("error: ") { 2 } else { 0 };
        assert_eq!((outcome.code, outcome.stdout.as_str()), (code, ""), "{row}\n{outcome}");
        let _ = writeln!(table, "$ {row}\n{said}[exit code {code}]");
    }
    assert_eq!(calls.load(Ordering::Relaxed), 0, "{table}");
    println!("{table}");
    table
}

#[test]
fn lists() {
    assert_snapshot!(answer_rows(&[
        "kubectl indexed run -a utf16.txt -- rev",
        "kubectl indexed run -a words.txt.gz -- rev",
        "kubectl indexed run -a nul.txt -- rev",
        "kubectl indexed run -a wrods.txt -- rev",
        "kubectl indexed run -a lists/2024.txt -- rev",
        "kubectl indexed run -a empty.txt -- rev",
        "kubectl indexed run -a big.txt -- echo {}",
        "kubectl indexed run -a semicolons.csv -- echo {name}",
        "kubectl indexed run -a headless.tsv -- echo {1}",
        "kubectl indexed run -a twice.csv -- echo {name}",
        "kubectl indexed run -a uid.csv --item-as env -- bash -c 'echo $UID'",
    ]), @r#"
    $ kubectl indexed run -a utf16.txt -- rev
    error: utf16.txt is UTF-16, and a list must be UTF-8
    hint: convert it: iconv -f UTF-16 -t UTF-8 utf16.txt | kubectl indexed run -a - -- CMD
    hint: in PowerShell, write UTF-8 with Out-File -Encoding utf8 instead of >
    [exit code 2]
    $ kubectl indexed run -a words.txt.gz -- rev
    error: words.txt.gz is a gzip file, not a list
    hint: convert it: gzip -dc words.txt.gz | kubectl indexed run -a - -- CMD
    [exit code 2]
    $ kubectl indexed run -a nul.txt -- rev
    error: NUL bytes, not line breaks, end the items of nul.txt
    hint: add -0
    hint: if the NUL bytes are part of the items, end the last line with a line break
    [exit code 2]
    $ kubectl indexed run -a wrods.txt -- rev
    error: the file of items wrods.txt can't be read: No such file or directory (os error 2)
    hint: ls -l . lists the files
    [exit code 2]
    $ kubectl indexed run -a lists/2024.txt -- rev
    error: the file of items lists/2024.txt can't be read: No such file or directory (os error 2)
    hint: ls -l lists lists the files
    [exit code 2]
    $ kubectl indexed run -a empty.txt -- rev
    error: there are no items in empty.txt
    hint: write one item per line; a table needs rows below its header
    [exit code 2]
    $ kubectl indexed run -a big.txt -- echo {}
    error: item 0 (line 1) of big.txt is larger than 1 MiB
    hint: put large inputs into a volume, and pass their names as items
    [exit code 2]
    $ kubectl indexed run -a semicolons.csv -- echo {name}
    error: semicolons.csv has only the column "name;size", which has ';' in its name
    hint: if ';' separates its columns, add --colsep ';'; if not, add --colsep ,
    [exit code 2]
    $ kubectl indexed run -a headless.tsv -- echo {1}
    error: the first line of headless.tsv looks like an item: as the header it would name column 2 "1"
    hint: --no-header makes it an item, with the columns {1}, {2}, ...
    hint: --no-header=false makes it the header
    [exit code 2]
    $ kubectl indexed run -a twice.csv -- echo {name}
    error: columns 1 and 2 of twice.csv have the same name "name"
    hint: the first line names the columns; --no-header reads a table without names
    [exit code 2]
    $ kubectl indexed run -a uid.csv --item-as env -- bash -c 'echo $UID'
    error: column "UID" would become the variable UID, which shells set themselves
    hint: remove --item-as env, and write {UID} in the command
    hint: or rename the column
    [exit code 2]
    "#);
}

#[test]
fn items_and_commands() {
    assert_snapshot!(answer_rows(&[
        "kubectl indexed run --items '[\"cat\",\"dog\"]' -- rev",
        "kubectl indexed run --items cat dog -- rev",
        "kubectl indexed run --items cat dog owl -- rev",
        "kubectl indexed run --items cat,dog echo {}",
        "kubectl indexed run --items cat,dog grep -c a",
        "kubectl indexed run -- rev",
        "kubectl indexed run --param lr=1..3 -- echo {lr}",
        "kubectl indexed run -a sizes.csv -- echo {nmae}",
        "kubectl indexed run --items cat.txt -- echo '{= s/cat/dog/ =}'",
        "kubectl indexed run --items cat -- echo {%}",
        "kubectl indexed run -a sizes.csv -- echo {{name}}",
        "kubectl indexed run --array 1..10 -- rev",
        "kubectl indexed run --array 1-3 --dry-run=client -- sh -c 'echo $SLURM_ARRAY_TASK_ID' >/dev/null",
        "kubectl indexed run --items cat --dry-run=client -- sh -c \"$(cat crlf.sh)\" >/dev/null",
    ]), @r#"
    $ kubectl indexed run --items '["cat","dog"]' -- rev
    error: --items is JSON, and must be values separated by commas
    hint: write --items a,b
    hint: or read the JSON from a file: --items-file FILE.json
    hint: quote a value that has a comma or a quote, as in CSV: --items '"[1,2]",b'
    [exit code 2]
    $ kubectl indexed run --items cat dog -- rev
    error: --items takes one value, and "dog" after it would be the name of the Job
    hint: separate items by commas: --items a,b
    hint: to name the Job, write --name dog
    [exit code 2]
    $ kubectl indexed run --items cat dog owl -- rev
    error: unexpected argument "owl" for run
    hint: --items takes one word, with commas between the items, as in --items a,b,c
    [exit code 2]
    $ kubectl indexed run --items cat,dog echo {}
    error: unexpected argument "{}" for run
    hint: put the command last, after two dashes: kubectl indexed run --items cat,dog -- echo '{}'
    [exit code 2]
    $ kubectl indexed run --items cat,dog grep -c a
    error: run has no flag -c
    hint: put the command last, after two dashes: kubectl indexed run --items cat,dog -- grep -c a
    [exit code 2]
    $ kubectl indexed run -- rev
    error: there are no items to run the command for
    hint: name them: kubectl indexed run --items foo,bar,baz -- rev
    hint: or read one per line from a file, or - for stdin: kubectl indexed run --items-file FILE -- rev
    hint: or run indexes without items: kubectl indexed run --completions 10 -- rev
    [exit code 2]
    $ kubectl indexed run --param lr=1..3 -- echo {lr}
    error: --param lr "1..3" looks like a range, and would be one value
    hint: --param lr=$(seq -s, 1 3) makes numbers
    hint: if it is one value, quote it as in CSV: --param 'lr="1..3"'
    [exit code 2]
    $ kubectl indexed run -a sizes.csv -- echo {nmae}
    error: {nmae} in the command names no column: the columns are "name", "size"
    hint: did you mean {name}?
    hint: write {{nmae}} for the text {nmae} itself
    [exit code 2]
    $ kubectl indexed run --items cat.txt -- echo '{= s/cat/dog/ =}'
    error: {= s/cat/dog/ =} in the command is a Perl expression in GNU parallel, and is not supported here
    hint: change the value in a shell: -- sh -c 'printf %s {} | sed s/a/b/'
    hint: write {{= s/cat/dog/ =}} for the text {= s/cat/dog/ =} itself
    [exit code 2]
    $ kubectl indexed run --items cat -- echo {%}
    error: {%} in the command is the number of the job slot in GNU parallel, and is not supported here
    hint: use {#} for the index
    hint: write {{%}} for the text {%} itself
    [exit code 2]
    $ kubectl indexed run -a sizes.csv -- echo {{name}}
    error: {{name}} in the command is text: a placeholder has single braces
    hint: write {name} for the value
    hint: or add --no-placeholders to keep every brace
    [exit code 2]
    $ kubectl indexed run --array 1..10 -- rev
    error: --range "1..10": a range is written with a hyphen: 1-10
    hint: write it as --range 1-100, 0-9:2 or 1,5,9-12
    [exit code 2]
    $ kubectl indexed run --array 1-3 --dry-run=client -- sh -c 'echo $SLURM_ARRAY_TASK_ID' >/dev/null
    warning: the command reads SLURM_ARRAY_TASK_ID, which is not set; --compat slurm sets it
    3 items as file: the command has no placeholder; /input/data.txt is its last argument
    [exit code 0]
    $ kubectl indexed run --items cat --dry-run=client -- sh -c "$(cat crlf.sh)" >/dev/null
    warning: the script in the command has Windows line ends, and a shell reads each carriage return as part of a word; tr -d '\r' removes them
    1 item as arg: the command has the placeholder {}; the shell sh in the worker's image reads it: the command is a shell
    [exit code 0]
    "#);
}

#[test]
fn verbs_and_jobs() {
    assert_snapshot!(answer_rows(&[
        "kubectl indexed get job train",
        "kubectl indexed get pods",
        "kubectl indexed stop train",
        "kubectl indexed cp train",
        "kubectl indexed exec train",
        "kubectl indexed squeue",
        "kubectl indexed sbatch train.sh",
        "kubectl indexed descirbe train",
        "kubectl indexed frobnicate",
        "kubectl indexed --token=S3 logs train 3",
        "kubectl indexed retry train sh fixed.sh",
        "kubectl indexed logs train -p -f",
        "kubectl indexed logs train --index 3-1",
        "kubectl indexed logs train --index 1..3",
        "kubectl indexed logs train --index faled",
        "kubectl indexed scale train 5",
        "kubectl indexed delete",
    ]), @r#"
    $ kubectl indexed get job train
    error: unexpected argument "train" for list
    hint: kubectl indexed describe train
    [exit code 2]
    $ kubectl indexed get pods
    error: unexpected argument "pods" for list
    hint: kubectl indexed indexes JOB -o wide shows the Pod of each index; kubectl get pods lists all Pods
    [exit code 2]
    $ kubectl indexed stop train
    error: unknown verb "stop"
    hint: kubectl indexed suspend JOB stops the Pods of a Job and keeps it; kubectl indexed delete JOB deletes it
    [exit code 2]
    $ kubectl indexed cp train
    error: unknown verb "cp"
    hint: kubectl indexed results JOB --to DIR writes the output of each index to a file; kubectl cp copies files from a running Pod
    [exit code 2]
    $ kubectl indexed exec train
    error: unknown verb "exec"
    hint: kubectl exec -it $(kubectl indexed indexes JOB --index 3 -o name) -- sh opens a shell in the Pod of index 3
    [exit code 2]
    $ kubectl indexed squeue
    error: unknown verb "squeue"
    hint: kubectl indexed list lists the Jobs; kubectl indexed indexes JOB lists the indexes of one
    [exit code 2]
    $ kubectl indexed sbatch train.sh
    error: unknown verb "sbatch"
    hint: kubectl indexed run --items-file FILE -- COMMAND runs a command for each line of a file
    [exit code 2]
    $ kubectl indexed descirbe train
    error: unknown verb "descirbe"
    hint: did you mean describe?
    [exit code 2]
    $ kubectl indexed frobnicate
    error: unknown verb "frobnicate"
    hint: kubectl indexed --help lists the verbs
    [exit code 2]
    $ kubectl indexed --token=S3 logs train 3
    error: unexpected argument "3" for logs
    hint: kubectl indexed --token=SECRET logs train --index 3
    [exit code 2]
    $ kubectl indexed retry train sh fixed.sh
    error: unexpected argument "sh" for retry
    hint: put the command last, after two dashes: kubectl indexed retry train -- sh fixed.sh
    [exit code 2]
    $ kubectl indexed logs train -p -f
    error: the argument '--previous' cannot be used with '--follow'
    hint: remove one of them
    [exit code 2]
    $ kubectl indexed logs train --index 3-1
    error: --index "3-1": 3-1 runs backwards; write 1-3
    hint: --index <INDEXES>: Print only these indexes, as in 0-3,7 or failed
    [exit code 2]
    $ kubectl indexed logs train --index 1..3
    error: --index "1..3": a range is written with a hyphen: 1-3
    hint: --index <INDEXES>: Print only these indexes, as in 0-3,7 or failed
    [exit code 2]
    $ kubectl indexed logs train --index faled
    error: --index "faled": "faled" is neither a number nor one of failed, running, pending, succeeded, all
    hint: --index <INDEXES>: Print only these indexes, as in 0-3,7 or failed
    [exit code 2]
    $ kubectl indexed scale train 5
    error: the following required arguments were not provided: --parallelism <N>
    hint: --parallelism <N>: Run at most N indexes at once; 0 runs none
    [exit code 2]
    $ kubectl indexed delete
    error: the following required arguments were not provided: <JOB>...
    hint: write it as kubectl indexed delete <JOB>...
    [exit code 2]
    "#);
}

#[test]
fn flags_of_other_tools() {
    let rows = [
        "--secret token",
        "--time 1:00:00",
        "--partition gpu",
        "--pipe",
        "--tag",
        "--joblog log",
        "--resume-failed",
        "--jobs 4",
        "-P 4",
        "-I {}",
        "--mem 4G",
        "--gres gpu:1",
        "--halt now,fail=1",
        "--volume data:/data",
        "--backoff-limit 3",
        "--itmes dog",
        "--grep cat",
        "--frobnicate",
    ];
    let rows = rows.map(|flags| format!("kubectl indexed run --items cat {flags} -- rev"));
    let mut rows: Vec<_> = rows.iter().map(String::as_str).collect();
    rows.extend([
        "kubectl indexed results train --format csv",
        "kubectl indexed retry train --failed",
        "kubectl indexed scale train --replicas 3",
    ]);
    assert_snapshot!(answer_rows(&rows), @"
    $ kubectl indexed run --items cat --secret token -- rev
    error: run has no flag --secret
    hint: put it into a manifest and add --template FILE: kubectl create job NAME --image=IMAGE --dry-run=client -o yaml prints a manifest to start from
    [exit code 2]
    $ kubectl indexed run --items cat --time 1:00:00 -- rev
    error: run has no flag --time
    hint: --timeout 1h fails the Job after one hour; --index-timeout 1h ends each attempt of an index
    [exit code 2]
    $ kubectl indexed run --items cat --partition gpu -- rev
    error: run has no flag --partition
    hint: --queue NAME submits to a Kueue queue; --node-selector KEY=VALUE chooses nodes
    [exit code 2]
    $ kubectl indexed run --items cat --pipe -- rev
    error: run has no flag --pipe
    hint: --item-as stdin passes each item on standard input; split a stream into items first
    [exit code 2]
    $ kubectl indexed run --items cat --tag -- rev
    error: run has no flag --tag
    hint: each line starts with its index and item by default; --prefix none removes them
    [exit code 2]
    $ kubectl indexed run --items cat --joblog log -- rev
    error: run has no flag --joblog
    hint: kubectl indexed results JOB --joblog FILE writes the job log, also while the Job runs
    [exit code 2]
    $ kubectl indexed run --items cat --resume-failed -- rev
    error: run has no flag --resume-failed
    hint: --resume JOB skips the items that succeeded in JOB; kubectl indexed retry JOB runs its failed indexes again
    [exit code 2]
    $ kubectl indexed run --items cat --jobs 4 -- rev
    error: run has no flag --jobs
    hint: -j N runs at most N indexes at once
    [exit code 2]
    $ kubectl indexed run --items cat -P 4 -- rev
    error: run has no flag -P
    hint: -j N runs at most N indexes at once
    [exit code 2]
    $ kubectl indexed run --items cat -I {} -- rev
    error: run has no flag -I
    hint: {} in the command is the item
    [exit code 2]
    $ kubectl indexed run --items cat --mem 4G -- rev
    error: run has no flag --mem
    hint: --memory 4Gi requests 4 GiB per index, which is also the limit
    [exit code 2]
    $ kubectl indexed run --items cat --gres gpu:1 -- rev
    error: run has no flag --gres
    hint: --gpu 1 requests one GPU per index
    [exit code 2]
    $ kubectl indexed run --items cat --halt now,fail=1 -- rev
    error: run has no flag --halt
    hint: --fail-fast fails the Job at its first failed index; --max-failed N tolerates N
    [exit code 2]
    $ kubectl indexed run --items cat --volume data:/data -- rev
    error: run has no flag --volume
    hint: put it into a manifest and add --template FILE: kubectl create job NAME --image=IMAGE --dry-run=client -o yaml prints a manifest to start from
    [exit code 2]
    $ kubectl indexed run --items cat --backoff-limit 3 -- rev
    error: run has no flag --backoff-limit
    hint: --retries N retries each failed index up to N times
    [exit code 2]
    $ kubectl indexed run --items cat --itmes dog -- rev
    error: run has no flag --itmes
    hint: did you mean --items?
    [exit code 2]
    $ kubectl indexed run --items cat --grep cat -- rev
    error: run has no flag --grep
    hint: kubectl indexed run --help lists its flags
    [exit code 2]
    $ kubectl indexed run --items cat --frobnicate -- rev
    error: run has no flag --frobnicate
    hint: kubectl indexed run --help lists its flags
    [exit code 2]
    $ kubectl indexed results train --format csv
    error: results has no flag --format
    hint: -o csv prints one row per index; -o jsonl prints objects
    [exit code 2]
    $ kubectl indexed retry train --failed
    error: retry has no flag --failed
    hint: retry runs all failed and never-started indexes by default
    [exit code 2]
    $ kubectl indexed scale train --replicas 3
    error: scale has no flag --replicas
    hint: -j N runs at most N indexes at once
    [exit code 2]
    ");
}

#[test]
fn values() {
    assert_snapshot!(answer_rows(&[
        "kubectl indexed run --items cat --memory 1g -- rev",
        "kubectl indexed run --items cat --memory 64 -- rev",
        "kubectl indexed run --items cat -j 0 -- rev",
        "kubectl indexed run --items cat -j 50% -- rev",
        "kubectl indexed run --items cat -j -1 -- rev",
        "kubectl indexed run --items cat,dog --shuffle 3 -- rev",
        "kubectl indexed run --items cat --timeout 1:00:00 -- rev",
        "kubectl indexed run --items cat --timeout 5 --dry-run=client -- rev >/dev/null",
        "kubectl indexed run --items cat --image Busybox -- rev",
        "kubectl indexed run --items cat --image 'my image' -- rev",
        "kubectl indexed run --items cat --env DEBUG -- rev",
        "kubectl indexed run Train_1 --items cat -- rev",
        "kubectl indexed run train --name train --items cat -- rev",
        "kubectl indexed run --items cat --items dog -- rev",
        "kubectl indexed run --items cat --dry-run=true -- rev",
        "kubectl indexed results train -o xls",
        "kubectl indexed logs train --tail",
    ]), @r#"
    $ kubectl indexed run --items cat --memory 1g -- rev
    error: --memory "1g" is not a Kubernetes quantity
    hint: did you mean --memory 1Gi?
    hint: write it as 512Mi, 2Gi or 512Mi:2Gi
    [exit code 2]
    $ kubectl indexed run --items cat --memory 64 -- rev
    error: --memory "64" is less than 1 MiB, too little for a container
    hint: did you mean --memory 64Mi?
    [exit code 2]
    $ kubectl indexed run --items cat -j 0 -- rev
    error: --parallelism 0 would run nothing
    hint: use --parallelism 1 or more
    [exit code 2]
    $ kubectl indexed run --items cat -j 50% -- rev
    error: --parallelism "50%": it must be a whole number, at least 1
    hint: --parallelism <N>: Run N indexes at once [default: all, at most 100]
    [exit code 2]
    $ kubectl indexed run --items cat -j -1 -- rev
    error: --parallelism "-1": it must be a whole number, at least 1
    hint: --parallelism <N>: Run N indexes at once [default: all, at most 100]
    [exit code 2]
    $ kubectl indexed run --items cat,dog --shuffle 3 -- rev
    error: --shuffle takes its seed after an equals sign, and "3" after it would be the name of the Job
    hint: write --shuffle=3
    hint: to name the Job, write --name 3
    [exit code 2]
    $ kubectl indexed run --items cat --timeout 1:00:00 -- rev
    error: --timeout "1:00:00" is not a duration such as 90s, 10m or 2h
    hint: write it as --timeout 10m
    [exit code 2]
    $ kubectl indexed run --items cat --timeout 5 --dry-run=client -- rev >/dev/null
    warning: --timeout 5 has no unit and means 5s; for minutes, write --timeout 5m
    1 item as file: the command has no placeholder; /input/data.txt is its last argument
    [exit code 0]
    $ kubectl indexed run --items cat --image Busybox -- rev
    error: --image "Busybox" is not a valid image name
    hint: write it as --image REGISTRY/NAME:TAG, NAME in lower case, without spaces and https://
    [exit code 2]
    $ kubectl indexed run --items cat --image 'my image' -- rev
    error: --image "my image" is not a valid image name
    hint: write it as --image REGISTRY/NAME:TAG, NAME in lower case, without spaces and https://
    [exit code 2]
    $ kubectl indexed run --items cat --env DEBUG -- rev
    error: --env "DEBUG": write it as KEY=VALUE
    hint: --env <KEY=VALUE>: Set an environment variable of the worker
    [exit code 2]
    $ kubectl indexed run Train_1 --items cat -- rev
    error: "Train_1" is not a valid name of an Indexed Job: use a-z, 0-9 and -, with no - at either end
    hint: use --name train-1
    [exit code 2]
    $ kubectl indexed run train --name train --items cat -- rev
    error: the argument '[NAME]' cannot be used with '--name <NAME>'
    hint: remove one of them
    [exit code 2]
    $ kubectl indexed run --items cat --items dog -- rev
    error: the argument '--items <A,B,…>' cannot be used multiple times
    hint: --items <A,B,…>: Use these items, separated by commas
    [exit code 2]
    $ kubectl indexed run --items cat --dry-run=true -- rev
    error: --dry-run "true" is not one of none, client, server
    hint: --dry-run[=<WHERE>]: Print the objects instead of creating them
    [exit code 2]
    $ kubectl indexed results train -o xls
    error: --output "xls" is not one of jsonl, csv, tsv, json, text, jsonpath=, jsonpath-as-json=, jsonpath-file=, go-template=, custom-columns=
    hint: --output <FORMAT>: Print the results in this format [default: text; none with --to or --joblog]
    [exit code 2]
    $ kubectl indexed logs train --tail
    error: a value is required for '--tail <N>' but none was supplied
    hint: --tail <N>: Print the last N lines of each log; -1 prints all
    [exit code 2]
    "#);
}

#[test]
#[expect(clippy::print_stdout, reason = "people read the table")]
fn no_cluster() {
    let (server, port) = nobody_listens();
    let sandbox = Sandbox::new();
    let mut table = String::new();
    for row in ["", " --kubeconfig nowhere", " -s SERVER"] {
        let row = format!("kubectl indexed run train{row} --items cat -- rev");
        let typed = row.replace("SERVER", &server);
        let outcome = sandbox.shell(&format!("kubectl() {{ shift; kubectl-indexed \"$@\"; }}; {typed}"));
        assert_eq!(outcome.stdout, "", "{outcome}");
        let said = outcome.stderr.replace(&port, "PORT");
        let _ = writeln!(table, "$ {row}\n{said}[exit code {}]", outcome.code);
    }
    println!("{table}");
    assert_snapshot!(table, @"
    $ kubectl indexed run train --items cat -- rev
    error: connecting to the cluster: no cluster is configured: HOME/.kube/config does not exist, and this is not a Pod
    hint: --kubeconfig FILE or $KUBECONFIG names a kubeconfig
    [exit code 2]
    $ kubectl indexed run train --kubeconfig nowhere --items cat -- rev
    error: connecting to the cluster: the kubeconfig nowhere does not exist
    hint: correct --kubeconfig, or leave it out to read $KUBECONFIG or ~/.kube/config
    [exit code 2]
    $ kubectl indexed run train -s SERVER --items cat -- rev
    error: can't get the server's version: the connection to the server 127.0.0.1:PORT was refused
    hint: check the host and the port, and whether the cluster runs
    hint: kubectl config get-contexts -s http://127.0.0.1:PORT lists the contexts; --context NAME selects one
    [exit code 1]
    ");
}
