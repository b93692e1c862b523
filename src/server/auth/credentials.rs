//! What somebody shows, and who that is: the secret of a session in a cookie, or of an API token in a header. What was found is remembered
//! for a second, so that a client that asks a thousand times a second costs the store one look; whoever is removed by another process is
//! out within that second.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderMap, header};
use recflow_state::{SessionRow, TokenRow, UnixMs, View};

use super::identity::Scope;
use super::sign_in::{IDLE_MS, TOUCH_EVERY_MS};
use super::{Identity, Role, Via, secret};
use crate::server::Api;
use crate::server::problem::Problem;

/// How long what was found is remembered.
const REMEMBER_MS: i64 = 1_000;
/// So many are remembered.
const REMEMBERED_MAX: usize = 1_024;

/// Who was found lately, by the hash of what they showed.
#[derive(Debug, Default)]
pub(super) struct Remembered(Mutex<HashMap<String, (Identity, UnixMs)>>);

impl Remembered {
    fn get(&self, hash: &str, now: UnixMs) -> Option<Identity> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (identity, at) = known.get(hash)?;
        let is_fresh = (0..REMEMBER_MS).contains(&(now.0 - at.0)) && identity.expires_at.is_none_or(|end| now < end);
        is_fresh.then(|| identity.clone())
    }

    fn put(&self, hash: String, identity: Identity, now: UnixMs) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        known.insert(hash, (identity, now));
    }

    pub(super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// What somebody shows.
#[derive(Debug)]
enum Shown {
    Token(String),
    Session(String),
}

/// Who asks, by what they show; `None` if that is nothing or nobody's.
pub(super) async fn identify(api: &Arc<Api>, headers: &HeaderMap) -> Result<Option<Identity>, Problem> {
    let Some(shown) = shown(headers, api.auth.cookie())? else { return Ok(None) };
    let (Shown::Token(text) | Shown::Session(text)) = &shown;
    // Hashes compare in constant time.
    if matches!(shown, Shown::Token(_)) && api.auth.settings.metrics_token == Some(blake3::hash(text.as_bytes())) {
        return Ok(Some(Identity { name: "metrics".to_owned(), role: Role::Viewer, via: Via::Metrics, expires_at: None }));
    }
    let (hash, now) = (secret::hash(text), api.now());
    if let Some(identity) = api.auth.remembered.get(&hash, now) {
        return Ok(Some(identity));
    }
    let found = api.read(move |view| find(view, &shown, now)).await?;
    let Some(Found { identity, is_stale }) = found else { return Ok(None) };
    if is_stale {
        touch(api, &identity, now).await;
    }
    api.auth.remembered.put(hash, identity.clone(), now);
    Ok(Some(identity))
}

fn shown(headers: &HeaderMap, cookie: &str) -> Result<Option<Shown>, Problem> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let token = value.to_str().ok().and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        return Ok(token.map(|(_, token)| Shown::Token(token.trim().to_owned())));
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    let mut ours = cookies.filter_map(|pair| pair.trim().split_once('=')).filter(|(name, _)| *name == cookie);
    match (ours.next(), ours.next()) {
        (None, _) => Ok(None),
        (Some((_, value)), None) => Ok(Some(Shown::Session(value.to_owned()))),
        // Somebody who may set cookies for a part of our name put theirs beside ours.
        (Some(_), Some(_)) => Err(Problem::bad_request(format!("the cookie `{cookie}` was sent twice"))),
    }
}

struct Found {
    identity: Identity,
    /// Whether the last use that is on record is older than a minute.
    is_stale: bool,
}

fn find(view: &View<'_>, shown: &Shown, now: UnixMs) -> recflow_state::Result<Option<Found>> {
    match shown {
        Shown::Token(text) => {
            let row = view.token_by_hash(&secret::hash(text))?.filter(|row| row.expires_at.is_none_or(|end| now < end));
            let Some(row) = row else { return Ok(None) };
            Ok(role_of(view, &row.user)?.and_then(|role| of_token(row, role, now)))
        }
        Shown::Session(text) => {
            let lives = |row: &SessionRow| now < row.expires_at && now.0 - row.used_at.0 < IDLE_MS;
            let Some(row) = view.session(&secret::hash(text))?.filter(lives) else { return Ok(None) };
            Ok(role_of(view, &row.user)?.map(|role| of_session(row, role, text, now)))
        }
    }
}

/// A role that nobody knows, since a newer recflow wrote it, allows nothing.
fn role_of(view: &View<'_>, user: &str) -> recflow_state::Result<Option<Role>> {
    Ok(view.user(user)?.and_then(|row| Role::parse(&row.role)))
}

fn of_token(row: TokenRow, role: Role, now: UnixMs) -> Option<Found> {
    let is_stale = row.last_used_at.is_none_or(|at| now.0 - at.0 >= TOUCH_EVERY_MS);
    let (role, via) = match Scope::parse(&row.scope)?.role() {
        None => (Role::Viewer, Via::Metrics),
        Some(most) => (role.min(most), Via::Token { id: row.id }),
    };
    Some(Found { identity: Identity { name: row.user, role, via, expires_at: row.expires_at }, is_stale })
}

fn of_session(row: SessionRow, role: Role, text: &str, now: UnixMs) -> Found {
    let is_stale = now.0 - row.used_at.0 >= TOUCH_EVERY_MS;
    let via = Via::Session { hash: row.hash, csrf_token: secret::csrf_token(text), by_link: row.by_link };
    Found { identity: Identity { name: row.user, role, via, expires_at: Some(row.expires_at) }, is_stale }
}

/// Notes the use. Somebody is let in even if it cannot be noted.
async fn touch(api: &Arc<Api>, identity: &Identity, now: UnixMs) {
    let via = identity.via.clone();
    let noted = api.write(move |tx| match via {
        Via::Session { hash, .. } => Ok(tx.touch_session(&hash, now)?),
        Via::Token { id } => Ok(tx.touch_token(&id, now)?),
        Via::Metrics => Ok(()),
    });
    // The failure is logged where it is turned into a problem.
    let _ = noted.await;
}
