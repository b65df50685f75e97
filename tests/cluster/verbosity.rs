//! The output of `-v`, compared with that of kubectl.

use crate::support::Cluster;

/// Returns the log lines of responses, without source and duration.
fn answers(stderr: &str) -> Vec<String> {
    let answers = stderr.lines().filter_map(|line| line.split_once("] \"Response\" "));
    answers.map(|(_, line)| line.split(" milliseconds=").next().unwrap().to_owned()).collect()
}

#[test]
fn requests_are_printed_as_kubectl_prints_them() {
    let cluster = Cluster::new("verbosity");
    let job = "apiVersion: batch/v1
kind: Job
metadata: {name: one}
spec:
  completions: 1
  suspend: true
  completionMode: Indexed
  template:
    spec:
      restartPolicy: Never
      containers: [{name: worker, image: busybox}]
";
    cluster.create(job).ok();
    // A request that both programs make.
    let path = format!("/namespaces/{}/jobs/one\" status=\"200 OK\"", cluster.namespace());
    let ours = cluster.run(&["suspend", "one", "-v", "6"]).ok();
    let theirs = cluster.kubectl(&["get", "job", "one", "-o", "name", "-v", "6"]).ok();
    let find = |stderr: &str| answers(stderr).into_iter().find(|line| line.ends_with(&path));
    let line = find(&theirs.stderr).unwrap_or_else(|| panic!("{theirs:?}"));
    assert!(line.starts_with("verb=\"GET\" url=\"https://"), "{line}");
    assert_eq!(find(&ours.stderr), Some(line), "{ours:?}");
    assert_eq!(cluster.run(&["suspend", "one"]).ok().stdout, ours.stdout);
    // Neither prints credentials.
    let token = cluster.kubectl(&["create", "token", "default"]).ok().stdout.trim().to_owned();
    assert!(!token.is_empty());
    for level in ["7", "8", "9"] {
        let flags = ["--token", &token, "-v", level];
        let theirs = cluster.kubectl(&[&["get", "jobs"], &flags[..]].concat());
        for outcome in [cluster.run(&[&["list"], &flags[..]].concat()), theirs] {
            let outcome = outcome.ok();
            assert!(outcome.stderr.contains("Authorization: Bearer <masked>"), "{outcome:?}");
            assert!(!outcome.stderr.contains(&token), "{level}");
            let marks =
                [("7", "\"Request\" verb=\"GET\""), ("8", "\"Response Body\" body="), ("9", "\tcurl -v -XGET ")];
            for (least, mark) in marks {
                // From 9 on, a curl command has the headers.
                let expected = level >= least && (least, level) != ("7", "9");
                assert_eq!(outcome.stderr.contains(mark), expected, "{level} {mark}: {outcome:?}");
            }
        }
    }
}
