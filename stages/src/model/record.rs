//! `recflow.json`: what is known about a version beyond its factors.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cold_start::{ColdRule, ColdStart};
use crate::als::{AlsParams, Iteration};
use crate::context::PublishKey;
use crate::error::{Result, StageError};
use crate::matrix::Duplicates;

/// The file's name inside a version.
pub const FILE: &str = "recflow.json";

/// The format this binary writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// What is known about a version beyond its factors. Written once, with the version, and never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelRecord {
    /// Version of this format; [`FORMAT`].
    pub format: u32,
    /// The version's name.
    pub version: String,
    /// When it was published: RFC 3339, UTC, to the millisecond. Decides which version is newest.
    pub created_at: String,
    /// The work it is the result of.
    pub publish_key: PublishKey,
    /// The output of the stage, returned again if an attempt finds its work already published.
    pub output: Value,
    /// The version of recflow that trained it.
    pub binary_version: String,
    /// The instruction set it was trained on; on another one the same seed gives slightly other factors.
    pub instruction_set: String,
    /// All parameters, seed included.
    pub params: AlsParams,
    /// Days after which a rating counted half; absent if all counted the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recency_half_life: Option<f64>,
    /// The version whose factors the training started from; absent if they were random.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_start: Option<String>,
    /// What became of repeated ratings.
    pub duplicates: Duplicates,
    /// What is predicted for users and items that it does not know. Records from before there was a choice: `drop`.
    #[serde(default)]
    pub cold_start: ColdStart,
    /// Mean of the ratings trained on; absent if they were implicit, and in old records.
    #[serde(default)]
    pub mean_rating: Option<f64>,
    /// What it was trained on.
    pub dataset: DatasetRecord,
    /// What was held out of the training to measure it on; absent if nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holdout: Option<HoldoutRecord>,
    /// Floats in a factor.
    pub rank: usize,
    /// Users with factors.
    pub users: u64,
    /// Items with factors.
    pub items: u64,
    /// Ratings trained on, after duplicates were resolved.
    pub ratings: u64,
    /// Wall-clock seconds of the sweeps.
    pub fit_seconds: f64,
    /// The figures of the published factors by name: `loss`, `train_rmse`, `holdout_rmse`.
    pub metrics: BTreeMap<String, f64>,
    /// Every sweep.
    pub iterations: Vec<Iteration>,
}

/// The dataset that a model was trained on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DatasetRecord {
    /// The path as the pipeline names it.
    pub path: String,
    /// Content fingerprint: same rows, same fingerprint.
    pub fingerprint: String,
    /// Rows in it.
    pub rows: u64,
}

/// The ratings that a training was measured on after each sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HoldoutRecord {
    /// The share of `dataset` that was drawn; absent if they are a dataset of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// The dataset that they are; absent if they were drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<DatasetRecord>,
    /// How many are of a user and an item trained on; these were scored.
    pub scored: u64,
    /// How many are not.
    pub cold: u64,
    /// The sweep with the lowest error on them; with early stopping its factors were published.
    pub best_iteration: u64,
}

/// `instant` as `created_at` holds it.
pub fn to_created_at(instant: Timestamp) -> String {
    format!("{:.3}", Timestamp::from_millisecond(instant.as_millisecond()).unwrap_or(instant))
}

impl ModelRecord {
    /// When the version was published; `None` if the text is no instant.
    pub fn created_at(&self) -> Option<Timestamp> {
        self.created_at.parse().ok()
    }

    /// The rule for users and items that the model does not know.
    ///
    /// # Errors
    /// It is the mean, and the record holds none.
    pub fn cold_rule(&self) -> Result<ColdRule> {
        match (self.cold_start, self.mean_rating) {
            (ColdStart::Drop, _) => Ok(ColdRule::Drop),
            (ColdStart::Nan, _) => Ok(ColdRule::Nan),
            (ColdStart::Mean, Some(mean)) => Ok(ColdRule::Mean(mean)),
            (ColdStart::Mean, None) => {
                let message = format!("the {FILE} of `{}` has `cold_start: mean` but no `mean_rating`", self.version);
                Err(StageError::input(message).with_hint("it was changed by hand; train again"))
            }
        }
    }

    /// The record of the version at `directory`; `None` if it has none, as a model that Spark saved.
    ///
    /// # Errors
    /// A record that cannot be read, or one in a newer format than this binary knows.
    pub fn read(directory: &Path) -> Result<Option<Self>> {
        #[derive(Deserialize)]
        struct Header {
            format: u32,
        }
        let path = directory.join(FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StageError::io("read", &path, &error)),
        };
        let malformed =
            |error: serde_json::Error| StageError::input(format!("`{}` is not a model record", path.display())).with_cause(error);
        let Header { format } = serde_json::from_slice(&text).map_err(malformed)?;
        if format > FORMAT {
            let message = format!("`{}` has format {format}; this recflow knows formats up to {FORMAT}", path.display());
            return Err(StageError::input(message).with_hint("use the newer recflow that wrote it"));
        }
        serde_json::from_slice(&text).map(Some).map_err(malformed)
    }
}
