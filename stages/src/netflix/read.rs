//! All files of one input: progress, cancellation, and the verdict on their malformed lines.

use std::path::PathBuf;

use super::input::Input;
use super::parse::Parsed;
use crate::context::{Context, Unit};
use crate::error::Result;
use crate::intake::{Collector, Count, MaxBadRows, RatingRange, Rejected, check_distinct, conclude, name};
use crate::ratings::Ratings;

/// What Netflix text looks like.
const EXPECTED: &str = "`MovieID:` lines, each followed by `CustID,Rating,YYYY-MM-DD` rows";

/// Text files to read as one input. Each is a text of its own: a movie is not carried from one into the next.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Where they lie; plain, gzip or Zstandard.
    pub files: &'a [PathBuf],
    /// What it is to the task, a short word: `train`. Names its rejects file and the phase of its progress.
    pub label: &'a str,
    /// The stars that count as a rating.
    pub rating_range: RatingRange,
    /// How many malformed lines are too many. Without a limit any number is accepted as long as a single row
    /// is good: what Spark's reader of such files did, which drops what it cannot parse. A file without one good row
    /// is not Netflix text at all, and fails.
    pub max_bad_rows: Option<MaxBadRows>,
}

/// Reads all rows of the files. Rejected lines are reported as warnings and written to the rejects file.
///
/// # Errors
/// A file that is not there, is not a regular file, is named twice or is compressed and damaged; too many malformed lines;
/// cancellation.
pub fn read(source: Source<'_>, context: &Context) -> Result<(Parsed, Rejected)> {
    let mut parsed = Parsed::default();
    let (read, rejected) = read_all(source, context, |mut wave| {
        parsed.blocks.append(&mut wave);
        Ok(())
    })?;
    parsed.lines = read.lines;
    Ok((parsed, rejected))
}

/// [`read`], but the rows go to `rows` as soon as they are read: in waves, each some blocks in the order of the files. Returns how many there were.
///
/// # Errors
/// Those of [`read`], too many malformed lines at the end; and those of `rows`, which end the work.
pub fn read_in_waves(source: Source<'_>, context: &Context, rows: impl FnMut(Vec<Ratings>) -> Result<()>) -> Result<(u64, Rejected)> {
    let (read, rejected) = read_all(source, context, rows)?;
    Ok((read.rows, rejected))
}

fn read_all(source: Source<'_>, context: &Context, mut rows: impl FnMut(Vec<Ratings>) -> Result<()>) -> Result<(Read, Rejected)> {
    read_files(source, context, |input, collector, advanced| {
        let mut count = 0;
        let counted = |wave: Vec<Ratings>| {
            count += wave.iter().map(|block| block.len() as u64).sum::<u64>();
            rows(wave)
        };
        let lines = input.parse(source.rating_range, advanced, |reject| collector.add(reject), counted, context)?;
        Ok(Read { rows: count, lines })
    })
}

/// [`read`] for more rows than memory holds: they go to `rows` in blocks of some 50,000, in the order of the files. Returns how many
/// there were.
///
/// # Errors
/// Those of [`read`], too many malformed lines at the end; and those of `rows`, which end the work.
pub fn read_in_blocks(source: Source<'_>, context: &Context, mut rows: impl FnMut(Ratings) -> Result<()>) -> Result<(u64, Rejected)> {
    let (read, rejected) = read_files(source, context, |input, collector, advanced| {
        let mut count = 0;
        let counted = |wave: Vec<Ratings>| {
            wave.into_iter().try_for_each(|block| {
                count += block.len() as u64;
                rows(block)
            })
        };
        let lines = input.parse_in_pieces(source.rating_range, advanced, |reject| collector.add(reject), counted, context)?;
        Ok(Read { rows: count, lines })
    })?;
    Ok((read.rows, rejected))
}

/// What was read.
#[derive(Debug, Clone, Copy, Default)]
struct Read {
    /// Good rows.
    rows: u64,
    /// Lines, blank ones and headers included.
    lines: u64,
}

/// Has `parse` read each file; it tells its last argument how many bytes of the file are done.
fn read_files(
    source: Source<'_>,
    context: &Context,
    mut parse: impl FnMut(&Input<'_>, &mut Collector<'_>, &mut dyn FnMut(u64) -> Result<()>) -> Result<Read>,
) -> Result<(Read, Rejected)> {
    // All before the first is read: a mistake in the last path shows at once.
    let inputs = source.files.iter().map(|path| Input::open(path, context)).collect::<Result<Vec<_>>>()?;
    check_distinct(source.files, context)?;
    let phase = format!("parse {}", source.label);
    let total: u64 = inputs.iter().map(|input| input.opened.bytes).sum();
    let mut collector = Collector::new(source.label, context);
    let (mut read, mut before) = (Read::default(), 0);
    for input in &inputs {
        collector.begin(input.path);
        let mut advanced = |done| {
            context.progress(&phase, before + done, Some(total), Unit::Bytes);
            context.check_cancelled()
        };
        let part = parse(input, &mut collector, &mut advanced)?;
        read.rows += part.rows;
        read.lines += part.lines;
        before += input.opened.bytes;
    }
    let rejected = collector.finish()?;
    let name = name(source.files, context);
    let count = Count { name: &name, lines: read.lines, good: read.rows, max_bad_rows: source.max_bad_rows, expected: EXPECTED };
    conclude(count, &rejected, context)?;
    Ok((read, rejected))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::context::PublishKey;
    use crate::error::ErrorKind;

    fn context(home: &Path) -> Context {
        Context::plain(home, PublishKey::new("run", "etl", 0))
    }

    fn source(path: &PathBuf, max_bad_rows: Option<MaxBadRows>) -> Source<'_> {
        Source { files: std::slice::from_ref(path), label: "train", rating_range: RatingRange::default(), max_bad_rows }
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
        assert_eq!(
            written,
            "# file\tline\tdefect\ttext\ntrain.txt\t3\tbad_id\tx,3,2005-01-01\ntrain.txt\t4\timpossible_date\t2,3,2005-02-30\n"
        );
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

    const TEXT: &str = "\u{feff}1:\n1,3,2005-01-01\nx,3,2005-01-01\n2:\n2,3,2005-02-28";

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn compressed_files_give_what_their_text_gives_whatever_their_name() {
        let home = tempfile::tempdir().unwrap();
        let (head, tail) = TEXT.as_bytes().split_at(20);
        for (name, bytes) in [
            ("plain.gz", TEXT.as_bytes().to_vec()),
            ("train.gz", gzip(TEXT.as_bytes())),
            ("two.members", [gzip(head), gzip(tail)].concat()),
            ("train.txt", zstd::encode_all(TEXT.as_bytes(), 3).unwrap()),
            ("two.frames", [zstd::encode_all(head, 3).unwrap(), zstd::encode_all(tail, 3).unwrap()].concat()),
        ] {
            let path = home.path().join(name);
            fs::write(&path, bytes).unwrap();
            let (parsed, rejected) = read(source(&path, None), &context(home.path())).unwrap();
            assert_eq!((parsed.lines, rejected.examples.len()), (5, 1), "{name}");
            let rows = parsed.into_ratings();
            assert_eq!((rows.movie, rows.user), (vec![1, 2], vec![1, 2]), "{name}");
        }
    }

    #[test]
    fn a_compressed_file_cut_anywhere_or_with_a_flipped_bit_is_named_as_damaged() {
        let home = tempfile::tempdir().unwrap();
        for (name, bytes) in [("train.txt.gz", gzip(TEXT.as_bytes())), ("train.txt.zst", zstd::encode_all(TEXT.as_bytes(), 3).unwrap())] {
            let path = home.path().join(name);
            for length in 0..bytes.len() {
                fs::write(&path, &bytes[..length]).unwrap();
                let error = read(source(&path, Some(MaxBadRows::Count(9))), &context(home.path())).unwrap_err();
                assert_eq!((error.kind, error.message), (ErrorKind::Input, format!("`{name}` is truncated or damaged")), "{length}");
            }
        }
        let mut flipped = gzip(TEXT.as_bytes());
        let last = flipped.len() - 6;
        flipped[last] ^= 1;
        fs::write(home.path().join("train.txt.gz"), flipped).unwrap();
        assert!(read(source(&home.path().join("train.txt.gz"), None), &context(home.path())).is_err(), "the checksum is checked");
    }

    #[test]
    fn several_files_are_one_input_but_no_movie_crosses_from_one_into_the_next() {
        let home = tempfile::tempdir().unwrap();
        let files = ["a.txt", "b.txt"].map(|name| home.path().join(name));
        fs::write(&files[0], "1:\n1,3,2005-01-01\n").unwrap();
        fs::write(&files[1], "2,3,2005-01-01\n2:\n2,3,2005-02-28\n").unwrap();
        let source = |files| Source { files, label: "train", rating_range: RatingRange::default(), max_bad_rows: None };
        let (parsed, rejected) = read(source(&files), &context(home.path())).unwrap();
        assert_eq!((parsed.rows(), parsed.lines), (2, 5));
        assert!(rejected.examples[0].starts_with("b.txt:1: "), "{:?}", rejected.examples);
        assert!(fs::read_to_string(rejected.file.unwrap()).unwrap().ends_with("\nb.txt\t1\tno_movie\t2,3,2005-01-01\n"));
        let twice = [files[0].clone(), home.path().join("./a.txt")];
        assert_eq!(read(source(&twice), &context(home.path())).unwrap_err().message, "`a.txt` is named twice");
    }
}
