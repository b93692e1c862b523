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

    /// The options that name this workspace to a recflow that is started here with the same environment: none if it
    /// would find it without.
    pub fn flags(&self) -> String {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let root = variable("RECFLOW_WORKSPACE").unwrap_or_else(|| PathBuf::from("."));
        let found = Self::new(&root, variable("RECFLOW_HOME").as_deref()).ok();
        if found.as_ref() == Some(self) {
            return String::new();
        }
        let mut flags = String::new();
        if found.as_ref().is_none_or(|found| found.root != self.root) {
            flags.push_str(&format!(" --workspace {}", quoted(&from_here(&self.root))));
        }
        if variable("RECFLOW_HOME").is_some() || self.home != self.root.join(HOME) {
            flags.push_str(&format!(" --home {}", quoted(&from_here(&self.home))));
        }
        flags
    }

    /// recflow's own folder, as one writes it in the current directory.
    pub fn home_from_here(&self) -> String {
        from_here(&self.home)
    }

    /// The lock that a daemon of this workspace holds.
    pub fn daemon_lock(&self) -> PathBuf {
        self.home.join("daemon.lock")
    }

    /// The file of its settings, which need not be there.
    pub fn settings(&self) -> PathBuf {
        self.root.join("recflow.yaml")
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

/// A path without the current directory, if it lies below it.
fn from_here(path: &Path) -> String {
    let here = std::path::absolute(".").ok();
    let short = here.and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path);
    if short.as_os_str().is_empty() { ".".to_owned() } else { short.display().to_string() }
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}
