//! Reports: HTML pages that runs and people left, shown inside of a sandbox.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Api;
use super::extract::{Json, Path, Query};
use super::operation::{Content, Operation};
use super::page::{Limit, Page, read_cursor};
use crate::facts::reports::{ReportFact, find, reports};
use crate::server::problem::Problem;

const TAG: &str = "Reports";
/// The list's name in its cursors.
const REPORTS: &str = "reports";
/// What a page may do: be seen. What a pipeline wrote must not act in the name of whoever looks at it.
const POLICY: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:";
/// Larger pages are not shown.
const PAGE_BYTES_MAX: u64 = 32 << 20;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/reports", "listReports")
            .about(TAG, "Pages that runs and people left, newest first")
            .query::<ListQuery>()
            .answers::<Page<ReportFact>>(StatusCode::OK)
            .by(list),
        Operation::get("/api/v1/reports/{report}", "getReport")
            .about(TAG, "One page, in a sandbox: it runs no script and reaches no host")
            .answers_with(StatusCode::OK, Content::Media("text/html"))
            .by(show),
    ]
}

/// What [`list`] takes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct ListQuery {
    /// How many.
    limit: Limit,
    /// Where the page begins: `next_cursor` of the page before.
    cursor: Option<String>,
}

async fn list(State(api): State<Arc<Api>>, Query(query): Query<ListQuery>) -> Result<Json<Page<ReportFact>>, Problem> {
    let after: Option<String> = query.cursor.as_deref().map(|cursor| read_cursor(REPORTS, cursor)).transpose()?;
    let found = api.work(move |api| {
        let all = api.store.read(|view| reports(view, &api.workspace))?;
        let first = after.and_then(|after| all.iter().position(|report| report.id == after)).map_or(0, |place| place + 1);
        Ok(all.into_iter().skip(first).take(query.limit.get() + 1).collect::<Vec<_>>())
    });
    Ok(Json(Page::cut(REPORTS, found.await?, query.limit, |report| report.id.clone())))
}

async fn show(State(api): State<Arc<Api>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let page = api.work(move |api| {
        let gone = || Problem::unknown("report", &id);
        // By the list alone: what is not in it is not served, whatever it is called.
        let path = api.store.read(|view| find(&id, view, &api.workspace))?.ok_or_else(gone)?;
        let is_shown = std::fs::metadata(&path).is_ok_and(|file| file.is_file() && file.len() <= PAGE_BYTES_MAX);
        if !is_shown {
            return Err(gone());
        }
        std::fs::read(&path).map_err(|error| Problem::internal(format!("cannot read the report `{}`: {error}", path.display())))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, page.await?).into_response())
}
