//! Every write to disk goes through [`Storage`], so that a test can make the n-th one fail.
//!
//! Reading stays with `std::fs` and memory maps: what must survive a fault is what was written.
//!
//! | method | after it returned, a crash of the machine |
//! |---|---|
//! | [`StorageFile::sync`], [`Storage::copy`] | keeps the file's bytes, not yet its name |
//! | [`Storage::rename`], [`Storage::hard_link`], [`Storage::symlink`] | may undo the name, never shows half of it |
//! | [`Storage::sync_dir`] | keeps the names in that directory |
//!
//! What a stage writes as one file goes through [`AtomicFile`] or [`write_atomically`]; what it needs only while it works, into a
//! [`Scratch`] folder beside. Both are locked while their writer lives, and what a dead writer left is removed by the next one.

mod atomic;
mod faults;
mod temporary;

use std::fmt::Debug;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

pub use atomic::{AtomicFile, write_atomically};
pub use faults::{FailAfter, from_environment};
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
    /// Writes a copy of a file, its bytes on stable storage when this returns.
    fn copy(&self, original: &Path, copy: &Path) -> io::Result<()> {
        let mut original = File::open(original)?;
        let mut copy = self.create(copy)?;
        let mut buffer = vec![0; 1 << 18];
        loop {
            match io::Read::read(&mut original, &mut buffer)? {
                0 => return copy.sync(),
                bytes => copy.write_all(&buffer[..bytes])?,
            }
        }
    }
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
    fn copy(&self, original: &Path, copy: &Path) -> io::Result<()> {
        // `io::copy` has the kernel copy between two files: blocks are shared where the file system can (btrfs, XFS).
        let mut copy = File::create(copy)?;
        io::copy(&mut File::open(original)?, &mut copy)?;
        copy.sync_all()
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

/// The parent directory of `path`, `.` for a bare name.
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
