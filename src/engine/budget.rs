//! One budget for attempts and their threads.
//!
//! `--jobs` bounds how many attempts are under way; `threads` is what all computing stages together may use. A
//! computing stage (one that gains from threads, see `Stage::PARALLEL`) gets an equal share of the threads that are left, counting those that
//! are about to start with it, but at least one. Shares are fixed for an attempt's life: results do not depend on the
//! number of threads, only the time does.

/// Slots and threads in use.
#[derive(Debug)]
pub(super) struct Budget {
    jobs: usize,
    threads: usize,
    attempts: usize,
    threads_used: usize,
}

impl Budget {
    pub(super) fn new(jobs: usize, threads: usize) -> Self {
        Self { jobs: jobs.max(1), threads: threads.max(1), attempts: 0, threads_used: 0 }
    }

    /// How many more attempts may start.
    pub(super) fn free_slots(&self) -> usize {
        self.jobs.saturating_sub(self.attempts)
    }

    /// Whether no attempt is under way.
    pub(super) fn is_unused(&self) -> bool {
        self.attempts == 0
    }

    /// Takes a slot and returns how many threads the attempt may use: one unless it computes; else its share, when
    /// `computing_soon` others like it are about to start beside it.
    pub(super) fn take(&mut self, computes: bool, computing_soon: usize) -> usize {
        self.attempts += 1;
        if !computes {
            return 1;
        }
        let free = self.threads.saturating_sub(self.threads_used);
        let share = (free / (computing_soon + 1)).max(1);
        self.threads_used += share;
        share
    }

    /// Gives back what [`Budget::take`] took.
    pub(super) fn give_back(&mut self, computes: bool, threads: usize) {
        debug_assert!(self.attempts > 0);
        self.attempts -= 1;
        if computes {
            self.threads_used -= threads;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_shared_by_those_that_start_together_and_never_run_out() {
        let mut budget = Budget::new(3, 8);
        assert_eq!(budget.take(true, 1), 4);
        assert_eq!(budget.take(true, 0), 4);
        assert_eq!(budget.free_slots(), 1);
        assert_eq!(budget.take(true, 0), 1, "at least one, though none is left");
        assert_eq!(budget.free_slots(), 0);
        budget.give_back(true, 4);
        assert_eq!(budget.take(false, 0), 1, "a shell task takes a slot, no threads");
        budget.give_back(false, 1);
        assert_eq!(budget.take(true, 0), 3);
    }
}
