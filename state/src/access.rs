//! Who may ask the daemon, and what they did: users, API tokens, sessions, links that sign in once, and the audit log.
//!
//! Secrets never get here: whoever makes one gives its hash, in hex, and looks it up by that. Roles and scopes are words to this crate; what
//! they allow is the server's business.

use rusqlite::Row;

use crate::error::Result;
use crate::ids::UnixMs;
use crate::tx::Tx;
use crate::view::View;

/// So many entries of the audit log are kept; the oldest go.
pub const AUDIT_ROWS_MAX: i64 = 100_000;

/// Somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRow {
    /// Their name.
    pub name: String,
    /// `viewer`, `operator` or `admin`.
    pub role: String,
    /// Hash of their password as a PHC string; none if only a link signs them in.
    pub password: Option<String>,
    /// When they were added.
    pub created_at: UnixMs,
}

/// What a program shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// What people call it by when they revoke it.
    pub id: String,
    /// Hash of the secret, in hex.
    pub hash: String,
    /// For whom it acts.
    pub user: String,
    /// What it is for, in words.
    pub name: String,
    /// The role that it has at most, or `metrics`.
    pub scope: String,
    /// When it was made.
    pub created_at: UnixMs,
    /// When it ends; none if it does not.
    pub expires_at: Option<UnixMs>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<UnixMs>,
}

/// Somebody signed in with a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Hash of the secret, in hex.
    pub hash: String,
    /// Who.
    pub user: String,
    /// Whether a link signed them in, so that they may set a password without giving the old one.
    pub by_link: bool,
    /// When they signed in.
    pub created_at: UnixMs,
    /// When they asked for something last, to the minute.
    pub used_at: UnixMs,
    /// When it ends, whatever they do.
    pub expires_at: UnixMs,
}

/// A link that signs in once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRow {
    /// Hash of the secret, in hex.
    pub hash: String,
    /// Whom.
    pub user: String,
    /// The role that they are added with if they are not there yet; none if they must be.
    pub role: Option<String>,
    /// When it ends.
    pub expires_at: UnixMs,
}

/// Something that somebody did, or tried to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditRow {
    /// Grows with time; given by the store.
    pub seq: i64,
    /// When.
    pub at: UnixMs,
    /// Who, by name; as they called themselves if they failed to sign in.
    pub user: String,
    /// `session`, `token ID`, `cli`, or empty for somebody unknown.
    pub via: String,
    /// What, such as `promoteModel`.
    pub action: String,
    /// On what, such as a run's id; may be empty.
    pub object: String,
    /// More about it; may be empty.
    pub detail: String,
    /// From where; empty for the command line.
    pub address: String,
    /// `done`, `denied` or `failed`, then why.
    pub outcome: String,
}

/// Which entries of the audit log are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditFilter {
    /// Only of this user.
    pub user: Option<String>,
    /// Only this action.
    pub action: Option<String>,
    /// Only entries before this one.
    pub before: Option<i64>,
}

const USERS: &str = "SELECT name, role, password, created_at FROM user ORDER BY name";
const USER: &str = "SELECT name, role, password, created_at FROM user WHERE name = ?1";
const ADD_USER: &str = "INSERT INTO user (name, role, password, created_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (name) DO NOTHING";
const SET_ROLE: &str = "UPDATE user SET role = ?2 WHERE name = ?1";
const SET_PASSWORD: &str = "UPDATE user SET password = ?2 WHERE name = ?1";
const REMOVE_USER: &str = "DELETE FROM user WHERE name = ?1";
const TOKENS: &str = "SELECT id, hash, user, name, scope, created_at, expires_at, last_used_at FROM api_token \
    WHERE ?1 IS NULL OR user = ?1 ORDER BY created_at, id";
const TOKEN_BY_HASH: &str = "SELECT id, hash, user, name, scope, created_at, expires_at, last_used_at FROM api_token WHERE hash = ?1";
const ADD_TOKEN: &str = "INSERT INTO api_token (id, hash, user, name, scope, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const TOUCH_TOKEN: &str = "UPDATE api_token SET last_used_at = ?2 WHERE id = ?1";
const REMOVE_TOKEN: &str = "DELETE FROM api_token WHERE id = ?1 AND (?2 IS NULL OR user = ?2)";
const SESSION: &str = "SELECT hash, user, by_link, created_at, used_at, expires_at FROM session WHERE hash = ?1";
const ADD_SESSION: &str = "INSERT INTO session (hash, user, by_link, created_at, used_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const TOUCH_SESSION: &str = "UPDATE session SET used_at = ?2 WHERE hash = ?1";
const REMOVE_SESSION: &str = "DELETE FROM session WHERE hash = ?1";
const REMOVE_SESSIONS: &str = "DELETE FROM session WHERE user = ?1 AND hash IS NOT ?2";
const REMOVE_STALE_SESSIONS: &str = "DELETE FROM session WHERE expires_at <= ?1 OR used_at <= ?2";
const REMOVE_STALE_LINKS: &str = "DELETE FROM sign_in_link WHERE expires_at <= ?1";
const ADD_LINK: &str = "INSERT INTO sign_in_link (hash, user, role, expires_at) VALUES (?1, ?2, ?3, ?4)";
const REMOVE_LINKS: &str = "DELETE FROM sign_in_link WHERE user = ?1";
const TAKE_LINK: &str = "DELETE FROM sign_in_link WHERE hash = ?1 RETURNING hash, user, role, expires_at";
const ADD_AUDIT: &str =
    "INSERT INTO audit (at, user, via, action, object, detail, address, outcome) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const TRIM_AUDIT: &str = "DELETE FROM audit WHERE seq <= (SELECT max(seq) FROM audit) - ?1";
const AUDIT: &str = "SELECT seq, at, user, via, action, object, detail, address, outcome FROM audit WHERE seq < ?1 \
    AND (?2 IS NULL OR user = ?2) AND (?3 IS NULL OR action = ?3) ORDER BY seq DESC LIMIT ?4";

fn user(row: &Row<'_>) -> rusqlite::Result<UserRow> {
    Ok(UserRow { name: row.get(0)?, role: row.get(1)?, password: row.get(2)?, created_at: row.get(3)? })
}

fn token(row: &Row<'_>) -> rusqlite::Result<TokenRow> {
    Ok(TokenRow {
        id: row.get(0)?,
        hash: row.get(1)?,
        user: row.get(2)?,
        name: row.get(3)?,
        scope: row.get(4)?,
        created_at: row.get(5)?,
        expires_at: row.get(6)?,
        last_used_at: row.get(7)?,
    })
}

fn session(row: &Row<'_>) -> rusqlite::Result<SessionRow> {
    Ok(SessionRow {
        hash: row.get(0)?,
        user: row.get(1)?,
        by_link: row.get(2)?,
        created_at: row.get(3)?,
        used_at: row.get(4)?,
        expires_at: row.get(5)?,
    })
}

fn link(row: &Row<'_>) -> rusqlite::Result<LinkRow> {
    Ok(LinkRow { hash: row.get(0)?, user: row.get(1)?, role: row.get(2)?, expires_at: row.get(3)? })
}

fn audit(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    Ok(AuditRow {
        seq: row.get(0)?,
        at: row.get(1)?,
        user: row.get(2)?,
        via: row.get(3)?,
        action: row.get(4)?,
        object: row.get(5)?,
        detail: row.get(6)?,
        address: row.get(7)?,
        outcome: row.get(8)?,
    })
}

impl View<'_> {
    /// Everybody, by name.
    pub fn users(&self) -> Result<Vec<UserRow>> {
        self.rows("list the users", USERS, &[], user)
    }

    /// Somebody.
    pub fn user(&self, name: &str) -> Result<Option<UserRow>> {
        self.row("find a user", USER, &[&name], user)
    }

    /// The tokens of a user, or all; oldest first. Those that have ended are among them.
    pub fn tokens(&self, of: Option<&str>) -> Result<Vec<TokenRow>> {
        self.rows("list the tokens", TOKENS, &[&of], token)
    }

    /// The token whose secret has this hash.
    pub fn token_by_hash(&self, hash: &str) -> Result<Option<TokenRow>> {
        self.row("find a token", TOKEN_BY_HASH, &[&hash], token)
    }

    /// The session whose secret has this hash.
    pub fn session(&self, hash: &str) -> Result<Option<SessionRow>> {
        self.row("find a session", SESSION, &[&hash], session)
    }

    /// The newest entries of the audit log that a filter lets through, newest first.
    pub fn audit(&self, filter: &AuditFilter, limit: u32) -> Result<Vec<AuditRow>> {
        let before = filter.before.unwrap_or(i64::MAX);
        self.rows("read the audit log", AUDIT, &[&before, &filter.user, &filter.action, &limit], audit)
    }
}

impl Tx<'_> {
    /// Adds somebody. False if there is somebody of that name.
    pub fn add_user(&self, row: &UserRow) -> Result<bool> {
        Ok(self.change("add a user", ADD_USER, &[&row.name, &row.role, &row.password, &row.created_at])? > 0)
    }

    /// Gives somebody another role. False if there is nobody of that name.
    pub fn set_user_role(&self, name: &str, role: &str) -> Result<bool> {
        Ok(self.change("change a role", SET_ROLE, &[&name, &role])? > 0)
    }

    /// Gives somebody another password, or none. False if there is nobody of that name.
    pub fn set_user_password(&self, name: &str, password: Option<&str>) -> Result<bool> {
        Ok(self.change("change a password", SET_PASSWORD, &[&name, &password])? > 0)
    }

    /// Removes somebody with their tokens, sessions and links. False if there is nobody of that name.
    pub fn remove_user(&self, name: &str) -> Result<bool> {
        self.change("remove links", REMOVE_LINKS, &[&name])?;
        Ok(self.change("remove a user", REMOVE_USER, &[&name])? > 0)
    }

    /// Adds a token of a user who is there.
    pub fn add_token(&self, row: &TokenRow) -> Result<()> {
        let values: [&dyn rusqlite::types::ToSql; 7] =
            [&row.id, &row.hash, &row.user, &row.name, &row.scope, &row.created_at, &row.expires_at];
        self.change("add a token", ADD_TOKEN, &values).map(drop)
    }

    /// Notes that a token was used.
    pub fn touch_token(&self, id: &str, at: UnixMs) -> Result<()> {
        self.change("note the use of a token", TOUCH_TOKEN, &[&id, &at]).map(drop)
    }

    /// Revokes a token, if it is `of` this user (of anybody, if none is named). False if there is no such token.
    pub fn remove_token(&self, id: &str, of: Option<&str>) -> Result<bool> {
        Ok(self.change("revoke a token", REMOVE_TOKEN, &[&id, &of])? > 0)
    }

    /// Adds a session of a user who is there.
    pub fn add_session(&self, row: &SessionRow) -> Result<()> {
        let values: [&dyn rusqlite::types::ToSql; 6] = [&row.hash, &row.user, &row.by_link, &row.created_at, &row.used_at, &row.expires_at];
        self.change("add a session", ADD_SESSION, &values).map(drop)
    }

    /// Notes that a session was used.
    pub fn touch_session(&self, hash: &str, at: UnixMs) -> Result<()> {
        self.change("note the use of a session", TOUCH_SESSION, &[&hash, &at]).map(drop)
    }

    /// Ends a session.
    pub fn remove_session(&self, hash: &str) -> Result<()> {
        self.change("end a session", REMOVE_SESSION, &[&hash]).map(drop)
    }

    /// Ends the sessions of a user but this one.
    pub fn remove_sessions(&self, user: &str, but: Option<&str>) -> Result<()> {
        self.change("end sessions", REMOVE_SESSIONS, &[&user, &but]).map(drop)
    }

    /// Forgets sessions that have ended at `now` or were last used at `idle_since` or before, and links that have ended.
    pub fn remove_stale_sessions(&self, now: UnixMs, idle_since: UnixMs) -> Result<()> {
        self.change("end sessions", REMOVE_STALE_SESSIONS, &[&now, &idle_since])?;
        self.change("remove links", REMOVE_STALE_LINKS, &[&now]).map(drop)
    }

    /// Adds a link; earlier ones of that user no longer sign in.
    pub fn add_link(&self, row: &LinkRow) -> Result<()> {
        self.change("remove links", REMOVE_LINKS, &[&row.user])?;
        self.change("add a link", ADD_LINK, &[&row.hash, &row.user, &row.role, &row.expires_at]).map(drop)
    }

    /// Takes the link whose secret has this hash: nobody else will get it.
    pub fn take_link(&self, hash: &str) -> Result<Option<LinkRow>> {
        self.row("take a link", TAKE_LINK, &[&hash], link)
    }

    /// Notes what somebody did. The oldest entries beyond [`AUDIT_ROWS_MAX`] go. `row.seq` is not looked at.
    pub fn add_audit(&self, row: &AuditRow) -> Result<()> {
        let values: [&dyn rusqlite::types::ToSql; 8] =
            [&row.at, &row.user, &row.via, &row.action, &row.object, &row.detail, &row.address, &row.outcome];
        self.change("note what was done", ADD_AUDIT, &values)?;
        self.change("trim the audit log", TRIM_AUDIT, &[&AUDIT_ROWS_MAX]).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    fn somebody(name: &str) -> UserRow {
        UserRow { name: name.to_owned(), role: "viewer".to_owned(), password: None, created_at: UnixMs(1) }
    }

    fn session_of(user: &str, hash: &str, used_at: i64) -> SessionRow {
        let (hash, user) = (hash.to_owned(), user.to_owned());
        SessionRow { hash, user, by_link: false, created_at: UnixMs(0), used_at: UnixMs(used_at), expires_at: UnixMs(1_000) }
    }

    fn token_of(user: &str, id: &str) -> TokenRow {
        TokenRow {
            id: id.to_owned(),
            hash: format!("hash of {id}"),
            user: user.to_owned(),
            name: "ci".to_owned(),
            scope: "operator".to_owned(),
            created_at: UnixMs(1),
            expires_at: None,
            last_used_at: None,
        }
    }

    #[test]
    fn who_is_removed_takes_sessions_tokens_and_links_along() {
        let store = Store::in_memory().unwrap();
        let link = LinkRow { hash: "l".to_owned(), user: "ann".to_owned(), role: None, expires_at: UnixMs(9) };
        store
            .write(|tx| -> Result<()> {
                assert!(tx.add_user(&somebody("ann"))?);
                assert!(!tx.add_user(&somebody("ann"))?, "a name is taken once");
                tx.add_session(&session_of("ann", "s", 1))?;
                tx.add_token(&token_of("ann", "t"))?;
                tx.add_link(&link)?;
                assert!(tx.remove_user("ann")?);
                assert!(!tx.remove_user("ann")?);
                assert_eq!(tx.session("s")?, None);
                assert_eq!(tx.tokens(None)?, []);
                assert_eq!(tx.take_link("l")?, None);
                Ok(())
            })
            .unwrap();
    }

    #[test]
    fn a_link_is_taken_once_and_a_newer_one_replaces_it() {
        let store = Store::in_memory().unwrap();
        let link =
            |hash: &str| LinkRow { hash: hash.to_owned(), user: "ann".to_owned(), role: Some("admin".to_owned()), expires_at: UnixMs(9) };
        store
            .write(|tx| -> Result<()> {
                tx.add_link(&link("old"))?;
                tx.add_link(&link("new"))?;
                assert_eq!(tx.take_link("old")?, None);
                assert_eq!(tx.take_link("new")?, Some(link("new")));
                assert_eq!(tx.take_link("new")?, None);
                Ok(())
            })
            .unwrap();
    }

    #[test]
    fn sessions_end_by_age_by_idleness_and_by_wish() {
        let store = Store::in_memory().unwrap();
        store
            .write(|tx| -> Result<()> {
                tx.add_user(&somebody("ann"))?;
                for (hash, used_at) in [("idle", 10), ("used", 500), ("own", 500)] {
                    tx.add_session(&session_of("ann", hash, used_at))?;
                }
                tx.remove_stale_sessions(UnixMs(600), UnixMs(100))?;
                assert!(tx.session("idle")?.is_none() && tx.session("used")?.is_some());
                tx.remove_sessions("ann", Some("own"))?;
                assert!(tx.session("used")?.is_none() && tx.session("own")?.is_some());
                tx.remove_stale_sessions(UnixMs(1_000), UnixMs(100))?;
                assert!(tx.session("own")?.is_none(), "however much it is used");
                Ok(())
            })
            .unwrap();
    }

    #[test]
    fn a_token_is_revoked_by_its_user_or_by_anybody_who_need_not_be() {
        let store = Store::in_memory().unwrap();
        store
            .write(|tx| -> Result<()> {
                tx.add_user(&somebody("ann"))?;
                tx.add_token(&token_of("ann", "a"))?;
                tx.touch_token("a", UnixMs(7))?;
                assert_eq!(tx.token_by_hash("hash of a")?.and_then(|row| row.last_used_at), Some(UnixMs(7)));
                assert!(!tx.remove_token("a", Some("bob"))?);
                assert!(tx.remove_token("a", None)?);
                assert_eq!(tx.token_by_hash("hash of a")?, None);
                Ok(())
            })
            .unwrap();
    }

    #[test]
    fn the_audit_log_is_read_newest_first_in_pages_and_keeps_a_bounded_past() {
        let store = Store::in_memory().unwrap();
        let entry = |user: &str, action: &str| AuditRow { user: user.to_owned(), action: action.to_owned(), ..AuditRow::default() };
        store
            .write(|tx| -> Result<()> {
                for (user, action) in [("ann", "a"), ("bob", "a"), ("ann", "b")] {
                    tx.add_audit(&entry(user, action))?;
                }
                let seqs =
                    |filter: AuditFilter, limit| tx.audit(&filter, limit).map(|rows| rows.iter().map(|row| row.seq).collect::<Vec<_>>());
                assert_eq!(seqs(AuditFilter::default(), 2)?, [3, 2]);
                assert_eq!(seqs(AuditFilter { before: Some(2), ..Default::default() }, 2)?, [1]);
                assert_eq!(seqs(AuditFilter { user: Some("ann".to_owned()), ..Default::default() }, 9)?, [3, 1]);
                assert_eq!(seqs(AuditFilter { action: Some("b".to_owned()), ..Default::default() }, 9)?, [3]);
                tx.change("test", "UPDATE audit SET seq = ?1 WHERE seq = 3", &[&(AUDIT_ROWS_MAX + 1)])?;
                tx.add_audit(&entry("ann", "c"))?;
                assert_eq!(seqs(AuditFilter::default(), 9)?, [AUDIT_ROWS_MAX + 2, AUDIT_ROWS_MAX + 1], "the oldest have gone");
                Ok(())
            })
            .unwrap();
    }
}
