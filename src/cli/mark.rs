//! `recflow mark`: declares a task of a run ended, and the run goes on from there.

use std::io::Write;

use super::Terminal;
use super::exit::{Exit, Failure};
use super::peer::{open_for_writing, wish};
use super::run::{Execution, driver, finish};
use super::status::open_store;
use crate::engine::{Mark, MarkTask, Standing, Wish, standing};
use crate::workspace::Workspace;

/// Arguments of `recflow mark`.
#[derive(Debug, clap::Args)]
#[command(after_help = "A task that is marked as succeeded has no output. Of a run that is over, what lies below the task runs again.

Examples:
  recflow mark latest publish succeeded --reason 'uploaded by hand'
  recflow mark k3f9 check failed")]
pub(super) struct Args {
    /// The run: its id, a unique beginning of it, or `latest`.
    run: String,
    /// The task.
    task: String,
    /// How it counts.
    #[arg(value_name = "STATE", value_enum)]
    state: State,
    /// Why, for people who read about it later.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    execution: Execution,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum State {
    Succeeded,
    Failed,
    Skipped,
}

pub(super) fn run(args: Args, workspace: &Workspace, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let found = open_store(workspace)?.read(|view| view.find_run(&args.run))?;
    let mark = MarkTask {
        task: args.task.clone(),
        r#as: match args.state {
            State::Succeeded => Mark::Succeeded,
            State::Failed => Mark::Failed,
            State::Skipped => Mark::Skipped,
        },
        taken: None,
        output: None,
        reason: args.reason.unwrap_or_else(|| "marked by hand".to_owned()),
    };
    if let Standing::Live { .. } = standing(workspace, &found) {
        wish(workspace, &open_for_writing(workspace)?, &found, &Wish::Mark(mark))?;
        writeln!(out, "task `{}` of run {} is marked", args.task, found.id)?;
        return Ok(Exit::Success);
    }
    let (mut driver, interrupts) = driver(&args.execution, workspace)?;
    driver.mark(&found.id, &mark)?;
    finish(driver, &found.id, &interrupts, &args.execution, workspace, terminal, out)
}
