//! Which version of a folder serves.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::context::Context;
use crate::error::Result;
use crate::model::promotion::pointer::{self, Pointer};
use crate::model::versions::{self, CURRENT};
use crate::model::{Version, Which};

/// The version that `current` in `models` names or, if nothing was promoted yet, the newest; `None` if there is none at all.
///
/// Unlike [`versions::find`], which falls back to the newest, a promoted version that is broken is an error: whoever promoted it wanted no other.
///
/// # Errors
/// The version is broken or gone; the folder cannot be read.
pub fn current(models: &Path, context: &Context) -> Result<Option<Version>> {
    match pointer::read(models)? {
        Some(Pointer { version, .. }) => versions::find(models, &Which::Named(version), context).map(Some),
        None => Ok(versions::list(models, context)?.into_iter().next()),
    }
}

/// What a folder of models looked like at some time. Two that are equal mean that [`current`] need not be asked again; cheap to take.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Glimpse {
    current: Option<PathBuf>,
    changed: Option<SystemTime>,
}

impl Glimpse {
    /// How `models` looks now.
    pub fn of(models: &Path) -> Self {
        Self {
            current: fs::read_link(models.join(CURRENT)).ok(),
            changed: fs::metadata(models).and_then(|metadata| metadata.modified()).ok(),
        }
    }
}
