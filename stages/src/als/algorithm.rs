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

/// The factors of both sides between two sweeps: all that the next one needs.
#[derive(Debug, Clone)]
pub(crate) struct Sides {
    /// Rows of `padded(rank)` floats, in the order of the matrix.
    pub(crate) users: Aligned,
    /// Likewise.
    pub(crate) items: Aligned,
}

impl Sides {
    /// Zeros of the shape that a training of `matrix` has.
    pub(crate) fn zeroed(matrix: &RatingMatrix, rank: usize) -> Self {
        let zeroed = |ids: &Ids| Aligned::zeroed(ids.len() * padded(rank));
        Self { users: zeroed(matrix.users()), items: zeroed(matrix.items()) }
    }

    /// As a model.
    pub(crate) fn into_model(self, matrix: &RatingMatrix, rank: usize) -> AlsModel {
        let factors = |ids: &Ids, rows: Aligned| Factors::from_padded(ids.clone(), rank, rows);
        AlsModel::new(factors(matrix.users(), self.users), factors(matrix.items(), self.items))
    }
}

/// A training that goes on sweep by sweep, for as long as its owner wants.
#[derive(Debug)]
pub struct Trainer<'a> {
    params: &'a AlsValidParams,
    matrix: &'a RatingMatrix,
    kernel: Kernel,
    cancel: &'a CancelToken,
    sides: Sides,
    /// Sweeps done.
    done: usize,
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
        let mut trainer = Trainer { kernel, ..Trainer::new(self, matrix, cancel) };
        let mut iterations = Vec::with_capacity(self.get().max_iter);
        for _ in 0..self.get().max_iter {
            let iteration = trainer.sweep()?;
            watch(&iteration);
            iterations.push(iteration);
        }
        let model = trainer.sides.into_model(matrix, self.get().rank);
        Ok(Fit { model, iterations, instruction_set: kernel.name() })
    }
}

impl<'a> Trainer<'a> {
    /// A training that begins.
    pub fn new(params: &'a AlsValidParams, matrix: &'a RatingMatrix, cancel: &'a CancelToken) -> Self {
        let mut sides = Sides::zeroed(matrix, params.get().rank);
        sides.users = init::users(matrix.users().as_slice(), params.get());
        Self::resumed(params, matrix, cancel, sides, 0)
    }

    /// A training that goes on after `done` sweeps, which ended with `sides`. It gives the same digits as if it had not been
    /// interrupted, on the same instruction set.
    pub(crate) fn resumed(
        params: &'a AlsValidParams,
        matrix: &'a RatingMatrix,
        cancel: &'a CancelToken,
        sides: Sides,
        done: usize,
    ) -> Self {
        Self { params, matrix, kernel: Kernel::detect(), cancel, sides, done }
    }

    /// Solves the items, then the users.
    ///
    /// # Errors
    /// Those of [`AlsValidParams::fit`]. The training cannot go on after one.
    pub fn sweep(&mut self) -> Result<Iteration, FitError> {
        let items = self.half_step(Side::Item)?;
        let users = self.half_step(Side::User)?;
        self.done += 1;
        let train_rmse = (!self.params.get().implicit).then(|| (users.error / self.matrix.nnz() as f64).sqrt());
        Ok(Iteration { number: self.done, loss: users.error + users.penalty + items.penalty, train_rmse, holdout_rmse: None })
    }

    /// The instruction set it runs on.
    pub fn instruction_set(&self) -> &'static str {
        self.kernel.name()
    }

    /// The factors as they are.
    pub(crate) fn sides(&self) -> &Sides {
        &self.sides
    }

    /// The factors, for good.
    pub(crate) fn into_sides(self) -> Sides {
        self.sides
    }

    /// Solves one side. The errors are summed on the users' side only, the second of a sweep.
    pub(super) fn half_step(&mut self, side: Side) -> Result<Loss, FitError> {
        let params = self.params.get();
        let layers = self.matrix.layers().iter();
        let Sides { users, items } = &mut self.sides;
        let (rows, ids, source, out) = match side {
            Side::Item => (layers.map(|layer| &layer.by_item).collect(), self.matrix.items(), users, items),
            Side::User => (layers.map(|layer| &layer.by_user).collect(), self.matrix.users(), items, users),
        };
        let source = source.as_slice();
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
        let step = HalfStep { equations, side, ids: ids.as_slice(), with_error: side == Side::User, cancel: self.cancel };
        step.run(out.as_mut_slice())
    }
}
