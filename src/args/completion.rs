use clap::{Args, ValueEnum};

const COMPLETION_EXAMPLES: &str = "\
Examples:
  # In this shell
  source <(kubectl indexed completion bash)

  # In every new bash
  mkdir -p ~/.local/share/bash-completion/completions
  kubectl indexed completion bash > ~/.local/share/bash-completion/completions/kubectl-indexed";

#[derive(Args, Clone, Debug)]
#[command(after_long_help = COMPLETION_EXAMPLES)]
pub(crate) struct CompletionArgs {
    /// Print the script of this shell; kubectl prints the executable that kubectl runs to complete plugins
    pub(crate) shell: Shell,
}

/// Programs with a completion script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
    // Not a shell: the executable that kubectl runs.
    Kubectl,
}
