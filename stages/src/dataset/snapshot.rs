//! Writing a snapshot: what changes is written, what does not is kept.
//!
//! All of it is generic over [`Line`]: bare rows in a plain dataset, rows that carry values along in one with added columns.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::added::{self, Tagged, Values};
use super::fingerprint;
use super::keep::{keep, make_dir, sync_dirs};
use super::manifest::{Manifest, PartitionEntry};
use super::open::Dataset;
use super::options::{Layout, Mode, RatingType};
use super::parquet_file;
use super::partition::{Partition, Scattered, scatter};
use super::row::{Line, Row, arrange, is_distinct};
use crate::context::{Context, Unit};
use crate::error::{Result, StageError};
use crate::ratings::Ratings;

/// What a snapshot is made of.
pub(super) struct Recipe<'a> {
    /// The snapshot before; none if there is none, or nothing of it is kept.
    pub(super) base: Option<&'a Dataset>,
    /// The new rows.
    pub(super) rows: Vec<Ratings>,
    pub(super) mode: Mode,
    pub(super) rating_type: RatingType,
    pub(super) layout: &'a Layout,
    /// Whether a snapshot that would be equal to `base` need not be written.
    pub(super) may_skip: bool,
}

/// A partition to look at: the rows that join those that `base` holds.
struct Work<'a, L> {
    partition: Partition,
    base: Option<&'a PartitionEntry>,
    lines: Vec<L>,
}

/// What became of a partition.
enum Outcome<'a> {
    /// The rows are those that were there: its files are kept.
    Same(&'a PartitionEntry),
    Written(PartitionEntry),
}

/// The partitions of the base, by what a publication does to them.
#[derive(Default)]
struct Sorted<'a> {
    /// Rows may change.
    touched: Vec<&'a PartitionEntry>,
    /// Kept unread.
    unchanged: Vec<&'a PartitionEntry>,
    /// Whether there was one that could not be kept as it is, and whose rows were handed to their months.
    dissolved: bool,
}

/// Writes the snapshot into the new folder `dir`, durably, and describes it. `None`, and nothing is written, if it would be equal to its
/// base and the recipe allows to skip it.
pub(super) fn write(recipe: Recipe<'_>, dir: &Path, context: &Context) -> Result<Option<Manifest>> {
    let added = added::columns(recipe.base)?;
    let columns: Vec<_> = added::describe(&added).collect();
    let values = Values::of(added);
    let written = if columns.is_empty() {
        write_lines::<Row>(recipe, values, dir, context)
    } else {
        write_lines::<Tagged>(recipe, values, dir, context)
    };
    Ok(written?.map(|mut manifest| {
        manifest.columns.extend(columns);
        manifest
    }))
}

fn write_lines<L: Line>(mut recipe: Recipe<'_>, mut values: Values, dir: &Path, context: &Context) -> Result<Option<Manifest>> {
    let mut scattered: Scattered<L> = scatter(std::mem::take(&mut recipe.rows));
    let Sorted { touched, mut unchanged, dissolved } = sort_out(&recipe, &mut scattered, &mut values)?;
    let done = AtomicU64::new(0);
    let outcomes = plan(scattered, touched).into_par_iter().map(|work| {
        context.check_cancelled()?;
        let rows = work.lines.len() as u64;
        let outcome = write_partition(work, &recipe, &values, dir, context)?;
        context.progress("write", done.fetch_add(rows, Ordering::Relaxed) + rows, None, Unit::Rows);
        Ok(outcome)
    });
    let mut entries: Vec<PartitionEntry> = Vec::new();
    for outcome in outcomes.collect::<Result<Vec<_>>>()? {
        match outcome {
            Outcome::Same(entry) => unchanged.push(entry),
            Outcome::Written(entry) => entries.push(entry),
        }
    }
    let is_same_type = recipe.base.is_some_and(|base| base.manifest().rating_type == recipe.rating_type);
    if recipe.may_skip && is_same_type && !dissolved && entries.is_empty() {
        return Ok(None);
    }
    // Adopted folders may hold files without rows.
    entries.retain(|entry| !entry.files.is_empty());
    let storage = context.storage.as_ref();
    make_dir(storage, dir)?;
    if let Some(base) = recipe.base {
        keep(base, &unchanged, dir, context)?;
        entries.extend(unchanged.into_iter().cloned());
    }
    sync_dirs(dir, &entries, storage)?;
    Ok(Some(Manifest::of_partitions(recipe.rating_type, entries, None)))
}

/// Sorts the partitions of the base by what happens to them, and hands the rows of those that cannot be kept as they are to the months
/// that they belong to.
fn sort_out<'a, L: Line>(recipe: &Recipe<'a>, scattered: &mut Scattered<L>, values: &mut Values) -> Result<Sorted<'a>> {
    let mut sorted = Sorted::default();
    let Some(base) = recipe.base else { return Ok(sorted) };
    let changes_type = base.manifest().rating_type != recipe.rating_type;
    let mut canonical = Vec::new();
    for entry in &base.manifest().partitions {
        match entry.partition().filter(|_| entry.canonical) {
            Some(partition) => canonical.push((partition, entry)),
            None => {
                sorted.dissolved = true;
                for file in base.read_partition(entry, &values.fields)? {
                    for line in L::take(file, values) {
                        scattered.entry(Partition::of_day(line.row().date())).or_default().push(line);
                    }
                }
            }
        }
    }
    // Only now: a folder that was taken apart may have had rows for any month.
    for (partition, entry) in canonical {
        let kind = if changes_type || scattered.contains_key(&partition) { &mut sorted.touched } else { &mut sorted.unchanged };
        kind.push(entry);
    }
    Ok(sorted)
}

fn plan<'a, L>(mut scattered: Scattered<L>, touched: Vec<&'a PartitionEntry>) -> Vec<Work<'a, L>> {
    let mut work = Vec::with_capacity(scattered.len());
    for entry in touched {
        if let Some(partition) = entry.partition() {
            work.push(Work { partition, base: Some(entry), lines: scattered.remove(&partition).unwrap_or_default() });
        }
    }
    work.extend(scattered.into_iter().map(|(partition, lines)| Work { partition, base: None, lines }));
    work
}

fn write_partition<'a, L: Line>(
    work: Work<'a, L>,
    recipe: &Recipe<'_>,
    shared: &Values,
    dir: &Path,
    context: &Context,
) -> Result<Outcome<'a>> {
    let Work { partition, base: entry, mut lines } = work;
    let (mode, rating_type, storage) = (recipe.mode, recipe.rating_type, context.storage.as_ref());
    // With what this partition reads itself: other partitions do not need it.
    let mut values = shared.clone();
    if let (Some(base), Some(entry)) = (recipe.base, entry) {
        for file in base.read_partition(entry, &values.fields)? {
            lines.append(&mut L::take(file, &mut values));
        }
    }
    arrange(&mut lines, mode != Mode::Append);
    let fingerprint = fingerprint::of_rows(&lines);
    if let (Some(base), Some(entry)) = (recipe.base, entry)
        && entry.fingerprint == fingerprint
        && base.manifest().rating_type == rating_type
    {
        return Ok(Outcome::Same(entry));
    }
    if rating_type == RatingType::Int && lines.iter().any(|line| line.row().rating().fract() != 0.0) {
        return Err(StageError::input(format!("the ratings of {} have half stars, but `rating_type` is int", partition.dir()))
            .with_hint("set `rating_type: float`"));
    }
    let folder = dir.join(partition.dir());
    if !lines.is_empty() {
        make_dir(storage, &folder)?;
    }
    let canonical = mode != Mode::Append || is_distinct(&lines);
    let files = parquet_file::write_partition(storage, &folder, (&lines, &values), rating_type, recipe.layout)?;
    Ok(Outcome::Written(PartitionEntry { dir: partition.dir(), rows: lines.len() as u64, fingerprint, canonical, files }))
}
