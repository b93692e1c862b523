//! The API: its state ([`Api`]), its table of [`operations`], and the router that serves them.
//!
//! ```text
//! request ─▶ guard (who asks) ─▶ enter (may they) ─▶ handler ─▶ Api::read / write / work (SQLite, disk) ─▶ Json
//! ```
//!
//! A resource is a file with `pub(super) fn operations() -> Vec<Operation>`; handlers take `State<Arc<Api>>`, an
//! [`Identity`](super::auth::Identity) and what [`extract`] reads, and return `Result<Json<T>, Problem>`.

mod audit;
mod backfills;
mod context;
mod datasets;
mod drift;
pub(super) mod enter;
pub(crate) mod extract;
mod model_changes;
mod models;
pub(crate) mod openapi;
pub(crate) mod operation;
mod overview;
pub(crate) mod page;
mod pipelines;
mod prune;
mod reports;
mod run_changes;
mod runs;
mod schedules;
mod serving;
mod session;
mod sources;
mod starts;
mod tasks;
mod tokens;
mod users;
mod values;

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use recflow_stages::clock::Clock;
use recflow_state::{Store, Tx, UnixMs, View};
use tokio::sync::Semaphore;

use self::operation::{Content, Operation};
use super::auth::Auth;
use super::metrics::Metrics;
use super::problem::Problem;
use super::serving::Recommender;
use crate::engine::Handle;
use crate::engine::entropy::Entropy;
use crate::facts::{Definitions, Overviews};
use crate::scheduler::daemon::{Nudge, Nudger, Pulse};
use crate::workspace::Workspace;

/// So many requests work on SQLite or the disk at once; the others wait their turn. More would take threads and descriptors from runs.
const AT_WORK_MAX: usize = 4;

/// What the answers are made of.
#[derive(Debug)]
pub struct Api {
    /// Whose pipelines, runs and data.
    pub workspace: Workspace,
    /// The daemon's store.
    pub store: Arc<Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where ids of runs come from.
    pub entropy: Arc<dyn Entropy>,
    /// The driver of the daemon's runs.
    pub handle: Handle,
    /// Wakes the scheduler.
    pub nudger: Nudger,
    /// When the scheduler looked last.
    pub pulse: Pulse,
    /// The figures.
    pub metrics: Metrics,
    /// Who may ask.
    pub auth: Auth,
    /// Texts of pipelines, parsed once.
    pub definitions: Definitions,
    /// What is in datasets, counted once.
    pub overviews: Overviews,
    /// Recommends.
    pub recommender: Recommender,
    /// Room for requests at work.
    pub places: Places,
}

/// Bounds how many requests are [at work](Api::work) at once.
#[derive(Debug)]
pub struct Places(Semaphore);

impl Default for Places {
    fn default() -> Self {
        Self(Semaphore::new(AT_WORK_MAX))
    }
}

impl Api {
    /// The time now.
    pub(crate) fn now(&self) -> UnixMs {
        UnixMs(self.clock.now().as_millisecond())
    }

    /// Has the scheduler and the driver look at what was written.
    pub(crate) fn wake(&self) {
        self.nudger.nudge(Nudge::Look);
        self.handle.wake();
    }

    /// Reads the store at one instant, off the threads that serve connections.
    pub(crate) async fn read<T, F>(self: &Arc<Self>, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&View<'_>) -> recflow_state::Result<T> + Send + 'static,
    {
        self.work(move |api| Ok(api.store.read(work)?)).await
    }

    /// Writes the store in one transaction, off the threads that serve connections.
    pub(crate) async fn write<T, F>(self: &Arc<Self>, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T, Problem> + Send + 'static,
    {
        self.work(move |api| api.store.write(work)).await
    }

    /// Does what waits for SQLite, the disk or much arithmetic, off the threads that serve connections. A client that goes away does not
    /// stop it: what was begun is finished.
    pub(crate) async fn work<T, F>(self: &Arc<Self>, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Api) -> Result<T, Problem> + Send + 'static,
    {
        let api = self.clone();
        let work = async move {
            // Never closed.
            let _place = api.places.0.acquire().await;
            let inside = api.clone();
            tokio::task::spawn_blocking(move || work(&inside)).await
        };
        match tokio::spawn(work).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) | Err(error) => Err(Problem::internal(format!("a request panicked: {error}"))),
        }
    }
}

/// All calls of the API.
pub(crate) fn operations() -> Vec<Operation> {
    let mut operations = Vec::new();
    operations.extend(session::operations());
    operations.extend(pipelines::operations());
    operations.extend(starts::operations());
    operations.extend(schedules::operations());
    operations.extend(backfills::operations());
    operations.extend(sources::operations());
    operations.extend(runs::operations());
    operations.extend(run_changes::operations());
    operations.extend(tasks::operations());
    operations.extend(models::operations());
    operations.extend(model_changes::operations());
    operations.extend(drift::operations());
    operations.extend(datasets::operations());
    operations.extend(reports::operations());
    operations.extend(overview::operations());
    operations.extend(prune::operations());
    operations.extend(users::operations());
    operations.extend(tokens::operations());
    operations.extend(audit::operations());
    operations.extend(serving::operations());
    operations.push(
        Operation::get("/api/v1/openapi.json", "getOpenApi")
            .about("System", "This document")
            .answers_with(StatusCode::OK, Content::Media("application/json"))
            .by(document),
    );
    operations
}

/// The OpenAPI document as text.
pub fn openapi() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| openapi::text(&operations()))
}

async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], openapi()).into_response()
}

/// Serves the operations, each behind the check of its role.
pub(super) fn router(api: &Arc<Api>) -> Router<Arc<Api>> {
    let mut router = Router::new();
    for Operation { facts, handler } in operations() {
        let path = facts.path;
        router = router.route(path, enter::guarded(handler, facts, api.clone()));
    }
    router.method_not_allowed_fallback(|| async {
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, "unknown-method", "this path has no such call")
    })
}

/// What is at no path.
pub(super) async fn nothing(State(_): State<Arc<Api>>) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "unknown-path", "there is nothing here").with_hint("GET /api/v1/openapi.json lists all calls")
}
