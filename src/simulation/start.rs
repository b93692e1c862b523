//! What a simulation begins with: the processed datasets and the model that serves, linked out of the user's workspace.
//!
//! Datasets are forked: their snapshots share files with the originals and have a history of their own. Of the models the one that serves is
//! taken.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use recflow_stages::dataset::{Dataset, fork};
use recflow_stages::model::versions::{self, Version, Which};
use recflow_stages::{Context, PublishKey, Result, StageError};

use super::place;
use super::setup::StartState;
use super::subject::Subject;

/// What there is to begin with. While it lives nobody prunes the datasets.
pub(super) struct Start {
    train: Dataset,
    test: Dataset,
    model: Version,
}

impl Start {
    /// Opens what the pipeline works on in the user's workspace.
    ///
    /// # Errors
    /// A dataset or model that is not there.
    pub(super) fn open(subject: &Subject, context: &Context) -> Result<Self> {
        let dataset = |path: &str| {
            let dataset = Dataset::open(&context.workspace.join(path), context)?;
            if dataset.rows() == 0 {
                return Err(StageError::input(format!("the dataset `{path}` has no ratings to begin with"))
                    .with_hint("`recflow run etl-train-test` prepares one"));
            }
            Ok(dataset)
        };
        let (train, test) = (dataset(&subject.train)?, dataset(&subject.test)?);
        let model = versions::find(&context.workspace.join(&subject.models), &Which::Current, context)?;
        Ok(Self { train, test, model })
    }

    /// Its state, in short.
    ///
    /// # Errors
    /// The stream file is not there.
    pub(super) fn state(&self, stream: &Path) -> Result<StartState> {
        let metadata = std::fs::metadata(stream).map_err(|error| {
            StageError::io("open", stream, &error)
                .with_hint("stage `create_futures` writes a stream; `--stream` names it, relative to the workspace")
        })?;
        Ok(StartState {
            train: self.train.fingerprint().to_owned(),
            test: self.test.fingerprint().to_owned(),
            model: self.model.name.clone(),
            stream_bytes: metadata.len(),
            stream_modified: format!("{}.{:09}", metadata.mtime(), metadata.mtime_nsec()),
        })
    }

    /// Links everything into `folder`, which appears whole.
    ///
    /// # Errors
    /// I/O trouble; cancellation.
    pub(super) fn place(&self, subject: &Subject, folder: &Path, context: &Context) -> Result<()> {
        whole(folder, context, |folder| {
            for (dataset, path) in [(&self.train, &subject.train), (&self.test, &subject.test)] {
                let publish_key = PublishKey::new("simulation", "start", 0);
                fork(dataset, &folder.join(path), &Context { publish_key, ..context.clone() })?;
            }
            let models = folder.join(&subject.models);
            place::folder(&self.model.path, &models.join(&self.model.name), context)?;
            let current = models.join(versions::CURRENT);
            let link = context.storage.symlink(Path::new(&self.model.name), &current);
            link.map_err(|error| StageError::io("link", &current, &error))
        })
    }
}

/// A workspace like the one at `start`, which appears whole.
///
/// # Errors
/// I/O trouble; cancellation.
pub(super) fn copy(start: &Path, to: &Path, context: &Context) -> Result<()> {
    whole(to, context, |to| place::folder(start, to, context))
}

/// Fills a folder under another name and renames it. One that is there is left as it is.
fn whole(folder: &Path, context: &Context, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let storage = &*context.storage;
    let draft = folder.with_extension("draft");
    // An attempt that died may have left one.
    match storage.remove_dir_all(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(StageError::io("remove", &draft, &error)),
        _ => {}
    }
    fill(&draft)?;
    storage.rename(&draft, folder).map_err(|error| StageError::io("publish", folder, &error))
}
