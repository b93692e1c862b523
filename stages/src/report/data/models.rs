//! The versions of a folder of models.

use std::path::Path;

use crate::context::Context;
use crate::error::Result;
use crate::model::catalog::{self, Listed};

/// A version.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Version {
    /// Its name.
    pub name: String,
    /// Whether it serves.
    pub is_current: bool,
    /// When it was published: RFC 3339.
    pub created_at: Option<String>,
    /// Floats in a factor.
    pub rank: u64,
    /// Weight of the regularisation.
    pub reg: Option<f64>,
    /// Ratings trained on.
    pub ratings: Option<u64>,
    /// RMSE last measured on a test set.
    pub rmse: Option<f64>,
    /// MAE last measured on a test set.
    pub mae: Option<f64>,
    /// RMSE over the ratings trained on.
    pub train_rmse: Option<f64>,
    /// The test set.
    pub measured_on: Option<String>,
}

impl From<Listed> for Version {
    fn from(listed: Listed) -> Self {
        let metric = |name: &str| listed.metrics.get(name).copied();
        Self {
            is_current: listed.current,
            rank: listed.rank,
            reg: listed.params.as_ref().map(|params| params.reg),
            ratings: listed.ratings,
            rmse: metric("rmse"),
            mae: metric("mae"),
            train_rmse: metric("train_rmse"),
            created_at: listed.created_at,
            measured_on: listed.measured_on,
            name: listed.version,
        }
    }
}

/// The versions in `models`, newest first.
///
/// # Errors
/// The folder, or its link `current`, cannot be read.
pub fn read(models: &Path, context: &Context) -> Result<Vec<Version>> {
    Ok(catalog::list(models, context)?.into_iter().map(Version::from).collect())
}
