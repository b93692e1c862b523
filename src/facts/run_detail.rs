//! Everything about one run, for whoever watches it.

use std::collections::BTreeMap;

use recflow_state::{AttemptRow, Result, RunId, RunStatus, UnixMs, View};
use schemars::JsonSchema;
use serde::Serialize;

use super::definitions::Definitions;
use super::graph::Graph;
use super::run::ListedRun;
use super::task_detail::TaskBrief;
use crate::engine::{Standing, standing};
use crate::workspace::Workspace;

/// A run in full.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RunDetail {
    /// What a list shows of it.
    #[serde(flatten)]
    pub listed: ListedRun,
    /// The version of the pipeline that it executes.
    pub version: VersionNumber,
    /// The process that executes it, or did; null before one claims it.
    pub owner: Option<Owner>,
    /// The tasks of that version; empty if this recflow does not accept its text any more.
    pub graph: Graph,
    /// Its tasks, in the pipeline's order.
    pub tasks: Vec<TaskBrief>,
    /// The backfill that it belongs to.
    pub backfill: Option<i64>,
    /// The run whose outputs it started with.
    pub replay_of: Option<String>,
    /// Whether it can go on: it failed, was cancelled or was interrupted.
    pub resumable: bool,
    /// Whether it can be cancelled.
    pub cancellable: bool,
}

/// Which version of a pipeline's text.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct VersionNumber {
    /// Its number.
    pub id: i64,
}

/// A process that executes runs.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct Owner {
    /// Its number; null where it is not known any more.
    pub pid: Option<u32>,
    /// Whether it lives.
    pub alive: bool,
}

impl RunDetail {
    /// Everything about a run.
    ///
    /// # Errors
    /// If there is no such run, or the store cannot be read.
    pub fn of(id: &RunId, view: &View<'_>, workspace: &Workspace, definitions: &Definitions, now: UnixMs) -> Result<Self> {
        let row = view.run(id)?;
        let stands = standing(workspace, &row);
        let listed = ListedRun::of(workspace, &row, now);
        let loaded = definitions.version(view, row.version)?;
        let interrupted = listed.report.status == "interrupted";
        let mut attempts: BTreeMap<String, Vec<AttemptRow>> = BTreeMap::new();
        for attempt in view.attempts(id)? {
            attempts.entry(attempt.task_id.clone()).or_default().push(attempt);
        }
        let mut outputs = view.outputs(id)?;
        let tasks = view.tasks(id)?.into_iter().map(|task| {
            let tries = attempts.remove(&task.task_id).unwrap_or_default();
            let output = outputs.remove(&task.task_id);
            TaskBrief::of(task, &tries, output, (!interrupted).then_some(now))
        });
        Ok(Self {
            listed,
            version: VersionNumber { id: row.version.0 },
            owner: match stands {
                Standing::Live { pid } => Some(Owner { pid, alive: true }),
                _ if row.owner.is_some() => Some(Owner { pid: None, alive: false }),
                _ => None,
            },
            graph: loaded.pipeline.as_ref().map_or_else(|| Graph { nodes: Vec::new(), edges: Vec::new() }, Graph::of),
            tasks: tasks.collect(),
            backfill: row.backfill,
            replay_of: row.replay_of.as_ref().map(ToString::to_string),
            resumable: match stands {
                Standing::Over => row.status != RunStatus::Succeeded,
                Standing::Interrupted => true,
                Standing::Live { .. } | Standing::Unclaimed => false,
            },
            cancellable: stands != Standing::Over,
        })
    }
}
