//! What `process_stream` takes.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::dataset::{Compression, RatingTypeChoice};
use crate::netflix::{MaxBadRows, RatingRange};
use crate::stage::WorkspacePath;
use crate::stream::After;

/// Inputs of `process_stream`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProcessStreamInputs {
    /// The file to take in: CSV with the header `DATE,CUST_ID,MOVIE_ID,RATING` in any order, plain, gzip or Zstandard. `*` and `?` in the last part
    /// name several. Left alone: hidden, `.tmp`, `.part` and empty files, and those that are still being written.
    pub(super) csv: WorkspacePath,
    /// The folder that holds `train` and `test`, to which the ratings are added, and `batch/train` and `batch/test`, which hold those of these
    /// files alone. All become visible at the same instant.
    pub(super) output: WorkspacePath,
    /// The share of ratings that go to `train`. Which ones is decided for each by a hash of its movie, user and date.
    #[serde(default = "default_train_ratio")]
    #[schemars(range(min = 0, max = 1))]
    pub(super) train_ratio: f64,
    /// The same seed splits the same way.
    #[serde(default = "default_seed")]
    pub(super) seed: u64,
    /// What happens to a file whose ratings are in the datasets: `archive` moves it to the folder `archive` beside it, `delete` deletes it.
    #[serde(default)]
    pub(super) after: After,
    /// What happens if there is no file: the task is skipped, fails, or succeeds with no ratings.
    #[serde(default)]
    pub(super) on_missing: OnMissing,
    /// For how many seconds a file must not have changed before it is taken.
    #[serde(default = "default_settle_seconds")]
    #[schemars(range(min = 0, max = 3600))]
    pub(super) settle_seconds: f64,
    /// The stars that count as a rating: `0.5-5` by default.
    #[serde(default)]
    pub(super) rating_range: RatingRange,
    /// How many malformed lines are too many: a count, or a share such as 0.01. By default any number is dropped (and reported, as every one is),
    /// unless no row is good.
    #[serde(default)]
    pub(super) max_bad_rows: Option<MaxBadRows>,
    /// Type of the RATING column: `int` (whole stars), `float` (half stars), or `auto`: that of the dataset that is there, else what the ratings need.
    #[serde(default)]
    pub(super) rating_type: RatingTypeChoice,
    /// How files are compressed.
    #[serde(default)]
    pub(super) compression: Compression,
}

fn default_train_ratio() -> f64 {
    0.8
}

fn default_seed() -> u64 {
    42
}

fn default_settle_seconds() -> f64 {
    1.0
}

/// What happens if there is no file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum OnMissing {
    /// The task is skipped, and with it what needs it.
    #[default]
    Skip,
    /// The task fails; a retry looks again.
    Fail,
    /// The task succeeds with no ratings.
    Succeed,
}
