//! The text of a pipeline: as it is now, as it was, and whether one that somebody just wrote is valid.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use recflow_stages::Catalog;
use recflow_state::{VersionId, VersionRow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Api;
use super::extract::{Body, Json, Path, Query};
use super::operation::Operation;
use super::page::{Limit, Page, read_cursor};
use crate::facts::graph::Graph;
use crate::facts::params;
use crate::facts::pipelines::diagnostics;
use crate::facts::units::time;
use crate::pipeline::{DiagnosticReport, load};
use crate::server::problem::Problem;
use crate::workspace::Workspace;

const TAG: &str = "Pipelines";
/// The list's name in its cursors.
const VERSIONS: &str = "versions";

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/pipelines/{pipeline}/source", "getPipelineSource")
            .about(TAG, "Its text as it is now, with what is wrong with it")
            .answers::<SourceText>(StatusCode::OK)
            .by(source),
        Operation::get("/api/v1/pipelines/{pipeline}/versions", "listPipelineVersions")
            .about(TAG, "The versions of its text that the store keeps, newest first")
            .query::<VersionsQuery>()
            .answers::<Page<VersionFact>>(StatusCode::OK)
            .by(versions),
        Operation::get("/api/v1/pipelines/{pipeline}/versions/{version}", "getPipelineVersion")
            .about(TAG, "One version of its text")
            .answers::<VersionText>(StatusCode::OK)
            .by(version),
        Operation::post("/api/v1/validate", "validatePipeline")
            .question()
            .about(TAG, "Check a text as a pipeline of this workspace; nothing is kept")
            .body::<ValidateBody>()
            .answers::<Validated>(StatusCode::OK)
            .by(validate),
    ]
}

/// The text of a pipeline.
#[derive(Debug, Serialize, JsonSchema)]
struct SourceText {
    /// The file that defines it, relative to the workspace; null for one that has none, of which this is the last version.
    file: Option<String>,
    /// Its text.
    text: String,
    /// What is wrong or odd with it, in the order of the text.
    diagnostics: Vec<DiagnosticReport>,
}

async fn source(State(api): State<Arc<Api>>, Path(name): Path<String>) -> Result<Json<SourceText>, Problem> {
    let source = api.work(move |api| {
        let limits = api.settings().limits;
        let found = api.store.read(|view| {
            let known = api.pipelines(view)?;
            let Some(pipeline) = known.get(&name) else { return Ok(Err(known)) };
            if let Some(loaded) = &pipeline.loaded {
                return Ok(Ok(Some((pipeline.file.clone(), loaded.clone()))));
            }
            let newest = view.versions(&name, None, 1)?.into_iter().next();
            let loaded = newest.map(|version| api.definitions.version(view, version.id)).transpose()?;
            Ok(Ok(loaded.map(|loaded| (None, loaded))))
        })?;
        match found {
            Ok(Some((file, loaded))) => {
                Ok(SourceText { file, text: loaded.source.text().to_owned(), diagnostics: diagnostics(&loaded, &limits) })
            }
            Ok(None) => Err(Problem::unknown("text of pipeline", &name)),
            Err(known) => Err(super::pipelines::unknown(&name, &known)),
        }
    });
    Ok(Json(source.await?))
}

/// What [`versions`] takes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct VersionsQuery {
    /// How many.
    limit: Limit,
    /// Where the page begins: `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A version of a pipeline's text.
#[derive(Debug, Serialize, JsonSchema)]
struct VersionFact {
    /// Its number.
    id: i64,
    /// BLAKE3 of the text.
    hash: String,
    /// When it was first seen, RFC 3339.
    at: String,
    /// The file that it came from.
    file: Option<String>,
}

impl VersionFact {
    fn of(row: VersionRow, workspace: &Workspace) -> Self {
        let shown = |file: String| match std::path::Path::new(&file).strip_prefix(workspace.root()) {
            Ok(below) => below.display().to_string(),
            Err(_) => file,
        };
        Self { id: row.id.0, hash: row.hash, at: time(row.created_at), file: row.file.map(shown) }
    }
}

async fn versions(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    Query(query): Query<VersionsQuery>,
) -> Result<Json<Page<VersionFact>>, Problem> {
    let before: Option<i64> = query.cursor.as_deref().map(|cursor| read_cursor(VERSIONS, cursor)).transpose()?;
    let rows = api.work(move |api| {
        let rows = api.store.read(|view| view.versions(&name, before.map(VersionId), query.limit.and_one()))?;
        if rows.is_empty() {
            api.must_know(&name)?;
        }
        Ok(rows)
    });
    let workspace = &api.workspace;
    let items = rows.await?.into_iter().map(|row| VersionFact::of(row, workspace)).collect();
    Ok(Json(Page::cut(VERSIONS, items, query.limit, |version| version.id)))
}

/// A version of a pipeline's text, with the text.
#[derive(Debug, Serialize, JsonSchema)]
struct VersionText {
    /// Which.
    #[serde(flatten)]
    version: VersionFact,
    /// The text.
    text: String,
}

async fn version(State(api): State<Arc<Api>>, Path((name, number)): Path<(String, i64)>) -> Result<Json<VersionText>, Problem> {
    let found = api.read(move |view| {
        // The list walks from the newest: the version is the first one before the number above it.
        let row = view.versions(&name, Some(VersionId(number.saturating_add(1))), 1)?.into_iter().find(|row| row.id.0 == number);
        row.map(|row| view.pipeline_text(row.id).map(|text| (row, text))).transpose()
    });
    let (row, text) = found.await?.ok_or_else(|| Problem::unknown("version", &number.to_string()))?;
    Ok(Json(VersionText { version: VersionFact::of(row, &api.workspace), text: text.text }))
}

/// A text to check.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ValidateBody {
    /// The text.
    text: String,
    /// What diagnostics call it; its stem names a pipeline that does not name itself.
    #[serde(default = "unnamed")]
    #[schemars(default = "unnamed")]
    file: String,
}

fn unnamed() -> String {
    "pipeline.yaml".to_owned()
}

/// What came of a check.
#[derive(Debug, Serialize, JsonSchema)]
struct Validated {
    /// Whether it can run.
    ok: bool,
    /// What is wrong or odd with it, in the order of the text.
    diagnostics: Vec<DiagnosticReport>,
    /// What it defines; null if it is not valid.
    pipeline: Option<Defined>,
}

/// What a text defines.
#[derive(Debug, Serialize, JsonSchema)]
struct Defined {
    /// Its name.
    pipeline: String,
    /// For people.
    description: Option<String>,
    /// JSON Schema (draft 2020-12) of the parameters of a run.
    params: Value,
    /// Its tasks.
    graph: Graph,
}

async fn validate(State(api): State<Arc<Api>>, Body(body): Body<ValidateBody>) -> Result<Json<Validated>, Problem> {
    let checked = api.work(move |api| {
        let loaded = load(&body.text, &body.file, Catalog::builtin());
        let report = loaded.report_within(&api.settings().limits);
        let pipeline = loaded.pipeline.filter(|_| report.ok).map(|pipeline| Defined {
            description: pipeline.description.clone(),
            params: params::schema(&pipeline),
            graph: Graph::of(&pipeline),
            pipeline: pipeline.name,
        });
        Ok(Validated { ok: report.ok, diagnostics: report.diagnostics, pipeline })
    });
    Ok(Json(checked.await?))
}
