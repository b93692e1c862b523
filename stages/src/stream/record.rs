//! What is written down of a claim, and the lock under which it is.
//!
//! `OUTPUT/.claims/RUN+TASK+GENERATION.json` lists the files of one piece of work: where each was, where it is now, where it goes. It is written
//! before the first of them moves and removed after the last is archived, so it names every file that lies in a `.claimed` folder.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::context::{Context, PublishKey};
use crate::dataset::wait_for;
use crate::error::{Result, StageError};
use crate::storage::{parent, write_atomically};

/// The format that this version writes. A newer one is refused rather than misread.
const FORMAT: u32 = 1;

/// The files of one piece of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claim {
    format: u32,
    /// Whose they are.
    pub(crate) publish_key: PublishKey,
    /// In the order in which they are read.
    pub(crate) files: Vec<ClaimedFile>,
}

/// A file that was claimed, or is about to be. Paths are relative to the workspace where they lie inside, so that it may be moved as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClaimedFile {
    /// Where it arrived.
    pub(crate) original: String,
    /// Where it lies while it is read.
    pub(crate) claimed: String,
    /// Where it goes in the end; none if it is deleted.
    pub(crate) archive: Option<String>,
    /// What it was when it was claimed: if it is not so any more, somebody still wrote to it.
    pub(crate) stamp: Stamp,
    /// Whether another attempt had claimed it, which died.
    #[serde(skip)]
    pub(crate) adopted: bool,
}

/// What tells that a file has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    pub(crate) bytes: u64,
    /// Unix nanoseconds of its last change.
    modified_ns: i128,
    /// Anything else cannot be claimed; a link may be relative to its place.
    #[serde(skip, default = "yes")]
    pub(super) is_file: bool,
}

fn yes() -> bool {
    true
}

impl Stamp {
    /// `None` if nothing is there.
    pub(crate) fn of(path: &Path) -> io::Result<Option<Self>> {
        match fs::symlink_metadata(path) {
            Ok(metadata) => {
                let modified_ns = i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
                Ok(Some(Self { bytes: metadata.len(), modified_ns, is_file: metadata.is_file() }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// For how long it had been so at `now`; `None` if it is of the future.
    pub(super) fn age_at(&self, now: Timestamp) -> Option<Duration> {
        u64::try_from(now.as_nanosecond() - self.modified_ns).ok().map(Duration::from_nanos)
    }
}

impl Claim {
    /// A claim of no file yet.
    pub(super) fn new(publish_key: PublishKey) -> Self {
        Self { format: FORMAT, publish_key, files: Vec::new() }
    }
}

/// The claims on behalf of one output. Holds its lock: nobody else claims, or archives what was claimed, meanwhile.
#[derive(Debug)]
pub(super) struct Registry<'a> {
    folder: PathBuf,
    context: &'a Context,
    _lock: File,
}

impl<'a> Registry<'a> {
    /// Waits for the lock.
    pub(super) fn open(output: &Path, context: &'a Context) -> Result<Self> {
        let folder = output.join(".claims");
        let storage = context.storage.as_ref();
        let create = || storage.create_dir_all(&folder).and_then(|()| storage.sync_dir(output));
        create().map_err(|error| StageError::io("create", &folder, &error))?;
        let busy = || format!("another task takes in stream files for `{}`", context.display(output));
        let lock = wait_for(&folder.join("lock"), busy, context)?;
        Ok(Self { folder, context, _lock: lock })
    }

    /// All claims, in order of their keys.
    pub(super) fn claims(&self) -> Result<Vec<Claim>> {
        let failed = |error: io::Error| StageError::io("list", &self.folder, &error);
        let mut claims = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            // A hidden file is one that a dead attempt did not complete.
            let is_record = path
                .file_name()
                .is_some_and(|name| name.as_encoded_bytes().ends_with(b".json") && !name.as_encoded_bytes().starts_with(b"."));
            if is_record {
                claims.push(self.read(&path)?);
            }
        }
        claims.sort_by(|a, b| a.publish_key.cmp(&b.publish_key));
        Ok(claims)
    }

    fn read(&self, path: &Path) -> Result<Claim> {
        let text = fs::read(path).map_err(|error| StageError::io("read", path, &error))?;
        let parsed = serde_json::from_slice(&text)
            .map_err(|error| error.to_string())
            .and_then(|claim: Claim| if claim.format <= FORMAT { Ok(claim) } else { Err("it was written by a newer recflow".to_owned()) });
        parsed.map_err(|why| {
            StageError::input(format!("the record `{}` of claimed stream files cannot be read", self.context.display(path)))
                .with_cause(why)
                .with_hint("the files lie in a `.claimed` folder beside where they arrived: move them back there, then remove the record")
        })
    }

    /// Writes a claim down, durably.
    pub(super) fn write(&self, claim: &Claim) -> Result<()> {
        let path = self.path(&claim.publish_key);
        write_atomically(self.context.storage.as_ref(), &path, |file| serde_json::to_writer_pretty(file, claim).map_err(io::Error::from))
    }

    /// Forgets a claim. One that is not there is forgotten already.
    pub(super) fn forget(&self, key: &PublishKey) -> Result<()> {
        let path = self.path(key);
        match self.context.storage.remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StageError::io("remove", &path, &error)),
            _ => self.context.storage.sync_dir(parent(&path)).map_err(|error| StageError::io("remove", &path, &error)),
        }
    }

    fn path(&self, key: &PublishKey) -> PathBuf {
        self.folder.join(format!("{}.json", file_name(key)))
    }
}

/// A publish key as a file name. Ids of runs and tasks hold no `+`, so two keys have two names.
pub(super) fn file_name(key: &PublishKey) -> String {
    key.as_str().chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '+' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record as version 0.1.0 wrote it. Never edit: an attempt of that version may have died.
    const FORMAT_1: &str = r#"{ "format": 1, "publish_key": "run/process/0", "files": [{
        "original": "data/streaming/current.csv", "claimed": "data/streaming/.claimed/run+process+0.1/current.csv",
        "archive": null, "stamp": { "bytes": 7, "modified_ns": 1764000000000000001 } }] }"#;

    #[test]
    fn a_record_of_format_1_is_read_and_one_of_a_newer_format_refused() {
        let folder = tempfile::tempdir().unwrap();
        let context = Context::plain(folder.path(), PublishKey::new("run", "process", 0));
        let registry = Registry::open(folder.path(), &context).unwrap();
        let path = registry.path(&context.publish_key);
        fs::write(&path, FORMAT_1).unwrap();
        let claims = registry.claims().unwrap();
        assert_eq!((claims[0].files[0].stamp.bytes, claims[0].files[0].archive.as_deref()), (7, None));
        registry.write(&claims[0]).unwrap();
        assert_eq!(registry.claims().unwrap(), claims);
        fs::write(&path, FORMAT_1.replace("\"format\": 1", "\"format\": 2")).unwrap();
        assert_eq!(registry.claims().unwrap_err().causes, ["it was written by a newer recflow"]);
        registry.forget(&context.publish_key).unwrap();
        registry.forget(&context.publish_key).unwrap();
        assert_eq!(registry.claims().unwrap(), []);
    }

    #[test]
    fn different_keys_have_different_files() {
        let names =
            [PublishKey::new("a_b", "c", 0), PublishKey::new("a", "b_c", 0), PublishKey::new("a", "b", 0)].map(|key| file_name(&key));
        assert_eq!(names, ["a_b+c+0", "a+b_c+0", "a+b+0"]);
    }
}
