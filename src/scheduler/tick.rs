//! One look at the clock: the slots that are due become runs or reasons.
//!
//! Everything is derived from the store and the clock, and what is decided about a pipeline is written in one transaction: slots, runs,
//! watermarks. Whoever dies before the commit decides the same again; after it, never again.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use recflow_state::{RunId, SlotDecision, SlotRow, Store, Trigger, Tx, UnixMs, VersionId};
use serde_json::{Map, Value, json};

use super::catalog::{Catalog, Entry};
use super::overlap::{Admission, on_overlap};
use super::slots::{self, Look, Plan};
use crate::engine::entropy::Entropy;
use crate::engine::{Enqueue, enqueue, timestamp};
use crate::pipeline::{ParamInput, Pipeline};
use crate::workspace::Workspace;

/// What a look at the clock needs besides the clock.
pub struct Ticker<'a> {
    /// Where everything is kept.
    pub store: &'a Store,
    /// The workspace of the runs.
    pub workspace: &'a Workspace,
    /// Where run ids come from.
    pub entropy: &'a dyn Entropy,
    /// Whether the owner of a run is alive.
    pub is_alive: &'a dyn Fn(&str) -> bool,
}

impl fmt::Debug for Ticker<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticker").field("workspace", &self.workspace).finish_non_exhaustive()
    }
}

/// What a pipeline's turn brought.
#[derive(Debug, Default)]
pub struct Turn {
    /// Runs that make room for a newer slot (`overlap: cancel_running`).
    pub cancel: Vec<RunId>,
    /// Slots that did not become runs, for the log.
    pub skipped: Vec<SlotRow>,
    /// The next instant at which the pipeline is due.
    pub next: Option<Timestamp>,
}

/// When each pipeline is due next, as far as that is known, and the last look at the clock.
#[derive(Debug, Default)]
pub struct Agenda {
    next: BTreeMap<String, (VersionId, Option<Timestamp>)>,
    last: Option<Timestamp>,
}

impl Agenda {
    /// Whether a pipeline has to be looked at: it is due, or it is not known when.
    fn is_due(&self, entry: &Entry, now: Timestamp) -> bool {
        match self.next.get(&entry.pipeline.name) {
            Some((version, next)) if *version == entry.version => next.is_some_and(|next| next <= now),
            _ => true,
        }
    }

    /// The next instant at which any of the pipelines is due.
    pub fn next(&self) -> Option<Timestamp> {
        self.next.values().filter_map(|(_, next)| *next).min()
    }

    /// Decides on the slots of all pipelines that are due. A pipeline whose turn fails is tried again at the next look; the error does not
    /// keep the others.
    pub fn look(&mut self, catalog: &Catalog, ticker: &Ticker<'_>, now: Timestamp) -> Vec<(String, recflow_state::Result<Turn>)> {
        // A clock that went back makes every known instant doubtful.
        if self.last.is_some_and(|last| now < last) {
            self.next.clear();
        }
        self.next.retain(|name, _| catalog.get(name).is_some());
        let mut turns = Vec::new();
        let mut failed = false;
        for entry in catalog.iter().filter(|entry| !entry.pipeline.schedules.is_empty()) {
            if !self.is_due(entry, now) {
                continue;
            }
            let turn = ticker.turn(entry, self.last, now);
            match &turn {
                Ok(turn) => drop(self.next.insert(entry.pipeline.name.clone(), (entry.version, turn.next))),
                Err(_) => failed = true,
            }
            turns.push((entry.pipeline.name.clone(), turn));
        }
        // What was not stored was not looked at: its slots are late, not missed, only while this stays put.
        if !failed {
            self.last = Some(now);
        }
        turns
    }
}

impl Ticker<'_> {
    /// Decides on the slots of one pipeline.
    fn turn(&self, entry: &Entry, last: Option<Timestamp>, now: Timestamp) -> recflow_state::Result<Turn> {
        let (pipeline, at) = (&*entry.pipeline, UnixMs(now.as_millisecond()));
        self.store.write(|tx| {
            let keys: Vec<String> = pipeline.schedules.iter().map(slots::key).collect();
            let known = keys.iter().map(|key| tx.watermark(&pipeline.name, key)).collect::<Result<Vec<_>, _>>()?;
            // An edited schedule counts from now; only one of a new pipeline may reach back to its `start`.
            let before = tx.has_watermark(&pipeline.name)?.then_some(now);
            let marks = pipeline
                .schedules
                .iter()
                .zip(&known)
                .map(|(schedule, known)| (schedule, known.map_or_else(|| slots::first_watermark(schedule, before, now), timestamp)));
            let paused = tx.pipeline(&pipeline.name)?.is_some_and(|row| row.paused_at.is_some());
            let plan = slots::plan(&marks.collect::<Vec<_>>(), &Look { now, last, paused });
            let turn = self.carry_out(tx, entry, &plan, at)?;
            for (key, watermark) in keys.iter().zip(&plan.watermarks) {
                tx.set_watermark(&pipeline.name, key, UnixMs(watermark.as_millisecond()))?;
            }
            Ok(Turn { next: plan.next, ..turn })
        })
    }

    fn carry_out(&self, tx: &Tx<'_>, entry: &Entry, plan: &Plan, now: UnixMs) -> recflow_state::Result<Turn> {
        let pipeline = &*entry.pipeline;
        let mut turn = Turn::default();
        for skipped in &plan.skipped {
            let row = SlotRow {
                until: UnixMs(skipped.until.as_millisecond()),
                count: u32::try_from(skipped.count).unwrap_or(u32::MAX),
                ..SlotRow::skipped(&pipeline.name, UnixMs(skipped.at.as_millisecond()), skipped.reason.word(), now)
            };
            if tx.add_slot(&row)? {
                turn.skipped.push(row);
            }
        }
        for slot in &plan.run {
            self.decide(tx, entry, slot, now, &mut turn)?;
        }
        Ok(turn)
    }

    /// Creates the run of a slot, unless something speaks against it.
    fn decide(&self, tx: &Tx<'_>, entry: &Entry, slot: &slots::Slot, now: UnixMs, turn: &mut Turn) -> recflow_state::Result<()> {
        let (pipeline, at) = (&*entry.pipeline, UnixMs(slot.at.as_millisecond()));
        if tx.slot(&pipeline.name, at)?.is_some() {
            return Ok(());
        }
        let active: Vec<RunId> = self.active(tx, &pipeline.name)?;
        let count = u32::try_from(active.len()).unwrap_or(u32::MAX);
        let admission = on_overlap(pipeline.schedules[slot.schedule].overlap, count, pipeline.max_active_runs);
        let admitted = match admission {
            Admission::Skip => Err("overlap".to_owned()),
            Admission::Start | Admission::Wait | Admission::CancelOldest => resolve(pipeline, &[]),
        };
        let params = match admitted {
            Ok(params) => params,
            Err(why) => {
                let row = SlotRow::skipped(&pipeline.name, at, &why, now);
                tx.add_slot(&row)?;
                turn.skipped.push(row);
                return Ok(());
            }
        };
        if admission == Admission::CancelOldest {
            turn.cancel.extend(active.first().cloned());
        }
        let cause = json!({ "slot": slot.at.to_string(), "made_up": slot.made_up });
        let run = self.create(tx, entry, &params, Trigger::Schedule, at, cause, now)?;
        tx.add_slot(&SlotRow {
            decision: SlotDecision::Run,
            reason: None,
            run: Some(run),
            ..SlotRow::skipped(&pipeline.name, at, "", now)
        })?;
        Ok(())
    }

    /// Records the run of a slot or an event; it waits to be claimed.
    #[expect(clippy::too_many_arguments, reason = "each is a column of the run")]
    pub(super) fn create(
        &self,
        tx: &Tx<'_>,
        entry: &Entry,
        params: &Map<String, Value>,
        trigger: Trigger,
        logical_date: UnixMs,
        cause: Value,
        now: UnixMs,
    ) -> recflow_state::Result<RunId> {
        let id = RunId::from_random(self.entropy.next());
        let run = Enqueue {
            id: id.clone(),
            pipeline: &entry.pipeline,
            version: entry.version,
            params,
            trigger,
            logical_date,
            owner: None,
            cause: Some(cause),
            backfill: None,
            replay_of: None,
        };
        enqueue(tx, self.workspace, run, now)?;
        Ok(id)
    }

    /// The runs of a pipeline that are under way or about to be, oldest first.
    fn active(&self, tx: &Tx<'_>, pipeline: &str) -> recflow_state::Result<Vec<RunId>> {
        let alive = |owner: &Option<String>| owner.as_deref().is_some_and(self.is_alive);
        let mut active: Vec<RunId> = tx.active_runs(pipeline)?.into_iter().filter(|run| alive(&run.owner)).map(|run| run.id).collect();
        active.extend(tx.unclaimed_of(pipeline, 1_000)?.into_iter().map(|run| run.id));
        Ok(active)
    }
}

/// The parameters of a run from those `given` and defaults; what is wrong with them, in one line.
pub(super) fn resolve(pipeline: &Pipeline, given: &[(String, ParamInput)]) -> Result<Map<String, Value>, String> {
    pipeline.resolve_params(given).map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}
