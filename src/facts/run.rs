//! A run as `--json` shows it: a stable contract.
//!
//! `{"run", "pipeline", "status", "trigger", "logical_date", "seconds", "params", "tasks": {ID: {"state", "attempts",
//! "seconds", "peak_rss_mb", "output", "error"}}}`; a list of runs has no `tasks`.

use std::collections::BTreeMap;

use recflow_state::{AttemptRow, Result, Run, RunId, RunStatus, UnixMs, View};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::task::Tasks;
use super::units::{seconds, time};
use crate::engine::{Standing, standing};
use crate::workspace::Workspace;

/// A run.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RunReport {
    /// Its id.
    pub run: String,
    /// Its pipeline.
    pub pipeline: String,
    /// One of `queued`, `running`, `succeeded`, `failed`, `cancelled`, `interrupted`.
    pub status: &'static str,
    /// What created it: `manual`, `schedule`, `event`, `backfill` or `simulation`.
    pub trigger: &'static str,
    /// The instant that it stands for, RFC 3339.
    pub logical_date: String,
    /// From start to end, or to now; null if it has not started.
    pub seconds: Option<f64>,
    /// Its parameters, resolved.
    pub params: Value,
    /// Its tasks by id, in the pipeline's order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks: Option<Tasks>,
    /// Why it ended as it did, for people.
    #[serde(skip)]
    pub reason: Option<String>,
    /// When it was created.
    #[serde(skip)]
    pub created_at: UnixMs,
    /// What a command about this run needs behind it, from here: `` or ` --workspace DIR`.
    #[serde(skip)]
    pub flags: String,
    /// recflow's own folder, from here.
    #[serde(skip)]
    pub home: String,
}

/// A run in a list: what `status` shows, and when and why.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ListedRun {
    /// What `status` shows.
    #[serde(flatten)]
    pub report: RunReport,
    /// RFC 3339, as the two below; null before it happened.
    pub created_at: String,
    /// When its first task could start.
    pub started_at: Option<String>,
    /// When it was over.
    pub ended_at: Option<String>,
    /// Why it ended as it did, for people.
    pub reason: Option<String>,
    /// What led to it: the slot, the files, the run of another pipeline.
    pub cause: Option<Value>,
}

impl ListedRun {
    /// A run as a list shows it.
    pub fn of(workspace: &Workspace, row: &Run, now: UnixMs) -> Self {
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

/// A run without its tasks.
pub fn brief(workspace: &Workspace, row: &Run, now: UnixMs) -> RunReport {
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
        logical_date: time(row.logical_date),
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
pub fn full(workspace: &Workspace, view: &View<'_>, id: &RunId, now: UnixMs) -> Result<RunReport> {
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
        super::task::report(task, tries, output, if interrupted { None } else { Some(now) })
    });
    report.tasks = Some(Tasks(tasks.collect()));
    Ok(report)
}
