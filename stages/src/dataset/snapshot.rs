//! Writing a snapshot: what changes is written, what does not is linked.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::fingerprint;
use super::manifest::{Manifest, PartitionEntry};
use super::open::Dataset;
use super::options::{Layout, Mode, RatingType};
use super::parquet_file;
use super::partition::{Partition, Scattered, scatter};
use super::row::{Row, arrange, is_distinct};
use crate::context::{Context, Unit};
use crate::error::{Result, StageError};
use crate::ratings::Ratings;
use crate::storage::Storage;

/// What a snapshot is made of.
pub(super) struct Recipe<'a> {
    /// The snapshot before; none if there is none, or nothing of it is kept.
    pub(super) base: Option<&'a Dataset>,
    /// The new rows.
    pub(super) rows: Vec<Ratings>,
    pub(super) mode: Mode,
    pub(super) rating_type: RatingType,
    pub(super) layout: &'a Layout,
}

/// A partition to write: the rows that join those that `base` holds.
struct Work<'a> {
    partition: Partition,
    base: Option<&'a PartitionEntry>,
    rows: Vec<Row>,
}

/// Writes the snapshot into the new folder `dir`, durably, and describes it.
pub(super) fn write(recipe: Recipe<'_>, dir: &Path, context: &Context) -> Result<Manifest> {
    let Recipe { base, rows, mode, rating_type, layout } = recipe;
    let mut scattered = scatter(rows);
    let mut unchanged: Vec<&PartitionEntry> = Vec::new();
    let mut touched: Vec<&PartitionEntry> = Vec::new();
    if let Some(base) = base {
        for entry in &base.manifest().partitions {
            match entry.partition().filter(|_| entry.canonical) {
                None => take_apart(base, entry, &mut scattered)?,
                Some(partition) if scattered.contains_key(&partition) || base.manifest().rating_type != rating_type => touched.push(entry),
                Some(_) => unchanged.push(entry),
            }
        }
        // A folder that was taken apart may have had rows for a month that seemed unchanged until then.
        let (more, same) =
            unchanged.into_iter().partition(|entry| entry.partition().is_some_and(|partition| scattered.contains_key(&partition)));
        touched.extend::<Vec<_>>(more);
        unchanged = same;
    }
    let work = plan(scattered, touched);
    let storage = context.storage.as_ref();
    make_dir(storage, dir)?;
    let done = AtomicU64::new(0);
    let written = work.into_par_iter().map(|work| {
        context.check_cancelled()?;
        let entry = write_partition(work, base, dir, (mode, rating_type, layout), storage)?;
        let rows = done.fetch_add(entry.rows, Ordering::Relaxed) + entry.rows;
        context.progress("write", rows, None, Unit::Rows);
        Ok(entry)
    });
    let mut entries = written.collect::<Result<Vec<_>>>()?;
    // Adopted folders may hold files without rows.
    entries.retain(|entry| !entry.files.is_empty());
    if let Some(base) = base {
        unchanged.par_iter().try_for_each(|entry| keep(base, entry, dir, storage))?;
        entries.extend(unchanged.into_iter().cloned());
    }
    sync_dirs(dir, &entries, storage)?;
    Ok(Manifest::of_partitions(rating_type, entries, None))
}

/// Makes the new folder `dir` one with the files of `source`, durably.
pub(super) fn link(source: &Dataset, dir: &Path, context: &Context) -> Result<()> {
    let (entries, storage) = (&source.manifest().partitions, context.storage.as_ref());
    make_dir(storage, dir)?;
    entries.par_iter().try_for_each(|entry| {
        context.check_cancelled()?;
        keep(source, entry, dir, storage)
    })?;
    sync_dirs(dir, entries, storage)
}

/// Hands the rows of a folder that cannot be kept as it is to the months that they belong to.
fn take_apart(base: &Dataset, entry: &PartitionEntry, scattered: &mut Scattered) -> Result<()> {
    for (partition, mut rows) in scatter(base.read_partition(entry)?) {
        scattered.entry(partition).or_default().append(&mut rows);
    }
    Ok(())
}

fn plan<'a>(mut scattered: Scattered, touched: Vec<&'a PartitionEntry>) -> Vec<Work<'a>> {
    let mut work = Vec::with_capacity(scattered.len());
    for entry in touched {
        if let Some(partition) = entry.partition() {
            work.push(Work { partition, base: Some(entry), rows: scattered.remove(&partition).unwrap_or_default() });
        }
    }
    work.extend(scattered.into_iter().map(|(partition, rows)| Work { partition, base: None, rows }));
    work
}

fn write_partition(
    work: Work<'_>,
    base: Option<&Dataset>,
    dir: &Path,
    (mode, rating_type, layout): (Mode, RatingType, &Layout),
    storage: &dyn Storage,
) -> Result<PartitionEntry> {
    let Work { partition, base: entry, mut rows } = work;
    if let (Some(base), Some(entry)) = (base, entry) {
        for part in base.read_partition(entry)? {
            rows.extend((0..part.len()).map(|index| Row::of(&part, index)));
        }
    }
    arrange(&mut rows, mode != Mode::Append);
    let fingerprint = fingerprint::of_rows(&rows);
    if let (Some(base), Some(entry)) = (base, entry)
        && entry.fingerprint == fingerprint
        && base.manifest().rating_type == rating_type
    {
        keep(base, entry, dir, storage)?;
        return Ok(entry.clone());
    }
    if rating_type == RatingType::Int && rows.iter().any(|row| row.rating().fract() != 0.0) {
        return Err(StageError::input(format!("the ratings of {} have half stars, but `rating_type` is int", partition.dir()))
            .with_hint("set `rating_type: float`"));
    }
    let folder = dir.join(partition.dir());
    if !rows.is_empty() {
        make_dir(storage, &folder)?;
    }
    let canonical = mode != Mode::Append || is_distinct(&rows);
    let files = parquet_file::write_partition(storage, &folder, &rows, rating_type, layout)?;
    Ok(PartitionEntry { dir: partition.dir(), rows: rows.len() as u64, fingerprint, canonical, files })
}

/// Gives the files of an unchanged partition a second name in the new snapshot.
fn keep(base: &Dataset, entry: &PartitionEntry, dir: &Path, storage: &dyn Storage) -> Result<()> {
    make_dir(storage, &dir.join(&entry.dir))?;
    for file in &entry.files {
        let (from, to) = (base.dir().join(&entry.dir).join(&file.name), dir.join(&entry.dir).join(&file.name));
        link_or_copy(&from, &to, storage)
            .map_err(|error| StageError::io("link", &to, &error).with_cause(format!("from `{}`", from.display())))?;
    }
    Ok(())
}

/// A hard link, or a copy where the file system or its rules do not allow one.
fn link_or_copy(from: &Path, to: &Path, storage: &dyn Storage) -> io::Result<()> {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, TooManyLinks, Unsupported};
    match storage.hard_link(from, to) {
        Err(error) if matches!(error.kind(), CrossesDevices | PermissionDenied | TooManyLinks | Unsupported) => {
            let mut copy = storage.create(to)?;
            let mut original = File::open(from)?;
            let mut buffer = vec![0; 1 << 18];
            loop {
                match io::Read::read(&mut original, &mut buffer)? {
                    0 => return copy.sync(),
                    bytes => copy.write_all(&buffer[..bytes])?,
                }
            }
        }
        result => result,
    }
}

fn make_dir(storage: &dyn Storage, dir: &Path) -> Result<()> {
    storage.create_dir_all(dir).map_err(|error| StageError::io("create", dir, &error))
}

/// Puts the names of all files and folders of the snapshot on stable storage.
fn sync_dirs(dir: &Path, entries: &[PartitionEntry], storage: &dyn Storage) -> Result<()> {
    let mut folders: BTreeSet<PathBuf> = BTreeSet::from([dir.to_owned()]);
    for entry in entries {
        let folder = dir.join(&entry.dir);
        folders.extend(folder.ancestors().take_while(|ancestor| *ancestor != dir).map(Path::to_owned));
    }
    folders.par_iter().try_for_each(|folder| storage.sync_dir(folder).map_err(|error| StageError::io("sync", folder, &error)))
}
