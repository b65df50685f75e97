//! What can be seen of the program without a cluster: whole outcomes of the real binary, and what the repository says
//! of itself.

#![expect(clippy::too_many_lines, reason = "a snapshot holds a whole outcome, however long that is")]

mod architecture;
mod completions;
mod dry_run;
mod errors;
mod examples;
mod handover;
mod help;
mod readme;
mod results;
mod support;
mod waiting;

/// A file that no `mod` names is compiled by nobody, and its tests pass for ever.
#[test]
fn every_file_is_a_module() {
    for root in ["tests/integration", "tests/cluster"] {
        let main = support::file(&format!("{root}/main.rs"));
        for name in support::files(root, "rs") {
            let module = name.strip_prefix(&format!("{root}/")).unwrap().trim_end_matches(".rs");
            let listed = main.lines().any(|line| line == format!("mod {module};"));
            assert!(listed || module == "main", "{root}/main.rs does not name {module}");
        }
    }
}
