//! `process_stream`: ratings that arrive as CSV files, into the streaming train and test sets, each rating once.
//!
//! What happens to a file, and why nothing is lost or doubled, is in [`crate::stream`]. Besides the two datasets that accumulate, the rows of these files
//! alone stand in `batch/train` and `batch/test`. Only this stage writes them, so their manifests also tell for the last runs of it whether each has
//! published.

mod inputs;
mod output;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use self::inputs::{OnMissing, ProcessStreamInputs};
use self::output::{BatchOutput, ProcessStreamOutput, StreamDataset, StreamFile};
use crate::context::{Context, PublishKey};
use crate::dataset::{Begin, Change, Dataset, Layout, Mode, RatingTypeChoice, Transaction, published};
use crate::error::{ErrorKind, Result, StageError};
use crate::estimate::{Estimate, Forecast, PROCESS_BYTES, Tables, dataset_bytes};
use crate::ratings::Ratings;
use crate::stage::{Runs, Stage, WorkspacePath};
use crate::stream::{self, Claim, Intake, Limits};

/// Takes in stream files.
#[derive(Debug)]
pub struct ProcessStream;

/// The datasets below `output`. The first is the one whose history is asked: what merges never write keeps the keys of the last runs.
const DATASETS: [&str; 4] = ["batch/train", "batch/test", "train", "test"];

impl Stage for ProcessStream {
    const NAME: &'static str = "process_stream";
    const SUMMARY: &'static str = "Takes in ratings that arrive as CSV files, each of them once";
    const RUNS: Runs = Runs::Child;
    type Inputs = ProcessStreamInputs;
    type Output = ProcessStreamOutput;

    fn estimate(inputs: &ProcessStreamInputs, forecast: &mut Forecast) -> Option<Estimate> {
        let Tables { extent, bytes } = forecast.tables(&inputs.csv.clone().into())?;
        for (name, share) in [("train", inputs.train_ratio), ("test", 1.0 - inputs.train_ratio)] {
            let path = format!("{}/{name}", inputs.output.as_str().trim_end_matches('/'));
            let there = forecast.dataset(&WorkspacePath::from(path.as_str()));
            let new = extent.share(share);
            forecast.will_write_dataset(&path, there.map_or(new, |there| there.and(new)));
            forecast.will_write_dataset(&format!("{}/batch/{name}", inputs.output.as_str().trim_end_matches('/')), new);
        }
        Some(Estimate {
            rows: extent.rows,
            read_bytes: bytes,
            written_bytes: 2 * dataset_bytes(extent.rows),
            memory_bytes: PROCESS_BYTES + extent.rows * 64,
            cpu_seconds: extent.rows as f64 * 2.3e-7,
            output: json!({}),
            remedy: "take in fewer files at a time",
        })
    }

    fn run(inputs: ProcessStreamInputs, context: &Context) -> Result<ProcessStreamOutput> {
        let output = context.resolve(&inputs.output);
        if output.exists() && !output.is_dir() {
            return Err(StageError::input(format!("`output` is a file: `{}`", inputs.output)).with_hint("give a folder"));
        }
        let datasets = DATASETS.map(|name| output.join(name));
        let intake = Intake::open(&output, context)?;
        let publication = |key: &PublishKey| published(&[&datasets[0]], &Context { publish_key: key.clone(), ..context.clone() });
        let left = intake.settle(|key| Ok(publication(key)?.is_some()))?;
        if let Some(output) = publication(&context.publish_key)? {
            context.info("published by an earlier try of this task: nothing to do");
            return recorded(output);
        }
        let arrivals = stream::find(&inputs.csv, Duration::from_secs_f64(inputs.settle_seconds), context)?;
        arrivals.left_alone.iter().for_each(|why| context.info(why.clone()));
        let claim = intake.take(&left, &arrivals.ready, inputs.after)?;
        if claim.files.is_empty() && inputs.on_missing != OnMissing::Succeed {
            return Err(nothing(&inputs, &arrivals.left_alone));
        }
        match publish(&inputs, &claim, &datasets, &intake, context) {
            Ok(output) => intake.finish(claim).map(|_| output),
            Err(error) => {
                // A failure after the commit point published all the same; one that cannot be told apart is left for the next attempt to look at.
                if publication(&context.publish_key).is_ok_and(|found| found.is_none())
                    && let Err(stays) = intake.give_back(&claim)
                {
                    context.warn(format!("the files stay claimed until the next run: {stays}"));
                }
                Err(error)
            }
        }
    }
}

/// That there is no file, as the input says to say it.
fn nothing(inputs: &ProcessStreamInputs, left_alone: &[String]) -> StageError {
    let reason = match left_alone {
        [] => format!("there is no stream file `{}`", inputs.csv),
        some => some.join("; "),
    };
    match inputs.on_missing {
        OnMissing::Fail => StageError::new(ErrorKind::Io, reason).with_hint("`on_missing: skip` skips the task instead"),
        OnMissing::Skip | OnMissing::Succeed => StageError::skipped(reason),
    }
}

/// What an earlier try of the same work published.
fn recorded(output: serde_json::Value) -> Result<ProcessStreamOutput> {
    serde_json::from_value(output).map_err(|error| StageError::bug(format!("the output recorded with the dataset cannot be read: {error}")))
}

/// Reads the claimed files and makes their ratings visible in all datasets at once.
fn publish(
    inputs: &ProcessStreamInputs,
    claim: &Claim,
    datasets: &[PathBuf; 4],
    intake: &Intake<'_>,
    context: &Context,
) -> Result<ProcessStreamOutput> {
    let limits = Limits { rating_range: inputs.rating_range, max_bad_rows: inputs.max_bad_rows };
    let (ratings, rows, rejected) = stream::read(&claim.files, limits, context)?;
    context.info(format!("{} ratings read from {} files, {} lines rejected", ratings.len(), claim.files.len(), rejected.total()));
    let parts = stream::split(&ratings, inputs.train_ratio, inputs.seed);
    let mut transaction = match Transaction::begin(&datasets.each_ref().map(PathBuf::as_path), context)? {
        Begin::Published(output) => return recorded(output),
        Begin::Open(transaction) => transaction,
    };
    let rating_type = common_type(inputs.rating_type, &transaction, &ratings);
    let layout = Layout { compression: inputs.compression, ..Layout::default() };
    let mut written = Vec::with_capacity(datasets.len());
    for (index, (name, rating_type)) in DATASETS.iter().zip(rating_type).enumerate() {
        let part = &parts[index % 2];
        let before = transaction.base(index).map_or(0, Dataset::rows);
        let mode = if name.starts_with("batch/") { Mode::Overwrite } else { Mode::Upsert };
        let now = transaction.write(index, Change { rows: vec![part.clone()].into(), mode, rating_type }, &layout)?;
        let path = format!("{}/{name}", inputs.output.as_str().trim_end_matches('/'));
        written.push(StreamDataset::new(path, part.len() as u64, before, now));
    }
    let mut written = written.into_iter();
    let (Some(batch_train), Some(batch_test), Some(train), Some(test)) = (written.next(), written.next(), written.next(), written.next())
    else {
        return Err(StageError::bug("process_stream wrote too few datasets"));
    };
    let output = ProcessStreamOutput {
        rows: ratings.len() as u64,
        rejected: rejected.total(),
        rejected_by_kind: rejected.by_kind.iter().map(|(defect, count)| (defect.name().to_owned(), *count)).collect(),
        rejects_file: rejected.file.as_deref().map(|file| context.display(file)),
        files: claim.files.iter().zip(rows).map(|(file, rows)| StreamFile::new(file, rows)).collect(),
        train,
        test,
        batch: BatchOutput { train: batch_train, test: batch_test },
    };
    intake.check_unchanged(claim)?;
    transaction.commit(&output)?;
    Ok(output)
}

/// The rating type of each dataset. With `auto`, those without rows get the same one: a few test rows may happen to hold no half star.
fn common_type(choice: RatingTypeChoice, transaction: &Transaction<'_>, ratings: &Ratings) -> [RatingTypeChoice; 4] {
    let has_halves = ratings.rating.iter().any(|stars| stars.fract() != 0.0);
    // What a batch held before it does not matter.
    let begins = |index: usize| DATASETS[index].starts_with("batch/") || transaction.base(index).is_none_or(|base| base.rows() == 0);
    [0, 1, 2, 3].map(|index| if choice == RatingTypeChoice::Auto && has_halves && begins(index) { RatingTypeChoice::Float } else { choice })
}

#[cfg(test)]
pub(crate) mod tests;
