//! The twelve trigger rules, with Airflow's names and meanings.

use crate::pipeline::TriggerRule;

/// How the tasks directly upstream of a task have ended so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// All of them.
    pub all: usize,
    /// Those that succeeded.
    pub succeeded: usize,
    /// Those that were skipped.
    pub skipped: usize,
    /// Those that failed or were cancelled.
    pub failed: usize,
    /// Those that could not run because of their own upstream tasks.
    pub upstream_failed: usize,
}

impl Counts {
    /// `all` upstream tasks, none of which has ended.
    pub fn of(all: usize) -> Self {
        Self { all, ..Self::default() }
    }

    /// Those that have ended.
    pub fn done(&self) -> usize {
        self.succeeded + self.skipped + self.failed + self.upstream_failed
    }
}

/// What a rule says at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Not decided yet.
    Wait,
    /// The task runs.
    Run,
    /// The task ends without running: skipped.
    Skip,
    /// The task ends without running: upstream failed.
    UpstreamFailed,
}

/// Judges `rule` over how the upstream tasks have ended so far. A verdict other than [`Verdict::Wait`] is final: no
/// end of the remaining tasks can change it, or the rule asks for it at once.
///
/// Source: Airflow's `TriggerRuleDep`; a task with no upstream passes every rule.
pub fn judge(rule: TriggerRule, counts: Counts) -> Verdict {
    use TriggerRule::*;
    use Verdict::*;
    let Counts { all, succeeded, skipped, failed, upstream_failed } = counts;
    if all == 0 {
        return Run;
    }
    let broken = failed + upstream_failed;
    let done = counts.done() == all;
    debug_assert!(counts.done() <= all, "{counts:?}");
    match rule {
        AllSuccess if broken > 0 => UpstreamFailed,
        AllSuccess if skipped > 0 => Skip,
        AllSuccess if succeeded == all => Run,

        AllFailed if succeeded + skipped > 0 => Skip,
        AllFailed if broken == all => Run,

        AllDone if done => Run,

        AllDoneMinOneSuccess if done && succeeded > 0 => Run,
        AllDoneMinOneSuccess if done => UpstreamFailed,

        AllSkipped if succeeded + broken > 0 => Skip,
        AllSkipped if skipped == all => Run,

        OneSuccess if succeeded > 0 => Run,
        OneSuccess if skipped == all => Skip,
        OneSuccess if done => UpstreamFailed,

        OneFailed if broken > 0 => Run,
        OneFailed if done => Skip,

        OneDone if succeeded + failed > 0 => Run,
        OneDone if done => Skip,

        NoneFailed if broken > 0 => UpstreamFailed,
        NoneFailed if done => Run,

        NoneFailedMinOneSuccess if broken > 0 => UpstreamFailed,
        NoneFailedMinOneSuccess if skipped == all => Skip,
        NoneFailedMinOneSuccess if done => Run,

        NoneSkipped if skipped > 0 => Skip,
        NoneSkipped if done => Run,

        Always => Run,

        AllSuccess
        | AllFailed
        | AllDone
        | AllDoneMinOneSuccess
        | AllSkipped
        | OneSuccess
        | OneFailed
        | OneDone
        | NoneFailed
        | NoneFailedMinOneSuccess
        | NoneSkipped => Wait,
    }
}
