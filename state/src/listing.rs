//! Lists of runs: the SQL of a filter, and the other questions of people who look at many runs at once.
//!
//! A filter becomes one statement whose values are bound, never written into it. Each combination walks one index from its end and stops
//! at the limit, so that the newest runs of a store of a million tasks cost what those of a small one do.

use rusqlite::Row;
use rusqlite::types::ToSql;

use crate::columns::Columns;
use crate::error::Result;
use crate::ids::{RunId, UnixMs};
use crate::rows::{Run, RunFilter};
use crate::scheduling::{SlotRow, slot};
use crate::select;
use crate::view::View;

/// A task that is under way, as people look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskUnderWay {
    /// Its run.
    pub run: RunId,
    /// The pipeline of that.
    pub pipeline: String,
    /// The process that executes it, or did.
    pub owner: Option<String>,
    /// Its id in the pipeline.
    pub task: String,
    /// Its stage.
    pub stage: String,
    /// Attempts started.
    pub attempts: u32,
    /// When its first attempt started.
    pub started_at: Option<UnixMs>,
}

/// The names of all pipelines that have runs. Jumps from name to name in the index, however many runs each has.
pub(crate) const PIPELINES_WITH_RUNS: &str = "WITH RECURSIVE found (name) AS (SELECT min(pipeline) FROM run
    UNION ALL SELECT (SELECT min(pipeline) FROM run WHERE pipeline > name) FROM found WHERE name IS NOT NULL)
    SELECT name FROM found WHERE name IS NOT NULL";
pub(crate) const TASKS_UNDER_WAY: &str = "SELECT task.run_id, run.pipeline, run.owner, task.task_id, task.stage, task.attempts, task.started_at \
    FROM task JOIN run ON run.id = task.run_id WHERE task.state = 'running' ORDER BY task.started_at, task.run_id, task.position";
pub(crate) const SLOTS_BETWEEN: &str = "SELECT pipeline, at, until, count, decision, reason, run_id, decided_at FROM slot \
    WHERE pipeline = ?2 AND at >= ?3 AND at < ?4 ORDER BY at DESC LIMIT ?1";

pub(crate) const QUEUED_OF_PIPELINE: &str = "SELECT count(*) FROM run WHERE pipeline = ?1 AND status = 'queued'";

/// A statement and what is bound to it, by position.
pub(crate) struct Question<'f> {
    pub(crate) sql: String,
    pub(crate) values: Vec<&'f dyn ToSql>,
}

/// The statement of a filter.
///
/// Where a filter names instants, the runs come in the order of their creation by the clock, else by `seq`: the two differ only where the
/// clock was set back. A `+` before a column keeps SQLite from taking its index, which without statistics it cannot weigh against others.
pub(crate) fn runs<'f>(filter: &'f RunFilter, limit: &'f u32) -> Question<'f> {
    let mut question = Question { sql: String::new(), values: vec![limit] };
    let mut conditions: Vec<String> = Vec::new();
    let mut add = |condition: &str, value: &'f dyn ToSql| {
        question.values.push(value);
        conditions.push(condition.replace('?', &format!("?{}", question.values.len())));
    };
    let by_clock = filter.since.is_some() || filter.until.is_some();
    if let Some(pipeline) = &filter.pipeline {
        add(if by_clock { "+pipeline = ?" } else { "pipeline = ?" }, pipeline);
    }
    if let Some(status) = &filter.status {
        add(if by_clock { "+status = ?" } else { "status = ?" }, status);
    }
    if let Some(trigger) = &filter.trigger {
        let narrower = by_clock || filter.pipeline.is_some() || filter.status.is_some();
        add(if narrower { "+run_trigger = ?" } else { "run_trigger = ?" }, trigger);
    }
    if let Some(since) = &filter.since {
        add("created_at >= ?", since);
    }
    if let Some(until) = &filter.until {
        add("created_at < ?", until);
    }
    if let Some(before) = &filter.before {
        match by_clock {
            true => add("(created_at, seq) < (SELECT created_at, seq FROM run WHERE id = ?)", before),
            false => add("seq < (SELECT seq FROM run WHERE id = ?)", before),
        }
    }
    let only = if conditions.is_empty() { String::new() } else { format!("WHERE {} ", conditions.join(" AND ")) };
    let order = if by_clock { "created_at DESC, seq DESC" } else { "seq DESC" };
    question.sql = format!("{} {only}ORDER BY {order} LIMIT ?1", select::RUNS_FROM);
    question
}

impl View<'_> {
    /// The newest `limit` runs that pass the filter, newest first.
    pub fn runs(&self, limit: u32, filter: &RunFilter) -> Result<Vec<Run>> {
        let question = runs(filter, &limit);
        self.rows("list the runs", &question.sql, &question.values, select::run)
    }

    /// The newest `limit` runs of a pipeline that have begun, newest first.
    pub fn runs_begun(&self, pipeline: &str, limit: u32) -> Result<Vec<Run>> {
        self.rows("list the runs", select::BEGUN_OF_PIPELINE, &[&limit, &pipeline], select::run)
    }

    /// How many runs of a pipeline have not begun, whoever created them.
    pub fn queued_count(&self, pipeline: &str) -> Result<u32> {
        Ok(self.row("count the queued runs", QUEUED_OF_PIPELINE, &[&pipeline], select::single::<u32>)?.unwrap_or(0))
    }

    /// The names of the pipelines that have runs, in order.
    pub fn pipelines_with_runs(&self) -> Result<Vec<String>> {
        self.rows("list the pipelines", PIPELINES_WITH_RUNS, &[], select::single::<String>)
    }

    /// All tasks whose row says that they are under way, those that started first in front; the owner of some may be dead.
    pub fn tasks_under_way(&self) -> Result<Vec<TaskUnderWay>> {
        self.rows("list the running tasks", TASKS_UNDER_WAY, &[], |row: &Row<'_>| {
            let mut columns = Columns::of(row);
            let task = TaskUnderWay {
                run: columns.get()?,
                pipeline: columns.get()?,
                owner: columns.get()?,
                task: columns.get()?,
                stage: columns.get()?,
                attempts: columns.get()?,
                started_at: columns.get()?,
            };
            columns.finish(task)
        })
    }

    /// The newest `limit` slots of a pipeline from `since` on and before `until`, newest first.
    pub fn slots_between(&self, pipeline: &str, since: UnixMs, until: UnixMs, limit: u32) -> Result<Vec<SlotRow>> {
        self.rows("list the slots", SLOTS_BETWEEN, &[&limit, &pipeline, &since, &until], slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{RunStatus, Trigger};
    use rusqlite::Connection;

    fn plan(connection: &Connection, filter: &RunFilter) -> Vec<String> {
        let question = runs(filter, &5);
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", question.sql)).unwrap();
        let lines = statement.query_map(&question.values[..], |row| row.get("detail")).unwrap();
        lines.map(Result::unwrap).collect()
    }

    #[test]
    fn every_filter_walks_one_index_and_sorts_nothing() {
        let mut connection = crate::connection::connect_in_memory().unwrap();
        crate::migrate::migrate(&mut connection, std::path::Path::new("s"), || None).unwrap();
        let pick = |bit: u32, mask: u32| mask & (1 << bit) != 0;
        for mask in 0..64u32 {
            let filter = RunFilter {
                pipeline: pick(0, mask).then(|| "p".to_owned()),
                status: pick(1, mask).then_some(RunStatus::Failed),
                trigger: pick(2, mask).then_some(Trigger::Event),
                since: pick(3, mask).then_some(UnixMs(1)),
                until: pick(4, mask).then_some(UnixMs(2)),
                before: pick(5, mask).then(|| RunId::from_random(1)),
            };
            let expected = match (mask & 24, mask & 7) {
                (0, 0) => {
                    if pick(5, mask) {
                        "USING INTEGER PRIMARY KEY (rowid<?)"
                    } else {
                        "SCAN run"
                    }
                }
                (0, 1 | 5) => "run_by_pipeline (pipeline=?",
                (0, 2 | 6) => "run_by_status (status=?",
                (0, 3 | 7) => "run_by_outcome (pipeline=? AND status=?",
                (0, _) => "run_by_trigger (run_trigger=?",
                _ => "run_by_creation (created_at",
            };
            let lines = plan(&connection, &filter);
            assert!(lines[0].contains(expected), "{filter:?}\n{lines:?}");
            assert!(lines.iter().all(|line| !line.contains("TEMP B-TREE")), "{filter:?}\n{lines:?}");
        }
    }
}
