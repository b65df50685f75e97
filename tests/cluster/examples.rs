//! The examples that are not the documentation's own; `documentation.rs` runs those, and `tests/run` the quickstart.

use crate::support::Cluster;

#[test]
fn items_in_a_config_map() {
    let cluster = Cluster::new("example-items");
    let outcome = cluster.shell("examples/configmap-items.sh").ok();
    assert_eq!(outcome.sorted_lines(), ["[0] oof", "[1] rab", "[2] zab", "[3] xuq", "[4] zyx"]);
}

#[test]
fn a_command_and_items_over_a_template() {
    let cluster = Cluster::new("example-template");
    // From another folder than the checkout's: the script finds its template by itself.
    let outcome = cluster.shell("script=$PWD/examples/template.sh; cd /; $script").ok();
    assert_eq!(outcome.sorted_lines(), ["[0] hello ada", "[1] hello grace"]);
}
