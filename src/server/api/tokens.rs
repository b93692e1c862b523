//! API tokens: one's own, or everybody's for administrators. The secret is told once.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use recflow_state::{TokenRow, UnixMs};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Api;
use super::extract::{Body, Json, Path, whole};
use super::operation::{Content, Operation};
use super::page::Page;
use crate::server::auth::audit::Note;
use crate::server::auth::secret::{DAY_MS, api_token};
use crate::server::auth::{Identity, Role, Scope, Via};
use crate::server::problem::Problem;

/// The longest life of a token that ends.
const DAYS_MAX: u32 = 3_650;

pub(super) fn operations() -> Vec<Operation> {
    let tag = "Tokens";
    vec![
        Operation::get("/api/v1/tokens", "listTokens")
            .about(tag, "One's own API tokens; for administrators those of everybody")
            .answers::<Page<Token>>(StatusCode::OK)
            .by(list),
        Operation::post("/api/v1/tokens", "createToken")
            .about(tag, "Make an API token that acts for whoever asks; its secret is in this answer and nowhere else")
            .role(Role::Viewer)
            .body::<NewToken>()
            .answers::<TokenWithSecret>(StatusCode::CREATED)
            .by(create),
        Operation::delete("/api/v1/tokens/{token}", "revokeToken")
            .about(tag, "Revoke an API token of one's own; for administrators of anybody")
            .role(Role::Viewer)
            .answers_with(StatusCode::NO_CONTENT, Content::Nothing)
            .by(revoke),
    ]
}

/// An API token, without its secret.
#[derive(Debug, Serialize, JsonSchema)]
struct Token {
    /// What it is revoked by.
    id: String,
    /// What it is for.
    name: String,
    /// For whom it acts.
    user: String,
    /// What it may at most: `metrics`, `viewer`, `operator` or `admin`. Never more than its user.
    role: String,
    /// When it was made, RFC 3339, as the others.
    created_at: String,
    /// When it ends; null if it does not.
    expires_at: Option<String>,
    /// When it was used last, to the minute; null if it was not.
    last_used_at: Option<String>,
}

/// A new token.
#[derive(Debug, Serialize, JsonSchema)]
struct TokenWithSecret {
    #[serde(flatten)]
    token: Token,
    /// What a program sends as `Authorization: Bearer …`. It cannot be had again.
    secret: String,
}

/// A token to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewToken {
    /// What it is for: 1 to 100 characters.
    #[schemars(length(min = 1, max = 100))]
    name: String,
    /// What it may at most; not more than whoever asks.
    role: Scope,
    /// After how many days it ends, at most 3650; without, it does not.
    #[serde(default, deserialize_with = "whole")]
    #[schemars(range(min = 1, max = 3650))]
    expires_in_days: Option<u32>,
}

impl From<TokenRow> for Token {
    fn from(row: TokenRow) -> Self {
        let time = |at: UnixMs| crate::engine::timestamp(at).to_string();
        Self {
            id: row.id,
            name: row.name,
            user: row.user,
            role: row.scope,
            created_at: time(row.created_at),
            expires_at: row.expires_at.map(time),
            last_used_at: row.last_used_at.map(time),
        }
    }
}

/// Whose tokens somebody may see and revoke: everybody's, or their own.
fn reach(identity: &Identity) -> Option<String> {
    if identity.may(Role::Admin) { None } else { Some(identity.name.clone()) }
}

/// When a new token ends: one that a token made does not outlive it.
fn end(via: &Via, own_end: Option<UnixMs>, wanted: Option<UnixMs>) -> Option<UnixMs> {
    match via {
        Via::Token { .. } => own_end.into_iter().chain(wanted).min(),
        Via::Session { .. } | Via::Metrics => wanted,
    }
}

async fn list(State(api): State<Arc<Api>>, identity: Identity) -> Result<Json<Page<Token>>, Problem> {
    let rows = api.read(move |view| view.tokens(reach(&identity).as_deref())).await?;
    Ok(Json(Page::whole(rows.into_iter().map(Token::from).collect())))
}

async fn create(State(api): State<Arc<Api>>, identity: Identity, Body(body): Body<NewToken>) -> Result<Response, Problem> {
    let NewToken { name, role: scope, expires_in_days } = body;
    if scope.role().is_some_and(|role| !identity.may(role)) {
        let problem = Problem::forbidden(format!("a token of yours may not be more than you are: `{}`", identity.role));
        return Err(problem.with_hint("ask for a smaller role"));
    }
    if name.trim().is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(Problem::invalid("bad-name", "a token's name has 1 to 100 characters, none of them a control character"));
    }
    if expires_in_days.is_some_and(|days| !(1..=DAYS_MAX).contains(&days)) {
        return Err(Problem::invalid("bad-expiry", format!("a token lives for 1 to {DAYS_MAX} days, or for ever")));
    }
    let now = api.now();
    let Identity { name: user, via, expires_at: own_end, .. } = identity;
    let expires_at = end(&via, own_end, expires_in_days.map(|days| UnixMs(now.0 + i64::from(days) * DAY_MS)));
    let (secret, row) = api_token(user, name, scope, expires_at, now)?;
    let stored = row.clone();
    api.write(move |tx| Ok(tx.add_token(&stored)?)).await?;
    let note = Note { user: None, object: Some(row.id.clone()), detail: format!("{}, role {}", row.name, row.scope) };
    let answer = TokenWithSecret { token: row.into(), secret: secret.reveal().to_owned() };
    let mut response = (StatusCode::CREATED, Json(answer)).into_response();
    response.extensions_mut().insert(note);
    Ok(response)
}

async fn revoke(State(api): State<Arc<Api>>, identity: Identity, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let of = reach(&identity);
    api.write(move |tx| match tx.remove_token(&id, of.as_deref())? {
        true => Ok(()),
        // Somebody else's is as unknown as none.
        false => Err(Problem::unknown("token", &id)),
    })
    .await?;
    api.auth.forget();
    Ok(StatusCode::NO_CONTENT)
}
