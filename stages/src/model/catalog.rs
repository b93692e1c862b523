//! A version as people see it: parameters, data, figures, and what was decided about it.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use super::evaluations::{self, EvaluationRecord};
use super::promotion::{History, Promotion, Standing};
use super::record::{DatasetRecord, to_created_at};
use super::versions::{self, Version};
use crate::als::AlsParams;
use crate::context::Context;
use crate::error::Result;

/// A version in a few figures.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "ModelVersion")]
pub struct Listed {
    /// Its name.
    pub version: String,
    /// Where it lies.
    pub path: String,
    /// Whether it is the current one.
    pub current: bool,
    /// When it was published, RFC 3339; none if nothing tells.
    pub created_at: Option<String>,
    /// Floats in a factor.
    pub rank: u64,
    /// All parameters of its training; none, as all below up to `metrics`, for a model that Spark saved.
    pub params: Option<AlsParams>,
    /// Users with factors.
    pub users: Option<u64>,
    /// Items with factors.
    pub items: Option<u64>,
    /// Ratings trained on.
    pub ratings: Option<u64>,
    /// The dataset trained on.
    pub dataset: Option<DatasetRecord>,
    /// Figures by name: those of the training (`loss`, `train_rmse`), and those last measured on a test set (`rmse`, `mae`, …).
    pub metrics: BTreeMap<String, f64>,
    /// The test set that they were measured on.
    pub measured_on: Option<String>,
}

/// A version in full.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "ModelDetails")]
pub struct Details {
    /// The version.
    #[serde(flatten)]
    pub listed: Listed,
    /// What was measured of it, newest first.
    pub evaluations: Vec<EvaluationRecord>,
    /// What was decided about it, newest first.
    pub decisions: Vec<Promotion>,
}

/// All versions in `models`, newest first.
///
/// # Errors
/// The folder or the link `current` cannot be read.
pub fn list(models: &Path, context: &Context) -> Result<Vec<Listed>> {
    let history = History::read(models, context)?;
    let versions = versions::list(models, context)?;
    versions.into_iter().map(|version| Ok(describe(version, &history, context)?.listed)).collect()
}

/// The version that `text` names in `models`: `latest`, `current` or a name.
///
/// # Errors
/// No such version, or a broken one.
pub fn show(models: &Path, text: &str, context: &Context) -> Result<Details> {
    let version = versions::find(models, &text.into(), context)?;
    describe(version, &History::read(models, context)?, context)
}

/// The figures of a version by name: those of its training, and those last measured by an evaluation that was recorded.
///
/// # Errors
/// The recorded evaluations cannot be listed.
pub fn metrics(version: &Version, context: &Context) -> Result<BTreeMap<String, f64>> {
    Ok(with_measured(version, evaluations::list(&version.path, context)?.first()))
}

fn with_measured(version: &Version, newest: Option<&EvaluationRecord>) -> BTreeMap<String, f64> {
    let mut metrics = version.record.as_ref().map(|record| record.metrics.clone()).unwrap_or_default();
    metrics.extend(newest.into_iter().flat_map(|evaluation| evaluation.metrics.clone()));
    metrics
}

fn describe(version: Version, history: &History, context: &Context) -> Result<Details> {
    let evaluations = evaluations::list(&version.path, context)?;
    let mut metrics = with_measured(&version, evaluations.first());
    let mut measured_on = evaluations.first().map(|evaluation| evaluation.ratings.path.clone());
    let about = |record: &&Promotion| standing(record, &version.name).is_some() || record.version == version.name;
    let decisions: Vec<Promotion> = history.decisions.iter().filter(about).cloned().collect();
    // A comparison measures too; what was recorded last counts.
    let compared = decisions.iter().find_map(|record| Some((record, standing(record, &version.name)?)));
    if let Some((record, standing)) = compared
        && evaluations.first().is_none_or(|evaluation| evaluation.evaluated_at < record.decided_at)
    {
        metrics.extend([("rmse", standing.own_rmse), ("mae", standing.own_mae)].into_iter().filter_map(|(k, v)| Some((k.to_owned(), v?))));
        measured_on = record.comparison.as_ref().map(|comparison| comparison.ratings.path.clone());
    }
    let record = version.record;
    let listed = Listed {
        current: history.current_version() == Some(&version.name),
        path: context.display(&version.path),
        version: version.name,
        created_at: version.created_at.map(to_created_at),
        rank: version.rank as u64,
        users: record.as_ref().map(|record| record.users),
        items: record.as_ref().map(|record| record.items),
        ratings: record.as_ref().map(|record| record.ratings),
        dataset: record.as_ref().map(|record| record.dataset.clone()),
        params: record.map(|record| record.params),
        metrics,
        measured_on,
    };
    Ok(Details { listed, evaluations, decisions })
}

/// How `version` did in the comparison of a decision.
fn standing<'r>(record: &'r Promotion, version: &str) -> Option<&'r Standing> {
    let comparison = record.comparison.as_ref()?;
    let both = [Some(&comparison.challenger), comparison.champion.as_ref()];
    both.into_iter().flatten().find(|standing| standing.version == version)
}
