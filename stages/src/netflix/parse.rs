//! The parallel parser, over bytes in memory.
//!
//! Blocks are parsed in *waves*: as many at once as keep all threads busy, then their rejected lines are handed over
//! in file order before the next wave begins. So memory for rejected lines is bounded however bad the file is,
//! cancellation is checked often, and the result does not depend on the number of threads.

use std::ops::Range;

use memchr::memchr;
use rayon::prelude::*;

use super::blocks::{cut, last_header};
use super::line::{Movie, header, row};
use crate::error::Result;
use crate::intake::{Defect, RatingRange, Reject};
use crate::ratings::Ratings;

/// How much text one task parses: large against the cost of a task, small against a wave's memory.
pub(super) const BLOCK_BYTES: usize = 1 << 20;

/// Blocks in a wave for each thread; more than one, so that uneven blocks balance.
const BLOCKS_PER_THREAD: usize = 4;

/// The good rows of a text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parsed {
    /// The rows in file order, in the blocks they were parsed in.
    pub blocks: Vec<Ratings>,
    /// How many lines the text has, blank ones and headers included.
    pub lines: u64,
}

impl Parsed {
    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        self.blocks.iter().map(|block| block.len() as u64).sum()
    }

    /// All rows in one piece.
    pub fn into_ratings(self) -> Ratings {
        let mut all = Ratings::with_capacity(self.blocks.iter().map(Ratings::len).sum());
        for mut block in self.blocks {
            all.append(&mut block);
        }
        all
    }
}

/// What one block gave.
struct Block {
    ratings: Ratings,
    /// Line within the block (from 0), defect, bytes of the text.
    rejects: Vec<(u64, Defect, Range<usize>)>,
    lines: u64,
}

/// Parses `text`. A byte-order mark, CRLF, blank lines and a missing final newline are fine.
///
/// `rejected` receives every line that could not be read, in file order. `advanced` hears after each wave how
/// many bytes are done; an error from either ends the work.
pub fn parse(
    text: &[u8],
    range: RatingRange,
    advanced: impl FnMut(u64) -> Result<()>,
    rejected: impl FnMut(Reject<'_>) -> Result<()>,
) -> Result<Parsed> {
    parse_in_blocks(text, range, BLOCK_BYTES, advanced, rejected)
}

pub(super) fn parse_in_blocks(
    text: &[u8],
    range: RatingRange,
    block_bytes: usize,
    advanced: impl FnMut(u64) -> Result<()>,
    rejected: impl FnMut(Reject<'_>) -> Result<()>,
) -> Result<Parsed> {
    let mut parser = Parser::new(range);
    let mut blocks = Vec::new();
    parser.add(text, block_bytes, advanced, rejected, |mut wave| {
        blocks.append(&mut wave);
        Ok(())
    })?;
    Ok(Parsed { blocks, lines: parser.lines })
}

/// A text that arrives in pieces. The movie is carried from each piece into the next.
#[derive(Debug)]
pub(super) struct Parser {
    range: RatingRange,
    movie: Movie,
    /// Whether nothing has arrived yet: only then a byte-order mark is one.
    fresh: bool,
    /// Lines so far, blank ones and headers included.
    pub(super) lines: u64,
}

impl Parser {
    pub(super) fn new(range: RatingRange) -> Self {
        Self { range, movie: Movie::None, fresh: true, lines: 0 }
    }

    /// The next piece: whole lines, the last one of the text perhaps without its newline. `rows` receives the good rows, wave by
    /// wave, each some blocks in the order of the text; the other two are those of [`parse`].
    pub(super) fn add(
        &mut self,
        text: &[u8],
        block_bytes: usize,
        mut advanced: impl FnMut(u64) -> Result<()>,
        mut rejected: impl FnMut(Reject<'_>) -> Result<()>,
        mut rows: impl FnMut(Vec<Ratings>) -> Result<()>,
    ) -> Result<()> {
        let text = text.strip_prefix(b"\xEF\xBB\xBF").filter(|_| self.fresh).unwrap_or(text);
        self.fresh = false;
        let blocks = cut(text, block_bytes);
        for wave in blocks.chunks(rayon::current_num_threads() * BLOCKS_PER_THREAD) {
            let headers: Vec<Option<Movie>> = wave.par_iter().map(|block| last_header(&text[block.clone()])).collect();
            let starts: Vec<Movie> = headers
                .into_iter()
                .map(|last| {
                    let start = self.movie;
                    self.movie = last.unwrap_or(self.movie);
                    start
                })
                .collect();
            let range = self.range;
            let results: Vec<Block> =
                wave.par_iter().zip(&starts).map(|(block, &start)| parse_block(text, block.clone(), start, range)).collect();
            let mut good = Vec::with_capacity(results.len());
            for block in results {
                for (line, defect, bytes) in block.rejects {
                    rejected(Reject { line: self.lines + line + 1, defect, text: &text[bytes] })?;
                }
                self.lines += block.lines;
                if !block.ratings.is_empty() {
                    good.push(block.ratings);
                }
            }
            if !good.is_empty() {
                rows(good)?;
            }
            advanced(wave.last().map_or(0, |block| block.end as u64))?;
        }
        Ok(())
    }
}

/// Parses the lines of `text[block]`, whose first row belongs to `movie`.
fn parse_block(text: &[u8], block: Range<usize>, mut movie: Movie, range: RatingRange) -> Block {
    // A row of the prize's data takes about 21 bytes.
    let mut result = Block { ratings: Ratings::with_capacity(block.len() / 20 + 1), rejects: Vec::new(), lines: 0 };
    let mut start = block.start;
    while start < block.end {
        let end = memchr(b'\n', &text[start..block.end]).map_or(block.end, |newline| start + newline);
        let line = text[start..end].trim_ascii();
        let defect = match (line.is_empty(), header(line)) {
            (true, _) => None,
            (false, Some(next)) => {
                movie = next;
                (next == Movie::Unreadable).then_some(Defect::BadHeader)
            }
            (false, None) => add_row(line, movie, range, &mut result.ratings).err(),
        };
        if let Some(defect) = defect {
            // Where the trimmed line lies in the text: the text outlives the block, a copy need not be made.
            let from = line.as_ptr().addr() - text.as_ptr().addr();
            result.rejects.push((result.lines, defect, from..from + line.len()));
        }
        result.lines += 1;
        start = end + 1;
    }
    result
}

fn add_row(line: &[u8], movie: Movie, range: RatingRange, ratings: &mut Ratings) -> Result<(), Defect> {
    let movie = match movie {
        Movie::Known(movie) => movie,
        Movie::None => return Err(Defect::NoMovie),
        Movie::Unreadable => return Err(Defect::UnderBadHeader),
    };
    let (user, rating, date) = row(line, range)?;
    ratings.push(movie, user, rating, date);
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::StageError;

    type Outcome = (Vec<(i32, i32, f32, i32)>, Vec<(u64, Defect, String)>, u64);

    fn parallel(text: &str, block_bytes: usize) -> Outcome {
        let mut rejects = Vec::new();
        let parsed = parse_in_blocks(
            text.as_bytes(),
            RatingRange::default(),
            block_bytes,
            |_| Ok(()),
            |reject| {
                rejects.push((reject.line, reject.defect, String::from_utf8_lossy(reject.text).into_owned()));
                Ok(())
            },
        )
        .unwrap();
        let lines = parsed.lines;
        let all = parsed.into_ratings();
        ((0..all.len()).map(|i| (all.movie[i], all.user[i], all.rating[i], all.date[i])).collect(), rejects, lines)
    }

    /// The format as its definition reads: line by line from the top, on the standard library's own parsers.
    fn sequential(text: &str) -> Outcome {
        let (mut rows, mut rejects, mut lines) = (Vec::new(), Vec::new(), 0);
        let mut movie: Option<Option<i32>> = None;
        let id = |text: &str| text.parse::<i32>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        for (number, raw) in text.strip_prefix('\u{feff}').unwrap_or(text).split_inclusive('\n').enumerate() {
            lines += 1;
            let line = raw.trim_ascii();
            let mut reject = |defect| rejects.push((number as u64 + 1, defect, line.to_owned()));
            if let Some(header) = line.strip_suffix(':') {
                movie = Some(id(header.trim_ascii()));
                if movie == Some(None) {
                    reject(Defect::BadHeader);
                }
                continue;
            }
            let fields: Vec<&str> = line.split(',').map(str::trim_ascii).collect();
            match (line, movie, fields.as_slice()) {
                ("", ..) => {}
                (_, None, _) => reject(Defect::NoMovie),
                (_, Some(None), _) => reject(Defect::UnderBadHeader),
                (_, Some(Some(movie)), &[user, rating, date]) => {
                    match (
                        id(user),
                        rating.parse::<f32>().ok().filter(|stars| (stars * 2.0).fract() == 0.0),
                        date.parse::<jiff::civil::Date>(),
                    ) {
                        (None, ..) => reject(Defect::BadId),
                        (_, None, _) => reject(Defect::BadRating),
                        (_, Some(stars), _) if !(0.5..=5.0).contains(&stars) => reject(Defect::RatingOutOfRange),
                        (_, _, Err(_)) => reject(Defect::ImpossibleDate),
                        (Some(user), Some(stars), Ok(date)) => {
                            rows.push((movie, user, stars, (date - jiff::civil::date(1970, 1, 1)).get_days()));
                        }
                    }
                }
                _ => reject(Defect::FieldCount),
            }
        }
        (rows, rejects, lines)
    }

    const TEXT: &str = "\u{feff}5,3,2005-01-01\r\n8:\r\n1,4,2005-01-31\r\n\r\n2,3.5,2004-02-29\r\nx:\r\n3,1,2005-01-01\r\n9:\r\n4,9,2005-01-01\r\n4,5,2005-12-31";

    #[test]
    fn bom_crlf_blank_lines_and_no_final_newline_are_fine() {
        let (rows, rejects, lines) = parallel(TEXT, BLOCK_BYTES);
        assert_eq!(rows, [(8, 1, 4.0, 12_814), (8, 2, 3.5, 12_477), (9, 4, 5.0, 13_148)]);
        let places: Vec<(u64, Defect)> = rejects.iter().map(|(line, defect, _)| (*line, *defect)).collect();
        assert_eq!(
            places,
            [(1, Defect::NoMovie), (6, Defect::BadHeader), (7, Defect::UnderBadHeader), (9, Defect::RatingOutOfRange)],
            "line numbers count every line of the file"
        );
        assert_eq!(rejects[3].2, "4,9,2005-01-01");
        assert_eq!(lines, 10);
    }

    #[test]
    fn an_empty_text_has_no_rows() {
        assert_eq!(parallel("", 4), (vec![], vec![], 0));
        assert_eq!(parallel("\u{feff}", 4), (vec![], vec![], 0));
    }

    #[test]
    fn an_error_from_the_observer_ends_the_work() {
        let stopped = parse_in_blocks(TEXT.as_bytes(), RatingRange::default(), 8, |_| Err(StageError::cancelled()), |_| Ok(()));
        assert_eq!(stopped.unwrap_err(), StageError::cancelled());
    }

    /// Lines good, bad and in between.
    fn any_line() -> impl Strategy<Value = String> {
        prop_oneof![
            6 => (0..99_u32, 1..=10_u32, 1999..2006_u32, 1..=12_u32, 1..=28_u32)
                .prop_map(|(user, halves, year, month, day)| format!("{user},{},{year:04}-{month:02}-{day:02}", f64::from(halves) / 2.0)),
            3 => (1..20_u32).prop_map(|movie| format!("{movie}:")),
            1 => prop_oneof![
                Just(""), Just("  "), Just(":"), Just("x:"), Just("7 :"), Just("1,2"), Just("1,2,3,4"), Just("a,3,2005-01-01"), Just("1,9,2005-01-01"),
                Just("1,x,2005-01-01"), Just("1,3,2005-02-30"), Just("1,3,a:b"), Just("99999999999:"), Just(" 1 , 3 , 2005-01-01 "), Just("4294967296,3,2005-01-01"),
            ].prop_map(str::to_owned),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn parallel_equals_sequential_wherever_the_text_is_cut(
            lines in prop::collection::vec(any_line(), 0..60), crlf: bool, bom: bool, final_newline: bool, block_bytes in 1..120_usize,
        ) {
            let newline = if crlf { "\r\n" } else { "\n" };
            let mut text = lines.join(newline);
            if final_newline { text.push_str(newline); }
            if bom { text.insert(0, '\u{feff}'); }
            prop_assert_eq!(parallel(&text, block_bytes), sequential(&text));
        }

        #[test]
        fn bytes_of_any_kind_neither_panic_nor_lose_a_line(text in prop::collection::vec(prop_oneof![Just(b':'), Just(b','), Just(b'\n'), Just(b'1'), any::<u8>()], 0..200), block_bytes in 1..50_usize) {
            let mut rejects = 0_u64;
            let parsed = parse_in_blocks(&text, RatingRange::default(), block_bytes, |_| Ok(()), |_| { rejects += 1; Ok(()) }).unwrap();
            prop_assert!(parsed.rows() + rejects <= parsed.lines);
        }
    }
}
