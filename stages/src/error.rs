//! Why a stage failed, and whether trying again can help.

use std::fmt;
use std::io;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Shorthand for what stages return.
pub type Result<T, E = StageError> = std::result::Result<T, E>;

/// What kind of failure it was; decides whether a retry can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The inputs or the data are wrong. The same attempt would fail again, so it is not retried.
    Input,
    /// The world got in the way: disk, permissions, a lock. Retried.
    Io,
    /// The computation failed on this data (a singular system, a non-finite factor). Not retried.
    Numeric,
    /// The stage was told to stop.
    Cancelled,
    /// There is nothing to do, and the stage was asked to say so: the task ends as skipped, which is no failure.
    Skipped,
    /// A bug in recflow.
    Bug,
}

impl ErrorKind {
    /// Whether another attempt with the same inputs may succeed.
    pub fn is_retryable(self) -> bool {
        matches!(self, ErrorKind::Io)
    }
}

/// A failure of a stage: what happened, why (outermost cause first) and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StageError {
    /// What kind of failure it was.
    pub kind: ErrorKind,
    /// A lowercase fragment that fits "failed: ...", naming file, line and value where there is one.
    pub message: String,
    /// The chain of causes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// The remedy, if one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl StageError {
    /// A failure of the given kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), causes: Vec::new(), hint: None }
    }

    /// Wrong inputs or wrong data.
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Input, message)
    }

    /// An I/O failure while doing `what` to `path`. A missing file or missing permission is the user's
    /// to mend, so it does not count as I/O trouble that a retry could cure.
    pub fn io(what: &str, path: &Path, source: &io::Error) -> Self {
        let kind = match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied | io::ErrorKind::IsADirectory => ErrorKind::Input,
            _ => ErrorKind::Io,
        };
        Self { kind, message: format!("cannot {what} `{}`", path.display()), causes: vec![source.to_string()], hint: None }
    }

    /// A failure of the computation.
    pub fn numeric(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Numeric, message)
    }

    /// The stage was told to stop.
    pub fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "cancelled")
    }

    /// There is nothing to do: the task ends as skipped, and what lies below it follows from trigger rules.
    pub fn skipped(reason: impl Into<String>) -> Self {
        Self::new(ErrorKind::Skipped, reason)
    }

    /// A bug in recflow, never the user's fault.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Bug, message)
    }

    /// The same failure with a remedy.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same failure with one more cause at the end of the chain.
    #[must_use]
    pub fn with_cause(mut self, cause: impl fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }
}

impl fmt::Display for StageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for cause in &self.causes {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl std::error::Error for StageError {}
