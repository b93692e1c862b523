//! Several schedules of one pipeline: an instant is one slot, whoever fires then.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::due::Decided;
use super::{Plan, Skipped, Slot};
use crate::pipeline::Schedule;
use crate::scheduler::firing::firings;

/// Joins what was decided on each schedule. If one schedule wants a slot to run and another one skips it, it runs.
pub(super) fn merge(schedules: &[(&Schedule, Timestamp)], decided: Vec<Decided>) -> Plan {
    let mut runs: BTreeMap<Timestamp, Slot> = BTreeMap::new();
    for slot in decided.iter().flat_map(|one| &one.run) {
        runs.entry(slot.at).or_insert(*slot);
    }
    let mut skipped: BTreeMap<Timestamp, Skipped> = BTreeMap::new();
    for range in decided.iter().flat_map(|one| &one.skipped) {
        let is_taken = |at: Timestamp| runs.contains_key(&at) || skipped.contains_key(&at);
        let range = schedules.get(range.schedule).and_then(|(schedule, _)| shorten(*range, schedule, is_taken));
        if let Some(range) = range {
            skipped.insert(range.at, range);
        }
    }
    Plan {
        run: runs.into_values().collect(),
        skipped: skipped.into_values().collect(),
        watermarks: decided.iter().map(|one| one.watermark).collect(),
        next: decided.iter().filter_map(|one| one.next).min(),
    }
}

/// The range from its first slot on that no other entry stands for. `None` if there is no such slot.
fn shorten(mut range: Skipped, schedule: &Schedule, is_taken: impl Fn(Timestamp) -> bool) -> Option<Skipped> {
    if !is_taken(range.at) {
        return Some(range);
    }
    let mut later = firings(schedule, range.at);
    while is_taken(range.at) {
        range.count = range.count.checked_sub(1).filter(|count| *count > 0)?;
        (range.at, _) = later.next_instant()?;
    }
    Some(range)
}
