//! `recflow predict`: the rating that a model predicts for one user and one item.

use std::io::{self, Write};

use recflow_stages::names::Id;
use recflow_stages::recommend::ask;

use super::ask::{ModelArgs, context};
use super::exit::{Exit, Failure};
use crate::workspace::Workspace;

/// Arguments of `recflow predict`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  recflow predict --user 1488844 --item 30
  recflow predict --user 1488844 --item 30 --model latest --json")]
pub(super) struct Args {
    /// The user, by the id that the ratings came with: a number or a name.
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    user: String,
    /// The item.
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    item: String,
    #[command(flatten)]
    model: ModelArgs,
}

pub(super) fn run(args: Args, workspace: &Workspace, out: &mut dyn Write) -> Result<Exit, Failure> {
    let found =
        ask::predict(&args.model.choice(), &Id::typed(&args.user), &Id::typed(&args.item), &context(workspace)).map_err(Failure::stage)?;
    if args.model.json {
        serde_json::to_writer_pretty(&mut *out, &found).map_err(io::Error::from)?;
        writeln!(out)?;
    } else if found.cold {
        writeln!(out, "{:.4} (the mean rating: the model does not know this user or this item)", found.prediction)?;
    } else {
        writeln!(out, "{:.4}", found.prediction)?;
    }
    Ok(Exit::Success)
}
