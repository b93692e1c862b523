//! Values with counts: what is left of a column of ratings or predictions once its order does not matter.

use std::iter::Peekable;

use rayon::prelude::*;

/// A sample: distinct values in ascending order, and how often each occurs.
///
/// Ratings have a handful of values, whatever the number of rows; predictions have about as many as rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample {
    values: Vec<f32>,
    /// How many elements there are up to and with the value at the same place.
    ends: Vec<u64>,
}

impl Sample {
    /// A sample from finite values with counts, in any order, values repeated or not. Counts of 0 are left out.
    pub fn from_counts(counts: impl IntoIterator<Item = (f32, u64)>) -> Self {
        // `+ 0.0` turns -0.0 into 0.0: the two are the same value.
        let mut counts: Vec<(f32, u64)> =
            counts.into_iter().filter(|&(_, count)| count > 0).map(|(value, count)| (value + 0.0, count)).collect();
        counts.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        Self::from_ascending(counts)
    }

    /// A sample from finite values, in any order.
    pub fn from_values(mut values: Vec<f32>) -> Self {
        values.par_iter_mut().for_each(|value| *value += 0.0);
        values.par_sort_unstable_by(f32::total_cmp);
        Self::from_ascending(values.into_iter().map(|value| (value, 1)))
    }

    fn from_ascending(counts: impl IntoIterator<Item = (f32, u64)>) -> Self {
        let mut sample = Self::default();
        for (value, count) in counts {
            debug_assert!(value.is_finite());
            let end = sample.len() + count;
            match (sample.values.last(), sample.ends.last_mut()) {
                (Some(last), Some(last_end)) if *last == value => *last_end = end,
                _ => {
                    sample.values.push(value);
                    sample.ends.push(end);
                }
            }
        }
        sample
    }

    /// How many elements there are.
    pub fn len(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The distinct values, ascending.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The distinct values, ascending, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (f32, u64)> + '_ {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        self.values.iter().zip(starts.zip(&self.ends)).map(|(&value, (start, &end))| (value, end - start))
    }

    /// The element at `rank` in ascending order, from 0. Panics beyond the last.
    pub fn at_rank(&self, rank: u64) -> f32 {
        self.values[self.ends.partition_point(|&end| end <= rank)]
    }

    /// The arithmetic mean; `None` of nothing.
    pub fn mean(&self) -> Option<f64> {
        let sum: f64 = self.iter().map(|(value, count)| f64::from(value) * count as f64).sum();
        (!self.is_empty()).then(|| sum / self.len() as f64)
    }

    /// The exact median: the middle element, or the mean of the two middle ones. `None` of nothing.
    pub fn median(&self) -> Option<f64> {
        let middle = |rank| f64::from(self.at_rank(rank));
        (!self.is_empty()).then(|| f64::midpoint(middle((self.len() - 1) / 2), middle(self.len() / 2)))
    }

    /// The elements of both.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Self {
        Self::from_counts(self.iter().chain(other.iter()))
    }

    /// The sample of `change(value)`. Cheap where neighbours become equal, as by rounding.
    #[must_use]
    pub fn map(&self, change: impl Fn(f32) -> f32) -> Self {
        let mut counts: Vec<(f32, u64)> = Vec::new();
        for (value, count) in self.iter() {
            let changed = change(value);
            match counts.last_mut() {
                Some((last, held)) if *last == changed => *held += count,
                _ => counts.push((changed, count)),
            }
        }
        Self::from_counts(counts)
    }
}

/// The values of both samples, ascending, each with its count in either.
pub(super) fn merged<'a>(a: &'a Sample, b: &'a Sample) -> impl Iterator<Item = (f32, u64, u64)> + 'a {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    std::iter::from_fn(move || {
        let value = match (a.peek(), b.peek()) {
            (None, None) => return None,
            (Some(&(value, _)), None) | (None, Some(&(value, _))) => value,
            (Some(&(in_a, _)), Some(&(in_b, _))) => in_a.min(in_b),
        };
        Some((value, take(&mut a, value), take(&mut b, value)))
    })
}

/// How often `value` occurs, if it comes next; it does not come again.
fn take(sample: &mut Peekable<impl Iterator<Item = (f32, u64)>>, value: f32) -> u64 {
    sample.next_if(|&(next, _)| next == value).map_or(0, |(_, count)| count)
}
