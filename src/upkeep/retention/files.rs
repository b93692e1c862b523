//! The files that runs leave in recflow's own folder, and whose they are: a name begins with the id of its run.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use recflow_state::{RunId, UnixMs};

use crate::workspace::Workspace;

/// What a file is to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The folder of its logs.
    Logs,
    /// A page about it.
    Report,
    /// Lines that one of its tasks rejected.
    Rejects,
}

/// A file, or a folder of logs, of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileOf {
    /// The run.
    pub run: RunId,
    /// What it is.
    pub kind: Kind,
    /// Where it lies.
    pub path: PathBuf,
    /// How much room it takes.
    pub bytes: u64,
    /// When it was changed last.
    pub modified: UnixMs,
}

/// All files of runs, whether these are kept or not. What has another kind of name is none of recflow's and is left out; a folder that
/// is not there has none.
pub(super) fn all(workspace: &Workspace) -> Vec<FileOf> {
    let folders = [("logs", Kind::Logs), ("reports", Kind::Report), ("rejects", Kind::Rejects)];
    let mut found = Vec::new();
    for (folder, kind) in folders {
        for entry in fs::read_dir(workspace.home().join(folder)).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(run) = owner(&name, kind) else { continue };
            let path = entry.path();
            let modified = entry.metadata().and_then(|metadata| metadata.modified()).ok();
            let since = modified.and_then(|modified| modified.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
            let modified = UnixMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
            found.push(FileOf { run, kind, bytes: size(&path), path, modified });
        }
    }
    found
}

/// The run that a name speaks of.
fn owner(name: &str, kind: Kind) -> Option<RunId> {
    let id = match kind {
        Kind::Logs => name,
        Kind::Report => name.strip_suffix(".html")?,
        Kind::Rejects => name.split_once('_')?.0,
    };
    RunId::parse(id).ok()
}

/// Bytes of a file, or of all files below a folder; links are not followed. What cannot be read counts as nothing.
fn size(path: &Path) -> u64 {
    let Ok(metadata) = fs::symlink_metadata(path) else { return 0 };
    if !metadata.is_dir() {
        return metadata.len();
    }
    fs::read_dir(path).into_iter().flatten().flatten().map(|entry| size(&entry.path())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_belongs_to_the_run_that_its_name_begins_with() {
        let id = RunId::from_random(7);
        assert_eq!(owner(id.as_str(), Kind::Logs), Some(id.clone()));
        assert_eq!(owner(&format!("{id}.html"), Kind::Report), Some(id.clone()));
        assert_eq!(owner(&format!("{id}_etl_0.train.tsv"), Kind::Rejects), Some(id));
        for (name, kind) in [("notes", Kind::Logs), ("index.html", Kind::Report), ("mine_a.tsv", Kind::Rejects), ("..", Kind::Logs)] {
            assert_eq!(owner(name, kind), None, "{name}");
        }
    }
}
