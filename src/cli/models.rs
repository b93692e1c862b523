//! `recflow models`: which versions there are, which one serves and why, and changing that.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Subcommand;
use recflow_stages::clock::{Clock, SystemClock};
use recflow_stages::model::{catalog, promotion, prune};
use recflow_stages::{Context, PublishKey, storage};
use recflow_state::Error;
use serde_json::json;

use super::ask;
use super::exit::{Exit, Failure};
use super::status::{now, open_store};
use super::view;
use crate::upkeep::models::{named_by_runs, names};
use crate::workspace::Workspace;

/// Versions that `prune` keeps unless told otherwise.
const KEEP: u32 = 5;

/// Arguments of `recflow models`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  recflow models
  recflow models show current
  recflow models promote version_20250301_031500 --reason \"won the A/B test\"
  recflow models rollback
  recflow models prune --keep 3 --dry-run")]
pub(super) struct Args {
    /// Folder of model versions, relative to the workspace.
    #[arg(long, global = true, value_name = "DIR", default_value = "models/artifacts")]
    models: PathBuf,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the versions: parameters, data, figures, which one is current. The default.
    List,
    /// Describe a version: what it was trained on, what was measured, what was decided about it.
    Show(Show),
    /// Tell which version was promoted when, and why; and which challengers lost.
    History,
    /// Make a version the current one.
    Promote(Promote),
    /// Make the version current again that was so before the current one.
    Rollback(Rollback),
    /// Remove old versions; never the current one.
    Prune(Prune),
}

#[derive(Debug, clap::Args)]
struct Show {
    /// The version: `current`, `latest` or a name.
    #[arg(value_name = "VERSION", default_value = "current")]
    name: String,
}

#[derive(Debug, clap::Args)]
struct Promote {
    /// The version: `latest` or a name.
    #[arg(value_name = "VERSION")]
    name: String,
    /// Why; recorded with the promotion.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(Debug, clap::Args)]
struct Rollback {
    /// Why; recorded with the rollback.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Prune {
    /// How many of the newest versions to keep. The current one, the one before it and those that runs use are kept besides.
    #[arg(long, value_name = "N", default_value_t = KEEP)]
    keep: u32,
    /// Tell what would be removed, and remove nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: Args, workspace: &Workspace, out: &mut dyn Write) -> Result<Exit, Failure> {
    let context = context(workspace);
    let models = workspace.root().join(&args.models);
    let json = args.json;
    match args.verb.unwrap_or(Verb::List) {
        Verb::List => {
            let listed = catalog::list(&models, &context).map_err(Failure::stage)?;
            if json { print_json(&listed, out)? } else { view::models(&listed, now(), out)? }
        }
        Verb::Show(args) => {
            let details = catalog::show(&models, &args.name, &context).map_err(Failure::stage)?;
            if json { print_json(&details, out)? } else { view::model(&details, out)? }
        }
        Verb::History => {
            let history = promotion::History::read(&models, &context).map_err(Failure::stage)?;
            if json { print_json(&history.decisions, out)? } else { view::decisions(&history.decisions, out)? }
        }
        Verb::Promote(args) => {
            let done = promotion::by_hand(&models, &args.name, &args.reason, &context).map_err(Failure::stage)?;
            match (done, json) {
                (done, true) => print_json(&json!({ "changed": done.is_some(), "promotion": done }), out)?,
                (Some(done), false) => view::promoted(&done, out)?,
                (None, false) => writeln!(out, "{} is the current version already", args.name)?,
            }
        }
        Verb::Rollback(args) => {
            let done = promotion::rollback(&models, args.reason.as_deref(), &context).map_err(Failure::stage)?;
            if json { print_json(&done, out)? } else { view::promoted(&done, out)? }
        }
        Verb::Prune(args) => {
            let used = used_by_runs(workspace)?;
            let is_used = |version: &str| used.iter().any(|text| names(text, version));
            let pruned = prune(&models, args.keep as usize, is_used, args.dry_run, &context).map_err(Failure::stage)?;
            if json { print_json(&pruned, out)? } else { view::pruned_models(&pruned, out)? }
        }
    }
    Ok(Exit::Success)
}

/// A context for one call of a verb, with a publish key of this call alone.
fn context(workspace: &Workspace) -> Context {
    let call = format!("cli-{}-{}", SystemClock.now(), std::process::id());
    Context { storage: storage::from_environment(), publish_key: PublishKey::new(&call, "models", 0), ..ask::context(workspace) }
}

/// All texts in which a run that is not over may name a version; none without a store.
fn used_by_runs(workspace: &Workspace) -> Result<Vec<String>, Failure> {
    let store = match open_store(workspace) {
        Ok(store) => store,
        Err(Error::NoStore { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    Ok(store.read(named_by_runs)?)
}

fn print_json(value: &impl serde::Serialize, out: &mut dyn Write) -> Result<(), Failure> {
    serde_json::to_writer_pretty(&mut *out, value).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(())
}
