//! Whole files, there completely or not at all, and no rubbish of writers that died.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{Storage, StorageFile, parent, temporary_beside};
use crate::error::{Result, StageError};

/// Writes a whole file so that it is there completely or not at all: temporary file in the same directory,
/// write, sync, rename, sync the directory. On failure the temporary file is removed, and so are those that dead processes left.
pub fn write_atomically(storage: &dyn Storage, path: &Path, write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>) -> Result<()> {
    let result = Temporary::create(storage, path).and_then(|temporary| {
        let Temporary { path: hidden, file, _alive } = temporary;
        let published = (|| {
            let mut file = io::BufWriter::with_capacity(1 << 18, file);
            write(&mut file)?;
            file.into_inner().map_err(io::IntoInnerError::into_error)?.sync()?;
            storage.rename(&hidden, path)?;
            storage.sync_dir(parent(path))
        })();
        published.inspect_err(|_| drop(storage.remove_file(&hidden)))
    });
    result.map_err(|error| StageError::io("write", path, &error))
}

/// A file on its way, under a hidden name beside the one that it is to get.
pub(crate) struct Temporary {
    /// Its hidden name.
    pub(crate) path: PathBuf,
    pub(crate) file: Box<dyn StorageFile>,
    /// Locked for as long as the writer lives; `None` where files cannot be locked.
    pub(crate) _alive: Option<File>,
}

impl Temporary {
    /// A new one for the file at `path`, in a folder that is made if need be. Removes those of writers that died.
    pub(crate) fn create(storage: &dyn Storage, path: &Path) -> io::Result<Self> {
        storage.create_dir_all(parent(path))?;
        remove_abandoned(storage, path);
        let hidden = temporary_beside(path);
        let (file, alive) = create_locked(storage, &hidden).inspect_err(|_| drop(storage.remove_file(&hidden)))?;
        Ok(Self { path: hidden, file, _alive: alive })
    }
}

/// Creates a temporary file and locks it, so that others can tell that its writer lives.
fn create_locked(storage: &dyn Storage, temporary: &Path) -> io::Result<(Box<dyn StorageFile>, Option<File>)> {
    loop {
        let file = storage.create(temporary)?;
        let alive = match File::open(temporary) {
            Ok(alive) if alive.lock().is_ok() => alive,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            _ => return Ok((file, None)),
        };
        // Between creating and locking it, somebody who tidies up may have taken it for abandoned.
        let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        if fs::metadata(temporary).map(identity).ok() == Some(identity(alive.metadata()?)) {
            return Ok((file, Some(alive)));
        }
    }
}

/// Removes the temporary files of `path` whose writers are dead. Those that cannot be removed are left for the next.
fn remove_abandoned(storage: &dyn Storage, path: &Path) {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return };
    let prefix = format!(".{name}.");
    for entry in fs::read_dir(parent(path)).into_iter().flatten().flatten() {
        let is_temporary = entry.file_name().to_str().is_some_and(|name| name.starts_with(&prefix) && name.ends_with(".tmp"));
        if is_temporary && let Ok(file) = File::open(entry.path()) {
            // Locked until it is gone, so that its writer, if it has only just begun, notices.
            if file.try_lock().is_ok() {
                let _ = storage.remove_file(&entry.path());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Disk, FailAfter};
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_a_dead_writer_left_is_removed_by_the_next_and_a_live_one_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.csv");
        fs::write(folder.path().join(".list.csv.1-0.tmp"), "half").unwrap();
        fs::write(folder.path().join(".other.csv.1-0.tmp"), "of another file").unwrap();
        let (_file, alive) = create_locked(&Disk, &folder.path().join(".list.csv.2-0.tmp")).unwrap();
        write_atomically(&Disk, &path, |file| file.write_all(b"whole")).unwrap();
        assert_eq!(names(folder.path()), [".list.csv.2-0.tmp", ".other.csv.1-0.tmp", "list.csv"]);
        drop(alive);
        write_atomically(&Disk, &path, |file| file.write_all(b"again")).unwrap();
        assert_eq!(names(folder.path()), [".other.csv.1-0.tmp", "list.csv"]);
        assert_eq!(fs::read(&path).unwrap(), b"again");
    }

    #[test]
    fn a_writer_that_fails_leaves_what_was_there_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.csv");
        fs::write(&path, "old").unwrap();
        for operations in 0..20 {
            let storage = FailAfter::new(Disk, operations, io::ErrorKind::StorageFull);
            let written = write_atomically(&storage, &path, |file| file.write_all(b"new"));
            assert_eq!(names(folder.path()), ["list.csv"], "{operations}");
            if written.is_ok() {
                assert!(operations > 3);
                return;
            }
        }
        panic!("never written");
    }
}
