//! Who somebody is, what they may do, and how they showed it.

use std::fmt;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use recflow_state::UnixMs;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::server::problem::Problem;

/// What somebody may do. Each role may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Look at everything but who else there is.
    Viewer,
    /// Start, stop and mend runs; promote models.
    Operator,
    /// Give others access; delete.
    Admin,
}

impl Role {
    /// The word for it, everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The role that a word stands for.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Viewer, Self::Operator, Self::Admin].into_iter().find(|role| role.as_str() == text)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What an API token is for: a role that it has at most, or the figures alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// `/metrics`, and nothing else.
    Metrics,
    /// Look.
    Viewer,
    /// Look, start, stop and mend.
    Operator,
    /// Everything.
    Admin,
}

impl Scope {
    /// The word for it, everywhere.
    pub fn as_str(self) -> &'static str {
        self.role().map_or("metrics", Role::as_str)
    }

    /// The scope that a word stands for.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Metrics, Self::Viewer, Self::Operator, Self::Admin].into_iter().find(|scope| scope.as_str() == text)
    }

    /// The role that a token of it has at most; none if it opens the figures alone.
    pub fn role(self) -> Option<Role> {
        match self {
            Self::Metrics => None,
            Self::Viewer => Some(Role::Viewer),
            Self::Operator => Some(Role::Operator),
            Self::Admin => Some(Role::Admin),
        }
    }
}

/// Whether a text may be somebody's name: 1 to 64 of `a-z`, `0-9`, `.`, `_`, `@` and `-`, the first a letter or a digit. No capitals, so that
/// no two names look alike.
pub fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| plain(byte) || b"._@-".contains(&byte))
        && text.bytes().next().is_some_and(plain)
}

/// How somebody showed who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Via {
    /// They signed in with a browser.
    Session {
        /// Hash of its secret: its key in the store.
        hash: String,
        /// What a page of ours sends with a change, and a foreign one cannot know.
        csrf_token: String,
        /// Whether a link signed them in, so that they may set a password without giving the old one.
        by_link: bool,
    },
    /// A program with an API token.
    Token {
        /// Its id.
        id: String,
    },
    /// Whoever collects the figures.
    Metrics,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Their name.
    pub(crate) name: String,
    /// What they may do.
    pub(crate) role: Role,
    /// How they showed it.
    pub(crate) via: Via,
    /// When that ends.
    pub(crate) expires_at: Option<UnixMs>,
}

impl Identity {
    /// Whether they may do what is for `least` and those above it. Who may read the figures may nothing else.
    pub(crate) fn may(&self, least: Role) -> bool {
        self.via != Via::Metrics && self.role >= least
    }

    /// How they showed it, for the audit log.
    pub(crate) fn via(&self) -> String {
        match &self.via {
            Via::Session { .. } => "session".to_owned(),
            Via::Token { id } => format!("token {id}"),
            Via::Metrics => "metrics".to_owned(),
        }
    }

    /// What they are, for a sentence.
    pub(crate) fn standing(&self) -> String {
        match self.via {
            Via::Metrics => "whose token is for /metrics alone".to_owned(),
            Via::Session { .. } | Via::Token { .. } => format!("whose role is `{}`", self.role),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Identity {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Identity>().cloned().ok_or_else(|| Problem::unauthorized("nobody knows who asks"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(role: Role, via: Via) -> Identity {
        Identity { name: "ann".to_owned(), role, via, expires_at: None }
    }

    #[test]
    fn a_role_may_what_those_before_it_may_and_the_figures_token_may_nothing() {
        let roles = [Role::Viewer, Role::Operator, Role::Admin];
        for (have, role) in roles.iter().enumerate() {
            for (want, least) in roles.iter().enumerate() {
                assert_eq!(identity(*role, Via::Token { id: String::new() }).may(*least), have >= want);
            }
            assert!(!identity(*role, Via::Metrics).may(Role::Viewer));
            assert_eq!(Role::parse(role.as_str()), Some(*role));
            assert_eq!(Scope::parse(role.as_str()).and_then(Scope::role), Some(*role));
        }
    }

    #[test]
    fn no_two_names_look_alike() {
        assert!(["ann", "a.b-c_d@e.com", "0"].into_iter().all(is_name));
        let too_long = "a".repeat(65);
        assert!(!["", "Ann", "-a", ".a", "a b", "a/b", "ä", "a\n", &too_long].into_iter().any(is_name));
    }
}
