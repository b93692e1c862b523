//! Instants as people write them: with an offset, or local, so that a zone says which instant is meant.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// The forms, for help and messages.
pub const FORMS: &str = "such as 2026-01-31, 2026-01-31T06:00 or 2026-01-31T06:00:00Z";

/// What a text says of an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// All of it: `2026-01-31T06:00:00Z`, `2026-01-31T07:00+01:00`.
    Instant(Timestamp),
    /// A local time: `2026-01-31T06:00`.
    Local(DateTime),
    /// A local day: `2026-01-31`.
    Day(Date),
}

impl Moment {
    /// Reads a text; `None` if it is no date or time.
    pub fn parse(text: &str) -> Option<Self> {
        // The parser of dates takes the date out of a time, too: what is longer than a date is none.
        let day = || text.parse().ok().filter(|_| text.len() <= "2026-01-31".len()).map(Self::Day);
        text.parse().map(Self::Instant).ok().or_else(day).or_else(|| text.parse().map(Self::Local).ok())
    }

    /// The instant in `zone`, of a day the first; `None` beyond the years that are known. A local time that a change of the clock leaves
    /// out or repeats is read as RFC 5545 has it.
    pub fn start(self, zone: &TimeZone) -> Option<Timestamp> {
        self.at(zone, (0, 0, 0, 0))
    }

    /// The instant in `zone`, of a day the last.
    pub fn end(self, zone: &TimeZone) -> Option<Timestamp> {
        self.at(zone, (23, 59, 59, 999_999_999))
    }

    fn at(self, zone: &TimeZone, (hour, minute, second, nanosecond): (i8, i8, i8, i32)) -> Option<Timestamp> {
        let local = match self {
            Self::Instant(instant) => return Some(instant),
            Self::Local(local) => local,
            Self::Day(day) => day.at(hour, minute, second, nanosecond),
        };
        zone.to_timestamp(local).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(text: &str) -> Option<(String, String)> {
        let (zone, moment) = (TimeZone::get("Europe/Prague").unwrap(), Moment::parse(text)?);
        Some((moment.start(&zone)?.to_string(), moment.end(&zone)?.to_string()))
    }

    #[test]
    fn a_day_lasts_and_a_time_does_not() {
        let both = |start: &str, end: &str| Some((start.to_owned(), end.to_owned()));
        assert_eq!(span("2026-01-31"), both("2026-01-30T23:00:00Z", "2026-01-31T22:59:59.999999999Z"));
        assert_eq!(span("2026-01-31T06:00"), both("2026-01-31T05:00:00Z", "2026-01-31T05:00:00Z"));
        assert_eq!(span("2026-01-31T06:00:00Z"), both("2026-01-31T06:00:00Z", "2026-01-31T06:00:00Z"));
        // A day on which the clock changes lasts 23 hours.
        assert_eq!(span("2027-03-28"), both("2027-03-27T23:00:00Z", "2027-03-28T21:59:59.999999999Z"));
    }

    #[test]
    fn what_is_none_is_none() {
        for text in ["", "yesterday", "2026-02-30", "31.1.2026", "2026-01-31T25:00"] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }
}
