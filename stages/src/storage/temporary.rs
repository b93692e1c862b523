//! Names for what is not complete yet, and how it is told that nobody will complete it.
//!
//! A temporary file or folder of `NAME` lies beside it as `.NAME.PID-N.tmp`. Its writer holds an operating-system lock on it, which the
//! kernel drops with the process, however that ends. So the next writer of `NAME` knows debris from work: what it can lock belongs
//! to nobody. The number of the process is in the name for people alone; it may be given out again, and means nothing in another container.
//!
//! Between its creation and its lock a temporary could be taken for debris. Its writer therefore looks, once it has the lock, whether the
//! name still leads to what it has locked, and begins anew if not. Where the file system has no locks nothing is ever removed.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Storage, parent};

/// A name beside `path` for a file that is not complete yet. Starts with a dot, so that nobody lists it.
pub fn temporary_beside(path: &Path) -> PathBuf {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    parent(path).join(format!("{}{}-{number}{SUFFIX}", prefix(path), std::process::id()))
}

const SUFFIX: &str = ".tmp";

/// What the names of all temporaries of `path` start with.
fn prefix(path: &Path) -> String {
    format!(".{}.", path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default())
}

/// A temporary that this process works on. Removing it is up to the owner of this.
#[derive(Debug)]
pub(super) struct Temporary {
    pub(super) path: PathBuf,
    /// Locked as long as this lives.
    _alive: File,
}

impl Temporary {
    /// Removes what dead writers of `target` left, then makes a temporary with `create` and locks it.
    pub(super) fn create<T>(storage: &dyn Storage, target: &Path, mut create: impl FnMut(&Path) -> io::Result<T>) -> io::Result<(Self, T)> {
        remove_abandoned(storage, target);
        loop {
            let path = temporary_beside(target);
            let created = create(&path)?;
            if let Some(alive) = lock(&path)? {
                return Ok((Self { path, _alive: alive }, created));
            }
        }
    }
}

/// Locks what was just created at `path`; `None` if somebody took it for debris in between.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if file.lock().is_err() {
        // No locks here; then nobody removes anything either.
        return Ok(Some(file));
    }
    let locked = file.metadata()?;
    let same = fs::symlink_metadata(path).is_ok_and(|there| (there.dev(), there.ino()) == (locked.dev(), locked.ino()));
    Ok(same.then_some(file))
}

/// Removes the temporaries of `target` whose writers are dead. As far as that is possible: debris does no harm but take up space.
fn remove_abandoned(storage: &dyn Storage, target: &Path) {
    let prefix = prefix(target);
    let is_temporary = |name: &str| {
        let middle = name.strip_prefix(&prefix).and_then(|rest| rest.strip_suffix(SUFFIX)).and_then(|middle| middle.split_once('-'));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        middle.is_some_and(|(process, number)| digits(process) && digits(number))
    };
    let Ok(entries) = fs::read_dir(parent(target)) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(is_temporary)) {
        let Ok(kind) = entry.file_type() else { continue };
        // Held while it is removed: whoever is about to lock it then finds it gone.
        let Ok(file) = File::open(entry.path()) else { continue };
        if file.try_lock().is_err() {
            continue;
        }
        let _ = if kind.is_dir() { storage.remove_dir_all(&entry.path()) } else { storage.remove_file(&entry.path()) };
    }
}

/// A folder for what is needed only while a stage works: hidden, beside what the stage writes, so on the same file system. Removed when
/// dropped; by the next writer of the same target if this one dies.
#[derive(Debug)]
pub struct Scratch<'a> {
    storage: &'a dyn Storage,
    temporary: Temporary,
}

impl<'a> Scratch<'a> {
    /// A new folder beside `target`, whose parent is made if need be.
    ///
    /// # Errors
    /// I/O trouble.
    pub fn beside(storage: &'a dyn Storage, target: &Path) -> io::Result<Self> {
        let (temporary, ()) = Temporary::create(storage, target, |path| storage.create_dir_all(path))?;
        Ok(Self { storage, temporary })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.temporary.path
    }
}

impl Drop for Scratch<'_> {
    fn drop(&mut self) {
        let _ = self.storage.remove_dir_all(&self.temporary.path);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Disk;
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn debris_of_the_dead_goes_and_the_work_of_the_living_and_of_others_stays() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("future.csv");
        let living = Scratch::beside(&Disk, &target).unwrap();
        fs::create_dir_all(folder.path().join(".future.csv.7-0.tmp/deep")).unwrap();
        for file in [".future.csv.4242-17.tmp", ".future.csv.notes-1.tmp", ".past.csv.1-1.tmp", ".future.csv.1-1.bak"] {
            fs::write(folder.path().join(file), "x").unwrap();
        }
        let another = Scratch::beside(&Disk, &target).unwrap();
        let mut expected = vec![".future.csv.notes-1.tmp".to_owned(), ".past.csv.1-1.tmp".to_owned(), ".future.csv.1-1.bak".to_owned()];
        expected.extend([&living, &another].map(|scratch| scratch.path().file_name().unwrap().to_str().unwrap().to_owned()));
        expected.sort();
        assert_eq!(names(folder.path()), expected);
        drop((living, another));
        assert_eq!(names(folder.path()).len(), 3);
    }

    #[test]
    fn a_temporary_that_vanishes_before_it_is_locked_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x");
        let mut made = 0;
        let (temporary, ()) = Temporary::create(&Disk, &target, |path| {
            made += 1;
            // The first is gone by the time it is to be locked.
            if made > 1 {
                fs::write(path, "x")?;
            }
            Ok(())
        })
        .unwrap();
        assert!(made == 2 && temporary.path.is_file());
    }
}
