//! Predicted ratings of pairs of a user and an item.

use serde::{Deserialize, Serialize};

use super::model::ServedModel;
use crate::model::ColdRule;
use crate::names::Id;

/// What a model says about one user and one item.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// The predicted rating or, if the model is implicit, preference; `None` if there is none.
    pub rating: Option<f64>,
    /// What it stands on, if the model does not know the user or the item.
    pub fallback: Option<PredictedBy>,
    /// Whether the model knows the user.
    pub knows_user: bool,
    /// Whether the model knows the item.
    pub knows_item: bool,
}

/// What a prediction stands on for a pair that the model does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PredictedBy {
    /// The mean of the ratings that the model was trained on (`cold_start: mean`).
    Mean,
}

impl ServedModel {
    /// What the model predicts for a pair, as [`recommend::ask::predict`](crate::recommend::ask::predict) does.
    pub fn predict(&self, user: &Id, item: &Id) -> Prediction {
        let user = self.names.user(user).and_then(|user| self.model.users().of(user));
        let item = self.names.item(item).and_then(|item| self.model.items().of(item));
        let known = user.zip(item).map(|(user, item)| f64::from(user.iter().zip(item).map(|(x, y)| x * y).sum::<f32>()));
        let mean = match self.model.cold_rule() {
            ColdRule::Mean(mean) if mean.is_finite() && known.is_none() => Some(mean),
            _ => None,
        };
        Prediction {
            rating: known.or(mean),
            fallback: mean.map(|_| PredictedBy::Mean),
            knows_user: user.is_some(),
            knows_item: item.is_some(),
        }
    }

    /// A user's id as the ratings have it: a number that was written as text is a number.
    pub fn user_as_known(&self, user: &Id) -> Id {
        self.names.user(user).map_or_else(|| user.clone(), |number| self.names.user_of(number))
    }

    /// The same for an item.
    pub fn item_as_known(&self, item: &Id) -> Id {
        self.names.item(item).map_or_else(|| item.clone(), |number| self.names.item_of(number))
    }
}
