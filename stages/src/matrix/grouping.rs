//! A parallel, stable counting sort of entries by row.
//!
//! The entries are cut into one chunk a thread. Each chunk counts its rows; a running sum over (row, chunk)
//! gives every chunk its own places in every row; then all chunks write at once. Entries of a row keep their
//! input order whatever the number of chunks, so the result does not depend on the number of threads.
//!
//! Grouping by item and then by user orders a user's entries by item: two linear passes, no comparison.

use std::ops::Range;

use rayon::prelude::*;

use crate::kernel::huge_pages;

/// Entries grouped by row: row `r` has `columns[starts[r]..starts[r + 1]]` and the values there.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Grouped<V> {
    pub(super) starts: Vec<usize>,
    pub(super) columns: Vec<u32>,
    pub(super) values: Vec<V>,
}

impl<V: Copy + Send + Sync> Grouped<V> {
    /// The same entries with what `f` makes of their values.
    pub(super) fn map<W: Send>(self, f: impl Fn(V) -> W + Sync) -> Grouped<W> {
        let values = self.values.par_iter().map(|&value| f(value)).collect();
        Grouped { starts: self.starts, columns: self.columns, values }
    }
}

/// Entries that can be visited by range, as often as needed, from any thread.
pub(super) trait Entries<V>: Sync {
    /// Units that a range counts: entries, or whole rows.
    fn units(&self) -> usize;
    /// Calls `each(row, column, value)` for the entries of `units`, in order.
    fn visit(&self, units: Range<usize>, each: impl FnMut(u32, u32, V));
}

/// The transpose of grouped entries: what was a column is the row. A range counts rows of the original.
pub(super) struct Transposed<'a, V>(pub(super) &'a Grouped<V>);

impl<V: Copy + Sync> Entries<V> for Transposed<'_, V> {
    fn units(&self) -> usize {
        self.0.starts.len() - 1
    }
    fn visit(&self, units: Range<usize>, mut each: impl FnMut(u32, u32, V)) {
        for row in units {
            for at in self.0.starts[row]..self.0.starts[row + 1] {
                each(self.0.columns[at], row as u32, self.0.values[at]);
            }
        }
    }
}

/// Groups `entries` by row; rows lie below `rows`.
pub(super) fn group<V: Copy + Send + Sync + Default>(entries: &impl Entries<V>, rows: usize) -> Grouped<V> {
    let chunks = rayon::current_num_threads().clamp(1, 16);
    let bounds = |chunk: usize| chunk * entries.units() / chunks..(chunk + 1) * entries.units() / chunks;
    // next[chunk][row]: first the chunk's count, then where it writes its next entry of that row.
    let mut next: Vec<Vec<usize>> = (0..chunks)
        .into_par_iter()
        .map(|chunk| {
            let mut counts = vec![0; rows];
            entries.visit(bounds(chunk), |row, _, _| counts[row as usize] += 1);
            counts
        })
        .collect();
    let mut starts = Vec::with_capacity(rows + 1);
    let mut total = 0;
    for row in 0..rows {
        starts.push(total);
        for counts in &mut next {
            total += std::mem::replace(&mut counts[row], total);
        }
    }
    starts.push(total);

    let mut grouped = Grouped { starts, columns: huge_pages::filled(0, total), values: huge_pages::filled(V::default(), total) };
    let columns = Scattered(grouped.columns.as_mut_ptr(), total);
    let values = Scattered(grouped.values.as_mut_ptr(), total);
    next.par_iter_mut().enumerate().for_each(|(chunk, next)| {
        entries.visit(bounds(chunk), |row, column, value| {
            let at = &mut next[row as usize];
            // SAFETY: the running sum gave each (row, chunk) places of its own, as many as the chunk counted there,
            // and `visit` repeats the same entries; so no two threads write to one place.
            unsafe {
                columns.write(*at, column);
                values.write(*at, value);
            }
            *at += 1;
        });
    });
    grouped
}

/// A slice that several threads write to at different places.
struct Scattered<T>(*mut T, usize);

// SAFETY: the pointer is only written through, at places that `write`'s callers keep apart.
unsafe impl<T: Send> Sync for Scattered<T> {}

impl<T> Scattered<T> {
    /// Writes one element. Panics outside the slice.
    ///
    /// # Safety
    /// No other thread reads or writes the element at `at` meanwhile.
    #[inline]
    unsafe fn write(&self, at: usize, value: T) {
        assert!(at < self.1);
        // SAFETY: `at` is inside the slice, which outlives `self`; nobody else touches it, as the caller says.
        unsafe { self.0.add(at).write(value) }
    }
}
