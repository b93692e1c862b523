//! The next minute that an expression allows, on a calendar without time zones.
//!
//! Months, days, hours and minutes are searched from the largest to the smallest, so that a schedule for 29 February
//! costs some hundred steps and not two million minutes.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, date};

use super::Cron;

/// How far the search goes. 29 February on a given weekday comes after 40 years at the latest (over a year such as 2100).
const YEARS_MAX: i16 = 41;

impl Cron {
    /// Whether neither the minute nor the hour begins with a star. Vixie cron runs such a job exactly once when daylight
    /// saving removes or doubles its time; all others follow real time.
    pub fn is_fixed_time(&self) -> bool {
        self.fixed_time
    }

    /// The first minute at or after `from` in which it fires; seconds count up. `None` if there is none for 41 years, or
    /// before the calendar ends with the year 9999.
    pub fn next_match(&self, from: DateTime) -> Option<DateTime> {
        let whole = from.time().with().second(0).subsec_nanosecond(0).build().ok()?;
        let mut from = DateTime::from_parts(from.date(), whole).max(from);
        if from.time() != whole {
            from = DateTime::from_parts(from.date(), whole).checked_add(1.minute()).ok()?;
        }
        if self.matches_date(from.date())
            && let Some((hour, minute)) = self.next_time(from.hour(), from.minute())
        {
            return Some(from.date().at(hour, minute, 0, 0));
        }
        let date = self.next_date(from.date().tomorrow().ok()?)?;
        let (hour, minute) = self.next_time(0, 0)?;
        Some(date.at(hour, minute, 0, 0))
    }

    /// The last minute of this date in which it fires, and in how many minutes of it; `None` if it does not fire then.
    pub fn last_match(&self, date: Date) -> Option<(DateTime, u64)> {
        let (hour, minute) = (self.hours.checked_ilog2()?, self.minutes.checked_ilog2()?);
        let count = self.hours.count_ones() * self.minutes.count_ones();
        self.matches_date(date).then(|| (date.at(hour as i8, minute as i8, 0, 0), u64::from(count)))
    }

    fn matches_date(&self, date: Date) -> bool {
        let weekday = date.weekday().to_sunday_zero_offset();
        has(self.months, date.month()) && self.matches_day(has(self.days, date.day()), has(self.weekdays, weekday))
    }

    /// The first allowed time of a day at or after this one.
    fn next_time(&self, hour: i8, minute: i8) -> Option<(i8, i8)> {
        if has(self.hours, hour)
            && let Some(minute) = next_bit(self.minutes, minute)
        {
            return Some((hour, minute));
        }
        Some((next_bit(self.hours, hour + 1)?, next_bit(self.minutes, 0)?))
    }

    /// The first allowed date at or after this one.
    fn next_date(&self, from: Date) -> Option<Date> {
        let last_year = from.year().saturating_add(YEARS_MAX);
        let (mut year, mut month, mut day) = (from.year(), from.month(), from.day());
        while year <= last_year {
            let Some(next) = next_bit(self.months, month) else {
                (year, month, day) = (year + 1, 1, 1);
                continue;
            };
            if next != month {
                (month, day) = (next, 1);
            }
            let first = Date::new(year, month, day).ok()?;
            let mut weekday = first.weekday().to_sunday_zero_offset();
            for day in day..=first.days_in_month() {
                if self.matches_day(has(self.days, day), has(self.weekdays, weekday)) {
                    return Some(date(year, month, day));
                }
                weekday = (weekday + 1) % 7;
            }
            (month, day) = (month + 1, 1);
        }
        None
    }
}

fn has(mask: u64, bit: i8) -> bool {
    mask >> bit & 1 == 1
}

/// The lowest bit of a mask at or above `from`, which is at most 60.
fn next_bit(mask: u64, from: i8) -> Option<i8> {
    let rest = mask >> from << from;
    (rest != 0).then(|| rest.trailing_zeros() as i8)
}
