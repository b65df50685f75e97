//! Configured defaults: the file, the environment, and their precedence.

use std::os::unix::process::CommandExt as _;

use insta::assert_snapshot;

use crate::support::{Outcome, PROGRAM, Sandbox};

/// Returns the objects of `run` with these variables and flags, as YAML.
fn build_yaml(sandbox: &Sandbox, variables: &[(&str, &str)], flags: &[&str]) -> String {
    let args = [&["run", "--items", "a,b", "--dry-run=client", "-o", "yaml"], flags, &["--", "rev"]].concat();
    let outcome = sandbox.outcome(sandbox.command(PROGRAM).envs(variables.iter().copied()).args(args));
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{outcome}");
    outcome.stdout
}

fn with_file(text: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(".config/kubectl-indexed/config.yaml", text);
    sandbox
}

fn run_with(sandbox: &Sandbox, variables: &[(&str, &str)], args: &[&str]) -> Outcome {
    sandbox.outcome(sandbox.command(PROGRAM).envs(variables.iter().copied()).args(args))
}

/// Asserts that the text has each of the lines, with any indentation.
#[track_caller]
fn assert_lines(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.lines().any(|found| found.trim_start().trim_start_matches("- ") == *line), "no {line} in\n{text}");
    }
}

const FILE: &str = "\
image: registry.example.com/file
parallelism: 1
retries: 3
max-failed: 5
ttl: 1h
label: {team: file, area: file}
toleration: ['file:NoSchedule']
";

#[test]
fn a_flag_beats_a_variable_which_beats_the_file() {
    let sandbox = with_file(FILE);
    assert_lines(
        &build_yaml(&sandbox, &[], &[]),
        &[
            "image: registry.example.com/file",
            "parallelism: 1",
            "backoffLimitPerIndex: 3",
            "ttlSecondsAfterFinished: 3600",
            "team: file",
            "area: file",
            "key: file",
        ],
    );
    let variables = [
        ("KUBECTL_INDEXED_IMAGE", "registry.example.com/variable"),
        ("KUBECTL_INDEXED_LABEL", "team=variable,more=variable"),
        ("KUBECTL_INDEXED_TOLERATION", "variable:NoSchedule"),
    ];
    let by_variable = build_yaml(&sandbox, &variables, &[]);
    assert_lines(
        &by_variable,
        &["image: registry.example.com/variable", "team: variable", "area: file", "more: variable"],
    );
    assert_lines(&by_variable, &["key: variable", "backoffLimitPerIndex: 3"]);
    assert!(!by_variable.contains("key: file"), "{by_variable}");
    let flags = ["--image", "registry.example.com/flag", "--label", "team=flag", "--retries", "1"];
    let by_flag = build_yaml(&sandbox, &variables, &flags);
    assert_lines(&by_flag, &["image: registry.example.com/flag", "team: flag", "area: file", "more: variable"]);
    assert_lines(&by_flag, &["backoffLimitPerIndex: 1"]);
}

#[test]
fn a_template_beats_both_and_a_flag_beats_it() {
    let sandbox = with_file(FILE);
    let template = "{apiVersion: batch/v1, kind: Job, metadata: {labels: {team: template}}, spec: {parallelism: 2, \
                    ttlSecondsAfterFinished: 7, template: {spec: {restartPolicy: Never, \
                    containers: [{name: worker, image: registry.example.com/template}]}}}}";
    sandbox.write("job.yaml", template);
    let variables = [("KUBECTL_INDEXED_IMAGE", "registry.example.com/variable")];
    let made = build_yaml(&sandbox, &variables, &["--template", "job.yaml", "--ttl", "9s"]);
    assert_lines(
        &made,
        &["image: registry.example.com/template", "parallelism: 2", "ttlSecondsAfterFinished: 9", "team: template"],
    );
    // Fields that the template does not set keep the defaults.
    assert_lines(&made, &["backoffLimitPerIndex: 3", "area: file"]);
    // A template on stdin, which can be read only once.
    let piped = sandbox.shell(&format!(
        "echo '{template}' | kubectl-indexed run --items a --template - --dry-run=client -o yaml -- rev"
    ));
    assert_lines(&piped.stdout, &["image: registry.example.com/template", "backoffLimitPerIndex: 3"]);
}

/// A default that contradicts a flag is ignored, where a second flag would be an error.
#[test]
fn a_default_gives_way_to_a_flag_that_it_contradicts() {
    let sandbox =
        with_file(&format!("{FILE}init-image: registry.example.com/init\nitem-store: inline\nindex-timeout: 2h\n"));
    let fast = build_yaml(&sandbox, &[], &["--fail-fast"]);
    assert_lines(&fast, &["maxFailedIndexes: 0"]);
    let few = build_yaml(&sandbox, &[], &[]);
    assert!(!few.contains("maxFailedIndexes"), "of two indexes all may fail: {few}");
    build_yaml(&sandbox, &[], &["--item-store", "configmap"]);
    build_yaml(&sandbox, &[], &["--timeout", "1h"]);
    let outcome = sandbox.run(&["run", "--range", "1-9%3", "--dry-run=client", "-o", "yaml", "--", "echo", "{}"]);
    assert_lines(&outcome.stdout, &["parallelism: 3"]);
    let outcome = sandbox.run(&["run", "--completions", "3", "--dry-run=client", "-o", "name", "--", "true"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{outcome}");
    let sandbox = with_file("parallelism: 50");
    assert_lines(&build_yaml(&sandbox, &[], &[]), &["parallelism: 2"]);
}

#[test]
fn the_file_is_looked_for_in_its_places() {
    let sandbox = with_file("parallelism: 1");
    sandbox.write("xdg/kubectl-indexed/config.yaml", "ttl: 5s");
    sandbox.write("named.yaml", "ttl: 6s");
    let xdg = sandbox.write("xdg/x", "");
    let xdg = xdg.parent().unwrap().to_str().unwrap();
    assert_lines(&build_yaml(&sandbox, &[], &[]), &["parallelism: 1"]);
    assert_lines(
        &build_yaml(&sandbox, &[("XDG_CONFIG_HOME", xdg)], &[]),
        &["parallelism: 2", "ttlSecondsAfterFinished: 5"],
    );
    let named = [("XDG_CONFIG_HOME", xdg), ("KUBECTL_INDEXED_CONFIG", "named.yaml")];
    assert_lines(&build_yaml(&sandbox, &named, &[]), &["ttlSecondsAfterFinished: 6"]);
    let missing = [("KUBECTL_INDEXED_CONFIG", "missing.yaml")];
    assert_snapshot!(run_with(&sandbox, &missing, &["list"]), @"
    ── stdout
    ── stderr
    error: can't read the configuration file missing.yaml: No such file or directory (os error 2)
    hint: KUBECTL_INDEXED_CONFIG names this file: unset the variable, or create the file
    ── exit code 2
    ");
}

#[test]
fn an_unknown_setting_is_an_error_of_run_but_not_of_help() {
    let sandbox = with_file("image: busybox\nlable: {team: vision}\n");
    assert_snapshot!(sandbox.run(&["run", "--items", "a", "--", "rev"]), @r#"
    ── stdout
    ── stderr
    error: HOME/.config/kubectl-indexed/config.yaml, line 2: there is no setting "lable"
    hint: did you mean label?
    ── exit code 2
    "#);
    for args in [&["--help"][..], &["run", "--help"], &["completion", "bash"], &["help", "run"], &["--version"]] {
        let outcome = sandbox.run(args);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{args:?} {outcome}");
    }
    let shown = sandbox.run(&["config"]);
    assert_eq!(shown.code, 2);
    assert!(shown.stderr.contains("line 2: there is no setting \"lable\"\nhint: did you mean label?"), "{shown}");
    assert!(shown.stdout.starts_with("File: HOME/.config/kubectl-indexed/config.yaml\n"), "{shown}");
}

#[test]
fn config_shows_where_each_comes_from() {
    let sandbox = with_file(FILE);
    let variables = [("KUBECTL_INDEXED_LABEL", "team=variable"), ("KUBECTL_INDEXED_PLAIN", "true")];
    assert_snapshot!(run_with(&sandbox, &variables, &["config"]), @"
    ── stdout
    File: HOME/.config/kubectl-indexed/config.yaml

    SETTING             VALUE                       FROM
    item-store          auto                        default
    init-image          <none>                      default
    parallelism         1                           file HOME/.config/kubectl-indexed/config.yaml
    label               area=file                   file HOME/.config/kubectl-indexed/config.yaml
    label               team=variable               environment KUBECTL_INDEXED_LABEL
    annotation          <none>                      default
    queue               <none>                      default
    retries             3                           file HOME/.config/kubectl-indexed/config.yaml
    max-evictions       10                          default
    max-failed          5                           file HOME/.config/kubectl-indexed/config.yaml
    timeout             never                       default
    index-timeout       never                       default
    ttl                 1h                          file HOME/.config/kubectl-indexed/config.yaml
    image               registry.example.com/file   file HOME/.config/kubectl-indexed/config.yaml
    cpu                 <none>                      default
    memory              <none>                      default
    image-pull-policy   <none>                      default
    service-account     <none>                      default
    node-selector       <none>                      default
    toleration          file:NoSchedule             file HOME/.config/kubectl-indexed/config.yaml
    image-pull-secret   <none>                      default
    priority-class      <none>                      default
    prefix              auto                        default
    field-manager       kubectl-indexed             default
    max-log-requests    64                          default
    color               auto                        default
    plain               true                        environment KUBECTL_INDEXED_PLAIN
    ── stderr
    ── exit code 0
    ");
    let json = run_with(&sandbox, &variables, &["config", "-o", "json"]).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["fileExists"], true);
    let rows = json["settings"].as_array().unwrap();
    let image = rows.iter().find(|row| row["name"] == "image").unwrap();
    let from = "file HOME/.config/kubectl-indexed/config.yaml";
    assert_eq!(
        image,
        &serde_json::json!({"name": "image", "value": "registry.example.com/file", "from": from, "line": 1})
    );
    let yaml = run_with(&sandbox, &[], &["config", "-o", "yaml"]).stdout;
    assert!(
        yaml.starts_with("file: HOME/.config/kubectl-indexed/config.yaml\nfileExists: true\nsettings:\n"),
        "{yaml}"
    );
}

/// The printed file sets nothing. Without its comment marks, it is valid and sets everything.
#[test]
fn the_example_is_a_valid_file() {
    let printed = Sandbox::new().run(&["config", "--example"]).stdout;
    assert_snapshot!(printed, @"
    # Configured defaults of kubectl indexed. Remove the # before a setting to use it.
    # Flags, --template and environment variables take precedence.

    # Store the list of items here (run)
    #item-store: configmap

    # Use this image for init containers; it needs a POSIX shell (run, retry)
    #init-image: registry.example.com/busybox

    # Run N indexes at once [default: all, at most 100] (run)
    #parallelism: 20

    # Add a label to the Job and its Pods (run)
    #label:
    #  team: vision

    # Add an annotation to the Job and its Pods (run)
    #annotation:
    #  example.com/contact: vision@example.com

    # Submit the Job to this Kueue queue (run)
    #queue: team-queue

    # Retry each failed index up to N times [default: 0] (run)
    #retries: 2

    # Restart an index at most N times after evictions, preemptions and lost nodes [default: 10] (run)
    #max-evictions: 5

    # Fail the Job when more than N indexes have failed [default: no limit] (run)
    #max-failed: 10

    # Fail the Job after this time [default: never] (run)
    #timeout: 12h

    # End an attempt of an index after this time, as in 90s or 2h [default: never] (run)
    #index-timeout: 1h

    # Delete the Job, its Pods and their logs this long after its end [default: never] (run)
    #ttl: 72h

    # Run this image [default: docker.io/library/busybox] (run)
    #image: registry.example.com/tools:1.4

    # Request this CPU per index, as in 2 or 500m (run)
    #cpu: 500m

    # Request and limit memory per index, as in 512Mi (run)
    #memory: 1Gi

    # Pull the worker's image at these times (run)
    #image-pull-policy: IfNotPresent

    # Run the Pods with this service account (run)
    #service-account: worker

    # Run only on nodes with this label (run)
    #node-selector:
    #  kubernetes.io/arch: amd64

    # Tolerate this taint (run)
    #toleration:
    #- dedicated=batch:NoSchedule

    # Pull images with this Secret (run)
    #image-pull-secret:
    #- registry-login

    # Run the Pods with this priority class (run)
    #priority-class: batch-low

    # Start each line of output with this prefix (run, logs, retry)
    #prefix: index

    # Record this field manager for the fields that are set (run, retry, suspend, resume, scale)
    #field-manager: nightly-batch

    # Read at most N logs at once; others wait their turn (logs)
    #max-log-requests: 32

    # Use colour: auto, always or never (all verbs)
    #color: never

    # Print no colour, no symbols and no lines that change in place, as for a screen reader (all verbs)
    #plain: true
    ");
    let sandbox = with_file(&printed);
    let untouched = sandbox.run(&["config"]).stdout;
    assert!(untouched.lines().skip(3).all(|line| line.ends_with(" default")), "{untouched}");
    let set: Vec<_> = printed
        .lines()
        // Explanations have one blank after the #, continued values have more.
        .filter(|line| !line.starts_with("# ") || line.starts_with("#  "))
        .map(|line| line.strip_prefix('#').unwrap_or(line))
        .collect();
    let sandbox = with_file(&set.join("\n"));
    let all = sandbox.run(&["config"]);
    assert_eq!((all.code, all.stderr.as_str()), (0, ""), "{all}");
    assert!(all.stdout.lines().skip(3).all(|line| line.contains(" file HOME/")), "{all}");
}

#[test]
fn a_plain_default_removes_colour_from_help() {
    let sandbox = with_file("plain: true");
    let help = |args: &[&str]| {
        let mut command = sandbox.command(PROGRAM);
        sandbox.outcome(command.arg0("kubectl-indexed").env("CLICOLOR_FORCE", "1").args(args)).stdout
    };
    assert!(!help(&["list", "--help"]).contains('\u{1b}'));
    let unset = Sandbox::new();
    let colored = unset.outcome(unset.command(PROGRAM).env("CLICOLOR_FORCE", "1").args(["list", "--help"])).stdout;
    assert!(colored.contains('\u{1b}'), "{colored}");
}
