//! Who did what: every change that somebody asked for, and every attempt to sign in, with its outcome.

use std::sync::Arc;

use axum::http::StatusCode;
use recflow_state::{AuditRow, UnixMs};

use super::{Address, Identity};
use crate::server::Api;

/// What a handler knows of a change beyond its name and its path: an extension of its answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Note {
    /// Who, where nobody is signed in yet.
    pub(crate) user: Option<String>,
    /// On what, where the path does not say it.
    pub(crate) object: Option<String>,
    /// More about it, without secrets.
    pub(crate) detail: String,
}

/// What is known of a request before it is done.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) identity: Option<Identity>,
    pub(crate) address: Option<Address>,
    pub(crate) action: &'static str,
    pub(crate) object: String,
}

/// Writes down what became of a request. A store that cannot be written has louder ways to say so; the answer is given all the same.
pub(crate) async fn note(api: &Arc<Api>, asked: Asked, status: StatusCode, note: Note) {
    let row = entry(asked, status, note, api.now());
    // The failure is logged where it is turned into a problem.
    let _ = api.write(move |tx| Ok(tx.add_audit(&row)?)).await;
}

fn entry(asked: Asked, status: StatusCode, note: Note, at: UnixMs) -> AuditRow {
    let user = note.user.or_else(|| asked.identity.as_ref().map(|identity| identity.name.clone())).unwrap_or_default();
    AuditRow {
        seq: 0,
        at,
        user: user.chars().take(64).collect(),
        via: asked.identity.map(|identity| identity.via()).unwrap_or_default(),
        action: asked.action.to_owned(),
        object: note.object.unwrap_or(asked.object),
        detail: note.detail,
        address: asked.address.map(|address| address.0.to_string()).unwrap_or_default(),
        outcome: match status {
            status if status.is_success() => "done".to_owned(),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "denied".to_owned(),
            status => format!("failed: {}", status.as_u16()),
        },
    }
}
