//! The driver's half that comes to an end while runs are under way: it drains.
//!
//! No new attempt starts. Those under way may end until an instant; what is left then is told to stop, gets the usual
//! grace period, and its tasks go back to the queue: as if lost, but without counting as a loss or using up a retry. The
//! runs stay what they are, `running` with an owner that is about to die, so that whoever looks next finds them
//! interrupted and can resume them.

use recflow_state::UnixMs;

use super::driver::Driver;
use crate::executor::{AttemptKey, HowToStop};

/// A driver that drains.
#[derive(Debug)]
pub(super) struct Draining {
    until: UnixMs,
    /// Whether what is left has been told to stop.
    told: bool,
}

impl Draining {
    pub(super) fn next_wake(&self) -> Option<UnixMs> {
        (!self.told).then_some(self.until)
    }

    /// Whether attempts that end now have been told to.
    pub(super) fn has_told(&self) -> bool {
        self.told
    }
}

impl Driver {
    /// Begins to drain, or does so sooner: a second wish can only make it shorter.
    pub(super) fn drain(&mut self, until: UnixMs) {
        match &mut self.draining {
            Some(draining) => draining.until = draining.until.min(until),
            None => self.draining = Some(Draining { until, told: false }),
        }
    }

    /// Whether nothing is under way any more, and what happened is recorded or cannot be: a store that still cannot be written
    /// when the time is up is not waited for. What it does not know runs again.
    pub(super) fn is_drained(&self) -> bool {
        let Some(draining) = &self.draining else { return false };
        self.budget.is_unused() && (self.stuck.is_none() || draining.told)
    }

    /// Tells what is left to stop, once it is time.
    pub(super) fn stop_the_drained(&mut self) {
        let now = self.now();
        let Some(draining) = self.draining.as_mut().filter(|draining| !draining.told && draining.until <= now) else { return };
        draining.told = true;
        // At once, not after a commit: nothing is decided about the runs, and the store may be what is in the way.
        for (key, run) in &self.runs {
            for (task, attempt) in run.state.running() {
                self.executor.stop(AttemptKey { run: key.clone(), task, attempt }, HowToStop::Gracefully);
            }
        }
    }
}
