//! One file, there completely or not at all.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::temporary::Temporary;
use super::{Storage, StorageFile, parent};
use crate::error::{Result, StageError};

/// Bytes gathered before they are written.
const BUFFER_BYTES: usize = 1 << 18;

/// A file being written under a hidden name beside its own: temporary file in the same directory, write, sync, rename, sync the
/// directory. Until [`publish`](Self::publish) readers see what was there before. Dropped without it, the temporary file is removed; if the
/// process dies, by the next writer of the same file.
pub struct AtomicFile<'a> {
    storage: &'a dyn Storage,
    path: PathBuf,
    temporary: Temporary,
    /// `None` once the file was handed over for publishing.
    file: Option<BufWriter<Box<dyn StorageFile>>>,
}

impl<'a> AtomicFile<'a> {
    /// Begins to write the file that will lie at `path`, whose parent is made if need be.
    ///
    /// # Errors
    /// I/O trouble.
    pub fn create(storage: &'a dyn Storage, path: &Path) -> io::Result<Self> {
        storage.create_dir_all(parent(path))?;
        let (temporary, file) = Temporary::create(storage, path, |temporary| storage.create(temporary))?;
        Ok(Self { storage, path: path.to_owned(), temporary, file: Some(BufWriter::with_capacity(BUFFER_BYTES, file)) })
    }

    /// Puts the bytes on stable storage and makes them the file.
    ///
    /// # Errors
    /// I/O trouble; then what was there before is there still.
    pub fn publish(mut self) -> io::Result<()> {
        if let Some(file) = self.file.take() {
            let written = file.into_inner().map_err(io::IntoInnerError::into_error).and_then(|mut file| file.sync());
            if let Err(error) = written.and_then(|()| self.storage.rename(&self.temporary.path, &self.path)) {
                let _ = self.storage.remove_file(&self.temporary.path);
                return Err(error);
            }
        }
        self.storage.sync_dir(parent(&self.path))
    }
}

impl Write for AtomicFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.file {
            Some(file) => file.write(bytes),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for AtomicFile<'_> {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            // What it holds back need not be written any more.
            let _ = file.into_parts();
            let _ = self.storage.remove_file(&self.temporary.path);
        }
    }
}

/// Writes a whole file so that it is there completely or not at all; see [`AtomicFile`].
///
/// # Errors
/// I/O trouble, also that of `write`; then what was there before is there still.
pub fn write_atomically(storage: &dyn Storage, path: &Path, write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>) -> Result<()> {
    let whole = || {
        let mut file = AtomicFile::create(storage, path)?;
        write(&mut file)?;
        file.publish()
    };
    whole().map_err(|error| StageError::io("write", path, &error))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::{Disk, FailAfter};
    use super::*;

    #[test]
    fn whichever_operation_fails_the_old_file_or_the_new_one_is_there_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/future.csv");
        write_atomically(&Disk, &path, |file| file.write_all(b"old")).unwrap();
        for operations in 0.. {
            let storage = FailAfter::new(Disk, operations, io::ErrorKind::StorageFull);
            let written = write_atomically(&storage, &path, |file| file.write_all(b"new"));
            assert_eq!(fs::read_dir(folder.path().join("a")).unwrap().count(), 1, "after {operations} operations");
            let text = fs::read_to_string(&path).unwrap();
            if written.is_ok() {
                assert_eq!(text, "new");
                return;
            }
            // The last operation puts the name on stable storage; the rename is done by then.
            assert!(text == "old" || text == "new", "{text} after {operations} operations");
        }
    }

    #[test]
    fn a_writer_that_gives_up_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = AtomicFile::create(&Disk, &folder.path().join("x")).unwrap();
        file.write_all(b"half").unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        drop(file);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
