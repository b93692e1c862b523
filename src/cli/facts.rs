//! A run as `--json` shows it: a stable contract.
//!
//! `{"run", "pipeline", "status", "trigger", "logical_date", "seconds", "params", "tasks": {ID: {"state", "attempts",
//! "seconds", "peak_rss_mb", "output", "error"}}}`; a list of runs has no `tasks`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use recflow_stages::StageError;
use recflow_state::{AttemptRow, Damage, Result, Run, RunId, RunStatus, TaskRow, UnixMs, View};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::engine::{Standing, standing, timestamp};
use crate::workspace::Workspace;

/// A run.
#[derive(Debug, Serialize)]
pub(super) struct RunReport {
    pub(super) run: String,
    pub(super) pipeline: String,
    /// One of `queued`, `running`, `succeeded`, `failed`, `cancelled`, `interrupted`.
    pub(super) status: &'static str,
    pub(super) trigger: &'static str,
    /// RFC 3339.
    pub(super) logical_date: String,
    /// From start to end, or to now; null if it has not started.
    pub(super) seconds: Option<f64>,
    pub(super) params: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tasks: Option<BTreeTasks>,
    #[serde(skip)]
    pub(super) reason: Option<String>,
    #[serde(skip)]
    pub(super) created_at: UnixMs,
    /// What a command about this run needs behind it, from here: `` or ` --workspace DIR`.
    #[serde(skip)]
    pub(super) flags: String,
    /// recflow's own folder, from here.
    #[serde(skip)]
    pub(super) home: String,
}

/// A run in a list: what `status` shows, and when and why.
#[derive(Debug, Serialize)]
pub(super) struct ListedRun {
    #[serde(flatten)]
    pub(super) report: RunReport,
    /// RFC 3339, as the two below; null before it happened.
    pub(super) created_at: String,
    pub(super) started_at: Option<String>,
    pub(super) ended_at: Option<String>,
    /// Why it ended as it did, for people.
    pub(super) reason: Option<String>,
    /// What led to it: the slot, the files, the run of another pipeline.
    pub(super) cause: Option<Value>,
}

impl ListedRun {
    /// A run as a list shows it.
    pub(super) fn of(workspace: &Workspace, row: &Run, now: UnixMs) -> Self {
        Self {
            report: brief(workspace, row, now),
            created_at: time(row.created_at),
            started_at: row.started_at.map(time),
            ended_at: row.ended_at.map(time),
            reason: row.reason.clone(),
            cause: row.cause.clone(),
        }
    }
}

/// An instant as JSON has it.
pub(super) fn time(at: UnixMs) -> String {
    timestamp(at).to_string()
}

/// Tells of rows that could not be read and were left out.
pub(super) fn warn_of_damage(damage: &[Damage]) -> io::Result<()> {
    for row in damage {
        writeln!(io::stderr(), "warning: a row of the store is damaged and left out: {row}")?;
    }
    if !damage.is_empty() {
        writeln!(io::stderr(), "hint: `recflow doctor` checks the store; docs/operations.md says how to restore a backup")?;
    }
    Ok(())
}

/// Tasks in the pipeline's order.
#[derive(Debug)]
pub(super) struct BTreeTasks(pub(super) Vec<TaskReport>);

impl Serialize for BTreeTasks {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|task| (&task.id, task)))
    }
}

/// A task.
#[derive(Debug, Serialize)]
pub(super) struct TaskReport {
    #[serde(skip)]
    pub(super) id: String,
    #[serde(skip)]
    pub(super) stage: String,
    pub(super) state: &'static str,
    pub(super) attempts: u32,
    /// From its first attempt's start to its end, or to now; null if it never started.
    pub(super) seconds: Option<f64>,
    /// Of the largest of its processes, in MiB; null without a process.
    pub(super) peak_rss_mb: Option<f64>,
    pub(super) output: Option<Value>,
    /// What went wrong, causes included.
    pub(super) error: Option<String>,
    #[serde(skip)]
    pub(super) hint: Option<String>,
    #[serde(skip)]
    pub(super) reason: Option<String>,
    #[serde(skip)]
    pub(super) tries: Vec<AttemptRow>,
}

/// A run without its tasks.
pub(super) fn brief(workspace: &Workspace, row: &Run, now: UnixMs) -> RunReport {
    let status = match standing(workspace, row) {
        // Nobody has claimed it yet: it waits for a daemon or a limit.
        Standing::Interrupted if row.status == RunStatus::Queued && row.owner.is_none() => "queued",
        Standing::Interrupted => "interrupted",
        Standing::Over | Standing::Unclaimed | Standing::Live { .. } => row.status.as_str(),
    };
    // Nobody knows when an interrupted run stopped: its time does not go on.
    let end = row.ended_at.or((status != "interrupted").then_some(now));
    RunReport {
        run: row.id.as_str().to_owned(),
        pipeline: row.pipeline.clone(),
        status,
        trigger: row.trigger.as_str(),
        logical_date: timestamp(row.logical_date).to_string(),
        seconds: row.started_at.zip(end).map(|(start, end)| seconds(start, end)),
        params: row.params.clone(),
        tasks: None,
        reason: row.reason.clone(),
        created_at: row.created_at,
        flags: workspace.flags(),
        home: workspace.home_from_here(),
    }
}

/// A run with its tasks.
pub(super) fn full(workspace: &Workspace, view: &View<'_>, id: &RunId, now: UnixMs) -> Result<RunReport> {
    let row = view.run(id)?;
    let mut report = brief(workspace, &row, now);
    let mut outputs = view.outputs(id)?;
    let mut attempts: BTreeMap<String, Vec<AttemptRow>> = BTreeMap::new();
    for attempt in view.attempts(id)? {
        attempts.entry(attempt.task_id.clone()).or_default().push(attempt);
    }
    let interrupted = report.status == "interrupted";
    let tasks = view.tasks(id)?.into_iter().map(|task| {
        let tries = attempts.remove(&task.task_id).unwrap_or_default();
        let output = outputs.remove(&task.task_id);
        task_report(task, tries, output, if interrupted { None } else { Some(now) })
    });
    report.tasks = Some(BTreeTasks(tasks.collect()));
    Ok(report)
}

fn task_report(task: TaskRow, tries: Vec<AttemptRow>, output: Option<Value>, now: Option<UnixMs>) -> TaskReport {
    let error: Option<StageError> = task.error.and_then(|error| serde_json::from_value(error).ok());
    let failed = task.state == recflow_state::TaskState::Failed;
    TaskReport {
        state: task.state.as_str(),
        attempts: task.attempts,
        seconds: task.started_at.zip(task.ended_at.or(now)).map(|(start, end)| seconds(start, end)),
        peak_rss_mb: tries.iter().filter_map(|attempt| attempt.peak_rss_bytes).max().map(mebibytes),
        // An output that a cleared task had before is not its output now.
        output: output.filter(|_| task.state == recflow_state::TaskState::Succeeded),
        // A timeout has a reason and no error of the stage's own.
        error: error.as_ref().map(ToString::to_string).or_else(|| task.reason.clone().filter(|_| failed)),
        hint: error.and_then(|error| error.hint),
        reason: task.reason,
        id: task.task_id,
        stage: task.stage,
        tries,
    }
}

fn seconds(start: UnixMs, end: UnixMs) -> f64 {
    (end.0 - start.0).max(0) as f64 / 1e3
}

/// Bytes in MiB, to a tenth.
fn mebibytes(bytes: u64) -> f64 {
    (bytes as f64 / 1_048_576.0 * 10.0).round() / 10.0
}

/// A value below an output: `unseen_items.ndcg_at_k`, `reasons.0`.
pub(super) fn field<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(value, |value, step| match value {
        Value::Object(members) => members.get(step),
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

/// The names below a value, for messages.
pub(super) fn names(value: &Value) -> Vec<&str> {
    value.as_object().map(Map::keys).into_iter().flatten().map(String::as_str).collect()
}
