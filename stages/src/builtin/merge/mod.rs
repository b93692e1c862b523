//! `merge`: the ratings of the stream become part of the processed sets, and the stream is empty again.
//!
//! The four datasets switch in one commit under one publish key: a rating stands in the stream or in the processed set at every instant, and a
//! repeated attempt finds that it was done. The stream is read under its lock, so what arrives meanwhile waits and is not swept away.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::context::Context;
use crate::dataset::{Begin, Change, Compression, Dataset, Layout, Mode, RatingTypeChoice, Transaction, published};
use crate::error::{Result, StageError};
use crate::estimate::{Estimate, Extent, Forecast, PROCESS_BYTES, dataset_bytes};
use crate::stage::{Runs, Stage, WorkspacePath};

/// Merges the stream into the processed sets.
#[derive(Debug)]
pub struct Merge;

/// Inputs of `merge`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeInputs {
    /// The folder that holds the streaming `train` and `test`. They are empty afterwards.
    stream: WorkspacePath,
    /// The folder that holds the processed `train` and `test`. Rows with the same movie, user and date are united, the highest rating stays.
    processed: WorkspacePath,
    /// Type of the RATING column: `int` (whole stars), `float` (half stars), or `auto`: that of the dataset that is there.
    #[serde(default)]
    rating_type: RatingTypeChoice,
    /// How files of months that change are compressed.
    #[serde(default)]
    compression: Compression,
    /// Split a month that changes into files of about this many bytes; one file a month by default.
    #[serde(default)]
    #[schemars(range(min = 1))]
    target_file_size: Option<u64>,
}

/// What `merge` returns.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MergeOutput {
    /// Whether there was anything to merge. If not, no dataset was touched.
    merged: bool,
    /// The processed training set.
    train: MergedDataset,
    /// The processed test set.
    test: MergedDataset,
}

/// A processed set before and after.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct MergedDataset {
    /// The dataset, as `processed` was given.
    path: String,
    /// Rows that the stream held.
    stream_rows: u64,
    /// Rows before.
    rows_before: u64,
    /// Rows now.
    rows: u64,
    /// Rows that it has more than before. The others of the stream were there already, perhaps with another rating.
    added: i64,
    /// Hash of the content now: the same rows, the same fingerprint.
    fingerprint: String,
    /// Number of the snapshot; none if the set is not there.
    snapshot: Option<u64>,
}

/// The datasets of each side.
const NAMES: [&str; 2] = ["train", "test"];

impl Stage for Merge {
    const NAME: &'static str = "merge";
    const SUMMARY: &'static str = "Moves the ratings of the stream into the processed train and test sets";
    const RUNS: Runs = Runs::Child;
    type Inputs = MergeInputs;
    type Output = MergeOutput;

    fn estimate(inputs: &MergeInputs, forecast: &mut Forecast) -> Option<Estimate> {
        let within =
            |folder: &WorkspacePath, name: &str| WorkspacePath::from(format!("{}/{name}", folder.as_str().trim_end_matches('/')).as_str());
        let (mut new, mut all) = (0, 0);
        for name in NAMES {
            let stream = forecast.dataset(&within(&inputs.stream, name)).map_or(0, |extent| extent.rows);
            let path = within(&inputs.processed, name);
            let there = forecast.dataset(&path)?;
            forecast.will_write_dataset(path.as_str(), Extent { rows: there.rows + stream, ..there });
            (new, all) = (new + stream, all + there.rows);
        }
        // At worst the stream touches every month; a month at a time is in memory.
        Some(Estimate {
            rows: new + all,
            read_bytes: dataset_bytes(new + all),
            written_bytes: dataset_bytes(new + all),
            memory_bytes: PROCESS_BYTES + (64 << 20) + new * 24 + all / 12 * 16,
            cpu_seconds: (new + all) as f64 * 1e-7,
            output: json!({ "merged": new > 0 }),
            remedy: "merge more often, so that less arrives at a time",
        })
    }

    fn run(inputs: MergeInputs, context: &Context) -> Result<MergeOutput> {
        let [processed, stream] = [&inputs.processed, &inputs.stream].map(|folder| NAMES.map(|name| context.resolve(folder).join(name)));
        let paths: Vec<&Path> = processed.iter().chain(&stream).map(PathBuf::as_path).collect();
        if let Some(output) = published(&paths, context)? {
            return recorded(output, context);
        }
        check_processed(&inputs, context)?;
        if !context.resolve(&inputs.stream).is_dir() {
            return untouched(&inputs, &processed, context);
        }
        let mut transaction = match Transaction::begin(&paths, context)? {
            Begin::Published(output) => return recorded(output, context),
            Begin::Open(transaction) => transaction,
        };
        let arrived = [2, 3].map(|index| transaction.base(index).map_or(0, Dataset::rows));
        if arrived == [0, 0] {
            drop(transaction);
            return untouched(&inputs, &processed, context);
        }
        let layout = Layout { compression: inputs.compression, target_file_bytes: inputs.target_file_size, ..Layout::default() };
        let mut merged = Vec::with_capacity(2);
        for (index, name) in NAMES.iter().enumerate() {
            let rows = transaction.base(2 + index).map(|base| base.read_with(context, |rows| rows)).transpose()?.unwrap_or_default();
            let rows_before = transaction.base(index).map_or(0, Dataset::rows);
            let written =
                transaction.write(index, Change { rows: rows.into(), mode: Mode::Upsert, rating_type: inputs.rating_type }, &layout)?;
            merged.push(MergedDataset {
                path: path_of(&inputs, name),
                stream_rows: arrived[index],
                rows_before,
                rows: written.rows,
                added: written.rows.cast_signed() - rows_before.cast_signed(),
                fingerprint: written.fingerprint,
                snapshot: Some(written.snapshot),
            });
            let empty = Change { rows: Vec::new().into(), mode: Mode::Overwrite, rating_type: RatingTypeChoice::Auto };
            transaction.write(2 + index, empty, &Layout::default())?;
        }
        let mut merged = merged.into_iter();
        let (Some(train), Some(test)) = (merged.next(), merged.next()) else { return Err(StageError::bug("merge wrote too few datasets")) };
        context.info(format!(
            "train: {} ratings and {} more; test: {} and {} more",
            train.rows_before, train.added, test.rows_before, test.added
        ));
        let output = MergeOutput { merged: true, train, test };
        transaction.commit(&output)?;
        Ok(output)
    }
}

/// Refuses a merge into nothing: the path is mistyped, or `etl` has not run.
fn check_processed(inputs: &MergeInputs, context: &Context) -> Result<()> {
    let train = context.resolve(&inputs.processed).join("train");
    if std::fs::symlink_metadata(&train).is_ok() {
        return Ok(());
    }
    Err(StageError::input(format!("there is no dataset at `{}`", path_of(inputs, "train")))
        .with_hint("run `etl` first, or check `processed`: it is the folder that holds `train` and `test`"))
}

fn path_of(inputs: &MergeInputs, name: &str) -> String {
    format!("{}/{name}", inputs.processed.as_str().trim_end_matches('/'))
}

/// What an earlier try of the same work published.
fn recorded(output: serde_json::Value, context: &Context) -> Result<MergeOutput> {
    context.info("published by an earlier try of this task: nothing to do");
    serde_json::from_value(output).map_err(|error| StageError::bug(format!("the output recorded with the dataset cannot be read: {error}")))
}

/// The output where the stream holds nothing.
fn untouched(inputs: &MergeInputs, processed: &[PathBuf; 2], context: &Context) -> Result<MergeOutput> {
    context.info(format!("no ratings in `{}`: nothing to merge", inputs.stream));
    let describe = |index: usize| -> Result<MergedDataset> {
        let path = &processed[index];
        let dataset = if std::fs::symlink_metadata(path).is_ok() { Some(Dataset::open(path, context)?) } else { None };
        let rows = dataset.as_ref().map_or(0, Dataset::rows);
        Ok(MergedDataset {
            path: path_of(inputs, NAMES[index]),
            stream_rows: 0,
            rows_before: rows,
            rows,
            added: 0,
            fingerprint: dataset.as_ref().map(|dataset| dataset.fingerprint().to_owned()).unwrap_or_default(),
            snapshot: dataset.map(|dataset| dataset.manifest().snapshot),
        })
    };
    Ok(MergeOutput { merged: false, train: describe(0)?, test: describe(1)? })
}

#[cfg(test)]
mod tests;
