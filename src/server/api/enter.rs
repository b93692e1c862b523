//! What stands before every operation: the check of its role; behind it: the entity tag of what it reads.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;

use super::Api;
use super::operation::{Access, Facts};
use crate::server::auth::Identity;
use crate::server::problem::Problem;

/// The handler behind its checks.
pub(super) fn guarded(handler: MethodRouter<Arc<Api>>, facts: Facts) -> MethodRouter<Arc<Api>> {
    let facts = Arc::new(facts);
    handler.layer(from_fn(move |request: Request, next: Next| enter(facts.clone(), request, next)))
}

async fn enter(facts: Arc<Facts>, request: Request, next: Next) -> Response {
    if let Err(problem) = may(&facts, request.extensions().get::<Identity>()) {
        return problem.into_response();
    }
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let response = next.run(request).await;
    if facts.is_change() { response } else { tagged(response, known.as_ref()).await }
}

fn may(facts: &Facts, identity: Option<&Identity>) -> Result<(), Problem> {
    match (facts.access, identity) {
        (Access::Open, _) => Ok(()),
        (Access::Role(least), Some(identity)) if identity.may(least) => Ok(()),
        (Access::Role(least), Some(identity)) => {
            let problem = Problem::forbidden(format!("{} is for the role `{least}` and those above it", facts.id));
            Err(problem.with_hint(format!(
                "you are `{}`, {}; an administrator can give you another role",
                identity.name,
                identity.standing()
            )))
        }
        // The guard lets nobody through without: this is the second lock.
        (Access::Role(_), None) => Err(Problem::unauthorized("nobody knows who asks")),
    }
}

/// The answer with a tag of its content; if that is the one that the client has, without the content.
async fn tagged(response: Response, known: Option<&HeaderValue>) -> Response {
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|value| value == "application/json");
    if response.status() != StatusCode::OK || !is_json {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // The body is in memory already.
    let Ok(bytes) = to_bytes(body, usize::MAX).await else { return Problem::internal("an answer was cut off").into_response() };
    let tag = format!("\"{}\"", &blake3::hash(&bytes).to_hex()[..32]);
    let is_known = known
        .and_then(|known| known.to_str().ok())
        .is_some_and(|known| known.split(',').map(|known| known.trim().trim_start_matches("W/")).any(|known| known == "*" || known == tag));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        parts.headers.insert(header::ETAG, tag);
    }
    if is_known {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}
