//! Tests that need no cluster: whole outcomes of the real binary, and statements of the repository about itself.

#![expect(clippy::too_many_lines, reason = "a snapshot holds a whole outcome")]

mod architecture;
mod completions;
mod config;
mod dry_run;
mod errors;
mod examples;
mod handover;
mod help;
mod lists;
mod man;
mod mistakes;
mod pictures;
mod readme;
mod results;
mod support;
#[path = "../terminal.rs"]
mod terminal;
mod waiting;

/// A file that no `mod` names is never compiled, so its tests never fail.
#[test]
fn every_file_is_a_module() {
    for root in ["tests/integration", "tests/cluster", "tests/faults"] {
        for name in support::files(root, "rs") {
            let module = name.strip_prefix(&format!("{root}/")).unwrap().trim_end_matches(".rs");
            let module = module.trim_end_matches("/mod");
            let (folder, module) = module.rsplit_once('/').unwrap_or(("main", module));
            let parents = [format!("{root}/{folder}.rs"), format!("{root}/{folder}/mod.rs")];
            let parent = parents.into_iter().find(|path| support::root().join(path).exists()).unwrap();
            let listed = support::file(&parent).lines().any(|line| line == format!("mod {module};"));
            assert!(listed || module == "main", "{parent} does not name {module}");
        }
    }
}
