//! `recflow backup`: a consistent copy of the store, while runs go on.

use std::io::Write;
use std::path::PathBuf;

use serde_json::json;

use super::exit::{Exit, Failure};
use super::status::{open_store, print_json};
use crate::upkeep::backup::backup;
use crate::workspace::Workspace;

/// Arguments of `recflow backup`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  recflow backup /backups/recflow-$(date +%F).db
  recflow backup /backups/recflow.db --force

The copy holds every run, decision and output of one instant. It does not hold pipelines, datasets, models and logs, which are files
that any backup program copies. docs/operations.md says how to restore it.")]
pub(super) struct Args {
    /// The file to write.
    file: PathBuf,
    /// Replace the file if it exists.
    #[arg(long)]
    force: bool,
    /// Print JSON: the file, its bytes, its schema.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args, workspace: &Workspace, out: &mut dyn Write) -> Result<Exit, Failure> {
    let store = open_store(workspace)?;
    if args.file.exists() && !args.force {
        let failure = Failure::usage(format!("`{}` exists", args.file.display()));
        return Err(failure.with_hint("name another file, or give --force to replace it"));
    }
    let folder = args.file.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        let failure = Failure::usage(format!("cannot write `{}`: there is no folder `{}`", args.file.display(), folder.display()));
        return Err(failure.with_hint(format!("create it (`mkdir -p {}`), or name a file elsewhere", folder.display())));
    }
    let health = backup(&store, &args.file, args.force)?;
    if args.json {
        print_json(&json!({ "file": args.file, "bytes": health.bytes, "schema": health.schema }), out)?;
    } else {
        writeln!(out, "{}: {} bytes, checked", args.file.display(), health.bytes)?;
    }
    Ok(Exit::Success)
}
