//! `recflow resume`: goes on with a run that failed, was cancelled or was interrupted.

use std::io::Write;

use recflow_state::RunStatus;

use super::Terminal;
use super::exit::{Exit, Failure};
use super::run::{Execution, driver, finish, print_result};
use super::status::open_store;
use crate::workspace::Workspace;

/// Arguments of `recflow resume`.
#[derive(Debug, clap::Args)]
#[command(after_help = "What had succeeded is kept; failed tasks, and what lies below them, run again.

Examples:
  recflow resume latest
  recflow resume k3f9 --json")]
pub(super) struct Args {
    /// The run: its id, a unique beginning of it, or `latest`.
    pub(super) run: String,
    #[command(flatten)]
    pub(super) execution: Execution,
}

pub(super) fn run(args: Args, workspace: &Workspace, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    // Asked first, so that a wrong name does not create a store.
    let found = open_store(workspace)?.read(|view| view.find_run(&args.run))?;
    let (mut driver, interrupts) = driver(&args.execution, workspace)?;
    if found.status == RunStatus::Succeeded {
        print_result(&driver, &found.id, &args.execution, workspace, terminal, out)?;
        return Ok(Exit::Success);
    }
    driver.resume(&found.id)?;
    finish(driver, &found.id, &interrupts, &args.execution, workspace, terminal, out)
}
