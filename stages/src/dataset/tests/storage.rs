//! Storages for tests: the real disk, minus something.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::storage::{Disk, Storage, StorageFile};

/// The real disk without `fsync`, which no test can observe and which takes most of the time, and if asked without more.
#[derive(Debug, Clone)]
pub(crate) struct TestDisk {
    has_links: bool,
    has_symlinks: bool,
    /// How many operations are left until all fail; `None` for no end.
    left: Option<Arc<AtomicU64>>,
}

impl TestDisk {
    pub(crate) fn new() -> Self {
        Self { has_links: true, has_symlinks: true, left: None }
    }

    /// Hard links do not work on it.
    pub(crate) fn without_links() -> Self {
        Self { has_links: false, ..Self::new() }
    }

    /// Neither hard nor symbolic links work on it, as on FAT.
    pub(crate) fn without_any_links() -> Self {
        Self { has_links: false, has_symlinks: false, left: None }
    }

    /// From some operation on everything fails, removing too. What is on disk then is what `kill -9` leaves.
    pub(crate) fn dying_after(operations: u64) -> Self {
        Self { left: Some(Arc::new(AtomicU64::new(operations))), ..Self::new() }
    }

    fn spend(&self) -> io::Result<()> {
        let Some(left) = &self.left else { return Ok(()) };
        let spent = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        spent.map(drop).map_err(|_| io::Error::other("the process is dead"))
    }
}

struct TestFile(File, TestDisk);

impl Write for TestFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.spend()?;
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl StorageFile for TestFile {
    fn sync(&mut self) -> io::Result<()> {
        self.1.spend()
    }
}

impl Storage for TestDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        self.spend()?;
        Ok(Box::new(TestFile(File::create(path)?, self.clone())))
    }
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.spend().and_then(|()| Disk.create_dir_all(path))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.spend().and_then(|()| Disk.rename(from, to))
    }
    fn hard_link(&self, original: &Path, link: &Path) -> io::Result<()> {
        self.spend()?;
        if self.has_links { Disk.hard_link(original, link) } else { Err(io::Error::from_raw_os_error(libc::EPERM)) }
    }
    fn symlink(&self, target: &Path, link: &Path) -> io::Result<()> {
        self.spend()?;
        if self.has_symlinks { Disk.symlink(target, link) } else { Err(io::Error::from_raw_os_error(libc::EPERM)) }
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.spend().and_then(|()| Disk.remove_file(path))
    }
    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.spend().and_then(|()| Disk.remove_dir_all(path))
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        // A folder that is not there is an error on the real disk too.
        self.spend().and_then(|()| File::open(path).map(drop))
    }
}
