//! What stands before every operation: the check of its role; and behind it: the entity tag of what it reads, the note of what it changes.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;

use super::Api;
use super::operation::{Access, Facts};
use crate::server::auth::audit::{self, Asked, Note};
use crate::server::auth::{Address, Identity};
use crate::server::problem::Problem;

/// The handler behind its checks.
pub(super) fn guarded(handler: MethodRouter<Arc<Api>>, facts: Facts, api: Arc<Api>) -> MethodRouter<Arc<Api>> {
    let facts = Arc::new(facts);
    handler.layer(from_fn(move |request: Request, next: Next| enter(facts.clone(), api.clone(), request, next)))
}

async fn enter(facts: Arc<Facts>, api: Arc<Api>, request: Request, next: Next) -> Response {
    if facts.is_change() {
        let asked = asked(&facts, &request);
        let mut response = admit(&facts, request, next).await;
        let note = response.extensions_mut().remove::<Note>().unwrap_or_default();
        // Who is turned away for asking too often must not fill the log.
        if response.status() != StatusCode::TOO_MANY_REQUESTS {
            audit::note(&api, asked, response.status(), note).await;
        }
        return response;
    }
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    tagged(admit(&facts, request, next).await, known.as_ref()).await
}

async fn admit(facts: &Facts, request: Request, next: Next) -> Response {
    match may(facts, request.extensions().get::<Identity>()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
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

fn asked(facts: &Facts, request: &Request) -> Asked {
    let given = facts.path.split('/').zip(request.uri().path().split('/')).filter(|(pattern, _)| pattern.starts_with('{'));
    Asked {
        identity: request.extensions().get().cloned(),
        address: request.extensions().get::<Address>().copied(),
        action: facts.id,
        object: given.map(|(_, name)| name).collect::<Vec<_>>().join("/"),
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
    let tag = tag(&bytes);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        parts.headers.insert(header::ETAG, tag);
    }
    if known.is_some_and(|known| is_known(known, &tag)) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// The entity tag of a content.
pub(in crate::server) fn tag(bytes: &[u8]) -> String {
    format!("\"{}\"", &blake3::hash(bytes).to_hex()[..32])
}

/// Whether `If-None-Match` names the tag.
pub(in crate::server) fn is_known(known: &HeaderValue, tag: &str) -> bool {
    let known = known.to_str().unwrap_or_default();
    known.split(',').map(|known| known.trim().trim_start_matches("W/")).any(|known| known == "*" || known == tag)
}
