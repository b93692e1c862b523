//! A plain folder of Parquet files, as Spark or another engine wrote it, described as if recflow had.
//!
//! The folder is read once to learn its rows and its fingerprint; nothing in it is changed. Its first publication moves it into a snapshot
//! as it is. Folders whose content an upsert could not take over unread (nulls, duplicates, other types, rows of another
//! month) are marked, and rewritten by the publisher.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::added;
use super::fingerprint;
use super::manifest::{Column, FileEntry, Manifest, PartitionEntry};
use super::options::RatingType;
use super::parquet_file;
use super::partition::{Partition, Scattered};
use super::row::{Row, arrange, is_distinct};
use crate::context::Context;
use crate::error::{Result, StageError};

/// `year=…/month=…/` is two deep; other layouts may nest a little more. Bounds a walk into a folder that is no dataset.
const MAX_DEPTH: usize = 8;

/// What the scan of one folder gave.
struct Scanned {
    entry: PartitionEntry,
    rows: Vec<Row>,
    rating_type: Option<RatingType>,
    extra: Vec<Column>,
}

/// Describes the plain folder `dir`.
///
/// # Errors
/// A folder that holds anything but Parquet files with the columns of ratings: it is no dataset, and must not be treated as one.
pub(super) fn scan(dir: &Path, context: &Context) -> Result<Manifest> {
    let mut found = BTreeMap::new();
    list(dir, "", 0, &mut found)?;
    let scanned = found.into_par_iter().map(|(folder, names)| scan_folder(dir, folder, names, context)).collect::<Result<Vec<_>>>()?;
    // Without any file nothing speaks against whole stars.
    let all_int = scanned.iter().all(|folder| folder.rating_type == Some(RatingType::Int));
    let rating_type = if all_int { RatingType::Int } else { RatingType::Float };
    let fingerprint = fingerprint_of(&scanned);
    let mut extra: Vec<Column> = Vec::new();
    let mut entries: Vec<PartitionEntry> = Vec::with_capacity(scanned.len());
    for folder in scanned {
        let canonical = folder.entry.canonical && folder.rating_type == Some(rating_type);
        entries.push(PartitionEntry { canonical, ..folder.entry });
        extra.extend(folder.extra);
    }
    extra.sort_by(|a, b| a.name.cmp(&b.name));
    extra.dedup();
    let mut manifest = Manifest::of_partitions(rating_type, entries, Some(fingerprint));
    manifest.columns.append(&mut extra);
    Ok(manifest)
}

/// Finds the Parquet files below `dir`, by folder. Hidden files and those of committers (`_SUCCESS`, `.crc`) are skipped, as Spark does.
fn list(dir: &Path, folder: &str, depth: usize, found: &mut BTreeMap<String, Vec<String>>) -> Result<()> {
    let here = dir.join(folder);
    let failed = |error| StageError::io("list", &here, &error);
    for entry in fs::read_dir(&here).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(['.', '_']) {
            continue;
        }
        let is_dir = fs::metadata(entry.path()).map_err(failed)?.is_dir();
        if is_dir && name.contains('=') && depth < MAX_DEPTH {
            let below = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            list(dir, &below, depth + 1, found)?;
        } else if !is_dir && name.ends_with(".parquet") {
            found.entry(folder.to_owned()).or_default().push(name);
        } else {
            return Err(StageError::input(format!("`{}` is not a ratings dataset: it holds `{}`", dir.display(), entry.path().display()))
                .with_hint("a dataset is a folder of `year=…/month=…/*.parquet` and nothing else; give another path, or move that away"));
        }
    }
    Ok(())
}

fn scan_folder(dir: &Path, folder: String, mut names: Vec<String>, context: &Context) -> Result<Scanned> {
    context.check_cancelled()?;
    names.sort();
    let partition = Partition::parse(&folder);
    let (mut rows, mut files, mut types, mut extra) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut canonical = partition.is_some();
    for name in names {
        let path: PathBuf = dir.join(&folder).join(&name);
        let content = parquet_file::read(&path, &[])?;
        let bytes = fs::metadata(&path).map_err(|error| StageError::io("read", &path, &error))?.len();
        canonical &= content.nulls == 0;
        extra.extend(added::describe(&content.fields));
        types.push(content.rating_type);
        files.push(FileEntry { name, rows: content.ratings.len() as u64 + content.nulls, bytes });
        rows.extend((0..content.ratings.len()).map(|index| Row::of(&content.ratings, index)));
    }
    arrange(&mut rows, false);
    canonical &= is_distinct(&rows) && rows.iter().all(|row| Some(Partition::of_day(row.date())) == partition);
    let rating_type = types.first().copied().flatten().filter(|first| types.iter().all(|other| *other == Some(*first)));
    let entry = PartitionEntry { dir: folder, rows: rows.len() as u64, fingerprint: fingerprint::of_rows(&rows), canonical, files };
    // The rows of a canonical folder are not needed again; the others may lie in any month.
    let rows = if canonical { Vec::new() } else { rows };
    Ok(Scanned { entry, rows, rating_type, extra })
}

/// The fingerprint that the same rows would have in a dataset of recflow's own: by month of the row, not by folder.
fn fingerprint_of(folders: &[Scanned]) -> String {
    let mut loose = Scattered::new();
    for row in folders.iter().flat_map(|folder| &folder.rows) {
        loose.entry(Partition::of_day(row.date())).or_default().push(*row);
    }
    let mut months: BTreeMap<Partition, (u64, String)> = BTreeMap::new();
    for folder in folders.iter().filter(|folder| folder.entry.canonical) {
        if let Some(partition) = folder.entry.partition() {
            months.insert(partition, (folder.entry.rows, folder.entry.fingerprint.clone()));
        }
    }
    for (partition, mut rows) in loose {
        // A month that lies in a canonical folder and elsewhere too has no fingerprint that could be put together from parts; a
        // combination of both says enough: it changes when either does.
        rows.sort_unstable();
        let (count, joined) = months.remove(&partition).unwrap_or_default();
        months.insert(partition, (count + rows.len() as u64, joined + &fingerprint::of_rows(&rows)));
    }
    fingerprint::of_partitions(months.iter().map(|(partition, (rows, fingerprint))| (*partition, *rows, fingerprint.as_str())))
}
