//! All files of one input: progress, cancellation, and the verdict on their malformed rows.

use std::path::{Path, PathBuf};

use super::options::Options;
use super::parquet::Table;
use super::rows::{Builder, IdKinds, Outcome, Rules, Seen};
use super::sniff::{Kind, Sniffed, sample_cells, sniff};
use super::text::{self, Row};
use crate::context::{Context, Unit};
use crate::error::{Result, StageError};
use crate::intake::{Collector, Count, MaxBadRows, RatingRange, Reject, Rejected, check_distinct, conclude, name};
use crate::ratings::Ratings;

/// Rows between two looks at whether the stage should stop.
const ROWS_PER_LOOK: u64 = 1 << 14;

/// Of a file whose ratings were not said to lie in a certain range, at most this share may lie outside the usual one.
const SHARE_OUT_OF_RANGE: f64 = 0.05;

/// What a good row is.
const EXPECTED: &str = "a user, an item and a rating in every row; ids that are no numbers from 0 to 2147483647 need `ids: map`";

/// Files to read as one input.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Where they lie.
    pub files: &'a [PathBuf],
    /// What it is to the task, a short word: `train`. Names its rejects file and the phase of its progress.
    pub label: &'a str,
    /// What was said of them.
    pub options: &'a Options,
    /// How many malformed rows are too many; without a limit, any number beside a single good one.
    pub max_bad_rows: Option<MaxBadRows>,
}

/// What the files held.
#[derive(Debug, Clone, Default)]
pub struct Imported {
    /// The ratings in the order of the files, ids numbered as in [`Seen`].
    pub blocks: Vec<Ratings>,
    /// Ratings.
    pub rows: u64,
    /// Those without a time.
    pub undated: u64,
    /// Rows that say "seen, not rated".
    pub unrated: u64,
    /// Malformed rows.
    pub rejected: Rejected,
    /// What the files were taken for, in order, each layout once.
    pub layouts: Vec<&'static str>,
}

/// Which sides have names, as far as the first rows of the first file that has any tell.
///
/// # Errors
/// Those of opening the files.
pub fn guess_ids(files: &[PathBuf], options: &Options, context: &Context) -> Result<IdKinds> {
    for path in files {
        let Sniffed { kind, .. } = sniff(path, options, context)?;
        match kind {
            Kind::Empty => {}
            Kind::Text { shape, sample } => return Ok(IdKinds::of_sample(&sample_cells(&sample, &shape))),
            Kind::Parquet => return Table::open(path, options, context)?.sample(IdKinds::of_sample),
        }
    }
    Ok(IdKinds::default())
}

/// Reads all rows of the files; new names are added to `seen`. Rejected rows are reported as warnings and written to the rejects file.
///
/// # Errors
/// A file that is not there, is damaged or is something else; columns that are not there; too many malformed rows; cancellation.
pub fn read(source: Source<'_>, seen: &mut Seen, context: &Context) -> Result<Imported> {
    check_distinct(source.files, context)?;
    // All before the first is read: a mistake in the last file shows at once.
    let mut total = 0;
    for path in source.files {
        total += sniff(path, source.options, context)?.opened.bytes;
    }
    let mut reading = Reading {
        source,
        total,
        before: 0,
        lines: 0,
        rows: 0,
        builder: Builder::default(),
        collector: Collector::new(source.label, context),
        layouts: Vec::new(),
        context,
    };
    for path in source.files {
        reading.file(path, seen)?;
    }
    reading.finish()
}

struct Reading<'a> {
    source: Source<'a>,
    /// Bytes of all files, and of those that are done.
    total: u64,
    before: u64,
    lines: u64,
    /// Rows since the last look at whether to stop.
    rows: u64,
    builder: Builder,
    collector: Collector<'a>,
    layouts: Vec<&'static str>,
    context: &'a Context,
}

impl Reading<'_> {
    fn file(&mut self, path: &Path, seen: &mut Seen) -> Result<()> {
        let (options, context) = (self.source.options, self.context);
        let Sniffed { opened, kind } = sniff(path, options, context)?;
        let bytes = opened.bytes;
        self.collector.begin(path);
        let (name, range, lines) = match kind {
            Kind::Empty => ("empty", None, 0),
            Kind::Text { shape, .. } => {
                let rules = Rules::new(options, Some(shape.layout));
                let take = |row: Row<'_>, done: u64| self.row(&row, done, &rules, seen);
                let lines = text::rows((path, &opened), &shape, options.quoting, take, context)?;
                (shape.layout.name, Some(rules.rating_range()), lines)
            }
            Kind::Parquet => {
                let rules = Rules::new(options, None);
                let table = Table::open(path, options, context)?;
                let rows = table.rows.max(1);
                let done = |row: u64| (u128::from(bytes) * u128::from(row) / u128::from(rows)) as u64;
                let lines = table.rows(|row| self.row(&row, done(row.line), &rules, seen))?;
                ("parquet", Some(rules.rating_range()), lines)
            }
        };
        if !self.layouts.contains(&name) {
            self.layouts.push(name);
        }
        if let Some(range) = range.filter(|_| options.rating_range.is_none() && self.source.max_bad_rows.is_none()) {
            self.check_range(path, range)?;
        }
        self.lines += lines;
        self.before += bytes;
        Ok(())
    }

    fn row(&mut self, row: &Row<'_>, done: u64, rules: &Rules, seen: &mut Seen) -> Result<()> {
        self.rows += 1;
        if self.rows == ROWS_PER_LOOK {
            self.rows = 0;
            self.context.check_cancelled()?;
            self.context.progress(&format!("read {}", self.source.label), self.before + done, Some(self.total), Unit::Bytes);
        }
        let outcome = match row.cells {
            Ok(cells) => self.builder.add(cells, rules, seen)?,
            Err(defect) => Outcome::Malformed(defect),
        };
        match outcome {
            Outcome::Malformed(defect) => self.collector.add(Reject { line: row.line, defect, text: &row.text() }),
            Outcome::Rated | Outcome::Unrated => Ok(()),
        }
    }

    /// Ratings on another scale would be dropped one by one: that is a misunderstanding, not a few bad rows.
    fn check_range(&self, path: &Path, range: RatingRange) -> Result<()> {
        let Some((low, high, count)) = self.builder.out_of_range else { return Ok(()) };
        let all = self.builder.rows + self.builder.unrated + count;
        if count as f64 <= SHARE_OUT_OF_RANGE * all as f64 {
            return Ok(());
        }
        let name = self.context.display(path);
        Err(StageError::input(format!("{count} of {all} ratings lie outside {range}, from {low} to {high}, in `{name}` or before it"))
            .with_hint("say what the scale is: `rating_range: \"1-10\"`; or how many may be dropped: `max_bad_rows`"))
    }

    fn finish(self) -> Result<Imported> {
        let Self { source, lines, builder, collector, layouts, context, .. } = self;
        let rejected = collector.finish()?;
        let name = name(source.files, context);
        let count =
            Count { name: &name, lines, good: builder.rows + builder.unrated, max_bad_rows: source.max_bad_rows, expected: EXPECTED };
        conclude(count, &rejected, context)?;
        let Builder { blocks, rows, undated, unrated, .. } = builder;
        Ok(Imported { blocks, rows, undated, unrated, rejected, layouts })
    }
}
