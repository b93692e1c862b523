//! The calls: messages in and out, and problems as statuses.

use axum::http::StatusCode;
use recflow_stages::names::Id;
use recflow_stages::serving::{self, ListedItem, PredictedBy};
use tonic::{Code, Request, Response, Status};

use super::generated::recommender_server;
use super::generated::{
    Fallback, FoldInAndRecommendRequest, FoldInAndRecommendResponse, Item, Pair, PredictRatingsRequest, PredictRatingsResponse, Prediction,
    Rating, RecommendForUserRequest, RecommendForUserResponse,
};
use crate::server::problem::Problem;
use crate::server::serving::{MODELS, Recommender};

/// Places in a list if the message does not say how many.
const K: u32 = 10;

/// The service.
#[derive(Debug)]
pub(super) struct Service(pub(super) Recommender);

#[tonic::async_trait]
impl recommender_server::Recommender for Service {
    async fn recommend_for_user(&self, request: Request<RecommendForUserRequest>) -> Result<Response<RecommendForUserResponse>, Status> {
        let RecommendForUserRequest { user, k, exclude_seen, folder } = request.into_inner();
        let (user, listed) = self.0.for_user(folder_of(&folder), Id::typed(&user), length(k), exclude_seen).await.map_err(status)?;
        Ok(Response::new(RecommendForUserResponse {
            user: text(&user),
            version: listed.version,
            fallback: fallback(listed.list.fallback).into(),
            items: listed.list.items.iter().map(item).collect(),
        }))
    }

    async fn fold_in_and_recommend(
        &self,
        request: Request<FoldInAndRecommendRequest>,
    ) -> Result<Response<FoldInAndRecommendResponse>, Status> {
        let FoldInAndRecommendRequest { ratings, k, folder } = request.into_inner();
        let ratings = ratings.into_iter().map(|Rating { item, rating }| (Id::typed(&item), rating)).collect();
        let listed = self.0.for_new_user(folder_of(&folder), ratings, length(k)).await.map_err(status)?;
        Ok(Response::new(FoldInAndRecommendResponse {
            version: listed.version,
            fallback: fallback(listed.list.fallback).into(),
            items: listed.list.items.iter().map(item).collect(),
            unknown_items: listed.list.unknown_items.iter().map(text).collect(),
        }))
    }

    async fn predict_ratings(&self, request: Request<PredictRatingsRequest>) -> Result<Response<PredictRatingsResponse>, Status> {
        let PredictRatingsRequest { pairs, folder } = request.into_inner();
        let pairs = pairs.into_iter().map(|Pair { user, item }| (Id::typed(&user), Id::typed(&item))).collect();
        let predicted = self.0.predict(folder_of(&folder), pairs).await.map_err(status)?;
        let predictions = predicted.predictions.iter().map(|(user, item, prediction)| Prediction {
            user: text(user),
            item: text(item),
            rating: prediction.rating,
            fallback: match prediction.fallback {
                Some(PredictedBy::Mean) => Fallback::Mean.into(),
                None => Fallback::Unspecified.into(),
            },
            knows_user: prediction.knows_user,
            knows_item: prediction.knows_item,
        });
        Ok(Response::new(PredictRatingsResponse { version: predicted.version, predictions: predictions.collect() }))
    }
}

fn folder_of(folder: &str) -> &str {
    if folder.is_empty() { MODELS } else { folder }
}

fn length(k: u32) -> u32 {
    if k == 0 { K } else { k }
}

fn text(id: &Id) -> String {
    id.as_text().into_owned()
}

fn item(listed: &ListedItem) -> Item {
    Item { item: text(&listed.item), score: listed.score }
}

fn fallback(fallback: Option<serving::Fallback>) -> Fallback {
    match fallback {
        Some(serving::Fallback::Popular) => Fallback::Popular,
        None => Fallback::Unspecified,
    }
}

/// The status that says what a problem does.
fn status(problem: Problem) -> Status {
    let code = match problem.status() {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Code::InvalidArgument,
        StatusCode::NOT_FOUND => Code::NotFound,
        StatusCode::CONFLICT => Code::FailedPrecondition,
        StatusCode::SERVICE_UNAVAILABLE => Code::Unavailable,
        _ => Code::Internal,
    };
    Status::new(code, problem.in_words())
}
