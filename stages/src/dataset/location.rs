//! Where things lie: the dataset's path, its snapshots beside it, and what the path is at the moment.
//!
//! ```text
//! data/processed/parquet/
//!   train -> .train.snapshots/7        the path that people and engines use
//!   .train.snapshots/
//!     lock                             held by whoever publishes
//!     5/ 5.json  6/ 6.json  7/ 7.json  snapshots and their manifests
//!     7.unchanged.json                 work that left snapshot 7 as it is, see `unchanged`
//!     pending.json  commits/           a publication on its way, see `journal`
//!     .next/                           being written; names with a dot are rubbish once the lock is free
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Result, StageError};
use crate::storage::parent;

/// How many symbolic links are followed before giving up, as Linux does.
const MAX_LINKS: usize = 40;

/// A dataset's place on disk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Location {
    /// The dataset's path: an absolute, resolved folder and the dataset's name in it.
    pub(super) path: PathBuf,
    /// The folder of its snapshots, beside the path.
    pub(super) root: PathBuf,
}

/// What a dataset's path is at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Current {
    /// Nothing is there.
    Absent,
    /// A folder that recflow did not write, or did not write yet.
    Plain,
    /// A link to this snapshot.
    Snapshot(u64),
}

impl Location {
    /// The place that `path` names. Links are followed up to the one that recflow makes itself, so a dataset that was linked
    /// from elsewhere is the same dataset, with one lock and one history.
    pub(super) fn of(path: &Path) -> Result<Self> {
        let mut path = std::path::absolute(path).map_err(|error| StageError::io("find", path, &error))?;
        for _ in 0..MAX_LINKS {
            let location = Self::beside(&path)?;
            // Without the slash that may end it: `read_link` would follow the link then.
            path.clone_from(&location.path);
            match fs::read_link(&path) {
                Ok(target) if location.snapshot_of_target(&target).is_none() => path = parent(&path).join(target),
                // Not a link, not there, or our own link: this is the place.
                _ => {
                    return match parent(&path).canonicalize() {
                        Ok(folder) => Self::beside(&folder.join(location.name())),
                        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(location),
                        Err(error) => Err(StageError::io("find", &path, &error)),
                    };
                }
            }
        }
        Err(StageError::input(format!("`{}` is a loop of symbolic links", path.display())))
    }

    /// The place whose snapshots lie in `root`, a folder named `.NAME.snapshots`.
    pub(super) fn of_root(root: &Path) -> Option<Self> {
        let name = root.file_name()?.to_str()?.strip_prefix('.')?.strip_suffix(".snapshots")?;
        Some(Self { path: parent(root).join(name), root: root.to_owned() })
    }

    /// The dataset and the snapshot that this place in truth is, if somebody gave the folder of a snapshot as the path.
    pub(super) fn as_snapshot(&self) -> Option<(Self, u64)> {
        Some((Self::of_root(parent(&self.path))?, parse_number(self.name())?))
    }

    fn beside(path: &Path) -> Result<Self> {
        let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| {
            StageError::input(format!("`{}` does not name a dataset", path.display()))
                .with_hint("give a path that ends in a name, such as data/processed/parquet/train")
        })?;
        Ok(Self { path: parent(path).join(name), root: parent(path).join(format!(".{name}.snapshots")) })
    }

    /// The dataset's name: the last part of its path.
    pub(super) fn name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    /// What the path is at the moment.
    pub(super) fn current(&self) -> Result<Current> {
        let metadata = match fs::symlink_metadata(&self.path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Current::Absent),
            Err(error) => return Err(StageError::io("open", &self.path, &error)),
        };
        if metadata.is_dir() {
            return Ok(Current::Plain);
        }
        let target = if metadata.is_symlink() { fs::read_link(&self.path).ok() } else { None };
        match target.and_then(|target| self.snapshot_of_target(&target)) {
            Some(snapshot) => Ok(Current::Snapshot(snapshot)),
            None => Err(StageError::input(format!("`{}` is not a dataset: it is a file", self.path.display()))
                .with_hint("give the folder that holds the `year=…` folders, or a path where nothing is yet")),
        }
    }

    /// The folder of a snapshot.
    pub(super) fn snapshot_dir(&self, snapshot: u64) -> PathBuf {
        self.root.join(snapshot.to_string())
    }

    /// The manifest of a snapshot.
    pub(super) fn manifest_file(&self, snapshot: u64) -> PathBuf {
        self.root.join(format!("{snapshot}.json"))
    }

    /// The record of work that left a snapshot as it is.
    pub(super) fn unchanged_file(&self, snapshot: u64) -> PathBuf {
        self.root.join(format!("{snapshot}.unchanged.json"))
    }

    /// The text of the link that makes `snapshot` current: relative, so that the whole may be moved.
    pub(super) fn link_text(&self, snapshot: u64) -> PathBuf {
        Path::new(&format!(".{}.snapshots", self.name())).join(snapshot.to_string())
    }

    /// The numbers of the snapshots that are kept, oldest first.
    pub(super) fn snapshots(&self) -> Result<Vec<u64>> {
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(StageError::io("list", &self.root, &error)),
        };
        let mut snapshots = Vec::new();
        for entry in entries {
            let name = entry.map_err(|error| StageError::io("list", &self.root, &error))?.file_name();
            snapshots.extend(name.to_str().and_then(|name| name.strip_suffix(".json")).and_then(parse_number));
        }
        snapshots.sort_unstable();
        Ok(snapshots)
    }

    fn snapshot_of_target(&self, target: &Path) -> Option<u64> {
        let snapshot = parse_number(target.file_name()?.to_str()?)?;
        (target == self.link_text(snapshot)).then_some(snapshot)
    }
}

/// A number written as we write it: no sign, no leading zero.
fn parse_number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

/// The way from folder `from` to `to`, both absolute and resolved.
pub(super) fn relative(from: &Path, to: &Path) -> PathBuf {
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| Path::new(".."));
    up.chain(to.components().skip(shared).map(|part| Path::new(part.as_os_str()))).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn the_way_between_folders_is_relative() {
        assert_eq!(relative(Path::new("/a/b"), Path::new("/a/c/d")), Path::new("../c/d"));
        assert_eq!(relative(Path::new("/a"), Path::new("/a/b")), Path::new("b"));
        assert_eq!(relative(Path::new("/a/b/c"), Path::new("/a/b")), Path::new(".."));
    }

    #[test]
    fn a_link_from_elsewhere_is_the_same_dataset_and_our_own_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        fs::create_dir_all(folder.join("big/.train.snapshots/3")).unwrap();
        symlink(".train.snapshots/3", folder.join("big/train")).unwrap();
        symlink("big/train", folder.join("alias")).unwrap();
        let location = Location::of(&folder.join("alias/")).unwrap();
        assert_eq!(location, Location::of(&folder.join("big/train")).unwrap());
        assert_eq!(location.path, folder.join("big/train"));
        assert_eq!(location.current(), Ok(Current::Snapshot(3)));
        assert_eq!(Location::of_root(&location.root), Some(location));
    }

    #[test]
    fn a_file_and_a_loop_are_not_datasets() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "x").unwrap();
        assert!(Location::of(&folder.path().join("file")).unwrap().current().is_err());
        symlink("loop", folder.path().join("loop")).unwrap();
        assert!(Location::of(&folder.path().join("loop")).is_err());
        assert!(Location::of(Path::new("/")).is_err());
        assert_eq!(Location::of(&folder.path().join("new/deep")).unwrap().current(), Ok(Current::Absent));
    }
}
