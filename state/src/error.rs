//! What can go wrong with a store, told to a person: what happened, and what to do about it.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::ids::{RunId, UnixMs};
use crate::status::RunStatus;

/// Shorthand for what this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure of the store. [`Error::hint`] has the remedy where there is one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process held the write lock for longer than the busy timeout.
    #[error("the store `{}` was locked by another process for 5 seconds", path.display())]
    Busy {
        /// The store.
        path: PathBuf,
    },
    /// The disk is full. What was committed before is intact.
    #[error("no space left for the store `{}`", path.display())]
    Full {
        /// The store.
        path: PathBuf,
    },
    /// The file or its folder cannot be written.
    #[error("cannot write the store `{}`: {detail}", path.display())]
    ReadOnly {
        /// The store.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// The disk failed while it was read or written. What was committed before is intact.
    #[error("the disk of the store `{}` failed: {detail}", path.display())]
    Disk {
        /// The store.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// The file is not a sound store: damaged pages, another program's file, or a value that no version writes.
    #[error("the store `{}` is damaged: {detail}", path.display())]
    Corrupt {
        /// The store.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// A newer recflow wrote the store.
    #[error("the store `{}` has schema {found}, this recflow knows schemas up to {supported}", path.display())]
    NewerSchema {
        /// The store.
        path: PathBuf,
        /// The schema of the file.
        found: u32,
        /// The newest schema that this binary knows.
        supported: u32,
    },
    /// An older recflow wrote the store, and a reader does not migrate it.
    #[error("the store `{}` has schema {found}, this recflow reads schema {supported}", path.display())]
    OlderSchema {
        /// The store.
        path: PathBuf,
        /// The schema of the file.
        found: u32,
        /// The schema that this binary reads.
        supported: u32,
    },
    /// The store needs a migration while a process of an older recflow uses it.
    #[error("the store `{}` has schema {found} and is in use by an older recflow (pid {pid}), so it was not brought to schema {supported}", path.display())]
    InUse {
        /// The store.
        path: PathBuf,
        /// The schema of the file.
        found: u32,
        /// The schema that this binary needs.
        supported: u32,
        /// The process that uses it.
        pid: u32,
    },
    /// There is no store yet.
    #[error("no run yet: `{}` does not exist", path.display())]
    NoStore {
        /// Where it would be.
        path: PathBuf,
    },
    /// No run matches.
    #[error("no run matches `{selector}`{}", newest(candidates))]
    NotFound {
        /// What was asked for.
        selector: String,
        /// The newest runs.
        candidates: Vec<Candidate>,
    },
    /// Several runs match.
    #[error("several runs match `{selector}`: {}", listed(candidates))]
    Ambiguous {
        /// What was asked for.
        selector: String,
        /// Some of them.
        candidates: Vec<Candidate>,
    },
    /// A task's output is too large, or nested too deep, to be kept.
    #[error("the output of task `{task}` is too large: {found}, at most {allowed}")]
    TooLarge {
        /// The task.
        task: String,
        /// Its size or depth.
        found: String,
        /// The limit.
        allowed: String,
    },
    /// Anything else: a bug of the caller, or a fault of the system.
    #[error("the store `{}` refused to {what}: {detail}", path.display())]
    Other {
        /// The store.
        path: PathBuf,
        /// What was attempted.
        what: String,
        /// What SQLite or the system said.
        detail: String,
    },
}

/// Runs named in a message.
pub(crate) const CANDIDATES_MAX: usize = 5;

/// A run that a selector could mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The run.
    pub id: RunId,
    /// Its pipeline.
    pub pipeline: String,
    /// Where it stands.
    pub status: RunStatus,
    /// When it was created.
    pub created_at: UnixMs,
}

impl Error {
    /// What a person can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Busy { .. } => "look for a backup or another program that has the file open, then try again",
            Self::Full { .. } => "free some space and run `recflow resume`; nothing that was reported as done is lost",
            Self::ReadOnly { .. } => "check the owner and the mount of the folder, or set RECFLOW_HOME to one that can be written",
            Self::Disk { .. } => "see the system's log; copy the store with `recflow backup` while it can be read",
            Self::Corrupt { .. } => "restore a backup of the file, or move it and the files `-wal` and `-shm` beside it away to start anew",
            Self::NewerSchema { .. } => "use the recflow that wrote it, or a newer one",
            Self::OlderSchema { .. } => "the next `recflow run` brings it up to date",
            Self::InUse { .. } => "stop that process, or use the recflow that it runs",
            Self::NoStore { .. } => "start with `recflow run FILE`, or name the workspace with --workspace",
            Self::NotFound { .. } => "`recflow runs` lists them; `latest` or any unique prefix names one",
            Self::Ambiguous { .. } => "give more characters of the id",
            Self::TooLarge { .. } => "write the data to a file and return its path",
            Self::Other { .. } => return None,
        })
    }

    /// Whether the same call may succeed later without anybody changing the program or the data.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Full { .. })
    }

    /// Turns what SQLite said while doing `what` into one of the kinds above.
    pub(crate) fn sqlite(path: &Path, what: &str, error: &rusqlite::Error) -> Self {
        let path = path.to_owned();
        let detail = describe(error);
        match error {
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..) => return Self::Corrupt { path, detail },
            _ => {}
        }
        // The log's shared memory is a file: it cannot grow on a full disk either.
        if error.sqlite_extended_error_code() == Some(ffi::SQLITE_IOERR_SHMSIZE) {
            return Self::Full { path };
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path },
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => Self::ReadOnly { path, detail },
            Some(ErrorCode::SystemIoFailure) => Self::Disk { path, detail },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt { path, detail },
            _ => Self::Other { path, what: what.to_owned(), detail },
        }
    }

    /// Turns a failure of the file system while doing `what` into one of the kinds above.
    pub(crate) fn io(path: &Path, what: &str, error: &io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path, detail: error.to_string() },
            _ => Self::Other { path, what: what.to_owned(), detail: error.to_string() },
        }
    }
}

/// SQLite's own words, without the number of the code.
pub(crate) fn describe(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        rusqlite::Error::SqliteFailure(code, None) => code.to_string(),
        rusqlite::Error::FromSqlConversionFailure(column, _, cause) => format!("column {column}: {cause}"),
        other => other.to_string(),
    }
}

/// What there is instead of the run that was asked for.
fn newest(candidates: &[Candidate]) -> String {
    match candidates {
        [] => "; there is no run yet".to_owned(),
        [_] => format!("; the only one is {}", listed(candidates)),
        _ => format!("; the newest are {}", listed(candidates)),
    }
}

fn listed(candidates: &[Candidate]) -> String {
    let mut text = String::new();
    for (index, candidate) in candidates.iter().take(CANDIDATES_MAX).enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        let _ = write!(text, "{separator}{} ({}, {})", candidate.id, candidate.pipeline, candidate.status);
    }
    if candidates.len() > CANDIDATES_MAX {
        text.push_str(", ...");
    }
    text
}
