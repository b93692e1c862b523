//! `evaluate`: how good a model is on ratings it has not seen. Writes nothing unless asked to record its figures with the model.

use std::borrow::Cow;
use std::path::Path;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::context::{Context, Unit};
use crate::dataset::Dataset;
use crate::error::{Result, StageError};
use crate::estimate::{Estimate, FLOPS, Forecast, PROCESS_BYTES, dataset_bytes};
use crate::matrix::{Duplicates, RatingMatrix};
use crate::metrics::evaluation::{Detail, Evaluation, Settings, evaluate_in_detail};
use crate::model::record::DatasetRecord;
use crate::model::{self, evaluations};
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
    /// Dataset that the model was trained on: for `unseen_items`, `baselines` and `segments`.
    pub train: Option<WorkspacePath>,
    /// Length of a ranked list; or a list of lengths, of which the first gives the top-level figures and each those under `at_k`.
    #[serde(default)]
    pub k: Lengths,
    /// A test item is relevant to a user who rated it at least this.
    #[serde(default = "four")]
    pub rating_threshold: f64,
    /// What is ranked. `all_items` stands at the top level and is always measured.
    #[serde(default = "both")]
    pub protocols: Vec<Protocol>,
    /// Whether to keep the figures with the model, for `recflow models` and `find_model`.
    #[serde(default)]
    pub record: bool,
}

/// What is ranked for a user; see [`metrics::evaluation`](crate::metrics::evaluation).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum Protocol {
    /// All items that the model knows.
    #[serde(rename = "all_items")]
    All,
    /// Those that the user has not rated in the training set.
    #[serde(rename = "unseen_items")]
    Unseen,
    /// Those that the user rated in the test set.
    #[serde(rename = "test_items")]
    Test,
}

/// One length of ranked lists, or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Lengths {
    /// One.
    One(usize),
    /// At least one.
    Several(Vec<usize>),
}

impl Default for Lengths {
    fn default() -> Self {
        Lengths::One(10)
    }
}

impl Lengths {
    /// The first, and the others.
    fn split(&self) -> Result<(usize, Vec<usize>)> {
        match self {
            Lengths::One(k) => Ok((*k, Vec::new())),
            Lengths::Several(several) => match several.split_first() {
                Some((first, others)) => Ok((*first, others.to_vec())),
                None => Err(StageError::input("`k` is an empty list").with_hint("give at least one length, such as 10")),
            },
        }
    }
}

impl JsonSchema for Lengths {
    fn schema_name() -> Cow<'static, str> {
        "Lengths".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let length = json_schema!({ "type": "integer", "minimum": 1, "maximum": 100_000 });
        json_schema!({ "anyOf": [length, { "type": "array", "items": length, "minItems": 1 }] })
    }
}

fn both() -> Vec<Protocol> {
    vec![Protocol::All, Protocol::Unseen]
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

    fn estimate(inputs: &EvaluateInputs, forecast: &mut Forecast) -> Option<Estimate> {
        let (model, test) = (forecast.model(&inputs.model)?, forecast.dataset(&inputs.ratings)?);
        let train = inputs.train.as_ref().map_or(Some(0), |path| Some(forecast.dataset(path)?.rows))?;
        let scores = model.users.min(test.rows) as f64 * model.items as f64 * 2.0 * model.rank as f64;
        Some(Estimate {
            rows: test.rows + train,
            read_bytes: dataset_bytes(test.rows + train) + model.bytes(),
            written_bytes: 0,
            memory_bytes: PROCESS_BYTES + train * 34 + test.rows * 60 + 2 * model.bytes(),
            cpu_seconds: scores / FLOPS + (test.rows + train) as f64 * 2.5e-7,
            output: json!({}),
            remedy: "leave out `train`, and with it baselines and unseen items",
        })
    }

    fn run(inputs: EvaluateInputs, context: &Context) -> Result<Evaluation> {
        let (k, more_k) = inputs.k.split()?;
        let asked = |protocol| inputs.protocols.contains(&protocol);
        let detail = Detail { more_k, unseen_items: asked(Protocol::Unseen), test_items: asked(Protocol::Test) };
        context.progress("read", 0, None, Unit::Rows);
        let directory = context.resolve(&inputs.model);
        let model = model::open(&directory)?;
        context.check_cancelled()?;
        let dataset = open(&inputs.ratings, &directory, context)?;
        let test = dataset.read(context)?;
        if test.is_empty() {
            let message = format!("the dataset `{}` has no ratings to test on", inputs.ratings);
            return Err(StageError::input(message).with_hint("give `etl` a `test_file`"));
        }
        let train = inputs.train.as_ref().map(|path| matrix(path, &directory, context)).transpose()?.flatten();
        if inputs.train.is_none() {
            context.info("without `train`, none of `unseen_items`, `baselines` and `segments` can be measured");
        }
        let settings = Settings { k, rating_threshold: inputs.rating_threshold };
        context.info(format!("`{}`: {} ratings to test on", inputs.ratings, test.len()));
        let evaluation = evaluate_in_detail(&model, &test, train.as_ref(), settings, &detail, context)?;
        if inputs.record {
            record(&inputs, &dataset, &evaluation, context)?;
        }
        Ok(evaluation)
    }
}

/// Keeps the figures with the model.
fn record(inputs: &EvaluateInputs, dataset: &Dataset, evaluation: &Evaluation, context: &Context) -> Result<()> {
    let ratings = DatasetRecord { path: inputs.ratings.to_string(), fingerprint: dataset.fingerprint().to_owned(), rows: dataset.rows() };
    // A struct of text and numbers always becomes JSON.
    let output = serde_json::to_value(evaluation).unwrap_or_default();
    evaluations::record(&context.resolve(&inputs.model), ratings, &output, context)
}

/// A dataset whose ids mean what those of the model at `directory` do.
fn open(path: &WorkspacePath, directory: &Path, context: &Context) -> Result<Dataset> {
    let dataset = Dataset::open(&context.resolve(path), context)?;
    model::names::check_against(directory, &dataset, path.as_str())?;
    Ok(dataset)
}

/// The training set as a matrix, its ratings let go of; none if it has none.
fn matrix(path: &WorkspacePath, directory: &Path, context: &Context) -> Result<Option<RatingMatrix>> {
    let ratings = open(path, directory, context)?.read(context)?;
    context.check_cancelled()?;
    if ratings.is_empty() { Ok(None) } else { RatingMatrix::build(&ratings, Duplicates::Latest).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AnyStage;

    #[test]
    fn k_is_a_length_or_a_list_of_them() {
        let split = |k: serde_json::Value| serde_json::from_value::<Lengths>(k).unwrap().split().unwrap();
        assert_eq!(split(json!(5)), (5, vec![]));
        assert_eq!(split(json!([5, 10, 20])), (5, vec![10, 20]));
        let stage = AnyStage::of::<Evaluate>();
        let checked = |k: serde_json::Value| stage.check(&json!({ "model": "m", "ratings": "r", "k": k }));
        checked(json!(7)).unwrap();
        checked(json!([5, 10])).unwrap();
        for wrong in [json!(0), json!([]), json!([5, 0]), json!("ten")] {
            checked(wrong).unwrap_err();
        }
        let inputs: EvaluateInputs = serde_json::from_value(json!({ "model": "m", "ratings": "r" })).unwrap();
        assert_eq!((inputs.k, inputs.protocols), (Lengths::One(10), both()));
    }
}
