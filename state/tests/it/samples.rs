//! Stores and rows to test with.

use std::path::PathBuf;

use recflow_state::{AttemptRow, AttemptState, NewRun, NewTask, RunId, Store, TaskRow, TaskState, Trigger, Tx, UnixMs};
use serde_json::json;
use tempfile::TempDir;

/// A folder that goes away with the test, and a path for a store in it.
pub(crate) fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".recflow/state.db");
    (folder, path)
}

/// A new store.
pub(crate) fn store() -> (TempDir, Store) {
    let (folder, path) = folder();
    (folder, Store::open(path).unwrap())
}

/// The run number `n`.
pub(crate) fn id(n: u64) -> RunId {
    RunId::from_random(n)
}

/// Creates run `n` of `pipeline` with the tasks `a` and `b`.
pub(crate) fn create(tx: &Tx<'_>, n: u64, pipeline: &str) -> recflow_state::Result<()> {
    create_with(tx, n, pipeline, |_| {})
}

/// The same, changed.
pub(crate) fn create_with(tx: &Tx<'_>, n: u64, pipeline: &str, change: impl FnOnce(&mut NewRun)) -> recflow_state::Result<()> {
    let version = tx.pipeline_version(pipeline, "hash", "name: p", Some("p.yaml"), UnixMs(0))?;
    let mut run = NewRun {
        id: id(n),
        pipeline: pipeline.to_owned(),
        version,
        trigger: Trigger::Manual,
        logical_date: UnixMs(1_000),
        params: json!({ "rank": 64 }),
        owner: None,
        created_at: UnixMs(1_000),
        workspace: "/w".to_owned(),
        binary_version: "0.1.0".to_owned(),
        priority: 0,
        cause: None,
        backfill: None,
        replay_of: None,
    };
    change(&mut run);
    let task = |task: &str| NewTask { task_id: task.to_owned(), stage: "noop".to_owned(), pool: None };
    tx.create_run(&run, &[task("a"), task("b")])
}

/// Task `task` of run `n`, as it would be recorded while it runs.
pub(crate) fn task(n: u64, position: u32, task: &str) -> TaskRow {
    TaskRow {
        run_id: id(n),
        position,
        task_id: task.to_owned(),
        stage: "noop".to_owned(),
        state: TaskState::Running,
        generation: 0,
        attempts: 1,
        queued_at: Some(UnixMs(1_001)),
        started_at: Some(UnixMs(1_002)),
        ended_at: None,
        reason: None,
        error: None,
    }
}

/// Attempt `number` of task `task` of run `n`, just started.
pub(crate) fn attempt(n: u64, task: &str, number: u32) -> AttemptRow {
    AttemptRow {
        run_id: id(n),
        task_id: task.to_owned(),
        number,
        generation: 0,
        state: AttemptState::Running,
        pid: None,
        pid_start: None,
        started_at: UnixMs(1_002),
        ended_at: None,
        exit: None,
        peak_rss_bytes: None,
        cpu_ms: None,
        inputs: Some(json!({ "k": 10 })),
        error: None,
        output: None,
        log: Some(format!("logs/{task}/{number}.log")),
        progress: None,
    }
}
