//! `check`: asserts what must hold of a dataset, of files and of figures before the next task builds on them.
//!
//! Every bound that is given is looked at, and all that do not hold are told at once. Rows, nulls and age of the snapshot stand in the
//! manifest; what needs the ratings themselves is found in one pass, a file a thread, and only if a bound asks for it. Nothing is written.

mod bounds;
mod facts;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::dataset::Dataset;
use crate::error::{Result, StageError};
use crate::netflix::RatingRange;
use crate::stage::{Runs, Stage, WorkspacePath};
use bounds::{Age, Checks};
use facts::Facts;

/// Asserts things of data and figures.
#[derive(Debug)]
pub struct Check;

/// Inputs of `check`. At least one bound must be given.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckInputs {
    /// Dataset of ratings that the bounds up to `max_null_share` concern.
    pub ratings: Option<WorkspacePath>,
    /// At least so many rows.
    pub min_rows: Option<u64>,
    /// At most so many rows.
    pub max_rows: Option<u64>,
    /// At least so many users.
    pub min_users: Option<u64>,
    /// At least so many items.
    pub min_items: Option<u64>,
    /// The lowest and the highest rating allowed, such as `0.5-5`.
    pub rating_range: Option<RatingRange>,
    /// Longest time from the end of the newest DATE to the run's logical date, such as `2d` or `36h`.
    pub max_age: Option<Age>,
    /// Longest time from the publication of the dataset to now. A plain folder was never published, and fails.
    pub max_snapshot_age: Option<Age>,
    /// Share of the rows, 0 to 1, that may hold a null. Only folders that another engine wrote can.
    #[schemars(range(min = 0, max = 1))]
    pub max_null_share: Option<f64>,
    /// Files, each with its bounds; one that is not there fails.
    #[serde(default)]
    pub files: Vec<FileBounds>,
    /// Figures by name, each with its value (a template, such as `{{ tasks.test.output.rmse }}`) and its bounds.
    #[serde(default)]
    pub metrics: BTreeMap<String, MetricBounds>,
    /// What a bound that does not hold does.
    #[serde(default)]
    pub on_failure: OnFailure,
}

/// Bounds of a file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct FileBounds {
    /// The file.
    pub path: WorkspacePath,
    /// Fewest bytes; unless given, the file must only be there.
    pub min_bytes: Option<u64>,
    /// Most bytes.
    pub max_bytes: Option<u64>,
    /// Longest time since it was last changed.
    pub max_age: Option<Age>,
}

/// Bounds of a figure.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct MetricBounds {
    /// The figure. One that is absent (null, as what could not be measured is) fails.
    pub value: Option<f64>,
    /// Lowest value allowed.
    pub min: Option<f64>,
    /// Highest value allowed.
    pub max: Option<f64>,
    /// Whether an absent figure passes.
    #[serde(default)]
    pub allow_null: bool,
}

/// What a bound that does not hold does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum OnFailure {
    /// The task fails and names all of them.
    #[default]
    Fail,
    /// The task succeeds with a warning for each; `passed` is false.
    Warn,
}

/// What `check` returns.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CheckOutput {
    /// Whether every bound holds.
    pub passed: bool,
    /// Every bound, in the order of the inputs.
    pub checks: Vec<Outcome>,
}

/// What became of one bound.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Outcome {
    /// Which bound: `min_rows`, `metrics.rmse.max`, `files.train.txt.min_bytes`.
    pub name: String,
    /// What was found; ages are in seconds. Absent if there is no such figure.
    pub value: Option<f64>,
    /// What was allowed, in the unit of the value.
    pub bound: f64,
    /// Whether it holds.
    pub passed: bool,
    /// Both in words.
    pub message: String,
}

impl Stage for Check {
    const NAME: &'static str = "check";
    const SUMMARY: &'static str = "Asserts rows, ranges, freshness and nulls of a dataset, files and floors of figures";
    const RUNS: Runs = Runs::Child;
    type Inputs = CheckInputs;
    type Output = CheckOutput;

    fn run(inputs: CheckInputs, context: &Context) -> Result<CheckOutput> {
        let mut checks = Checks::default();
        match &inputs.ratings {
            Some(path) => {
                let dataset = Dataset::open(&context.resolve(path), context)?;
                checks.dataset(&inputs, &Facts::of(&dataset, inputs.needs_rows(), context)?, context);
            }
            None if inputs.concerns_ratings() => {
                let message = "a bound concerns the dataset `ratings`, which is not given";
                return Err(StageError::input(message).with_hint("add `ratings: …`, the path of the dataset to check"));
            }
            None => {}
        }
        inputs.files.iter().for_each(|file| checks.file(file, context));
        inputs.metrics.iter().for_each(|(name, bounds)| checks.metric(name, bounds));
        let unbounded = inputs.metrics.iter().find(|(_, bounds)| bounds.min.is_none() && bounds.max.is_none());
        if let Some((name, _)) = unbounded {
            let message = format!("the figure `{name}` under `metrics` has no bound");
            return Err(StageError::input(message).with_hint("give it a `min` or a `max`"));
        }
        conclude(checks.outcomes, inputs.on_failure, context)
    }
}

/// The output, or the failure that names every bound which does not hold.
fn conclude(outcomes: Vec<Outcome>, on_failure: OnFailure, context: &Context) -> Result<CheckOutput> {
    if outcomes.is_empty() {
        return Err(StageError::input("there is nothing to check").with_hint("`recflow stages check` lists the bounds"));
    }
    let failed: Vec<&Outcome> = outcomes.iter().filter(|outcome| !outcome.passed).collect();
    match on_failure {
        OnFailure::Fail if !failed.is_empty() => {
            let messages: Vec<&str> = failed.iter().map(|outcome| outcome.message.as_str()).collect();
            let message = format!("{} of {} checks failed: {}", failed.len(), outcomes.len(), messages.join("; "));
            return Err(StageError::input(message).with_hint("mend the data, change the bounds, or let `on_failure: warn` go on"));
        }
        _ => failed.iter().for_each(|outcome| context.warn(&outcome.message)),
    }
    outcomes.iter().filter(|outcome| outcome.passed).for_each(|outcome| context.info(&outcome.message));
    Ok(CheckOutput { passed: failed.is_empty(), checks: outcomes })
}

impl CheckInputs {
    /// Whether a bound needs the ratings themselves.
    fn needs_rows(&self) -> bool {
        self.min_users.is_some() || self.min_items.is_some() || self.rating_range.is_some() || self.max_age.is_some()
    }

    /// Whether a bound is about the dataset.
    fn concerns_ratings(&self) -> bool {
        let of_manifest = self.min_rows.is_some() || self.max_rows.is_some() || self.max_null_share.is_some();
        of_manifest || self.max_snapshot_age.is_some() || self.needs_rows()
    }
}
