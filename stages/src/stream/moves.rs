//! Moving a file to a name that must not be another file's.
//!
//! `rename` replaces what is there, without a word. A second name and the removal of the first does not; a death between the two leaves both
//! names of one file, which [`is_same_file`] recognises.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::storage::Storage;

/// Moves `from` to `to`, unless another file is there: then returns false. Doing it again after a death in the middle completes it.
///
/// # Errors
/// File systems without hard links refuse; so does Linux for files of other people that one may not write.
pub(super) fn move_without_replacing(storage: &dyn Storage, from: &Path, to: &Path) -> io::Result<bool> {
    if !is_same_file(from, to) {
        match storage.hard_link(from, to) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    storage.remove_file(from)?;
    Ok(true)
}

/// The same where nobody but us makes names: a file system without hard links gets a rename after a look.
pub(super) fn move_where_only_we_write(storage: &dyn Storage, from: &Path, to: &Path) -> io::Result<bool> {
    match move_without_replacing(storage, from, to) {
        Err(error) if is_same_file(from, to) => Err(error),
        Err(_) if fs::symlink_metadata(to).is_ok() => Ok(false),
        Err(_) => storage.rename(from, to).map(|()| true),
        moved => moved,
    }
}

/// Whether two paths are names of one file.
pub(super) fn is_same_file(a: &Path, b: &Path) -> bool {
    let identity = |path: &Path| fs::symlink_metadata(path).map(|metadata| (metadata.dev(), metadata.ino())).ok();
    identity(a).is_some_and(|a| identity(b) == Some(a))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::tests::storage::TestDisk;
    use crate::storage::Disk;

    #[test]
    fn a_move_replaces_nothing_and_may_be_repeated_after_a_death_in_its_middle() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b, c] = ["a", "b", "c"].map(|name| folder.path().join(name));
        fs::write(&a, "a").unwrap();
        fs::write(&b, "b").unwrap();
        assert!(!move_without_replacing(&Disk, &a, &b).unwrap());
        assert_eq!((fs::read_to_string(&a).unwrap(), fs::read_to_string(&b).unwrap()), ("a".to_owned(), "b".to_owned()));
        fs::hard_link(&a, &c).unwrap();
        assert!(move_without_replacing(&Disk, &a, &c).unwrap());
        assert!(!a.exists() && fs::read_to_string(&c).unwrap() == "a");
    }

    #[test]
    fn without_hard_links_a_file_is_moved_only_where_nobody_else_writes() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b, c] = ["a", "b", "c"].map(|name| folder.path().join(name));
        fs::write(&a, "a").unwrap();
        fs::write(&b, "b").unwrap();
        let disk = TestDisk::without_links();
        assert!(move_without_replacing(&disk, &a, &c).is_err() && !c.exists());
        assert!(!move_where_only_we_write(&disk, &a, &b).unwrap());
        assert!(move_where_only_we_write(&disk, &a, &c).unwrap());
        assert!(!a.exists() && fs::read_to_string(&b).unwrap() == "b");
    }
}
