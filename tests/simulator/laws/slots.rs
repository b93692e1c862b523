//! No slot is lost, none runs twice.

use std::collections::BTreeMap;

use jiff::Timestamp;
use recflow::engine::timestamp;
use recflow::pipeline::{Pipeline, Schedule};
use recflow::scheduler::{firings, key};
use recflow_state::{RunFilter, SlotDecision, SlotRow, Trigger, UnixMs};

use crate::world::Common;

/// Since when each schedule's slots count, as an outsider sees it.
#[derive(Debug, Default)]
pub(crate) struct FirstSeen(BTreeMap<(String, String), Timestamp>);

impl FirstSeen {
    /// To be called after each look at the instant `now`.
    pub(crate) fn after_a_look<'a>(&mut self, common: &Common, pipelines: impl Iterator<Item = &'a Pipeline>, now: Timestamp) {
        for pipeline in pipelines {
            for schedule in &pipeline.schedules {
                let key = (pipeline.name.clone(), key(schedule));
                if self.0.contains_key(&key) {
                    continue;
                }
                let seen = common.store.read(|view| view.watermark(&key.0, &key.1)).expect("reads do not fail here");
                if seen.is_some() {
                    self.0.insert(key, first(schedule, now));
                }
            }
        }
    }

    /// Whether a pipeline has been seen.
    pub(crate) fn has(&self, pipeline: &str) -> bool {
        self.0.keys().any(|(name, _)| name == pipeline)
    }
}

/// The instant after which a new schedule's slots count: a start in the past counts itself.
fn first(schedule: &Schedule, now: Timestamp) -> Timestamp {
    let start = schedule.start.map(|start| start - jiff::SignedDuration::from_nanos(1));
    start.map_or(now, |start| start.min(now))
}

/// Every firing since a schedule was first seen is the instant of a row or lies in a skipped range; every slot that ran has its run.
pub(crate) fn at_rest<'a>(common: &Common, pipelines: impl Iterator<Item = &'a Pipeline>, first_seen: &FirstSeen) {
    for pipeline in pipelines {
        let mut rows = common.store.read(|view| view.slots(&pipeline.name, u32::MAX)).expect("reads do not fail here");
        rows.reverse();
        for schedule in &pipeline.schedules {
            let key = (pipeline.name.clone(), key(schedule));
            let Some(first) = first_seen.0.get(&key) else { continue };
            let watermark = common.store.read(|view| view.watermark(&key.0, &key.1)).expect("reads do not fail here");
            let watermark = timestamp(watermark.expect("it has been seen"));
            all_decided(pipeline, schedule, *first, watermark, &rows);
        }
        runs_of(common, pipeline, &rows);
    }
}

fn all_decided(pipeline: &Pipeline, schedule: &Schedule, first: Timestamp, watermark: Timestamp, rows: &[SlotRow]) {
    let mut passed = 0;
    for firing in firings(schedule, first).take_while(|firing| firing.at <= watermark) {
        let at = UnixMs(firing.at.as_millisecond());
        while rows.get(passed).is_some_and(|row| row.until < at && row.at < at) && pipeline.schedules.len() == 1 {
            passed += 1;
        }
        let stands_for = |row: &&SlotRow| row.at <= at && at <= row.until;
        assert!(
            rows[passed..].iter().any(|row| stands_for(&row)),
            "the slot of {} at {} is lost: {rows:?}, watermark {watermark}",
            pipeline.name,
            firing.at
        );
    }
}

/// Slots that ran and runs of schedules are the same.
fn runs_of(common: &Common, pipeline: &Pipeline, rows: &[SlotRow]) {
    let filter = RunFilter { pipeline: Some(pipeline.name.clone()), ..RunFilter::default() };
    let runs = common.store.read(|view| view.runs(u32::MAX, &filter)).expect("reads do not fail here");
    let mut scheduled = BTreeMap::new();
    for run in runs.iter().filter(|run| run.trigger == Trigger::Schedule && run.replay_of.is_none()) {
        let twice = scheduled.insert(run.logical_date, run.id.clone());
        assert!(twice.is_none(), "the slot of {} at {} has two runs", pipeline.name, timestamp(run.logical_date));
    }
    for row in rows {
        match row.decision {
            SlotDecision::Run => {
                let run = scheduled.remove(&row.at);
                assert!(run.is_some() && run == row.run, "the slot of {} at {} has no run", pipeline.name, timestamp(row.at));
            }
            SlotDecision::Skipped => assert!(row.reason.is_some(), "a slot of {} was skipped for no reason", pipeline.name),
        }
    }
    assert!(scheduled.is_empty(), "runs of {} have no slot: {scheduled:?}", pipeline.name);
}
