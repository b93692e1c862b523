//! Cron in a time zone.
//!
//! Time is walked in *spans* between two changes of the zone's offset. Within a span the wall clock runs evenly, and
//! the next firing is one look at the calendar; what happens at the seams is the rule of daylight saving.
//!
//! For fixed-time jobs the rule is Vixie cron's virtual clock: it shows the latest wall-clock time that was ever
//! reached. Set forward, it rushes through the gap, and a job that it passes runs once, at the first instant
//! after the gap. Set back, it stands still until the wall clock has caught up, so that nothing runs twice.
//! Why the offset changed does not matter: daylight saving, a new standard time, a country that skips a day.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::{DstMark, INSTANT};
use crate::pipeline::cron::Cron;
use crate::pipeline::schedule::Dst;

/// A search ends after so many days without a firing: a hundred years. `30 2 8-14 3 */7` in New York with `dst: skip` wants
/// a time that is always in the gap.
const SEARCH: SignedDuration = SignedDuration::from_hours(36_525 * 24);
/// The largest step that a wall clock can take. Offsets lie within 26 hours of UTC.
const LARGEST_STEP: SignedDuration = SignedDuration::from_hours(52);

/// The firings of a cron expression in a zone.
#[derive(Debug, Clone)]
pub(super) struct Calendar<'s> {
    cron: &'s Cron,
    zone: &'s TimeZone,
    /// What the rule is for this expression.
    rule: Rule,
    span: Span,
    /// The earliest wall-clock time in the span that is still to be looked at.
    from: DateTime,
    /// The latest wall-clock time reached before the span.
    reached: DateTime,
    /// A firing at the beginning of the span that makes up for a gap.
    makes_up: bool,
}

/// What becomes of times that a change of the offset removes or doubles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Removed times do not run, doubled times run twice.
    RealTime,
    /// Removed times do not run, doubled times run once.
    Once,
    /// Removed times run right after the gap, doubled times once.
    Vixie,
}

/// Time between two changes of a zone's offset.
#[derive(Debug, Clone)]
struct Span {
    start: Timestamp,
    /// The first instant with another offset.
    end: Option<Timestamp>,
    offset: Offset,
    /// Wall-clock times of this span from here on come again in the next one.
    repeated_from: Option<DateTime>,
}

impl<'s> Calendar<'s> {
    /// The firings strictly after `after`. `None` at the end of time.
    pub(super) fn new(cron: &'s Cron, zone: &'s TimeZone, dst: Dst, after: Timestamp) -> Option<Self> {
        let rule = match dst {
            Dst::Both => Rule::RealTime,
            _ if !cron.is_fixed_time() => Rule::RealTime,
            Dst::Skip => Rule::Once,
            Dst::Vixie => Rule::Vixie,
        };
        let first = after.checked_add(INSTANT).ok()?;
        let span = Span::of(zone, first);
        let reached = reached_before(zone, span.start);
        let from = span.offset.to_datetime(first);
        let mut calendar = Self { cron, zone, rule, span, from, reached, makes_up: false };
        if calendar.span.start == first {
            calendar.cross_seam();
        } else if rule != Rule::RealTime {
            calendar.from = calendar.from.max(calendar.reached);
        }
        Some(calendar)
    }

    /// The next firing.
    pub(super) fn next(&mut self) -> Option<(Timestamp, Option<DstMark>)> {
        let limit = self.span.offset.to_timestamp(self.from).ok()?.checked_add(SEARCH).unwrap_or(Timestamp::MAX);
        loop {
            if std::mem::take(&mut self.makes_up) {
                return Some((self.span.start, Some(DstMark::Gap)));
            }
            let local = self.cron.next_match(self.from)?;
            let at = self.span.offset.to_timestamp(local).ok()?;
            match self.span.end {
                Some(end) if at >= end => {
                    if end > limit {
                        return None;
                    }
                    self.enter(end);
                }
                _ => {
                    self.from = local.checked_add(SignedDuration::from_secs(60)).ok()?;
                    let again = local < self.reached || self.span.repeated_from.is_some_and(|from| local >= from);
                    return Some((at, again.then_some(DstMark::Overlap)));
                }
            }
        }
    }

    /// Passes over all firings up to `until` but for the last `keep`, whole days at a time. The first and the last of them,
    /// and how many there were.
    pub(super) fn pass_over(&mut self, until: Timestamp, keep: u64) -> Option<(Timestamp, Timestamp, u64)> {
        let first = self.clone().next()?.0;
        let mut counter = self.clone();
        let total: u64 = std::iter::from_fn(|| counter.stride(until, u64::MAX)).map(|(_, count)| count).sum();
        let count = total.checked_sub(keep).filter(|count| *count > 0)?;
        let (mut last, mut passed) = (first, 0);
        while passed < count {
            let (at, more) = self.stride(until, count - passed)?;
            (last, passed) = (at, passed + more);
        }
        Some((first, last, passed))
    }

    /// Passes over a day of firings if it lies within the span, is over by `until` and has at most `most`; else over one.
    /// The last of them, and how many. `None` if the next one is after `until`.
    fn stride(&mut self, until: Timestamp, most: u64) -> Option<(Timestamp, u64)> {
        if let Some((last, count)) = self.day()
            && count <= most
            && let Ok(at) = self.span.offset.to_timestamp(last)
            && at <= until
            && self.span.end.is_none_or(|end| at < end)
            && let Ok(from) = last.checked_add(SignedDuration::from_secs(60))
        {
            self.from = from;
            return Some((at, count));
        }
        let before = self.clone();
        if let Some((at, _)) = self.next().filter(|(at, _)| *at <= until) {
            return Some((at, 1));
        }
        *self = before;
        None
    }

    /// The last firing of the next day, and how many it has, if none of them is behind.
    fn day(&self) -> Option<(DateTime, u64)> {
        let next = self.cron.next_match(self.from).filter(|_| !self.makes_up)?;
        let first = self.cron.next_match(next.date().at(0, 0, 0, 0))?;
        if first == next { self.cron.last_match(next.date()) } else { None }
    }

    /// Goes on to the span that begins at `start`.
    fn enter(&mut self, start: Timestamp) {
        self.reached = self.reached.max(self.span.offset.to_datetime(start));
        self.span = Span::of(self.zone, start);
        self.cross_seam();
    }

    /// Applies the rule at the beginning of the span, which is where `from` then stands.
    fn cross_seam(&mut self) {
        let begins = self.span.offset.to_datetime(self.span.start);
        self.from = begins;
        if self.rule == Rule::RealTime {
            return;
        }
        if begins < self.reached {
            self.from = self.reached;
        } else if self.rule == Rule::Vixie && self.cron.next_match(self.reached).is_some_and(|missed| missed < begins) {
            self.makes_up = true;
            // If `begins` matches as well, that is the same firing.
            self.from = begins.checked_add(SignedDuration::from_secs(1)).unwrap_or(DateTime::MAX);
        }
    }
}

impl Span {
    /// The span that `at` lies in.
    fn of(zone: &TimeZone, at: Timestamp) -> Self {
        let just_after = at.checked_add(INSTANT).unwrap_or(at);
        let start = zone.preceding(just_after).next().map_or(Timestamp::MIN, |change| change.timestamp());
        let next = zone.following(at).next();
        let end = next.as_ref().map(|change| change.timestamp());
        let offset = zone.to_offset(at);
        let repeated_from = next.map(|change| change.offset().to_datetime(change.timestamp()));
        Self { start, end, offset, repeated_from }
    }
}

/// The latest wall-clock time before the change of the offset at `start`. One look back is not enough where the clock
/// was set back twice in a row.
fn reached_before(zone: &TimeZone, start: Timestamp) -> DateTime {
    let just_after = start.checked_add(INSTANT).unwrap_or(start);
    let changes = zone.preceding(just_after).map(|change| change.timestamp());
    let near = changes.take_while(|change| start.duration_since(*change) <= LARGEST_STEP);
    let shown = near.filter_map(|change| {
        let before = change.checked_sub(INSTANT).ok()?;
        Some(zone.to_offset(before).to_datetime(change))
    });
    shown.max().unwrap_or(DateTime::MIN)
}
