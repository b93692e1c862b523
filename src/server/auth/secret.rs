//! Secrets: 256 random bits of the system's, given out once and kept as a hash alone.
//!
//! A hash without salt and without cost is enough for those: nobody guesses 256 bits. Passwords are another matter ([`super::password`]).

use std::fmt;

use anyhow::Context as _;
use recflow_state::{TokenRow, UnixMs};

use super::Scope;

/// What an API token begins with, so that scanners of repositories know one.
pub const TOKEN: &str = "rf_";
/// What a link's secret begins with.
pub const LINK: &str = "rfl_";
/// What a session's secret begins with.
pub(crate) const SESSION: &str = "rfs_";

/// A secret in the clear. Never stored, never logged: its `Debug` says nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// A new secret of a kind.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn new(kind: &str) -> anyhow::Result<Self> {
        Ok(Self(format!("{kind}{}", hex(&random::<32>()?))))
    }

    /// The secret in the clear, for whom it is made.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
    pub fn hash(&self) -> String {
        hash(&self.0)
    }
}

/// What is stored of a secret.
pub(crate) fn hash(secret: &str) -> String {
    blake3::hash(secret.as_bytes()).to_hex().to_string()
}

/// A short name of something that is not secret, such as a token's id.
pub fn id() -> anyhow::Result<String> {
    Ok(hex(&random::<5>()?))
}

/// Milliseconds of a day: API tokens live for whole ones.
pub const DAY_MS: i64 = 86_400_000;

/// A new API token of `user`: its secret, and what is stored of it.
///
/// # Errors
/// If the system has no randomness to give.
pub fn api_token(user: String, name: String, scope: Scope, expires_at: Option<UnixMs>, now: UnixMs) -> anyhow::Result<(Secret, TokenRow)> {
    let secret = Secret::new(TOKEN)?;
    let row = TokenRow {
        id: id()?,
        hash: secret.hash(),
        user,
        name,
        scope: scope.as_str().to_owned(),
        created_at: now,
        expires_at,
        last_used_at: None,
    };
    Ok((secret, row))
}

/// What a page of ours sends with a change. Derived from the session's secret, which no page can read, so it need not be stored.
pub(crate) fn csrf_token(session: &str) -> String {
    hex(&blake3::derive_key("recflow 2026 csrf token of a session", session.as_bytes())[..16])
}

fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).context("the system has no random numbers")?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_long_differs_from_the_next_and_does_not_show_itself() {
        let (one, two) = (Secret::new(TOKEN).unwrap(), Secret::new(TOKEN).unwrap());
        assert_eq!(one.reveal().len(), TOKEN.len() + 64);
        assert_ne!(one, two);
        assert_eq!(format!("{one:?}"), "Secret");
        assert!(!one.hash().contains(&one.reveal()[TOKEN.len()..]));
    }

    #[test]
    fn the_csrf_token_is_the_sessions_own_and_does_not_tell_its_secret() {
        assert_eq!(csrf_token("a"), csrf_token("a"));
        assert_ne!(csrf_token("a"), csrf_token("b"));
        assert_ne!(csrf_token("a"), hash("a")[..32]);
    }
}
