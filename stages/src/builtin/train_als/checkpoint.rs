//! What a long training can go on from after a crash.
//!
//! After some sweeps the state of the training is written to `.checkpoints/KEY.ckpt` in the folder of models, `KEY` being a hash of the publish key:
//! so a retry or a resume of the same work finds it, and no other does. A training that goes on from there ends with the same
//! factors, bit for bit, as one that was never interrupted; therefore everything that decides over a digit must agree, the
//! [`Identity`]. What is torn or of another training is ignored, with a warning that says why.
//!
//! A checkpoint is an extra: if it cannot be written the training goes on, with a warning. It goes when the model is published; those of
//! runs that nobody resumed go after [`DAYS_KEPT`] days.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::checkpoint_file::{self, State, StateRef};
use super::early_stopping::EarlyStopping;
use crate::als::AlsParams;
use crate::context::{Context, PublishKey};
use crate::matrix::{Duplicates, RatingMatrix};

/// The hidden folder in the folder of models.
const FOLDER: &str = ".checkpoints";

/// Without `checkpoint_every`, so much time passes between two checkpoints. A shorter training is as quickly done again.
const SECONDS_BETWEEN: f64 = 60.0;

/// After so many days without a change a checkpoint is given up.
const DAYS_KEPT: i64 = 7;

/// All that decides over the digits of a training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) publish_key: PublishKey,
    /// Fingerprint of the dataset trained on.
    pub(super) dataset: String,
    /// Fingerprint of the dataset measured on.
    pub(super) validation: Option<String>,
    pub(super) holdout: Option<f64>,
    pub(super) early_stopping: Option<EarlyStopping>,
    pub(super) params: AlsParams,
    #[serde(default)]
    pub(super) recency_half_life: Option<f64>,
    /// The version that it started from.
    #[serde(default)]
    pub(super) warm_start: Option<String>,
    pub(super) duplicates: Duplicates,
    pub(super) instruction_set: String,
    pub(super) binary_version: String,
}

impl Identity {
    /// The names of what differs between the two.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let fields = |identity: &Self| match serde_json::to_value(identity) {
            Ok(Value::Object(fields)) => fields,
            _ => serde_json::Map::new(),
        };
        let theirs = fields(other);
        fields(self).into_iter().filter(|(name, value)| theirs.get(name) != Some(value)).map(|(name, _)| name).collect()
    }
}

/// The checkpoint of one training.
#[derive(Debug)]
pub(super) struct Checkpoint<'a> {
    path: PathBuf,
    identity: Identity,
    /// Sweeps between two; 0 for none at all. Without it the clock decides.
    every: Option<u64>,
    /// When the last one was written, or the training began.
    last: Timestamp,
    context: &'a Context,
}

impl<'a> Checkpoint<'a> {
    /// For a training that is published in `models`. Removes what has been given up there.
    pub(super) fn new(models: &Path, identity: Identity, every: Option<u64>, context: &'a Context) -> Self {
        remove_old(&models.join(FOLDER), context);
        Self { path: path(models, &context.publish_key), identity, every, last: context.clock.now(), context }
    }

    /// The state to go on from, if there is one. `matrix` tells its shape.
    pub(super) fn load(&self, matrix: &RatingMatrix) -> Option<State> {
        let rank = self.identity.params.width();
        match checkpoint_file::read(&self.path, &self.identity, matrix, rank) {
            Ok(state) => state,
            Err(why) => {
                let path = self.context.display(&self.path);
                self.context.warn(format!("the checkpoint `{path}` is ignored, and the training begins anew: {why}"));
                None
            }
        }
    }

    /// Writes `state` if it is time to. The training is the same whether that succeeds or not.
    pub(super) fn keep(&mut self, state: StateRef<'_>) {
        let sweep = state.iterations.len() as u64;
        let now = self.context.clock.now();
        let is_due = match self.every {
            Some(every) => every > 0 && sweep.is_multiple_of(every),
            None => now.duration_since(self.last).as_secs_f64() >= SECONDS_BETWEEN,
        };
        if !is_due {
            return;
        }
        match checkpoint_file::write(&self.path, &self.identity, state, &*self.context.storage) {
            Ok(()) => self.last = self.context.clock.now(),
            Err(error) => self.context.warn(format!("no checkpoint after iteration {sweep}; the training goes on: {error}")),
        }
    }
}

/// Removes the checkpoint of the work that `context` stands for, once it is published.
pub(super) fn discard(models: &Path, context: &Context) {
    // There need not be one.
    let _ = context.storage.remove_file(&path(models, &context.publish_key));
}

fn path(models: &Path, key: &PublishKey) -> PathBuf {
    let hash = blake3::hash(key.as_str().as_bytes()).to_hex();
    models.join(FOLDER).join(format!("{}.ckpt", &hash[..32]))
}

/// Removes all that nobody has changed for long. As far as that is possible: it does no harm but take up space.
fn remove_old(folder: &Path, context: &Context) {
    let now_ms = context.clock.now().as_millisecond();
    let age_ms = |changed: SystemTime| now_ms - changed.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let changed = entry.metadata().and_then(|metadata| metadata.modified());
        let is_old = changed.is_ok_and(|changed| age_ms(changed) > DAYS_KEPT * 24 * 3_600_000);
        if is_old && context.storage.remove_file(&entry.path()).is_ok() {
            context.info(format!("removed `{}`: no training has changed it for {DAYS_KEPT} days", context.display(&entry.path())));
        }
    }
}
