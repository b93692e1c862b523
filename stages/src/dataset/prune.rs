//! Old snapshots go, except those that somebody reads.

use std::fs::{File, TryLockError};
use std::io;

use super::journal::remove_snapshot;
use super::location::{Current, Location};
use crate::error::{Result, StageError};
use crate::storage::Storage;

/// How many snapshots are kept, the current one included.
const KEEP: usize = 3;

/// Removes all but the newest snapshots. The caller holds the dataset's lock.
///
/// A reader holds a shared lock on the manifest of its snapshot; one that is locked stays until a later publication.
pub(super) fn prune(location: &Location, storage: &dyn Storage) -> Result<()> {
    let Current::Snapshot(current) = location.current()? else { return Ok(()) };
    let snapshots = location.snapshots()?;
    let old = snapshots.len().saturating_sub(KEEP);
    for &snapshot in snapshots[..old].iter().filter(|&&snapshot| snapshot != current) {
        let path = location.manifest_file(snapshot);
        let manifest = match File::open(&path) {
            Ok(manifest) => manifest,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(StageError::io("open", &path, &error)),
        };
        match manifest.try_lock() {
            // Held until the snapshot is gone: a reader that comes now waits, and then finds that it is.
            Ok(()) => remove_snapshot(location, snapshot, storage)?,
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(StageError::io("lock", &path, &error)),
        }
    }
    Ok(())
}
