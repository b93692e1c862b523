//! What people do with runs: stop one, have it go on, repeat it, decide about a task.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use recflow_state::{Run, RunId, RunStatus};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Api;
use super::extract::{Body, Json, Path};
use super::operation::Operation;
use super::starts::{Started, started};
use super::tasks::no_task;
use crate::engine::{Granted, Mark, MarkTask, Standing, Wish, request, standing};
use crate::server::auth::Identity;
use crate::server::problem::Problem;

const TAG: &str = "Runs";
const CONFLICT: &[StatusCode] = &[StatusCode::CONFLICT];

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/api/v1/runs/{run}/cancel", "cancelRun")
            .about(TAG, "Stop a run, whoever executes it: nothing new starts, what runs is asked to end, or killed")
            .body::<CancelBody>()
            .answers::<Asked>(StatusCode::OK)
            .fails(CONFLICT)
            .by(cancel),
        Operation::post("/api/v1/runs/{run}/resume", "resumeRun")
            .about(TAG, "Have a run go on that failed, was cancelled or was interrupted; what had succeeded is kept")
            .answers::<Asked>(StatusCode::OK)
            .fails(CONFLICT)
            .by(resume),
        Operation::post("/api/v1/runs/{run}/replay", "replayRun")
            .about(TAG, "Run again from a task on, as a new run with the old outputs above it")
            .body::<ReplayBody>()
            .answers::<Started>(StatusCode::CREATED)
            .fails(CONFLICT)
            .by(replay),
        Operation::post("/api/v1/runs/{run}/tasks/{task}/mark", "markTask")
            .about(TAG, "Declare a task ended; of a run that is over, what lies below it runs again")
            .body::<MarkBody>()
            .answers::<Asked>(StatusCode::OK)
            .fails(CONFLICT)
            .by(mark),
    ]
}

/// The run that something was done with.
#[derive(Debug, Serialize, JsonSchema)]
struct Asked {
    /// Its id.
    run: String,
}

/// How a run is to stop.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct CancelBody {
    /// Kill what runs at once.
    force: bool,
    /// Why, for people who read about it later.
    #[schemars(length(max = 1000))]
    reason: Option<String>,
}

async fn cancel(
    State(api): State<Arc<Api>>,
    identity: Identity,
    Path(run): Path<RunId>,
    Body(body): Body<CancelBody>,
) -> Result<Json<Asked>, Problem> {
    let done = api.work(move |api| {
        let row = api.store.read(|view| view.run(&run))?;
        let why = body.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        let reason = format!("cancelled by {}{why}", identity.name);
        match standing(&api.workspace, &row) {
            Standing::Over => return Err(over(&row)),
            Standing::Live { .. } => api.request(&row, &Wish::Cancel { force: body.force, reason })?,
            Standing::Unclaimed | Standing::Interrupted => {
                let now = api.now();
                if !api.store.write(|tx| tx.cancel_unclaimed(&run, now, &reason))? {
                    // Nobody executes it: its attempts are lost, and it ends here.
                    api.handle.resume(run.clone()).wait().map_err(refused)?;
                    api.handle.cancel_run(run.clone(), true, &reason);
                }
            }
        }
        api.wake();
        Ok(run)
    });
    Ok(Json(Asked { run: done.await?.to_string() }))
}

async fn resume(State(api): State<Arc<Api>>, Path(run): Path<RunId>) -> Result<Json<Asked>, Problem> {
    let done = api.work(move |api| {
        let row = api.store.read(|view| view.run(&run))?;
        match standing(&api.workspace, &row) {
            Standing::Over if row.status == RunStatus::Succeeded => return Err(over(&row)),
            Standing::Live { .. } => return Err(under_way(&run)),
            Standing::Unclaimed => return Err(Problem::conflict("not-begun", format!("run {run} has not begun: it waits for room"))),
            Standing::Over | Standing::Interrupted => api.handle.resume(run.clone()).wait().map_err(refused)?,
        }
        Ok(run)
    });
    Ok(Json(Asked { run: done.await?.to_string() }))
}

/// Where a run is repeated from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReplayBody {
    /// The task to begin with.
    from: String,
}

async fn replay(State(api): State<Arc<Api>>, Path(run): Path<RunId>, Body(body): Body<ReplayBody>) -> Result<Response, Problem> {
    let new = api.work(move |api| {
        let row = api.must_have(&run, &body.from)?;
        if let Standing::Live { .. } = standing(&api.workspace, &row) {
            return Err(under_way(&run).with_hint("cancel it first, or wait for its end"));
        }
        api.handle.replay(run, &body.from).wait().map_err(refused)
    });
    Ok(started(&new.await?))
}

/// How a task counts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MarkBody {
    /// How.
    status: MarkedAs,
    /// For a branch that counts as succeeded: the tasks that run; all directly below it, if not given.
    #[serde(default)]
    taken: Option<Vec<String>>,
    /// For a task that counts as succeeded: what it returned.
    #[serde(default)]
    output: Option<Value>,
    /// Why, for people who read about it later.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    reason: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum MarkedAs {
    Succeeded,
    Failed,
    Skipped,
}

async fn mark(
    State(api): State<Arc<Api>>,
    identity: Identity,
    Path((run, task)): Path<(RunId, String)>,
    Body(body): Body<MarkBody>,
) -> Result<Json<Asked>, Problem> {
    let done = api.work(move |api| {
        let row = api.must_have(&run, &task)?;
        let why = body.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        let mark = MarkTask {
            task,
            r#as: match body.status {
                MarkedAs::Succeeded => Mark::Succeeded,
                MarkedAs::Failed => Mark::Failed,
                MarkedAs::Skipped => Mark::Skipped,
            },
            taken: body.taken,
            output: body.output,
            reason: format!("marked by {}{why}", identity.name),
        };
        match standing(&api.workspace, &row) {
            Standing::Live { .. } => api.request(&row, &Wish::Mark(mark))?,
            _ => api.handle.mark(run.clone(), mark).wait().map_err(refused)?,
        }
        Ok(run)
    });
    Ok(Json(Asked { run: done.await?.to_string() }))
}

impl Api {
    /// Asks something of the process that executes a run, and waits for its answer.
    fn request(&self, run: &Run, wish: &Wish) -> Result<(), Problem> {
        self.handle.wake();
        match request(&self.store, &self.workspace, run, wish, self.now())? {
            Granted::Done => Ok(()),
            Granted::Refused(why) => Err(Problem::conflict("refused", why)),
            Granted::Unanswered => {
                let problem = Problem::unavailable(format!("the process that executes run {} has not answered", run.id));
                Err(problem.with_hint("it may be suspended; the wish stands"))
            }
        }
    }

    /// A run that has such a task.
    fn must_have(&self, run: &RunId, task: &str) -> Result<Run, Problem> {
        let (row, tasks) = self.store.read(|view| Ok((view.run(run)?, view.tasks(run)?)))?;
        if tasks.iter().any(|row| row.task_id == task) {
            return Ok(row);
        }
        let names: Vec<String> = tasks.into_iter().map(|row| row.task_id).collect();
        Err(no_task(run, task, &names))
    }
}

fn over(run: &Run) -> Problem {
    let how = match run.status {
        RunStatus::Failed => "failed",
        RunStatus::Cancelled => "been cancelled",
        _ => "succeeded",
    };
    Problem::conflict("run-over", format!("run {} has {how} already", run.id))
}

fn under_way(run: &RunId) -> Problem {
    Problem::conflict("run-under-way", format!("run {run} is under way"))
}

/// What the engine could not do with a run: as it says, unless the store is the trouble.
fn refused(error: anyhow::Error) -> Problem {
    match error.downcast::<recflow_state::Error>() {
        Ok(error) => error.into(),
        Err(error) => Problem::conflict("refused", format!("{error:#}")),
    }
}
