//! The original ids of the users and items of a version, where they are not numbers.
//!
//! `ids/users.parquet` and `ids/items.parquet` inside a version, each `id int32, name string`, as the dataset had them that the model
//! was trained on. Spark's `ALSModel.load` reads `metadata/`, `userFactors/` and `itemFactors/` and looks at nothing else; in Spark they
//! are a join away.

use std::path::Path;
use std::sync::Arc;

use super::record::ModelRecord;
use crate::dataset::Dataset;
use crate::error::Result;
use crate::names::{self, Names, check_same};

/// The folder's name inside a version.
pub(super) const FOLDER: &str = "ids";
/// The users' list in it.
pub(super) const USERS: &str = "users.parquet";
/// The items' list in it.
pub(super) const ITEMS: &str = "items.parquet";

/// The original ids of the model at `directory`; none where ids are numbers.
///
/// # Errors
/// A list that is damaged.
pub fn read(directory: &Path) -> Result<Names> {
    let side = |file: &str| {
        let path = directory.join(FOLDER).join(file);
        if path.is_file() { names::read(&path).map(|map| Some(Arc::new(map))) } else { Ok(None) }
    };
    Ok(Names { users: side(USERS)?, items: side(ITEMS)? })
}

/// Checks that the numbers of the model at `directory` and those of `dataset` (at `path`, as people write it) mean the same ids. A model
/// that Spark saved has no names of its own; it takes part in those of the dataset.
///
/// # Errors
/// They do not; a list that is damaged.
pub fn check_against(directory: &Path, dataset: &Dataset, path: &str) -> Result<()> {
    let (ours, theirs) = (read(directory)?, dataset.names()?);
    if ours.is_empty() && (theirs.is_empty() || ModelRecord::read(directory)?.is_none()) {
        return Ok(());
    }
    check_same(("the model", &ours), (&format!("`{path}`"), &theirs))
}
