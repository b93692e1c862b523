//! At which instants a schedule fires.
//!
//! [`firings`] gives them in order, strictly after an instant, without end unless the schedule has one. A search never
//! goes on forever: what does not fire within a hundred years never does.

mod calendar;

use jiff::{SignedDuration, Timestamp, ZonedDateTime};

use self::calendar::Calendar;
use crate::pipeline::schedule::{Schedule, When};

/// The smallest step of time, between "at" and "after".
const INSTANT: SignedDuration = SignedDuration::from_nanos(1);

/// An instant at which a schedule fires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firing {
    /// The instant; whole milliseconds.
    pub at: Timestamp,
    /// The same on the wall clock of the schedule's zone.
    pub local: ZonedDateTime,
    /// Whether a change of the zone's offset has to do with it.
    pub dst: Option<DstMark>,
}

/// What a change of the zone's offset has to do with a firing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DstMark {
    /// The clock was set forward over at least one of its times; it makes up for them, right after the gap.
    Gap,
    /// The clock was set back: this local time comes twice.
    Overlap,
}

impl DstMark {
    /// The word for it in JSON.
    pub fn word(self) -> &'static str {
        match self {
            DstMark::Gap => "gap",
            DstMark::Overlap => "overlap",
        }
    }
}

/// The firings of a schedule strictly after an instant, in order. None is before its `start` or after its `end`.
pub fn firings(schedule: &Schedule, after: Timestamp) -> Firings<'_> {
    let before_start = schedule.start.and_then(|start| start.checked_sub(INSTANT).ok());
    let after = before_start.map_or(after, |before| before.max(after));
    let source = match &schedule.when {
        When::Cron(cron) => Calendar::new(cron, &schedule.timezone, schedule.dst, after).map(Source::Calendar),
        When::Every(interval) => Interval::new(*interval, schedule.start, after).map(Source::Interval),
    };
    Firings { schedule, source }
}

/// The iterator of [`firings`].
#[derive(Debug)]
pub struct Firings<'s> {
    schedule: &'s Schedule,
    /// None once it has ended.
    source: Option<Source<'s>>,
}

#[derive(Debug)]
enum Source<'s> {
    Calendar(Calendar<'s>),
    Interval(Interval),
}

impl Firings<'_> {
    /// The next firing without its wall clock, which costs more than the rest.
    pub(super) fn next_instant(&mut self) -> Option<(Timestamp, Option<DstMark>)> {
        let next = match self.source.as_mut()? {
            Source::Calendar(calendar) => calendar.next(),
            Source::Interval(interval) => interval.next().map(|at| (at, None)),
        };
        let next = next.filter(|(at, _)| self.schedule.end.is_none_or(|end| *at <= end));
        if next.is_none() {
            self.source = None;
        }
        next
    }
}

impl Firings<'_> {
    /// Passes over all firings up to `until` but for the last `keep`, without looking at each. The first and the last of
    /// them, and how many there were; `None` if there were none.
    pub(super) fn pass_over(&mut self, until: Timestamp, keep: u64) -> Option<(Timestamp, Timestamp, u64)> {
        let until = self.schedule.end.map_or(until, |end| end.min(until));
        match self.source.as_mut()? {
            Source::Interval(interval) => interval.pass_over(until, keep),
            Source::Calendar(calendar) => calendar.pass_over(until, keep),
        }
    }
}

impl Iterator for Firings<'_> {
    type Item = Firing;

    fn next(&mut self) -> Option<Firing> {
        let (at, dst) = self.next_instant()?;
        Some(Firing { at, local: at.to_zoned_datetime(self.schedule.timezone.clone()), dst })
    }
}

/// Multiples of an interval, in milliseconds since 1970.
#[derive(Debug)]
struct Interval {
    next: i64,
    step: i64,
}

impl Interval {
    /// The multiples after `after`, counted from `start` or else from the epoch: two processes that never met agree on them.
    fn new(interval: std::time::Duration, start: Option<Timestamp>, after: Timestamp) -> Option<Self> {
        let step = i64::try_from(interval.as_millis()).ok().filter(|step| *step > 0)?;
        let anchor =
            start.map_or(0, |start| start.as_nanosecond().div_euclid(1_000_000) + i128::from(start.as_nanosecond() % 1_000_000 != 0));
        let anchor = i64::try_from(anchor).ok()?;
        let after = i64::try_from(after.as_nanosecond().div_euclid(1_000_000)).ok()?;
        let steps = (after - anchor).div_euclid(step) + 1;
        Some(Self { next: anchor.checked_add(steps.checked_mul(step)?)?, step })
    }

    fn pass_over(&mut self, until: Timestamp, keep: u64) -> Option<(Timestamp, Timestamp, u64)> {
        let away = u64::try_from(until.as_millisecond() - self.next).ok()?;
        let count = (away / self.step.unsigned_abs() + 1).checked_sub(keep).filter(|count| *count > 0)?;
        let first = self.next;
        self.next = first.checked_add(self.step.checked_mul(i64::try_from(count).ok()?)?)?;
        let instant = |ms| Timestamp::from_millisecond(ms).ok();
        Some((instant(first)?, instant(self.next - self.step)?, count))
    }

    fn next(&mut self) -> Option<Timestamp> {
        let at = Timestamp::from_millisecond(self.next).ok()?;
        self.next = self.next.checked_add(self.step)?;
        Some(at)
    }
}

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;
