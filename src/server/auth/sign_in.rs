//! How a session begins: with a name and a password, or with a link that signs in once. And how it ends.

use std::sync::Arc;

use axum::http::{HeaderValue, header};
use axum::response::Response;
use recflow_state::{LinkRow, SessionRow, Tx, UnixMs, UserRow};

use super::secret::{self, Secret};
use super::{Address, Auth, password};
use crate::server::Api;
use crate::server::problem::Problem;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// A session that was not used for so long has ended.
pub(crate) const IDLE_MS: i64 = 12 * HOUR_MS;
/// However much it is used.
const LIFE_MS: i64 = 7 * 24 * HOUR_MS;
/// How exactly it is noted when something was used last.
pub(super) const TOUCH_EVERY_MS: i64 = MINUTE_MS;
/// How long a link signs in.
pub const LINK_MS: i64 = HOUR_MS;

/// Requests that wait for a password to be hashed, beyond which others are turned away.
const WAITING_MAX: usize = 16;

/// A session that has begun.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) user: String,
    pub(crate) role: String,
    pub(crate) secret: Secret,
    pub(crate) expires_at: UnixMs,
}

/// Signs in by name and password.
pub(crate) async fn by_password(api: &Arc<Api>, user: String, given: String, address: Address) -> Result<Begun, Problem> {
    let (row, now) = (check_password(api, &user, given, address).await?, api.now());
    api.write(move |tx| begin(tx, row, false, now)).await
}

/// Somebody, if the password is theirs. Who guesses is slowed down.
pub(crate) async fn check_password(api: &Arc<Api>, user: &str, given: String, address: Address) -> Result<UserRow, Problem> {
    if let Err(seconds) = api.auth.throttle.attempt(user, address.0, api.now()) {
        let problem = Problem::too_many("too many attempts have failed", seconds);
        return Err(problem.with_hint(format!("try again in {seconds} s")));
    }
    let name = user.to_owned();
    let row = api.read(move |view| view.user(&name)).await?;
    let stored = row.as_ref().and_then(|row| row.password.clone());
    let is_right = checked(&api.auth, move || Ok(password::is_right(&given, stored.as_deref()))).await?;
    match row.filter(|_| is_right) {
        Some(row) => {
            api.auth.throttle.succeeded(user, address.0);
            Ok(row)
        }
        None => Err(Problem::unauthorized("the name or the password is wrong")),
    }
}

/// Signs in by a link, which is used up by it. Whoever it names is added, if it says with which role.
pub(crate) async fn by_link(api: &Arc<Api>, token: String, address: Address) -> Result<Begun, Problem> {
    let now = api.now();
    // Nobody guesses 256 bits; what is slowed down is the work.
    if let Err(seconds) = api.auth.throttle.attempt("", address.0, now) {
        return Err(Problem::too_many("too many attempts to sign in have failed", seconds));
    }
    let begun = api.write(move |tx| {
        let over = || Problem::unauthorized("this link has been used, or has ended").with_hint("`recflow user link NAME` prints another");
        let LinkRow { user, role, .. } = tx.take_link(&secret::hash(&token))?.filter(|link| now < link.expires_at).ok_or_else(over)?;
        if let Some(role) = role {
            tx.add_user(&UserRow { name: user.clone(), role, password: None, created_at: now })?;
        }
        let row = tx.user(&user)?.ok_or_else(over)?;
        begin(tx, row, true, now)
    });
    let begun = begun.await?;
    api.auth.throttle.succeeded("", address.0);
    Ok(begun)
}

fn begin(tx: &Tx<'_>, user: UserRow, by_link: bool, now: UnixMs) -> Result<Begun, Problem> {
    let (secret, expires_at) = (Secret::new(secret::SESSION)?, UnixMs(now.0 + LIFE_MS));
    tx.remove_stale_sessions(now, UnixMs(now.0 - IDLE_MS))?;
    let session = SessionRow { hash: secret.hash(), user: user.name.clone(), by_link, created_at: now, used_at: now, expires_at };
    tx.add_session(&session)?;
    Ok(Begun { user: user.name, role: user.role, secret, expires_at })
}

/// Hashes or checks a password off the threads that serve connections, few at a time; too many at once are turned away.
pub(crate) async fn checked<T: Send + 'static>(
    auth: &Auth,
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> Result<T, Problem> {
    let Ok(_waiting) = auth.waiting.try_acquire() else {
        return Err(Problem::too_many("too many sign in at once", 1));
    };
    // Never closed.
    let _place = auth.hashing.acquire().await;
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(error) => Err(Problem::internal(format!("hashing a password panicked: {error}"))),
    }
}

impl Auth {
    /// Room for requests that wait for a password to be hashed.
    pub(super) const WAITING_MAX: usize = WAITING_MAX;

    /// Gives the browser the secret of a session, which no script reads, and which goes with requests of our own pages alone.
    pub(crate) fn set_cookie(&self, response: &mut Response, secret: &Secret) {
        self.write_cookie(response, secret.reveal(), LIFE_MS / 1_000);
    }

    /// Has the browser forget it.
    pub(crate) fn remove_cookie(&self, response: &mut Response) {
        self.write_cookie(response, "", 0);
    }

    fn write_cookie(&self, response: &mut Response, value: &str, max_age_seconds: i64) {
        let secure = if self.is_secure() { "; Secure" } else { "" };
        let cookie = format!("{}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={max_age_seconds}{secure}", self.cookie());
        // Letters and digits: it is a header's value.
        if let Ok(mut value) = HeaderValue::from_str(&cookie) {
            value.set_sensitive(true);
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
}
