//! What the bounds are held against: facts of a dataset, from its manifest and from one pass over its ratings.

use std::sync::Mutex;

use jiff::Timestamp;
use rustc_hash::FxHashSet;

use crate::context::Context;
use crate::dataset::Dataset;
use crate::error::Result;
use crate::ratings::Ratings;

/// Facts of a dataset.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Facts {
    /// Rows without a null.
    pub(super) rows: u64,
    /// Rows with a null.
    pub(super) nulls: u64,
    /// When its snapshot was published; none for a plain folder.
    pub(super) published_at: Option<Timestamp>,
    /// What only the ratings tell; none if nobody asked.
    pub(super) content: Option<Content>,
}

/// Facts that only the ratings tell. The ends of ranges are none if there is no rating.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Content {
    /// Distinct users.
    pub(super) users: u64,
    /// Distinct items.
    pub(super) items: u64,
    /// Lowest and highest rating.
    pub(super) ratings: Option<(f32, f32)>,
    /// Newest date, in days since 1970-01-01.
    pub(super) newest: Option<i32>,
}

impl Facts {
    /// Finds the facts; reads the ratings only if `with_content`.
    pub(super) fn of(dataset: &Dataset, with_content: bool, context: &Context) -> Result<Self> {
        let manifest = dataset.manifest();
        // Files are counted with their nulls, rows without.
        let stored: u64 = manifest.partitions.iter().flat_map(|entry| &entry.files).map(|file| file.rows).sum();
        Ok(Self {
            rows: manifest.rows,
            nulls: stored.saturating_sub(manifest.rows),
            published_at: manifest.created_at.parse().ok(),
            content: if with_content { Some(content(dataset, context)?) } else { None },
        })
    }

    /// Share of the rows that hold a null.
    pub(super) fn null_share(&self) -> f64 {
        let all = self.rows + self.nulls;
        if all == 0 { 0.0 } else { self.nulls as f64 / all as f64 }
    }
}

/// One pass. Memory: one file for each thread, and the distinct ids.
fn content(dataset: &Dataset, context: &Context) -> Result<Content> {
    let (users, items) = (Mutex::new(FxHashSet::default()), Mutex::new(FxHashSet::default()));
    let parts = dataset.read_with(context, |mut ratings| {
        let ends = Content { ratings: ends(&ratings), newest: ratings.date.iter().max().copied(), ..Content::default() };
        collect(&mut ratings.user, &users);
        collect(&mut ratings.movie, &items);
        ends
    })?;
    let count = |ids: &Mutex<FxHashSet<i32>>| lock(ids).len() as u64;
    Ok(Content {
        users: count(&users),
        items: count(&items),
        ratings: parts.iter().filter_map(|part| part.ratings).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))),
        newest: parts.iter().filter_map(|part| part.newest).max(),
    })
}

/// Lowest and highest rating.
fn ends(ratings: &Ratings) -> Option<(f32, f32)> {
    ratings.rating.iter().map(|&stars| (stars, stars)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}

/// Adds the distinct ids of a file to those of all. Sorted first, so that the lock is held for distinct ids only.
fn collect(ids: &mut Vec<i32>, all: &Mutex<FxHashSet<i32>>) {
    ids.sort_unstable();
    ids.dedup();
    lock(all).extend(ids.iter());
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
