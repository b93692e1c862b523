//! `recflow cancel`: stops a run, whoever executes it.

use std::io::Write;

use super::Terminal;
use super::exit::{Exit, Failure};
use super::peer::{open_for_writing, wish};
use super::run::{Execution, driver, finish};
use super::status::{now, open_store};
use crate::engine::{Standing, Wish, standing};
use crate::workspace::Workspace;

/// Arguments of `recflow cancel`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Nothing new starts, and what runs is asked to end; --force kills it at once. A cancelled run can be resumed.

Examples:
  recflow cancel latest
  recflow cancel k3f9 --force --reason 'wrong data'")]
pub(super) struct Args {
    /// The run: its id, a unique beginning of it, or `latest`.
    pub(super) run: String,
    /// Kill what runs at once.
    #[arg(long)]
    pub(super) force: bool,
    /// Why, for people who read about it later.
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
    #[command(flatten)]
    pub(super) execution: Execution,
}

pub(super) fn run(args: Args, workspace: &Workspace, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let found = open_store(workspace)?.read(|view| view.find_run(&args.run))?;
    let reason = format!("cancelled by hand{}", args.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default());
    match standing(workspace, &found) {
        Standing::Over => {
            let failure = Failure::failed(format!("run {} has {} already", found.id, ended(found.status)));
            Err(failure)
        }
        Standing::Live { .. } => {
            let store = open_for_writing(workspace)?;
            wish(workspace, &store, &found, &Wish::Cancel { force: args.force, reason })?;
            writeln!(out, "run {} is being cancelled", found.id)?;
            Ok(Exit::Success)
        }
        Standing::Unclaimed | Standing::Interrupted => {
            if open_for_writing(workspace)?.write(|tx| tx.cancel_unclaimed(&found.id, now(), &reason))? {
                writeln!(out, "run {} is cancelled; it had not begun", found.id)?;
                return Ok(Exit::Success);
            }
            // Nobody executes it: its attempts are lost, and it ends here.
            let (mut driver, interrupts) = driver(&args.execution, workspace)?;
            driver.resume(&found.id)?;
            driver.cancel(&found.id, true, &reason);
            finish(driver, &found.id, &interrupts, &args.execution, workspace, terminal, out)?;
            Ok(Exit::Success)
        }
    }
}

fn ended(status: recflow_state::RunStatus) -> &'static str {
    match status {
        recflow_state::RunStatus::Failed => "failed",
        recflow_state::RunStatus::Cancelled => "been cancelled",
        _ => "succeeded",
    }
}
