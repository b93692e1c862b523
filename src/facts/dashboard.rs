//! What `recflow status` shows of a workspace: its pipelines, what is under way, what waits, and whether a daemon is there.
//!
//! Read from the store at one instant, and from the files in `pipelines/` as they are now: so an edit that is not valid is seen although
//! no daemon has looked at it. The cost grows with the number of pipelines, not with the number of runs.

use std::collections::BTreeMap;

use recflow_state::{Result, RunFilter, RunStatus, UnixMs, View};
use schemars::JsonSchema;
use serde::Serialize;

use super::definitions::Definitions;
use super::known::{Known, next_firing, pipelines};
use super::run::{RunReport, brief};
use super::units::seconds;
use crate::engine::owner::{Liveness, liveness};
use crate::engine::timestamp;
use crate::pipeline::Pipeline;
use crate::scheduler::Firing;
use crate::upkeep::presence::Presence;
use crate::workspace::Workspace;

/// Results that a pipeline is shown with.
const RESULTS: u32 = 10;

/// A workspace as `status --json` shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Dashboard {
    /// The daemon that was there last; null if there never was one.
    pub daemon: Option<DaemonFact>,
    /// By name.
    pub pipelines: Vec<PipelineFact>,
    /// Tasks under way, the oldest first.
    pub running: Vec<TaskFact>,
    /// Runs that wait to be executed, by pipeline.
    pub queued: BTreeMap<String, u32>,
    /// Whether anything has ever run here.
    #[serde(skip)]
    pub any_run: bool,
}

/// The daemon.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DaemonFact {
    /// Whether it lives.
    pub alive: bool,
    /// Its process.
    pub pid: u32,
    /// When it started, RFC 3339.
    pub started_at: String,
    /// Where it answers over HTTP.
    pub address: Option<String>,
}

/// A pipeline.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PipelineFact {
    /// Its name.
    pub pipeline: String,
    /// The file that defines it; null for one that was only ever run by its path.
    pub file: Option<String>,
    /// Whether it starts by hand only.
    pub paused: bool,
    /// Why the text that is there now is not valid; the version before stays in force.
    pub error: Option<String>,
    /// Its newest run.
    pub last: Option<RunReport>,
    /// How its last runs stand, the newest last.
    pub results: Vec<&'static str>,
    /// When it fires next, RFC 3339; null without a schedule, and while it is paused.
    pub next: Option<String>,
    /// The same, with the wall clock of its zone.
    #[serde(skip)]
    pub firing: Option<Firing>,
}

/// A task under way.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TaskFact {
    /// Its run.
    pub run: String,
    /// The pipeline of that.
    pub pipeline: String,
    /// Its id there.
    pub task: String,
    /// Its stage.
    pub stage: String,
    /// Attempts started.
    pub attempts: u32,
    /// Since its first attempt started.
    pub seconds: Option<f64>,
}

impl Dashboard {
    /// Looks at everything. Without a store there are the files alone.
    pub fn look(view: Option<&View<'_>>, workspace: &Workspace, now: UnixMs) -> Result<Self> {
        let definitions = Definitions::default();
        let known = pipelines(view, workspace, &definitions)?;
        let Some(view) = view else {
            let fact = |(name, known): (String, Known)| {
                let loaded = known.loaded.clone();
                let pipeline = loaded.as_ref().and_then(|loaded| loaded.pipeline.as_ref());
                fact(name, known, pipeline, now, None, Vec::new())
            };
            let pipelines = known.into_iter().map(fact).collect();
            return Ok(Self { daemon: None, pipelines, running: Vec::new(), queued: BTreeMap::new(), any_run: false });
        };
        let any_run = !view.runs(1, &RunFilter::default())?.is_empty();
        let mut pipelines = Vec::new();
        for (name, known) in known {
            let filter = RunFilter { pipeline: Some(name.clone()), ..RunFilter::default() };
            let runs = view.runs(RESULTS, &filter)?;
            let mut reports: Vec<RunReport> = runs.iter().map(|run| brief(workspace, run, now)).collect();
            let results = reports.iter().rev().map(|report| report.status).collect();
            let last = (!reports.is_empty()).then(|| reports.swap_remove(0));
            let in_force = known.in_force(view, &definitions)?;
            let pipeline = in_force.as_ref().and_then(|loaded| loaded.pipeline.as_ref());
            pipelines.push(fact(name, known, pipeline, now, last, results));
        }
        Ok(Self {
            daemon: daemon(view, workspace)?,
            pipelines,
            running: running(view, workspace, now)?,
            queued: view.unclaimed()?.into_iter().collect(),
            any_run,
        })
    }
}

fn fact(
    name: String,
    known: Known,
    in_force: Option<&Pipeline>,
    now: UnixMs,
    last: Option<RunReport>,
    results: Vec<&'static str>,
) -> PipelineFact {
    let paused = known.is_paused();
    let firing = in_force.filter(|_| !paused).and_then(|pipeline| next_firing(pipeline, timestamp(now)));
    let next = firing.as_ref().map(|firing| firing.at.to_string());
    PipelineFact { pipeline: name, error: known.error(), file: known.file, paused, last, results, next, firing }
}

/// The daemon that was there last.
pub fn daemon(view: &View<'_>, workspace: &Workspace) -> Result<Option<DaemonFact>> {
    Ok(Presence::find(view)?.map(|daemon| DaemonFact {
        alive: daemon.is_alive(workspace),
        pid: daemon.pid,
        started_at: daemon.started_at,
        address: daemon.address,
    }))
}

/// The tasks that a live process executes.
pub fn running(view: &View<'_>, workspace: &Workspace, now: UnixMs) -> Result<Vec<TaskFact>> {
    let mut alive: BTreeMap<String, bool> = BTreeMap::new();
    let mut is_alive = |owner: &str| {
        let look = || matches!(liveness(&workspace.owners(), owner), Liveness::Alive { .. });
        *alive.entry(owner.to_owned()).or_insert_with(look)
    };
    let tasks = view.tasks_under_way()?.into_iter().filter(|task| task.owner.as_deref().is_some_and(&mut is_alive));
    let fact = |task: recflow_state::TaskUnderWay| TaskFact {
        run: task.run.to_string(),
        pipeline: task.pipeline,
        task: task.task,
        stage: task.stage,
        attempts: task.attempts,
        seconds: task.started_at.map(|start| seconds(start, now)),
    };
    Ok(tasks.map(fact).collect())
}

/// Whether a run is one that a person may want to look at: it did not end well.
pub fn needs_attention(status: &str) -> bool {
    status == "interrupted" || RunStatus::parse(status) == Ok(RunStatus::Failed)
}
