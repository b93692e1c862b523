//! New rows sorted into their months while they are read: in 8 bytes each where [`Packed`] can hold them, else in 16.
//!
//! How data moves: a *wave* is some blocks of rows in the order of their file. Each block is scattered on a thread of its own, by a counting
//! sort over the months; then each month takes its part of all blocks, in their order.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rayon::prelude::*;

use super::packed::{DAYS, Packed};
use super::partition::Partition;
use super::row::{Line, Row};
use crate::ratings::Ratings;

/// Months from the one of day 0 to that of the last day that can be packed.
const MONTHS: usize = 12 * 90;

/// Months that one thread appends to at a time.
const MONTHS_AT_ONCE: usize = 8;

/// The number of the month of each day that can be packed, from 0 for January 1970.
static MONTH_OF_DAY: LazyLock<Vec<u16>> = LazyLock::new(|| {
    let number = |day| {
        let Partition { year, month } = Partition::of_day(day);
        ((year - 1970) * 12 + month as i32 - 1) as u16
    };
    (0..DAYS).map(number).collect()
});

/// Rows of one month in the order in which they came, those that can be packed apart.
#[derive(Debug, Default)]
pub(super) struct Month {
    pub(super) packed: Vec<Packed>,
    pub(super) wide: Vec<Row>,
}

impl Month {
    pub(super) fn len(&self) -> usize {
        self.packed.len() + self.wide.len()
    }
}

/// Rows by month.
#[derive(Debug)]
pub(super) struct Months {
    /// By number of the month.
    packed: Vec<Vec<Packed>>,
    wide: BTreeMap<Partition, Vec<Row>>,
    /// Bytes of all rows.
    pub(super) bytes: usize,
}

/// A block, scattered.
enum Scattered {
    /// Rows by month, and where each month ends among them.
    Packed {
        rows: Vec<Packed>,
        ends: Vec<u32>,
    },
    Wide(BTreeMap<Partition, Vec<Row>>),
}

impl Default for Months {
    fn default() -> Self {
        Self { packed: vec![Vec::new(); MONTHS], wide: BTreeMap::new(), bytes: 0 }
    }
}

impl Months {
    /// Takes some blocks, each at most 2³² rows.
    pub(super) fn add(&mut self, wave: Vec<Ratings>) {
        let blocks: Vec<Scattered> = wave.into_par_iter().map(|block| scatter(&block)).collect();
        self.packed.par_iter_mut().enumerate().with_min_len(MONTHS_AT_ONCE).for_each(|(month, taken)| {
            for block in &blocks {
                if let Scattered::Packed { rows, ends } = block {
                    let start = if month == 0 { 0 } else { ends[month - 1] };
                    taken.extend_from_slice(&rows[start as usize..ends[month] as usize]);
                }
            }
        });
        for block in blocks {
            match block {
                Scattered::Packed { rows, .. } => self.bytes += rows.len() * Packed::BYTES,
                Scattered::Wide(months) => {
                    for (partition, mut rows) in months {
                        self.bytes += rows.len() * Row::BYTES;
                        self.wide.entry(partition).or_default().append(&mut rows);
                    }
                }
            }
        }
    }

    /// The rows of each month that has any.
    pub(super) fn into_months(self) -> BTreeMap<Partition, Month> {
        let mut months: BTreeMap<Partition, Month> = BTreeMap::new();
        for (number, packed) in (0..).zip(self.packed) {
            if !packed.is_empty() {
                months.entry(partition(number)).or_default().packed = packed;
            }
        }
        for (partition, wide) in self.wide {
            months.entry(partition).or_default().wide = wide;
        }
        months
    }

    /// Hands the rows of each month, sorted, to `take` and forgets them. The memory of packed rows stays, for those to come.
    pub(super) fn drain_sorted<E>(&mut self, mut take: impl FnMut(Partition, &[Packed], &[Row]) -> Result<(), E>) -> Result<(), E> {
        self.packed.par_iter_mut().for_each(|rows| Packed::sort(rows));
        for (number, packed) in (0..).zip(&mut self.packed) {
            if !packed.is_empty() {
                take(partition(number), packed, &[])?;
                packed.clear();
            }
        }
        for (partition, mut rows) in std::mem::take(&mut self.wide) {
            rows.par_sort_unstable();
            take(partition, &[], &rows)?;
        }
        self.bytes = 0;
        Ok(())
    }
}

fn partition(number: u32) -> Partition {
    Partition { year: 1970 + (number / 12) as i32, month: number % 12 + 1 }
}

fn scatter(block: &Ratings) -> Scattered {
    scatter_packed(block).unwrap_or_else(|| Scattered::Wide(scatter_wide(block)))
}

/// `None` if a row cannot be packed.
fn scatter_packed(block: &Ratings) -> Option<Scattered> {
    let month_of_day = &*MONTH_OF_DAY;
    let month = |day: i32| month_of_day.get(usize::try_from(day).ok()?).map(|&month| usize::from(month));
    let mut ends = vec![0_u32; MONTHS];
    for &day in &block.date {
        ends[month(day)?] += 1;
    }
    let mut next = 0;
    for end in &mut ends {
        // For now each says where the month begins.
        next += std::mem::replace(end, next);
    }
    let mut rows = vec![Packed::default(); block.len()];
    for index in 0..block.len() {
        let end = &mut ends[month(block.date[index])?];
        rows[*end as usize] = Packed::of(block, index)?;
        *end += 1;
    }
    Some(Scattered::Packed { rows, ends })
}

fn scatter_wide(block: &Ratings) -> BTreeMap<Partition, Vec<Row>> {
    let mut months: BTreeMap<Partition, Vec<Row>> = BTreeMap::new();
    for index in 0..block.len() {
        months.entry(Partition::of_day(block.date[index])).or_default().push(Row::of(block, index));
    }
    months
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_row_lands_once_in_its_month_and_in_its_order(
            rows in prop::collection::vec((prop_oneof![9 => 0..50_i32, 1 => Just(i32::MAX)], 0..9_i32, prop_oneof![9 => 0..DAYS, 1 => -400_000..400_000_i32]), 0..300),
            block in 1..80_usize,
        ) {
            let blocks = rows.chunks(block).map(|rows| {
                let mut ratings = Ratings::default();
                rows.iter().for_each(|&(movie, user, date)| ratings.push(movie, user, 3.0, date));
                ratings
            });
            let mut months = Months::default();
            let blocks: Vec<Ratings> = blocks.collect();
            blocks.chunks(3).for_each(|wave| months.add(wave.to_vec()));
            let mut found = 0;
            for (partition, month) in months.into_months() {
                let expected: Vec<Row> =
                    rows.iter().filter(|row| Partition::of_day(row.2) == partition).map(|&(movie, user, date)| Row::new(movie, user, 3.0, date)).collect();
                let mut joined: Vec<Row> = month.packed.iter().map(|packed| packed.row()).chain(month.wide.iter().copied()).collect();
                found += joined.len();
                if month.wide.is_empty() {
                    prop_assert_eq!(&joined, &expected);
                }
                joined.sort_unstable();
                let mut expected = expected;
                expected.sort_unstable();
                prop_assert_eq!(joined, expected);
            }
            prop_assert_eq!(found, rows.len());
        }
    }
}
