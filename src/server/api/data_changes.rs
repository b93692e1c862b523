//! Going back to older content of a dataset, and removing what is old: snapshots, model versions.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use recflow_stages::StageError;
use recflow_stages::dataset::{self, RolledBack, SNAPSHOTS_KEPT};
use recflow_stages::model;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Api;
use super::extract::{Body, Json, Query, whole};
use super::models::FolderQuery;
use super::operation::Operation;
use super::values::{Inside, Within};
use crate::server::auth::Role;
use crate::server::problem::Problem;
use crate::upkeep::models::{named_by_runs, names};

/// Model versions that are kept unless told otherwise.
const MODELS_KEPT: u32 = 5;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/api/v1/datasets/rollback", "rollBackDataset")
            .about("Data", "Make an older snapshot's content current again, as a new snapshot")
            .body::<RollbackBody>()
            .answers::<RolledBack>(StatusCode::OK)
            .fails(&[StatusCode::NOT_FOUND, StatusCode::CONFLICT])
            .by(roll_back),
        Operation::post("/api/v1/datasets/prune", "pruneDataset")
            .about("Data", "Remove old snapshots that nobody reads")
            .role(Role::Admin)
            .body::<PruneBody>()
            .answers::<dataset::Pruned>(StatusCode::OK)
            .fails(&[StatusCode::NOT_FOUND, StatusCode::CONFLICT])
            .by(prune),
        Operation::post("/api/v1/models/prune", "pruneModels")
            .about("Models", "Remove old versions; never the current one, the one before it, and those that runs name")
            .role(Role::Admin)
            .query::<FolderQuery>()
            .body::<ModelsBody>()
            .answers::<model::Pruned>(StatusCode::OK)
            .by(prune_models),
    ]
}

/// To which content.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RollbackBody {
    /// The dataset's path in the workspace.
    path: Inside,
    /// The snapshot [default: the newest one before the content that is current].
    #[serde(default, deserialize_with = "whole")]
    snapshot: Option<u64>,
}

async fn roll_back(State(api): State<Arc<Api>>, Body(body): Body<RollbackBody>) -> Result<Json<RolledBack>, Problem> {
    let done = api.work(move |api| {
        let path = api.dataset(&body.path)?;
        dataset::rollback(&path, body.snapshot, &api.context("data")).map_err(refused)
    });
    Ok(Json(done.await?))
}

/// What is kept.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PruneBody {
    /// The dataset's path in the workspace.
    path: Inside,
    /// How many snapshots, the current one included [default: 3].
    #[serde(default)]
    keep: Option<Within<1, 1000>>,
}

async fn prune(State(api): State<Arc<Api>>, Body(body): Body<PruneBody>) -> Result<Json<dataset::Pruned>, Problem> {
    let done = api.work(move |api| {
        let path = api.dataset(&body.path)?;
        let keep = body.keep.map_or(SNAPSHOTS_KEPT, |keep| keep.get() as usize);
        dataset::prune_snapshots(&path, keep, &api.context("data")).map_err(refused)
    });
    Ok(Json(done.await?))
}

/// Which model versions stay.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct ModelsBody {
    /// How many of the newest [default: 5].
    keep: Option<Within<0, 1000>>,
    /// Tell what would be removed, and remove nothing.
    dry_run: bool,
}

async fn prune_models(
    State(api): State<Arc<Api>>,
    Query(query): Query<FolderQuery>,
    Body(body): Body<ModelsBody>,
) -> Result<Json<model::Pruned>, Problem> {
    let done = api.work(move |api| {
        let used = api.store.read(named_by_runs)?;
        let is_used = |version: &str| used.iter().any(|text| names(text, version));
        let keep = body.keep.map_or(MODELS_KEPT, Within::get) as usize;
        Ok(model::prune(&query.folder.of(&api.workspace), keep, is_used, body.dry_run, &api.context("models"))?)
    });
    Ok(Json(done.await?))
}

impl Api {
    /// Where a dataset lies that is there.
    fn dataset(&self, path: &Inside) -> Result<std::path::PathBuf, Problem> {
        let found = path.of(&self.workspace);
        if found.is_dir() { Ok(found) } else { Err(Problem::unknown("dataset", path.as_str())) }
    }
}

/// What the dataset does not allow as it is.
fn refused(error: StageError) -> Problem {
    let problem = Problem::conflict("refused", error.to_string());
    error.hint.iter().fold(problem, |problem, hint| problem.with_hint(hint.clone()))
}
