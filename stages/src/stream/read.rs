//! All files of a claim: their rows, their rejected lines, and whether there were too many of these.

use std::path::{Path, PathBuf};

use super::csv::Header;
use super::record::ClaimedFile;
use crate::context::{Context, Unit};
use crate::error::{Result, StageError};
use crate::intake::{Collector, Count, MaxBadRows, RatingRange, Reject, Rejected, conclude, open};
use crate::ratings::Ratings;

/// What lines should look like.
const EXPECTED: &str = "a line `DATE,CUST_ID,MOVIE_ID,RATING` (in any order), then one rating a line";

/// What to do about a claimed file that is gone.
const HINT: &str = "somebody took it out of the folder of claimed files; put the ratings back under the name that `csv` gives";

/// Bytes between two looks at whether the stage should stop.
const BLOCK_BYTES: u64 = 1 << 20;

/// What is still accepted.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Limits {
    /// The stars that count as a rating.
    pub(crate) rating_range: RatingRange,
    /// How many malformed lines are too many.
    pub(crate) max_bad_rows: Option<MaxBadRows>,
}

/// What one file held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileRows {
    /// Good rows.
    pub(crate) rows: u64,
    /// Malformed lines.
    pub(crate) rejected: u64,
}

/// Reads all files as one input: their ratings, in order, what each held, and what was rejected.
///
/// # Errors
/// A file that is gone or damaged, or whose first line is no header; too many malformed lines; cancellation.
pub(crate) fn read(files: &[ClaimedFile], limits: Limits, context: &Context) -> Result<(Ratings, Vec<FileRows>, Rejected)> {
    let total = files.iter().map(|file| file.stamp.bytes).sum();
    let mut collector = Collector::new("stream", context);
    let (mut ratings, mut each, mut lines, mut before) = (Ratings::default(), Vec::with_capacity(files.len()), 0, 0);
    for file in files {
        let (path, named) = (context.workspace.join(&file.claimed), named(file, context));
        let opened = open(&path, HINT, context)?;
        collector.begin(&named);
        let mut reader = Reader { name: context.display(&named), range: limits.rating_range, header: None, lines: 0, rows: 0, rejected: 0 };
        let take = |text: &[u8], taken: u64| {
            reader.add(text, &mut ratings, &mut collector, context)?;
            context.progress("read", before + taken, Some(total), Unit::Bytes);
            Ok(())
        };
        opened.pieces(&named, take, context)?;
        each.push(FileRows { rows: reader.rows, rejected: reader.rejected });
        lines += reader.lines;
        before += opened.bytes;
    }
    let rejected = collector.finish()?;
    let names: Vec<String> = files.iter().map(|file| format!("`{}`", context.display(&named(file, context)))).collect();
    let names = names.join(", ");
    let count = Count { name: &names, lines, good: ratings.len() as u64, max_bad_rows: limits.max_bad_rows, expected: EXPECTED };
    conclude(count, &rejected, context)?;
    Ok((ratings, each, rejected))
}

/// The name by which people know a file. One that was adopted keeps that of its claim: its own may be another file's by now.
fn named(file: &ClaimedFile, context: &Context) -> PathBuf {
    context.workspace.join(if file.adopted { &file.claimed } else { &file.original })
}

/// One file being read.
struct Reader {
    name: String,
    range: RatingRange,
    /// None before the first line with content.
    header: Option<Header>,
    lines: u64,
    rows: u64,
    rejected: u64,
}

impl Reader {
    /// Takes the next whole lines.
    fn add(&mut self, text: &[u8], ratings: &mut Ratings, collector: &mut Collector<'_>, context: &Context) -> Result<()> {
        let text = if self.lines == 0 { text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text) } else { text };
        let mut since_look = 0;
        for line in text.strip_suffix(b"\n").unwrap_or(text).split(|&byte| byte == b'\n') {
            self.lines += 1;
            since_look += line.len() as u64;
            if since_look > BLOCK_BYTES {
                context.check_cancelled()?;
                since_look = 0;
            }
            let line = line.trim_ascii();
            let Some(header) = self.header else {
                if !line.is_empty() {
                    self.header = Some(Header::parse(line).map_err(|why| self.no_header(&why))?);
                }
                continue;
            };
            match header.row(line, self.range) {
                _ if line.is_empty() => {}
                Ok((movie, user, rating, date)) => {
                    ratings.push(movie, user, rating, date);
                    self.rows += 1;
                }
                Err(defect) => {
                    collector.add(Reject { line: self.lines, defect, text: line })?;
                    self.rejected += 1;
                }
            }
        }
        context.check_cancelled()
    }

    fn no_header(&self, why: &str) -> StageError {
        StageError::input(format!("`{}` has {why} in line {}", self.name, self.lines))
            .with_hint("the first line names the columns DATE, CUST_ID, MOVIE_ID and RATING, in any order, separated by commas")
    }
}

/// Whether a file is as it was when it was claimed: if not, somebody still wrote to it, and what was read may not be all.
///
/// # Errors
/// One that is not. The next attempt reads it again.
pub(super) fn check_unchanged(file: &ClaimedFile, context: &Context) -> Result<()> {
    let path = context.workspace.join(&file.claimed);
    if is_unchanged(file, &path)? {
        return Ok(());
    }
    Err(StageError::new(crate::error::ErrorKind::Io, format!("`{}` changed while it was read: somebody still writes to it", file.original))
        .with_hint("write a stream file under another name, such as `current.csv.tmp`, and rename it when it is complete; or raise `settle_seconds`"))
}

/// The same as an answer.
pub(super) fn is_unchanged(file: &ClaimedFile, path: &Path) -> Result<bool> {
    let stamp = super::record::Stamp::of(path).map_err(|error| StageError::io("open", path, &error))?;
    Ok(stamp.as_ref() == Some(&file.stamp))
}
