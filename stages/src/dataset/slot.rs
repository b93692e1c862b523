//! One dataset of a transaction: what is there, what comes next, and whether it may be changed at all.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::location::{Current, Location};
use super::manifest::Manifest;
use super::open::Dataset;
use crate::context::Context;
use crate::error::{ErrorKind, Result, StageError};
use crate::names::Names;
use crate::storage::parent;

#[derive(Debug)]
pub(super) struct Slot {
    pub(super) location: Location,
    /// What the path was when the locks were taken.
    pub(super) current: Current,
    /// Its content; none if nothing was there.
    pub(super) base: Option<Dataset>,
    /// The number of the next snapshot.
    pub(super) next: u64,
    /// The original ids that the writer said the numbers mean; none if it said nothing of them.
    pub(super) names: Option<Names>,
    /// What it is to become, once that is decided.
    pub(super) outcome: Option<Outcome>,
}

/// What a dataset of a transaction is to become.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The snapshot in `.next/`, which this describes.
    Next(Box<Manifest>),
    /// What it is: this snapshot is already what the work would write.
    Unchanged(u64),
}

impl Slot {
    pub(super) fn open(location: Location, context: &Context) -> Result<Self> {
        let current = location.current()?;
        if current == Current::Plain {
            check_movable(&location.path)?;
        }
        let base = Dataset::at(&location, current, context)?;
        if base.is_none() && current != Current::Absent {
            return Err(StageError::input(format!(
                "the dataset `{}` points to a snapshot that is not there",
                context.display(&location.path)
            ))
            .with_hint("remove the link to begin anew"));
        }
        // An adopted folder becomes a snapshot too, the one before.
        let newest = location.snapshots()?.last().copied().unwrap_or(0);
        let next = newest + if current == Current::Plain { 2 } else { 1 };
        Ok(Self { location, current, base, next, names: None, outcome: None })
    }

    /// That nobody who does not know of the lock changed the path meanwhile.
    pub(super) fn check_unchanged(&self) -> Result<()> {
        if self.location.current()? == self.current {
            return Ok(());
        }
        Err(StageError::new(
            ErrorKind::Io,
            format!("another program changed `{}` while a new snapshot was written", self.location.path.display()),
        )
        .with_hint("try again: the work then starts from what is there now"))
    }
}

/// Numbers that are joined to a dataset of named users or items would be taken for others: refused rather than mixed up.
pub(super) fn check_ids(base: Option<&Dataset>, names: Option<&Names>, name: &str) -> Result<()> {
    if names.is_some() || base.is_none_or(|base| base.manifest().ids.is_none()) {
        return Ok(());
    }
    Err(StageError::input(format!(
        "the dataset `{name}` has the ids of its users or items mapped to numbers, which only `import` can continue"
    ))
    .with_hint("use the stage `import`, write to another path, or use `mode: overwrite`, which forgets the ids"))
}

/// A folder that is a mount point cannot be moved into a snapshot, which would show only after the commit.
fn check_movable(path: &Path) -> Result<()> {
    let device = |path: &Path| fs::metadata(path).map(|metadata| metadata.dev()).map_err(|error| StageError::io("open", path, &error));
    if device(path)? == device(parent(path))? {
        return Ok(());
    }
    Err(StageError::input(format!("`{}` is the root of a mounted volume, which cannot become a dataset", path.display()))
        .with_hint("give a path inside the volume, or mount the volume at the folder above"))
}
