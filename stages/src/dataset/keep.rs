//! Files that stay as they are get a second name in the next snapshot: a hard link, or a copy where links do not work.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::manifest::PartitionEntry;
use super::open::Dataset;
use crate::context::Context;
use crate::error::{Result, StageError};
use crate::storage::Storage;

/// Gives the files of `source` a second name in the new folder `dir`, durably.
pub(super) fn keep_all(source: &Dataset, dir: &Path, context: &Context) -> Result<()> {
    let (entries, storage) = (&source.manifest().partitions, context.storage.as_ref());
    make_dir(storage, dir)?;
    keep(source, &entries.iter().collect::<Vec<_>>(), dir, context)?;
    sync_dirs(dir, entries, storage)
}

/// Gives the files of some partitions of `base` a second name in `dir`. The names are not durable yet.
pub(super) fn keep(base: &Dataset, entries: &[&PartitionEntry], dir: &Path, context: &Context) -> Result<()> {
    let storage = context.storage.as_ref();
    entries.par_iter().try_for_each(|entry| {
        context.check_cancelled()?;
        let (from, to) = (base.dir().join(&entry.dir), dir.join(&entry.dir));
        make_dir(storage, &to)?;
        entry.files.iter().try_for_each(|file| {
            let (from, to) = (from.join(&file.name), to.join(&file.name));
            link_or_copy(&from, &to, storage)
                .map_err(|error| StageError::io("link", &to, &error).with_cause(format!("from `{}`", from.display())))
        })
    })
}

/// A hard link, or a copy where the file system or its rules do not allow one: it has none (`EPERM`, `EOPNOTSUPP`), the file has as many
/// as it may have (`EMLINK`), or the snapshots lie on different mounts (`EXDEV`).
fn link_or_copy(from: &Path, to: &Path, storage: &dyn Storage) -> io::Result<()> {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, TooManyLinks, Unsupported};
    match storage.hard_link(from, to) {
        Err(error) if matches!(error.kind(), CrossesDevices | PermissionDenied | TooManyLinks | Unsupported) => storage.copy(from, to),
        result => result,
    }
}

pub(super) fn make_dir(storage: &dyn Storage, dir: &Path) -> Result<()> {
    storage.create_dir_all(dir).map_err(|error| StageError::io("create", dir, &error))
}

/// Puts the names of all files and folders of the snapshot on stable storage.
pub(super) fn sync_dirs(dir: &Path, entries: &[PartitionEntry], storage: &dyn Storage) -> Result<()> {
    let mut folders: BTreeSet<PathBuf> = BTreeSet::from([dir.to_owned()]);
    for entry in entries {
        let folder = dir.join(&entry.dir);
        folders.extend(folder.ancestors().take_while(|ancestor| *ancestor != dir).map(Path::to_owned));
    }
    folders.par_iter().try_for_each(|folder| storage.sync_dir(folder).map_err(|error| StageError::io("sync", folder, &error)))
}
