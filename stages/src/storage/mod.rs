//! Every write to disk goes through [`Storage`], so that a test can make the n-th one fail.
//!
//! Reading stays with `std::fs` and memory maps: what must survive a fault is what was written.
//!
//! | method | after it returned, a crash of the machine |
//! |---|---|
//! | [`StorageFile::sync`] | keeps the file's bytes, not yet its name |
//! | [`Storage::rename`], [`Storage::hard_link`], [`Storage::symlink`] | may undo the name, never shows half of it |
//! | [`Storage::sync_dir`] | keeps the names in that directory |
//!
//! What a stage writes as one file goes through [`AtomicFile`] or [`write_atomically`]; what it needs only while it works, into a
//! [`Scratch`] folder beside. Both are locked while their writer lives, and what a dead writer left is removed by the next one.

mod atomic;
mod temporary;

use std::fmt::Debug;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

pub use atomic::{AtomicFile, write_atomically};
pub use temporary::{Scratch, temporary_beside};

/// A file being written.
pub trait StorageFile: Write + Send {
    /// Puts the bytes on stable storage (`fsync`).
    fn sync(&mut self) -> io::Result<()>;
}

/// The writing half of a file system.
pub trait Storage: Send + Sync + Debug {
    /// Creates a file, or empties the one that is there.
    fn create(&self, path: &Path) -> io::Result<Box<dyn StorageFile>>;
    /// Creates a directory and its parents; one that is there is fine.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Renames, replacing a file or symbolic link at `to` in one step.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Gives a file a second name.
    fn hard_link(&self, original: &Path, link: &Path) -> io::Result<()>;
    /// Creates a symbolic link whose text is `target`.
    fn symlink(&self, target: &Path, link: &Path) -> io::Result<()>;
    /// Removes a file or symbolic link.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Removes a directory and all in it.
    fn remove_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Puts a directory's entries on stable storage.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
}

/// The real file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl StorageFile for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the wrapper")]
impl Storage for Disk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        Ok(Box::new(File::create(path)?))
    }
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }
    fn hard_link(&self, original: &Path, link: &Path) -> io::Result<()> {
        fs::hard_link(original, link)
    }
    fn symlink(&self, target: &Path, link: &Path) -> io::Result<()> {
        std::os::unix::fs::symlink(target, link)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }
    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }
}

/// A storage whose `n`-th operation, and all later ones, fail with `error`: a disk that fills up and stays
/// full. Tests sweep `n` over 1, 2, 3, ... until the work under test succeeds.
#[derive(Debug)]
pub struct FailAfter<S> {
    inner: S,
    error: io::ErrorKind,
    left: std::sync::Arc<AtomicU64>,
}

impl<S: Storage> FailAfter<S> {
    /// Lets `operations` operations through, then fails each one with `error`.
    pub fn new(inner: S, operations: u64, error: io::ErrorKind) -> Self {
        Self { inner, error, left: std::sync::Arc::new(AtomicU64::new(operations)) }
    }

    fn spend(&self) -> io::Result<()> {
        spend(&self.left, self.error)
    }
}

fn spend(left: &AtomicU64, error: io::ErrorKind) -> io::Result<()> {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1))
        .map(drop)
        .map_err(|_| io::Error::new(error, "injected by a test"))
}

struct FailingFile {
    inner: Box<dyn StorageFile>,
    left: std::sync::Arc<AtomicU64>,
    error: io::ErrorKind,
}

impl Write for FailingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        spend(&self.left, self.error)?;
        self.inner.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl StorageFile for FailingFile {
    fn sync(&mut self) -> io::Result<()> {
        spend(&self.left, self.error)?;
        self.inner.sync()
    }
}

impl<S: Storage> Storage for FailAfter<S> {
    fn create(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        self.spend()?;
        let inner = self.inner.create(path)?;
        Ok(Box::new(FailingFile { inner, left: self.left.clone(), error: self.error }))
    }
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.spend()?;
        self.inner.create_dir_all(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.spend()?;
        self.inner.rename(from, to)
    }
    fn hard_link(&self, original: &Path, link: &Path) -> io::Result<()> {
        self.spend()?;
        self.inner.hard_link(original, link)
    }
    fn symlink(&self, target: &Path, link: &Path) -> io::Result<()> {
        self.spend()?;
        self.inner.symlink(target, link)
    }
    // A full disk can still delete.
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.inner.remove_file(path)
    }
    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.inner.remove_dir_all(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.spend()?;
        self.inner.sync_dir(path)
    }
}

/// The storage a process should use. Builds with debug assertions obey `RECFLOW_STORAGE_FULL_AFTER=N`: the
/// disk is full after N operations, which lets a test fill it through the real binary.
pub fn from_environment() -> std::sync::Arc<dyn Storage> {
    #[cfg(debug_assertions)]
    if let Some(operations) = std::env::var("RECFLOW_STORAGE_FULL_AFTER").ok().and_then(|n| n.parse().ok()) {
        return std::sync::Arc::new(FailAfter::new(Disk, operations, io::ErrorKind::StorageFull));
    }
    std::sync::Arc::new(Disk)
}

/// The parent directory of `path`, `.` for a bare name.
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
