//! The model of one folder of versions: the one that serves, and how another takes its place.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use recflow_stages::serving::{Glimpse, ServedModel, current};
use recflow_stages::{Context, StageError};

/// What could not be loaded is tried again after so long, whether or not the folder has changed.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// A folder of versions whose current one is in memory.
#[derive(Debug)]
pub(crate) struct Shelf {
    /// As requests name it.
    folder: String,
    models: PathBuf,
    standing: RwLock<Standing>,
    looked: Mutex<Looked>,
    /// Held by whoever reads what users have rated: one at a time, the others find it done.
    pub(super) reading: tokio::sync::Mutex<()>,
}

/// What serves, and what is wrong.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    /// The model that serves.
    pub(crate) model: Arc<ServedModel>,
    /// Since when.
    pub(crate) since: Timestamp,
    /// Why the version that should serve does not.
    pub(crate) trouble: Option<StageError>,
}

/// The folder as it was looked at last.
#[derive(Debug)]
struct Looked {
    glimpse: Glimpse,
    at: Instant,
}

impl Shelf {
    /// Loads the current version of a folder; `None` if there is no version.
    ///
    /// # Errors
    /// The version cannot be loaded.
    pub(super) fn open(folder: &str, context: &Context) -> Result<Option<Self>, StageError> {
        let models = context.workspace.join(folder);
        // Before the version is found: what changes from now on is seen by the next look.
        let looked = Looked { glimpse: Glimpse::of(&models), at: Instant::now() };
        let Some(version) = current(&models, context)? else { return Ok(None) };
        let model = Arc::new(ServedModel::open(version)?);
        tracing::info!(folder, version = model.version(), seconds = looked.at.elapsed().as_secs_f64(), "a model serves");
        let standing = RwLock::new(Standing { model, since: context.clock.now(), trouble: None });
        Ok(Some(Self { folder: folder.to_owned(), models, standing, looked: Mutex::new(looked), reading: tokio::sync::Mutex::default() }))
    }

    /// As requests name the folder.
    pub(crate) fn folder(&self) -> &str {
        &self.folder
    }

    /// What serves now. Whoever holds it may use it as long as they like.
    pub(crate) fn standing(&self) -> Standing {
        self.standing.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks whether another version should serve, and puts it into the place of the one that does once it is loaded. If it cannot be, the old one
    /// stays. Returns whether another one serves now.
    pub(super) fn look(&self, context: &Context) -> bool {
        let mut looked = self.looked();
        let before = self.standing();
        let glimpse = Glimpse::of(&self.models);
        let again = before.trouble.is_some() && looked.at.elapsed() >= TRY_AGAIN_AFTER;
        if glimpse == looked.glimpse && !again {
            return false;
        }
        *looked = Looked { glimpse, at: Instant::now() };
        let next = current(&self.models, context).and_then(|version| match version {
            None => Err(StageError::input(format!("there is no model version in `{}` any more", self.folder))),
            Some(version) if version.name == before.model.version() => Ok(None),
            Some(version) => ServedModel::open(version).map(Some),
        });
        match next {
            Ok(None) => self.note(None),
            Ok(Some(model)) => {
                self.swap(&before, model, context);
                return true;
            }
            Err(trouble) => {
                if before.trouble.as_ref() != Some(&trouble) {
                    let (serving, error, hint) = (before.model.version(), trouble.to_string(), trouble.hint.as_deref());
                    tracing::error!(folder = self.folder, serving, error, hint, "the current model cannot serve; the one before goes on");
                }
                self.note(Some(trouble));
            }
        }
        false
    }

    fn swap(&self, before: &Standing, model: ServedModel, context: &Context) {
        // Whoever excludes what users have rated should not wait for it again.
        if before.model.layout().holds_seen
            && let Err(error) = model.read_seen(context)
        {
            tracing::warn!(folder = self.folder, version = model.version(), %error, "cannot read what users have rated");
        }
        tracing::info!(folder = self.folder, version = model.version(), before = before.model.version(), "another model serves");
        let standing = Standing { model: Arc::new(model), since: context.clock.now(), trouble: None };
        *self.standing.write().unwrap_or_else(PoisonError::into_inner) = standing;
    }

    fn note(&self, trouble: Option<StageError>) {
        self.standing.write().unwrap_or_else(PoisonError::into_inner).trouble = trouble;
    }

    fn looked(&self) -> MutexGuard<'_, Looked> {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
