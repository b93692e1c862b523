//! Reading a dataset down to what drift needs of it: counts.

use std::collections::hash_map::Entry;
use std::io;

use rustc_hash::FxHashMap;

use crate::context::Context;
use crate::dataset::Dataset;
use crate::drift::Sample;
use crate::drift::ids::IdCounts;
use crate::error::{Result, StageError};
use crate::ratings::Ratings;
use crate::stage::WorkspacePath;

/// Most different ratings that are still a scale.
const MAX_VALUES: usize = 1000;

/// The dataset at `path`; `None` if there is nothing.
pub(super) fn open_if_there(path: &WorkspacePath, context: &Context) -> Result<Option<Dataset>> {
    let resolved = context.resolve(path);
    match Dataset::open(&resolved, context) {
        Ok(dataset) => Ok(Some(dataset)),
        // Only now: opening may have made a committed publication visible.
        Err(error) => match resolved.symlink_metadata() {
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => Ok(None),
            _ => Err(error),
        },
    }
}

/// Counts of a dataset's rows.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) ratings: Sample,
    pub(super) users: IdCounts,
    pub(super) items: IdCounts,
}

/// Counts of the rows of one file.
struct FileTally {
    /// By the bits of the rating.
    ratings: FxHashMap<u32, u64>,
    users: IdCounts,
    items: IdCounts,
}

impl FileTally {
    fn of(ratings: &Ratings) -> Self {
        let bits: Vec<u32> = ratings.rating.iter().map(|rating| rating.to_bits()).collect();
        Self { ratings: counts(&bits), users: counts(&ratings.user), items: counts(&ratings.movie) }
    }
}

/// How often each value occurs. Neighbours are often equal (rows are sorted by movie), so runs are counted before they are looked up.
fn counts<T: Copy + Eq + std::hash::Hash>(values: &[T]) -> FxHashMap<T, u64> {
    let mut counts = FxHashMap::default();
    for run in values.chunk_by(|a, b| a == b) {
        *counts.entry(run[0]).or_insert(0) += run.len() as u64;
    }
    counts
}

fn add<T: Eq + std::hash::Hash>(to: &mut FxHashMap<T, u64>, counts: FxHashMap<T, u64>) {
    // The larger one stays: most of an old dataset's users are in each of its months.
    let smaller = if to.len() < counts.len() { std::mem::replace(to, counts) } else { counts };
    for (value, count) in smaller {
        match to.entry(value) {
            Entry::Occupied(mut entry) => *entry.get_mut() += count,
            Entry::Vacant(entry) => {
                entry.insert(count);
            }
        }
    }
}

impl Tally {
    /// Counts the rows of `dataset`, file by file. Memory: one file for each thread, and what is counted.
    ///
    /// # Errors
    /// A file that cannot be read; ratings that are no scale; cancellation.
    pub(super) fn of(dataset: &Dataset, context: &Context) -> Result<Self> {
        let mut ratings = FxHashMap::default();
        let (mut users, mut items) = (IdCounts::default(), IdCounts::default());
        for part in dataset.read_with(context, |ratings| FileTally::of(&ratings))? {
            add(&mut ratings, part.ratings);
            add(&mut users, part.users);
            add(&mut items, part.items);
        }
        let dir = || context.display(dataset.dir());
        if let Some(rating) = ratings.keys().map(|&bits| f32::from_bits(bits)).find(|rating| !rating.is_finite()) {
            let message = format!("the dataset `{}` holds the rating {rating}, which is not a finite number", dir());
            return Err(StageError::input(message).with_hint("write the dataset again with `etl`, which rejects such lines"));
        }
        if ratings.len() > MAX_VALUES {
            let message = format!("the dataset `{}` holds {} different ratings; drift is judged by rating", dir(), ratings.len());
            return Err(StageError::input(message).with_hint(format!("round them: a scale has at most {MAX_VALUES} steps")));
        }
        let ratings = Sample::from_counts(ratings.into_iter().map(|(bits, count)| (f32::from_bits(bits), count)));
        Ok(Self { ratings, users, items })
    }
}
