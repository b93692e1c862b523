//! `generate`: a data set in the shape of the Netflix Prize, of any size, the same for a seed on any number of threads.
//!
//! How data moves: `model` says who rates what how often, when, and with how many stars; every movie has a random stream of its own, so movies
//! are drawn in parallel. `split` marks the last 5 % by time as the future and a random 10 % of the rest as test. Each part is written as one file.
//! `arriving` draws two months more, as stream files for `process_stream`.

mod arriving;
mod model;
mod split;

use std::io;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use self::arriving::Arriving;
use self::model::{Drawn, World};
use self::split::{Part, split};
use crate::context::{Context, Unit};
use crate::date::format_iso;
use crate::error::{Result, StageError};
use crate::estimate::{Estimate, Extent, Forecast, PROCESS_BYTES, TEXT_BYTES};
use crate::stage::{Runs, Stage, WorkspacePath};
use crate::storage::write_atomically;

/// Makes up ratings.
#[derive(Debug)]
pub struct Generate;

/// Inputs of `generate`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GenerateInputs {
    /// The folder for `train.txt`, `test.txt` and `future.txt`. Files that are there are replaced.
    output: WorkspacePath,
    /// The folder for the stream files `nodrift.csv` and `drift.csv`; `streaming` in `output` by default.
    stream_output: Option<WorkspacePath>,
    /// How many ratings.
    #[serde(default = "default_ratings")]
    #[schemars(range(min = 1, max = 2_000_000_000))]
    ratings: u64,
    /// How many users; one for every 100 ratings by default.
    #[schemars(range(min = 1, max = 100_000_000))]
    users: Option<u32>,
    /// How many movies; by default 1700 for 100,000 ratings, and twice as many for every eight times as many ratings.
    #[schemars(range(min = 1, max = 10_000_000))]
    items: Option<u32>,
    /// The same seed gives the same files.
    #[serde(default = "default_seed")]
    seed: u64,
}

impl GenerateInputs {
    fn users(&self) -> u32 {
        self.users.unwrap_or_else(|| u32::try_from(self.ratings / 100).unwrap_or(u32::MAX).max(10))
    }

    fn items(&self) -> u32 {
        self.items.unwrap_or_else(|| (1700.0 * (self.ratings as f64 / 100_000.0).cbrt()).round().max(10.0) as u32)
    }
}

fn default_ratings() -> u64 {
    100_000
}

fn default_seed() -> u64 {
    42
}

/// What `generate` returns.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct GenerateOutput {
    /// The folder, as it was given.
    path: String,
    /// The training ratings.
    train: String,
    /// The test ratings: a random tenth of those that are not the future.
    test: String,
    /// The future: the last twentieth by time.
    future: String,
    /// Ratings in all.
    ratings: u64,
    /// Ratings in `train`.
    train_rows: u64,
    /// Ratings in `test`.
    test_rows: u64,
    /// Ratings in `future`.
    future_rows: u64,
    /// A stream file of a month in which people rate as they did before.
    nodrift: String,
    /// A stream file of a month in which everybody rates 1.25 stars lower.
    drift: String,
    /// Ratings in each of the two.
    stream_rows: u64,
    /// Users, whether or not one rated.
    users: u32,
    /// Movies, whether or not one was rated.
    items: u32,
}

impl Stage for Generate {
    const NAME: &'static str = "generate";
    const SUMMARY: &'static str = "Makes up a seeded data set in Netflix layout, for a first look and for benchmarks";
    const RUNS: Runs = Runs::Child;
    type Inputs = GenerateInputs;
    type Output = GenerateOutput;

    fn estimate(inputs: &GenerateInputs, forecast: &mut Forecast) -> Option<Estimate> {
        let extent = Extent { rows: inputs.ratings, users: inputs.users().into(), items: inputs.items().into() };
        let path = |part| format!("{}/{part}.txt", inputs.output.as_str().trim_end_matches('/'));
        let shares = [("train", 0.855), ("test", 0.095), ("future", 0.05)];
        for (part, share) in shares {
            forecast.will_write_text(&path(part), extent.share(share));
        }
        Some(Estimate {
            rows: extent.rows,
            read_bytes: 0,
            written_bytes: extent.rows * TEXT_BYTES,
            memory_bytes: PROCESS_BYTES + extent.rows * 29,
            cpu_seconds: extent.rows as f64 * 5e-7,
            output: json!({ "path": inputs.output, "train": path("train"), "test": path("test"), "future": path("future") }),
            remedy: "generate fewer `ratings`",
        })
    }

    fn run(inputs: GenerateInputs, context: &Context) -> Result<GenerateOutput> {
        let folder = context.resolve(&inputs.output);
        if folder.exists() && !folder.is_dir() {
            return Err(StageError::input(format!("`output` is a file: `{}`", inputs.output)).with_hint("give a folder"));
        }
        let (users, items) = (inputs.users(), inputs.items());
        let world = World::new(inputs.ratings, users, items, inputs.seed)?;
        let movies = world.draw(context)?;
        let parts = split(&movies, inputs.seed);
        let file = |part| -> Result<(String, u64)> {
            let name = format!("{}/{part}.txt", inputs.output.as_str().trim_end_matches('/'));
            let rows = write(&folder.join(format!("{part}.txt")), part, &movies, &parts, context)?;
            Ok((name, rows))
        };
        let streaming = inputs
            .stream_output
            .clone()
            .unwrap_or_else(|| WorkspacePath::from(format!("{}/streaming", inputs.output.as_str().trim_end_matches('/')).as_str()));
        // Each file appears whole. A death between two leaves files of two seeds, until the attempt that follows: it writes the same bytes again.
        let ((train, train_rows), (test, test_rows), (future, future_rows)) = (file(Part::Train)?, file(Part::Test)?, file(Part::Future)?);
        let arriving = Arriving::draw(&world, inputs.ratings, &movies);
        let [nodrift, drift] = arriving.write(&streaming, context)?;
        Ok(GenerateOutput {
            path: inputs.output.to_string(),
            train,
            test,
            future,
            ratings: inputs.ratings,
            train_rows,
            test_rows,
            future_rows,
            nodrift,
            drift,
            stream_rows: arriving.rows(),
            users,
            items,
        })
    }
}

/// Writes the ratings of one part, by movie. Returns how many.
fn write(path: &Path, part: Part, movies: &[Vec<Drawn>], parts: &[Vec<Part>], context: &Context) -> Result<u64> {
    let mut rows = 0;
    let mut cancelled = Ok(());
    write_atomically(context.storage.as_ref(), path, |file| {
        for (index, (drawn, parts)) in movies.iter().zip(parts).enumerate() {
            cancelled = context.check_cancelled();
            if cancelled.is_err() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let mut chosen = drawn.iter().zip(parts).filter(|(_, of)| **of == part).map(|(drawn, _)| drawn).peekable();
            if chosen.peek().is_some() {
                writeln!(file, "{}:", index + 1)?;
            }
            for drawn in chosen {
                writeln!(file, "{},{},{}", drawn.user_id(), drawn.stars, format_iso(drawn.date))?;
                rows += 1;
            }
        }
        Ok(())
    })
    .or_else(|error| cancelled.and(Err(error)))?;
    context.progress(&format!("write {part}"), rows, Some(rows), Unit::Rows);
    Ok(rows)
}

#[cfg(test)]
mod tests;
