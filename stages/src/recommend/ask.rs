//! A person's question about a model on disk, answered: `recflow recommend` and `recflow predict`.

use std::path::PathBuf;

use serde::Serialize;

use super::new_user::{by_number, fold_in};
use super::one::{Recommended, similar_items, to_new_user, to_user, unknown_item, unknown_user};
use super::seen::seen_by;
use crate::context::Context;
use crate::dataset::Dataset;
use crate::error::{Result, StageError};
use crate::model::record::FILE;
use crate::model::{self, AlsModel, Version, versions};
use crate::names::{Id, Names};
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
    User(Id),
    /// An item: what is like it.
    Item(Id),
    /// Somebody new, by their ratings (item and stars). What they rated is not recommended to them.
    NewUser(Vec<(Id, f32)>),
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
    pub items: Vec<Place>,
    /// Items that a new user rated and the model does not know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown_items: Vec<Id>,
}

/// One place in a list, by the original id.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Place {
    /// Place in the list, from 1.
    pub rank: u32,
    /// The item, as the ratings had it.
    pub item: Id,
    /// Predicted rating or preference; for similar items the cosine, -1 to 1. Higher is better.
    pub score: f32,
}

/// A predicted rating, or preference if the model is implicit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PredictedRating {
    /// The version's folder.
    pub model: String,
    /// The user, as the ratings had them.
    pub user: Id,
    /// The item, as the ratings had it.
    pub item: Id,
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
    let asked = Asked::open(choice, context)?;
    let mut unknown_items = Vec::new();
    let items = match &subject {
        Subject::Item(item) => {
            let item = asked.names.item(item).ok_or_else(|| unknown_item(item))?;
            // A model that Spark saved has no record, and no biases.
            let rank = asked.model.rank();
            let factors = asked.version.record.as_ref().map_or(rank, |record| record.params.rank_of_width(rank));
            similar_items(&asked.model, factors, item, k).map_err(|error| asked.in_names(error, item))?
        }
        Subject::User(user) => asked.for_user(user, k, seen, context)?,
        Subject::NewUser(ratings) => {
            let (items, unknown) = asked.for_new_user(ratings, k)?;
            unknown_items = unknown;
            items
        }
    };
    let place = |place: Recommended| Place { rank: place.rank, item: asked.names.item_of(place.item), score: place.score };
    Ok(Answer { model: context.display(&asked.version.path), subject, items: items.into_iter().map(place).collect(), unknown_items })
}

/// What the model predicts for one pair. A pair that it does not know has a prediction only under `cold_start: mean`.
///
/// # Errors
/// No such model; a user or item that the model does not know.
pub fn predict(choice: &ModelChoice, user: &Id, item: &Id, context: &Context) -> Result<PredictedRating> {
    let Asked { version, model, names } = Asked::open(choice, context)?;
    let (user_number, item_number) = (names.user(user), names.item(item));
    let known = user_number.zip(item_number).and_then(|(user, item)| model.predict(user, item)).map(f64::from);
    let mean = model.cold_rule().prediction().filter(|mean| mean.is_finite());
    let is_known_user = user_number.is_some_and(|user| model.users().of(user).is_some());
    let unknown = || if is_known_user { unknown_item(item) } else { unknown_user(user) };
    let prediction = known.or(mean).ok_or_else(unknown)?;
    // A number that was written as text is a number.
    let (user, item) = (
        user_number.map_or_else(|| user.clone(), |id| names.user_of(id)),
        item_number.map_or_else(|| item.clone(), |id| names.item_of(id)),
    );
    Ok(PredictedRating { model: context.display(&version.path), user, item, prediction, cold: known.is_none() })
}

/// A model that is asked.
struct Asked {
    version: Version,
    model: AlsModel,
    names: Names,
}

impl Asked {
    fn open(choice: &ModelChoice, context: &Context) -> Result<Self> {
        let version = find(choice, context)?;
        let model = model::open(&version.path)?;
        let names = model::names::read(&version.path)?;
        Ok(Self { version, model, names })
    }

    fn for_user(&self, user: &Id, k: usize, seen: Option<&SeenIn>, context: &Context) -> Result<Vec<Recommended>> {
        // Before a dataset is read for nothing.
        let number = self.names.user(user).filter(|&user| self.model.users().of(user).is_some()).ok_or_else(|| unknown_user(user))?;
        let seen = match seen {
            Some(seen) => {
                let path = dataset_of(seen, &self.version, context)?;
                let dataset = Dataset::open(&path, context)?;
                model::names::check_against(&self.version.path, &dataset, &context.display(&path))?;
                seen_by(number, &dataset, context)?
            }
            None => Vec::new(),
        };
        to_user(&self.model, number, k, |item| seen.binary_search(&item).is_ok())
    }

    /// The list, and the items that the model does not know.
    fn for_new_user(&self, ratings: &[(Id, f32)], k: usize) -> Result<(Vec<Recommended>, Vec<Id>)> {
        let record = self.version.record.as_ref().ok_or_else(|| {
            no_record(&self.version, "the objective that it was trained with is unknown", "fold in to a model that recflow trained")
        })?;
        let (known, mut unknown) = by_number(&self.names, ratings)?;
        let new = fold_in(&self.model, &record.params, &known)?;
        unknown.extend(new.unknown_items.iter().map(|&item| self.names.item_of(item)));
        let items = to_new_user(&self.model, &new.factors, k, |item| known.iter().any(|&(rated, _)| rated == item));
        Ok((items, unknown))
    }

    /// The same failure, about an item by its name.
    fn in_names(&self, error: StageError, item: i32) -> StageError {
        match self.names.item_of(item) {
            Id::Number(_) => error,
            name => StageError { message: error.message.replace(&format!("item {item} "), &format!("item {name} ")), ..error },
        }
    }
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
