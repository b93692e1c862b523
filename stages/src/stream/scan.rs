//! A stream file line by line, each with its text: what a replay needs, which writes them again.

use std::path::Path;

use super::csv::Header;
use crate::context::Context;
use crate::error::{Result, StageError};
use crate::intake::{RatingRange, open};
use crate::ratings::Ratings;

/// A line with content.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Line<'a> {
    /// The first one, which names the columns.
    Header(&'a [u8]),
    /// A rating.
    Rating {
        /// Its number in the file, from 1.
        number: u64,
        /// Movie, user, stars, days since 1970-01-01.
        row: (i32, i32, f32, i32),
        /// As it stands in the file, trimmed.
        text: &'a [u8],
    },
    /// What is no rating.
    Malformed(&'a [u8]),
}

/// Gives each line of the stream file at `path` (plain, gzip or Zstandard) to `take`, in order. Memory does not grow with the file.
///
/// # Errors
/// No file, a damaged one, or one whose first line does not name the columns; what `take` returns; cancellation.
pub fn scan(path: &Path, range: RatingRange, context: &Context, mut take: impl FnMut(Line<'_>) -> Result<()>) -> Result<()> {
    let name = context.display(path);
    let opened = open(path, "`create_futures` writes a stream file", context)?;
    let (mut header, mut number) = (None, 0);
    let piece = |text: &[u8], _| {
        let text = if number == 0 { text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text) } else { text };
        for line in text.split(|&byte| byte == b'\n') {
            let text = line.trim_ascii();
            if text.is_empty() {
                number += 1;
                continue;
            }
            number += 1;
            let Some(columns) = &header else {
                header = Some(Header::parse(text).map_err(|why| no_header(&name, &why, number))?);
                take(Line::Header(text))?;
                continue;
            };
            take(match columns.row(text, range) {
                Ok(row) => Line::Rating { number, row, text },
                Err(_) => Line::Malformed(text),
            })?;
        }
        context.check_cancelled()
    };
    opened.pieces(path, piece, context)
}

/// All ratings of the stream file at `path`; malformed lines are left out.
///
/// # Errors
/// Those of [`scan()`].
pub fn ratings(path: &Path, range: RatingRange, context: &Context) -> Result<Ratings> {
    let mut ratings = Ratings::default();
    scan(path, range, context, |line| {
        if let Line::Rating { row: (movie, user, rating, date), .. } = line {
            ratings.push(movie, user, rating, date);
        }
        Ok(())
    })?;
    Ok(ratings)
}

pub(super) fn no_header(name: &str, why: &str, line: u64) -> StageError {
    StageError::input(format!("`{name}` has {why} in line {line}"))
        .with_hint("the first line names the columns DATE, CUST_ID, MOVIE_ID and RATING, in any order, separated by commas")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PublishKey;

    fn lines(text: &str) -> Result<Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("future.csv");
        std::fs::write(&path, text).unwrap();
        let mut found = Vec::new();
        let context = Context::plain(folder.path(), PublishKey::new("r", "t", 0));
        scan(&path, RatingRange::default(), &context, |line| {
            found.push(match line {
                Line::Header(text) => format!("header {}", String::from_utf8_lossy(text)),
                Line::Rating { number, row, .. } => format!("{number} {row:?}"),
                Line::Malformed(text) => format!("malformed {}", String::from_utf8_lossy(text)),
            });
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn each_line_comes_with_its_number_and_what_it_is() {
        let found = lines("\u{feff}DATE,CUST_ID,MOVIE_ID,RATING\r\n1970-01-02,7,8,3.5\r\n\n1970-01-02,7,8\n1970-01-03,7,9,5").unwrap();
        let expected = ["header DATE,CUST_ID,MOVIE_ID,RATING", "2 (8, 7, 3.5, 1)", "malformed 1970-01-02,7,8", "5 (9, 7, 5.0, 2)"];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_file_without_a_header_is_refused_by_line() {
        let error = lines("\n1970-01-02,7,8,4\n").unwrap_err();
        assert_eq!(error.message, "`future.csv` has no column DATE in line 2");
    }
}
