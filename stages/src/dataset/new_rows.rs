//! The rows that a publication adds, in memory or, beyond a limit, in sorted *runs* on disk.
//!
//! A run is a file in a [`Scratch`] folder beside the dataset: the rows of one month after the other, each month's sorted, packed rows
//! before wide ones. A month is later read back from all runs at once; what a publisher then sorts is a few sorted runs, so the result is the same,
//! byte for byte, whatever the limit.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::months::{Month, Months};
use super::packed::Packed;
use super::partition::Partition;
use super::row::Row;
use crate::context::Context;
use crate::error::{Result, StageError};
use crate::failpoint;
use crate::ratings::Ratings;
use crate::storage::Scratch;

/// Rows to be written, by month. Made of blocks that are there ([`From`]), or filled while they are read.
#[derive(Debug, Default)]
pub struct NewRows<'a> {
    months: Months,
    count: u64,
    has_halves: bool,
    bound: Option<Bound<'a>>,
}

/// What keeps rows within a limit.
#[derive(Debug)]
struct Bound<'a> {
    bytes: usize,
    /// Beside which runs are written.
    target: PathBuf,
    context: &'a Context,
    runs: Vec<Run>,
    scratch: Option<Scratch<'a>>,
}

/// Where the rows of each month lie in a run.
type Run = BTreeMap<Partition, Vec<Segment>>;

/// Sorted rows of one month in a run.
#[derive(Debug, Clone)]
struct Segment {
    file: Arc<(PathBuf, File)>,
    offset: u64,
    rows: usize,
    is_packed: bool,
}

impl From<Vec<Ratings>> for NewRows<'_> {
    fn from(blocks: Vec<Ratings>) -> Self {
        let mut rows = Self::default();
        rows.take(blocks);
        rows
    }
}

impl<'a> NewRows<'a> {
    /// Room for rows of the dataset at `target`, of which at most some `bytes` stay in memory; any number of bytes if that is not said.
    pub fn within(bytes: Option<u64>, target: &Path, context: &'a Context) -> Self {
        let bound = bytes.map(|bytes| Bound {
            bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
            target: target.to_owned(),
            context,
            runs: Vec::new(),
            scratch: None,
        });
        Self { bound, ..Self::default() }
    }

    /// Takes some blocks of rows, which are scattered in parallel.
    ///
    /// # Errors
    /// I/O trouble, where they do not all stay in memory.
    pub fn add(&mut self, wave: Vec<Ratings>) -> Result<()> {
        self.take(wave);
        if let Some(bound) = &mut self.bound
            && self.months.bytes > bound.bytes
        {
            bound.spill(&mut self.months)?;
        }
        Ok(())
    }

    fn take(&mut self, wave: Vec<Ratings>) {
        self.count += wave.iter().map(|block| block.len() as u64).sum::<u64>();
        self.has_halves |= wave.par_iter().any(|block| block.rating.iter().any(|stars| stars.fract() != 0.0));
        self.months.add(wave);
    }

    /// How many rows there are.
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether any rating has half stars.
    pub fn has_halves(&self) -> bool {
        self.has_halves
    }

    /// The rows of each month that has any. Those on disk can be read as long as the second lives.
    pub(super) fn into_months(self) -> (BTreeMap<Partition, NewMonth>, Option<Scratch<'a>>) {
        let in_memory = |(partition, month)| (partition, NewMonth { month, segments: Vec::new() });
        let mut months: BTreeMap<Partition, NewMonth> = self.months.into_months().into_iter().map(in_memory).collect();
        let Some(bound) = self.bound else { return (months, None) };
        for run in bound.runs {
            for (partition, mut segments) in run {
                months.entry(partition).or_default().segments.append(&mut segments);
            }
        }
        (months, bound.scratch)
    }
}

/// The new rows of one month.
#[derive(Debug, Default)]
pub(super) struct NewMonth {
    month: Month,
    segments: Vec<Segment>,
}

impl NewMonth {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.month.len() + self.segments.iter().map(|segment| segment.rows).sum::<usize>()
    }

    /// All of them in memory.
    ///
    /// # Errors
    /// I/O trouble.
    pub(super) fn load(self) -> Result<Month> {
        let Self { mut month, segments } = self;
        if segments.is_empty() {
            return Ok(month);
        }
        // First what was read first: of Netflix text the movies then ascend from run to run.
        let rest = std::mem::take(&mut month);
        for segment in segments {
            let failed = |error| StageError::io("read", &segment.file.0, &error);
            if segment.is_packed {
                segment.read(&mut month.packed, Packed::from_bytes).map_err(failed)?;
            } else {
                segment.read(&mut month.wide, Row::from_bytes).map_err(failed)?;
            }
        }
        month.packed.extend(rest.packed);
        month.wide.extend(rest.wide);
        Ok(month)
    }
}

impl Segment {
    fn read<const N: usize, T>(&self, rows: &mut Vec<T>, from_bytes: impl Fn([u8; N]) -> T) -> std::io::Result<()> {
        const AT_ONCE: usize = 1 << 14;
        let mut buffer = vec![[0; N]; AT_ONCE.min(self.rows)];
        rows.reserve(self.rows);
        let mut read = 0;
        while read < self.rows {
            let now = &mut buffer[..AT_ONCE.min(self.rows - read)];
            self.file.1.read_exact_at(now.as_flattened_mut(), self.offset + (read * N) as u64)?;
            rows.extend(now.iter().map(|&bytes| from_bytes(bytes)));
            read += now.len();
        }
        Ok(())
    }
}

impl Bound<'_> {
    /// Sorts what is in memory and writes it to a run.
    fn spill(&mut self, months: &mut Months) -> Result<()> {
        self.context.check_cancelled()?;
        let storage = &*self.context.storage;
        if self.scratch.is_none() {
            let scratch = Scratch::beside(storage, &self.target).map_err(|error| StageError::io("write beside", &self.target, &error))?;
            self.scratch = Some(scratch);
        }
        let folder = self.scratch.as_ref().map_or(self.target.as_path(), Scratch::path);
        let path = folder.join(format!("run-{}", self.runs.len()));
        let failed = |error: std::io::Error| StageError::io("write", &path, &error);
        let mut file = BufWriter::with_capacity(1 << 18, storage.create(&path).map_err(failed)?);
        let (mut places, mut offset) = (Vec::new(), 0);
        months
            .drain_sorted(|partition, packed, wide| {
                for (rows, is_packed) in [(packed.len(), true), (wide.len(), false)] {
                    if rows > 0 {
                        places.push((partition, offset, rows, is_packed));
                        offset += (rows * if is_packed { Packed::BYTES } else { Row::BYTES }) as u64;
                    }
                }
                packed.iter().try_for_each(|row| file.write_all(&row.to_bytes()))?;
                wide.iter().try_for_each(|row| file.write_all(&row.to_bytes()))
            })
            .map_err(failed)?;
        // Not put on stable storage: after a crash of the machine nobody reads it.
        file.flush().map_err(failed)?;
        let file = Arc::new((path.clone(), File::open(&path).map_err(|error| StageError::io("read", &path, &error))?));
        let mut run = Run::new();
        for (partition, offset, rows, is_packed) in places {
            run.entry(partition).or_default().push(Segment { file: file.clone(), offset, rows, is_packed });
        }
        self.runs.push(run);
        failpoint::hit("dataset.after_run");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::context::PublishKey;

    fn rows_of(new: NewRows<'_>) -> BTreeMap<Partition, Vec<Row>> {
        use super::super::row::Line;
        let (months, _runs) = new.into_months();
        let sorted = |month: NewMonth| {
            let expected = month.len();
            let Month { packed, wide } = month.load().unwrap();
            let mut rows: Vec<Row> = packed.into_iter().map(Line::row).chain(wide).collect();
            assert_eq!(rows.len(), expected);
            rows.sort_unstable();
            rows
        };
        months.into_iter().map(|(partition, month)| (partition, sorted(month))).collect()
    }

    proptest! {
        #[test]
        fn a_limit_changes_where_rows_lie_and_nothing_else(
            rows in prop::collection::vec((0..40_i32, prop_oneof![9 => 0..9_i32, 1 => Just(i32::MAX)], 0..9_u8, 12_000..12_200_i32), 0..200),
            wave in 1..60_usize, limit in 0..1500_u64,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let context = Context::plain(folder.path(), PublishKey::new("run", "etl", 0));
            let waves: Vec<Vec<Ratings>> = rows.chunks(wave).map(|rows| {
                let mut block = Ratings::default();
                rows.iter().for_each(|&(movie, user, halves, date)| block.push(movie, user, f32::from(halves) / 2.0, date));
                vec![block]
            }).collect();
            let target = folder.path().join("train");
            let mut bound = NewRows::within(Some(limit), &target, &context);
            let mut free = NewRows::within(None, &target, &context);
            for wave in waves {
                bound.add(wave.clone()).unwrap();
                free.add(wave).unwrap();
            }
            prop_assert_eq!((bound.len(), bound.has_halves()), (free.len(), free.has_halves()));
            prop_assert_eq!(rows_of(bound), rows_of(free));
            prop_assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the runs are removed");
        }
    }
}
