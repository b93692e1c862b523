//! What a slot does while earlier runs of its pipeline are active.

use crate::pipeline::schedule::Overlap;

/// What happens to a slot that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Its run starts.
    Start,
    /// Its run waits until another one ends.
    Wait,
    /// It is skipped, and that is recorded.
    Skip,
    /// The oldest active run is cancelled, and its run starts when that one has ended.
    CancelOldest,
}

/// What happens to a slot of a pipeline of which `active` runs are active and `max_active` may be; `None` is no limit.
pub fn on_overlap(policy: Overlap, active: u32, max_active: Option<u32>) -> Admission {
    match policy {
        _ if max_active.is_none_or(|most| active < most) => Admission::Start,
        Overlap::Queue => Admission::Wait,
        Overlap::Skip => Admission::Skip,
        Overlap::CancelRunning => Admission::CancelOldest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_decides_only_at_the_limit() {
        let policies = [Overlap::Queue, Overlap::Skip, Overlap::CancelRunning];
        let at = |active, most| policies.map(|policy| on_overlap(policy, active, most));
        assert_eq!(at(9, None), [Admission::Start; 3]);
        assert_eq!(at(1, Some(2)), [Admission::Start; 3]);
        // More than the limit: it was lowered while they ran.
        for active in [2, 3] {
            assert_eq!(at(active, Some(2)), [Admission::Wait, Admission::Skip, Admission::CancelOldest]);
        }
    }
}
