use clap::Args;

const HELP_EXAMPLES: &str = "\
Examples:
  # Sources and formats of items
  kubectl indexed help items

  # The flags of a verb
  kubectl indexed help retry";

#[derive(Args, Clone, Debug)]
#[command(after_long_help = HELP_EXAMPLES)]
pub(crate) struct HelpArgs {
    /// Chapter or verb [default: the program, with a list of the chapters]
    pub(crate) topic: Option<String>,
}
