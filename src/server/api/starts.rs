//! What starts runs: somebody who asks, or nobody for a while.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use recflow_state::RunId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Api;
use super::extract::{Body, Json, Path};
use super::operation::Operation;
use super::values::Instant;
use crate::pipeline::{DiagnosticReport, Loaded, ParamInput, Pipeline};
use crate::scheduler::by_hand::{Ask, set_paused, trigger};
use crate::server::auth::Identity;
use crate::server::problem::Problem;

const TAG: &str = "Pipelines";

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/api/v1/pipelines/{pipeline}/runs", "startRun")
            .about(TAG, "Ask for a run of the pipeline as its file is now; the daemon begins it as soon as there is room")
            .body::<StartBody>()
            .answers::<Started>(StatusCode::CREATED)
            .fails(&[StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY])
            .by(start),
        Operation::post("/api/v1/pipelines/{pipeline}/pause", "pausePipeline")
            .about(TAG, "Have it start by hand only; runs under way go on")
            .answers::<Paused>(StatusCode::OK)
            .by(pause),
        Operation::post("/api/v1/pipelines/{pipeline}/unpause", "unpausePipeline")
            .about(TAG, "Have it start by itself again; what was due meanwhile is skipped")
            .answers::<Paused>(StatusCode::OK)
            .by(unpause),
    ]
}

/// What a run is to be.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct StartBody {
    /// Values of parameters by name; the others have their defaults. `params` of the pipeline is the schema.
    params: Map<String, Value>,
    /// The instant that it stands for [default: now].
    logical_date: Option<Instant>,
}

/// A run that was created.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Started {
    /// Its id.
    run: String,
}

/// The answer for a run that was created.
pub(super) fn started(run: &RunId) -> Response {
    let location = [(header::LOCATION, format!("/api/v1/runs/{run}"))];
    (StatusCode::CREATED, location, Json(Started { run: run.to_string() })).into_response()
}

async fn start(
    State(api): State<Arc<Api>>,
    identity: Identity,
    Path(name): Path<String>,
    Body(body): Body<StartBody>,
) -> Result<Response, Problem> {
    let run = api.work(move |api| {
        let now = api.now();
        let beyond = || Problem::bad_request("the logical date lies outside of the years that are known");
        let logical_date = body.logical_date.map_or(Some(now), |date| date.start(now)).ok_or_else(beyond)?;
        let (loaded, file) = api.runnable(&name)?;
        let pipeline = valid(&loaded)?;
        let params = resolved(pipeline, body.params)?;
        let id = RunId::from_random(api.entropy.next());
        let ask = Ask {
            id: id.clone(),
            pipeline,
            text: loaded.source.text(),
            file: &file,
            params: &params,
            logical_date,
            by: Some(identity.name),
        };
        api.store.write(|tx| trigger(tx, &api.workspace, ask, now))?;
        api.wake();
        Ok(id)
    });
    Ok(started(&run.await?))
}

impl Api {
    /// The text of a pipeline that can be started, as its file is now, and where that lies.
    ///
    /// A text that is not valid starts nothing, although the version before stays in force for the clock: whoever asks means what they see.
    pub(super) fn runnable(&self, name: &str) -> Result<(Arc<Loaded>, String), Problem> {
        let known = self.store.read(|view| self.pipelines(view))?;
        let Some(pipeline) = known.get(name) else { return Err(super::pipelines::unknown(name, &known)) };
        let (Some(loaded), Some(file)) = (&pipeline.loaded, &pipeline.file) else {
            let problem = Problem::conflict("no-file", format!("no file in `pipelines/` defines `{name}` any more"));
            return Err(problem.with_hint("put its file back, or replay one of its runs"));
        };
        let report = loaded.report_within(&self.settings().limits);
        if !report.ok {
            let problem = Problem::invalid("invalid-pipeline", format!("`{file}` is not valid"));
            return Err(problem.with_diagnostics(report.diagnostics));
        }
        Ok((loaded.clone(), self.workspace.root().join(file).display().to_string()))
    }
}

/// The pipeline of a text that was found valid.
pub(super) fn valid(loaded: &Loaded) -> Result<&Pipeline, Problem> {
    loaded.pipeline.as_ref().ok_or_else(|| Problem::invalid("invalid-pipeline", "the pipeline is not valid"))
}

/// The values of all parameters, given and default.
pub(super) fn resolved(pipeline: &Pipeline, given: Map<String, Value>) -> Result<Map<String, Value>, Problem> {
    let given: Vec<(String, ParamInput)> = given.into_iter().map(|(name, value)| (name, ParamInput::Json(value))).collect();
    pipeline.resolve_params(&given).map_err(|problems| {
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Problem::invalid("invalid-params", said.join("; ")).with_diagnostics(problems.iter().map(DiagnosticReport::from).collect())
    })
}

/// Whether a pipeline starts by itself.
#[derive(Debug, Serialize, JsonSchema)]
struct Paused {
    /// Its name.
    pipeline: String,
    /// Whether it starts by hand only.
    paused: bool,
}

async fn pause(State(api): State<Arc<Api>>, Path(name): Path<String>) -> Result<Json<Paused>, Problem> {
    set(api, name, true).await
}

async fn unpause(State(api): State<Arc<Api>>, Path(name): Path<String>) -> Result<Json<Paused>, Problem> {
    set(api, name, false).await
}

async fn set(api: Arc<Api>, name: String, paused: bool) -> Result<Json<Paused>, Problem> {
    let set = api.work(move |api| {
        api.must_know(&name)?;
        let now = api.now();
        api.store.write(|tx| set_paused(tx, &name, paused, now))?;
        api.wake();
        Ok(Paused { pipeline: name, paused })
    });
    Ok(Json(set.await?))
}
