//! Pipelines as people look at them: a card with the last runs, and everything about one.

use std::collections::BTreeMap;
use std::sync::Arc;

use recflow_state::{Result, Run, RunFilter, RunStatus, UnixMs, View};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::definitions::Definitions;
use super::firings::schedule_words;
use super::graph::Graph;
use super::known::{Known, next_firing};
use super::params;
use super::run::ListedRun;
use super::units::time;
use crate::engine::{Standing, standing, timestamp};
use crate::pipeline::{DiagnosticReport, Limits, Loaded, Pipeline};
use crate::workspace::Workspace;

/// Results that a card shows.
const RESULTS_MAX: u32 = 20;

/// A pipeline in a list.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PipelineCard {
    /// Its name.
    pub pipeline: String,
    /// The file that defines it, relative to the workspace; null for one that was only ever run by its path.
    pub file: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// For filters.
    pub tags: Vec<String>,
    /// Whether it starts by hand only.
    pub paused: bool,
    /// Why the text that is there now is not valid; the version before stays in force.
    pub error: Option<String>,
    /// When and why it starts by itself, a line for each schedule and trigger.
    pub schedule: Vec<String>,
    /// When it fires next, RFC 3339; null without a schedule, and while it is paused.
    pub next: Option<String>,
    /// `gap` or `overlap` if a change of the clock plays a part in that.
    pub next_dst: Option<&'static str>,
    /// Its newest run.
    pub last: Option<ListedRun>,
    /// Its last runs, at most 20, the newest last.
    pub results: Vec<RunResult>,
    /// The share of these that succeeded, of those that are over.
    pub success_rate: Option<f64>,
    /// Median duration of those that succeeded.
    pub median_seconds: Option<f64>,
    /// Runs under way.
    pub running: u32,
    /// Runs that wait to be executed.
    pub queued: u32,
}

/// A run in a strip of results.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RunResult {
    /// Its id.
    pub run: String,
    /// Where it stands.
    pub status: &'static str,
    /// From start to end, or to now.
    pub seconds: Option<f64>,
}

/// A pipeline in full.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PipelineDetail {
    /// What a list shows of it.
    #[serde(flatten)]
    pub card: PipelineCard,
    /// JSON Schema (draft 2020-12) of the parameters of a run, with their defaults.
    pub params: Value,
    /// The tasks that its next run would have.
    pub graph: Graph,
    /// How many of its runs may be active at once.
    pub max_active_runs: Option<u32>,
    /// What else makes it start.
    pub triggers: Vec<String>,
    /// The last valid version that a daemon has seen.
    pub version: Option<VersionBrief>,
    /// What is wrong or odd with the file as it is now.
    pub diagnostics: Vec<DiagnosticReport>,
}

/// Which version of a text.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct VersionBrief {
    /// Its number.
    pub id: i64,
    /// When it was first seen, RFC 3339.
    pub at: String,
}

/// What a look at pipelines stands on.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// The store at one instant.
    pub view: &'a View<'a>,
    /// Whose pipelines.
    pub workspace: &'a Workspace,
    /// What was parsed.
    pub definitions: &'a Definitions,
    /// Now.
    pub now: UnixMs,
}

impl PipelineCard {
    /// What a list shows of a pipeline. `queued` counts its runs that nobody executes yet.
    pub fn of(name: &str, known: &Known, queued: u32, look: &Look<'_>) -> Result<Self> {
        let in_force = known.in_force(look.view, look.definitions)?;
        Self::with(name, known, in_force.as_ref().and_then(|loaded| loaded.pipeline.as_ref()), queued, look)
    }

    fn with(name: &str, known: &Known, pipeline: Option<&Pipeline>, queued: u32, look: &Look<'_>) -> Result<Self> {
        let filter = RunFilter { pipeline: Some(name.to_owned()), ..RunFilter::default() };
        let rows = look.view.runs(RESULTS_MAX, &filter)?;
        let listed: Vec<ListedRun> = rows.iter().map(|row| ListedRun::of(look.workspace, row, look.now)).collect();
        let paused = known.is_paused();
        let firing = pipeline.filter(|_| !paused).and_then(|pipeline| next_firing(pipeline, timestamp(look.now)));
        let is_live = |run: &&Run| matches!(standing(look.workspace, run), Standing::Live { .. });
        Ok(Self {
            pipeline: name.to_owned(),
            file: known.file.clone(),
            description: pipeline.and_then(|pipeline| pipeline.description.clone()),
            tags: pipeline.map(|pipeline| pipeline.tags.clone()).unwrap_or_default(),
            paused,
            error: known.error(),
            schedule: pipeline.map(starts_by).unwrap_or_default(),
            next: firing.as_ref().map(|firing| firing.at.to_string()),
            next_dst: firing.and_then(|firing| firing.dst).map(|mark| mark.word()),
            success_rate: success_rate(&rows),
            median_seconds: median_of_successes(&listed),
            results: listed.iter().rev().map(RunResult::of).collect(),
            last: listed.into_iter().next(),
            running: look.view.active_runs(name)?.iter().filter(is_live).count() as u32,
            queued,
        })
    }
}

impl RunResult {
    fn of(run: &ListedRun) -> Self {
        Self { run: run.report.run.clone(), status: run.report.status, seconds: run.report.seconds }
    }
}

impl PipelineDetail {
    /// Everything about a pipeline. `limits` are those of the workspace, which a valid text may exceed.
    pub fn of(name: &str, known: &Known, limits: &Limits, look: &Look<'_>) -> Result<Self> {
        let in_force = known.in_force(look.view, look.definitions)?;
        let pipeline = in_force.as_ref().and_then(|loaded| loaded.pipeline.as_ref());
        let queued = look.view.unclaimed()?.into_iter().find(|(pipeline, _)| pipeline == name).map_or(0, |(_, count)| count);
        let version = known.row.as_ref().and_then(|row| row.version);
        let text = version.map(|version| look.view.pipeline_text(version).map(|text| (version, text))).transpose()?;
        Ok(Self {
            card: PipelineCard::with(name, known, pipeline, queued, look)?,
            params: pipeline.map_or_else(|| Value::Object(serde_json::Map::new()), params::schema),
            graph: pipeline.map_or_else(|| Graph { nodes: Vec::new(), edges: Vec::new() }, Graph::of),
            max_active_runs: pipeline.and_then(|pipeline| pipeline.max_active_runs),
            triggers: pipeline.map(|pipeline| pipeline.triggers.iter().map(|on| on.key()).collect()).unwrap_or_default(),
            version: text.map(|(version, text)| VersionBrief { id: version.0, at: time(text.created_at) }),
            diagnostics: known.loaded.as_ref().map(|loaded| diagnostics(loaded, limits)).unwrap_or_default(),
        })
    }
}

/// What is wrong or odd with a text, its place in this workspace included.
pub fn diagnostics(loaded: &Arc<Loaded>, limits: &Limits) -> Vec<DiagnosticReport> {
    loaded.report_within(limits).diagnostics
}

/// Cards of the first `limit` pipelines for which `wants` holds, by name.
pub fn cards(
    known: &BTreeMap<String, Known>,
    limit: usize,
    look: &Look<'_>,
    wants: impl Fn(&str, Option<&Pipeline>) -> bool,
) -> Result<Vec<PipelineCard>> {
    let queued: BTreeMap<String, u32> = look.view.unclaimed()?.into_iter().collect();
    let mut cards = Vec::new();
    for (name, known) in known {
        let in_force = known.in_force(look.view, look.definitions)?;
        let pipeline = in_force.as_ref().and_then(|loaded| loaded.pipeline.as_ref());
        if cards.len() == limit {
            break;
        }
        if wants(name, pipeline) {
            cards.push(PipelineCard::with(name, known, pipeline, queued.get(name).copied().unwrap_or(0), look)?);
        }
    }
    Ok(cards)
}

fn starts_by(pipeline: &Pipeline) -> Vec<String> {
    let schedules = pipeline.schedules.iter().map(schedule_words);
    schedules.chain(pipeline.triggers.iter().map(|on| format!("on {}", on.key()))).collect()
}

fn success_rate(rows: &[Run]) -> Option<f64> {
    let over = rows.iter().filter(|row| row.status.is_terminal()).count();
    let well = rows.iter().filter(|row| row.status == RunStatus::Succeeded).count();
    (over > 0).then(|| well as f64 / over as f64)
}

fn median_of_successes(runs: &[ListedRun]) -> Option<f64> {
    let succeeded = runs.iter().filter(|run| run.report.status == RunStatus::Succeeded.as_str());
    let mut seconds: Vec<f64> = succeeded.filter_map(|run| run.report.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    match seconds.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(seconds[odd / 2]),
        even => Some((seconds[even / 2 - 1] + seconds[even / 2]) / 2.0),
    }
}
