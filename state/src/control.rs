//! Who executes a run, what else is under way, and what people want of a run that another process executes.
//!
//! A run waits as `queued` without an owner until a process claims it. Limits on what may be under way at once are derived from the rows
//! that say so, inside the transaction that adds to them; whether the owner of such a row is alive only its lock can tell, so the rows
//! come with their owners and the caller decides.

use rusqlite::Row;
use serde_json::Value;

use crate::columns::Columns;
use crate::error::Result;
use crate::ids::{RunId, UnixMs};
use crate::json::ToJson;
use crate::rows::Run;
use crate::select;
use crate::status::RunStatus;
use crate::tx::Tx;
use crate::view::View;

/// A task that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningTask {
    /// Its run.
    pub run: RunId,
    /// The process that executes it, or did.
    pub owner: Option<String>,
    /// Its pipeline.
    pub pipeline: String,
    /// Its id there.
    pub task: String,
    /// The pool that it takes slots of.
    pub pool: Option<String>,
    /// How many.
    pub pool_slots: u32,
}

/// Something that a person wants of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct ControlRow {
    /// Grows with time.
    pub id: i64,
    /// The run.
    pub run: RunId,
    /// What is wanted; its form is the engine's.
    pub body: Value,
    /// When it was asked.
    pub created_at: UnixMs,
    /// When it was answered.
    pub done_at: Option<UnixMs>,
    /// The answer, for people; none if it was simply done.
    pub result: Option<String>,
}

pub(crate) const UNCLAIMED_PIPELINES: &str =
    "SELECT pipeline, count(*) FROM run WHERE status = 'queued' AND owner IS NULL GROUP BY pipeline ORDER BY pipeline";
pub(crate) const RUNNING_TASKS: &str = "SELECT task.run_id, run.owner, run.pipeline, task.task_id, task.pool, task.pool_slots \
    FROM task JOIN run ON run.id = task.run_id WHERE task.state = 'running' ORDER BY task.run_id, task.position";
// `+pipeline`: of all runs that a pipeline ever had few are queued, so the index on the status is the one to walk.
pub(crate) const QUEUED_BEFORE: &str = "SELECT owner FROM run WHERE status = 'queued' AND owner IS NOT NULL AND +pipeline = ?1 \
    AND seq < coalesce((SELECT seq FROM run WHERE id = ?2), 9223372036854775807) ORDER BY seq";
const CLAIM: &str = "UPDATE run SET owner = ?2, status = 'running' WHERE id = ?1 AND status = 'queued' AND owner IS NULL";
pub(crate) const CONTROLS_OF_OWNER: &str = "SELECT control.id, control.run_id, control.body, control.created_at, control.done_at, control.result \
    FROM run JOIN control ON control.run_id = run.id AND control.done_at IS NULL WHERE run.status IN ('queued', 'running') AND run.owner = ?1 ORDER BY control.id";
const CONTROL: &str = "SELECT id, run_id, body, created_at, done_at, result FROM control WHERE id = ?1";
const ADD_CONTROL: &str = "INSERT INTO control (run_id, body, created_at) VALUES (?1, ?2, ?3) RETURNING id";
const ANSWER_CONTROL: &str = "UPDATE control SET done_at = ?2, result = ?3 WHERE id = ?1 AND done_at IS NULL";

fn control(row: &Row<'_>) -> rusqlite::Result<ControlRow> {
    let mut columns = Columns::of(row);
    let control = ControlRow {
        id: columns.get()?,
        run: columns.get()?,
        body: columns.value()?,
        created_at: columns.get()?,
        done_at: columns.get()?,
        result: columns.get()?,
    };
    columns.finish(control)
}

impl View<'_> {
    /// Pipelines with runs that nobody executes yet, and how many each has.
    pub fn unclaimed(&self) -> Result<Vec<(String, u32)>> {
        self.rows("list the queued runs", UNCLAIMED_PIPELINES, &[], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// The first `limit` runs of a pipeline that nobody executes yet: by priority, then as they were created.
    pub fn unclaimed_of(&self, pipeline: &str, limit: u32) -> Result<Vec<Run>> {
        self.rows("list the queued runs", select::UNCLAIMED_OF_PIPELINE, &[&limit, &pipeline], select::run)
    }

    /// The next run of a pipeline that nobody executes yet: by priority, then as they were created. Leaves out what the clock or an event
    /// created if the pipeline is `paused`, and the runs of these backfills.
    pub fn next_unclaimed(&self, pipeline: &str, paused: bool, full_backfills: &[i64]) -> Result<Option<Run>> {
        let full = Value::from(full_backfills.to_vec()).to_string();
        self.row("find the next queued run", select::NEXT_UNCLAIMED, &[&pipeline, &paused, &full], select::run)
    }

    /// The runs of a backfill that are not over, oldest first.
    pub fn open_runs_of_backfill(&self, backfill: i64) -> Result<Vec<Run>> {
        self.rows("list the runs of a backfill", select::OPEN_OF_BACKFILL, &[&backfill], select::run)
    }

    /// The runs of a pipeline that are under way, oldest first; some of them may have lost their owner.
    pub fn active_runs(&self, pipeline: &str) -> Result<Vec<Run>> {
        self.rows("list the active runs", select::ACTIVE_OF_PIPELINE, &[&pipeline], select::run)
    }

    /// The owners of the queued runs of a pipeline that were created before `run`, oldest first; of all, if `run` is not recorded yet.
    pub fn queued_before(&self, pipeline: &str, run: &RunId) -> Result<Vec<String>> {
        self.rows("list the queued runs", QUEUED_BEFORE, &[&pipeline, run], |row| row.get(0))
    }

    /// All tasks whose row says that they are under way; the owner of some may be dead.
    pub fn running_tasks(&self) -> Result<Vec<RunningTask>> {
        self.rows("list the running tasks", RUNNING_TASKS, &[], |row| {
            let mut columns = Columns::of(row);
            let task = RunningTask {
                run: columns.get()?,
                owner: columns.get()?,
                pipeline: columns.get()?,
                task: columns.get()?,
                pool: columns.get()?,
                pool_slots: columns.get()?,
            };
            columns.finish(task)
        })
    }

    /// What people want of the runs that `owner` executes, oldest first.
    pub fn open_controls(&self, owner: &str) -> Result<Vec<ControlRow>> {
        self.rows("read what is asked of runs", CONTROLS_OF_OWNER, &[&owner], control)
    }

    /// One wish, to see whether it was answered.
    pub fn control(&self, id: i64) -> Result<Option<ControlRow>> {
        self.row("read what was asked of a run", CONTROL, &[&id], control)
    }
}

impl Tx<'_> {
    /// Makes `owner` the owner of a queued run that has none, and the run `running`. Says whether that was done: of two that claim, one wins.
    pub fn claim_run(&self, run: &RunId, owner: &str) -> Result<bool> {
        Ok(self.change("claim a run", CLAIM, &[run, &owner])? == 1)
    }

    /// Notes what somebody wants of a run. Returns the id of the wish.
    pub fn add_control(&self, run: &RunId, body: &Value, now: UnixMs) -> Result<i64> {
        let what = "ask something of a run";
        let id = self.row(what, ADD_CONTROL, &[run, &ToJson(body), &now], select::single::<i64>)?;
        id.ok_or_else(|| self.refused(what, "no row came back"))
    }

    /// Answers a wish. Without effect if it was answered before.
    pub fn answer_control(&self, id: i64, now: UnixMs, result: Option<&str>) -> Result<()> {
        self.change("answer what was asked of a run", ANSWER_CONTROL, &[&id, &now, &result]).map(drop)
    }

    /// Cancels a run that nobody executes: it ends without having begun. Says whether that was done.
    pub fn cancel_unclaimed(&self, run: &RunId, now: UnixMs, reason: &str) -> Result<bool> {
        const CANCEL: &str = "UPDATE run SET status = ?2, ended_at = ?3, reason = ?4 WHERE id = ?1 AND status = 'queued' AND owner IS NULL";
        let cancelled = self.change("cancel a run", CANCEL, &[run, &RunStatus::Cancelled, &now, &reason])? == 1;
        if cancelled {
            const TASKS: &str = "UPDATE task SET state = 'cancelled', ended_at = ?2, reason = ?3 WHERE run_id = ?1";
            self.change("cancel the tasks of a run", TASKS, &[run, &now, &reason])?;
            self.add_run_end(run, RunStatus::Cancelled, now)?;
        }
        Ok(cancelled)
    }
}
