use clap::Args;

use super::DataFormat;

const VERSION_EXAMPLES: &str = "\
Examples:
  # This program, the server, and what it can do
  kubectl indexed version

  # Only this program, without asking a server
  kubectl indexed version --client

  # For a script
  kubectl indexed version -o json";

#[derive(Args, Clone, Debug)]
#[command(after_help = VERSION_EXAMPLES)]
pub(crate) struct VersionArgs {
    /// Only the version of this program: no server is asked
    #[arg(long, help_heading = "Output")]
    pub(crate) client: bool,
    /// Form of the versions
    #[arg(short, long, value_enum, value_name = "FORM", help_heading = "Output")]
    pub(crate) output: Option<DataFormat>,
}
