//! Opens a version: ours, or one that Spark saved.

use std::fs::File;
use std::path::Path;

use super::cold_start::{ColdRule, ColdStart};
use super::factors::AlsModel;
use super::parquet_factors;
use super::record::ModelRecord;
use super::spark;
use crate::error::{Result, StageError};

/// Folder of the users' factors inside a version.
pub(super) const USER_FACTORS: &str = "userFactors";
/// Folder of the items' factors inside a version.
pub(super) const ITEM_FACTORS: &str = "itemFactors";

/// Reads the model at `directory`.
///
/// # Errors
/// No such directory, metadata or a `recflow.json` that cannot be read, or factors that cannot be right: another shape than the metadata say, numbers that are not
/// finite, ids that come twice. The message names the file.
pub fn open(directory: &Path) -> Result<AlsModel> {
    if !directory.is_dir() {
        let message = format!("there is no model at `{}`", directory.display());
        return Err(StageError::input(message).with_hint("`find_model` gives the path of a version"));
    }
    // Whoever prunes passes over a version that is being read. Best effort: not every file system knows such locks.
    let _held = File::open(directory).ok().filter(|folder| folder.try_lock_shared().is_ok());
    let metadata = spark::read_metadata(directory)?;
    let cold_rule = match ModelRecord::read(directory)? {
        Some(record) => record.cold_rule()?,
        None if metadata.cold_start == ColdStart::Drop => ColdRule::Drop,
        None => ColdRule::Nan,
    };
    let side = |folder: &str| parquet_factors::read(&directory.join(folder), metadata.rank);
    let (users, items) = rayon::join(|| side(USER_FACTORS), || side(ITEM_FACTORS));
    Ok(AlsModel::new(users?, items?).with_cold_rule(cold_rule))
}
