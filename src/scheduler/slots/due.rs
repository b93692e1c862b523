//! One schedule: what is due, what of it is on time, and what becomes of the rest.

use jiff::{SignedDuration, Timestamp};

use super::{FALSE_FUTURE, GRACE, Look, RUNS_MAX, Reason, Skipped, Slot};
use crate::pipeline::Schedule;
use crate::pipeline::schedule::Catchup;
use crate::scheduler::firing::firings;

/// What was decided on one schedule.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) run: Vec<Slot>,
    pub(super) skipped: Vec<Skipped>,
    pub(super) watermark: Timestamp,
    /// The next instant at which it fires.
    pub(super) next: Option<Timestamp>,
}

/// Slots that are due. Of many only the newest are listed: a schedule of every minute that was away for ten years has five
/// million.
struct Due {
    /// Those that are not listed.
    old: Option<Skipped>,
    /// The newest, at most [`RUNS_MAX`].
    newest: Vec<Timestamp>,
    /// The first one that is not due yet.
    next: Option<Timestamp>,
}

/// Decides on all slots of a schedule between its watermark and the look.
pub(super) fn decide(schedule: &Schedule, index: usize, watermark: Timestamp, look: &Look) -> Decided {
    let watermark = if watermark.duration_since(look.now) > FALSE_FUTURE { look.now } else { watermark };
    let due = due(schedule, index, watermark, look.now);
    // Those that are too many are skipped for the reason that holds anyway, if there is one.
    let reason = |old: &Skipped| verdict(schedule, old.until, false, look).err().unwrap_or(Reason::OverLimit);
    let skipped = due.old.map(|old| Skipped { reason: reason(&old), ..old }).into_iter().collect();
    let mut decided = Decided { run: Vec::new(), skipped, watermark: watermark.max(look.now), next: due.next };
    for (position, at) in due.newest.iter().enumerate() {
        let is_newest = position + 1 == due.newest.len();
        match verdict(schedule, *at, is_newest, look) {
            Ok(made_up) => decided.run.push(Slot { at: *at, schedule: index, made_up }),
            Err(reason) => skip(&mut decided.skipped, *at, index, reason),
        }
    }
    decided
}

fn due(schedule: &Schedule, index: usize, watermark: Timestamp, now: Timestamp) -> Due {
    let mut firings = firings(schedule, watermark);
    let old = firings.pass_over(now, RUNS_MAX as u64);
    let old = old.map(|(at, until, count)| Skipped { at, until, count, schedule: index, reason: Reason::OverLimit });
    let mut newest = Vec::new();
    loop {
        match firings.next_instant() {
            Some((at, _)) if at <= now => newest.push(at),
            later => return Due { old, newest, next: later.map(|(at, _)| at) },
        }
    }
}

/// Whether a due slot runs, and then whether that makes up for a missed one; or why not.
fn verdict(schedule: &Schedule, at: Timestamp, is_newest: bool, look: &Look) -> Result<bool, Reason> {
    let window = schedule.catchup_window.and_then(|window| SignedDuration::try_from(window).ok());
    let age = look.now.duration_since(at);
    let is_recent = age <= window.map_or(GRACE, |window| window.min(GRACE));
    let was_watching = look.last.is_some_and(|last| at > last && look.now.duration_since(last) <= GRACE);
    if look.paused {
        return Err(Reason::Paused);
    }
    if was_watching || (is_newest && is_recent) {
        return Ok(false);
    }
    match schedule.catchup {
        Catchup::None => Err(Reason::Missed),
        _ if window.is_some_and(|window| age > window) => Err(Reason::OutsideWindow),
        Catchup::Latest if !is_newest => Err(Reason::Superseded),
        Catchup::Latest | Catchup::All => Ok(true),
    }
}

/// Adds a slot to the last range, or begins another one.
fn skip(skipped: &mut Vec<Skipped>, at: Timestamp, schedule: usize, reason: Reason) {
    match skipped.last_mut() {
        Some(last) if last.reason == reason => (last.until, last.count) = (at, last.count + 1),
        _ => skipped.push(Skipped { at, until: at, count: 1, schedule, reason }),
    }
}
