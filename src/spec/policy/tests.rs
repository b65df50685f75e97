use super::*;
use crate::spec::tests::{error_text, resolve_all, resolve_line};

/// What is said of `run` with these flags and three items.
fn refused(flags: &str) -> String {
    refused_with(flags, None)
}

fn refused_with(flags: &str, template: Option<&str>) -> String {
    let words = format!("run --items a,b,c {flags} -- rev");
    error_text(&resolve_line(&words.split_whitespace().collect::<Vec<_>>(), template).unwrap_err())
}

fn resolved(flags: &str) -> (Policy, Vec<String>) {
    let words = format!("run --items a,b,c {flags} -- rev");
    let resolved = resolve_all(&words.split_whitespace().collect::<Vec<_>>(), None, b"").unwrap();
    (resolved.spec.policy, resolved.warnings)
}

#[test]
fn each_flag_is_read() {
    let flags = "--retries 2 --max-failed 3 --fail-on-exit 7,3-5,4 --ignore-exit 75 --success-indexes 2,0-1 \
                 --success-count 2 --timeout 1h --index-timeout 90s --ttl 0";
    let expected = Policy {
        retries: Some(2),
        max_evictions: None,
        max_failed: Some(3),
        fail_on_exit: vec![3, 4, 5, 7],
        ignore_exit: vec![75],
        success: Some(Success { indexes: Some(IndexSet::below(3)), count: Some(2) }),
        timeout: Some(3600),
        index_timeout: Some(90),
        ttl: Some(0),
    };
    assert_eq!(resolved(flags), (expected, Vec::new()));
    let default = Policy { max_evictions: Some(10), ..Policy::default() };
    assert_eq!(resolved("").0, default);
    let bare = "--ttl 60 has no unit, and is 60 seconds: write 60s, or 60m for minutes";
    assert_eq!(resolved("--ttl 60").1, [bare]);
    assert_eq!(resolved("--fail-fast").0, Policy { max_failed: Some(0), ..default });
    assert_eq!(resolved("--max-evictions 3 --retries 0").0.max_evictions, Some(3));
    assert_eq!(resolved("--ignore-exit 1-255").0.ignore_exit.len(), 255);
}

#[test]
fn evictions_are_limited_where_nothing_else_is_counted() {
    insta::assert_snapshot!(refused("--max-evictions 3 --retries 1"), @"
    --max-evictions can't be combined with --retries: Kubernetes has one count for both
    hint: leave one of them out; with --retries evictions are not counted
    ");
    insta::assert_snapshot!(refused("--max-evictions 3 --index-timeout 5s"), @"
    --max-evictions can't be combined with --index-timeout: Kubernetes has one count for both
    hint: leave one of them out; with --index-timeout evictions are not counted
    ");
    insta::assert_snapshot!(refused("--max-evictions 3000000000"), @"
    --max-evictions 3000000000 is more than Kubernetes counts
    hint: give at most 2147483647
    ");
    let rules = "apiVersion: batch/v1\nkind: Job\nspec: {podFailurePolicy: {rules: []}, template: {spec: {containers: \
                 [{name: a}]}}}";
    insta::assert_snapshot!(refused_with("--max-evictions 3", Some(rules)), @"
    --max-evictions can't be combined with podFailurePolicy of the template
    hint: its backoffLimitPerIndex limits what Kubernetes counts
    ");
    let mut policy = resolved("").0;
    policy.settle(28);
    assert_eq!(policy.max_evictions, None, "an old server refuses the rules");
}

#[test]
fn exit_codes_that_are_none() {
    insta::assert_snapshot!(refused("--fail-on-exit 0-3"), @"
    --fail-on-exit 0-3 has 0, the exit code of success
    hint: exit codes of failures are 1-255
    ");
    insta::assert_snapshot!(refused("--ignore-exit 3,250-300"), @"
    --ignore-exit 3,250-300 has 256-300, which no command can end with
    hint: exit codes of failures are 1-255
    ");
    insta::assert_snapshot!(refused("--ignore-exit SIGTERM"), @r#"
    --ignore-exit "SIGTERM": "SIGTERM" is not a number
    hint: write exit codes as 1,3-5
    "#);
    insta::assert_snapshot!(refused("--fail-on-exit 3-1"), @r#"
    --fail-on-exit "3-1": 3-1 runs backwards; write 1-3
    hint: write exit codes as 1,3-5
    "#);
    insta::assert_snapshot!(refused("--fail-on-exit 1-9 --ignore-exit 3,7-9,40"), @"
    --fail-on-exit and --ignore-exit both have 3,7-9: an index is tried again or it is not
    hint: leave it out of one of them
    ");
}

#[test]
fn counts_that_can_not_be() {
    insta::assert_snapshot!(refused("--retries 4294967295"), @"
    --retries 4294967295 is more than Kubernetes counts
    hint: give at most 2147483647
    ");
    insta::assert_snapshot!(refused("--max-failed 4"), @"
    --max-failed 4 is more than the Job has indexes: 3
    hint: give at most 3, or leave it out: then all may fail
    ");
    insta::assert_snapshot!(refused("--success-count 0"), @"
    --success-count 0 would be enough before anything has run
    hint: give at least 1
    ");
    insta::assert_snapshot!(refused("--success-count 4"), @"
    --success-count 4 is more than the Job has indexes: 3
    hint: give at most 3
    ");
    insta::assert_snapshot!(refused("--success-count 3 --success-indexes 0,2"), @"
    --success-count 3 is more than --success-indexes 0,2 has indexes: 2
    hint: give at most 2
    ");
    insta::assert_snapshot!(refused("--success-indexes 1-3"), @"
    --success-indexes 1-3: the Job has no index 3
    hint: its indexes are 0-2
    ");
    insta::assert_snapshot!(refused("--success-indexes failed"), @r#"
    --success-indexes "failed": "failed" is not a number
    hint: write indexes as 0-3,7
    "#);
    let every_other = ["run", "--completions", "100000", "--success-indexes", "0-99999:2", "--", "rev"];
    insta::assert_snapshot!(error_text(&resolve_line(&every_other, None).unwrap_err()), @"
    --success-indexes takes 294444 bytes when written out, and Kubernetes takes 65536
    hint: name ranges, or only how many are enough: --success-count
    ");
}

#[test]
fn durations_that_can_not_be() {
    insta::assert_snapshot!(refused("--timeout soon"), @r#"
    --timeout "soon" is not a duration: give seconds, or a number with a unit such as 1s, 2m, 3h
    hint: write it as 90s, 10m or 2h
    "#);
    insta::assert_snapshot!(refused("--timeout 0"), @"
    --timeout 0 leaves no time to run at all
    hint: leave it out for no limit
    ");
    insta::assert_snapshot!(refused("--index-timeout 1500ms"), @"
    --index-timeout 1500ms is no whole number of seconds, which Kubernetes counts
    hint: give 2s
    ");
    insta::assert_snapshot!(refused("--ttl 1000000h"), @"
    --ttl 1000000h is longer than Kubernetes counts
    hint: leave it out for no limit, or give at most 2147483647s
    ");
}

#[test]
fn what_a_template_rules_out() {
    let job = |spec: &str, pod: &str| {
        format!("{{kind: Job, spec: {{{spec} template: {{spec: {{{pod} containers: [{{name: a}}]}}}}}}}}")
    };
    let restarting = job("", "restartPolicy: OnFailure,");
    insta::assert_snapshot!(refused_with("--fail-fast", Some(&restarting)), @"
    --fail-fast goes by Pods that failed, which needs restartPolicy Never; the template says OnFailure
    hint: take restartPolicy out of the template, or leave --fail-fast out
    ");
    insta::assert_snapshot!(refused_with("--ignore-exit 3", Some(&restarting)), @"
    --ignore-exit goes by Pods that failed, which needs restartPolicy Never; the template says OnFailure
    hint: take restartPolicy out of the template, or leave --ignore-exit out
    ");
    let together = job("backoffLimit: 6,", "");
    insta::assert_snapshot!(refused_with("--max-failed 1", Some(&together)), @"
    --max-failed counts failures of each index; the template counts those of all together (backoffLimit 6)
    hint: add --retries N, which replaces it, or take backoffLimit out of the template
    ");
    insta::assert_snapshot!(refused_with("--ignore-exit 2 --fail-on-exit 3", Some(&together)), @"
    --fail-on-exit counts failures of each index; the template counts those of all together (backoffLimit 6)
    hint: add --retries N, which replaces it, or take backoffLimit out of the template
    ");
    let early = job("podReplacementPolicy: TerminatingOrFailed,", "");
    insta::assert_snapshot!(refused_with("--ignore-exit 3", Some(&early)), @"
    --ignore-exit needs podReplacementPolicy Failed; the template says TerminatingOrFailed
    hint: take podReplacementPolicy out of the template
    ");
    let rule = "{action: Ignore, onPodConditions: [{type: X, status: 'True'}]}";
    let many = job(&format!("podFailurePolicy: {{rules: [{}]}},", vec![rule; 19].join(",")), "");
    insta::assert_snapshot!(refused_with("--ignore-exit 2 --fail-on-exit 3", Some(&many)), @"
    --fail-on-exit makes 21 rules with the 19 of the template's podFailurePolicy; Kubernetes takes 20
    hint: put together rules of the template that do the same
    ");
    let words = ["run", "--items", "a", "--ignore-exit", "2", "--", "rev"];
    assert!(resolve_line(&words, Some(&many)).is_ok(), "twenty rules are taken");
    assert!(resolve_line(&words, Some(&together)).is_ok(), "what is ignored needs no limit for each index");
    let words = ["run", "--items", "a", "--retries", "1", "--fail-fast", "--", "rev"];
    assert!(resolve_line(&words, Some(&together)).is_ok());
}

#[test]
fn what_changes_nothing_is_said() {
    let warned = |flags: &str| resolved(flags).1.join("\n");
    insta::assert_snapshot!(warned("--fail-on-exit 3"), @"--fail-on-exit changes nothing: without --retries no index is tried again");
    insta::assert_snapshot!(warned("--timeout 10m --index-timeout 10m"), @"--index-timeout changes nothing: --timeout ends the Job after 600s");
    insta::assert_snapshot!(warned("--ignore-exit 130-140 --index-timeout 10m"), @"what --index-timeout ends has the exit code 137 or 143; --ignore-exit 137 has it tried again without end");
    assert_eq!(warned("--timeout 1h --index-timeout 10m --retries 1 --fail-on-exit 137"), "");
}
