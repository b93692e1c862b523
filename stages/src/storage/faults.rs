//! A storage that breaks where a test wants it to.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Disk, Storage, StorageFile};
use crate::failpoint;

/// A storage whose `n`-th operation, and all later ones, fail: a disk that fills up and stays
/// full. Tests sweep `n` over 1, 2, 3, ... until the work under test succeeds.
#[derive(Debug)]
pub struct FailAfter<S> {
    inner: S,
    budget: Arc<Budget>,
}

/// How many operations are left, and what happens then.
#[derive(Debug)]
struct Budget {
    left: AtomicU64,
    fault: Fault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The operation fails.
    Error(io::ErrorKind),
    /// The process kills itself.
    Death,
}

impl Budget {
    fn spend(&self) -> io::Result<()> {
        match (self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)), self.fault) {
            (Ok(_), _) => Ok(()),
            (Err(_), Fault::Error(kind)) => Err(io::Error::new(kind, "injected by a test")),
            (Err(_), Fault::Death) => failpoint::die(),
        }
    }

    /// A full disk can still delete; a dead process cannot.
    fn spend_removal(&self) -> io::Result<()> {
        if self.fault == Fault::Death { self.spend() } else { Ok(()) }
    }
}

impl<S: Storage> FailAfter<S> {
    /// Lets `operations` operations through, then fails each one with `error`.
    pub fn new(inner: S, operations: u64, error: io::ErrorKind) -> Self {
        Self { inner, budget: Arc::new(Budget { left: AtomicU64::new(operations), fault: Fault::Error(error) }) }
    }

    /// Lets `operations` operations through, removals included, then kills the process with `SIGKILL` in place of the next.
    pub fn dying(inner: S, operations: u64) -> Self {
        Self { inner, budget: Arc::new(Budget { left: AtomicU64::new(operations), fault: Fault::Death }) }
    }
}

struct FailingFile {
    inner: Box<dyn StorageFile>,
    budget: Arc<Budget>,
}

impl Write for FailingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.budget.spend()?;
        self.inner.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl StorageFile for FailingFile {
    fn sync(&mut self) -> io::Result<()> {
        self.budget.spend()?;
        self.inner.sync()
    }
}

impl<S: Storage> Storage for FailAfter<S> {
    fn create(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        self.budget.spend()?;
        let inner = self.inner.create(path)?;
        Ok(Box::new(FailingFile { inner, budget: self.budget.clone() }))
    }
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.budget.spend()?;
        self.inner.create_dir_all(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.budget.spend()?;
        self.inner.rename(from, to)
    }
    fn hard_link(&self, original: &Path, link: &Path) -> io::Result<()> {
        self.budget.spend()?;
        self.inner.hard_link(original, link)
    }
    fn symlink(&self, target: &Path, link: &Path) -> io::Result<()> {
        self.budget.spend()?;
        self.inner.symlink(target, link)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.budget.spend_removal()?;
        self.inner.remove_file(path)
    }
    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.budget.spend_removal()?;
        self.inner.remove_dir_all(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.budget.spend()?;
        self.inner.sync_dir(path)
    }
}

/// The storage a process should use. Builds with debug assertions let a test break it through the real binary: with
/// `RECFLOW_STORAGE_FULL_AFTER=N` the disk is full after N operations, with `RECFLOW_STORAGE_DIES_AFTER=N` the process kills itself
/// (`SIGKILL`) in place of the operation that follows them.
pub fn from_environment() -> Arc<dyn Storage> {
    if cfg!(debug_assertions) {
        let armed = |name: &str| std::env::var(name).ok().and_then(|n| n.parse().ok());
        if let Some(operations) = armed("RECFLOW_STORAGE_FULL_AFTER") {
            return Arc::new(FailAfter::new(Disk, operations, io::ErrorKind::StorageFull));
        }
        if let Some(operations) = armed("RECFLOW_STORAGE_DIES_AFTER") {
            return Arc::new(FailAfter::dying(Disk, operations));
        }
    }
    Arc::new(Disk)
}
