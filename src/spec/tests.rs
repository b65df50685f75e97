use clap::Parser as _;

use super::*;
use crate::args::{Cli, Verb};
use crate::spec::lists::parse_list;

mod brought;

/// Resolves a command line without `kubectl indexed`.
pub(crate) fn resolve_line(words: &[&str], template: Option<&str>) -> Result<JobSpec, Error> {
    resolve_all(words, template, b"").map(|resolved| resolved.spec)
}

/// Does the same with `input` as stdin or the file of `--items-file`.
pub(crate) fn resolve_all(words: &[&str], template: Option<&str>, input: &[u8]) -> Result<Resolved, Error> {
    let cli = Cli::try_parse_from(["kubectl-indexed"].iter().chain(words)).unwrap();
    let Verb::Run(args) = cli.verb else { panic!("not a run: {words:?}") };
    let template = template.map(|text| ("job.yaml".to_owned(), text.as_bytes().to_vec()));
    let seed = 7;
    sources::check(&args.source, &args.command)?;
    let read = |path: &std::path::PathBuf| {
        sources::read_items_file(&args.source, path.to_str().unwrap(), seed, input, |error| panic!("{error}"))
    };
    let file = args.source.items_file.as_ref().map(read).transpose()?;
    let listed = args.source.items_configmap.as_ref().map(|_| {
        let text = std::str::from_utf8(input).unwrap();
        let entry = |line: &str| {
            line.split_once(':').map(|(key, value)| (key.to_owned(), value.replace('|', "\n").into_bytes()))
        };
        text.lines().filter_map(entry).collect()
    });
    let (suffix, namespace) = ("x7k2p".to_owned(), cli.global.namespace);
    resolve(*args, Inputs { template, suffix, namespace, file, listed, seed, remaining: None })
}

/// Returns the error of a command line with its hints, as printed.
fn refused(words: &[&str], template: Option<&str>) -> String {
    error_text(&resolve_line(words, template).unwrap_err())
}

/// Returns a usage error with its hints, as printed.
pub(crate) fn error_text(error: &Error) -> String {
    assert_eq!(error.kind(), crate::error::Kind::Usage);
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    let hints: Vec<_> = error.hints().iter().map(|hint| format!("\nhint: {hint}")).collect();
    format!("{error}{cause}{}", hints.concat())
}

#[test]
fn the_name_after_a_flag_is_not_meant_as_its_value() {
    let check = |flag, name, items| check_name_after(flag, name, items).map_err(|error| error_text(&error));
    insta::assert_snapshot!(check(FlagBeforeName::Items, "b", 1).unwrap_err(), @r#"
    --items takes one value, and "b" after it would be the name of the Job
    hint: separate items by commas: --items a,b
    hint: to name the Job, write --name b
    "#);
    insta::assert_snapshot!(check(FlagBeforeName::Shuffle, "3", 2).unwrap_err(), @r#"
    --shuffle takes its seed after an equals sign, and "3" after it would be the name of the Job
    hint: write --shuffle=3
    hint: to name the Job, write --name 3
    "#);
    assert_eq!(check(FlagBeforeName::Items, "mine", 2), Ok(()));
    assert_eq!(check(FlagBeforeName::Shuffle, "mine", 2), Ok(()));
}

#[test]
fn a_list_is_one_record_of_csv() {
    let list = |text: &str| {
        parse_list(text.as_bytes()).unwrap().into_iter().map(|i| String::from_utf8(i).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(list("foo,bar,baz"), ["foo", "bar", "baz"]);
    assert_eq!(list("a,\"b,c\",,d"), ["a", "b,c", "", "d"]);
    assert_eq!(list("\"say \"\"hi\"\"\",\"two\nlines\""), ["say \"hi\"", "two\nlines"]);
    assert_eq!(list(" a , b"), [" a ", " b"], "blanks belong to the item");
}

#[test]
fn the_default_name_is_made_from_the_command() {
    let name = |words: &[&str]| resolve_line(words, None).unwrap().name;
    assert_eq!(name(&["run", "--items", "a", "--", "rev"]), "rev-x7k2p");
    assert_eq!(name(&["run", "--items", "a", "--", "/usr/bin/Python3.11", "x.py"]), "python3-11-x7k2p");
    assert_eq!(name(&["run", "--items", "a", "--", "_"]), "job-x7k2p");
    assert_eq!(name(&["run", "mine", "--items", "a", "--", "rev"]), "mine");
    let long = "x".repeat(80);
    assert_eq!(name(&["run", "--items", "a,b", "--", &long]).len(), 61);
}

#[test]
fn the_default_parallelism_is_all_up_to_a_hundred() {
    let parallelism = |items: &str, more: &[&str]| {
        let words = [&["run", "--items", items], more, &["--", "rev"]].concat();
        resolve_line(&words, None).unwrap().parallelism
    };
    assert_eq!(parallelism("a,b,c", &[]), 3);
    assert_eq!(parallelism(&vec!["x"; 250].join(","), &[]), 100);
    assert_eq!(parallelism("a,b,c", &["-j", "7"]), 7);
}

#[test]
fn a_run_that_makes_no_job_is_refused() {
    insta::assert_snapshot!(refused(&["run", "--", "rev"], None), @"
    there are no items to run the command for
    hint: name them: kubectl indexed run --items foo,bar,baz -- rev
    hint: or read one per line from a file, or - for stdin: kubectl indexed run --items-file FILE -- rev
    hint: or run indexes without items: kubectl indexed run --completions 10 -- rev
    ");
    insta::assert_snapshot!(refused(&["run", "--items", "", "--", "rev"], None), @"
    --items is empty: there are no items to run the command for
    hint: name them: kubectl indexed run --items foo,bar,baz -- rev
    ");
    insta::assert_snapshot!(refused(&["run", "--items", "a"], None), @"
    there is no command to run for each item
    hint: put the command last, after two dashes: kubectl indexed run --items foo,bar,baz -- rev
    ");
    insta::assert_snapshot!(refused(&["run", "--items", "a", "-j", "0", "--", "rev"], None), @"
    --parallelism 0 would run nothing
    hint: use --parallelism 1 or more
    ");
    let long = "n".repeat(62);
    insta::assert_snapshot!(refused(&["run", &long, "--items", "a", "--", "rev"], None), @r#"
    the name "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn" has 62 characters, and at most 61 fit: NAME-0 may have 63
    hint: use --name nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn
    "#);
    insta::assert_snapshot!(refused(&["run", "--items", "a", "--cpu", "lots", "--", "rev"], None), @r#"
    --cpu "lots" is not a Kubernetes quantity
    hint: write it as 2, 0.5, 500m or 500m:2
    "#);
    insta::assert_snapshot!(refused(&["run", "--items", "a", "--gpu", "x", "--", "rev"], None), @r#"
    --gpu "x" is neither a whole number nor RESOURCE=NUMBER
    hint: write it as --gpu 1 or --gpu amd.com/gpu=1
    "#);
    insta::assert_snapshot!(refused(&["run", "--items", "a", "--toleration", "gpu:Never", "--", "rev"], None), @r#"
    --toleration "gpu:Never" has an unknown effect: use NoSchedule, PreferNoSchedule, NoExecute
    hint: write it as KEY:EFFECT or KEY=VALUE:EFFECT, as in gpu=true:NoSchedule
    "#);
    insta::assert_snapshot!(refused(&["run", "--items", "a", "--init-image", "bash", "--", "rev"], None), @r#"
    --init-image "bash" has no effect: this run needs no init container
    hint: remove --init-image, or add --item-store=inline
    "#);
}

#[test]
fn lists_over_the_limits_are_refused_with_the_limit() {
    let many = vec!["x"; 100_001].join(",");
    insta::assert_snapshot!(refused(&["run", "--items", &many, "--", "rev"], None), @"
    100001 items are too many for one Job: Kubernetes allows 100000 indexes with per-index limits
    hint: split the list into runs of at most 100000 items with --skip and --first
    ");
    let large = vec!["x".repeat(1000); 1100].join(",");
    insta::assert_snapshot!(refused(&["run", "--items", &large, "--item-store=inline", "--", "rev"], None), @"
    the list is too long for --item-store=inline: its first 129 items fill the 131071 bytes of one argument
    hint: use --item-store=configmap, or split the list with --skip and --first
    ");
}

#[test]
fn quantities_are_parsed_like_those_of_kubernetes() {
    for good in ["1", "0.5", "500m", "2Gi", "1e3", "1E3", "100k", "7E"] {
        assert!(Resources::parse(Some(good.to_owned()), None, None).is_ok(), "{good}");
    }
    for good in ["500m:2", "1:1", "512Mi:1G", "1e3:1k"] {
        assert!(Resources::parse(Some(good.to_owned()), None, None).is_ok(), "{good}");
    }
    let memory = |text: &str| Resources::parse(None, Some(text.to_owned()), None).map_err(|error| error.hints());
    assert!(memory("1Mi:1G").is_ok() && memory("8e6").is_ok());
    for (bad, meant) in [("1g", "1Gi"), ("1.5 GB", "1.5Gi"), ("2kib", "2Ki"), ("64", "64Mi"), ("100m", "100Mi")] {
        assert_eq!(memory(bad).unwrap_err()[0], format!("did you mean --memory {meant}?"));
    }
}

#[test]
fn image_names_are_checked_like_in_the_kubelet() {
    let good = ["busybox", "a/b/c:v1_2", "localhost/a", "R.example.com/a:B", "r:5000/a-b__c.d", "r.io/a@sha256:9B2a"];
    for good in good {
        assert!(pod::check_image("--image", Some(good)).is_ok(), "{good}");
    }
    for bad in ["", "a b", "Busybox", "https://r.io/a", "r.io/Tools/a:1", "User/a", ":1"] {
        assert!(pod::check_image("--image", Some(bad)).is_err(), "{bad}");
    }
    for bad in ["", "m", "0", "-1", "1 Gi", "1gb", "1e", "1.2.3", "1:", ":1", "2:1", "1Gi:1G", "1:2:3"] {
        assert!(Resources::parse(Some(bad.to_owned()), None, None).is_err(), "{bad}");
    }
}

#[test]
fn a_template_is_a_job_a_cron_job_or_a_pod_template() {
    let words = ["run", "--items", "a", "--", "rev"];
    insta::assert_snapshot!(refused(&words, Some("kind: Deployment\n")), @"
    the template job.yaml is a Deployment, and it must be a Job, a CronJob or a PodTemplate
    hint: kubectl create job NAME --image=IMAGE --dry-run=client -o yaml prints one to start from
    ");
    insta::assert_snapshot!(refused(&words, Some("kind: Job\nspec: {}\n")), @"the template job.yaml is a Job without a Pod template (spec.template.spec)");
    insta::assert_snapshot!(refused(&words, Some("")), @"
    the template job.yaml is empty
    hint: kubectl create job NAME --image=IMAGE --dry-run=client -o yaml prints one to start from
    ");
    insta::assert_snapshot!(refused(&words, Some("kind: Job\n---\nkind: Job\n")), @"
    the template job.yaml has 2 documents, and a template must be one manifest
    hint: keep only the Job in it, and create the others with kubectl apply
    ");
    assert!(refused(&words, Some("kind: [")).starts_with("the template job.yaml is not valid YAML: "));
    let pod = "{spec: {containers: [{name: main, image: alpine}]}}";
    for template in [
        format!("{{kind: Job, spec: {{template: {pod}}}}}"),
        format!("{{kind: CronJob, spec: {{jobTemplate: {{spec: {{template: {pod}}}}}}}}}"),
        format!("{{kind: PodTemplate, template: {pod}}}"),
    ] {
        let spec = resolve_line(&words, Some(&template)).unwrap();
        assert_eq!(spec.image, None, "the template's image stands: {template}");
    }
    let restarting = "{kind: Job, spec: {template: {spec: {restartPolicy: OnFailure, containers: [{name: a}]}}}}";
    insta::assert_snapshot!(refused(&["run", "--items", "a", "--retries", "1", "--", "rev"], Some(restarting)), @"
    --retries needs restartPolicy Never, and the template has OnFailure
    hint: remove restartPolicy from the template, or remove --retries
    ");
}

/// Returns how a command line passes its items: form and store, command, variables, reason and messages.
fn describe_handover(words: &[&str], template: Option<&str>, input: &str) -> String {
    let Resolved { spec, notes, warnings } = match resolve_all(words, template, input.as_bytes()) {
        Ok(resolved) => resolved,
        Err(error) => return format!("error: {}", error_text(&error)),
    };
    let part = |part: &handover::CommandPart| match part {
        handover::CommandPart::Text(text) => text.clone(),
        handover::CommandPart::Index => "<index>".to_owned(),
        handover::CommandPart::Variable(name) => format!("<{name}>"),
    };
    let word = |word: &handover::CommandWord| word.iter().map(part).collect::<String>();
    let command = spec.handover.words.iter().map(word).collect::<Vec<_>>().join(" ");
    let variable = |variable: &handover::Variable| match &variable.source {
        handover::VariableSource::Constant(value) => format!("{}={value}", variable.name),
        handover::VariableSource::Field(path) => format!("{}=<{path}>", variable.name),
        handover::VariableSource::Index => format!("{}=<index>", variable.name),
        handover::VariableSource::Position => format!("{}=<index + 1>", variable.name),
        handover::VariableSource::Item(placeholder) => format!("{}={}", variable.name, placeholder.to_text(&[])),
    };
    let variables = spec.handover.variables.iter().map(variable).collect::<Vec<_>>().join(" ");
    let said = notes.iter().chain(&warnings).map(|note| format!("\n{note}")).collect::<Vec<_>>().concat();
    let store = spec.item_store.name();
    format!("{} in {store}: {command}\n{variables}\n{}{said}", spec.handover.form.name(), spec.handover.reason())
}

const TABLE: &str = "name,size\na.png,10\nb.png,20\n";

#[test]
fn the_command_decides_the_form() {
    let over = |words: &[&str]| describe_handover(&[&["run"], words].concat(), None, TABLE);
    insta::assert_snapshot!(over(&["--items", "a,b", "--", "rev"]), @"
    file in configmap: rev /input/data.txt
    ITEM_COUNT=2
    the command has no placeholder; /input/data.txt is its last argument
    ");
    insta::assert_snapshot!(over(&["--items", "a,b", "--", "sh", "-c", "rev </input/data.txt"]), @"
    file in configmap: sh -c rev </input/data.txt
    ITEM_COUNT=2
    the command names /input/data.txt
    ");
    insta::assert_snapshot!(over(&["--items", "a,b", "--", "echo", "{}", "{#}", "{/.}"]), @"
    arg in configmap: echo <ITEM> <index> <ITEM__STEM>
    ITEM_COUNT=2 ITEM={} ITEM__STEM={/.}
    the command has the placeholder {}; the kubelet reads it from a file that an init container writes, so the image needs no shell
    ");
    insta::assert_snapshot!(over(&["-a", "t.csv", "--", "sh", "-c", "echo {name} \"{size}\"", "sh", "{2}"]), @r#"
    arg in configmap: sh -c echo "${ITEM_name}" "${ITEM_size}" sh <ITEM_size>
    ITEM_COUNT=2 ITEM_name={1} ITEM_size={2}
    the command has the placeholder {name}; the shell sh in the worker's image reads it: the command is a shell
    "#);
    insta::assert_snapshot!(over(&["--items", "echo 1", "--", "sh", "-c", "{}"]), @"
    arg in configmap: sh -c <ITEM>
    ITEM_COUNT=1 ITEM={}
    the command has the placeholder {}; the shell sh in the worker's image reads it: the command is a shell
    ");
    insta::assert_snapshot!(over(&["--", "echo", ":::", "a", ":::", "1", "2"]), @"
    arg in configmap: echo <ITEM__1> <ITEM__2>
    ITEM_COUNT=2 ITEM__1={1} ITEM__2={2}
    ::: lists arguments; the kubelet reads it from a file that an init container writes, so the image needs no shell
    ");
    insta::assert_snapshot!(over(&["-a", "t.csv", "--item-as", "arg", "--", "convert"]), @"
    arg in configmap: convert <ITEM_name> <ITEM_size>
    ITEM_COUNT=2 ITEM_name={1} ITEM_size={2}
    --item-as arg was given; the kubelet reads it from a file that an init container writes, so the image needs no shell
    ");
    insta::assert_snapshot!(over(&["-a", "t.csv", "--item-as", "env", "--", "tool", "{name}"]), @"
    env in configmap: tool {name}
    ITEM_COUNT=2 ITEM={} name={1} size={2}
    --item-as env was given; the kubelet reads it from a file that an init container writes, so the image needs no shell
    ");
    insta::assert_snapshot!(over(&["--items", "a", "--item-as", "stdin", "--", "bash", "-c", "rev"]), @"
    stdin in configmap: bash -c rev
    ITEM_COUNT=1
    --item-as stdin was given; the shell bash in the worker's image reads it: only a shell can fill standard input
    ");
    insta::assert_snapshot!(over(&["--completions", "3", "--index-env", "N", "--", "echo", "{#}", "{}"]), @"
    index in none: echo <index> {}
    ITEM_COUNT=3 N=<index>
    there are no items, only indexes
    ");
    insta::assert_snapshot!(over(&["--array", "1-7:3%2", "--compat", "parallel", "--", "rev"]), @"
    file in configmap: rev /input/data.txt
    ITEM_COUNT=3 PARALLEL_SEQ=<index + 1>
    the command has no placeholder; /input/data.txt is its last argument; the kubelet reads other systems' variables from a file that an init container writes, so the image needs no shell
    ");
    insta::assert_snapshot!(over(&["--items", "it's", "--", "echo", "{}"]), @r#"
    arg in configmap: echo <ITEM>
    ITEM_COUNT=1 ITEM={}
    the command has the placeholder {}; the shell sh in the worker's image reads it: item 0 ("it's") has a single quote, which the kubelet can't read from a file
    "#);
    insta::assert_snapshot!(over(&["-a", "t.csv", "--", "echo", "{other}", "{size}", "{{size}}"]), @r#"
    arg in configmap: echo {other} <ITEM_size> {size}
    ITEM_COUNT=2 ITEM_size={2}
    the command has the placeholder {size}; the kubelet reads it from a file that an init container writes, so the image needs no shell
    {other} in the command names no column (the columns are "name", "size") and stays unchanged
    "#);
    insta::assert_snapshot!(over(&["--items", "a", "--no-placeholders", "--", "find", "-exec", "ls", "{}", ";"]), @"
    file in configmap: find -exec ls {} ; /input/data.txt
    ITEM_COUNT=1
    the command has no placeholder; /input/data.txt is its last argument
    ");
}

#[test]
fn the_command_of_a_template_is_wrapped_too() {
    let own = "{kind: PodTemplate, template: {spec: {containers: [{name: a, image: x, command: [tool], args: [-v]}]}}}";
    let entry = "{kind: PodTemplate, template: {spec: {containers: [{name: a, image: x, args: [-v]}]}}}";
    let words = ["run", "--items", "a,it's", "--item-as", "env"];
    insta::assert_snapshot!(describe_handover(&words, Some(own), ""), @r#"
    env in configmap: 
    ITEM_COUNT=2 ITEM={}
    --item-as env was given; the shell sh in the worker's image reads it: item 1 ("it's") has a single quote, which the kubelet can't read from a file
    "#);
    insta::assert_snapshot!(describe_handover(&words, Some(entry), ""), @r#"
    error: --item-as env needs a shell in the worker's image (item 1 ("it's") has a single quote, which the kubelet can't read from a file), and the command of the template's image is unknown
    hint: use --item-as file, which needs no shell
    "#);
}

#[test]
fn an_old_server_gets_a_shell() {
    let settled = |words: &[&str]| {
        let mut spec = resolve_line(&[&["run", "--items", "a"], words].concat(), None).unwrap();
        assert!(spec.handover.depends_on_server());
        match spec.handover.settle(34) {
            Ok(()) => spec.handover.reason(),
            Err(error) => format!("error: {}", error_text(&error)),
        }
    };
    insta::assert_snapshot!(settled(&["--", "echo", "{}"]), @"the command has the placeholder {}; the shell sh in the worker's image reads it: this server is Kubernetes 1.34, and variables from a file need 1.35");
    insta::assert_snapshot!(settled(&["--no-shell", "--", "echo", "{}"]), @"
    error: --item-as arg needs a shell in the worker's image (this server is Kubernetes 1.34, and variables from a file need 1.35), and --no-shell forbids one
    hint: use --item-as file, which needs no shell
    ");
    let mut new = resolve_line(&["run", "--items", "a", "--", "echo", "{}"], None).unwrap().handover;
    let before = new.clone();
    new.settle(handover::VARIABLE_FILE_SINCE).unwrap();
    assert_eq!(new, before);
}

#[test]
fn items_that_no_form_can_pass_are_refused() {
    let over = |words: &[&str]| describe_handover(&[&["run"], words].concat(), None, "a\0b\nx\n");
    insta::assert_snapshot!(over(&["-a", "-", "--", "echo", "{}"]), @r#"
    error: item 0 ("a\0b") has a NUL byte, which arguments and variables can't hold
    hint: use --item-as file or --item-as stdin, which pass any bytes
    "#);
    insta::assert_snapshot!(over(&["-a", "-", "--item-as", "env", "--", "env"]), @r#"
    error: item 0 ("a\0b") has a NUL byte, which arguments and variables can't hold
    hint: use --item-as file or --item-as stdin, which pass any bytes
    "#);
    insta::assert_snapshot!(over(&["--items", &"x".repeat(131_000), "--", "echo", &"y".repeat(100), "{}"]), @r#"
    error: item 0 ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"...) has 131000 bytes, and Linux allows 131072 in one argument or variable
    hint: use --item-as file or --item-as stdin, which pass any bytes
    "#);
    insta::assert_snapshot!(over(&["--items", "it's", "--no-shell", "--", "echo", "{}"]), @r#"
    error: --item-as arg needs a shell in the worker's image (item 0 ("it's") has a single quote, which the kubelet can't read from a file), and --no-shell forbids one
    hint: use --item-as file, which needs no shell
    "#);
    insta::assert_snapshot!(over(&["--items", "a", "--no-shell", "--item-as", "stdin", "--", "cat"]), @"
    error: --item-as stdin needs a shell in the worker's image (only a shell can fill standard input), and --no-shell forbids one
    hint: use --item-as file, which needs no shell
    ");
    insta::assert_snapshot!(over(&["--items", "a", "--shell", "--", "cat"]), @"
    error: --shell has no effect: --item-as file needs no shell
    hint: remove --shell
    ");
    insta::assert_snapshot!(over(&["--items", "a", "--", "sh", "-c", "cat /input/data.txt {}"]), @"
    error: the command has the placeholder {} and the file /input/data.txt, and an item is passed only one way
    hint: remove one of them, or add --no-placeholders to keep the braces
    ");
    insta::assert_snapshot!(over(&["--items", "a,1", "--", "sh", "-c", "echo $(( {} + 1 ))"]), @r#"
    error: {} is used in arithmetic, where only numbers are safe, and is no number in item 0 ("a")
    hint: assign it to a variable first, and check that variable
    "#);
    insta::assert_snapshot!(over(&["--items", "a", "--", "timeout", "9", "sh", "-c", "trap 'rm {}.tmp' EXIT"]), @r#"
    error: {} is used in text that the shell runs as code, where only numbers are safe, and is no number in item 0 ("a")
    hint: use it outside that text
    "#);
    insta::assert_snapshot!(over(&["--items", "1,a", "--item-as", "env", "--", "bash", "-c", "echo ${a[ITEM]}"]), @r#"
    error: $ITEM is used in arithmetic, where only numbers are safe, and is no number in item 1 ("a")
    hint: assign it to a variable first, and check that variable
    "#);
    insta::assert_snapshot!(over(&["--items", "a", "--item-as", "env", "--env", "ITEM=b", "--", "env"]), @"
    error: --env and the item both set the variable ITEM
    hint: remove one of them, or rename the variable
    ");
    insta::assert_snapshot!(over(&["--param", "PATH=a", "--item-as", "env", "--", "env"]), @r#"
    error: column "PATH" would replace the worker's variable PATH
    hint: rename the column
    "#);
    insta::assert_snapshot!(over(&["--param", "a-b=1", "--param", "a_b=1", "--item-as", "env", "--", "env"]), @r#"
    error: column "a-b" and column "a_b" both set the variable a_b
    hint: rename the column
    "#);
    insta::assert_snapshot!(over(&["--items", "a", "--item-path", "data", "--", "cat"]), @r#"
    error: --item-path "data" is not the absolute path of a file
    hint: write it as --item-path /work/item.txt
    "#);
    insta::assert_snapshot!(over(&["--items", "a", "--item-path", "/x/y", "--", "echo", "{}"]), @"
    error: --item-path has no effect: the item is passed as arg, not in a file
    hint: remove --item-path, or add --item-as=file
    ");
    insta::assert_snapshot!(over(&["--completions", "3", "--item-as", "env", "--", "env"]), @"
    error: --item-as env has no effect: there are no items, only --completions
    hint: remove --item-as, and read the index from the variable JOB_COMPLETION_INDEX
    ");
    insta::assert_snapshot!(over(&["--items", "a", "--index-file", "/input/n", "--", "cat"]), @r#"
    error: --index-file "/input/n" is in /input, the folder of the item
    hint: use another folder, as in --index-file /index/data.txt
    "#);
    insta::assert_snapshot!(over(&["--completions", "2", "--item-store", "inline", "--", "cat"]), @"
    error: --item-store inline has no effect: the worker gets its index, and no item
    hint: remove --item-store
    ");
    let note = format!("big={}", "x".repeat(260_000));
    insta::assert_snapshot!(over(&["--items", "a", "--annotation", &note, "--", "cat"]), @"
    error: the annotations have 260010 bytes, 7 of them for the command, and at most 253952 fit
    hint: put a long script into the image, a ConfigMap or an item, and name it in the command
    ");
}

#[test]
fn a_run_has_one_source_and_only_its_flags() {
    let over =
        |words: &[&str]| describe_handover(&[&["run"], words, &["--", "cat"]].concat(), None, "0:a\n1:b\nlist:x|y\n");
    insta::assert_snapshot!(over(&["--items", "a", "--range", "1-3"]), @"
    error: --items and --range are two sources of items
    hint: remove one of them; only --param can be repeated
    ");
    insta::assert_snapshot!(over(&["--items", "a", "--format", "csv"]), @"
    error: --format describes the file of --items-file, and the items come from --items
    hint: remove --format
    ");
    insta::assert_snapshot!(over(&["--range", "1-3", "--link"]), @"
    error: --link pairs several lists, and --range is one list
    hint: repeat --param, as in --param a=1,2 --param b=x,y --link
    ");
    insta::assert_snapshot!(over(&["--completions", "3", "--shuffle"]), @"
    error: --shuffle selects items, and --completions provides no items
    hint: remove --shuffle, or take the items from --items-file or --range
    ");
    insta::assert_snapshot!(over(&["--items", "a,b", "--skip", "2"]), @"
    error: --skip 2 leaves none of the 2 items in --items
    hint: use --skip 1 or less
    ");
    insta::assert_snapshot!(over(&["--range", "9-1"]), @r#"
    error: --range "9-1": 9-1 runs backwards; write 1-9
    hint: write it as --range 1-100, 0-9:2 or 1,5,9-12
    "#);
    insta::assert_snapshot!(over(&["--range", "1-9%x"]), @r#"
    error: --range "1-9%x": "x" after % is not a number of indexes, at least 1
    hint: write it as --range 0-99%10, or use --parallelism 10
    "#);
    insta::assert_snapshot!(over(&["--range", "1-9%2", "-j", "3"]), @"
    error: --parallelism 3 and %2 both set how many indexes run at once
    hint: remove one of them
    ");
    insta::assert_snapshot!(over(&["--items-configmap", "words/list"]), @"
    file in listed: cat /input/data.txt
    ITEM_COUNT=2
    the command has no placeholder; /input/data.txt is its last argument
    ");
    insta::assert_snapshot!(over(&["--items-configmap", "words"]), @r#"
    error: configmap "words" does not have the keys 0 to 2, one for each item: it has "list"
    hint: if that key has an item per line, write --items-configmap words/list
    "#);
    insta::assert_snapshot!(over(&["--items-configmap", "words/lines"]), @r#"
    error: configmap "words" has no key "lines"
    hint: its keys are 0, 1, list
    "#);
    insta::assert_snapshot!(over(&["--items-configmap", "words/list", "--item-store", "inline"]), @"
    error: --item-store has no effect: --items-configmap says where the list is kept
    hint: remove --item-store
    ");
    insta::assert_snapshot!(over(&["--items", "a,b,c,d", "--shuffle", "--first", "2"]), @"
    file in configmap: cat /input/data.txt
    ITEM_COUNT=2
    the command has no placeholder; /input/data.txt is its last argument
    the items are shuffled; --shuffle=7 repeats this order
    ");
    let derived = ["run", "--items-configmap", "words/list", "--", "echo", "{/}"];
    insta::assert_snapshot!(describe_handover(&derived, None, "list:x|y\n"), @"
    error: --items-configmap can't be used with {.}, {/}, {//} and {/.}: the list in the cluster has only whole items
    hint: use {}, or read the list from a file with --items-file FILE
    ");
}
