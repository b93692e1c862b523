//! Calendar dates as days since 1970-01-01, the way Parquet's `date32` stores them.
//!
//! Written by hand because the parser of ratings calls it once a row: no allocation, no time zone, no
//! formatting machinery. The arithmetic is Howard Hinnant's `days_from_civil` and `civil_from_days`
//! (<https://howardhinnant.github.io/date_algorithms.html>), proleptic Gregorian.

/// Days since 1970-01-01 of a date in the Gregorian calendar. `month` is 1-12, `day` 1-31; neither is checked.
pub const fn days_from_civil(year: i32, month: u32, day: u32) -> i32 {
    // Years begin in March, so that the leap day is the last day of a year.
    let year = year as i64 - (month <= 2) as i64;
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = ((month + 9) % 12) as i64;
    let day_of_year = (153 * month_from_march + 2) / 5 + day as i64 - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era - 719_468) as i32
}

/// Year, month (1-12) and day (1-31) of a number of days since 1970-01-01.
pub fn civil_from_days(days: i32) -> (i32, u32, u32) {
    let days = i64::from(days) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u32;
    let month = ((month_from_march + 2) % 12 + 1) as u32;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year as i32, month, day)
}

/// How many days the month has; 0 for a month that does not exist.
pub fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 0,
    }
}

/// The first year that [`MONTH_STARTS`] knows.
const FIRST_YEAR: u32 = 1970;

/// The day on which each month begins, from January 1970 to January 2070: ratings are from these years, and looking up is faster than
/// computing.
static MONTH_STARTS: [i32; 12 * 100 + 1] = {
    let mut starts = [0; 12 * 100 + 1];
    let mut month = 0;
    while month < starts.len() {
        starts[month] = days_from_civil((FIRST_YEAR as usize + month / 12) as i32, (month % 12) as u32 + 1, 1);
        month += 1;
    }
    starts
};

/// Parses exactly `YYYY-MM-DD`, years 0001-9999. `None` for any other text and for a date that does not
/// exist, such as 2005-02-29.
pub fn parse_iso(text: &[u8]) -> Option<i32> {
    let text: &[u8; 10] = text.try_into().ok()?;
    if text[4] != b'-' || text[7] != b'-' {
        return None;
    }
    let digit = |at: usize| {
        let value = text[at].wrapping_sub(b'0');
        (value <= 9).then_some(u32::from(value))
    };
    let year = digit(0)? * 1000 + digit(1)? * 100 + digit(2)? * 10 + digit(3)?;
    let month = digit(5)? * 10 + digit(6)?;
    let day = digit(8)? * 10 + digit(9)?;
    let place = year.wrapping_sub(FIRST_YEAR).wrapping_mul(12).wrapping_add(month.wrapping_sub(1)) as usize;
    if (1..=12).contains(&month)
        && let Some(&[first, next]) = MONTH_STARTS.get(place..).and_then(<[i32]>::first_chunk)
    {
        let days = first + day as i32 - 1;
        return (day >= 1 && days < next).then_some(days);
    }
    let exists = year >= 1 && day >= 1 && day <= days_in_month(year as i32, month);
    exists.then(|| days_from_civil(year as i32, month, day))
}

/// `YYYY-MM-DD`.
pub fn format_iso(days: i32) -> String {
    let (year, month, day) = civil_from_days(days);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_days() {
        for (text, days) in
            [("1970-01-01", 0), ("1969-12-31", -1), ("2000-02-29", 11_016), ("2005-12-31", 13_148), ("0001-01-01", -719_162)]
        {
            assert_eq!(parse_iso(text.as_bytes()), Some(days), "{text}");
            assert_eq!(format_iso(days), text);
        }
    }

    #[test]
    fn dates_that_do_not_exist_are_refused() {
        for text in [
            "2005-02-29",
            "1900-02-29",
            "2005-04-31",
            "2005-13-01",
            "2005-00-10",
            "2005-01-00",
            "0000-01-01",
            "2005-1-1",
            "2005/01/01",
            "20050101",
            "2005-01-0x",
            "",
        ] {
            assert_eq!(parse_iso(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_jiff(days in -719_162..2_932_896_i32) {
            let date = jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
            let (year, month, day) = civil_from_days(days);
            prop_assert_eq!((year, month, day), (i32::from(date.year()), date.month() as u32, date.day() as u32));
            prop_assert_eq!(days_from_civil(year, month, day), days);
            prop_assert_eq!(parse_iso(format_iso(days).as_bytes()), Some(days));
        }

        #[test]
        fn accepts_exactly_the_dates_that_jiff_accepts(year in 1..=9999_i32, month in 0..=14_u32, day in 0..=33_u32) {
            let exists = jiff::civil::Date::new(year as i16, month as i8, day as i8).is_ok();
            prop_assert_eq!(parse_iso(format!("{year:04}-{month:02}-{day:02}").as_bytes()).is_some(), exists);
        }
    }
}
