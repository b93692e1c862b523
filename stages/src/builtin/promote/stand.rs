//! What is compared: the challenger and the test set, read once, and whoever is the champion at the moment.

use std::path::{Path, PathBuf};

use super::PromoteInputs;
use crate::context::Context;
use crate::dataset::Dataset;
use crate::error::{ErrorKind, Result, StageError};
use crate::metrics::contest::{Contest, Figures, Question, contest};
use crate::model::promotion::{Comparison, Pointer, Standing};
use crate::model::record::DatasetRecord;
use crate::model::{self, AlsModel, versions};
use crate::ratings::Ratings;
use crate::stage::WorkspacePath;

/// All that stays the same while champions come and go.
pub(super) struct Bench<'a> {
    inputs: &'a PromoteInputs,
    models: PathBuf,
    version: String,
    challenger: AlsModel,
    dataset: DatasetRecord,
    test: Ratings,
    train: Option<Ratings>,
}

/// Whom the challenger faces.
pub(super) enum Opponent {
    /// Nobody.
    None {
        /// Why there is nobody.
        why: String,
    },
    /// The challenger is the current version.
    Itself,
    /// Another version.
    Champion {
        /// Its name.
        version: String,
        /// The model.
        model: Box<AlsModel>,
    },
}

/// A dataset whose ids mean what those of the model at `directory` do.
fn opened(path: &WorkspacePath, directory: &Path, context: &Context) -> Result<Dataset> {
    let dataset = Dataset::open(&context.resolve(path), context)?;
    model::names::check_against(directory, &dataset, path.as_str())?;
    Ok(dataset)
}

impl<'a> Bench<'a> {
    /// Reads the challenger and the ratings.
    pub(super) fn prepare(inputs: &'a PromoteInputs, models: &Path, context: &Context) -> Result<Self> {
        let version = versions::locate(models, &inputs.challenger, context)?;
        if models.join(&version.name).canonicalize().ok() != version.path.canonicalize().ok() {
            let message = format!("the challenger `{}` does not lie in `{}`", context.display(&version.path), inputs.models);
            return Err(StageError::input(message).with_hint("`current` names a version beside it: copy the challenger there first"));
        }
        let challenger = model::open(&version.path)?;
        let dataset = opened(&inputs.ratings, &version.path, context)?;
        let test = dataset.read(context)?;
        if test.is_empty() {
            let message = format!("the dataset `{}` has no ratings to compare on", inputs.ratings);
            return Err(StageError::input(message).with_hint("give `etl` a `test_file`"));
        }
        let train = match &inputs.train {
            Some(train) if !inputs.metric.is_error() => Some(opened(train, &version.path, context)?.read(context)?),
            _ => None,
        };
        let dataset =
            DatasetRecord { path: inputs.ratings.to_string(), fingerprint: dataset.fingerprint().to_owned(), rows: dataset.rows() };
        Ok(Self { inputs, models: models.to_owned(), version: version.name, challenger, dataset, test, train })
    }

    /// The challenger's name.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// Finds the champion: the one that was asked for, else the current one. One that serves but cannot be opened defends nothing.
    pub(super) fn opponent(&self, asked: Option<&str>, current: Option<&Pointer>, context: &Context) -> Result<Opponent> {
        if current.is_some_and(|current| current.version == self.version) {
            return Ok(Opponent::Itself);
        }
        if let Some(asked) = asked {
            let champion = versions::locate(&self.models, asked, context)?;
            return Ok(Opponent::Champion { model: Box::new(model::open(&champion.path)?), version: champion.name });
        }
        let Some(Pointer { version, .. }) = current else {
            return Ok(Opponent::None { why: "no version was promoted before".to_owned() });
        };
        let path = self.models.join(version);
        if !path.is_dir() {
            return Ok(Opponent::None { why: format!("the current version {version} is not there any more") });
        }
        match model::open(&path) {
            Ok(model) => Ok(Opponent::Champion { version: version.clone(), model: Box::new(model) }),
            Err(error) if error.kind == ErrorKind::Input => {
                context.warn(format!("the current version {version} cannot be opened: {error}"));
                Ok(Opponent::None { why: format!("the current version {version} cannot be opened") })
            }
            Err(error) => Err(error),
        }
    }

    /// Measures the challenger, against the champion if there is one.
    pub(super) fn compare(&self, opponent: &Opponent, context: &Context) -> Result<Comparison> {
        let champion = match opponent {
            Opponent::Champion { version, model } => Some((version, &**model)),
            Opponent::None { .. } | Opponent::Itself => None,
        };
        let question = Question {
            test: &self.test,
            train: self.train.as_ref(),
            metric: self.inputs.metric,
            k: self.inputs.k,
            rating_threshold: self.inputs.rating_threshold,
        };
        let Contest { pairs, champion: figures, challenger } =
            contest(champion.map(|(_, model)| model), &self.challenger, &question, context)?;
        Ok(Comparison {
            ratings: self.dataset.clone(),
            metric: self.inputs.metric,
            tolerance: self.inputs.tolerance,
            pairs,
            champion: champion.zip(figures).map(|((version, _), figures)| self.standing(version, &figures)),
            challenger: self.standing(&self.version, &challenger),
        })
    }

    fn standing(&self, version: &str, figures: &Figures) -> Standing {
        let Figures { value, shared, own } = figures;
        Standing {
            version: version.to_owned(),
            value: *value,
            rmse: shared.rmse,
            mae: shared.mae,
            scored: own.scored,
            coverage: own.scored as f64 / self.test.len() as f64,
            own_rmse: own.rmse,
            own_mae: own.mae,
        }
    }
}
