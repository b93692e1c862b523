//! `detect_drift`: whether the ratings that arrived since differ so much from those trained on that a retrain is due. Writes nothing.
//!
//! ```text
//! original_train, current_train -> `read`   counts of ratings, users, items -> data drift  --+
//! original_test,  current_test  -> `errors` predictions and errors of them  -> model drift --+-> score, interval -> decision
//! ```
//! The statistics are in [`drift`](crate::drift), definitions and sources in `docs/drift.md`.

mod inputs;
mod output;
mod predict;
mod read;
#[cfg(test)]
mod tests;

pub use inputs::DetectDriftInputs;
pub use output::{DataDrift, DetectDriftOutput, ModelDrift};

use crate::context::{Context, Unit};
use crate::dataset::Dataset;
use crate::drift::bootstrap::{Interval, Side, interval};
use crate::drift::decision::{Decision, Evidence, Subject};
use crate::drift::ids::{PopularityShift, Unseen};
use crate::drift::score::Figures;
use crate::drift::{Distance, Rules, Sample, Scale};
use crate::error::{Result, StageError};
use crate::estimate::{Estimate, Forecast, PROCESS_BYTES, dataset_bytes};
use crate::model;
use crate::stage::{Misfit, Runs, Stage, WorkspacePath};
use output::Rows;
use predict::Predicted;
use read::Tally;

/// Compares the ratings that arrived with those trained on.
#[derive(Debug)]
pub struct DetectDrift;

impl Stage for DetectDrift {
    const NAME: &'static str = "detect_drift";
    const SUMMARY: &'static str = "Measures drift of new ratings and of the model's predictions on them, and says whether to retrain";
    const RUNS: Runs = Runs::Child;
    type Inputs = DetectDriftInputs;
    type Output = DetectDriftOutput;

    fn check(inputs: &DetectDriftInputs) -> Result<(), Misfit> {
        inputs.weights.check().map_err(|error| Misfit { input: "weights", error })
    }

    fn estimate(inputs: &DetectDriftInputs, forecast: &mut Forecast) -> Option<Estimate> {
        let model = forecast.model(&inputs.model)?;
        let original = forecast.dataset(&inputs.original_train)?.rows + forecast.dataset(&inputs.original_test)?.rows;
        let current = [&inputs.current_train, &inputs.current_test].map(|path| forecast.dataset(path).map_or(0, |extent| extent.rows));
        let rows = original + current.iter().sum::<u64>();
        Some(Estimate {
            rows,
            read_bytes: dataset_bytes(rows) + model.bytes(),
            written_bytes: 0,
            memory_bytes: PROCESS_BYTES + (48 << 20) + rows * 7 + model.bytes(),
            cpu_seconds: rows as f64 * 1.1e-7 + f64::from(inputs.resamples) * 1e-4,
            output: serde_json::json!({}),
            remedy: "compare with fewer of the ratings trained on",
        })
    }

    fn run(inputs: DetectDriftInputs, context: &Context) -> Result<DetectDriftOutput> {
        let rules = Rules { thresholds: inputs.thresholds, weights: inputs.weights };
        let original_train = original(&inputs.original_train, "original_train", context)?;
        let original_test = original(&inputs.original_test, "original_test", context)?;
        let current_train = read::open_if_there(&inputs.current_train, context)?;
        let current_test = read::open_if_there(&inputs.current_test, context)?;
        check_ids(&inputs, [Some(&original_train), Some(&original_test), current_train.as_ref(), current_test.as_ref()], context)?;
        let rows_of = |dataset: &Option<Dataset>| dataset.as_ref().map_or(0, Dataset::rows);
        let rows = Rows {
            original_train: original_train.rows(),
            original_test: original_test.rows(),
            current_train: rows_of(&current_train),
            current_test: rows_of(&current_test),
        };
        let mut output = DetectDriftOutput::without_stream(rows, &rules);
        let Some(current_train) = current_train.filter(|dataset| dataset.rows() > 0) else {
            context.info(&output.reason);
            context.metric("drift_score", 1, 0.0);
            return Ok(output);
        };

        let data = Data { original: Tally::of(&original_train, context)?, current: Tally::of(&current_train, context)? };
        let scale = Scale::of(&data.original.ratings.joined(&data.current.ratings));
        let (data_drift, data_figures) = data.drift(&rules, inputs.seed)?;
        output.data_drift = Some(data_drift);
        let predictions = match (current_test.filter(|dataset| dataset.rows() > 0), scale) {
            (Some(current_test), Some(scale)) => Some(Predictions::of(&inputs, &original_test, &current_test, scale, context)?),
            _ => None,
        };
        let model = predictions.as_ref().map(|predictions| predictions.drift(&rules, inputs.min_rows));
        let counted = model.as_ref().filter(|(drift, _)| drift.takes_part).map(|(_, figures)| *figures);
        let (subject, figures) = match counted {
            Some(figures) if rules.score(&figures) > rules.score(&data_figures) => (Subject::Model, figures),
            _ => (Subject::Data, data_figures),
        };
        output.model_drift = model.map(|(drift, _)| drift);

        let mut sides = vec![Side::new(&data.original.ratings, &data.current.ratings, |value| value, None)];
        sides.extend(predictions.as_ref().filter(|_| counted.is_some()).map(Predictions::side));
        let interval = interval(&sides, &rules, inputs.resampling(), context)?;
        let evidence = Evidence { rows: rows.current_train, min_rows: inputs.min_rows, subject, figures, interval };
        output.decide(Decision::of(&evidence, &rules), rules.score(&figures), subject, interval);
        report(&output, &interval, context);
        Ok(output)
    }
}

/// A dataset of what was trained on or tested with: it must be there, and not empty.
fn original(path: &WorkspacePath, input: &str, context: &Context) -> Result<Dataset> {
    let dataset = Dataset::open(&context.resolve(path), context)?;
    if dataset.rows() > 0 {
        return Ok(dataset);
    }
    let message = format!("the dataset `{path}` has no ratings to compare with");
    Err(StageError::input(message).with_hint(format!("`{input}` is the dataset that `etl` writes and the model was trained or tested on")))
}

/// Whether the ids of all datasets mean what those of the model do.
fn check_ids(inputs: &DetectDriftInputs, datasets: [Option<&Dataset>; 4], context: &Context) -> Result<()> {
    let directory = context.resolve(&inputs.model);
    let paths = [&inputs.original_train, &inputs.original_test, &inputs.current_train, &inputs.current_test];
    for (dataset, path) in datasets.into_iter().zip(paths) {
        if let Some(dataset) = dataset {
            model::names::check_against(&directory, dataset, path.as_str())?;
        }
    }
    Ok(())
}

/// What there is to say of the training ratings.
struct Data {
    original: Tally,
    current: Tally,
}

impl Data {
    fn drift(&self, rules: &Rules, seed: u64) -> Result<(DataDrift, Figures)> {
        let (original, current) = (&self.original, &self.current);
        // Both manifests say that there are rows; rows with a null are not among those read.
        let distance = Distance::of(&original.ratings, &current.ratings, |value| value).ok_or_else(|| {
            StageError::input("every row of the original or of the streaming training ratings holds a null")
                .with_hint("`recflow data show` shows a dataset; write it again with `etl`")
        })?;
        let figures = Figures::from(&distance);
        let drift = DataDrift {
            score: rules.score(&figures),
            terms: rules.terms(&figures).collect(),
            distance,
            unseen_users: Unseen::of(&original.users, &current.users),
            unseen_items: Unseen::of(&original.items, &current.items),
            item_popularity: PopularityShift::of(&original.items, &current.items, seed),
        };
        Ok((drift, figures))
    }
}

/// What the model says of both test sets.
struct Predictions {
    original: Predicted,
    current: Predicted,
    scale: Scale,
}

impl Predictions {
    fn of(inputs: &DetectDriftInputs, original: &Dataset, current: &Dataset, scale: Scale, context: &Context) -> Result<Self> {
        let model = model::open(&context.resolve(&inputs.model))?;
        let predicted = |dataset: &Dataset| {
            let ratings = dataset.read(context)?;
            context.progress("predict", 0, Some(dataset.rows()), Unit::Rows);
            Predicted::of(&model, &ratings, context)
        };
        Ok(Self { original: predicted(original)?, current: predicted(current)?, scale })
    }

    /// The drift, and the figures that its score is made of.
    fn drift(&self, rules: &Rules, min_rows: u64) -> (ModelDrift, Figures) {
        let (before, after) = (&self.original, &self.current);
        let distance = Distance::of(&before.predictions, &after.predictions, |value| self.scale.round(value));
        let rise = |before: Option<f64>, after: Option<f64>| Some(after? - before?);
        let rmse_increase = rise(before.errors.rmse, after.errors.rmse);
        let mae_increase = rise(before.errors.mae, after.errors.mae);
        let figures = Figures {
            rmse_increase: rmse_increase.unwrap_or(0.0).max(0.0),
            mae_increase: mae_increase.unwrap_or(0.0).max(0.0),
            ..distance.as_ref().map(Figures::from).unwrap_or_default()
        };
        let enough = |sample: &Sample| !sample.is_empty() && sample.len() >= min_rows;
        let drift = ModelDrift {
            score: distance.is_some().then(|| rules.score(&figures)),
            takes_part: enough(&before.predictions) && enough(&after.predictions),
            terms: if distance.is_some() { rules.terms(&figures).collect() } else { Vec::new() },
            distance,
            original: before.errors,
            current: after.errors,
            rmse_increase,
            mae_increase,
        };
        (drift, figures)
    }

    /// The side of the bootstrap.
    fn side(&self) -> Side<'_> {
        let Self { original, current, scale } = self;
        Side::new(&original.predictions, &current.predictions, |value| scale.round(value), Some((original.moments, current.moments)))
    }
}

/// Tells people and the store.
fn report(output: &DetectDriftOutput, interval: &Interval, context: &Context) {
    context.info(&output.reason);
    let mut metrics = vec![
        ("drift_score", Some(output.drift_score)),
        ("drift_score_lower", Some(interval.lower)),
        ("drift_score_upper", Some(interval.upper)),
    ];
    if let Some(data) = &output.data_drift {
        let distance = &data.distance;
        metrics.extend([
            ("data_score", Some(data.score)),
            ("kl_divergence", Some(distance.kl_divergence)),
            ("mean_shift", Some(distance.mean_shift)),
            ("median_shift", Some(distance.median_shift)),
        ]);
    }
    if let Some(model) = &output.model_drift {
        metrics.extend([("model_score", model.score), ("rmse_original", model.original.rmse), ("rmse_current", model.current.rmse)]);
    }
    for (name, value) in metrics {
        if let Some(value) = value {
            context.metric(name, 1, value);
        }
    }
}
