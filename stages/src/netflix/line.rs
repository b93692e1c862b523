//! One line of the format: a header, a row, or what is wrong with it.

use crate::date;
use crate::intake::{Defect, RatingRange};

/// The movie that rows belong to at some place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Movie {
    /// No header yet.
    None,
    /// Below the header of this movie.
    Known(i32),
    /// Below a header that could not be read.
    Unreadable,
}

/// A row without its movie: user, stars, days since 1970-01-01.
pub(super) type Row = (i32, f32, i32);

/// The movie that `line` announces if it is a header: a line that ends with a colon. Expects a trimmed line.
pub(super) fn header(line: &[u8]) -> Option<Movie> {
    let id = line.strip_suffix(b":")?;
    Some(whole(id.trim_ascii()).map_or(Movie::Unreadable, Movie::Known))
}

/// Reads a row. Expects a trimmed line that is not blank. Blanks around a field are allowed.
pub(super) fn row(line: &[u8], range: RatingRange) -> Result<Row, Defect> {
    match usual_row(line) {
        Some(row) if range.contains(row.1) => Ok(row),
        _ => any_row(line, range),
    }
}

/// Nearly every row: digits, one digit, a date, and nothing else. The same as [`any_row`] gives, or `None`.
#[inline]
fn usual_row(line: &[u8]) -> Option<Row> {
    let (rest, [b',', stars @ b'0'..=b'9', b',', date @ ..]) = line.split_last_chunk::<13>()? else { return None };
    Some((whole(rest)?, f32::from(stars - b'0'), date::parse_iso(date)?))
}

/// Field by field.
fn any_row(line: &[u8], range: RatingRange) -> Result<Row, Defect> {
    let mut fields = line.split(|&byte| byte == b',');
    let (Some(user), Some(rating), Some(date), None) = (fields.next(), fields.next(), fields.next(), fields.next()) else {
        return Err(Defect::FieldCount);
    };
    let user = whole(user.trim_ascii()).ok_or(Defect::BadId)?;
    let rating = stars(rating.trim_ascii()).ok_or(Defect::BadRating)?;
    if !range.contains(rating) {
        return Err(Defect::RatingOutOfRange);
    }
    let date = date::parse_iso(date.trim_ascii()).ok_or(Defect::ImpossibleDate)?;
    Ok((user, rating, date))
}

/// A whole number from 0 to 2147483647, digits only.
pub(crate) fn whole(text: &[u8]) -> Option<i32> {
    if text.is_empty() {
        return None;
    }
    let mut value = 0_i32;
    for &byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(i32::from(digit))?;
    }
    Some(value)
}

/// A number of whole or half stars: `4`, `3.5`, `4.0`, `-1`. A sign is read so that `-1` is out of range
/// rather than unreadable.
pub(crate) fn stars(text: &[u8]) -> Option<f32> {
    let (negative, text) = text.strip_prefix(b"-").map_or((false, text), |rest| (true, rest));
    let (integer, half) = match text.iter().position(|&byte| byte == b'.') {
        None => (text, 0.0),
        Some(point) => match &text[point + 1..] {
            [first @ (b'0' | b'5'), rest @ ..] if rest.iter().all(|&byte| byte == b'0') => {
                (&text[..point], if *first == b'5' { 0.5 } else { 0.0 })
            }
            _ => return None,
        },
    };
    // Beyond six digits f32 could no longer hold a half.
    let integer = whole(integer).filter(|&integer| integer < 1_000_000)?;
    let stars = integer as f32 + half;
    Some(if negative { -stars } else { stars })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Row, Defect> {
        row(line.as_bytes(), RatingRange::default())
    }

    #[test]
    fn a_row_is_user_rating_and_date() {
        assert_eq!(read("1744889,1,2005-03-14"), Ok((1_744_889, 1.0, 12_856)));
        assert_eq!(read("7,3.5,1970-01-02"), Ok((7, 3.5, 1)));
        assert_eq!(read("2147483647 , 4.0 , 1970-01-01"), Ok((i32::MAX, 4.0, 0)));
    }

    proptest::proptest! {
        #[test]
        fn the_short_way_gives_what_the_long_one_gives(line in "[0-9]{0,11},[0-9x],[0-9]{3,4}-[0-9]{2}-[0-9]{2}") {
            let range = RatingRange::default();
            if let Some(row) = usual_row(line.as_bytes()).filter(|row| range.contains(row.1)) {
                proptest::prop_assert_eq!(any_row(line.as_bytes(), range), Ok(row));
            }
        }
    }

    #[test]
    fn each_defect_is_told_apart() {
        for (line, defect) in [
            ("2147483648,3,2005-01-01", Defect::BadId),
            ("-1,3,2005-01-01", Defect::BadId),
            ("x,3,2005-01-01", Defect::BadId),
            (",3,2005-01-01", Defect::BadId),
            ("1,,2005-01-01", Defect::BadRating),
            ("1,3.7,2005-01-01", Defect::BadRating),
            ("1,3.,2005-01-01", Defect::BadRating),
            ("1,.5,2005-01-01", Defect::BadRating),
            ("1,NaN,2005-01-01", Defect::BadRating),
            ("1,1e0,2005-01-01", Defect::BadRating),
            ("1,99999999,2005-01-01", Defect::BadRating),
            ("1,0,2005-01-01", Defect::RatingOutOfRange),
            ("1,5.5,2005-01-01", Defect::RatingOutOfRange),
            ("1,-3,2005-01-01", Defect::RatingOutOfRange),
            ("1,3,2005-02-29", Defect::ImpossibleDate),
            ("1,3,2005-01-01T00:00:00", Defect::ImpossibleDate),
            ("1,3", Defect::FieldCount),
            ("1,3,2005-01-01,", Defect::FieldCount),
            ("hello", Defect::FieldCount),
        ] {
            assert_eq!(read(line), Err(defect), "{line}");
        }
    }

    #[test]
    fn a_header_ends_with_a_colon() {
        assert_eq!(header(b"8:"), Some(Movie::Known(8)));
        assert_eq!(header(b"17770 :"), Some(Movie::Known(17_770)));
        for unreadable in [&b":"[..], b"abc:", b"-8:", b"99999999999:", b"8::", b"1,2,3:"] {
            assert_eq!(header(unreadable), Some(Movie::Unreadable), "{}", String::from_utf8_lossy(unreadable));
        }
        assert_eq!(header(b"1,3,2005-01-01T00:00:00"), None);
    }
}
