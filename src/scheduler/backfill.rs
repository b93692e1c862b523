//! Backfill: runs for the slots of a span of the past.

use jiff::Timestamp;
use recflow_state::{Run, RunId, RunStatus, Trigger, Tx, UnixMs, VersionId};
use serde_json::{Map, Value, json};

use super::firing::firings;
use crate::engine::{Enqueue, enqueue, timestamp};
use crate::pipeline::Pipeline;
use crate::workspace::Workspace;

/// At most so many dates in one backfill.
pub const DATES_MAX: usize = 10_000;

/// Which dates run again that had a run before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reprocess {
    /// None: only dates without a run.
    #[default]
    None,
    /// Those whose last run failed or was cancelled.
    Failed,
    /// All whose last run is over.
    Completed,
}

impl Reprocess {
    /// Whether a date runs, whose last run is this one.
    fn wants(self, last: Option<RunStatus>) -> bool {
        match (self, last) {
            (_, None) => true,
            (Self::None, _) | (_, Some(RunStatus::Queued | RunStatus::Running)) => false,
            (Self::Failed, Some(status)) => status != RunStatus::Succeeded,
            (Self::Completed, _) => true,
        }
    }
}

/// What was asked for.
#[derive(Debug)]
pub struct Backfill<'a> {
    /// The pipeline.
    pub pipeline: &'a Pipeline,
    /// Resolved parameters of all its runs.
    pub params: &'a Map<String, Value>,
    /// The first and the last instant, both included.
    pub span: (Timestamp, Timestamp),
    /// Which dates run again.
    pub reprocess: Reprocess,
    /// How many of its runs may be under way at once.
    pub max_active: u32,
    /// Newest date first.
    pub backwards: bool,
}

/// A date of a backfill, and its last run if it had one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Date {
    /// The slot.
    pub at: Timestamp,
    /// The last run for it.
    pub last: Option<(RunId, RunStatus)>,
    /// Whether it runs.
    pub wanted: bool,
}

/// The slots of a pipeline in a span, both ends included, oldest first. `None` if there are more than [`DATES_MAX`].
pub fn slots_between(pipeline: &Pipeline, (from, to): (Timestamp, Timestamp)) -> Option<Vec<Timestamp>> {
    let before = from.checked_sub(jiff::SignedDuration::from_nanos(1)).unwrap_or(from);
    let mut slots = Vec::new();
    for schedule in &pipeline.schedules {
        for firing in firings(schedule, before).take_while(|firing| firing.at <= to) {
            slots.push(firing.at);
            if slots.len() > DATES_MAX * pipeline.schedules.len() {
                return None;
            }
        }
    }
    slots.sort_unstable();
    slots.dedup();
    (slots.len() <= DATES_MAX).then_some(slots)
}

impl Backfill<'_> {
    /// The dates, in the order in which they will run. `runs` are the pipeline's runs, newest first.
    pub fn dates(&self, slots: Vec<Timestamp>, runs: &[Run]) -> Vec<Date> {
        let date = |at: Timestamp| {
            let last = runs.iter().find(|run| timestamp(run.logical_date) == at).map(|run| (run.id.clone(), run.status));
            Date { at, wanted: self.reprocess.wants(last.as_ref().map(|(_, status)| *status)), last }
        };
        let mut dates: Vec<Date> = slots.into_iter().map(date).collect();
        if self.backwards {
            dates.reverse();
        }
        dates
    }

    /// Records a run of that version of the pipeline for each date that is wanted. They wait to be claimed. Returns the backfill's number and how many runs it has.
    pub fn record(
        &self,
        tx: &Tx<'_>,
        workspace: &Workspace,
        version: VersionId,
        dates: &[Date],
        now: UnixMs,
        mut id: impl FnMut() -> RunId,
    ) -> recflow_state::Result<(i64, usize)> {
        let ms = |at: Timestamp| UnixMs(at.as_millisecond());
        let number = tx.add_backfill(&recflow_state::Backfill {
            id: 0,
            pipeline: self.pipeline.name.clone(),
            since: ms(self.span.0),
            until: ms(self.span.1),
            max_active: self.max_active,
            created_at: now,
            cancelled_at: None,
        })?;
        let mut count = 0;
        for date in dates.iter().filter(|date| date.wanted) {
            let run = Enqueue {
                id: id(),
                pipeline: self.pipeline,
                version,
                params: self.params,
                trigger: Trigger::Backfill,
                logical_date: ms(date.at),
                owner: None,
                cause: Some(json!({ "backfill": number, "slot": date.at.to_string() })),
                backfill: Some(number),
                replay_of: None,
            };
            enqueue(tx, workspace, run, now)?;
            count += 1;
        }
        Ok((number, count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_again_is_what_was_asked_for() {
        use RunStatus::{Cancelled, Failed, Queued, Running, Succeeded};
        let wanted = |reprocess: Reprocess| {
            [None, Some(Queued), Some(Running), Some(Succeeded), Some(Failed), Some(Cancelled)].map(|last| reprocess.wants(last))
        };
        assert_eq!(wanted(Reprocess::None), [true, false, false, false, false, false]);
        assert_eq!(wanted(Reprocess::Failed), [true, false, false, false, true, true]);
        assert_eq!(wanted(Reprocess::Completed), [true, false, false, true, true, true]);
    }
}
