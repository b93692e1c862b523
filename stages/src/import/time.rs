//! When a rating was made, in the ways that data files write it, as a day in UTC.

use std::str;

use jiff::{Timestamp, civil::DateTime};

use crate::date::parse_iso;

const SECONDS_PER_DAY: i64 = 86_400;

/// Days of the years 1 to 9999: what the calendar of a dataset holds.
const DAYS: std::ops::RangeInclusive<i64> = -719_162..=2_932_896;

/// The day of a number of seconds, milliseconds, microseconds or nanoseconds since 1970-01-01; its size tells which. Eight digits that
/// are a date (`20050314`) are one.
///
/// Seconds reach to the year 5138; milliseconds begin in March 1973, microseconds in 1973 too, as do nanoseconds. What is called a
/// date by its digits would be a day of 1970 otherwise.
pub(super) fn day_of_number(number: i64) -> Option<i32> {
    if let Some(day) = day_of_digits(number) {
        return Some(day);
    }
    let per_second = match number.unsigned_abs() {
        0..100_000_000_000 => 1,
        100_000_000_000..100_000_000_000_000 => 1_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000_000,
        _ => 1_000_000_000,
    };
    valid(number.div_euclid(per_second * SECONDS_PER_DAY))
}

/// The day, if it is one of the years 1 to 9999.
pub(super) fn valid(days: i64) -> Option<i32> {
    DAYS.contains(&days).then_some(days as i32)
}

/// The day of a text without surrounding white space: a number as above, with or without a fraction, or a date, with or without a
/// time of day (`2005-03-14`, `2005/03/14 10:00`, `2005-03-14T23:30:00-08:00`). A time without an offset is UTC.
pub(super) fn day_of_text(text: &[u8]) -> Option<i32> {
    if let Some(day) = parse_iso(text) {
        return Some(day);
    }
    let text = str::from_utf8(text).ok()?;
    if let Ok(number) = text.parse() {
        return day_of_number(number);
    }
    if let Ok(number) = text.parse::<f64>() {
        return day_of_float(number);
    }
    let text = text.strip_suffix(" UTC").unwrap_or(text);
    if text.len() >= 10 && text.as_bytes()[4] == b'/' {
        return day_of_iso(&text.replacen('/', "-", 2));
    }
    day_of_iso(text)
}

/// The same as of the whole number below it.
pub(super) fn day_of_float(number: f64) -> Option<i32> {
    // Beyond 2^63 the cast would saturate.
    (number.abs() < 9.2e18).then_some(number.floor() as i64).and_then(day_of_number)
}

fn day_of_iso(text: &str) -> Option<i32> {
    if let Some(day) = parse_iso(text.as_bytes()) {
        return Some(day);
    }
    if let Ok(instant) = text.parse::<Timestamp>() {
        return valid(instant.as_second().div_euclid(SECONDS_PER_DAY));
    }
    text.parse::<DateTime>().ok().and_then(|time| parse_iso(time.date().to_string().as_bytes()))
}

fn day_of_digits(number: i64) -> Option<i32> {
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    if !(1900..2100).contains(&year) {
        return None;
    }
    parse_iso(format!("{year:04}-{month:02}-{day:02}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::date::format_iso;

    fn day(text: &str) -> Option<String> {
        day_of_text(text.as_bytes()).map(format_iso)
    }

    #[test]
    fn instants_of_every_unit_and_spelling_give_their_day_in_utc() {
        for text in [
            "881250949",
            "881250949.75",
            "8.81250949e8",
            "881250949000",
            "881250949000000",
            "881250949000000000",
            "19971204",
            "1997-12-04",
            "1997/12/04",
            "1997-12-04 15:55",
            "1997/12/04 15:55:49",
            "1997-12-04T15:55:49.123Z",
            "1997-12-04 15:55:49 UTC",
            "1997-12-04T15:55:49+00:00",
            "1997-12-05T00:30:00+02:00",
        ] {
            assert_eq!(day(text).as_deref(), Some("1997-12-04"), "{text}");
        }
        assert_eq!(day("-1").as_deref(), Some("1969-12-31"));
        assert_eq!(day("0").as_deref(), Some("1970-01-01"));
    }

    #[test]
    fn what_is_no_instant_has_no_day() {
        for text in
            ["", "yesterday", "1997-02-30", "1997-13-01 10:00", "nan", "inf", "09 13, 2009", "1997-12-04 25:00", "99999999999999999999999"]
        {
            assert_eq!(day(text), None, "{text}");
        }
        assert_eq!(day_of_number(i64::MAX).map(format_iso).as_deref(), Some("2262-04-11"));
        assert_eq!(valid(2_932_897), None);
    }
}
