//! Tests the policy fields of a Job from flags and templates.

use super::*;

/// Returns the policy fields in the spec of a Job.
fn policies(line: &str, template: Option<&str>) -> String {
    let mut job = built(&words(line), template).job;
    let spec = job["spec"].as_object_mut().unwrap();
    let template = spec.remove("template").unwrap();
    spec.retain(|field, _| !["completions", "parallelism", "completionMode"].contains(&field.as_str()));
    if let Some(deadline) = template.pointer("/spec/activeDeadlineSeconds") {
        spec.insert("template".to_owned(), json!({"spec": {"activeDeadlineSeconds": deadline}}));
    }
    yaml::documents(&[job["spec"].take()]).unwrap()
}

#[test]
fn every_policy_has_its_field() {
    let line = "run --items a,b,c --retries 2 --max-failed 1 --fail-on-exit 3-5,1 --ignore-exit 75 \
                --success-indexes 0,1 --success-count 1 --timeout 1h --index-timeout 90s --ttl 1m -- rev";
    insta::assert_snapshot!(policies(line, None), @r#"
    backoffLimitPerIndex: 2
    maxFailedIndexes: 1
    activeDeadlineSeconds: 3600
    ttlSecondsAfterFinished: 60
    podFailurePolicy:
      rules:
      - action: Ignore
        onPodConditions:
        - type: DisruptionTarget
          status: "True"
      - action: FailIndex
        onExitCodes:
          containerName: worker
          operator: In
          values:
          - 1
          - 3
          - 4
          - 5
      - action: Ignore
        onExitCodes:
          containerName: worker
          operator: In
          values:
          - 75
    successPolicy:
      rules:
      - succeededIndexes: 0,1
        succeededCount: 1
    template:
      spec:
        activeDeadlineSeconds: 90
    "#);
    insta::assert_snapshot!(policies("run --items a,b --fail-fast --success-count 1 -- rev", None), @r#"
    backoffLimitPerIndex: 10
    maxFailedIndexes: 0
    podFailurePolicy:
      rules:
      - action: Count
        onPodConditions:
        - type: DisruptionTarget
          status: "True"
      - action: FailIndex
        onPodConditions:
        - type: Initialized
          status: "False"
      - action: FailIndex
        onExitCodes:
          operator: NotIn
          values:
          - 0
    successPolicy:
      rules:
      - succeededCount: 1
    "#);
}

#[test]
fn policies_of_a_template_stay_unless_a_flag_sets_them() {
    let template = "
kind: Job
spec:
  backoffLimit: 9
  backoffLimitPerIndex: 3
  maxFailedIndexes: 5
  activeDeadlineSeconds: 60
  ttlSecondsAfterFinished: 10
  successPolicy: {rules: [{succeededCount: 1}]}
  podFailurePolicy:
    rules:
    - {action: Ignore, onPodConditions: [{type: DisruptionTarget, status: 'True'}]}
    - {action: FailJob, onExitCodes: {operator: In, values: [42]}}
    - {action: Count, onPodConditions: [{type: Odd, status: 'True'}]}
  template: {spec: {activeDeadlineSeconds: 7, containers: [{name: main, image: x, command: [y]}]}}
";
    insta::assert_snapshot!(policies("run --items a,b", Some(template)), @r#"
    backoffLimit: 9
    backoffLimitPerIndex: 3
    maxFailedIndexes: 5
    activeDeadlineSeconds: 60
    ttlSecondsAfterFinished: 10
    podFailurePolicy:
      rules:
      - action: Ignore
        onPodConditions:
        - type: DisruptionTarget
          status: "True"
      - action: FailJob
        onExitCodes:
          operator: In
          values:
          - 42
      - action: Count
        onPodConditions:
        - type: Odd
          status: "True"
    successPolicy:
      rules:
      - succeededCount: 1
    template:
      spec:
        activeDeadlineSeconds: 7
    "#);
    let line = "run --items a,b --retries 1 --max-failed 2 --fail-on-exit 42,43 --ignore-exit 75 --success-indexes 1 \
                --timeout 30s --index-timeout 20s --ttl 0";
    insta::assert_snapshot!(policies(line, Some(template)), @r#"
    backoffLimitPerIndex: 1
    maxFailedIndexes: 2
    activeDeadlineSeconds: 30
    ttlSecondsAfterFinished: 0
    podFailurePolicy:
      rules:
      - action: Ignore
        onPodConditions:
        - type: DisruptionTarget
          status: "True"
      - action: FailIndex
        onExitCodes:
          containerName: main
          operator: In
          values:
          - 42
          - 43
      - action: Ignore
        onExitCodes:
          containerName: main
          operator: In
          values:
          - 75
      - action: FailJob
        onExitCodes:
          operator: In
          values:
          - 42
      - action: Count
        onPodConditions:
        - type: Odd
          status: "True"
    successPolicy:
      rules:
      - succeededIndexes: "1"
    template:
      spec:
        activeDeadlineSeconds: 20
    "#);
}

#[test]
fn rules_on_exit_codes_follow_rules_on_pod_conditions() {
    let rules = |policy: &str| {
        let template =
            format!("{{kind: Job, spec: {{{policy} template: {{spec: {{containers: [{{name: a}}, {{name: b}}]}}}}}}}}");
        let job = built(&words("run --items a --ignore-exit 3 -- rev"), Some(&template)).job;
        let rules = job.pointer("/spec/podFailurePolicy/rules").unwrap().as_array().unwrap();
        rules.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    // With several containers, the rules apply to the worker.
    insta::assert_snapshot!(rules(""), @r#"
    {"action":"Count","onPodConditions":[{"type":"DisruptionTarget","status":"True"}]}
    {"action":"FailIndex","onPodConditions":[{"type":"Initialized","status":"False"}]}
    {"action":"Ignore","onExitCodes":{"containerName":"worker","operator":"In","values":[3]}}
    {"action":"FailIndex","onExitCodes":{"operator":"NotIn","values":[0]}}
    "#);
    let (condition, code) = (
        "{action: Ignore, onPodConditions: [{type: DisruptionTarget, status: 'True'}]}",
        "{action: FailJob, onExitCodes: {operator: In, values: [42]}}",
    );
    insta::assert_snapshot!(rules(&format!("podFailurePolicy: {{rules: [{condition}]}},")), @r#"
    {"action":"Ignore","onPodConditions":[{"type":"DisruptionTarget","status":"True"}]}
    {"action":"Ignore","onExitCodes":{"containerName":"worker","operator":"In","values":[3]}}
    "#);
    insta::assert_snapshot!(rules(&format!("podFailurePolicy: {{rules: [{code}, {condition}]}},")), @r#"
    {"action":"Ignore","onExitCodes":{"containerName":"worker","operator":"In","values":[3]}}
    {"action":"FailJob","onExitCodes":{"operator":"In","values":[42]}}
    {"action":"Ignore","onPodConditions":[{"type":"DisruptionTarget","status":"True"}]}
    "#);
}

#[test]
fn a_template_with_another_replacement_policy_gets_no_failure_policy() {
    let template = "{kind: Job, spec: {podReplacementPolicy: TerminatingOrFailed, template: {spec: {containers: \
                    [{name: a, image: x}]}}}}";
    insta::assert_snapshot!(policies("run --items a -- rev", Some(template)), @"
    backoffLimitPerIndex: 0
    podReplacementPolicy: TerminatingOrFailed
    ");
}
