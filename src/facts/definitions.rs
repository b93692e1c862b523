//! Pipelines as texts define them, parsed once: the files in `pipelines/`, and versions that the store keeps.
//!
//! A file is read again when its stamp changes, a version never changes. So whoever asks often, such as a daemon that answers browsers,
//! pays for what changed; whoever asks once pays for one reading.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use recflow_stages::Catalog;
use recflow_state::{Result, VersionId, View};

use crate::pipeline::{Loaded, load, load_from};
use crate::scheduler::catalog::{Stamp, stamped_files};
use crate::workspace::Workspace;

/// Versions kept at once; runs that people look at are mostly of the newest few.
const VERSIONS_MAX: usize = 500;

/// What was parsed, for the next who asks.
#[derive(Debug, Default)]
pub struct Definitions {
    files: Mutex<BTreeMap<PathBuf, (Stamp, Arc<Loaded>)>>,
    versions: Mutex<HashMap<VersionId, Arc<Loaded>>>,
}

impl Definitions {
    /// The files in `pipelines/`, relative to the workspace, each with what it defines now. A folder that is not there has none.
    pub fn files(&self, workspace: &Workspace) -> Vec<(String, Arc<Loaded>)> {
        let found = stamped_files(&workspace.root().join("pipelines")).unwrap_or_default();
        let shown = |path: &Path| path.strip_prefix(workspace.root()).unwrap_or(path).display().to_string();
        let mut known = lock(&self.files);
        known.retain(|path, _| found.contains_key(path));
        let mut files = Vec::with_capacity(found.len());
        for (path, stamp) in found {
            let name = shown(&path);
            let loaded = match known.get(&path) {
                Some((before, loaded)) if *before == stamp => loaded.clone(),
                _ => {
                    let read = File::open(&path).and_then(|mut file| load_from(&mut file, &name, Catalog::builtin()));
                    let read = read.unwrap_or_else(|error| Loaded::unreadable(&name, &error));
                    let loaded = Arc::new(read);
                    known.insert(path, (stamp, loaded.clone()));
                    loaded
                }
            };
            files.push((name, loaded));
        }
        files
    }

    /// What a version of a pipeline's text defines. This recflow may not accept what an older one did.
    ///
    /// # Errors
    /// If the store cannot be read, or holds no such version.
    pub fn version(&self, view: &View<'_>, version: VersionId) -> Result<Arc<Loaded>> {
        if let Some(loaded) = lock(&self.versions).get(&version) {
            return Ok(loaded.clone());
        }
        let text = view.pipeline_text(version)?;
        let loaded = Arc::new(load(&text.text, text.file.as_deref().unwrap_or(&text.pipeline), Catalog::builtin()));
        let mut versions = lock(&self.versions);
        if versions.len() >= VERSIONS_MAX {
            versions.clear();
        }
        versions.insert(version, loaded.clone());
        Ok(loaded)
    }
}

/// What a panic left behind is whole: entries are put in at once.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
