//! How a training went, sweep by sweep.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::{Result, StageError};
use crate::model::ModelRecord;

/// A training.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Training {
    /// Whose it was: a version, or a task.
    pub name: String,
    /// The sweep whose factors were best on held-out ratings, from 1.
    pub best: Option<u64>,
    /// Figures after each sweep by name: `loss`, `train_rmse`, `holdout_rmse`. A point is the number of the sweep and the value.
    pub series: BTreeMap<String, Vec<(u64, f64)>>,
}

/// The training of the version at `directory`, from its record.
///
/// # Errors
/// There is no record, as with a model that Spark saved, or it cannot be read.
pub fn read(directory: &Path) -> Result<Training> {
    let record = ModelRecord::read(directory)?.ok_or_else(|| {
        StageError::input(format!("`{}` has no record of its training", directory.display()))
            .with_hint("`training` is the output of `train_als`; models that Spark saved do not say how they were trained")
    })?;
    let mut series: BTreeMap<String, Vec<(u64, f64)>> = BTreeMap::new();
    for (sweep, iteration) in (1..).zip(&record.iterations) {
        let figures = [("loss", Some(iteration.loss)), ("train_rmse", iteration.train_rmse), ("holdout_rmse", iteration.holdout_rmse)];
        for (name, value) in figures {
            if let Some(value) = value {
                series.entry(name.to_owned()).or_default().push((sweep, value));
            }
        }
    }
    Ok(Training { name: record.version, best: record.holdout.map(|holdout| holdout.best_iteration), series })
}
