//! What REST and gRPC ask: the same checks, the same answers.

use std::collections::BTreeMap;
use std::path::{Component, Path};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use recflow_stages::clock::Clock;
use recflow_stages::names::Id;
use recflow_stages::serving::{K_MAX, List, Prediction, RATINGS_MAX, Refusal, Request, ServedModel, Whom};
use recflow_stages::{Context, Level, PublishKey, Report, Reporter, StageError};

use super::figures::Figures;
use super::queue::Queue;
use super::shelf::Shelf;
use crate::server::Metrics;
use crate::server::problem::Problem;
use crate::workspace::Workspace;

/// The most pairs in a request for predicted ratings.
pub(crate) const PAIRS_MAX: usize = 1_000;
/// Folders whose models are held in memory at once.
const FOLDERS_MAX: usize = 8;
/// How often the folders are looked at. A look is two system calls if nothing has changed.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long a request waits for what users have rated to be read.
const SEEN_WITHIN: Duration = Duration::from_secs(10);

/// Answers requests for recommendations from the models of a workspace. A clone is the same one.
#[derive(Debug, Clone)]
pub struct Recommender(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    context: Context,
    figures: Figures,
    shelves: RwLock<BTreeMap<String, Arc<Shelf>>>,
    /// Held by whoever loads the first model of a folder.
    opening: tokio::sync::Mutex<()>,
    queue: OnceLock<Queue>,
}

/// A list, and which model made it.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) version: String,
    pub(crate) list: List,
}

/// Predictions for pairs of a user and an item, as the ratings have them, and which model made them.
#[derive(Debug)]
pub(crate) struct Predicted {
    pub(crate) version: String,
    pub(crate) predictions: Vec<(Id, Id, Prediction)>,
}

impl Recommender {
    /// A recommender that has loaded nothing yet.
    pub fn new(workspace: &Workspace, clock: Arc<dyn Clock>, metrics: &Metrics) -> Self {
        Self::with_figures(workspace, clock, metrics.recommender.clone())
    }

    pub(super) fn with_figures(workspace: &Workspace, clock: Arc<dyn Clock>, figures: Figures) -> Self {
        let mut context = Context::plain(workspace.root(), PublishKey::new("daemon", "serve", 0));
        (context.home, context.clock, context.reporter) = (workspace.home().to_owned(), clock, Arc::new(Logged));
        let (shelves, opening, queue) = (RwLock::default(), tokio::sync::Mutex::default(), OnceLock::new());
        Self(Arc::new(Inner { context, figures, shelves, opening, queue }))
    }

    /// The best items for a user, and the user's id as the ratings have it.
    pub(crate) async fn for_user(&self, folder: &str, user: Id, k: u32, exclude_seen: bool) -> Result<(Id, Listed), Problem> {
        let asking = async {
            let k = length(k)?;
            let shelf = self.shelf(folder).await?;
            let model = shelf.standing().model;
            if exclude_seen {
                self.read_seen(&shelf, &model).await?;
            }
            let user = model.user_as_known(&user);
            let listed = self.ask(model, Request { whom: Whom::User { user: user.clone(), exclude_seen }, k }).await?;
            Ok((user, listed))
        };
        self.counted(asking, |(_, listed)| answer_of(listed)).await
    }

    /// The best items for somebody new, by their ratings.
    pub(crate) async fn for_new_user(&self, folder: &str, ratings: Vec<(Id, f64)>, k: u32) -> Result<Listed, Problem> {
        let asking = async {
            let k = length(k)?;
            if ratings.len() > RATINGS_MAX {
                return Err(Problem::bad_request(format!("{} ratings are more than {RATINGS_MAX}", ratings.len())));
            }
            let ratings = ratings.into_iter().map(|(item, rating)| (item, rating as f32)).collect();
            let model = self.shelf(folder).await?.standing().model;
            self.ask(model, Request { whom: Whom::NewUser { ratings }, k }).await
        };
        self.counted(asking, answer_of).await
    }

    /// Predicted ratings of pairs of a user and an item.
    pub(crate) async fn predict(&self, folder: &str, pairs: Vec<(Id, Id)>) -> Result<Predicted, Problem> {
        let asking = async {
            if !(1..=PAIRS_MAX).contains(&pairs.len()) {
                return Err(Problem::bad_request(format!("expected 1 to {PAIRS_MAX} pairs, not {}", pairs.len())));
            }
            let model = self.shelf(folder).await?.standing().model;
            // So few products that they are done before another thread would have begun.
            let predictions = pairs
                .into_iter()
                .map(|(user, item)| {
                    let prediction = model.predict(&user, &item);
                    (model.user_as_known(&user), model.item_as_known(&item), prediction)
                })
                .collect();
            Ok(Predicted { version: model.version().to_owned(), predictions })
        };
        self.counted(asking, |_| "ratings").await
    }

    /// The folder's model, loaded if it is not yet.
    pub(crate) async fn shelf(&self, folder: &str) -> Result<Arc<Shelf>, Problem> {
        if let Some(shelf) = self.loaded(folder) {
            return Ok(shelf);
        }
        let folder = plain(folder)?;
        let this = self.clone();
        // On a task of its own: a client that goes away does not stop it, or an impatient one would never be answered.
        let opened = tokio::spawn(async move { this.open(folder).await }).await;
        opened.unwrap_or_else(|error| Err(Problem::internal(format!("loading a model panicked: {error}"))))
    }

    fn loaded(&self, folder: &str) -> Option<Arc<Shelf>> {
        self.0.shelves.read().unwrap_or_else(PoisonError::into_inner).get(folder).cloned()
    }

    async fn open(&self, folder: String) -> Result<Arc<Shelf>, Problem> {
        let _one_at_a_time = self.0.opening.lock().await;
        if let Some(shelf) = self.loaded(&folder) {
            return Ok(shelf);
        }
        let held = self.0.shelves.read().unwrap_or_else(PoisonError::into_inner).len();
        if held >= FOLDERS_MAX {
            let detail = format!("models of {FOLDERS_MAX} folders serve already, and each takes memory");
            return Err(Problem::conflict("too-many-folders", detail).with_hint("ask for one of those, or start the daemon again"));
        }
        let (this, name) = (self.clone(), folder.clone());
        let opened = tokio::task::spawn_blocking(move || Shelf::open(&name, &this.0.context)).await;
        let opened = opened.unwrap_or_else(|error| Err(StageError::bug(format!("loading a model panicked: {error}"))));
        let shelf = match opened {
            Ok(Some(shelf)) => Arc::new(shelf),
            Ok(None) => {
                let detail = format!("there is no model version in `{folder}`");
                let problem = Problem::new(StatusCode::NOT_FOUND, "unknown-model", detail);
                return Err(problem.with_hint("train one first: stage `train_als` publishes a version there"));
            }
            Err(error) => {
                let problem = Problem::unavailable(format!("no model of `{folder}` can serve: {error}"));
                return Err(
                    problem.with_hint(error.hint.unwrap_or_else(|| "`recflow models rollback` goes back to the one before".to_owned()))
                );
            }
        };
        let mut shelves = self.0.shelves.write().unwrap_or_else(PoisonError::into_inner);
        if shelves.is_empty() {
            self.keep_looking().map_err(|error| Problem::internal(format!("cannot start a thread: {error}")))?;
        }
        shelves.insert(folder, shelf.clone());
        Ok(shelf)
    }

    /// Looks after the shelves, on a thread of its own, for as long as there is a recommender.
    fn keep_looking(&self) -> std::io::Result<()> {
        let inner = Arc::downgrade(&self.0);
        let look = move || {
            while let Some(inner) = inner.upgrade() {
                let shelves: Vec<Arc<Shelf>> = inner.shelves.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
                let swaps = shelves.iter().filter(|shelf| shelf.look(&inner.context)).count();
                (0..swaps).for_each(|_| inner.figures.swapped());
                drop((inner, shelves));
                std::thread::sleep(LOOK_EVERY);
            }
        };
        std::thread::Builder::new().name("models".to_owned()).spawn(look).map(drop)
    }

    /// Makes sure that the model knows what users have rated.
    async fn read_seen(&self, shelf: &Arc<Shelf>, model: &Arc<ServedModel>) -> Result<(), Problem> {
        if model.layout().holds_seen {
            return Ok(());
        }
        let (this, shelf, model) = (self.clone(), shelf.clone(), model.clone());
        let reading = tokio::spawn(async move {
            let _one_at_a_time = shelf.reading.lock().await;
            tokio::task::spawn_blocking(move || model.read_seen(&this.0.context)).await
        });
        match tokio::time::timeout(SEEN_WITHIN, reading).await {
            Ok(Ok(Ok(read))) => Ok(read?),
            Ok(Ok(Err(error)) | Err(error)) => Err(Problem::internal(format!("reading what users have rated panicked: {error}"))),
            Err(_) => {
                Err(Problem::unavailable("what users have rated is being read")
                    .with_hint("ask again in a moment, or without `exclude_seen`"))
            }
        }
    }

    async fn ask(&self, model: Arc<ServedModel>, request: Request) -> Result<Listed, Problem> {
        let version = model.version().to_owned();
        match self.queue()?.ask(model, request).await? {
            Ok(list) => Ok(Listed { version, list }),
            Err(refusal) => Err(refused(&refusal)),
        }
    }

    fn queue(&self) -> Result<&Queue, Problem> {
        if let Some(queue) = self.0.queue.get() {
            return Ok(queue);
        }
        let queue = Queue::start().map_err(|error| Problem::internal(format!("cannot start a thread: {error}")))?;
        // Of two that start one at once the first is used; the other's thread ends.
        Ok(self.0.queue.get_or_init(|| queue))
    }

    /// Counts a request by its answer.
    async fn counted<T>(&self, asking: impl Future<Output = Result<T, Problem>>, name: impl Fn(&T) -> &'static str) -> Result<T, Problem> {
        let since = Instant::now();
        let answer = asking.await;
        let name = match &answer {
            Ok(answer) => name(answer),
            Err(problem) if problem.status().is_server_error() => "failed",
            Err(_) => "refused",
        };
        self.0.figures.answered(name, since);
        answer
    }
}

fn answer_of(listed: &Listed) -> &'static str {
    if listed.list.fallback.is_some() { "fallback" } else { "list" }
}

/// The length of a list, if it is one.
fn length(k: u32) -> Result<usize, Problem> {
    let length = k as usize;
    if (1..=K_MAX).contains(&length) { Ok(length) } else { Err(Problem::bad_request(format!("`k` is 1 to {K_MAX}, not {k}"))) }
}

/// A folder inside the workspace, in the one way in which it is written.
fn plain(folder: &str) -> Result<String, Problem> {
    let names: Option<Vec<&str>> = Path::new(folder)
        .components()
        .filter(|part| !matches!(part, Component::CurDir))
        .map(|part| if let Component::Normal(name) = part { name.to_str() } else { None })
        .collect();
    match names {
        Some(names) if !names.is_empty() && !folder.contains('\0') => Ok(names.join("/")),
        _ => Err(Problem::invalid("invalid-folder", format!("`{folder}` is no folder inside the workspace"))
            .with_hint("such as `models/artifacts`")),
    }
}

fn refused(refusal: &Refusal) -> Problem {
    let error = refusal.error();
    let problem = match refusal {
        Refusal::Unknown(_) => Problem::new(StatusCode::NOT_FOUND, "unknown-user", error.to_string()),
        Refusal::Invalid(_) => Problem::invalid("invalid-ratings", error.to_string()),
        Refusal::Unable(_) => Problem::conflict("model-cannot", error.to_string()),
    };
    match &error.hint {
        Some(hint) => problem.with_hint(hint.clone()),
        None => problem,
    }
}

/// Warnings of the data plane, in the daemon's log.
struct Logged;

impl Reporter for Logged {
    fn report(&self, report: Report) {
        if let Report::Log { level: Level::Warn | Level::Error, message } = report {
            tracing::warn!("{message}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_written_in_one_way_and_lies_inside_the_workspace() {
        for (given, expected) in [("models/artifacts", "models/artifacts"), ("./models//artifacts/", "models/artifacts"), ("m", "m")] {
            assert_eq!(plain(given).unwrap(), expected);
        }
        for wrong in ["", ".", "/etc", "..", "models/../../etc", "a\0b"] {
            assert!(plain(wrong).is_err(), "{wrong:?}");
        }
    }
}
