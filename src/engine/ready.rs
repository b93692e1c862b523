//! Tasks whose turn has come: by priority, then by the instant at which they became ready, then by run and position.
//!
//! Tasks that pass the same gates form a lane ([`Lane`]); only the first of each lane is ever asked whether it fits, so that
//! a thousand tasks behind a full pool cost no more than one.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use recflow_state::UnixMs;

use super::core::TaskIx;
use super::limits::{Gate, Lane};

/// Priority of the run, then of the task: higher first.
pub(super) type Priority = (i32, i32);

type Turn = (Reverse<Priority>, UnixMs, Arc<str>, TaskIx);

/// Ready tasks. One that is not ready any more stays until its turn comes; whoever takes it looks.
#[derive(Debug, Default)]
pub(super) struct Ready(BTreeMap<Lane, BTreeSet<Turn>>);

impl Ready {
    pub(super) fn add(&mut self, lane: Lane, priority: Priority, since: UnixMs, run: &Arc<str>, task: TaskIx) {
        self.0.entry(lane).or_default().insert((Reverse(priority), since, run.clone(), task));
    }

    /// The first task of a lane that may still pass.
    pub(super) fn first(&self, gate: &Gate) -> Option<(Lane, Arc<str>, TaskIx)> {
        let heads = self.0.iter().filter(|(lane, _)| gate.may_pass(lane));
        let (lane, turn) = heads.filter_map(|(lane, turns)| Some((lane, turns.first()?))).min_by_key(|(_, turn)| *turn)?;
        Some((lane.clone(), turn.2.clone(), turn.3))
    }

    /// Takes the first task of a lane away.
    pub(super) fn take(&mut self, lane: &Lane) {
        if let Some(turns) = self.0.get_mut(lane) {
            turns.pop_first();
            if turns.is_empty() {
                self.0.remove(lane);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all tasks are of open lanes.
    pub(super) fn is_open(&self) -> bool {
        self.0.keys().all(Lane::is_open)
    }

    /// The next `count` tasks of each lane: more than will start, never fewer.
    pub(super) fn soon(&self, count: usize) -> impl Iterator<Item = (&Arc<str>, TaskIx)> {
        self.0.values().flat_map(move |turns| turns.iter().take(count)).map(|(_, _, run, task)| (run, *task))
    }
}
