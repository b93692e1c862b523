//! The guard: one layer before all that is served, found or not. Behind it nothing asks for credentials again.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{Identity, Role, Via};
use crate::server::Api;
use crate::server::problem::Problem;

/// What anybody may ask, to the letter: no suffix, no prefix, no other spelling of it. A request for `HEAD` counts as `GET`.
pub(crate) const OPEN: &[(Method, &str)] = &[
    (Method::GET, "/healthz"),
    (Method::GET, "/readyz"),
    (Method::GET, "/login"),
    (Method::GET, "/assets/login.js"),
    (Method::GET, "/assets/login.css"),
    (Method::POST, "/api/v1/session"),
];

/// Lets through what is open and whoever shows who they are.
pub(crate) async fn guard(State(api): State<Arc<Api>>, mut request: Request, next: Next) -> Response {
    match identify(&api, request.headers()).await {
        Ok(Some(identity)) => {
            request.extensions_mut().insert(identity);
        }
        Ok(None) if is_open(&request) => {}
        Ok(None) => {
            return Problem::unauthorized("nobody knows who asks")
                .with_hint("sign in, or send `Authorization: Bearer TOKEN`")
                .into_response();
        }
        Err(problem) => return problem.into_response(),
    }
    next.run(request).await
}

fn is_open(request: &Request) -> bool {
    let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
    OPEN.iter().any(|(open, path)| open == method && *path == request.uri().path())
}

/// Who asks, by what they show.
async fn identify(api: &Arc<Api>, headers: &HeaderMap) -> Result<Option<Identity>, Problem> {
    let Some(token) = bearer(headers) else { return Ok(None) };
    // Hashes compare in constant time.
    if api.auth.metrics_token == Some(blake3::hash(token.as_bytes())) {
        return Ok(Some(Identity { name: "metrics".to_owned(), role: Role::Viewer, via: Via::Metrics, expires_at: None }));
    }
    Ok(None)
}

/// The token of the header `Authorization: Bearer …`.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
