//! Several datasets switch as one: the records of a publication on its way, and how to finish or forget it after a crash.
//!
//! A publisher holds the locks of all its datasets and goes through these steps, each durable before the next:
//!
//! 1. each dataset: the new snapshot is complete in `.next/`, its manifest in `N.json`;
//! 2. each dataset: `pending.json` says "snapshot N is current once commit C exists", then `.next/` becomes `N/`;
//! 3. the commit file C is renamed into place: **the commit point** for all datasets at once;
//! 4. each dataset: the link at its path is replaced by one to `N/`;
//! 5. each dataset: `pending.json` is removed; then C.
//!
//! C lies in `commits/` of the first dataset, and each `pending.json` holds the way to it, so whoever comes to any of the
//! datasets finds it. Both refer to each other by relative paths: a workspace may be moved as a whole.
//!
//! After a crash, a `pending.json` without its C is a publication that never happened: the next publisher removes it with its snapshot.
//! One with its C did happen: the next publisher or reader does steps 4 and 5, which may be repeated.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::ids;
use super::location::{Current, Location, relative};
use super::lock::Locks;
use super::record::{Commit, FORMAT, Participant, Pending, committed, participants, read_json, waiting, write_json};
use crate::context::Context;
use crate::error::{Result, StageError};
use crate::failpoint;
use crate::storage::{Storage, parent};

/// One dataset of a publication that is about to happen.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) location: Location,
    pub(super) snapshot: u64,
    pub(super) adopts: Option<u64>,
}

/// Steps 2 to 5. The caller holds the locks of all members and has done step 1.
pub(super) fn publish(members: &[Member], context: &Context) -> Result<()> {
    let storage = context.storage.as_ref();
    let Some(first) = members.first() else { return Ok(()) };
    let file = first.location.root.join("commits").join(format!("{}.json", commit_name(members, context)));
    let folder = parent(&file);
    make_dir(storage, folder)?;
    for Member { location, snapshot, adopts } in members {
        let pending = Pending { format: FORMAT, commit: relative(&location.root, &file), snapshot: *snapshot, adopts: *adopts };
        write_json(storage, &location.root.join("pending.json"), &pending)?;
        let (next, dir) = (location.root.join(".next"), location.snapshot_dir(*snapshot));
        storage
            .rename(&next, &dir)
            .and_then(|()| storage.sync_dir(&location.root))
            .map_err(|error| StageError::io("publish", &dir, &error))?;
    }
    let datasets =
        members.iter().map(|member| Participant { root: relative(folder, &member.location.root), snapshot: member.snapshot }).collect();
    failpoint::hit("publish.before_commit");
    write_json(storage, &file, &Commit { format: FORMAT, publish_key: context.publish_key.clone(), datasets })?;
    failpoint::hit("publish.after_commit");
    apply(&file, storage)
}

/// Finishes a publication that `location` takes part in and that was committed. Nothing to do is fine.
pub(super) fn finish(location: &Location, context: &Context) -> Result<()> {
    while let Some((_, file)) = committed(location)? {
        let Some(commit) = read_json::<Commit>(&file)? else { continue };
        let members = participants(&commit, &file)?;
        let _locks = Locks::take(members.iter().map(|(member, _)| member), context)?;
        // Its own publisher may have finished it while this one waited for the locks.
        if committed(location)?.is_some_and(|(_, still)| still == file) {
            apply(&file, context.storage.as_ref())?;
        }
    }
    Ok(())
}

/// Steps 4 and 5 of the commit in `file`, under the locks of all that take part.
fn apply(file: &Path, storage: &dyn Storage) -> Result<()> {
    let Some(commit) = read_json::<Commit>(file)? else { return Ok(()) };
    let waiting: Vec<(Location, Pending)> = waiting(&commit, file)?;
    for (location, pending) in &waiting {
        switch(location, pending, storage)?;
    }
    failpoint::hit("publish.after_switch");
    for (location, _) in &waiting {
        let path = location.root.join("pending.json");
        remove_file(storage, &path)
            .and_then(|()| storage.sync_dir(&location.root))
            .map_err(|error| StageError::io("remove", &path, &error))?;
    }
    remove_file(storage, file).map_err(|error| StageError::io("remove", file, &error))
}

/// Makes the pending snapshot current.
fn switch(location: &Location, pending: &Pending, storage: &dyn Storage) -> Result<()> {
    let failed = |error: io::Error| StageError::io("switch", &location.path, &error);
    match (location.current()?, pending.adopts) {
        (Current::Snapshot(current), _) if current == pending.snapshot => return storage.sync_dir(parent(&location.path)).map_err(failed),
        // A link cannot replace a folder in one step. Between this rename and the next, the path is not there for other engines;
        // recflow's readers come here and go on.
        (Current::Plain, Some(adopted)) => storage.rename(&location.path, &location.snapshot_dir(adopted)).map_err(failed)?,
        (Current::Plain, None) => {
            return Err(StageError::input(format!(
                "a folder appeared at `{}` while a new snapshot of it was published",
                location.path.display()
            ))
            .with_hint("move that folder away; the publication is then finished by the next task that uses the dataset"));
        }
        (Current::Absent | Current::Snapshot(_), _) => {}
    }
    let link = location.root.join(".link");
    remove_file(storage, &link).map_err(failed)?;
    storage.symlink(&location.link_text(pending.snapshot), &link).map_err(failed)?;
    storage.rename(&link, &location.path).map_err(failed)?;
    storage.sync_dir(parent(&location.path)).map_err(failed)
}

/// Removes what a publisher that died before its commit left in the dataset. The caller holds the dataset's lock.
///
/// A publication that was committed is left alone: [`finish`] is for that.
pub(super) fn forget(location: &Location, storage: &dyn Storage) -> Result<()> {
    let path = location.root.join("pending.json");
    if committed(location)?.is_none()
        && let Some(pending) = read_json::<Pending>(&path)?
    {
        for snapshot in [Some(pending.snapshot), pending.adopts].into_iter().flatten() {
            if location.current()? != Current::Snapshot(snapshot) {
                remove_snapshot(location, snapshot, storage)?;
            }
        }
        remove_file(storage, &path).map_err(|error| StageError::io("remove", &path, &error))?;
    }
    remove_hidden(&location.root, storage)?;
    ids::sweep(location, storage)?;
    forget_finished_commits(location, storage)
}

/// Removes a snapshot. First it gets a hidden name, so that half a snapshot is never listed.
pub(super) fn remove_snapshot(location: &Location, snapshot: u64, storage: &dyn Storage) -> Result<()> {
    let (dir, hidden, manifest) =
        (location.snapshot_dir(snapshot), location.root.join(format!(".{snapshot}")), location.manifest_file(snapshot));
    // A full disk may refuse even a rename; the removal then goes without.
    let doomed = if storage.rename(&dir, &hidden).is_ok() { hidden } else { dir };
    remove_file(storage, &manifest).map_err(|error| StageError::io("remove", &manifest, &error))?;
    if doomed.exists() {
        storage.remove_dir_all(&doomed).map_err(|error| StageError::io("remove", &doomed, &error))?;
    }
    Ok(())
}

/// Everything in `folder` whose name begins with a dot is temporary.
fn remove_hidden(folder: &Path, storage: &dyn Storage) -> Result<()> {
    for entry in list(folder)? {
        if entry.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")) {
            let is_dir = fs::symlink_metadata(&entry).is_ok_and(|metadata| metadata.is_dir());
            let removed = if is_dir { storage.remove_dir_all(&entry) } else { remove_file(storage, &entry) };
            removed.map_err(|error| StageError::io("remove", &entry, &error))?;
        }
    }
    Ok(())
}

/// Removes commit files that nobody waits for any more: their publisher died in the middle of step 5.
fn forget_finished_commits(location: &Location, storage: &dyn Storage) -> Result<()> {
    let folder = location.root.join("commits");
    remove_hidden(&folder, storage)?;
    for file in list(&folder)? {
        if let Some(commit) = read_json::<Commit>(&file)?
            && waiting(&commit, &file)?.is_empty()
        {
            remove_file(storage, &file).map_err(|error| StageError::io("remove", &file, &error))?;
        }
    }
    Ok(())
}

/// A name that no other publication has: a record of one that failed must never fit a later commit.
fn commit_name(members: &[Member], context: &Context) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(context.publish_key.as_str().as_bytes());
    hasher.update(&context.clock.now().as_nanosecond().to_le_bytes());
    hasher.update(&std::process::id().to_le_bytes());
    for member in members {
        hasher.update(member.location.path.as_os_str().as_encoded_bytes());
        hasher.update(&member.snapshot.to_le_bytes());
    }
    hasher.finalize().to_hex()[..24].to_owned()
}

/// Creates a folder durably.
pub(super) fn make_dir(storage: &dyn Storage, folder: &Path) -> Result<()> {
    let create = || storage.create_dir_all(folder).and_then(|()| storage.sync_dir(parent(folder)));
    create().map_err(|error| StageError::io("create", folder, &error))
}

/// What lies in a folder, nothing if it is not there.
pub(super) fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StageError::io("list", folder, &error)),
    };
    entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>().map_err(|error| StageError::io("list", folder, &error))
}

fn remove_file(storage: &dyn Storage, path: &Path) -> io::Result<()> {
    match storage.remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
