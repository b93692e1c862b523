//! Rows of a new run, whoever creates it: `recflow run` for itself, the scheduler for whoever claims the run.

use recflow_state::{NewRun, NewTask, Result, RunId, Trigger, Tx, UnixMs, VersionId};
use serde_json::{Map, Value};

use super::live::stage_name;
use crate::pipeline::Pipeline;
use crate::workspace::Workspace;

/// A run about to be recorded.
#[derive(Debug)]
pub struct Enqueue<'a> {
    /// Its id.
    pub id: RunId,
    /// Its pipeline.
    pub pipeline: &'a Pipeline,
    /// The text of that, as the store keeps it.
    pub version: VersionId,
    /// Resolved parameters.
    pub params: &'a Map<String, Value>,
    /// What creates it.
    pub trigger: Trigger,
    /// The instant that it stands for.
    pub logical_date: UnixMs,
    /// The process that executes it; nobody until one claims it.
    pub owner: Option<String>,
    /// What led to it.
    pub cause: Option<Value>,
    /// The backfill that it belongs to.
    pub backfill: Option<i64>,
    /// The run whose outputs it starts with.
    pub replay_of: Option<RunId>,
}

/// Records a run as `queued`, with its tasks.
pub fn enqueue(tx: &Tx<'_>, workspace: &Workspace, run: Enqueue<'_>, now: UnixMs) -> Result<()> {
    let task = |task: &crate::pipeline::Task| NewTask {
        task_id: task.id.as_str().to_owned(),
        stage: stage_name(&task.kind).to_owned(),
        pool: task.pool().map(|(pool, slots)| (pool.to_owned(), slots)),
    };
    let tasks: Vec<NewTask> = run.pipeline.tasks.iter().map(task).collect();
    let new = NewRun {
        id: run.id,
        pipeline: run.pipeline.name.clone(),
        version: run.version,
        trigger: run.trigger,
        logical_date: run.logical_date,
        params: Value::Object(run.params.clone()),
        owner: run.owner,
        created_at: now,
        workspace: workspace.root().display().to_string(),
        binary_version: env!("CARGO_PKG_VERSION").to_owned(),
        priority: run.pipeline.priority,
        cause: run.cause,
        backfill: run.backfill,
        replay_of: run.replay_of,
    };
    tx.create_run(&new, &tasks)
}

/// Keeps the text of a pipeline, so that runs can be pinned to it: the version of one that is known, by its hash, else a new one.
pub fn pin(tx: &Tx<'_>, pipeline: &str, text: &str, file: Option<&str>, now: UnixMs) -> Result<VersionId> {
    let hash = blake3::hash(text.as_bytes()).to_hex();
    tx.pipeline_version(pipeline, &hash, text, file, now)
}
