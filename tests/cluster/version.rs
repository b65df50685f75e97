//! `version`, with and without a server.

use crate::support::Cluster;

#[test]
fn the_versions_and_features_of_the_server_are_printed() {
    let cluster = Cluster::new("version");
    let theirs = cluster.kubectl(&["version"]).ok().stdout;
    let theirs = theirs.lines().find(|line| line.starts_with("Server Version: ")).unwrap().to_owned();
    let ours = cluster.run(&["version"]).ok().stdout;
    assert!(ours.starts_with(concat!("Client Version: v", env!("CARGO_PKG_VERSION"), "\n")), "{ours}");
    assert!(ours.lines().any(|line| line == theirs), "{ours}");
    assert!(ours.contains("Kueue is not installed"), "{ours}");
    assert_eq!(cluster.is_newest(), !ours.contains("Not supported by this server:"), "{ours}");
    let json: serde_json::Value = serde_json::from_str(&cluster.run(&["version", "-o", "json"]).ok().stdout).unwrap();
    assert_eq!(json["serverFeatures"]["fileKeyRef"], cluster.is_newest());
    assert_eq!(json["serverFeatures"]["kueue"], false);
}

#[test]
fn without_a_server_the_client_version_is_followed_by_an_error() {
    let cluster = Cluster::new("version");
    let outcome = cluster.run(&["version", "-s", "http://127.0.0.1:1"]);
    assert_eq!(outcome.code, 1);
    assert_eq!(outcome.stdout, concat!("Client Version: v", env!("CARGO_PKG_VERSION"), "\n"));
    assert!(outcome.stderr.starts_with("error: can't get the server's version"), "{outcome:?}");
    let client = cluster.run(&["version", "--client", "-s", "http://127.0.0.1:1"]).ok();
    assert_eq!(client.stdout, outcome.stdout);
}
