//! Model versions: which there are, which one serves and why.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use recflow_stages::model::catalog::{self, Details, Listed};
use recflow_stages::model::promotion::{History, Promotion};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Api;
use super::extract::{Json, Path, Query};
use super::operation::Operation;
use super::page::{Limit, Page, read_cursor};
use super::values::Inside;
use crate::server::problem::Problem;

const TAG: &str = "Models";
/// The lists' names in their cursors.
const MODELS: &str = "models";
const HISTORY: &str = "promotions";

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/models", "listModels")
            .about(TAG, "Model versions with their figures, newest first")
            .query::<ListQuery>()
            .answers::<Page<ModelFact>>(StatusCode::OK)
            .by(list),
        Operation::get("/api/v1/models/history", "listPromotions")
            .about(TAG, "Which version was promoted when and why, and which challengers lost, newest first")
            .query::<ListQuery>()
            .answers::<Page<Promotion>>(StatusCode::OK)
            .by(history),
        Operation::get("/api/v1/models/{version}", "getModel")
            .about(TAG, "One version, `current` or `latest`: what it was trained on, what was measured, what was decided about it")
            .query::<FolderQuery>()
            .answers::<Details>(StatusCode::OK)
            .by(show),
    ]
}

/// A version, and the decisions that made it the current one.
#[derive(Debug, Serialize, JsonSchema)]
struct ModelFact {
    /// The version.
    #[serde(flatten)]
    listed: Listed,
    /// What was decided about it, newest first.
    promotions: Vec<Promotion>,
}

/// What [`list`] and [`history`] take.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct ListQuery {
    /// The folder of model versions [default: models/artifacts].
    folder: Inside,
    /// How many.
    limit: Limit,
    /// Where the page begins: `next_cursor` of the page before.
    cursor: Option<String>,
}

impl Default for ListQuery {
    fn default() -> Self {
        Self { folder: Inside::models(), limit: Limit::default(), cursor: None }
    }
}

/// Which folder of models is meant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct FolderQuery {
    /// The folder of model versions [default: models/artifacts].
    pub(super) folder: Inside,
}

impl Default for FolderQuery {
    fn default() -> Self {
        Self { folder: Inside::models() }
    }
}

async fn list(State(api): State<Arc<Api>>, Query(query): Query<ListQuery>) -> Result<Json<Page<ModelFact>>, Problem> {
    let after: Option<String> = query.cursor.as_deref().map(|cursor| read_cursor(MODELS, cursor)).transpose()?;
    let found = api.work(move |api| {
        let (models, context) = (query.folder.of(&api.workspace), api.context("models"));
        let listed = catalog::list(&models, &context)?;
        let decisions = History::read(&models, &context)?.decisions;
        let fact = |listed: Listed| ModelFact {
            promotions: decisions.iter().filter(|decision| decision.version == listed.version).cloned().collect(),
            listed,
        };
        Ok(behind(listed, after.as_ref(), query.limit, |version| &version.version).into_iter().map(fact).collect::<Vec<_>>())
    });
    Ok(Json(Page::cut(MODELS, found.await?, query.limit, |model| model.listed.version.clone())))
}

/// What follows the item with the key `after`, and one more than a page holds. All, if no item has it any more.
fn behind<T, K: PartialEq>(items: Vec<T>, after: Option<&K>, limit: Limit, key: impl Fn(&T) -> &K) -> Vec<T> {
    let first = after.and_then(|after| items.iter().position(|item| key(item) == after)).map_or(0, |place| place + 1);
    items.into_iter().skip(first).take(limit.get() + 1).collect()
}

async fn show(
    State(api): State<Arc<Api>>,
    Path(version): Path<String>,
    Query(query): Query<FolderQuery>,
) -> Result<Json<Details>, Problem> {
    must_be_name(&version)?;
    let details = api.work(move |api| {
        let models = query.folder.of(&api.workspace);
        catalog::show(&models, &version, &api.context("models")).map_err(|error| not_found(&version, &error))
    });
    Ok(Json(details.await?))
}

async fn history(State(api): State<Arc<Api>>, Query(query): Query<ListQuery>) -> Result<Json<Page<Promotion>>, Problem> {
    let after: Option<u64> = query.cursor.as_deref().map(|cursor| read_cursor(HISTORY, cursor)).transpose()?;
    let found = api.work(move |api| {
        let decisions = History::read(&query.folder.of(&api.workspace), &api.context("models"))?.decisions;
        Ok(behind(decisions, after.as_ref(), query.limit, |decision| &decision.number))
    });
    Ok(Json(Page::cut(HISTORY, found.await?, query.limit, |decision| decision.number)))
}

/// A name of a version is one name: it leads nowhere else.
pub(super) fn must_be_name(version: &str) -> Result<(), Problem> {
    match Inside::parse(version) {
        Some(_) if !version.contains('/') => Ok(()),
        _ => Err(Problem::unknown("model", version)),
    }
}

/// A version that is not there, or is broken.
pub(super) fn not_found(version: &str, error: &recflow_stages::StageError) -> Problem {
    let problem = Problem::new(StatusCode::NOT_FOUND, "unknown-model", format!("model `{version}`: {error}"));
    match &error.hint {
        Some(hint) => problem.with_hint(hint.clone()),
        None => problem,
    }
}
