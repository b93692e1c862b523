//! `promotion.json`: a decision as it is stored. Written once and never changed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pointer::FOLDER;
use crate::context::PublishKey;
use crate::error::{Result, StageError};
use crate::metrics::Metric;
use crate::model::record::DatasetRecord;
use crate::storage::{Storage, write_atomically};

/// The file's name in the folder of its number.
const FILE: &str = "promotion.json";

/// The format that this version writes, and the newest that it reads.
pub(super) const FORMAT: u32 = 1;

/// How a decision came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "PromotionDecision")]
pub enum Decision {
    /// Stage `promote` compared champion and challenger.
    Comparison,
    /// A person named the version.
    Person,
    /// A person went back to what was current before.
    Rollback,
}

/// A decision: a version that became current, or a challenger that did not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Promotion {
    /// Version of this format.
    pub format: u32,
    /// Number of the decision, rising by time.
    pub number: u64,
    /// When it was made: RFC 3339, UTC, to the millisecond.
    pub decided_at: String,
    /// The work that it is the result of.
    pub publish_key: PublishKey,
    /// How it came about.
    pub decision: Decision,
    /// Whether the version became current.
    pub promoted: bool,
    /// The version in question.
    pub version: String,
    /// The version that was current before; none if there was none.
    pub previous: Option<String>,
    /// The record of the promotion that was in effect before.
    pub replaces: Option<u64>,
    /// The record of the promotion that a rollback went back to, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restores: Option<u64>,
    /// Why, in words with figures.
    pub reason: String,
    /// What was measured; none if a person decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
}

/// Champion against challenger on one test set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// The test set.
    pub ratings: DatasetRecord,
    /// What decided.
    pub metric: Metric,
    /// How much worse the challenger might have been, in the unit of the metric.
    pub tolerance: f64,
    /// Ratings of the test set that all who took part can score.
    pub pairs: u64,
    /// The champion; none if the challenger had no opponent.
    pub champion: Option<Standing>,
    /// The challenger.
    pub challenger: Standing,
}

/// How a model did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Standing {
    /// The version.
    pub version: String,
    /// The metric that decides, on the pairs that both models can score; absent if it is no number there.
    pub value: Option<f64>,
    /// RMSE in stars on the pairs that both models can score.
    pub rmse: Option<f64>,
    /// MAE in stars on the pairs that both models can score.
    pub mae: Option<f64>,
    /// Ratings of the test set whose user and item this model knows.
    pub scored: u64,
    /// Their share of the test set, 0 to 1.
    pub coverage: f64,
    /// RMSE in stars on all pairs that this model can score.
    pub own_rmse: Option<f64>,
    /// MAE in stars on all pairs that this model can score.
    pub own_mae: Option<f64>,
}

/// The folder of record `number`.
pub(super) fn folder(models: &Path, number: u64) -> PathBuf {
    models.join(FOLDER).join(number.to_string())
}

impl Promotion {
    /// Writes the record, durable when this returns; nothing leads to it yet.
    pub(super) fn write(&self, models: &Path, storage: &dyn Storage) -> Result<()> {
        let folder = folder(models, self.number);
        let failed = |error| StageError::io("write", &folder, &error);
        storage.create_dir_all(&folder).map_err(failed)?;
        if self.promoted {
            // What makes the link `current` lead through this folder to the version.
            let target: PathBuf = ["..", "..", &self.version].iter().collect();
            storage.symlink(&target, &folder.join(&self.version)).map_err(failed)?;
        }
        write_atomically(storage, &folder.join(FILE), |file| serde_json::to_writer_pretty(file, self).map_err(io::Error::from))?;
        storage.sync_dir(&models.join(FOLDER)).map_err(failed)?;
        storage.sync_dir(models).map_err(failed)
    }

    /// Record `number`; `None` if it was never finished.
    ///
    /// # Errors
    /// A record that cannot be read, or one in a newer format than this binary knows.
    pub(super) fn read(models: &Path, number: u64) -> Result<Option<Self>> {
        #[derive(Deserialize)]
        struct Header {
            format: u32,
        }
        let path = folder(models, number).join(FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StageError::io("read", &path, &error)),
        };
        let malformed = |error: serde_json::Error| {
            StageError::input(format!("`{}` is not the record of a promotion", path.display())).with_cause(error)
        };
        let Header { format } = serde_json::from_slice(&text).map_err(malformed)?;
        if format > FORMAT {
            let message = format!("`{}` has format {format}; this recflow knows formats up to {FORMAT}", path.display());
            return Err(StageError::input(message).with_hint("use the newer recflow that wrote it"));
        }
        serde_json::from_slice(&text).map(Some).map_err(malformed)
    }
}
