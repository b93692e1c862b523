//! `evaluate`: how good a model is on ratings it has not seen. Writes nothing.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::context::{Context, Unit};
use crate::dataset::Dataset;
use crate::error::{Result, StageError};
use crate::metrics::evaluation::{Evaluation, Settings, evaluate};
use crate::model;
use crate::ratings::Ratings;
use crate::stage::{Runs, Stage, WorkspacePath};

/// Evaluates a model.
#[derive(Debug)]
pub struct Evaluate;

/// Inputs of `evaluate`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvaluateInputs {
    /// The model version's folder; also one that Spark saved.
    pub model: WorkspacePath,
    /// Dataset of ratings to test on.
    pub ratings: WorkspacePath,
    /// Dataset that the model was trained on: for `unseen_items` and `baselines`.
    pub train: Option<WorkspacePath>,
    /// Length of a ranked list.
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = 100_000))]
    pub k: usize,
    /// A test item is relevant to a user who rated it at least this.
    #[serde(default = "four")]
    pub rating_threshold: f64,
}

fn ten() -> usize {
    10
}

fn four() -> f64 {
    4.0
}

impl Stage for Evaluate {
    const NAME: &'static str = "evaluate";
    const SUMMARY: &'static str = "Measures RMSE, MAE and ranking at K of a model on a test set, beside baselines";
    const RUNS: Runs = Runs::Child;
    type Inputs = EvaluateInputs;
    type Output = Evaluation;

    fn run(inputs: EvaluateInputs, context: &Context) -> Result<Evaluation> {
        context.progress("read", 0, None, Unit::Rows);
        let model = model::open(&context.resolve(&inputs.model))?;
        context.check_cancelled()?;
        let test = read(&inputs.ratings, context)?;
        if test.is_empty() {
            let message = format!("the dataset `{}` has no ratings to test on", inputs.ratings);
            return Err(StageError::input(message).with_hint("give `etl` a `test_file`"));
        }
        let train = inputs.train.as_ref().map(|train| read(train, context)).transpose()?;
        if train.is_none() {
            context.info("without `train`, neither `unseen_items` nor `baselines` can be measured");
        }
        let settings = Settings { k: inputs.k, rating_threshold: inputs.rating_threshold };
        evaluate(&model, &test, train.as_ref(), settings, context)
    }
}

fn read(path: &WorkspacePath, context: &Context) -> Result<Ratings> {
    let ratings = Dataset::open(&context.resolve(path), context)?.read(context)?;
    context.check_cancelled()?;
    Ok(ratings)
}
