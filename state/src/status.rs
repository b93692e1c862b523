//! The states of runs, tasks and attempts, each with one lowercase token.
//!
//! The tokens are stored, printed, sent as JSON and typed by people as filters. **Never change one:** stores
//! of earlier versions hold them.

use std::fmt;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::{Deserialize, Serialize};

/// A token that names no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} `{token}`: expected one of {expected}")]
pub struct UnknownToken {
    /// What kind of state was expected.
    pub what: &'static str,
    /// The text that was found.
    pub token: String,
    /// The tokens that exist.
    pub expected: String,
}

macro_rules! tokens {
    (
        $(#[$meta:meta])*
        $name:ident, $what:literal { $( $(#[$variant_meta:meta])* $variant:ident = $token:literal, )+ }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name {
            $( $(#[$variant_meta])* #[serde(rename = $token)] $variant, )+
        }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The token of this value.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $token),+ }
            }

            /// The value of a token.
            pub fn parse(token: &str) -> Result<Self, UnknownToken> {
                Self::ALL.iter().copied().find(|value| value.as_str() == token).ok_or_else(|| UnknownToken {
                    what: $what,
                    token: token.to_owned(),
                    expected: [$($token),+].join(", "),
                })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = UnknownToken;
            fn from_str(token: &str) -> Result<Self, UnknownToken> {
                Self::parse(token)
            }
        }

        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.as_str().into())
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                Self::parse(value.as_str()?).map_err(FromSqlError::other)
            }
        }
    };
}

tokens! {
    /// Where a run stands. `interrupted` is not among them: it is a `running` run whose owner is dead, which
    /// only a look at the owner's lock can tell.
    RunStatus, "run status" {
        /// Created, nothing started yet.
        Queued = "queued",
        /// Some process executes it, or did when it died.
        Running = "running",
        /// Every task ended well, or was allowed not to.
        Succeeded = "succeeded",
        /// A task failed that must not.
        Failed = "failed",
        /// A person stopped it.
        Cancelled = "cancelled",
    }
}

tokens! {
    /// Where a task of a run stands.
    TaskState, "task state" {
        /// Its trigger rule does not hold yet.
        Waiting = "waiting",
        /// Ready; waits for a slot.
        Queued = "queued",
        /// An attempt executes.
        Running = "running",
        /// An attempt failed; the next one waits for its time.
        Retrying = "retrying",
        /// Waits for the world (a file, a time, an approval) without holding a slot.
        Deferred = "deferred",
        /// An attempt succeeded.
        Succeeded = "succeeded",
        /// The last attempt failed.
        Failed = "failed",
        /// A branch or a condition left it out, or it found nothing to do.
        Skipped = "skipped",
        /// What it needs failed.
        UpstreamFailed = "upstream_failed",
        /// The run was cancelled before it ended.
        Cancelled = "cancelled",
    }
}

tokens! {
    /// Where one try of a task stands.
    AttemptState, "attempt state" {
        /// It executes, or did when its owner died.
        Running = "running",
        /// It returned an output.
        Succeeded = "succeeded",
        /// It returned an error, or its process died of itself.
        Failed = "failed",
        /// It was killed because its time was up.
        TimedOut = "timed_out",
        /// It was killed because the run was cancelled.
        Cancelled = "cancelled",
        /// Its owner died with it. Does not use up a retry.
        Lost = "lost",
        /// It found nothing to do.
        Skipped = "skipped",
    }
}

tokens! {
    /// What created a run.
    Trigger, "trigger" {
        /// A person.
        Manual = "manual",
        /// The clock.
        Schedule = "schedule",
        /// A person, for dates of the past.
        Backfill = "backfill",
        /// A file, a dataset or another pipeline.
        Event = "event",
        /// A simulation: the clock of its stages stands at its logical date.
        Simulation = "simulation",
    }
}

impl RunStatus {
    /// Whether a run with this status is over. A resume may open it again.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

impl TaskState {
    /// Whether a task in this state is over.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Skipped | Self::UpstreamFailed | Self::Cancelled)
    }
}

impl AttemptState {
    /// Whether an attempt in this state is over.
    pub const fn is_terminal(self) -> bool {
        !matches!(self, Self::Running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pins every token: stores of earlier versions hold them, so this list only ever grows.
    #[test]
    fn tokens_are_pinned() {
        let tokens = |all: Vec<&'static str>| all.join(" ");
        assert_eq!(tokens(RunStatus::ALL.iter().map(|s| s.as_str()).collect()), "queued running succeeded failed cancelled");
        assert_eq!(
            tokens(TaskState::ALL.iter().map(|s| s.as_str()).collect()),
            "waiting queued running retrying deferred succeeded failed skipped upstream_failed cancelled"
        );
        assert_eq!(
            tokens(AttemptState::ALL.iter().map(|s| s.as_str()).collect()),
            "running succeeded failed timed_out cancelled lost skipped"
        );
        assert_eq!(tokens(Trigger::ALL.iter().map(|s| s.as_str()).collect()), "manual schedule backfill event simulation");
    }

    #[test]
    fn text_json_and_database_agree_on_the_token() {
        for state in TaskState::ALL {
            assert_eq!(TaskState::parse(state.as_str()).as_ref(), Ok(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
            assert_eq!(state.to_string(), state.as_str());
        }
    }

    #[test]
    fn an_unknown_token_is_refused_with_the_ones_that_exist() {
        let error = RunStatus::parse("Running").unwrap_err();
        assert_eq!(error.to_string(), "unknown run status `Running`: expected one of queued, running, succeeded, failed, cancelled");
    }

    #[test]
    fn what_is_over_is_over() {
        let over = |state: &&TaskState| state.is_terminal();
        assert_eq!(TaskState::ALL.iter().filter(over).count(), 5);
        assert!(!TaskState::Retrying.is_terminal() && !TaskState::Deferred.is_terminal());
        assert!(AttemptState::Lost.is_terminal() && !AttemptState::Running.is_terminal());
        assert!(RunStatus::Cancelled.is_terminal() && !RunStatus::Queued.is_terminal());
    }
}
