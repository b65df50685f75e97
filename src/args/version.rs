use clap::Args;

use super::DataFormat;

const VERSION_EXAMPLES: &str = "\
Examples:
  # Versions of the plugin and the server, and the server's features
  kubectl indexed version

  # Only the plugin, without a request to the server
  kubectl indexed version --client

  # For a script
  kubectl indexed version -o json";

#[derive(Args, Clone, Debug)]
#[command(after_long_help = VERSION_EXAMPLES)]
pub(crate) struct VersionArgs {
    /// Print only the version of the plugin, without a request to the server
    #[arg(long, help_heading = "Output")]
    pub(crate) client: bool,
    /// Print the versions in this format
    #[arg(short, long, value_enum, value_name = "FORMAT", help_heading = "Output")]
    pub(crate) output: Option<DataFormat>,
}
