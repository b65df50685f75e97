use clap::{Args, ValueEnum};

/// Forms of values that are no object of Kubernetes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DataFormat {
    Yaml,
    Json,
}

const CONFIG_EXAMPLES: &str = "\
Precedence:
  A flag is stronger than a --template, that than a variable of the environment, that than
  the file, and that than what the program does by itself. Labels, annotations and node
  selectors of all of them are put together, the stronger one for each key; any other list
  is that of the strongest. The file is the one that $KUBECTL_INDEXED_CONFIG names, else
  kubectl-indexed/config.yaml in $XDG_CONFIG_HOME, in ~/.config, or on Windows in %APPDATA%.
  The variable of --init-image is KUBECTL_INDEXED_INIT_IMAGE, and so on; lists in variables
  are separated by commas.

Examples:
  # What is set, and where
  kubectl indexed config

  # A file to start from
  kubectl indexed config --example > config.yaml

  # Another file, and a variable that is stronger, for one command
  KUBECTL_INDEXED_CONFIG=config.yaml KUBECTL_INDEXED_PREFIX=none kubectl indexed config -o yaml";

#[derive(Args, Clone, Debug)]
#[command(after_help = CONFIG_EXAMPLES)]
pub(crate) struct ConfigArgs {
    /// Form of the settings
    #[arg(short, long, value_enum, value_name = "FORM", help_heading = "Output")]
    pub(crate) output: Option<DataFormat>,
    /// Print a file to start from: every setting, explained, none of them set
    #[arg(long, conflicts_with = "output", help_heading = "Output")]
    pub(crate) example: bool,
}
