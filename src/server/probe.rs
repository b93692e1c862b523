//! What machines ask: whether the daemon lives, whether it can work, its figures.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::Api;
use super::auth::{Identity, Role, Via};
use super::problem::Problem;

/// How long ago the scheduler may have looked for the daemon to be ready: it looks twice a second.
const READY_WITHIN: Duration = Duration::from_secs(5);

pub(super) fn router() -> Router<Arc<Api>> {
    Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(ready)).route("/metrics", get(figures))
}

async fn ready(State(api): State<Arc<Api>>) -> (StatusCode, String) {
    let last = api.pulse.last();
    let ago = api.now().0.saturating_sub(last.0);
    match last.0 {
        0 => (StatusCode::SERVICE_UNAVAILABLE, "the scheduler has not looked yet\n".to_owned()),
        _ if ago > READY_WITHIN.as_millis() as i64 => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("the scheduler has not been able to work for {:.1} s\n", ago as f64 / 1e3))
        }
        _ => (StatusCode::OK, "ready\n".to_owned()),
    }
}

/// For the token of the figures, and for administrators.
async fn figures(State(api): State<Arc<Api>>, identity: Identity) -> Result<Response, Problem> {
    if identity.via != Via::Metrics && !identity.may(Role::Admin) {
        return Err(Problem::forbidden("the figures are for administrators, and for the token of --metrics-token-file"));
    }
    let text = api.work(|api| Ok(api.metrics.text())).await?;
    let form = [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];
    Ok((form, text).into_response())
}
