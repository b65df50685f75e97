//! The examples that are not the documentation's own; `documentation.rs` runs those, and `tests/run` the quickstart.

use crate::support::Cluster;

#[test]
fn items_in_a_config_map() {
    let cluster = Cluster::new("example-items");
    let outcome = cluster.shell("examples/configmap-items.sh").ok();
    assert_eq!(outcome.sorted_lines(), ["[0 foo] oof", "[1 bar] rab", "[2 baz] zab", "[3 qux] xuq", "[4 xyz] zyx"]);
}

#[test]
fn a_command_and_items_over_a_template() {
    let cluster = Cluster::new("example-template");
    // From another folder than the checkout's: the script finds its template by itself.
    let outcome = cluster.shell("script=$PWD/examples/template.sh; cd /; $script").ok();
    assert_eq!(outcome.sorted_lines(), ["[0 ada] hello ada", "[1 grace] hello grace"]);
}
