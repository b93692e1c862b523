//! Runs: the list, one in full, its events.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use recflow_state::{RunFilter, RunId, UnixMs};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Api;
use super::extract::{Json, Path, Query};
use super::operation::Operation;
use super::page::{Limit, Page, read_cursor, write_cursor};
use super::values::{CreatedBy, Instant, Status};
use crate::facts::ListedRun;
use crate::facts::events::EventFact;
use crate::facts::list::{page, wanted};
use crate::facts::run_detail::RunDetail;
use crate::server::problem::Problem;

const TAG: &str = "Runs";
/// The lists' names in their cursors.
const RUNS: &str = "runs";
const EVENTS: &str = "events";

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/runs", "listRuns")
            .about(TAG, "Runs by pipeline, status, trigger and time, newest first")
            .query::<ListQuery>()
            .answers::<Page<ListedRun>>(StatusCode::OK)
            .by(list),
        Operation::get("/api/v1/runs/{run}", "getRun")
            .about(TAG, "One run: its tasks, its graph, who executes it")
            .answers::<RunDetail>(StatusCode::OK)
            .by(show),
        Operation::get("/api/v1/runs/{run}/events", "listRunEvents")
            .about(TAG, "What happened in a run, in order")
            .query::<EventsQuery>()
            .answers::<Page<EventFact>>(StatusCode::OK)
            .by(events),
    ]
}

/// What [`list`] takes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct ListQuery {
    /// Only runs of this pipeline.
    pipeline: Option<String>,
    /// Only runs that stand so.
    status: Option<Status>,
    /// Only runs that this created.
    trigger: Option<CreatedBy>,
    /// Only runs created from this instant on: RFC 3339, a date, or an age such as `2d`.
    since: Option<Instant>,
    /// Only runs created before this instant.
    until: Option<Instant>,
    /// How many.
    limit: Limit,
    /// Where the page begins: `next_cursor` of the page before.
    cursor: Option<String>,
}

async fn list(State(api): State<Arc<Api>>, Query(query): Query<ListQuery>) -> Result<Json<Page<ListedRun>>, Problem> {
    let before: Option<RunId> = query.cursor.as_deref().map(|cursor| read_cursor(RUNS, cursor)).transpose()?;
    let now = api.now();
    let (status, standing) = match query.status {
        None => (None, Default::default()),
        Some(status) => wanted(status.as_str()).map_err(Problem::bad_request)?,
    };
    let filter = RunFilter {
        pipeline: query.pipeline,
        status,
        trigger: query.trigger.map(Into::into),
        since: instant(query.since, now)?,
        until: instant(query.until, now)?,
        before,
    };
    let found = api.work(move |api| {
        let limit = query.limit.get() as u32;
        let read = api.store.read(|view| {
            // A run that is no longer kept has no place in the list: what comes behind it nobody knows.
            let is_gone = filter.before.as_ref().is_some_and(|run| view.run(run).is_err());
            let found = page(view, &filter, standing, limit, &api.workspace)?;
            Ok((!is_gone).then_some(found))
        })?;
        let found = read.ok_or_else(|| {
            Problem::invalid("unknown-cursor", "the run at which the cursor stands is no longer kept")
                .with_hint("leave `cursor` out to begin anew")
        })?;
        let next_cursor = found.runs.last().filter(|_| found.more).map(|run| write_cursor(RUNS, &run.id));
        let items = found.runs.iter().map(|run| ListedRun::of(&api.workspace, run, now)).collect();
        Ok(Page { items, next_cursor })
    });
    Ok(Json(found.await?))
}

fn instant(given: Option<Instant>, now: UnixMs) -> Result<Option<UnixMs>, Problem> {
    let beyond = || Problem::invalid("unknown-year", "the instant lies outside of the years that are known");
    given.map(|instant| instant.start(now).ok_or_else(beyond)).transpose()
}

async fn show(State(api): State<Arc<Api>>, Path(run): Path<RunId>) -> Result<Json<RunDetail>, Problem> {
    let detail = api.work(move |api| {
        let now = api.now();
        Ok(api.store.read(|view| RunDetail::of(&run, view, &api.workspace, &api.definitions, now))?)
    });
    Ok(Json(detail.await?))
}

/// What [`events`] takes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct EventsQuery {
    /// Only events behind this one.
    #[schemars(range(min = 0, max = 9_007_199_254_740_991_u64))]
    after: u64,
    /// How many.
    limit: Limit,
    /// Where the page begins: `next_cursor` of the page before.
    cursor: Option<String>,
}

async fn events(
    State(api): State<Arc<Api>>,
    Path(run): Path<RunId>,
    Query(query): Query<EventsQuery>,
) -> Result<Json<Page<EventFact>>, Problem> {
    let cursor: Option<u64> = query.cursor.as_deref().map(|cursor| read_cursor(EVENTS, cursor)).transpose()?;
    let after = cursor.unwrap_or(query.after);
    let found = api.read(move |view| {
        let run = view.run(&run)?.id;
        let tasks: Vec<String> = view.tasks(&run)?.into_iter().map(|task| task.task_id).collect();
        let rows = view.events_after(&run, after, query.limit.and_one())?;
        Ok(rows.into_iter().map(|row| EventFact::of(row, &tasks)).collect::<Vec<_>>())
    });
    Ok(Json(Page::cut(EVENTS, found.await?, query.limit, |event| event.seq)))
}
