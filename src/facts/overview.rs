//! What goes on right now, and what went wrong lately.

use std::collections::BTreeMap;

use recflow_state::{Result, RunFilter, RunStatus, UnixMs, View};
use schemars::JsonSchema;
use serde::Serialize;

use super::dashboard::{DaemonFact, TaskFact, daemon, running};
use super::run::ListedRun;
use crate::workspace::Workspace;

/// How far back failures are told.
const FAILURES_WITHIN_MS: i64 = 86_400_000;
/// And how many.
const FAILURES_MAX: u32 = 50;

/// What goes on.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Overview {
    /// The daemon.
    pub daemon: Option<DaemonFact>,
    /// Tasks under way, the oldest first.
    pub running: Vec<TaskFact>,
    /// Runs that wait to be executed, by pipeline.
    pub queued: BTreeMap<String, u32>,
    /// Runs created within 24 hours that failed, newest first, at most 50.
    pub failures: Vec<ListedRun>,
}

impl Overview {
    /// Looks at the store.
    pub fn of(view: &View<'_>, workspace: &Workspace, now: UnixMs) -> Result<Self> {
        let since = UnixMs(now.0 - FAILURES_WITHIN_MS);
        let filter = RunFilter { status: Some(RunStatus::Failed), since: Some(since), ..RunFilter::default() };
        let failed = view.runs(FAILURES_MAX, &filter)?;
        Ok(Self {
            daemon: daemon(view, workspace)?,
            running: running(view, workspace, now)?,
            queued: view.unclaimed()?.into_iter().collect(),
            failures: failed.iter().map(|run| ListedRun::of(workspace, run, now)).collect(),
        })
    }
}
