//! What a person wants to know of a dataset: how many rows of which month and rating, in which files, written by whom.
//!
//! Months and ratings are counted from the rows themselves, file by file, so that a folder that another engine laid out
//! in its own way is told truthfully. Memory: one file for each thread.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use super::ids::{ListEntry, MappedIds};
use super::location::{Current, Location};
use super::manifest::{Column, Manifest};
use super::open::{Dataset, history};
use super::options::{Mode, RatingType};
use super::partition::Partition;
use crate::context::{Context, PublishKey};
use crate::error::{Result, StageError};
use crate::ratings::Ratings;

/// How deep below a folder datasets are looked for.
const MAX_DEPTH: usize = 8;

/// A snapshot in a few figures.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SnapshotInfo {
    /// Its number; none for a plain folder that recflow did not publish yet.
    pub snapshot: Option<u64>,
    /// When it was written, RFC 3339; none for a plain folder.
    pub created_at: Option<String>,
    /// The program that wrote it.
    pub created_by: String,
    /// The piece of work that published it, `run/task/generation`; none for a folder that was adopted.
    pub publish_key: Option<PublishKey>,
    /// How it came from the snapshot before; none for a folder that was adopted, and for a rollback.
    pub mode: Option<Mode>,
    /// The snapshot whose content a rollback brought back.
    pub restores: Option<u64>,
    /// Rows.
    pub rows: u64,
    /// Files.
    pub files: u64,
    /// Bytes of these files.
    pub bytes: u64,
    /// Content fingerprint.
    pub fingerprint: String,
    /// Type of the `RATING` column.
    pub rating_type: RatingType,
    /// How many original ids are mapped to numbers; none if users and items are numbers in the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<IdCounts>,
}

/// How many ids are mapped to numbers; none where the data have numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IdCounts {
    /// Users.
    pub users: Option<u64>,
    /// Items.
    pub items: Option<u64>,
}

impl IdCounts {
    fn of(ids: &MappedIds) -> Self {
        let count = |list: &Option<ListEntry>| list.as_ref().map(|list| list.names);
        Self { users: count(&ids.users), items: count(&ids.items) }
    }
}

impl SnapshotInfo {
    fn of(manifest: &Manifest) -> Self {
        // What a scan of a plain folder describes was never stamped.
        let is_published = manifest.snapshot > 0;
        Self {
            snapshot: is_published.then_some(manifest.snapshot),
            created_at: is_published.then(|| manifest.created_at.clone()),
            created_by: if is_published { manifest.created_by.clone() } else { "another program".to_owned() },
            publish_key: manifest.publish_key.clone(),
            mode: manifest.mode,
            restores: manifest.restores,
            rows: manifest.rows,
            files: manifest.files,
            bytes: manifest.bytes,
            fingerprint: manifest.fingerprint.clone(),
            rating_type: manifest.rating_type,
            ids: manifest.ids.as_ref().map(IdCounts::of),
        }
    }
}

/// A dataset in full.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "DatasetOverview")]
pub struct Overview {
    /// The folder that holds the files of this snapshot: what to hand to an engine that reads for long.
    pub dir: PathBuf,
    /// The snapshot.
    #[serde(flatten)]
    pub info: SnapshotInfo,
    /// Columns in the files and their types.
    pub columns: Vec<Column>,
    /// Rows of each month, oldest first. Months without rows are not there.
    pub months: Vec<MonthRows>,
    /// Rows of each rating, lowest first.
    pub ratings: Vec<RatingRows>,
}

/// Rows of a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MonthRows {
    /// The month.
    #[serde(flatten)]
    pub month: Partition,
    /// How many.
    pub rows: u64,
}

/// Rows with a rating.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RatingRows {
    /// Stars, rounded to the nearest half: a folder of arbitrary numbers gives a short table too.
    pub rating: f32,
    /// How many.
    pub rows: u64,
}

/// A dataset as a list shows it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "DatasetListed")]
pub struct Listed {
    /// Its path, below the folder that was listed.
    pub path: PathBuf,
    /// Its current snapshot; none for a plain folder, which is not read for a list, and where it cannot be read.
    pub info: Option<SnapshotInfo>,
    /// Why it cannot be read.
    pub error: Option<StageError>,
}

/// Counts of a part of the rows.
#[derive(Default)]
struct Tally {
    months: BTreeMap<Partition, u64>,
    /// By rating in half stars.
    halves: BTreeMap<i64, u64>,
}

impl Tally {
    fn of(ratings: &Ratings) -> Self {
        let mut tally = Self::default();
        for (&stars, &day) in ratings.rating.iter().zip(&ratings.date) {
            *tally.months.entry(Partition::of_day(day)).or_default() += 1;
            *tally.halves.entry((stars * 2.0).round() as i64).or_default() += 1;
        }
        tally
    }

    fn add(&mut self, other: Self) {
        for (month, rows) in other.months {
            *self.months.entry(month).or_default() += rows;
        }
        for (halves, rows) in other.halves {
            *self.halves.entry(halves).or_default() += rows;
        }
    }
}

/// Describes a dataset at its snapshot.
///
/// # Errors
/// A file that cannot be read; cancellation.
pub fn overview(dataset: &Dataset, context: &Context) -> Result<Overview> {
    let mut all = Tally::default();
    dataset.read_with(context, |ratings| Tally::of(&ratings))?.into_iter().for_each(|part| all.add(part));
    Ok(Overview {
        dir: dataset.dir().to_owned(),
        info: SnapshotInfo::of(dataset.manifest()),
        columns: dataset.manifest().columns.clone(),
        months: all.months.into_iter().map(|(month, rows)| MonthRows { month, rows }).collect(),
        ratings: all.halves.into_iter().map(|(halves, rows)| RatingRows { rating: halves as f32 / 2.0, rows }).collect(),
    })
}

/// The snapshots of the dataset at `path` that are kept, newest first; the first is the current one. Empty for a plain folder.
///
/// # Errors
/// Nothing or no dataset at `path`; a manifest that cannot be read.
pub fn snapshots(path: &Path, context: &Context) -> Result<Vec<SnapshotInfo>> {
    // Finishes a pending commit, and tells what is not there.
    if Location::of(path)?.current()? != Current::Plain {
        Dataset::open(path, context)?;
    }
    Ok(history(path)?.iter().map(SnapshotInfo::of).collect())
}

/// The datasets below `folder`, in order of their paths: those that recflow published, and plain folders of `year=…` folders.
/// One that cannot be read is listed with the reason.
///
/// # Errors
/// A folder that is not there or cannot be listed.
pub fn find(folder: &Path, context: &Context) -> Result<Vec<Listed>> {
    let mut found = Vec::new();
    walk(folder, folder, 0, context, &mut found)?;
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn walk(top: &Path, folder: &Path, depth: usize, context: &Context, found: &mut Vec<Listed>) -> Result<()> {
    let failed = |error| StageError::io("list", folder, &error);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // Links are not followed: what they lead to is listed where it lies, and none can go round in a circle.
        if !entry.file_type().map_err(failed)?.is_dir() {
            continue;
        }
        let path = entry.path();
        let below = |path: &Path| path.strip_prefix(top).unwrap_or(path).to_owned();
        if let Some(location) = Location::of_root(&path) {
            if location.current() != Ok(Current::Absent) {
                let (info, error) = match Dataset::open(&location.path, context) {
                    Ok(dataset) => (Some(SnapshotInfo::of(dataset.manifest())), None),
                    Err(error) => (None, Some(error)),
                };
                found.push(Listed { path: below(&location.path), info, error });
            }
        } else if holds_years(&path) {
            // With snapshots beside it, it was found by them.
            if !Location::of(&path)?.root.is_dir() {
                found.push(Listed { path: below(&path), info: None, error: None });
            }
        } else if depth < MAX_DEPTH && !entry.file_name().as_encoded_bytes().starts_with(b".") {
            match walk(top, &path, depth + 1, context, found) {
                // A folder that vanished or may not be read hides its datasets, not those beside it.
                Err(error) => context.warn(error.to_string()),
                Ok(()) => context.check_cancelled()?,
            }
        }
    }
    Ok(())
}

fn holds_years(folder: &Path) -> bool {
    let names = fs::read_dir(folder).into_iter().flatten().flatten();
    names.into_iter().any(|entry| entry.file_name().as_encoded_bytes().starts_with(b"year="))
}
