//! One value of a row, whatever type its file gives it.

use std::borrow::Cow;
use std::str;

use super::time::{day_of_float, day_of_number, day_of_text, valid};
use crate::date::format_iso;
use crate::intake::Defect;

/// A value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell<'a> {
    /// Nothing: an empty field, a null, a column that the file does not have.
    Missing,
    /// Text as it stands in the file.
    Text(&'a [u8]),
    /// A whole number; 128 bits hold the unsigned 64-bit ones too.
    Int(i128),
    /// Any number.
    Float(f64),
    /// Days since 1970-01-01.
    Day(i64),
}

/// The whole numbers that a float holds without a gap.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl<'a> Cell<'a> {
    /// A field of a text file.
    pub(super) fn of_text(field: &'a [u8]) -> Self {
        match field.trim_ascii() {
            b"" => Cell::Missing,
            text => Cell::Text(text),
        }
    }

    /// An id that is a number, 0 to 2147483647. pandas writes such columns as `30.0` once they held a null.
    pub(super) fn number(self, bad: Defect) -> Result<i32, Defect> {
        let number = match self {
            Cell::Missing => return Err(Defect::MissingValue),
            Cell::Text(text) => whole(text.strip_suffix(b".0").unwrap_or(text)),
            Cell::Int(number) => i32::try_from(number).ok(),
            Cell::Float(number) => {
                (number.fract() == 0.0 && number.abs() < EXACT).then_some(number as i64).and_then(|n| i32::try_from(n).ok())
            }
            Cell::Day(_) => None,
        };
        number.filter(|&number| number >= 0).ok_or(bad)
    }

    /// An id as text.
    pub(super) fn name(self) -> Result<Cow<'a, str>, Defect> {
        Ok(match self {
            Cell::Missing => return Err(Defect::MissingValue),
            Cell::Text(text) => str::from_utf8(text).map_err(|_| Defect::NotText)?.into(),
            Cell::Int(number) => number.to_string().into(),
            Cell::Float(number) if number.is_nan() => return Err(Defect::MissingValue),
            Cell::Float(number) => number.to_string().into(),
            Cell::Day(days) => valid(days).map_or_else(|| days.to_string(), format_iso).into(),
        })
    }

    /// A rating: a finite number; none if it is missing.
    pub(super) fn rating(self) -> Result<Option<f32>, Defect> {
        let number = match self {
            _ if self.is_null() => return Ok(None),
            Cell::Text(text) => str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok()),
            Cell::Int(number) => Some(number as f64),
            Cell::Float(number) => Some(number),
            Cell::Missing | Cell::Day(_) => None,
        };
        // Beyond what f32 holds is infinite, too.
        number.map(|number| number as f32).filter(|stars| stars.is_finite()).map(Some).ok_or(Defect::BadRating)
    }

    /// A day, in days since 1970-01-01; none if it is missing.
    pub(super) fn day(self) -> Result<Option<i32>, Defect> {
        let day = match self {
            _ if self.is_null() => return Ok(None),
            Cell::Text(text) => day_of_text(text),
            Cell::Int(number) => i64::try_from(number).ok().and_then(day_of_number),
            Cell::Float(number) if number.is_nan() => return Ok(None),
            Cell::Float(number) => day_of_float(number),
            Cell::Day(days) => valid(days),
            Cell::Missing => None,
        };
        day.map(Some).ok_or(Defect::BadTime)
    }

    /// Nothing, or what databases write for it: a rating or a time of that name there is none, an id might be called so.
    fn is_null(self) -> bool {
        match self {
            Cell::Text(text) => text == b"\\N" || text.eq_ignore_ascii_case(b"null"),
            other => other == Cell::Missing,
        }
    }

    /// What it looks like in a report of a rejected row.
    pub(super) fn show(self) -> Cow<'a, str> {
        match self {
            Cell::Text(text) => String::from_utf8_lossy(text),
            other => other.name().unwrap_or_default(),
        }
    }
}

/// A whole number from 0 to 2147483647, digits only.
fn whole(text: &[u8]) -> Option<i32> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_number_in_every_type_that_holds_it_exactly() {
        for cell in [Cell::Text(b"30"), Cell::Text(b"030"), Cell::Text(b"30.0"), Cell::Int(30), Cell::Float(30.0)] {
            assert_eq!(cell.number(Defect::BadId), Ok(30), "{cell:?}");
        }
        for cell in [
            Cell::Text(b"-1"),
            Cell::Text(b"2147483648"),
            Cell::Text(b"3e1"),
            Cell::Int(1 << 40),
            Cell::Float(0.5),
            Cell::Float(f64::NAN),
            Cell::Day(1),
        ] {
            assert_eq!(cell.number(Defect::BadItem), Err(Defect::BadItem), "{cell:?}");
        }
        assert_eq!(Cell::of_text(b"  ").number(Defect::BadId), Err(Defect::MissingValue));
    }

    #[test]
    fn a_name_is_kept_as_it_is_written() {
        assert_eq!(Cell::of_text(b" 007 ").name().unwrap(), "007");
        assert_eq!(Cell::Int(i128::from(u64::MAX)).name().unwrap(), "18446744073709551615");
        assert_eq!(Cell::Float(30.0).name().unwrap(), "30");
        assert_eq!(Cell::Text(b"\xff").name(), Err(Defect::NotText));
    }

    #[test]
    fn a_rating_is_a_finite_number() {
        assert_eq!(Cell::Text(b"3.7").rating(), Ok(Some(3.7)));
        assert_eq!((Cell::Text(b"\\N").rating(), Cell::Missing.rating()), (Ok(None), Ok(None)));
        for cell in
            [Cell::Text(b"NaN"), Cell::Text(b"inf"), Cell::Text(b"1e40"), Cell::Text(b"3,5"), Cell::Text(b"good"), Cell::Float(f64::NAN)]
        {
            assert_eq!(cell.rating(), Err(Defect::BadRating), "{cell:?}");
        }
    }
}
