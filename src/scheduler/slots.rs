//! Which firings of a pipeline's schedules become runs, and which are skipped and why.
//!
//! A *slot* is an instant at which a schedule of a pipeline fires; the pipeline and the instant name it. [`plan`] derives
//! the slots that have come due since the last decision (the *watermark* of each schedule) and decides on all of
//! them. It has no memory: whoever writes runs, skipped slots and watermarks in one transaction can be killed at any
//! moment and decides the same afterwards.
//!
//! ```text
//! (schedules, watermarks, look at the clock) ──▶ due ──▶ one: on time or missed ──▶ all: one slot an instant ──▶ Plan
//! ```

mod due;
mod merge;

use jiff::{SignedDuration, Timestamp};

use crate::pipeline::schedule::When;
use crate::pipeline::{Schedule, duration};

/// How late a slot may be decided on and still be on time, and how long a loop may not look without having been away.
pub const GRACE: SignedDuration = SignedDuration::from_secs(60);
/// A loop must look at least this often, due slots or not: well within [`GRACE`].
pub const LONGEST_NAP: SignedDuration = SignedDuration::from_secs(20);
/// At most so many slots of a schedule run at once; the newest do.
pub const RUNS_MAX: usize = 1_000;
/// A watermark further ahead of the clock than this was set by a wrong clock.
pub const FALSE_FUTURE: SignedDuration = SignedDuration::from_hours(24);

/// A look at the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The instant.
    pub now: Timestamp,
    /// The look of this process before, the last one of which the plan was stored; `None` before that. It tells lateness
    /// from absence.
    pub last: Option<Timestamp>,
    /// Whether the pipeline is paused.
    pub paused: bool,
}

/// What becomes of the slots of a pipeline that are due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Runs to create, oldest first; no instant twice.
    pub run: Vec<Slot>,
    /// Slots that will not run, oldest first. No `at` is that of another entry or of a run; ranges of two schedules may
    /// interleave.
    pub skipped: Vec<Skipped>,
    /// The new watermarks, in the order of the schedules.
    pub watermarks: Vec<Timestamp>,
    /// The next instant at which a schedule fires; `None` if none does any more.
    pub next: Option<Timestamp>,
}

/// A slot that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// The instant: the run's logical date.
    pub at: Timestamp,
    /// Which schedule it is of, as an index. Of several that fire at once, the first that wants it to run.
    pub schedule: usize,
    /// Whether it was missed and is made up for.
    pub made_up: bool,
}

/// Slots of one schedule, one after another, that do not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skipped {
    /// The first of them.
    pub at: Timestamp,
    /// The last of them.
    pub until: Timestamp,
    /// How many.
    pub count: u64,
    /// Which schedule they are of, as an index.
    pub schedule: usize,
    /// Why.
    pub reason: Reason,
}

/// Why a slot does not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The pipeline was paused.
    Paused,
    /// It was missed, and the schedule says `catchup: none`.
    Missed,
    /// It was missed, and with `catchup: latest` a newer slot runs.
    Superseded,
    /// It was missed longer ago than `catchup_window`.
    OutsideWindow,
    /// More than [`RUNS_MAX`] slots were due, and it is not among the newest.
    OverLimit,
}

impl Reason {
    /// The word for it in the store and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Reason::Paused => "paused",
            Reason::Missed => "missed",
            Reason::Superseded => "superseded",
            Reason::OutsideWindow => "outside_window",
            Reason::OverLimit => "over_limit",
        }
    }
}

/// What a schedule's watermark is stored under: the instants at which it fires, not how missed ones are treated. A schedule
/// with another key counts as new.
pub fn key(schedule: &Schedule) -> String {
    match &schedule.when {
        When::Cron(cron) => {
            let fields: Vec<String> = cron.to_string().split_ascii_whitespace().map(str::to_owned).collect();
            let zone = schedule.timezone.iana_name().unwrap_or("UTC");
            format!("cron {} {zone} {:?}", fields.join(" "), schedule.dst).to_lowercase()
        }
        When::Every(interval) => {
            let anchor = schedule.start.unwrap_or(Timestamp::UNIX_EPOCH);
            format!("every {} from {anchor}", duration::format(*interval))
        }
    }
}

/// The watermark of a schedule that was never seen. `edited` is when an edit of the pipeline brought it,
/// if the pipeline had schedules before: it counts from there on. A new pipeline's first slot is the first one after `now`, or, with a
/// `start` in the past, the first one from `start` on, so that catch-up reaches back to it.
pub fn first_watermark(schedule: &Schedule, edited: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let start = schedule.start.and_then(|start| start.checked_sub(SignedDuration::from_nanos(1)).ok());
    edited.or(start).map_or(now, |from| from.min(now))
}

/// Decides on all slots of a pipeline that are due. `schedules` come with their watermarks: all slots up to there were
/// decided on.
///
/// A slot is *on time* if the loop was there when it came due: it looked before, no longer than [`GRACE`] ago. After a
/// start, a suspension or a jump of the clock, the newest due slot of a schedule is on time if it is no older than
/// [`GRACE`] (or `catchup_window`, if that is shorter). What is on time runs; all others were *missed*, and
/// `catchup` decides. A clock that goes back makes nothing due until it has caught up, or at once with fresh watermarks
/// if it went back by more than [`FALSE_FUTURE`].
pub fn plan(schedules: &[(&Schedule, Timestamp)], look: &Look) -> Plan {
    let decided = schedules.iter().enumerate().map(|(index, (schedule, watermark))| due::decide(schedule, index, *watermark, look));
    merge::merge(schedules, decided.collect())
}

#[cfg(test)]
mod tests;
