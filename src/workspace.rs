//! Where things lie: the workspace that relative paths refer to, and recflow's own folder in it.

use std::io;
use std::path::{Path, PathBuf};

/// The folder of recflow's own files in a workspace.
const HOME: &str = ".recflow";

/// A workspace: absolute paths, nothing created yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    root: PathBuf,
    home: PathBuf,
}

impl Workspace {
    /// The workspace at `root`, with recflow's own files in `home` or else in `.recflow` below the root.
    ///
    /// Fails if the current directory is gone or the name is not UTF-8, which inputs could not express; whether the folders exist is not asked.
    pub fn new(root: &Path, home: Option<&Path>) -> io::Result<Self> {
        let root = std::path::absolute(root)?;
        if root.to_str().is_none() {
            return Err(io::Error::other(format!("the workspace `{}` has a name that is not UTF-8", root.display())));
        }
        let home = match home {
            Some(home) => std::path::absolute(home)?,
            None => root.join(HOME),
        };
        Ok(Self { root, home })
    }

    /// The folder that relative paths in a pipeline refer to.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// recflow's own folder.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The store.
    pub fn store(&self) -> PathBuf {
        self.home.join("state.db")
    }

    /// The folder of the owners' lock files.
    pub fn owners(&self) -> PathBuf {
        self.home.join("owners")
    }

    /// An attempt's log, relative to [`Workspace::home`]. Run and task ids are checked by a pattern before they get
    /// here, so neither can leave the folder.
    pub fn log(run: &str, task: &str, attempt: u32) -> PathBuf {
        Path::new("logs").join(run).join(task).join(format!("{attempt}.jsonl"))
    }
}
