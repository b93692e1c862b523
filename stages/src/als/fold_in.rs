//! One user more, against the items of a finished training.

use sprs::CsMatI;

use super::errors::{FitError, Side};
use super::half_step::HalfStep;
use super::hyperparams::{AlsParams, AlsValidParams, Solver};
use super::init;
use super::normal_equation::Equations;
use super::rows::Rows;
use crate::context::CancelToken;
use crate::kernel::Kernel;
use crate::matrix::Ids;
use crate::model::Factors;

impl AlsValidParams {
    /// The factors, as many as those of `items`, that an exact half-step over the users would give one with these `ratings` of `items`: row numbers,
    /// strictly ascending, and values. The same digits as in a training by `cholesky`, on the same instruction set.
    ///
    /// # Errors
    /// An equation without a unique or finite solution; the id that the error names is 0.
    ///
    /// Panics if the width is not the rank of `items`, or if the row numbers do not ascend or lie beyond the last row.
    pub fn fold_in(&self, items: &Factors, ratings: &[(u32, f32)]) -> Result<Vec<f32>, FitError> {
        // Exactly, whatever the solver: there is no row from before that few steps would suffice from.
        let params = AlsParams { solver: Solver::Cholesky, ..self.get().clone() };
        let (width, users) = (params.width(), Ids::from_ascending(vec![0]));
        assert_eq!(width, items.rank());
        let (columns, values): (Vec<u32>, Vec<f32>) = ratings.iter().copied().unzip();
        let row = CsMatI::new((1, items.ids().len()), vec![0, columns.len()], columns, values);
        let equations = Equations::new(&params, Kernel::detect(), Side::User, Rows(vec![(&row, None)]), items.padded_rows(), 0.0);
        let mut factors = init::users(&users, &params);
        let step = HalfStep { equations, side: Side::User, ids: users.as_slice(), with_error: false, cancel: &CancelToken::new() };
        step.run(factors.padded_rows_mut())?;
        Ok(factors.row(0).to_vec())
    }
}
