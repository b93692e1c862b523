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

/// The state between sweeps.
struct Trainer<'a> {
    params: &'a AlsValidParams,
    matrix: &'a RatingMatrix,
    kernel: Kernel,
    cancel: &'a CancelToken,
    users: Aligned,
    items: Aligned,
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
        let params = self.get();
        let users = init::users(matrix.users().as_slice(), params);
        let items = Aligned::zeroed(matrix.items().len() * padded(params.rank));
        let mut trainer = Trainer { params: self, matrix, kernel, cancel, users, items };
        let mut iterations = Vec::with_capacity(params.max_iter);
        for number in 1..=params.max_iter {
            let items = trainer.half_step(Side::Item)?;
            let users = trainer.half_step(Side::User)?;
            let train_rmse = (!params.implicit).then(|| (users.error / matrix.nnz() as f64).sqrt());
            let iteration = Iteration { number, loss: users.error + users.penalty + items.penalty, train_rmse };
            watch(&iteration);
            iterations.push(iteration);
        }
        let factors = |ids: &Ids, rows: Aligned| Factors::from_padded(ids.clone(), params.rank, rows);
        let model = AlsModel::new(factors(matrix.users(), trainer.users), factors(matrix.items(), trainer.items));
        Ok(Fit { model, iterations, instruction_set: kernel.name() })
    }
}

impl Trainer<'_> {
    /// Solves one side. The errors are summed on the users' side only, the second of a sweep.
    fn half_step(&mut self, side: Side) -> Result<Loss, FitError> {
        let params = self.params.get();
        let layers = self.matrix.layers().iter();
        let (rows, ids, source, out) = match side {
            Side::Item => (layers.map(|layer| &layer.by_item).collect(), self.matrix.items(), &self.users, &mut self.items),
            Side::User => (layers.map(|layer| &layer.by_user).collect(), self.matrix.users(), &self.items, &mut self.users),
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
