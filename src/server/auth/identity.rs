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

/// How somebody showed who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Via {
    /// They signed in with a browser.
    Session {
        /// What a page of ours sends with a change, and a foreign one cannot know.
        csrf_token: String,
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
