//! `recflow replay`: a new run from a task on, with the outputs that an older run has above it.

use std::io::Write;

use super::Terminal;
use super::exit::{Exit, Failure};
use super::run::{Execution, driver, finish};
use super::status::open_store;
use crate::workspace::Workspace;

/// Arguments of `recflow replay`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "`resume` goes on with the same run and keeps what had succeeded; `replay` makes a new run, in which the task and all below it run again.

Examples:
  recflow replay latest --from train
  recflow replay k3f9 --from test --json"
)]
pub(super) struct Args {
    /// The run to repeat: its id, a unique beginning of it, or `latest`.
    run: String,
    /// The task to begin with.
    #[arg(long, value_name = "TASK")]
    from: String,
    #[command(flatten)]
    execution: Execution,
}

pub(super) fn run(args: Args, workspace: &Workspace, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let found = open_store(workspace)?.read(|view| view.find_run(&args.run))?;
    let (mut driver, interrupts) = driver(&args.execution, workspace)?;
    let id = driver.replay(&found.id, &args.from)?;
    finish(driver, &id, &interrupts, &args.execution, workspace, terminal, out)
}
