//! The timers of all runs, in the order in which they are due.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::core::{TaskIx, Timer};

/// When, whose and which. The order decides what comes first among those due at once.
type Alarm = (i64, Arc<str>, TaskIx, TimerKey);

/// [`Timer`] in an order, for the heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum TimerKey {
    Retry(u32),
    Timeout(u32),
    Deferral(u32),
}

/// Timers that have not fired. One whose run or attempt is gone stays until it is due; the state machine recognises it as late.
#[derive(Debug, Default)]
pub(super) struct Alarms(BinaryHeap<Reverse<Alarm>>);

impl Alarms {
    pub(super) fn set(&mut self, at_ms: i64, run: &Arc<str>, task: TaskIx, timer: Timer) {
        let key = match timer {
            Timer::Retry { after } => TimerKey::Retry(after),
            Timer::Timeout { attempt } => TimerKey::Timeout(attempt),
            Timer::Deferral { after } => TimerKey::Deferral(after),
        };
        self.0.push(Reverse((at_ms, run.clone(), task, key)));
    }

    /// When the next one is due, in unix milliseconds.
    pub(super) fn next_ms(&self) -> Option<i64> {
        self.0.peek().map(|Reverse((at_ms, ..))| *at_ms)
    }

    /// The next one, if it is due at `now_ms`.
    pub(super) fn pop_due(&mut self, now_ms: i64) -> Option<(Arc<str>, TaskIx, Timer)> {
        self.next_ms().filter(|at_ms| *at_ms <= now_ms)?;
        let Reverse((_, run, task, key)) = self.0.pop()?;
        let timer = match key {
            TimerKey::Retry(after) => Timer::Retry { after },
            TimerKey::Timeout(attempt) => Timer::Timeout { attempt },
            TimerKey::Deferral(after) => Timer::Deferral { after },
        };
        Some((run, task, timer))
    }

    /// The clock was set back by `by_ms`: what was to happen in five minutes still happens in five minutes.
    pub(super) fn set_back(&mut self, by_ms: i64) {
        let all = std::mem::take(&mut self.0);
        self.0 = all.into_iter().map(|Reverse((at_ms, run, task, key))| Reverse((at_ms.saturating_sub(by_ms), run, task, key))).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alarms_ring_in_order_and_move_with_a_clock_that_is_set_back() {
        let run: Arc<str> = "r".into();
        let mut alarms = Alarms::default();
        alarms.set(300, &run, 1, Timer::Timeout { attempt: 1 });
        alarms.set(100, &run, 0, Timer::Retry { after: 2 });
        assert_eq!(alarms.next_ms(), Some(100));
        assert_eq!(alarms.pop_due(99), None);
        assert_eq!(alarms.pop_due(100), Some((run.clone(), 0, Timer::Retry { after: 2 })));
        alarms.set_back(50);
        assert_eq!(alarms.pop_due(249), None);
        assert_eq!(alarms.pop_due(250), Some((run, 1, Timer::Timeout { attempt: 1 })));
        assert_eq!(alarms.next_ms(), None);
    }
}
