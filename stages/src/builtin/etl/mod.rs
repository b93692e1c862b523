//! `etl`: ratings from Netflix text into hive-partitioned datasets.

use std::num::NonZeroU32;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::flow::{DatasetFigures, Flow, check_paths, common_type, layout, recorded};
use crate::byte_size::ByteSize;
use crate::context::Context;
use crate::dataset::{Begin, Change, Compression, Mode, NewRows, RatingTypeChoice, Transaction, WriteOptions, Written, published};
use crate::error::{Result, StageError};
use crate::estimate::{Estimate, Forecast, PROCESS_BYTES, TEXT_BYTES, dataset_bytes};
use crate::netflix::{self, Files, MaxBadRows, RatingRange, Rejected, Source};
use crate::stage::{Runs, Stage, WorkspacePath};

/// Reads rating files into datasets.
#[derive(Debug)]
pub struct Etl;

/// Inputs of `etl`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EtlInputs {
    /// The training ratings, as Netflix text: a file or a list of files, plain, gzip or Zstandard.
    train_file: Files,
    /// The dataset to write them to.
    train_output: WorkspacePath,
    /// The test ratings, likewise. Goes with `test_output`.
    test_file: Option<Files>,
    /// The dataset to write them to. Training and test data become visible at the same instant.
    test_output: Option<WorkspacePath>,
    /// What happens to rows that are there: `upsert` unites old and new and keeps the highest rating of a movie, user and date; `overwrite`
    /// replaces; `append` adds.
    #[serde(default)]
    mode: Mode,
    /// Type of the RATING column: `int` (whole stars), `float` (half stars), or `auto`: that of the dataset that is there, else what the ratings need.
    #[serde(default)]
    rating_type: RatingTypeChoice,
    /// The stars that count as a rating: `0.5-5` by default.
    #[serde(default)]
    rating_range: RatingRange,
    /// How many malformed lines of a file are too many: a count, or a share such as 0.01. By default any number is dropped (and reported, as
    /// every one is), unless no row is good.
    #[serde(default)]
    max_bad_rows: Option<MaxBadRows>,
    /// How files are compressed.
    #[serde(default)]
    compression: Compression,
    /// Split a month into files of about this many bytes; one file a month by default.
    #[serde(default)]
    #[schemars(range(min = 1))]
    target_file_size: Option<u64>,
    /// Split a month that is written into so many files of equally many rows, as Spark does after `repartition`. Not together with
    /// `target_file_size`.
    #[serde(default)]
    target_repartition: Option<NonZeroU32>,
    /// Rows in a row group of a file; 1048576 by default.
    #[serde(default)]
    row_group_rows: Option<NonZeroU32>,
    /// Finer points of the Parquet files.
    #[serde(default)]
    write_options: WriteOptions,
    /// Memory for the whole work: a number of bytes, or text such as 1GiB; at least 128MiB. Ratings (8 bytes each, 16 where ids are
    /// large) beyond half of it are sorted in parts on disk, in a hidden folder beside the output; the result is the same, byte for byte. By
    /// default all stay in memory. The ratings of a month must fit, as many months at once as there are threads.
    #[serde(default)]
    memory_limit: Option<ByteSize>,
}

/// The least memory that the work can do with.
const MEMORY_MIN: ByteSize = ByteSize::mebibytes(128);

/// What `etl` returns.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct EtlOutput {
    /// The training dataset.
    train: DatasetOutput,
    /// The test dataset, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    test: Option<DatasetOutput>,
}

/// A dataset that `etl` wrote.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
struct DatasetOutput {
    #[serde(flatten)]
    figures: DatasetFigures,
    /// Whether the dataset changed. If not, there is no new snapshot.
    #[serde(default = "was_published")]
    changed: bool,
}

impl Stage for Etl {
    const NAME: &'static str = "etl";
    const SUMMARY: &'static str = "Reads rating files into partitioned Parquet datasets";
    const RUNS: Runs = Runs::Child;
    type Inputs = EtlInputs;
    type Output = EtlOutput;

    fn estimate(inputs: &EtlInputs, forecast: &mut Forecast) -> Option<Estimate> {
        let mut sets = vec![(&inputs.train_output, forecast.text(&inputs.train_file)?)];
        if let (Some(file), Some(output)) = (&inputs.test_file, &inputs.test_output) {
            sets.push((output, forecast.text(file)?));
        }
        let read: u64 = sets.iter().map(|(_, extent)| extent.rows).sum();
        for (output, extent) in &mut sets {
            // Where some are there already, mostly the same come again.
            if let Some(there) = forecast.dataset(output).filter(|_| inputs.mode != Mode::Overwrite) {
                extent.rows = extent.rows.max(there.rows);
            }
            forecast.will_write_dataset(output.as_str(), *extent);
        }
        let rows: u64 = sets.iter().map(|(_, extent)| extent.rows).sum();
        // Text at hand and files being written, beside the ratings.
        let beside = PROCESS_BYTES + (64 << 20);
        let held = inputs.memory_limit.map_or(read * 8, |limit| (limit.0 / 2).min(read * 8));
        let set = |index: usize| sets.get(index).map(|(output, extent)| json!({ "path": output, "rows": extent.rows }));
        Some(Estimate {
            rows,
            read_bytes: read * TEXT_BYTES,
            written_bytes: dataset_bytes(rows) + if held < read * 8 { read * 8 } else { 0 },
            memory_bytes: beside + held,
            cpu_seconds: read as f64 * 9e-8 + (rows - read.min(rows)) as f64 * 3e-8,
            output: json!({ "train": set(0), "test": set(1) }),
            remedy: "give `etl` a `memory_limit`, such as 1GiB: it then sorts on disk",
        })
    }

    fn run(inputs: EtlInputs, context: &Context) -> Result<EtlOutput> {
        let EtlInputs { compression, target_file_size, target_repartition, row_group_rows, .. } = inputs;
        let layout = layout(compression, target_file_size, target_repartition, row_group_rows, &inputs.write_options)?;
        let flows = flows(&inputs, context)?;
        check_paths(&flows, context)?;
        let outputs: Vec<&Path> = flows.iter().map(|flow| flow.output.as_path()).collect();
        if let Some(output) = published(&outputs, context)? {
            return recorded(output, context);
        }
        let limit = rows_limit(inputs.memory_limit, flows.len())?;
        let (mut read, mut rejects) = (Vec::with_capacity(flows.len()), Vec::with_capacity(flows.len()));
        for flow in &flows {
            let source =
                Source { files: &flow.files, label: flow.label, rating_range: inputs.rating_range, max_bad_rows: inputs.max_bad_rows };
            let mut rows = NewRows::within(limit, &flow.output, context);
            let (_, rejected) = netflix::read_in_waves(source, context, |wave| rows.add(wave))?;
            read.push(rows);
            rejects.push(rejected);
        }
        let mut transaction = match Transaction::begin(&outputs, context)? {
            Begin::Published(output) => return recorded(output, context),
            Begin::Open(transaction) => transaction,
        };
        let rating_type = common_type(inputs.rating_type, &transaction, &read);
        let mut written = Vec::with_capacity(flows.len());
        for (index, ((flow, new), rejected)) in flows.iter().zip(read).zip(rejects).enumerate() {
            let rows = new.len();
            tell(flow, rows, &rejected, context);
            let change = Change { rows: new, mode: inputs.mode, rating_type: rating_type[index] };
            written.push(describe(flow, rows, &rejected, transaction.write(index, change, &layout)?, context));
        }
        let mut written = written.into_iter();
        let train = written.next().ok_or_else(|| StageError::bug("etl wrote no dataset"))?;
        let output = EtlOutput { train, test: written.next() };
        transaction.commit(&output)?;
        Ok(output)
    }
}

/// Bytes of rows that each of so many flows may keep in memory. The other half of the limit is for the text at hand, and for the months that
/// are sorted and encoded in the end.
fn rows_limit(limit: Option<ByteSize>, flows: usize) -> Result<Option<u64>> {
    match limit {
        Some(limit) if limit < MEMORY_MIN => Err(StageError::input(format!("`memory_limit` must be at least {MEMORY_MIN}, found {limit}"))),
        limit => Ok(limit.map(|limit| limit.0 / 2 / flows as u64)),
    }
}

/// Says what was read. An input without a single rating is no error, a quiet day happens; but it is worth a look.
fn tell(flow: &Flow<'_>, rows: u64, rejected: &Rejected, context: &Context) {
    let files: Vec<String> = flow.files.iter().map(|file| format!("`{}`", context.display(file))).collect();
    let files = files.join(", ");
    if rows == 0 {
        context.warn(format!("{files} holds no ratings: `{}` gains none", flow.given));
    } else {
        context.info(format!("{files}: {rows} ratings read, {} lines rejected", rejected.total()));
    }
}

fn flows<'a>(inputs: &'a EtlInputs, context: &Context) -> Result<Vec<Flow<'a>>> {
    let flow = |label, files, given| Flow::new(label, files, given, context);
    let train = flow("train", &inputs.train_file, &inputs.train_output);
    match (&inputs.test_file, &inputs.test_output) {
        (None, None) => Ok(vec![train]),
        (Some(file), Some(output)) => Ok(vec![train, flow("test", file, output)]),
        (Some(_), None) => {
            Err(StageError::input("`test_file` is given without `test_output`").with_hint("say which dataset the test ratings go to"))
        }
        (None, Some(_)) => {
            Err(StageError::input("`test_output` is given without `test_file`").with_hint("say which file the test ratings come from"))
        }
    }
}

fn describe(flow: &Flow<'_>, read: u64, rejected: &Rejected, written: Written, context: &Context) -> DatasetOutput {
    if !written.changed {
        context.info(format!("`{}` holds these ratings already: snapshot {} stays", flow.given, written.snapshot));
    }
    let changed = written.changed;
    DatasetOutput { figures: DatasetFigures::of(flow, read, rejected, written, context), changed }
}

/// Outputs recorded before there was `changed` are all of new snapshots.
fn was_published() -> bool {
    true
}

#[cfg(test)]
mod tests;
