//! A version, laid out to answer from.

use std::sync::OnceLock;

use crate::als::FoldIn;
use crate::context::Context;
use crate::dataset::Dataset;
use crate::error::{Result, StageError};
use crate::metrics::panels::ItemPanels;
use crate::model::popularity::{self, RatedItem};
use crate::model::record::FILE;
use crate::model::{self, AlsModel, Version};
use crate::names::{Names, check_same};
use crate::recommend::Seen;
use crate::recommend::new_user::prepare;

/// A model in memory: 4 bytes a factor, those of items twice.
#[derive(Debug)]
pub struct ServedModel {
    pub(super) version: Version,
    pub(super) model: AlsModel,
    pub(super) names: Names,
    pub(super) panels: ItemPanels,
    /// `None`: a model that Spark saved does not say how it was trained.
    pub(super) fold_in: Option<FoldIn>,
    /// Items that the model knows, most popular first.
    pub(super) popular: Option<Vec<RatedItem>>,
    /// What users have rated, once somebody wanted to know.
    pub(super) seen: OnceLock<Seen>,
}

/// What is in a served model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Users with factors.
    pub users: usize,
    /// Items with factors.
    pub items: usize,
    /// Floats in a factor.
    pub rank: usize,
    /// Whether scores are preferences rather than ratings.
    pub implicit: bool,
    /// Whether it can fold somebody new in.
    pub folds_in: bool,
    /// Whether it knows which items are popular.
    pub knows_popular: bool,
    /// Whether it holds what users have rated.
    pub holds_seen: bool,
}

impl ServedModel {
    /// Reads a version and lays it out.
    ///
    /// # Errors
    /// A part of the version that cannot be read or cannot be right.
    pub fn open(version: Version) -> Result<Self> {
        let model = model::open(&version.path)?;
        let names = model::names::read(&version.path)?;
        let popular = popularity::read(&version.path)?.map(|mut items| {
            items.retain(|rated| model.items().ids().row(rated.item).is_some());
            items
        });
        let fold_in = version.record.as_ref().map(|record| prepare(&model, &record.params)).transpose()?;
        Ok(Self { panels: ItemPanels::new(model.items()), version, model, names, fold_in, popular, seen: OnceLock::new() })
    }

    /// The version's name.
    pub fn version(&self) -> &str {
        &self.version.name
    }

    /// What is in it.
    pub fn layout(&self) -> Layout {
        Layout {
            users: self.model.users().ids().len(),
            items: self.model.items().ids().len(),
            rank: self.model.rank(),
            implicit: self.version.record.as_ref().is_some_and(|record| record.params.implicit),
            folds_in: self.fold_in.is_some(),
            knows_popular: self.popular.is_some(),
            holds_seen: self.seen.get().is_some(),
        }
    }

    /// Reads what users have rated from the dataset that the model was trained on, as it is now; 4 bytes a rating, 8 while it reads. Does nothing
    /// if that was done before.
    ///
    /// # Errors
    /// The dataset is not known, cannot be read, or has other ids.
    pub fn read_seen(&self, context: &Context) -> Result<()> {
        if self.seen.get().is_some() {
            return Ok(());
        }
        let Some(record) = &self.version.record else {
            let message = format!("{} has no {FILE}, so the dataset that it was trained on is unknown", self.version.name);
            return Err(StageError::input(message).with_hint("ask without `exclude_seen`, or serve a model that recflow trained"));
        };
        let dataset = Dataset::open(&context.workspace.join(&record.dataset.path), context)?;
        let theirs = dataset.names()?;
        if !(self.names.is_empty() && theirs.is_empty()) {
            check_same(("the model", &self.names), (&format!("`{}`", record.dataset.path), &theirs))?;
        }
        let seen = Seen::read(&dataset, &self.model, context)?;
        // Of two that read at once the first is kept: they read the same.
        let _ = self.seen.set(seen);
        Ok(())
    }
}
