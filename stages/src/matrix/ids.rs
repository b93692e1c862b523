//! Sparse identifiers and the dense row numbers that stand for them.

use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

/// The distinct ids of one side in ascending order; an id's place is its row number. A clone shares them: a matrix and all
/// models trained on it hold them once.
#[derive(Debug, Clone, Default)]
pub struct Ids {
    sorted: Arc<[i32]>,
    rows: Arc<Rows>,
}

/// How an id is turned into its row.
#[derive(Debug, Clone)]
enum Rows {
    /// Row numbers from `first` on, [`ABSENT`] where there is no such id. One memory access.
    Table { first: i32, rows: Vec<u32> },
    /// For ids too scattered for a table.
    Map(FxHashMap<i32, u32>),
}

/// No row has this number: there are fewer than 2^32 ids of type `i32` minus one.
const ABSENT: u32 = u32::MAX;

/// A table may be this many times as long as there are ids, or [`TABLE_ALWAYS`].
const TABLE_FACTOR: usize = 16;

/// A table of up to so many entries is always fine (16 MiB).
const TABLE_ALWAYS: usize = 1 << 22;

impl Default for Rows {
    fn default() -> Self {
        Rows::Table { first: 0, rows: Vec::new() }
    }
}

impl Ids {
    /// The distinct ids in `ids`, which need no order.
    pub fn of(ids: &[i32]) -> Self {
        let Some((first, last)) = ids.par_iter().map(|&id| (id, id)).reduce_with(|a, b| (a.0.min(b.0), a.1.max(b.1))) else {
            return Self::default();
        };
        if span(first, last) <= TABLE_ALWAYS.max(ids.len()) {
            let mut seen = vec![false; span(first, last)];
            for &id in ids {
                seen[span(first, id) - 1] = true;
            }
            let present = (first..=last).zip(seen).filter_map(|(id, seen)| seen.then_some(id));
            return Self::from_ascending(present.collect());
        }
        let mut sorted = ids.to_vec();
        sorted.par_sort_unstable();
        sorted.dedup();
        Self::from_ascending(sorted)
    }

    /// The ids in `sorted`, which strictly ascends.
    pub(crate) fn from_ascending(sorted: Vec<i32>) -> Self {
        debug_assert!(sorted.windows(2).all(|pair| pair[0] < pair[1]));
        let (Some(&first), Some(&last)) = (sorted.first(), sorted.last()) else { return Self::default() };
        let numbered = sorted.iter().zip(0_u32..);
        let rows = if span(first, last) <= TABLE_ALWAYS.max(sorted.len().saturating_mul(TABLE_FACTOR)) {
            let mut rows = vec![ABSENT; span(first, last)];
            for (&id, row) in numbered {
                rows[span(first, id) - 1] = row;
            }
            Rows::Table { first, rows }
        } else {
            Rows::Map(numbered.map(|(&id, row)| (id, row)).collect())
        };
        Self { sorted: sorted.into(), rows: Arc::new(rows) }
    }

    /// The row of `id`, if it has one.
    #[inline]
    pub fn row(&self, id: i32) -> Option<u32> {
        match &*self.rows {
            Rows::Table { first, rows } => {
                let at = usize::try_from(i64::from(id) - i64::from(*first)).ok()?;
                rows.get(at).copied().filter(|&row| row != ABSENT)
            }
            Rows::Map(rows) => rows.get(&id).copied(),
        }
    }

    /// The ids, ascending; indexed by row.
    pub fn as_slice(&self) -> &[i32] {
        &self.sorted
    }

    /// How many ids, and so rows, there are.
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }
}

/// How many integers lie in `first..=last`.
fn span(first: i32, last: i32) -> usize {
    (i64::from(last) - i64::from(first) + 1) as usize
}
