//! Datasets: which there are, and what is in them.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use recflow_stages::dataset::{self, Dataset, Listed, Overview, SnapshotInfo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Api;
use super::extract::{Json, Query};
use super::operation::Operation;
use super::page::Page;
use super::values::Inside;
use crate::server::problem::Problem;

const TAG: &str = "Data";

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/datasets", "listDatasets")
            .about(TAG, "The datasets in the workspace")
            .query::<ListQuery>()
            .answers::<Page<Listed>>(StatusCode::OK)
            .by(list),
        Operation::get("/api/v1/datasets/detail", "getDataset")
            .about(TAG, "One dataset: rows by month and by rating, and the snapshots that are kept; the first look at a snapshot reads it")
            .query::<DetailQuery>()
            .answers::<DatasetDetail>(StatusCode::OK)
            .fails(&[StatusCode::NOT_FOUND])
            .by(show),
    ]
}

/// What [`list`] takes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct ListQuery {
    /// Only those below this folder; their paths are relative to it.
    folder: Option<Inside>,
}

async fn list(State(api): State<Arc<Api>>, Query(query): Query<ListQuery>) -> Result<Json<Page<Listed>>, Problem> {
    let found = api.work(move |api| {
        let folder = query.folder.map_or_else(|| api.workspace.root().to_owned(), |folder| folder.of(&api.workspace));
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        Ok(dataset::find(&folder, &api.context("data"))?)
    });
    Ok(Json(Page::whole(found.await?)))
}

/// What [`show`] takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DetailQuery {
    /// The dataset's path in the workspace.
    path: Inside,
}

/// A dataset in full.
#[derive(Debug, Serialize, JsonSchema)]
struct DatasetDetail {
    /// Its path in the workspace.
    path: String,
    /// What is in it.
    #[serde(flatten)]
    overview: Overview,
    /// The snapshots that are kept, newest first; empty for a plain folder.
    snapshots: Vec<SnapshotInfo>,
}

async fn show(State(api): State<Arc<Api>>, Query(query): Query<DetailQuery>) -> Result<Json<DatasetDetail>, Problem> {
    let detail = api.work(move |api| {
        let (path, context) = (query.path.of(&api.workspace), api.context("data"));
        let name = query.path.as_str();
        if !path.is_dir() {
            return Err(Problem::unknown("dataset", name));
        }
        let dataset = Dataset::open(&path, &context).map_err(|error| {
            let problem = Problem::new(StatusCode::NOT_FOUND, "unknown-dataset", format!("`{name}` is no dataset: {error}"));
            error.hint.iter().fold(problem, |problem, hint| problem.with_hint(hint.clone()))
        })?;
        let overview = api.overviews.of(&dataset, &context)?;
        Ok(DatasetDetail { path: name.to_owned(), overview, snapshots: dataset::snapshots(&path, &context)? })
    });
    Ok(Json(detail.await?))
}
