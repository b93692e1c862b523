//! Work that found nothing to change: no snapshot is written for it, and yet it must be found to be done.
//!
//! An upsert of rows that are all there would give a snapshot equal to the current one. Daily repetitions of it would push every real
//! change out of the history, so the current snapshot stays and `N.unchanged.json` beside it records the publish key and the output of the
//! work. A repeated attempt finds them as it finds those of a manifest. Doing the work again would mostly give the same, but not if
//! somebody rolled the dataset back meanwhile: then it would undo that. The manifest itself is never changed: readers hold it locked.
//!
//! Where a task writes several datasets and only some change, these records are written before the commit. They are harmless if it never
//! comes: work counts as done only where *every* dataset bears its key.

use std::fs;
use std::io;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::location::Location;
use super::record::{FORMAT, read_json, write_json};
use crate::context::{Context, PublishKey};
use crate::error::{Result, StageError};
use crate::storage::Storage;

/// How many works are remembered for a snapshot, the latest. A resumed attempt asks for one of the last few; without a bound a task that
/// runs every minute and changes nothing would let the record grow for ever.
const WORKS_KEPT: usize = 32;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Record {
    format: u32,
    /// Oldest first.
    works: Vec<Work>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Work {
    publish_key: PublishKey,
    output: Value,
}

/// Records that the context's work left `snapshot` as it is and returned `output`. The caller holds the dataset's lock.
pub(super) fn record(location: &Location, snapshot: u64, output: &Value, context: &Context) -> Result<()> {
    let path = location.unchanged_file(snapshot);
    let mut record = read_json::<Record>(&path)?.unwrap_or_default();
    record.format = FORMAT;
    record.works.retain(|work| work.publish_key != context.publish_key);
    record.works.push(Work { publish_key: context.publish_key.clone(), output: output.clone() });
    record.works.drain(..record.works.len().saturating_sub(WORKS_KEPT));
    write_json(context.storage.as_ref(), &path, &record)
}

/// What the work of `key` returned, if it is recorded to have left `snapshot` as it is.
pub(super) fn output_of(location: &Location, snapshot: u64, key: &PublishKey) -> Result<Option<Value>> {
    let record = read_json::<Record>(&location.unchanged_file(snapshot))?.unwrap_or_default();
    Ok(record.works.into_iter().find(|work| work.publish_key == *key).map(|work| work.output))
}

/// Removes the record of a snapshot that goes.
pub(super) fn remove(location: &Location, snapshot: u64, storage: &dyn Storage) -> Result<()> {
    let path = location.unchanged_file(snapshot);
    // Asked first, as nearly always there is none and a removal would be one more operation that may fail.
    match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        _ => storage.remove_file(&path).map_err(|error| StageError::io("remove", &path, &error)),
    }
}
