//! Sorts more ratings than memory holds.
//!
//! Rows gather in a buffer. When it is full they are sorted and written to a *run*, a file in a [`Scratch`] folder beside the output;
//! in the end the runs are merged into one stream. As long as one buffer is enough there is no file at all. Are there more runs
//! than may be read at once, the first ones are merged into a longer run, again and again.
//!
//! A run is rows in order, 16 bytes each: [`Key`] in little-endian. Rows that are equal are told apart by nothing, so the order
//! depends on the rows alone, whatever the size of the buffer.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::context::Context;
use crate::error::{Result, StageError};
use crate::failpoint;
use crate::ratings::Ratings;
use crate::storage::Scratch;

/// Rows between two looks at whether the stage should stop.
const BLOCK_ROWS: usize = 1 << 16;

/// A row as one number that sorts as the row does: date, user, movie, bits of the rating, from the top, with the sign bits of
/// the integers flipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u128);

/// What a key says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Row {
    pub(super) date: i32,
    pub(super) user: i32,
    pub(super) movie: i32,
    pub(super) rating: f32,
}

impl From<Row> for Key {
    fn from(row: Row) -> Self {
        let ascending = |signed: i32| u128::from(signed.cast_unsigned() ^ 1 << 31);
        Self(ascending(row.date) << 96 | ascending(row.user) << 64 | ascending(row.movie) << 32 | u128::from(row.rating.to_bits()))
    }
}

impl From<Key> for Row {
    fn from(Key(key): Key) -> Self {
        let field = |shift: u32| (key >> shift) as u32;
        let signed = |shift: u32| (field(shift) ^ 1 << 31).cast_signed();
        Self { date: signed(96), user: signed(64), movie: signed(32), rating: f32::from_bits(field(0)) }
    }
}

/// How much memory is used, in numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Rows that are sorted at once.
    pub(super) rows: usize,
    /// Runs that are read at once, at least 2.
    pub(super) fan_in: usize,
    /// Bytes of a run that are read at once.
    pub(super) read_bytes: usize,
}

impl Limits {
    /// For so many bytes, at least 1 MiB. While runs are merged the same memory holds their buffers.
    pub(super) fn of(bytes: u64) -> Self {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        // A process may have some 1024 files open.
        let fan_in = (bytes >> 16).clamp(2, 256);
        Self { rows: (bytes / size_of::<Key>()).max(1), fan_in, read_bytes: (bytes / fan_in).min(1 << 20) }
    }
}

/// Takes rows in any order.
pub(super) struct Sorter<'a> {
    context: &'a Context,
    limits: Limits,
    /// Beside which runs are written.
    target: &'a Path,
    buffer: Vec<Key>,
    runs: Vec<PathBuf>,
    /// Runs written so far, merged ones included.
    written: usize,
    scratch: Option<Scratch<'a>>,
}

impl<'a> Sorter<'a> {
    /// For the rows of the file that will lie at `target`.
    pub(super) fn new(limits: Limits, target: &'a Path, context: &'a Context) -> Self {
        Self { context, limits, target, buffer: Vec::new(), runs: Vec::new(), written: 0, scratch: None }
    }

    /// Takes some rows.
    ///
    /// # Errors
    /// I/O trouble.
    pub(super) fn add(&mut self, block: &Ratings) -> Result<()> {
        for at in 0..block.len() {
            if self.buffer.len() == self.limits.rows {
                self.spill()?;
            }
            if self.buffer.len() == self.buffer.capacity() {
                // Never more than the limit, as doubling could be.
                let more = self.buffer.len().max(BLOCK_ROWS).min(self.limits.rows - self.buffer.len());
                self.buffer.reserve_exact(more);
            }
            let row = Row { date: block.date[at], user: block.user[at], movie: block.movie[at], rating: block.rating[at] };
            self.buffer.push(row.into());
        }
        Ok(())
    }

    /// All rows in order.
    ///
    /// # Errors
    /// I/O trouble, cancellation.
    pub(super) fn finish(mut self) -> Result<Sorted<'a>> {
        if self.runs.is_empty() {
            self.buffer.par_sort_unstable();
            return Ok(Sorted { context: self.context, rows: Rows::InMemory(self.buffer), _scratch: None });
        }
        self.spill()?;
        self.buffer = Vec::new();
        while self.runs.len() > self.limits.fan_in {
            let first: Vec<PathBuf> = self.runs.drain(..self.limits.fan_in).collect();
            let mut merge = Merge::open(&first, self.limits.read_bytes)?;
            let context = self.context;
            self.write_run(|run| {
                while let Some(key) = merge.next(context)? {
                    run(key)?;
                }
                Ok(())
            })?;
            for path in first {
                context.storage.remove_file(&path).map_err(|error| StageError::io("remove", &path, &error))?;
            }
        }
        let merge = Merge::open(&self.runs, self.limits.read_bytes)?;
        Ok(Sorted { context: self.context, rows: Rows::OnDisk(merge), _scratch: self.scratch })
    }

    /// Sorts the buffer and writes it to a run.
    fn spill(&mut self) -> Result<()> {
        self.context.check_cancelled()?;
        self.buffer.par_sort_unstable();
        let buffer = std::mem::take(&mut self.buffer);
        self.write_run(|run| buffer.iter().try_for_each(|&key| run(key)))?;
        self.buffer = buffer;
        self.buffer.clear();
        failpoint::hit("futures.after_run");
        Ok(())
    }

    /// Writes one run; `fill` gives it the keys in order.
    fn write_run(&mut self, fill: impl FnOnce(&mut dyn FnMut(Key) -> Result<()>) -> Result<()>) -> Result<()> {
        let storage = &*self.context.storage;
        if self.scratch.is_none() {
            let scratch = Scratch::beside(storage, self.target).map_err(|error| StageError::io("write beside", self.target, &error))?;
            self.scratch = Some(scratch);
        }
        let folder = self.scratch.as_ref().map_or(self.target, Scratch::path);
        let path = folder.join(format!("run-{}", self.written));
        let failed = |error: io::Error| StageError::io("write", &path, &error);
        let mut file = BufWriter::with_capacity(1 << 18, storage.create(&path).map_err(failed)?);
        fill(&mut |Key(key)| file.write_all(&key.to_le_bytes()).map_err(failed))?;
        // Not put on stable storage: after a crash of the machine nobody reads it.
        file.flush().map_err(failed)?;
        self.runs.push(path);
        self.written += 1;
        Ok(())
    }
}

/// Rows in order.
pub(super) struct Sorted<'a> {
    context: &'a Context,
    rows: Rows,
    /// Holds the runs until they are read.
    _scratch: Option<Scratch<'a>>,
}

enum Rows {
    InMemory(Vec<Key>),
    OnDisk(Merge),
}

impl Sorted<'_> {
    /// Hands over each row.
    ///
    /// # Errors
    /// I/O trouble, cancellation, and those of `take`.
    pub(super) fn each(self, mut take: impl FnMut(Row) -> Result<()>) -> Result<()> {
        match self.rows {
            Rows::InMemory(keys) => keys.chunks(BLOCK_ROWS).try_for_each(|block| {
                self.context.check_cancelled()?;
                block.iter().try_for_each(|&key| take(key.into()))
            }),
            Rows::OnDisk(mut merge) => {
                while let Some(key) = merge.next(self.context)? {
                    take(key.into())?;
                }
                Ok(())
            }
        }
    }
}

/// The smallest key of several runs, again and again.
struct Merge {
    runs: Vec<Run>,
    /// The next key of each run that has one, smallest first.
    heads: BinaryHeap<Reverse<(Key, usize)>>,
    taken: usize,
}

impl Merge {
    fn open(paths: &[PathBuf], read_bytes: usize) -> Result<Self> {
        let mut runs = paths.iter().map(|path| Run::open(path, read_bytes)).collect::<Result<Vec<_>>>()?;
        let mut heads = BinaryHeap::with_capacity(runs.len());
        for (number, run) in runs.iter_mut().enumerate() {
            heads.extend(run.next()?.map(|key| Reverse((key, number))));
        }
        Ok(Self { runs, heads, taken: 0 })
    }

    fn next(&mut self, context: &Context) -> Result<Option<Key>> {
        if self.taken.is_multiple_of(BLOCK_ROWS) {
            context.check_cancelled()?;
        }
        self.taken += 1;
        let Some(mut head) = self.heads.peek_mut() else { return Ok(None) };
        let Reverse((key, number)) = *head;
        match self.runs[number].next()? {
            // Sinks to its place when `head` goes: half the work of a removal and an insertion.
            Some(next) => *head = Reverse((next, number)),
            None => drop(PeekMut::pop(head)),
        }
        Ok(Some(key))
    }
}

/// A run being read.
struct Run {
    path: PathBuf,
    file: BufReader<File>,
    left: u64,
}

impl Run {
    fn open(path: &Path, read_bytes: usize) -> Result<Self> {
        let open = || {
            let file = File::open(path)?;
            let left = file.metadata()?.len() / size_of::<Key>() as u64;
            Ok(Self { path: path.to_owned(), file: BufReader::with_capacity(read_bytes, file), left })
        };
        open().map_err(|error| StageError::io("read", path, &error))
    }

    fn next(&mut self) -> Result<Option<Key>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let mut bytes = [0; size_of::<Key>()];
        self.file.read_exact(&mut bytes).map_err(|error| StageError::io("read", &self.path, &error))?;
        Ok(Some(Key(u128::from_le_bytes(bytes))))
    }
}
