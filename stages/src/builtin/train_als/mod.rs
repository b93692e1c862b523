//! `train_als`: factors from a dataset of ratings, published as a new model version.
//!
//! Ratings → (`holdout`: some are held out) → matrix → `fitting`: sweep by sweep, with a `checkpoint` now and then, until `max_iter` or until
//! `early_stopping` says so → `record`: what will be known of the version → [`publish`](mod@crate::model::publish).
//!
//! | module | what it is for |
//! |---|---|
//! | `inputs` | what can be chosen |
//! | `fitting` | the sweeps and what happens between them |
//! | `warm_start` | the older model that it starts from |
//! | `holdout` | ratings that the training does not see |
//! | `early_stopping` | when it has learned what it can |
//! | `checkpoint`, `checkpoint_file` | going on after a crash |
//! | `record` | the output of the stage and the record of the version |

mod checkpoint;
mod checkpoint_file;
mod early_stopping;
mod fitting;
mod holdout;
mod inputs;
mod record;
mod warm_start;

#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use self::checkpoint::{Checkpoint, Identity};
pub use self::early_stopping::EarlyStopping;
use self::fitting::Fitting;
use self::holdout::Holdout;
pub use self::inputs::TrainAlsInputs;
use self::record::Training;
use crate::als::AlsValidParams;
use crate::context::{Context, Unit};
use crate::dataset::Dataset;
use crate::error::{Result, StageError};
use crate::estimate::{Estimate, Extent, FLOPS, Forecast, ModelExtent, PROCESS_BYTES, dataset_bytes};
use crate::kernel::Kernel;
use crate::matrix::RatingMatrix;
use crate::model::publish::Claim;
use crate::model::record::DatasetRecord;
use crate::model::{Contents, popularity, publish_contents, versions};
use crate::names::{Names, check_same};
use crate::ratings::Ratings;
use crate::stage::{Runs, Stage, WorkspacePath};

/// Trains factors by alternating least squares.
#[derive(Debug)]
pub struct TrainAls;

/// What `train_als` returns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrainAlsOutput {
    /// Where the version lies.
    pub path: String,
    /// The version's name.
    pub version: String,
    /// Wall-clock seconds of the sweeps, those before a crash included.
    pub fit_seconds: f64,
    /// The objective, regularisation included, of the factors published: those of the last sweep or, with `early_stopping`, of the best.
    pub loss: f64,
    /// Root mean squared error over the ratings trained on; absent if `implicit`.
    pub train_rmse: Option<f64>,
    /// The same over the held-out ratings; absent without any.
    pub holdout_rmse: Option<f64>,
    /// The sweep with the lowest error on the held-out ratings; absent without any.
    pub best_iteration: Option<u64>,
    /// Sweeps done; fewer than `max_iter` if the training was stopped early.
    #[serde(default)]
    pub iterations: u64,
    /// Floats in a factor.
    pub rank: u64,
    /// Users with factors.
    pub users: u64,
    /// Items with factors.
    pub items: u64,
    /// Ratings trained on, after duplicates were resolved.
    pub ratings: u64,
    /// Held-out ratings that could be scored; absent without any.
    pub holdout_ratings: Option<u64>,
}

impl Stage for TrainAls {
    const NAME: &'static str = "train_als";
    const SUMMARY: &'static str = "Trains a factor model by alternating least squares and publishes it as a new version";
    const RUNS: Runs = Runs::Child;
    type Inputs = TrainAlsInputs;
    type Output = TrainAlsOutput;

    fn estimate(inputs: &TrainAlsInputs, forecast: &mut Forecast) -> Option<Estimate> {
        let Extent { rows, users, items } = forecast.dataset(&inputs.ratings)?;
        let model = ModelExtent { users, items, rank: inputs.rank as u64 };
        // A version's name is its date: it is not known yet.
        let path = format!("{}/version_to_come", inputs.models.as_str().trim_end_matches('/'));
        forecast.will_write_model(&path, model);
        let rank = inputs.rank as f64;
        // A sweep adds up `x xᵀ` of each rating on both sides, and solves an equation a row.
        let sweep = 2.0 * rows as f64 * rank * (rank + 1.0) + (users + items) as f64 * rank.powi(3) / 3.0;
        Some(Estimate {
            rows,
            read_bytes: dataset_bytes(rows),
            written_bytes: model.bytes(),
            memory_bytes: PROCESS_BYTES + rows * 38 + 2 * model.bytes(),
            cpu_seconds: rows as f64 * 1.2e-7 + inputs.max_iter as f64 * sweep / FLOPS,
            output: json!({ "path": path, "rank": inputs.rank, "users": users, "items": items, "ratings": rows }),
            remedy: "train with a smaller `rank`, or on fewer ratings",
        })
    }

    fn run(inputs: TrainAlsInputs, context: &Context) -> Result<TrainAlsOutput> {
        let params = inputs.params()?;
        let models = context.resolve(&inputs.models);
        if let Some(record) = versions::published(&models, &context.publish_key)? {
            context.info(format!("`{}` was already published by this task; nothing to do", record.version));
            checkpoint::discard(&models, context);
            return serde_json::from_value(record.output)
                .map_err(|error| StageError::bug(format!("the output recorded in `{}` is unreadable: {error}", record.version)));
        }
        let (ratings, names, dataset) = read(&inputs.ratings, context)?;
        let data = match (&inputs.validation, inputs.holdout) {
            (Some(path), _) => {
                let (held_out, theirs, validation) = read(path, context)?;
                check_same((&format!("`{}`", inputs.ratings), &names), (&format!("`{path}`"), &theirs))?;
                Data { ratings, names, dataset, held_out: Some(held_out), validation: Some(validation) }
            }
            (None, Some(share)) => {
                let (ratings, held_out) = holdout::split(&ratings, share, inputs.seed);
                Data { ratings, names, dataset, held_out: Some(held_out), validation: None }
            }
            (None, None) => Data { ratings, names, dataset, held_out: None, validation: None },
        };
        train_and_publish(&inputs, &params, data, context)
    }
}

/// All rows of a dataset, what their ids are called, and which dataset it was.
fn read(path: &WorkspacePath, context: &Context) -> Result<(Ratings, Names, DatasetRecord)> {
    let dataset = Dataset::open(&context.resolve(path), context)?;
    context.progress("read", 0, Some(dataset.rows()), Unit::Rows);
    let record = DatasetRecord { path: path.to_string(), fingerprint: dataset.fingerprint().to_owned(), rows: dataset.rows() };
    Ok((dataset.read(context)?, dataset.names()?, record))
}

/// What is trained on and what it is measured on.
struct Data {
    ratings: Ratings,
    /// What users and items are called where they are not numbers.
    names: Names,
    /// Where they come from; those drawn by `holdout` too.
    dataset: DatasetRecord,
    held_out: Option<Ratings>,
    /// Where those come from, if not from `dataset`.
    validation: Option<DatasetRecord>,
}

fn train_and_publish(inputs: &TrainAlsInputs, params: &AlsValidParams, data: Data, context: &Context) -> Result<TrainAlsOutput> {
    let Data { ratings, names, dataset, held_out, validation } = data;
    if ratings.is_empty() {
        let message = format!("the dataset `{}` has no ratings to train on", inputs.ratings);
        return Err(StageError::input(message).with_hint("look at the report of `etl`: were its rows rejected?"));
    }
    context.progress("index", 0, Some(ratings.len() as u64), Unit::Rows);
    let matrix = match inputs.recency_half_life {
        None => RatingMatrix::build(&ratings, inputs.duplicates)?,
        Some(days) => RatingMatrix::build_recent(&ratings, inputs.duplicates, days)?,
    };
    drop(ratings);
    let warm_start = warm_start::find(inputs, params.get(), &names, context)?;
    let holdout = held_out.map(|held_out| scorable(&held_out, &matrix, inputs)).transpose()?;
    context.check_cancelled()?;

    let models = context.resolve(&inputs.models);
    let identity = Identity {
        publish_key: context.publish_key.clone(),
        dataset: dataset.fingerprint.clone(),
        validation: validation.as_ref().map(|validation| validation.fingerprint.clone()),
        holdout: inputs.holdout,
        early_stopping: inputs.early_stopping,
        params: params.get().clone(),
        recency_half_life: inputs.recency_half_life,
        warm_start: warm_start.as_ref().map(|start| start.version.clone()),
        duplicates: inputs.duplicates,
        instruction_set: Kernel::detect().name().to_owned(),
        binary_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let mut checkpoint = Checkpoint::new(&models, identity, inputs.checkpoint_every, context);
    let fitting = Fitting {
        params,
        matrix: &matrix,
        holdout: holdout.as_ref(),
        warm_start: warm_start.as_ref().map(|start| &start.model),
        early_stopping: inputs.early_stopping,
        context,
    };
    let fitted = fitting.run(&mut checkpoint)?;

    context.progress("publish", 0, None, Unit::Bytes);
    let warm_start = warm_start.map(|start| start.version);
    let training =
        Training { inputs, params, matrix: &matrix, fitted: &fitted, holdout: holdout.as_ref(), warm_start, dataset, validation };
    let mut output = None;
    let record = |claim: &Claim| {
        let made = training.output(claim, context);
        let record = training.record(&made, claim, context);
        output = Some(made);
        record
    };
    let contents = Contents { model: &fitted.fit.model, names: &names, popularity: &popularity::of(&matrix) };
    publish_contents(&models, &contents, record, context)?;
    checkpoint::discard(&models, context);
    let output = output.ok_or_else(|| StageError::bug("a model was published without a record"))?;
    let TrainAlsOutput { version, rank, users, items, ratings, loss, fit_seconds, .. } = &output;
    context.info(format!("{version}: rank {rank}, {users} users, {items} items, {ratings} ratings, loss {loss:.4} in {fit_seconds:.2} s"));
    Ok(output)
}

/// The held-out ratings as `matrix` knows them.
fn scorable(held_out: &Ratings, matrix: &RatingMatrix, inputs: &TrainAlsInputs) -> Result<Holdout> {
    if let Some(at) = held_out.rating.iter().position(|rating| !rating.is_finite()) {
        let Ratings { movie, user, rating, .. } = held_out;
        let message = format!("the held-out rating of movie {} by user {} is {}, not a finite number", movie[at], user[at], rating[at]);
        return Err(StageError::input(message).with_hint("run `etl` on the source again; it rejects such rows"));
    }
    let holdout = Holdout::of(held_out, matrix);
    if holdout.scored() > 0 {
        return Ok(holdout);
    }
    let what = inputs.validation.as_ref().map_or_else(|| "`holdout`".to_owned(), |path| format!("`{path}`"));
    let message = format!("none of the {} held-out ratings of {what} is of a user and an item that are trained on", held_out.len());
    Err(StageError::input(message).with_hint("hold out a larger share, or validate on ratings of the same users and items"))
}
