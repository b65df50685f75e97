use super::*;
use crate::spec::tests::{error_text, resolve_all, resolve_line};

/// Returns the error of `run` with these flags and three items.
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
fn each_flag_sets_its_field() {
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
    let bare = "--ttl 60 has no unit and means 60s; for minutes, write --ttl 60m";
    assert_eq!(resolved("--ttl 60").1, [bare]);
    assert_eq!(resolved("--fail-fast").0, Policy { max_failed: Some(0), ..default });
    assert_eq!(resolved("--max-evictions 3 --retries 0").0.max_evictions, Some(3));
    assert_eq!(resolved("--ignore-exit 1-255").0.ignore_exit.len(), 255);
}

#[test]
fn evictions_are_limited_if_nothing_else_is_counted() {
    insta::assert_snapshot!(refused("--max-evictions 3 --retries 1"), @"
    --max-evictions can't be combined with --retries: Kubernetes counts both together
    hint: remove one of them; with --retries evictions have no limit
    ");
    insta::assert_snapshot!(refused("--max-evictions 3 --index-timeout 5s"), @"
    --max-evictions can't be combined with --index-timeout: Kubernetes counts both together
    hint: remove one of them; with --index-timeout evictions have no limit
    ");
    insta::assert_snapshot!(refused("--max-evictions 3000000000"), @"
    --max-evictions 3000000000 is over Kubernetes' limit of 2147483647
    hint: use --max-evictions 2147483647 or less
    ");
    let rules = "apiVersion: batch/v1\nkind: Job\nspec: {podFailurePolicy: {rules: []}, template: {spec: {containers: \
                 [{name: a}]}}}";
    insta::assert_snapshot!(refused_with("--max-evictions 3", Some(rules)), @"
    --max-evictions can't be combined with the template's podFailurePolicy
    hint: remove --max-evictions, and set backoffLimitPerIndex in the template
    ");
    let mut policy = resolved("").0;
    policy.settle(28);
    assert_eq!(policy.max_evictions, None, "an old server refuses the rules");
}

#[test]
fn invalid_exit_codes_are_refused() {
    insta::assert_snapshot!(refused("--fail-on-exit 0-3"), @r#"
    --fail-on-exit "0-3" has 0, the exit code of success
    hint: use exit codes from 1 to 255
    "#);
    insta::assert_snapshot!(refused("--ignore-exit 3,250-300"), @r#"
    --ignore-exit "3,250-300" has 256-300, which are no exit codes
    hint: use exit codes from 1 to 255
    "#);
    insta::assert_snapshot!(refused("--ignore-exit SIGTERM"), @r#"
    --ignore-exit "SIGTERM": "SIGTERM" is not a number
    hint: write it as --ignore-exit 1,3-5
    "#);
    insta::assert_snapshot!(refused("--fail-on-exit 3-1"), @r#"
    --fail-on-exit "3-1": 3-1 runs backwards; write 1-3
    hint: write it as --fail-on-exit 1,3-5
    "#);
    insta::assert_snapshot!(refused("--fail-on-exit 1-9 --ignore-exit 3,7-9,40"), @"
    --fail-on-exit and --ignore-exit both have 3,7-9: an index is either retried or not
    hint: remove 3,7-9 from one of them
    ");
}

#[test]
fn invalid_counts_are_refused() {
    insta::assert_snapshot!(refused("--retries 4294967295"), @"
    --retries 4294967295 is over Kubernetes' limit of 2147483647
    hint: use --retries 2147483647 or less
    ");
    insta::assert_snapshot!(refused("--max-failed 4"), @"
    --max-failed 4 is more than the number of indexes, 3
    hint: use --max-failed 3 or less, or remove it to let all fail
    ");
    insta::assert_snapshot!(refused("--success-count 0"), @"
    --success-count 0 would complete the Job before anything runs
    hint: use --success-count 1 or more
    ");
    insta::assert_snapshot!(refused("--success-count 4"), @"
    --success-count 4 is more than the number of indexes of the Job, 3
    hint: use --success-count 3 or less
    ");
    insta::assert_snapshot!(refused("--success-count 3 --success-indexes 0,2"), @r#"
    --success-count 3 is more than the number of indexes in --success-indexes "0,2", 2
    hint: use --success-count 2 or less
    "#);
    insta::assert_snapshot!(refused("--success-indexes 1-3"), @r#"
    --success-indexes "1-3": the Job has no index 3
    hint: its indexes are 0-2
    "#);
    insta::assert_snapshot!(refused("--success-indexes failed"), @r#"
    --success-indexes "failed": "failed" is not a number
    hint: write it as --success-indexes 0-3,7
    "#);
    let every_other = ["run", "--completions", "100000", "--success-indexes", "0-99999:2", "--", "rev"];
    insta::assert_snapshot!(error_text(&resolve_line(&every_other, None).unwrap_err()), @"
    --success-indexes takes 294444 bytes, and Kubernetes allows 65536
    hint: use longer ranges, or only a number: --success-count N
    ");
}

#[test]
fn invalid_durations_are_refused() {
    insta::assert_snapshot!(refused("--timeout soon"), @r#"
    --timeout "soon" is not a duration such as 90s, 10m or 2h
    hint: write it as --timeout 10m
    "#);
    insta::assert_snapshot!(refused("--timeout 0"), @r#"
    --timeout "0" leaves no time to run
    hint: remove --timeout for no limit
    "#);
    insta::assert_snapshot!(refused("--index-timeout 1500ms"), @r#"
    --index-timeout "1500ms" is not a whole number of seconds
    hint: use --index-timeout 2s
    "#);
    insta::assert_snapshot!(refused("--ttl 1000000h"), @r#"
    --ttl "1000000h" is over Kubernetes' limit of 2147483647s
    hint: remove --ttl for no limit
    "#);
}

#[test]
fn flags_that_conflict_with_the_template_are_refused() {
    let job = |spec: &str, pod: &str| {
        format!("{{kind: Job, spec: {{{spec} template: {{spec: {{{pod} containers: [{{name: a}}]}}}}}}}}")
    };
    let restarting = job("", "restartPolicy: OnFailure,");
    insta::assert_snapshot!(refused_with("--fail-fast", Some(&restarting)), @"
    --fail-fast needs restartPolicy Never, and the template has OnFailure
    hint: remove restartPolicy from the template, or remove --fail-fast
    ");
    insta::assert_snapshot!(refused_with("--ignore-exit 3", Some(&restarting)), @"
    --ignore-exit needs restartPolicy Never, and the template has OnFailure
    hint: remove restartPolicy from the template, or remove --ignore-exit
    ");
    let together = job("backoffLimit: 6,", "");
    insta::assert_snapshot!(refused_with("--max-failed 1", Some(&together)), @"
    --max-failed counts failures per index, and the template counts those of the whole Job (backoffLimit 6)
    hint: add --retries N, which replaces backoffLimit, or remove backoffLimit from the template
    ");
    insta::assert_snapshot!(refused_with("--ignore-exit 2 --fail-on-exit 3", Some(&together)), @"
    --fail-on-exit counts failures per index, and the template counts those of the whole Job (backoffLimit 6)
    hint: add --retries N, which replaces backoffLimit, or remove backoffLimit from the template
    ");
    let early = job("podReplacementPolicy: TerminatingOrFailed,", "");
    insta::assert_snapshot!(refused_with("--ignore-exit 3", Some(&early)), @"
    --ignore-exit needs podReplacementPolicy Failed, and the template has TerminatingOrFailed
    hint: remove podReplacementPolicy from the template
    ");
    let rule = "{action: Ignore, onPodConditions: [{type: X, status: 'True'}]}";
    let many = job(&format!("podFailurePolicy: {{rules: [{}]}},", vec![rule; 19].join(",")), "");
    insta::assert_snapshot!(refused_with("--ignore-exit 2 --fail-on-exit 3", Some(&many)), @"
    --fail-on-exit and the template's podFailurePolicy have 21 rules together, and Kubernetes allows 20
    hint: merge the rules of the template that have the same action
    ");
    let words = ["run", "--items", "a", "--ignore-exit", "2", "--", "rev"];
    assert!(resolve_line(&words, Some(&many)).is_ok(), "twenty rules are taken");
    assert!(resolve_line(&words, Some(&together)).is_ok(), "what is ignored needs no limit for each index");
    let words = ["run", "--items", "a", "--retries", "1", "--fail-fast", "--", "rev"];
    assert!(resolve_line(&words, Some(&together)).is_ok());
}

#[test]
fn flags_without_effect_cause_a_warning() {
    let warned = |flags: &str| resolved(flags).1.join("\n");
    insta::assert_snapshot!(warned("--fail-on-exit 3"), @"--fail-on-exit has no effect: without --retries no index is retried");
    insta::assert_snapshot!(warned("--timeout 10m --index-timeout 10m"), @"--index-timeout has no effect: --timeout ends the Job after 600s");
    insta::assert_snapshot!(warned("--ignore-exit 130-140 --index-timeout 10m"), @"an index that --index-timeout ends has the exit code 137 or 143, and --ignore-exit 137 retries it without end");
    assert_eq!(warned("--timeout 1h --index-timeout 10m --retries 1 --fail-on-exit 137"), "");
}
