//! The format of a stream file: a header that names `DATE`, `CUST_ID`, `MOVIE_ID` and `RATING` in any order and case, then one rating a line.
//!
//! ```text
//! DATE,CUST_ID,MOVIE_ID,RATING
//! 2006-01-03,1488844,8,4
//! "2006-01-03","306466","2043","2.5"
//! ```
//! Further columns are ignored. No field can hold a comma or a line break, so quotes around one are taken off and nothing more. Other
//! layouts are not for here.

use crate::date;
use crate::intake::{Defect, RatingRange};
use crate::netflix::{stars, whole};

/// Movie, user, stars, days since 1970-01-01.
pub(super) type Row = (i32, i32, f32, i32);

/// Which column is which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    date: usize,
    user: usize,
    movie: usize,
    rating: usize,
    /// How many columns there are.
    count: usize,
}

impl Header {
    /// Reads the first line of a file.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub(super) fn parse(line: &[u8]) -> Result<Self, String> {
        let names: Vec<String> = fields(line).map(|field| String::from_utf8_lossy(field).to_ascii_uppercase()).collect();
        let place = |name: &str| {
            let mut places = names.iter().enumerate().filter(|(_, found)| *found == name).map(|(place, _)| place);
            match (places.next(), places.next()) {
                (Some(place), None) => Ok(place),
                (Some(_), Some(_)) => Err(format!("column {name} twice")),
                (None, _) => Err(format!("no column {name}")),
            }
        };
        Ok(Self { date: place("DATE")?, user: place("CUST_ID")?, movie: place("MOVIE_ID")?, rating: place("RATING")?, count: names.len() })
    }

    /// Reads a row. Expects a trimmed line that is not blank. Blanks around a field are allowed.
    pub(super) fn row(&self, line: &[u8], range: RatingRange) -> Result<Row, Defect> {
        let (mut date, mut user, mut movie, mut rating): (&[u8], &[u8], &[u8], &[u8]) = (b"", b"", b"", b"");
        let mut count = 0;
        for field in fields(line) {
            for (place, value) in [(self.date, &mut date), (self.user, &mut user), (self.movie, &mut movie), (self.rating, &mut rating)] {
                if place == count {
                    *value = field;
                }
            }
            count += 1;
        }
        if count != self.count {
            return Err(Defect::RowLength);
        }
        let user = whole(user).ok_or(Defect::BadId)?;
        let movie = whole(movie).ok_or(Defect::BadItem)?;
        let rating = stars(rating).ok_or(Defect::BadRating)?;
        if !range.contains(rating) {
            return Err(Defect::RatingOutOfRange);
        }
        let date = date::parse_iso(date).ok_or(Defect::ImpossibleDate)?;
        Ok((movie, user, rating, date))
    }
}

fn fields(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|&byte| byte == b',').map(|field| {
        let field = field.trim_ascii();
        match field {
            [b'"', inner @ .., b'"'] => inner.trim_ascii(),
            _ => field,
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn columns_come_in_any_order_and_case_with_others_between() {
        for (header, row) in [
            ("DATE,CUST_ID,MOVIE_ID,RATING", "2006-01-03,7,8,3.5"),
            ("rating , Movie_Id,cust_id,date", " 3.5, 8 ,7,2006-01-03"),
            ("\"DATE\",\"source\",\"CUST_ID\",\"MOVIE_ID\",\"RATING\"", "\"2006-01-03\",\"app\",\"7\",\" 8 \",\"3.5\""),
        ] {
            let header = Header::parse(header.as_bytes()).unwrap();
            assert_eq!(header.row(row.as_bytes(), RatingRange::default()), Ok((8, 7, 3.5, 13_151)), "{row}");
        }
    }

    #[test]
    fn a_header_that_lacks_a_column_or_has_one_twice_is_refused_by_its_name() {
        for (header, why) in [
            ("DATE,CUST_ID,MOVIE_ID", "no column RATING"),
            ("userId,movieId,rating,timestamp", "no column DATE"),
            ("DATE,CUST_ID,MOVIE_ID,RATING,date", "column DATE twice"),
            ("1,3,2005-01-01", "no column DATE"),
            ("DATE;CUST_ID;MOVIE_ID;RATING", "no column DATE"),
        ] {
            assert_eq!(Header::parse(header.as_bytes()).unwrap_err(), why, "{header}");
        }
    }

    #[test]
    fn each_defect_is_told_apart() {
        let header = Header::parse(b"DATE,CUST_ID,MOVIE_ID,RATING").unwrap();
        for (line, defect) in [
            ("2006-01-03,x,8,4", Defect::BadId),
            ("2006-01-03,7,8.0,4", Defect::BadItem),
            ("2006-01-03,7,,4", Defect::BadItem),
            ("2006-01-03,7,8,good", Defect::BadRating),
            ("2006-01-03,7,8,6", Defect::RatingOutOfRange),
            ("2006-02-30,7,8,4", Defect::ImpossibleDate),
            ("2006-01-03,7,8", Defect::RowLength),
            ("2006-01-03,7,8,4,", Defect::RowLength),
            ("DATE,CUST_ID,MOVIE_ID,RATING", Defect::BadId),
        ] {
            assert_eq!(header.row(line.as_bytes(), RatingRange::default()), Err(defect), "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_line_is_a_panic(header: Vec<u8>, line: Vec<u8>) {
            let known = Header::parse(b"DATE,CUST_ID,MOVIE_ID,RATING").unwrap();
            let _ = known.row(&line, RatingRange::default());
            let _ = Header::parse(&header).map(|header| header.row(&line, RatingRange::default()));
        }
    }
}
