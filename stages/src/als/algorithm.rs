//! The sweeps of a training.

use serde::{Deserialize, Serialize};

use super::errors::{FitError, Side};
use super::half_step::{HalfStep, Loss};
use super::hyperparams::AlsValidParams;
use super::init;
use super::momentum::Momentum;
use super::normal_equation::Equations;
use super::rows::Rows;
use crate::context::CancelToken;
use crate::kernel::Kernel;
use crate::matrix::RatingMatrix;
use crate::model::{AlsModel, Factors};

/// What is known after a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Iteration {
    /// Which sweep, from 1.
    pub number: usize,
    /// The objective of [`super`], regularisation included.
    pub loss: f64,
    /// Root of the mean squared error over the ratings trained on; absent if the objective is implicit.
    pub train_rmse: Option<f64>,
    /// The same over ratings that were held out; absent if there are none. Whoever holds them out fills it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holdout_rmse: Option<f64>,
}

/// A finished training.
#[derive(Debug, Clone)]
pub struct Fit {
    /// The factors.
    pub model: AlsModel,
    /// Every sweep, in order; at least one.
    pub iterations: Vec<Iteration>,
    /// The instruction set it ran on: factors are the same for a seed on the same one.
    pub instruction_set: &'static str,
}

/// A training between two sweeps: it can be looked at, go on, be kept for later, or be dropped.
///
/// Sweeps are a function of the matrix, the parameters and the sweeps before. So a training that pauses, or that begins again, has the same
/// factors after the same number of sweeps, to the bit, on the same instruction set.
#[derive(Debug)]
pub struct Trainer<'a> {
    params: AlsValidParams,
    matrix: &'a RatingMatrix,
    /// The mean of all ratings.
    mean: f64,
    /// What all ratings weigh together.
    weight: f64,
    kernel: Kernel,
    model: AlsModel,
    /// Sweeps done.
    sweeps: usize,
    momentum: Option<Momentum>,
}

impl AlsValidParams {
    /// Trains on `matrix` in rayon's current pool. `watch` hears of each sweep; `cancel` is looked at once a row.
    ///
    /// # Errors
    /// A row without a unique or finite solution, by name, or the cancellation.
    pub fn fit(&self, matrix: &RatingMatrix, cancel: &CancelToken, watch: impl FnMut(&Iteration)) -> Result<Fit, FitError> {
        self.fit_with(Kernel::detect(), matrix, cancel, watch)
    }

    /// [`Self::fit`] on a given instruction set.
    pub(super) fn fit_with(
        &self,
        kernel: Kernel,
        matrix: &RatingMatrix,
        cancel: &CancelToken,
        mut watch: impl FnMut(&Iteration),
    ) -> Result<Fit, FitError> {
        let mut trainer = Trainer { kernel, ..Trainer::new(self, matrix) };
        let mut iterations = Vec::with_capacity(self.get().max_iter);
        for _ in 0..self.get().max_iter {
            let iteration = trainer.sweep(cancel)?;
            watch(&iteration);
            iterations.push(iteration);
        }
        Ok(Fit { model: trainer.into_model(), iterations, instruction_set: kernel.name() })
    }
}

impl<'a> Trainer<'a> {
    /// A training on `matrix` before its first sweep. How many there will be is for the caller to say: `max_iter` has no part in it.
    pub fn new(params: &AlsValidParams, matrix: &'a RatingMatrix) -> Self {
        let mean = matrix.mean();
        let (users, items) = (init::users(matrix.users(), params.get()), init::items(matrix.items(), params.get(), mean));
        Self::resumed(params, matrix, AlsModel::new(users, items), &[], None)
    }

    /// A training that starts from the factors of an `older` model of the same rank, wherever it knows a user or an item of `matrix`.
    ///
    /// Panics if its rank is another.
    pub fn warm(params: &AlsValidParams, matrix: &'a RatingMatrix, older: &AlsModel) -> Self {
        let mut trainer = Self::new(params, matrix);
        let (users, items) = trainer.model.sides_mut();
        for (factors, older) in [(users, older.users()), (items, older.items())] {
            assert_eq!(factors.rank(), older.rank());
            factors.copy_known(older);
        }
        trainer
    }

    /// A training that goes on after the sweeps `iterations`, which ended with `model`: one of the users and items of `matrix`, of the same rank. With momentum,
    /// `previous` are the users after the last sweep but one ([`Self::previous_users`]).
    pub(crate) fn resumed(
        params: &AlsValidParams,
        matrix: &'a RatingMatrix,
        model: AlsModel,
        iterations: &[Iteration],
        previous: Option<Factors>,
    ) -> Self {
        let momentum = params.get().momentum.then(|| Momentum::resumed(iterations, previous));
        let (mean, weight, kernel, sweeps) = (matrix.mean(), matrix.weight(), Kernel::detect(), iterations.len());
        Self { params: params.clone(), matrix, mean, weight, kernel, model, sweeps, momentum }
    }

    /// The users after the last sweep but one, padded rows, where momentum needs them to go on.
    pub(crate) fn previous_users(&self) -> Option<&[f32]> {
        self.momentum.as_ref()?.previous()
    }

    /// How many sweeps are done.
    pub fn sweeps(&self) -> usize {
        self.sweeps
    }

    /// The factors as they are now. Before the first sweep those of the items are 0.
    pub fn model(&self) -> &AlsModel {
        &self.model
    }

    /// The factors, for good.
    pub fn into_model(self) -> AlsModel {
        self.model
    }

    /// The instruction set it runs on.
    pub fn instruction_set(&self) -> &'static str {
        self.kernel.name()
    }

    /// Solves the items, then the users, in rayon's current pool; `cancel` is looked at once a row.
    ///
    /// # Errors
    /// A row without a unique or finite solution, by name, or the cancellation. The training is of no use after that.
    pub fn sweep(&mut self, cancel: &CancelToken) -> Result<Iteration, FitError> {
        if let Some(momentum) = &mut self.momentum {
            momentum.carry(self.model.sides_mut().0.padded_rows_mut(), self.params.get().nonnegative);
        }
        let items = self.half_step(Side::Item, cancel)?;
        let users = self.half_step(Side::User, cancel)?;
        self.sweeps += 1;
        let train_rmse = (!self.params.get().implicit).then(|| (users.error / self.weight).sqrt());
        let loss = users.error + users.penalty + items.penalty;
        if let Some(momentum) = &mut self.momentum {
            momentum.see(loss);
        }
        Ok(Iteration { number: self.sweeps, loss, train_rmse, holdout_rmse: None })
    }

    /// Solves one side. The errors are summed on the users' side only, the second of a sweep.
    pub(super) fn half_step(&mut self, side: Side, cancel: &CancelToken) -> Result<Loss, FitError> {
        let params = self.params.get();
        let (users, items) = self.model.sides_mut();
        let (ids, source, out) = match side {
            Side::Item => (self.matrix.items(), users, items),
            Side::User => (self.matrix.users(), items, users),
        };
        let rows = Rows::of(self.matrix, side);
        let equations = Equations::new(params, self.kernel, side, rows, source.padded_rows(), self.mean);
        let step = HalfStep { equations, side, ids: ids.as_slice(), with_error: side == Side::User, cancel };
        step.run(out.padded_rows_mut())
    }
}
