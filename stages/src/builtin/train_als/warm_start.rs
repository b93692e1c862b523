//! The model that a training starts from, instead of random factors.
//!
//! Factors of an older model of nearly the same ratings are nearly those of the new one, so a few sweeps suffice. Only the start differs: what a
//! training does from there on, and what it converges to, is the same. Users and items that the older model does not know start as they would
//! without it; those that are no longer rated are left out.

use super::TrainAlsInputs;
use crate::als::AlsParams;
use crate::context::Context;
use crate::error::{Result, StageError};
use crate::model::versions::{self, Version};
use crate::model::{self, AlsModel};
use crate::names::{Names, check_same};

/// An older model.
#[derive(Debug)]
pub(super) struct WarmStart {
    /// The name of its version.
    pub(super) version: String,
    pub(super) model: AlsModel,
}

/// The model that `inputs` want to start from. None if they want none, or the latest or the current one where nothing was ever trained: so a pipeline
/// that retrains can run for the first time.
///
/// # Errors
/// No such model, or one whose factors say something else: of another rank, another objective, or other ids.
pub(super) fn find(inputs: &TrainAlsInputs, params: &AlsParams, names: &Names, context: &Context) -> Result<Option<WarmStart>> {
    let Some(which) = &inputs.warm_start else { return Ok(None) };
    let models = context.resolve(&inputs.models);
    if matches!(which.as_str(), "latest" | "current") && versions::list(&models, context)?.is_empty() {
        context.info(format!("there is no {which} model to start from: the training starts from random factors"));
        return Ok(None);
    }
    let version = versions::locate(&models, which, context)?;
    check(&version, params)?;
    let theirs = model::names::read(&version.path)?;
    check_same((&format!("the model {}", version.name), &theirs), (&format!("`{}`", inputs.ratings), names))?;
    context.info(format!("the training starts from the factors of {}", version.name));
    Ok(Some(WarmStart { model: model::open(&version.path)?, version: version.name }))
}

/// That the factors of `version` can be those of a training by `params`. Models that Spark saved tell their rank only.
fn check(version: &Version, params: &AlsParams) -> Result<()> {
    let refused = |what: String, remedy: &str| {
        Err(StageError::input(format!("the training cannot start from {}: {what}", version.name)).with_hint(remedy))
    };
    let theirs = version.record.as_ref().map(|record| &record.params);
    let differs = |of: fn(&AlsParams) -> bool| theirs.is_some_and(|theirs| of(theirs) != of(params));
    let without = |has: bool| if has { "with" } else { "without" };
    if differs(|params| params.biases) {
        return refused(
            format!("it was trained {} biases", without(!params.biases)),
            "train with the same `biases`, or without `warm_start`",
        );
    }
    if version.rank != params.width() {
        let found = params.rank_of_width(version.rank);
        return refused(
            format!("its rank is {found}, that of the training {}", params.rank),
            "train with the same `rank`, or without `warm_start`",
        );
    }
    if differs(|params| params.implicit) {
        let found = if params.implicit { "explicit" } else { "implicit" };
        return refused(format!("its objective is the {found} one"), "train with the same `implicit`, or without `warm_start`");
    }
    if params.nonnegative && theirs.is_none_or(|theirs| !theirs.nonnegative) {
        return refused("its factors may be negative".to_owned(), "start from a model that was trained with `nonnegative`");
    }
    Ok(())
}
