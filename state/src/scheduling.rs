//! What makes runs start: pipelines as the daemon knows them, their slots, their triggers, backfills.
//!
//! Everything that decides about a run is written in the transaction that creates the run, so that a slot or an event leads to one run,
//! whatever dies in between.

use rusqlite::Row;
use serde_json::Value;

use crate::error::Result;
use crate::ids::{RunId, UnixMs, VersionId};
use crate::json::{FromJson, ToJson};
use crate::select;
use crate::status::RunStatus;
use crate::tx::Tx;
use crate::view::View;

/// A pipeline as the daemon knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipelineRow {
    /// Its name.
    pub name: String,
    /// The file that defines it.
    pub file: Option<String>,
    /// The last version that was valid.
    pub version: Option<VersionId>,
    /// Why the text that is there now is not valid.
    pub error: Option<String>,
    /// Whether its file is there.
    pub present: bool,
    /// Since when a person wants nothing of it to start by itself.
    pub paused_at: Option<UnixMs>,
    /// When any of this changed.
    pub changed_at: UnixMs,
}

/// What became of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotDecision {
    /// A run was created for it.
    Run,
    /// None was, for a reason.
    Skipped,
}

impl SlotDecision {
    /// The token that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Skipped => "skipped",
        }
    }
}

/// An instant at which a pipeline was due, or several in a row that were skipped together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotRow {
    /// The pipeline.
    pub pipeline: String,
    /// The instant; of several, the first.
    pub at: UnixMs,
    /// Of several, the last; else `at` again.
    pub until: UnixMs,
    /// How many slots the row stands for.
    pub count: u32,
    /// What became of it.
    pub decision: SlotDecision,
    /// Why, for people.
    pub reason: Option<String>,
    /// The run, while it is kept.
    pub run: Option<RunId>,
    /// When that was decided.
    pub decided_at: UnixMs,
}

impl SlotRow {
    /// A slot that becomes no run.
    pub fn skipped(pipeline: &str, at: UnixMs, reason: &str, decided_at: UnixMs) -> Self {
        Self {
            pipeline: pipeline.to_owned(),
            at,
            until: at,
            count: 1,
            decision: SlotDecision::Skipped,
            reason: Some(reason.to_owned()),
            run: None,
            decided_at,
        }
    }
}

/// Where a conditional trigger stands.
#[derive(Debug, Clone, PartialEq)]
pub struct TriggerStateRow {
    /// The pipeline that it starts.
    pub pipeline: String,
    /// Which of its triggers: canonical text of what it watches.
    pub key: String,
    /// What it has seen; its form is the scheduler's.
    pub seen: Value,
    /// What has happened and waits for its debounce.
    pub pending: Option<Value>,
    /// Since when that has been quiet.
    pub pending_since: Option<UnixMs>,
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEnd {
    /// Its number among all ends; grows.
    pub seq: i64,
    /// The run.
    pub run: RunId,
    /// Its pipeline.
    pub pipeline: String,
    /// How it ended.
    pub status: RunStatus,
    /// When.
    pub at: UnixMs,
}

/// Runs that a person asked for over a span of dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backfill {
    /// Its number; 0 before it is recorded.
    pub id: i64,
    /// The pipeline.
    pub pipeline: String,
    /// The first date.
    pub since: UnixMs,
    /// The last date.
    pub until: UnixMs,
    /// How many of its runs may be under way at once.
    pub max_active: u32,
    /// When it was asked for.
    pub created_at: UnixMs,
    /// When it was called off.
    pub cancelled_at: Option<UnixMs>,
}

pub(crate) const PIPELINES: &str = "SELECT name, file, version_id, error, present, paused_at, changed_at FROM pipeline ORDER BY name";
const PIPELINE: &str = "SELECT name, file, version_id, error, present, paused_at, changed_at FROM pipeline WHERE name = ?1";
const PUT_PIPELINE: &str = "INSERT INTO pipeline (name, file, version_id, error, present, paused_at, changed_at) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
    ON CONFLICT (name) DO UPDATE SET file = excluded.file, version_id = coalesce(excluded.version_id, version_id), error = excluded.error, \
    present = excluded.present, changed_at = excluded.changed_at";
const PAUSE: &str = "UPDATE pipeline SET paused_at = ?2, changed_at = ?3 WHERE name = ?1 AND (paused_at IS NULL) <> (?2 IS NULL)";
const WATERMARK: &str = "SELECT watermark FROM schedule_state WHERE pipeline = ?1 AND schedule = ?2";
const HAS_WATERMARK: &str = "SELECT 1 FROM schedule_state WHERE pipeline = ?1 LIMIT 1";
const SET_WATERMARK: &str = "INSERT INTO schedule_state (pipeline, schedule, watermark) VALUES (?1, ?2, ?3)
    ON CONFLICT (pipeline, schedule) DO UPDATE SET watermark = excluded.watermark";
const ADD_SLOT: &str =
    "INSERT INTO slot (pipeline, at, until, count, decision, reason, run_id, decided_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
    ON CONFLICT (pipeline, at) DO NOTHING";
pub(crate) const SLOTS: &str = "SELECT pipeline, at, until, count, decision, reason, run_id, decided_at FROM slot WHERE pipeline = ?2 \
    ORDER BY at DESC LIMIT ?1";
const SLOT_AT: &str = "SELECT pipeline, at, until, count, decision, reason, run_id, decided_at FROM slot WHERE pipeline = ?1 AND at = ?2";
const TRIGGER_STATE: &str =
    "SELECT pipeline, trigger_key, seen, pending, pending_since FROM trigger_state WHERE pipeline = ?1 AND trigger_key = ?2";
const PUT_TRIGGER_STATE: &str = "INSERT INTO trigger_state (pipeline, trigger_key, seen, pending, pending_since) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (pipeline, trigger_key) DO UPDATE SET seen = excluded.seen, pending = excluded.pending, pending_since = excluded.pending_since";
const ADD_RUN_END: &str = "INSERT INTO run_end (run_id, pipeline, status, at) SELECT id, pipeline, ?2, ?3 FROM run WHERE id = ?1";
pub(crate) const RUN_ENDS: &str = "SELECT seq, run_id, pipeline, status, at FROM run_end WHERE seq > ?2 ORDER BY seq LIMIT ?1";
const LAST_RUN_END: &str = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'run_end'), 0)";
const ADD_BACKFILL: &str = "INSERT INTO backfill (pipeline, since, until, max_active, created_at) VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id";
const BACKFILL: &str = "SELECT id, pipeline, since, until, max_active, created_at, cancelled_at FROM backfill WHERE id = ?1";
const CANCEL_BACKFILL: &str = "UPDATE backfill SET cancelled_at = ?2 WHERE id = ?1 AND cancelled_at IS NULL";
const FACT: &str = "SELECT value FROM fact WHERE name = ?1";
const PUT_FACT: &str = "INSERT INTO fact (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";

fn pipeline(row: &Row<'_>) -> rusqlite::Result<PipelineRow> {
    Ok(PipelineRow {
        name: row.get("name")?,
        file: row.get("file")?,
        version: row.get("version_id")?,
        error: row.get("error")?,
        present: row.get("present")?,
        paused_at: row.get("paused_at")?,
        changed_at: row.get("changed_at")?,
    })
}

pub(crate) fn slot(row: &Row<'_>) -> rusqlite::Result<SlotRow> {
    let decision: String = row.get("decision")?;
    Ok(SlotRow {
        pipeline: row.get("pipeline")?,
        at: row.get("at")?,
        until: row.get("until")?,
        count: row.get("count")?,
        decision: if decision == SlotDecision::Run.as_str() { SlotDecision::Run } else { SlotDecision::Skipped },
        reason: row.get("reason")?,
        run: row.get("run_id")?,
        decided_at: row.get("decided_at")?,
    })
}

fn trigger_state(row: &Row<'_>) -> rusqlite::Result<TriggerStateRow> {
    Ok(TriggerStateRow {
        pipeline: row.get("pipeline")?,
        key: row.get("trigger_key")?,
        seen: row.get::<_, FromJson>("seen")?.0,
        pending: select::json(row, "pending")?,
        pending_since: row.get("pending_since")?,
    })
}

fn run_end(row: &Row<'_>) -> rusqlite::Result<RunEnd> {
    Ok(RunEnd {
        seq: row.get("seq")?,
        run: row.get("run_id")?,
        pipeline: row.get("pipeline")?,
        status: row.get("status")?,
        at: row.get("at")?,
    })
}

fn backfill(row: &Row<'_>) -> rusqlite::Result<Backfill> {
    Ok(Backfill {
        id: row.get("id")?,
        pipeline: row.get("pipeline")?,
        since: row.get("since")?,
        until: row.get("until")?,
        max_active: row.get("max_active")?,
        created_at: row.get("created_at")?,
        cancelled_at: row.get("cancelled_at")?,
    })
}

impl View<'_> {
    /// The pipelines that a daemon has seen, or that a person paused, by name.
    pub fn pipelines(&self) -> Result<Vec<PipelineRow>> {
        self.rows("list the pipelines", PIPELINES, &[], pipeline)
    }

    /// One of them.
    pub fn pipeline(&self, name: &str) -> Result<Option<PipelineRow>> {
        self.row("read a pipeline's state", PIPELINE, &[&name], pipeline)
    }

    /// Up to which instant the slots of a schedule have been decided; `None` if it has not been seen before.
    pub fn watermark(&self, pipeline: &str, schedule: &str) -> Result<Option<UnixMs>> {
        self.row("read how far a schedule is", WATERMARK, &[&pipeline, &schedule], select::single::<UnixMs>)
    }

    /// Whether slots of any schedule of the pipeline have been decided before.
    pub fn has_watermark(&self, pipeline: &str) -> Result<bool> {
        Ok(self.row("read how far a schedule is", HAS_WATERMARK, &[&pipeline], select::single::<i64>)?.is_some())
    }

    /// The newest `limit` slots of a pipeline, newest first.
    pub fn slots(&self, pipeline: &str, limit: u32) -> Result<Vec<SlotRow>> {
        self.rows("list the slots", SLOTS, &[&limit, &pipeline], slot)
    }

    /// The slot of a pipeline at an instant.
    pub fn slot(&self, pipeline: &str, at: UnixMs) -> Result<Option<SlotRow>> {
        self.row("read a slot", SLOT_AT, &[&pipeline, &at], slot)
    }

    /// Where a conditional trigger stands; `None` if it has not been seen before.
    pub fn trigger_state(&self, pipeline: &str, key: &str) -> Result<Option<TriggerStateRow>> {
        self.row("read a trigger", TRIGGER_STATE, &[&pipeline, &key], trigger_state)
    }

    /// The first `limit` ends of runs after number `after`.
    pub fn run_ends(&self, after: i64, limit: u32) -> Result<Vec<RunEnd>> {
        self.rows("list the ends of runs", RUN_ENDS, &[&limit, &after], run_end)
    }

    /// The number of the last end of a run, also of one that is no longer kept; 0 if there was none.
    pub fn last_run_end(&self) -> Result<i64> {
        Ok(self.row("read the last end of a run", LAST_RUN_END, &[], select::single::<i64>)?.unwrap_or(0))
    }

    /// A backfill.
    pub fn backfill(&self, id: i64) -> Result<Option<Backfill>> {
        self.row("read a backfill", BACKFILL, &[&id], backfill)
    }

    /// A value kept by name.
    pub fn fact(&self, name: &str) -> Result<Option<Value>> {
        self.row("read a fact", FACT, &[&name], |row| Ok(row.get::<_, FromJson>(0)?.0))
    }
}

impl Tx<'_> {
    /// Records what is known of a pipeline. Whether it is paused stays as it was; so does its version if there is no valid new one.
    pub fn put_pipeline(&self, row: &PipelineRow) -> Result<()> {
        let PipelineRow { name, file, version, error, present, paused_at, changed_at } = row;
        self.change("record a pipeline", PUT_PIPELINE, &[name, file, version, error, present, paused_at, changed_at]).map(drop)
    }

    /// Pauses a pipeline, or lets it start again. Says whether that changed anything.
    pub fn set_paused(&self, name: &str, paused: bool, now: UnixMs) -> Result<bool> {
        Ok(self.change("pause a pipeline", PAUSE, &[&name, &paused.then_some(now), &now])? == 1)
    }

    /// Notes up to which instant the slots of a schedule have been decided.
    pub fn set_watermark(&self, pipeline: &str, schedule: &str, watermark: UnixMs) -> Result<()> {
        self.change("record how far a schedule is", SET_WATERMARK, &[&pipeline, &schedule, &watermark]).map(drop)
    }

    /// Records what became of a slot. Says whether that was news: a slot is decided once.
    pub fn add_slot(&self, slot: &SlotRow) -> Result<bool> {
        let SlotRow { pipeline, at, until, count, decision, reason, run, decided_at } = slot;
        let decision = decision.as_str();
        Ok(self.change("record a slot", ADD_SLOT, &[pipeline, at, until, count, &decision, reason, run, decided_at])? == 1)
    }

    /// Records where a conditional trigger stands.
    pub fn put_trigger_state(&self, row: &TriggerStateRow) -> Result<()> {
        let TriggerStateRow { pipeline, key, seen, pending, pending_since } = row;
        let pending = pending.as_ref().map(ToJson);
        self.change("record a trigger", PUT_TRIGGER_STATE, &[pipeline, key, &ToJson(seen), &pending, pending_since]).map(drop)
    }

    /// Numbers the end of a run. To be called in the transaction that ends it.
    pub fn add_run_end(&self, run: &RunId, status: RunStatus, at: UnixMs) -> Result<()> {
        match self.change("record the end of a run", ADD_RUN_END, &[run, &status, &at])? {
            0 => Err(self.not_found(run.as_str())?),
            _ => Ok(()),
        }
    }

    /// Records a backfill. Returns its number.
    pub fn add_backfill(&self, new: &Backfill) -> Result<i64> {
        let what = "record a backfill";
        let params: &[&dyn rusqlite::types::ToSql] = &[&new.pipeline, &new.since, &new.until, &new.max_active, &new.created_at];
        let id = self.row(what, ADD_BACKFILL, params, select::single::<i64>)?;
        id.ok_or_else(|| self.refused(what, "no row came back"))
    }

    /// Calls a backfill off. Its runs are the caller's to cancel.
    pub fn cancel_backfill(&self, id: i64, now: UnixMs) -> Result<bool> {
        Ok(self.change("cancel a backfill", CANCEL_BACKFILL, &[&id, &now])? == 1)
    }

    /// Keeps a value by name.
    pub fn put_fact(&self, name: &str, value: &Value) -> Result<()> {
        self.change("record a fact", PUT_FACT, &[&name, &ToJson(value)]).map(drop)
    }
}
