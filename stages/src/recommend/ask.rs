//! A person's question about a model on disk, answered: `recflow recommend` and `recflow predict`.

use std::path::PathBuf;

use serde::Serialize;

use super::new_user::fold_in;
use super::one::{Recommended, similar_items, to_new_user, to_user, unknown_item, unknown_user};
use super::seen::seen_by;
use crate::context::Context;
use crate::dataset::Dataset;
use crate::error::{Result, StageError};
use crate::model::record::FILE;
use crate::model::{self, Version, versions};
use crate::stage::WorkspacePath;

/// Which model is asked.
#[derive(Debug, Clone)]
pub struct ModelChoice {
    /// `latest`, `current`, the name of a version, or, if there is a `/` in it, the path of one.
    pub model: String,
    /// Folder of model versions.
    pub models: WorkspacePath,
}

/// For whom or what a list is wanted.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A user of the model.
    User(i32),
    /// An item: what is like it.
    Item(i32),
    /// Somebody new, by their ratings (item and stars). What they rated is not recommended to them.
    NewUser(Vec<(i32, f32)>),
}

/// Where a user's ratings stand that are not to be recommended again.
#[derive(Debug, Clone, PartialEq)]
pub enum SeenIn {
    /// The dataset that the model was trained on, as `recflow.json` names it.
    Training,
    /// Another dataset.
    Dataset(WorkspacePath),
}

/// A list, and what it stands on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// The version's folder.
    pub model: String,
    /// For whom or what.
    #[serde(flatten)]
    pub subject: Subject,
    /// Best first.
    pub items: Vec<Recommended>,
    /// Items that a new user rated and the model does not know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown_items: Vec<i32>,
}

/// A predicted rating, or preference if the model is implicit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PredictedRating {
    /// The version's folder.
    pub model: String,
    /// `CUST_ID`.
    pub user: i32,
    /// `MOVIE_ID`.
    pub item: i32,
    /// The prediction.
    pub prediction: f64,
    /// Whether the model does not know the user or the item, so that this is the mean rating (`cold_start: mean`).
    pub cold: bool,
}

/// The `k` best items for `subject`; `seen` concerns a user of the model only.
///
/// # Errors
/// No such model; a user or item that the model does not know; what [`fold_in`] refuses, and a model without a record to fold in to.
pub fn recommend(choice: &ModelChoice, subject: Subject, k: usize, seen: Option<&SeenIn>, context: &Context) -> Result<Answer> {
    let version = find(choice, context)?;
    let model = model::open(&version.path)?;
    let mut unknown_items = Vec::new();
    let items = match &subject {
        &Subject::Item(item) => similar_items(&model, item, k)?,
        &Subject::User(user) => {
            // Before a dataset is read for nothing.
            model.users().of(user).ok_or_else(|| unknown_user(user))?;
            let seen = match seen {
                Some(seen) => seen_by(user, &Dataset::open(&dataset_of(seen, &version, context)?, context)?, context)?,
                None => Vec::new(),
            };
            to_user(&model, user, k, |item| seen.binary_search(&item).is_ok())?
        }
        Subject::NewUser(ratings) => {
            let record = version.record.as_ref().ok_or_else(|| {
                no_record(&version, "the objective that it was trained with is unknown", "fold in to a model that recflow trained")
            })?;
            let new = fold_in(&model, &record.params, ratings)?;
            unknown_items = new.unknown_items;
            to_new_user(&model, &new.factors, k, |item| ratings.iter().any(|&(rated, _)| rated == item))
        }
    };
    Ok(Answer { model: context.display(&version.path), subject, items, unknown_items })
}

/// What the model predicts for one pair. A pair that it does not know has a prediction only under `cold_start: mean`.
///
/// # Errors
/// No such model; a user or item that the model does not know.
pub fn predict(choice: &ModelChoice, user: i32, item: i32, context: &Context) -> Result<PredictedRating> {
    let version = find(choice, context)?;
    let model = model::open(&version.path)?;
    let known = model.predict(user, item).map(f64::from);
    let mean = model.cold_rule().prediction().filter(|mean| mean.is_finite());
    let unknown = || if model.users().of(user).is_none() { unknown_user(user) } else { unknown_item(item) };
    let prediction = known.or(mean).ok_or_else(unknown)?;
    Ok(PredictedRating { model: context.display(&version.path), user, item, prediction, cold: known.is_none() })
}

fn find(choice: &ModelChoice, context: &Context) -> Result<Version> {
    versions::locate(&context.resolve(&choice.models), &choice.model, context)
}

fn dataset_of(seen: &SeenIn, version: &Version, context: &Context) -> Result<PathBuf> {
    match (seen, &version.record) {
        (SeenIn::Dataset(path), _) => Ok(context.resolve(path)),
        (SeenIn::Training, Some(record)) => Ok(context.workspace.join(&record.dataset.path)),
        (SeenIn::Training, None) => {
            Err(no_record(version, "the dataset that it was trained on is unknown", "name the dataset: `--exclude-seen DATASET`"))
        }
    }
}

fn no_record(version: &Version, so: &str, hint: &str) -> StageError {
    StageError::input(format!("the model `{}` has no {FILE}, so {so}", version.path.display())).with_hint(hint)
}
