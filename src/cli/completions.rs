//! `recflow completions`: a completion script for a shell.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;

const EXAMPLES: &str = "Examples:
  recflow completions bash > ~/.local/share/bash-completion/completions/recflow
  recflow completions zsh > \"${fpath[1]}/_recflow\"
  recflow completions fish > ~/.config/fish/completions/recflow.fish";

/// Print a completion script for a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The shell.
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Prints the script on `out`.
pub(super) fn run(args: Args, out: &mut dyn Write, _: &mut dyn Write, _: bool) -> anyhow::Result<u8> {
    // The generator panics if it cannot write, so it writes to memory.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "recflow", &mut script);
    out.write_all(&script)?;
    Ok(0)
}
