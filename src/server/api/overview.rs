//! What goes on, what can be done, and what is wrong.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use recflow_stages::clock::SystemClock;
use recflow_stages::{Catalog, StageSpec};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Api;
use super::extract::{Json, Path, Query};
use super::operation::Operation;
use super::page::Page;
use super::values::Inside;
use crate::facts::overview::Overview;
use crate::facts::system::System;
use crate::pipeline::suggest;
use crate::server::problem::Problem;
use crate::upkeep::doctor::{Check, examine};

const TAG: &str = "System";

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/overview", "getOverview")
            .about(TAG, "What runs, what waits, what failed within a day")
            .answers::<Overview>(StatusCode::OK)
            .by(overview),
        Operation::get("/api/v1/system", "getSystem")
            .about(TAG, "The daemon, its store, its limits, how much is kept")
            .answers::<System>(StatusCode::OK)
            .by(system),
        Operation::get("/api/v1/system/doctor", "examineSystem")
            .about(TAG, "Look at everything that could be wrong: store, disk, clock, pipelines, data; takes a while for a large store")
            .query::<DoctorQuery>()
            .answers::<Page<Check>>(StatusCode::OK)
            .by(doctor),
        Operation::get("/api/v1/stages", "listStages")
            .about(TAG, "What a task can do")
            .answers::<Page<&'static StageSpec>>(StatusCode::OK)
            .by(stages),
        Operation::get("/api/v1/stages/{stage}", "getStage")
            .about(TAG, "What a stage takes and gives")
            .answers::<&'static StageSpec>(StatusCode::OK)
            .by(stage),
    ]
}

async fn overview(State(api): State<Arc<Api>>) -> Result<Json<Overview>, Problem> {
    let overview = api.work(move |api| {
        let now = api.now();
        Ok(api.store.read(|view| Overview::of(view, &api.workspace, now))?)
    });
    Ok(Json(overview.await?))
}

async fn system(State(api): State<Arc<Api>>) -> Result<Json<System>, Problem> {
    let system = api.work(move |api| {
        let (now, settings) = (api.now(), api.settings());
        Ok(api.store.read(|view| System::of(view, &api.workspace, &settings, now))?)
    });
    Ok(Json(system.await?))
}

/// What [`doctor`] takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct DoctorQuery {
    /// The folder of model versions [default: models/artifacts].
    folder: Inside,
}

impl Default for DoctorQuery {
    fn default() -> Self {
        Self { folder: Inside::models() }
    }
}

async fn doctor(State(api): State<Arc<Api>>, Query(query): Query<DoctorQuery>) -> Result<Json<Page<Check>>, Problem> {
    let checks = api.work(move |api| Ok(examine(&api.workspace, query.folder.as_str(), &api.context("doctor"), &SystemClock)));
    Ok(Json(Page::whole(checks.await?)))
}

async fn stages() -> Json<Page<&'static StageSpec>> {
    Json(Page::whole(Catalog::builtin().iter().map(|stage| &stage.spec).collect()))
}

async fn stage(Path(name): Path<String>) -> Result<Json<&'static StageSpec>, Problem> {
    let catalog = Catalog::builtin();
    catalog.get(&name).map(|stage| Json(&stage.spec)).ok_or_else(|| {
        let problem = Problem::unknown("stage", &name);
        match suggest::closest(&name, catalog.iter().map(|stage| stage.spec.name)) {
            Some(close) => problem.with_hint(format!("did you mean `{close}`?")),
            None => problem.with_hint("GET /api/v1/stages lists them"),
        }
    })
}
