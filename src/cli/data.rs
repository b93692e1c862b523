//! `recflow data`: what a dataset contains, where it came from, and going back.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Subcommand;
use recflow_stages::clock::{Clock, SystemClock};
use recflow_stages::dataset::{self, Dataset, SNAPSHOTS_KEPT};
use recflow_stages::{Context, Level, PublishKey, Report, Reporter, StageError, storage};

use super::exit::{Exit, Failure};
use super::view;
use crate::workspace::Workspace;

/// Arguments of `recflow data`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  recflow data list
  recflow data show data/processed/parquet/train
  recflow data history data/processed/parquet/train
  recflow data rollback data/processed/parquet/train")]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Describe a dataset: rows by month, ratings, files, who wrote it.
    Show(Show),
    /// List the snapshots of a dataset that are kept.
    History(History),
    /// List the datasets below a folder.
    List(List),
    /// Make an older snapshot's content current again.
    Rollback(Rollback),
    /// Remove old snapshots that nobody reads.
    Prune(Prune),
}

#[derive(Debug, clap::Args)]
struct Show {
    /// The dataset, relative to the workspace.
    path: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Print only the folder of the current snapshot, for an engine that reads for long.
    #[arg(id = "only_path", long = "path", conflicts_with = "json")]
    only_path: bool,
}

#[derive(Debug, clap::Args)]
struct History {
    /// The dataset, relative to the workspace.
    path: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct List {
    /// The folder, relative to the workspace [default: the workspace].
    dir: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Rollback {
    /// The dataset, relative to the workspace.
    path: PathBuf,
    /// The snapshot to go back to [default: the one before the current content].
    snapshot: Option<u64>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Prune {
    /// The dataset, relative to the workspace.
    path: PathBuf,
    /// How many snapshots to keep, the current one included.
    #[arg(long, value_name = "N", default_value_t = SNAPSHOTS_KEPT as u32, value_parser = clap::value_parser!(u32).range(1..))]
    keep: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args, workspace: &Workspace, out: &mut dyn Write) -> Result<Exit, Failure> {
    let context = context(workspace);
    let at = |path: &Path| workspace.root().join(path);
    match args.verb {
        Verb::Show(args) => {
            let dataset = Dataset::open(&at(&args.path), &context).map_err(failure)?;
            if args.only_path {
                writeln!(out, "{}", dataset.dir().display())?;
                return Ok(Exit::Success);
            }
            let overview = dataset::overview(&dataset, &context).map_err(failure)?;
            if args.json { print_json(&overview, out)? } else { view::dataset(&args.path, &overview, out)? }
        }
        Verb::History(args) => {
            let snapshots = dataset::snapshots(&at(&args.path), &context).map_err(failure)?;
            if args.json { print_json(&snapshots, out)? } else { view::history(&snapshots, out)? }
        }
        Verb::List(args) => {
            let found = dataset::find(&at(args.dir.as_deref().unwrap_or(Path::new(""))), &context).map_err(failure)?;
            if args.json { print_json(&found, out)? } else { view::datasets(&found, out)? }
        }
        Verb::Rollback(args) => {
            let done = dataset::rollback(&at(&args.path), args.snapshot, &context).map_err(failure)?;
            if args.json { print_json(&done, out)? } else { view::rolled_back(&done, out)? }
        }
        Verb::Prune(args) => {
            let pruned = dataset::prune_snapshots(&at(&args.path), args.keep as usize, &context).map_err(failure)?;
            if args.json { print_json(&pruned, out)? } else { view::pruned(&pruned, out)? }
        }
    }
    Ok(Exit::Success)
}

/// A context for one call of a verb. Its publish key is of this call alone: the instant and the process.
fn context(workspace: &Workspace) -> Context {
    let call = format!("cli-{}-{}", SystemClock.now(), std::process::id());
    Context {
        home: workspace.home().to_owned(),
        storage: storage::from_environment(),
        reporter: Arc::new(Warnings),
        ..Context::plain(workspace.root(), PublishKey::new(&call, "data", 0))
    }
}

/// Tells warnings to standard error; progress is not shown.
struct Warnings;

impl Reporter for Warnings {
    fn report(&self, report: Report) {
        if let Report::Log { level: Level::Warn | Level::Error | Level::Info, message } = report {
            // If nobody reads standard error there is nobody to tell.
            let _ = writeln!(io::stderr(), "{message}");
        }
    }
}

fn failure(error: StageError) -> Failure {
    let hint = error.hint.clone();
    let failure = Failure::failed(error.to_string());
    match hint {
        Some(hint) => failure.with_hint(hint),
        None => failure,
    }
}

fn print_json(value: &impl serde::Serialize, out: &mut dyn Write) -> Result<(), Failure> {
    serde_json::to_writer_pretty(&mut *out, value).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(())
}
