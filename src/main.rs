//! The `kubectl-indexed` executable.

use std::process::ExitCode;

fn main() -> ExitCode {
    kubectl_indexed::main()
}
