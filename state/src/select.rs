//! Every question that is asked of a store: the SQL, and how a row becomes a value.
//!
//! Each statement walks an index, or the newest rows by key; the tests at the end ask SQLite for its plan.

use rusqlite::Row;
use rusqlite::types::FromSql;

use crate::columns::Columns;
use crate::error::Candidate;
use crate::rows::{AttemptRow, EventRow, MetricRow, PipelineText, Run, TaskRow};

macro_rules! runs {
    ($rest:literal) => {
        concat!(
            "SELECT id, pipeline, version_id, run_trigger, logical_date, params, status, owner, created_at, \
             started_at, ended_at, reason, workspace, binary_version, priority, cause, backfill_id, replay_of FROM run ",
            $rest
        )
    };
}

macro_rules! candidates {
    ($rest:literal) => {
        concat!("SELECT id, pipeline, status, created_at FROM run ", $rest)
    };
}

/// Whole runs, to be followed by what narrows them.
pub(crate) const RUNS_FROM: &str = runs!("");
pub(crate) const RUN: &str = runs!("WHERE id = ?1");
pub(crate) const OPEN_RUNS: &str = runs!("WHERE status IN ('queued', 'running') ORDER BY seq");

pub(crate) const NEXT_UNCLAIMED: &str = runs!(
    "WHERE pipeline = ?1 AND status = 'queued' AND owner IS NULL AND (?2 = 0 OR run_trigger NOT IN ('schedule', 'event')) \
     AND (backfill_id IS NULL OR backfill_id NOT IN (SELECT value FROM json_each(?3))) ORDER BY priority DESC, seq LIMIT 1"
);
pub(crate) const OPEN_OF_BACKFILL: &str = runs!("WHERE backfill_id = ?1 AND status IN ('queued', 'running') ORDER BY seq");
pub(crate) const UNCLAIMED_OF_PIPELINE: &str =
    runs!("WHERE pipeline = ?2 AND status = 'queued' AND owner IS NULL ORDER BY priority DESC, seq LIMIT ?1");
// `+status`: the newest first, which the index on the pipeline alone gives; those that wait are few, and stand at its end.
pub(crate) const BEGUN_OF_PIPELINE: &str = runs!("WHERE pipeline = ?2 AND +status <> 'queued' ORDER BY seq DESC LIMIT ?1");
pub(crate) const ACTIVE_OF_PIPELINE: &str = runs!("WHERE pipeline = ?1 AND status = 'running' ORDER BY seq");

pub(crate) const NEWEST_CANDIDATES: &str = candidates!("ORDER BY seq DESC LIMIT ?1");
// `{` is the character after `z`, the last one that an id may hold.
pub(crate) const CANDIDATES_BY_PREFIX: &str = candidates!("WHERE id >= ?2 AND id < ?2 || '{' LIMIT ?1");

pub(crate) const TASKS: &str = "SELECT run_id, position, task_id, stage, state, generation, attempts, queued_at, started_at, \
                                ended_at, reason, error FROM task WHERE run_id = ?1 ORDER BY position";
pub(crate) const ATTEMPTS: &str = "SELECT run_id, task_id, number, generation, state, pid, pid_start, started_at, ended_at, exit, \
                                   peak_rss_bytes, cpu_ms, inputs, error, output, log, progress FROM attempt \
                                   WHERE run_id = ?1 ORDER BY task_id, number";
pub(crate) const EVENTS: &str = "SELECT seq, at, body FROM event WHERE run_id = ?1 ORDER BY seq";
pub(crate) const LAST_EVENT: &str = "SELECT max(seq) FROM event WHERE run_id = ?1";
pub(crate) const OUTPUTS: &str = "SELECT run_id, task_id, value FROM output WHERE run_id = ?1 ORDER BY task_id";
pub(crate) const METRICS: &str = "SELECT attempt, name, step, value FROM metric WHERE run_id = ?1 AND task_id = ?2 \
                                  ORDER BY attempt, name, step";
pub(crate) const PIPELINE_TEXT: &str = "SELECT pipeline, hash, text, file, created_at FROM pipeline_version WHERE id = ?1";
pub(crate) const VERSION_BY_HASH: &str = "SELECT id FROM pipeline_version WHERE pipeline = ?1 AND hash = ?2";
pub(crate) const TASK_AT: &str = "SELECT task_id FROM task WHERE run_id = ?1 AND position = ?2";

pub(crate) fn run(row: &Row<'_>) -> rusqlite::Result<Run> {
    let mut columns = Columns::of(row);
    let run = Run {
        id: columns.get()?,
        pipeline: columns.get()?,
        version: columns.get()?,
        trigger: columns.get()?,
        logical_date: columns.get()?,
        params: columns.value()?,
        status: columns.get()?,
        owner: columns.get()?,
        created_at: columns.get()?,
        started_at: columns.get()?,
        ended_at: columns.get()?,
        reason: columns.get()?,
        workspace: columns.get()?,
        binary_version: columns.get()?,
        priority: columns.get()?,
        cause: columns.value_or_null()?,
        backfill: columns.get()?,
        replay_of: columns.get()?,
    };
    columns.finish(run)
}

pub(crate) fn candidate(row: &Row<'_>) -> rusqlite::Result<Candidate> {
    let mut columns = Columns::of(row);
    let candidate = Candidate { id: columns.get()?, pipeline: columns.get()?, status: columns.get()?, created_at: columns.get()? };
    columns.finish(candidate)
}

pub(crate) fn task(row: &Row<'_>) -> rusqlite::Result<TaskRow> {
    let mut columns = Columns::of(row);
    let task = TaskRow {
        run_id: columns.get()?,
        position: columns.get()?,
        task_id: columns.get()?,
        stage: columns.get()?,
        state: columns.get()?,
        generation: columns.get()?,
        attempts: columns.get()?,
        queued_at: columns.get()?,
        started_at: columns.get()?,
        ended_at: columns.get()?,
        reason: columns.get()?,
        error: columns.value_or_null()?,
    };
    columns.finish(task)
}

pub(crate) fn attempt(row: &Row<'_>) -> rusqlite::Result<AttemptRow> {
    let mut columns = Columns::of(row);
    let attempt = AttemptRow {
        run_id: columns.get()?,
        task_id: columns.get()?,
        number: columns.get()?,
        generation: columns.get()?,
        state: columns.get()?,
        pid: columns.get()?,
        pid_start: columns.count_or_null()?,
        started_at: columns.get()?,
        ended_at: columns.get()?,
        exit: columns.get()?,
        peak_rss_bytes: columns.count_or_null()?,
        cpu_ms: columns.count_or_null()?,
        inputs: columns.value_or_null()?,
        error: columns.value_or_null()?,
        output: columns.value_or_null()?,
        log: columns.get()?,
        progress: columns.value_or_null()?,
    };
    columns.finish(attempt)
}

pub(crate) fn event(row: &Row<'_>) -> rusqlite::Result<EventRow> {
    let mut columns = Columns::of(row);
    let event = EventRow { seq: columns.count()?, at: columns.get()?, body: columns.value()? };
    columns.finish(event)
}

pub(crate) fn metric(row: &Row<'_>) -> rusqlite::Result<MetricRow> {
    let mut columns = Columns::of(row);
    let metric = MetricRow {
        attempt: columns.get()?,
        name: columns.get()?,
        step: columns.count()?,
        value: columns.get::<Option<f64>>()?.unwrap_or(f64::NAN),
    };
    columns.finish(metric)
}

pub(crate) fn pipeline_text(row: &Row<'_>) -> rusqlite::Result<PipelineText> {
    let mut columns = Columns::of(row);
    let pipeline_text = PipelineText {
        pipeline: columns.get()?,
        hash: columns.get()?,
        text: columns.get()?,
        file: columns.get()?,
        created_at: columns.get()?,
    };
    columns.finish(pipeline_text)
}

/// The only column of a row.
pub(crate) fn single<T: FromSql>(row: &Row<'_>) -> rusqlite::Result<T> {
    row.get(0)
}

/// A count as SQLite keeps it: its integers are signed, which no count of ours comes near to exceed.
pub(crate) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::{Connection, StatementStatus};

    fn store() -> Connection {
        let mut connection = crate::connection::connect_in_memory().unwrap();
        crate::migrate::migrate(&mut connection, std::path::Path::new("s"), || None).unwrap();
        connection
    }

    /// The lines of SQLite's plan for a statement.
    fn plan(connection: &Connection, sql: &str) -> Vec<String> {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let lines = statement.raw_query().mapped(|row| row.get("detail"));
        lines.map(Result::unwrap).collect()
    }

    #[test]
    fn every_question_walks_an_index() {
        let connection = store();
        for (sql, index) in [
            (RUN, "sqlite_autoindex_run_1 (id=?)"),
            (OPEN_RUNS, "run_by_status (status=?)"),
            (UNCLAIMED_OF_PIPELINE, "run_unclaimed (pipeline=?)"),
            (OPEN_OF_BACKFILL, "run_by_backfill (backfill_id=?)"),
            (BEGUN_OF_PIPELINE, "run_by_pipeline (pipeline=?)"),
            (crate::listing::QUEUED_OF_PIPELINE, "run_by_outcome (pipeline=? AND status=?)"),
            (ACTIVE_OF_PIPELINE, "run_by_outcome (pipeline=? AND status=?)"),
            (crate::scheduling::SLOTS, "PRIMARY KEY (pipeline=?)"),
            (crate::listing::SLOTS_BETWEEN, "PRIMARY KEY (pipeline=? AND at>? AND at<?)"),
            (crate::retention::ENDED_BEFORE, "run_by_end (ended_at<?)"),
            (crate::retention::ENDED_BEYOND, "run_by_pipeline (pipeline=?)"),
            (crate::listing::TASKS_UNDER_WAY, "task_running (state=?)"),
            (crate::scheduling::RUN_ENDS, "INTEGER PRIMARY KEY (rowid>?)"),
            (crate::control::RUNNING_TASKS, "task_running (state=?)"),
            (crate::control::QUEUED_BEFORE, "run_by_status (status=? AND rowid<?)"),
            (CANDIDATES_BY_PREFIX, "sqlite_autoindex_run_1 (id>? AND id<?)"),
            (TASKS, "PRIMARY KEY (run_id=?)"),
            (TASK_AT, "PRIMARY KEY (run_id=? AND position=?)"),
            (ATTEMPTS, "sqlite_autoindex_attempt_1 (run_id=?)"),
            (EVENTS, "PRIMARY KEY (run_id=?)"),
            (LAST_EVENT, "PRIMARY KEY (run_id=?)"),
            (OUTPUTS, "sqlite_autoindex_output_1 (run_id=?)"),
            (METRICS, "PRIMARY KEY (run_id=? AND task_id=?)"),
            (PIPELINE_TEXT, "INTEGER PRIMARY KEY (rowid=?)"),
            (VERSION_BY_HASH, "sqlite_autoindex_pipeline_version_1 (pipeline=? AND hash=?)"),
        ] {
            let lines = plan(&connection, sql);
            assert!(lines[0].starts_with("SEARCH") && lines[0].contains(index), "{sql}\n{lines:?}");
            // Open runs are few, and two statuses come from two places of the index: sorting them is right. A join has a line a table.
            let longer = [
                OPEN_RUNS,
                crate::control::RUNNING_TASKS,
                crate::listing::TASKS_UNDER_WAY,
                crate::control::QUEUED_BEFORE,
                crate::retention::ENDED_BEFORE,
                crate::retention::ENDED_BEYOND,
            ]
            .contains(&sql);
            assert!(lines.len() == 1 || longer && lines.iter().all(|line| !line.starts_with("SCAN")), "{sql}\n{lines:?}");
        }
    }

    #[test]
    fn the_newest_runs_are_read_from_the_end_and_no_further() {
        let connection = store();
        connection
            .execute_batch(
                "INSERT INTO pipeline_version VALUES (1, 'p', 'h', 't', NULL, 0);
                 WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
                 INSERT INTO run SELECT i, printf('%012d', i), 'p', 1, 'manual', 0, '{}', 'failed', NULL, 0, NULL, NULL, NULL, '', '', 0, NULL, NULL, NULL FROM n;",
            )
            .unwrap();
        for sql in [crate::listing::runs(&crate::RunFilter::default(), &5).sql.as_str(), NEWEST_CANDIDATES] {
            assert_eq!(plan(&connection, sql), ["SCAN run"], "no sorting");
            let mut statement = connection.prepare(sql).unwrap();
            assert_eq!(statement.query_map([5], |row| row.get::<_, String>("id")).unwrap().count(), 5);
            assert!(statement.get_status(StatementStatus::FullscanStep) <= 5, "{sql}");
        }
    }
}
