//! The sweeps of a training.

use serde::{Deserialize, Serialize};

use super::errors::{FitError, Side};
use super::half_step::{HalfStep, Loss, gram_of_all};
use super::hyperparams::AlsValidParams;
use super::init;
use super::normal_equation::{Equations, Rows};
use super::objective::Objective;
use crate::context::CancelToken;
use crate::kernel::{Aligned, Kernel, padded};
use crate::matrix::{Ids, RatingMatrix};
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

/// A training between two sweeps: it can be looked at, go on, or be dropped.
///
/// Sweeps are a function of the matrix, the parameters and the sweeps before, so a training that pauses, or that begins again, has the same
/// factors after the same number of sweeps, to the bit.
#[derive(Debug)]
pub struct Training<'a> {
    params: AlsValidParams,
    matrix: &'a RatingMatrix,
    kernel: Kernel,
    model: AlsModel,
    sweeps: usize,
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
        let mut training = self.start_with(kernel, matrix);
        let mut iterations = Vec::with_capacity(self.get().max_iter);
        for _ in 0..self.get().max_iter {
            let iteration = training.sweep(cancel)?;
            watch(&iteration);
            iterations.push(iteration);
        }
        Ok(Fit { model: training.model, iterations, instruction_set: kernel.name() })
    }

    /// A training on `matrix` before its first sweep. How many there will be is for the caller to say: `max_iter` has no part in it.
    pub fn start<'a>(&self, matrix: &'a RatingMatrix) -> Training<'a> {
        self.start_with(Kernel::detect(), matrix)
    }

    fn start_with<'a>(&self, kernel: Kernel, matrix: &'a RatingMatrix) -> Training<'a> {
        let params = self.get();
        let users = init::users(matrix.users().as_slice(), params);
        let items = Aligned::zeroed(matrix.items().len() * padded(params.rank));
        let factors = |ids: &Ids, rows: Aligned| Factors::from_padded(ids.clone(), params.rank, rows);
        let model = AlsModel::new(factors(matrix.users(), users), factors(matrix.items(), items));
        Training { params: self.clone(), matrix, kernel, model, sweeps: 0 }
    }
}

impl Training<'_> {
    /// How many sweeps are done.
    pub fn sweeps(&self) -> usize {
        self.sweeps
    }

    /// The factors as they are now. Before the first sweep those of the items are 0.
    pub fn model(&self) -> &AlsModel {
        &self.model
    }

    /// One sweep more, in rayon's current pool; `cancel` is looked at once a row.
    ///
    /// # Errors
    /// A row without a unique or finite solution, by name, or the cancellation. The training is of no use after that.
    pub fn sweep(&mut self, cancel: &CancelToken) -> Result<Iteration, FitError> {
        let items = self.half_step(Side::Item, cancel)?;
        let users = self.half_step(Side::User, cancel)?;
        self.sweeps += 1;
        let train_rmse = (!self.params.get().implicit).then(|| (users.error / self.matrix.nnz() as f64).sqrt());
        Ok(Iteration { number: self.sweeps, loss: users.error + users.penalty + items.penalty, train_rmse })
    }

    /// Solves one side. The errors are summed on the users' side only, the second of a sweep.
    fn half_step(&mut self, side: Side, cancel: &CancelToken) -> Result<Loss, FitError> {
        let params = self.params.get();
        let layers = self.matrix.layers().iter();
        let (users, items) = self.model.sides_mut();
        let (rows, ids, source, out) = match side {
            Side::Item => (layers.map(|layer| &layer.by_item).collect(), self.matrix.items(), users, items),
            Side::User => (layers.map(|layer| &layer.by_user).collect(), self.matrix.users(), items, users),
        };
        let source = source.padded_rows();
        let base = params.implicit.then(|| gram_of_all(self.kernel, source, params.rank));
        let equations = Equations {
            kernel: self.kernel,
            objective: Objective::new(params),
            rank: params.rank,
            nonnegative: params.nonnegative,
            rows: Rows(rows),
            source,
            base,
        };
        let step = HalfStep { equations, side, ids: ids.as_slice(), with_error: side == Side::User, cancel };
        step.run(out.padded_rows_mut())
    }
}
