//! Recommendations and predicted ratings of the model that serves.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use recflow_stages::names::Id;
use recflow_stages::serving::{Fallback, ListedItem, PredictedBy};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::Api;
use super::extract::{Body, Json, Path, Query, whole};
use super::operation::Operation;
use crate::server::problem::Problem;
use crate::server::serving::{MODELS, Predicted, Standing};

pub(super) fn operations() -> Vec<Operation> {
    let tag = "Recommender";
    vec![
        Operation::get("/api/v1/models/current/recommendations/{user}", "getRecommendations")
            .about(tag, "The best items for a user")
            .query::<UserQuery>()
            .answers::<Recommendations>(StatusCode::OK)
            .fails(&[StatusCode::CONFLICT])
            .by(for_user),
        Operation::post("/api/v1/models/current/fold-in", "foldIn")
            .about(tag, "The best items for somebody new, by their ratings")
            .question()
            .query::<FolderQuery>()
            .body::<NewUser>()
            .answers::<NewUserRecommendations>(StatusCode::OK)
            .fails(&[StatusCode::NOT_FOUND, StatusCode::CONFLICT])
            .by(for_new_user),
        Operation::post("/api/v1/models/current/predict", "predictRatings")
            .about(tag, "Predicted ratings of pairs of a user and an item")
            .question()
            .query::<FolderQuery>()
            .body::<Pairs>()
            .answers::<Predictions>(StatusCode::OK)
            .fails(&[StatusCode::NOT_FOUND, StatusCode::CONFLICT])
            .by(predict),
        Operation::get("/api/v1/models/current/serving", "getServing")
            .about(tag, "Which model answers, and why another does not")
            .query::<FolderQuery>()
            .answers::<Serving>(StatusCode::OK)
            .fails(&[StatusCode::NOT_FOUND, StatusCode::CONFLICT])
            .by(standing),
    ]
}

/// Which folder's model is asked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FolderQuery {
    /// Folder of model versions, in the workspace.
    #[serde(default = "models")]
    folder: String,
}

fn models() -> String {
    MODELS.to_owned()
}

fn ten() -> u32 {
    10
}

/// How many items, and which not.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UserQuery {
    /// Places in the list.
    #[serde(default = "ten")]
    #[schemars(extend("minimum" = 1, "maximum" = 1000))]
    k: u32,
    /// Whether to leave out what the user rated in the dataset that the model was trained on. The first request that wants it waits until that is read.
    #[serde(default)]
    exclude_seen: bool,
    /// Folder of model versions, in the workspace.
    #[serde(default = "models")]
    folder: String,
}

/// A list for a user.
#[derive(Debug, Serialize, JsonSchema)]
struct Recommendations {
    /// The user, as the ratings have them.
    user: Id,
    /// The model version that answers.
    version: String,
    /// Best first.
    items: Vec<Item>,
    /// What the list stands on if the model does not know the user; null if it does.
    fallback: Option<ListFallback>,
}

/// One place in a list.
#[derive(Debug, Serialize, JsonSchema)]
struct Item {
    /// The item, as the ratings have it.
    item: Id,
    /// Predicted rating or, if the model is implicit, preference; with `popular` the number of ratings. Higher is better.
    score: f64,
}

impl From<ListedItem> for Item {
    fn from(ListedItem { item, score }: ListedItem) -> Self {
        Self { item, score }
    }
}

/// What a list stands on where nothing is known about the user.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ListFallback {
    /// The items with the most ratings in the training.
    Popular,
}

impl From<Fallback> for ListFallback {
    fn from(fallback: Fallback) -> Self {
        match fallback {
            Fallback::Popular => Self::Popular,
        }
    }
}

/// What somebody new has rated.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewUser {
    /// Each item once. Those that the model does not know say nothing.
    #[schemars(length(max = 10_000))]
    ratings: Vec<Rating>,
    /// Places in the list; ten by default.
    #[serde(default, deserialize_with = "whole")]
    #[schemars(extend("minimum" = 1, "maximum" = 1000))]
    k: Option<u32>,
}

/// An item and what somebody thinks of it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Rating {
    /// The item, as the ratings had it.
    item: Asked,
    /// In the unit of the ratings that the model was trained on.
    rating: f64,
}

/// A list for somebody new, without what they rated.
#[derive(Debug, Serialize, JsonSchema)]
struct NewUserRecommendations {
    /// The model version that answers.
    version: String,
    /// Best first.
    items: Vec<Item>,
    /// What the list stands on if the model knows none of the rated items; null if it knows one.
    fallback: Option<ListFallback>,
    /// Rated items that the model does not know; these ratings said nothing.
    unknown_items: Vec<Id>,
}

/// An id as a client writes it: a text, or a whole number however JSON writes that.
#[derive(Debug)]
struct Asked(Id);

impl<'de> Deserialize<'de> for Asked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not the whole range of i64, whose ends have no f64 of their own: such ids are written as text.
        let from_float = |value: f64| (value.fract() == 0.0 && value.abs() <= 9e15).then_some(value as i64);
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Ok(Self(Id::Name(text))),
            serde_json::Value::Number(number) => {
                number.as_i64().or_else(|| number.as_f64().and_then(from_float)).map(|number| Self(Id::Number(number))).ok_or_else(|| {
                    D::Error::custom(format!("expected a whole number of at most 64 bits, not {number}; write larger ids as text"))
                })
            }
            other => Err(D::Error::custom(format!("expected an id, a number or a text, not {other}"))),
        }
    }
}

impl JsonSchema for Asked {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AskedId".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let number = json_schema!({ "type": "integer", "minimum": i64::MIN, "maximum": i64::MAX });
        json_schema!({ "anyOf": [number, { "type": "string" }] })
    }
}

/// Pairs whose ratings are wanted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Pairs {
    /// The pairs.
    #[schemars(length(min = 1, max = 1_000))]
    pairs: Vec<Pair>,
}

/// A user and an item, as the ratings had them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Pair {
    /// The user.
    user: Asked,
    /// The item.
    item: Asked,
}

/// Predicted ratings.
#[derive(Debug, Serialize, JsonSchema)]
struct Predictions {
    /// The model version that answers.
    version: String,
    /// In the order of the request.
    predictions: Vec<PredictedPair>,
}

/// What the model says about one pair.
#[derive(Debug, Serialize, JsonSchema)]
struct PredictedPair {
    /// The user, as the ratings have them.
    user: Id,
    /// The item, as the ratings have it.
    item: Id,
    /// The predicted rating or, if the model is implicit, preference; null if there is none.
    rating: Option<f64>,
    /// What it stands on if the model does not know the user or the item.
    fallback: Option<RatingFallback>,
    /// Whether the model knows the user.
    knows_user: bool,
    /// Whether the model knows the item.
    knows_item: bool,
}

/// What a predicted rating stands on where the model does not know the pair.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum RatingFallback {
    /// The mean of the ratings trained on (`cold_start: mean`).
    Mean,
}

impl From<PredictedBy> for RatingFallback {
    fn from(by: PredictedBy) -> Self {
        match by {
            PredictedBy::Mean => Self::Mean,
        }
    }
}

/// The model that answers.
#[derive(Debug, Serialize, JsonSchema)]
struct Serving {
    /// Folder of model versions.
    folder: String,
    /// The version that answers.
    version: String,
    /// Since when, RFC 3339.
    since: String,
    /// Users whom it knows.
    users: usize,
    /// Items that it knows.
    items: usize,
    /// Floats in a factor.
    rank: usize,
    /// Whether scores are preferences rather than ratings.
    implicit: bool,
    /// Whether it answers `fold-in`.
    folds_in: bool,
    /// Whether it has a list for users whom it does not know.
    knows_popular: bool,
    /// Whether what users have rated is in memory: it is once somebody wanted it left out.
    holds_seen: bool,
    /// Why the version that should answer does not; null if it does.
    trouble: Option<Trouble>,
}

/// Why the version that should answer does not.
#[derive(Debug, Serialize, JsonSchema)]
struct Trouble {
    /// What is wrong.
    message: String,
    /// What to do about it.
    hint: Option<String>,
}

async fn for_user(
    State(api): State<Arc<Api>>,
    Path(user): Path<String>,
    Query(query): Query<UserQuery>,
) -> Result<Json<Recommendations>, Problem> {
    let (user, listed) = api.recommender.for_user(&query.folder, Id::typed(&user), query.k, query.exclude_seen).await?;
    let items = listed.list.items.into_iter().map(Item::from).collect();
    Ok(Json(Recommendations { user, version: listed.version, items, fallback: listed.list.fallback.map(ListFallback::from) }))
}

async fn for_new_user(
    State(api): State<Arc<Api>>,
    Query(query): Query<FolderQuery>,
    Body(body): Body<NewUser>,
) -> Result<Json<NewUserRecommendations>, Problem> {
    let ratings = body.ratings.into_iter().map(|Rating { item, rating }| (item.0, rating)).collect();
    let listed = api.recommender.for_new_user(&query.folder, ratings, body.k.unwrap_or_else(ten)).await?;
    Ok(Json(NewUserRecommendations {
        version: listed.version,
        items: listed.list.items.into_iter().map(Item::from).collect(),
        fallback: listed.list.fallback.map(ListFallback::from),
        unknown_items: listed.list.unknown_items,
    }))
}

async fn predict(
    State(api): State<Arc<Api>>,
    Query(query): Query<FolderQuery>,
    Body(body): Body<Pairs>,
) -> Result<Json<Predictions>, Problem> {
    let pairs = body.pairs.into_iter().map(|Pair { user, item }| (user.0, item.0)).collect();
    let Predicted { version, predictions } = api.recommender.predict(&query.folder, pairs).await?;
    let predicted = predictions.into_iter().map(|(user, item, prediction)| PredictedPair {
        user,
        item,
        rating: prediction.rating,
        fallback: prediction.fallback.map(RatingFallback::from),
        knows_user: prediction.knows_user,
        knows_item: prediction.knows_item,
    });
    Ok(Json(Predictions { version, predictions: predicted.collect() }))
}

async fn standing(State(api): State<Arc<Api>>, Query(query): Query<FolderQuery>) -> Result<Json<Serving>, Problem> {
    let shelf = api.recommender.shelf(&query.folder).await?;
    let Standing { model, since, trouble } = shelf.standing();
    let layout = model.layout();
    Ok(Json(Serving {
        folder: shelf.folder().to_owned(),
        version: model.version().to_owned(),
        since: format!("{since:.3}"),
        users: layout.users,
        items: layout.items,
        rank: layout.rank,
        implicit: layout.implicit,
        folds_in: layout.folds_in,
        knows_popular: layout.knows_popular,
        holds_seen: layout.holds_seen,
        trouble: trouble.map(|trouble| Trouble { message: trouble.to_string(), hint: trouble.hint }),
    }))
}
