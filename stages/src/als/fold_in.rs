//! Users more, against the items of a finished training.

use sprs::CsMatI;

use super::errors::{FitError, Side};
use super::half_step::HalfStep;
use super::hyperparams::{AlsParams, AlsValidParams, Solver};
use super::init;
use super::normal_equation::{Base, Equations};
use super::rows::Rows;
use crate::context::CancelToken;
use crate::kernel::Kernel;
use crate::matrix::Ids;
use crate::model::Factors;

/// What all users have in common who are folded in to the items of one training: for an implicit objective the sum over *all* items is taken once.
#[derive(Debug)]
pub struct FoldIn {
    params: AlsParams,
    kernel: Kernel,
    base: Option<Base>,
}

impl FoldIn {
    /// Makes ready to fold in to `items`, with the parameters of their training.
    ///
    /// Panics if the width of `params` is not the rank of `items`.
    pub fn new(params: &AlsValidParams, items: &Factors) -> Self {
        // Exactly, whatever the solver: there is no row from before that few steps would suffice from.
        let params = AlsParams { solver: Solver::Cholesky, ..params.get().clone() };
        assert_eq!(params.width(), items.rank());
        let kernel = Kernel::detect();
        Self { base: Base::wanted(&params, kernel, items.padded_rows()), params, kernel }
    }

    /// The factors, as many as those of `items` (the ones that this was made for), that an exact half-step over the users would give one with these
    /// `ratings` of `items`: row numbers, strictly ascending, and values. The same digits as in a training by `cholesky`, on the same instruction set.
    ///
    /// # Errors
    /// An equation without a unique or finite solution; the id that the error names is 0.
    ///
    /// Panics if the row numbers do not ascend or lie beyond the last row.
    pub fn solve(&self, items: &Factors, ratings: &[(u32, f32)]) -> Result<Vec<f32>, FitError> {
        let users = Ids::from_ascending(vec![0]);
        let (columns, values): (Vec<u32>, Vec<f32>) = ratings.iter().copied().unzip();
        let row = CsMatI::new((1, items.ids().len()), vec![0, columns.len()], columns, values);
        let rows = Rows(vec![(&row, None)]);
        let equations = Equations::over(&self.params, self.kernel, Side::User, rows, items.padded_rows(), 0.0, self.base.clone());
        let mut factors = init::users(&users, &self.params);
        let step = HalfStep { equations, side: Side::User, ids: users.as_slice(), with_error: false, cancel: &CancelToken::new() };
        // Not the whole half-step, which would go through rayon's pool for one row.
        step.solve(0, factors.padded_rows_mut(), |_| true, &mut step.equations.scratch())?;
        Ok(factors.row(0).to_vec())
    }
}

impl AlsValidParams {
    /// One user, folded in to `items`: see [`FoldIn::solve`].
    ///
    /// # Errors
    /// Those of [`FoldIn::solve`].
    ///
    /// Panics if the width is not the rank of `items`, or as [`FoldIn::solve`] does.
    pub fn fold_in(&self, items: &Factors, ratings: &[(u32, f32)]) -> Result<Vec<f32>, FitError> {
        FoldIn::new(self, items).solve(items, ratings)
    }
}
