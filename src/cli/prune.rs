//! `recflow prune`: deletes old runs, their files, and logs beyond a size.

use std::io::{self, Write};
use std::time::Duration;

use recflow_stages::byte_size::ByteSize;
use recflow_state::Error;
use serde_json::json;

use super::exit::{Exit, Failure};
use super::status::{now, open_store, print_json};
use super::{load, peer};
use crate::pipeline::{Retention, duration};
use crate::upkeep::retention::{self, Kind, Plan, Swept};
use crate::workspace::Workspace;

/// Arguments of `recflow prune`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  recflow prune --dry-run
  recflow prune --older-than 30d --runs 100
  recflow prune --max-size 500MB

Without options it does what `retention:` in recflow.yaml says; a daemon does the same every hour. Never deleted: a run that is not
over, models, datasets (`recflow models prune`, `recflow data prune`).")]
pub(super) struct Args {
    /// Only tell what would be deleted.
    #[arg(long)]
    dry_run: bool,
    /// Keep so many runs of each pipeline [default: 1000].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    runs: Option<u32>,
    /// Delete runs that ended longer ago [default: 90d].
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    older_than: Option<Duration>,
    /// Delete the logs of runs that ended longer ago [default: 30d].
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    logs: Option<Duration>,
    /// Delete the oldest logs until all together take no more [default: 5GB].
    #[arg(long, value_name = "SIZE")]
    max_size: Option<ByteSize>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args, workspace: &Workspace, color: bool, out: &mut dyn Write) -> Result<Exit, Failure> {
    let set = load::settings(workspace, &mut io::stderr(), color)?.retention;
    let policy = Retention {
        older_than: args.older_than.unwrap_or(set.older_than),
        runs: args.runs.unwrap_or(set.runs),
        logs: args.logs.unwrap_or(set.logs),
        max_size: args.max_size.map_or(set.max_size, |size| size.0),
    };
    // A workspace without a store has nothing to delete, and gets none by asking.
    let plan = match open_store(workspace) {
        Ok(store) => store.read(|view| retention::plan(view, workspace, &policy, now()))?,
        Err(Error::NoStore { .. }) => return nothing(&args, out),
        Err(Error::OlderSchema { .. }) => Plan::default(),
        Err(error) => return Err(error.into()),
    };
    if args.dry_run {
        told(&plan, args.json, out)?;
        return Ok(Exit::Success);
    }
    let swept = retention::sweep(&peer::open_for_writing(workspace)?, workspace, &policy, now())?;
    done(&swept, args.json, out)?;
    Ok(if swept.problems.is_empty() { Exit::Success } else { Exit::Failed })
}

fn nothing(args: &Args, out: &mut dyn Write) -> Result<Exit, Failure> {
    if args.dry_run {
        told(&Plan::default(), args.json, out)?
    } else {
        done(&Swept::default(), args.json, out)?
    }
    Ok(Exit::Success)
}

fn told(plan: &Plan, as_json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let bytes: u64 = plan.files.iter().map(|file| file.bytes).sum();
    if as_json {
        let files: Vec<String> = plan.files.iter().map(|file| file.path.display().to_string()).collect();
        return print_json(&json!({ "runs": plan.runs, "files": files, "bytes": bytes }), out);
    }
    for run in &plan.runs {
        writeln!(out, "run   {run}")?;
    }
    for file in &plan.files {
        let kind = match file.kind {
            Kind::Logs => "logs",
            Kind::Report | Kind::Rejects => "file",
        };
        writeln!(out, "{kind}  {}  {}", file.path.display(), ByteSize(file.bytes))?;
    }
    writeln!(out, "would delete {} runs and {} files of {}", plan.runs.len(), plan.files.len(), ByteSize(bytes))?;
    Ok(())
}

fn done(swept: &Swept, as_json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    if as_json {
        return print_json(swept, out);
    }
    for problem in &swept.problems {
        writeln!(io::stderr(), "warning: {problem}")?;
    }
    writeln!(out, "deleted {} runs and {} files of {}", swept.runs, swept.files, ByteSize(swept.bytes))?;
    Ok(())
}
