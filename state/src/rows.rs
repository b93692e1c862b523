//! Rows as the program sees them. Each mirrors one table of `migrations/`.

use serde_json::Value;

use crate::ids::{RunId, UnixMs, VersionId};
use crate::status::{AttemptState, RunStatus, TaskState, Trigger};

/// A run about to be created. It starts as `queued`.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRun {
    /// Its id, made by the caller.
    pub id: RunId,
    /// The pipeline's name.
    pub pipeline: String,
    /// The text that it executes.
    pub version: VersionId,
    /// What created it.
    pub trigger: Trigger,
    /// The instant that it stands for.
    pub logical_date: UnixMs,
    /// The resolved parameters, a JSON object.
    pub params: Value,
    /// The process that will execute it, if that is known already.
    pub owner: Option<String>,
    /// Now.
    pub created_at: UnixMs,
    /// The folder that its relative paths refer to.
    pub workspace: String,
    /// The recflow that created it.
    pub binary_version: String,
    /// Runs of higher priority are claimed first.
    pub priority: i32,
    /// What led to it: the slot, the file, the run of another pipeline.
    pub cause: Option<Value>,
    /// The backfill that it belongs to.
    pub backfill: Option<i64>,
    /// The run whose outputs it starts with.
    pub replay_of: Option<RunId>,
}

/// A task of a run about to be created. It starts as `waiting`, in generation 0, without attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTask {
    /// Its id in the pipeline.
    pub task_id: String,
    /// Its stage.
    pub stage: String,
    /// The pool that its attempts take slots of, and how many.
    pub pool: Option<(String, u32)>,
}

/// One execution of one version of a pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// The pipeline's name.
    pub pipeline: String,
    /// The text that it executes.
    pub version: VersionId,
    /// What created it.
    pub trigger: Trigger,
    /// The instant that it stands for.
    pub logical_date: UnixMs,
    /// The resolved parameters, a JSON object.
    pub params: Value,
    /// Where it stands.
    pub status: RunStatus,
    /// The process that executes it, or did: the id of its lock file.
    pub owner: Option<String>,
    /// When it was created.
    pub created_at: UnixMs,
    /// When its first task could start.
    pub started_at: Option<UnixMs>,
    /// When it was over.
    pub ended_at: Option<UnixMs>,
    /// Why it ended as it did, for people.
    pub reason: Option<String>,
    /// The folder that its relative paths refer to.
    pub workspace: String,
    /// The recflow that created it.
    pub binary_version: String,
    /// Runs of higher priority are claimed first.
    pub priority: i32,
    /// What led to it.
    pub cause: Option<Value>,
    /// The backfill that it belongs to.
    pub backfill: Option<i64>,
    /// The run whose outputs it started with.
    pub replay_of: Option<RunId>,
}

/// Where a task of a run stands.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskRow {
    /// The run.
    pub run_id: RunId,
    /// Its place in the pipeline, from 0; with the run, its key.
    pub position: u32,
    /// Its id in the pipeline.
    pub task_id: String,
    /// Its stage.
    pub stage: String,
    /// Where it stands.
    pub state: TaskState,
    /// How often a person deliberately had it run again.
    pub generation: u32,
    /// Attempts started, in all generations.
    pub attempts: u32,
    /// When it became ready.
    pub queued_at: Option<UnixMs>,
    /// When its first attempt started.
    pub started_at: Option<UnixMs>,
    /// When it was over.
    pub ended_at: Option<UnixMs>,
    /// Why it is where it is, for people.
    pub reason: Option<String>,
    /// The error of its last attempt.
    pub error: Option<Value>,
}

/// One try of one task.
#[derive(Debug, Clone, PartialEq)]
pub struct AttemptRow {
    /// The run.
    pub run_id: RunId,
    /// The task.
    pub task_id: String,
    /// Which try, from 1, counted over all generations.
    pub number: u32,
    /// The task's generation at the time.
    pub generation: u32,
    /// Where it stands.
    pub state: AttemptState,
    /// Its process, which leads a process group of the same number.
    pub pid: Option<u32>,
    /// When that process started, as the system counts it: with `pid`, names the process for good.
    pub pid_start: Option<u64>,
    /// When it started.
    pub started_at: UnixMs,
    /// When it was over.
    pub ended_at: Option<UnixMs>,
    /// How its process ended, for people: `exit 0`, `signal 9 (KILL)`.
    pub exit: Option<String>,
    /// The most memory that it held, in bytes.
    pub peak_rss_bytes: Option<u64>,
    /// Processor time that it used, in milliseconds.
    pub cpu_ms: Option<u64>,
    /// The rendered inputs, secrets masked.
    pub inputs: Option<Value>,
    /// Its error.
    pub error: Option<Value>,
    /// Its output, at most [`OUTPUT_BYTES_MAX`](crate::OUTPUT_BYTES_MAX) as JSON.
    pub output: Option<Value>,
    /// Its log file, relative to the folder of the store.
    pub log: Option<String>,
    /// The latest progress that it reported.
    pub progress: Option<Value>,
}

/// One entry of a run's log.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRow {
    /// Its place in the log, from 1 without a gap.
    pub seq: u64,
    /// When it happened.
    pub at: UnixMs,
    /// What happened.
    pub body: Value,
}

/// One point of a series that a stage reported.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricRow {
    /// The attempt that reported it.
    pub attempt: u32,
    /// The series.
    pub name: String,
    /// Its place in the series, from 1.
    pub step: u64,
    /// Its value; may be infinite or not a number.
    pub value: f64,
}

/// One version of a pipeline's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipelineText {
    /// The pipeline's name.
    pub pipeline: String,
    /// The hash of the text, as the caller made it.
    pub hash: String,
    /// The text.
    pub text: String,
    /// The file that it came from when it was first seen.
    pub file: Option<String>,
    /// When it was first seen.
    pub created_at: UnixMs,
}

/// Which runs to list: those for which all that is given holds. The default lists all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Those of this pipeline.
    pub pipeline: Option<String>,
    /// Those with this status.
    pub status: Option<RunStatus>,
    /// Those that this created.
    pub trigger: Option<Trigger>,
    /// Those created at this instant or later.
    pub since: Option<UnixMs>,
    /// Those created before this instant.
    pub until: Option<UnixMs>,
    /// Those that come after this run in the list, which shows the newest first: the next page. None, if there is no such run.
    pub before: Option<RunId>,
}
