use clap::Parser as _;

use super::*;
use crate::args::{Cli, Verb};
use crate::spec::items::from_list;

/// Resolves a command line as it would be typed after `kubectl indexed`.
pub(crate) fn resolve_line(words: &[&str], template: Option<&str>) -> Result<JobSpec, Error> {
    resolve_all(words, template, b"").map(|resolved| resolved.spec)
}

/// The same with `input` on stdin, or in whatever file `--items-file` names.
pub(crate) fn resolve_all(words: &[&str], template: Option<&str>, input: &[u8]) -> Result<Resolved, Error> {
    let cli = Cli::try_parse_from(["kubectl-indexed"].iter().chain(words)).unwrap();
    let Verb::Run(args) = cli.verb else { panic!("not a run: {words:?}") };
    let template = template.map(|text| ("job.yaml".to_owned(), text.as_bytes().to_vec()));
    let seed = 7;
    sources::check(&args.source, &args.command)?;
    let read = |path: &std::path::PathBuf| {
        let mut intake = sources::intake(&args.source, path.to_str().unwrap(), seed)?;
        let _ = intake.push(input)?;
        intake.finish()
    };
    let file = args.source.items_file.as_ref().map(read).transpose()?;
    let listed = args.source.items_configmap.as_ref().map(|_| {
        let text = std::str::from_utf8(input).unwrap();
        let entry = |line: &str| {
            line.split_once(':').map(|(key, value)| (key.to_owned(), value.replace('|', "\n").into_bytes()))
        };
        ListedConfigMap { entries: text.lines().filter_map(entry).collect() }
    });
    let (suffix, namespace) = ("x7k2p".to_owned(), cli.global.namespace);
    resolve(*args, Inputs { template, suffix, namespace, file, listed, seed })
}

/// The error of a command line with its hints, as they are printed.
fn refused(words: &[&str], template: Option<&str>) -> String {
    told(&resolve_line(words, template).unwrap_err())
}

/// A usage error with its hints, as they are printed.
pub(crate) fn told(error: &Error) -> String {
    assert_eq!(error.kind(), crate::error::Kind::Usage);
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    let hints: Vec<_> = error.hints().iter().map(|hint| format!("\nhint: {hint}")).collect();
    format!("{error}{cause}{}", hints.concat())
}

#[test]
fn a_list_is_one_record_of_csv() {
    let list =
        |text: &str| from_list(text.as_bytes()).unwrap().iter().map(|i| i.lossy().into_owned()).collect::<Vec<_>>();
    assert_eq!(list("foo,bar,baz"), ["foo", "bar", "baz"]);
    assert_eq!(list("a,\"b,c\",,d"), ["a", "b,c", "", "d"]);
    assert_eq!(list("\"say \"\"hi\"\"\",\"two\nlines\""), ["say \"hi\"", "two\nlines"]);
    assert_eq!(list(" a , b"), [" a ", " b"], "blanks belong to the item");
}

#[test]
fn the_name_comes_from_the_command() {
    let name = |words: &[&str]| resolve_line(words, None).unwrap().name;
    assert_eq!(name(&["run", "--items", "a", "--", "rev"]), "rev-x7k2p");
    assert_eq!(name(&["run", "--items", "a", "--", "/usr/bin/Python3.11", "x.py"]), "python3-11-x7k2p");
    assert_eq!(name(&["run", "--items", "a", "--", "_"]), "job-x7k2p");
    assert_eq!(name(&["run", "mine", "--items", "a", "--", "rev"]), "mine");
    let long = "x".repeat(80);
    assert_eq!(name(&["run", "--items", "a,b", "--", &long]).len(), 61);
}

#[test]
fn parallelism_is_all_up_to_a_hundred() {
    let parallelism = |items: &str, more: &[&str]| {
        let words = [&["run", "--items", items], more, &["--", "rev"]].concat();
        resolve_line(&words, None).unwrap().parallelism
    };
    assert_eq!(parallelism("a,b,c", &[]), 3);
    assert_eq!(parallelism(&vec!["x"; 250].join(","), &[]), 100);
    assert_eq!(parallelism("a,b,c", &["-j", "7"]), 7);
}

#[test]
fn what_can_make_no_job_is_refused() {
    insta::assert_snapshot!(refused(&["run", "--", "rev"], None), @"
    there are no items to run the command for
    hint: name them: kubectl indexed run --items foo,bar,baz -- rev
    hint: or only number them: --completions 10
    ");
    insta::assert_snapshot!(refused(&["run", "--items", "", "--", "rev"], None), @r"
    --items is empty: there are no items to run the command for
    hint: name them: kubectl indexed run --items foo,bar,baz -- rev
    ");
    insta::assert_snapshot!(refused(&["run", "--items", "a"], None), @r"
    there is no command to run for each item
    hint: put it last, after two dashes: kubectl indexed run --items foo,bar,baz -- rev
    ");
    insta::assert_snapshot!(refused(&["run", "--items", "a", "-j", "0", "--", "rev"], None), @r"
    --parallelism 0 would never run anything
    hint: give at least 1
    ");
    let long = "n".repeat(62);
    insta::assert_snapshot!(refused(&["run", &long, "--items", "a", "--", "rev"], None), @r#"
    the name "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn" is too long: with 1 indexes, NAME-0 must fit into 63 characters, so NAME may have 61 and has 62
    hint: try --name nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn
    "#);
    insta::assert_snapshot!(refused(&["run", "--items", "a", "--cpu", "lots", "--", "rev"], None), @r#"
    --cpu "lots" is not a quantity that Kubernetes knows
    hint: write it as 2, 0.5 or 500m
    "#);
    insta::assert_snapshot!(refused(&["run", "--items", "a", "--gpu", "x", "--", "rev"], None), @r#"
    --gpu "x" is neither a whole number of GPUs nor RESOURCE=NUMBER
    hint: write it as 1, or as amd.com/gpu=1
    "#);
    insta::assert_snapshot!(refused(&["run", "--items", "a", "--toleration", "gpu:Never", "--", "rev"], None), @r#"
    --toleration "gpu:Never" has an unknown effect; there are NoSchedule, PreferNoSchedule, NoExecute
    hint: write it as KEY:EFFECT or KEY=VALUE:EFFECT, as in gpu=true:NoSchedule
    "#);
    insta::assert_snapshot!(refused(&["run", "--items", "a", "--init-image", "bash", "--", "rev"], None), @"
    --init-image bash has no use: nothing here needs an init container
    hint: leave --init-image out, or add --item-store=inline
    ");
}

#[test]
fn lists_over_the_limits_are_refused_with_what_would_fit() {
    let many = vec!["x"; 100_001].join(",");
    insta::assert_snapshot!(refused(&["run", "--items", &many, "--", "rev"], None), @"
    100001 items are more than one Job can have: Kubernetes takes 100000 with per-index limits
    hint: split the work into runs of at most 100000, as by --skip and --first
    ");
    let large = vec!["x".repeat(1000); 1100].join(",");
    insta::assert_snapshot!(refused(&["run", "--items", &large, "--item-store=inline", "--", "rev"], None), @"
    the list is too long to stand inline: its first 129 items fill the 131071 bytes that one argument may have
    hint: use --item-store=configmap, or split the list
    ");
}

#[test]
fn quantities_are_those_of_kubernetes() {
    for good in ["1", "0.5", "500m", "2Gi", "1e3", "1E3", "100k", "7E"] {
        assert!(Resources::parse(Some(good.to_owned()), None, None).is_ok(), "{good}");
    }
    for bad in ["", "m", "0", "-1", "1 Gi", "1gb", "1e", "1.2.3"] {
        assert!(Resources::parse(Some(bad.to_owned()), None, None).is_err(), "{bad}");
    }
}

#[test]
fn a_template_is_a_job_a_cron_job_or_a_pod_template() {
    let words = ["run", "--items", "a", "--", "rev"];
    insta::assert_snapshot!(refused(&words, Some("kind: Deployment\n")), @r"
    the template job.yaml is a Deployment; it must be a Job, a CronJob or a PodTemplate
    hint: kubectl create job NAME --image=IMAGE --dry-run=client -o yaml prints one to start from
    ");
    insta::assert_snapshot!(refused(&words, Some("kind: Job\nspec: {}\n")), @"the template job.yaml is a Job without a Pod template (spec.template.spec)");
    insta::assert_snapshot!(refused(&words, Some("")), @"
    the template job.yaml is empty
    hint: kubectl create job NAME --image=IMAGE --dry-run=client -o yaml prints one to start from
    ");
    insta::assert_snapshot!(refused(&words, Some("kind: Job\n---\nkind: Job\n")), @r"
    the template job.yaml has 2 documents; a template is one manifest
    hint: keep the Job only, and create the others by kubectl apply
    ");
    assert!(refused(&words, Some("kind: [")).starts_with("the template job.yaml can't be read as YAML: "));
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
    insta::assert_snapshot!(refused(&["run", "--items", "a", "--retries", "1", "--", "rev"], Some(restarting)), @r"
    --retries counts for each index, which needs restartPolicy Never; the template says OnFailure
    hint: take restartPolicy out of the template, or leave --retries out
    ");
}
