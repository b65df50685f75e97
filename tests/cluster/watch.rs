//! `watch`, on a terminal that `script` provides.

use crate::support::Cluster;

/// Switches to the alternate screen.
const TAKEN: &str = "\u{1b}[?1049h";
/// Returns to the normal screen.
const GIVEN_BACK: &str = "\u{1b}[?1049l";

#[test]
fn the_screen_ends_with_the_job_and_the_summary_stays() {
    let cluster = Cluster::new("watch");
    let script = "sleep 3; test $JOB_COMPLETION_INDEX != 1 || { echo no such file >&2; exit 4; }";
    cluster.run(&["run", "seen", "--items", "foo,bar,baz", "--detach", "-q", "--", "sh", "-c", script]).ok();
    let outcome = cluster.shell("script -qefc 'stty cols 100 rows 30; kubectl-indexed watch seen' /dev/null");
    assert_eq!(outcome.code, 1, "{outcome:?}");
    let (screen, after) = outcome.stdout.split_once(GIVEN_BACK).unwrap();
    assert!(screen.contains(TAKEN), "{outcome:?}");
    assert!(screen.contains("job seen in namespace") && screen.contains("ACTIVE"), "{outcome:?}");
    assert!(outcome.stdout.contains("\u{1b}[?25h"), "the cursor is shown again: {outcome:?}");
    assert!(after.contains("job seen failed (FailedIndexes): 2 of 3 indexes completed, 1 failed in "), "{outcome:?}");
    assert!(after.contains("index 1 (item \"bar\") failed: exit code 4, pod seen-1-"), "{outcome:?}");
    assert!(after.contains("  | no such file"), "{outcome:?}");
    // A Job that has ended needs no screen.
    let again = cluster.shell("script -qefc 'kubectl-indexed watch seen' /dev/null");
    assert!(again.code == 1 && !again.stdout.contains(TAKEN), "{again:?}");
}

#[test]
fn a_key_leaves_the_job_alone() {
    let cluster = Cluster::new("watch-key");
    cluster.run(&["run", "long", "--completions", "2", "--detach", "-q", "--", "sleep", "30"]).ok();
    for (key, code) in [("q", 0), ("\\003", 130)] {
        let watch = "script -qefc 'kubectl-indexed watch long' /dev/null";
        let outcome = cluster.shell(&format!("(sleep 2; printf '{key}'; sleep 1) | {watch}"));
        assert_eq!(outcome.code, code, "{outcome:?}");
        let (_, after) = outcome.stdout.split_once(GIVEN_BACK).unwrap();
        assert!(after.contains("job long goes on"), "{outcome:?}");
    }
    assert_eq!(cluster.field("job/long", "{.status.active}"), "2");
}

#[test]
fn a_signal_gives_the_terminal_back() {
    let cluster = Cluster::new("watch-signal");
    cluster.run(&["run", "long", "--completions", "2", "--detach", "-q", "--", "sleep", "30"]).ok();
    let outcome =
        cluster.shell("script -qefc 'timeout --foreground -s TERM 2 kubectl-indexed watch long; stty -a' /dev/null");
    assert!(outcome.stdout.contains(GIVEN_BACK), "{outcome:?}");
    assert!(outcome.stdout.contains(" echo ") && outcome.stdout.contains(" icanon "), "{outcome:?}");
}
