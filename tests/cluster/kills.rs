//! The program is killed at any moment: every object that is left belongs to a Job or explains itself, and the same command
//! again completes the work.
//!
//! `KUBECTL_INDEXED_TEST_KILLS` is the number of kills of each command.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::faults::{Fault, contains, proxy};
use crate::support::{Cluster, Outcome};

/// The default number of kills of each command.
const KILLS: usize = 8;

/// Returns moments between the start and end of a command, one in each of equal parts, the same in every run.
fn moments(whole: Duration) -> Vec<Duration> {
    let kills = std::env::var("KUBECTL_INDEXED_TEST_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let mut seed = 7_u32;
    let moment = |part| {
        // The generator of Numerical Recipes: a fixed spread is enough.
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let within = f64::from(seed >> 8) / f64::from(1_u32 << 24);
        whole.mul_f64((f64::from(u32::try_from(part).unwrap()) + within) / f64::from(u32::try_from(kills).unwrap()))
    };
    (0..kills).map(moment).collect()
}

/// Returns the duration of a command.
fn measure(what: impl FnOnce() -> Outcome) -> Duration {
    let start = Instant::now();
    what().ok();
    start.elapsed()
}

/// Counts the kills that hit a running command.
struct Kills {
    sent: usize,
    landed: usize,
    /// The duration of commands relative to the measured one.
    pace: f64,
}

impl Kills {
    fn new() -> Self {
        Self { sent: 0, landed: 0, pace: 1.0 }
    }

    /// Starts a command, and kills it after a while. If it has ended before, the next kills come earlier.
    fn send(&mut self, cluster: &Cluster, args: &[&str], after: Duration) {
        let running = cluster.start(args);
        sleep(after.mul_f64(self.pace));
        self.sent += 1;
        if running.kill() {
            self.landed += 1;
        } else {
            self.pace *= 0.7;
        }
    }

    /// Asserts that at least half of the kills hit a running command: commands may be faster than the measured one.
    #[track_caller]
    fn assert_landed(&self) {
        assert!(self.landed * 2 >= self.sent, "{} of {} kills came before the end", self.landed, self.sent);
    }
}

/// Asserts that every list belongs to an existing Job, and that every Job has all its lists or is marked as incomplete.
#[track_caller]
fn assert_no_orphans(cluster: &Cluster, items: usize) {
    let path = |kind: &str, path: &str| cluster.kubectl(&["get", kind, "-o", &format!("jsonpath={path}")]).ok().stdout;
    let jobs = path(
        "jobs",
        r#"{range .items[*]}{.metadata.name} {.metadata.uid} {.spec.suspend} {.metadata.annotations.kubectl-indexed/submitting}{"\n"}{end}"#,
    );
    let lists = path(
        "configmaps",
        r#"{range .items[*]}{.metadata.name} {.metadata.ownerReferences[*].uid} {.data}{"\n"}{end}"#,
    );
    let lists: Vec<_> = lists.lines().filter(|line| !line.starts_with("kube-root-ca.crt ")).collect();
    for list in &lists {
        let owner = list.split(' ').nth(1).unwrap_or_default();
        assert!(!owner.is_empty() && jobs.contains(owner), "{list:?} belongs to nobody\n{jobs}");
    }
    for job in jobs.lines() {
        let mut words = job.split(' ');
        let (name, uid, suspended) = (words.next().unwrap(), words.next().unwrap(), words.next() == Some("true"));
        if words.next() == Some("true") {
            assert!(suspended, "{name} runs without its items");
            let described = cluster.run(&["describe", name]).ok().stdout;
            assert!(described.contains("submission of the Job is incomplete"), "{described}");
        } else {
            assert!(!suspended, "{name} never runs");
            assert_eq!(
                lists.iter().filter(|list| list.contains(uid)).count(),
                usize::from(items > 0),
                "{job}\n{lists:#?}"
            );
        }
    }
}

#[test]
fn submitting() {
    let cluster = Cluster::new("kill-submit");
    let args = |name: &str| ["run", name, "--items", "a,b", "--detach", "--", "cat"].map(str::to_owned);
    let whole = measure(|| cluster.run(&args("whole").each_ref().map(String::as_str)));
    let mut names = vec!["whole".to_owned()];
    let mut kills = Kills::new();
    for (n, moment) in moments(whole).into_iter().enumerate() {
        let name = format!("x{n}");
        let args = args(&name);
        let args = args.each_ref().map(String::as_str);
        kills.send(&cluster, &args, moment);
        assert_no_orphans(&cluster, 2);
        let again = cluster.run(&args);
        let is_done = again.code == 1 && again.stderr.contains("created by this same command, and has completed");
        assert!(again.code == 0 || is_done, "killed after {moment:?}: {again:?}");
        names.push(name);
    }
    kills.assert_landed();
    let waiting: Vec<_> = ["wait", "-q"].into_iter().chain(names.iter().map(String::as_str)).collect();
    cluster.run(&waiting).ok();
    for name in &names {
        assert_eq!(cluster.run(&["logs", name, "--prefix", "none"]).ok().stdout, "a\nb\n", "{name}");
    }
}

#[test]
fn following() {
    let cluster = Cluster::new("kill-run");
    let folder = cluster.write("marker", b"").with_file_name("results");
    let args = |name: &str| {
        let to = folder.join(name).display().to_string();
        ["run", name, "--completions", "2", "-q", "--results", &to, "--", "sh", "-c", "echo hello"].map(str::to_owned)
    };
    let whole = measure(|| cluster.run(&args("whole").each_ref().map(String::as_str)));
    let mut kills = Kills::new();
    for (n, moment) in moments(whole).into_iter().enumerate() {
        let name = format!("x{n}");
        let args = args(&name);
        let args = args.each_ref().map(String::as_str);
        kills.send(&cluster, &args, moment);
        assert_no_orphans(&cluster, 0);
        let again = cluster.run(&args);
        if again.code == 1 {
            assert!(again.stderr.contains("created by this same command, and has completed"), "{again:?}");
            assert_eq!(cluster.run(&["logs", &name]).ok().stdout, "[0] hello\n[1] hello\n");
            cluster.run(&["results", &name, "--to", args[6]]).ok();
        } else {
            assert_eq!(again.ok().sorted_lines(), ["[0] hello", "[1] hello"], "killed after {moment:?}");
        }
        for file in ["0.out", "1.out"] {
            assert_eq!(std::fs::read_to_string(folder.join(&name).join(file)).unwrap(), "hello\n");
        }
    }
    kills.assert_landed();
}

#[test]
fn retrying() {
    let cluster = Cluster::new("kill-retry");
    let killed = moments(Duration::ZERO).len();
    let names: Vec<_> = (0..=killed).map(|n| format!("x{n}")).collect();
    for name in &names {
        cluster.run(&["run", name, "--items", "a,b", "-d", "-q", "--", "false"]).ok();
    }
    for name in &names {
        assert_eq!(cluster.run(&["wait", name, "-q"]).code, 1);
    }
    let args = |name: &str| ["retry", name, "-d", "--", "cat"].map(str::to_owned);
    let whole = measure(|| cluster.run(&args("x0").each_ref().map(String::as_str)));
    let mut kills = Kills::new();
    for (name, moment) in names[1..].iter().zip(moments(whole)) {
        let args = args(name);
        let args = args.each_ref().map(String::as_str);
        kills.send(&cluster, &args, moment);
        assert_no_orphans(&cluster, 2);
        cluster.run(&args).ok();
        assert_no_orphans(&cluster, 2);
    }
    kills.assert_landed();
    // Each Job was retried once, and nothing is left to retry.
    let all = cluster.kubectl(&["get", "jobs", "-o", "name"]).ok().stdout;
    assert_eq!(all.lines().count(), 2 * names.len(), "{all}");
    let retries: Vec<_> =
        all.lines().filter(|job| !names.iter().any(|name| *job == format!("job.batch/{name}"))).collect();
    cluster.run(&[&["wait", "-q"], &retries[..]].concat()).ok();
    for name in &names {
        assert_eq!(cluster.run(&["logs", name, "--prefix", "none"]).ok().stdout, "a\nb\n", "{name}");
    }
}

#[test]
fn gathering() {
    let cluster = Cluster::new("kill-results");
    let folder = cluster.write("marker", b"").with_file_name("results");
    cluster.run(&["run", "x", "--completions", "3", "-q", "--", "sh", "-c", "seq 20000"]).ok();
    let to = |n: usize| folder.join(n.to_string()).display().to_string();
    let outputs = |n: usize| {
        let read = |file: &str| std::fs::read(folder.join(n.to_string()).join(file)).ok();
        ["0.out", "1.out", "2.out"].map(read)
    };
    let whole = measure(|| cluster.run(&["results", "x", "--to", &to(0)]));
    // A busy node does not keep all of these lines, so the test compares with a run without kills.
    let expected = outputs(0);
    assert!(expected.iter().flatten().all(|bytes| bytes.starts_with(b"1\n2\n3\n")));
    let mut kills = Kills::new();
    for (n, moment) in (1..).zip(moments(whole)) {
        kills.send(&cluster, &["results", "x", "--to", &to(n)], moment);
        for (output, expected) in outputs(n).iter().zip(&expected) {
            assert!(output.is_none() || output == expected, "torn when killed after {moment:?}");
        }
        cluster.run(&["results", "x", "--to", &to(n)]).ok();
        assert!(outputs(n) == expected, "killed after {moment:?}");
    }
    kills.assert_landed();
}

#[test]
fn deleting() {
    let cluster = Cluster::new("kill-delete");
    let killed = moments(Duration::ZERO).len();
    let names: Vec<_> = (0..=killed).map(|n| format!("x{n}")).collect();
    for name in &names {
        // With lists without an owner, and Pods that need a moment to end.
        let script = "trap 'sleep 1; exit' TERM; sleep 60 & wait";
        let args = ["run", name, "--items", "a", "--dry-run=client", "-o", "yaml", "--", "sh", "-c", script];
        cluster.apply(&cluster.run(&args).ok().stdout).ok();
    }
    cluster.eventually("running pods", || {
        cluster.kubectl(&["get", "jobs", "-o", "jsonpath={.items[*].status.ready}"]).ok().stdout.matches('1').count()
            == names.len()
    });
    let whole = measure(|| cluster.run(&["delete", "x0"]));
    let mut kills = Kills::new();
    for (name, moment) in names[1..].iter().zip(moments(whole)) {
        kills.send(&cluster, &["delete", name], moment);
        // The lists of a Job are deleted with it; otherwise the Job still exists.
        let list = format!("configmap/{name}-items");
        let owner = cluster.field(&list, "{.metadata.ownerReferences[0].uid}");
        let job = cluster.field(&format!("job/{name}"), "{.metadata.uid}");
        let is_left = owner.is_empty() && job.is_empty() && !cluster.field(&list, "{.metadata.uid}").is_empty();
        assert!(!is_left, "killed after {moment:?}: {list} belongs to nobody");
        let again = cluster.run(&["delete", name]);
        let gone = format!("error: there is no job {name:?} ");
        assert!(again.code == 0 || again.stderr.starts_with(&gone), "killed after {moment:?}: {again:?}");
    }
    kills.assert_landed();
    cluster.eventually("the end of all", || {
        cluster.kubectl(&["get", "jobs,pods,configmaps", "-o", "name"]).ok().stdout == "configmap/kube-root-ca.crt\n"
    });
}

/// Blocks all requests from the first one that contains this text, and records that it came.
struct StopsAt {
    what: &'static str,
    come: AtomicBool,
}

impl Fault for StopsAt {
    fn request(&self, bytes: &mut Vec<u8>) {
        if contains(bytes, self.what) && !contains(bytes, "dryRun=All") {
            self.come.store(true, Ordering::SeqCst);
        }
        while self.come.load(Ordering::SeqCst) {
            sleep(Duration::from_secs(1));
        }
    }
}

#[test]
fn a_submission_that_is_cut_off_between_two_steps() {
    let cluster = Cluster::new("kill-steps");
    let (_running, port) = cluster.start_api_proxy();
    for (name, what) in [("list", "POST /api/v1/namespaces/"), ("release", "PATCH /apis/batch/v1/namespaces/")] {
        let fault = Arc::new(StopsAt { what, come: AtomicBool::new(false) });
        let url = proxy(port, Arc::clone(&fault));
        let args = ["run", name, "--items", "a,b", "--prefix", "none", "--", "cat"];
        let through = ["-s", &url, "-n", cluster.namespace()];
        let running = cluster.start(&[&args[..2], &through, &args[2..]].concat());
        cluster.eventually("the request", || fault.come.load(Ordering::SeqCst));
        assert!(running.kill());
        assert_no_orphans(&cluster, 2);
        assert_eq!(cluster.field(&format!("job/{name}"), "{.spec.suspend}"), "true");

        let resumed = cluster.run(&["resume", name]);
        assert_eq!(resumed.code, 1, "{resumed:?}");
        assert!(resumed.stderr.contains("its submission has not finished"), "{resumed:?}");
        let other = cluster.run(&["run", name, "--items", "a,c", "--", "cat"]);
        assert_eq!(other.code, 1, "{other:?}");
        assert!(other.stderr.contains("already exists\n"), "{other:?}");
        let again = cluster.run(&args).ok();
        let expected = format!("job {name} was begun by this same command and interrupted: finishing the submission\n");
        assert!(again.stderr.starts_with(&expected), "{again:?}");
        assert_eq!(again.sorted_lines(), ["a", "b"]);
    }
}

#[test]
fn a_retry_without_its_list() {
    let cluster = Cluster::new("kill-retry-step");
    let (_running, port) = cluster.start_api_proxy();
    cluster.run(&["run", "x", "--items", "a,b", "-d", "-q", "--", "false"]).ok();
    assert_eq!(cluster.run(&["wait", "x", "-q"]).code, 1);
    let fault = Arc::new(StopsAt { what: "POST /api/v1/namespaces/", come: AtomicBool::new(false) });
    let url = proxy(port, Arc::clone(&fault));
    let args = ["retry", "x", "--prefix", "none", "--", "cat"];
    let running = cluster.start(&[&args[..2], &["-s", &url, "-n", cluster.namespace()], &args[2..]].concat());
    cluster.eventually("the request", || fault.come.load(Ordering::SeqCst));
    assert!(running.kill());
    assert_no_orphans(&cluster, 2);
    let other = cluster.run(&["retry", "x", "--index", "0", "--", "cat"]);
    assert_eq!(other.code, 1, "{other:?}");
    assert!(other.stderr.contains("another retry, job"), "{other:?}");
    let again = cluster.run(&args).ok();
    assert!(
        again.stderr.contains(" was begun by this same command and interrupted: finishing the submission\n"),
        "{again:?}"
    );
    assert_eq!(again.sorted_lines(), ["a", "b"]);
}

#[test]
fn the_same_command_twice_at_the_same_time() {
    let cluster = Cluster::new("kill-twice");
    let args =
        ["run", "x", "--items", "a,b", "-q", "--prefix", "none", "--", "sh", "-c", "sleep 3; cat /input/data.txt"];
    let running = [cluster.start(&args), cluster.start(&args), cluster.start(&args)];
    for outcome in running.map(crate::support::Running::end) {
        assert_eq!(outcome.ok().sorted_lines(), ["a", "b"]);
    }
    let after = cluster.run(&args);
    assert_eq!((after.code, after.stdout.as_str()), (1, ""), "{after:?}");
    assert!(
        after.stderr.starts_with("error: job \"x\" already exists, created by this same command, and has completed\n"),
        "{after:?}"
    );
}
