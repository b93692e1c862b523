//! Who asks: signing in and out, what a client needs to know of its own session or token, and one's own password.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use recflow_state::UnixMs;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Api;
use super::extract::{Body, Json};
use super::operation::{Content, Operation};
use crate::server::auth::audit::Note;
use crate::server::auth::sign_in::{Begun, by_link, by_password, check_password, checked};
use crate::server::auth::{Address, Identity, Role, Via, password, secret};
use crate::server::problem::Problem;

pub(super) fn operations() -> Vec<Operation> {
    let tag = "Session";
    vec![
        Operation::get("/api/v1/session", "getSession")
            .about(tag, "Who asks, and what they may do")
            .answers::<SessionFacts>(StatusCode::OK)
            .by(show),
        Operation::post("/api/v1/session", "signIn")
            .about(tag, "Sign in with a name and a password, or with a link that signs in once; sets the cookie of the session")
            .open()
            .body::<SignIn>()
            .answers::<SessionFacts>(StatusCode::OK)
            .fails(&[StatusCode::TOO_MANY_REQUESTS])
            .by(begin),
        Operation::delete("/api/v1/session", "signOut")
            .about(tag, "Sign out: ends the session of the cookie")
            .role(Role::Viewer)
            .answers_with(StatusCode::NO_CONTENT, Content::Nothing)
            .fails(&[StatusCode::CONFLICT])
            .by(end),
        Operation::post("/api/v1/session/password", "setOwnPassword")
            .about(tag, "Set one's own password; ends one's other sessions")
            .role(Role::Viewer)
            .body::<NewPassword>()
            .answers_with(StatusCode::NO_CONTENT, Content::Nothing)
            .fails(&[StatusCode::CONFLICT, StatusCode::TOO_MANY_REQUESTS])
            .by(set_password),
    ]
}

/// Who asks.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct SessionFacts {
    /// Their name.
    user: String,
    /// What they may do.
    role: Role,
    /// What the header `X-CSRF-Token` of a change must be; null for a token, which needs none.
    csrf_token: Option<String>,
    /// When the session or token ends, RFC 3339; null if it does not.
    expires_at: Option<String>,
    /// The version of recflow that answers.
    version: &'static str,
    /// Whether a link signed them in: they may set a password without giving the old one.
    may_reset_password: bool,
}

/// A name and a password, or a link's secret.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields, expecting = "signing in takes `user` and `password`, or `link_token`")]
enum SignIn {
    Password {
        /// Who.
        user: String,
        /// Their password.
        password: String,
    },
    Link {
        /// The secret of a link that signs in once, as `recflow daemon` and `recflow user link` print it behind `#`.
        link_token: String,
    },
}

/// One's own new password.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    /// The old one; not needed by who signed in with a link.
    old: Option<String>,
    /// The new one: at least 10 characters.
    #[schemars(length(min = 10, max = 1024))]
    new: String,
}

fn time(at: UnixMs) -> String {
    crate::engine::timestamp(at).to_string()
}

async fn show(identity: Identity) -> Json<SessionFacts> {
    let expires_at = identity.expires_at.map(time);
    let (csrf_token, may_reset_password) = match identity.via {
        Via::Session { csrf_token, by_link, .. } => (Some(csrf_token), by_link),
        Via::Token { .. } | Via::Metrics => (None, false),
    };
    let (user, role, version) = (identity.name, identity.role, env!("CARGO_PKG_VERSION"));
    Json(SessionFacts { user, role, csrf_token, expires_at, version, may_reset_password })
}

async fn begin(State(api): State<Arc<Api>>, address: Address, Body(body): Body<SignIn>) -> Response {
    let (user, is_link) = match &body {
        SignIn::Password { user, .. } => (Some(user.clone()), false),
        SignIn::Link { .. } => (None, true),
    };
    let begun = match body {
        SignIn::Password { user, password } => by_password(&api, user, password, address).await,
        SignIn::Link { link_token } => by_link(&api, link_token, address).await,
    };
    let user = begun.as_ref().ok().map(|begun| begun.user.clone()).or(user);
    let mut response = begun.and_then(|begun| begun_response(&api, begun, is_link)).unwrap_or_else(IntoResponse::into_response);
    let detail = if is_link { "by link" } else { "by password" }.to_owned();
    response.extensions_mut().insert(Note { user, object: None, detail });
    response
}

fn begun_response(api: &Api, begun: Begun, may_reset_password: bool) -> Result<Response, Problem> {
    let role = Role::parse(&begun.role).ok_or_else(|| Problem::forbidden(format!("nobody knows what the role `{}` may do", begun.role)))?;
    let facts = SessionFacts {
        user: begun.user,
        role,
        csrf_token: Some(secret::csrf_token(begun.secret.reveal())),
        expires_at: Some(time(begun.expires_at)),
        version: env!("CARGO_PKG_VERSION"),
        may_reset_password,
    };
    let mut response = Json(facts).into_response();
    api.auth.set_cookie(&mut response, &begun.secret);
    Ok(response)
}

async fn end(State(api): State<Arc<Api>>, identity: Identity) -> Result<Response, Problem> {
    let Via::Session { hash, .. } = identity.via else {
        return Err(Problem::conflict("no-session", "there is no session to end: a token asked")
            .with_hint("DELETE /api/v1/tokens/{token} revokes a token"));
    };
    api.write(move |tx| Ok(tx.remove_session(&hash)?)).await?;
    api.auth.forget();
    let mut response = StatusCode::NO_CONTENT.into_response();
    api.auth.remove_cookie(&mut response);
    Ok(response)
}

async fn set_password(
    State(api): State<Arc<Api>>,
    identity: Identity,
    address: Address,
    Body(body): Body<NewPassword>,
) -> Result<StatusCode, Problem> {
    let Via::Session { hash, by_link, .. } = identity.via else {
        let problem = Problem::conflict("no-session", "a token cannot set a password");
        return Err(problem.with_hint("sign in with a browser, or use `recflow user passwd`"));
    };
    let (user, NewPassword { old, new }) = (identity.name, body);
    if let Some(objection) = password::objection(&user, &new) {
        return Err(Problem::invalid("weak-password", objection));
    }
    if !by_link {
        let is_theirs = check_password(&api, &user, old.unwrap_or_default(), address).await;
        is_theirs.map_err(|problem| match problem.status() {
            // They are signed in all the same.
            StatusCode::UNAUTHORIZED => Problem::new(StatusCode::FORBIDDEN, "wrong-password", "the old password is wrong"),
            _ => problem,
        })?;
    }
    let stored = checked(&api.auth, move || password::hash(&new)).await?;
    api.write(move |tx| {
        tx.set_user_password(&user, Some(&stored))?;
        Ok(tx.remove_sessions(&user, Some(&hash))?)
    })
    .await?;
    api.auth.forget();
    Ok(StatusCode::NO_CONTENT)
}
