//! What a server older than a feature answers. These tests run only on Kubernetes 1.30: `tests/run` chooses them by name.

use crate::items::STATIC;
use crate::support::Cluster;

#[test]
#[ignore = "needs Kubernetes 1.30"]
fn a_success_policy_is_refused() {
    let cluster = Cluster::new("old-success");
    let run = |flags: &str| cluster.shell(&format!("kubectl indexed run first --completions 4 {flags} -- true"));
    let outcome = run("--success-count 2");
    assert_eq!(outcome.code, 1, "{outcome:?}");
    let refusal = "error: this server knows no success policy: --success-count needs Kubernetes 1.31 or newer\nhint: ";
    assert!(outcome.stderr.starts_with(refusal), "{outcome:?}");
    let dry = run("--success-indexes 0 --dry-run=server");
    assert!(dry.stderr.starts_with("error: this server knows no success policy: --success-indexes "), "{dry:?}");
    assert_eq!(cluster.kubectl(&["get", "jobs", "-o", "name"]).ok().stdout, "");
}

#[test]
#[ignore = "needs Kubernetes 1.30"]
fn variables_without_a_shell_are_refused() {
    let cluster = Cluster::new("old-no-shell");
    let command = format!("kubectl indexed run --items a,b --item-as env {STATIC} -- /static env ITEM");
    let outcome = cluster.shell(&command);
    assert_eq!(outcome.code, 2, "{outcome:?}");
    assert!(outcome.stderr.contains("this server is Kubernetes 1.30"), "{outcome:?}");
    assert!(outcome.stderr.contains("hint: use --item-as file, which needs no shell"), "{outcome:?}");
}
