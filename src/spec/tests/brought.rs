//! Tables, columns and scripts with usual mistakes.

use super::*;

#[test]
fn a_first_line_that_looks_like_an_item_needs_a_flag() {
    let over = |words: &[&str]| describe_handover(&[&["run", "-a"], words].concat(), None, "a\t1\nb\t2\n");
    insta::assert_snapshot!(over(&["t.tsv", "--", "echo", "{1}", "{}"]), @r#"
    error: the first line of t.tsv looks like an item: as the header it would name column 2 "1"
    hint: --no-header makes it an item, with the columns {1}, {2}, ...
    hint: --no-header=false makes it the header
    "#);
    let said = |words: &[&str]| over(words).lines().next().unwrap().to_owned();
    insta::assert_snapshot!(said(&["t.tsv", "--no-header", "--", "echo", "{2}", "{1}"]), @"arg in configmap: echo <ITEM__2> <ITEM__1>");
    insta::assert_snapshot!(said(&["t.tsv", "--no-header=false", "--", "echo", "{a}"]), @"arg in configmap: echo <ITEM_a>");
    insta::assert_snapshot!(said(&["t.tsv", "--", "echo", "{a}", "{1}"]), @"arg in configmap: echo <ITEM_a> <ITEM__1>");
    insta::assert_snapshot!(said(&["t.txt", "--colsep", r"\t", "--", "echo", "{2}"]), @"arg in configmap: echo <ITEM__2>");
    for header in ["id,2019,2020\na,1,2\n", "id,0,1,2\na,1,2,3\n", "id,1\na,b\n"] {
        let taken = describe_handover(&["run", "-a", "t.csv", "--", "rev"], None, header);
        assert!(taken.starts_with("file in configmap: "), "{header:?}: {taken}");
    }
    let named = |words: &[&str]| describe_handover(&[&["run", "-a", "t.csv"], words].concat(), None, TABLE);
    insta::assert_snapshot!(named(&["--", "echo", "{1}"]), @"
    arg in configmap: echo <ITEM_name>
    ITEM_COUNT=2 ITEM_name={1}
    the command has the placeholder {name}; the kubelet reads it from a file that an init container writes, so the image needs no shell
    the first line of t.csv is the header (name, size), not an item; --no-header makes it an item, with the columns {1}, {2}, ...
    ");
    insta::assert_snapshot!(named(&["--colsep", "::", "--", "rev"]), @r#"
    error: --colsep "::" is not one ASCII character
    hint: write it as --colsep ',' or --colsep '\t'
    hint: tr -s ' ' joins several spaces into one
    "#);
    insta::assert_snapshot!(named(&["--colsep", ";", "--format", "jsonl", "--", "rev"]), @"
    error: --colsep has no effect: t.csv is read as JSON, without columns
    hint: remove --colsep, or add --format csv
    ");
    insta::assert_snapshot!(named(&["--no-header", "--format", "lines", "--", "rev"]), @"
    error: --no-header has no effect: t.csv is not read as a table
    hint: remove --no-header, or add --format csv, --format tsv or --colsep
    ");
    let range = ["run", "--range", "1-3", "--colsep", ",", "--", "rev"];
    insta::assert_snapshot!(refused(&range, None), @"
    --colsep describes the file of --items-file, and the items come from --range
    hint: remove --colsep
    ");
}

#[test]
fn a_column_with_the_name_of_a_shell_variable_is_refused() {
    let over = |name: &str, command: &[&str]| {
        let param = format!("{name}=1,2");
        describe_handover(&[&["run", "--param", &param, "--item-as", "env", "--"], command].concat(), None, "")
    };
    insta::assert_snapshot!(over("UID", &["bash", "-c", "echo $UID"]), @r#"
    error: column "UID" would become the variable UID, which shells set themselves
    hint: remove --item-as env, and write {UID} in the command
    hint: or rename the column
    "#);
    for name in ["SECONDS", "RANDOM", "IFS", "PWD", "GROUPS", "LINENO", "BASH_ENV", "#"] {
        assert!(over(name, &["timeout", "9", "bash", "job.sh"]).starts_with("error: column "), "{name}");
        assert!(over(name, &["tool"]).starts_with("env in configmap: "), "no shell reads it: {name}");
    }
    assert!(over("seconds", &["bash", "job.sh"]).starts_with("env in configmap: "));
}

#[test]
fn a_script_with_windows_line_ends_causes_a_warning() {
    let over = |command: &[&str]| describe_handover(&[&["run", "--items", "a", "--"], command].concat(), None, "");
    let said = |command: &[&str]| over(command).lines().last().unwrap().to_owned();
    insta::assert_snapshot!(said(&["bash", "-c", "set -e\r\necho {}\r\n"]), @r#"the script in the command has Windows line ends, and a shell reads each carriage return as part of a word; tr -d '\r' removes them"#);
    for command in [&["sh", "-c", "printf 'a\rb' {}"][..], &["python3", "-c", "print(1)\r\nprint({})\r\n"]] {
        assert!(!said(command).contains("Windows"), "{command:?}");
    }
}

/// The variables of `--compat slurm_variables`, by name.
fn slurm_variables(
    words: &[&str],
    template: Option<&str>,
) -> std::collections::BTreeMap<String, handover::VariableSource> {
    let words = [&["run", "sweep", "--compat", "slurm"], words, &["--", "bash", "job.sh"]].concat();
    let spec = resolve_line(&words, template).unwrap();
    spec.handover.variables.into_iter().map(|variable| (variable.name, variable.source)).collect()
}

#[test]
fn compat_slurm_sets_the_variables_that_scripts_use() {
    let constant =
        |variables: &std::collections::BTreeMap<String, handover::VariableSource>, name: &str| match &variables[name] {
            handover::VariableSource::Constant(value) => value.clone(),
            other => format!("{other:?}"),
        };
    let sweep = slurm_variables(&["--array", "1-7:3%2", "--cpu", "1500m", "--workdir", "/work"], None);
    let shown: Vec<_> = sweep.keys().map(|name| format!("{name}={}", constant(&sweep, name))).collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    ITEM_COUNT=3
    SLURMD_NODENAME=Field("spec.nodeName")
    SLURM_ARRAY_JOB_ID=78275
    SLURM_ARRAY_TASK_COUNT=3
    SLURM_ARRAY_TASK_ID=Item(Placeholder { subject: Item, operation: None })
    SLURM_ARRAY_TASK_MAX=7
    SLURM_ARRAY_TASK_MIN=1
    SLURM_ARRAY_TASK_STEP=3
    SLURM_CLUSTER_NAME=kubernetes
    SLURM_CPUS_ON_NODE=2
    SLURM_CPUS_PER_TASK=2
    SLURM_GTIDS=0
    SLURM_JOBID=78275$(SLURM_TASK_INDEX)
    SLURM_JOB_CPUS_PER_NODE=2
    SLURM_JOB_ID=78275$(SLURM_TASK_INDEX)
    SLURM_JOB_NAME=sweep
    SLURM_JOB_NODELIST=Field("spec.nodeName")
    SLURM_JOB_NUM_NODES=1
    SLURM_LOCALID=0
    SLURM_NNODES=1
    SLURM_NODEID=0
    SLURM_NODELIST=Field("spec.nodeName")
    SLURM_NPROCS=1
    SLURM_NTASKS=1
    SLURM_PROCID=0
    SLURM_SUBMIT_DIR=/work
    SLURM_SUBMIT_HOST=localhost
    SLURM_TASKS_PER_NODE=1
    SLURM_TASK_INDEX=Index
    "#);
    // Tasks of one array share its number, and each has one of its own.
    let other = slurm_variables(&["--array", "0-1"], None);
    assert_eq!(constant(&other, "SLURM_ARRAY_JOB_ID"), constant(&sweep, "SLURM_ARRAY_JOB_ID"));
    assert_eq!(constant(&other, "SLURM_JOB_ID"), constant(&other, "SLURM_ARRAY_JOB_ID") + "$(SLURM_TASK_INDEX)");
    assert_eq!([constant(&other, "SLURM_SUBMIT_DIR"), constant(&other, "SLURM_CPUS_PER_TASK")], [".", "1"]);
    let step = |range: &str| constant(&slurm_variables(&["--array", range], None), "SLURM_ARRAY_TASK_STEP");
    assert_eq!(["1-4", "1,5,9-12", "10-30:10", "7"].map(step), ["1", "1", "10", "1"]);
    let template = "{kind: PodTemplate, template: {spec: {containers: [{name: a, image: x, workingDir: /data, \
                    resources: {requests: {cpu: 2}}}]}}}";
    let of_template = slurm_variables(&["--items", "a"], Some(template));
    assert_eq!(
        [constant(&of_template, "SLURM_SUBMIT_DIR"), constant(&of_template, "SLURM_CPUS_ON_NODE")],
        ["/data", "2"]
    );
    // What the user sets stays.
    assert!(
        !slurm_variables(&["--items", "a", "-e", "SLURM_CPUS_PER_TASK=8"], None).contains_key("SLURM_CPUS_PER_TASK")
    );
}
