//! `recflow recommend`: the best items for one user, somebody new, or beside an item.

use std::io::{self, Write};

use recflow_stages::WorkspacePath;
use recflow_stages::names::Id;
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
    /// A user of the model, by the id that the ratings came with: a number or a name.
    #[arg(long, value_name = "ID", group = "subject", allow_hyphen_values = true)]
    user: Option<String>,
    /// An item, to find those like it.
    #[arg(long, value_name = "ID", group = "subject", allow_hyphen_values = true)]
    item: Option<String>,
    /// Ratings of somebody whom the model does not know; what they rated is left out. May be given several times.
    #[arg(long, value_name = "ITEM=RATING,…", group = "subject", value_parser = ratings)]
    fold_in: Vec<Ratings>,
    /// Length of the list.
    #[arg(short, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    k: u32,
    /// Leave out what the user has rated in this dataset; without a value, in the one that the model was trained on.
    #[arg(long, value_name = "DATASET", num_args = 0..=1, requires = "user")]
    exclude_seen: Option<Option<String>>,
    #[command(flatten)]
    model: ModelArgs,
}

/// Items and stars.
type Ratings = Vec<(Id, f32)>;

/// `ITEM=RATING,ITEM=RATING`. A name may hold commas and equals signs: a rating is what a number behind an equals sign ends.
fn ratings(text: &str) -> Result<Ratings, String> {
    let (mut ratings, mut item) = (Vec::new(), String::new());
    for piece in text.split(',') {
        item.push_str(piece);
        let rated = item.rsplit_once('=').and_then(|(item, stars)| Some((item.trim().to_owned(), stars.trim().parse().ok()?)));
        match rated {
            Some((name, stars)) if !name.is_empty() => {
                ratings.push((Id::Name(name), stars));
                item.clear();
            }
            _ => item.push(','),
        }
    }
    match item.strip_suffix(',') {
        None => Ok(ratings),
        Some(rest) => Err(format!("`{rest}` is not ITEM=RATING, such as 30=4.5")),
    }
}

pub(super) fn run(args: Args, workspace: &Workspace, out: &mut dyn Write) -> Result<Exit, Failure> {
    let subject = match (args.user, args.item) {
        (Some(user), _) => Subject::User(Id::typed(&user)),
        (None, Some(item)) => Subject::Item(Id::typed(&item)),
        (None, None) => Subject::NewUser(args.fold_in.concat()),
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
        let items: Vec<String> = answer.unknown_items.iter().map(Id::to_string).collect();
        writeln!(out, "the model does not know {}: these ratings say nothing", items.join(", "))?;
    }
    if answer.items.is_empty() {
        return writeln!(out, "there is nothing left to recommend");
    }
    let width = answer.items.iter().map(|place| place.item.as_text().chars().count()).fold(11, usize::max);
    writeln!(out, "{:>6}  {:>width$}  {score:>8}", "rank", "item")?;
    for place in &answer.items {
        writeln!(out, "{:>6}  {:>width$}  {:>8.4}", place.rank, place.item, place.score)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratings_are_read_whatever_stands_in_a_name() {
        let list = |pairs: &[(&str, f32)]| pairs.iter().map(|&(item, stars)| (Id::from(item), stars)).collect::<Ratings>();
        assert_eq!(ratings("30=5,191=2.5"), Ok(list(&[("30", 5.0), ("191", 2.5)])));
        assert_eq!(ratings("Lock, Stock=4, Heat=5"), Ok(list(&[("Lock, Stock", 4.0), ("Heat", 5.0)])));
        assert_eq!(ratings("a=b=3"), Ok(list(&[("a=b", 3.0)])));
        for wrong in ["1:5", "", "=3", "a=3,", "a=3,b"] {
            assert!(ratings(wrong).is_err(), "{wrong}");
        }
    }
}
