//! `list`.

use crate::support::Cluster;

#[test]
fn newest_first_and_only_indexed_ones() {
    let cluster = Cluster::new("list");
    let empty = cluster.run(&["list"]).ok();
    assert_eq!(empty.stdout, "");
    assert_eq!(empty.stderr, format!("there is no Indexed Job in namespace {}\n", cluster.namespace()));

    cluster.kubectl(&["create", "job", "plain", "--image=busybox", "--", "true"]).ok();
    cluster.run(&["run", "one", "--items", "a,b", "--label", "team=x", "-q", "--", "rev"]).ok();
    let fails = ["run", "two", "--completions", "3", "-q", "--", "sh", "-c", "test $JOB_COMPLETION_INDEX = 1"];
    assert_eq!(cluster.run(&fails).code, 1);

    let lines = |outcome: crate::support::Outcome| -> Vec<Vec<String>> {
        outcome.stdout.lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
    };
    let table = lines(cluster.run(&["ls"]).ok());
    assert_eq!(table[0], ["NAME", "STATUS", "COMPLETIONS", "RUNNING", "FAILED", "DURATION", "AGE"]);
    assert_eq!(table[1][..5], ["two", "Failed", "1/3", "0", "2"]);
    assert_eq!(table[2][..5], ["one", "Complete", "2/2", "0", "0"]);
    assert_eq!(table.len(), 3);
    let wide = lines(cluster.run(&["get", "-o", "wide", "--no-headers"]).ok());
    assert_eq!(wide[0][7..], ["worker", "docker.io/library/busybox", "0,2"]);
    let everywhere = lines(cluster.run(&["list", "-A"]).ok());
    assert_eq!(everywhere[0][0], "NAMESPACE");
    assert!(everywhere.iter().any(|row| row[0] == cluster.namespace() && row[1] == "two"));

    assert_eq!(cluster.run(&["list", "-o", "name"]).ok().stdout, "job.batch/two\njob.batch/one\n");
    assert_eq!(cluster.run(&["list", "-l", "team=x", "-o", "name"]).ok().stdout, "job.batch/one\n");
    let json: serde_json::Value = serde_json::from_str(&cluster.run(&["list", "-o", "json"]).ok().stdout).unwrap();
    assert_eq!(json["kind"], "List");
    assert_eq!(json["items"][0]["metadata"]["name"], "two");
    let yaml = cluster.run(&["list", "-o", "yaml"]).ok().stdout;
    assert!(yaml.contains("\n- apiVersion: batch/v1\n  kind: Job\n  metadata:\n    name: two\n"), "{yaml}");
}

#[test]
fn prints_a_job_again_when_it_changes() {
    let cluster = Cluster::new("list-watch");
    cluster.kubectl(&["create", "job", "plain", "--image=busybox", "--", "true"]).ok();
    let watch = cluster.start(&["list", "-w"]);
    cluster.run(&["run", "one", "--completions", "1", "-q", "--", "sleep", "1"]).ok();
    cluster.run(&["delete", "one"]).ok();
    std::thread::sleep(std::time::Duration::from_secs(1));
    watch.interrupt();
    let outcome = watch.end();
    let rows: Vec<Vec<_>> = outcome.stdout.lines().map(|line| line.split_whitespace().take(4).collect()).collect();
    assert_eq!(rows[0], ["NAME", "STATUS", "COMPLETIONS", "RUNNING"], "{outcome:?}");
    assert!(rows.iter().skip(1).all(|row| row[0] == "one"), "{outcome:?}");
    for expected in [["one", "Running", "0/1", "1"], ["one", "Complete", "1/1", "0"]] {
        assert!(rows.iter().any(|row| *row == expected), "{expected:?} is not in {outcome:?}");
    }
    assert_eq!(rows.last().unwrap()[1], "Deleted", "{outcome:?}");
    assert!(rows.windows(2).all(|pair| pair[0] != pair[1] || pair[0][1] == "Running"), "{outcome:?}");
}
