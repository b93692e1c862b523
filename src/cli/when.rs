//! Instants and ages as people type them.

use std::time::Duration;

use jiff::tz::TimeZone;
use recflow_state::UnixMs;

use super::exit::Failure;
use crate::pipeline::duration;
use crate::pipeline::instant::Moment;

/// The forms of an instant, for help and messages.
pub(super) const FORMS: &str = "such as 2d (that long ago), 2027-03-27, 2027-03-27T02:00 (local time) or 2027-03-27T01:00:00Z";

/// An instant: a time that lies so long before `now`, a date or a local time, or one with its offset.
pub(super) fn instant(flag: &str, text: &str, now: UnixMs) -> Result<UnixMs, Failure> {
    if let Ok(age) = duration::parse(text) {
        return Ok(before(now, age));
    }
    let found = Moment::parse(text).and_then(|moment| moment.start(&TimeZone::system()));
    found
        .map(|at| UnixMs(at.as_millisecond()))
        .ok_or_else(|| Failure::usage(format!("`{flag} {text}` is not a date or time")).with_hint(FORMS))
}

/// The instant that lies `age` before `now`.
pub(super) fn before(now: UnixMs, age: Duration) -> UnixMs {
    UnixMs(now.0.saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_an_age_or_a_time_with_its_offset() {
        let now = UnixMs(1_800_000_000_000);
        assert_eq!(instant("--since", "1h30m", now).unwrap(), UnixMs(now.0 - 5_400_000));
        assert_eq!(instant("--since", "2027-01-15T09:00:00+01:00", now).unwrap(), UnixMs(now.0));
        assert!(instant("--since", "2027-01-15", now).is_ok() && instant("--since", "2027-01-15T09:30", now).is_ok());
    }

    #[test]
    fn what_is_none_is_refused_with_the_flag() {
        let failure = format!("{:?}", instant("--since", "yesterday", UnixMs(0)).unwrap_err());
        assert!(failure.contains("`--since yesterday` is not a date or time"), "{failure}");
    }
}
