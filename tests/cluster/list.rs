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
fn a_failed_job_that_its_retry_completed_reads_complete() {
    let cluster = Cluster::new("list-family");
    let fails = ["run", "x", "--completions", "2", "-q", "--", "sh", "-c", "test $JOB_COMPLETION_INDEX = 0"];
    assert_eq!(cluster.run(&fails).code, 1);
    let watch = cluster.start(&["list", "-w", "--no-headers"]);
    cluster.run(&["retry", "x", "-q", "--", "true"]).ok();
    let rows = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split_whitespace().take(4).collect::<Vec<_>>().join(" ")).collect()
    };
    let table = cluster.run(&["list", "--no-headers", "--sort-by", "name"]).ok().stdout;
    assert_eq!(rows(&table), ["x Complete (r1) 1/2", "x-r1 Complete 1/1 0"]);
    assert_eq!(cluster.run(&["wait", "x"]).code, 0);
    std::thread::sleep(std::time::Duration::from_secs(1));
    watch.interrupt();
    let watched = rows(&watch.end().stdout);
    assert_eq!(watched.first().map(String::as_str), Some("x Failed 1/2 0"), "{watched:?}");
    assert_eq!(watched.last().map(String::as_str), Some("x Complete (r1) 1/2"), "{watched:?}");
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

/// Selectors and sort orders work as in kubectl.
#[test]
fn selectors_and_orders_work_as_in_kubectl() {
    let cluster = Cluster::new("list-labels");
    cluster
        .run(&[
            "run",
            "b",
            "--completions",
            "1",
            "--label",
            "team=x",
            "--label",
            "example.com/stage=one",
            "-q",
            "--",
            "true",
        ])
        .ok();
    let fails = ["run", "a", "--completions", "1", "-q", "--", "false"];
    assert_eq!(cluster.run(&fails).code, 1);
    let last = |outcome: crate::support::Outcome, columns: usize| -> Vec<Vec<String>> {
        let header = outcome.stdout.lines().next().unwrap();
        // The start of each column, because a cell may be empty.
        let starts = header.match_indices(' ').filter(|(at, _)| !header[at + 1..].starts_with(' '));
        let starts: Vec<_> = std::iter::once(0).chain(starts.map(|(at, _)| at + 1)).collect();
        let wanted = std::iter::once(0).chain(starts.len() - columns..starts.len());
        let wanted: Vec<_> = wanted.map(|column| (starts[column], starts.get(column + 1).copied())).collect();
        let cell = |line: &str, (start, end): (usize, Option<usize>)| {
            line.get(start..end.unwrap_or(line.len()).min(line.len())).unwrap_or_default().trim().to_owned()
        };
        let rows = outcome.stdout.lines().map(|line| wanted.iter().map(|&place| cell(line, place)).collect());
        let mut rows: Vec<Vec<_>> = rows.collect();
        rows[1..].sort();
        rows
    };
    for (flags, columns) in [
        (&["--show-labels"][..], 1),
        (&["-L", "team,example.com/stage"], 2),
        (&["-L", "team", "--label-columns", "nothing", "--show-labels"], 3),
        (&["-L", "team", "-l", "team=x"], 1),
        (&["--show-labels", "--field-selector", "metadata.name=a"], 1),
    ] {
        let theirs = cluster.kubectl(&[&["get", "jobs"], flags].concat()).ok();
        let ours = cluster.run(&[&["list"], flags].concat()).ok();
        assert_eq!(last(ours, columns), last(theirs, columns), "{flags:?}");
    }
    let wide = cluster.run(&["list", "-A", "-o", "wide", "-l", "team=x", "-L", "team"]).ok();
    assert!(wide.stdout.lines().next().unwrap().ends_with("FAILED INDEXES   TEAM"), "{wide:?}");

    let names = |flags: &[&str]| cluster.run(&[&["list", "-o", "name"], flags].concat()).ok().stdout;
    assert_eq!(names(&["--field-selector", "status.successful=0"]), "job.batch/a\n");
    assert_eq!(names(&["--field-selector", "status.successful!=0", "-l", "team=x"]), "job.batch/b\n");
    assert_eq!(names(&["--sort-by", "name"]), "job.batch/a\njob.batch/b\n");
    assert_eq!(names(&["--sort-by", "status"]), "job.batch/b\njob.batch/a\n");
    assert_eq!(names(&["--sort-by", "failed"]), "job.batch/b\njob.batch/a\n");
    let none = cluster.run(&["list", "-l", "team=y"]).ok();
    let place = cluster.namespace();
    assert_eq!(none.stderr, format!("there is no Indexed Job that matches the selectors in namespace {place}\n"));

    for flags in [&["--field-selector", "spec.suspend=true"][..], &["--field-selector", "x"], &["-l", "a b"]] {
        let theirs = cluster.kubectl(&[&["get", "jobs"], flags].concat());
        let ours = cluster.run(&[&["list"], flags].concat());
        assert_eq!((ours.code, theirs.code), (1, 1), "{ours:?}");
        // The whole message of the server is printed.
        let said = theirs.stderr.trim().split_once("field selector \"").and_then(|(_, rest)| rest.split_once("\": "));
        let said = said.unwrap().1;
        assert!(ours.stderr.contains(said), "{said:?} is not in {ours:?}");
    }
}

/// A row is printed again when a shown label changes; with a template, after any change.
#[test]
fn a_watched_row_is_printed_again_when_its_columns_change() {
    let cluster = Cluster::new("list-watch-labels");
    cluster.run(&["run", "one", "--completions", "1", "--label", "team=x", "-q", "--", "true"]).ok();
    cluster.run(&["run", "other", "--completions", "1", "-q", "--", "true"]).ok();
    let watches = [
        &["list", "-w", "-L", "team", "-l", "team"][..],
        &["list", "-w", "--show-labels", "--field-selector", "metadata.name=one"],
        &["list", "-w", "-l", "team", "-o", "jsonpath={.metadata.labels.team}{\"\\n\"}"],
        &["list", "-w", "-l", "team", "-o", "custom-columns=NAME:.metadata.name,TEAM:.metadata.labels.team"],
        &["list", "-w", "-l", "team"],
    ]
    .map(|args| cluster.start(args));
    std::thread::sleep(std::time::Duration::from_secs(2));
    cluster.kubectl(&["label", "job", "one", "--overwrite", "team=y"]).ok();
    std::thread::sleep(std::time::Duration::from_secs(2));
    let outcomes = watches.map(|watch| {
        watch.interrupt();
        watch.end().stdout
    });
    let ends = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split_whitespace().next_back().unwrap().to_owned()).collect()
    };
    assert_eq!(ends(&outcomes[0]), ["TEAM", "x", "y"], "{outcomes:?}");
    let labels = ends(&outcomes[1]);
    assert!(labels.len() == 3 && labels[1].contains("team=x") && labels[2].contains("team=y"), "{outcomes:?}");
    assert_eq!(outcomes[2], "x\ny\n");
    assert_eq!(outcomes[3], "NAME   TEAM\none    x\none    y\n");
    assert_eq!(outcomes[4].lines().count(), 2, "no column has changed: {outcomes:?}");
}
