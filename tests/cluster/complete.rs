//! Completion through the real kubectl, in the shells that people type in.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::Cluster;

/// Two Jobs; of the newer one indexes 1 and 3 have failed.
fn two_jobs(name: &str) -> Cluster {
    let cluster = Cluster::new(name);
    cluster.shell("kubectl indexed run whole -q --items a,b -- true").ok();
    let script = "case $JOB_COMPLETION_INDEX in 1) exit 3;; 3) exit 4; esac";
    let items = "ada,bob,cyd,dan,eve";
    let run = format!("kubectl indexed run broken -q --items {items} -- sh -c '{script}'");
    assert_eq!(cluster.shell(&run).code, 1);
    cluster
}

/// What kubectl offers behind these words, as its own shell scripts get it.
fn offered(cluster: &Cluster, words: &[&str]) -> Vec<String> {
    let outcome = cluster.kubectl(&[&["__complete", "indexed"], words].concat()).ok();
    let lines: Vec<_> = outcome.stdout.lines().map(str::to_owned).collect();
    assert_eq!(lines.last().map(String::as_str), Some(":36"), "{outcome:#?}");
    lines[..lines.len() - 1].iter().map(|line| line.replace('\t', " — ")).collect()
}

#[test]
fn kubectl_offers_jobs_indexes_and_items() {
    let cluster = two_jobs("complete");
    let names = |words: &[&str]| -> Vec<String> {
        offered(&cluster, words).iter().map(|line| line.split(" — ").next().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&["logs", ""]), ["broken", "whole"], "the newest first");
    let described = offered(&cluster, &["describe", "b"]);
    assert!(described[0].starts_with("broken — Failed, 3/5 completed, 2 failed, "), "{described:?}");
    assert_eq!(names(&["wait", "whole", "job/"]), ["job/broken", "job/whole"]);
    assert_eq!(names(&["retry", ""]), ["broken", "whole"]);
    assert_eq!(names(&["resume", ""]), [""; 0]);
    let failed_first = [
        "1,3 — the 2 that failed",
        "1 — bob: exit code 3",
        "3 — dan: exit code 4",
        "failed — 2 indexes",
        "succeeded — 3 indexes",
        "all — 5 indexes",
        "0 — ada",
        "2 — cyd",
        "4 — eve",
    ];
    assert_eq!(offered(&cluster, &["logs", "broken", "--index", ""]), failed_first);
    assert_eq!(offered(&cluster, &["logs", "--index", ""]), failed_first, "of the newest Job where none is named");
    assert_eq!(names(&["logs", "--index=f"]), ["--index=failed"]);
    assert_eq!(names(&["indexes", "--index", "1,"]), ["1,3", "1,0", "1,2", "1,4"]);
    assert_eq!(offered(&cluster, &["logs", "--item", "c"]), ["cyd — index 2"]);
    assert_eq!(offered(&cluster, &["retry", "broken", "--exit-code", ""]), ["3 — 1 failed so", "4 — 1 failed so"]);
    assert_eq!(names(&["logs", "-c", ""]), ["worker"]);
    assert!(names(&["list", "-n", "t-complete"]).contains(&cluster.namespace().to_owned()));
    let elsewhere: [&str; 0] = [];
    assert_eq!(names(&["logs", "-n", "kube-public", ""]), elsewhere, "the flags typed before count");
}

/// A terminal with an interactive bash that has kubectl's own completion.
struct Terminal<'a> {
    cluster: &'a Cluster,
    socket: String,
}

impl<'a> Terminal<'a> {
    fn new(cluster: &'a Cluster) -> Self {
        let terminal = Self { cluster, socket: format!("/tmp/{}", cluster.namespace()) };
        let start = "source /usr/share/bash-completion/bash_completion; source <(kubectl completion bash); PS1='$ '";
        cluster.write("bashrc", start.as_bytes());
        terminal.tmux("-f /dev/null new-session -d -x 120 -y 40 \"bash --rcfile $HOME/bashrc -i\"");
        terminal.shows(&["$"]);
        terminal
    }

    fn tmux(&self, command: &str) -> String {
        self.cluster.shell(&format!("LANG=C.UTF-8 tmux -S {} {command}", self.socket)).ok().stdout
    }

    fn types(&self, text: &str) {
        self.tmux(&format!("send-keys -l -- '{text}'"));
        // Bash lists what fits at the second of two tabs.
        self.tmux("send-keys Tab");
        sleep(Duration::from_secs(1));
        self.tmux("send-keys Tab");
    }

    /// Waits until the screen has all of these, in this order.
    fn shows(&self, texts: &[&str]) {
        let start = Instant::now();
        loop {
            let screen = self.tmux("capture-pane -p");
            let mut rest = screen.as_str();
            let found = texts.iter().all(|text| {
                let at = rest.find(text);
                rest = at.map_or("", |at| &rest[at + text.len()..]);
                at.is_some()
            });
            if found {
                return;
            }
            assert!(start.elapsed() < Duration::from_secs(60), "no {texts:?} in\n{screen}");
            sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        self.cluster.shell(&format!("tmux -S {} kill-server", self.socket));
    }
}

#[test]
fn tab_in_a_real_bash_offers_jobs_and_failed_indexes_first() {
    let cluster = two_jobs("tab");
    let terminal = Terminal::new(&cluster);
    terminal.types("kubectl indexed logs ");
    terminal.shows(&["broken", "whole", "$ kubectl indexed logs"]);
    terminal.types("b");
    terminal.shows(&["$ kubectl indexed logs broken"]);
    terminal.types("--index ");
    // Columns are read downwards.
    terminal.shows(&["\n1,3 ", "(the 2 that failed)", "\n1 ", "(bob: exit code 3)", "\n3 ", "(dan: exit code 4)"]);
}
