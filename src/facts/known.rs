//! All pipelines that a workspace knows: of the files in `pipelines/`, of the store, of the runs.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use recflow_state::{PipelineRow, Result, VersionId, View};

use super::definitions::Definitions;
use crate::pipeline::{Loaded, Pipeline};
use crate::scheduler::{Firing, firings};
use crate::workspace::Workspace;

/// What is known of a pipeline besides its runs.
#[derive(Debug, Default)]
pub struct Known {
    /// The file that defines it, relative to the workspace; none for one that was only ever run by its path.
    pub file: Option<String>,
    /// What came of that file as it is now.
    pub loaded: Option<Arc<Loaded>>,
    /// What the daemon knows of it.
    pub row: Option<PipelineRow>,
}

impl Known {
    /// Why the text that is there now is not valid.
    pub fn error(&self) -> Option<String> {
        let first = self.loaded.as_ref()?.diagnostics.iter().find(|diagnostic| diagnostic.is_error());
        first.map(|diagnostic| diagnostic.message.clone())
    }

    /// The last valid version that a daemon has seen, while the file is there.
    fn version(&self) -> Option<VersionId> {
        self.row.as_ref().filter(|row| row.present).and_then(|row| row.version)
    }

    /// The definition that counts: that of the file if it is valid, else the last valid one that a daemon has seen.
    pub fn in_force(&self, view: &View<'_>, definitions: &Definitions) -> Result<Option<Arc<Loaded>>> {
        let now = self.loaded.as_ref().filter(|loaded| loaded.pipeline.is_some());
        match (now, self.version()) {
            (Some(loaded), _) => Ok(Some(loaded.clone())),
            (None, Some(version)) if self.file.is_some() => {
                Ok(Some(definitions.version(view, version)?).filter(|loaded| loaded.pipeline.is_some()))
            }
            (None, _) => Ok(None),
        }
    }

    /// Whether it starts by hand only. What no daemon has seen yet begins as its text says.
    pub fn is_paused(&self) -> bool {
        match &self.row {
            Some(row) => row.paused_at.is_some(),
            None => self.loaded.as_ref().and_then(|loaded| loaded.pipeline.as_ref()).is_some_and(|pipeline| pipeline.paused),
        }
    }
}

/// When a pipeline fires next.
pub fn next_firing(pipeline: &Pipeline, now: Timestamp) -> Option<Firing> {
    pipeline.schedules.iter().filter_map(|schedule| firings(schedule, now).next()).min_by_key(|firing| firing.at)
}

/// All pipelines by name. Without a store there are the files alone.
pub fn pipelines(view: Option<&View<'_>>, workspace: &Workspace, definitions: &Definitions) -> Result<BTreeMap<String, Known>> {
    let files = definitions.files(workspace);
    match view {
        Some(view) => Ok(merge(files, view.pipelines()?, view.pipelines_with_runs()?)),
        None => Ok(merge(files, Vec::new(), Vec::new())),
    }
}

fn merge(files: Vec<(String, Arc<Loaded>)>, rows: Vec<PipelineRow>, with_runs: Vec<String>) -> BTreeMap<String, Known> {
    let mut known: BTreeMap<String, Known> = with_runs.into_iter().map(|name| (name, Known::default())).collect();
    for row in rows {
        // One whose file is gone is shown while it has runs.
        if row.present || known.contains_key(&row.name) {
            let name = row.name.clone();
            known.entry(name).or_default().row = Some(row);
        }
    }
    for (file, loaded) in files {
        let name = match &loaded.pipeline {
            Some(pipeline) => pipeline.name.clone(),
            None => name_of_invalid(&file, &known),
        };
        let entry = known.entry(name).or_default();
        // Of two files that define one pipeline, the first counts.
        if entry.file.is_none() {
            (entry.file, entry.loaded) = (Some(file), Some(loaded));
        }
    }
    known
}

/// The pipeline that a file defined when it was valid; else it has the name of its file.
fn name_of_invalid(file: &str, known: &BTreeMap<String, Known>) -> String {
    let defined = known.iter().find(|(_, known)| {
        let before = known.row.as_ref().and_then(|row| row.file.as_deref());
        before.is_some_and(|before| Path::new(before).ends_with(file))
    });
    let stem = || Path::new(file).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    defined.map_or_else(stem, |(name, _)| name.clone())
}
