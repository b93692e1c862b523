//! Writing: [`Tx`] has one call for each change. All calls of one [`Store::write`](crate::Store::write) are
//! kept together, or none is.

use std::ops::Deref;
use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::ids::{RunId, UnixMs, VersionId};
use crate::json::{ToJson, depth};
use crate::rows::{AttemptRow, NewRun, NewTask, TaskRow};
use crate::select::{self, signed};
use crate::status::{RunStatus, TaskState};
use crate::view::View;

/// The largest output that is kept, in bytes of JSON.
pub const OUTPUT_BYTES_MAX: usize = 1 << 20;

/// How deep lists and objects in an output may be nested. Well below the 128 levels that a JSON reader
/// accepts, so that an output can be wrapped in an event and still be read.
pub const OUTPUT_DEPTH_MAX: usize = 64;

const ADD_VERSION: &str = "INSERT INTO pipeline_version (pipeline, hash, text, file, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (pipeline, hash) DO NOTHING";
const ADD_RUN: &str = "INSERT INTO run (id, pipeline, version_id, run_trigger, logical_date, params, status, owner, created_at, workspace, \
    binary_version, priority, cause, backfill_id, replay_of) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
const ADD_TASK: &str = "INSERT INTO task (run_id, position, task_id, stage, state, generation, attempts, pool, pool_slots) \
    VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, ?6, ?7)";
const ADD_EVENT: &str = "INSERT INTO event (run_id, seq, at, body) VALUES (?1, ?2, ?3, ?4)";
const UPDATE_RUN: &str = "UPDATE run SET status = ?2, started_at = ?3, ended_at = ?4, reason = ?5 WHERE id = ?1";
const SET_OWNER: &str = "UPDATE run SET owner = ?3 WHERE id = ?1 AND owner IS ?2";
const PUT_TASK: &str = "INSERT INTO task (run_id, position, task_id, stage, state, generation, attempts, queued_at, started_at, ended_at, \
    reason, error) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
    ON CONFLICT (run_id, position) DO UPDATE SET stage = excluded.stage, state = excluded.state, generation = excluded.generation, \
    attempts = excluded.attempts, queued_at = excluded.queued_at, started_at = excluded.started_at, ended_at = excluded.ended_at, \
    reason = excluded.reason, error = excluded.error WHERE task_id = excluded.task_id";
const PUT_ATTEMPT: &str = "INSERT INTO attempt (run_id, task_id, number, generation, state, pid, pid_start, started_at, ended_at, exit, \
    peak_rss_bytes, cpu_ms, inputs, error, output, log, progress) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
    ON CONFLICT (run_id, task_id, number) DO UPDATE SET generation = excluded.generation, state = excluded.state, \
    pid = coalesce(excluded.pid, pid), pid_start = coalesce(excluded.pid_start, pid_start), started_at = excluded.started_at, \
    ended_at = coalesce(excluded.ended_at, ended_at), exit = coalesce(excluded.exit, exit), \
    peak_rss_bytes = coalesce(excluded.peak_rss_bytes, peak_rss_bytes), cpu_ms = coalesce(excluded.cpu_ms, cpu_ms), \
    inputs = coalesce(excluded.inputs, inputs), error = coalesce(excluded.error, error), output = coalesce(excluded.output, output), \
    log = coalesce(excluded.log, log), progress = coalesce(excluded.progress, progress)";
const SET_PROCESS: &str = "UPDATE attempt SET pid = ?4, pid_start = ?5 WHERE run_id = ?1 AND task_id = ?2 AND number = ?3";
const SET_PROGRESS: &str = "UPDATE attempt SET progress = ?4 WHERE run_id = ?1 AND task_id = ?2 AND number = ?3";
const PUT_OUTPUT: &str = "INSERT INTO output (run_id, task_id, attempt, value) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (run_id, task_id) DO UPDATE SET attempt = excluded.attempt, value = excluded.value";
const ADD_METRIC: &str = "INSERT INTO metric (run_id, task_id, attempt, name, step, value) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (run_id, task_id, attempt, name, step) DO UPDATE SET value = excluded.value";

/// A transaction that writes. It reads too: what it has written so far is visible to it.
#[derive(Debug)]
pub struct Tx<'c> {
    view: View<'c>,
}

impl<'c> Deref for Tx<'c> {
    type Target = View<'c>;
    fn deref(&self) -> &View<'c> {
        &self.view
    }
}

impl<'c> Tx<'c> {
    pub(crate) fn new(connection: &'c Connection, path: &'c Path) -> Self {
        Self { view: View::new(connection, path) }
    }

    /// The version of a pipeline with this hash, kept anew if it has not been seen before.
    pub fn pipeline_version(&self, name: &str, hash: &str, text: &str, file: Option<&str>, now: UnixMs) -> Result<VersionId> {
        let what = "keep a pipeline";
        let find = || self.row(what, select::VERSION_BY_HASH, &[&name, &hash], select::single::<VersionId>);
        if let Some(id) = find()? {
            return Ok(id);
        }
        self.change(what, ADD_VERSION, &[&name, &hash, &text, &file, &now])?;
        find()?.ok_or_else(|| self.refused(what, "the version just kept is not there"))
    }

    /// Creates a run as `queued` and its tasks, at positions 0, 1, ..., as `waiting`.
    pub fn create_run(&self, run: &NewRun, tasks: &[NewTask]) -> Result<()> {
        let what = format!("create run {}", run.id);
        let params = ToJson(&run.params);
        self.change(
            &what,
            ADD_RUN,
            &[
                &run.id,
                &run.pipeline,
                &run.version,
                &run.trigger,
                &run.logical_date,
                &params,
                &RunStatus::Queued,
                &run.owner,
                &run.created_at,
                &run.workspace,
                &run.binary_version,
                &run.priority,
                &run.cause.as_ref().map(ToJson),
                &run.backfill,
                &run.replay_of,
            ],
        )?;
        for (position, task) in (0u32..).zip(tasks) {
            let (pool, slots) = task.pool.as_ref().map_or((None, 1), |(pool, slots)| (Some(pool), *slots));
            self.change(&what, ADD_TASK, &[&run.id, &position, &task.task_id, &task.stage, &TaskState::Waiting, &pool, &slots])?;
        }
        Ok(())
    }

    /// Appends to the log of a run, each event with its instant. Returns the `seq` of the run's last event
    /// then, 0 if it has none.
    pub fn append_events(&self, run: &RunId, events: &[(UnixMs, Value)]) -> Result<u64> {
        let what = "append events";
        let last = self.row(what, select::LAST_EVENT, &[run], select::single::<Option<i64>>)?;
        let mut seq = last.flatten().unwrap_or(0);
        for (at, body) in events {
            seq += 1;
            self.change(what, ADD_EVENT, &[run, &seq, at, &ToJson(body)])?;
        }
        Ok(seq.unsigned_abs())
    }

    /// Sets where a run stands: all four columns, so `None` empties one (a resumed run has no end).
    pub fn update_run(
        &self,
        run: &RunId,
        status: RunStatus,
        started_at: Option<UnixMs>,
        ended_at: Option<UnixMs>,
        reason: Option<&str>,
    ) -> Result<()> {
        match self.change("update a run", UPDATE_RUN, &[run, &status, &started_at, &ended_at, &reason])? {
            0 => Err(self.not_found(run.as_str())?),
            _ => Ok(()),
        }
    }

    /// Hands a run from `expected` (`None`: nobody) to `new`, and says whether that was done. It is not if
    /// another process has taken the run meanwhile: of two that resume at once, one wins.
    pub fn set_owner(&self, run: &RunId, expected: Option<&str>, new: Option<&str>) -> Result<bool> {
        Ok(self.change("take a run", SET_OWNER, &[run, &expected, &new])? == 1)
    }

    /// Sets where a task stands: every column, so `None` empties one.
    ///
    /// A position keeps its task: fails if another one is there.
    pub fn put_task(&self, task: &TaskRow) -> Result<()> {
        let what = "record a task";
        let error = task.error.as_ref().map(ToJson);
        let changed = self.change(
            what,
            PUT_TASK,
            &[
                &task.run_id,
                &task.position,
                &task.task_id,
                &task.stage,
                &task.state,
                &task.generation,
                &task.attempts,
                &task.queued_at,
                &task.started_at,
                &task.ended_at,
                &task.reason,
                &error,
            ],
        )?;
        if changed == 1 {
            return Ok(());
        }
        let there = self.row(what, select::TASK_AT, &[&task.run_id, &task.position], select::single::<String>)?.unwrap_or_default();
        Err(self.refused(
            what,
            format!("position {} of run {} is task `{there}`, not `{}`: this is a bug", task.position, task.run_id, task.task_id),
        ))
    }

    /// Records what is known of an attempt, which only ever gains facts: where a field is `None`, what was
    /// recorded before stays.
    ///
    /// Fails with [`Error::TooLarge`] as [`Tx::put_output`] does.
    pub fn put_attempt(&self, attempt: &AttemptRow) -> Result<()> {
        let output = attempt.output.as_ref().map(|output| checked_output(&attempt.task_id, output)).transpose()?;
        self.change(
            "record an attempt",
            PUT_ATTEMPT,
            &[
                &attempt.run_id,
                &attempt.task_id,
                &attempt.number,
                &attempt.generation,
                &attempt.state,
                &attempt.pid,
                &attempt.pid_start.map(signed),
                &attempt.started_at,
                &attempt.ended_at,
                &attempt.exit,
                &attempt.peak_rss_bytes.map(signed),
                &attempt.cpu_ms.map(signed),
                &attempt.inputs.as_ref().map(ToJson),
                &attempt.error.as_ref().map(ToJson),
                &output,
                &attempt.log,
                &attempt.progress.as_ref().map(ToJson),
            ],
        )?;
        Ok(())
    }

    /// Records the process of an attempt, so that a recovery can end what is left of it. `pid_start` is when
    /// the process started, as the system counts it: a reused pid is not mistaken for it.
    pub fn set_attempt_process(&self, run: &RunId, task: &str, number: u32, pid: u32, pid_start: u64) -> Result<()> {
        self.change_attempt("record a process", SET_PROCESS, run, task, number, &[&pid, &signed(pid_start)])
    }

    /// Records how far an attempt has come. Only the latest counts.
    pub fn set_progress(&self, run: &RunId, task: &str, number: u32, progress: &Value) -> Result<()> {
        self.change_attempt("record progress", SET_PROGRESS, run, task, number, &[&ToJson(progress)])
    }

    fn change_attempt(
        &self,
        what: &str,
        sql: &str,
        run: &RunId,
        task: &str,
        number: u32,
        values: &[&dyn rusqlite::types::ToSql],
    ) -> Result<()> {
        let params = [&[run as &dyn rusqlite::types::ToSql, &task, &number], values].concat();
        match self.change(what, sql, &params)? {
            0 => Err(self.refused(what, format!("there is no attempt {number} of task `{task}` in run {run}"))),
            _ => Ok(()),
        }
    }

    /// Sets the current output of a task: what later tasks read.
    ///
    /// Fails with [`Error::TooLarge`] beyond [`OUTPUT_BYTES_MAX`] or [`OUTPUT_DEPTH_MAX`].
    pub fn put_output(&self, run: &RunId, task: &str, attempt: u32, output: &Value) -> Result<()> {
        let output = checked_output(task, output)?;
        self.change("record an output", PUT_OUTPUT, &[run, &task, &attempt, &output])?;
        Ok(())
    }

    /// Records one point of a series. The same point again replaces it. Any number comes back as it was, save
    /// that -0 comes back as 0.
    pub fn add_metric(&self, run: &RunId, task: &str, attempt: u32, name: &str, step: u64, value: f64) -> Result<()> {
        self.change("record a metric", ADD_METRIC, &[run, &task, &attempt, &name, &signed(step), &value])?;
        Ok(())
    }
}

/// Whether an output may be kept: fails as [`Tx::put_output`] would.
pub fn check_output(task: &str, output: &Value) -> Result<()> {
    checked_output(task, output).map(drop)
}

/// The output as text, if it may be kept.
fn checked_output(task: &str, output: &Value) -> Result<String> {
    let too_large = |found, allowed| Error::TooLarge { task: task.to_owned(), found, allowed };
    if depth(output, OUTPUT_DEPTH_MAX) > OUTPUT_DEPTH_MAX {
        return Err(too_large(format!("nested more than {OUTPUT_DEPTH_MAX} levels deep"), format!("{OUTPUT_DEPTH_MAX} levels are kept")));
    }
    let text = output.to_string();
    if text.len() > OUTPUT_BYTES_MAX {
        return Err(too_large(format!("{} bytes of JSON", text.len()), format!("{OUTPUT_BYTES_MAX} (1 MiB) are kept")));
    }
    Ok(text)
}
