//! Tasks of runs, and the logs of their attempts.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use recflow_state::{AttemptRow, AttemptState, RunId};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Api;
use super::extract::{Json, Path, Query};
use super::operation::{Content, Operation};
use super::values::Within;
use crate::engine::{Standing, standing};
use crate::facts::log::{self, LogPart};
use crate::facts::task_detail::TaskDetail;
use crate::server::problem::Problem;

const TAG: &str = "Runs";
/// Bytes of a log in one answer at most.
const PART_BYTES_MAX: u32 = 1 << 20;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/runs/{run}/tasks/{task}", "getTask")
            .about(TAG, "One task of a run: its inputs, its attempts, the series that it reported")
            .answers::<TaskDetail>(StatusCode::OK)
            .by(show),
        Operation::get("/api/v1/runs/{run}/tasks/{task}/attempts/{attempt}/log", "getAttemptLog")
            .about(TAG, "A part of an attempt's log, in whole lines, or all of it as a text file")
            .query::<LogQuery>()
            .answers::<LogPart>(StatusCode::OK)
            .answers_with(StatusCode::OK, Content::Media("text/plain"))
            .by(part),
    ]
}

async fn show(State(api): State<Arc<Api>>, Path((run, task)): Path<(RunId, String)>) -> Result<Json<TaskDetail>, Problem> {
    let detail = api.work(move |api| {
        let now = api.now();
        let found = api.store.read(|view| {
            let row = view.run(&run)?;
            let is_interrupted = row.owner.is_some() && standing(&api.workspace, &row) == Standing::Interrupted;
            let detail = TaskDetail::of(&run, &task, is_interrupted, view, &api.workspace, now)?;
            let names = if detail.is_none() { view.tasks(&run)? } else { Vec::new() };
            Ok(detail.ok_or_else(|| names.into_iter().map(|row| row.task_id).collect::<Vec<_>>()))
        })?;
        found.map_err(|names| no_task(&run, &task, &names))
    });
    Ok(Json(detail.await?))
}

/// The answer for a task that a run does not have.
pub(super) fn no_task(run: &RunId, task: &str, names: &[String]) -> Problem {
    let problem = Problem::new(StatusCode::NOT_FOUND, "unknown-task", format!("run {run} has no task `{task}`"));
    problem.with_hint(format!("its tasks are {}", names.join(", ")))
}

/// What [`part`] takes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct LogQuery {
    /// Where to begin, in bytes: `next_offset` of the part before.
    #[schemars(range(min = 0, max = 9_007_199_254_740_991_u64))]
    offset: u64,
    /// About how many bytes, at most 1 MiB [default: that].
    limit: Option<Within<1, PART_BYTES_MAX>>,
    /// Begin so many bytes before the end instead, at the start of a line.
    tail: Option<Within<1, PART_BYTES_MAX>>,
    /// 1 for all of it, as a text file that people read.
    download: Option<Within<0, 1>>,
}

async fn part(
    State(api): State<Arc<Api>>,
    Path((run, task, attempt)): Path<(RunId, String, u32)>,
    Query(query): Query<LogQuery>,
) -> Result<Response, Problem> {
    if query.download.is_some_and(|download| download.get() == 1) {
        return download(api, run, task, attempt).await;
    }
    let part = api.work(move |api| {
        let (path, is_over) = api.log_of(&run, &task, attempt)?;
        let limit = u64::from(query.limit.map_or(PART_BYTES_MAX, Within::get));
        let read = || {
            let offset = query.tail.map_or(Ok(query.offset), |bytes| log::tail(&path, u64::from(bytes.get())))?;
            log::part(&path, offset, limit, is_over)
        };
        read().map_err(|error| unreadable(&run, &task, attempt, &error))
    });
    Ok(Json(part.await?).into_response())
}

async fn download(api: Arc<Api>, run: RunId, task: String, attempt: u32) -> Result<Response, Problem> {
    let name = format!("attachment; filename=\"{run}-{task}-{attempt}.log\"");
    let text = api.work(move |api| {
        let (path, _) = api.log_of(&run, &task, attempt)?;
        log::plain(&path).map_err(|error| unreadable(&run, &task, attempt, &error))
    });
    let kind = "text/plain; charset=utf-8".to_owned();
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)], text.await?).into_response())
}

fn unreadable(run: &RunId, task: &str, attempt: u32, error: &std::io::Error) -> Problem {
    Problem::internal(format!("cannot read the log of attempt {attempt} of task `{task}` of run {run}: {error}"))
}

impl Api {
    /// Where the log of an attempt is, and whether nothing is written to it any more.
    pub(in crate::server) fn log_of(&self, run: &RunId, task: &str, attempt: u32) -> Result<(std::path::PathBuf, bool), Problem> {
        let (row, tasks, attempts) = self.store.read(|view| {
            let row = view.run(run)?;
            let tasks: Vec<String> = view.tasks(run)?.into_iter().map(|task| task.task_id).collect();
            Ok((row, tasks, view.attempts_of(run, task)?))
        })?;
        if !tasks.iter().any(|id| id == task) {
            return Err(no_task(run, task, &tasks));
        }
        let count = attempts.len();
        let Some(found) = attempts.into_iter().find(|row| row.number == attempt) else {
            let problem =
                Problem::new(StatusCode::NOT_FOUND, "unknown-attempt", format!("task `{task}` of run {run} has no attempt {attempt}"));
            return Err(problem.with_hint(match count {
                0 => "it never started".to_owned(),
                1 => "it has one attempt".to_owned(),
                count => format!("it has {count} attempts"),
            }));
        };
        let dead = !matches!(standing(&self.workspace, &row), Standing::Live { .. });
        let AttemptRow { log, state, .. } = found;
        // Both parts of the name are ids, checked by a pattern before they were stored.
        let path = log.map_or_else(|| crate::workspace::Workspace::log(run.as_str(), task, attempt), Into::into);
        Ok((self.workspace.home().join(path), dead || state != AttemptState::Running))
    }
}
