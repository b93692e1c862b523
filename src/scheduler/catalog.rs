//! The pipelines of a workspace, as the files in `pipelines/` define them.
//!
//! A file is read again when its stamp (size, times, inode) changes. A valid text becomes the pipeline's version; an invalid one is
//! recorded as such, and the last valid version stays in force: after a restart it comes from the store.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use recflow_stages::Catalog as Stages;
use recflow_state::{PipelineRow, Store, UnixMs, VersionId};

use crate::engine::pin;
use crate::pipeline::{Loaded, Pipeline, files_in, load, load_file};

/// A pipeline that can be started.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The last valid definition.
    pub pipeline: Arc<Pipeline>,
    /// Its version in the store.
    pub version: VersionId,
    /// The file.
    pub file: PathBuf,
}

/// All pipelines of a workspace.
#[derive(Debug, Default)]
pub struct Catalog {
    entries: BTreeMap<String, Entry>,
    files: BTreeMap<PathBuf, Seen>,
}

/// A file as it was when it was read.
#[derive(Debug)]
struct Seen {
    stamp: Stamp,
    /// The name of the pipeline that it defines, or would if it were valid.
    name: String,
    /// Whether another file defines a pipeline of that name, so that this one is not used.
    ignored: bool,
}

/// Differs if the file's content may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stamp {
    size: u64,
    inode: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// What a look at the files brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A pipeline has a new version.
    Valid(String),
    /// The text of a pipeline is not valid; why.
    Invalid(String, String),
    /// Two files define a pipeline of that name; which one is not used, and why.
    Ignored(String, String),
    /// A pipeline's file is gone.
    Gone(String),
}

impl Catalog {
    /// The pipelines given, without files.
    pub fn of(entries: impl IntoIterator<Item = Entry>) -> Self {
        let entries = entries.into_iter().map(|entry| (entry.pipeline.name.clone(), entry)).collect();
        Self { entries, files: BTreeMap::new() }
    }

    /// The pipelines, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// The pipeline of that name.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// Looks at the files of `folder` and reads those that changed. What it finds is recorded in the store.
    ///
    /// # Errors
    /// If the store cannot be written: nothing has changed then, and the next look finds the same. A folder that is missing or cannot be read
    /// counts as it was before.
    pub fn refresh(&mut self, folder: &Path, store: &Store, now: UnixMs) -> recflow_state::Result<Vec<Change>> {
        let Ok(found) = stamped_files(folder) else { return Ok(Vec::new()) };
        let mut changes = Vec::new();
        for (file, stamp) in &found {
            // A file that was not used is looked at again once its name is free.
            let known = |seen: &Seen| seen.stamp == *stamp && (!seen.ignored || self.entries.contains_key(&seen.name));
            if self.files.get(file).is_some_and(known) {
                continue;
            }
            let loaded = load_file(file, Stages::builtin()).unwrap_or_else(|error| Loaded::unreadable(&file.display().to_string(), &error));
            changes.push(self.take(file, *stamp, &loaded, store, now)?);
        }
        let gone: Vec<PathBuf> = self.files.keys().filter(|file| !found.contains_key(*file)).cloned().collect();
        for file in gone {
            let Some(name) = self.files.get(&file).map(|seen| seen.name.clone()) else { continue };
            if let Some(change) = self.forget(&name, &file, store, now)? {
                changes.push(change);
            }
            self.files.remove(&file);
        }
        Ok(changes)
    }

    /// Takes in a text that need not be in a file: `file` is what it is known by.
    ///
    /// # Errors
    /// If the store cannot be written: nothing has changed then.
    pub fn read(&mut self, file: &Path, loaded: &Loaded, store: &Store, now: UnixMs) -> recflow_state::Result<Change> {
        self.take(file, Stamp::default(), loaded, store, now)
    }

    /// Takes in what a file holds now.
    fn take(&mut self, file: &Path, stamp: Stamp, loaded: &Loaded, store: &Store, now: UnixMs) -> recflow_state::Result<Change> {
        let before = self.files.get(file).map(|seen| seen.name.clone());
        let name = match &loaded.pipeline {
            Some(pipeline) => pipeline.name.clone(),
            None => before.clone().unwrap_or_else(|| stem(file)),
        };
        // The file may define another pipeline than before.
        if let Some(before) = before.filter(|before| *before != name) {
            self.forget(&before, file, store, now)?;
        }
        let taken = self.entries.get(&name).filter(|entry| entry.file != *file && entry.file.exists());
        let change = match (&loaded.pipeline, taken) {
            (Some(_), Some(other)) => {
                let why = format!("`{}` defines a pipeline of that name, too; this file is ignored", other.file.display());
                Change::Ignored(name.clone(), format!("{}: {why}", file.display()))
            }
            (Some(pipeline), None) => {
                self.accept(file, pipeline, loaded.source.text(), store, now)?;
                Change::Valid(name.clone())
            }
            (None, _) => {
                self.refuse(file, &name, &loaded.render(false), store, now)?;
                Change::Invalid(name.clone(), loaded.render(false))
            }
        };
        let ignored = matches!(change, Change::Ignored(..));
        self.files.insert(file.to_owned(), Seen { stamp, name, ignored });
        Ok(change)
    }

    fn accept(&mut self, file: &Path, pipeline: &Pipeline, text: &str, store: &Store, now: UnixMs) -> recflow_state::Result<()> {
        let (name, shown) = (&pipeline.name, file.display().to_string());
        let version = store.write(|tx| {
            let version = pin(tx, name, text, Some(&shown), now)?;
            let is_new = tx.pipeline(name)?.is_none();
            tx.put_pipeline(&PipelineRow {
                name: name.clone(),
                file: Some(shown.clone()),
                version: Some(version),
                error: None,
                present: true,
                paused_at: (is_new && pipeline.paused).then_some(now),
                changed_at: now,
            })?;
            recflow_state::Result::Ok(version)
        })?;
        let entry = Entry { pipeline: Arc::new(pipeline.clone()), version, file: file.to_owned() };
        self.entries.insert(name.clone(), entry);
        Ok(())
    }

    /// Records that a text is not valid; the version before stays in force.
    fn refuse(&mut self, file: &Path, name: &str, error: &str, store: &Store, now: UnixMs) -> recflow_state::Result<()> {
        store.write(|tx| {
            tx.put_pipeline(&PipelineRow {
                name: name.to_owned(),
                file: Some(file.display().to_string()),
                version: None,
                error: Some(error.to_owned()),
                present: true,
                paused_at: None,
                changed_at: now,
            })
        })?;
        if self.entries.contains_key(name) {
            return Ok(());
        }
        let kept = store.read(|view| {
            let version = view.pipeline(name)?.and_then(|row| row.version);
            version.map(|version| Ok((version, view.pipeline_text(version)?))).transpose()
        })?;
        if let Some((version, text)) = kept
            && let Some(pipeline) = load(&text.text, text.file.as_deref().unwrap_or(name), Stages::builtin()).pipeline
        {
            self.entries.insert(name.to_owned(), Entry { pipeline: Arc::new(pipeline), version, file: file.to_owned() });
        }
        Ok(())
    }

    /// A file no longer defines this pipeline.
    fn forget(&mut self, name: &str, file: &Path, store: &Store, now: UnixMs) -> recflow_state::Result<Option<Change>> {
        if self.entries.get(name).is_some_and(|entry| entry.file != *file) {
            return Ok(None);
        }
        store.write(|tx| match tx.pipeline(name)? {
            Some(row) => tx.put_pipeline(&PipelineRow { present: false, error: None, changed_at: now, ..row }),
            None => Ok(()),
        })?;
        self.entries.remove(name);
        Ok(Some(Change::Gone(name.to_owned())))
    }
}

/// The pipeline files of a folder with their stamps. A file that vanishes meanwhile is left out.
///
/// # Errors
/// If the folder cannot be listed.
pub fn stamped_files(folder: &Path) -> io::Result<BTreeMap<PathBuf, Stamp>> {
    let stamped = |path: PathBuf| {
        let metadata = fs::metadata(&path).ok()?;
        let stamp = Stamp {
            size: metadata.len(),
            inode: metadata.ino(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        };
        Some((path, stamp))
    };
    Ok(files_in(folder)?.into_iter().filter_map(stamped).collect())
}

fn stem(file: &Path) -> String {
    file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}
