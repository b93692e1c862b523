//! Files and folders under a second name: hard links where the file system has them, else copies. Files of datasets and models never change once
//! they are published, so a link is as good as a copy and costs nothing.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use recflow_stages::storage::{Storage, parent, write_atomically};
use recflow_stages::{Context, Result, StageError};

/// Makes `to` the file `from`. What is there is replaced.
///
/// # Errors
/// I/O trouble.
pub(super) fn file(from: &Path, to: &Path, context: &Context) -> Result<()> {
    let storage = &*context.storage;
    let link = || {
        storage.create_dir_all(parent(to))?;
        match storage.remove_file(to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        storage.hard_link(from, to)
    };
    match link() {
        Ok(()) => Ok(()),
        // Another file system, or one without links.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(StageError::io("link", from, &error)),
        Err(_) => copy(from, to, storage),
    }
}

fn copy(from: &Path, to: &Path, storage: &dyn Storage) -> Result<()> {
    let mut source = File::open(from).map_err(|error| StageError::io("open", from, &error))?;
    write_atomically(storage, to, |file| io::copy(&mut source, file).map(drop))
}

/// Makes `to` a folder with the files of `from` and all folders below; symbolic links stay as they are.
///
/// # Errors
/// I/O trouble; cancellation.
pub(super) fn folder(from: &Path, to: &Path, context: &Context) -> Result<()> {
    context.check_cancelled()?;
    context.storage.create_dir_all(to).map_err(|error| StageError::io("create", to, &error))?;
    let listed = |error| StageError::io("list", from, &error);
    for entry in fs::read_dir(from).map_err(listed)? {
        let entry = entry.map_err(listed)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(listed)?);
        let target = to.join(entry.file_name());
        if kind.is_dir() {
            folder(&path, &target, context)?;
        } else if kind.is_symlink() {
            let link = fs::read_link(&path).and_then(|text| context.storage.symlink(&text, &target));
            link.map_err(|error| StageError::io("link", &path, &error))?;
        } else {
            file(&path, &target, context)?;
        }
    }
    Ok(())
}
