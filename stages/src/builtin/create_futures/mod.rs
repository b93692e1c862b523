//! `create_futures`: ratings from Netflix text to a CSV stream in order of time, what a later simulation replays.
//!
//! Rows go block by block from the parser into the [`sort`], and in order from there into the file, so memory does not grow with them.

mod sort;

#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use self::sort::{Limits, Sorted, Sorter};
use crate::byte_size::ByteSize;
use crate::context::{Context, Unit};
use crate::date::format_iso;
use crate::error::{Result, StageError};
use crate::estimate::{Estimate, Forecast, PROCESS_BYTES, TEXT_BYTES};
use crate::failpoint;
use crate::netflix::{self, Files, MaxBadRows, RatingRange, Source};
use crate::stage::{Runs, Stage, WorkspacePath};
use crate::storage::AtomicFile;

/// Rows between two reports of progress.
const BLOCK_ROWS: u64 = 1 << 16;

/// The least memory that sorting makes sense with.
const MEMORY_MIN: ByteSize = ByteSize::mebibytes(1);

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
    /// Memory for sorting: a number of bytes, or text such as 256MiB, which is the default; at least 1MiB. More rows than fit (16 bytes
    /// each) are sorted in parts on disk, in a hidden folder beside the output. Reading takes some 50MiB beside.
    #[serde(default = "memory_limit")]
    memory_limit: ByteSize,
}

fn memory_limit() -> ByteSize {
    ByteSize::mebibytes(256)
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

    fn estimate(inputs: &CreateFuturesInputs, forecast: &mut Forecast) -> Option<Estimate> {
        let rows = forecast.text(&inputs.input)?.rows;
        Some(Estimate {
            rows,
            read_bytes: rows * TEXT_BYTES,
            written_bytes: rows * (TEXT_BYTES + 5) + if rows * 16 > inputs.memory_limit.0 { rows * 16 } else { 0 },
            memory_bytes: PROCESS_BYTES + (48 << 20) + (rows * 16).min(inputs.memory_limit.0),
            cpu_seconds: rows as f64 * 1.8e-7,
            output: json!({ "path": inputs.output, "rows": rows }),
            remedy: "give a smaller `memory_limit`",
        })
    }

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
        if inputs.memory_limit < MEMORY_MIN {
            return Err(StageError::input(format!("`memory_limit` must be at least {MEMORY_MIN}, found {}", inputs.memory_limit)));
        }
        let source = Source { files: &files, label: "input", rating_range: inputs.rating_range, max_bad_rows: inputs.max_bad_rows };
        let mut sorter = Sorter::new(Limits::of(inputs.memory_limit.0), &output, context);
        let (rows, rejected) = netflix::read_in_blocks(source, context, |block| sorter.add(&block))?;
        context.progress("sort", 0, Some(rows), Unit::Rows);
        write_csv(&output, sorter.finish()?, rows, context)?;
        Ok(CreateFuturesOutput { path: inputs.output.to_string(), rows, rejected: rejected.total() })
    }
}

/// Writes the rows, `total` of them, and makes the file visible at once.
fn write_csv(output: &Path, sorted: Sorted<'_>, total: u64, context: &Context) -> Result<()> {
    let failed = |error: io::Error| StageError::io("write", output, &error);
    let mut file = AtomicFile::create(&*context.storage, output).map_err(failed)?;
    file.write_all(b"DATE,CUST_ID,MOVIE_ID,RATING\n").map_err(failed)?;
    let (mut day, mut date, mut written) = (i32::MIN, String::new(), 0_u64);
    sorted.each(|row| {
        if day != row.date {
            day = row.date;
            date = format_iso(day);
        }
        written += 1;
        if written.is_multiple_of(BLOCK_ROWS) {
            context.progress("write", written, Some(total), Unit::Rows);
        }
        // `4` for whole stars, `3.5` for halves: how Rust prints a float.
        writeln!(file, "{date},{},{},{}", row.user, row.movie, row.rating).map_err(failed)
    })?;
    failpoint::hit("futures.before_publish");
    file.publish().map_err(failed)
}
