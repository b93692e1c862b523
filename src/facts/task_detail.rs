//! A task of a run, for whoever watches it: where it stands, and everything about each of its attempts.

use std::collections::BTreeMap;
use std::fs;

use recflow_stages::StageError;
use recflow_state::{AttemptRow, AttemptState, MetricRow, Result, RunId, TaskRow, TaskState, UnixMs, View};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::units::{mebibytes, seconds, time};
use crate::workspace::Workspace;

/// What is known of a task without its attempts.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TaskFacts {
    /// Its id in the pipeline.
    pub task: String,
    /// Its stage; `branch` for a branch.
    pub stage: String,
    /// Where it stands.
    pub state: &'static str,
    /// When it became ready, RFC 3339, as the two below.
    pub queued_at: Option<String>,
    /// When its first attempt started.
    pub started_at: Option<String>,
    /// When it was over.
    pub ended_at: Option<String>,
    /// From its first attempt's start to its end, or to now.
    pub seconds: Option<f64>,
    /// Of the largest of its processes, in MiB; null without a process.
    pub peak_rss_mb: Option<f64>,
    /// Processor time of all its attempts; null without a process.
    pub cpu_seconds: Option<f64>,
    /// How far it has come, as its stage reported it: `{phase, done, total, unit, metrics}`; null unless it is under way.
    pub progress: Option<Value>,
    /// What went wrong, causes included.
    pub error: Option<String>,
    /// What to do about that.
    pub hint: Option<String>,
    /// Why it is in this state, for people.
    pub reason: Option<String>,
    /// What it returned; null unless it succeeded.
    pub output: Option<Value>,
    /// Of a branch that ended: the tasks of the side that it took.
    pub branch_taken: Option<Vec<String>>,
}

/// A task of a run.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TaskBrief {
    /// What is known of it.
    #[serde(flatten)]
    pub facts: TaskFacts,
    /// Attempts started.
    pub attempts: u32,
}

/// A task of a run in full.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TaskDetail {
    /// What is known of it.
    #[serde(flatten)]
    pub facts: TaskFacts,
    /// The inputs of its last attempt as rendered, secrets masked.
    pub inputs: Option<Value>,
    /// Its attempts, by number.
    pub attempts: Vec<AttemptFact>,
    /// The series that its last attempt reported.
    pub metrics: Vec<Series>,
}

/// One try of a task.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AttemptFact {
    /// Which try, from 1.
    pub attempt: u32,
    /// Where it stands.
    pub state: &'static str,
    /// When it started, RFC 3339.
    pub started_at: String,
    /// When it was over.
    pub ended_at: Option<String>,
    /// From its start to its end, or to now.
    pub seconds: Option<f64>,
    /// How its process ended: `exit 0`, `signal 9 (KILL)`.
    pub exit: Option<String>,
    /// Its process.
    pub pid: Option<u32>,
    /// The most memory that it held, in MiB.
    pub peak_rss_mb: Option<f64>,
    /// Processor time that it used.
    pub cpu_seconds: Option<f64>,
    /// What went wrong.
    pub error: Option<ErrorFact>,
    /// Size of its log; null if it has none.
    pub log_bytes: Option<u64>,
}

/// What went wrong.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ErrorFact {
    /// In one line.
    pub message: String,
    /// The chain of causes.
    pub causes: Vec<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// A series that a task reported, such as the loss by iteration.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// Step and value; a value that is no number is null.
    pub points: Vec<(u64, Option<f64>)>,
}

impl TaskFacts {
    /// What the rows of a task say; `now` is the end of what is under way, `None` where that is not known.
    fn of(task: TaskRow, tries: &[AttemptRow], output: Option<Value>, now: Option<UnixMs>) -> Self {
        let error: Option<StageError> = task.error.and_then(|error| serde_json::from_value(error).ok());
        let failed = task.state == TaskState::Failed;
        let output = output.filter(|_| task.state == TaskState::Succeeded);
        let cpu: Vec<u64> = tries.iter().filter_map(|attempt| attempt.cpu_ms).collect();
        let taken = |output: &Value| serde_json::from_value(output.get("taken")?.clone()).ok();
        let under_way = tries.last().filter(|attempt| attempt.state == AttemptState::Running && task.state == TaskState::Running);
        Self {
            state: task.state.as_str(),
            queued_at: task.queued_at.map(time),
            started_at: task.started_at.map(time),
            ended_at: task.ended_at.map(time),
            seconds: task.started_at.zip(task.ended_at.or(now)).map(|(start, end)| seconds(start, end)),
            peak_rss_mb: tries.iter().filter_map(|attempt| attempt.peak_rss_bytes).max().map(mebibytes),
            cpu_seconds: (!cpu.is_empty()).then(|| cpu.iter().sum::<u64>() as f64 / 1e3),
            progress: under_way.and_then(|attempt| attempt.progress.clone()),
            // A timeout has a reason and no error of the stage's own.
            error: error.as_ref().map(ToString::to_string).or_else(|| task.reason.clone().filter(|_| failed)),
            hint: error.and_then(|error| error.hint),
            reason: task.reason,
            branch_taken: output.as_ref().filter(|_| task.stage == "branch").and_then(taken),
            output,
            task: task.task_id,
            stage: task.stage,
        }
    }
}

impl TaskBrief {
    /// What the rows of a task say.
    pub fn of(task: TaskRow, tries: &[AttemptRow], output: Option<Value>, now: Option<UnixMs>) -> Self {
        let attempts = task.attempts;
        Self { facts: TaskFacts::of(task, tries, output, now), attempts }
    }
}

impl TaskDetail {
    /// Everything about a task; `None` if the run has no such task. `is_interrupted` says that nobody knows when its end was.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn of(run: &RunId, task: &str, is_interrupted: bool, view: &View<'_>, workspace: &Workspace, now: UnixMs) -> Result<Option<Self>> {
        let Some(row) = view.task(run, task)? else { return Ok(None) };
        let tries = view.attempts_of(run, task)?;
        let now = (!is_interrupted).then_some(now);
        let last = tries.last().map_or(0, |attempt| attempt.number);
        let metrics = view.metrics(run, task)?;
        Ok(Some(Self {
            inputs: tries.last().and_then(|attempt| attempt.inputs.clone()),
            attempts: tries.iter().map(|attempt| AttemptFact::of(attempt, workspace, now)).collect(),
            metrics: series(metrics.into_iter().filter(|metric| metric.attempt == last)),
            facts: TaskFacts::of(row, &tries, view.output(run, task)?, now),
        }))
    }
}

impl AttemptFact {
    fn of(row: &AttemptRow, workspace: &Workspace, now: Option<UnixMs>) -> Self {
        let error: Option<StageError> = row.error.clone().and_then(|error| serde_json::from_value(error).ok());
        let bytes = |log: &String| fs::metadata(workspace.home().join(log)).ok().map(|metadata| metadata.len());
        Self {
            attempt: row.number,
            state: row.state.as_str(),
            started_at: time(row.started_at),
            ended_at: row.ended_at.map(time),
            seconds: row.ended_at.or(now).map(|end| seconds(row.started_at, end)),
            exit: row.exit.clone(),
            pid: row.pid,
            peak_rss_mb: row.peak_rss_bytes.map(mebibytes),
            cpu_seconds: row.cpu_ms.map(|ms| ms as f64 / 1e3),
            error: error.map(|error| ErrorFact { message: error.message, causes: error.causes, hint: error.hint }),
            log_bytes: row.log.as_ref().and_then(bytes),
        }
    }
}

fn series(metrics: impl Iterator<Item = MetricRow>) -> Vec<Series> {
    let mut found: BTreeMap<String, Vec<(u64, Option<f64>)>> = BTreeMap::new();
    for metric in metrics {
        found.entry(metric.name).or_default().push((metric.step, Some(metric.value).filter(|value| value.is_finite())));
    }
    found.into_iter().map(|(name, points)| Series { name, points }).collect()
}
