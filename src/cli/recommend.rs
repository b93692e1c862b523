//! `recflow recommend`: the best items for one user, somebody new, or beside an item.

use std::io::{self, Write};

use recflow_stages::WorkspacePath;
use recflow_stages::recommend::ask::{self, Answer, SeenIn, Subject};

use super::ask::{ModelArgs, context};
use super::exit::{Exit, Failure};
use crate::workspace::Workspace;

/// Arguments of `recflow recommend`.
#[derive(Debug, clap::Args)]
#[command(
    group = clap::ArgGroup::new("subject").required(true),
    after_help = "Examples:
  recflow recommend --user 1488844 --exclude-seen
  recflow recommend --item 30 -k 5
  recflow recommend --fold-in 30=5,191=2,483=4 --model latest --json

For many users at once there is the stage `recommend`."
)]
pub(super) struct Args {
    /// A user of the model.
    #[arg(long, value_name = "ID", group = "subject", allow_negative_numbers = true)]
    user: Option<i32>,
    /// An item, to find those like it.
    #[arg(long, value_name = "ID", group = "subject", allow_negative_numbers = true)]
    item: Option<i32>,
    /// Ratings of somebody whom the model does not know; what they rated is left out.
    #[arg(long, value_name = "ITEM=RATING,…", group = "subject", value_delimiter = ',', value_parser = rating)]
    fold_in: Vec<(i32, f32)>,
    /// Length of the list.
    #[arg(short, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    k: u32,
    /// Leave out what the user has rated in this dataset; without a value, in the one that the model was trained on.
    #[arg(long, value_name = "DATASET", num_args = 0..=1, requires = "user")]
    exclude_seen: Option<Option<String>>,
    #[command(flatten)]
    model: ModelArgs,
}

fn rating(text: &str) -> Result<(i32, f32), String> {
    let parsed = text.split_once('=').and_then(|(item, stars)| Some((item.trim().parse().ok()?, stars.trim().parse().ok()?)));
    parsed.ok_or_else(|| format!("`{text}` is not ITEM=RATING, such as 30=4.5"))
}

pub(super) fn run(args: Args, workspace: &Workspace, out: &mut dyn Write) -> Result<Exit, Failure> {
    let subject = match (args.user, args.item) {
        (Some(user), _) => Subject::User(user),
        (None, Some(item)) => Subject::Item(item),
        (None, None) => Subject::NewUser(args.fold_in),
    };
    let seen = args.exclude_seen.map(|dataset| match dataset {
        Some(path) => SeenIn::Dataset(WorkspacePath::from(path.as_str())),
        None => SeenIn::Training,
    });
    let answer =
        ask::recommend(&args.model.choice(), subject, args.k as usize, seen.as_ref(), &context(workspace)).map_err(Failure::stage)?;
    if args.model.json {
        serde_json::to_writer_pretty(&mut *out, &answer).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        print(&answer, out)?;
    }
    Ok(Exit::Success)
}

fn print(answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    let (what, score) = match &answer.subject {
        Subject::User(user) => (format!("for user {user}"), "score"),
        Subject::Item(item) => (format!("like item {item}"), "cosine"),
        Subject::NewUser(ratings) => (format!("for somebody with {} ratings", ratings.len() - answer.unknown_items.len()), "score"),
    };
    writeln!(out, "items {what}, by {}", answer.model)?;
    if !answer.unknown_items.is_empty() {
        let items: Vec<String> = answer.unknown_items.iter().map(i32::to_string).collect();
        writeln!(out, "the model does not know {}: these ratings say nothing", items.join(", "))?;
    }
    if answer.items.is_empty() {
        return writeln!(out, "there is nothing left to recommend");
    }
    writeln!(out, "{:>6}  {:>11}  {score:>8}", "rank", "item")?;
    for place in &answer.items {
        writeln!(out, "{:>6}  {:>11}  {:>8.4}", place.rank, place.item, place.score)?;
    }
    Ok(())
}
