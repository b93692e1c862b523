//! Who did what: for administrators.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use recflow_state::{AuditFilter, AuditRow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Api;
use super::extract::{Json, Query};
use super::operation::Operation;
use super::page::{Limit, Page, read_cursor};
use crate::server::auth::Role;
use crate::server::problem::Problem;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/audit", "listAudit")
            .about("Users", "Every change that somebody asked for and every attempt to sign in, newest first")
            .role(Role::Admin)
            .query::<AuditQuery>()
            .answers::<Page<AuditEntry>>(StatusCode::OK)
            .by(list),
    ]
}

const LIST: &str = "audit";

/// Which entries.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AuditQuery {
    /// Only what this user did.
    user: Option<String>,
    /// Only this call, such as `promoteModel`, or `cli` for what the command line did.
    action: Option<String>,
    /// How many at most, 50 if not given.
    #[serde(default)]
    limit: Limit,
    /// Where the page begins: `next_cursor` of the one before.
    cursor: Option<String>,
}

/// Something that somebody did, or tried to.
#[derive(Debug, Serialize, JsonSchema)]
struct AuditEntry {
    /// Grows with time.
    seq: i64,
    /// When, RFC 3339.
    at: String,
    /// Who, by name; as they called themselves if they failed to sign in.
    user: String,
    /// `session`, `token ID`, `cli`, or empty for somebody unknown.
    via: String,
    /// What: the `operationId` of the call.
    action: String,
    /// On what; may be empty.
    object: String,
    /// More about it; may be empty.
    detail: String,
    /// From where; empty for the command line.
    address: String,
    /// `done`, `denied` or `failed: STATUS`.
    outcome: String,
}

impl From<AuditRow> for AuditEntry {
    fn from(row: AuditRow) -> Self {
        let at = crate::engine::timestamp(row.at).to_string();
        let AuditRow { seq, user, via, action, object, detail, address, outcome, .. } = row;
        Self { seq, at, user, via, action, object, detail, address, outcome }
    }
}

async fn list(State(api): State<Arc<Api>>, Query(query): Query<AuditQuery>) -> Result<Json<Page<AuditEntry>>, Problem> {
    let before = query.cursor.as_deref().map(|cursor| read_cursor(LIST, cursor)).transpose()?;
    let (filter, limit) = (AuditFilter { user: query.user, action: query.action, before }, query.limit);
    let rows = api.read(move |view| view.audit(&filter, limit.and_one())).await?;
    Ok(Json(Page::cut(LIST, rows.into_iter().map(AuditEntry::from).collect(), limit, |entry| entry.seq)))
}
