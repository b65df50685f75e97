use clap::{Args, ValueEnum};

/// Formats of values that are not Kubernetes objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DataFormat {
    Yaml,
    Json,
}

const CONFIG_EXAMPLES: &str = "\
Precedence:
  Flag, --template, environment variable, configuration file, default of the program. Labels,
  annotations and node selectors are merged by key. Any other list comes from one source.

  The file is $KUBECTL_INDEXED_CONFIG, else kubectl-indexed/config.yaml in $XDG_CONFIG_HOME,
  in ~/.config, or on Windows in %APPDATA%. Its keys are the names of the flags.

  The variable of --init-image is KUBECTL_INDEXED_INIT_IMAGE; all others follow this form.
  Lists in variables are separated by commas.

Examples:
  # The value of each setting, and its source
  kubectl indexed config

  # A configuration file to start from
  kubectl indexed config --example > config.yaml

  # Another file and a variable, for one command
  KUBECTL_INDEXED_CONFIG=config.yaml KUBECTL_INDEXED_PREFIX=none kubectl indexed config -o yaml";

#[derive(Args, Clone, Debug)]
#[command(after_long_help = CONFIG_EXAMPLES)]
pub(crate) struct ConfigArgs {
    /// Print the settings in this format
    #[arg(short, long, value_enum, value_name = "FORMAT", help_heading = "Output")]
    pub(crate) output: Option<DataFormat>,
    /// Print a configuration file with every setting commented out
    #[arg(long, conflicts_with = "output", help_heading = "Output")]
    pub(crate) example: bool,
}
