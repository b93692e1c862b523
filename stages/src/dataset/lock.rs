//! One publisher a dataset: an operating system lock on `.NAME.snapshots/lock`, gone when its holder dies.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::location::Location;
use crate::context::Context;
use crate::error::{Result, StageError};

/// How often a lock that somebody else holds is tried again. The system can wait by itself, but then nobody could cancel it.
const POLL: Duration = Duration::from_millis(20);

/// The locks of several datasets. Dropping it lets them go.
#[derive(Debug)]
pub(super) struct Locks {
    _files: Vec<File>,
}

impl Locks {
    /// Takes the locks of all `locations`, waiting for whoever holds one. Always in the order of their paths, so that two
    /// publishers that want the same datasets cannot wait for each other.
    pub(super) fn take<'a>(locations: impl IntoIterator<Item = &'a Location>, context: &Context) -> Result<Self> {
        let ordered: BTreeSet<&Location> = locations.into_iter().collect();
        let files = ordered.into_iter().map(|location| take_one(location, context)).collect::<Result<_>>()?;
        Ok(Self { _files: files })
    }

    /// The same without waiting; `None` if somebody holds one.
    pub(super) fn try_take<'a>(locations: impl IntoIterator<Item = &'a Location>) -> Result<Option<Self>> {
        let ordered: BTreeSet<&Location> = locations.into_iter().collect();
        let mut files = Vec::with_capacity(ordered.len());
        for location in ordered {
            let path = lock_file(location);
            let file = open(&path)?;
            match file.try_lock() {
                Ok(()) => files.push(file),
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(StageError::io("lock", &path, &error)),
            }
        }
        Ok(Some(Self { _files: files }))
    }
}

fn lock_file(location: &Location) -> PathBuf {
    location.root.join("lock")
}

/// Not through the storage: a lock file holds no data.
fn open(path: &Path) -> Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(|error| StageError::io("lock", path, &error))
}

fn take_one(location: &Location, context: &Context) -> Result<File> {
    wait_for(&lock_file(location), || format!("another task publishes `{}`", context.display(&location.path)), context)
}

/// Takes the lock on the file at `path`, which is made if it is not there, and waits for whoever holds it. `who` says that to people.
///
/// # Errors
/// A file that cannot be opened; cancellation while waiting.
pub(crate) fn wait_for(path: &Path, who: impl Fn() -> String, context: &Context) -> Result<File> {
    let file = open(path)?;
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => context.check_cancelled()?,
            Err(TryLockError::Error(error)) => return Err(StageError::io("lock", path, &error)),
        }
        if !told {
            context.info(format!("waiting: {}", who()));
            told = true;
        }
        thread::sleep(POLL);
    }
}
