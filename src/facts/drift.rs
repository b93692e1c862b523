//! Drift over time: what each look at a stream of ratings measured, against its thresholds, and what followed.

use std::collections::{BTreeMap, BTreeSet};

use recflow_state::{Result, StageOutput, View};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::units::time;

/// Looks for drift.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Drift {
    /// The pipelines among the looks, by name.
    pub pipelines: Vec<String>,
    /// The looks, oldest first.
    pub points: Vec<DriftPoint>,
}

/// A look for drift.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DriftPoint {
    /// The run that looked.
    pub run: String,
    /// Its pipeline.
    pub pipeline: String,
    /// The task.
    pub task: String,
    /// When, RFC 3339.
    pub at: String,
    /// The larger of the data's and the model's score; null if nothing arrived.
    pub score: Option<f64>,
    /// Above this the score speaks for a retraining; null if nothing arrived.
    pub threshold: Option<f64>,
    /// Whether to retrain.
    pub should_retrain: bool,
    /// Whether that was done: by this run, or by one that its end started.
    pub retrained: bool,
    /// What the scores are made of: `data_` or `model_` and the metric's name.
    pub metrics: BTreeMap<String, DriftMetric>,
    /// Shares of the ratings by their value.
    pub histograms: Option<Histograms>,
    /// The verdict, then what led to it.
    pub reasons: Vec<String>,
}

/// A metric against its threshold.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct DriftMetric {
    /// Its value; the size of a shift.
    pub value: Option<f64>,
    /// Above this it speaks for drift.
    pub threshold: Option<f64>,
    /// Whether it does.
    pub over: bool,
}

/// The ratings before and now.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Histograms {
    /// Of those trained on.
    pub original: Map<String, Value>,
    /// Of those that arrived.
    pub current: Map<String, Value>,
}

/// The score counts in multiples of the thresholds.
const SCORE_THRESHOLD: f64 = 1.0;

impl Drift {
    /// The newest `limit` looks: of one pipeline, or of all.
    pub fn of(pipeline: Option<&str>, limit: u32, view: &View<'_>) -> Result<Self> {
        let mut points = Vec::new();
        for look in view.drift_outputs(pipeline, limit)?.into_iter().rev() {
            let retrained = view.has_trained(&look.run)?
                || view
                    .runs_caused_by(&look.run)?
                    .iter()
                    .try_fold(false, |any, run| recflow_state::Result::Ok(any || view.has_trained(run)?))?;
            points.push(DriftPoint::of(look, retrained));
        }
        let pipelines: BTreeSet<String> = points.iter().map(|point| point.pipeline.clone()).collect();
        Ok(Self { pipelines: pipelines.into_iter().collect(), points })
    }
}

impl DriftPoint {
    /// Read leniently: a store holds the outputs of every version that ever wrote into it.
    fn of(look: StageOutput, retrained: bool) -> Self {
        let StageOutput { run, pipeline, task, ended_at, output } = look;
        let arrived = output["interval"].is_object();
        let mut metrics = BTreeMap::new();
        for (prefix, part) in [("data", &output["data_drift"]), ("model", &output["model_drift"])] {
            for term in part["terms"].as_array().into_iter().flatten() {
                let Some(name) = term["metric"].as_str() else { continue };
                let (value, threshold) = (term["value"].as_f64(), term["threshold"].as_f64());
                let over = value.zip(threshold).is_some_and(|(value, threshold)| value > threshold);
                metrics.insert(format!("{prefix}_{name}"), DriftMetric { value, threshold, over });
            }
        }
        let reasons = output["reasons"].as_array().into_iter().flatten();
        Self {
            run: run.to_string(),
            pipeline,
            task,
            at: time(ended_at),
            score: output["drift_score"].as_f64().filter(|_| arrived),
            threshold: arrived.then_some(SCORE_THRESHOLD),
            should_retrain: output["should_retrain"] == true,
            retrained,
            metrics,
            histograms: histograms(&output["data_drift"]["histogram"]),
            reasons: reasons.filter_map(|reason| reason.as_str().map(str::to_owned)).collect(),
        }
    }
}

fn histograms(bars: &Value) -> Option<Histograms> {
    let bars = bars.as_array()?;
    let shares = |side: &str| {
        let counts: Vec<(String, f64)> = bars.iter().filter_map(|bar| Some((bar["value"].to_string(), bar[side].as_f64()?))).collect();
        let all: f64 = counts.iter().map(|(_, count)| count).sum();
        counts.into_iter().map(|(value, count)| (value, Value::from(if all > 0.0 { count / all } else { 0.0 }))).collect()
    };
    Some(Histograms { original: shares("original"), current: shares("current") })
}

#[cfg(test)]
mod tests {
    use recflow_state::{RunId, UnixMs};
    use serde_json::json;

    use super::*;

    fn point(output: Value) -> DriftPoint {
        let look = StageOutput { run: RunId::from_random(1), pipeline: "p".to_owned(), task: "t".to_owned(), ended_at: UnixMs(0), output };
        DriftPoint::of(look, true)
    }

    #[test]
    fn a_look_shows_each_metric_against_its_threshold_and_shares_of_the_ratings() {
        let found = point(json!({
            "drift_score": 1.5, "should_retrain": true, "reasons": ["retrain", "psi"], "interval": { "lower": 1.1, "upper": 2.0 },
            "data_drift": {
                "score": 1.5,
                "terms": [{ "metric": "psi", "value": 0.5, "threshold": 0.25, "weight": 1.0 }],
                "histogram": [{ "value": 4.0, "original": 1, "current": 3 }, { "value": 5.0, "original": 3, "current": 1 }],
            },
            "model_drift": null,
        }));
        assert_eq!((found.score, found.threshold, found.should_retrain), (Some(1.5), Some(1.0), true));
        assert!(found.metrics["data_psi"].over && found.metrics.len() == 1);
        let histograms = found.histograms.unwrap();
        assert_eq!((&histograms.original["4.0"], &histograms.current["4.0"]), (&json!(0.25), &json!(0.75)));
    }

    #[test]
    fn a_look_at_which_nothing_arrived_has_no_score() {
        let found = point(json!({ "drift_score": 0.0, "should_retrain": false, "reasons": ["no streaming ratings"], "interval": null }));
        assert_eq!((found.score, found.threshold, found.histograms.is_none()), (None, None, true));
    }
}
