//! One dataset of a transaction: what is there, what comes next, and whether it may be changed at all.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::location::{Current, Location};
use super::manifest::Manifest;
use super::open::Dataset;
use super::options::RatingType;
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
    /// The next snapshot, once it is written.
    pub(super) manifest: Option<Manifest>,
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
        Ok(Self { location, current, base, next, names: None, manifest: None })
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

/// Rewriting a partition would drop columns that recflow does not know: refused rather than done in silence.
pub(super) fn check_columns(base: Option<&Dataset>, name: &str) -> Result<()> {
    let known = Manifest::of_partitions(RatingType::Int, Vec::new(), None).columns;
    let columns = base.map(|base| base.manifest().columns.as_slice()).unwrap_or_default();
    match columns.iter().find(|column| !known.iter().any(|known| known.name == column.name)) {
        None => Ok(()),
        Some(column) => Err(StageError::input(format!("the dataset `{name}` has a column `{}`, which would be lost", column.name))
            .with_hint("drop the column from the dataset, write to another path, or use `mode: overwrite`")),
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
