//! The stream, cut into one file for each period: read once, from the first line to the last.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, SystemTime};

use recflow_stages::date::{format_iso, parse_iso};
use recflow_stages::intake::RatingRange;
use recflow_stages::storage::AtomicFile;
use recflow_stages::stream::scan::{Line, scan};
use recflow_stages::{Context, Result, StageError};
use serde::{Deserialize, Serialize};

use super::period::{Every, Period, midnight};

/// More periods than this are a mistake.
const PERIODS_MAX: usize = 10_000;

/// A period of the simulation, and what arrives in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// The period's name.
    pub period: String,
    /// Its first day, `YYYY-MM-DD`.
    pub first: String,
    /// The day after its last: at its midnight the pipeline runs.
    pub end: String,
    /// Ratings that arrive in it.
    pub ratings: u64,
}

/// `periods.json`: the stream, cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cut {
    /// The periods, in order, without a gap.
    pub(super) slices: Vec<Slice>,
    /// Ratings before `--from` and after `--to`.
    pub(super) outside: u64,
    /// Malformed lines; they are left out.
    pub(super) malformed: u64,
}

/// How to cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Knife {
    pub(super) every: Every,
    /// First day.
    pub(super) from: Option<i32>,
    /// Last day.
    pub(super) to: Option<i32>,
    pub(super) rating_range: RatingRange,
}

/// Reads `YYYY-MM-DD`.
pub(super) fn day(option: &str, text: &str) -> Result<i32> {
    parse_iso(text.as_bytes())
        .ok_or_else(|| StageError::input(format!("`{option} {text}` is no date")).with_hint("write YYYY-MM-DD, such as 2005-03-01"))
}

impl Knife {
    /// Cuts the stream file into `folder`: `PERIOD.csv` for each period with ratings, with the header of the stream.
    ///
    /// # Errors
    /// A stream that cannot be read or is not ordered by date; no rating between the first day and the last; I/O trouble.
    pub(super) fn cut(&self, stream: &Path, folder: &Path, context: &Context) -> Result<Cut> {
        let mut cutting =
            Cutting { knife: *self, folder, context, header: Vec::new(), open: None, slices: Vec::new(), outside: 0, malformed: 0 };
        let name = context.display(stream);
        scan(stream, self.rating_range, context, |line| match line {
            Line::Header(text) => {
                cutting.header = text.to_vec();
                Ok(())
            }
            Line::Malformed(_) => {
                cutting.malformed += 1;
                Ok(())
            }
            Line::Rating { number, row: (.., day), text } => cutting.add(&name, number, day, text),
        })?;
        cutting.finish(&name)
    }
}

/// The stream being cut.
struct Cutting<'a> {
    knife: Knife,
    folder: &'a Path,
    context: &'a Context,
    header: Vec<u8>,
    open: Option<Open<'a>>,
    slices: Vec<Slice>,
    outside: u64,
    malformed: u64,
}

/// The period that is being written.
struct Open<'a> {
    period: Period,
    file: AtomicFile<'a>,
    ratings: u64,
}

impl Cutting<'_> {
    fn add(&mut self, stream: &str, number: u64, day: i32, text: &[u8]) -> Result<()> {
        if self.knife.from.is_some_and(|from| day < from) || self.knife.to.is_some_and(|to| day > to) {
            self.outside += 1;
            return Ok(());
        }
        if let Some(open) = &self.open
            && day < open.period.first
        {
            let (found, after) = (format_iso(day), format_iso(open.period.first));
            return Err(StageError::input(format!(
                "`{stream}` is not ordered by date: line {number} is of {found}, after ratings of {after} or later"
            ))
            .with_hint("stage `create_futures` writes a stream ordered by date"));
        }
        if self.open.as_ref().is_none_or(|open| day >= open.period.end) {
            self.close()?;
            self.begin(self.knife.every.period_of(day))?;
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        open.ratings += 1;
        let written = open.file.write_all(text).and_then(|()| open.file.write_all(b"\n"));
        written.map_err(|error| StageError::io("write to", self.folder, &error))
    }

    /// Begins the file of `period`; the periods between the last one and this have no ratings.
    fn begin(&mut self, period: Period) -> Result<()> {
        let first = self.knife.from.unwrap_or(period.first);
        let next = self.slices.last().map_or(first, |slice: &Slice| parse_iso(slice.end.as_bytes()).unwrap_or(first));
        self.fill(next, period.first)?;
        let path = self.folder.join(format!("{}.csv", period.name));
        let mut file = AtomicFile::create(&*self.context.storage, &path).map_err(|error| StageError::io("create", &path, &error))?;
        let header = file.write_all(&self.header).and_then(|()| file.write_all(b"\n"));
        header.map_err(|error| StageError::io("write", &path, &error))?;
        self.open = Some(Open { period, file, ratings: 0 });
        Ok(())
    }

    /// Completes the file of the open period.
    fn close(&mut self) -> Result<()> {
        let Some(Open { period, file, ratings }) = self.open.take() else { return Ok(()) };
        let path = self.folder.join(format!("{}.csv", period.name));
        let publish = file.publish().and_then(|()| {
            // A stream file that has not changed for a while is complete: `process_stream` need not watch it. Simulated time, as its clock.
            File::options().write(true).open(&path)?.set_modified(system_time(period.first))
        });
        publish.map_err(|error| StageError::io("write", &path, &error))?;
        self.push(&period, ratings)
    }

    /// Periods without ratings from the one that `day` lies in to the one before `end`.
    fn fill(&mut self, mut day: i32, end: i32) -> Result<()> {
        while day < end {
            let period = self.knife.every.period_of(day);
            day = period.end;
            self.push(&period, 0)?;
        }
        Ok(())
    }

    fn push(&mut self, period: &Period, ratings: u64) -> Result<()> {
        if self.slices.len() == PERIODS_MAX {
            let message = format!("the stream has more than {PERIODS_MAX} periods");
            return Err(
                StageError::input(message).with_hint("choose longer periods (`--every`), or a part of the stream (`--from`, `--to`)")
            );
        }
        let (first, end) = (format_iso(period.first), format_iso(period.end));
        self.slices.push(Slice { period: period.name.clone(), first, end, ratings });
        Ok(())
    }

    fn finish(mut self, stream: &str) -> Result<Cut> {
        let end = self.open.as_ref().map(|open| open.period.end);
        self.close()?;
        let Some(end) = end else {
            let error = match self.outside {
                0 => StageError::input(format!("`{stream}` has no rating")),
                outside => StageError::input(format!("none of the {outside} ratings of `{stream}` lies between `--from` and `--to`")),
            };
            return Err(error.with_hint("`create_futures` writes the ratings that came after those of `etl`, ordered by date"));
        };
        if let Some(to) = self.knife.to {
            self.fill(end, to + 1)?;
        }
        Ok(Cut { slices: self.slices, outside: self.outside, malformed: self.malformed })
    }
}

/// Midnight of a day as the file system knows time.
fn system_time(day: i32) -> SystemTime {
    let seconds = midnight(day).as_second();
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { SystemTime::UNIX_EPOCH - distance } else { SystemTime::UNIX_EPOCH + distance }
}

#[cfg(test)]
mod tests {
    use super::*;
    use recflow_stages::PublishKey;

    const HEADER: &str = "DATE,CUST_ID,MOVIE_ID,RATING\n";

    fn cut(rows: &[&str], every: Every, from: Option<&str>, to: Option<&str>) -> (Result<Cut>, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("future.csv"), format!("{HEADER}{}", rows.join("\n"))).unwrap();
        let context = Context::plain(folder.path(), PublishKey::new("r", "t", 0));
        let of = |text: Option<&str>| text.map(|text| day("--from", text).unwrap());
        let knife = Knife { every, from: of(from), to: of(to), rating_range: RatingRange::default() };
        (knife.cut(&folder.path().join("future.csv"), &folder.path().join("periods"), &context), folder)
    }

    fn names(cut: &Cut) -> Vec<String> {
        cut.slices.iter().map(|slice| format!("{} {}", slice.period, slice.ratings)).collect()
    }

    #[test]
    fn each_rating_stands_in_the_file_of_its_period_and_gaps_are_periods_too() {
        let rows = ["2005-01-03,1,2,3.5", "2005-01-31,1,3,4", "nonsense", "2005-03-01,2,2,5", "2005-03-01,2,3,1"];
        let (found, folder) = cut(&rows, Every::Month, None, None);
        let found = found.unwrap();
        assert_eq!((names(&found), found.malformed), (vec!["2005-01 2".to_owned(), "2005-02 0".to_owned(), "2005-03 2".to_owned()], 1));
        let read = |name: &str| std::fs::read_to_string(folder.path().join("periods").join(name)).unwrap();
        assert_eq!(read("2005-01.csv"), format!("{HEADER}2005-01-03,1,2,3.5\n2005-01-31,1,3,4\n"));
        assert_eq!(read("2005-03.csv"), format!("{HEADER}2005-03-01,2,2,5\n2005-03-01,2,3,1\n"));
        assert_eq!((found.slices[0].first.as_str(), found.slices[0].end.as_str()), ("2005-01-01", "2005-02-01"));
    }

    #[test]
    fn only_what_lies_between_the_days_is_played_and_they_are_played_to_the_end() {
        let rows = ["2004-12-31,1,1,1", "2005-02-10,1,2,3", "2005-02-20,1,3,4", "2005-06-01,2,2,5"];
        let (found, _folder) = cut(&rows, Every::Month, Some("2005-01-15"), Some("2005-04-02"));
        let found = found.unwrap();
        assert_eq!(names(&found), ["2005-01 0", "2005-02 2", "2005-03 0", "2005-04 0"]);
        assert_eq!(found.outside, 2);
    }

    #[test]
    fn a_stream_that_is_not_ordered_or_empty_is_refused() {
        let (unordered, _folder) = cut(&["2005-02-10,1,2,3", "2005-01-31,1,3,4"], Every::Month, None, None);
        let message = unordered.unwrap_err().message;
        assert_eq!(message, "`future.csv` is not ordered by date: line 3 is of 2005-01-31, after ratings of 2005-02-01 or later");
        let (empty, _folder) = cut(&[], Every::Month, None, None);
        assert_eq!(empty.unwrap_err().message, "`future.csv` has no rating");
        let (outside, _folder) = cut(&["2005-02-10,1,2,3"], Every::Month, Some("2006-01-01"), None);
        assert!(outside.unwrap_err().message.starts_with("none of the 1 ratings"));
    }
}
