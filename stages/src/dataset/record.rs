//! The two records of a publication on its way: `pending.json` of each dataset, and the commit file of all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::location::Location;
use crate::context::PublishKey;
use crate::error::{Result, StageError};
use crate::storage::{Storage, parent, write_atomically};

/// The format of both records.
pub(super) const FORMAT: u32 = 1;

/// A dataset's part in a publication: `pending.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pending {
    pub(super) format: u32,
    /// The commit file, relative to the folder of snapshots.
    pub(super) commit: PathBuf,
    /// The snapshot that becomes current.
    pub(super) snapshot: u64,
    /// The snapshot that the plain folder at the path becomes, if there is one.
    pub(super) adopts: Option<u64>,
}

/// The commit file: every dataset of the publication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Commit {
    pub(super) format: u32,
    pub(super) publish_key: PublishKey,
    pub(super) datasets: Vec<Participant>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Participant {
    /// Its folder of snapshots, relative to the folder of the commit file.
    pub(super) root: PathBuf,
    pub(super) snapshot: u64,
}

/// The publication that `location` waits for, if its commit file exists and names it.
pub(super) fn committed(location: &Location) -> Result<Option<(Pending, PathBuf)>> {
    let Some(pending) = read_json::<Pending>(&location.root.join("pending.json"))? else { return Ok(None) };
    let file = location.root.join(&pending.commit);
    let Some(commit) = read_json::<Commit>(&file)? else { return Ok(None) };
    let named =
        participants(&commit, &file)?.iter().any(|(member, snapshot)| member.root == location.root && *snapshot == pending.snapshot);
    Ok(named.then_some((pending, file)))
}

/// The datasets of a commit that have not been switched to it, or not been told so.
pub(super) fn waiting(commit: &Commit, file: &Path) -> Result<Vec<(Location, Pending)>> {
    let mut waiting = Vec::new();
    for (location, snapshot) in participants(commit, file)? {
        let pending = read_json::<Pending>(&location.root.join("pending.json"))?;
        waiting.extend(
            pending
                .filter(|pending| pending.commit.file_name() == file.file_name() && pending.snapshot == snapshot)
                .map(|pending| (location, pending)),
        );
    }
    Ok(waiting)
}

/// The datasets of a commit. One whose folder was removed since then takes no part any more.
pub(super) fn participants(commit: &Commit, file: &Path) -> Result<Vec<(Location, u64)>> {
    let mut found = Vec::with_capacity(commit.datasets.len());
    for participant in &commit.datasets {
        if let Ok(root) = parent(file).join(&participant.root).canonicalize() {
            let location = Location::of_root(&root).ok_or_else(|| damaged(file, "it names a folder that holds no snapshots"))?;
            found.push((location, participant.snapshot));
        }
    }
    Ok(found)
}

/// Writes a record, durable when this returns.
pub(super) fn write_json(storage: &dyn Storage, path: &Path, value: &impl Serialize) -> Result<()> {
    write_atomically(storage, path, |file| serde_json::to_writer(file, value).map_err(io::Error::from))
}

/// Reads a record; `Ok(None)` if it is not there.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StageError::io("read", path, &error)),
    };
    let value: serde_json::Value = serde_json::from_slice(&text).map_err(|error| damaged(path, error))?;
    match value["format"].as_u64() {
        Some(format) if format <= u64::from(FORMAT) => serde_json::from_value(value).map(Some).map_err(|error| damaged(path, error)),
        _ => Err(damaged(path, "it was written by a newer recflow")),
    }
}

fn damaged(path: &Path, why: impl std::fmt::Display) -> StageError {
    StageError::input(format!("the record `{}` of a publication cannot be read", path.display())).with_cause(why)
}
