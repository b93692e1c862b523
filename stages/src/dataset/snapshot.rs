//! Writing a snapshot: what changes is written, what does not is kept.
//!
//! All of it is generic over [`Line`]: bare rows in a plain dataset, packed ones where all of a month can be, rows that carry values along in a
//! dataset with added columns.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::added::{self, Tagged, Values};
use super::fingerprint;
use super::keep::{keep, make_dir, sync_dirs};
use super::manifest::{Manifest, PartitionEntry};
use super::months::Month;
use super::new_rows::{NewMonth, NewRows};
use super::open::Dataset;
use super::options::{Layout, Mode, RatingType};
use super::packed::Packed;
use super::parquet_file::{self, FileRows};
use super::partition::{Partition, Scattered};
use super::row::{Carrier, Line, Row, arrange, is_distinct};
use crate::context::{Context, Unit};
use crate::error::{Result, StageError};

/// What a snapshot is made of.
pub(super) struct Recipe<'a> {
    /// The snapshot before; none if there is none, or nothing of it is kept.
    pub(super) base: Option<&'a Dataset>,
    /// The new rows.
    pub(super) rows: NewRows<'a>,
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
    new: NewMonth,
    /// Those that lay in a partition that could not be kept as it was.
    moved: Vec<L>,
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

fn write_lines<L: Carrier>(mut recipe: Recipe<'_>, mut values: Values, dir: &Path, context: &Context) -> Result<Option<Manifest>> {
    // Rows that were written to disk can be read as long as `_runs` is there.
    let (new, _runs) = std::mem::take(&mut recipe.rows).into_months();
    let mut moved: Scattered<L> = Scattered::new();
    let Sorted { touched, mut unchanged, dissolved } = sort_out(&recipe, &new, &mut moved, &mut values)?;
    let done = AtomicU64::new(0);
    let outcomes = plan(new, moved, touched).into_par_iter().map(|work| {
        context.check_cancelled()?;
        let rows = (work.new.len() + work.moved.len()) as u64;
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
fn sort_out<'a, L: Carrier>(
    recipe: &Recipe<'a>,
    new: &BTreeMap<Partition, NewMonth>,
    moved: &mut Scattered<L>,
    values: &mut Values,
) -> Result<Sorted<'a>> {
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
                        moved.entry(Partition::of_day(line.date())).or_default().push(line);
                    }
                }
            }
        }
    }
    // Only now: a folder that was taken apart may have had rows for any month.
    for (partition, entry) in canonical {
        let is_touched = changes_type || new.contains_key(&partition) || moved.contains_key(&partition);
        let kind = if is_touched { &mut sorted.touched } else { &mut sorted.unchanged };
        kind.push(entry);
    }
    Ok(sorted)
}

fn plan<'a, L>(mut new: BTreeMap<Partition, NewMonth>, mut moved: Scattered<L>, touched: Vec<&'a PartitionEntry>) -> Vec<Work<'a, L>> {
    let bases = touched.into_iter().filter_map(|entry| Some((entry.partition()?, entry)));
    let mut planned: BTreeMap<Partition, Option<&PartitionEntry>> = bases.map(|(partition, entry)| (partition, Some(entry))).collect();
    for &partition in new.keys().chain(moved.keys()) {
        planned.entry(partition).or_default();
    }
    let work = |(partition, base)| {
        let (new, moved) = (new.remove(&partition).unwrap_or_default(), moved.remove(&partition).unwrap_or_default());
        Work { partition, base, new, moved }
    };
    planned.into_iter().map(work).collect()
}

fn write_partition<'a, L: Carrier>(
    work: Work<'a, L>,
    recipe: &Recipe<'_>,
    shared: &Values,
    dir: &Path,
    context: &Context,
) -> Result<Outcome<'a>> {
    let Work { partition, base: entry, new, moved } = work;
    // With what this partition reads itself: other partitions do not need it.
    let mut values = shared.clone();
    let files = match (recipe.base, entry) {
        (Some(base), Some(entry)) => base.read_partition(entry, &values.fields)?,
        _ => Vec::new(),
    };
    let place = Place { partition, entry, dir, context };
    match join(moved, files, new.load()?, &mut values) {
        Joined::Packed(rows) => place.write(rows, recipe, &values),
        Joined::Lines(lines) => place.write(lines, recipe, &values),
    }
}

/// All rows of a partition, in any order.
enum Joined<L> {
    Packed(Vec<Packed>),
    Lines(Vec<L>),
}

fn join<L: Carrier>(mut lines: Vec<L>, files: Vec<FileRows>, new: Month, values: &mut Values) -> Joined<L> {
    let Month { mut packed, wide } = new;
    if lines.is_empty() && wide.is_empty() && values.fields.is_empty() {
        let added = packed.len();
        if files.iter().try_for_each(|file| Packed::extend(&mut packed, &file.ratings)).is_some() {
            return Joined::Packed(packed);
        }
        packed.truncate(added);
    }
    for file in files {
        lines.append(&mut L::take(file, values));
    }
    lines.extend(packed.into_iter().map(Line::row).chain(wide).map(L::from));
    Joined::Lines(lines)
}

/// A partition of the next snapshot.
struct Place<'a, 'b> {
    partition: Partition,
    /// The partition of the base, if it has it.
    entry: Option<&'a PartitionEntry>,
    /// The snapshot's folder.
    dir: &'b Path,
    context: &'b Context,
}

impl<'a> Place<'a, '_> {
    /// Sorts the rows and writes them, unless they are those that were there.
    fn write<L: Line>(self, mut lines: Vec<L>, recipe: &Recipe<'_>, values: &Values) -> Result<Outcome<'a>> {
        let (mode, rating_type, storage) = (recipe.mode, recipe.rating_type, self.context.storage.as_ref());
        arrange(&mut lines, mode != Mode::Append);
        let fingerprint = fingerprint::of_rows(&lines);
        if let (Some(base), Some(entry)) = (recipe.base, self.entry)
            && entry.fingerprint == fingerprint
            && base.manifest().rating_type == rating_type
        {
            return Ok(Outcome::Same(entry));
        }
        let dir = self.partition.dir();
        if rating_type == RatingType::Int && lines.iter().any(|line| line.rating().fract() != 0.0) {
            return Err(StageError::input(format!("the ratings of {dir} have half stars, but `rating_type` is int"))
                .with_hint("set `rating_type: float`"));
        }
        let folder = self.dir.join(&dir);
        if !lines.is_empty() {
            make_dir(storage, &folder)?;
        }
        let canonical = mode != Mode::Append || is_distinct(&lines);
        let files = parquet_file::write_partition(storage, &folder, (&lines, values), rating_type, recipe.layout)?;
        Ok(Outcome::Written(PartitionEntry { dir, rows: lines.len() as u64, fingerprint, canonical, files }))
    }
}
