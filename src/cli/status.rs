//! `recflow status`: what ran. Works while a run goes on, and never writes.

use std::io::{self, Write};

use recflow_stages::clock::{Clock, SystemClock};
use recflow_state::{Error, Reader, RunFilter, Store, UnixMs};

use super::exit::{Exit, Failure};
use super::{Terminal, facts, view};
use crate::workspace::Workspace;

/// Arguments of `recflow status`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  recflow status
  recflow status latest
  recflow status k3f9 --json | jq .tasks")]
pub(super) struct Args {
    /// A run: its id, a unique beginning of it, or `latest`. Without it the newest runs are listed.
    run: Option<String>,
    /// How many runs to list.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20, conflicts_with = "run", value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Only runs of this pipeline.
    #[arg(long, value_name = "NAME", conflicts_with = "run")]
    pipeline: Option<String>,
    /// Print JSON: a list of runs, or one run with its tasks.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args, workspace: &Workspace, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    match &args.run {
        Some(selector) => one(selector, args.json, workspace, terminal, out)?,
        None => list(&args, workspace, terminal, out)?,
    }
    Ok(Exit::Success)
}

fn one(selector: &str, json: bool, workspace: &Workspace, terminal: &Terminal, out: &mut dyn Write) -> Result<(), Failure> {
    let store = open_store(workspace)?;
    let now = now();
    let report = store.read(|view| {
        let id = view.find_run(selector)?.id;
        facts::full(workspace, view, &id, now)
    })?;
    if json {
        return print_json(&report, out);
    }
    view::summary(&report, terminal.out_color, out)?;
    view::details(&report, now, out)?;
    Ok(())
}

fn list(args: &Args, workspace: &Workspace, terminal: &Terminal, out: &mut dyn Write) -> Result<(), Failure> {
    let filter = RunFilter { pipeline: args.pipeline.clone(), status: None };
    let (runs, any) = match open_store(workspace) {
        Ok(store) => store.read(|view| Ok((view.runs(args.limit, &filter)?, !view.runs(1, &RunFilter::default())?.is_empty())))?,
        // A workspace in which nothing has run yet is no error.
        Err(Error::NoStore { .. }) => (Vec::new(), false),
        Err(error) => return Err(error.into()),
    };
    let reports: Vec<_> = runs.iter().map(|run| facts::brief(workspace, run, now())).collect();
    if args.json {
        return print_json(&reports, out);
    }
    if let (true, true, Some(pipeline)) = (reports.is_empty(), any, &args.pipeline) {
        writeln!(out, "no run is of a pipeline `{pipeline}`; `recflow status` lists what ran")?;
        return Ok(());
    }
    if reports.is_empty() {
        writeln!(out, "nothing has run in `{}` yet; try `recflow run quickstart`", workspace.root().display())?;
        return Ok(());
    }
    view::runs(&reports, now(), terminal.out_color, out)?;
    Ok(())
}

fn print_json(value: &impl serde::Serialize, out: &mut dyn Write) -> Result<(), Failure> {
    serde_json::to_writer_pretty(&mut *out, value).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

/// The store, for looking.
pub(super) fn open_store(workspace: &Workspace) -> recflow_state::Result<Reader> {
    Store::open_read_only(workspace.store())
}

/// The present, for ages and durations.
pub(super) fn now() -> UnixMs {
    UnixMs(SystemClock.now().as_millisecond())
}
