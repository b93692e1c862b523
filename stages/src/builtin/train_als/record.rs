//! What the stage returns, and what will be known of the version.

use std::collections::BTreeMap;

use super::fitting::Fitted;
use super::holdout::Holdout;
use super::{TrainAlsInputs, TrainAlsOutput};
use crate::als::AlsValidParams;
use crate::context::Context;
use crate::matrix::RatingMatrix;
use crate::model::ModelRecord;
use crate::model::publish::Claim;
use crate::model::record::{DatasetRecord, FORMAT, HoldoutRecord, to_created_at};

/// A training that is done, to be described.
pub(super) struct Training<'a> {
    pub(super) inputs: &'a TrainAlsInputs,
    pub(super) params: &'a AlsValidParams,
    pub(super) matrix: &'a RatingMatrix,
    pub(super) fitted: &'a Fitted,
    pub(super) holdout: Option<&'a Holdout>,
    /// The version that it started from.
    pub(super) warm_start: Option<String>,
    pub(super) dataset: DatasetRecord,
    /// The dataset that was held out, if it is one of its own.
    pub(super) validation: Option<DatasetRecord>,
}

impl Training<'_> {
    pub(super) fn output(&self, claim: &Claim, context: &Context) -> TrainAlsOutput {
        let Self { matrix, fitted, .. } = self;
        TrainAlsOutput {
            path: context.display(&claim.path),
            version: claim.version.clone(),
            fit_seconds: fitted.seconds,
            loss: fitted.chosen.loss,
            train_rmse: fitted.chosen.train_rmse,
            holdout_rmse: fitted.chosen.holdout_rmse,
            best_iteration: fitted.best.map(|best| best as u64),
            iterations: fitted.fit.iterations.len() as u64,
            rank: fitted.fit.model.rank() as u64,
            users: matrix.users().len() as u64,
            items: matrix.items().len() as u64,
            ratings: matrix.nnz() as u64,
            holdout_ratings: self.holdout.map(Holdout::scored),
        }
    }

    pub(super) fn record(&self, output: &TrainAlsOutput, claim: &Claim, context: &Context) -> ModelRecord {
        let Self { inputs, fitted, .. } = self;
        let figures = [("loss", Some(output.loss)), ("train_rmse", output.train_rmse), ("holdout_rmse", output.holdout_rmse)];
        let metrics: BTreeMap<String, f64> = figures.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        ModelRecord {
            format: FORMAT,
            version: claim.version.clone(),
            created_at: to_created_at(claim.created_at),
            publish_key: context.publish_key.clone(),
            // A struct of strings and numbers always becomes JSON.
            output: serde_json::to_value(output).unwrap_or_default(),
            binary_version: env!("CARGO_PKG_VERSION").to_owned(),
            instruction_set: fitted.fit.instruction_set.to_owned(),
            params: self.params.get().clone(),
            recency_half_life: inputs.recency_half_life,
            warm_start: self.warm_start.clone(),
            duplicates: inputs.duplicates,
            cold_start: inputs.cold_start,
            mean_rating: (!inputs.implicit).then(|| self.matrix.mean()),
            dataset: self.dataset.clone(),
            holdout: self.holdout.map(|holdout| HoldoutRecord {
                share: inputs.holdout,
                dataset: self.validation.clone(),
                scored: holdout.scored(),
                cold: holdout.cold(),
                best_iteration: output.best_iteration.unwrap_or_default(),
            }),
            rank: fitted.fit.model.rank(),
            users: output.users,
            items: output.items,
            ratings: output.ratings,
            fit_seconds: output.fit_seconds,
            metrics,
            iterations: fitted.fit.iterations.clone(),
        }
    }
}
