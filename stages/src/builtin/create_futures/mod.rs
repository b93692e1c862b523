//! `create_futures`: ratings from Netflix text to a CSV stream in order of time, what a later simulation replays.

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Context, Unit};
use crate::date::format_iso;
use crate::error::{Result, StageError};
use crate::netflix::{self, Files, MaxBadRows, RatingRange, Source};
use crate::stage::{Runs, Stage, WorkspacePath};
use crate::storage::write_atomically;

/// Rows between two looks at whether the stage should stop.
const BLOCK_ROWS: usize = 1 << 16;

/// Writes the future ratings as a CSV stream.
#[derive(Debug)]
pub struct CreateFutures;

/// Inputs of `create_futures`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateFuturesInputs {
    /// The ratings, as Netflix text: a file or a list of files, plain, gzip or Zstandard.
    input: Files,
    /// The CSV file to write, with the header `DATE,CUST_ID,MOVIE_ID,RATING`. A file that is there is replaced.
    output: WorkspacePath,
    /// The stars that count as a rating: `0.5-5` by default.
    #[serde(default)]
    rating_range: RatingRange,
    /// How many malformed lines are too many: a count, or a share such as 0.01. By default any number is dropped, unless no row is good.
    #[serde(default)]
    max_bad_rows: Option<MaxBadRows>,
}

/// What `create_futures` returns.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CreateFuturesOutput {
    /// The CSV file, as it was given.
    path: String,
    /// Ratings in it.
    rows: u64,
    /// Malformed lines of the input.
    rejected: u64,
}

impl Stage for CreateFutures {
    const NAME: &'static str = "create_futures";
    const SUMMARY: &'static str = "Turns the ratings of the future into a CSV stream, ordered by time";
    const RUNS: Runs = Runs::Child;
    const PARALLEL: bool = false;
    type Inputs = CreateFuturesInputs;
    type Output = CreateFuturesOutput;

    fn run(inputs: CreateFuturesInputs, context: &Context) -> Result<CreateFuturesOutput> {
        let (files, output) = (inputs.input.resolve(context), context.resolve(&inputs.output));
        if files.contains(&output) {
            return Err(StageError::input(format!("`output` is the `input` itself, `{}`", inputs.output))
                .with_hint("give the CSV file a path of its own"));
        }
        if output.is_dir() {
            return Err(StageError::input(format!("`output` is a folder: `{}`", inputs.output))
                .with_hint("give the path of a file, such as data/processed/future.csv"));
        }
        let source = Source { files: &files, label: "input", rating_range: inputs.rating_range, max_bad_rows: inputs.max_bad_rows };
        let (parsed, rejected) = netflix::read(source, context)?;
        let ratings = parsed.into_ratings();
        let mut order: Vec<u32> = (0..u32::try_from(ratings.len()).map_err(|_| too_many(ratings.len()))?).collect();
        // Rows that agree in all three are ordered by rating, so that the file depends on the rows alone.
        order.par_sort_unstable_by_key(|&row| {
            let row = row as usize;
            (ratings.date[row], ratings.user[row], ratings.movie[row], ratings.rating[row].to_bits())
        });
        let mut cancelled = Ok(());
        write_atomically(context.storage.as_ref(), &output, |file| {
            file.write_all(b"DATE,CUST_ID,MOVIE_ID,RATING\n")?;
            let (mut day, mut date) = (i32::MIN, String::new());
            for (index, block) in order.chunks(BLOCK_ROWS).enumerate() {
                cancelled = context.check_cancelled();
                if cancelled.is_err() {
                    return Err(std::io::ErrorKind::Interrupted.into());
                }
                for &row in block {
                    let row = row as usize;
                    if day != ratings.date[row] {
                        day = ratings.date[row];
                        date = format_iso(day);
                    }
                    // `4` for whole stars, `3.5` for halves: how Rust prints a float.
                    writeln!(file, "{date},{},{},{}", ratings.user[row], ratings.movie[row], ratings.rating[row])?;
                }
                context.progress("write", (index * BLOCK_ROWS + block.len()) as u64, Some(order.len() as u64), Unit::Rows);
            }
            Ok(())
        })
        .or_else(|error| cancelled.and(Err(error)))?;
        Ok(CreateFuturesOutput { path: inputs.output.to_string(), rows: order.len() as u64, rejected: rejected.total() })
    }
}

fn too_many(rows: usize) -> StageError {
    StageError::input(format!("{rows} ratings are more than `create_futures` can sort (4294967295)")).with_hint("split the input")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use serde_json::{Value, json};

    use super::*;
    use crate::context::PublishKey;
    use crate::error::ErrorKind;
    use crate::stage::AnyStage;

    fn run(workspace: &Path, inputs: Value) -> Result<Value> {
        let context = Context::plain(workspace, PublishKey::new("run", "create_futures", 0));
        AnyStage::of::<CreateFutures>().run(inputs.as_object().unwrap().clone(), &context)
    }

    #[test]
    fn rows_are_ordered_by_date_then_user_then_movie() {
        let workspace = tempfile::tempdir().unwrap();
        fs::write(workspace.path().join("future.txt"), "9:\n7,4,2005-12-31\n3,3.5,2005-12-30\n2:\n7,1,2005-12-31\n10,5,2005-12-31\nbad\n")
            .unwrap();
        let output = run(workspace.path(), json!({ "input": "future.txt", "output": "processed/future.csv" })).unwrap();
        assert_eq!(output, json!({ "path": "processed/future.csv", "rows": 4, "rejected": 1 }));
        assert_eq!(
            fs::read_to_string(workspace.path().join("processed/future.csv")).unwrap(),
            "DATE,CUST_ID,MOVIE_ID,RATING\n2005-12-30,3,9,3.5\n2005-12-31,7,2,1\n2005-12-31,7,9,4\n2005-12-31,10,2,5\n"
        );
    }

    #[test]
    fn an_empty_input_gives_the_header_alone() {
        let workspace = tempfile::tempdir().unwrap();
        fs::write(workspace.path().join("future.txt"), "").unwrap();
        let output = run(workspace.path(), json!({ "input": "future.txt", "output": "future.csv" })).unwrap();
        assert_eq!(output["rows"], 0);
        assert_eq!(fs::read_to_string(workspace.path().join("future.csv")).unwrap(), "DATE,CUST_ID,MOVIE_ID,RATING\n");
    }

    #[test]
    fn a_missing_input_and_an_output_that_would_destroy_something_are_refused() {
        let workspace = tempfile::tempdir().unwrap();
        let missing = run(workspace.path(), json!({ "input": "no.txt", "output": "future.csv" })).unwrap_err();
        assert_eq!((missing.kind, missing.message.as_str()), (ErrorKind::Input, "there is no file `no.txt`"));
        fs::write(workspace.path().join("future.txt"), "").unwrap();
        assert!(run(workspace.path(), json!({ "input": "future.txt", "output": "future.txt" })).is_err());
        assert!(run(workspace.path(), json!({ "input": "future.txt", "output": "." })).unwrap_err().message.contains("is a folder"));
        assert!(!workspace.path().join("future.csv").exists());
    }
}
