//! Map a command over a list of items on a Kubernetes cluster, one index each.
//!
//! # The map
//!
//! Data flows one way: `args → spec → manifest → cluster → state → tracker → view`. Only `commands` joins the layers.
//!
//! | layer | is | may import from us |
//! | --- | --- | --- |
//! | `index_set` | sets of completion indexes and the selectors that users type | – |
//! | `contract` | names written into a cluster and read back | – |
//! | `error` | kinds, hints, exit codes | – |
//! | `args` | clap types only, one file for each verb | `index_set` |
//! | `spec` | validated intent; no I/O, no clock, no environment | `args`, `contract`, `index_set`, `error` |
//! | `manifest` | intent → objects, and back; no client, nothing asynchronous | `spec`, `contract`, `index_set`, `error` |
//! | `state` | events → what is known of each index; time arrives in the events | `contract`, `index_set` |
//! | `cluster` | the only user of kube; never prints | `manifest`, `state`, `contract`, `index_set`, `error` |
//! | `tracker` | the one loop that watches, the loading of a family, the selection of indexes; never prints | `cluster`, `state`, `contract`, `index_set`, `error` |
//! | `view` | value, style and now → text; no I/O, no clock | `state`, `contract`, `index_set` |
//! | `ui` | the streams and the terminal: the only one that prints | `view`, `error` |
//! | `commands` | one file a verb: load, check, act, report, hint | all |
//!
//! A test reads the imports of every file against this table.

mod args;
mod cluster;
mod commands;
mod contract;
mod error;
mod index_set;
mod manifest;
mod spec;
mod state;
mod tracker;
mod ui;
mod view;

use std::process::ExitCode;

/// Runs the program: parses the command line, runs the verb, and returns the exit code.
pub fn main() -> ExitCode {
    commands::main()
}
