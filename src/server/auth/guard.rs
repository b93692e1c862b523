//! The guard: one layer before all that is served, found or not. Behind it nothing asks for credentials again.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{Address, Via, credentials, origin};
use crate::server::Api;
use crate::server::listen::Peer;
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

/// What machines ask that know this one by its address; they are told nothing that others could not know.
const PROBES: &[&str] = &["/healthz", "/readyz"];

/// What the token of the figures opens.
const FIGURES: &str = "/metrics";

/// The header of a change by a session.
const CSRF: &str = "x-csrf-token";

/// Lets through what is open and whoever shows who they are.
pub(crate) async fn guard(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let address = Address::of(parts.extensions.get::<Peer>(), &parts.headers, api.auth.settings.behind_proxy);
    parts.extensions.insert(address);
    match check(&api, &mut parts).await {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(problem) if problem.status() == StatusCode::UNAUTHORIZED && is_page(&parts) => to_login(&parts),
        Err(problem) => problem.into_response(),
    }
}

async fn check(api: &Arc<Api>, parts: &mut Parts) -> Result<(), Problem> {
    let path = parts.uri.path().to_owned();
    let is_change = !matches!(parts.method, Method::GET | Method::HEAD);
    if !PROBES.contains(&path.as_str()) {
        let authority = api.auth.settings.hosts.check(parts)?;
        if is_change {
            origin::check_origin(&parts.headers, &authority)?;
        }
    }
    if is_open(&parts.method, &path) {
        return Ok(());
    }
    let Some(identity) = credentials::identify(api, &parts.headers).await? else {
        return Err(Problem::unauthorized("nobody knows who asks").with_hint("sign in, or send `Authorization: Bearer TOKEN`"));
    };
    if let Via::Session { csrf_token, .. } = &identity.via
        && is_change
        && !is_same(parts.headers.get(CSRF), csrf_token)
    {
        let problem = Problem::new(StatusCode::FORBIDDEN, "no-csrf-token", "a change by a session wants the header `X-CSRF-Token`");
        return Err(problem.with_hint("GET /api/v1/session tells it"));
    }
    if identity.via == Via::Metrics && path != FIGURES {
        return Err(Problem::forbidden("this token is for the figures alone"));
    }
    parts.extensions.insert(identity);
    Ok(())
}

fn is_open(method: &Method, path: &str) -> bool {
    let method = if method == Method::HEAD { &Method::GET } else { method };
    OPEN.iter().any(|(open, exact)| open == method && *exact == path)
}

/// Hashes compare in constant time.
fn is_same(given: Option<&HeaderValue>, wanted: &str) -> bool {
    given.is_some_and(|given| blake3::hash(given.as_bytes()) == blake3::hash(wanted.as_bytes()))
}

/// Whether a browser asks for a page, for whose reader a problem in JSON is no answer.
fn is_page(parts: &Parts) -> bool {
    let accepts_html =
        parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accept| accept.contains("text/html"));
    parts.method == Method::GET
        && accepts_html
        && !["/api/", "/assets/", "/metrics"].iter().any(|prefix| parts.uri.path().starts_with(prefix))
}

/// To the login page, which leads back here.
fn to_login(parts: &Parts) -> Response {
    let back = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let place = if back == "/" { "/login".to_owned() } else { format!("/login?next={}", percent_encoded(back)) };
    (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
}

/// A text as a value in a query.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::api::operation::Access;
    use crate::server::api::operations;

    #[test]
    fn what_is_open_is_open_to_the_letter() {
        assert!(is_open(&Method::GET, "/healthz") && is_open(&Method::HEAD, "/login") && is_open(&Method::POST, "/api/v1/session"));
        let tricks =
            ["/healthz/", "/healthz;x", "//healthz", "/Healthz", "/healthz%20", "/%68ealthz", "/login/../api/v1/runs", "/api/v1/session/"];
        for trick in tricks {
            assert!(!is_open(&Method::GET, trick) && !is_open(&Method::POST, trick), "{trick}");
        }
        assert!(
            !is_open(&Method::DELETE, "/api/v1/session") && !is_open(&Method::GET, "/api/v1/session") && !is_open(&Method::POST, "/login")
        );
    }

    #[test]
    fn an_operation_is_open_if_and_only_if_the_list_has_it() {
        for operation in operations() {
            let facts = operation.facts;
            assert_eq!(facts.access == Access::Open, is_open(&facts.method, facts.path), "{}", facts.id);
        }
    }

    #[test]
    fn the_way_back_from_the_login_page_stays_one_value() {
        assert_eq!(percent_encoded("/runs/x?a=1&b=ü#c"), "/runs/x%3Fa%3D1%26b%3D%C3%BC%23c");
    }
}
