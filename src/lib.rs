//! kubectl-indexed.
#![allow(dead_code)]
mod cluster;
mod error;
mod index_set;
mod view;

/// Runs the program.
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
