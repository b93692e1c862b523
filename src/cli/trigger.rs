//! `recflow trigger`: asks the daemon for a run. Through the store, so it works while the daemon is down, too.

use std::io::{self, Write};
use std::path::PathBuf;

use recflow_state::RunStatus;
use serde_json::json;

use super::Terminal;
use super::exit::{Exit, Failure};
use super::load::{self, ParamArgs};
use super::peer::{new_run_id, open_for_writing, user, wake_daemon};
use super::status::now;
use crate::scheduler::by_hand::{Ask, trigger};
use crate::workspace::Workspace;

/// Arguments of `recflow trigger`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The daemon of the workspace executes the run, at once or as soon as there is one. `recflow run` executes one itself.

Examples:
  recflow trigger drift-retrain
  recflow trigger etl-train-test -p rank=32 --wait"
)]
pub(super) struct Args {
    /// A pipeline's name in `pipelines/`, a file, or the name of one that ships with recflow.
    #[arg(value_name = "PIPELINE")]
    pipeline: PathBuf,
    #[command(flatten)]
    params: ParamArgs,
    /// Wait for its end; the exit code tells how it went.
    #[arg(long)]
    wait: bool,
    /// Print the run as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args, workspace: &Workspace, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let mut loaded = load::find(&args.pipeline, workspace)?;
    load::settings(workspace, &mut io::stderr(), terminal.err_color)?.limits.apply(&mut loaded);
    let Some(source) = load::accept(loaded, &mut io::stderr(), terminal.err_color)? else { return Ok(Exit::Usage) };
    let Some(params) = args.params.resolve(&source.pipeline, &mut io::stderr(), terminal.err_color)? else { return Ok(Exit::Usage) };
    let store = open_for_writing(workspace)?;
    let (id, at) = (new_run_id(), now());
    let ask = Ask {
        id: id.clone(),
        pipeline: &source.pipeline,
        text: &source.text,
        file: &source.file,
        params: &params,
        logical_date: at,
        by: user(),
    };
    store.write(|tx| trigger(tx, workspace, ask, at))?;
    let daemon = wake_daemon(workspace, &store)?;
    if daemon.is_none() {
        writeln!(io::stderr(), "no daemon is at work here; the run waits for one: `recflow daemon{}`", workspace.flags())?;
    }
    let status = if args.wait { wait(&store, &id)? } else { RunStatus::Queued };
    match args.json {
        true => writeln!(out, "{}", json!({ "run": id, "pipeline": source.pipeline.name, "status": status.as_str() }))?,
        false if args.wait => writeln!(out, "run {id} {status}")?,
        false => writeln!(out, "{id}")?,
    }
    Ok(match status {
        RunStatus::Failed | RunStatus::Cancelled => Exit::Failed,
        _ => Exit::Success,
    })
}

fn wait(store: &recflow_state::Store, id: &recflow_state::RunId) -> Result<RunStatus, Failure> {
    loop {
        let status = store.read(|view| view.run(id))?.status;
        if status.is_terminal() {
            return Ok(status);
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}
