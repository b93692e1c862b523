//! Who asks: what a client needs to know of its own session or token.

use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::extract::Json;
use super::operation::Operation;
use crate::server::auth::{Identity, Role, Via};

pub(super) fn operations() -> Vec<Operation> {
    let tag = "Session";
    vec![
        Operation::get("/api/v1/session", "getSession")
            .about(tag, "Who asks, and what they may do")
            .answers::<SessionFacts>(StatusCode::OK)
            .by(show),
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
}

impl SessionFacts {
    fn of(identity: Identity) -> Self {
        let csrf_token = match identity.via {
            Via::Session { csrf_token } => Some(csrf_token),
            Via::Token { .. } | Via::Metrics => None,
        };
        Self {
            user: identity.name,
            role: identity.role,
            csrf_token,
            expires_at: identity.expires_at.map(|at| crate::engine::timestamp(at).to_string()),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

async fn show(identity: Identity) -> Json<SessionFacts> {
    Json(SessionFacts::of(identity))
}
