//! Spans of the calendar, in UTC. Weeks are those of ISO 8601: they begin on Monday, and the first of a year holds its first Thursday.

use jiff::Timestamp;
use recflow_stages::date::{civil_from_days, days_from_civil, format_iso};
use serde::{Deserialize, Serialize};

const SECONDS_PER_DAY: i64 = 86_400;

/// How long a period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Every {
    /// From midnight to midnight.
    Day,
    /// From Monday to Sunday.
    Week,
    /// A month of the calendar.
    Month,
    /// Three months from January, April, July or October on.
    Quarter,
    /// A year of the calendar.
    Year,
}

/// A period: `first` belongs to it, `end` does not. Days since 1970-01-01.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// `2005-03-01`, `2005-W09`, `2005-03`, `2005-Q1` or `2005`.
    pub name: String,
    /// Its first day.
    pub first: i32,
    /// The day after its last.
    pub end: i32,
}

impl Every {
    /// The period that `day` lies in.
    pub fn period_of(self, day: i32) -> Period {
        let (year, month, _) = civil_from_days(day);
        // The span of `months` from `month` on; the thirteenth month is January.
        let months = |month: u32, months: u32, name: String| {
            let (last_year, after) = if month + months > 12 { (year + 1, month + months - 12) } else { (year, month + months) };
            Period { name, first: days_from_civil(year, month, 1), end: days_from_civil(last_year, after, 1) }
        };
        match self {
            Every::Day => Period { name: format_iso(day), first: day, end: day + 1 },
            // 1970-01-01 was a Thursday, three days after a Monday.
            Every::Week => week(day - (day + 3).rem_euclid(7)),
            Every::Month => months(month, 1, format!("{year:04}-{month:02}")),
            Every::Quarter => months((month - 1) / 3 * 3 + 1, 3, format!("{year:04}-Q{}", (month - 1) / 3 + 1)),
            Every::Year => months(1, 12, format!("{year:04}")),
        }
    }
}

fn week(monday: i32) -> Period {
    let thursday = monday + 3;
    let (year, ..) = civil_from_days(thursday);
    let number = (thursday - days_from_civil(year, 1, 1)) / 7 + 1;
    Period { name: format!("{year:04}-W{number:02}"), first: monday, end: monday + 7 }
}

/// Midnight, in UTC, at which `day` begins.
pub(super) fn midnight(day: i32) -> Timestamp {
    // Days of the parser lie between the years 1 and 9999, and one after.
    Timestamp::from_second(i64::from(day) * SECONDS_PER_DAY).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use recflow_stages::date::parse_iso;

    use super::*;

    #[test]
    fn periods_bear_the_names_that_people_give_them() {
        let name = |every: Every, date: &str| {
            let period = every.period_of(parse_iso(date.as_bytes()).unwrap());
            format!("{} {}..{}", period.name, format_iso(period.first), format_iso(period.end))
        };
        assert_eq!(name(Every::Day, "2004-02-29"), "2004-02-29 2004-02-29..2004-03-01");
        assert_eq!(name(Every::Month, "2005-12-31"), "2005-12 2005-12-01..2006-01-01");
        assert_eq!(name(Every::Quarter, "2005-11-15"), "2005-Q4 2005-10-01..2006-01-01");
        assert_eq!(name(Every::Quarter, "2005-03-31"), "2005-Q1 2005-01-01..2005-04-01");
        assert_eq!(name(Every::Year, "2005-06-01"), "2005 2005-01-01..2006-01-01");
        // The examples of ISO 8601's own edge cases.
        assert_eq!(name(Every::Week, "2005-01-01"), "2004-W53 2004-12-27..2005-01-03");
        assert_eq!(name(Every::Week, "2007-12-31"), "2008-W01 2007-12-31..2008-01-07");
        assert_eq!(midnight(13_149).to_string(), "2006-01-01T00:00:00Z");
    }

    proptest! {
        #[test]
        fn periods_tile_the_calendar(day in -719_162..2_932_000_i32, which in 0..5_usize) {
            let every = [Every::Day, Every::Week, Every::Month, Every::Quarter, Every::Year][which];
            let period = every.period_of(day);
            prop_assert!(period.first <= day && day < period.end);
            prop_assert_eq!(&every.period_of(period.first), &period);
            prop_assert_eq!(&every.period_of(period.end - 1), &period);
            prop_assert_eq!(every.period_of(period.end).first, period.end);
        }

        #[test]
        fn weeks_are_those_of_jiff(day in -700_000..2_900_000_i32) {
            let date = jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(day)).unwrap().iso_week_date();
            prop_assert_eq!(Every::Week.period_of(day).name, format!("{:04}-W{:02}", date.year(), date.week()));
        }
    }
}
