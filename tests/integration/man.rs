//! The man pages, rendered as `man` renders them.

use crate::readme::verbs;
use crate::support::Sandbox;

#[test]
fn every_verb_has_a_page_that_renders() {
    let sandbox = Sandbox::new();
    let written = sandbox.run(&["man", "pages"]);
    assert_eq!((written.code, written.stdout.as_str(), written.stderr.as_str()), (0, "", ""), "{written}");
    let pages = sandbox.shell("ls pages").stdout;
    let mut expected: Vec<_> = verbs().iter().map(|verb| format!("kubectl-indexed-{verb}.1")).collect();
    expected.push("kubectl-indexed.1".to_owned());
    expected.sort();
    let mut found: Vec<_> = pages.lines().map(str::to_owned).collect();
    found.sort();
    assert_eq!(found, expected);
    let run = sandbox.shell("cat pages/kubectl-indexed-run.1").stdout;
    assert!(run.contains(".TH KUBECTL-INDEXED-RUN 1") && run.contains(r"\fBkubectl indexed run\fR"), "{run}");
    assert!(run.contains("--items foo,bar,baz") || run.contains(r"\-\-items foo,bar,baz"), "the examples: {run}");
    for page in &found {
        let rendered = sandbox.shell(&format!("groff -K utf8 -man -Tutf8 -P-cbou -ww pages/{page}"));
        assert_eq!((rendered.code, rendered.stderr.as_str()), (0, ""), "{page}");
        assert!(rendered.stdout.contains("SYNOPSIS"), "{page}: {rendered}");
    }
}
