//! Which model serves: decided by a person.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use recflow_stages::model::promotion::{self, Promotion};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Api;
use super::extract::{Body, Json, Path, Query};
use super::models::{FolderQuery, must_be_name, not_found};
use super::operation::Operation;
use crate::server::auth::Identity;
use crate::server::problem::Problem;

const TAG: &str = "Models";

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/api/v1/models/{version}/promote", "promoteModel")
            .about(TAG, "Make a version the current one")
            .query::<FolderQuery>()
            .body::<ReasonBody>()
            .answers::<Promoted>(StatusCode::OK)
            .by(promote),
        Operation::post("/api/v1/models/rollback", "rollBackModel")
            .about(TAG, "Make the version current again that was so before the current one")
            .query::<FolderQuery>()
            .body::<ReasonBody>()
            .answers::<Promotion>(StatusCode::OK)
            .fails(&[StatusCode::CONFLICT])
            .by(roll_back),
    ]
}

/// Why.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct ReasonBody {
    /// Why, recorded with the decision.
    #[schemars(length(max = 1000))]
    reason: Option<String>,
}

/// What became of a promotion.
#[derive(Debug, Serialize, JsonSchema)]
struct Promoted {
    /// Whether another version was current before.
    changed: bool,
    /// The decision; null if it was the current one already.
    promotion: Option<Promotion>,
}

async fn promote(
    State(api): State<Arc<Api>>,
    identity: Identity,
    Path(version): Path<String>,
    Query(query): Query<FolderQuery>,
    Body(body): Body<ReasonBody>,
) -> Result<Json<Promoted>, Problem> {
    must_be_name(&version)?;
    let done = api.work(move |api| {
        let reason = said(&identity, body.reason);
        let promoted = promotion::by_hand(&query.folder.of(&api.workspace), &version, &reason, &api.context("promote"));
        let promotion = promoted.map_err(|error| not_found(&version, &error))?;
        if promotion.is_some() {
            api.tell_of_model()?;
        }
        Ok(Promoted { changed: promotion.is_some(), promotion })
    });
    Ok(Json(done.await?))
}

async fn roll_back(
    State(api): State<Arc<Api>>,
    identity: Identity,
    Query(query): Query<FolderQuery>,
    Body(body): Body<ReasonBody>,
) -> Result<Json<Promotion>, Problem> {
    let done = api.work(move |api| {
        let reason = said(&identity, body.reason);
        let back = promotion::rollback(&query.folder.of(&api.workspace), Some(&reason), &api.context("rollback"));
        let back = back.map_err(|error| {
            let problem = Problem::conflict("no-model-before", error.to_string());
            error.hint.iter().fold(problem, |problem, hint| problem.with_hint(hint.clone()))
        })?;
        api.tell_of_model()?;
        Ok(back)
    });
    Ok(Json(done.await?))
}

impl Api {
    /// Tells whoever watches that another model serves.
    fn tell_of_model(&self) -> Result<(), Problem> {
        Ok(self.store.write(|tx| tx.note_model_change())?)
    }
}

/// The reason, with the name of whoever gave it.
fn said(identity: &Identity, reason: Option<String>) -> String {
    match reason {
        Some(reason) => format!("{reason} ({})", identity.name),
        None => format!("by {}", identity.name),
    }
}
