//! Drift over time.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Api;
use super::extract::{Json, Query};
use super::operation::Operation;
use super::page::Limit;
use crate::facts::drift::Drift;
use crate::server::problem::Problem;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/drift", "listDrift")
            .about("Models", "What each look for drift measured, against its thresholds, and what followed; oldest first")
            .query::<DriftQuery>()
            .answers::<Drift>(StatusCode::OK)
            .by(list),
    ]
}

/// What [`list`] takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct DriftQuery {
    /// Only looks of this pipeline.
    pipeline: Option<String>,
    /// How many: the newest.
    limit: Limit,
}

impl Default for DriftQuery {
    fn default() -> Self {
        Self { pipeline: None, limit: Limit::of(200) }
    }
}

async fn list(State(api): State<Arc<Api>>, Query(query): Query<DriftQuery>) -> Result<Json<Drift>, Problem> {
    let drift = api.read(move |view| Drift::of(query.pipeline.as_deref(), query.limit.get() as u32, view));
    Ok(Json(drift.await?))
}
