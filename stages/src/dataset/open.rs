//! Reading a dataset: opening it at a snapshot and staying there.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::adopt;
use super::ids;
use super::journal;
use super::location::{Current, Location};
use super::manifest::{FileEntry, Manifest, PartitionEntry};
use super::parquet_file;
use super::record;
use crate::context::{Context, Unit};
use crate::error::{ErrorKind, Result, StageError};
use crate::names::Names;
use crate::ratings::Ratings;

/// How often opening starts over because a publisher removed the snapshot in between. Each time a newer one was published.
const MAX_TRIES: usize = 100;

/// A dataset at one snapshot: stays on it whatever is published later.
///
/// While it lives (or a clone of it), no publisher removes the snapshot's files.
#[derive(Debug, Clone)]
pub struct Dataset {
    dir: PathBuf,
    manifest: Arc<Manifest>,
    hold: Hold,
}

/// What keeps the files in place.
#[derive(Debug, Clone)]
enum Hold {
    /// A shared lock on the snapshot's manifest: whoever prunes snapshots skips those that are locked.
    Snapshot { _manifest: Arc<File> },
    /// Nothing: a plain folder belongs to somebody else. This is its identity when it was opened.
    Plain { device: u64, inode: u64 },
}

impl Dataset {
    /// Opens the dataset at `path` (finishing a pending commit first) and stays on its current snapshot.
    ///
    /// A plain folder that another engine wrote is opened too; it is read once to learn its content. So is the folder of one snapshot.
    ///
    /// # Errors
    /// Nothing or no dataset at `path`; a manifest or file that cannot be read.
    pub fn open(path: &Path, context: &Context) -> Result<Dataset> {
        let location = Location::of(path)?;
        if let Some((of, number)) = location.as_snapshot()
            && let Some(dataset) = Self::at(&of, Current::Snapshot(number), context)?
        {
            return Ok(dataset);
        }
        for _ in 0..MAX_TRIES {
            let current = match (unfinished(&location, context)?, location.current()?) {
                (Some(snapshot), _) => Current::Snapshot(snapshot),
                (None, current) => current,
            };
            // `None`: pruned between the two steps, so a newer one is current by now.
            if let Some(dataset) = Self::at(&location, current, context)? {
                return Ok(dataset);
            }
            if location.current()? == current && current == Current::Absent {
                return Err(StageError::input(format!("there is no dataset at `{}`", context.display(path)))
                    .with_hint("run the stage that writes it first (`etl`), or check the path"));
            }
        }
        Err(StageError::input(format!("the dataset `{}` points to a snapshot that is not there", context.display(path))).with_hint(
            format!(
                "`{}` holds the snapshots that are; write the dataset again, or point its link to one of them",
                location.root.display()
            ),
        ))
    }

    /// Opens snapshot `number` of the dataset at `path`.
    ///
    /// # Errors
    /// A snapshot that is not kept any more.
    pub fn open_snapshot(path: &Path, number: u64, context: &Context) -> Result<Dataset> {
        Self::at(&Location::of(path)?, Current::Snapshot(number), context)?.ok_or_else(|| {
            StageError::input(format!("`{}` has no snapshot {number}", context.display(path)))
                .with_hint("`history` lists the snapshots that are kept")
        })
    }

    /// The dataset in that state, `None` if it is absent or the snapshot is gone.
    pub(super) fn at(location: &Location, current: Current, context: &Context) -> Result<Option<Dataset>> {
        match current {
            Current::Absent => Ok(None),
            Current::Plain => match identity(&location.path) {
                Ok(hold) => {
                    let manifest = Arc::new(adopt::scan(&location.path, context)?);
                    Ok(Some(Dataset { dir: location.path.clone(), manifest, hold }))
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(StageError::io("open", &location.path, &error)),
            },
            Current::Snapshot(number) => {
                let (path, dir) = (location.manifest_file(number), location.snapshot_dir(number));
                let file = match File::open(&path) {
                    Ok(file) => file,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                    Err(error) => return Err(StageError::io("open", &path, &error)),
                };
                file.lock_shared().map_err(|error| StageError::io("lock", &path, &error))?;
                // The lock may have come only after the snapshot was removed.
                match Manifest::read(&path)? {
                    Some(manifest) if dir.is_dir() => {
                        Ok(Some(Dataset { dir, manifest: Arc::new(manifest), hold: Hold::Snapshot { _manifest: Arc::new(file) } }))
                    }
                    _ => Ok(None),
                }
            }
        }
    }

    /// All rows, in a fixed order (by partition, then as stored). Rows with a null, which only adopted folders have, are left out.
    ///
    /// # Errors
    /// A file that cannot be read or does not hold what the manifest says; cancellation.
    pub fn read(&self, context: &Context) -> Result<Ratings> {
        let parts = self.read_with(context, |ratings| ratings)?;
        let mut all = Ratings::with_capacity(usize::try_from(self.rows()).unwrap_or(0));
        for mut part in parts {
            all.append(&mut part);
        }
        Ok(all)
    }

    /// What `keep` makes of the rows of each file, in the order of [`Self::read`]; for those who do not need all rows in memory at once.
    ///
    /// # Errors
    /// Those of [`Self::read`].
    pub fn read_with<T: Send>(&self, context: &Context, keep: impl Fn(Ratings) -> T + Sync) -> Result<Vec<T>> {
        let files: Vec<(&PartitionEntry, &FileEntry)> =
            self.manifest.partitions.iter().flat_map(|entry| entry.files.iter().map(move |file| (entry, file))).collect();
        let done = AtomicU64::new(0);
        let parts = files
            .into_par_iter()
            .map(|(entry, file)| {
                context.check_cancelled()?;
                let ratings = self.read_file(entry, file)?;
                let rows = done.fetch_add(ratings.len() as u64, Ordering::Relaxed) + ratings.len() as u64;
                context.progress("read", rows, Some(self.rows()), Unit::Rows);
                Ok(keep(ratings))
            })
            .collect::<Result<Vec<T>>>();
        self.check_still_there()?;
        parts
    }

    /// Hands the rows of each file to `take`, one file after the other in the order of [`Self::read`]: memory for the largest file only.
    ///
    /// # Errors
    /// Those of [`Self::read`], and what `take` returns.
    pub fn visit(&self, context: &Context, mut take: impl FnMut(Ratings) -> Result<()>) -> Result<()> {
        let mut done = 0;
        for (entry, file) in self.manifest.partitions.iter().flat_map(|entry| entry.files.iter().map(move |file| (entry, file))) {
            context.check_cancelled()?;
            let ratings = self.read_file(entry, file)?;
            done += ratings.len() as u64;
            take(ratings)?;
            context.progress("read", done, Some(self.rows()), Unit::Rows);
        }
        self.check_still_there()
    }

    /// The rows of one partition, in a fixed order.
    pub(super) fn read_partition(&self, entry: &PartitionEntry) -> Result<Vec<Ratings>> {
        entry.files.iter().map(|file| self.read_file(entry, file)).collect()
    }

    fn read_file(&self, entry: &PartitionEntry, file: &FileEntry) -> Result<Ratings> {
        let path = self.dir.join(&entry.dir).join(&file.name);
        let content = parquet_file::read(&path)?;
        let rows = content.ratings.len() as u64 + content.nulls;
        if rows == file.rows {
            return Ok(content.ratings);
        }
        Err(StageError::input(format!("`{}` holds {rows} rows, the manifest says {}", path.display(), file.rows))
            .with_hint("another program changed a file of this snapshot; write the dataset again, or go back to an older snapshot"))
    }

    /// A plain folder can be exchanged while it is read (the first publication moves it); what was read is then a mix.
    fn check_still_there(&self) -> Result<()> {
        match (&self.hold, identity(&self.dir)) {
            (Hold::Snapshot { .. }, _) => Ok(()),
            (Hold::Plain { device, inode }, Ok(Hold::Plain { device: now_device, inode: now_inode }))
                if (*device, *inode) == (now_device, now_inode) =>
            {
                Ok(())
            }
            _ => Err(StageError::new(ErrorKind::Io, format!("`{}` was replaced while it was read", self.dir.display()))
                .with_hint("read it again: the new content is complete")),
        }
    }

    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        self.manifest.rows
    }

    /// The original ids of users and items, where they are not numbers. Read anew each time: keep them.
    ///
    /// # Errors
    /// A list that is not there or is damaged.
    pub fn names(&self) -> Result<Names> {
        self.manifest.ids.as_ref().map_or_else(|| Ok(Names::default()), |mapped| ids::load(mapped, &self.dir))
    }

    /// Content fingerprint (BLAKE3 in hexadecimal): same rows, same fingerprint.
    pub fn fingerprint(&self) -> &str {
        &self.manifest.fingerprint
    }

    /// What the snapshot contains and where it came from. For a plain folder that recflow did not publish yet, what a scan found.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The folder that holds the files: hand this, not the dataset's path, to an engine that reads for long.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

/// The manifests of the snapshots of the dataset at `path` that are kept, newest first. Empty for a plain folder.
pub fn history(path: &Path) -> Result<Vec<Manifest>> {
    let location = Location::of(path)?;
    let Current::Snapshot(current) = location.current()? else { return Ok(Vec::new()) };
    let mut manifests = Vec::new();
    // Those above the current one are of publications on their way.
    for snapshot in location.snapshots()?.into_iter().rev().filter(|&snapshot| snapshot <= current) {
        manifests.extend(Manifest::read(&location.manifest_file(snapshot))?);
    }
    Ok(manifests)
}

/// Finishes a committed publication. Where that is not possible (a read-only disk), returns the snapshot that it made current: its files
/// are complete, only the link is old.
fn unfinished(location: &Location, context: &Context) -> Result<Option<u64>> {
    let Some((pending, _)) = record::committed(location)? else { return Ok(None) };
    match journal::finish(location, context) {
        Ok(()) => Ok(None),
        Err(error) if error.kind == ErrorKind::Cancelled => Err(error),
        Err(error) => {
            context.warn(format!(
                "reading snapshot {} of `{}`, which could not be made current: {error}",
                pending.snapshot,
                context.display(&location.path)
            ));
            Ok(Some(pending.snapshot))
        }
    }
}

fn identity(dir: &Path) -> io::Result<Hold> {
    let metadata = fs::symlink_metadata(dir)?;
    Ok(Hold::Plain { device: metadata.dev(), inode: metadata.ino() })
}
