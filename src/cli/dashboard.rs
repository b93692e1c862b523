//! What `recflow status` shows of a workspace: its pipelines, what is under way, what waits, and whether a daemon is there.
//!
//! Read from the store at one instant, and from the files in `pipelines/` as they are now: so an edit that is not valid is seen although
//! no daemon has looked at it. The cost grows with the number of pipelines, not with the number of runs.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use recflow_stages::Catalog;
use recflow_state::{PipelineRow, Result, RunFilter, RunStatus, UnixMs, View};
use serde::Serialize;

use super::facts::{self, RunReport};
use crate::engine::owner::{Liveness, liveness};
use crate::engine::timestamp;
use crate::pipeline::{Loaded, Pipeline, files_in, load, load_file};
use crate::scheduler::{Firing, firings};
use crate::upkeep::presence::Presence;
use crate::workspace::Workspace;

/// Results that a pipeline is shown with.
const RESULTS: u32 = 10;

/// A workspace as `status --json` shows it.
#[derive(Debug, Serialize)]
pub(super) struct Dashboard {
    /// The daemon that was there last; null if there never was one.
    pub(super) daemon: Option<DaemonFact>,
    /// By name.
    pub(super) pipelines: Vec<PipelineFact>,
    /// Tasks under way, the oldest first.
    pub(super) running: Vec<TaskFact>,
    /// Runs that wait to be executed, by pipeline.
    pub(super) queued: BTreeMap<String, u32>,
    /// Whether anything has ever run here.
    #[serde(skip)]
    pub(super) any_run: bool,
}

/// The daemon.
#[derive(Debug, Serialize)]
pub(super) struct DaemonFact {
    pub(super) alive: bool,
    pub(super) pid: u32,
    /// RFC 3339.
    pub(super) started_at: String,
    /// Where it answers over HTTP.
    pub(super) address: Option<String>,
}

/// A pipeline.
#[derive(Debug, Serialize)]
pub(super) struct PipelineFact {
    pub(super) pipeline: String,
    /// The file that defines it; null for one that was only ever run by its path.
    pub(super) file: Option<String>,
    pub(super) paused: bool,
    /// Why the text that is there now is not valid; the version before stays in force.
    pub(super) error: Option<String>,
    /// Its newest run.
    pub(super) last: Option<RunReport>,
    /// How its last runs stand, the newest last.
    pub(super) results: Vec<&'static str>,
    /// When it fires next, RFC 3339; null without a schedule, and while it is paused.
    pub(super) next: Option<String>,
    #[serde(skip)]
    pub(super) firing: Option<Firing>,
}

/// A task under way.
#[derive(Debug, Serialize)]
pub(super) struct TaskFact {
    pub(super) run: String,
    pub(super) pipeline: String,
    pub(super) task: String,
    pub(super) stage: String,
    pub(super) attempts: u32,
    /// Since its first attempt started.
    pub(super) seconds: Option<f64>,
}

impl Dashboard {
    /// Looks at everything. Without a store there are the files alone.
    pub(super) fn look(view: Option<&View<'_>>, workspace: &Workspace, now: UnixMs) -> Result<Self> {
        let files = files(workspace);
        let Some(view) = view else {
            let pipelines = merge(files, Vec::new(), Vec::new());
            let pipelines = pipelines.into_iter().map(|(name, known)| known.fact(name, now, None, Vec::new())).collect();
            return Ok(Self { daemon: None, pipelines, running: Vec::new(), queued: BTreeMap::new(), any_run: false });
        };
        let with_runs = view.pipelines_with_runs()?;
        let any_run = !with_runs.is_empty();
        let mut pipelines = Vec::new();
        for (name, known) in merge(files, view.pipelines()?, with_runs) {
            let filter = RunFilter { pipeline: Some(name.clone()), ..RunFilter::default() };
            let runs = view.runs(RESULTS, &filter)?;
            let mut reports: Vec<RunReport> = runs.iter().map(|run| facts::brief(workspace, run, now)).collect();
            let results = reports.iter().rev().map(|report| report.status).collect();
            let last = (!reports.is_empty()).then(|| reports.swap_remove(0));
            let in_force = known.in_force(view)?;
            pipelines.push(Known { pipeline: in_force, ..known }.fact(name, now, last, results));
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

/// What is known of a pipeline besides its runs.
#[derive(Default)]
struct Known {
    file: Option<String>,
    pipeline: Option<Pipeline>,
    error: Option<String>,
    row: Option<PipelineRow>,
}

impl Known {
    /// The definition that counts: that of the file if it is valid, else the last valid one that a daemon has seen.
    fn in_force(&self, view: &View<'_>) -> Result<Option<Pipeline>> {
        let version = self.row.as_ref().filter(|row| row.present).and_then(|row| row.version);
        match (&self.pipeline, version) {
            (Some(pipeline), _) => Ok(Some(pipeline.clone())),
            (None, Some(version)) if self.file.is_some() => {
                Ok(load(&view.pipeline_text(version)?.text, self.file.as_deref().unwrap_or_default(), Catalog::builtin()).pipeline)
            }
            (None, _) => Ok(None),
        }
    }

    fn fact(self, pipeline: String, now: UnixMs, last: Option<RunReport>, results: Vec<&'static str>) -> PipelineFact {
        // What no daemon has seen yet begins as its text says.
        let paused = match &self.row {
            Some(row) => row.paused_at.is_some(),
            None => self.pipeline.as_ref().is_some_and(|pipeline| pipeline.paused),
        };
        let firing = self.pipeline.as_ref().filter(|_| !paused).and_then(|pipeline| next(pipeline, timestamp(now)));
        let next = firing.as_ref().map(|firing| firing.at.to_string());
        PipelineFact { pipeline, file: self.file, paused, error: self.error, last, results, next, firing }
    }
}

/// When a pipeline fires next.
fn next(pipeline: &Pipeline, now: Timestamp) -> Option<Firing> {
    pipeline.schedules.iter().filter_map(|schedule| firings(schedule, now).next()).min_by_key(|firing| firing.at)
}

/// The files in `pipelines/`, each with what it defines. A folder that is not there has none.
fn files(workspace: &Workspace) -> Vec<(String, Loaded)> {
    let paths = files_in(&workspace.root().join("pipelines")).unwrap_or_default();
    let shown = |path: &Path| path.strip_prefix(workspace.root()).unwrap_or(path).display().to_string();
    let read = |path: &Path| load_file(path, Catalog::builtin()).unwrap_or_else(|error| Loaded::unreadable(&shown(path), &error));
    paths.iter().map(|path| (shown(path), read(path))).collect()
}

/// All pipelines by name: of the files, of the store, of the runs.
fn merge(files: Vec<(String, Loaded)>, rows: Vec<PipelineRow>, with_runs: Vec<String>) -> BTreeMap<String, Known> {
    let mut known: BTreeMap<String, Known> = with_runs.into_iter().map(|name| (name, Known::default())).collect();
    for row in rows {
        // One whose file is gone is shown while it has runs.
        if row.present || known.contains_key(&row.name) {
            let name = row.name.clone();
            known.entry(name).or_default().row = Some(row);
        }
    }
    for (file, loaded) in files {
        let error = loaded.diagnostics.iter().find(|diagnostic| diagnostic.is_error()).map(|diagnostic| diagnostic.message.clone());
        let name = match &loaded.pipeline {
            Some(pipeline) => pipeline.name.clone(),
            None => name_of_invalid(&file, &known),
        };
        let entry = known.entry(name).or_default();
        // Of two files that define one pipeline, the first counts.
        if entry.file.is_none() {
            (entry.file, entry.pipeline, entry.error) = (Some(file), loaded.pipeline, error);
        }
    }
    known
}

/// The pipeline that a file defined when it was valid; else it has the name of its file.
fn name_of_invalid(file: &str, known: &BTreeMap<String, Known>) -> String {
    let defined = known.iter().find(|(_, known)| {
        let before = known.row.as_ref().and_then(|row| row.file.as_deref());
        before.is_some_and(|before| Path::new(before).ends_with(file))
    });
    let stem = || Path::new(file).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    defined.map_or_else(stem, |(name, _)| name.clone())
}

fn daemon(view: &View<'_>, workspace: &Workspace) -> Result<Option<DaemonFact>> {
    Ok(Presence::find(view)?.map(|daemon| DaemonFact {
        alive: daemon.is_alive(workspace),
        pid: daemon.pid,
        started_at: daemon.started_at,
        address: daemon.address,
    }))
}

/// The tasks that a live process executes.
fn running(view: &View<'_>, workspace: &Workspace, now: UnixMs) -> Result<Vec<TaskFact>> {
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
        seconds: task.started_at.map(|start| (now.0 - start.0).max(0) as f64 / 1e3),
    };
    Ok(tasks.map(fact).collect())
}

/// Whether a run is one that a person may want to look at: it did not end well.
pub(super) fn needs_attention(status: &str) -> bool {
    status == "interrupted" || RunStatus::parse(status) == Ok(RunStatus::Failed)
}
