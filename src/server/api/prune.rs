//! Deleting what is old: for administrators.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Api;
use super::extract::{Body, Json};
use super::operation::Operation;
use crate::server::auth::Role;
use crate::server::problem::Problem;
use crate::upkeep::retention::{carry_out, plan};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/api/v1/system/prune", "pruneSystem")
            .about("System", "Delete old runs, their files, and logs beyond a size, as `retention:` of the workspace says")
            .role(Role::Admin)
            .body::<PruneBody>()
            .answers::<Pruned>(StatusCode::OK)
            .by(prune),
    ]
}

/// How to delete.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct PruneBody {
    /// Tell what would be deleted, and delete nothing.
    dry_run: bool,
}

/// What was, or would be, deleted.
#[derive(Debug, Serialize, JsonSchema)]
struct Pruned {
    /// Whether nothing was deleted, since that was not asked for.
    dry_run: bool,
    /// How many runs.
    runs: u64,
    /// How many files and folders.
    files: u64,
    /// The room that these took.
    bytes: u64,
    /// What could not be deleted, and why.
    problems: Vec<String>,
}

async fn prune(State(api): State<Arc<Api>>, Body(body): Body<PruneBody>) -> Result<Json<Pruned>, Problem> {
    let done = api.work(move |api| {
        let (now, policy) = (api.now(), api.settings().retention);
        let plan = api.store.read(|view| plan(view, &api.workspace, &policy, now))?;
        if body.dry_run {
            let bytes = plan.files.iter().map(|file| file.bytes).sum();
            return Ok(Pruned { dry_run: true, runs: plan.runs.len() as u64, files: plan.files.len() as u64, bytes, problems: Vec::new() });
        }
        let swept = carry_out(&plan, &api.store)?;
        Ok(Pruned { dry_run: false, runs: swept.runs as u64, files: swept.files as u64, bytes: swept.bytes, problems: swept.problems })
    });
    Ok(Json(done.await?))
}
