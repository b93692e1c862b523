//! A file on disk: memory map, progress, cancellation, and the verdict on its malformed lines.

use std::fs::File;
use std::io;
use std::path::Path;

use memmap2::{Advice, Mmap};

use super::parse::{Parsed, parse};
use super::rejects::{Collector, Rejected};
use super::tolerance::{MaxBadRows, RatingRange};
use crate::context::{Context, Unit};
use crate::error::{Result, StageError};

/// A text file to read.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Where it lies.
    pub path: &'a Path,
    /// What it is to the task, a short word: `train`. Names its rejects file and the phase of its progress.
    pub label: &'a str,
    /// The stars that count as a rating.
    pub rating_range: RatingRange,
    /// How many malformed lines are too many. Without a limit any number is accepted as long as a single row
    /// is good: what Spark's reader of such files did, which drops what it cannot parse. A file without one good row
    /// is not Netflix text at all, and fails.
    pub max_bad_rows: Option<MaxBadRows>,
}

/// Reads all rows of a file. Rejected lines are reported as warnings and written to the rejects file.
///
/// # Errors
/// A file that is not there or not a regular file; too many malformed lines; cancellation.
pub fn read(source: Source<'_>, context: &Context) -> Result<(Parsed, Rejected)> {
    let text = map(source.path, context)?;
    let phase = format!("parse {}", source.label);
    let mut collector = Collector::new(source.path, source.label, context);
    let parsed = parse(
        &text,
        source.rating_range,
        |done| {
            context.progress(&phase, done, Some(text.len() as u64), Unit::Bytes);
            context.check_cancelled()
        },
        |reject| collector.add(reject),
    )?;
    let rejected = collector.finish()?;
    report(&source, &parsed, &rejected, context);
    judge(&source, &parsed, &rejected, context)?;
    Ok((parsed, rejected))
}

fn map(path: &Path, context: &Context) -> Result<Mmap> {
    let open = || {
        let file = File::open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        // SAFETY: the map is only read. Another process that shortens the file meanwhile would end this one with SIGBUS;
        // the stages that read text run in a child process, where that costs one attempt.
        let map = unsafe { Mmap::map(&file)? };
        // Advice is only advice: reading works without.
        let _ = map.advise(Advice::Sequential);
        Ok(map)
    };
    open().map_err(|error: io::Error| {
        let failed = match error.kind() {
            io::ErrorKind::NotFound => StageError::input(format!("there is no file `{}`", context.display(path))),
            io::ErrorKind::IsADirectory => StageError::input(format!("`{}` is not a regular file", context.display(path))),
            _ => return StageError::io("read", path, &error),
        };
        failed.with_hint("give the path of a text file in Netflix layout, relative to the workspace; `recflow stage generate output=data/combined` makes one")
    })
}

fn report(source: &Source<'_>, parsed: &Parsed, rejected: &Rejected, context: &Context) {
    if rejected.total() == 0 {
        return;
    }
    let kinds: Vec<String> = rejected.by_kind.iter().map(|(defect, count)| format!("{count} {}", defect.name())).collect();
    let file = rejected.file.as_deref().map(|file| format!("; all of them are in `{}`", context.display(file))).unwrap_or_default();
    let path = context.display(source.path);
    context.warn(format!("{} of {} lines of `{path}` were rejected ({}){file}", rejected.total(), parsed.lines, kinds.join(", ")));
    for example in &rejected.examples {
        context.warn(example.clone());
    }
}

fn judge(source: &Source<'_>, parsed: &Parsed, rejected: &Rejected, context: &Context) -> Result<()> {
    let (bad, good) = (rejected.total(), parsed.rows());
    let path = context.display(source.path);
    let failed = match source.max_bad_rows {
        Some(limit) if !limit.allows(bad, good) => {
            StageError::input(format!("`{path}` has {bad} malformed lines beside {good} good rows, `max_bad_rows` allows {limit}"))
                .with_hint("mend the file, or raise `max_bad_rows`")
        }
        None if good == 0 && bad > 0 => StageError::input(format!("`{path}` has no good row: all {bad} lines with content were rejected"))
            .with_hint("expected `MovieID:` lines, each followed by `CustID,Rating,YYYY-MM-DD` rows; `max_bad_rows` set to a number accepts the file"),
        _ => return Ok(()),
    };
    Err(rejected.examples.iter().take(3).fold(failed, |failed, example| failed.with_cause(example)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::context::PublishKey;
    use crate::error::ErrorKind;

    fn context(home: &Path) -> Context {
        Context::plain(home, PublishKey::new("run", "etl", 0))
    }

    fn source<'a>(path: &'a Path, max_bad_rows: Option<MaxBadRows>) -> Source<'a> {
        Source { path, label: "train", rating_range: RatingRange::default(), max_bad_rows }
    }

    #[test]
    fn rejected_lines_are_counted_shown_and_written_down() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("train.txt");
        fs::write(&path, "1:\n1,3,2005-01-01\nx,3,2005-01-01\n2,3,2005-02-30\n").unwrap();
        let (parsed, rejected) = read(source(&path, None), &context(home.path())).unwrap();
        assert_eq!((parsed.rows(), rejected.total()), (1, 2));
        assert_eq!(rejected.examples[1], "train.txt:4: date is impossible or not YYYY-MM-DD: `2,3,2005-02-30`");
        let written = fs::read_to_string(rejected.file.unwrap()).unwrap();
        assert_eq!(written, "# train.txt\n# line\tdefect\ttext\n3\tbad_id\tx,3,2005-01-01\n4\timpossible_date\t2,3,2005-02-30\n");
    }

    #[test]
    fn a_clean_file_leaves_no_rejects_file() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("train.txt");
        fs::write(&path, "1:\n1,3,2005-01-01").unwrap();
        let (_, rejected) = read(source(&path, Some(MaxBadRows::Count(0))), &context(home.path())).unwrap();
        assert_eq!(rejected, Rejected::default());
        assert!(!home.path().join(".recflow").exists());
    }

    #[test]
    fn too_many_bad_rows_fail_with_examples_and_the_rejects_file_remains() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("train.txt");
        fs::write(&path, "1:\n1,3,2005-01-01\nx,3,2005-01-01\n").unwrap();
        let error = read(source(&path, Some(MaxBadRows::Count(0))), &context(home.path())).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Input);
        assert_eq!(error.message, "`train.txt` has 1 malformed lines beside 1 good rows, `max_bad_rows` allows 0");
        assert_eq!(error.causes, ["train.txt:3: user id is not a whole number: `x,3,2005-01-01`"]);
        assert!(home.path().join(".recflow/rejects/run_etl_0.train.tsv").is_file());
    }

    #[test]
    fn a_file_without_one_good_row_fails_unless_a_limit_accepts_it() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("notes.md");
        fs::write(&path, "# not ratings\n").unwrap();
        assert_eq!(read(source(&path, None), &context(home.path())).unwrap_err().kind, ErrorKind::Input);
        assert!(read(source(&path, Some(MaxBadRows::Count(1))), &context(home.path())).is_ok());
    }

    #[test]
    fn a_missing_file_and_a_folder_are_named_with_a_remedy() {
        let home = tempfile::tempdir().unwrap();
        let missing = read(source(&home.path().join("no.txt"), None), &context(home.path())).unwrap_err();
        assert_eq!(missing.message, "there is no file `no.txt`");
        assert!(missing.hint.is_some());
        fs::create_dir(home.path().join("folder")).unwrap();
        assert_eq!(
            read(source(&home.path().join("folder"), None), &context(home.path())).unwrap_err().message,
            "`folder` is not a regular file"
        );
    }

    #[test]
    fn a_cancelled_read_stops_and_leaves_no_temporary_file() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("train.txt");
        fs::write(&path, "x\n1:\n1,3,2005-01-01\n").unwrap();
        let context = context(home.path());
        context.cancel.cancel();
        assert_eq!(read(source(&path, None), &context).unwrap_err().kind, ErrorKind::Cancelled);
        assert_eq!(fs::read_dir(home.path().join(".recflow/rejects")).unwrap().count(), 0);
    }
}
