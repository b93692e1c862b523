//! Pipelines: the list, one in full, its grid of runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use recflow_state::View;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Api;
use super::extract::{Json, Path, Query};
use super::operation::Operation;
use super::page::{Limit, Page, read_cursor};
use crate::facts::grid::Grid;
use crate::facts::known::{self, Known};
use crate::facts::pipelines::{Look, PipelineCard, PipelineDetail, cards};
use crate::pipeline::{Pipeline, Settings, load_settings, suggest};
use crate::server::problem::Problem;

const TAG: &str = "Pipelines";
/// The list's name in its cursors.
const LIST: &str = "pipelines";

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/pipelines", "listPipelines")
            .about(TAG, "All pipelines by name, each with its last runs and when it starts next")
            .query::<ListQuery>()
            .answers::<Page<PipelineCard>>(StatusCode::OK)
            .by(list),
        Operation::get("/api/v1/pipelines/{pipeline}", "getPipeline")
            .about(TAG, "One pipeline: its graph, its parameters, what is wrong with its file")
            .answers::<PipelineDetail>(StatusCode::OK)
            .by(show),
        Operation::get("/api/v1/pipelines/{pipeline}/grid", "getPipelineGrid")
            .about(TAG, "The states of all tasks of its newest runs")
            .query::<GridQuery>()
            .answers::<Grid>(StatusCode::OK)
            .by(grid),
    ]
}

/// What [`list`] takes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct ListQuery {
    /// Only pipelines with this text in name, description or tags; capitals do not matter.
    search: Option<String>,
    /// Only pipelines with this tag.
    tag: Option<String>,
    /// How many.
    limit: Limit,
    /// Where the page begins: `next_cursor` of the page before.
    cursor: Option<String>,
}

async fn list(State(api): State<Arc<Api>>, Query(query): Query<ListQuery>) -> Result<Json<Page<PipelineCard>>, Problem> {
    let after: Option<String> = query.cursor.as_deref().map(|cursor| read_cursor(LIST, cursor)).transpose()?;
    let words = query.search.as_deref().map(str::to_lowercase);
    let has_words = move |name: &str, pipeline: Option<&Pipeline>| {
        let Some(words) = &words else { return true };
        let about = pipeline.into_iter().flat_map(|pipeline| pipeline.description.iter().chain(&pipeline.tags));
        about.map(String::as_str).chain([name]).any(|text| text.to_lowercase().contains(words))
    };
    let has_tag = move |pipeline: Option<&Pipeline>| {
        query.tag.as_ref().is_none_or(|tag| pipeline.is_some_and(|pipeline| pipeline.tags.contains(tag)))
    };
    let found = api.work(move |api| {
        Ok(api.store.read(|view| {
            let mut known = known::pipelines(Some(view), &api.workspace, &api.definitions)?;
            if let Some(after) = after {
                known.retain(|name, _| *name > after);
            }
            let wants = |name: &str, pipeline: Option<&Pipeline>| has_words(name, pipeline) && has_tag(pipeline);
            cards(&known, query.limit.get() + 1, &api.look(view), wants)
        })?)
    });
    Ok(Json(Page::cut(LIST, found.await?, query.limit, |card| card.pipeline.clone())))
}

async fn show(State(api): State<Arc<Api>>, Path(name): Path<String>) -> Result<Json<PipelineDetail>, Problem> {
    let detail = api.work(move |api| {
        let limits = api.settings().limits;
        let found = api.store.read(|view| {
            let mut known = api.pipelines(view)?;
            let detail = known.remove(&name).map(|known| PipelineDetail::of(&name, &known, &limits, &api.look(view)));
            Ok((detail.transpose()?, known))
        })?;
        found.0.ok_or_else(|| unknown(&name, &found.1))
    });
    Ok(Json(detail.await?))
}

/// What [`grid`] takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct GridQuery {
    /// How many runs, newest first.
    limit: Limit,
}

impl Default for GridQuery {
    fn default() -> Self {
        Self { limit: Limit::of(100) }
    }
}

async fn grid(State(api): State<Arc<Api>>, Path(name): Path<String>, Query(query): Query<GridQuery>) -> Result<Json<Grid>, Problem> {
    let grid = api.work(move |api| {
        let now = api.now();
        let grid = api.store.read(|view| Grid::of(&name, query.limit.get() as u32, view, &api.workspace, now))?;
        if grid.runs.is_empty() {
            api.must_know(&name)?;
        }
        Ok(grid)
    });
    Ok(Json(grid.await?))
}

impl Api {
    /// What a look at pipelines stands on.
    pub(super) fn look<'a>(&'a self, view: &'a View<'a>) -> Look<'a> {
        Look { view, workspace: &self.workspace, definitions: &self.definitions, now: self.now() }
    }

    /// All pipelines of the workspace.
    pub(super) fn pipelines(&self, view: &View<'_>) -> recflow_state::Result<BTreeMap<String, Known>> {
        known::pipelines(Some(view), &self.workspace, &self.definitions)
    }

    /// The settings of the workspace; the defaults if they are not valid, which runs, `doctor` and the log tell.
    pub(super) fn settings(&self) -> Settings {
        load_settings(&self.workspace.settings()).ok().and_then(|loaded| loaded.settings).unwrap_or_default()
    }

    /// Fails unless there is a pipeline of that name.
    pub(super) fn must_know(&self, name: &str) -> Result<(), Problem> {
        let known = self.store.read(|view| self.pipelines(view))?;
        if known.contains_key(name) { Ok(()) } else { Err(unknown(name, &known)) }
    }
}

/// The answer for a pipeline that is not there.
pub(super) fn unknown(name: &str, known: &BTreeMap<String, Known>) -> Problem {
    let problem = Problem::unknown("pipeline", name);
    match suggest::closest(name, known.keys().map(String::as_str)) {
        Some(close) => problem.with_hint(format!("did you mean `{close}`?")),
        None if known.is_empty() => problem.with_hint("put its file into `pipelines/` of the workspace"),
        None => problem,
    }
}
