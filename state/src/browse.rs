//! What people who browse ask: the states of many runs at once, versions of a text, a part of a log, what all runs returned at one stage.

use rusqlite::Row;
use serde_json::Value;

use crate::error::Result;
use crate::ids::{RunId, UnixMs, VersionId};
use crate::json::FromJson;
use crate::rows::{AttemptRow, EventRow, TaskRow};
use crate::select;
use crate::status::TaskState;
use crate::view::View;

/// Where a task stood, as a grid of runs shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskStanding {
    /// The run.
    pub run: RunId,
    /// The task's id in the pipeline.
    pub task: String,
    /// Its state.
    pub state: TaskState,
}

/// A version of a pipeline's text, without the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRow {
    /// Its number; grows with time.
    pub id: VersionId,
    /// The hash of the text.
    pub hash: String,
    /// The file that it came from when it was first seen.
    pub file: Option<String>,
    /// When it was first seen.
    pub created_at: UnixMs,
}

/// What a task returned, and in which run.
#[derive(Debug, Clone, PartialEq)]
pub struct StageOutput {
    /// The run.
    pub run: RunId,
    /// Its pipeline.
    pub pipeline: String,
    /// The task.
    pub task: String,
    /// When it ended.
    pub ended_at: UnixMs,
    /// What it returned.
    pub output: Value,
}

pub(crate) const TASK_STANDINGS: &str = "SELECT task.run_id, task.task_id, task.state FROM json_each(?1) AS wanted JOIN task ON task.run_id = wanted.value \
    ORDER BY wanted.id, task.position";
pub(crate) const VERSIONS: &str = "SELECT id, hash, file, created_at FROM pipeline_version WHERE pipeline = ?2 AND id < ?3 \
    ORDER BY id DESC LIMIT ?1";
pub(crate) const EVENTS_AFTER: &str = "SELECT seq, at, body FROM event WHERE run_id = ?2 AND seq > ?3 ORDER BY seq LIMIT ?1";
pub(crate) const ATTEMPTS_OF_TASK: &str = "SELECT run_id, task_id, number, generation, state, pid, pid_start, started_at, ended_at, exit, \
    peak_rss_bytes, cpu_ms, inputs, error, output, log, progress FROM attempt WHERE run_id = ?1 AND task_id = ?2 ORDER BY number";
pub(crate) const TASK: &str = "SELECT run_id, position, task_id, stage, state, generation, attempts, queued_at, started_at, \
    ended_at, reason, error FROM task WHERE run_id = ?1 AND task_id = ?2";
pub(crate) const OUTPUT: &str = "SELECT value FROM output WHERE run_id = ?1 AND task_id = ?2";
pub(crate) const WAITING_BY_POOL: &str = "SELECT task.pool, count(*) FROM run JOIN task ON task.run_id = run.id \
    WHERE run.status = 'running' AND task.state = 'queued' AND task.pool IS NOT NULL GROUP BY task.pool";
pub(crate) const RUNS_SINCE: &str = "SELECT count(*) FROM run WHERE created_at >= ?1";
pub(crate) const RUN_COUNT: &str = "SELECT count(*) FROM run";
pub(crate) const TASK_COUNT: &str = "SELECT count(*) FROM task";
macro_rules! outputs_of_stage {
    ($stage:literal) => {
        // The stage stands in the text: an index holds the tasks of that stage alone.
        concat!(
            "SELECT task.run_id, run.pipeline, task.task_id, task.ended_at, output.value FROM task JOIN run ON run.id = task.run_id \
             JOIN output ON output.run_id = task.run_id AND output.task_id = task.task_id WHERE task.stage = '",
            $stage,
            "' AND task.state = 'succeeded' AND (?2 IS NULL OR run.pipeline = ?2) ORDER BY task.ended_at DESC LIMIT ?1"
        )
    };
}

pub(crate) const DRIFT_OUTPUTS: &str = outputs_of_stage!("detect_drift");
pub(crate) const REPORT_OUTPUTS: &str = outputs_of_stage!("report");
pub(crate) const CAUSED_BY: &str = "SELECT id FROM run WHERE cause ->> '$.run' = ?1 ORDER BY seq";
pub(crate) const TRAINED: &str =
    "SELECT EXISTS (SELECT 1 FROM task WHERE run_id = ?1 AND stage IN ('train_als', 'tune') AND state = 'succeeded')";

fn stage_output(row: &Row<'_>) -> rusqlite::Result<StageOutput> {
    let output = row.get::<_, FromJson>("value")?.0;
    Ok(StageOutput { run: row.get(0)?, pipeline: row.get(1)?, task: row.get(2)?, ended_at: row.get(3)?, output })
}

impl View<'_> {
    /// The states of all tasks of these runs, in the order of the runs and of their pipelines.
    pub fn task_standings(&self, runs: &[RunId]) -> Result<Vec<TaskStanding>> {
        let wanted = Value::from(runs.iter().map(RunId::as_str).collect::<Vec<_>>()).to_string();
        self.rows("read the states of tasks", TASK_STANDINGS, &[&wanted], |row: &Row<'_>| {
            Ok(TaskStanding { run: row.get(0)?, task: row.get(1)?, state: row.get(2)? })
        })
    }

    /// The newest `limit` versions of a pipeline's text before `before`, newest first.
    pub fn versions(&self, pipeline: &str, before: Option<VersionId>, limit: u32) -> Result<Vec<VersionRow>> {
        let before = before.unwrap_or(VersionId(i64::MAX));
        self.rows("list the versions of a pipeline", VERSIONS, &[&limit, &pipeline, &before], |row: &Row<'_>| {
            Ok(VersionRow { id: row.get("id")?, hash: row.get("hash")?, file: row.get("file")?, created_at: row.get("created_at")? })
        })
    }

    /// At most `limit` entries of a run's log behind entry `after`.
    pub fn events_after(&self, run: &RunId, after: u64, limit: u32) -> Result<Vec<EventRow>> {
        self.rows("read the events of a run", EVENTS_AFTER, &[&limit, run, &select::signed(after)], select::event)
    }

    /// One task of a run.
    pub fn task(&self, run: &RunId, task: &str) -> Result<Option<TaskRow>> {
        self.row("read a task", TASK, &[run, &task], select::task)
    }

    /// The attempts of one task of a run, by number.
    pub fn attempts_of(&self, run: &RunId, task: &str) -> Result<Vec<AttemptRow>> {
        self.rows("read the attempts of a task", ATTEMPTS_OF_TASK, &[run, &task], select::attempt)
    }

    /// The current output of one task of a run.
    pub fn output(&self, run: &RunId, task: &str) -> Result<Option<Value>> {
        self.row("read the output of a task", OUTPUT, &[run, &task], |row| Ok(row.get::<_, FromJson>(0)?.0))
    }

    /// How many tasks of runs under way wait for a slot of each pool.
    pub fn waiting_by_pool(&self) -> Result<Vec<(String, u32)>> {
        self.rows("count the waiting tasks", WAITING_BY_POOL, &[], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// How many runs were created from that instant on.
    pub fn runs_since(&self, since: UnixMs) -> Result<u64> {
        self.count(RUNS_SINCE, &[&since])
    }

    /// How many runs are kept.
    pub fn run_count(&self) -> Result<u64> {
        self.count(RUN_COUNT, &[])
    }

    /// How many tasks the runs that are kept have. Reads all of them: a second for several millions.
    pub fn task_count(&self) -> Result<u64> {
        self.count(TASK_COUNT, &[])
    }

    /// The newest `limit` outputs of tasks that looked for drift, newest first: of one pipeline, or of all.
    pub fn drift_outputs(&self, pipeline: Option<&str>, limit: u32) -> Result<Vec<StageOutput>> {
        self.rows("read the looks for drift", DRIFT_OUTPUTS, &[&limit, &pipeline], stage_output)
    }

    /// The runs that the end of this one led to, oldest first.
    pub fn runs_caused_by(&self, run: &RunId) -> Result<Vec<RunId>> {
        self.rows("list the runs that followed", CAUSED_BY, &[run], select::single::<RunId>)
    }

    /// The newest `limit` outputs of tasks that drew a report, newest first.
    pub fn report_outputs(&self, limit: u32) -> Result<Vec<StageOutput>> {
        self.rows("read the reports", REPORT_OUTPUTS, &[&limit, &None::<String>], stage_output)
    }

    /// The version of the schema.
    pub fn schema(&self) -> Result<u32> {
        Ok(self.row("read the schema's version", "PRAGMA user_version", &[], select::single::<u32>)?.unwrap_or(0))
    }

    /// Whether a run trained a model.
    pub fn has_trained(&self, run: &RunId) -> Result<bool> {
        Ok(self.row("read the tasks of a run", TRAINED, &[run], select::single::<bool>)?.unwrap_or(false))
    }

    fn count(&self, sql: &str, params: &[&dyn rusqlite::types::ToSql]) -> Result<u64> {
        let found = self.row("count rows", sql, params, select::single::<i64>)?;
        Ok(found.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn every_question_walks_an_index() {
        let mut connection = Connection::open_in_memory().unwrap();
        crate::migrate::migrate(&mut connection, std::path::Path::new("s"), || None).unwrap();
        for (sql, index) in [
            (TASK_STANDINGS, "task USING PRIMARY KEY (run_id=?)"),
            (VERSIONS, "pipeline_version USING INDEX sqlite_autoindex_pipeline_version_1 (pipeline=?)"),
            (EVENTS_AFTER, "event USING PRIMARY KEY (run_id=? AND seq>?)"),
            (ATTEMPTS_OF_TASK, "sqlite_autoindex_attempt_1 (run_id=? AND task_id=?)"),
            (TASK, "task USING PRIMARY KEY (run_id=?)"),
            (OUTPUT, "sqlite_autoindex_output_1 (run_id=? AND task_id=?)"),
            (WAITING_BY_POOL, "run_by_status (status=?)"),
            (RUNS_SINCE, "run_by_creation (created_at>?)"),
            (DRIFT_OUTPUTS, "task_drift"),
            (REPORT_OUTPUTS, "task_report"),
            (CAUSED_BY, "run_by_cause (<expr>=?)"),
            (TRAINED, "task USING PRIMARY KEY (run_id=?)"),
            (crate::changes::CHANGES_AFTER, "change USING INTEGER PRIMARY KEY (rowid>?)"),
        ] {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let lines: Vec<String> = statement.raw_query().mapped(|row| row.get("detail")).map(Result::unwrap).collect();
            assert!(lines.iter().any(|line| line.contains(index)), "{sql}\n{lines:#?}");
        }
    }
}
