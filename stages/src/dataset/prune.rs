//! Old snapshots go, except those that somebody reads.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use super::ids;
use super::journal::remove_snapshot;
use super::location::{Current, Location};
use super::open::Dataset;
use super::transaction::lock_settled;
use crate::context::Context;
use crate::error::{Result, StageError};
use crate::storage::Storage;

/// How many snapshots a publication keeps, the current one included.
pub const SNAPSHOTS_KEPT: usize = 3;

/// What became of the old snapshots.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "SnapshotsPruned")]
pub struct Pruned {
    /// Those that were removed, oldest first.
    pub removed: Vec<u64>,
    /// Those that a reader holds, and that stay until a later time.
    pub held: Vec<u64>,
}

/// Removes all but the newest `keep` snapshots of the dataset at `path`, waiting for a publisher that is at work. The current one stays
/// whatever `keep` is, and so does one that a reader holds.
///
/// # Errors
/// Nothing or no dataset at `path`; a file that cannot be removed; cancellation while waiting.
pub fn prune_snapshots(path: &Path, keep: usize, context: &Context) -> Result<Pruned> {
    let location = Location::of(path)?;
    if location.current()? == Current::Plain {
        return Ok(Pruned::default());
    }
    // Tells what is not there; let go at once, so that it is not this one that holds a snapshot.
    drop(Dataset::open(path, context)?);
    let _locks = lock_settled(std::slice::from_ref(&location), context)?;
    prune(&location, keep, context.storage.as_ref())
}

/// Removes all but the newest `keep` snapshots. The caller holds the dataset's lock.
///
/// A reader holds a shared lock on the manifest of its snapshot; one that is locked stays until a later publication.
pub(super) fn prune(location: &Location, keep: usize, storage: &dyn Storage) -> Result<Pruned> {
    let mut pruned = Pruned::default();
    let Current::Snapshot(current) = location.current()? else { return Ok(pruned) };
    let snapshots = location.snapshots()?;
    let old = snapshots.len().saturating_sub(keep);
    for &snapshot in snapshots[..old].iter().filter(|&&snapshot| snapshot != current) {
        let path = location.manifest_file(snapshot);
        let manifest = match File::open(&path) {
            Ok(manifest) => manifest,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(StageError::io("open", &path, &error)),
        };
        match manifest.try_lock() {
            // Held until the snapshot is gone: a reader that comes now waits, and then finds that it is.
            Ok(()) => {
                remove_snapshot(location, snapshot, storage)?;
                pruned.removed.push(snapshot);
            }
            Err(TryLockError::WouldBlock) => pruned.held.push(snapshot),
            Err(TryLockError::Error(error)) => return Err(StageError::io("lock", &path, &error)),
        }
    }
    ids::sweep(location, storage)?;
    Ok(pruned)
}
